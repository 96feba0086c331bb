"""Names: A, AAAA and HTTPS of 2 000 domains by the collector, beside bare dnspython and dnsperf.

    python -m benchmarks.bench_dns [--domains 2000] [--rounds 2]

BIND on a port of 127.0.0.1 is the resolver and holds the zone, so what is measured is the asking. dnspython
asks the same questions by `dns.asyncquery` and by threads, and makes nothing of the answers but rcodes;
dnsperf (C) sends them and counts. CPU is that of the tool's process, start-up included; where a tool is
missing, its row says so.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

TYPES = ("A", "AAAA", "HTTPS")
OURS = """\
import sys
from collectors import dns
from collectors.contract import Run, Source
from inventory.coverage import Status
options = dns.Options(names_file=sys.argv[2], resolvers=[f"127.0.0.1:{sys.argv[1]}"], authoritative=False,
                      mail=False, lookups=1, queries_per_second=0, timeout_seconds=20, concurrency=100)
source = Source(name="bench", type="dns", options=options, deadline_seconds=600)
batches = list(dns.collect(source, Run(source)))
assert all(c.status is Status.COMPLETE for b in batches for c in b.collections), batches[0].collections
rows = [r for b in batches for r in b.resources]
assert all(len(r.addresses) == 2 and len(r.https_hints) == 1 for r in rows)
print(len(rows))
"""
ASYNC = """\
import asyncio, sys
import dns.asyncquery, dns.message
names = open(sys.argv[2]).read().split()
async def main():
    gate = asyncio.Semaphore(100)
    async def one(name, kind):
        async with gate:
            asked = dns.message.make_query(name, kind)
            return await dns.asyncquery.udp(asked, "127.0.0.1", port=int(sys.argv[1]), timeout=20)
    told = await asyncio.gather(*(one(n, k) for n in names for k in ("A", "AAAA", "HTTPS")))
    assert all(t.rcode() == 0 and t.answer for t in told)
asyncio.run(main())
"""
THREADS = """\
import sys
from concurrent.futures import ThreadPoolExecutor
import dns.message, dns.query
names = open(sys.argv[2]).read().split()
def one(asked):
    asked = dns.message.make_query(*asked)
    return dns.query.udp(asked, "127.0.0.1", port=int(sys.argv[1]), timeout=20)
with ThreadPoolExecutor(100) as pool:
    told = list(pool.map(one, ((n, k) for n in names for k in ("A", "AAAA", "HTTPS"))))
assert all(t.rcode() == 0 and t.answer for t in told)
"""
CONF = """\
options {{ directory "{folder}"; pid-file "{folder}/pid"; session-keyfile none; lock-file none; notify no;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion yes; dnssec-validation no; }};
controls {{ }};
zone "bench.test" {{ type primary; file "zone"; }};
"""


@contextmanager
def resolver(domains: int) -> Iterator[tuple[int, Path]]:
    """BIND with so many names; its port, and the file of their names."""
    with TemporaryDirectory() as name, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        folder = Path(name)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        head = "$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A 127.0.0.1\n"
        rows = (
            f"w{n} A 192.0.2.1\nw{n} AAAA 2400:3200::{n:x}\nw{n} HTTPS 1 . ipv6hint=2400:3200::{n:x}\n"
            for n in range(domains)
        )
        (folder / "zone").write_text(head + "".join(rows))
        (folder / "conf").write_text(CONF.format(folder=folder, port=port))
        names = folder / "names"
        names.write_text("".join(f"w{n}.bench.test\n" for n in range(domains)))
        named = shutil.which("named", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert named, "install bind9"
        process = subprocess.Popen(
            [named, "-f", "-n", "1", "-c", str(folder / "conf")], stderr=subprocess.DEVNULL
        )
        try:
            wait_for(port)
            yield port, names
        finally:
            process.terminate()
            process.wait(10)


def wait_for(port: int) -> None:
    """Until the server answers."""
    ends = time.monotonic() + 30
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.5)
        while time.monotonic() < ends:
            try:
                asking.sendto(b"\0\1\0\0\0\1\0\0\0\0\0\0\0\0\6\0\1", ("127.0.0.1", port))
                asking.recv(512)
            except OSError:
                time.sleep(0.05)
            else:
                return
    raise SystemExit("BIND does not answer")


def cpu_of(command: list[str]) -> tuple[float, float]:
    """CPU and wall seconds of a command with its children."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, time.monotonic() - began


def python(program: str) -> Callable[[int, Path], tuple[float, float]]:
    return lambda port, names: cpu_of([sys.executable, "-c", program, str(port), str(names)])


def dnsperf(port: int, names: Path) -> tuple[float, float]:
    questions = names.with_name("questions")
    questions.write_text("".join(f"{n} {t}\n" for n in names.read_text().split() for t in TYPES))
    return cpu_of(
        ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", str(questions), "-n", "1", "-q", "100"]
    )


TOOLS: dict[str, Callable[[int, Path], tuple[float, float]]] = {
    "zhengguan": python(OURS),
    "dnspython, asyncio": python(ASYNC),
    "dnspython, 100 threads": python(THREADS),
    "dnsperf": dnsperf,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--domains", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    told: dict[str, list[tuple[float, float]]] = {}
    missing: dict[str, str] = {}
    with resolver(arguments.domains) as (port, names):
        for _ in range(arguments.rounds):
            for name, tool in TOOLS.items():
                try:
                    told.setdefault(name, []).append(tool(port, names))
                except (OSError, subprocess.CalledProcessError) as error:
                    missing[name] = type(error).__name__
    ours = statistics.median(cpu for cpu, _ in told["zhengguan"])
    print(f"{arguments.domains} domains × ({', '.join(TYPES)}) at concurrency 100, {arguments.rounds} rounds "
          f"interleaved, medians; load average {os.getloadavg()[0]:.1f}. "
          "BIND's own CPU is not counted.\n")  # fmt: skip
    print("| tool | wall s | CPU s | range | × ours |\n|---|---|---|---|---|")
    for name in TOOLS:
        if name in missing:
            print(f"| {name} | not run: {missing[name]} | | | |")
            continue
        cpu = sorted(one for one, _ in told[name])
        wall = statistics.median(one for _, one in told[name])
        print(f"| {name} | {wall:.1f} | {statistics.median(cpu):.2f} | {cpu[0]:.2f}–{cpu[-1]:.2f} "
              f"| {statistics.median(cpu) / ours:.2f} |")  # fmt: skip
    print("\nGoal: ours under 60 s of wall time.")


if __name__ == "__main__":
    main()

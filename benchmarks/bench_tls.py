"""Endpoints: CPU of the TLS prober beside sslyze and sslscan on the same servers, and 1 000 at once.

    python -m benchmarks.bench_tls [--endpoints 1000] [--rounds 2]

nginx serves TLS 1.2 and 1.3 with its defaults on ports of 127.0.0.1 (RSA-2048, all of OpenSSL's suites). Each
tool tells versions, suites, groups and certificates of sixty of them (ours the signature schemes besides);
CPU is that of the tool's processes, children and start-up included (a table row tells ours apart). Ours is
run from byte code, as it is installed. sslyze (AGPL) is installed into a virtual environment of the cache and
only ever run as a program; where a tool is missing, its row says so.
"""

from __future__ import annotations

import argparse
import json
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

COMPARED = 60
CONF = """\
daemon off; worker_processes auto; pid {folder}/pid; error_log {folder}/log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    {listens}
    ssl_certificate {folder}/c.pem; ssl_certificate_key {folder}/k.pem;
    ssl_protocols TLSv1.2 TLSv1.3; return 200 ok;
  }}
}}
"""
OURS = """\
import sys, time
from collectors import tls
from collectors.contract import Run, Source
from inventory.coverage import Status
targets = [f"127.0.0.1:{{p}}" for p in sys.argv[1:]]
options = tls.Options(targets=targets, concurrency={concurrency}, connections_per_second=0,
                      timeout_seconds=60, endpoint_seconds=300)
source = Source(name="bench", type="tls", options=options, deadline_seconds=600)
batches = list(tls.collect(source, Run(source)))
assert all(c.status is Status.COMPLETE for b in batches for c in b.collections), batches[0].collections
print(sum(len(b.resources) for b in batches))
"""


@contextmanager
def servers(ports: list[int]) -> Iterator[None]:
    """nginx on all these ports."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "c.pem",
             "-days", "90", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
        listens = "\n".join(f"    listen 127.0.0.1:{port} ssl;" for port in ports)
        (folder / "conf").write_text(CONF.format(folder=folder, listens=listens))
        nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert nginx, "install nginx-light"
        process = subprocess.Popen([nginx, "-c", str(folder / "conf")], stderr=subprocess.DEVNULL)
        try:
            for port in (ports[0], ports[-1]):
                ends = time.monotonic() + 20
                while time.monotonic() < ends:
                    try:
                        socket.create_connection(("127.0.0.1", port), timeout=1).close()
                        break
                    except OSError:
                        time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(10)


def free_ports(count: int) -> list[int]:
    """Ports that nobody holds now, below those that connections are given."""
    found: list[int] = []
    for port in range(20001, 32000):
        with socket.socket() as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise SystemExit("not enough free ports")


def compiled(folder: str) -> dict[str, str]:
    """An environment in which Python keeps its byte code in a folder."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": folder}


def cpu_of(command: list[str], environ: dict[str, str] | None = None) -> tuple[float, float, str]:
    """CPU and wall seconds of a command with its children, and what it printed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return cpu, time.monotonic() - began, done.stdout


def ours(ports: list[int], environ: dict[str, str], concurrency: int = 20) -> tuple[float, float, str]:
    program = OURS.format(concurrency=concurrency)
    return cpu_of([sys.executable, "-c", program, *map(str, ports)], environ)


def start_up(environ: dict[str, str]) -> float:
    """CPU of the interpreter with the collector's modules, and no endpoint; the first time compiles them."""
    program = "from collectors.tls import survey, certificates; import asn1crypto.x509"
    return min(cpu_of([sys.executable, "-c", program], environ)[0] for _ in range(3))


def sslscan(ports: list[int]) -> tuple[float, float, str]:
    cpu = wall = 0.0
    for port in ports:
        one = cpu_of(["sslscan", "--no-colour", "--no-heartbleed", "--no-renegotiation", "--no-compression",
                      "--no-fallback", f"127.0.0.1:{port}"])  # fmt: skip
        cpu, wall = cpu + one[0], wall + one[1]
        assert "TLSv1.3   enabled" in one[2]
    return cpu, wall, ""


def sslyze(ports: list[int]) -> tuple[float, float, str]:
    with TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        plugins = "--sslv3 --tlsv1 --tlsv1_1 --tlsv1_2 --tlsv1_3 --certinfo --elliptic_curves".split()
        targets = [f"127.0.0.1:{port}" for port in ports]
        one = cpu_of(
            [str(_sslyze()), "--quiet", "--mozilla_config", "disable", "--json_out", str(told), *plugins,
             *targets]
        )  # fmt: skip
        results = json.loads(told.read_text())["server_scan_results"]
        assert all(r["scan_status"] == "COMPLETED" for r in results)
    return one


def _sslyze() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "zhengguan-bench" / "sslyze"
    program = cache / "bin" / "sslyze"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(cache)], check=True)
        subprocess.run([str(cache / "bin" / "pip"), "install", "-q", "sslyze"], check=True)
    return program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--endpoints", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    ports = free_ports(arguments.endpoints)
    byte_code = TemporaryDirectory()
    environ = compiled(byte_code.name)
    idle = start_up(environ)
    tools: dict[str, Callable[[list[int]], tuple[float, float, str]]] = {
        "zhengguan": lambda ports: ours(ports, environ),
        "sslscan": sslscan,
        "sslyze": sslyze,
    }
    cpu: dict[str, list[float]] = {}
    wall: dict[str, list[float]] = {}
    missing: dict[str, str] = {}
    with servers(ports):
        for _ in range(arguments.rounds):
            for name, tool in tools.items():
                try:
                    one = tool(ports[:COMPARED])
                except (OSError, subprocess.CalledProcessError) as error:
                    missing[name] = type(error).__name__
                    continue
                cpu.setdefault(name, []).append(one[0])
                wall.setdefault(name, []).append(one[1])
                print(f"{name}: {one[0]:.2f} CPU s", file=sys.stderr, flush=True)
        many = ours(ports, environ, 200)
    byte_code.cleanup()
    print(f"{COMPARED} endpoints, {arguments.rounds} rounds interleaved, medians; load average "
          f"{os.getloadavg()[0]:.1f}. nginx's own CPU is not counted.\n")  # fmt: skip
    print("| tool | CPU ms / endpoint | range | × ours | wall s |\n|---|---|---|---|---|")
    for name in tools:
        if name in missing:
            print(f"| {name} | not run: {missing[name]} | | | |")
            continue
        each = sorted(1000 * s / COMPARED for s in cpu[name])
        times = statistics.median(each) / (1000 * statistics.median(cpu["zhengguan"]) / COMPARED)
        print(f"| {name} | {statistics.median(each):.1f} | {each[0]:.1f}–{each[-1]:.1f} | {times:.1f} "
              f"| {statistics.median(wall[name]):.1f} |")  # fmt: skip
    work = (statistics.median(cpu["zhengguan"]) - idle) * 1000 / COMPARED
    print(f"| zhengguan without its start-up ({idle * 1000:.0f} ms) | {work:.1f} | | | |")
    each_of_many = 1000 * many[0] / arguments.endpoints
    times = ", ".join(
        f"{name} {1000 * statistics.median(seconds) / COMPARED / each_of_many:.1f} ×"
        for name, seconds in cpu.items()
        if name != "zhengguan"
    )
    print(
        f"\n{arguments.endpoints} endpoints at concurrency 200: {many[1]:.1f} s, {many[0]:.1f} CPU s "
        f"({each_of_many:.1f} ms each, start-up included; against it {times}), {many[2].strip()} resources."
    )


if __name__ == "__main__":
    main()

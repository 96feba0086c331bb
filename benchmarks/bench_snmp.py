"""CPU per device of the SNMP collector, beside bare gufo-snmp doing the same walk in the same run.

    python -m benchmarks.bench_snmp [--devices 200] [--rounds 3] [--concurrency 32]

Devices are simulated in another process (tests/lab/snmp-farm) from eight recordings of 25 to 61 interfaces.
The bare client reads the same columns with the same page size and keeps the rows, a walk per column, since
gufo knows no range of columns. The collector also checks, maps to resources, redacts and writes evidence;
``walk only`` is our walker without the mapping.
Rounds are interleaved; figures are medians of process CPU time, so a busy machine matters little.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from collectors import snmp
from collectors.contract import Run, Source
from collectors.snmp.engines import Credentials, open_engine, split_target
from collectors.snmp.reading import read
from collectors.snmp.tables import COUNTED_TABLES, DEVICE_TABLES, INTERFACE_TABLES, SCALARS
from collectors.snmp.walker import Limits, Walker
from inventory.coverage import Status

LAB = Path(__file__).parents[1] / "tests" / "lab"
RECORDINGS = (
    "huawei-s5720 huawei-s12704 h3c-e528-2 ruijie-s5750-24gt12sfp zte-zxr10-5250 "
    "maipu-sm4200-16gef8ge-ac dptech-dpx800-a5 cisco-n5000-uk9"
).split()
PAGE = 25
AUTH, PRIV = "authentication-secret", "privacy-secret"
ENVIRON = {"COMMUNITY": "public", "AUTH": AUTH, "PRIV": PRIV}
LOGINS = {
    "v2c": {"version": "v2c", "community_ref": "env:COMMUNITY"},
    "v3": {
        "version": "v3",
        "user": "monitor",
        "authentication": "SHA1",
        "authentication_ref": "env:AUTH",
        "privacy": "AES128",
        "privacy_ref": "env:PRIV",
    },
}


def bare(targets: list[str], version: str, concurrency: int) -> int:
    """gufo-snmp as its documentation uses it: asynchronous sessions, ``getbulk`` over each range."""
    from gufo.snmp import Aes128Key, Sha1Key, SnmpVersion, User
    from gufo.snmp.aio import SnmpSession

    ranges = [
        (".".join(map(str, (*table.entry, column))))
        for table in (*INTERFACE_TABLES, *DEVICE_TABLES, *COUNTED_TABLES)
        for first, last in table.columns
        for column in range(first, last + 1)
    ]
    scalars = [".".join(map(str, oid)) for oid in SCALARS]

    async def one(target: str, gate: asyncio.Semaphore) -> int:
        host, port = split_target(target)
        user = User("monitor", auth_key=Sha1Key(AUTH.encode()), priv_key=Aes128Key(PRIV.encode()))
        rows: list[object] = []
        async with gate:
            session = SnmpSession(
                host,
                port,
                community="public",
                user=user if version == "v3" else None,
                version=SnmpVersion.v3 if version == "v3" else SnmpVersion.v2c,
                timeout=10,
            )
            async with session:
                rows += (await session.get_many(scalars)).items()
                for oid in ranges:
                    async for row in session.getbulk(oid, max_repetitions=PAGE):
                        rows.append(row)
        return len(rows)

    async def everything() -> int:
        gate = asyncio.Semaphore(concurrency)
        return sum(await asyncio.gather(*(one(target, gate) for target in targets)))

    return asyncio.run(everything())


def walk_only(targets: list[str], version: str, concurrency: int) -> int:
    """Our walker with its guards, rows kept and thrown away."""
    credentials = (
        Credentials(version="v2c", community="public")
        if version == "v2c"
        else Credentials(
            version="v3",
            user="monitor",
            authentication="SHA1",
            authentication_key=AUTH,
            privacy="AES128",
            privacy_key=PRIV,
        )
    )
    run = Run(Source(name="bench", type="snmp", deadline_seconds=600))

    def one(target: str) -> int:
        engine = open_engine(*split_target(target), credentials, "gufo")
        answers = read(Walker(engine, run, Limits(timeout_seconds=10, max_repetitions=PAGE)))
        engine.close()
        return len(answers.scalars) + len(answers.chassis) + sum(len(w.rows) for w in answers.walks.values())

    with ThreadPoolExecutor(concurrency) as pool:
        return sum(pool.map(one, targets))


def collector(targets: list[str], version: str, concurrency: int) -> int:
    """The whole collector; every device must come out complete. Counts resources."""
    options = snmp.Options(
        targets=targets, timeout_seconds=10, concurrency=concurrency, max_repetitions=PAGE, **LOGINS[version]
    )
    source = Source(name="bench", type="snmp", options=options, deadline_seconds=600)
    batches = list(snmp.collect(source, Run(source, environ=ENVIRON)))
    assert all(c.status is Status.COMPLETE for b in batches for c in b.collections)
    assert len(batches) == len(targets)
    return sum(len(b.resources) for b in batches)


def measured(
    work: Callable[[list[str], str, int], int], targets: list[str], version: str, concurrency: int
) -> tuple[float, int]:
    began = time.process_time()
    count = work(targets, version, concurrency)
    return time.process_time() - began, count


def start_farm(folder: str, devices: int) -> tuple[subprocess.Popen[str], list[str]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.77.200.1", 0))
        port = free.getsockname()[1]
    hosts = Path(folder) / "hosts.tsv"
    recordings = ",".join(str(LAB / "snmprec" / f"{name}.snmprec") for name in RECORDINGS)
    command = [sys.executable, str(LAB / "snmp-farm"), "--rec", recordings, "--count", str(devices)]
    command += ["--base", "127.77.200.1", "--port", str(port), "--hosts", str(hosts), "--seconds", "1800"]
    command += ["--v3", f"monitor:SHA1:{AUTH}:AES:{PRIV}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline().startswith("READY")
    return process, [f"{line.split()[0]}:{port}" for line in hosts.read_text().splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=32)
    arguments = parser.parse_args()
    works = {"bare gufo-snmp": bare, "walk only": walk_only, "collector": collector}
    figures: dict[tuple[str, str], list[float]] = {}
    counts: dict[tuple[str, str], int] = {}
    with TemporaryDirectory() as folder:
        farm, targets = start_farm(folder, arguments.devices)
        try:
            for _ in range(arguments.rounds):
                for version in LOGINS:
                    for name, work in works.items():
                        seconds, count = measured(work, targets, version, arguments.concurrency)
                        figures.setdefault((version, name), []).append(seconds)
                        counts[version, name] = count
                        print(f"{version} {name}: {seconds:.2f} s", file=sys.stderr, flush=True)
        finally:
            farm.send_signal(signal.SIGTERM)
            farm.wait(10)
    print(
        f"{arguments.devices} devices, {arguments.rounds} rounds interleaved, concurrency "
        f"{arguments.concurrency}, pages of {PAGE} rows, load average {os.getloadavg()[0]:.1f}.\n"
    )
    print("| version | client | CPU ms / device (median) | range | × bare | handed over |")
    print("|---|---|---|---|---|---|")
    for (version, name), seconds in figures.items():
        each = sorted(1000 * s / arguments.devices for s in seconds)
        times = statistics.median(each) / (
            1000 * statistics.median(figures[version, "bare gufo-snmp"]) / arguments.devices
        )
        what = "resources" if name == "collector" else "rows"
        print(
            f"| {version} | {name} | {statistics.median(each):.1f} | {each[0]:.1f}–{each[-1]:.1f} "
            f"| {times:.1f} | {counts[version, name]} {what} |"
        )


if __name__ == "__main__":
    main()

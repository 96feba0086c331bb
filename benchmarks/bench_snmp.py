"""CPU per device of the SNMP collector, beside bare gufo-snmp and prometheus-snmp-exporter in the same run.

    python -m benchmarks.bench_snmp [--devices 500] [--rounds 3] [--concurrency 32]

Devices are simulated in another process (tests/lab/snmp-farm) from eight recordings of 25 to 61 interfaces.
All three ask for the same: the system group, and each column of the same tables. The bare client is
gufo-snmp as its documentation shows it, a ``getbulk`` per column, its rows kept in a list; it is measured
with pages of 25 and of 50 rows, and the cheaper of the two is what the others are divided by. The exporter
walks the same columns in pages of 25, its own default, and makes metrics of them, with the names of
interfaces as labels as its own module for IF-MIB does.
The collector also reads vendors' tables and single objects, checks every OID, maps to resources, redacts and
writes evidence; ``walk only`` is its walk without the mapping.
Rounds are interleaved; figures are medians of process CPU time, so a busy machine matters little. The
exporter is Debian's prometheus-snmp-exporter (apt install prometheus-snmp-exporter); without it its rows
are missing.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from collectors import snmp
from collectors.contract import Run, Source
from collectors.snmp import logins
from collectors.snmp import tables as t
from collectors.snmp.engines import dotted_of, open_engine, split_target
from collectors.snmp.options import Login
from collectors.snmp.reading import read
from collectors.snmp.waiting import side_by_side
from collectors.snmp.walker import Limits, Walker
from inventory.coverage import Status

LAB = Path(__file__).parents[1] / "tests" / "lab"
RECORDINGS = (
    "huawei-s5720 huawei-s12704 h3c-e528-2 ruijie-s5750-24gt12sfp zte-zxr10-5250 "
    "maipu-sm4200-16gef8ge-ac dptech-dpx800-a5 cisco-n5000-uk9"
).split()
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
EXPORTER = "prometheus-snmp-exporter"
EXPORTER_LOGINS = {
    "v2c": {"version": 2, "auth": {"community": "public"}},
    "v3": {
        "version": 3,
        "auth": {
            "username": "monitor",
            "security_level": "authPriv",
            "password": AUTH,
            "auth_protocol": "SHA",
            "priv_protocol": "AES",
            "priv_password": PRIV,
        },
    },
}
_PORT = (("ifIndex", "gauge"),)
_OTHER = (("index", "gauge"),)
_IPV4 = (("address", "InetAddressIPv4"),)
EXPORTER_INDEXES = (  # every table of more than a row or two, and how the exporter is to read its index
    (t.IF_TABLE, _PORT),
    (t.IF_X_TABLE, _PORT),
    *((table, _OTHER) for table in (t.IPV6_INTERFACES, t.IPV6_IF_TABLE, t.PORT_INTERFACE, t.PORT_VLAN)),
    *((table, _OTHER) for table in (t.ENTITY_CLASS, t.LLDP_LOCAL_PORTS, t.VLANS, t.PROCESSORS)),
    (t.IP_ADDR_TABLE, _IPV4),
    (t.IP_ADDRESS_TABLE, (("address", "InetAddress"),)),
    (t.ARP, (*_PORT, *_IPV4)),
    (t.NEIGHBOURS, (*_PORT, ("address", "InetAddress"))),
    (t.LLDP_REMOTE, (("mark", "gauge"), ("port", "gauge"), ("number", "gauge"))),
)
EXPORTER_TEXTS = {
    (t.IF_TABLE.name, 2): "DisplayString",
    (t.IF_TABLE.name, 6): "PhysAddress48",
    **{(t.IF_X_TABLE.name, column): "DisplayString" for column in (1, 18)},
    **{(t.LLDP_LOCAL_PORTS.name, column): "OctetString" for column in (3, 4)},
    **{(t.LLDP_REMOTE.name, column): "OctetString" for column in (5, 7, 8, 9)},
    (t.VLANS.name, 1): "DisplayString",
    (t.IP_ADDR_TABLE.name, 3): "InetAddressIPv4",
}
EXPORTER_DEVICES = 100  # of the farm, in each round: it is slow
MEMORY_DEVICES = (100, 500, 1000)
COLUMNS = [
    dotted_of((*table.entry, column))
    for table in (*t.INTERFACE_TABLES, *t.DEVICE_TABLES, *t.COUNTED_TABLES)
    for first, last in table.columns
    for column in range(first, last + 1)
]

Work = Callable[[list[str], str, int], tuple[float, int, str]]
"""What reads these targets with this version, so many at once: CPU seconds, how much came, of what."""


def bare(targets: list[str], version: str, concurrency: int, page: int) -> tuple[float, int, str]:
    """gufo-snmp as its documentation uses it: asynchronous sessions, ``getbulk`` over each column."""
    from gufo.snmp import Aes128Key, Sha1Key, SnmpVersion, User
    from gufo.snmp.aio import SnmpSession

    scalars = [dotted_of(oid) for oid in t.SCALARS]

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
                for oid in COLUMNS:
                    async for row in session.getbulk(oid, max_repetitions=page):
                        rows.append(row)
        return len(rows)

    async def everything() -> int:
        gate = asyncio.Semaphore(concurrency)
        return sum(await asyncio.gather(*(one(target, gate) for target in targets)))

    began = time.process_time()
    count = asyncio.run(everything())
    return time.process_time() - began, count, "rows"


def walk_only(targets: list[str], version: str, concurrency: int) -> tuple[float, int, str]:
    """Our walker with its guards, rows kept and thrown away."""
    run = Run(Source(name="bench", type="snmp", deadline_seconds=600), environ=ENVIRON)
    [credentials] = logins.credentials_of([Login(**LOGINS[version])], run)
    counts: list[int | BaseException] = []

    async def one(target: str) -> int:
        engine = open_engine(*split_target(target), credentials, "gufo")
        answers = await read(Walker(engine, run, Limits(timeout_seconds=10)))
        engine.close()
        single = len(answers.scalars) + len(answers.objects) + len(answers.chassis) + len(answers.parts)
        return single + sum(len(walk.rows) for walk in answers.walks.values())

    began = time.process_time()
    side_by_side(((one(target), counts.append) for target in targets), concurrency)
    return time.process_time() - began, sum(n for n in counts if isinstance(n, int)), "rows"


def collector(targets: list[str], version: str, concurrency: int) -> tuple[float, int, str]:
    """The whole collector with its default options; every device must come out complete."""
    options = snmp.Options(targets=targets, timeout_seconds=10, concurrency=concurrency, **LOGINS[version])
    source = Source(name="bench", type="snmp", options=options, deadline_seconds=600)
    began = time.process_time()
    devices = resources = 0
    for batch in snmp.collect(source, Run(source, environ=ENVIRON)):
        assert all(c.status is Status.COMPLETE for c in batch.collections), batch.collections
        devices += 1
        resources += len(batch.resources)
    assert devices == len(targets)
    return time.process_time() - began, resources, "resources"


def exporter(
    targets: list[str], version: str, concurrency: int, *, port: int, process: subprocess.Popen[bytes]
) -> tuple[float, int, str]:
    """The exporter's own CPU time while it is asked for each target (ours for asking is not counted)."""
    asked = targets[:EXPORTER_DEVICES]

    def one(target: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", f"/snmp?module={version}&target={quote(target)}")
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body[:300]
        connection.close()
        return sum(not line.startswith(b"#") for line in body.splitlines())

    began = _cpu_of(process.pid)
    with ThreadPoolExecutor(min(8, concurrency)) as pool:
        count = sum(pool.map(one, asked))
    scale = len(targets) / len(asked)
    return (_cpu_of(process.pid) - began) * scale, round(count * scale), "samples"


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running_exporter(folder: str) -> Iterator[Work | None]:
    """The exporter with a module for each version; None where it is not installed."""
    program = shutil.which(EXPORTER)
    if program is None:
        print(f"{EXPORTER} is not installed: apt install {EXPORTER}", file=sys.stderr)
        yield None
        return
    names = [
        {"labels": ["ifIndex"], "labelname": name, "oid": oid, "type": "DisplayString"}
        for name, oid in (("ifName", "1.3.6.1.2.1.31.1.1.1.1"), ("ifDescr", "1.3.6.1.2.1.2.2.1.2"))
    ]
    metrics = [
        {
            "name": f"{table.name}_{column}",
            "oid": dotted_of((*table.entry, column)),
            "type": EXPORTER_TEXTS.get((table.name, column), "gauge"),
            "help": "-",
            "indexes": [{"labelname": label, "type": kind} for label, kind in index],
            "lookups": names if index == _PORT else [],
        }
        for table, index in EXPORTER_INDEXES
        for first, last in table.columns
        for column in range(first, last + 1)
    ]
    walk = {
        "walk": COLUMNS,
        "get": [dotted_of(oid) for oid in t.SCALARS],
        "metrics": metrics,
        "timeout": "10s",
    }
    configuration = Path(folder) / "snmp.yml"
    modules = {name: walk | {"max_repetitions": 25} | login for name, login in EXPORTER_LOGINS.items()}
    configuration.write_text(json.dumps(modules))  # JSON is YAML
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program, f"--config.file={configuration}", f"--web.listen-address=127.0.0.1:{port}"],
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield partial(exporter, port=port, process=process)
    finally:
        process.terminate()
        process.wait(10)


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


def peak_mib(targets: list[str], version: str, concurrency: int) -> int:
    """The most memory that a process which only collects from these has ever used."""
    work = {"targets": targets, "version": version, "concurrency": concurrency}
    command = [sys.executable, __file__, "--memory"]
    done = subprocess.run(command, input=json.dumps(work), stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--devices", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        collector(**json.load(sys.stdin))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return
    works: dict[str, Work] = {
        "bare gufo-snmp, pages of 25": partial(bare, page=25),
        "bare gufo-snmp, pages of 50": partial(bare, page=50),
        "walk only": walk_only,
        "collector": collector,
    }
    seconds: dict[tuple[str, str], list[float]] = {}
    counts: dict[tuple[str, str], str] = {}
    most = max(arguments.devices, *MEMORY_DEVICES)
    with TemporaryDirectory() as folder, running_exporter(folder) as peer:
        if peer is not None:
            works[EXPORTER] = peer
        farm, everyone = start_farm(folder, most)
        targets = everyone[: arguments.devices]
        try:
            for _ in range(arguments.rounds):
                for version in LOGINS:
                    for name, work in works.items():
                        spent, count, what = work(targets, version, arguments.concurrency)
                        seconds.setdefault((version, name), []).append(spent)
                        counts[version, name] = f"{count} {what}"
                        print(f"{version} {name}: {spent:.2f} s", file=sys.stderr, flush=True)
            memory = {
                (version, devices): peak_mib(everyone[:devices], version, arguments.concurrency)
                for version in LOGINS
                for devices in MEMORY_DEVICES
            }
        finally:
            farm.send_signal(signal.SIGTERM)
            farm.wait(10)
    report(arguments, seconds, counts, memory)


def report(
    arguments: argparse.Namespace,
    seconds: dict[tuple[str, str], list[float]],
    counts: dict[tuple[str, str], str],
    memory: dict[tuple[str, int], int],
) -> None:
    print(
        f"{arguments.devices} devices, {arguments.rounds} rounds interleaved, concurrency "
        f"{arguments.concurrency}, load average {os.getloadavg()[0]:.1f}. Bare: the cheaper of the two.\n"
    )
    print("| version | client | CPU ms / device (median) | range | × bare | × exporter | handed over |")
    print("|---|---|---|---|---|---|---|")
    middle = {key: 1000 * statistics.median(spent) / arguments.devices for key, spent in seconds.items()}
    for (version, name), spent in seconds.items():
        each = sorted(1000 * s / arguments.devices for s in spent)
        base = min(ms for (v, n), ms in middle.items() if v == version and n.startswith("bare"))
        peer = middle.get((version, EXPORTER))
        share = f"{middle[version, name] / peer:.2f}" if peer else "-"
        print(
            f"| {version} | {name} | {middle[version, name]:.1f} | {each[0]:.1f}–{each[-1]:.1f} "
            f"| {middle[version, name] / base:.2f} | {share} "
            f"| {counts[version, name]} |"
        )
    print(f"\nThe exporter is asked for {EXPORTER_DEVICES} of them in each round.\n")
    print("| collector's peak memory, MiB | " + " | ".join(f"{n} devices" for n in MEMORY_DEVICES) + " |")
    print("|---|" + "---|" * len(MEMORY_DEVICES))
    for version in LOGINS:
        print(f"| {version} | " + " | ".join(str(memory[version, n]) for n in MEMORY_DEVICES) + " |")


if __name__ == "__main__":
    main()

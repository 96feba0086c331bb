"""Real agents for the SNMP tests: farms of simulated devices in subprocesses, on loopback.

Also what a recording says, parsed here once more in the plainest way, so that no test takes the
collector's own word for it.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from collectors import snmp
from collectors.contract import Run, Source
from inventory.coverage import Batch, Collection
from inventory.kinds.network import Device, Interface

LAB = Path(__file__).parents[2] / "lab"
SECRETS = {
    "COMMUNITY": "public",
    "AUTH": "authentication-secret",
    "PRIV": "privacy-secret",
    "WRONG": "not-the-secret",
}


@dataclass(frozen=True)
class Host:
    """A simulated device: where it is, what it plays, and its fault ("-" = none)."""

    target: str
    recording: str
    fault: str


@dataclass(frozen=True)
class Recorded:
    """What a recording says about its device."""

    vendor: str
    interfaces: int
    sys_object_id: str


@dataclass
class Outcome:
    """What a collection of one target handed over."""

    device: Device | None
    interfaces: list[Interface]
    collections: dict[str, Collection]
    batch: Batch


ENTERPRISES = {
    "2011": "Huawei",
    "25506": "H3C",
    "3902": "ZTE",
    "4881": "Ruijie",
    "5651": "Maipu",
    "6339": "Digital China",
    "31648": "DPtech",
    "35047": "Sangfor",
    "14331": "Topsec",
    "15227": "Venustech",
    "19849": "NSFOCUS",
    "27971": "Infosec",
    "30803": "NetentSec",  # its agent is Vyatta's; the sysDescr says Netentsec
    "9": "Cisco",
    "2636": "Juniper",
    "318": "APC",
    "705": "Eaton",
}


def _recorded(path: Path) -> Recorded:
    text = path.read_bytes().decode("latin1")
    object_id = re.search(r"^1\.3\.6\.1\.2\.1\.1\.2\.0\|6\|(\S+)", text, re.MULTILINE)
    assert object_id
    maker = re.search(r"^1\.3\.6\.1\.2\.1\.33\.1\.1\.1\.0\|4\|(\S+)", text, re.MULTILINE)
    enterprise = object_id[1].split(".")[6]
    return Recorded(
        vendor=ENTERPRISES[enterprise] if enterprise != "8072" else maker[1].title(),
        interfaces=len(re.findall(r"^1\.3\.6\.1\.2\.1\.2\.2\.1\.1\.\d+\|", text, re.MULTILINE)),
        sys_object_id=object_id[1],
    )


@pytest.fixture(scope="session")
def recordings() -> dict[str, Recorded]:
    """Name of each lab recording → what it says."""
    return {
        path.name.removesuffix(".snmprec"): _recorded(path) for path in (LAB / "snmprec").glob("*.snmprec")
    }


@pytest.fixture(scope="session")
def rows() -> Callable[[str, str], dict[str, str]]:
    """(recording, OID) → the rest of each instance's OID under it → its value as it stands in the file,
    octets in hexadecimal as text."""
    files: dict[str, list[str]] = {}

    def rows(name: str, oid: str) -> dict[str, str]:
        if name not in files:
            content = (LAB / "snmprec" / f"{name}.snmprec").read_bytes().decode("latin1")
            files[name] = [line.rstrip("\r") for line in content.split("\n")]
        found = {}
        for line in files[name]:
            if line.startswith(f"{oid}."):
                instance, tag, value = line.split("|", 2)
                found[instance[len(oid) + 1 :]] = (
                    bytes.fromhex(value).decode("latin1") if tag == "4x" else value
                )
        return found

    return rows


@pytest.fixture(scope="session")
def lab() -> Path:
    return LAB


@pytest.fixture(scope="session")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., list[Host]]]:
    """Start farms; all are stopped, each by its own process id, when the session ends."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, recordings: Path | str = LAB / "snmprec", count: int = 20) -> list[Host]:
        base = f"127.77.{100 + os.getpid() % 100}.1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((base, 0))
            port = free.getsockname()[1]
        hosts = tmp_path_factory.mktemp("farm") / "hosts.tsv"
        command = [sys.executable, str(LAB / "snmp-farm"), "--rec", str(recordings), "--count", str(count)]
        command += [
            "--base",
            base,
            "--port",
            str(port),
            "--hosts",
            str(hosts),
            "--seconds",
            "900",
            *arguments,
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout
        assert process.stdout.readline().startswith("READY")
        rows = [line.split("\t") for line in hosts.read_text().splitlines()]
        return [
            Host(f"{address}:{port}", name.removesuffix(".snmprec"), fault)
            for address, port, name, fault in rows
        ]

    yield start
    for process in running:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="session")
def collect() -> Callable[..., dict[str, Outcome]]:
    """Collect with these options; what came, by target."""

    def collect(*, deadline_seconds: float = 240.0, labels: dict[str, str] | None = None, **options: object):
        source = Source(
            name="net",
            type="snmp",
            labels=labels or {},
            options=snmp.Options(**options),  # type: ignore[arg-type]
            deadline_seconds=deadline_seconds,
        )
        found = {}
        for batch in snmp.collect(source, Run(source, environ=SECRETS)):
            device = next((r for r in batch.resources if isinstance(r, Device)), None)
            interfaces = [r for r in batch.resources if isinstance(r, Interface)]
            scope = batch.collections[0].scope
            assert scope not in found
            found[scope] = Outcome(device, interfaces, {c.kind: c for c in batch.collections}, batch)
        return found

    return collect

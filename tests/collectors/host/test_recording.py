"""Recordings of a machine hold no secret, and replay to the same facts."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from collectors import host
from collectors.contract import Run, Source, SourceError
from collectors.host import Options, collect_from
from collectors.host.recording import RecordedReader, RecordingReader, load
from inventory.resource import plain

HASHES = {
    "root": "$y$j9T$Qm3xN0saltsaltsalt$PlantedHashOfRootPlantedHashOfRoot0123456789a",
    "old": "!$1$abcdefgh$PlantedMd5HashPlanted.",
    "des": "Pl4ntedDesHas",
    "bsdi": "_J9..PlantedBsdiHash",
    "sm3": "$sm3$PlantedSaltPlant$PlantedSm3HashPlantedSm3HashPlantedSm3HashX",
    "none": "*",
    "empty": "",
}
FILES = {
    "/proc/sys/kernel/hostname": "h\n",
    "/proc/sys/kernel/osrelease": "6.1\n",
    "/proc/1/comm": "systemd\n",
    "/proc/1/cmdline": "/sbin/init\0",
    "/proc/7/comm": "backup\n",
    "/proc/7/cmdline": "/usr/bin/backup\0--key-file\0-pPlantedOnTheCommandLine\0",
    "/etc/passwd": "".join(f"{n}:x:{i}:{i}::/:/bin/sh\n" for i, n in enumerate(HASHES)),
    "/etc/shadow": "".join(f"{n}:{h}:19000:0:90:7:::\n" for n, h in HASHES.items()),
    "/etc/nsswitch.conf": "passwd: files sss\n",
    "/etc/rsyslog.conf": '*.* action(type="omelasticsearch" server="es" pwd="x" password="PlantedInRsyslog1")\n',
    "/etc/os-release": "ID=openEuler\nNAME=\u6b27\u62c9\n",
}


def reader() -> RecordedReader:
    return RecordedReader(json.dumps({"unlisted": "not_found", "files": FILES}).encode())


def facts(batches) -> dict:
    return {r.uid: plain(r) for batch in batches for r in batch.resources}


@pytest.fixture
def recorded(tmp_path: Path):
    source = Source(name="m", type="local", options=Options())
    recording = RecordingReader(reader(), run := Run(source))
    live = list(collect_from(recording, source, run))
    recording.write(tmp_path / "m.gz", "case 12")
    return live, tmp_path / "m.gz"


def test_the_same_facts_come_out(recorded) -> None:
    live, path = recorded
    source = Source(name="m", type="local", options=Options(recording=str(path)))
    assert facts(host.collect(source, Run(source))) == facts(live)
    accounts = {r.name: r for b in live for r in b.resources if r.KIND == "account"}
    assert {n: a.password_algorithm for n, a in accounts.items()} == {
        "root": "yescrypt", "old": "md5", "des": "des", "bsdi": "bsdi-des", "sm3": "sm3",
        "none": None, "empty": None,
    }  # fmt: skip
    assert {n: a.password for n, a in accounts.items()} == {
        "root": "set", "old": "locked", "des": "set", "bsdi": "set", "sm3": "set",
        "none": "none", "empty": "empty",
    }  # fmt: skip


def test_no_secret_is_in_it(recorded) -> None:
    content = gzip.decompress(recorded[1].read_bytes()).decode()
    assert "case 12" in content
    assert "backup" in content
    for secret in ("Planted", "Pl4nted", "J9.."):
        assert secret not in content


@pytest.mark.parametrize(
    "change", [lambda b: b[: len(b) // 2], lambda b: b"{}", lambda b: gzip.compress(b"{}\n")]
)
def test_a_damaged_one_is_refused(recorded, change) -> None:
    _, path = recorded
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(SourceError):
        load(path)

"""Live devices, healthy and broken, recorded and replayed: what was missing stays missing."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from collectors import snmp
from collectors.contract import Run, Source, SourceError
from collectors.recordings import replaying
from inventory.coverage import Batch, Status
from inventory.resource import plain

SECRETS = {"COMMUNITY": "public"}


def told(batches: list[Batch]) -> tuple[dict, list]:
    resources = {r.uid: plain(r) for b in batches for r in b.resources}
    coverage = sorted((c.kind, c.scope, c.status, c.count, c.reason) for b in batches for c in b.collections)
    return resources, coverage


@pytest.fixture(scope="module")
def hosts(farm):
    hosts = farm("--fault", "loop=0.2,drop=0.1,silent=0.2", "--seed", "1335")
    assert {h.fault for h in hosts} == {"-", "loop", "drop", "silent"}
    return hosts


def live(hosts, path: Path, **options) -> tuple[Source, list[Batch]]:
    source = Source(
        name="farm",
        type="snmp",
        labels={"zone": "公用网络区"},
        options=snmp.Options(
            targets=[h.target for h in hosts],
            community_ref="env:COMMUNITY",
            timeout_seconds=0.5,
            device_seconds=5.0,
            table_seconds=4.0,
            concurrency=20,
            **options,
        ),
    )
    return source, snmp.record(source, Run(source, environ=SECRETS), path)


def test_a_farm_with_broken_devices_replays_to_the_same(hosts, tmp_path: Path) -> None:
    source, recorded = live(hosts, tmp_path / "farm")
    again = replaying(tmp_path / "farm", labels=source.labels)
    assert told(list(snmp.collect(again, Run(again, environ={})))) == told(recorded)
    statuses = {c.status for b in recorded for c in b.collections}
    assert {Status.COMPLETE, Status.PARTIAL, Status.FAILED} <= statuses
    content = b"".join(gzip.decompress(p.read_bytes()) for p in (tmp_path / "farm").iterdir())
    assert b"public" not in content
    assert b"public".hex().encode() not in content


def test_a_recording_whose_marks_were_damaged_is_not_believed(hosts, tmp_path: Path) -> None:
    healthy = next(h for h in hosts if h.fault == "-")
    live([healthy], tmp_path / "one")
    path = tmp_path / "one" / f"{healthy.target}.snmprec.gz"
    lines = gzip.decompress(path.read_bytes()).split(b"\n")
    lines.insert(2, b'#!walk {"table": "ifTable", "status": "hmm"}')
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    again = replaying(tmp_path / "one")
    (batch,) = snmp.collect(again, Run(again, environ={}))
    assert {c.status for c in batch.collections} == {Status.FAILED}
    assert not batch.resources


def test_a_folder_with_other_things_in_it_is_not_recorded_into(hosts, tmp_path: Path) -> None:
    healthy = next(h for h in hosts if h.fault == "-")
    (tmp_path / "another.snmprec").write_text("1.3|2|1\n")
    with pytest.raises(SourceError, match="已有别的内容"):
        live([healthy], tmp_path)

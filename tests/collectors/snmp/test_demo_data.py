"""The recordings inside the wheel: trimmed, yet the same devices as the full ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from collectors.snmp.recording import stems
from inventory.coverage import Status

DEMO = Path(__file__).parents[3] / "zhengguan" / "data" / "demo" / "snmp"
GONE = "venus-vsos-v0600r0705b20180507"


def test_trimmed_recordings_are_the_same_devices(lab, collect):
    targets = stems(DEMO)
    assert len(targets) == 17
    trimmed = collect(recording=str(DEMO))
    whole = collect(recording=str(lab / "snmprec"), targets=targets)
    for target in targets:
        assert msgspec.to_builtins(trimmed[target].batch.resources) == msgspec.to_builtins(
            whole[target].batch.resources
        )
        assert trimmed[target].collections["interface"].status is Status.COMPLETE


def test_a_recording_taken_away_is_a_device_that_does_not_answer(collect, tmp_path):
    targets = stems(DEMO)
    for target in targets:
        if target != GONE:
            shutil.copy(DEMO / f"{target}.snmprec.gz", tmp_path)
    found = collect(recording=str(tmp_path), targets=targets)
    assert {t for t, o in found.items() if o.collections["device"].status is Status.FAILED} == {GONE}
    assert found[GONE].collections["interface"].reason == "没有应答"


def test_the_licence_travels_with_them():
    assert "Ilya Etingof" in (DEMO / "LICENSE.txt").read_text()
    assert sum(path.stat().st_size for path in DEMO.rglob("*.gz")) < 500_000


def test_nobody_is_named(collect):
    for outcome in collect(recording=str(DEMO)).values():
        assert outcome.device.location in ("machine room 1", "")

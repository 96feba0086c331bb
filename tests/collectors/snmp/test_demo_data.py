"""The recordings inside the wheel: trimmed, yet the same devices as the full ones."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from collectors.snmp.recording import stems
from inventory.coverage import Status

DEMO = Path(__file__).parents[3] / "zhengguan" / "data" / "demo" / "snmp"
GONE = "venus-vsos-v0600r0705b20180507"


def test_trimmed_recordings_are_the_same_devices(lab, collect):
    targets = stems(DEMO / "day1")
    assert len(targets) == 17
    trimmed = collect(recording=str(DEMO / "day1"))
    whole = collect(recording=str(lab / "snmprec"), targets=targets)
    for target in targets:
        assert msgspec.to_builtins(trimmed[target].batch.resources) == msgspec.to_builtins(
            whole[target].batch.resources
        )
        assert trimmed[target].collections["interface"].status is Status.COMPLETE


def test_on_the_second_day_one_device_does_not_answer(collect):
    targets = stems(DEMO / "day1")
    assert set(targets) - set(stems(DEMO / "day2")) == {GONE}
    found = collect(recording=str(DEMO / "day2"), targets=targets)
    assert {t for t, o in found.items() if o.collections["device"].status is Status.FAILED} == {GONE}
    assert found[GONE].collections["interface"].reason == "没有应答"


def test_the_licence_travels_with_them():
    assert "Ilya Etingof" in (DEMO / "LICENSE.txt").read_text()
    assert sum(path.stat().st_size for path in DEMO.rglob("*.gz")) < 500_000


@pytest.mark.parametrize("day", ["day1", "day2"])
def test_nobody_is_named(day, collect):
    for outcome in collect(recording=str(DEMO / day)).values():
        assert outcome.device.location in ("machine room 1", "")

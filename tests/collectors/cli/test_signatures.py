"""What firewalls display of their libraries of signatures."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.cli.signatures import completed, loaded, schedule
from inventory.kinds.device_config import DeviceConfig, SignatureLibrary
from inventory.unknown import UNKNOWN

DATA = Path(__file__).parents[2] / "data" / "cli"
ISSUED = datetime(2026, 11, 10, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "version", "released"),
    [
        ("huawei_vrp-good.signatures_antivirus", "2026111001", ISSUED),
        ("huawei_vrp-bare.signatures_ips", "2015011201", datetime(2015, 1, 12, 18, tzinfo=UTC)),
        ("hp_comware-good.signatures_ips", "1.0.26", datetime(2026, 11, 10, 10, 30, tzinfo=UTC)),
        ("juniper_junos-good.signatures_ips", "3929", datetime(2026, 11, 10, 13, 53, 38, tzinfo=UTC)),
        ("juniper_junos-good.signatures_antivirus", "11/20/2026 00:35 GMT", datetime(2026, 11, 20, 0, 35, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_the_library_in_use_is_told_and_not_an_older_one(name: str, version: str, released: datetime) -> None:
    assert loaded((DATA / f"{name}.txt").read_text()) == (version, released)


def test_a_version_of_vrp_is_its_day_where_no_time_is_shown() -> None:
    text = "  Current Version:\n    Signature Database Version    : 2021050800\n"
    assert loaded(text) == ("2021050800", datetime(2021, 5, 8, tzinfo=UTC))
    assert loaded(text.replace("2021050800", "V600R1")) == ("V600R1", None)
    assert loaded(text.replace("2021050800", "2021999900")) == ("2021999900", None)


def test_a_backup_does_not_stand_in_for_the_library_in_use() -> None:
    text = "  Current Version:\n    Signature Database Version    : -\n  Backup Version:\n"
    older = "    Signature Database Version    : 2014060101\n    Issue Time of the Update File : 18:00:00 2014/06/01\n"
    assert loaded(text + older) == ("-", None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Error: Unrecognized command found at '^' position.",
        "Current   -                  -                         -",
        "Attack database version:N/A(N/A)",
        "Current   1.0.2   Xyz Abc 99 77:30:00 2026   1",
    ],
)
def test_what_is_not_known_tells_nothing(text: str) -> None:
    assert loaded(text)[1] is None


def test_the_schedule_of_vrp_by_library() -> None:
    text = (
        "Update Configuration Information:\n  Update Server : sec.huawei.com\n"
        "  IPS-SDB:\n    Schedule Update           : Enable\n    Schedule Update Frequency : Daily\n"
        "  AV-SDB:\n    Schedule Update           : Disable\n"
    )
    assert schedule(text) == {"intrusion_prevention": True, "antivirus": False}


def test_the_configuration_holds_before_what_is_displayed() -> None:
    rows = [
        SignatureLibrary(library="antivirus", used=True, automatic=False),
        SignatureLibrary(library="intrusion_prevention", used=True),
    ]
    config = DeviceConfig(source="s", native_id="1", name="fw", signatures=rows)
    shown = "AV-SDB:\n Schedule Update : Enable\nIPS-SDB:\n Schedule Update : Enable\n"
    found = completed(config, {"signatures_update": shown}).signatures
    assert [(r.library, r.automatic, r.released) for r in found] == [  # type: ignore[union-attr]
        ("antivirus", False, UNKNOWN), ("intrusion_prevention", True, UNKNOWN),
    ]  # fmt: skip


def test_a_device_that_is_no_firewall_is_left_alone() -> None:
    config = DeviceConfig(source="s", native_id="1", name="sw", signatures=[])
    assert completed(config, {"signatures_update": "AV-SDB:\n Schedule Update : Enable\n"}) is config

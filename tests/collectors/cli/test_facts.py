"""What every dialect's reader keeps."""

from __future__ import annotations

from collectors.cli import facts
from inventory.kinds.device_config import DeviceConfig
from inventory.unknown import UNKNOWN

SMALL = """#
sysname HX-SW1
#
aaa
 local-user ops password irreversible-cipher $1a$abc$
 local-user ops privilege level 15
#
user-interface vty 0 4
 authentication-mode aaa
 protocol inbound ssh
#
return
"""


def config(platform: str, text: str, **told: str) -> DeviceConfig:
    return DeviceConfig(source="s", native_id="1", **facts.read(platform, text, told))


def test_absence_in_a_text_that_broke_off_says_nothing() -> None:
    whole = config("huawei_vrp", SMALL)
    assert whole.complete is True
    assert whole.ntp.servers == []  # type: ignore[union-attr]
    assert whole.telnet.ipv4 is False  # type: ignore[union-attr]
    for cut in (
        config("huawei_vrp", SMALL.replace("return\n", "")),
        config("huawei_vrp", SMALL, partial="yes"),
    ):
        assert cut.complete is False
        assert cut.ntp.servers is UNKNOWN  # type: ignore[union-attr]
        assert cut.telnet.ipv4 is UNKNOWN  # type: ignore[union-attr]
        assert cut.users[0].name == "ops"  # type: ignore[index]


def test_a_platform_that_nobody_reads_tells_nothing() -> None:
    fields = facts.read("other_os", SMALL, {"version": "1"})
    assert fields == {"platform": "other_os", "version": "1", "line_count": 12}
    assert facts.read("huawei_vrp", "", {})["line_count"] == 1

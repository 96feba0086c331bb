"""Ways from outside to a device's own management, in configurations written as the makers' references show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from collectors.cli import facts
from inventory.kinds.device_config import DeviceConfig
from inventory.unknown import UNKNOWN
from policies.predicates.contract import UndecidedError
from policies.predicates.remote import management_from_outside

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ZONES = "firewall zone trust\n set priority 85\n#\nfirewall zone untrust\n set priority 5\n add interface GigabitEthernet1/0/1\n#\n"
RULE = "security-policy\n rule name a\n{lines}  action {action}\n#\n"


def config(text: str, platform: str = "huawei_vrp", end: str = "return\n") -> DeviceConfig:
    return DeviceConfig(source="s", native_id="d", **facts.read(platform, f"sysname a\n#\n{text}{end}", {}))


def policy(*lines: str, action: str = "permit") -> Any:
    (found,) = config(ZONES + RULE.format(lines="".join(f"  {x}\n" for x in lines), action=action)).policies  # type: ignore[union-attr]
    return found.opens_management


UNTRUST, LOCAL = "source-zone untrust", "destination-zone local"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((UNTRUST, LOCAL, "service ssh"), True),
        ((UNTRUST, LOCAL), True),
        (("service https",), True),  # any zone to any zone
        ((UNTRUST, "service telnet"), True),
        ((UNTRUST, LOCAL, "service protocol tcp destination-port 20 to 30"), True),
        ((UNTRUST, LOCAL, "source-address 8.8.8.0 mask 255.255.255.0", "service ssh"), True),
        ((UNTRUST, LOCAL, "service protocol udp destination-port 500"), False),
        ((UNTRUST, LOCAL, "service ike bgp"), False),
        ((UNTRUST, "destination-zone trust", "service ssh"), False),  # to others, not to the device
        (("source-zone trust", LOCAL, "service ssh"), False),
        (("source-zone yewu", LOCAL, "service ssh"), UNKNOWN),
        ((UNTRUST, LOCAL, "service OA-8080"), UNKNOWN),
        ((UNTRUST, LOCAL, "application app SSH"), UNKNOWN),
    ],
)
def test_policies_that_open_management(lines: tuple[str, ...], expected: Any) -> None:
    assert policy(*lines) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("interface GigabitEthernet0/0/1\n ip address 10.1.1.1 255.255.255.0\n#\n", False),
        ("interface GigabitEthernet0/0/1\n ip address 8.8.4.1 255.255.255.0\n#\n", True),
        ("interface GigabitEthernet0/0/1\n ipv6 address 2400:DD01::1/64\n#\n", True),
        ("interface GigabitEthernet0/0/1\n ip address dhcp-alloc\n#\n", UNKNOWN),
    ],
)
def test_public_addresses(text: str, expected: Any) -> None:
    assert config(text).outside.global_address is expected  # type: ignore[union-attr]


@pytest.mark.parametrize("words", ["l2tp enable", "v-gateway gw 8.8.4.1 private", "sslvpn gateway gw"])
def test_logins_over_a_vpn(words: str) -> None:
    assert config(f"{words}\n#\n").outside.people is True  # type: ignore[union-attr]
    assert config("").outside.people is False  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("zones", "lines", "expected"),
    [
        (ZONES, " service-manage ssh permit\n", True),
        (ZONES, " service-manage ping permit\n", False),
        (ZONES, " undo service-manage ssh permit\n", False),
        (
            ZONES.replace("1/0/1", "1/0/2"),
            " service-manage https permit\n",
            UNKNOWN,
        ),  # in no zone that is told
    ],
)
def test_services_of_an_interface(zones: str, lines: str, expected: Any) -> None:
    found = config(f"interface GigabitEthernet1/0/1\n{lines}#\n{zones}")
    assert found.outside.interface_services is expected  # type: ignore[union-attr]


def test_what_broke_off_shows_no_absence() -> None:
    found = config("interface GigabitEthernet0/0/1\n ip address 10.1.1.1 255.255.255.0\n#\n", end="")
    assert found.outside.global_address is UNKNOWN  # type: ignore[union-attr]
    assert found.outside.people is UNKNOWN  # type: ignore[union-attr]
    assert found.outside.interface_services is UNKNOWN  # type: ignore[union-attr]


PUBLIC = "interface GigabitEthernet0/0/1\n ip address 8.8.4.1 255.255.255.0\n#\n"
LINE = "undo http server enable\n#\nundo http secure-server enable\n#\nuser-interface vty 0 4\n{acl} protocol inbound ssh\n#\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PUBLIC + LINE.format(acl=" acl 2000 inbound\n acl ipv6 2001 inbound\n"), False),
        (PUBLIC + LINE.format(acl=" acl 2000 inbound\n"), True),
        (PUBLIC + LINE.format(acl=""), True),
        (PUBLIC.replace("8.8.4.1", "10.8.4.1") + LINE.format(acl=""), False),
    ],
)
def test_a_device_without_policies(text: str, expected: bool) -> None:
    assert management_from_outside(config(text), NOW) is expected


def test_a_vpn_is_left_to_people() -> None:
    with pytest.raises(UndecidedError, match="VPN"):
        management_from_outside(config("l2tp enable\n#\n"), NOW)

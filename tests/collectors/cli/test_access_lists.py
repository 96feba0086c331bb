"""Access lists bound to interfaces: each entry as numbers and prefixes, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from collectors.cli import facts
from inventory.kinds.device_config import AccessEntry, AccessList, DeviceConfig
from inventory.unknown import UNKNOWN, Unknown

VRP = "acl number 3000\n {}\n#\ninterface Vlanif1\n traffic-filter inbound acl 3000\n#\nreturn\n"
IOS = "ip access-list extended X\n {}\n!\ninterface Vlan1\n ip access-group X in\n!\nend\n"
IOS6 = "ipv6 access-list X\n {}\n!\ninterface Vlan1\n ipv6 traffic-filter X in\n!\nend\n"


def lists(platform: str, text: str) -> list[AccessList]:
    found = DeviceConfig(source="s", native_id="1", name="d", **facts.read(platform, text, {})).access_lists
    assert not isinstance(found, Unknown)
    return found


def entry(platform: str, template: str, line: str) -> AccessEntry:
    (one,) = lists(platform, template.format(line))
    (found,) = one.entries  # type: ignore[union-attr]
    return found


def told(row: AccessEntry) -> tuple[Any, ...]:
    return (
        row.permits, row.protocol, row.source, row.destination,
        (row.source_port_min, row.source_port_max), (row.destination_port_min, row.destination_port_max),
        row.narrowed,
    )  # fmt: skip


ANY = (None, None)


@pytest.mark.parametrize(
    ("platform", "template", "line", "expected"),
    [
        ("huawei_vrp", VRP, "rule 5 permit tcp source 10.30.0.0 0.0.255.255 destination 10.1.20.8 0 destination-port eq 443",
         (True, "tcp", "10.30.0.0/16", "10.1.20.8/32", ANY, (443, 443), False)),
        ("huawei_vrp", VRP, "rule 100 deny ip", (False, None, None, None, ANY, ANY, False)),
        ("huawei_vrp", VRP, "rule permit source 10.1.1.0 0.0.0.255 logging",
         (True, None, "10.1.1.0/24", None, ANY, ANY, False)),
        ("huawei_vrp", VRP, "rule 5 permit udp destination-port range 1000 2000 time-range work",
         (True, "udp", None, None, ANY, (1000, 2000), True)),
        ("huawei_vrp", VRP, "rule 5 permit 6 source any source-port gt 1023",
         (True, "tcp", None, None, (1024, None), ANY, False)),
        ("cisco_ios", IOS, "10 permit tcp 10.30.0.0 0.0.255.255 gt 1023 host 10.3.20.8 eq www",
         (True, "tcp", "10.30.0.0/16", "10.3.20.8/32", (1024, None), (80, 80), False)),
        ("cisco_ios", IOS, "permit tcp any any established", (True, "tcp", None, None, ANY, ANY, True)),
        ("cisco_ios", IOS, "deny ip any any log", (False, None, None, None, ANY, ANY, False)),
        ("cisco_ios", IOS6, "sequence 20 permit udp 2001:DB8::/32 any lt 100",
         (True, "udp", "2001:db8::/32", None, ANY, (None, 99), False)),
        ("ruijie_os", IOS, "10 permit icmp any host 10.1.1.1", (True, "icmp", None, "10.1.1.1/32", ANY, ANY, False)),
    ],
)  # fmt: skip
def test_an_entry_of_each_dialect(platform: str, template: str, line: str, expected: tuple[Any, ...]) -> None:
    assert told(entry(platform, template, line)) == expected


@pytest.mark.parametrize(
    ("platform", "template", "line", "field"),
    [
        ("cisco_ios", IOS, "permit tcp object-group YW any eq 443", "source"),
        ("cisco_ios", IOS, "permit tcp any any eq 80 443", "destination_port_min"),
        ("cisco_ios", IOS, "permit tcp any any neq 80", "destination_port_max"),
        ("cisco_ios", IOS, "permit tcp any any eq a-new-name", "destination_port_min"),
        ("cisco_ios", IOS, "permit object-group WEB any any", "protocol"),
        ("huawei_vrp", VRP, "rule 5 permit ip source 10.0.1.0 0.0.254.255", "source"),  # odd third numbers
    ],
)
def test_what_is_no_number_or_prefix_is_not_guessed(
    platform: str, template: str, line: str, field: str
) -> None:
    assert getattr(entry(platform, template, line), field) is UNKNOWN


def test_numbered_lists_of_ios_stand_line_by_line() -> None:
    text = (
        "access-list 110 permit tcp any host 10.1.1.1 eq 22\naccess-list 110 deny ip any any\n"
        "access-list 10 permit 10.0.0.0 0.255.255.255\n!\n"
        "interface Vlan1\n ip access-group 110 in\n!\ninterface Vlan2\n ip access-group 10 in\n!\nend\n"
    )
    long, short = lists("cisco_ios", text)
    assert [told(e)[:4] for e in long.entries] == [  # type: ignore[union-attr]
        (True, "tcp", None, "10.1.1.1/32"), (False, None, None, None),
    ]  # fmt: skip
    assert [told(e)[:4] for e in short.entries] == [(True, None, "10.0.0.0/8", None)]  # type: ignore[union-attr]
    assert (long.default_permits, short.default_permits) == (False, False)


def test_only_lists_that_filter_an_interface_are_told() -> None:
    text = "acl number 2001\n rule 5 permit source 10.0.0.0 0.255.255.255\n#\nreturn\n"
    assert lists("huawei_vrp", text + "") == []
    assert lists("cisco_ios", "access-list 10 permit any\nend\n") == []


def test_a_list_by_name_number_and_family() -> None:
    text = (
        "acl advanced 3000\n rule 0 deny ip\n#\nacl ipv6 advanced name WEB\n rule 0 deny ipv6\n#\n"
        "acl number 3001 name OLD\n rule 0 deny ip\n#\n"
        "interface Vlan-interface1\n packet-filter 3000 inbound\n packet-filter ipv6 name WEB inbound\n#\n"
        "interface Vlan-interface2\n packet-filter name OLD inbound\n#\nreturn\n"
    )
    found = {(one.family, one.name): one for one in lists("hp_comware", text)}
    assert set(found) == {("ipv4", "3000"), ("ipv6", "WEB"), ("ipv4", "OLD")}
    assert all(len(one.entries) == 1 for one in found.values())  # type: ignore[arg-type]
    assert {one.default_permits for one in found.values()} == {True}
    closed = lists("hp_comware", "packet-filter default deny\n#\n" + text)
    assert {one.default_permits for one in closed} == {False}


@pytest.mark.parametrize(
    "text",
    [
        "interface Vlanif1\n traffic-filter inbound acl 3999\n#\nreturn\n",  # bound, and not written
        "acl number 3000 match-order auto\n rule 5 deny ip\n#\n"
        + VRP.split("#\n", 1)[1],  # ordered otherwise
        "acl number 3000\n" + " rule permit ip\n" * 501 + "#\n" + VRP.split("#\n", 1)[1],  # too many
    ],
)
def test_entries_that_cannot_be_told_in_order_are_not_told(text: str) -> None:
    (one,) = lists("huawei_vrp", text)
    assert one.entries is UNKNOWN


@pytest.mark.parametrize(
    ("platform", "text"),
    [
        ("juniper_junos", "set interfaces ge-0/0/0 unit 0 family inet filter input EDGE\n"
                          "set interfaces lo0 unit 0 family inet filter input RE\n"),
        ("zte_zxros", "interface gei-0/1/0/1\n  ip access-group 110 in\n$\nend\n"),
    ],
)  # fmt: skip
def test_of_other_platforms_it_is_told_that_one_is_bound(platform: str, text: str) -> None:
    found = lists(platform, text)
    assert len(found) == 1
    assert found[0].entries is UNKNOWN

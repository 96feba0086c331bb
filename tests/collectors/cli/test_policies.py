"""Policies of firewalls: which side is outside, what passes, and what is looked for."""

from __future__ import annotations

from typing import Any

import pytest

from collectors.cli import facts
from collectors.cli.facts_firewall import carries, listed, outside, some
from inventory.kinds.device_config import DeviceConfig, SecurityPolicy
from inventory.unknown import UNKNOWN


def config(platform: str, text: str) -> DeviceConfig:
    return DeviceConfig(source="s", native_id="1", name="d", **facts.read(platform, text, {}))


def policies(platform: str, text: str) -> dict[str, SecurityPolicy]:
    return {str(p.name): p for p in config(platform, text).policies}  # type: ignore[union-attr]


def vrp(rule: str, above: str = "") -> SecurityPolicy:
    text = f"{above}security-policy\n rule name r\n" + "".join(f"  {line}\n" for line in rule.split("; "))
    return policies("huawei_vrp", text + "#\nreturn\n")["r"]


@pytest.mark.parametrize(
    ("sources", "destinations", "expected"),
    [
        (["untrust"], ["dmz"], True),
        (["trust"], ["Untrust"], True),
        (["trust"], ["dmz"], False),
        ([], ["dmz"], True),  # from any zone
        (["untrust"], ["local"], False),  # the device's own
        (["办公区"], ["dmz"], UNKNOWN),
        (["办公区", "untrust"], ["dmz"], True),
        (["互联网出口区"], ["dmz"], True),
        (["政务外网"], ["dmz"], UNKNOWN),  # the government's own network, in spite of the word
    ],
)
def test_a_side_is_outside_by_its_zone(sources: list[str], destinations: list[str], expected: Any) -> None:
    assert outside(sources, destinations) is expected


def test_a_zone_of_vrp_is_outside_by_its_priority() -> None:
    zone = "firewall zone name gov id 4\n set priority {}\n#\n"
    assert vrp("source-zone gov; destination-zone dmz; action permit", zone.format(20)).outside is True
    assert vrp("source-zone gov; destination-zone dmz; action permit", zone.format(70)).outside is False
    assert vrp("source-zone gov; destination-zone dmz; action permit").outside is UNKNOWN


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ([], (True, UNKNOWN)),
        (["smtp"], (True, True)),
        (["https", "dns"], (True, False)),
        (["icmp", "ntp"], (False, False)),
        (["OA"], (True, UNKNOWN)),
        (["OA", "pop3"], (True, True)),
        (["tcp destination eq 587"], (True, True)),
        (["protocol udp destination-port 53"], (False, False)),
        (["tcp destination range 20 30"], (True, True)),
        (["protocol tcp destination-port 80 443 to 450"], (True, False)),
        (["tcp destination lt 1024"], (True, UNKNOWN)),
        (["web8443"], (True, False)),
        (["relay"], (True, True)),
        (["odd"], (True, UNKNOWN)),
    ],
)
def test_what_services_carry(services: list[str], expected: Any) -> None:
    named = {"web8443": ["0 service tcp destination eq 8443"], "odd": ["?"],
             "relay": ["service 0 protocol tcp source-port 0 to 65535 destination-port 25"]}  # fmt: skip
    found = carries(services, named)
    assert (found[0], found[1]) == expected if expected[1] is not UNKNOWN else found[1] is UNKNOWN


def test_the_last_of_many_services_counts_like_the_first() -> None:
    assert carries(listed([*(f"tcp-{n}" for n in range(500)), "smtp"]), {}) == (True, True)


def test_some_is_three_valued() -> None:
    assert some([UNKNOWN, True]) is True
    assert some([False, UNKNOWN]) is UNKNOWN
    assert some([False]) is False


def test_profiles_of_vrp_by_their_type() -> None:
    rule = vrp("profile av default; profile ips strict; profile url-filter web; action permit")
    assert (rule.antivirus, rule.intrusion_prevention, rule.content_control, rule.mail_filter) == (
        True, True, True, False,
    )  # fmt: skip
    assert rule.alert_only is False
    assert vrp("profile ips ids; action permit").alert_only is True
    assert vrp("profile av own; action permit").alert_only is UNKNOWN
    own = "profile type av name own\n http-detect direction both action {}\n#\n"
    assert vrp("profile av own; action permit", own.format("alert")).alert_only is True
    assert vrp("profile av own; action permit", own.format("block")).alert_only is False


def test_an_application_profile_of_comware_is_looked_into() -> None:
    text = (
        "app-profile gw\n ips apply policy default mode alert\n#\nsecurity-policy ip\n"
        " rule 0 name a\n  action pass\n  profile gw\n rule 1 name b\n  action pass\n  profile gone\n"
        " rule 2 name c\n  action pass\n rule 3 name d\n#\nreturn\n"
    )
    found = policies("hp_comware", text)
    assert (found["a"].intrusion_prevention, found["a"].antivirus, found["a"].alert_only) == (
        True,
        False,
        True,
    )
    assert found["b"].antivirus is UNKNOWN  # bound, and not to be seen
    assert found["c"].antivirus is False
    assert found["c"].mail_filter is UNKNOWN  # not read of Comware
    assert found["d"].permits is False  # no action: dropped


def test_policies_of_junos_are_looked_up_by_name() -> None:
    base = "set security policies from-zone untrust to-zone dmz policy {0} then permit application-services {1}\n"
    text = (
        base.format("a", "utm-policy mine") + base.format("b", "utm-policy gone")
        + base.format("c", "utm-policy junos-as-policy") + base.format("d", "idp-policy watch")
        + "set security utm utm-policy mine anti-virus http-profile x\n"
        + "set security idp idp-policy watch rulebase-ips rule r then action no-action\n"
    )  # fmt: skip
    found = {name.split()[-1]: p for name, p in policies("juniper_junos", text).items()}
    assert (found["a"].antivirus, found["a"].mail_filter, found["a"].intrusion_prevention) == (
        True,
        False,
        False,
    )
    assert found["b"].antivirus is UNKNOWN
    assert (found["c"].mail_filter, found["c"].antivirus) == (True, False)
    assert (found["d"].intrusion_prevention, found["d"].alert_only) == (True, True)
    assert all(p.outside is True for p in found.values())


@pytest.mark.parametrize(
    ("platform", "line", "end"),
    [
        ("huawei_vrp", "policy interzone trust untrust outbound\n policy 1\n  action permit\n", "return"),
        (
            "hp_comware",
            "zone-pair security source Trust destination Untrust\n packet-filter 3000\n",
            "return",
        ),
        ("cisco_ios", "zone-pair security IN-OUT source IN destination OUT\n", "end"),
    ],
)
def test_a_firewall_written_in_a_way_that_is_not_read_is_unknown(platform: str, line: str, end: str) -> None:
    read = config(platform, f"{line}!\n{end}\n".replace("!", "#" if end == "return" else "!"))
    assert read.complete is True
    assert read.policies is UNKNOWN
    assert read.signatures is UNKNOWN
    assert config(platform, f"{end}\n").policies == []


def test_nothing_is_concluded_from_a_text_that_broke_off() -> None:
    text = "security-policy\n rule name r\n  source-zone untrust\n  action permit\n"
    rule = policies("huawei_vrp", text)["r"]
    assert all(value is UNKNOWN for value in (rule.antivirus, rule.outside, rule.files))


def test_the_time_of_day_of_an_update_tells_not_whether_it_is_followed() -> None:
    """As USG writes it from the factory: the time stands there, switched on or not."""
    text = (
        "{}update schedule av-sdb daily 04:26\n#\nsecurity-policy\n rule name r\n  action permit\n#\nreturn\n"
    )
    for line, expected in (("", UNKNOWN), ("update schedule av-sdb enable\n", True), ("undo update schedule av-sdb enable\n", False)):  # fmt: skip
        rows = config("huawei_vrp", text.format(line)).signatures
        assert {r.library: r.automatic for r in rows}["antivirus"] is expected  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("line", "expected"),
    [("", True), ("undo firewall session link-state check\n", False),
     ("undo firewall session link-state check icmp\n", True)],
)  # fmt: skip
def test_sessions_are_checked_unless_switched_off(line: str, expected: bool) -> None:
    read = config("huawei_vrp", f"{line}security-policy\n rule name r\n  action permit\n#\nreturn\n")
    assert read.policy_stateful is expected


def test_a_rule_of_one_family_by_its_addresses() -> None:
    assert vrp("source-address 10.0.0.0 mask 255.0.0.0; action permit").family == "ipv4"
    assert vrp("destination-address 2001:DB8::/32; action permit").family == "ipv6"
    assert vrp("source-address address-set yw; action permit").family is None

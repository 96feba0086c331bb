"""Controls of IPv4 and their twins, and sockets that would be gone without IPv4."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.kinds.cluster import NetworkPolicy, PolicyPeer
from inventory.kinds.device_config import (
    ConfigInterface,
    DeviceConfig,
    LanProtection,
    SecurityPolicy,
    SnmpAgent,
    SnmpCommunity,
    TerminalLine,
    WebService,
)
from inventory.kinds.host import Host, Listener
from inventory.kinds.virtual_network import SecurityGroup, SecurityGroupRule
from inventory.resource import Relation, Resource
from inventory.unknown import UNKNOWN
from policies.ipv6.contract import View
from policies.ipv6.parity import controls_of, parity
from policies.ipv6.sockets import sockets_without_ipv4
from policies.rules import load_rules


def rule(family: Any, remote: Any, direction: Any = "ingress", port: int | None = 22) -> SecurityGroupRule:
    protocol = "tcp" if port else None
    return SecurityGroupRule(
        direction=direction, family=family, protocol=protocol, port_min=port, port_max=port, remote=remote,
        remote_group=None,
    )  # fmt: skip


def group(*rules: SecurityGroupRule) -> SecurityGroup:
    return SecurityGroup(source="c", native_id="g", name="g", rules=list(rules))


def told(resource: Resource) -> dict[str, str]:
    return {f"{t.what}|{t.where}".rstrip("|"): t.counted + t.met for t in controls_of(resource)}


IN, OUT = "入方向的来源限制", "出方向的去向限制"


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([rule("ipv4", "10.0.0.0/8")], {IN: "yy"}),  # nothing of IPv6 is let in: that is the twin
        ([rule("ipv4", "10.0.0.0/8"), rule("ipv6", "::/0")], {IN: "yn"}),
        ([rule("ipv4", "10.0.0.0/8"), rule("ipv6", "fd00::/8")], {IN: "yy"}),
        ([rule("ipv4", "0.0.0.0/0"), rule("ipv6", "::/0")], {}),  # IPv4 is not bounded
        ([rule("ipv4", "10.0.0.0/8", "egress"), rule("ipv6", None, "egress", None)], {OUT: "yn"}),
        ([rule("ipv4", "10.0.0.0/8"), rule("ipv6", UNKNOWN)], {IN: "ym"}),
    ],
)
def test_security_groups(rules: list[SecurityGroupRule], found: dict[str, str]) -> None:
    assert told(group(*rules)) == found


def test_a_group_that_was_not_seen_may_have_any() -> None:
    assert told(SecurityGroup(source="c", native_id="g")) == {IN: "mm", OUT: "mm"}


def test_network_policies() -> None:
    def peer(family: Any, prefix: str, direction: Any, excluded: list[str] | None = None) -> PolicyPeer:
        return PolicyPeer(direction=direction, family=family, prefix=prefix, excluded=excluded or [])

    policy = NetworkPolicy(
        source="k", native_id="p", name="p",
        peers=[
            peer("ipv4", "10.0.0.0/8", "ingress"), peer("ipv6", "::/0", "ingress"),
            peer("ipv4", "0.0.0.0/0", "egress", ["10.0.0.0/8"]), peer("ipv6", "::/0", "egress"),
        ],
    )  # fmt: skip
    assert told(policy) == {
        "入方向的网段限制（ipBlock）": "yn",
        "出方向的网段限制（ipBlock）": "yy",
        "网段里的例外（except）": "yn",
    }
    only_pods = NetworkPolicy(source="k", native_id="q", peers=[PolicyPeer(direction="ingress", family=None)])
    assert told(only_pods) == {}


def test_configurations_of_devices() -> None:
    def port(name: str, **more: Any) -> ConfigInterface:
        return ConfigInterface(name=name, acl_in_ipv4="3000", urpf_ipv4=False, **more)

    config = DeviceConfig(
        source="d", native_id="sw", name="sw",
        interfaces=[
            port("Vlan1", ipv6=True, acl_in_ipv6=None), port("Vlan2", ipv6=True, acl_in_ipv6="3001"),
            port("Vlan3", ipv6=False, acl_in_ipv6=None), port("Vlan4", ipv6=UNKNOWN, acl_in_ipv6=None),
        ],
        terminals=[
            TerminalLine(name="vty 0 4", remote=True, acl_ipv4="2000", acl_ipv6=None),
            TerminalLine(name="con 0", remote=False, acl_ipv4="2000", acl_ipv6=None),
        ],
        web=WebService(http=False, https=True, acl_ipv4="2000", acl_ipv6=UNKNOWN),
        snmp=SnmpAgent(communities=[SnmpCommunity(acl_ipv4="9", acl_ipv6=None, lines=[7])], users=[]),
        lan=LanProtection(
            dhcp_snooping_ipv4=True, dhcp_snooping_ipv6=False, neighbour_inspection_ipv4=False,
            neighbour_inspection_ipv6=False,
        ),
        policies=[SecurityPolicy(family="ipv4", enabled=True, permits=False)],
        policy_default_permits=True,
    )  # fmt: skip
    assert told(config) == {
        "接口入方向的过滤|Vlan1": "yn",
        "接口入方向的过滤|Vlan2": "yy",
        "接口入方向的过滤|Vlan4": "mn",
        "远程登录的来源限制|vty 0 4": "yn",
        "网页管理的来源限制": "ym",
        "SNMP 团体的来源限制|第 7 行": "yn",
        "DHCP 监听": "yn",
        "区域间的拒绝策略": "yn",
    }
    nothing = told(DeviceConfig(source="d", native_id="dark"))
    assert set(nothing.values()) == {"mm"}
    assert len(nothing) == 6


@pytest.mark.parametrize(
    ("enabled", "families", "found"),
    [
        (True, ["ipv4"], {"主机防火墙": "yn"}),
        (True, ["ipv4", "ipv6"], {"主机防火墙": "yy"}),
        (True, [], {}),
        (False, ["ipv4"], {}),
        (True, UNKNOWN, {"主机防火墙": "mm"}),
    ],
)
def test_host_firewalls(enabled: bool, families: Any, found: dict[str, str]) -> None:
    assert told(Host(source="h", native_id="h", ipv6_enabled=enabled, firewall_families=families)) == found


def listener(address: str, port: int = 80, **more: Any) -> Listener:
    held: dict[str, Any] = {
        "protocol": "tcp", "family": "ipv6" if ":" in address else "ipv4", "address": address, "port": port,
        "loopback": address in ("127.0.0.1", "::1"), "program": "nginx",
    }  # fmt: skip
    return Listener(
        source="h", native_id=f"h/{address}/{port}", name=f"tcp {address}:{port}",
        relations=[Relation("runs_on", "h/host/h")], **held | more,
    )  # fmt: skip


def test_sockets_on_the_loopback_of_ipv4_alone() -> None:
    rows = [
        listener("127.0.0.1", 5432), listener("::", 5432),  # open from IPv6
        listener("127.0.0.1", 6379), listener("::1", 6379),
        listener("0.0.0.0", 80), listener("::", 80),
    ]  # fmt: skip
    found = parity(View(by_kind={"listener": rows}))
    assert [(one.met, one.detail) for one in found] == [
        ("n", "tcp 5432 在 IPv4 上只监听本机，在 IPv6 上对外（tcp :::5432）"),
        ("y", "tcp 6379 在 IPv4 上只监听本机"),
    ]


def test_sockets_that_would_be_gone() -> None:
    rows = [
        listener("0.0.0.0", 80), listener("::", 80),
        listener("10.0.0.1", 443),
        listener("127.0.0.1", 25),  # serves nobody outside
        listener("0.0.0.0", 67, protocol="udp"),  # DHCP of IPv4
        listener("0.0.0.0", 53, loopback=UNKNOWN),
    ]  # fmt: skip
    found = {
        one.detail: one.counted + one.met for one in sockets_without_ipv4(View(by_kind={"listener": rows}))
    }
    assert found == {
        "tcp 80（nginx） 只在 IPv4 上监听": "yy",
        "tcp 443（nginx） 只在 IPv4 上监听": "yn",
        "tcp 53（nginx） 只在 IPv4 上监听": "mn",
    }


def test_every_rule_named_as_finding_it_exists() -> None:
    known = {one.id for one in load_rules(examples=False)}
    group_, policy = group(rule("ipv4", "10.0.0.0/8")), NetworkPolicy(source="k", native_id="q")
    device, host = DeviceConfig(source="d", native_id="x"), Host(source="h", native_id="h")
    named = {t.rule for one in (group_, policy, device, host) for t in controls_of(one)}
    assert named <= known
    assert len(named) >= 8

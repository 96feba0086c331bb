"""Parity: every control that IPv4 has and IPv6 lacks.

A control of IPv4 is something that keeps traffic out or bounds it: a limited source in a security group, a
block of a network policy, a filter on an interface or a management line, a socket bound to the loopback. Its
twin does the same for IPv6. Where nothing of IPv6 is there to be kept out (an interface without IPv6), none
is needed. What is denied unless it is allowed (security groups, network policies) has its twin by that alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from inventory.kinds.cluster import NetworkPolicy
from inventory.kinds.device_config import ConfigInterface, DeviceConfig, SecurityPolicy
from inventory.kinds.host import Host, Listener
from inventory.kinds.virtual_network import SecurityGroup
from inventory.resource import Resource
from inventory.unknown import Maybe, UnknownValueError, known
from policies.ipv6.contract import Counted, Judged, Measure, Met, View
from policies.ipv6.sockets import together
from policies.predicates.families import (
    Direction,
    has_ipv4_limits,
    policies_weaker,
    policy_except_weaker,
    policy_weaker,
    weaker,
)

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)  # the predicates here do not look at the clock


class Twin(NamedTuple):
    """A control of IPv4: ``what`` it is and ``where`` in its resource (中文), ``rule`` that finds it without
    a twin ("" = none can, since it takes more than one resource)."""

    what: str
    where: str
    counted: Counted
    met: Met
    rule: str = ""


def controls_of(resource: Resource) -> Iterator[Twin]:
    """The controls of IPv4 of one resource."""
    if isinstance(resource, SecurityGroup):
        yield from _group(resource)
    elif isinstance(resource, NetworkPolicy):
        yield from _policy(resource)
    elif isinstance(resource, DeviceConfig):
        yield from _device(resource)
    elif isinstance(resource, Host):
        yield from _host(resource)


def parity(view: View) -> list[Judged]:
    """Of each control of IPv4: whether IPv6 has its twin."""
    found = [
        Judged(one.uid, f"{one.uid}#{twin.what}#{twin.where}", twin.counted, twin.met, detail(twin))
        for kind in (SecurityGroup.KIND, NetworkPolicy.KIND, DeviceConfig.KIND, Host.KIND)
        for one in view.by_kind.get(kind, ())
        for twin in controls_of(one)
    ]
    return found + list(_sockets(view.by_kind))


def detail(twin: Twin) -> str:
    """A control in words (中文)."""
    return f"{twin.what}（{twin.where}）" if twin.where else twin.what


def _asked(call: Callable[[], bool]) -> Maybe[bool] | None:
    """What a predicate says; None where it could not tell."""
    try:
        return call()
    except (UnknownValueError, ValueError):  # a prefix that is none: the rule calls it unknown as well
        return None


def _whole(what: str, there: Callable[[], bool], gone: Callable[[], bool], rule: str) -> Iterator[Twin]:
    """A control that the resource has as a whole."""
    has, lacks = _asked(there), _asked(gone)
    if has is False and not lacks:
        return
    counted: Counted = "y" if has or lacks else "m"
    met: Met = "m" if lacks is None else "n" if lacks else "y"
    yield Twin(what, "", counted, met, rule)


def _group(group: SecurityGroup) -> Iterator[Twin]:
    rows: tuple[tuple[Direction, str, str], ...] = (
        ("ingress", "入方向的来源限制", "sg-ipv6-weaker"),
        ("egress", "出方向的去向限制", "sg-egress-ipv6-weaker"),
    )
    for direction, what, rule in rows:
        yield from _whole(
            what,
            lambda d=direction: has_ipv4_limits(group, d),  # type: ignore[misc]
            lambda d=direction: weaker(group, d),  # type: ignore[misc]
            rule,
        )


def _policy(policy: NetworkPolicy) -> Iterator[Twin]:
    rows: tuple[tuple[Direction, str, str], ...] = (
        ("ingress", "入方向的网段限制（ipBlock）", "network-policy-ipv6-wider"),
        ("egress", "出方向的网段限制（ipBlock）", "network-policy-egress-ipv6-wider"),
    )
    for direction, what, rule in rows:
        yield from _whole(
            what,
            lambda d=direction: _blocks(policy, d, excluded=False),  # type: ignore[misc]
            lambda d=direction: policy_weaker(policy, d),  # type: ignore[misc]
            rule,
        )
    yield from _whole(
        "网段里的例外（except）",
        lambda: _blocks(policy, None, excluded=True),
        lambda: policy_except_weaker(policy, _NEVER),
        "network-policy-except-one-family",
    )


def _blocks(policy: NetworkPolicy, direction: Direction | None, *, excluded: bool) -> bool:
    """Whether it names blocks of IPv4 in a direction; with exceptions."""
    if not known(policy.peers):
        raise UnknownValueError
    return any(
        (direction is None or peer.direction == direction)
        and peer.family == "ipv4"
        and (not excluded or len(peer.excluded) > 0)  # an unseen list raises
        for peer in policy.peers
    )


def _pair(what: str, where: str, four: Maybe[Any], six: Maybe[Any], rule: str) -> Iterator[Twin]:
    """A control told by a field for each family: set (a name, True), or not (None, False)."""
    if known(four) and not four:
        return
    met: Met = "m" if not known(six) else "y" if six else "n"
    yield Twin(what, where, "y" if known(four) else "m", met, rule)


def _device(config: DeviceConfig) -> Iterator[Twin]:
    for field, what, rule in (
        ("interfaces", "接口上的控制", "config-interface-acl-one-family"),
        ("terminals", "远程登录的来源限制", _MANAGEMENT),
        ("web", "网页管理的来源限制", _MANAGEMENT),
        ("snmp", "SNMP 的来源限制", _MANAGEMENT),
        ("lan", "接入层的防护", "config-dhcp-snooping-ipv6"),
    ):
        if not known(getattr(config, field)):
            yield Twin(what, "", "m", "m", rule)
    for port in config.interfaces if known(config.interfaces) else ():
        yield from _port(port)
    for line in config.terminals if known(config.terminals) else ():
        if known(line.remote) and line.remote:
            where = line.name if known(line.name) else ""
            yield from _pair("远程登录的来源限制", where, line.acl_ipv4, line.acl_ipv6, _MANAGEMENT)
    if known(config.web) and not (config.web.http is False and config.web.https is False):
        yield from _pair("网页管理的来源限制", "", config.web.acl_ipv4, config.web.acl_ipv6, _MANAGEMENT)
    if known(config.snmp):
        rows = [
            *_rows(config.snmp.communities, "SNMP 团体的来源限制"),
            *_rows(config.snmp.users, "SNMP 用户的来源限制"),
        ]
        for what, where, row in rows:
            yield from _pair(what, where, row.acl_ipv4, row.acl_ipv6, _MANAGEMENT)
    if known(config.lan):
        lan = config.lan
        yield from _pair(
            "DHCP 监听", "", lan.dhcp_snooping_ipv4, lan.dhcp_snooping_ipv6, "config-dhcp-snooping-ipv6"
        )
        yield from _pair(
            "邻居检查（ARP 与 ND）", "", lan.neighbour_inspection_ipv4, lan.neighbour_inspection_ipv6,
            "config-neighbour-inspection-ipv6",
        )  # fmt: skip
    if not known(config.policies) or config.policies:
        yield from _whole(
            "区域间的拒绝策略",
            lambda: _denies_four(config),
            lambda: policies_weaker(config, _NEVER),
            "config-policy-one-family",
        )


_MANAGEMENT: Final = "config-management-acl-one-family"


def _rows(held: Maybe[list[Any]], what: str) -> list[tuple[str, str, Any]]:
    if not known(held):
        return []
    return [(what, f"第 {row.lines[0]} 行" if known(row.lines) and row.lines else "", row) for row in held]


def _denies_four(config: DeviceConfig) -> bool:
    if not known(config.policies):
        raise UnknownValueError
    return any(_denies(policy) and policy.family == "ipv4" for policy in config.policies)


def _denies(policy: SecurityPolicy) -> bool:
    return policy.enabled == True and policy.permits == False  # noqa: E712 - an unseen one raises


def _port(port: ConfigInterface) -> Iterator[Twin]:
    """What bounds IPv4 on an interface that carries IPv6 as well."""
    if known(port.ipv6) and not port.ipv6:
        return
    name = port.name if known(port.name) else ""
    for what, four, six, rule in (
        ("接口入方向的过滤", port.acl_in_ipv4, port.acl_in_ipv6, "config-interface-acl-one-family"),
        ("反向路径检查（uRPF）", port.urpf_ipv4, port.urpf_ipv6, "config-urpf-ipv6"),
    ):
        for twin in _pair(what, name, four, six, rule):
            yield twin if known(port.ipv6) else twin._replace(counted="m")


def _host(host: Host) -> Iterator[Twin]:
    """The packet filter of a host, where its families were seen."""
    if known(host.ipv6_enabled) and not host.ipv6_enabled:
        return
    families, what, rule = host.firewall_families, "主机防火墙", "host-firewall-one-family"
    if not known(families):
        yield Twin(what, "", "m", "m", rule)
    else:
        yield from _pair(what, "", "ipv4" in families, "ipv6" in families, rule)


def _sockets(by_kind: Mapping[str, Sequence[Resource]]) -> Iterator[Judged]:
    """A port that IPv4 has on the loopback alone."""
    for (_, port), rows in together(by_kind.get(Listener.KIND, ())).items():
        four = [row for row in rows if row.family == "ipv4"]
        if not four or not all(known(row.loopback) for row in rows):
            continue
        if all(row.loopback for row in four):
            open_ = next((row for row in rows if row.family == "ipv6" and not row.loopback), None)
            told = f"{port} 在 IPv4 上只监听本机" + (f"，在 IPv6 上对外（{open_.name}）" if open_ else "")
            one = open_ or four[0]
            yield Judged(one.uid, f"{one.uid}#只监听本机", "y", "n" if open_ else "y", told)


MEASURES = (
    Measure(
        name="parity",
        kinds=(SecurityGroup.KIND, NetworkPolicy.KIND, DeviceConfig.KIND, Host.KIND, Listener.KIND),
        call=parity,
        purpose="IPv4 上的访问控制在 IPv6 上有对应的一条",
    ),
)

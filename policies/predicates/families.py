"""Controls that one address family has and the other lacks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from inventory.kinds.cluster import NetworkPolicy
from inventory.kinds.device_config import DeviceConfig
from inventory.kinds.virtual_network import SecurityGroup, SecurityGroupRule
from policies.functions import ANY_PORT_MAX, is_any_address
from policies.predicates.contract import Predicate, seen

Direction = Literal["ingress", "egress"]


def ipv6_weaker(group: SecurityGroup, now: datetime) -> bool:
    """Whether a TCP or UDP port that IPv4 lets in from some sources only is open to any IPv6 address."""
    return weaker(group, "ingress")


def ipv6_egress_weaker(group: SecurityGroup, now: datetime) -> bool:
    """Whether a TCP or UDP port that IPv4 may reach at some targets only may be reached at any IPv6
    address."""
    return weaker(group, "egress")


def weaker(group: SecurityGroup, direction: Direction) -> bool:
    """Whether IPv6 is open to any address at a TCP or UDP port where IPv4 is bounded to some."""
    rules = [rule for rule in seen(group.rules) if seen(rule.direction) == direction]
    four = [rule for rule in rules if seen(rule.family) == "ipv4"]
    open_four = [rule for rule in four if _anywhere(rule)]
    open_six = [rule for rule in rules if seen(rule.family) == "ipv6" and _anywhere(rule)]
    return any(
        _overlap(narrow, wide) and not any(_within(wide, other) for other in open_four)
        for wide in open_six
        for narrow in four
        if not _anywhere(narrow)
    )


def has_ipv4_limits(group: SecurityGroup, direction: Direction) -> bool:
    """Whether a group bounds where IPv4 may come from, or go to."""
    return any(
        seen(rule.direction) == direction and seen(rule.family) == "ipv4" and not _anywhere(rule)
        for rule in seen(group.rules)
    )


def policy_weaker(policy: NetworkPolicy, direction: Direction) -> bool:
    """Whether a network policy lets any IPv6 address through where it names blocks of IPv4 and not all of
    it."""
    peers = [peer for peer in seen(policy.peers) if seen(peer.direction) == direction]
    four = [seen(peer.prefix) for peer in peers if seen(peer.family) == "ipv4"]
    six = [seen(peer.prefix) for peer in peers if seen(peer.family) == "ipv6"]
    return bool(four) and any(map(is_any_address, six)) and not any(map(is_any_address, four))


def policy_egress_weaker(policy: NetworkPolicy, now: datetime) -> bool:
    """The same of what a policy lets out."""
    return policy_weaker(policy, "egress")


def policy_except_weaker(policy: NetworkPolicy, now: datetime) -> bool:
    """Whether a network policy keeps parts of IPv4 out of what it lets through (``except``), and lets any
    IPv6 address through the same way without an exception."""
    peers = seen(policy.peers)
    for direction in ("ingress", "egress"):
        own = [p for p in peers if seen(p.direction) == direction and seen(p.family) is not None]
        wide = [p for p in own if is_any_address(seen(p.prefix))]
        four = [p for p in wide if seen(p.family) == "ipv4"]
        kept_out = bool(four) and all(seen(p.excluded) for p in four)
        if kept_out and any(seen(p.family) == "ipv6" and not seen(p.excluded) for p in wide):
            return True
    return False


def policies_weaker(config: DeviceConfig, now: datetime) -> bool:
    """Whether a firewall that passes what no policy names denies something to IPv4, and nothing to IPv6."""
    denying = [p for p in seen(config.policies) if seen(p.enabled) and not seen(p.permits)]
    families = {seen(p.family) for p in denying}
    return "ipv4" in families and not families & {"ipv6", None} and seen(config.policy_default_permits)


def _anywhere(rule: SecurityGroupRule) -> bool:
    return seen(rule.remote_group) is None and is_any_address(seen(rule.remote))


def _overlap(one: SecurityGroupRule, other: SecurityGroupRule) -> bool:
    if not _speaks(one, other):
        return False
    (a, b), (c, d) = _ports(one), _ports(other)
    return a <= d and c <= b


def _within(inner: SecurityGroupRule, outer: SecurityGroupRule) -> bool:
    (a, b), (c, d) = _ports(inner), _ports(outer)
    return seen(outer.protocol) in (None, seen(inner.protocol)) and c <= a and b <= d


def _speaks(one: SecurityGroupRule, other: SecurityGroupRule) -> bool:
    """Both are about the same protocol, and that has ports."""
    names = {seen(one.protocol), seen(other.protocol)}
    return names <= {"tcp", None} or names <= {"udp", None}


def _ports(rule: SecurityGroupRule) -> tuple[int, int]:
    low, high = seen(rule.port_min), seen(rule.port_max)
    return (0 if low is None else low, ANY_PORT_MAX if high is None else high)


_RULES = tuple(
    f"rules{field}"
    for field in (
        "",
        *(f"[].{f}" for f in "direction family protocol port_min port_max remote remote_group".split()),
    )
)
_PEERS = ("peers", "peers[].direction", "peers[].family", "peers[].prefix")
PREDICATES = (
    Predicate(
        name="ipv6_weaker",
        kinds=(SecurityGroup,),
        reads=_RULES,
        call=ipv6_weaker,
        purpose="IPv4 限定来源的端口对 IPv6 任意来源开放",
    ),
    Predicate(
        name="ipv6_egress_weaker",
        kinds=(SecurityGroup,),
        reads=_RULES,
        call=ipv6_egress_weaker,
        purpose="IPv4 限定去向的端口可以到达任意 IPv6 地址",
    ),
    Predicate(
        name="policy_egress_weaker",
        kinds=(NetworkPolicy,),
        reads=_PEERS,
        call=policy_egress_weaker,
        purpose="网络策略限制 IPv4 的去向，却放行到任意 IPv6 地址",
    ),
    Predicate(
        name="policy_except_weaker",
        kinds=(NetworkPolicy,),
        reads=(*_PEERS, "peers[].excluded"),
        call=policy_except_weaker,
        purpose="网络策略给 IPv4 网段写了例外，给任意 IPv6 地址没有写",
    ),
    Predicate(
        name="policies_weaker",
        kinds=(DeviceConfig,),
        reads=(
            "policies",
            "policies[].enabled",
            "policies[].permits",
            "policies[].family",
            "policy_default_permits",
        ),
        call=policies_weaker,
        purpose="防火墙缺省放行，有策略拒绝 IPv4，没有策略拒绝 IPv6",
    ),
)

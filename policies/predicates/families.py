"""Controls that one address family has and the other lacks."""

from __future__ import annotations

from datetime import datetime

from inventory.kinds.virtual_network import SecurityGroup, SecurityGroupRule
from policies.functions import ANY_PORT_MAX, is_any_address
from policies.predicates.contract import Predicate, seen


def ipv6_weaker(group: SecurityGroup, now: datetime) -> bool:
    """Whether a TCP or UDP port that IPv4 lets in from some sources only is open to any IPv6 address."""
    rules = [rule for rule in seen(group.rules) if seen(rule.direction) == "ingress"]
    four = [rule for rule in rules if seen(rule.family) == "ipv4"]
    open_four = [rule for rule in four if _anywhere(rule)]
    open_six = [rule for rule in rules if seen(rule.family) == "ipv6" and _anywhere(rule)]
    return any(
        _overlap(narrow, wide) and not any(_within(wide, other) for other in open_four)
        for wide in open_six
        for narrow in four
        if not _anywhere(narrow)
    )


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


PREDICATES = (
    Predicate(
        name="ipv6_weaker",
        kinds=(SecurityGroup,),
        reads=(
            "rules",
            "rules[].direction",
            "rules[].family",
            "rules[].protocol",
            "rules[].port_min",
            "rules[].port_max",
            "rules[].remote",
            "rules[].remote_group",
        ),
        call=ipv6_weaker,
        purpose="IPv4 限定来源的端口对 IPv6 任意来源开放",
    ),
)

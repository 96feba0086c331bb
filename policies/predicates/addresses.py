"""Prefixes that together are the whole internet."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from inventory.kinds.virtual_network import SecurityGroup, SecurityGroupRule
from policies.functions import is_any_address
from policies.predicates.contract import Predicate, seen

MOSTLY = 0.5  # share of a family's addresses from which a list of prefixes counts as "anywhere"


def open_in_pieces(group: SecurityGroup, now: datetime) -> bool:
    """Whether prefixes of ingress rules, none of which is "any address" alone, add up to at least half of
    IPv4, or of IPv6 global unicast (2000::/3): a world-open group written as many rules."""
    four: list[IPv4Network] = []
    six: list[IPv6Network] = []
    for rule in seen(group.rules):
        remote = seen(rule.remote)
        if rule.direction != "ingress" or remote is None or is_any_address(remote):
            continue
        network = ip_network(remote, strict=False)
        if isinstance(network, IPv4Network):
            four.append(network)
        else:
            six.append(network)
    covered_four = sum(network.num_addresses for network in collapse_addresses(four)) / 2**32
    covered_six = sum(network.num_addresses for network in collapse_addresses(six)) / 2**125
    return covered_four >= MOSTLY or covered_six >= MOSTLY


def redundant_rule(group: SecurityGroup, now: datetime) -> bool:
    """Whether some rule lets through nothing that another one does not let through already."""
    rules = seen(group.rules)
    flows = [_flow(rule) for rule in rules]
    return any(
        i != j and _contains(outer, inner) for j, inner in enumerate(flows) for i, outer in enumerate(flows)
    )


_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "ipv6-icmp", "icmpv6": "ipv6-icmp"}
_ALL_PORTS = (0, 65535)
_Flow = tuple[tuple[object, ...], str | None, tuple[int, int], IPv4Network | IPv6Network | None]


def _flow(rule: SecurityGroupRule) -> _Flow:
    """Direction with family and group, protocol, ports, and peers of a rule."""
    family, group, remote = seen(rule.family), seen(rule.remote_group), seen(rule.remote)
    protocol = seen(rule.protocol)
    low, high = seen(rule.port_min), seen(rule.port_max)
    ports = _ALL_PORTS if low is None and high is None else (low or 0, high if high is not None else 65535)
    everything = "0.0.0.0/0" if family == "ipv4" else "::/0"
    peers = None if group else ip_network(remote or everything, strict=False)
    name = protocol.lower() if protocol else None
    return (seen(rule.direction), family, group), _PROTOCOLS.get(name or "", name), ports, peers


def _contains(outer: _Flow, inner: _Flow) -> bool:
    if outer[0] != inner[0] or outer[1] not in (None, inner[1]):
        return False
    if outer[1] is not None and not (outer[2][0] <= inner[2][0] and inner[2][1] <= outer[2][1]):
        return False
    return outer[3] is None or (inner[3] is not None and inner[3].subnet_of(outer[3]))  # type: ignore[arg-type]


PREDICATES = (
    Predicate(
        name="redundant_rule",
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
        call=redundant_rule,
        purpose="一条规则被另一条完全包含",
    ),
    Predicate(
        name="open_in_pieces",
        kinds=(SecurityGroup,),
        reads=("rules", "rules[].direction", "rules[].remote"),
        call=open_in_pieces,
        purpose="多条网段规则合起来等于向任意地址开放",
    ),
)

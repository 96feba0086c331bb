"""Prefixes that together are the whole internet."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from inventory.kinds.virtual_network import SecurityGroup
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


PREDICATES = (
    Predicate(
        name="open_in_pieces",
        kinds=(SecurityGroup,),
        reads=("rules", "rules[].direction", "rules[].remote"),
        call=open_in_pieces,
        purpose="多条网段规则合起来等于向任意地址开放",
    ),
)

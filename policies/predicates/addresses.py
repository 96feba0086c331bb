"""What the prefixes and ports of security groups let in."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from inventory.kinds.virtual_network import SecurityGroup, SecurityGroupRule
from inventory.unknown import UnknownValueError
from policies.functions import DATABASE_PORTS, covers, is_any_address
from policies.predicates.contract import Predicate, UndecidedError, seen

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


REMOTE_ADMIN_PORTS = (22, 23, 161, 623, 2375, 2376, 3389, 5900, 5901, 5985, 5986, *DATABASE_PORTS)
"""SSH, Telnet, SNMP, IPMI, Docker, RDP, VNC, WinRM, databases: default ports (IANA)."""
_PRIVATE = [
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
        *("100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"),  # RFC 6598, RFC 3927, RFC 1122
        *("fc00::/7", "fe80::/10", "::1/128"),  # RFC 4193, RFC 4291
    )
]


def remote_admin_outside(group: SecurityGroup, now: datetime) -> bool:
    """Whether some ingress rule lets an address in from outside the private ranges, to a port that machines
    are administered at from afar."""
    lost: Exception | None = None
    for rule in seen(group.rules):
        try:
            if _admits_outside(rule):
                return True
        except (UnknownValueError, UndecidedError, ValueError) as error:
            lost = error
    if lost is not None:
        raise lost
    return False


def _admits_outside(rule: SecurityGroupRule) -> bool:
    if seen(rule.direction) != "ingress" or seen(rule.protocol) not in (None, "tcp", "udp", "6", "17"):
        return False
    low, high = seen(rule.port_min), seen(rule.port_max)
    if not any(covers(low, high, port) for port in REMOTE_ADMIN_PORTS):
        return False
    members, remote = seen(rule.remote_group), seen(rule.remote)
    if members is not None:
        if members.startswith("address_group/"):
            raise UndecidedError("来源是一个地址组，组里的网段没有读")
        return False
    if remote is None:
        return True
    network = ip_network(remote, strict=False)
    return not any(
        network.version == private.version and network.subnet_of(private)  # type: ignore[arg-type]
        for private in _PRIVATE
    )


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
        name="remote_admin_outside",
        kinds=(SecurityGroup,),
        reads=(
            "rules",
            "rules[].direction",
            "rules[].protocol",
            "rules[].port_min",
            "rules[].port_max",
            "rules[].remote",
            "rules[].remote_group",
        ),
        call=remote_admin_outside,
        purpose="远程管理和数据库端口向私有网段以外的地址开放",
    ),
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

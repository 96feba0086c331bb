"""The plan of addresses that a user gives, and what is in use against it.

A planned prefix may lie in another one (a block of a department in that of the city): the narrowest counts.
Nothing of any office's real plan is built in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv6Network, ip_network
from typing import Literal

import msgspec

from inventory.kinds.address import Address
from inventory.kinds.cluster import Node
from inventory.kinds.network import Interface
from inventory.kinds.virtual_network import Subnet
from inventory.resource import Resource
from inventory.unknown import UNKNOWN, Maybe, known

Assignment = Literal["", "slaac", "dhcpv6", "static"]
ASSIGNMENT_WORD: dict[str, str] = {"slaac": "无状态（SLAAC）", "dhcpv6": "DHCPv6", "static": "手工"}


class PlannedPrefix(
    msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A prefix that was registered: whose it is, what for, and how its addresses are to be given out
    ("" = not laid down)."""

    prefix: str
    owner: str
    purpose: str
    assignment: Assignment = ""

    def __post_init__(self) -> None:
        if ip_network(self.prefix).version != 6:  # ValueError names a wrong one
            raise ValueError(f"{self.prefix} 不是 IPv6 前缀")
        if not self.owner.strip() or not self.purpose.strip():
            raise ValueError(f"{self.prefix} 要写明 owner（责任单位）和 purpose（用途）")

    @property
    def network(self) -> IPv6Network:
        return network_of(self.prefix)


@lru_cache(maxsize=65536)
def network_of(prefix: str) -> IPv6Network:
    """An IPv6 prefix; host bits are cut. Raises ValueError."""
    return IPv6Network(prefix, strict=False)


def twice(plan: Sequence[PlannedPrefix]) -> int | None:
    """Index of the first prefix that the plan has already, None where each is there once."""
    networks = [one.network for one in plan]
    return next((i for i, network in enumerate(networks) if network in networks[:i]), None)


def planned(plan: Sequence[PlannedPrefix], network: IPv6Network) -> PlannedPrefix | None:
    """The narrowest planned prefix that holds a network."""
    holding = [one for one in plan if network.subnet_of(one.network)]
    return max(holding, key=lambda one: one.network.prefixlen, default=None)


class InUse(msgspec.Struct, kw_only=True, frozen=True):
    """An IPv6 prefix in use by a resource; ``segment``: a virtual network's own, which nobody else may have.
    ``assignment``: how its addresses are given out, UNKNOWN where that was not seen, None where the resource
    does not tell. ``network`` None: a resource may use one, but which was not seen."""

    uid: str
    network: IPv6Network | None
    segment: str = ""
    assignment: Maybe[Assignment | None] = None


def in_use(by_kind: Mapping[str, Sequence[Resource]]) -> Iterator[InUse]:
    """Prefixes of subnets, interfaces (their addresses beyond link-local and loopback), and pods of nodes."""
    for one in by_kind.get(Subnet.KIND, ()):
        assert isinstance(one, Subnet)
        yield from _subnet(one)
    for one in by_kind.get(Interface.KIND, ()):
        assert isinstance(one, Interface)
        yield from _interface(one)
    for one in by_kind.get(Node.KIND, ()):
        assert isinstance(one, Node)
        if not known(one.pod_prefixes):
            yield InUse(uid=one.uid, network=None)
            continue
        for network in filter(None, map(_six, one.pod_prefixes)):
            yield InUse(uid=one.uid, network=network)


def _subnet(one: Subnet) -> Iterator[InUse]:
    if known(one.family) and one.family == "ipv4":
        return
    if not known(one.family) or not known(one.cidr):
        yield InUse(uid=one.uid, network=None, assignment=UNKNOWN)
    elif network := _six(one.cidr):
        segment = next(iter(one.related("in_network")), one.uid)
        yield InUse(uid=one.uid, network=network, segment=segment, assignment=_given(one))


def _given(one: Subnet) -> Maybe[Assignment | None]:
    """Neutron's words: slaac, dhcpv6-stateless (addresses by SLAAC), dhcpv6-stateful; none = by hand."""
    mode = one.address_mode
    if not known(mode):
        return UNKNOWN
    if mode is None:
        return "static"
    return {"slaac": "slaac", "dhcpv6-stateless": "slaac", "dhcpv6-stateful": "dhcpv6"}.get(mode)  # type: ignore[return-value]


def _interface(one: Interface) -> Iterator[InUse]:
    if known(one.loopback) and one.loopback:
        return
    if not known(one.addresses):
        yield InUse(uid=one.uid, network=None, assignment=UNKNOWN)
        return
    given = _advertised(one)
    six = [a for a in one.addresses if not known(a.family) or a.family == "ipv6"]
    if any(not known(a.family) or not known(a.address) or not known(a.scope) for a in six):
        yield InUse(uid=one.uid, network=None, assignment=given)
    found = {network for address in six if (network := network_at(address)) is not None}
    for network in sorted(found):
        yield InUse(uid=one.uid, network=network, assignment=given)


def _advertised(one: Interface) -> Maybe[Assignment | None]:
    """What its router advertisements say (RFC 4861 §4.2). None: it sends none (that a host's interface does
    is not asked), so it gives nothing out."""
    if not known(one.advertises_router) or not one.advertises_router:
        return None
    if not known(one.advertises_managed):
        return UNKNOWN
    return "dhcpv6" if one.advertises_managed else "slaac"


def network_at(address: Address) -> IPv6Network | None:
    """The network that an IPv6 address beyond link-local and loopback lies in, None for any other and for
    what was not seen; /64 where nobody told the length."""
    if not known(address.family) or not known(address.address) or not known(address.scope):
        return None
    if address.family != "ipv6" or address.scope in ("host", "link"):
        return None
    length = address.prefix_length if known(address.prefix_length) else None
    return network_of(f"{address.address}/{64 if length is None else length}")


def _six(prefix: str) -> IPv6Network | None:
    try:
        network = ip_network(prefix, strict=False)
    except ValueError:  # a source wrote something else: it is no prefix that could be registered
        return None
    return network if isinstance(network, IPv6Network) else None

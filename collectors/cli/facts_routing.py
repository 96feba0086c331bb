"""What the dialects share of routing: networks held against the addresses of interfaces, and BGP's peers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address
from typing import Literal, NamedTuple

from collectors.cli.config_tree import Node
from collectors.cli.facts_reader import Config, below, family_of, numbers
from inventory.kinds.device_config import RoutingSession

MAX_NETWORKS = 256  # "network" lines of an area that are held against the interfaces


def address_of(interface: Node) -> list[int]:
    """IPv4 addresses of an interface as numbers."""
    found = []
    for child in interface.children:
        words = child.words
        if words[:2] == ["ip", "address"] and len(words) > 2:
            number = ipv4(words[2].split("/")[0])
            found += [] if number is None else [number]
    return found


@lru_cache(maxsize=8192)
def ipv4(text: str) -> int | None:
    """An address as a number; None for what is none."""
    try:
        return int(IPv4Address(text))
    except AddressValueError:
        return None


def within(addresses: Iterable[int], network: str, wildcard: str) -> bool:
    """Whether one of the addresses lies in a network given by a wildcard mask."""
    base, mask = ipv4(network), ipv4(wildcard)
    if base is None or mask is None:
        return False
    return any((address | mask) == (base | mask) for address in addresses)


def classful(network: str) -> str:
    """Wildcard mask of a network's class, as RIP's ``network`` means it."""
    number = ipv4(network) or 0
    return "0.255.255.255" if number < 1 << 31 else "0.0.255.255" if number < 3 << 30 else "0.0.0.255"


class Peer(NamedTuple):
    """A peer by its address, in one view of a BGP process. ``nodes``: its lines, "peer NAME WORD …";
    ``beside``: name → lines, of all peers and groups of the view."""

    name: str
    family: Literal["ipv4", "ipv6"]
    nodes: list[Node]
    beside: dict[str, list[Node]]

    def says(self, *words: str) -> bool:
        """Whether one of its lines goes on with one of these words."""
        return any(n.words[2] in words for n in self.nodes)

    def session(self, config: Config, group: str, *keys: str) -> RoutingSession:
        """The session with it; it is authenticated where the peer or its group has one of these keys."""
        key = next((n for n in (*self.nodes, *self.beside.get(group, [])) if n.words[2] in keys), None)
        return RoutingSession(
            protocol="bgp", family=self.family, name=self.name,
            authentication="digest" if key else config.absent("none"), lines=numbers(self.nodes[0], key),
        )  # fmt: skip


def peers_of(config: Config, process: str, *commands: str) -> Iterator[Peer]:
    """The peers of all BGP processes, which begin with ``process``, and of their views; a peer's lines begin
    with one of ``commands``."""
    for one in config.all(process):
        for view in (one, *one.children):
            beside: dict[str, list[Node]] = {}
            for node in below(view, *commands):
                if len(node.words) > 2:
                    beside.setdefault(node.words[1], []).append(node)
            for name, nodes in beside.items():
                if (family := family_of(name)) is not None:
                    yield Peer(name, family, nodes, beside)

"""VRP and Comware: with whom routing protocols talk, and whether they check who it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collectors.cli.config_tree import Node
from collectors.cli.facts_reader import Config, begins, below, numbers, word_after
from collectors.cli.facts_routing import MAX_NETWORKS, address_of, classful, ipv4, peers_of, within
from inventory.kinds.device_config import RoutingSession

_PLAIN = ("simple", "plain", "none", "text")


def sessions(config: Config) -> Any:
    """Sessions of all protocols; [] where none runs."""
    interfaces = [n for n in config.all("interface") if len(n.words) > 1]
    rows = [
        *_ospf(config, interfaces),
        *_on_interfaces(interfaces, config),
        *_bgp(config),
        *_rip(config, interfaces),
    ]
    return rows if rows else config.absent([])


def strength(node: Node | None, config: Config) -> Any:
    """What an authentication-mode line asks for."""
    if node is None:
        return config.absent("none")
    words = node.words[node.words.index("authentication-mode") + 1 :]
    if not words or words[0] == "null":
        return "none"
    return "password" if words[0] in _PLAIN else "digest"


def _own(interface: Node, command: str) -> Node | None:
    found = None
    for child in interface.children:
        if begins(child.text, command):
            found = child
    return found


def _ospf(config: Config, interfaces: list[Node]) -> Iterator[RoutingSession]:
    for process in config.all("ospf"):
        silent, loud = _silent(process)
        for area in below(process, "area"):
            whole = next(iter(below(area, "authentication-mode")), None)
            networks = [n.words for n in below(area, "network")[:MAX_NETWORKS]]
            for interface in interfaces:
                name = "".join(interface.words[1:])
                if (
                    name in silent
                    or ("all" in silent and name not in loud)
                    or name.lower().startswith("loop")
                ):
                    continue
                here = address_of(interface)
                taken = any(within(here, words[1], words[2]) for words in networks if len(words) > 2)
                explicit = _in_area(interface, process, area)
                if not taken and not explicit:
                    continue
                own = _own(interface, "ospf authentication-mode")
                yield RoutingSession(
                    protocol="ospf",
                    family="ipv4",
                    name=name,
                    authentication=strength(own or whole, config),
                    lines=numbers(interface, own, whole, area),
                )


def _silent(process: Node) -> tuple[set[str], set[str]]:
    silent = {"".join(n.words[1:]) for n in below(process, "silent-interface")}
    loud = {"".join(n.words[2:]) for n in below(process, "undo silent-interface")}
    return silent, loud


def _in_area(interface: Node, process: Node, area: Node) -> bool:
    """``ospf enable 1 area 0`` of VRP, ``ospf 1 area 0`` of Comware."""
    number = process.words[1] if len(process.words) > 1 else "1"
    for child in interface.children:
        words = [w for w in child.words if w != "enable"]
        if words[:2] == ["ospf", number] and words[2:3] == ["area"] and len(words) > 3:
            return _same_area(words[3], area.words[1] if len(area.words) > 1 else "")
    return False


def _same_area(one: str, other: str) -> bool:
    numbers_ = [int(t) if t.isdigit() else ipv4(t) for t in (one, other)]
    return numbers_[0] is not None and numbers_[0] == numbers_[1]


def _on_interfaces(interfaces: list[Node], config: Config) -> Iterator[RoutingSession]:
    areas = {
        (p.words[1] if len(p.words) > 1 else "1"): [
            n for n in (*p.children, *(c for a in below(p, "area") for c in a.children))
            if begins(n.text, "authentication-mode") or begins(n.text, "ipsec sa") or "ipsec-pro" in n.text
        ]
        for p in config.all("ospfv3")
    }  # fmt: skip
    for interface in interfaces:
        name = "".join(interface.words[1:])
        if name.lower().startswith("loop"):
            continue
        for child in interface.children:
            words = child.words
            if words[0] == "ospfv3" and len(words) > 3 and words[2] == "area":
                own = _own(interface, "ospfv3 authentication-mode") or _own(interface, "ospfv3 ipsec")
                mode = own or next(iter(areas.get(words[1], [])), None)
                digest = mode is not None and "authentication-mode" not in mode.words
                yield RoutingSession(
                    protocol="ospfv3", family="ipv6", name=name,
                    authentication="digest" if digest else strength(mode, config),
                    lines=numbers(interface, child, mode),
                )  # fmt: skip
            elif words[:2] == ["isis", "enable"] or words[:3] == ["isis", "ipv6", "enable"]:
                own = _own(interface, "isis authentication-mode")
                yield RoutingSession(
                    protocol="isis", family="ipv6" if words[1] == "ipv6" else "ipv4", name=name,
                    authentication=strength(own, config), lines=numbers(interface, child, own),
                )  # fmt: skip
            elif words[0] == "ripng" and words[-1] == "enable":
                yield RoutingSession(
                    protocol="ripng", family="ipv6", name=name, authentication="none", lines=numbers(child)
                )


def _bgp(config: Config) -> Iterator[RoutingSession]:
    for peer in peers_of(config, "bgp", "peer", "group"):
        if not peer.says("as-number", "group") or peer.says("ignore"):
            continue
        group = next((word_after(n.words, "group") for n in peer.nodes if n.words[2] == "group"), None) or ""
        if group and not peer.says("as-number") and group not in peer.beside:
            continue  # told again in the view of an address family
        yield peer.session(config, group, "password", "keychain")


def _rip(config: Config, interfaces: list[Node]) -> Iterator[RoutingSession]:
    networks = [n.words[1] for p in config.all("rip") for n in below(p, "network")[:MAX_NETWORKS]]
    silent = {"".join(n.words[1:]) for p in config.all("rip") for n in below(p, "silent-interface")}
    for interface in interfaces:
        name = "".join(interface.words[1:])
        here = address_of(interface)
        if name in silent or name.lower().startswith("loop"):
            continue
        if any(within(here, network, classful(network)) for network in networks):
            own = _own(interface, "rip authentication-mode")
            yield RoutingSession(
                protocol="rip", family="ipv4", name=name, authentication=strength(own, config),
                lines=numbers(interface, own),
            )  # fmt: skip

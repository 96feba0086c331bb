"""IOS and those like it (Ruijie, ZXROS, FRR): with whom routing protocols talk, and whether they
check who it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collectors.cli.config_tree import Node
from collectors.cli.facts_reader import Config, begins, below, last, numbers
from collectors.cli.facts_routing import MAX_NETWORKS, address_of, classful, ipv4, peers_of, within
from inventory.kinds.device_config import RoutingSession
from inventory.unknown import UNKNOWN

Interfaces = dict[str, list[Node]]
"""Name → its sections."""


def sessions(config: Config) -> Any:
    """Sessions of all protocols; [] where none runs."""
    interfaces: Interfaces = {}
    for node in config.all("interface"):
        name = "".join(node.words[1:])
        if name and not name.lower().startswith("lo"):
            interfaces.setdefault(name, []).append(node)
    rows = [*_ospf(config, interfaces), *_ospf6(config, interfaces), *_isis(config, interfaces),
            *_rip(config, interfaces), *_bgp(config)]  # fmt: skip
    return rows if rows else config.absent([])


def own(sections: list[Node], *commands: str) -> Node | None:
    """The last line of an interface that begins with one of these."""
    return last(child for node in sections for child in below(node, *commands))


def _strength(node: Node | None, config: Config) -> Any:
    """What "… authentication [message-digest | null | mode md5]" asks for."""
    if node is None:
        return config.absent("none")
    words = node.words
    if "null" in words or words[0] == "no":
        return "none"
    strong = {
        "message-digest",
        "key-chain",
        "keychain",
        "md5",
        "hmac-sha",
        "ipsec",
        "hmac-md5",
        "sha256",
        "sm3",
    }
    return "digest" if strong & {w.lower() for w in words} else "password"


def _passive(process: Node) -> tuple[set[str], set[str]]:
    quiet = {"".join(n.words[1:]).lower() for n in below(process, "passive-interface")}
    loud = {"".join(n.words[2:]).lower() for n in below(process, "no passive-interface")}
    return quiet, loud


def _is_passive(name: str, lists: tuple[set[str], set[str]]) -> bool:
    quiet, loud = lists
    return name.lower() in quiet or ("default" in quiet and name.lower() not in loud)


def _ospf(config: Config, interfaces: Interfaces) -> Iterator[RoutingSession]:
    for process in config.all("router ospf"):
        passive = _passive(process)
        wholes = {_area(n.words[1]): n for n in below(process, "area") if "authentication" in n.words[2:3]}
        networks = [n for n in below(process, "network") if "area" in n.words]
        networks += [
            n for area in below(process, "area") for n in below(area, "network")
        ]  # ZXROS: a section for each area
        met: set[int] = set()
        del networks[MAX_NETWORKS:]
        for name, nodes in interfaces.items():
            found = own(nodes, "ip ospf passive") is not None or _is_passive(name, passive)
            if found:
                continue
            place = _taken(process, nodes, networks)
            if place is None:
                continue
            area, line = place
            met.add(line.line)
            mode = own(nodes, "ip ospf authentication", "no ip ospf authentication") or wholes.get(area)
            if mode is not None and begins(mode.text, "ip ospf authentication-key"):
                mode = wholes.get(area)
            yield RoutingSession(
                protocol="ospf", family="ipv4", name=name, authentication=_strength(mode, config),
                lines=numbers(nodes[0], line, mode),
            )  # fmt: skip
        yield from _unmatched(config, networks, met, wholes)


def _unmatched(
    config: Config, networks: list[Node], met: set[int], wholes: dict[str, Node]
) -> Iterator[RoutingSession]:
    """FRR's text need not hold the addresses: a network that met no interface still speaks, somewhere."""
    for line in networks if config.platform == "frr" else ():
        if line.line not in met:
            whole = wholes.get(_area(line.words[-1]))
            yield RoutingSession(
                protocol="ospf", family="ipv4", name=line.words[1], lines=numbers(line, whole),
                authentication=_strength(whole, config) if whole else UNKNOWN,
            )  # fmt: skip


def _taken(process: Node, nodes: list[Node], networks: list[Node]) -> tuple[str, Node] | None:
    """The area an interface is in, and the line that puts it there."""
    for node in (c for n in nodes for c in n.children):
        words = node.words
        if words[:2] == ["ip", "ospf"] and "area" in words and words.index("area") + 1 < len(words):
            return _area(words[words.index("area") + 1]), node
    here = [a for node in nodes for a in address_of(node)]
    for line in networks:
        words = line.words
        network, _, length = words[1].partition("/")
        wildcard = _wildcard(length) if length else words[2] if len(words) > 2 else ""
        if within(here, network, wildcard):
            return (_area(words[words.index("area") + 1]) if "area" in words[:-1] else "", line)
    return None


def _wildcard(length: str) -> str:
    if not length.isdigit() or int(length) > 32:
        return ""
    bits = (1 << (32 - int(length))) - 1
    return ".".join(str(bits >> shift & 255) for shift in (24, 16, 8, 0))


def _area(text: str) -> str:
    number = int(text) if text.isdecimal() and len(text) < 12 else ipv4(text)
    return text if number is None else str(number)


def _ospf6(config: Config, interfaces: Interfaces) -> Iterator[RoutingSession]:
    processes = [*config.all("ipv6 router ospf"), *config.all("router ospfv3"), *config.all("router ospf6")]
    wholes = {
        _area(n.words[1]): n for p in processes for n in below(p, "area")
        if len(n.words) > 2 and n.words[2] in ("authentication", "encryption")
    }  # fmt: skip
    for name, nodes in interfaces.items():
        line = last(
            c for n in nodes for c in below(n, "ipv6 ospf", "ospfv3", "ipv6 ospf6") if "area" in c.words
        )
        if line is None:
            continue
        area = _area(line.words[line.words.index("area") + 1]) if line.words[-1] != "area" else ""
        mode = own(
            nodes, "ipv6 ospf authentication", "ipv6 ospf encryption", "ospfv3 authentication",
            "ospfv3 encryption", "ipv6 ospf6 authentication",
        ) or wholes.get(area)  # fmt: skip
        yield RoutingSession(
            protocol="ospfv3", family="ipv6", name=name,
            authentication="digest" if mode else config.absent("none"), lines=numbers(nodes[0], line, mode),
        )  # fmt: skip


def _isis(config: Config, interfaces: Interfaces) -> Iterator[RoutingSession]:
    for name, nodes in interfaces.items():
        for six, command in ((False, "ip router isis"), (True, "ipv6 router isis")):
            line = own(nodes, command)
            if line is None or own(nodes, "isis passive") is not None:
                continue
            mode = own(nodes, "isis authentication mode", "isis password", "isis authentication key-chain")
            yield RoutingSession(
                protocol="isis", family="ipv6" if six else "ipv4", name=name,
                authentication=_strength(mode, config), lines=numbers(nodes[0], line, mode),
            )  # fmt: skip


def _rip(config: Config, interfaces: Interfaces) -> Iterator[RoutingSession]:
    for process in config.all("router rip"):
        passive = _passive(process)
        networks = [n.words[1] for n in below(process, "network")[:MAX_NETWORKS]]
        for name, nodes in interfaces.items():
            here = [a for node in nodes for a in address_of(node)]
            if _is_passive(name, passive) or not any(
                within(here, n.split("/")[0], _wildcard(n.split("/")[1]) if "/" in n else classful(n))
                for n in networks
            ):
                continue
            mode = own(nodes, "ip rip authentication mode") or own(nodes, "ip rip authentication")
            yield RoutingSession(
                protocol="rip", family="ipv4", name=name, authentication=_strength(mode, config),
                lines=numbers(nodes[0], mode),
            )  # fmt: skip
    for name, nodes in interfaces.items():
        line = own(nodes, "ipv6 rip")
        if line is not None and "enable" in line.words:
            yield RoutingSession(
                protocol="ripng", family="ipv6", name=name, authentication="none", lines=numbers(line)
            )


def _bgp(config: Config) -> Iterator[RoutingSession]:
    for peer in peers_of(config, "router bgp", "neighbor"):
        group = next((n.words[3] for n in peer.nodes if n.words[2] == "peer-group" and len(n.words) > 3), "")
        if (peer.says("remote-as") or group in peer.beside) and not peer.says("shutdown"):
            yield peer.session(config, group, "password", "ao", "keychain")

"""VRP (USG, Eudemon) and Comware (SecPath, and routers with its policies): the policies of firewalls, what
they inspect by which profile, and how the libraries of signatures are kept up to date.

``security-policy`` is read; the older ways of both makers (``policy interzone``, ``object-policy``,
``interzone``) are not, and leave what they would tell UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collectors.cli.config_tree import Node
from collectors.cli.facts_firewall import carries, listed, opens_management, outside, some, used_by
from collectors.cli.facts_reader import Config, begins, below, capped, family_of, last, numbers, span
from inventory.kinds.device_config import SecurityPolicy, SignatureLibrary
from inventory.unknown import UNKNOWN, Maybe

_SOURCES = ("source-address", "source-ip", "source-ip-host", "source-ip-subnet", "source-ip-range",
            "source-mac", "source-location", "user")  # fmt: skip
_DESTINATIONS = ("destination-address", "destination-ip", "destination-ip-host", "destination-ip-subnet",
                 "destination-ip-range", "destination-location")  # fmt: skip
_SERVICES = ("service", "service-port")
_APPLICATIONS = ("application", "app-group", "url")
_CONTENT = ("url-filter", "file-block", "file-filter", "data-filter", "app-control")
_KNOWN = frozenset(
    (
        "action source-zone destination-zone profile logging counting policy session disable description "
        "parent-group undo"
    ).split()
) | {*_SOURCES, *_DESTINATIONS, *_SERVICES, *_APPLICATIONS}
_OTHER_WAYS = ("policy interzone", "interzone", "zone-pair security", "object-policy")
_LIBRARIES = {"antivirus": "av-sdb", "intrusion_prevention": "ips-sdb"}
_FEATURES = {"antivirus": "anti-virus", "intrusion_prevention": "ips"}
_ALERTS = frozenset(("alert", "declare", "permit", "logging"))
_PREDEFINED = {("av", "default"): False, ("ips", "default"): False, ("ips", "strict"): False,
               ("ips", "ids"): True}  # fmt: skip
"""VRP's own profiles, which no configuration shows → whether they only report. strict is as the maker's guide
has it; the others are from memory (docs/sources.md says so)."""


def read(config: Config) -> dict[str, Any]:
    """Fields of ``DeviceConfig``."""
    found = policies(config)
    return {
        "policies": found,
        "policy_default_permits": _default_permits(config),
        "policy_stateful": _stateful(config),
        "signatures": _signatures(config, found),
    }


def policies(config: Config) -> Any:
    """Rules between zones, in the order they are tried."""
    objects = _Objects(config)
    rows = capped(
        _policy(config, node, _family(section.words), objects)
        for section in config.all("security-policy")
        for node in below(section, "rule")
    )
    if rows or not any(config.all(word) for word in _OTHER_WAYS):
        return rows if rows else config.absent([])
    return UNKNOWN


class _Objects:
    """What rules refer to by name."""

    def __init__(self, config: Config) -> None:
        self.zones: dict[str, bool] = {}
        for node in config.all("firewall zone"):
            words = node.words
            name = words[3] if words[2] == "name" else words[2]
            level = last(below(node, "set priority"))
            if level is not None and level.words[-1].isdecimal():
                self.zones[name] = int(level.words[-1][:4]) < 50  # less than dmz has
        self.services: dict[str, list[str]] = {}
        for prefix, place in (("ip service-set", 2), ("object-group service", 2)):
            for node in config.all(prefix):
                self.services.setdefault(node.words[place], []).extend(
                    child.text for child in node.children if "service" in child.words
                )
        self.profiles = {
            (node.words[2], node.words[4]): node
            for node in config.all("profile type")
            if node.words[3] == "name"
        }
        self.app_profiles = {node.words[1]: node for node in config.all("app-profile")}


def _family(words: list[str]) -> Any:
    return {"ip": "ipv4", "ipv6": "ipv6"}.get(words[1] if len(words) > 1 else "")


def _policy(config: Config, node: Node, family: Any, objects: _Objects) -> SecurityPolicy:
    """One rule; what it does not limit is any."""
    told: dict[str, list[Node]] = {}
    for child in node.children:
        told.setdefault(child.words[0], []).append(child)
    action = last(told.get("action", ()))
    named = node.words.index("name") + 1 if "name" in node.words else 1
    source, destination = _zones(told, "source-zone"), _zones(told, "destination-zone")
    services = _written(told, *_SERVICES)
    applications = _written(told, *_APPLICATIONS)
    files, mail = carries(listed(services) or _bare(applications), objects.services)
    return SecurityPolicy(
        name=" ".join(node.words[named:]),
        family=family or _family_of_addresses(told),
        permits=action.words[-1] in ("permit", "pass") if action else _without_action(config),
        enabled="disable" not in told,
        any_source=_any(config, told, *_SOURCES),
        any_destination=_any(config, told, *_DESTINATIONS),
        any_service=_any(config, told, *_SERVICES, *_APPLICATIONS),
        any_application=_any(config, told, *_APPLICATIONS),
        source_zones=source if source else config.absent([]),
        destination_zones=destination if destination else config.absent([]),
        sources=_list(config, told, *_SOURCES),
        destinations=_list(config, told, *_DESTINATIONS),
        services=_list(config, told, *_SERVICES, *_APPLICATIONS),
        outside=outside(source, destination, objects.zones) if not config.partial else UNKNOWN,
        opens_management=opens_management(
            source, destination, listed(services), objects.services, objects.zones
        )
        if not config.partial and not applications
        else UNKNOWN,
        files=files if not config.partial else UNKNOWN,
        mail=mail if not config.partial or mail is True else UNKNOWN,
        narrowed=bool(told.keys() - _KNOWN) or config.absent(False),
        logged="logging" in told
        or any(c.text.startswith(("policy logging", "session logging")) for c in node.children)
        or config.absent(False),
        lines=span(node),
        **_inspection(config, told.get("profile", []), objects),
    )


def _family_of_addresses(told: dict[str, list[Node]]) -> Any:
    """VRP keeps both families in one list: the one that all addresses of a side are of, where they stand in
    the rule itself; else None, which is both."""
    for name in ("source-address", "destination-address"):
        families = {family_of(node.words[1].split("/")[0]) for node in told.get(name, ())}
        if len(families) == 1 and None not in families:
            return families.pop()
    return None


def _without_action(config: Config) -> Maybe[bool]:
    """Comware drops what a rule without an action matches (SecPath command reference, ``action``)."""
    return config.absent(False) if config.platform == "hp_comware" else UNKNOWN


def _zones(told: dict[str, list[Node]], name: str) -> list[str]:
    return listed(word for node in told.get(name, ()) for word in node.words[1:])


def _written(told: dict[str, list[Node]], *names: str) -> list[str]:
    """What stands behind some words; a service of VRP may be several names on one line."""
    found: list[str] = []
    for name in names:
        for node in told.get(name, ()):
            rest = node.words[1:]
            plain = name == "service" and not {"protocol", "destination-port"} & set(rest)
            found += rest if plain else [" ".join(rest)]
    return found


def _bare(applications: list[str]) -> list[str]:
    """Names of applications without the word that says they are one (``app SMTP``)."""
    return [name.removeprefix("app ") for name in applications]


def _any(config: Config, told: dict[str, list[Node]], *names: str) -> Any:
    found = [node for name in names for node in told.get(name, ())]
    if not found:
        return config.absent(True)
    return all(node.words[-1] == "any" for node in found)


def _list(config: Config, told: dict[str, list[Node]], *names: str) -> Any:
    found = listed(node.text for name in names for node in told.get(name, ()) if node.words[-1] != "any")
    return found if found or any(name in told for name in names) else config.absent([])


def _inspection(config: Config, nodes: list[Node], objects: _Objects) -> dict[str, Any]:
    """What the profiles bound to a rule look for. VRP binds each by its type; Comware binds one
    ``app-profile`` that applies several policies."""
    bound: set[str] = set()
    alert: list[Maybe[bool]] = []
    for node in nodes:
        words = node.words
        if config.platform == "hp_comware":
            section = objects.app_profiles.get(words[1])
            if section is None:
                return {}  # bound, and what it holds was not seen
            for child in below(
                section, *(f"{name} apply policy" for name in (*_CONTENT, "anti-virus", "ips"))
            ):
                bound.add(child.words[0])
                if child.words[0] in ("anti-virus", "ips"):
                    alert.append("alert" in child.words[4:])
        else:
            bound.add(words[1])
            if words[1] in ("av", "ips"):
                alert.append(_only_reports(words[1], words[2], objects))
    absent = config.absent(False)
    return {
        "antivirus": bool(bound & {"av", "anti-virus"}) or absent,
        "intrusion_prevention": "ips" in bound or absent,
        "content_control": bool(bound & set(_CONTENT)) or absent,
        "mail_filter": "mail-filter" in bound or (UNKNOWN if config.platform == "hp_comware" else absent),
        "alert_only": some(alert) if alert else absent,
    }


def _only_reports(kind: str, name: str, objects: _Objects) -> Maybe[bool]:
    section = objects.profiles.get((kind, name))
    if section is None:
        return _PREDEFINED.get((kind, name), UNKNOWN)
    actions = {
        words[place + 1] for words in _lines(section) for place, w in enumerate(words) if w == "action"
    }
    return actions <= _ALERTS if actions else UNKNOWN


def _lines(section: Node) -> Iterator[list[str]]:
    waiting = list(section.children)
    while waiting:
        node = waiting.pop()
        yield node.words
        waiting += node.children


def _default_permits(config: Config) -> Any:
    for section in config.all("security-policy"):
        node = last(below(section, "default action"))
        if node is not None:
            return node.words[-1] == "permit"
    if not config.all("security-policy"):
        return UNKNOWN
    return config.default("policy_default_permits")


def _stateful(config: Config) -> Any:
    """Whether packets need a session. VRP checks unless told not to; Comware's policies work on sessions."""
    if not config.all("security-policy"):
        return UNKNOWN
    off = [n for n in config.all("undo firewall session link-state") if n.words[-1] in ("check", "tcp")]
    off += config.all("session state-machine mode loose")
    return False if off else config.default("policy_stateful")


def _signatures(config: Config, found: Any) -> Any:
    if not config.all("security-policy"):
        return config.absent([]) if isinstance(found, list) else UNKNOWN
    return [_library(config, name, used_by(found, name)) for name in _LIBRARIES]


def _library(config: Config, name: Any, used: Maybe[bool]) -> SignatureLibrary:
    """How one library is kept up to date. Of VRP a time of day alone (``update schedule av-sdb daily 04:26``)
    is written by the maker and does not tell whether it is followed."""
    if config.platform == "hp_comware":
        nodes = config.all(f"{_FEATURES[name]} signature auto-update")
        automatic: Maybe[bool] = bool(nodes) or config.default("signatures.automatic")
        return SignatureLibrary(library=name, used=used, automatic=automatic, lines=numbers(*nodes))
    word = _LIBRARIES[name]
    nodes = config.all(f"update schedule {word}")
    off = [
        n
        for n in config.all(f"undo update schedule {word}")
        if begins(n.text, f"undo update schedule {word} enable")
    ]
    on = [n for n in nodes if n.words[-1] == "enable"]
    state = max([(n.line, True) for n in on] + [(n.line, False) for n in off], default=None)
    return SignatureLibrary(
        library=name,
        used=used,
        automatic=state[1] if state else config.default("signatures.automatic"),
        lines=numbers(*nodes, *off),
    )

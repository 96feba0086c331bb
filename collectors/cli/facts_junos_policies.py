"""Junos: the policies of SRX firewalls, what they inspect by which UTM and IDP policy, and how signatures are
kept up to date. A policy refers to others by name; of a name that nothing defines, what it does stays
UNKNOWN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collectors.cli.config_words import Words
from collectors.cli.facts_firewall import carries, listed, outside, used_by
from collectors.cli.facts_reader import capped
from inventory.kinds.device_config import SecurityPolicy, SignatureLibrary
from inventory.unknown import UNKNOWN, Maybe

if TYPE_CHECKING:
    from collectors.cli.facts_junos import Reader

_ANY = ("any", "any-ipv4", "any-ipv6")
_CONTENT = ("web-filtering", "content-filtering")
_PREDEFINED = {"junos-av-policy": "anti-virus", "junos-as-policy": "anti-spam",
               "junos-wf-policy": "web-filtering", "junos-cf-policy": "content-filtering"}  # fmt: skip
"""UTM policies that every SRX brings along, by what they do."""
_KNOWN = frozenset(
    "source-address destination-address application dynamic-application from-zone to-zone".split()
)
_ENGINES = ("sophos-engine", "avira-engine", "kaspersky-lab-engine", "juniper-express-engine")
_LETS_THROUGH = frozenset(("no-action", "ignore-connection", "mark-diffserv"))


def read(config: Reader) -> dict[str, Any]:
    """Fields of ``DeviceConfig``."""
    found = _policies(config)
    return {
        "policies": found,
        "policy_default_permits": _default(config),
        "policy_stateful": _stateful(config),
        "signatures": _signatures(config, found),
    }


def _policies(config: Reader) -> Any:
    policies = config.root.at("security", "policies") or Words()
    services = _definitions(config)
    rows = [
        _policy(config, f"{source}→{target} {name}", p, ([source], [target]), services)
        for source, word in policies.each("from-zone")
        for target, zone in word.each("to-zone")
        for name, p in zone.each("policy")
    ]
    for name, p in policies.each("global", "policy"):
        match = p.at("match") or Words()
        zones = (match.names("from-zone"), match.names("to-zone"))
        rows.append(_policy(config, f"global {name}", p, zones, services))
    return capped(rows) if rows else config.absent([])


def _policy(
    config: Reader, name: str, word: Words, zones: tuple[list[str], list[str]], services: dict[str, list[str]]
) -> SecurityPolicy:
    match, then = word.at("match") or Words(), word.at("then") or Words()

    def any_(field: str) -> bool:
        names = set(match.names(field))
        return not names or bool(names & set(_ANY))

    wanted = listed(name.strip('"') for name in match.names("application"))
    dynamic = listed(match.names("dynamic-application"))
    files, mail = carries(wanted or [d.removeprefix("junos:").lower() for d in dynamic], services)
    source, destination = listed(zones[0]), listed(zones[1])
    return SecurityPolicy(
        name=name,
        family=_family(match),
        permits=then.has("permit") if then.below else UNKNOWN,
        enabled=True,
        any_source=any_("source-address"),
        any_destination=any_("destination-address"),
        any_service=any_("application") and not dynamic,
        any_application=not dynamic,
        source_zones=source,
        destination_zones=destination,
        sources=listed(match.names("source-address")),
        destinations=listed(match.names("destination-address")),
        services=wanted + [f"dynamic-application {d}" for d in dynamic],
        outside=outside(source, destination),
        files=files,
        mail=mail,
        narrowed=bool(match.below.keys() - _KNOWN) or word.has("scheduler-name"),
        logged=then.has("log"),
        lines=[word.line],
        **_inspection(config, then.at("permit", "application-services") or Words()),
    )


def _family(match: Words) -> Any:
    """The one family of a policy that names all addresses of that family, else None."""
    named = {*match.names("source-address"), *match.names("destination-address")}
    families = [f for word, f in (("any-ipv4", "ipv4"), ("any-ipv6", "ipv6")) if word in named]
    return families[0] if len(families) == 1 else None


def _definitions(config: Reader) -> dict[str, list[str]]:
    """Application → lines with its protocol and ports; of a set, those of its members."""
    found: dict[str, list[str]] = {}
    for name, word in config.root.each("applications", "application"):
        terms = [word, *(term for _, term in word.each("term"))]
        found[name] = [
            f"protocol {term.value('protocol')} destination-port {port}"
            for term in terms
            for port in term.names("destination-port")[-1:]
        ]
    for name, word in config.root.each("applications", "application-set"):
        members = word.names("application")[:100]
        found[name] = [line for member in members for line in found.get(member, ["?"])]
    return found


def _inspection(config: Reader, services: Words) -> dict[str, Any]:
    absent = config.absent(False)
    told: dict[str, Any] = {
        "antivirus": absent, "intrusion_prevention": absent, "content_control": absent, "mail_filter": absent,
        "alert_only": absent,
    }  # fmt: skip
    if name := services.value("utm-policy"):
        kinds = _utm(config, name)
        if kinds is None:
            told |= dict.fromkeys(("antivirus", "content_control", "mail_filter"), UNKNOWN)
        else:
            told["antivirus"] = "anti-virus" in kinds or absent
            told["mail_filter"] = "anti-spam" in kinds or absent
            told["content_control"] = any(kind in kinds for kind in _CONTENT) or absent
    if services.has("application-firewall"):
        told["content_control"] = True
    if services.has("idp-policy") or services.has("idp"):
        told["intrusion_prevention"] = True
        name = services.value("idp-policy") or config.root.value("security", "idp", "active-policy")
        told["alert_only"] = _only_reports(config, name or "")
    return told


def _utm(config: Reader, name: str) -> list[str] | None:
    """What a UTM policy looks for; None where nothing defines it."""
    word = config.root.at("security", "utm", "utm-policy", name)
    if word is None:
        return [_PREDEFINED[name]] if name in _PREDEFINED else None
    return list(word.below)


def _only_reports(config: Reader, name: str) -> Maybe[bool]:
    """Whether an IDP policy lets everything through that it finds."""
    rules = config.root.each("security", "idp", "idp-policy", name, "rulebase-ips", "rule")
    actions = {action for _, rule in rules for action in rule.names("then", "action")}
    return actions <= _LETS_THROUGH if actions else UNKNOWN


def _default(config: Reader) -> Any:
    policies = config.root.at("security", "policies")
    if policies is None:
        return UNKNOWN
    word = policies.value("default-policy")
    if word is None:
        return config.default("policy_default_permits")
    return word == "permit-all"


def _stateful(config: Reader) -> Any:
    """Whether packets need a session: an SRX works on flows unless told to forward packets as they come."""
    if not config.root.has("security", "policies"):
        return UNKNOWN
    options = config.root.each("security", "forwarding-options", "family")
    packets = any(word.value("mode") == "packet-based" for _, word in options)
    loose = config.root.has("security", "flow", "tcp-session", "no-syn-check")
    return False if packets or loose else config.default("policy_stateful")


def _signatures(config: Reader, found: Any) -> Any:
    if not config.root.has("security", "policies"):
        return config.absent([])
    automatic = ("security", "idp", "security-package", "automatic")
    engines = [
        config.root.at("security", "utm", place, "anti-virus", engine, "pattern-update")
        for place in ("feature-profile", "default-configuration")
        for engine in _ENGINES
    ]
    off = any(word is not None and word.has("no-autoupdate") for word in engines)
    return [
        SignatureLibrary(
            library="antivirus",
            used=used_by(found, "antivirus"),
            automatic=False if off else config.default("signatures.automatic"),
            lines=sorted({word.line for word in engines if word is not None}),
        ),
        SignatureLibrary(
            library="intrusion_prevention",
            used=used_by(found, "intrusion_prevention"),
            automatic=config.root.has(*automatic, "enable") or config.absent(False),
            lines=config.lines(automatic),
        ),
    ]

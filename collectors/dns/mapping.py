"""Domains out of what was told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from collectors.dns.authority import Authority
from collectors.dns.lookups import Found, Mail, MailHost, Resolved, hints_of, median_ms
from collectors.dns.messages import Ends, Problem, text_of
from collectors.dns.targets import address_of_server
from collectors.dns.walk import Health, Zone, family_of
from inventory.kinds.address import Address, address_of
from inventory.kinds.web import Delegation, Domain, MailExchange, NameServer, Resolution
from inventory.unknown import UNKNOWN, Maybe

WHY: Final[dict[Problem, tuple[str, str]]] = {
    "silent": (
        "没有在时限内应答",
        "检查到该服务器 53 端口（UDP 和 TCP）的网络和防火墙，或调大 timeout_seconds",
    ),
    "closed": ("端口没有监听，或被防火墙拒绝", "检查地址和防火墙"),
    "unreachable": ("没有到它的路由", "检查采集机的网络；没有该协议族的出口时，把 families 写成有的那一个"),
    "nonsense": ("应答不成样子，或答非所问", "检查该服务器，和路上有没有改写 DNS 的设备"),
    "servfail": ("应答 SERVFAIL", "检查该服务器到权威服务器的路由，和该域的 DNSSEC"),
    "refused": ("应答 REFUSED，不许采集机查询", "在该服务器上允许采集机的地址"),
    "other": ("应答了其他错误码", "检查该服务器"),
    "lame": ("应答了，却没有该区的权威", "检查上级的授权和该服务器上的区"),
    "no_server": ("没有能问的服务器地址", "检查授权里的域名服务器有没有地址"),
    "loop": ("域名服务器的名字互相依赖，走不出来", "给其中一个配上胶水记录"),
    "no_glue": ("授权里没有胶水记录，该区又进不去", "在上级登记该域名服务器的地址"),
    "late": ("问完之前超过了 name_seconds", "调大 name_seconds"),
    "unasked": ("录制里没有这一问", "用当前版本重新录制"),
}
_NO_FAMILY: Final = {
    "ipv4": ("采集机以 IPv4 到不了上级的服务器，权威服务器是否以 IPv4 应答未知", "检查采集机的 IPv4 出口"),
    "ipv6": ("采集机以 IPv6 到不了上级的服务器，权威服务器是否以 IPv6 应答未知", "检查采集机的 IPv6 出口"),
}
_ENDS: Final = {"data": "address", "no_data": "no_data", "nonexistent": "nonexistent", "loop": "loop"}


class Seen(msgspec.Struct, kw_only=True):
    """All that was learnt about a name; None = not asked. ``works``: over which families, of those that were
    to be asked over, the servers of the top answered."""

    name: str
    resolved: list[Resolved] = msgspec.field(default_factory=list)
    https: Found | None = None
    mail: Mail | None = None
    authority: Authority | None = None
    works: dict[str, bool] = msgspec.field(default_factory=dict)
    late: bool = False

    @property
    def empty(self) -> bool:
        """Nothing at all was learnt."""
        return _settled(self) is None and not (self.authority is not None and self.authority.zones)


def _settled(seen: Seen) -> tuple[Ends, Ends] | None:
    """Where A and AAAA lead: by the first resolver that says it, else by the authoritative servers."""
    told: list[tuple[Found, Found]] = [(one.four, one.six) for one in seen.resolved]
    if seen.authority is not None:
        told.append((seen.authority.four, seen.authority.six))
    for four, six in told:
        if four.ends is not None and six.ends is not None:
            return four.ends, six.ends
    return None


def domain(seen: Seen, *, source: str, labels: Mapping[str, str]) -> Domain:
    """The domain; what was not seen is UNKNOWN."""
    first = next((one for one in seen.resolved if one.answered), None)
    authority = seen.authority
    made = Domain(
        source=source,
        native_id=seen.name,
        scope=seen.name,
        name=seen.name,
        labels=dict(labels),
        resolvers=[_resolution(one) for one in seen.resolved],
    )
    if (settled := _settled(seen)) is not None:
        four, six = settled
        _set_addresses(made, four, six)
    if first is not None:
        made.lookup_ipv4_ms = _or_unknown(median_ms(first.times_four))
        made.lookup_ipv6_ms = _or_unknown(median_ms(first.times_six))
    if seen.https is not None and (hints := hints_of(seen.https)) is not None:
        made.https_hints = _addresses(hints)
    if seen.mail is not None and seen.mail.hosts is not None:
        made.mail = [_mail_host(host) for host in seen.mail.hosts]
    if authority is not None:
        made.zone = _or_unknown(authority.zone)
        if authority.zones is not None:
            made.delegations = [_delegation(zone, health, seen.works) for zone, health in authority.zones]
        if authority.trust.state != "unknown":
            made.dnssec = authority.trust.state
            made.dnssec_problem = authority.trust.reason if authority.trust.state == "bogus" else None
    return made


def _set_addresses(made: Domain, four: Ends, six: Ends) -> None:
    longest = max(four, six, key=lambda ends: len(ends.names))
    hows = {four.how, six.how}
    found = [rdata.address for ends in (four, six) if ends.found is not None for rdata in ends.found]
    aliased = len(longest.names) > 1 or "loop" in hows
    made.exists = aliased or "nonexistent" not in hows
    made.addresses = _addresses(found)
    made.alias = text_of(longest.names[-1]) if aliased else None
    if not aliased:
        made.alias_ends = None
    elif found:
        made.alias_ends = "address"
    else:
        made.alias_ends = _ENDS[longest.how]  # type: ignore[assignment]
    ttls = [ends.ttl for ends in (four, six) if ends.ttl is not None]
    made.ttl_seconds = min(ttls) if ttls else UNKNOWN


def _addresses(texts: Iterable[str]) -> list[Address]:
    return [address_of(text) for text in sorted(set(texts))]


def _or_unknown(value: Any) -> Any:
    return UNKNOWN if value is None else value


def _resolution(one: Resolved) -> Resolution:
    address, _ = address_of_server(one.resolver)
    six = one.six
    return Resolution(
        resolver=address,
        family=family_of(address),  # type: ignore[arg-type]
        answered=True if one.answered else UNKNOWN,
        gives_ipv6=bool(six.addresses) if six.ends is not None else UNKNOWN,
    )


def _mail_host(host: MailHost) -> MailExchange:
    return MailExchange(
        name=host.name,
        preference=host.preference,
        addresses=UNKNOWN if host.addresses is None else _addresses(host.addresses),
        reverse_ipv6=_or_unknown(host.reverse),
        greets_ipv6=_or_unknown(host.greets),
    )


def _delegation(zone: Zone, health: list[Health], works: Mapping[str, bool]) -> Delegation:
    return Delegation(zone=text_of(zone.name), servers=[_name_server(one, works) for one in health])


def _name_server(one: Health, works: Mapping[str, bool]) -> NameServer:
    known = one.server.addresses
    told = set(one.told.values())
    return NameServer(
        name=text_of(one.server.name),
        addresses=UNKNOWN if known is None else _addresses(known),
        answers_ipv4=_answers(one, "ipv4", works),
        answers_ipv6=_answers(one, "ipv6", works),
        lame=False if "ok" in told else True if "lame" in told else UNKNOWN,
    )


def _answers(one: Health, family: str, works: Mapping[str, bool]) -> Maybe[bool]:
    """Silence is the server's only where others were heard over the family."""
    if one.server.addresses is None:
        return UNKNOWN
    if not any(family_of(address) == family for address in one.server.addresses):
        return False
    told = {said for address, said in one.told.items() if family_of(address) == family}
    if "ok" in told:
        return True
    return False if "lame" in told or works.get(family) else UNKNOWN


def gaps(seen: Seen) -> list[tuple[str, str]]:
    """What was asked for and not seen: reasons with remedies (中文), each once."""
    found: list[tuple[str, str]] = []

    def add(what: str, problem: Problem | None) -> None:
        if problem is not None:
            reason, remedy = WHY[problem]
            found.append((f"{what}：{reason}", remedy))

    for one in seen.resolved:
        address, _ = address_of_server(one.resolver)
        add(f"解析服务器 {address}", one.four.problem or one.six.problem)
    if seen.https is not None:
        add("HTTPS 记录", seen.https.problem)
    if seen.mail is not None:
        for problem in seen.mail.problems:
            add("邮件服务器", problem)
    if seen.authority is not None:
        _add_authority(seen, seen.authority, add, found)
    if seen.late:
        found.append(WHY["late"])
    return list(dict.fromkeys(found))


def _add_authority(seen: Seen, authority: Authority, add: Any, found: list[tuple[str, str]]) -> None:
    add(f"{authority.at or '根'} 的权威服务器", authority.problem)
    for one in (authority.four, authority.six):
        add("权威服务器", one.problem if authority.problem is None else None)
    trust = authority.trust
    if authority.problem is None:
        add("DNSSEC 验证", trust.problem)
    if trust.state == "unknown" and trust.unsupported:
        found.append((trust.reason, "用支持该算法的验证器人工确认"))
    for zone, health in authority.zones or []:
        for row in health:
            if row.server.addresses is None:
                add(f"{text_of(zone.name)} 的域名服务器 {text_of(row.server.name)}", row.server.problem)
        known = [row for row in health if row.server.addresses is not None]
        for family in seen.works:
            if any(_answers(row, family, seen.works) is UNKNOWN for row in known):
                found.append(_NO_FAMILY[family])


def shown(seen: Seen) -> dict[str, Any]:
    """What the answers said, for a person to read."""
    authority = seen.authority
    return {
        "name": seen.name,
        "resolvers": {
            one.resolver: {"A": _shown(one.four), "AAAA": _shown(one.six)} for one in seen.resolved
        },
        "https": _shown(seen.https) if seen.https is not None else None,
        "mail": msgspec.to_builtins(seen.mail),
        "authoritative": {"A": _shown(authority.four), "AAAA": _shown(authority.six)} if authority else None,
        "delegations": [
            {
                "zone": text_of(zone.name),
                "servers": {text_of(one.server.name): one.told for one in health},
            }
            for zone, health in (authority.zones if authority and authority.zones else [])
        ],
        "dnssec": {"state": authority.trust.state, "reason": authority.trust.reason} if authority else None,
    }


def _shown(found: Found) -> dict[str, Any]:
    if found.ends is None:
        return {"problem": found.problem}
    rows = sorted(rdata.to_text() for rdata in found.ends.found) if found.ends.found is not None else []
    return {"names": [text_of(name) for name in found.ends.names], "ends": found.ends.how, "rows": rows[:64]}

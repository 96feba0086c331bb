"""What the authoritative servers say about a name, from the root down."""

from __future__ import annotations

import msgspec
from dns.name import Name
from dns.rdatatype import RdataType

from collectors.dns.lookups import Found
from collectors.dns.messages import LONGEST_CHAIN, Ends, Problem, follow, rrset, target_of, text_of
from collectors.dns.trust import Trust, Validator
from collectors.dns.walk import AAAA, CNAME, A, Checker, Health, UnseenError, Walker, Zone

_WORST = ("secure", "insecure", "unknown", "bogus")


class Authority(msgspec.Struct, kw_only=True):
    """``zones`` with the health of their servers, from below the top to the zone that holds the name; None =
    the walk ended before it. ``zone`` None likewise. ``trust``: of the answers, aliases included."""

    zones: list[tuple[Zone, list[Health]]] | None = None
    zone: str | None = None
    four: Found = msgspec.field(default_factory=Found)
    six: Found = msgspec.field(default_factory=Found)
    trust: Trust = Trust(state="unknown")
    problem: Problem | None = None
    at: str = ""  # the zone whose servers the problem is with


async def authority_of(walker: Walker, checker: Checker, validator: Validator, name: Name) -> Authority:
    """Walk to a name, look at every server on the way, ask for A and AAAA, follow aliases, and validate."""
    seen = Authority()
    try:
        path = await walker.path(name)
    except UnseenError as error:
        seen.problem, seen.at = error.problem, text_of(error.zone.name)
        zones = [(zone, await checker.check(zone)) for zone in _above(error.zone)]
        # Where no server of the last zone has it, nothing below can be: the walk ended where the names do.
        if zones and not any("ok" in health.told.values() for health in zones[-1][1]):
            seen.zones = zones
            seen.trust = await validator.zone(error.zone)
        return seen
    seen.zone = text_of(path[-1].name)
    seen.zones = [(zone, await checker.check(zone)) for zone in path if zone.parent is not None]
    trusts: list[Trust] = []
    for type_ in (A, AAAA):
        found = await _follow(walker, validator, name, type_, trusts)
        seen.four, seen.six = (found, seen.six) if type_ == A else (seen.four, found)
    seen.trust = max(trusts, key=lambda trust: _WORST.index(trust.state))
    return seen


def _above(zone: Zone) -> list[Zone]:
    found = []
    at: Zone | None = zone
    while at is not None and at.parent is not None:
        found.append(at)
        at = at.parent
    return found[::-1]


async def _follow(
    walker: Walker, validator: Validator, name: Name, type_: RdataType, trusts: list[Trust]
) -> Found:
    """One type of a name at the servers of its zone, and of the zone of each alias."""
    names = [name]
    ttls: list[int] = []
    try:
        while True:
            zone = (await walker.path(names[-1]))[-1]
            told = await walker.ask(zone, names[-1], type_)
            trusts.append(await validator.answer(zone, told, names[-1], type_))
            alias = rrset(told.answer, names[-1], CNAME)
            if alias is None or rrset(told.answer, names[-1], type_) is not None:
                ends = follow(told, names[-1], type_)
                ttl = min([*ttls, ends.ttl]) if ends.ttl is not None else None
                return Found(ends=Ends(names, ends.how, ends.found, ttl))
            ttls.append(alias.ttl)
            if target_of(alias) in names or len(names) > LONGEST_CHAIN:
                return Found(ends=Ends(names, "loop"))
            names.append(target_of(alias))
    except UnseenError as error:
        trusts.append(Trust(state="unknown", problem=error.problem))
        return Found(problem=error.problem)

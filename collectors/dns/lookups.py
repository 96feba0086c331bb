"""What the user's resolvers say about a name, and what its mail hosts are."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

import dns.name
import dns.rdatatype
import dns.reversename
import msgspec
from dns.name import Name
from dns.rdatatype import RdataType

from collectors.dns.messages import LONGEST_CHAIN, Ends, Problem, Question, follow, text_of
from collectors.dns.peer import Peer
from collectors.dns.walk import AAAA, A

MX, PTR, HTTPS = dns.rdatatype.MX, dns.rdatatype.PTR, dns.rdatatype.HTTPS
_MOST_ROWS = 64  # addresses or mail hosts of one name that are kept
_MOST_HOSTS = 16


class Found(msgspec.Struct, kw_only=True):
    """What was told of a name and type: where its aliases lead, or a problem."""

    ends: Ends | None = None
    problem: Problem | None = None
    ms: float | None = None  # of the first answer

    @property
    def addresses(self) -> list[str]:
        """Addresses at the end of the aliases."""
        found = self.ends.found if self.ends is not None else None
        return [rdata.address for rdata in found][:_MOST_ROWS] if found is not None else []


class Resolved(msgspec.Struct, kw_only=True):
    """What one resolver told: A and AAAA, with the time of each try in milliseconds."""

    resolver: str
    four: Found
    six: Found
    times_four: list[float] = msgspec.field(default_factory=list)
    times_six: list[float] = msgspec.field(default_factory=list)

    @property
    def answered(self) -> bool:
        """Both questions were settled."""
        return self.four.ends is not None and self.six.ends is not None


class MailHost(msgspec.Struct, kw_only=True):
    """A mail exchange. None = not seen."""

    name: str
    preference: int
    addresses: list[str] | None = None
    reverse: list[str] | None = None
    greets: bool | None = None


class Mail(msgspec.Struct, kw_only=True):
    """Hosts in order of preference; None = not seen, for one of ``problems``."""

    hosts: list[MailHost] | None = None
    problems: list[Problem] = msgspec.field(default_factory=list)


async def resolve(peer: Peer, server: str, name: Name, type_: RdataType) -> Found:
    """Ask a resolver, and again for the end of an alias that it left open."""
    reply = await peer.ask(server, Question(name, type_, recurse=True))
    if reply.settled is None:
        return Found(problem=reply.problem)
    ends, first = follow(reply.settled, name, type_), reply.ms
    names = list(ends.names)
    while ends.how == "open":
        if len(names) > LONGEST_CHAIN:
            return Found(ends=Ends(names, "loop"), ms=first)
        reply = await peer.ask(server, Question(names[-1], type_, recurse=True))
        if reply.settled is None:
            return Found(problem=reply.problem)
        ends = follow(reply.settled, names[-1], type_)
        if set(ends.names[1:]) & set(names) or ends.how == "loop":
            return Found(ends=Ends([*names, *ends.names[1:]], "loop"), ms=first)
        if len(ends.names) == 1 and ends.how == "open":
            return Found(problem="nonsense")
        names += ends.names[1:]
    return Found(ends=ends._replace(names=names), ms=first)


async def resolved(peer: Peer, server: str, name: Name, tries: int) -> Resolved:
    """A and AAAA of a name, in turns: neither is always the one that finds the resolver's memory cold."""
    four: list[Found] = []
    six: list[Found] = []
    for turn in range(tries):
        for type_ in (A, AAAA) if turn % 2 == 0 else (AAAA, A):
            found = await resolve(peer, server, name, type_)
            (four if type_ == A else six).append(found)
        if four[-1].ends is None and six[-1].ends is None:
            break
    return Resolved(
        resolver=server,
        four=_best(four),
        six=_best(six),
        times_four=[f.ms for f in four if f.ms is not None],
        times_six=[f.ms for f in six if f.ms is not None],
    )


def _best(found: Sequence[Found]) -> Found:
    return next((f for f in found if f.ends is not None), found[0])


def median_ms(times: Sequence[float]) -> float | None:
    """Median in milliseconds; None of none."""
    return round(statistics.median(times), 3) if times else None


async def first_settled(peer: Peer, servers: Sequence[str], name: Name, type_: RdataType) -> Found:
    """What the first resolver says that settles the question, else the first one's problem."""
    first: Found | None = None
    for server in servers:
        found = await resolve(peer, server, name, type_)
        if found.ends is not None:
            return found
        first = first or found
    return first or Found(problem="no_server")


async def mail_of(peer: Peer, servers: Sequence[str], name: Name, *, smtp: bool) -> Mail:
    """The mail hosts of a name. [] = it takes no mail: no MX record, or the null one (RFC 7505)."""
    told = await first_settled(peer, servers, name, MX)
    if told.ends is None:
        return Mail(problems=[told.problem or "silent"])
    found = told.ends.found
    rows = sorted((rdata.preference, rdata.exchange) for rdata in found) if found is not None else []
    hosts: list[MailHost] = []
    problems: list[Problem] = []
    for preference, exchange in rows[:_MOST_HOSTS]:
        if exchange != dns.name.root:
            host = MailHost(name=text_of(exchange), preference=preference)
            problems += await _complete(peer, servers, host, exchange, smtp=smtp)
            hosts.append(host)
    return Mail(hosts=hosts, problems=problems)


async def _complete(
    peer: Peer, servers: Sequence[str], host: MailHost, exchange: Name, *, smtp: bool
) -> list[Problem]:
    """Addresses of a mail host, where its IPv6 addresses lead back to, and whether it greets there."""
    problems: list[Problem] = []
    found = [await first_settled(peer, servers, exchange, type_) for type_ in (A, AAAA)]
    problems += [one.problem for one in found if one.problem is not None]
    if not problems:
        host.addresses = [address for one in found for address in one.addresses]
    if found[1].ends is None:
        return problems
    back: list[str] = []
    whole = True
    for address in found[1].addresses:
        pointer = await first_settled(peer, servers, dns.reversename.from_address(address), PTR)
        whole = whole and pointer.ends is not None
        problems += [pointer.problem] if pointer.problem is not None else []
        rows = pointer.ends.found if pointer.ends is not None else None
        back += [text_of(rdata.target) for rdata in rows] if rows is not None else []
    host.reverse = list(dict.fromkeys(back))[:_MOST_ROWS] if whole else None
    if smtp and found[1].addresses:
        told = [await peer.greet(address) for address in found[1].addresses]
        greeted = any(greets for greets, _ in told)
        unseen = [problem for _, problem in told if problem is not None]
        host.greets = True if greeted else None if unseen else False
        problems += [] if greeted else unseen
    elif smtp:
        host.greets = False
    return problems


def hints_of(found: Found) -> list[str] | None:
    """Address hints of HTTPS records (RFC 9460 §7.3); None = not seen."""
    if found.ends is None:
        return None
    rows: list[Any] = list(found.ends.found or [])
    hints: list[str] = []
    for rdata in rows:
        for key in (4, 6):  # ipv4hint, ipv6hint
            param = getattr(rdata, "params", {}).get(key)
            hints += [str(ip_address(address)) for address in getattr(param, "addresses", ())]
    return list(dict.fromkeys(hints))[:_MOST_ROWS]

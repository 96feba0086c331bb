"""Walking down from the root: the zone cuts above a name, and the servers of each zone.

One label at a time is asked of the servers of the zone above (RFC 9156), so every cut on the way is seen.
What one name's walk found serves all others of the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import dns.flags
import dns.name
import dns.rcode
import dns.rdatatype
import msgspec
from dns.message import Message
from dns.name import Name
from dns.rdatatype import RdataType
from dns.rrset import RRset

from collectors.dns.messages import Problem, Question, Reply, rrset
from collectors.dns.peer import Peer

A, AAAA, NS, SOA, CNAME = (dns.rdatatype.from_text(t) for t in ("A", "AAAA", "NS", "SOA", "CNAME"))
_MOST_SERVERS = 16  # of a delegation that are looked at; more are nobody's
_MOST_ADDRESSES = 8  # of one server
_MOST_ASKED = 8  # addresses that one question goes to before it counts as not answered
_DEEPEST = 6  # walks for servers of servers of servers


class UnseenError(Exception):
    """The walk could not go on: why, and at which zone."""

    def __init__(self, problem: Problem, zone: Zone) -> None:
        super().__init__(problem)
        self.problem = problem
        self.zone = zone


class ZoneServer(msgspec.Struct, kw_only=True):
    """A server that a zone is delegated to. ``addresses`` None = not seen, for ``problem``; [] = it has none,
    where ``problem`` may say why none can be had."""

    name: Name
    addresses: list[str] | None = None
    problem: Problem | None = None


class Zone(msgspec.Struct, kw_only=True):
    """A zone as it is reached: through ``ask``, the addresses of its servers, in the order they are asked."""

    name: Name
    servers: list[ZoneServer]
    ask: list[str]
    parent: Zone | None = None


class Cut(msgspec.Struct, kw_only=True):
    """What stands at a name below a zone: another zone, or none; ``exists`` False = no such name."""

    zone: Zone | None = None
    exists: bool = True


class Walker:
    """The zones that have been seen so far."""

    def __init__(self, peer: Peer, tops: dict[Name, list[str]], first: str) -> None:
        """``tops``: zones with the servers to be asked, whatever their parents say; the root is among them.
        ``first``: the family whose addresses are asked before the others ("ipv4", "ipv6")."""
        self._peer = peer
        self._six_first = first == "ipv6"
        self.tops = {
            name: Zone(name=name, servers=[], ask=self._ordered(servers)) for name, servers in tops.items()
        }
        self._shared: dict[tuple[Name, Name], asyncio.Future[Cut]] = {}
        self._hosts: dict[Name, list[str]] = {}

    def _ordered(self, addresses: Iterable[str]) -> list[str]:
        return sorted(dict.fromkeys(addresses), key=lambda a: (":" in a) != self._six_first)

    async def path(self, name: Name) -> list[Zone]:
        """Zones from the top to the one that holds a name, the top first. Raises UnseenError."""
        return await self._path(name, ())

    async def ask(self, zone: Zone, name: Name, type_: RdataType) -> Message:
        """What a server of the zone says with authority, or to refer further down. Raises UnseenError."""
        try:
            return await self._ask(zone, name, type_)
        except UnseenError as error:
            if error.problem != "servfail" or type_ == CNAME:
                raise
            # some servers answer so where an alias leads back to itself; the alias alone they tell
            told = await self._ask(zone, name, CNAME)
            if rrset(told.answer, name, CNAME) is None:
                raise
            return told

    async def _ask(self, zone: Zone, name: Name, type_: RdataType) -> Message:
        problem = _without_servers(zone)
        question = Question(name, type_, signed=True)
        for server in zone.ask[:_MOST_ASKED]:
            reply = await self._peer.ask(server, question)
            if reply.settled is not None and _is_of(reply.settled, zone.name, name):
                return reply.settled
            problem = reply.problem or "lame"
        raise UnseenError(problem, zone)

    async def addresses(self, name: Name, via: tuple[Name, ...]) -> list[str]:
        """Addresses of a host, both families; ``via``: the zones for whose sake it is asked. Raises
        UnseenError."""
        if name not in self._hosts:
            zone = (await self._path(name, via))[-1]
            found: list[str] = []
            for type_ in (A, AAAA):
                found += _addresses(await self.ask(zone, name, type_), name, type_)
            self._hosts[name] = found[:_MOST_ADDRESSES]
        return self._hosts[name]

    async def _path(self, name: Name, via: tuple[Name, ...]) -> list[Zone]:
        found = [max((t for t in self.tops.values() if name.is_subdomain(t.name)), key=lambda t: len(t.name))]
        for labels in range(len(found[0].name) + 1, len(name) + 1):
            below = name.split(labels)[1]
            cut = await self._cut(found[-1], below, via)
            if cut.zone is not None:
                found.append(cut.zone)
            if not cut.exists:
                break
        return found

    async def _cut(self, zone: Zone, below: Name, via: tuple[Name, ...]) -> Cut:
        """Cuts on a name's own way are sought once for all names. Those on the way to servers are sought for
        that one name alone, though what is known serves: two that waited for each
        other would wait forever."""
        key = (zone.name, below)
        shared = self._shared.get(key)
        if shared is not None and (shared.done() or not via):
            return await asyncio.shield(shared)
        if below in via or len(via) > _DEEPEST:
            raise UnseenError("loop", zone)
        if via:
            cut = await self._seek(zone, below, via)
            looped = any(server.problem == "loop" for server in (cut.zone.servers if cut.zone else []))
            if not looped and key not in self._shared:
                self._shared[key] = asyncio.get_running_loop().create_future()
                self._shared[key].set_result(cut)
            return cut
        task = self._shared[key] = asyncio.ensure_future(self._seek(zone, below, via))
        return await asyncio.shield(task)

    async def _seek(self, zone: Zone, below: Name, via: tuple[Name, ...]) -> Cut:
        told = await self.ask(zone, below, NS)
        referred = rrset(told.authority, below, NS)
        own = rrset(told.answer, below, NS)
        names = referred if own is None else own
        if names is None:
            return Cut(exists=told.rcode() != dns.rcode.NXDOMAIN)
        glue = _Glue(told, zone.name)
        servers = [ZoneServer(name=name) for name in sorted({one.target for one in names})[:_MOST_SERVERS]]
        made = Zone(name=below, servers=servers, ask=zone.ask if own is not None else [], parent=zone)
        inside = [server for server in servers if server.name.is_subdomain(below)]
        for server in inside:
            server.addresses = glue.addresses(server.name)
        for server in servers:
            if server not in inside:
                await self._find(server, glue, (*via, below))
        if own is None:
            made.ask = self._ordered(a for server in servers for a in server.addresses or [])
        for server in inside:
            await self._complete(server, made)
        if own is None:
            made.ask = self._ordered(a for server in servers for a in server.addresses or [])
        return Cut(zone=made)

    async def _find(self, server: ZoneServer, glue: _Glue, via: tuple[Name, ...]) -> None:
        """Addresses of a server outside its zone; where they cannot be had, those beside the delegation."""
        try:
            server.addresses = await self.addresses(server.name, via)
        except UnseenError as error:
            server.problem = error.problem
            nowhere = error.problem in ("loop", "no_glue")  # nobody can come to its addresses, not we alone
            server.addresses = glue.addresses(server.name) or ([] if nowhere else None)

    async def _complete(self, server: ZoneServer, zone: Zone) -> None:
        """Addresses of a server inside its zone: those beside the delegation, and what the zone itself says
        where any of its servers can be reached by them."""
        beside = server.addresses or []
        try:
            for type_ in (A, AAAA):
                told = await self.ask(zone, server.name, type_)
                beside = [*beside, *_addresses(told, server.name, type_)]
        except UnseenError as error:
            server.problem = error.problem if beside else "no_glue"
        server.addresses = list(dict.fromkeys(beside))[:_MOST_ADDRESSES]


def _without_servers(zone: Zone) -> Problem:
    """Why a zone whose servers have no address has none."""
    whys: list[Problem] = ["loop", "no_glue"]
    problems = {server.problem for server in zone.servers}
    return next((why for why in whys if why in problems), "no_server")


class _Glue:
    """Addresses beside a delegation, of names that the zone above may speak for; of others it is hearsay."""

    def __init__(self, message: Message, zone: Name) -> None:
        self._sets = [one for one in message.additional if one.name.is_subdomain(zone)]

    def addresses(self, name: Name) -> list[str]:
        found = [rrset(self._sets, name, type_) for type_ in (A, AAAA)]
        return [rdata.address for one in found if one is not None for rdata in one][:_MOST_ADDRESSES]


def _addresses(message: Message, name: Name, type_: RdataType) -> list[str]:
    found: RRset | None = rrset(message.answer, name, type_)
    return [rdata.address for rdata in found] if found is not None else []


def _is_of(message: Message, zone: Name, name: Name) -> bool:
    """Whether a settled answer is the zone's: with authority, or referring to a zone further down on the way
    to the name. One that refers sideways or up is of a server that does not have the zone."""
    if message.flags & dns.flags.AA:
        return True
    return any(
        one.rdtype == NS and one.name != zone and one.name.is_subdomain(zone) and name.is_subdomain(one.name)
        for one in message.authority
    )


class Health(msgspec.Struct, kw_only=True):
    """What the addresses of one server said when asked for the SOA of its zone. ``ok``, ``lame`` (it answered
    without authority) or a problem; of an address."""

    server: ZoneServer
    told: dict[str, str]


class Checker:
    """Asks each server of a zone whether it has the zone, once in a run."""

    def __init__(self, peer: Peer, families: Iterable[str]) -> None:
        self._peer = peer
        self._families = frozenset(families)
        self._checked: dict[Name, asyncio.Future[list[Health]]] = {}

    async def check(self, zone: Zone) -> list[Health]:
        """One row for each server, in their order."""
        if zone.name not in self._checked:
            self._checked[zone.name] = asyncio.ensure_future(self._check(zone))
        return await asyncio.shield(self._checked[zone.name])

    async def _check(self, zone: Zone) -> list[Health]:
        jobs: list[Awaitable[Health]] = [self._one(zone, server) for server in zone.servers]
        return list(await asyncio.gather(*jobs))

    async def _one(self, zone: Zone, server: ZoneServer) -> Health:
        wanted = [a for a in server.addresses or [] if family_of(a) in self._families]
        said = await asyncio.gather(*(self._peer.ask(a, Question(zone.name, SOA)) for a in wanted))
        return Health(
            server=server, told={a: _health(r, zone.name) for a, r in zip(wanted, said, strict=True)}
        )


def _health(reply: Reply, zone: Name) -> str:
    if reply.message is None:
        return reply.problem or "silent"
    told = reply.settled
    has = told is not None and told.flags & dns.flags.AA and rrset(told.answer, zone, SOA) is not None
    return "ok" if has else "lame"


def family_of(address: str) -> str:
    """ "ipv6" or "ipv4"."""
    return "ipv6" if ":" in address else "ipv4"


async def reachable(peer: Peer, servers: Iterable[str], zone: Name, at_most: int = 4) -> bool:
    """Whether one of some servers answers anything at all."""
    asked = [peer.ask(server, Question(zone, SOA)) for server in list(servers)[:at_most]]
    return any(reply.message is not None for reply in await asyncio.gather(*asked))


Asking = Callable[[Zone, Name, RdataType], Awaitable[Message]]
"""How a zone's servers are asked, as ``Walker.ask`` does."""

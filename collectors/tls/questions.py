"""Which questions are asked of one endpoint, in which order, and what follows from the answers.

A server names one suite of those it is offered; offered again without it, it names the next, until it
refuses. Groups and signature schemes likewise; those named already stand last in the hellos that ask for
suites, so that a server which goes by the client's order tells new ones by the way. An alert is a refusal.
So is a close or a reset, but only of a server that still answers the first good question when all others
have been asked: one that limits connections would look as if it refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, Protocol

import msgspec

from collectors.tls.codes import (
    GROUPS_12,
    GROUPS_13,
    SCHEMES,
    SM_GROUP,
    SM_SCHEME,
    SM_SUITES,
    WIRE,
    suite_name,
    suites_of,
)
from collectors.tls.flight import Answer
from collectors.tls.hello import Hello
from inventory.kinds.crypto import TlsVersion

_SCHEMES: Final = tuple(code for code in SCHEMES if code != SM_SCHEME)
_NOT_A_REFUSAL: Final = frozenset({49, 112})  # access_denied, unrecognized_name
# other bytes than TLS too: a peer that was heard speaking TLS has read the hello
_REFUSALS: Final = frozenset({"alert", "hello", "closed", "reset", "not_tls"})
_MOST_SUITES = 200  # a server that takes more names what it was not offered
_HANDSHAKE_FAILURE = 40
_GIVE_UP_AFTER = 2  # questions in a row that were not answered in time


class Stopped(Exception):  # noqa: N818 - it is no error: what was seen stays
    """No further question makes sense."""


class Asker(Protocol):
    """Asks one question of one endpoint."""

    async def ask(self, hello: Hello) -> Answer:
        """The answer; never raises for the peer's doing. Raises NoTlsError of ``starttls``."""
        ...


class VersionSeen(msgspec.Struct, kw_only=True):
    """``offered`` None = could not be told. ``suites`` are codes; ``whole``: there are no others."""

    offered: bool | None = None
    by_close: bool = False  # refused without an alert
    suites: list[int] = msgspec.field(default_factory=list)
    whole: bool = False
    preference: str | None = None


class Seen(msgspec.Struct, kw_only=True):
    """What the questions showed. ``chains``: suite → certificates; ``reachable`` False = no connection.
    ``why`` tells in a word why something is missing: an ``End``, or "throttled", "name"."""

    reachable: bool = True
    not_tls: bool = False
    alerted: bool = False  # it refused in the words of TLS
    said: bytes = b""
    versions: dict[TlsVersion, VersionSeen] = msgspec.field(
        default_factory=lambda: {version: VersionSeen() for version in WIRE}
    )
    groups: dict[int, None] = msgspec.field(default_factory=dict)
    dh_bits: set[int] = msgspec.field(default_factory=set)
    groups_whole: bool = False
    schemes: dict[int, None] = msgspec.field(default_factory=dict)
    schemes_whole: bool = False
    chains: list[tuple[TlsVersion, int, list[bytes]]] = msgspec.field(default_factory=list)
    why: dict[str, None] = msgspec.field(default_factory=dict)

    def offers(self, version: TlsVersion) -> bool:
        """Whether the version was seen."""
        return self.versions[version].offered is True

    @property
    def only_sm(self) -> bool:
        """TLS 1.3 is spoken, and with the suites of RFC 8998 alone."""
        suites = self.versions["TLS 1.3"].suites
        return bool(suites) and set(suites) <= set(SM_SUITES)


async def observe(asker: Asker, seen: Seen, server_name: str) -> None:
    """Fill ``seen`` as the answers come, so that what is cut off at a deadline keeps what there was."""
    questions = _Questions(asker, seen, server_name)
    try:
        for version in WIRE:
            await questions.version(version)
        if questions.first_good is None and not any(v.offered for v in seen.versions.values()):
            for state in seen.versions.values():  # it refuses whatever we say: nothing is known of it
                state.offered, state.whole = None, False
            return
        await questions.all_groups()
        await questions.all_schemes()
        await questions.again()
    except Stopped:
        pass


class _Questions:
    """The conversation with one endpoint."""

    def __init__(self, asker: Asker, seen: Seen, server_name: str) -> None:
        self.asker, self.seen, self.server_name = asker, seen, server_name
        self.unanswered = 0
        self.first_good: Hello | None = None
        self.shares = False
        self.hung_up = False

    async def ask(self, hello: Hello) -> Answer:
        answer = await self.asker.ask(hello)
        if answer.end in ("refused", "unreachable"):
            if self.first_good is None and not self.seen.said:
                self.seen.reachable = False
            self.seen.why[answer.end] = None
            raise Stopped
        if answer.end == "not_tls":
            self.seen.said = self.seen.said or answer.said
            if self.first_good is None:
                self._speaks_something_else()
            self.seen.why["not_tls"] = None
        if answer.end in ("silent", "too_long"):
            self.seen.why[answer.end] = None
            self.unanswered += 1
            if self.unanswered >= _GIVE_UP_AFTER:
                raise Stopped
        else:
            self.unanswered = 0
        if answer.end == "hello" and self.first_good is None:
            self.first_good = hello
        if answer.end == "alert":
            self.seen.alerted = True
        if answer.alert in _NOT_A_REFUSAL:
            self.seen.why["name"] = None
        self.hung_up |= answer.end in ("closed", "reset")
        return answer

    def _speaks_something_else(self) -> None:
        """A peer that answers a hello with other bytes has read it, and is no TLS server."""
        self.seen.not_tls = True
        for version in self.seen.versions.values():
            version.offered, version.whole = False, True
        raise Stopped

    def hello(self, version: TlsVersion, suites: Sequence[int], **more: object) -> Hello:
        if version == "SSL 3.0" or (version == "TLCP 1.1" and not more):
            return Hello(version=version, suites=tuple(suites), plain=True)
        fields: dict[str, object] = {
            "groups": self._groups_to_offer(version),
            "schemes": self._schemes_to_offer(version),
            "server_name": self.server_name,
            "shares": self.shares,
        }
        return Hello(version=version, suites=tuple(suites), **{**fields, **more})  # type: ignore[arg-type]

    def _groups_to_offer(self, version: TlsVersion) -> tuple[int, ...]:
        if version == "TLS 1.3":
            return GROUPS_13
        return () if version == "TLCP 1.1" else _news_first(GROUPS_12, tuple(self.seen.groups))

    def _schemes_to_offer(self, version: TlsVersion) -> tuple[int, ...]:
        if version == "TLS 1.3":
            return _SCHEMES
        return _news_first(_SCHEMES, tuple(self.seen.schemes)) if version == "TLS 1.2" else ()

    async def version(self, version: TlsVersion) -> None:
        """Whether a version is offered, and with which suites."""
        state = self.seen.versions[version]
        batches = suites_of(version)
        whole = True
        for number, batch in enumerate(batches):
            if number and not state.offered and state.by_close:
                break  # a server that hangs up on one hello hangs up on the other
            if number and not _worth_more(version, self.seen):
                break
            whole &= await self._suites(version, state, batch, lambda left: self.hello(version, left))
        if version == "TLS 1.3":
            whole &= await self._rfc8998(state)
        if "tlcp_alert" in self.seen.why and self.server_name:
            whole = await self._tlcp_by_name(state)
        state.whole = whole and state.offered is not None
        if state.offered and len(state.suites) > 1:
            await self._preference(version, state)

    async def _tlcp_by_name(self, state: VersionSeen) -> bool:
        """TLCP knows no extensions, yet a gateway of many sites may want the name (RFC 6066)."""

        def hello(left: Sequence[int]) -> Hello:
            return self.hello("TLCP 1.1", left, server_name=self.server_name)

        del self.seen.why["tlcp_alert"]
        return await self._suites("TLCP 1.1", state, suites_of("TLCP 1.1")[0], hello)

    async def _rfc8998(self, state: VersionSeen) -> bool:
        """The suites of SM4, with the group and the scheme of SM2 and a key share."""

        def hello(left: Sequence[int]) -> Hello:
            return self.hello("TLS 1.3", left, groups=(SM_GROUP,), schemes=(SM_SCHEME,), shares=True)

        before = len(state.suites)
        whole = await self._suites("TLS 1.3", state, SM_SUITES, hello)
        if len(state.suites) > before:
            self.seen.groups[SM_GROUP] = None
        return whole

    async def _suites(
        self,
        version: TlsVersion,
        state: VersionSeen,
        offer: Sequence[int],
        make: Callable[[Sequence[int]], Hello],
    ) -> bool:
        """Take suites off the offer until the server refuses; whether it came to that."""
        left = list(offer)
        while left and len(state.suites) < _MOST_SUITES:
            answer = await self.ask(make(left))
            if answer.end == "alert" and version == "TLS 1.3" and self._no_shares_understood(answer):
                self.shares = True
                continue
            if version == "TLCP 1.1" and not state.suites and _in_tlcp(answer):
                self.seen.why["tlcp_alert"] = None
                return False
            if answer.end != "hello" or answer.version != version:
                return self._refused(state, answer)
            if answer.suite not in left:
                self.seen.why["nonsense"] = None
                return False
            state.offered = True
            state.suites.append(answer.suite)
            left.remove(answer.suite)
            self._take(version, answer)
        return True

    def _no_shares_understood(self, answer: Answer) -> bool:
        # decode_error, illegal_parameter, missing_extension, internal_error
        return not self.shares and self.first_good is None and answer.alert in (47, 50, 80, 109)

    def _refused(self, state: VersionSeen, answer: Answer) -> bool:
        """Whether an answer says for sure that nothing (more) is offered."""
        sure = answer.end in _REFUSALS and answer.alert not in _NOT_A_REFUSAL
        state.by_close |= answer.end in ("closed", "reset")
        if sure and state.offered is None:
            state.offered = False
        return sure

    def _take(self, version: TlsVersion, answer: Answer) -> None:
        if answer.group is not None:
            self.seen.groups[answer.group] = None
        if answer.dh_bits:
            self.seen.dh_bits.add(answer.dh_bits)
        if answer.scheme is not None:
            self.seen.schemes[answer.scheme] = None
        if version == "TLCP 1.1":
            self.seen.schemes[SM_SCHEME] = None
        chain = answer.certificates
        if chain and not any(v == version and held[:2] == chain[:2] for v, _, held in self.seen.chains):
            self.seen.chains.append((version, answer.suite, chain))

    async def _preference(self, version: TlsVersion, state: VersionSeen) -> None:
        """Offered in reverse, a server with an order of its own names the same first suite."""
        plain = [c for c in state.suites if c not in SM_SUITES]
        if len(plain) < 2:
            return
        answer = await self.ask(self.hello(version, plain[::-1]))
        if answer.end == "hello" and answer.version == version:
            state.preference = "server" if answer.suite == plain[0] else "client"

    async def all_groups(self) -> None:
        """Groups of TLS 1.3, then of the newest older version that has elliptic curves: those that are not
        known by then."""
        whole = True
        suites = [c for c in self.seen.versions["TLS 1.3"].suites if c not in SM_SUITES]
        if suites:
            whole &= await self._groups("TLS 1.3", suites, GROUPS_13)
        for version in _older(self.seen):
            curves = [c for c in self.seen.versions[version].suites if "ECDH" in suite_name(c)]
            if curves:
                whole &= await self._groups(version, curves, GROUPS_12)
                break
        self.seen.groups_whole = whole

    async def _groups(self, version: TlsVersion, suites: Sequence[int], offer: Sequence[int]) -> bool:
        known = [code for code in offer if code in self.seen.groups]
        left = [code for code in offer if code not in known]
        behind = False  # known ones are offered too, behind the others: a server may need its key's own curve
        own_curve = version != "TLS 1.3" and any("ECDSA" in suite_name(code) for code in suites)
        while left:
            groups = (*left, *known) if behind else tuple(left)
            answer = await self.ask(self.hello(version, suites, groups=groups))
            if answer.end == "hello" and answer.version == version and answer.group in left:
                self.seen.groups[answer.group] = None
                known.append(answer.group)
                left.remove(answer.group)
            elif answer.end not in _REFUSALS:
                return False
            elif behind or not known or not own_curve or answer.end == "hello":
                return True  # nothing new; or a static key, or a curve whatever was offered
            else:
                behind = True
        return True

    async def all_schemes(self) -> None:
        """Signature schemes of TLS 1.2; older versions have no choice, TLS 1.3 shows none."""
        suites = [
            c
            for c in self.seen.versions["TLS 1.2"].suites
            if "DHE_" in suite_name(c) and "PSK" not in suite_name(c) and "anon" not in suite_name(c)
        ]
        left = [code for code in _SCHEMES if code not in self.seen.schemes]
        while suites and left:
            answer = await self.ask(self.hello("TLS 1.2", suites, schemes=tuple(left)))
            if answer.end != "hello" or answer.version != "TLS 1.2":
                self.seen.schemes_whole = answer.end in _REFUSALS
                return
            if answer.scheme is None:
                return
            self.seen.schemes[answer.scheme] = None
            if answer.scheme not in left:  # signs with what it was not offered
                break
            left.remove(answer.scheme)
        self.seen.schemes_whole = True

    async def again(self) -> None:
        """The first good question once more; where it is not answered now, no silence was a refusal."""
        if not self.hung_up or self.first_good is None:
            return
        if (await self.ask(self.first_good)).end != "hello":
            self.seen.why["throttled"] = None
            self.seen.groups_whole = self.seen.schemes_whole = False
            for state in (v for v in self.seen.versions.values() if v.by_close):
                state.whole = False
                if state.offered is False:
                    state.offered = None


@lru_cache(maxsize=1024)
def _news_first(codes: tuple[int, ...], known: tuple[int, ...]) -> tuple[int, ...]:
    return (*(c for c in codes if c not in known), *(c for c in codes if c in known))


def _in_tlcp(answer: Answer) -> bool:
    """A refusal in TLCP's own record: it may be spoken, with suites that nobody knows here."""
    return answer.tlcp_record and answer.alert == _HANDSHAKE_FAILURE


def _worth_more(version: TlsVersion, seen: Seen) -> bool:
    """The rare suites are asked of the newest old version, or where nothing else was found."""
    return next(iter(_older(seen)), version) == version


def _older(seen: Seen) -> list[TlsVersion]:
    return [v for v in WIRE if v not in ("TLS 1.3", "TLCP 1.1") and seen.offers(v)]

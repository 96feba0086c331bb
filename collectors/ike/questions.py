"""What is asked of one address, and what its answers add up to. Pure but for the asking.

IKEv2: one algorithm at a time, with all of the other sorts beside it, and a public value of a group that is
not proposed. A responder that takes the proposal answers INVALID_KE_PAYLOAD with the group it would have had,
keeps no state and makes no key. IKEv1 has no such answer: each message proposes up to 30 combinations, the
responder takes one, and combinations that can show nothing new are not asked. A method of authentication that
is taken here may still be refused in the next message, which is never sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product
from typing import Final, Protocol, TypeVar

import msgspec

from collectors.ike import codes
from collectors.ike.packets import (
    AGGRESSIVE,
    INVALID_KE,
    MAIN,
    NO_PROPOSAL_CHOSEN,
    Proposal,
    Reply,
    Transform,
    aggressive_mode,
    main_mode,
    sa_init,
)

_PER_MESSAGE: Final = 30  # about 1 100 bytes: more would be sent in fragments, which many filters drop
_SILENT_AT_FIRST: Final = 2  # questions of a version that are not answered before it is given up
_SILENT_LATER: Final = 3
_INVALID_MAJOR_VERSION: Final = 5
_UNPROPOSED: Final = 1
_SORTS: Final = ("ciphers", "prfs", "integrities", "groups")

T = TypeVar("T")
Packet = Callable[[bytes, bytes], bytes]
"""From SPI and cookie to the message."""


_Only = dict[str, tuple[object, ...]]


class Asker(Protocol):
    """One address."""

    def ask(self, key: str, packet: Packet) -> Reply | None:
        """Ask one question by its name in a recording; None where nobody answered."""
        ...


class Told(msgspec.Struct, kw_only=True):
    """What one version came to. Code points that were taken; ``offered`` None = everything was refused;
    ``whole``: every question was answered."""

    offered: bool | None = None
    whole: bool = False
    answered: bool = False
    ciphers: list[tuple[int, int]] = msgspec.field(default_factory=list)
    hashes: list[int] = msgspec.field(default_factory=list)
    integrities: list[int] = msgspec.field(default_factory=list)
    groups: list[int] = msgspec.field(default_factory=list)
    methods: list[tuple[int, int]] = msgspec.field(default_factory=list)  # with the asymmetric algorithm


class Seen(msgspec.Struct, kw_only=True):
    """One address. ``aggressive``: method taken in aggressive mode; 0 = it was refused in words, None = could
    not be told."""

    v1: Told = msgspec.field(default_factory=Told)
    v2: Told = msgspec.field(default_factory=Told)
    aggressive: int | None = None
    vendors: list[str] = msgspec.field(default_factory=list)


def observe(asker: Asker, seen: Seen) -> None:
    """Everything about one address. Raises what the asker does; ``seen`` then holds what came before."""
    _version2(_Watched(asker, seen), seen.v2)
    _version1(_Watched(asker, seen), seen.v1)
    if seen.v1.answered:
        _aggressive(_Watched(asker, seen), seen)


class _Watched:
    """An asker that keeps vendor ids, and counts silence."""

    def __init__(self, asker: Asker, seen: Seen) -> None:
        self._asker, self._seen = asker, seen
        self.silent, self.heard = 0, False

    def ask(self, key: str, packet: Packet) -> Reply | None:
        reply = self._asker.ask(key, packet)
        if reply is None:
            self.silent += 1
            return None
        self.silent, self.heard = 0, True
        known = [vendor.hex() for vendor in reply.vendors]
        self._seen.vendors += [v for v in dict.fromkeys(known) if v not in self._seen.vendors]
        return reply

    @property
    def gone(self) -> bool:
        """Whether there is no use in asking on."""
        return self.silent >= (_SILENT_LATER if self.heard else _SILENT_AT_FIRST)


def _every(only: _Only) -> tuple[Proposal, ...]:
    """Two proposals of all that is known, with integrity algorithms and without (RFC 7296 §3.3.3); ``only``
    narrows a sort."""
    fields = {
        "ciphers": codes.V2_CIPHERS,
        "prfs": tuple(codes.V2_PRFS),
        "integrities": tuple(codes.V2_INTEGRITIES),
        "groups": tuple(group for group in codes.GROUPS if group != _UNPROPOSED),
    } | only
    ciphers: tuple[codes.Cipher, ...] = fields["ciphers"]  # type: ignore[assignment]
    plain = tuple(c for c in ciphers if not c.aead)
    whole = tuple(c for c in ciphers if c.aead and "integrities" not in only)
    common = {name: fields[name] for name in _SORTS[1:]}
    found = [Proposal(plain, **common)] if plain else []  # type: ignore[arg-type]
    if whole:
        found.append(Proposal(whole, **{**common, "integrities": ()}))  # type: ignore[arg-type]
    return tuple(found)


def _version2(asker: _Watched, told: Told) -> None:
    def taken(name: str, only: _Only, unproposed: int = _UNPROPOSED) -> bool | None:
        """Whether a proposal was taken; None where the answer does not say, or none came."""
        proposals = _every(only)
        reply = asker.ask(f"v2/{name}", lambda spi, cookie: sa_init(spi, proposals, unproposed, cookie))
        if reply is None or reply.major != 2:
            if reply is not None and reply.notified(_INVALID_MAJOR_VERSION):
                told.offered = False
            return None
        told.answered = True
        if reply.chosen2 is not None or reply.notified(INVALID_KE):
            return True
        return False if reply.notified(NO_PROPOSAL_CHOSEN) else None

    first = taken("all", {})
    if first is None and told.offered is None and not asker.gone:
        first = taken("all-again", {})
    weakest = taken("group/1", {"groups": (_UNPROPOSED,)}, 2) if first is not None else None
    if not first and not weakest:
        told.whole = told.offered is False or (first is False and weakest is False)
        return
    told.offered, told.whole = True, weakest is not None
    if weakest:
        told.groups.append(_UNPROPOSED)
    if not first:  # only the shortest group is taken: what goes with it is asked with it
        base: _Only = {"groups": (_UNPROPOSED,)}
        unproposed = 2
    else:
        base, unproposed = {}, _UNPROPOSED
    for name, only, keep in _each(told, groups=bool(first)):
        if asker.gone:
            told.whole = False
            return
        answer = taken(name, {**base, **only}, unproposed)
        if answer:
            keep()
        told.whole = told.whole and answer is not None


def _each(told: Told, *, groups: bool) -> Iterator[tuple[str, _Only, Callable[[], None]]]:
    """One question for each algorithm: its name, what it narrows, and what a yes means."""
    for c in codes.V2_CIPHERS:
        yield f"cipher/{c.name}", {"ciphers": (c,)}, partial(told.ciphers.append, (c.code, c.bits))
    for prf in codes.V2_PRFS:
        yield f"prf/{prf}", {"prfs": (prf,)}, partial(told.hashes.append, prf)
    for one in codes.V2_INTEGRITIES:
        yield f"integrity/{one}", {"integrities": (one,)}, partial(told.integrities.append, one)
    for group in codes.GROUPS if groups else ():
        if group != _UNPROPOSED:
            yield f"group/{group}", {"groups": (group,)}, partial(told.groups.append, group)


def transforms() -> list[list[Transform]]:
    """All combinations of IKEv1 that are asked, in sets that are not mixed: a responder may dislike a message
    for one attribute it has never seen."""
    usual_hashes = [code for code in codes.V1_HASHES if code != 20]
    usual = [
        Transform(c.code, c.bits, hash_, method, group)
        for method, group, c, hash_ in product(
            (codes.PSK, codes.RSA), codes.V1_GROUPS, codes.V1_CIPHERS, usual_hashes
        )
    ]
    users = [
        Transform(c.code, c.bits, hash_, method, group)
        for method, group, c, hash_ in product(
            (codes.XAUTH_PSK, codes.XAUTH_RSA, codes.HYBRID), (2, 14, 5), codes.V1_CIPHERS[:4], (2, 4, 1)
        )
    ]
    envelope = [
        Transform(c.code, 0, hash_, codes.ENVELOPE, 0, asymmetric)
        for asymmetric, c, hash_ in product((2, 1), codes.V1_DOMESTIC_CIPHERS, (20, 2))
    ]
    domestic = [
        Transform(c.code, bits, hash_, method, group)
        for method, c, bits, hash_, group in product(
            (codes.PSK, codes.RSA), codes.V1_DOMESTIC_CIPHERS[:2], (0, 128), (20, 2), (2, 14)
        )
    ]
    return [usual, users, envelope, domestic]


def _version1(asker: _Watched, told: Told) -> None:
    whole = True
    for name, wanted in zip(("usual", "users", "envelope", "domestic"), transforms(), strict=True):
        whole = _main_mode(asker, told, name, wanted) and whole
        if asker.gone or told.offered is False:
            break
    else:
        told.whole = whole
    told.whole = told.whole or told.offered is False


def _main_mode(asker: _Watched, told: Told, name: str, wanted: Iterable[Transform]) -> bool:
    """Ask for a set of combinations until all is known of them; whether it is."""
    waiting = list(wanted)
    whole = True
    number = 0
    while waiting and not asker.gone:
        # some echo one method for all that stand in a message, so methods are not mixed
        batch = [t for t in waiting[:_PER_MESSAGE] if t.method == waiting[0].method]
        number += 1
        reply = asker.ask(f"v1/{name}/{number}", lambda spi, _, batch=batch: main_mode(spi, batch))  # type: ignore[misc]
        if reply is not None and reply.major == 2:
            if reply.notified(_INVALID_MAJOR_VERSION):
                told.offered = False
                return True
            reply = None
        if reply is not None:
            told.answered = True
        chosen = reply.chosen1 if reply is not None and reply.exchange == MAIN else None
        if chosen is not None:
            told.offered = True
            _take(told, chosen)
            held = [t for t in batch if _same(t, chosen)]
            whole = whole and bool(held)
            told_of = held or batch  # one that was not proposed is no answer to any
            waiting = [t for t in waiting if _news(told, t) and t not in told_of]
        else:
            whole = whole and reply is not None and reply.notified(NO_PROPOSAL_CHOSEN)
            waiting = waiting[len(batch) :]
    return whole and not waiting


def _same(proposed: Transform, chosen: Transform) -> bool:
    """Whether this is what was chosen; some name the length of a key that has only one."""
    bits = chosen.key_bits if proposed.key_bits else 0
    return proposed[:5] == chosen._replace(key_bits=bits)[:5]


def _take(told: Told, chosen: Transform) -> None:
    told.ciphers += _new(told.ciphers, (chosen.encryption, chosen.key_bits))
    told.hashes += _new(told.hashes, chosen.hash)
    told.groups += _new(told.groups, chosen.group)
    told.methods += _new(told.methods, (chosen.method, chosen.asymmetric))


def _new(held: list[T], value: T) -> list[T]:
    """The value where it is not held yet; an attribute that was not sent is none."""
    return [value] if value and value not in held else []


def _news(told: Told, one: Transform) -> bool:
    """Whether a combination has something in it that was not taken in any other."""
    return (
        (one.encryption, one.key_bits) not in told.ciphers
        or one.hash not in told.hashes
        or (one.group != 0 and one.group not in told.groups)
        or one.method not in [method for method, _ in told.methods]
    )


def _aggressive(asker: _Watched, seen: Seen) -> None:
    """Whether aggressive mode is answered, with a pre-shared key first: it is there that an answer can be
    guessed at offline. Refused in words with what main mode takes means no."""
    refused = 0
    asked = 0
    for group in (2, 14, 5):
        wanted = [
            Transform(c.code, c.bits, hash_, method, group)
            for method, c, hash_ in product(
                (codes.PSK, codes.XAUTH_PSK, codes.RSA), codes.V1_CIPHERS[:3], (2, 4, 1)
            )
        ]
        asked += 1
        reply = asker.ask(f"v1/aggressive/{group}", lambda spi, _, w=wanted: aggressive_mode(spi, w))  # type: ignore[misc]
        if reply is not None and reply.exchange == AGGRESSIVE and reply.chosen1 is not None:
            seen.aggressive = reply.chosen1.method
            return
        refused += reply is not None and reply.notified(NO_PROPOSAL_CHOSEN)
    if refused == asked and seen.v1.offered:
        seen.aggressive = 0


def probing() -> Iterator[tuple[str, Packet]]:
    """One question of each version, to see whether anybody answers."""
    yield "v2/all", lambda spi, cookie: sa_init(spi, _every({}), _UNPROPOSED, cookie)
    yield "v1/usual/1", lambda spi, _: main_mode(spi, transforms()[0][:_PER_MESSAGE])

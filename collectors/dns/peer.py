"""What there is to ask of the outside world: asked live, kept while asked, or answered from a recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Protocol

import msgspec

from collectors.dns.messages import Problem, Question, Reply, reply_of
from collectors.dns.wire import exchange, greeting
from collectors.pace import Pace

_DEAD_AFTER = 3  # questions in vain to a server that never answered one


class Kept(msgspec.Struct, array_like=True):
    """One answer: bytes in hexadecimal, in which no shape of a secret is seen by chance (as in base64), or
    why there are none; milliseconds."""

    wire: str
    problem: Problem | None
    ms: float


class Told(msgspec.Struct):
    """``now``: when, in seconds since the epoch. Key of a question → its answers in their order; address of a
    mail server → whether it greeted."""

    now: float = 0.0
    answers: dict[str, list[Kept]] = msgspec.field(default_factory=dict)
    greetings: dict[str, tuple[bool, Problem | None]] = msgspec.field(default_factory=dict)


class Peer(Protocol):
    """All servers. ``now``: seconds since the epoch, against which signatures are dated."""

    now: float

    async def ask(self, server: str, question: Question) -> Reply:
        """One question to one server."""
        ...

    async def greet(self, address: str) -> tuple[bool, Problem | None]:
        """Whether a mail server greets; a problem where it could not be told."""
        ...


class LivePeer:
    """A ``Peer`` over the network. A server that never answered and was asked some questions in vain is not
    waited for again; ``keep`` takes what was told."""

    def __init__(self, *, now: float, seconds: float, retries: int, pace: Pace, keep: Told | None) -> None:
        self.now = now
        if keep is not None:
            keep.now = now
        self._seconds, self._retries, self._pace, self._keep = seconds, retries, pace, keep
        self._vain: Counter[str] = Counter()
        self._last: dict[str, Problem] = {}
        self._heard: set[str] = set()

    async def ask(self, server: str, question: Question) -> Reply:
        """See ``Peer``. Only silence is asked again."""
        wire, problem, ms = await self._exchange(server, question)
        if self._keep is not None:
            kept = Kept(wire.hex(), problem, round(ms, 3))
            self._keep.answers.setdefault(f"{server}/{question.key}", []).append(kept)
        return reply_of(wire, problem, ms)

    async def _exchange(self, server: str, question: Question) -> tuple[bytes, Problem | None, float]:
        wire, problem, ms = b"", self._last.get(server), 0.0
        for _ in range(1 + self._retries):
            if self._vain[server] >= _DEAD_AFTER and server not in self._heard:
                break
            await self._pace.turn()
            wire, problem, ms = await exchange(server, question, self._seconds)
            if problem != "silent":
                break
        if problem in ("silent", "closed", "unreachable"):
            self._vain[server] += 1
            self._last[server] = problem
        else:
            self._heard.add(server)
        return wire, problem, ms

    async def greet(self, address: str) -> tuple[bool, Problem | None]:
        """See ``Peer``. A greeting may take longer than a datagram (RFC 5321 §4.5.3.2.1 allows minutes)."""
        await self._pace.turn()
        told = await greeting(address, 5 * self._seconds)
        if self._keep is not None:
            self._keep.greetings[address] = told
        return told


class ReplayPeer:
    """A ``Peer`` that answers from a recording. What was not recorded was not answered."""

    def __init__(self, told: Told) -> None:
        self.now = told.now
        self._answers: Mapping[str, list[Kept]] = {key: list(kept) for key, kept in told.answers.items()}
        self._greetings = told.greetings

    async def ask(self, server: str, question: Question) -> Reply:
        """See ``Peer``."""
        kept = self._answers.get(f"{server}/{question.key}")
        if not kept:
            return Reply(None, "unasked")
        one = kept.pop(0) if len(kept) > 1 else kept[0]
        return reply_of(bytes.fromhex(one.wire), one.problem, one.ms)

    async def greet(self, address: str) -> tuple[bool, Problem | None]:
        """See ``Peer``."""
        return self._greetings.get(address, (False, "unasked"))

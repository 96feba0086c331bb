"""What is asked, and how often: of servers in memory, which go by their own order or by the client's."""

from __future__ import annotations

import asyncio

import pytest

from collectors.tls.flight import Answer
from collectors.tls.hello import Hello
from collectors.tls.questions import Seen, observe

SUITES = (0xC02F, 0xC030, 0xCCA8, 0xC013, 0xC014, 0x009C)
GROUPS = (29, 23, 24, 25)
SCHEMES = (0x0804, 0x0805, 0x0401, 0x0501, 0x0201)


class Server:
    """TLS 1.2 with ECDHE and one static suite; ``own``: its own order decides, or else the client's."""

    def __init__(self, *, own: bool) -> None:
        self.own = own
        self.hellos: list[Hello] = []

    def _first(self, mine: tuple[int, ...], theirs: tuple[int, ...]) -> int | None:
        order, other = (mine, theirs) if self.own else (theirs, mine)
        return next((code for code in order if code in other), None)

    async def ask(self, hello: Hello) -> Answer:
        self.hellos.append(hello)
        group, scheme = self._first(GROUPS, hello.groups), self._first(SCHEMES, hello.schemes)
        usable = SUITES if group is not None and scheme is not None else SUITES[-1:]
        suite = self._first(usable, hello.suites)
        if hello.version != "TLS 1.2" or suite is None:
            return Answer(end="alert", alert=40)
        answer = Answer(end="hello", version="TLS 1.2", suite=suite, certificates=[b"c"], whole=True)
        if suite != SUITES[-1]:
            answer.group, answer.scheme = group, scheme
        return answer


def seen_of(server: Server) -> Seen:
    seen = Seen()
    asyncio.run(observe(server, seen, ""))
    return seen


@pytest.mark.parametrize("own", [True, False])
def test_everything_is_found_whoever_decides(own: bool) -> None:
    seen = seen_of(Server(own=own))
    assert set(seen.versions["TLS 1.2"].suites) == set(SUITES)
    assert seen.versions["TLS 1.2"].preference == ("server" if own else "client")
    assert set(seen.groups) == set(GROUPS)
    assert set(seen.schemes) == set(SCHEMES)
    assert seen.groups_whole
    assert seen.schemes_whole
    assert all(version.whole for version in seen.versions.values())


def test_groups_and_schemes_are_told_by_the_way_where_the_client_decides() -> None:
    """Suites, the end of them in two batches, order; then one question ends groups, and one the schemes."""
    server = Server(own=False)
    seen_of(server)
    asked = [hello for hello in server.hellos if hello.version == "TLS 1.2"]
    assert len(asked) == len(SUITES) + 2 + 1 + 1 + 1

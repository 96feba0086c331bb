"""TLS at one address: versions and suites, asked as the source type ``tls`` asks."""

from __future__ import annotations

import asyncio

from collectors.tls.codes import suite_name
from collectors.tls.flight import Answer
from collectors.tls.hello import Hello
from collectors.tls.questions import Seen, VersionSeen, observe
from collectors.tls.wire import Place, exchange
from inventory.kinds.crypto import TlsVersion, VersionOffer


class _Asker:
    def __init__(self, place: Place, seconds: float) -> None:
        self._place, self._seconds = place, seconds

    async def ask(self, hello: Hello) -> Answer:
        return (await exchange(self._place, hello, self._seconds))[2]


async def versions_at(
    address: str, port: int, name: str, timeout_seconds: float, most_seconds: float
) -> list[VersionOffer] | None:
    """Each version with all its suites, in the order of their names; None where the server was not asked to
    the end of one."""
    seen = Seen()
    try:
        async with asyncio.timeout(most_seconds):
            await observe(_Asker(Place(address, port), timeout_seconds), seen, name)
    except TimeoutError:
        return None
    if seen.not_tls or not all(state.whole and state.offered is not None for state in seen.versions.values()):
        return None
    return [_offer(version, state) for version, state in seen.versions.items()]


def _offer(version: TlsVersion, state: VersionSeen) -> VersionOffer:
    return VersionOffer(
        version=version,
        offered=bool(state.offered),
        suites=sorted(suite_name(code) for code in state.suites),
        all_suites=True,
        preference=state.preference,  # type: ignore[arg-type]
    )

"""How well the home page is reached over a family: the same request several times."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from collectors.website.problems import NO_CONNECTION
from collectors.website.trip import Traveller, Trip
from collectors.website.wire import Got
from inventory.kinds.address import Family
from inventory.kinds.web import Quality

_GIVE_UP_AFTER = 3  # failures in a row, of a site that did not answer once


async def measured(traveller: Traveller, first: Trip, tries: int) -> list[Got]:
    """The first answer, and as many more of the page that it led to. Ends early where nothing ever comes."""
    if first.got is None:
        return []
    found = [first.got]
    while len(found) < tries:
        if len(found) >= _GIVE_UP_AFTER and not any(got.ok for got in found):
            break
        got = await traveller.peer.get(first.url, first.got.address)
        traveller.spent(got.size)
        found.append(got)
    return found


def quality_of(family: Family, found: Sequence[Got]) -> Quality:
    """Figures of the tries. The rate is that of the page: its bytes over the time after the first of them."""
    good = [got for got in found if got.ok]
    resent = [got.resent for got in found if got.resent is not None]
    rates = [rate for got in good if (rate := _rate(got)) is not None]
    return Quality(
        family=family,
        tries=len(found),
        succeeded=len(good),
        connect_ms=_median([got.connect_ms for got in good]),
        first_byte_ms=_median([got.first_byte_ms for got in good]),
        page_ms=_median([got.page_ms for got in good]),
        bytes_per_second=_median(rates),
        loss=round(sum(got.problem in NO_CONNECTION for got in found) / len(found), 4),
        resent=sum(resent) if len(resent) == len(found) else (None if not resent else sum(resent)),
    )


def _rate(got: Got) -> float | None:
    return got.size / got.page_ms * 1000 if got.page_ms else None


def _median(values: Sequence[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return round(statistics.median(told), 3) if told else None

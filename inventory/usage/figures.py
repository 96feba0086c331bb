"""Sums that say what is missing from them.

A sum over things of which some did not tell is a lower bound, never the total; who reads it must see both.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from inventory.kinds.usage import Amount, AmountOf
from inventory.snapshot import Snapshot
from inventory.unknown import UNKNOWN, Maybe, Unknown, known

NOT_SEEN = "unknown"
"""Key of what did not tell where it belongs ("" = it told that it belongs nowhere)."""

Dimension = Literal["source", "zone", "aggregate", "architecture", "department"]
DIMENSIONS: tuple[Dimension, ...] = ("source", "zone", "aggregate", "architecture", "department")
"""All but ``aggregate`` are partitions: their rows add up to the whole. A host may be in many aggregates."""


class Figure(msgspec.Struct, gc=False):
    """The sum of what ``told`` things told; ``unknown`` more did not."""

    value: float = 0.0
    told: int = 0
    unknown: int = 0

    def take(self, value: Maybe[float] | None, times: int = 1) -> None:
        """Add what each of ``times`` things told; UNKNOWN and None count as not told."""
        if value is None or isinstance(value, Unknown):
            self.unknown += times
        else:
            self.value += value * times
            self.told += times

    def merge(self, other: Figure) -> None:
        """Add another sum to this one."""
        self.value += other.value
        self.told += other.told
        self.unknown += other.unknown

    @property
    def seen(self) -> float | None:
        """The sum; None where nobody told, so that nothing claims a zero."""
        return self.value if self.told else None


class Share(msgspec.Struct, gc=False):
    """A part of a whole over the things that told both, so that the ratio compares like with like."""

    part: float = 0.0
    whole: float = 0.0
    told: int = 0

    def take(self, part: Maybe[float], whole: Maybe[float]) -> None:
        """Add one thing, if it told both."""
        if known(part) and known(whole):
            self.part += part
            self.whole += whole
            self.told += 1

    def merge(self, other: Share) -> None:
        """Add another share to this one."""
        self.part += other.part
        self.whole += other.whole
        self.told += other.told

    @property
    def ratio(self) -> float | None:
        """0–1, more where more is promised than may be; None where nothing is there to compare."""
        return self.part / self.whole if self.told and self.whole > 0 else None


class Usage(msgspec.Struct, kw_only=True):
    """How much of one resource the holders of one kind have, in one place of one source.

    ``capacity`` is physical; ``schedulable`` = (capacity − reserved) × ratio is what may be promised, and
    ``free`` what of it is left on holders that take new consumers. ``complete`` False: there may be holders
    that nobody saw, so every sum is "at least".
    """

    source: str
    holder: str  # kind of the holders
    dimension: Dimension
    key: str
    resource: AmountOf
    complete: bool
    holders: int = 0
    closed: int = 0  # down or disabled: their free amounts count as none
    stale: int = 0  # told by an earlier run
    capacity: Figure = msgspec.field(default_factory=Figure)
    reserved: Figure = msgspec.field(default_factory=Figure)
    schedulable: Figure = msgspec.field(default_factory=Figure)
    allocated: Figure = msgspec.field(default_factory=Figure)
    used: Figure = msgspec.field(default_factory=Figure)
    free: Figure = msgspec.field(default_factory=Figure)
    promised: Share = msgspec.field(default_factory=Share)  # allocated of schedulable
    physical: Share = msgspec.field(default_factory=Share)  # allocated of capacity
    load: Share = msgspec.field(default_factory=Share)  # used of capacity
    ratio_low: float | None = None  # smallest and largest overcommit told
    ratio_high: float | None = None

    def take(self, amount: Amount, *, closed: bool, stale: bool) -> None:
        """Add one holder's amount."""
        self.holders += 1
        self.closed += closed
        self.stale += stale
        may = schedulable(amount)
        self.capacity.take(amount.total)
        self.reserved.take(amount.reserved)
        self.schedulable.take(may)
        self.allocated.take(amount.allocated)
        self.used.take(amount.used)
        self.free.take(0.0 if closed else free(amount))
        self.promised.take(amount.allocated, may)
        self.physical.take(amount.allocated, amount.total)
        self.load.take(amount.used, amount.total)
        if known(amount.ratio):
            self._ratio(amount.ratio, amount.ratio)

    def merge(self, other: Usage) -> None:
        """Add another row: the same resource elsewhere."""
        self.complete = self.complete and other.complete
        self.holders += other.holders
        self.closed += other.closed
        self.stale += other.stale
        for name in FIGURES:
            getattr(self, name).merge(getattr(other, name))
        for name in SHARES:
            getattr(self, name).merge(getattr(other, name))
        if other.ratio_low is not None and other.ratio_high is not None:
            self._ratio(other.ratio_low, other.ratio_high)

    def _ratio(self, low: float, high: float) -> None:
        self.ratio_low = low if self.ratio_low is None else min(self.ratio_low, low)
        self.ratio_high = high if self.ratio_high is None else max(self.ratio_high, high)

    def exact(self, name: str) -> bool:
        """Whether a figure is the total and not a lower bound."""
        figure: Figure = getattr(self, name)
        return self.complete and not figure.unknown and not self.stale


FIGURES = ("capacity", "reserved", "schedulable", "allocated", "used", "free")
SHARES = ("promised", "physical", "load")


def schedulable(amount: Amount) -> Maybe[float]:
    """What of an amount may be promised: (total − reserved) × ratio; UNKNOWN unless all three were told."""
    if known(amount.total) and known(amount.reserved) and known(amount.ratio):
        return max(0.0, amount.total - amount.reserved) * amount.ratio
    return UNKNOWN


def free(amount: Amount) -> Maybe[float]:
    """What may still be promised; none where more is promised already."""
    may = schedulable(amount)
    return max(0.0, may - amount.allocated) if known(may) and known(amount.allocated) else UNKNOWN


class Coverage:
    """Whether a kind of a source was seen whole, from the latest attempts at all its scopes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._statuses: dict[tuple[str, str], set[str]] = {}
        for attempt in snapshot.collections:
            self._statuses.setdefault((attempt.source, attempt.kind), set()).add(attempt.status.value)

    def complete(self, source: str, kind: str) -> bool:
        """Every scope was read to its end, or the source has no such thing."""
        found = self._statuses.get((source, kind))
        return found is not None and found <= {"complete", "unsupported"}

    def sources(self, kind: str) -> list[str]:
        """Sources that were asked for a kind and have it, sorted."""
        return sorted(s for (s, k), found in self._statuses.items() if k == kind and found != {"unsupported"})

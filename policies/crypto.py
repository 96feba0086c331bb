"""密评: what its catalogue adds to a standard, what is known of each unit, and the score. Pure data.

``policies.standards`` loads the first, ``policies.scoring.miping`` makes the last of the others. Whatever is
None in a fact is not known: it may turn out either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import msgspec

from policies.verdict import Bounds, Verdict

CryptoEdition = Literal["2023", "2021"]
Strength = Literal["应", "宜", "可"]
Seen = Literal["auto", "evidence", "register", "person"]
JUDGEMENTS = ("D", "A", "K")
"""密码使用有效性, 密码算法和技术合规性, 密钥管理安全."""


class Layer(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A layer (安全层面): four technical, four management. ``weight`` within all layers, of 100."""

    code: str
    title: str
    technical: bool
    weight: Decimal


class GeneralRequirement(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A requirement that is never scored on its own: it ``feeds`` the A or the K of the units. ``unit``:
    clause of GB/T 43206; ``unverified``: what about it rests on memory (中文)."""

    code: str
    title: str
    clause: str
    unit: str
    feeds: Literal["A", "K"]
    unverified: str = ""


class CryptoUnit(msgspec.Struct, kw_only=True, frozen=True):
    """A unit at one level. ``code`` ("NET-01") is ours and the same at every level. ``weight`` within its
    layer; ``weight_sources``: number of public sources it was seen in. ``seen`` tells who can judge D, A and
    K; a management unit is judged as a whole and has none."""

    code: str
    layer: str
    level: int
    strength: Strength
    strength_verified: bool
    weight: Decimal
    weight_sources: int
    seen: Mapping[str, Seen]


class CryptoObject(msgspec.Struct, kw_only=True, frozen=True):
    """What is known of one object in one technical unit.

    ``name`` is unique in its unit; ``title`` is what readers call it ("" = its name). ``strength_bits``:
    security strength of the weakest algorithm or technique in use. ``module_level``: level of the crypto
    module (GB/T 37092), 0 where it has none; ``keys_managed``: what else key management asks for is met. The
    three matter only where A or K fails. ``made_up_by`` names objects, as (unit code, name), that a person
    confirmed to make up for this one (整体测评).
    """

    name: str
    title: str = ""
    d: bool | None = None
    a: bool | None = None
    k: bool | None = None
    applicable: bool = True
    strength_bits: int | None = None
    module_level: int | None = None
    keys_managed: bool | None = None
    made_up_by: tuple[tuple[str, str], ...] = ()


class UnitFacts(msgspec.Struct, kw_only=True, frozen=True):
    """What is known of one unit. Technical: ``objects``, and in ``uncovered`` each thing that belongs to the
    unit and nobody looked at (中文). Management: ``verdict``. Either may be 不适用 as a whole."""

    objects: tuple[CryptoObject, ...] = ()
    uncovered: tuple[str, ...] = ()
    verdict: Verdict = Verdict.UNKNOWN


class ObjectScore(msgspec.Struct, kw_only=True, frozen=True):
    """An object, 0–1. ``before``: as judged, before others make up for it; ``bounds``: its verdict, by ``d``,
    ``a`` and ``k`` alone (None = not known); ``made_up_by`` as in ``CryptoObject``."""

    name: str
    title: str
    d: bool | None
    a: bool | None
    k: bool | None
    before: tuple[Decimal, Decimal]
    low: Decimal
    high: Decimal
    bounds: Bounds
    made_up_by: tuple[tuple[str, str], ...] = ()


class UnitScore(msgspec.Struct, kw_only=True, frozen=True):
    """A unit, 0–1; both None where it does not apply. ``verdict`` as its objects were judged, ``bounds`` what
    that may still turn out to be, ``uncovered`` as in ``UnitFacts``; ``decided``: nothing of it is open."""

    control: str
    code: str
    title: str
    weight: Decimal
    verdict: Verdict
    low: Decimal | None
    high: Decimal | None
    decided: bool
    objects: tuple[ObjectScore, ...] = ()
    uncovered: tuple[str, ...] = ()
    bounds: Bounds | None = None


class LayerScore(msgspec.Struct, kw_only=True, frozen=True):
    """A layer, 0–1; both None where no unit of it applies."""

    code: str
    title: str
    technical: bool
    weight: Decimal
    low: Decimal | None
    high: Decimal | None
    units: tuple[UnitScore, ...]


class CryptoScore(msgspec.Struct, kw_only=True, frozen=True):
    """A score of 密评 (自查估算), 0–100. ``low``: all that is unknown fails; ``high``: it all passes; both
    None where the rule gives no number. ``exact`` only where nothing is open. ``coverage`` = decided /
    applicable units, 0–1. ``high_risks`` are met, ``open_risks`` cannot be told; None where no risk analysis
    was made. ``parameters``: every open point with the value used; ``notes``: what is not verified, and what
    a reader must know of this score (中文)."""

    edition: CryptoEdition
    level: int
    low: Decimal | None
    high: Decimal | None
    coverage: Decimal
    layers: tuple[LayerScore, ...]
    conclusion_low: str
    conclusion_high: str
    high_risks: int | None
    open_risks: int | None
    parameters: dict[str, str]
    notes: tuple[str, ...]
    unit: Literal["分"] = "分"

    @property
    def exact(self) -> Decimal | None:
        """The score, where it is a single number."""
        return self.low if self.coverage == 1 else None

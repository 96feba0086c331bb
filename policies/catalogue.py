"""How a standard stands in its files: what a catalogue, its cases and its methods of scoring may hold.

``policies.standards`` reads them; users write theirs in the same format (``docs/standards.md``).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from inventory.resource import RelationType
from policies.assessment import Automation, Trust
from policies.crypto import GeneralRequirement, Layer, Seen, Strength

Part = Literal["general", "cloud"]
Level = Literal[1, 2, 3, 4]


class Case(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A case of the high-risk guideline. ``controls`` are full ids at every level that has the clause;
    ``scope`` (中文) limits it to some systems; ``detect``: what collected data can show of it. At
    ``warn_levels`` it is told, and whether it is a high risk is open; ``unverified`` says what about the
    case rests on less than the rest (中文)."""

    id: str
    title: str
    part: str
    class_name: str = msgspec.field(name="class")
    control_point: str
    levels: tuple[int, ...]
    controls: tuple[str, ...]
    condition: str
    mitigation: str
    mitigable: bool
    detect: Literal["auto", "evidence", "manual"]
    scope: str = ""
    hint: str = ""
    major_trigger: str = ""
    warn_levels: tuple[int, ...] = ()
    unverified: str = ""


class Trigger(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A trigger of 重大风险隐患; ``case`` "" where none belongs to it."""

    code: str
    part: str
    title: str
    case: str = ""


class Principle(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    name: str
    meaning: str


class MajorRisk(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What makes a high risk a 重大风险隐患: all principles (a person judges them), and the triggers."""

    source: str = ""
    principles: tuple[Principle, ...] = ()
    triggers: tuple[Trigger, ...] = ()


class Parameter(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """An open point of a scoring method and the value taken for it; ``most`` bounds a number."""

    value: str
    verified: bool
    note: str
    choices: tuple[str, ...] = ()
    most: str = ""


class EditionMethod(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The parameters of one edition of the report template; ``used`` tells when it is (中文)."""

    title: str
    unit: str
    used: str
    parameters: dict[str, Parameter]


class CryptoItem(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a catalogue of 密评 says beside, of one unit: by level, and who can judge D, A and K."""

    code: str
    strength: dict[int, Strength]
    weight: dict[int, str]
    seen: dict[str, Seen] = msgspec.field(default_factory=dict)
    strength_verified: tuple[int, ...] = ()


class CryptoPart(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    layers: tuple[Layer, ...]
    weight_sources: dict[int, int]
    general: tuple[GeneralRequirement, ...] = ()


class Item(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One requirement. Either ``at`` tells its clause by level, or ``id`` its own code, which is the same at
    all ``levels``. ``title`` replaces that of its control point. ``verified``: what the item rests on;
    ``needs`` (中文): what would have to be read before a machine could decide it."""

    at: dict[int, str] = msgspec.field(default_factory=dict)
    id: str = ""
    levels: tuple[Level, ...] = (1, 2, 3, 4)
    title: str = ""
    automation: Automation
    objects: tuple[str, ...]
    summary: str
    summary_en: str = ""
    hint: str = ""
    verified: Trust = ""
    needs: str = ""
    unit: dict[int, str] = msgspec.field(default_factory=dict)
    crypto: CryptoItem | None = None


class Point(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A control point with its items. ``sag``: which part of a grade its level is that of (GB/T 22240)."""

    part: Part = "general"
    class_name: str = msgspec.field(name="class")
    title: str
    sag: Literal["S", "A", "G"] = "G"
    items: list[Item]


class Drop(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An item of the base that a baseline does not ask for, and why (中文)."""

    item: str
    reason: str


class Tighten(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An item of the base that a baseline asks more of, and why (中文): from a lower level on, in stricter
    words, or with a person's confirmation beside what a machine sees."""

    item: str
    reason: str
    from_level: Level | None = None
    summary: str = ""
    automation: Literal["technical-evidence", "manual"] | None = None


class Extends(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The standard that a baseline starts from, and what it changes of it; ``points`` beside add to it."""

    standard: str
    drops: list[Drop] = []
    tightens: list[Tighten] = []


class Catalogue(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    title: str
    points: list[Point] = []
    extends: Extends | None = None
    notes: tuple[str, ...] = ()
    expected: dict[Part, dict[int, int]] = msgspec.field(default_factory=dict)
    crypto: CryptoPart | None = None


class Indicator(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A share over the inventory, 0–1: of the resources of ``kind`` that ``counts`` takes (expressions as in
    rules), those that ``meets`` holds for. ``unclear`` takes those of which it cannot be told although all
    was seen; ``by`` puts resources together by what a relation of theirs leads to (one that meets is enough).
    Without ``kind`` nothing computes it yet, and ``needs`` (中文) says what would. ``measure`` names one of
    ``policies.measures`` in place of expressions, where single resources cannot tell.

    ``item`` is the requirement it decides. ``targets``: year → share that is the least from that year on
    (the most, where ``better`` is "less"); ``verified`` and ``note`` tell what the targets rest on.
    ``group`` (中文) is the heading it stands under, ``advice`` (中文) what to do about a resource that does
    not meet it; ``single_stack``: what does not meet it breaks the day IPv4 is switched off."""

    id: str
    title: str
    item: str = ""
    kind: str = ""
    counts: str = "True"
    meets: str = ""
    unclear: str = ""
    by: RelationType | None = None
    measure: str = ""
    better: Literal["more", "less"] = "more"
    targets: dict[int, str] = {}
    verified: Trust = ""
    note: str = ""
    needs: str = ""
    group: str = ""
    advice: str = ""
    single_stack: bool = False


class IndicatorsFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    title: str
    indicators: tuple[Indicator, ...]


class CasesFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    title: str
    cases: tuple[Case, ...]
    source: str = ""
    expected: dict[Part, int] = msgspec.field(default_factory=dict)
    major_risk: MajorRisk = msgspec.field(default_factory=MajorRisk)


class ScoringFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    title: str
    default: str
    editions: dict[str, EditionMethod]
    shared: dict[str, Parameter] = msgspec.field(default_factory=dict)

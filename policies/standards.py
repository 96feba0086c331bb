"""Standards: catalogues of requirements, as data.

A standard is a file ``<name>.yaml``; beside it may lie ``<name>-high-risk.yaml`` (cases),
``<name>-scoring.yaml`` (parameters of the editions) and ``<name>-decisions.yaml`` (which rules decide what
together). The program brings its own; users may have a folder with theirs in the same format. Nothing here
judges anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias, TypeVar

import msgspec

from inventory.systems import Grade
from policies.assessment import Automation, Control
from policies.crypto import JUDGEMENTS, CryptoUnit, GeneralRequirement, Layer, Seen, Strength
from policies.decisions import Decision, DecisionFile, by_control
from policies.yaml_text import YamlError, YamlText, read_yaml, typed

BUILT_IN = Path(__file__).with_name("standards")

T = TypeVar("T")
Part = Literal["general", "cloud"]
_Order: TypeAlias = tuple[int, tuple[int, ...], str]
_WEIGHT = re.compile(r"\d+(\.\d+)?")
_CITE = re.compile(r"(\d+(?:\.\d+)+)(?: ([a-z])\))?")


class StandardError(ValueError):
    """A standard that cannot be loaded, or an id that is in none; says where."""


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


class _Crypto(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a catalogue of 密评 says beside, of one unit: by level, and who can judge D, A and K."""

    code: str
    strength: dict[int, Strength]
    weight: dict[int, str]
    seen: dict[str, Seen] = msgspec.field(default_factory=dict)
    strength_verified: tuple[int, ...] = ()


class _CryptoPart(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    layers: tuple[Layer, ...]
    weight_sources: dict[int, int]
    general: tuple[GeneralRequirement, ...] = ()


class _Item(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    at: dict[int, str]
    automation: Automation
    objects: tuple[str, ...]
    summary: str
    summary_en: str = ""
    hint: str = ""
    unit: dict[int, str] = msgspec.field(default_factory=dict)
    crypto: _Crypto | None = None


class _Point(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    part: Part
    class_name: str = msgspec.field(name="class")
    title: str
    sag: Literal["S", "A", "G"]
    items: list[_Item]


class _Catalogue(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    title: str
    points: list[_Point]
    notes: tuple[str, ...] = ()
    expected: dict[Part, dict[int, int]] = msgspec.field(default_factory=dict)
    crypto: _CryptoPart | None = None


class _Cases(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    title: str
    cases: tuple[Case, ...]
    source: str = ""
    expected: dict[Part, int] = msgspec.field(default_factory=dict)
    major_risk: MajorRisk = msgspec.field(default_factory=MajorRisk)


class _Scoring(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    title: str
    default: str
    editions: dict[str, EditionMethod]
    shared: dict[str, Parameter] = msgspec.field(default_factory=dict)


class Standard(msgspec.Struct, kw_only=True, frozen=True):
    """``controls`` of all levels in the standard's order; ``same`` maps a control's id, or that of its unit
    ("miping/NET-01"), to the ids of the same requirement at every level, ``points`` to the place of its
    control point. ``expected``: part → level → number of items, where it is known. 密评 alone: ``layers`` by
    code, ``crypto`` maps a control's id to what its unit is scored by, ``general`` are the requirements that
    are never scored on their own."""

    name: str
    title: str
    notes: tuple[str, ...]
    controls: Mapping[str, Control]
    same: Mapping[str, tuple[str, ...]]
    points: Mapping[str, int]
    expected: Mapping[Part, Mapping[int, int]]
    cases: Mapping[str, Case]
    cases_title: str
    major_risk: MajorRisk
    editions: Mapping[str, EditionMethod]
    shared: Mapping[str, Parameter]
    default_edition: str
    decisions: Mapping[str, Decision] = MappingProxyType({})  # by control id
    layers: Mapping[str, Layer] = MappingProxyType({})
    crypto: Mapping[str, CryptoUnit] = MappingProxyType({})
    general: tuple[GeneralRequirement, ...] = ()

    def __contains__(self, control: object) -> bool:
        return control in self.same

    def __iter__(self) -> Iterator[Control]:
        return iter(self.controls.values())

    def get(self, control: str) -> Control:
        """The control with this id. Raises StandardError."""
        try:
            return self.controls[control]
        except KeyError:
            raise StandardError(f"{self.title} 中没有要求项 {control}") from None

    def counterparts(self, control: str) -> tuple[str, ...]:
        """Ids of the same requirement at every level that asks for it in this form, its own among them.
        Raises StandardError."""
        if control not in self.same:
            self.get(control)
        return self.same[control]

    def at_level(self, level: int) -> list[Control]:
        """All controls of one level."""
        return [c for c in self if c.level == level]

    def chosen(self, grade: Grade, *, cloud: bool) -> list[Control]:
        """What a grade asks for: S items at level S, A items at level A, G items at the higher of the two
        (GB/T 22240); the cloud part only where it applies. In the order of the control points."""
        level = {"S": grade.s, "A": grade.a, "G": grade.g}
        chosen = [c for c in self if c.level == level[c.sag] and (cloud or c.part == "general")]
        return sorted(chosen, key=lambda c: self.points[c.id])


def available(folders: Sequence[Path] = ()) -> list[str]:
    """Names of the standards that can be loaded."""
    return sorted(
        path.stem
        for folder in (BUILT_IN, *folders)
        for path in folder.glob("*.yaml")
        if not path.stem.endswith(("-high-risk", "-scoring", "-decisions"))
    )


def load_standard(name: str, folders: Sequence[Path] = ()) -> Standard:
    """The standard of this name, from the program's own or from the users' folders. Loaded once.

    Raises StandardError: unknown name, the same name in two places, an id twice, a file that does not fit.
    """
    return _load(name, tuple(folders))


@lru_cache(maxsize=16)
def _load(name: str, folders: tuple[Path, ...]) -> Standard:
    found = [path for folder in (BUILT_IN, *folders) if (path := folder / f"{name}.yaml").is_file()]
    if not found:
        raise StandardError(f"没有名为 {name} 的标准；可用的有：{'、'.join(available(folders))}")
    if len(found) > 1:
        raise StandardError(f"标准 {name} 有两份：{found[0]} 与 {found[1]}；改一个名字")
    path = found[0]
    try:
        text = read_yaml(path)
        catalogue = typed(text, _Catalogue)
        if catalogue.name != name:
            raise text.error(f"name 应与文件名一致：{name}，而不是 {catalogue.name}", ["name"])
        cases = _beside(path, "high-risk", _Cases) or _Cases(name="", title="", cases=())
        scoring = _beside(path, "scoring", _Scoring) or _Scoring(name="", title="", default="", editions={})
        by_case = _cases_by_id(cases.cases, path)
        controls, same, points = _controls(text, catalogue, by_case)
        crypto = _crypto(text, catalogue)
        decided = _beside(path, "decisions", DecisionFile)
    except YamlError as error:
        raise StandardError(str(error)) from error
    try:
        decisions = by_control(decided.decisions if decided else (), same)
    except ValueError as error:
        raise StandardError(f"{name}-decisions.yaml: {error}") from error
    return Standard(
        name=name,
        title=catalogue.title,
        notes=catalogue.notes,
        controls=MappingProxyType(controls),
        same=MappingProxyType(same),
        points=MappingProxyType(points),
        expected=MappingProxyType(catalogue.expected),
        cases=MappingProxyType(by_case),
        cases_title=cases.title,
        major_risk=cases.major_risk,
        editions=MappingProxyType(scoring.editions),
        shared=MappingProxyType(scoring.shared),
        default_edition=scoring.default,
        decisions=decisions,
        layers=MappingProxyType({x.code: x for x in catalogue.crypto.layers} if catalogue.crypto else {}),
        crypto=MappingProxyType(crypto),
        general=catalogue.crypto.general if catalogue.crypto else (),
    )


def _beside(path: Path, suffix: str, type_: type[T]) -> T | None:
    other = path.with_name(f"{path.stem}-{suffix}.yaml")
    return typed(read_yaml(other), type_) if other.is_file() else None


def _cases_by_id(cases: tuple[Case, ...], path: Path) -> dict[str, Case]:
    by_id: dict[str, Case] = {}
    for case in cases:
        if case.id in by_id:
            raise StandardError(f"{path.stem}-high-risk.yaml: 情形 {case.id} 出现两次")
        by_id[case.id] = case
    return by_id


def _controls(
    text: YamlText, catalogue: _Catalogue, cases: Mapping[str, Case]
) -> tuple[dict[str, Control], dict[str, tuple[str, ...]], dict[str, int]]:
    linked: dict[str, list[str]] = {}
    for case in cases.values():
        for id_ in case.controls:
            linked.setdefault(id_, []).append(case.id)
    unordered: list[tuple[_Order, Control]] = []
    points: dict[str, int] = {}
    same: dict[str, tuple[str, ...]] = {}
    for p, point in enumerate(catalogue.points):
        for i, item in enumerate(point.items):
            ids: list[str] = []
            for level, cite in item.at.items():
                match = _CITE.fullmatch(cite)
                if not match:
                    message = f"条款写作 8.1.3.2 或 8.1.3.2 a)，而不是 {cite}"
                    raise text.error(message, ["points", p, "items", i, "at", level])
                letter = match[2] or "a"
                control = _control(_id(catalogue.name, match), point, item, level, linked)
                if control.id in same or control.id in ids:
                    message = f"要求项 {control.id} 出现两次"
                    raise text.error(message, ["points", p, "items", i, "at", level])
                ids.append(control.id)
                points[control.id] = p
                clause = tuple(int(n) for n in match[1].split("."))
                unordered.append(((level, clause, letter), control))
            same.update(dict.fromkeys(ids, tuple(ids)))
    unknown = next((c for c in linked if c not in same), None)
    if unknown:
        raise StandardError(
            f"{text.path.stem}-high-risk.yaml: {linked[unknown][0]} 指向不存在的要求项 {unknown}"
        )
    unordered.sort(key=lambda pair: pair[0])
    for control in (control for _, control in unordered if control.code):
        same[f"{catalogue.name}/{control.code}"] = same[control.id]
    return {control.id: control for _, control in unordered}, same, points


def _id(standard: str, cite: re.Match[str]) -> str:
    return f"{standard}/{cite[1]}.{cite[2] or 'a'}"


def _crypto(text: YamlText, catalogue: _Catalogue) -> dict[str, CryptoUnit]:
    """Units of 密评 by control id: all items of a catalogue have one, or none has."""
    part = catalogue.crypto
    layers = {layer.code: layer for layer in part.layers} if part else {}
    found: dict[str, CryptoUnit] = {}
    codes: set[str] = set()
    if part and (len(layers) < len(part.layers) or any(x.weight <= 0 for x in part.layers)):
        raise text.error("层面的 code 不能重复，weight 应大于 0", ["crypto", "layers"])
    for p, point in enumerate(catalogue.points):
        for i, item in enumerate(point.items):
            place: list[str | int] = ["points", p, "items", i]
            unit = item.crypto
            if unit is None and part is None:
                continue
            if unit is None or part is None:
                raise text.error("crypto 要么整份标准都有，要么都没有", place)
            place.append("crypto")
            wrong = _wrong_unit(unit, item, point, layers) or (
                f"{unit.code} 出现两次" if unit.code in codes else ""
            )
            if wrong:
                raise text.error(wrong, place)
            codes.add(unit.code)
            for level, cite in item.at.items():
                match = _CITE.fullmatch(cite)
                if not match or level not in part.weight_sources:
                    raise text.error(f"weight_sources 缺少第 {level} 级", ["crypto", "weight_sources"])
                found[_id(catalogue.name, match)] = CryptoUnit(
                    code=unit.code,
                    layer=unit.code.partition("-")[0],
                    level=level,
                    strength=unit.strength[level],
                    strength_verified=level in unit.strength_verified,
                    weight=Decimal(unit.weight[level]),
                    weight_sources=part.weight_sources[level],
                    seen=unit.seen,
                )
    return found


def _wrong_unit(unit: _Crypto, item: _Item, point: _Point, layers: Mapping[str, Layer]) -> str:
    """What is wrong with a unit of 密评 (中文), "" where nothing is."""
    layer = layers.get(unit.code.partition("-")[0])
    if layer is None:
        return f"{unit.code} 的层面不在 crypto.layers 中"
    if layer.title != point.class_name:
        return f"{unit.code} 属于 {layer.title}，而 class 写的是 {point.class_name}"
    if not set(item.at) == set(unit.strength) == set(unit.weight):
        return f"{unit.code} 的 at、strength、weight 应写同样的级别"
    if any(not _WEIGHT.fullmatch(w) or not Decimal(w) for w in unit.weight.values()):
        return f"{unit.code} 的权重应为大于 0 的小数"
    if set(unit.seen) != (set(JUDGEMENTS) if layer.technical else set()):
        return f"{unit.code}：技术单元的 seen 写 D、A、K 三项，管理单元不写"
    return ""


def _control(id_: str, point: _Point, item: _Item, level: int, cases: Mapping[str, list[str]]) -> Control:
    return Control(
        id=id_,
        level=level,
        part=point.part,
        cite=item.at[level],
        class_name=point.class_name,
        control_point=point.title,
        sag=point.sag,
        summary=item.summary,
        summary_en=item.summary_en,
        automation=item.automation,
        objects=item.objects,
        hint=item.hint,
        unit_id=item.unit.get(level, ""),
        unit_verified=level in item.unit,
        high_risk=tuple(cases.get(id_, ())),
        code=item.crypto.code if item.crypto else "",
    )

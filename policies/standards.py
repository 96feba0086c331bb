"""Standards: catalogues of requirements, as data.

A standard is a file ``<name>.yaml``; beside it may lie ``<name>-high-risk.yaml`` (cases),
``<name>-scoring.yaml`` (parameters of the editions), ``<name>-decisions.yaml`` (which rules decide what
together), ``<name>-indicators.yaml`` (shares over the inventory) and ``<name>-responsibilities.yaml`` (who
answers for what on a cloud). The program brings its own; users may
have folders with theirs in the same format (``policies.catalogue``). Nothing here judges anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias, TypeVar

import msgspec

from inventory.systems import Grade
from policies.assessment import Control
from policies.assets import OBJECT_TITLE
from policies.baseline import Base, changed
from policies.catalogue import (
    Case,
    CasesFile,
    Catalogue,
    EditionMethod,
    Indicator,
    IndicatorsFile,
    Item,
    MajorRisk,
    Parameter,
    Part,
    Point,
    Principle,
    ScoringFile,
    Trigger,
)
from policies.crypto import CryptoUnit, GeneralRequirement, Layer
from policies.crypto_catalogue import CITE, crypto_units, id_of
from policies.decisions import Decision, DecisionFile, by_control
from policies.indicators import checked
from policies.responsibilities import Share, SharesFile, shares_of
from policies.spelling import suggestion
from policies.yaml_text import YamlError, YamlText, read_yaml, typed

__all__ = [
    "BUILT_IN",
    "Case",
    "EditionMethod",
    "MajorRisk",
    "Parameter",
    "Principle",
    "Standard",
    "StandardError",
    "Trigger",
    "available",
    "load_standard",
]

BUILT_IN = Path(__file__).with_name("standards")

T = TypeVar("T")
_Order: TypeAlias = tuple[int, tuple[int, ...], str]
_NAME = re.compile(r"[a-z][a-z0-9]*")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BESIDE = ("-high-risk", "-scoring", "-decisions", "-indicators", "-responsibilities")
_HINTS = {
    "points": "写控制点和要求项，或用 extends 从一份标准出发",
    "automation": "写 technical-auto、technical-evidence 或 manual",
    "at": "写每一级的条款，例如 at: {3: 8.1.3.2 a)}；没有条款的标准改写 id",
    "summary": "用自己的话写这一项要求什么",
    "reason": "写明原因，报告里会列出",
}


class StandardError(ValueError):
    """A standard that cannot be loaded, or an id that is in none; says where. ``error``: the place in a file,
    where it is one."""

    def __init__(self, message: str, error: YamlError | None = None) -> None:
        super().__init__(message)
        self.error = error


class Standard(msgspec.Struct, kw_only=True, frozen=True):
    """``controls`` of all levels in the standard's order; ``same`` maps a control's id, or that of its unit
    ("miping/NET-01"), to the ids of the same requirement at every level, ``points`` to the place of its
    control point. ``expected``: part → level → number of items, where it is known. ``bases``: names of the
    standards that a baseline starts from; what it keeps of them keeps its id, and has one of the baseline's
    own besides ("city/8.1.4.1.a"), which rules may name. 密评 alone: ``layers`` by
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
    bases: tuple[str, ...] = ()
    decisions: Mapping[str, Decision] = MappingProxyType({})  # by control id
    indicators: Mapping[str, Indicator] = MappingProxyType({})
    responsibilities: Mapping[str, Share] = MappingProxyType({})  # by control id
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
        """All controls that a level asks for."""
        return [c for c in self if c.asked_at(level)]

    def chosen(self, grade: Grade, *, cloud: bool) -> list[Control]:
        """What a grade asks for: S items at level S, A items at level A, G items at the higher of the two
        (GB/T 22240); the cloud part only where it applies. In the order of the control points."""
        level = {"S": grade.s, "A": grade.a, "G": grade.g}
        chosen = [c for c in self if c.asked_at(level[c.sag]) and (cloud or c.part == "general")]
        return sorted(chosen, key=lambda c: self.points[c.id])


def available(folders: Sequence[Path] = ()) -> list[str]:
    """Names of the standards that can be loaded."""
    return sorted(
        path.stem
        for folder in (BUILT_IN, *folders)
        for path in folder.glob("*.yaml")
        if not path.stem.endswith(_BESIDE)
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
    try:
        return _read(found[0], folders)
    except YamlError as error:
        raise StandardError(str(error), error) from error


def _read(path: Path, folders: tuple[Path, ...]) -> Standard:
    text = read_yaml(path)
    catalogue = typed(text, Catalogue, hints=_HINTS)
    if not _NAME.fullmatch(path.stem):
        raise text.error(f"文件名 {path.stem} 不能作标准名", hint="小写字母开头，只用小写字母和数字")
    if catalogue.name != path.stem:
        raise text.error(f"name 应与文件名一致：{path.stem}，而不是 {catalogue.name}", ["name"])
    if not catalogue.points and catalogue.extends is None:
        raise text.error("没有 points", hint=_HINTS["points"])
    base = _base(text, catalogue, folders)
    cases = _beside(path, "high-risk", CasesFile) or CasesFile(name="", title="", cases=())
    scoring = _beside(path, "scoring", ScoringFile) or ScoringFile(name="", title="", default="", editions={})
    by_case = _cases_by_id(cases.cases, path)
    controls, same, points = _controls(text, catalogue, by_case)
    crypto = crypto_units(text, catalogue)
    if base is not None and catalogue.extends is not None:
        kept = changed(text, catalogue.name, catalogue.extends, Base(base.name, base.controls, base.same))
        first = 1 + max(base.points.values(), default=-1)
        points = {c: base.points[c] for c in kept.controls} | {c: first + p for c, p in points.items()}
        controls = kept.controls | controls
        same = kept.same | same
        by_case = _kept_cases(base, controls) | by_case
    decided = _beside(path, "decisions", DecisionFile)
    try:
        decisions = dict(by_control(decided.decisions if decided else (), same))
    except ValueError as error:
        raise StandardError(f"{path.stem}-decisions.yaml: {error}") from error
    if base is not None:
        decisions = {c: d for c, d in base.decisions.items() if c in controls} | decisions
    return Standard(
        name=catalogue.name,
        title=catalogue.title,
        notes=catalogue.notes,
        controls=MappingProxyType(controls),
        same=MappingProxyType(same),
        points=MappingProxyType(points),
        expected=MappingProxyType(catalogue.expected),
        cases=MappingProxyType(by_case),
        cases_title=cases.title or (base.cases_title if base else ""),
        major_risk=cases.major_risk,
        editions=MappingProxyType(scoring.editions),
        shared=MappingProxyType(scoring.shared),
        default_edition=scoring.default,
        bases=(base.name, *base.bases) if base else (),
        decisions=MappingProxyType(decisions),
        indicators=MappingProxyType((dict(base.indicators) if base else {}) | _indicators(path, controls)),
        responsibilities=MappingProxyType(_responsibilities(path, controls, same, base)),
        layers=MappingProxyType({x.code: x for x in catalogue.crypto.layers} if catalogue.crypto else {}),
        crypto=MappingProxyType(crypto),
        general=catalogue.crypto.general if catalogue.crypto else (),
    )


def _base(text: YamlText, catalogue: Catalogue, folders: tuple[Path, ...]) -> Standard | None:
    """The standard that a baseline starts from. Of 密评 there is none: a unit's D, A and K are no verdict."""
    if catalogue.extends is None:
        return None
    name, place = catalogue.extends.standard, ("extends", "standard")
    if name not in available(folders):
        raise text.error(f"没有名为 {name} 的标准", place, suggestion(name, available(folders)))
    if name == catalogue.name:
        raise text.error("标准不能从自己出发", place)
    own = read_yaml(found) if (found := text.path.with_name(f"{name}.yaml")).is_file() else None
    if own is not None and isinstance(own.data, dict) and "extends" in own.data:
        raise text.error(f"{name} 自己也是从别的标准出发的", place, "从它所用的那份标准出发")
    base = load_standard(name, folders)
    if base.crypto:
        raise text.error(f"{name} 按 D、A、K 计分，不能从它出发", place, "密评的要求另写一份标准")
    return base


def _kept_cases(base: Standard, controls: Mapping[str, Control]) -> dict[str, Case]:
    """Cases of the base that still speak of something."""
    cases = (
        msgspec.structs.replace(case, controls=tuple(c for c in case.controls if c in controls))
        for case in base.cases.values()
    )
    return {case.id: case for case in cases if case.controls}


def _indicators(path: Path, controls: Mapping[str, Control]) -> dict[str, Indicator]:
    beside = path.with_name(f"{path.stem}-indicators.yaml")
    if not beside.is_file():
        return {}
    text = read_yaml(beside)
    return checked(text, typed(text, IndicatorsFile).indicators, path.stem, controls)


def _responsibilities(
    path: Path, controls: Mapping[str, Control], same: Mapping[str, tuple[str, ...]], base: Standard | None
) -> dict[str, Share]:
    kept = {c: s for c, s in base.responsibilities.items() if c in controls} if base else {}
    beside = path.with_name(f"{path.stem}-responsibilities.yaml")
    if not beside.is_file():
        return kept
    text = read_yaml(beside)
    return kept | shares_of(text, typed(text, SharesFile), path.stem, controls, same)


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
    text: YamlText, catalogue: Catalogue, cases: Mapping[str, Case]
) -> tuple[dict[str, Control], dict[str, tuple[str, ...]], dict[str, int]]:
    linked: dict[str, list[str]] = {}
    for case in cases.values():
        for id_ in case.controls:
            linked.setdefault(id_, []).append(case.id)
    unordered: list[tuple[_Order, Control]] = []
    points: dict[str, int] = {}
    same: dict[str, tuple[str, ...]] = {}
    places: dict[str, Sequence[str | int]] = {}
    for p, point in enumerate(catalogue.points):
        for i, item in enumerate(point.items):
            ids: list[str] = []
            for order, control, place in _of_item(text, catalogue.name, point, item, (p, i), linked):
                if control.id in places:
                    other = text.error("", places[control.id])
                    raise text.error(
                        f"要求项 {control.id} 出现两次；"
                        f"另一处在 {text.path.name}:{other.line}:{other.column}",
                        place,
                        "改一个编号，或删掉一处",
                    )
                places[control.id] = place
                ids.append(control.id)
                points[control.id] = p
                unordered.append((order, control))
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


def _of_item(
    text: YamlText,
    standard: str,
    point: Point,
    item: Item,
    at: tuple[int, int],
    cases: Mapping[str, list[str]],
) -> Iterator[tuple[_Order, Control, Sequence[str | int]]]:
    """The controls of an item: one for each level that it has a clause at, or one by its own code."""
    place: tuple[str | int, ...] = ("points", at[0], "items", at[1])
    if bool(item.id) == bool(item.at):
        raise text.error("at 和 id 要写一个，只写一个", place, _HINTS["at"])
    wrong = next((o for o in item.objects if o not in OBJECT_TITLE), None)
    if wrong is not None:
        raise text.error(f"没有对象类型 {wrong}", (*place, "objects"), suggestion(wrong, OBJECT_TITLE))
    if item.id:
        if not _CODE.fullmatch(item.id):
            hint = "只用字母、数字、点、横线、下划线"
            raise text.error(f"编号 {item.id!r} 不对", (*place, "id"), hint)
        control = _control(f"{standard}/{item.id}", point, item, 0, cases)
        yield (0, at, ""), control, (*place, "id")
        return
    for level, cite in item.at.items():
        match = CITE.fullmatch(cite)
        if not match:
            message = f"条款写作 8.1.3.2 或 8.1.3.2 a)，而不是 {cite}"
            raise text.error(message, (*place, "at", level))
        clause = tuple(int(n) for n in match[1].split("."))
        control = _control(id_of(standard, match), point, item, level, cases)
        yield (level, clause, match[2] or "a"), control, (*place, "at", level)


def _control(id_: str, point: Point, item: Item, level: int, cases: Mapping[str, list[str]]) -> Control:
    return Control(
        id=id_,
        level=level,
        levels=item.levels if item.id else (),
        part=point.part,
        cite=item.at.get(level, item.id),
        class_name=point.class_name,
        control_point=item.title or point.title,
        sag=point.sag,
        summary=item.summary,
        summary_en=item.summary_en,
        automation=item.automation,
        objects=item.objects,
        hint=item.hint,
        unit_id=item.unit.get(level, ""),
        unit_verified=level in item.unit,
        high_risk=tuple(cases.get(id_, ())),
        verified=item.verified,
        needs=item.needs,
        code=item.crypto.code if item.crypto else "",
    )

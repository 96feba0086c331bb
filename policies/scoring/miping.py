"""密评 scores by edition of the quantification rule (量化评估规则): 2023 and 2021.

Object → unit → layer → whole, each stage rounded half up and the next working on the rounded figure. A score
is a range: low = everything unknown fails, high = everything unknown passes. Each stage is monotone in each
answer, so that seeing less widens the range and mending a fault lowers neither end. Sources and what is not
verified stand with the parameters (``miping-scoring.yaml``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import product

from policies.assessment import HighRisk
from policies.bounds import UNSEEN, of_verdict, together, verdict_of
from policies.crypto import (
    CryptoEdition,
    CryptoObject,
    CryptoScore,
    Layer,
    LayerScore,
    ObjectScore,
    UnitFacts,
    UnitScore,
)
from policies.scoring import method as methods
from policies.scoring.method import Method, Span, rounded
from policies.scoring.miping_notes import notes
from policies.standards import Standard
from policies.verdict import Bounds, Verdict

BY_PERSON = "须由人判定"

_ZERO, _ONE, _HUNDRED = Decimal(0), Decimal(1), Decimal(100)
_MODULE_RAISES = {3: 1, 4: 2}  # level of the system → level of the module from which Rk is raised
_BROKEN_TO_STRONGEST = (0, 1024)  # bits
_NONE_TO_BEST = (0, 4)  # levels of GB/T 37092
_CRYPTO = Method[CryptoEdition]
_Known = tuple[bool | None, bool | None, bool | None, int | None, int | None, bool | None]


def method(standard: Standard, edition: CryptoEdition, values: Mapping[str, str] | None = None) -> _CRYPTO:
    """The method of an edition, with the user's values in place of the defaults.

    Raises ValueError as ``policies.scoring.method.method`` does, and for values under which meeting one more
    requirement would lower a score.
    """
    made = methods.method(standard, edition, values)
    raised = [made.number(n) for n in ("rk_default", "rk_level_3", "rk_level_4") if n in made.parameters]
    most = max(raised, default=_ONE)
    one, both = made.number("one_missing"), made.number("both_missing")
    ra = [made.number(n) for n in ("ra_weak", "ra_medium", "ra_strong") if n in made.parameters]
    bits = [made.number(n) for n in ("ra_medium_bits", "ra_strong_bits") if n in made.parameters]
    if one * most > 1 or both * most > one or both > one:
        raise ValueError("参数 one_missing、both_missing、rk_…：少符合一项的得分不能高于多符合一项的得分")
    if ra != sorted(ra) or bits != sorted(bits) or (raised and raised[0] > min(raised)):
        raise ValueError("参数 ra_…、rk_…：强度高的 Ra 不能小于强度低的，提高后的 Rk 不能小于缺省值")
    return made


def ra(method: _CRYPTO, strength_bits: int) -> Decimal:
    """Ra, by the security strength of what is used; 1 in the editions that have none."""
    if "ra_weak" not in method.parameters:
        return _ONE
    for word in ("strong", "medium"):
        if strength_bits >= method.number(f"ra_{word}_bits"):
            return method.number(f"ra_{word}")
    return method.number("ra_weak")


def rk(method: _CRYPTO, level: int, module_level: int, keys_managed: bool) -> Decimal:
    """Rk: raised where a module one level below what the system needs is used and all else that key
    management asks for is met; 1 in the editions that have none. A better module raises it no less."""
    if "rk_default" not in method.parameters:
        return _ONE
    enough = _MODULE_RAISES.get(level)
    if enough is None or not keys_managed or module_level < enough:
        return method.number("rk_default")
    return method.number(f"rk_level_{level}")


def object_score(method: _CRYPTO, d: bool, a: bool, k: bool, ra: Decimal, rk: Decimal) -> Decimal:
    """S(i,j,k) of a technical unit's object, 0–1, by D, A and K."""
    if not d:
        value = _ZERO
    elif a and k:
        value = _ONE
    elif k:
        value = method.number("one_missing") * ra
    elif a:
        value = method.number("one_missing") * rk
    else:
        value = method.number("both_missing") * ra * rk
    return rounded(value, method.places("object_places"))


def compensated(method: _CRYPTO, makes_up: Decimal, weak: Decimal) -> Decimal:
    """Score of an object that another one makes up for: never lower than its own."""
    return rounded(max(method.number("compensation_factor") * makes_up, weak), method.places("object_places"))


def unit_score(method: _CRYPTO, objects: Sequence[Decimal]) -> Decimal:
    """S(i,j): the mean over at least one applicable object."""
    return rounded(sum(objects, _ZERO) / len(objects), method.places("unit_places"))


def layer_score(method: _CRYPTO, units: Iterable[tuple[Decimal, Decimal | None]]) -> Decimal | None:
    """S(i): mean of (weight, score) over the units that apply (score not None); None where none does."""
    mean = _weighted(units)
    return None if mean is None else rounded(mean, method.places("layer_places"))


def total_score(method: _CRYPTO, layers: Iterable[tuple[Layer, Decimal | None]]) -> Decimal | None:
    """S, 0–100. Layers without score do not apply. None where the rule gives no number: a whole side, or
    everything, does not apply."""
    rows = list(layers)
    sides = [[(x.weight, s) for x, s in rows if x.technical is technical] for technical in (True, False)]
    if method["pool"] == "single":
        mean = _weighted([*sides[0], *sides[1]])
        total = None if mean is None else mean * 100
    else:
        technical, management = _weighted(sides[0]), _weighted(sides[1])
        if technical is None or management is None:
            return None
        points = method.number("technical_points")
        total = points * technical + (_HUNDRED - points) * management
    return None if total is None else rounded(total, method.places("total_places"))


def conclusion(method: _CRYPTO, total: Decimal | None, high_risk: bool) -> str:
    """符合, 基本符合 or 不符合; 须由人判定 where there is no total and no high risk."""
    if high_risk:
        return "不符合"
    if total is None:
        return BY_PERSON
    if total == _HUNDRED:
        return "符合"
    return "基本符合" if total >= method.number("threshold") else "不符合"


def score(
    standard: Standard,
    method: _CRYPTO,
    level: int,
    facts: Mapping[str, UnitFacts],
    risks: Sequence[HighRisk] | None = None,
) -> CryptoScore:
    """The score of a system of a level. ``facts`` by unit code; a unit that is not in it is unknown.
    ``risks`` None: no risk analysis was made, and the worst case is 不符合.

    Raises ValueError for a unit that the level does not have, an object named twice, an object that is to be
    made up for by one that there is not, objects in a management unit, a technical unit judged as a whole.
    """
    return concluded(standard, method, level, layers_of(standard, method, level, facts), risks)


def layers_of(
    standard: Standard, method: _CRYPTO, level: int, facts: Mapping[str, UnitFacts]
) -> tuple[LayerScore, ...]:
    """The layers with their units and objects: all of a score that rests on facts. Raises as ``score``."""
    units = {standard.crypto[c.id].code: c.id for c in standard.at_level(level)}
    for code, known in facts.items():
        if code not in units:
            raise ValueError(f"第 {level} 级没有测评单元 {code}；可用：{'、'.join(units)}")
        _check(code, known, standard.layers[standard.crypto[units[code]].layer].technical)
    objects = _Objects(method, level, facts)
    scored = [
        _unit(standard, method, id_, facts.get(code, UnitFacts()), objects) for code, id_ in units.items()
    ]
    return tuple(
        _layer(method, layer, [u for u in scored if standard.crypto[u.control].layer == layer.code])
        for layer in standard.layers.values()
    )


def concluded(
    standard: Standard,
    method: _CRYPTO,
    level: int,
    layers: tuple[LayerScore, ...],
    risks: Sequence[HighRisk] | None,
) -> CryptoScore:
    """The whole, from its layers and the high risks (None as in ``score``)."""
    low = total_score(method, [(standard.layers[x.code], x.low) for x in layers])
    high = total_score(method, [(standard.layers[x.code], x.high) for x in layers])
    warnings = any(r.warning for r in risks or ())
    veto = method["uncertain_high_risk"] == "veto"
    counted = [r for r in risks or () if veto or not r.warning]
    met = sum(1 for r in counted if r.state == "triggered")
    open_ = sum(1 for r in counted if r.state == "undetermined")
    units = [u for layer in layers for u in layer.units]
    applicable = [u for u in units if u.low is not None]
    made_up = any(o.made_up_by for u in units for o in u.objects)
    unused = set() if made_up else {"compensation_factor", "compensation_of_many"}
    unused |= set() if warnings else {"uncertain_high_risk"}
    return CryptoScore(
        edition=method.edition,
        level=level,
        low=low,
        high=high,
        coverage=_share(sum(1 for u in applicable if u.decided), len(applicable)),
        layers=layers,
        conclusion_low=conclusion(method, low, risks is None or bool(met or open_)),
        conclusion_high=conclusion(method, high, bool(met)),
        high_risks=None if risks is None else met,
        open_risks=None if risks is None else open_,
        parameters={name: p.value for name, p in method.parameters.items()},
        notes=(
            *notes(standard, units, low is None, risks),
            *method.notes(name for name in method.parameters if name not in unused),
        ),
    )


def object_span(method: _CRYPTO, level: int, known: CryptoObject) -> tuple[Span, Bounds]:
    """Score and verdict of an object in the worst and in the best case of all that is not known of it."""
    either = (False, True)
    ras = (
        [ra(method, known.strength_bits)]
        if known.strength_bits is not None
        else [ra(method, bits) for bits in _BROKEN_TO_STRONGEST]
    )
    rks = [
        rk(method, level, module, managed)
        for module in (_NONE_TO_BEST if known.module_level is None else (known.module_level,))
        for managed in (either if known.keys_managed is None else (known.keys_managed,))
    ]
    judged = tuple(either if x is None else (x,) for x in (known.d, known.a, known.k))
    scores = [
        object_score(method, d, a, k, ra_, rk_)
        for d, a, k in product(*judged)
        for ra_ in dict.fromkeys(ras)
        for rk_ in dict.fromkeys(rks)
    ]
    worst, best = (_verdict(*(side(x) for x in judged)) for side in (min, max))
    return (min(scores), max(scores)), (worst, best)


def _verdict(d: bool, a: bool, k: bool) -> Verdict:
    if not d:
        return Verdict.FAIL
    return Verdict.PASS if a and k else Verdict.PARTIAL


def _weighted(rows: Iterable[tuple[Decimal, Decimal | None]]) -> Decimal | None:
    held = [(weight, value) for weight, value in rows if value is not None]
    if not held:
        return None
    return sum((w * v for w, v in held), _ZERO) / sum((w for w, _ in held), _ZERO)


def _share(part: int, whole: int) -> Decimal:
    """Coverage to four places; 1 is said only of the whole."""
    if not whole:
        return _ZERO
    return _ONE if part == whole else min(rounded(Decimal(part) / whole, 4), Decimal("0.9999"))


def _check(code: str, known: UnitFacts, technical: bool) -> None:
    names = [o.name for o in known.objects]
    if len(set(names)) < len(names):
        twice, _ = Counter(names).most_common(1)[0]
        raise ValueError(f"{code} 的测评对象 {twice} 出现两次")
    if not technical and (known.objects or known.uncovered):
        raise ValueError(f"{code} 是管理单元，按整体判定，不分测评对象")
    if technical and known.verdict not in (Verdict.UNKNOWN, Verdict.NOT_APPLICABLE):
        raise ValueError(f"{code} 是技术单元，须逐个测评对象判定 D、A、K")


class _Objects:
    """Scores of objects, with what makes up for them. What makes up counts with its own score, never with one
    that was itself corrected. Objects that are alike are scored once: a hundred thousand may be."""

    def __init__(self, method: _CRYPTO, level: int, facts: Mapping[str, UnitFacts]) -> None:
        self.method, self.level = method, level
        self.pick = min if method["compensation_of_many"] == "min" else max
        self._alike: dict[_Known, tuple[Span, Bounds]] = {}
        self._alone: dict[CryptoObject, ObjectScore] = {}
        wanted = {cell for known in facts.values() for o in known.objects for cell in o.made_up_by}
        found = {(code, o.name): (o, known) for code, known in facts.items() if wanted for o in known.objects}
        for code, known in facts.items():
            for o in known.objects:
                missing = next((m for m in o.made_up_by if m not in found or m == (code, o.name)), None)
                if missing is not None:
                    raise ValueError(
                        f"弥补 {code}/{o.name} 的测评对象 {'/'.join(missing)} 不存在或就是它自己"
                    )
        self.helpers = {
            cell: self._span(o)[0] if o.applicable and known.verdict is not Verdict.NOT_APPLICABLE else None
            for cell, (o, known) in found.items()
            if cell in wanted
        }

    def score(self, known: CryptoObject) -> ObjectScore:
        """One object that applies."""
        made = self._alone.get(known)
        if made is None:
            made = self._alone[known] = self._score(known)
        return made

    def _score(self, known: CryptoObject) -> ObjectScore:
        before, bounds = self._span(known)
        helping = [span for cell in known.made_up_by if (span := self.helpers[cell]) is not None]
        low, high = before
        if helping:
            low, high = (
                compensated(self.method, self.pick(h[side] for h in helping), before[side]) for side in (0, 1)
            )
        return ObjectScore(
            name=known.name,
            title=known.title,
            d=known.d,
            a=known.a,
            k=known.k,
            before=before,
            low=low,
            high=high,
            bounds=bounds,
            made_up_by=known.made_up_by,
        )

    def _span(self, known: CryptoObject) -> tuple[Span, Bounds]:
        key = (known.d, known.a, known.k, known.strength_bits, known.module_level, known.keys_managed)
        if key not in self._alike:
            self._alike[key] = object_span(self.method, self.level, known)
        return self._alike[key]


def _unit(
    standard: Standard,
    method: _CRYPTO,
    control: str,
    known: UnitFacts,
    scores: _Objects,
) -> UnitScore:
    unit = standard.crypto[control]
    left_out = known.verdict is Verdict.NOT_APPLICABLE
    objects = tuple(scores.score(o) for o in known.objects if o.applicable and not left_out)
    span: Span | None = (_ZERO, _ONE)
    verdict = known.verdict
    bounds = None if left_out else of_verdict(verdict)
    decided = False
    if verdict is Verdict.NOT_APPLICABLE or (known.objects and not objects and not known.uncovered):
        span, verdict, bounds = None, Verdict.NOT_APPLICABLE, None
    elif objects:
        unseen = len(known.uncovered)
        span = (
            unit_score(method, [*(o.low for o in objects), *[_ZERO] * unseen]),
            unit_score(method, [*(o.high for o in objects), *[_ONE] * unseen]),
        )
        bounds = together({*(o.bounds for o in objects), *[UNSEEN] * min(unseen, 1)})
        verdict = verdict_of(bounds)
        decided = not unseen and all(o.low == o.high for o in objects)
    elif verdict is not Verdict.UNKNOWN:
        credit = {Verdict.PASS: _ONE, Verdict.FAIL: _ZERO}.get(verdict, method.number("management_partial"))
        span = (rounded(credit, method.places("unit_places")),) * 2
        decided = True
    return UnitScore(
        control=control,
        code=unit.code,
        title=standard.get(control).control_point,
        weight=unit.weight,
        verdict=verdict,
        low=span[0] if span else None,
        high=span[1] if span else None,
        decided=decided,
        objects=objects,
        uncovered=() if left_out else known.uncovered,
        bounds=bounds,
    )


def _layer(method: _CRYPTO, layer: Layer, units: Sequence[UnitScore]) -> LayerScore:
    return LayerScore(
        code=layer.code,
        title=layer.title,
        technical=layer.technical,
        weight=layer.weight,
        low=layer_score(method, [(u.weight, u.low) for u in units]),
        high=layer_score(method, [(u.weight, u.high) for u in units]),
        units=tuple(units),
    )

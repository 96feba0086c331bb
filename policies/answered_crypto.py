"""密评 with people's answers: what they judged of units and objects, beside what machines saw. Pure.

Machines deny D or A and grant nothing, so a person's word fills in what is open: D, A and K of an object, or
of a whole unit for all its objects and for what nobody inventoried. What was denied stays denied, and the
answer is told as contradicted. 不适用 is taken only of what no denying rule looked at: else a failure could
be put out of the way by it, and mending one could lower a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from inventory.answers import Answer, CryptoJudgement
from policies.answered import NO_OBJECT, People
from policies.assessment import Control
from policies.crypto import CryptoObject, UnitFacts
from policies.crypto_facts import UnitReading
from policies.verdict import Verdict

SEEN_AT_WORK: Final = (
    "机器看到它用在本单元所问的地方，不能记为不适用；不属于本系统的，在 systems 里用 exclude 排除"
)
NO_HELPER: Final = "弥补的对象不在"
DECLARED: Final = "系统声明没有这类对象"

Said = dict[str, dict[str, Answer]]
"""Unit code → object → the answer that counts for it; "" = the unit as a whole."""


def answered_facts(
    people: People, units: Sequence[tuple[Control, UnitReading | None]]
) -> tuple[dict[str, UnitFacts], Said]:
    """Facts of the units that somebody answered (no reading: a management unit), and who said what. What
    became of each answer is told to ``people``."""
    facts: dict[str, UnitFacts] = {}
    said: Said = {}
    for control, reading in units:
        whole, own = people.of(control.id)
        if whole is None and not own:
            continue
        if reading is None:
            if whole is not None:
                facts[control.code] = UnitFacts(verdict=Verdict(whole.verdict))
                said[control.code] = {"": whole}
                people.tell(whole, "counted")
        elif reading.facts.verdict is Verdict.NOT_APPLICABLE:
            for answer in (*own.values(), *([whole] if whole else [])):
                people.tell(answer, "unused", DECLARED)
        else:
            facts[control.code], said[control.code] = _unit(people, reading, whole, own)
    return facts, said


def settled(people: People, facts: Mapping[str, UnitFacts], said: Said) -> dict[str, UnitFacts]:
    """The same facts, each object made up for only by what there is; answers that name what is gone are told
    so. What the objects of all units are must be known."""
    there = {(code, o.name) for code, known in facts.items() for o in known.objects}

    def held(code: str, o: CryptoObject) -> CryptoObject:
        helpers = tuple(h for h in o.made_up_by if h in there and h != (code, o.name))
        if helpers == o.made_up_by:
            return o
        answer = said.get(code, {}).get(o.name)
        if answer is not None:
            lost = "、".join(f"{c} {n}" for c, n in o.made_up_by if (c, n) not in helpers)
            people.tell(answer, "contradicted", f"{NO_HELPER}：{lost}")
        return msgspec.structs.replace(o, made_up_by=helpers)

    return {
        code: msgspec.structs.replace(known, objects=tuple(held(code, o) for o in known.objects))
        if code in said
        else known
        for code, known in facts.items()
    }


def _unit(
    people: People, reading: UnitReading, whole: Answer | None, own: Mapping[str, Answer]
) -> tuple[UnitFacts, dict[str, Answer]]:
    for mine in own.values():
        people.tell(mine, "unused", NO_OBJECT)
    said: dict[str, Answer] = {}
    objects: list[CryptoObject] = []
    uncovered: list[str] = []
    against: list[str] = []
    for o, answer, judged in _asked(reading, whole, own):
        if answer is None:
            if o.name in reading.facts.uncovered:
                uncovered.append(o.name)
            else:
                objects.append(o)
            continue
        made, why = _told(o, answer, judged=judged)
        objects.append(made)
        if made is not o:
            said[o.name] = answer
        if answer is whole:
            against += [why] if why else []
        else:
            people.tell(answer, "contradicted" if why else "counted", why)
    if whole is not None:
        more = f"等 {len(against)} 个对象" if len(against) > 1 else ""
        people.tell(whole, "contradicted" if against else "counted", f"{against[0]}{more}" if against else "")
        said[""] = whole
    left_out = not uncovered and not any(o.applicable for o in objects)
    verdict = Verdict.NOT_APPLICABLE if left_out else Verdict.UNKNOWN
    return UnitFacts(objects=tuple(objects), uncovered=tuple(uncovered), verdict=verdict), said


def _asked(
    reading: UnitReading, whole: Answer | None, own: Mapping[str, Answer]
) -> Iterator[tuple[CryptoObject, Answer | None, bool]]:
    """Each object of a unit, listed, not inventoried, or named by people; its answer; and whether a machine
    judged it."""
    names = set(reading.facts.uncovered)
    for o in reading.facts.objects:
        names.add(o.name)
        looked = reading.looked.get(o.name)
        yield o, own.get(o.name) or whole, looked is not None and looked.judged
    for name in reading.facts.uncovered:
        yield CryptoObject(name=name), own.get(name) or whole, False
    for name, answer in own.items():
        if name not in names and answer.crypto is not None and answer.crypto.added:
            yield CryptoObject(name=name), answer, False


def _told(o: CryptoObject, answer: Answer, *, judged: bool) -> tuple[CryptoObject, str]:
    """An object with what a person said of it, and what of that is not taken (中文)."""
    if answer.verdict == "not_applicable":
        if judged:
            return o, SEEN_AT_WORK
        return msgspec.structs.replace(o, applicable=False), ""
    told = answer.crypto or CryptoJudgement()
    refused = [j for j, was, is_ in (("D", o.d, told.d), ("A", o.a, told.a)) if was is False and is_ is True]
    made = msgspec.structs.replace(
        o,
        d=told.d if o.d is None else o.d,
        a=told.a if o.a is None else o.a,
        k=told.k,
        strength_bits=told.strength_bits,
        module_level=told.module_level,
        keys_managed=told.keys_managed,
        made_up_by=told.made_up_by,
    )
    return made, f"机器所见：{'、'.join(refused)} 不符合" if refused else ""

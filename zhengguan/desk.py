"""Where people's answers are taken: what ``attest`` works on, by flags, on a terminal or from a workbook."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path

import msgspec

from collectors.contract import utc_now
from inventory.answers import Answer, AnswerFile, CryptoJudgement
from inventory.daily import day_of
from inventory.store import Store, StoreError
from inventory.systems import System
from policies.answers import current, is_technical, wrong_with
from policies.assessment import Assessment
from policies.questions import objects_of
from policies.spelling import suggestion
from policies.standards import Standard
from reports.document import BEIJING
from zhengguan.config import Config
from zhengguan.errors import UserError
from zhengguan.evidence_files import MOST_FILES, read_evidence
from zhengguan.loop import (
    STANDARD_TITLE,
    answers_of,
    assess_all,
    configured,
    latest,
    opened,
    standard_of,
    systems_of,
)


class Desk:
    """What every action works on: the configuration, the store, and one standard: the one that is named, or
    of those that the system is judged against the first that knows what is asked about."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.config: Config = configured(options.config)
        self.store: Store = opened(self.config)
        self.standard: Standard = _standard(self.config, options)
        self.now: datetime = utc_now()
        self._before: dict[tuple[str, str], Assessment] = {}

    def turn_to(self, standard: str) -> None:
        """Work on another standard from now on."""
        self.standard = standard_of(standard, self.config.standard_folders())

    @property
    def today(self) -> date:
        return day_of(self.now)

    def system(self, name: str) -> System:
        """The named system; without a name the only one there is."""
        systems = systems_of(self.config, name)
        if len(systems) > 1:
            raise UserError("要说明是哪个系统", remedy=f"--system，有：{'、'.join(s.name for s in systems)}")
        return systems[0]

    def assess(self, systems: Sequence[System]) -> list[Assessment]:
        """The systems as they stand, with the answers there are."""
        answers = answers_of(self.store)
        return assess_all(
            self.config, latest(self.store), systems=systems, standard=self.standard.name, answers=answers
        )

    def before(self, system: System) -> Assessment:
        """The system as it stood when it was first asked about: what there is to answer does not change."""
        key = (system.name, self.standard.name)
        if key not in self._before:
            (self._before[key],) = self.assess([system])
        return self._before[key]

    def held(self, system: System, about: str, subject: str, object_: str = "") -> Answer | None:
        """The answer that there is."""
        found = current(answers_of(self.store), system.name, self.standard.name)
        return found.get((system.name, self.standard.name, about, subject, object_))

    def subject(self, word: str, system: System) -> tuple[str, str]:
        """(about, id) of a control or a case; the standard's name may be left out, and a unit of 密评 be
        called by its code (NET-01), which means the one of the system's level. UserError."""
        if word in self.standard.cases:
            return "case", word
        if id_ := _control(self.standard, word):
            same = [self.standard.get(c) for c in self.standard.counterparts(id_)]
            if id_ in self.standard.controls or not same:
                return "control", id_
            mine = next((c.id for c in same if c.level == system.crypto_level), "")
            if mine:
                return "control", mine
            levels = "、".join(str(c.level) for c in same)
            raise UserError(f"第 {system.crypto_level} 级没有测评单元 {word}", remedy=f"它属于第 {levels} 级")
        codes = [c.code for c in self.standard if c.code]
        ids = [*self.standard.controls, *self.standard.cases, *codes]
        near = suggestion(word, ids) or suggestion(f"{self.standard.name}/{word}", ids)
        raise UserError(f"没有要求项或高风险情形 {word!r}", remedy=near or "用 zhengguan attest list 查编号")

    def record(
        self, answers: Sequence[Answer], files: dict[str, bytes], *, unless_after: int | None = None
    ) -> list[Answer]:
        """Append answers to the store. UserError where it does not take them."""
        try:
            return self.store.record_answers(answers, files, self.now, unless_after=unless_after)
        except StoreError as error:
            raise UserError(error.reason, remedy=error.remedy) from error


def save(desk: Desk, system: System, answers: Sequence[Answer], contents: dict[str, bytes]) -> list[Answer]:
    """Check answers against the standard and the system, and record them. UserError."""
    assessment = desk.before(system)
    places = objects_of(assessment)
    subjects = {c.control.id for c in assessment.controls} | {r.case for r in assessment.high_risks}
    for answer in answers:
        if wrong := wrong_with(answer, desk.standard, desk.today):
            raise UserError("；".join(w.why for w in wrong), where=answer.subject)
        if answer.subject not in subjects:
            raise UserError(
                f"{system.title}（{system.graded}）没有这一项",
                where=answer.subject,
                remedy=_same(desk.standard, answer.subject, subjects) or "按它的定级选编号",
            )
        added = answer.crypto is not None and answer.crypto.added
        if answer.object and answer.object not in places.get(answer.subject, {}) and not added:
            near = (
                suggestion(answer.object, places.get(answer.subject, {}))
                or "zhengguan attest show 列出这一项的对象"
            )
            if is_technical(answer.subject, desk.standard):
                near = f"{near.rstrip('。')}；清单里没有的，加 --add-object"
            raise UserError(f"这一项里没有对象 {answer.object}", where=answer.subject, remedy=near)
        _helpers(answer, assessment, places)
    return desk.record(answers, contents)


def _helpers(answer: Answer, assessment: Assessment, places: Mapping[str, Mapping[str, str]]) -> None:
    """What makes up for an object must be there. UserError."""
    codes = {c.control.code: c.control.id for c in assessment.controls}
    for code, name in answer.crypto.made_up_by if answer.crypto else ():
        there = places.get(codes.get(code, ""), {})
        if name not in there:
            near = suggestion(name, there) or f"zhengguan attest show {code} 列出它的对象"
            raise UserError(f"{code} 里没有可作弥补的对象 {name}", where=answer.subject, remedy=near)


def listed(
    told: CryptoJudgement | None, before: Answer | None, there: Collection[str], object_: str, *, add: bool
) -> CryptoJudgement | None:
    """A judgement, marked where its object is one that only people named. UserError."""
    was = before is not None and before.crypto is not None and before.crypto.added
    if add and object_ in there and not was:
        raise UserError(f"清单里已有对象 {object_}", remedy="去掉 --add-object")
    if add and not object_:
        raise UserError("没有写要列出的对象", remedy="--object 名称 --add-object")
    if not (add or was):
        return told
    if told is None:
        raise UserError(
            f"{object_} 是人列出的对象，不用记为不适用", remedy="不要它了：zhengguan attest withdraw"
        )
    return msgspec.structs.replace(told, added=True)


def _standard(config: Config, options: argparse.Namespace) -> Standard:
    folders = config.standard_folders()
    if options.standard:
        return standard_of(options.standard, folders)
    systems = systems_of(config, options.system)
    names = dict.fromkeys(name for system in systems for name in system.standards)
    own = [standard_of(name, folders) for name in names]
    word = options.target
    if options.action not in ("show", "set", "withdraw"):
        return own[0]
    # check may be asked about a standard that is not the system's own: so may people
    known = [*own, *(standard_of(name, folders) for name in STANDARD_TITLE if name not in names)]
    return next((s for s in known if word in s.cases or _control(s, word)), own[0])


def _control(standard: Standard, word: str) -> str:
    """The control that a word names, the same of what a baseline starts from, or a unit at every level
    ("miping/NET-01"); "" where there is none."""
    ids = (word, *(f"{name}/{word}" for name in (standard.name, *standard.bases)))
    known = next((id_ for id_ in ids if id_ in standard.controls), "")
    return known or next((id_ for id_ in ids if id_ in standard), "")


def _same(standard: Standard, subject: str, asked: Collection[str]) -> str:
    """The same requirement as the system's grade asks for it, as a remedy; "" where it does not."""
    others = standard.counterparts(subject) if subject in standard else ()
    return next((f"它的等级用 {other}" for other in others if other in asked), "")


def attached(paths: Sequence[Path], limit_mib: int) -> tuple[tuple[AnswerFile, ...], dict[str, bytes]]:
    """Evidence files, and their contents by digest. UserError."""
    if len(paths) > MOST_FILES:
        raise UserError(f"一次答复最多 {MOST_FILES} 份证据", remedy="合成几个文件")
    read = [read_evidence(path, limit_mib) for path in paths]
    return tuple({f.digest: f for f, _ in read}.values()), {f.digest: content for f, content in read}


def day_named(text: str) -> date:
    """A day as 2026-11-22. UserError."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UserError(f"日期 {text!r} 不对", remedy="写成 2026-11-22") from error


def moment_of_day(text: str) -> datetime:
    """The start of a day of those who answer, in Beijing time. UserError."""
    return datetime.combine(day_named(text), time(), BEIJING)

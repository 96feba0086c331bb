"""Where people's answers are taken: what ``attest`` works on, by flags, on a terminal or from a workbook."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from pathlib import Path

from collectors.contract import utc_now
from inventory.answers import Answer, AnswerFile
from inventory.store import Store, StoreError
from inventory.systems import System
from policies.answers import today_of, wrong_with
from policies.assessment import Assessment
from policies.spelling import suggestion
from policies.standards import Standard
from reports.document import BEIJING
from zhengguan.config import Config
from zhengguan.errors import UserError
from zhengguan.evidence_files import MOST_FILES, read_evidence
from zhengguan.loop import answers_of, assess_all, configured, latest, opened, standard_of, systems_of


class Desk:
    """What every action works on: the configuration, the store, and one standard."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.config: Config = configured(options.config)
        self.store: Store = opened(self.config)
        self.standard: Standard = standard_of(options.standard or "dengbao", self.config.standard_folders())
        self.now: datetime = utc_now()
        self._before: dict[str, Assessment] = {}

    @property
    def today(self) -> date:
        return today_of(self.now)

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
        if system.name not in self._before:
            (self._before[system.name],) = self.assess([system])
        return self._before[system.name]

    def subject(self, word: str) -> tuple[str, str]:
        """(about, id) of a control or a case; the standard's name may be left out. UserError."""
        if word in self.standard.cases:
            return "case", word
        names = (self.standard.name, *self.standard.bases)
        for id_ in (word, *(f"{name}/{word}" for name in names)):
            if id_ in self.standard.controls:
                return "control", id_
        ids = [*self.standard.controls, *self.standard.cases]
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
    places = {(c.control.id, o.asset) for c in assessment.controls for o in c.objects}
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
        if answer.object and (answer.subject, answer.object) not in places:
            held = [o for s, o in places if s == answer.subject]
            near = suggestion(answer.object, held) or "zhengguan attest show 列出这一项的对象"
            raise UserError(f"这一项里没有对象 {answer.object}", where=answer.subject, remedy=near)
    return desk.record(answers, contents)


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

"""``attest set`` on a terminal: what is open, one question at a time, each answer kept as soon as given."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from inventory.answers import Answer, CryptoJudgement, Given
from inventory.daily import day_of
from inventory.systems import System
from policies.answers import (
    MOST_BITS,
    MOST_MODULE,
    WORD,
    met_named,
    number_named,
    until,
    word_of,
    wrong_with,
)
from policies.questions import STATE_WORD, Question, questions
from zhengguan import console
from zhengguan.commands.check import score_line
from zhengguan.desk import Desk, attached, day_named, listed, save
from zhengguan.errors import Exit, UserError

T = TypeVar("T")


class _Enough(Exception):  # noqa: N818 - no error: the person has had enough
    pass


def ask(desk: Desk, options: argparse.Namespace) -> int:
    """Ask what is open of one system, or the one subject that is named. An answer is recorded once it is
    whole; leaving in the middle loses only the question at hand."""
    system = desk.system(options.system)
    assessment = desk.before(system)
    asked = questions(assessment, desk.standard, by_object=bool(options.object))
    if options.target:
        _, subject = desk.subject(options.target, system)
        asked = [q for q in asked if q.subject == subject and q.object == options.object]
    else:
        asked = [q for q in asked if q.wants_answer]
    if not asked:
        console.say("没有要答的：机器已有结论，或都答过了。")
        return Exit.FINE
    recorded = 0
    try:
        by = options.by or _line("答复人姓名")
        console.say(f"{system.title}：{len(asked)} 项。直接回车跳过，q 结束；每答完一项就存下。")
        for number, question in enumerate(asked, 1):
            recorded += _one(desk, system, question, by, f"[{number}/{len(asked)}]")
    except (_Enough, EOFError):
        pass
    (assessment,) = desk.assess([system])
    console.say(f"记录了 {recorded} 条答复。{score_line(assessment)}")
    return Exit.FINE


def _one(desk: Desk, system: System, q: Question, by: str, place: str) -> int:
    """One question, until its answer is recorded (1) or it is skipped (0)."""
    console.say()
    console.say(f"{place} {q.cite} {q.title}" + (f"  对象：{q.object_name}" if q.object else ""))
    console.say(f"  {q.text}")
    console.say(f"  {q.look}")
    console.say(f"  程序看到：{q.seen}")
    if q.use:
        console.say(f"  现有答复：{word_of(q.use.answer)}（{q.use.answer.by}），{STATE_WORD[q.state]}")
    given = _verdict(q.allowed)
    if given is None:
        return 0
    while True:
        try:
            answer, contents = _answer(desk, system, q, by, given)
            wrong = wrong_with(answer, desk.standard, desk.today)
            if wrong:
                console.warn("；".join(w.why for w in wrong))
                continue
            (recorded,) = save(desk, system, [answer], contents)
        except UserError as error:
            console.warn(error.line())
            if _line("再试一次？(y/n)").lower() not in ("y", "yes", "是"):
                return 0
        else:
            console.say(f"已记录 #{recorded.id}，有效至 {recorded.valid_until}")
            return 1


def _verdict(allowed: Sequence[Given]) -> Given | None:
    choices = "  ".join(f"{n} {WORD[given]}" for n, given in enumerate(allowed, 1))
    while True:
        word = _line(f"{choices}  回车跳过")
        if not word:
            return None
        if word.isdecimal() and 1 <= int(word) <= len(allowed):
            return allowed[int(word) - 1]
        for given in allowed:
            if word in (given, WORD[given]):
                return given
        console.warn(f"请写 1–{len(allowed)}")


def _answer(
    desk: Desk, system: System, q: Question, by: str, given: Given
) -> tuple[Answer, dict[str, bytes]]:
    settings = desk.config.policies.answers
    judged = _judgement() if given == "judged" else None
    before = q.use.answer if q.use else None
    judged = listed(judged, before, (), q.object, add=False)
    note = _line("说明（事实、依据、理由）")
    paths = [
        Path(word).expanduser() for word in _line("证据文件，多个用分号隔开").replace("；", ";").split(";")
    ]
    files, contents = attached([p for p in paths if str(p) != "."], settings.file_mib)
    last = until(day_of(desk.now), settings.valid_days)
    end = _line(f"有效至（回车 = {last}）")
    answer = Answer(
        system=system.name,
        standard=desk.standard.name,
        about=q.about,
        subject=q.subject,
        object=q.object,
        verdict=given,
        note=note,
        files=files,
        by=by,
        answered_at=desk.now,
        valid_until=day_named(end) if end else last,
        crypto=judged,
    )
    return answer, contents


def _judgement() -> CryptoJudgement:
    """D, A and K; what else matters is asked only where it does."""
    d = _asked("D 密码使用有效性（符合/不符合，回车 = 不知道）", met_named)
    a = _asked("A 算法和技术合规性", met_named) if d is not False else None
    k = _asked("K 密钥管理安全", met_named) if d is not False else None
    bits = _asked("最弱算法的安全强度（比特）", _bits) if a is False else None
    module = _asked("密码模块等级（0 = 没有）", _module) if k is False else None
    managed = _asked("密钥管理其余要求（符合/不符合）", met_named) if k is False else None
    return CryptoJudgement(d=d, a=a, k=k, strength_bits=bits, module_level=module, keys_managed=managed)


def _bits(word: str) -> int | None:
    return number_named(word, MOST_BITS)


def _module(word: str) -> int | None:
    return number_named(word, MOST_MODULE)


def _asked(prompt: str, read: Callable[[str], T]) -> T:
    """What is typed, once it can be read."""
    while True:
        try:
            return read(_line(prompt))
        except ValueError as error:
            console.warn(str(error))


def _line(prompt: str) -> str:
    """What is typed in answer to a prompt. _Enough where it is q."""
    word = input(f"{console.printable(prompt)}: ").strip()
    if word.lower() == "q":
        raise _Enough
    return word

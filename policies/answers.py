"""People's answers: the words they are given in, what makes one acceptable, and how long it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

import msgspec

from inventory.answers import Answer, AnswerKey, Given, latest
from inventory.daily import day_of
from policies.spelling import suggestion
from policies.standards import Standard

WORD: Mapping[Given, str] = {
    "pass": "符合",
    "partial": "部分符合",
    "fail": "不符合",
    "not_applicable": "不适用",
    "absent": "不存在",
    "present": "存在",
    "mitigated": "已缓解",
    "withdrawn": "撤回",
}
OF_CONTROL: tuple[Given, ...] = ("pass", "partial", "fail", "not_applicable")
OF_CASE: tuple[Given, ...] = ("absent", "present", "mitigated")

DEFAULT_DAYS = 365
MOST_DAYS = 1096
"""The longest that an answer holds: three years."""
WARN_DAYS = 30
LONGEST_NOTE = 4000
LONGEST_NAME = 100


class Wrong(msgspec.Struct, frozen=True):
    """What keeps an answer from being recorded: the field, and why (中文)."""

    field: str
    why: str


def verdict_named(word: str) -> Given | None:
    """The verdict of a word, Chinese or English; None where there is none."""
    word = word.strip()
    return next((given for given, chinese in WORD.items() if word in (given, chinese)), None)


def days_left(answer: Answer, today: date) -> int:
    """Whole days until an answer expires: 0 on its last day, negative after it."""
    return (answer.valid_until - today).days if answer.valid_until else -1


def today_of(moment: datetime) -> date:
    """The day that answers are judged on, in Beijing time."""
    return day_of(moment)


def until(answered: date, days: int = DEFAULT_DAYS) -> date:
    """The last day of an answer that holds for so many days."""
    return answered + timedelta(days=days)


def current(answers: Iterable[Answer], system: str, standard: str) -> dict[AnswerKey, Answer]:
    """The answers that count of one system and standard, expired ones included."""
    return {
        key: answer
        for key, answer in latest(answers).items()
        if answer.system == system and answer.standard == standard
    }


def held(answers: Iterable[Answer], system: str, standard: Standard) -> dict[AnswerKey, Answer]:
    """The answers to a standard; to a baseline also those that were given to its base, except to what the
    baseline asks more of, or where it has one of its own."""
    given = list(answers)
    found = current(given, system, standard.name)
    own = {(a.about, a.subject, a.object) for a in found.values()}
    for base in standard.bases:
        for key, answer in current(given, system, base).items():
            control = standard.controls.get(answer.subject)
            asked = answer.subject in standard.cases or (control is not None and not control.changed)
            if asked and (answer.about, answer.subject, answer.object) not in own:
                found[key] = answer
    return found


def wrong_with(answer: Answer, standard: Standard, today: date) -> list[Wrong]:
    """Why an answer cannot be recorded; empty where it can. Whether the system has the object, and whether
    its grade asks for the control, is for the caller to see."""
    wrong = [*_subject(answer, standard), *_texts(answer)]
    if answer.verdict == "withdrawn":
        return wrong
    answered = today_of(answer.answered_at)
    if answered > today:
        wrong.append(Wrong("answered_at", f"答复日期 {answered} 在将来"))
    if answer.valid_until is None:
        wrong.append(Wrong("valid_until", "缺少有效期"))
    elif answer.valid_until < today:
        wrong.append(Wrong("valid_until", f"有效期 {answer.valid_until} 已过"))
    elif answer.valid_until > until(answered, MOST_DAYS):
        wrong.append(Wrong("valid_until", f"有效期最长 {MOST_DAYS} 天，到 {until(answered, MOST_DAYS)}"))
    return wrong


def _subject(answer: Answer, standard: Standard) -> list[Wrong]:
    if answer.about == "control":
        if answer.subject not in standard:
            near = suggestion(answer.subject, list(standard.controls))
            return [Wrong("subject", f"{standard.title} 中没有要求项 {answer.subject}。{near}".rstrip("。"))]
        allowed = OF_CONTROL
    else:
        case = standard.cases.get(answer.subject)
        if case is None:
            near = suggestion(answer.subject, list(standard.cases))
            return [Wrong("subject", f"指引中没有高风险情形 {answer.subject}。{near}".rstrip("。"))]
        if answer.object:
            return [Wrong("object", "高风险情形是对整个系统说的，不写对象")]
        if answer.verdict == "mitigated" and not case.mitigable:
            return [Wrong("verdict", f"指引不允许缓解 {case.id}：只能答 不存在 或 存在")]
        allowed = OF_CASE
    if answer.verdict not in (*allowed, "withdrawn"):
        words = "、".join(WORD[given] for given in allowed)
        return [Wrong("verdict", f"只能答 {words}，而不是 {WORD[answer.verdict]}")]
    return []


def _texts(answer: Answer) -> list[Wrong]:
    wrong = []
    if not answer.by.strip():
        wrong.append(Wrong("by", "缺少答复人"))
    if len(answer.by) > LONGEST_NAME:
        wrong.append(Wrong("by", f"答复人最长 {LONGEST_NAME} 字"))
    if len(answer.note) > LONGEST_NOTE:
        wrong.append(Wrong("note", f"说明最长 {LONGEST_NOTE} 字"))
    if not answer.note.strip():
        if answer.verdict in ("partial", "fail", "not_applicable", "present", "mitigated"):
            wrong.append(Wrong("note", f"答 {WORD[answer.verdict]} 要写说明：事实或理由"))
        elif answer.verdict in ("pass", "absent") and not answer.files:
            wrong.append(Wrong("note", f"答 {WORD[answer.verdict]} 要有说明或证据文件"))
    return wrong

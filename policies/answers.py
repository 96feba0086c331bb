"""People's answers: the words they are given in, what makes one acceptable, and how long it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import msgspec

from inventory.answers import Answer, AnswerKey, Given, latest
from inventory.daily import day_of
from policies.crypto import JUDGEMENTS
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
    "judged": "分项判定",
    "withdrawn": "撤回",
}
OF_CONTROL: tuple[Given, ...] = ("pass", "partial", "fail", "not_applicable")
OF_UNIT: tuple[Given, ...] = ("judged", "not_applicable")
"""Of a technical unit of 密评; the management units are judged as a whole, as any requirement is."""
OF_CASE: tuple[Given, ...] = ("absent", "present", "mitigated")

DEFAULT_DAYS = 365
MOST_DAYS = 1096
"""The longest that an answer holds: three years."""
WARN_DAYS = 30
LONGEST_NOTE = 4000
LONGEST_NAME = 100
LONGEST_OBJECT = 400
MOST_BITS = 1024
MOST_MODULE = 4
"""Levels of crypto modules in GB/T 37092."""
_MET = {
    "符合": True,
    "是": True,
    "√": True,
    "yes": True,
    "不符合": False,
    "否": False,
    "×": False,
    "no": False,
}
_SIGN = {True: "√", False: "×", None: "？"}


class Wrong(msgspec.Struct, frozen=True):
    """What keeps an answer from being recorded: the field, and why (中文)."""

    field: str
    why: str


def verdict_named(word: str) -> Given | None:
    """The verdict of a word, Chinese or English; None where there is none."""
    word = word.strip()
    return next((given for given, chinese in WORD.items() if word in (given, chinese)), None)


def allowed_of(subject: str, standard: Standard) -> tuple[Given, ...]:
    """What may be answered to a control."""
    return OF_UNIT if is_technical(subject, standard) else OF_CONTROL


def is_technical(subject: str, standard: Standard) -> bool:
    """Whether a control is a technical unit of 密评: judged by object, in D, A and K."""
    unit = standard.crypto.get(subject)
    return unit is not None and standard.layers[unit.layer].technical


def word_of(answer: Answer) -> str:
    """What was answered, in a word: 符合, 不适用, or D√ A× K？."""
    told = answer.crypto
    if answer.verdict != "judged" or told is None:
        return WORD[answer.verdict]
    signs = " ".join(f"{j}{_SIGN[getattr(told, j.lower())]}" for j in JUDGEMENTS)
    parts = [signs]
    if told.strength_bits is not None:
        parts.append(f"强度 {told.strength_bits} 比特")
    if told.module_level is not None:
        parts.append(f"密码模块 {told.module_level} 级" if told.module_level else "没有密码模块")
    if told.keys_managed is not None:
        parts.append("密钥管理其余要求" + ("满足" if told.keys_managed else "不满足"))
    if told.made_up_by:
        parts.append("由 " + "、".join(f"{code} {name}" for code, name in told.made_up_by) + " 弥补")
    return "，".join(parts)


def met_named(word: str) -> bool | None:
    """Whether D, A or K is met, by a word; None where none is written. Raises ValueError (中文)."""
    word = word.strip()
    if word in ("", "？", "?", "未知"):
        return None
    if word in _MET:
        return _MET[word]
    raise ValueError(f"写 符合 或 不符合，不知道的不写，而不是 {word[:40]}")


def number_named(word: str, most: int) -> int | None:
    """A whole number from 0 on; None where none is written. Raises ValueError (中文)."""
    word = word.strip()
    if not word:
        return None
    if word.isascii() and word.isdecimal() and len(word) < 9 and int(word) <= most:
        return int(word)
    raise ValueError(f"写 0–{most} 的整数，而不是 {word[:40]}")


def days_left(answer: Answer, today: date) -> int:
    """Whole days until an answer expires: 0 on its last day, negative after it."""
    return (answer.valid_until - today).days if answer.valid_until else -1


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
    answered = day_of(answer.answered_at)
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
        if answer.subject in standard.crypto and (wrong := _unit(answer, standard)):
            return wrong
        allowed = allowed_of(answer.subject, standard)
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


def _unit(answer: Answer, standard: Standard) -> list[Wrong]:
    """What is wrong with an answer to a unit of 密评, beside its verdict."""
    told = answer.crypto
    if not is_technical(answer.subject, standard):
        if answer.object or told:
            return [Wrong("object", "管理单元按整体判定，不分对象，也不分 D、A、K")]
        return []
    if len(answer.object) > LONGEST_OBJECT:
        return [Wrong("object", f"对象名最长 {LONGEST_OBJECT} 字")]
    if answer.verdict != "judged":
        return []
    if told is None or (told.d is told.a is told.k is None):
        return [Wrong("d", "D、A、K 至少要判定一项")]
    wrong = []
    if told.strength_bits is not None and not 0 <= told.strength_bits <= MOST_BITS:
        wrong.append(Wrong("strength_bits", f"安全强度写 0–{MOST_BITS} 比特"))
    if told.module_level is not None and not 0 <= told.module_level <= MOST_MODULE:
        wrong.append(Wrong("module_level", f"密码模块等级写 0–{MOST_MODULE}，0 = 没有"))
    mine = standard.crypto[answer.subject]
    codes = {u.code for u in standard.crypto.values() if standard.layers[u.layer].technical}
    for code, name in told.made_up_by:
        if code not in codes:
            wrong.append(Wrong("made_up_by", f"没有技术单元 {code}。{suggestion(code, codes)}".rstrip("。")))
        elif not name or (code, name) == (mine.code, answer.object):
            wrong.append(Wrong("made_up_by", "弥补者写成 单元=对象，例如 NET-03=对象 UID，不能是它自己"))
    return wrong


def _texts(answer: Answer) -> list[Wrong]:
    wrong = []
    if not answer.by.strip():
        wrong.append(Wrong("by", "缺少答复人"))
    if len(answer.by) > LONGEST_NAME:
        wrong.append(Wrong("by", f"答复人最长 {LONGEST_NAME} 字"))
    if len(answer.note) > LONGEST_NOTE:
        wrong.append(Wrong("note", f"说明最长 {LONGEST_NOTE} 字"))
    if not answer.note.strip():
        if answer.verdict in ("partial", "fail", "not_applicable", "present", "mitigated") or _doubtful(
            answer
        ):
            wrong.append(Wrong("note", f"答 {WORD[answer.verdict]} 要写说明：事实或理由"))
        elif answer.verdict in ("pass", "absent", "judged") and not answer.files:
            wrong.append(Wrong("note", f"答 {WORD[answer.verdict]} 要有说明或证据文件"))
    return wrong


def _doubtful(answer: Answer) -> bool:
    """Whether a judgement says that something is not met, or that something makes up for it."""
    told = answer.crypto
    return told is not None and (False in (told.d, told.a, told.k) or bool(told.made_up_by))

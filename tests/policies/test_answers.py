"""What makes an answer acceptable."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from inventory.answers import Answer, AnswerFile
from policies.answers import MOST_DAYS, WORD, days_left, until, verdict_named, wrong_with
from policies.standards import load_standard

DENGBAO = load_standard("dengbao")
TODAY = date(2026, 11, 22)
FILE = AnswerFile(digest="0" * 64, name="a.pdf", size_bytes=1)


def answer(**changes: Any) -> Answer:
    fields: dict[str, Any] = {
        "system": "s",
        "standard": "dengbao",
        "about": "control",
        "subject": "dengbao/8.1.6.1.a",
        "verdict": "pass",
        "note": "查过",
        "by": "张三",
        "answered_at": datetime(2026, 11, 21, 17, tzinfo=UTC),  # the 22nd in Beijing
        "valid_until": date(2027, 11, 22),
    }
    return Answer(**(fields | changes))


def case(**changes: Any) -> Answer:
    return answer(**({"about": "case", "subject": "6.1.1.1", "verdict": "mitigated"} | changes))


@pytest.mark.parametrize(
    "good",
    [
        answer(),
        answer(note="", files=(FILE,)),
        answer(verdict="not_applicable"),
        answer(verdict="withdrawn", note="", valid_until=None),
        answer(valid_until=TODAY),
        answer(valid_until=until(TODAY, MOST_DAYS)),
        case(),
        case(verdict="absent"),
        case(verdict="present"),
    ],
)
def test_good_answers(good: Answer) -> None:
    assert wrong_with(good, DENGBAO, TODAY) == []


@pytest.mark.parametrize(
    ("bad", "field", "said"),
    [
        (answer(subject="dengbao/8.1.6.1.z"), "subject", "没有要求项"),
        (answer(verdict="mitigated"), "verdict", "只能答 符合、部分符合、不符合、不适用，而不是 已缓解"),
        (answer(note=" "), "note", "说明或证据文件"),
        (answer(verdict="not_applicable", note="", files=(FILE,)), "note", "理由"),
        (answer(verdict="fail", note=""), "note", "事实"),
        (answer(by=" "), "by", "缺少答复人"),
        (answer(note="x" * 4001), "note", "最长"),
        (answer(valid_until=None), "valid_until", "缺少"),
        (answer(valid_until=date(2026, 11, 21)), "valid_until", "已过"),
        (answer(valid_until=until(TODAY, MOST_DAYS + 1)), "valid_until", "最长 1096 天"),
        (answer(answered_at=datetime(2026, 11, 22, 16, tzinfo=UTC)), "answered_at", "将来"),
        (case(subject="6.1.1.9"), "subject", "没有高风险情形"),
        (case(verdict="pass"), "verdict", "只能答 不存在、存在、已缓解，而不是 符合"),
        (case(object="o"), "object", "整个系统"),
        (case(note=""), "note", "已缓解 要写说明"),
    ],
)
def test_bad_answers_are_told_by_field(bad: Answer, field: str, said: str) -> None:
    (wrong,) = wrong_with(bad, DENGBAO, TODAY)
    assert wrong.field == field
    assert said in wrong.why


def test_what_may_not_be_mitigated() -> None:
    fixed = next(c.id for c in DENGBAO.cases.values() if not c.mitigable)
    (wrong,) = wrong_with(case(subject=fixed), DENGBAO, TODAY)
    assert (wrong.field, "不允许缓解" in wrong.why) == ("verdict", True)
    assert wrong_with(case(subject=fixed, verdict="absent"), DENGBAO, TODAY) == []


def test_words_in_both_languages() -> None:
    for given, word in WORD.items():
        assert verdict_named(word) == verdict_named(given) == verdict_named(f" {word} ") == given
    assert verdict_named("基本符合") is None


def test_days() -> None:
    assert [days_left(answer(valid_until=date(2026, 11, d)), TODAY) for d in (21, 22, 23)] == [-1, 0, 1]

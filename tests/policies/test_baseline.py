"""Baselines: a user's own standard that starts from one of ours, adds to it, drops and tightens."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any, get_args

import msgspec
import pytest

from inventory.answers import Answer
from inventory.coverage import Batch
from inventory.kinds.host import Host
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import Grade, ObjectType, System
from policies.assess import assess
from policies.assessment import Assessment, Unscored
from policies.outcome import ControlLinks, Examples, Outcome, Rule
from policies.standards import Standard, StandardError, load_standard
from policies.verdict import Verdict

AT = datetime(2026, 5, 1, tzinfo=UTC)
DENGBAO = load_standard("dengbao")
PLAIN = "dengbao/8.1.4.1.b"
CITY = """\
    name: city
    title: 本市基线
    extends:
      standard: dengbao
      drops:
      - {item: 8.1.1.2.a, reason: 机房由省级统一测评}
      tightens:
      - {item: 8.1.4.1.d, from_level: 2, reason: 全市二级起用双因素}
      - {item: 8.1.4.1.a, automation: technical-evidence, summary: 口令规则并每季抽查, reason: 抽查要留记录}
    points:
    - class: 本市补充
      title: 运维账户
      items:
      - {id: CITY-1, automation: technical-auto, objects: [server], summary: 运维账户实名}
      - {id: CITY-2, levels: [3, 4], automation: manual, objects: [organization], summary: 每季复核}
    """


def city(folder: Path, text: str = CITY) -> Standard:
    (folder / "city.yaml").write_text(dedent(text), encoding="utf-8")
    return load_standard("city", [folder])


def ids(standard: Standard, level: int) -> list[str]:
    return [c.id for c in standard.chosen(Grade(level, level), cloud=False)]


def test_it_adds_drops_and_asks_earlier(tmp_path: Path) -> None:
    standard = city(tmp_path)
    third = ids(DENGBAO, 3)
    third.remove("dengbao/8.1.1.2.a")
    assert ids(standard, 3) == [*third, "city/CITY-1", "city/CITY-2"]
    second = ids(standard, 2)
    assert set(second) - set(ids(DENGBAO, 2)) == {"dengbao/8.1.4.1.d", "city/CITY-1"}
    # it stands with its control point, not behind everything
    assert second.index("dengbao/8.1.4.1.d") < second.index("dengbao/7.1.4.2.a")
    with pytest.raises(StandardError, match=r"8\.1\.1\.2\.a"):
        standard.get("dengbao/8.1.1.2.a")
    assert "6.1.1.1" in DENGBAO.cases
    kept = standard.cases["6.1.1.1"].controls
    assert set(DENGBAO.cases["6.1.1.1"].controls) - set(kept) == {"dengbao/8.1.1.2.a"}


def test_what_is_stricter_says_why(tmp_path: Path) -> None:
    control = city(tmp_path).get("dengbao/8.1.4.1.a")
    assert (control.automation, control.summary) == ("technical-evidence", "口令规则并每季抽查")
    assert control.changed == "抽查要留记录"
    assert DENGBAO.get("dengbao/8.1.4.1.a").automation == "technical-auto"


def rule(id_: str, *decides: str) -> Rule:
    return Rule(
        id=id_, title=id_, title_en=id_, kind="host", severity="high", violates="True", evidence=[],
        message="m", why="w", fix="f", controls=ControlLinks(decides=list(decides)),
        examples=Examples(bad=[], good=[], unknown=[]),
    )  # fmt: skip


def run(standard: Standard, *rules: Rule, failed: str = "", **options: Any) -> Assessment:
    host = Host(source="h", native_id="h", name="h")
    system = System(
        name="s",
        title="系统",
        grade="S3A3",
        include=[Selector(sources=["*"])],
        absent_objects=[o for o in get_args(ObjectType) if o != "server"],
    )
    outcomes = [
        Outcome(
            rule=r,
            resources=[host],
            failed=[0] if r.id == failed else [],
            unknown=[],
            excluded=[],
            findings=[],
            unseen=[],
            gaps=[],
        )
        for r in rules
    ]
    standard = msgspec.structs.replace(standard, decisions={})  # one rule of ours decides, not all of theirs
    return assess(system, standard, outcomes, Snapshot.of_batches([Batch(resources=[host])], AT), **options)


def verdict(assessment: Assessment, id_: str) -> Verdict:
    return next(c.verdict for c in assessment.controls if c.control.id == id_)


def test_rules_of_the_base_speak_to_it_and_its_own_to_it_alone(tmp_path: Path) -> None:
    standard = city(tmp_path)
    base, own = rule("base", PLAIN), rule("own", f"city/{PLAIN[8:]}", "city/CITY-1")
    assert verdict(run(standard, base), PLAIN) is Verdict.PASS
    found = run(standard, base, own, failed="own")
    assert verdict(found, PLAIN) is Verdict.PARTIAL
    assert verdict(found, "city/CITY-1") is Verdict.FAIL
    assert verdict(run(DENGBAO, base, own, failed="own"), PLAIN) is Verdict.PASS
    with pytest.raises(StandardError, match="city/CITY-9"):
        run(standard, rule("wrong", "city/CITY-9"))


def test_tightened_means_a_person_confirms_too(tmp_path: Path) -> None:
    passing = rule("base", "dengbao/8.1.4.1.a")
    assert verdict(run(DENGBAO, passing), "dengbao/8.1.4.1.a") is Verdict.PASS
    assert verdict(run(city(tmp_path), passing), "dengbao/8.1.4.1.a") is Verdict.UNKNOWN


def test_it_has_no_score_of_its_own(tmp_path: Path) -> None:
    assert isinstance(run(city(tmp_path)).score, Unscored)


def test_answers_to_the_base_hold_unless_more_is_asked(tmp_path: Path) -> None:
    def answer(subject: str, verdict_: Any = "pass", standard: str = "dengbao") -> Answer:
        return Answer(
            system="s", standard=standard, about="control", subject=subject, verdict=verdict_, note="见制度",
            by="张三", answered_at=AT, valid_until=date(2027, 1, 1),
        )  # fmt: skip

    standard = city(tmp_path)
    given = [answer("dengbao/8.1.6.1.a"), answer("dengbao/8.1.4.1.a"), answer("dengbao/8.1.1.2.a")]
    found = run(standard, answers=given)
    assert verdict(found, "dengbao/8.1.6.1.a") is Verdict.PASS
    assert verdict(found, "dengbao/8.1.4.1.a") is Verdict.UNKNOWN
    assert [use.answer.subject for use in found.answers] == ["dengbao/8.1.6.1.a"]
    own = answer("dengbao/8.1.6.1.a", "fail", "city")
    assert verdict(run(standard, answers=[*given, own]), "dengbao/8.1.6.1.a") is Verdict.FAIL
    assert verdict(run(DENGBAO, answers=[*given, own]), "dengbao/8.1.6.1.a") is Verdict.PASS


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("standard: dengbao", "standard: dengbo", "4:13", "是不是 dengbao"),
        ("standard: dengbao", "standard: city", "4:13", "不能从自己出发"),
        ("standard: dengbao", "standard: miping", "4:13", "D、A、K"),
        ("item: 8.1.1.2.a", "item: 8.1.1.99.a", "6:12", "没有要求项 8.1.1.99.a"),
        ("item: 8.1.1.2.a", "item: 8.1.4.1.a", "9:12", "写了两次；另一处在 city.yaml:6:12"),
        (", reason: 机房由省级统一测评", "", "6:5", "缺少 reason"),
        ("reason: 机房由省级统一测评", "reason: ''", "6:31", "reason 是空的"),
        ("from_level: 2", "from_level: 3", "8:5", "从第 3 级起本来就要求"),
        ("from_level: 2, ", "", "8:5", "没有写从严在哪里"),
        (
            "{item: 8.1.4.1.a, automation: technical-evidence",
            "{item: 8.1.6.1.a, automation: manual",
            "9:5",
            "本来是 manual",
        ),
        ("automation: technical-evidence", "automation: technical-auto", "9:35", "technical-auto"),
        ("id: CITY-2", "id: CITY-1", "15:10", "city/CITY-1 出现两次；另一处在 city.yaml:14:10"),
        ("objects: [server]", "objects: [sever]", "14:55", "是不是 server"),
        ("id: CITY-1", "id: '甲 1'", "14:10", "编号"),
        ("levels: [3, 4]", "at: {3: 1.1 a)}", "15:5", "at 和 id 要写一个"),
    ],
)
def test_a_wrong_baseline_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, place: str, said: str
) -> None:
    assert old in CITY
    with pytest.raises(StandardError) as caught:
        city(tmp_path, CITY.replace(old, new, 1))
    assert str(caught.value).startswith(f"{tmp_path / 'city.yaml'}:{place}: "), str(caught.value)
    assert said in str(caught.value)


def test_a_baseline_of_a_baseline_is_refused(tmp_path: Path) -> None:
    city(tmp_path)
    text = "name: town\ntitle: 镇\nextends: {standard: city}\n"
    (tmp_path / "town.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(StandardError, match=r"town\.yaml:3:21: city 自己也是从别的标准出发的"):
        load_standard("town", [tmp_path])


def test_neither_items_nor_a_base_is_no_standard(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("name: empty\ntitle: 空\n", encoding="utf-8")
    with pytest.raises(StandardError, match="没有 points"):
        load_standard("empty", [tmp_path])


def test_names_that_rules_cannot_write_are_refused(tmp_path: Path) -> None:
    text = dedent(CITY).replace("name: city", "name: our-city")
    (tmp_path / "our-city.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(StandardError, match="只用小写字母和数字"):
        load_standard("our-city", [tmp_path])

"""Who answers for what on a cloud: the default by service model, the configuration before it, and its effects."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import PlatformReport, Responsibilities, System
from policies.assess import assess
from policies.assessment import Assessment, ControlVerdict
from policies.inheritance import inheritance_line
from policies.questions import questions
from policies.responsibilities import split_line
from policies.standards import StandardError, load_standard
from policies.verdict import Verdict

DENGBAO = load_standard("dengbao")
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
SITE, HOSTS, EDGE = "dengbao/8.1.1.1.a", "dengbao/8.1.4.5.a", "dengbao/8.1.3.2.a"
BACKUP, LOCAL = "dengbao/8.2.4.6.c", "dengbao/8.2.4.6.a"


def run(cloud: Any = "tenant", **options: Any) -> Assessment:
    system = System(
        name="s", title="系统", grade="S3A3", include=[Selector(sources=["*"])], cloud=cloud, **options
    )
    return assess(system, DENGBAO, [], Snapshot.of_batches([], AT))


def report(**changes: Any) -> PlatformReport:
    told: dict[str, Any] = {"report": "PT-1", "grade": "S3A3", "valid_until": date(2027, 1, 1)}
    return PlatformReport(**{**told, "items": ["provider"], **changes})


def control(found: Assessment, id_: str) -> ControlVerdict:
    return next(c for c in found.controls if c.control.id == id_)


def whose(found: Assessment, *ids: str) -> list[str]:
    return [duty.who if (duty := control(found, id_).duty) else "" for id_ in ids]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("iaas", ["provider", "customer", "both", "provider", "customer"]),
        ("paas", ["provider", "provider", "both", "provider", "customer"]),
        ("saas", ["provider", "provider", "provider", "provider", "customer"]),
    ],
)
def test_the_line_moves_with_the_service_model(model: Any, expected: list[str]) -> None:
    assert whose(run(service_model=model), SITE, HOSTS, EDGE, BACKUP, LOCAL) == expected


@pytest.mark.parametrize("grade", ["S1A1", "S2A2", "S3A3", "S4A4"])
def test_every_requirement_of_a_tenant_is_somebodys_at_every_level(grade: str) -> None:
    system = System(name="s", title="s", grade=grade, include=[Selector(sources=["*"])], cloud="tenant")
    found = assess(system, DENGBAO, [], Snapshot.of_batches([], AT))
    assert all(c.duty and c.duty.verified for c in found.controls)
    assert found.split
    assert found.split.assumed


def test_only_a_tenant_has_a_split() -> None:
    for cloud in ("platform", "none"):
        found = run(cloud)
        assert found.split is None
        assert not any(c.duty for c in found.controls)
        with pytest.raises(ValueError, match="cloud: tenant"):
            run(cloud, service_model="iaas")


def test_the_configuration_stands_before_the_default_and_its_longest_clause_counts() -> None:
    split = Responsibilities(customer=["8.1.1"], both=["8.1.1.1.a"], provider=["9.9"])
    found = run(responsibilities=split)
    assert whose(found, SITE, "dengbao/8.1.1.1.b") == ["both", "customer"]
    duty = control(found, SITE).duty
    assert duty
    assert duty.origin == "here"
    assert found.split
    assert found.split.unmatched == ("9.9",)
    with pytest.raises(ValueError, match=r"8\.1\.1 出现两次"):
        Responsibilities(customer=["8.1.1"], both=["8.1.1"])


def test_a_report_on_all_that_is_the_providers_closes_no_more_than_that() -> None:
    found = run(platform=report(), service_model="iaas")
    assert found.inheritance
    assert set(found.inheritance.taken) == {
        c.control.id for c in found.controls if c.duty and c.duty.who == "provider"
    }
    assert len(found.inheritance.taken) == 57
    assert control(found, SITE).verdict is Verdict.PASS
    assert [control(found, id_).verdict for id_ in (HOSTS, EDGE)] == [Verdict.UNKNOWN] * 2


def test_of_what_is_both_the_platforms_word_closes_nothing_but_a_failure_counts() -> None:
    both = Responsibilities(both=["8.1.1"])
    met = run(platform=report(items=["8.1.1"]), responsibilities=both)
    assert control(met, SITE).verdict is Verdict.UNKNOWN
    failed = run(platform=report(items=["8.1.1"], failed=["8.1.1.1.a"]), responsibilities=both)
    assert control(failed, SITE).verdict is Verdict.FAIL
    assert control(failed, "dengbao/8.1.1.1.b").verdict is Verdict.UNKNOWN


def test_what_the_configuration_gives_to_the_customer_is_not_taken_over() -> None:
    found = run(platform=report(items=["8.1.1"]), responsibilities=Responsibilities(customer=["8.1.1.1"]))
    assert control(found, SITE).verdict is Verdict.UNKNOWN
    assert control(found, "dengbao/8.1.1.2.a").verdict is Verdict.PASS
    assert found.inheritance
    assert found.inheritance.own == (SITE, "dengbao/8.1.1.1.b")
    assert "2 项按责任划分由云服务客户负责，不继承" in inheritance_line(found.inheritance)


def test_a_clause_that_the_default_calls_the_customers_is_told() -> None:
    found = run(platform=report(items=["8.1.4.5"]), service_model="iaas")
    assert found.split
    assert found.split.claimed == (HOSTS,)
    assert "1 项按缺省属云服务客户，而配置归平台" in split_line(found.split, found.controls)


def test_questions_say_whom_to_ask_and_what_is_whose() -> None:
    found = run(service_model="iaas")
    asked = {q.subject: q for q in questions(found, DENGBAO)}
    assert [asked[id_].whom for id_ in (SITE, HOSTS, EDGE)] == ["云服务商", "云服务客户", "双方"]
    assert "由双方负责（云服务商：平台边界；云服务客户：自己的安全组、白名单）" in asked[EDGE].look
    assert "凭平台的测评报告确认" in asked[SITE].seen
    assert {q.whom for q in questions(run("none"), DENGBAO)} == {""}


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ("[{class: 一, iaas: both, paas: both, saas: both}]", r"没有说 own/1\.1\.2"),
        ("[{class: 三, iaas: both, paas: both, saas: both}]", "没有 三"),
        ("[{items: [1.1.9], iaas: both, paas: both, saas: both}]", r"没有要求项 1\.1\.9"),
        ("[{iaas: both, paas: both, saas: both}]", "写 class"),
        ("[{items: [1.1.1.a, 1.1.1.a], iaas: both, paas: both, saas: both}]", "出现两次"),
        ("[{class: 一, iaas: nobody, paas: both, saas: both}]", "iaas|nobody"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_its_place(tmp_path: Path, shares: str, said: str) -> None:
    item = "automation: manual, objects: [site], summary: 甲, summary_en: a"
    (tmp_path / "own.yaml").write_text(
        "name: own\ntitle: 自己的\npoints:\n"
        f"- {{part: general, class: 一, title: 甲, sag: G, items: [{{at: {{3: 1.1.1}}, {item}}}]}}\n"
        f"- {{part: general, class: 二, title: 乙, sag: G, items: [{{at: {{3: 1.1.2}}, {item}}}]}}\n",
        encoding="utf-8",
    )
    beside = tmp_path / "own-responsibilities.yaml"
    beside.write_text(f"name: own\ntitle: 划分\nshares: {shares}\n", encoding="utf-8")
    with pytest.raises(StandardError, match=said) as told:
        load_standard("own", (tmp_path,))
    assert told.value.error
    assert told.value.error.path == beside
    assert told.value.error.line


def test_the_setting_reads_as_it_is_written() -> None:
    system = msgspec.convert(
        {
            "name": "s", "title": "s", "grade": "S3A3", "include": [], "cloud": "tenant",
            "service_model": "paas", "responsibilities": {"both": ["8.1.1"]},
        },
        System,
    )  # fmt: skip
    assert system.responsibilities.both == ["8.1.1"]

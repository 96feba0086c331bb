"""The rules of the register, on a register that is in order, one that is not, and one without rows."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from collectors.changes import Change, Past, Watched
from collectors.contract import Run, Source
from collectors.register import KINDS, Options, collect
from collectors.register.layout import KEY, SHEETS
from collectors.things import Login, Thing
from inventory.coverage import Batch
from inventory.kinds.compute import InstanceAction
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.assess import assess
from policies.evaluate import evaluate
from policies.outcome import Outcome
from policies.rules import load_rules
from policies.standards import load_standard
from policies.verdict import Verdict

DATA = Path(__file__).parents[1] / "data" / "register"
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
RULES = [rule for rule in load_rules(examples=False) if rule.kind in KINDS]
HOST = Thing("web-01/host/web-01", "web-01", "host", "web-01", ("web-01",))
ACCOUNTS = [
    Thing(
        f"web-01/account/web-01/{name}",
        "web-01",
        "account",
        f"web-01/{name}",
        logins=(Login(name, active=True),),
        owner=HOST.uid,
    )
    for name in ("root", "ops01")
]
CHANGE = Change(
    HOST.uid,
    ("web-01",),
    datetime(2026, 10, 1, 4, tzinfo=UTC),
    datetime(2026, 10, 2, 4, tzinfo=UTC),
    ("ssh",),
)
STARTED = InstanceAction(
    source="cloud", native_id="s1/req-1/reboot", name="web-01 reboot", server="s1", server_name="web-01",
    action="reboot", started_at=CHANGE.until, user_name="li", failed=False,
)  # fmt: skip
PAST = Past(
    [Watched(HOST.uid, ("web-01",), CHANGE.since, NOW, whole=True)],
    [CHANGE],
    {},
    [(STARTED, "cloud/cloud/c")],
)
Sheets = dict[str, list[dict[str, object]]]


def sheets(name: str) -> Sheets:
    found: Sheets = yaml.safe_load((DATA / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def collected(folder: Path, held: Sheets, name: str = "taizhang") -> Batch:
    for sheet in SHEETS:
        if sheet.title in held:
            headings = [KEY, *(column.heading for column in sheet.columns)]
            with (folder / f"{sheet.title}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, headings)
                writer.writeheader()
                writer.writerows(held[sheet.title])
    source = Source(name=name, type="register", options=Options(path=str(folder)))
    (batch,) = collect(
        source, Run(source, now=lambda: NOW, things=lambda: [HOST, *ACCOUNTS], past=lambda _: PAST)
    )
    return batch


def outcomes(folder: Path, held: Sheets) -> dict[str, Outcome]:
    snapshot = Snapshot.of_batches([collected(folder, held)], NOW)
    return {o.rule.id: o for o in evaluate(RULES, snapshot, now=NOW)}


def test_a_register_in_order_has_no_findings_and_each_rule_has_judged_it(tmp_path: Path) -> None:
    found = outcomes(tmp_path, sheets("good"))
    assert len(found) >= 50
    assert {id_: [f.message for f in o.findings] for id_, o in found.items() if o.findings} == {}
    assert {id_ for id_, o in found.items() if o.unseen or o.gaps} == set()
    assert {id_ for id_, o in found.items() if len(o.excluded) == len(o.resources)} == set()


def test_one_that_is_not_in_order_fails_each_rule(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "empty").mkdir()
    bad = outcomes(tmp_path / "bad", sheets("bad"))
    empty = outcomes(tmp_path / "empty", {sheet.title: [] for sheet in SHEETS})
    silent = {id_ for id_ in bad if not bad[id_].findings and not empty[id_].findings}
    assert silent == set()
    # of a sheet without rows, what the register as a whole should have is missing, and who holds the accounts
    assert {o.rule.kind for o in empty.values() if o.findings} == {
        "register",
        "account_review",
        "change_review",
        "action_review",
    }


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("backup-plan-not-off-site", ["业务数据库"]),
        ("product-crypto-expired", ["服务器密码机"]),
        ("grant-remote-past-end", ["远程运维，ops07"]),
        ("leaver-outsider-still-active", ["L-02"]),
        ("change-not-closed", ["C-01"]),
        ("activity-grading-problems", ["等级测评，门户网站"]),
        ("register-routine-check", ["taizhang"]),
    ],
)
def test_findings_name_the_rows(rule: str, names: list[str], tmp_path: Path) -> None:
    assert [f.name for f in outcomes(tmp_path, sheets("bad"))[rule].findings] == names


def test_a_lapsed_system_is_found_beside_one_that_is_not(tmp_path: Path) -> None:
    rows = [
        {KEY: "1", "类型": "应急演练", "系统": "甲", "完成日期": "2026-09-01"},
        {KEY: "2", "类型": "应急演练", "系统": "乙", "完成日期": "2024-09-01"},
    ]
    assert outcomes(tmp_path, {"定期工作": rows})["register-emergency-drill"].findings
    rows.append({KEY: "3", "类型": "应急演练", "系统": "", "完成日期": "2026-10-01"})
    assert not outcomes(tmp_path, {"定期工作": rows})["register-emergency-drill"].findings


def test_a_sheet_that_is_missing_or_partial_is_unknown_and_no_finding(tmp_path: Path) -> None:
    held = sheets("bad")
    del held["备份策略"]
    held["定期工作"].append({KEY: "X", "类型": "没有这种"})
    found = outcomes(tmp_path, held)
    whole = [o for o in found.values() if o.rule.kind == "register"]
    assert len(whole) >= 10
    for outcome in whole:
        assert not outcome.findings
        (unseen,) = outcome.unseen
        assert unseen.missing in ("works", "backup_plans")
        assert "按所指的单元格改好台账" in unseen.remedy
    # rows of the partial sheet that were read are judged, and the rest is a gap; of the missing one is none
    assert found["activity-grading-problems"].findings
    assert found["activity-grading-problems"].gaps
    assert not found["backup-plan-not-off-site"].gaps


def test_no_register_leaves_every_rule_silent() -> None:
    for outcome in evaluate(RULES, Snapshot.of_batches([], NOW), now=NOW):
        assert [*outcome.findings, *outcome.unseen, *outcome.gaps] == []


def test_what_is_written_down_fails_a_requirement_and_meets_none_but_for_the_data_it_tells_of(
    tmp_path: Path,
) -> None:
    data: dict[str, list[Verdict]] = {}

    def verdicts(name: str) -> dict[str, Verdict]:
        folder = tmp_path / name
        folder.mkdir()
        snapshot = Snapshot.of_batches([collected(folder, sheets(name))], NOW)
        system = System(
            name="s", title="s", grade="S3A3", cloud="tenant", include=[Selector(sources=["taizhang"])]
        )
        judged = evaluate(RULES, snapshot, now=NOW)
        assessment = assess(system, load_standard("dengbao"), judged, snapshot)
        told = {(a.category, a.types) for a in assessment.assets}
        assert told == {("安全管理文档", ()), ("数据资源", ("data",))}
        for control in assessment.controls:
            for one in control.objects:
                if "/backup_plan/" in one.asset and one.checks:
                    data.setdefault(f"{name} {control.control.id[8:]}", []).append(one.verdict)
                else:
                    assert one.verdict is not Verdict.PASS, control.control.id
        spoken = {c for rule in RULES for c in rule.controls.all()}
        return {c.control.id: c.verdict for c in assessment.controls if c.control.id in spoken}

    good, bad = verdicts("good"), verdicts("bad")
    assert set(good.values()) == {Verdict.UNKNOWN}
    assert {bad[f"dengbao/{i}"] for i in ("8.1.4.9.b", "8.1.9.3.b", "8.1.8.4.c")} <= {
        Verdict.FAIL,
        Verdict.PARTIAL,
    }
    # a dated restore test with its result decides for the data that it was of, as a dated look at the copy does
    assert (data["good 8.1.4.9.a"], data["good 8.1.4.9.b"]) == ([Verdict.PASS], [Verdict.PASS])
    assert Verdict.PASS not in data["bad 8.1.4.9.b"]
    assert data["bad 8.1.4.9.a"].count(Verdict.PASS) == 1  # of three
    passing = {control for control, found in data.items() if Verdict.PASS in found}
    assert {control.partition(" ")[2] for control in passing} <= {"8.1.4.9.a", "8.1.4.9.b"}


def test_data_of_which_nothing_dated_is_written_stay_open(tmp_path: Path) -> None:
    plan = {k: v for k, v in sheets("good")["备份策略"][0].items() if "滞后" not in k}
    held = {"备份策略": [plan]}
    found = outcomes(tmp_path, held)
    assert found["backup-plan-lag-not-checked"].findings
    assert found["backup-plan-lagging"].excluded
    held["备份策略"][0] |= {"滞后核查日期": "2026-10-12"}
    found = outcomes(tmp_path, held)
    assert not found["backup-plan-lag-not-checked"].findings
    assert [u.missing for u in found["backup-plan-lagging"].unseen] == ["lag_minutes"]
    held["备份策略"][0] |= {"恢复结果": ""}
    assert outcomes(tmp_path, held)["backup-plan-restore-failed"].findings

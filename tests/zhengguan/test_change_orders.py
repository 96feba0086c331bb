"""Changes of a machine from run to run, through the real collectors and the store, held against the register."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.changes import starts
from collectors.contract import Source
from collectors.host import Options as Local
from collectors.openstack import Options as Cloud
from collectors.register import Options as Register
from inventory.kinds.compute import InstanceAction
from inventory.kinds.review import ActionReview, ChangeReview, ReviewedChange
from inventory.selectors import Selector
from inventory.store import Store, open_store
from inventory.systems import System
from inventory.unknown import UNKNOWN
from policies.assess import assess
from policies.evaluate import evaluate
from policies.rules import load_rules
from policies.standards import load_standard
from policies.verdict import Verdict
from zhengguan.loop import collect_into

RECORDED = Path(__file__).parents[1] / "data" / "openstack" / "lately-admin.jsonl.gz"
LATELY = datetime(2026, 11, 23, 1, tzinfo=UTC)  # just after it was recorded
HOST = Path(__file__).parents[1] / "data" / "host" / "composed-strong.json"
START = datetime(2026, 11, 1, 4, tzinfo=UTC)
RULES = [rule for rule in load_rules() if rule.kind in ("change_review", "change_order")]


class Office:
    """One host and one register, collected on days of our choice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store: Store = open_store(str(folder / "store.db"))
        self.orders: list[dict[str, str]] = []
        self.host(lambda text: text)

    def host(self, change: Callable[[str], str]) -> None:
        text = HOST.read_text(encoding="utf-8")
        machine = json.dumps(json.loads(change(text)))
        header = {"format": "zhengguan-local-recording/1", "source": "web"}
        (self.folder / "web.jsonl.gz").write_bytes(
            gzip.compress(f"{json.dumps(header)}\n{machine}\n".encode())
        )

    def collect(self, day: int, *names: str) -> None:
        with (self.folder / "变更单.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(
                file, ["编号", "变更对象", "批准", "开始日期", "截止日期", "关闭日期", "结果"]
            )
            writer.writeheader()
            writer.writerows(self.orders)
        sources = [
            Source(name="web", type="local", options=Local(recording=str(self.folder / "web.jsonl.gz"))),
            Source(name="office", type="register", options=Register(path=str(self.folder))),
        ]
        now = START + timedelta(days=day)
        wanted = [s for s in sources if not names or s.name in names]
        collected = collect_into(self.store, wanted, concurrency=2, progress=lambda _: None, now=lambda: now)
        assert collected.unread() == []

    def review(self) -> ChangeReview:
        (found,) = self.store.snapshot().of(ChangeReview)
        return found

    def changes(self) -> list[ReviewedChange]:
        found = self.review().changes
        assert isinstance(found, list)
        return found

    def verdict(self) -> Verdict:
        """8.1.10.8.b of the host."""
        system = System(name="s", title="s", grade="S3A3", include=[Selector(sources=["web"])])
        snapshot = self.store.snapshot()
        members = system.members(snapshot)
        judged = evaluate(RULES, snapshot, members=members, now=snapshot.info.taken_at)
        assessment = assess(system, load_standard("dengbao"), judged, snapshot, members=members)
        (control,) = [c for c in assessment.controls if c.control.id == "dengbao/8.1.10.8.b"]
        (one,) = [o for o in control.objects if o.asset.split("/")[1] == "host"]
        return one.verdict


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def weaker(text: str) -> str:
    changed = text.replace("permitrootlogin no", "permitrootlogin yes")
    assert changed != text
    return changed


def test_a_change_is_kept_until_an_order_answers_for_it(office: Office) -> None:
    office.collect(0)
    assert (office.review().changed, office.verdict()) == (
        UNKNOWN,
        Verdict.UNKNOWN,
    )  # nothing to compare with
    office.collect(1)
    assert (office.review().changed, office.verdict()) == (False, Verdict.NOT_APPLICABLE)
    assert office.review().observed_since == START
    office.host(weaker)
    office.collect(2)
    (change,) = office.changes()
    assert (change.what, change.matched, change.order) == (["ssh"], False, None)
    assert (change.since, change.until) == (START + timedelta(days=1), START + timedelta(days=2))
    assert office.verdict() in (Verdict.FAIL, Verdict.PARTIAL)
    office.collect(3)  # nothing new, and nothing forgotten
    assert office.changes() == [change]
    assert isinstance(change.names, list)
    office.orders.append(
        {
            "编号": "C-1",
            "变更对象": f"{change.names[0]} 的 sshd",
            "批准": "SP-1",
            "开始日期": "2026-11-02",
            "关闭日期": "2026-11-03",
        }
    )
    office.collect(4)
    assert [(c.order, c.matched) for c in office.changes()] == [("C-1", True)]
    assert office.verdict() is Verdict.PASS


def test_a_change_in_a_run_without_the_register_is_found_in_the_next_with_it(office: Office) -> None:
    office.collect(0)
    office.collect(1)
    office.host(weaker)
    office.collect(2, "web")
    office.collect(3, "web")
    assert office.changes() == []
    office.collect(4)
    (change,) = office.changes()
    assert (change.what, change.matched) == (["ssh"], False)
    assert (change.since, change.until) == (START + timedelta(days=1), START + timedelta(days=3))
    office.collect(5)
    assert office.changes() == [change]


def test_a_register_alone_compares_what_was_seen(office: Office) -> None:
    office.collect(0)
    office.collect(1)
    office.collect(2, "office")
    assert (office.changes(), office.review().changed) == ([], False)
    office.host(weaker)
    office.collect(3, "web")
    office.collect(4, "office")
    (change,) = office.changes()
    assert change.matched is False
    office.collect(60, "office")  # a machine that nobody has read for long may have changed
    assert (office.changes(), office.review().observed_since) == ([change], UNKNOWN)


def test_without_the_sheet_what_was_told_is_kept_and_nothing_is_missed(office: Office) -> None:
    office.collect(0)
    office.collect(1)
    office.host(weaker)
    (office.folder / "离岗离场.csv").write_text("编号,人员,账户,离岗日期\n", encoding="utf-8")
    office.collect(2, "web")
    real = office.folder / "变更单.csv"
    broken = Source(name="office", type="register", options=Register(path=str(office.folder)))
    real.unlink()
    now = START + timedelta(days=3)
    collect_into(office.store, [broken], concurrency=1, progress=lambda _: None, now=lambda: now)
    assert office.review().uid in office.store.snapshot().stale
    assert office.verdict() is not Verdict.PASS
    office.collect(4)
    (change,) = office.changes()
    assert change.matched is False


def test_servers_that_a_cloud_started_are_held_against_the_orders(office: Office, tmp_path: Path) -> None:
    cloud = Source(name="cloud", type="openstack", options=Cloud(recording=str(RECORDED)))
    register = Source(name="office", type="register", options=Register(path=str(tmp_path)))
    office.orders = []
    office.collect(0)
    collect_into(office.store, [cloud, register], concurrency=2, progress=lambda _: None, now=lambda: LATELY)
    snapshot = office.store.snapshot()
    actions = {one.uid: one for one in snapshot.of(InstanceAction)}
    found = {one.native_id: one for one in snapshot.of(ActionReview)}
    assert found.keys() == {uid for uid, one in actions.items() if starts(one)} != set()
    assert {one.matched for one in found.values()} == {False}
    chosen = next(one for one in actions.values() if one.action == "create" and starts(one))
    office.orders = [
        {"编号": "C-09", "变更对象": f"新建 {chosen.server}", "批准": "SP-9", "开始日期": "2026-11-01"}
    ]
    office.collect((LATELY - START).days + 1, "office")  # the cloud is not read again
    again = {one.native_id: one for one in office.store.snapshot().of(ActionReview)}
    assert again.keys() == found.keys()
    assert {
        again[uid].order for uid, one in actions.items() if one.server == chosen.server and starts(one)
    } == {"C-09"}
    assert {one.matched for uid, one in again.items() if actions[uid].server != chosen.server} == {False}

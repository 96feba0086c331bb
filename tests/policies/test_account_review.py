"""Accounts and the register decide together whether accounts are superfluous or shared (8.1.4.2.c)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from collectors.register.accounts import Held, reviews
from collectors.things import thing_of
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.host import Account, Host
from inventory.kinds.register import AccountRecord, Leaver
from inventory.resource import Relation, Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.assess import assess
from policies.evaluate import evaluate
from policies.rules import load_rules
from policies.standards import load_standard
from policies.verdict import Verdict

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
SYSTEM = System(name="s", title="s", grade="S3A3", include=[Selector(sources=["hosts"])])
RULES = [r for r in load_rules() if any(c.endswith("8.1.4.2.c") for c in r.controls.all())]
Row = AccountRecord


def told(kind: str, count: int, status: Status = Status.COMPLETE) -> Collection:
    return Collection(
        source="hosts", kind=kind, status=status, started_at=NOW, ended_at=NOW, count=count, reason="x"
    )


def verdict(records: list[Resource] | None, *accounts: str, status: Status = Status.COMPLETE) -> Verdict:
    """8.1.4.2.c of one host with these accounts; ``records`` None = the register has no such sheet."""
    seen: list[Resource] = [Host(source="hosts", native_id="web-01", name="web-01")]
    for name in accounts:
        seen.append(
            Account(
                source="hosts",
                native_id=f"web-01/{name}",
                name=name,
                relations=[Relation("runs_on", "hosts/host/web-01")],
                login_allowed=True,
                password="set",
                password_changed=date(2026, 11, 1),
                expires=None,
                id_shared=False,
            )
        )
    left: list[Resource] = [Leaver(source="t", native_id="L", accounts=["gone"], left_on=date(2026, 1, 1))]
    things = [thing for thing in map(thing_of, seen) if thing is not None]
    found = [] if records is None else reviews("t", things, Held(records, True), Held(left, True), NOW.date())
    batches = [
        Batch(resources=seen, collections=[told("host", 1), told("account", len(accounts), status)]),
        Batch(resources=[*found]),
    ]
    snapshot = Snapshot.of_batches(batches, NOW)
    members = SYSTEM.members(snapshot)
    assert len(members) == len(seen) + len(found)  # though the selectors name the host's source alone
    judged = evaluate(RULES, snapshot, members=members, now=NOW)
    assessment = assess(SYSTEM, load_standard("dengbao"), judged, snapshot, members=members)
    (control,) = [c for c in assessment.controls if c.control.id == "dengbao/8.1.4.2.c"]
    (one,) = control.objects
    assert one.asset == "hosts/host/web-01"
    return one.verdict


def row(account: str, *holders: str, until: date | None = None) -> Row:
    return Row(
        source="t", native_id=account, account=account, assets=["web-01"], holders=list(holders),
        type="个人", expires_on=until,
    )  # fmt: skip


def test_a_host_whose_accounts_are_all_registered_for_one_person_meets_it() -> None:
    assert verdict([row("root", "管理岗"), row("ops", "GH01")], "root", "ops") is Verdict.PASS


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row("ops")],
        [row("ops", "GH01", "GH02")],
        [row("ops", "GH01", until=date(2026, 11, 1))],
        [row("ops", "gone")],
    ],
)
def test_one_that_is_not_fails_it(rows: list[Resource]) -> None:
    assert verdict(rows, "ops") in (Verdict.FAIL, Verdict.PARTIAL)


def test_without_the_sheet_or_all_accounts_it_stays_open() -> None:
    assert verdict(None, "ops") is Verdict.UNKNOWN
    assert verdict([row("ops", "GH01")]) is Verdict.UNKNOWN
    assert verdict([row("ops", "GH01")], "ops", status=Status.PARTIAL) is Verdict.UNKNOWN

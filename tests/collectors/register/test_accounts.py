"""The sheet 账户 against accounts that other sources showed: what is registered, for whom, and what cannot be told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from collectors.register.accounts import Held, reviews
from collectors.things import Thing, thing_of
from inventory.coverage import Batch, Status
from inventory.kinds.cloud import Cloud
from inventory.kinds.device_config import DeviceConfig, LocalUser
from inventory.kinds.host import Account, Host
from inventory.kinds.identity import User
from inventory.kinds.network import Device
from inventory.kinds.register import AccountRecord, Leaver
from inventory.kinds.review import AccountReview
from inventory.resource import Relation, Resource
from inventory.unknown import UNKNOWN

TODAY = date(2026, 11, 22)
Sheets = dict[str, list[dict[str, Any]]]


def host(name: str, *accounts: str, address: str = "") -> list[Resource]:
    id_ = address or name
    made: list[Resource] = [Host(source="hosts", native_id=id_, name=name)]
    for account in accounts:
        made.append(
            Account(
                source="hosts",
                native_id=f"{id_}/{account}",
                name=account,
                relations=[Relation("runs_on", f"hosts/host/{id_}")],
                login_allowed=True,
                password="set",
            )
        )
    return made


def device(address: str, name: str, *users: LocalUser) -> list[Resource]:
    return [
        Device(source="net", native_id=address, name=name, management_address=address),
        DeviceConfig(
            source="net",
            native_id=address,
            name=name,
            users=list(users),
            relations=[Relation("part_of", f"net/device/{address}")],
        ),
    ]


def user(name: str, domain: str, **values: Any) -> User:
    return User(source="gov", native_id=f"{domain}-{name}", name=name, domain=domain, enabled=True, **values)


def record(number: int, account: str, *assets: str, **values: Any) -> AccountRecord:
    known: dict[str, Any] = {"holders": ["GH01"], "type": "个人", "expires_on": None, **values}
    return AccountRecord(source="t", native_id=str(number), account=account, assets=list(assets), **known)


def gone(*accounts: str, left_on: date = date(2026, 7, 1)) -> Leaver:
    return Leaver(source="t", native_id="L", accounts=list(accounts), left_on=left_on)


def reviewed(
    seen: list[Resource],
    records: list[Resource],
    leavers: list[Resource] | None = None,
    whole: bool = True,
    all_leavers: bool = True,
) -> dict[str, AccountReview]:
    things = [thing for thing in map(thing_of, seen) if thing is not None]
    found = reviews("t", things, Held(records, whole), Held(leavers or [], all_leavers), TODAY)
    return {one.native_id: one for one in found}


def test_an_account_is_registered_on_the_machine_that_the_register_names() -> None:
    seen = [*host("web-01", "ops", "test"), *host("web-02", "ops", address="10.0.0.2")]
    rows: list[Resource] = [record(1, "ops", "WEB-01", "10.0.0.2"), record(2, "Test", "web-01")]
    found = reviewed(seen, rows)
    assert {uid: one.registered for uid, one in found.items()} == {
        "hosts/account/web-01/ops": True,
        "hosts/account/web-01/test": False,  # names of accounts are told apart by case
        "hosts/account/10.0.0.2/ops": True,
    }
    one = found["hosts/account/web-01/ops"]
    assert (one.account, one.machine, one.machine_kind, one.holders) == ("ops", "web-01", "host", 1)
    assert one.related("part_of") == ["hosts/host/web-01"]
    assert one.related("reviews") == ["hosts/account/web-01/ops"]
    assert (one.ends_on, one.left, one.can_log_in) == (None, False, True)


def test_what_a_device_calls_itself_opens_no_door() -> None:
    admin = LocalUser(name="admin", enabled=True)
    star = device("10.9.9.9", "*", admin)
    assert not reviewed(star, [record(1, "admin", "core")])["net/device_config/10.9.9.9/admin"].registered
    # a star of the register's own is for all
    assert reviewed(star, [record(1, "admin", "*")])["net/device_config/10.9.9.9/admin"].registered is True
    # one that takes the name of another leaves both open, and one that takes another's address stays outside
    twins = [*device("10.0.0.1", "core", admin), *device("10.9.9.9", "core", admin)]
    found = reviewed(twins, [record(1, "admin", "core")])
    assert [one.registered for one in found.values()] == [UNKNOWN, UNKNOWN]
    taken = [*device("10.0.0.1", "core", admin), *device("10.9.9.9", "10.0.0.1", admin)]
    found = reviewed(taken, [record(1, "admin", "10.0.0.1")])
    assert found["net/device_config/10.0.0.1/admin"].registered is True
    assert found["net/device_config/10.9.9.9/admin"].registered is UNKNOWN


def test_names_of_accounts_may_be_anything() -> None:
    names = ["a/b", "a%2Fb", "*", "x" * 5000, "\x00\x1b[2J", "、", ""]
    seen = device("10.0.0.1", "core", *(LocalUser(name=name, enabled=True) for name in names))
    found = reviewed(seen, [record(1, "*", "*"), record(2, "a", "core/b")])
    assert len(found) == len(names) - 1  # all but the one without a name, none for another
    assert [one.account for one in found.values() if one.registered] == ["*"]
    assert all(len(str(one.account)) <= 200 for one in found.values())


def test_accounts_of_two_devices_never_fall_together() -> None:
    one = device("10.0.0.1", "one", LocalUser(name="b/c", enabled=True))
    other = device("10.0.0.1/b", "other", LocalUser(name="c", enabled=True))
    found = reviewed([*one, *other], [record(1, "c", "other")])
    assert sorted((str(r.machine), bool(r.registered)) for r in found.values()) == [
        ("one", False),
        ("other", True),
    ]


def test_users_of_one_name_in_two_domains_are_not_taken_for_each_other() -> None:
    cloud = Cloud(source="gov", native_id="cloud", name="gov")
    seen: list[Resource] = [
        cloud,
        user("admin", "Default"),
        user("admin", "tenant-a"),
        user("zhang", "tenant-a"),
    ]
    found = reviewed(seen, [record(1, "admin", "gov"), record(2, "zhang", "gov")])
    assert found["gov/user/Default-admin"].registered is UNKNOWN
    assert found["gov/user/tenant-a-zhang"].registered is True
    found = reviewed(seen, [record(1, "Default/admin", "gov")])
    assert found["gov/user/Default-admin"].registered is True
    assert found["gov/user/tenant-a-admin"].registered is False
    assert found["gov/user/Default-admin"].related("part_of") == [cloud.uid]


def test_holders_days_and_services() -> None:
    seen = host("web-01", "a", "b", "c", "d", "e")
    rows: list[Resource] = [
        record(1, "a", "web-01", holders=["GH01", "GH02"]),
        record(2, "b", "web-01"),
        record(3, "b", "*", holders=["GH03"], expires_on=date(2026, 1, 1)),
        record(4, "c", "*", type="服务", holders=["备份", "监控"]),
        record(5, "d", "*", holders=[], expires_on=date(2026, 1, 1)),
        record(6, "e", "*", expires_on=UNKNOWN),
    ]
    found = {one.account: one for one in reviewed(seen, rows).values()}
    assert {name: one.holders for name, one in found.items()} == {"a": 2, "b": 2, "c": None, "d": 0, "e": 1}
    ends = {name: one.ends_on for name, one in found.items()}
    assert ends == {"a": None, "b": None, "c": None, "d": date(2026, 1, 1), "e": UNKNOWN}


def test_who_left_is_told_by_account_and_by_holder() -> None:
    seen = host("web-01", "wang", "shared", "ops", "later")
    rows: list[Resource] = [record(1, "shared", "*", holders=["GH09"]), record(2, "ops", "*")]
    left: list[Resource] = [gone("wang", "GH09"), gone("later", left_on=TODAY)]
    found = {one.account: one.left for one in reviewed(seen, rows, left).values()}
    assert found == {"wang": True, "shared": True, "ops": False, "later": False}
    part = {one.account: one.left for one in reviewed(seen, rows, left, all_leavers=False).values()}
    assert part == {"wang": True, "shared": True, "ops": UNKNOWN, "later": UNKNOWN}


def test_a_sheet_with_a_row_that_cannot_be_read_shows_no_absence() -> None:
    rows: list[Resource] = [record(1, "a", "*"), record(2, "b", "*", holders=["GH01", "GH02"])]
    found = {one.account: one for one in reviewed(host("web-01", "a", "b", "c"), rows, whole=False).values()}
    assert {name: one.registered for name, one in found.items()} == {"a": True, "b": True, "c": UNKNOWN}
    # the row that is missing may add a holder, or a day
    assert {name: one.holders for name, one in found.items()} == {"a": UNKNOWN, "b": 2, "c": UNKNOWN}
    assert [one.ends_on for one in found.values()] == [UNKNOWN] * 3


def test_only_what_can_log_in_is_reviewed() -> None:
    locked = Account(
        source="hosts", native_id="w/key", name="key", login_allowed=True, password="locked",
        relations=[Relation("runs_on", "hosts/host/w")],
    )  # fmt: skip
    shut = Account(
        source="hosts", native_id="w/bin", name="bin", login_allowed=False,
        relations=[Relation("runs_on", "hosts/host/w")],
    )  # fmt: skip
    ended = Account(
        source="hosts", native_id="w/old", name="old", login_allowed=True, password="set",
        expires=date(2026, 11, 21), relations=[Relation("runs_on", "hosts/host/w")],
    )  # fmt: skip
    found = reviewed([*host("w"), locked, shut, ended], [])
    assert {uid: one.can_log_in for uid, one in found.items()} == {"hosts/account/w/key": UNKNOWN}
    # a machine whose own row was not seen is known by its accounts
    assert found == reviewed([locked, shut, ended], [])


@pytest.fixture
def seen() -> Callable[[], list[Thing]]:
    return lambda: [t for t in map(thing_of, host("web-01", "ops01", "test")) if t is not None]


def test_without_the_sheet_nothing_is_reviewed(
    sheets: Sheets, workbook: Callable[[Sheets], Path], read: Callable[..., Batch], seen: Callable[[], Any]
) -> None:
    whole = read(workbook(sheets), things=seen)
    assert [r.registered for r in whole.resources if isinstance(r, AccountReview)] == [True, False]
    (state,) = [c for c in whole.collections if c.kind == "account_review"]
    assert (state.status, state.count) == (Status.COMPLETE, 2)
    sheets["账户"][0]["类型"] = "临时"
    part = read(workbook(sheets), things=seen)
    assert [r.registered for r in part.resources if isinstance(r, AccountReview)] == [UNKNOWN, UNKNOWN]
    for row in sheets["账户"]:
        del row["类型"]
    failed = read(workbook(sheets), things=seen)
    del sheets["账户"]
    none = read(workbook(sheets), things=seen)
    for batch, status in ((failed, Status.FAILED), (none, Status.UNSUPPORTED)):
        assert not [r for r in batch.resources if isinstance(r, AccountReview)]
        (state,) = [c for c in batch.collections if c.kind == "account_review"]
        assert state.status is status
        assert state.remedy

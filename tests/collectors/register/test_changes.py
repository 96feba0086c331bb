"""Changes that were seen against the sheet 变更单: which order is for which change, and what cannot be told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from collectors.changes import Change, Past, Watched, changed, changed_fields, starts
from collectors.register.accounts import Held
from collectors.register.changes import Orders, action_reviews, reviews
from inventory.kinds.cluster import ControlPlaneComponent
from inventory.kinds.compute import InstanceAction
from inventory.kinds.device_config import DeviceConfig, SshService
from inventory.kinds.host import Audit, Host, SshServer
from inventory.kinds.register import ChangeOrder
from inventory.kinds.review import ChangeReview
from inventory.unknown import UNKNOWN

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
FROM, TO = datetime(2026, 11, 10, 4, tzinfo=UTC), datetime(2026, 11, 11, 4, tzinfo=UTC)


def order(objects: str, number: str = "C-01", **values: Any) -> ChangeOrder:
    known: dict[str, Any] = {
        "approved_by": "SP-1", "starts_on": date(2026, 11, 11), "ends_on": date(2026, 11, 12),
        "closed_on": None, "result": "成功", **values,
    }  # fmt: skip
    return ChangeOrder(source="t", native_id=number, objects=objects, **known)


def told(*orders: ChangeOrder, names: tuple[str, ...] = ("10.0.0.1", "web-1"), whole: bool = True) -> Any:
    index = Orders(Held(orders, whole), [("u", names)])
    return index.told(names, FROM, TO)


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        ("web-1", True),
        ("WEB-1、web-2 的 sshd", True),
        ("核心机房web-1的参数", True),
        ("服务器 web-1.", True),
        ("(10.0.0.1)", True),
        ("web-10", False),
        ("my-web-1", False),
        ("10.0.0.11", False),
        ("全部服务器", False),
        ("*", False),
    ],
)
def test_an_order_names_a_machine_whole(objects: str, found: bool) -> None:
    assert told(order(objects)) == (("C-01", True) if found else (None, False))


def test_names_in_chinese_and_addresses_in_any_form() -> None:
    core = ("2001:db8::1", "核心交换机", "core switch 1")
    assert told(order("调整核心交换机的 ACL"), names=core) == ("C-01", True)
    assert told(order("Core Switch 1 升级"), names=core) == ("C-01", True)
    assert told(order("2001:0DB8:0:0::1 升级"), names=core) == ("C-01", True)
    assert told(order("交换机"), names=core) == (None, False)


def test_the_days_of_an_order_meet_those_of_the_change() -> None:
    def on(**values: Any) -> Any:
        return told(order("web-1", **values))

    assert on() == ("C-01", True)
    assert on(starts_on=date(2026, 11, 12), ends_on=None) == (None, False)
    assert on(starts_on=date(2026, 11, 1), ends_on=date(2026, 11, 9)) == (None, False)
    # what was closed later was done until then, and what has no end is still open
    assert on(starts_on=date(2026, 11, 1), ends_on=date(2026, 11, 9), closed_on=date(2026, 11, 10))[1] is True
    assert on(starts_on=date(2026, 11, 1), ends_on=None)[1] is True
    assert on(starts_on=date(2026, 11, 1), ends_on=UNKNOWN, closed_on=UNKNOWN) == (UNKNOWN, UNKNOWN)


def test_only_what_was_approved_and_done_counts() -> None:
    assert told(order("web-1", approved_by=None)) == (None, False)
    assert told(order("web-1", approved_by=UNKNOWN)) == (UNKNOWN, UNKNOWN)
    assert told(order("web-1", result="取消")) == (None, False)
    assert told(order("web-1", result="回退")) == ("C-01", True)
    # a sheet with a row that was not read shows no absence
    assert told(order("web-2"), whole=False) == (UNKNOWN, UNKNOWN)
    assert told(order("web-1"), whole=False) == ("C-01", True)


def test_what_a_machine_calls_itself_opens_no_door() -> None:
    def between(objects: str, rogue: tuple[str, ...]) -> Any:
        index = Orders(Held([order(objects)], True), [("real", ("10.0.0.1", "core-1")), ("rogue", rogue)])
        return index.told(rogue, FROM, TO)[1], index.told(("10.0.0.1", "core-1"), FROM, TO)[1]

    # one name of two: nobody's; the address that was configured is nobody else's
    assert between("core-1", ("10.9.9.9", "core-1")) == (UNKNOWN, UNKNOWN)
    assert between("10.0.0.1", ("10.9.9.9", "10.0.0.1")) == (UNKNOWN, True)
    # too short to be a name, too long to be looked for
    assert between("ACL a 变更", ("10.9.9.9", "a")) == (False, False)
    assert between("变" * 400, ("10.9.9.9", "变" * 300)) == (False, False)


def past(*changes: Change, told: dict[str, ChangeReview] | None = None, **values: Any) -> Past:
    known: dict[str, Any] = {"since": FROM, "seen_at": NOW, "whole": True, **values}
    return Past([Watched("h/host/w", ("w", "web-1"), **known)], list(changes), told or {})


CHANGE = Change("h/host/w", ("w", "web-1"), FROM, TO, ("ssh",))


def test_a_change_without_an_order_stays_until_its_time_is_over() -> None:
    (first,) = reviews("t", past(CHANGE), Held([], True), NOW)
    assert (first.native_id, first.changed, first.observed_since) == ("h/host/w", True, FROM)
    assert isinstance(first.changes, list)
    assert [(c.order, c.matched, c.until) for c in first.changes] == [(None, False, TO)]
    # nothing new is seen, and nothing is forgotten; an order that is written later is found
    (later,) = reviews("t", past(told={"h/host/w": first}), Held([], True), NOW + timedelta(days=60))
    assert later.changes == first.changes
    (mended,) = reviews("t", past(told={"h/host/w": first}), Held([order("web-1")], True), NOW)
    assert isinstance(mended.changes, list)
    assert [(c.order, c.matched) for c in mended.changes] == [("C-01", True)]
    (over,) = reviews("t", past(told={"h/host/w": first}), Held([], True), NOW + timedelta(days=90))
    assert (over.changes, over.changed, over.observed_since) == ([], UNKNOWN, UNKNOWN)  # not read for long
    (over,) = reviews(
        "t",
        past(told={"h/host/w": first}, seen_at=NOW + timedelta(days=90)),
        Held([], True),
        NOW + timedelta(days=90),
    )
    assert (over.changes, over.changed, over.observed_since) == ([], False, FROM)


def test_of_many_changes_those_without_an_order_are_kept() -> None:
    many = [CHANGE._replace(since=FROM - timedelta(days=9), until=FROM - timedelta(days=9))] * 5
    (one,) = reviews("t", past(*[CHANGE] * 80, *many), Held([order("web-1")], True), NOW)
    assert isinstance(one.changes, list)
    assert [c.matched for c in one.changes] == [False] * 5 + [True] * 45


def test_the_first_look_and_half_a_look_show_no_absence_of_changes() -> None:
    for values in ({"since": None}, {"whole": False}, {"seen_at": NOW - timedelta(days=36)}):
        (one,) = reviews("t", past(**values), Held([], True), NOW)
        assert (one.changes, one.changed, one.observed_since) == ([], UNKNOWN, UNKNOWN)
        (one,) = reviews("t", past(CHANGE, **values), Held([], True), NOW)
        assert one.changed is True
        assert one.observed_since is UNKNOWN


def test_what_is_configuration() -> None:
    def host(**values: Any) -> Host:
        return Host(source="h", native_id="w", **values)

    ssh = SshServer(permit_root_login="yes", running=True)
    assert changed(host(ssh=ssh), host(ssh=SshServer(permit_root_login="no", running=True))) == ("ssh",)
    assert changed(host(ssh=ssh), host(ssh=SshServer(permit_root_login="yes", running=False))) == ()
    # what is read since is no change, nor what is not read any more
    more = SshServer(permit_root_login="yes", running=True, max_auth_tries=6)
    assert changed(host(ssh=ssh), host(ssh=more, umask="027")) == ()
    assert changed(host(ssh=more, umask="027"), host(ssh=ssh)) == ()
    assert changed(host(umask=None), host(umask="027")) == ("umask",)
    assert changed(host(uptime_seconds=1, labels={"a": "b"}), host(uptime_seconds=2)) == ()
    assert changed(host(audit=Audit(covers=["time"])), host(audit=Audit(covers=["time", "mounts"]))) == (
        "audit",
    )

    def config(**values: Any) -> DeviceConfig:
        return DeviceConfig(source="n", native_id="d", **values)

    shifted = SshService(ipv4=True, lines=[9])
    assert changed(config(ssh=SshService(ipv4=True, lines=[8])), config(ssh=shifted)) == ()
    assert changed(config(line_count=80), config(line_count=81)) == ("line_count",)
    assert changed(config(saved=False), config(saved=True)) == ()

    def part(**flags: str) -> ControlPlaneComponent:
        return ControlPlaneComponent(source="k", native_id="a", flags=flags)

    assert changed(part(a="1"), part(a="1", b="2")) == ("flags",)


def test_the_same_of_what_a_store_tells() -> None:
    rows = {
        "ssh": ({"permit_root_login": "yes"}, {"permit_root_login": "no"}),
        "updates": ({}, {"pending": 1}),
    }
    assert changed_fields(Host, rows) == ("ssh",)
    assert changed_fields(Host, {"ssh": ({"running": True}, {"running": False, "max_auth_tries": 6})}) == ()
    assert changed_fields(Host, {"umask": (UNKNOWN, "027")}) == ()
    assert changed_fields(ControlPlaneComponent, {"flags": ({"a": "1"}, {"a": "1", "b": "2"})}) == ("flags",)


def action(server: str, name: str, word: str = "reboot", **values: Any) -> InstanceAction:
    known: dict[str, Any] = {"started_at": TO, "user_name": "li", "failed": False, **values}
    return InstanceAction(
        source="c", native_id=f"{server}/r/{word}", server=server, server_name=name, action=word, **known
    )


def matched(*actions: InstanceAction, orders: list[ChangeOrder], whole: bool = True) -> list[Any]:
    past = Past([], [], {}, [(one, "c/cloud/c") for one in actions])
    made = action_reviews("t", past, Held(orders, whole))
    assert [one.related("reviews") for one in made] == [[one.uid] for one in actions]
    assert {one.related("part_of")[0] for one in made} == {"c/cloud/c"}
    return [(one.order, one.matched) for one in made]


def test_a_server_is_started_by_an_order_that_names_it() -> None:
    one, other = action("5f0c-1", "web-1"), action("5f0c-2", "db-1", "create")
    assert matched(one, other, orders=[order("web-1")]) == [("C-01", True), (None, False)]
    assert matched(one, other, orders=[order("5f0c-2")]) == [(None, False), ("C-01", True)]
    early = order("web-1", starts_on=date(2026, 11, 1), ends_on=date(2026, 11, 5))
    assert matched(one, orders=[early]) == [(None, False)]
    assert matched(one, orders=[], whole=False) == [(UNKNOWN, UNKNOWN)]
    assert matched(action("5f0c-1", "web-1", started_at=None), orders=[order("web-1")]) == [
        (UNKNOWN, UNKNOWN)
    ]


def test_a_tenant_that_takes_the_name_of_anothers_server_is_not_let_in() -> None:
    mine, theirs = action("5f0c-1", "web-1"), action("5f0c-2", "web-1", "create")
    assert matched(mine, theirs, orders=[order("web-1")]) == [(UNKNOWN, UNKNOWN)] * 2
    posing = action("5f0c-3", "5f0c-1", "create")  # named like the id of another
    assert matched(mine, posing, orders=[order("5f0c-1")])[1] == (UNKNOWN, UNKNOWN)


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (action("s", "n", "create"), True),
        (action("s", "n", "unshelve"), True),
        (action("s", "n", "stop"), False),
        (action("s", "n", "create", failed=True), False),
        (action("s", "n", "create", failed=UNKNOWN), True),
    ],
)
def test_what_puts_a_server_to_work(one: InstanceAction, counts: bool) -> None:
    assert starts(one) is counts

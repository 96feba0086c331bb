"""What was done to servers: who, when, and what the one who did it is now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors import openstack
from collectors.contract import Run, Source
from collectors.openstack import instance_actions
from collectors.openstack.table import ROWS
from inventory.coverage import Batch, Status
from inventory.kinds.compute import ActionTrail, InstanceAction
from inventory.unknown import Unknown

Replay = Callable[..., dict[str, Batch]]
Lines = list[dict[str, Any]]


@pytest.fixture
def lately(replay: Replay, recordings: dict[str, Path]) -> dict[str, Batch]:
    return replay(recordings["lately"])


def acts(batches: dict[str, Batch]) -> list[InstanceAction]:
    return [r for r in batches["instance_action"].resources if isinstance(r, InstanceAction)]


def trails(batches: dict[str, Batch]) -> dict[str, ActionTrail]:
    return {str(r.name): r for r in batches["action_trail"].resources if isinstance(r, ActionTrail)}


def status(batches: dict[str, Batch], kind: str) -> tuple[Status, str]:
    (one,) = batches[kind].collections
    return one.status, one.reason


def test_a_command_with_its_time_and_the_one_who_gave_it(lately: dict[str, Batch]) -> None:
    assert status(lately, "instance_action") == (Status.COMPLETE, "")
    (brief,) = [a for a in acts(lately) if a.server_name == "x-brief" and a.action == "delete"]
    assert (brief.user_name, brief.standing, brief.failed) == ("ywzx-jcpt-ops", "member", False)
    assert isinstance(brief.started_at, datetime)
    assert brief.started_at.tzinfo is UTC
    assert str(brief.request_id).startswith("req-")
    assert brief.related("attached_to") == [f"zw/server/{brief.server}"]
    assert brief.server not in {s.native_id for s in lately["server"].resources}
    assert brief.related("in_project") == [f"zw/project/{brief.project_id}"]
    assert {(a.server_name, a.action) for a in acts(lately) if a.failed} == {("x-spread-3", "create")}


def test_what_the_one_who_gave_it_is_now(lately: dict[str, Batch]) -> None:
    reboots = {a.standing: a.user_name for a in acts(lately) if a.action == "reboot"}
    assert reboots == {"gone": None, "disabled": "x-aside", "outsider": "x-elsewhere"}
    assert {a.action for a in acts(lately) if a.user_id is None} == {"suspend"}
    assert {a.standing for a in acts(lately) if a.user_id is None} == {None}


def test_what_is_recorded_of_each_server(lately: dict[str, Batch]) -> None:
    found = trails(lately)
    assert status(lately, "action_trail") == (Status.COMPLETE, "")
    assert (found["x-brief"].deleted, found["x-brief"].actions) == (True, ["create", "delete"])
    assert (found["x-shelved"].deleted, found["x-shelved"].actions) == (False, ["shelve"])
    assert found["x-told"].actions == ["attach_volume", "create", "reboot"]


def test_a_reader_of_one_project_sees_its_own_and_no_more(
    replay: Replay, recordings: dict[str, Path]
) -> None:
    batches = replay(recordings["lately-project-reader"])
    for kind in ("instance_action", "action_trail"):
        assert status(batches, kind)[0] is Status.DENIED
    assert acts(batches)
    assert all(isinstance(a.standing, Unknown) for a in acts(batches))  # it sees no users


def test_more_servers_than_are_asked_are_told(replay: Replay, recordings: dict[str, Path]) -> None:
    batches = replay(recordings["lately"], action_servers=3)
    assert status(batches, "instance_action")[0] is Status.PARTIAL
    assert "只读了前 3 个" in status(batches, "instance_action")[1]
    assert batches["instance_action"].collections[0].remedy.startswith("调大来源的 action_servers")
    assert len({a.server for a in acts(batches)}) == 3
    assert status(batches, "action_trail")[0] is Status.PARTIAL
    told = Counter(isinstance(t.actions, Unknown) for t in trails(batches).values())
    assert told[False] == 3
    assert told[True] > 3
    assert isinstance(trails(batches)["x-suspended"].actions, Unknown)


def test_the_last_changed_are_asked_first(replay: Replay, recordings: dict[str, Path]) -> None:
    batches = replay(recordings["lately"], action_servers=1)
    assert {a.server_name for a in acts(batches)} == {"x-brief"}


@pytest.mark.parametrize(("answer", "told"), [(500, Status.FAILED), (404, Status.UNSUPPORTED)])
def test_a_list_that_was_refused_leaves_nothing_complete(
    answer: int, told: Status, replay: Replay, edited: Callable[..., Path]
) -> None:
    def edit(lines: Lines) -> None:
        for line in lines:
            if "changes-since" in line.get("params", {}) and line["path"] == "/servers/detail":
                line["status"], line["body"] = answer, {}

    batches = replay(edited(edit, "lately"))
    for kind in ("instance_action", "action_trail"):
        assert status(batches, kind)[0] is told


def test_where_one_server_fails_no_trail_is_told(replay: Replay, edited: Callable[..., Path]) -> None:
    """Its actions may have broken off between two pages."""

    def edit(lines: Lines) -> None:
        asked = [line for line in lines if line.get("path", "").endswith("/os-instance-actions")]
        asked[0]["status"], asked[0]["body"] = 500, {}

    batches = replay(edited(edit, "lately"))
    assert status(batches, "instance_action")[0] is Status.PARTIAL
    assert all(isinstance(t.actions, Unknown) for t in trails(batches).values())


def test_a_cell_that_is_down_hides_servers_from_the_list(replay: Replay, edited: Callable[..., Path]) -> None:
    def edit(lines: Lines) -> None:
        for line in lines:
            if line.get("path") == "/servers/detail" and "changes-since" not in line["params"]:
                for server in line["body"]["servers"][:1]:
                    del server["name"]

    batches = replay(edited(edit, "lately"))
    assert status(batches, "instance_action")[0] is Status.PARTIAL
    assert status(batches, "action_trail")[0] is Status.PARTIAL


def test_pages_of_one_server_are_followed(replay: Replay, edited: Callable[..., Path]) -> None:
    """Nova links them in a list named links."""

    def edit(lines: Lines) -> None:
        asked = [line for line in lines if line.get("path", "").endswith("/os-instance-actions")]
        line = next(one for one in asked if len(one["body"]["instanceActions"]) > 1)
        first, *others = line["body"]["instanceActions"]
        params = {**line["params"], "marker": first["request_id"]}
        lines.append({**line, "params": params, "body": {"instanceActions": others}})
        href = f"http://nova/?changes-since=x&marker={first['request_id']}"
        line["body"] = {"instanceActions": [first], "links": [{"rel": "next", "href": href}]}

    batches = replay(edited(edit, "lately"))
    assert status(batches, "instance_action")[0] is Status.COMPLETE
    assert trails(batches)["x-told"].actions == ["attach_volume", "create", "reboot"]


@pytest.mark.parametrize(("days", "whole"), [(29, True), (31, False)])
def test_a_recording_does_not_serve_for_a_longer_time(
    days: int, whole: bool, recordings: dict[str, Path]
) -> None:
    options = openstack.Options(recording=str(recordings["lately"]), action_days=days)
    source = Source(name="zw", type="openstack", labels={}, options=options)
    run = Run(source, now=lambda: datetime(2026, 11, 22, 23, 50, tzinfo=UTC))
    found = {c.kind: c.status for batch in openstack.collect(source, run) for c in batch.collections}
    assert (found["instance_action"] is Status.COMPLETE) is whole
    assert (found["action_trail"] is Status.COMPLETE) is whole


def test_the_time_asked_for_begins_at_midnight() -> None:
    start = instance_actions.since(datetime(2026, 11, 22, 15, 4, 5, tzinfo=UTC), 30)
    assert start == datetime(2026, 10, 23, tzinfo=UTC)
    table = {row.name: row for row in instance_actions.within(ROWS, start, 7)}
    assert table["instance_action"].most == 7
    assert table["user"].most == 2000
    for name in ("touched_server", "instance_action", "action_trail"):
        assert table[name].ask.params["changes-since"] == "2026-10-23T00:00:00Z"
    narrow = table["touched_server"].instead
    assert narrow is not None
    assert narrow.params == {"changes-since": "2026-10-23T00:00:00Z", "limit": "1000"}


@pytest.mark.parametrize("wrong", [{"action_days": 0}, {"action_days": 366}, {"action_servers": 0}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"recording": "x", **wrong}, openstack.Options)

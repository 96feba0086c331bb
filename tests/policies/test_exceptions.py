"""Exceptions: how they are written, what they match, and that they change nothing."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inventory.coverage import Batch
from inventory.kinds.host import Host
from inventory.kinds.network import Device
from inventory.kinds.virtual_network import SecurityGroup
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from policies.assessment import Assessment, ExceptionUse, PolicyException
from policies.exceptions import (
    ExceptionsError,
    excepted,
    exceptions_line,
    load_exceptions,
    over_all,
    with_exceptions,
)

TODAY = date(2026, 11, 22)
RULES = {"device-telnet", "host-ssh-root-login", "security-group-open-admin-port"}
GOOD = """\
exceptions:
  - id: old-switch
    rule: device-telnet
    scope: [{sources: [core-sw-01]}]
    reason: 不支持 SSH
    owner: 张三
    approver: 李四
    expires: 2027-03-31
"""


def written(folder: Path, text: str) -> list[PolicyException]:
    path = folder / "exceptions.yaml"
    path.write_text(text, encoding="utf-8")
    return load_exceptions([path])


def test_a_file_of_exceptions(tmp_path: Path) -> None:
    (one,) = written(tmp_path, GOOD)
    assert (one.id, one.rule, one.control, one.systems) == ("old-switch", "device-telnet", "", ())
    assert (one.owner, one.approver, one.expires) == ("张三", "李四", date(2027, 3, 31))
    assert one.scope == [Selector(sources=["core-sw-01"])]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("id: old-switch", "id: 老交换机", 2, "小写字母"),
        ("    rule: device-telnet\n", "", 2, "没有写 rule 或 control"),
        ("[{sources: [core-sw-01]}]", "[]", 4, "scope 是空的"),
        ("[{sources: [core-sw-01]}]", "[{}]", 4, "选择条件为空"),
        ("reason: 不支持 SSH", "reason: ' '", 5, "reason 是空的"),
        ("approver: 李四", "approver: 张三", 7, "同一个人"),
        ("    approver: 李四\n", "", 2, "缺少 approver"),
        ("2027-03-31", "明年", 8, ""),
        ("    expires: 2027-03-31\n", "", 2, "缺少 expires"),
        ("owner: 张三", "owner: 张三\n    forever: true", 7, "不认识的键 forever"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD
    with pytest.raises(ExceptionsError) as caught:
        written(tmp_path, GOOD.replace(old, new))
    (error,) = caught.value.errors
    assert (error.line, said in error.message + error.hint) == (line, True), str(error)


def test_the_same_id_twice_and_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "exceptions.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ExceptionsError) as caught:
        load_exceptions([tmp_path / n for n in ("exceptions.yaml", "more.yaml", "none.yaml")])
    assert ["有两个例外" in str(e) or "读不出" in str(e) for e in caught.value.errors] == [True, True]


@pytest.fixture
def snapshot(assessment: Assessment) -> Snapshot:
    rows = [
        Device(source="core-sw-01", native_id="sw", name="core-sw-01"),
        Host(source="jump-01", native_id="jump-01", name="jump-01"),
        SecurityGroup(source="province-cloud", native_id="g1", name="web"),
    ]
    return Snapshot.of_batches([Batch(resources=rows)], assessment.taken_at)


def exception(**changes: Any) -> PolicyException:
    fields: dict[str, Any] = {
        "id": "x",
        "rule": "device-telnet",
        "scope": [Selector(sources=["*"])],
        "reason": "r",
        "owner": "o",
        "approver": "a",
        "expires": TODAY,
    }
    return PolicyException(**(fields | changes))


def used(assessment: Assessment, snapshot: Snapshot, *exceptions: PolicyException) -> list[ExceptionUse]:
    (found,) = with_exceptions(
        [assessment], exceptions, snapshot, rules=RULES, systems={"portal", "other"}, today=TODAY
    )
    return found.exceptions


TELNET = "core-sw-01/device/sw"


@pytest.mark.parametrize(
    ("changes", "uids"),
    [
        ({}, {TELNET}),
        ({"scope": [Selector(names=["core-*"])]}, {TELNET}),
        ({"scope": [Selector(names=["edge-*"]), Selector(kinds=["device"])]}, {TELNET}),
        ({"scope": [Selector(sources=["jump-01"])]}, set()),
        ({"rule": "", "control": "dengbao/8.1.4.1.c"}, {TELNET}),
        ({"rule": "", "control": "dengbao/9.1.4.1.c"}, {TELNET}),  # the same requirement at level 4
        ({"rule": "", "control": "dengbao/8.1.3.2.c"}, {"province-cloud/security_group/g1"}),
        ({"rule": "device-telnet", "control": "dengbao/8.1.3.2.c"}, set()),
        ({"systems": ("portal",)}, {TELNET}),
    ],
)
def test_what_an_exception_matches(
    assessment: Assessment, snapshot: Snapshot, changes: dict[str, Any], uids: set[str]
) -> None:
    (use,) = used(assessment, snapshot, exception(**changes))
    by_id = {f.id: f.uid for f in assessment.findings}
    assert {by_id[i] for i in use.findings} == uids
    assert use.state == ("matched" if uids else "unused")


def test_exceptions_end_and_go_astray_and_say_so(assessment: Assessment, snapshot: Snapshot) -> None:
    uses = used(
        assessment,
        snapshot,
        exception(id="last-day", expires=TODAY),
        exception(id="ended", expires=TODAY - timedelta(days=1)),
        exception(id="unused", rule="host-ssh-root-login", scope=[Selector(names=["gone"])]),
        exception(id="no-rule", rule="device-telnett"),
        exception(id="no-control", rule="", control="dengbao/8.1.4.1.z"),
        exception(id="no-standard", rule="", control="nonsense/1.1.a"),
        exception(id="no-system", systems=("portl",)),
        exception(id="elsewhere", systems=("other",)),
    )
    assert {u.exception.id: u.state for u in uses} == {
        "last-day": "matched",
        "ended": "expired",
        "unused": "unused",
        "no-rule": "unknown",
        "no-control": "unknown",
        "no-standard": "unknown",
        "no-system": "unknown",
    }
    ended = next(u for u in uses if u.exception.id == "ended")
    assert len(ended.findings) == 1  # what counts again
    told = exceptions_line(uses)
    assert "例外 7：匹配 1，未用到 1（unused），已过期 1（ended），指向不存在 4（no-rule、" in told
    assert "即将到期 1（last-day）" in told


def test_an_exception_changes_no_verdict_no_score_and_hides_nothing(
    assessment: Assessment, snapshot: Snapshot
) -> None:
    before = copy.deepcopy(msgspec.structs.replace(assessment, exceptions=[]))
    (after,) = with_exceptions(
        [assessment], [exception()], snapshot, rules=RULES, systems={"portal"}, today=TODAY
    )
    assert msgspec.structs.replace(after, exceptions=[]) == before
    assert {f.uid for f in after.findings if f.id in excepted(after)} == {TELNET}
    ended = exception(expires=TODAY - timedelta(days=1))
    (after,) = with_exceptions([assessment], [ended], snapshot, rules=RULES, systems={"portal"}, today=TODAY)
    assert excepted(after) == {}


def test_over_several_systems_one_match_is_enough(assessment: Assessment, snapshot: Snapshot) -> None:
    other = msgspec.structs.replace(assessment, findings=[])
    found = with_exceptions(
        [other, assessment], [exception()], snapshot, rules=RULES, systems={"portal"}, today=TODAY
    )
    assert [a.exceptions[0].state for a in found] == ["unused", "matched"]
    (use,) = over_all(found)
    assert (use.state, len(use.findings)) == ("matched", 1)

"""Targets side by side: every one is accounted for, and none takes another with it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from collectors.contract import DeadlineError, Run, Source, SourceError
from collectors.targets import is_address, resolved, side_by_side, source_error

PATIENT = 60.0


def run_of(clock: Callable[[], float] = lambda: 0.0, seconds: float = PATIENT) -> Run:
    return Run(Source(name="rack", type="linux", deadline_seconds=seconds), monotonic=clock)


def test_every_target_comes_with_its_result_or_its_exception() -> None:
    def broken() -> int:
        raise ValueError("hostile text")

    found = dict(side_by_side({"a": lambda: 1, "b": broken, "c": lambda: 3}, 2, run_of()))
    assert (found["a"], found["c"], len(found)) == (1, 3, 3)
    assert isinstance(found["b"], ValueError)


def test_no_more_at_once_than_asked() -> None:
    meeting = threading.Barrier(2)  # broken, were they one after the other
    running: list[int] = []
    most: list[int] = []

    def work() -> None:
        running.append(1)
        most.append(len(running))
        meeting.wait(PATIENT)
        running.pop()

    found = dict(side_by_side({str(n): work for n in range(6)}, 2, run_of()))
    assert list(found.values()) == [None] * 6
    assert max(most) == 2


def test_at_the_deadline_the_rest_is_given_up_and_told() -> None:
    release, now = threading.Event(), [0.0]

    def slow() -> str:
        release.wait(PATIENT)
        return "late"

    def quick() -> str:
        now[0] = 100.0
        return "in time"

    try:
        results = side_by_side({"slow": slow, "quick": quick}, 2, run_of(lambda: now[0], 50.0))
        found = dict(results)
    finally:
        release.set()
    assert found["quick"] == "in time"
    assert isinstance(found["slow"], DeadlineError)


def test_no_targets_are_no_work() -> None:
    assert list(side_by_side({}, 8, run_of())) == []


def test_an_error_of_ours_stays_and_another_is_the_collectors_own() -> None:
    ours = SourceError("没有应答", "检查网络")
    assert source_error(ours) is ours
    assert source_error(KeyError("x")).reason == "采集器内部错误：KeyError: 'x'"


def test_a_name_that_does_not_resolve() -> None:
    assert resolved("127.0.0.1", 22, socket.SOCK_STREAM) == "127.0.0.1"
    with pytest.raises(SourceError, match=r"域名 a\.\.b 解析不出"):
        resolved("a..b", 22, socket.SOCK_STREAM)


@pytest.mark.parametrize(("host", "told"), [("10.0.0.1", True), ("fe80::1%eth0", True), ("sw1", False)])
def test_what_is_an_address(host: str, told: bool) -> None:
    assert is_address(host) is told

"""The runner and the contract's services, with small collectors that really run in threads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

import collectors.run as run_module
from collectors.contract import (
    REGISTRY,
    DeadlineError,
    Options,
    Plugin,
    Progress,
    RetryableError,
    Run,
    SecretError,
    Source,
    SourceError,
    collector,
    retry,
    retry_awaited,
)
from collectors.redact import MASK
from collectors.run import collect_all
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.compute import Server
from inventory.kinds.virtual_network import Port

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Collect = Callable[[Source, Run], Iterator[Batch]]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Collect], None]:
    """Put a collector of kinds server and port into the registry, as a module of its own."""

    def add(name: str, collect: Collect, extra: str = "") -> None:
        module: Any = ModuleType(f"collectors_under_test_{name}")
        module.KINDS = ("server", "port")
        module.collect = collect
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(REGISTRY, name, Plugin(module=module.__name__, title=name, extra=extra))

    return add


def gather(*sources: Source, **options: Any) -> tuple[dict[tuple[str, str], Collection], list[str]]:
    """Collections by (source, kind), each given once, and the uids handed over."""
    collections: dict[tuple[str, str], Collection] = {}
    uids = []
    for source, batch in collect_all(sources, **options):
        for c in batch.collections:
            assert c.source == source.name
            assert (c.source, c.kind) not in collections
            collections[c.source, c.kind] = c
        uids += [r.uid for r in batch.resources]
    return collections, uids


def source(type_: str, name: str = "a", **fields: Any) -> Source:
    return Source(name=name, type=type_, **fields)


def whole(source: Source, run: Run) -> Iterator[Batch]:
    for kind, make in (("server", Server), ("port", Port)):
        started = run.now()
        yield Batch(
            resources=[make(source=source.name, native_id="1")],
            collections=[run.collection(kind, Status.COMPLETE, started, count=1)],
        )


def test_a_whole_source_is_handed_over_as_it_is(register: Callable[..., None]) -> None:
    register("whole", whole)
    collections, uids = gather(source("whole"))
    assert {k: c.status for k, c in collections.items()} == {
        ("a", "server"): Status.COMPLETE,
        ("a", "port"): Status.COMPLETE,
    }
    assert sorted(uids) == ["a/port/1", "a/server/1"]


def test_many_sources_run_side_by_side_but_no_more_than_asked(register: Callable[..., None]) -> None:
    together = threading.Barrier(3)
    lock, at_work, most = threading.Lock(), [0], [0]

    def waiting(source: Source, run: Run) -> Iterator[Batch]:
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        together.wait(timeout=30)  # passes only when three are inside at once
        with lock:
            at_work[0] -= 1
        yield from whole(source, run)

    register("waiting", waiting)
    collections, _ = gather(*[source("waiting", f"s{i}") for i in range(6)], concurrency=3)
    assert len(collections) == 12
    assert most == [3]


def test_a_source_error_accounts_for_every_kind_not_reported(register: Callable[..., None]) -> None:
    def refused(source: Source, run: Run) -> Iterator[Batch]:
        yield Batch(collections=[run.collection("server", Status.COMPLETE, run.now())])
        raise SourceError("令牌无效", "换一个凭据", Status.DENIED)

    register("refused", refused)
    collections, _ = gather(source("refused"))
    assert collections["a", "server"].status is Status.COMPLETE
    port = collections["a", "port"]
    assert (port.status, port.reason, port.remedy) == (Status.DENIED, "令牌无效", "换一个凭据")


def test_rows_before_a_failure_are_kept_and_their_kind_is_partial(register: Callable[..., None]) -> None:
    def breaking(source: Source, run: Run) -> Iterator[Batch]:
        yield Batch(resources=[Server(source=source.name, native_id=str(i)) for i in range(3)])
        raise SourceError("连接断开")

    register("breaking", breaking)
    collections, uids = gather(source("breaking"))
    assert len(uids) == 3
    assert (collections["a", "server"].status, collections["a", "server"].count) == (Status.PARTIAL, 3)
    assert (collections["a", "port"].status, collections["a", "port"].count) == (Status.FAILED, 0)


def test_an_unexpected_exception_is_a_failed_collection_without_its_secrets(
    register: Callable[..., None],
) -> None:
    def buggy(source: Source, run: Run) -> Iterator[Batch]:
        secret = run.secret("env:ZHENGGUAN_TEST_SECRET")
        raise ZeroDivisionError(f"while using {secret}")
        yield

    register("buggy", buggy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZHENGGUAN_TEST_SECRET", "correct-horse")
        collections, _ = gather(source("buggy"), source("buggy", "b"))
    assert {c.status for c in collections.values()} == {Status.FAILED}
    assert len(collections) == 4
    reason = collections["a", "server"].reason
    assert "ZeroDivisionError" in reason
    assert MASK in reason
    assert "correct-horse" not in reason


def test_even_an_exit_inside_a_library_is_accounted_for(register: Callable[..., None]) -> None:
    def exiting(source: Source, run: Run) -> Iterator[Batch]:
        sys.exit(3)
        yield

    register("exiting", exiting)
    collections, _ = gather(source("exiting"))
    assert {c.status for c in collections.values()} == {Status.FAILED}
    assert "SystemExit" in collections["a", "port"].reason
    assert len(collections) == 2


def test_a_missing_component_says_what_to_install(register: Callable[..., None]) -> None:
    def lacking(source: Source, run: Run) -> Iterator[Batch]:
        import no_such_sdk  # noqa: F401

        yield

    register("lacking", lacking, extra="openstack")
    collections, _ = gather(source("lacking"))
    port = collections["a", "port"]
    assert "no_such_sdk" in port.reason
    assert "zhengguan[openstack]" in port.remedy


def test_a_forgotten_kind_is_reported_for_it(register: Callable[..., None]) -> None:
    def forgetful(source: Source, run: Run) -> Iterator[Batch]:
        yield Batch(collections=[run.collection("server", Status.COMPLETE, run.now())])

    register("forgetful", forgetful)
    collections, _ = gather(source("forgetful"))
    assert collections["a", "port"].status is Status.FAILED
    assert "没有报告" in collections["a", "port"].reason


def test_a_hanging_source_is_left_behind_and_the_others_are_not(
    register: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "_GRACE_SECONDS", 0.05)
    monkeypatch.setattr(run_module, "_POLL_SECONDS", 0.02)
    release, late = threading.Event(), threading.Event()

    def hanging(source: Source, run: Run) -> Iterator[Batch]:
        yield Batch(resources=[Server(source=source.name, native_id="1")])
        release.wait(timeout=60)
        late.set()
        yield Batch(resources=[Server(source=source.name, native_id="late")])

    register("hanging", hanging)
    register("whole", whole)
    hung = source("hanging", "hung", deadline_seconds=0.2)
    collections, uids = gather(hung, source("whole", "b"), source("whole", "c"), concurrency=1)
    assert not late.is_set()
    release.set()
    assert collections["hung", "server"].status is Status.PARTIAL
    assert collections["hung", "port"].status is Status.FAILED
    assert "超过时限" in collections["hung", "port"].reason
    assert collections["c", "port"].status is Status.COMPLETE
    assert "hung/server/1" in uids
    assert "hung/server/late" not in uids


def test_a_hanging_source_is_left_behind_even_while_another_never_stops_talking(
    register: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "_GRACE_SECONDS", 0.05)
    release = threading.Event()

    def hanging(source: Source, run: Run) -> Iterator[Batch]:
        release.wait(timeout=60)
        yield Batch()

    def talking(source: Source, run: Run) -> Iterator[Batch]:
        while not release.is_set():
            yield Batch()
        yield from whole(source, run)

    register("hanging", hanging)
    register("talking", talking)
    for source_, batch in collect_all(
        [source("hanging", "hung", deadline_seconds=0.1), source("talking", "t")]
    ):
        if source_.name == "hung":
            assert {c.kind for c in batch.collections} == {"server", "port"}
            release.set()


def test_a_slow_reader_loses_nothing_of_a_source_that_was_in_time(
    register: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "_GRACE_SECONDS", 0.0)
    finished = threading.Event()

    def quick(source: Source, run: Run) -> Iterator[Batch]:
        yield Batch(resources=[Server(source=source.name, native_id="0")])
        yield from whole(source, run)
        finished.set()

    register("quick", quick)
    statuses = {}
    for _, batch in collect_all([source("quick", deadline_seconds=0.3)]):
        finished.wait(timeout=30)
        deadline = threading.Event()
        deadline.wait(timeout=0.4)  # the reader comes back when the deadline has passed
        statuses.update({c.kind: c.status for c in batch.collections})
    assert statuses == {"server": Status.COMPLETE, "port": Status.COMPLETE}


def test_a_type_nobody_registered_is_an_error_at_once() -> None:
    with pytest.raises(KeyError):
        next(collect_all([source("gopher")]))
    with pytest.raises(KeyError):
        collector("gopher")


def test_progress_reaches_the_user(register: Callable[..., None]) -> None:
    def telling(source: Source, run: Run) -> Iterator[Batch]:
        run.progress("云主机", 3, 9)
        yield from whole(source, run)

    register("telling", telling)
    heard: list[Progress] = []
    gather(source("telling"), progress=heard.append)
    assert [(p.source, p.what, p.done, p.total) for p in heard] == [("a", "云主机", 3, 9)]


# The contract's services


class Clock:
    """Seconds that pass only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def run_with(clock: Clock, deadline: float = 10.0, environ: dict[str, str] | None = None) -> Run:
    return Run(
        source("x", deadline_seconds=deadline), now=lambda: NOW, monotonic=clock, environ=environ or {}
    )


def flaky(failures: int, after: float = 0.0) -> Callable[[], str]:
    left = [failures]

    def call() -> str:
        if left[0]:
            left[0] -= 1
            raise RetryableError("502", after_seconds=after)
        return "answer"

    return call


def test_retry_waits_longer_each_time_and_returns_the_answer() -> None:
    clock = Clock()
    assert retry(flaky(2), run_with(clock), sleep=clock.sleep, jitter=lambda: 1.0) == "answer"
    assert clock.slept == [0.5, 1.0]
    clock = Clock()
    assert retry(flaky(2), run_with(clock), sleep=clock.sleep, jitter=lambda: 0.0) == "answer"
    assert clock.slept == [0.25, 0.5]


def test_retry_gives_up_after_its_attempts_with_the_last_error() -> None:
    clock = Clock()
    with pytest.raises(RetryableError, match="502"):
        retry(flaky(3), run_with(clock), sleep=clock.sleep)
    assert len(clock.slept) == 2


def test_retry_does_what_the_peer_asks_and_never_waits_past_the_deadline() -> None:
    clock = Clock()
    assert retry(flaky(1, after=7.0), run_with(clock), sleep=clock.sleep) == "answer"
    assert clock.slept == [7.0]
    clock = Clock()
    with pytest.raises(RetryableError):
        retry(flaky(1, after=11.0), run_with(clock), sleep=clock.sleep)
    assert clock.slept == []


@pytest.mark.parametrize(("failures", "after", "slept"), [(2, 0.0, [0.5, 1.0]), (1, 7.0, [7.0])])
def test_retry_of_what_is_awaited_is_the_same(failures: int, after: float, slept: list[float]) -> None:
    clock, call = Clock(), flaky(failures, after)

    async def awaited() -> str:
        return call()

    async def sleep(seconds: float) -> None:
        clock.sleep(seconds)

    def retried(attempts: int) -> str:
        run = run_with(clock)
        how = retry_awaited(
            awaited, run, attempts=attempts, base_seconds=0.5, sleep=sleep, jitter=lambda: 1.0
        )
        with pytest.raises(StopIteration) as end:  # it never waits for anything but ``sleep``
            how.send(None)
        return str(end.value.value)

    assert retried(3) == "answer"
    assert clock.slept == slept
    call = flaky(1, after=11.0)
    with pytest.raises(RetryableError):
        retried(3)
    assert clock.slept == slept


def test_retry_leaves_other_errors_alone() -> None:
    calls = []

    def broken() -> None:
        calls.append(1)
        raise SourceError("401", status=Status.DENIED)

    with pytest.raises(SourceError, match="401"):
        retry(broken, run_with(Clock()))
    assert calls == [1]


def test_the_deadline_bounds_every_wait_and_then_raises() -> None:
    clock = Clock()
    run = run_with(clock, deadline=10)
    assert run.timeout(30) == 10
    assert run.timeout(3) == 3
    clock.now += 8
    assert run.remaining() == 2
    assert not run.overdue(0)
    clock.now += 2
    with pytest.raises(DeadlineError, match="10 秒"):
        run.remaining()
    with pytest.raises(DeadlineError):
        retry(flaky(0), run)
    assert not run.overdue(1)
    clock.now += 1.5
    assert run.overdue(1)


def test_secrets_come_by_reference_and_are_masked_from_then_on(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("file-secret\nsecond line\n", encoding="utf-8")
    run = run_with(Clock(), environ={"PASS": "env-secret"})
    assert run.secret("env:PASS") == "env-secret"
    assert run.secret(f"file:{file}") == "file-secret"
    evidence = run.evidence(
        b"x env-secret y file-secret", origin="GET /?k=env-secret", media_type="text/plain"
    )
    assert evidence.content == f"x {MASK} y {MASK}".encode()
    assert evidence.origin == f"GET /?k={MASK}"
    assert evidence.captured_at == NOW
    collection = run.collection("server", Status.FAILED, NOW - timedelta(1), reason="env-secret?")
    assert collection.reason == f"{MASK}?"
    assert (collection.source, collection.ended_at) == ("a", NOW)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("env:NONE", "NONE"),
        ("env:EMPTY", "EMPTY"),
        ("file:/no/such/file", "读不出"),
        ("keyring:x", "不认识"),
        ("hunter22-plain", "不认识"),
        ("", "不认识"),
    ],
)
def test_a_reference_that_leads_nowhere_says_so_without_repeating_a_secret(
    reference: str, reason: str
) -> None:
    with pytest.raises(SecretError, match=reason) as caught:
        run_with(Clock(), environ={"EMPTY": ""}).secret(reference)
    assert caught.value.remedy
    assert "hunter22" not in caught.value.reason + caught.value.remedy


def test_an_empty_secret_file_says_so(tmp_path: Path) -> None:
    for content in (b"", b"\nsecret on the second line", b"\xff\xfe"):
        (tmp_path / "s").write_bytes(content)
        with pytest.raises(SecretError):
            run_with(Clock()).secret(f"file:{tmp_path / 's'}")


def test_options_take_references_and_never_secrets_themselves() -> None:
    class Mine(Options):
        password_ref: str = ""
        user: str = ""

    assert Mine(password_ref="env:X", user="secret-looking").password_ref == "env:X"
    with pytest.raises(msgspec.ValidationError, match="password_ref"):
        msgspec.convert({"password_ref": "hunter22"}, Mine)
    with pytest.raises(msgspec.ValidationError, match="pasword"):
        msgspec.convert({"pasword": "x"}, Mine)

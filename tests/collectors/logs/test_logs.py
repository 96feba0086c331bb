"""What a real OpenSearch told (tests/data/logs), read again; and what no platform of ours says, from a peer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.contract import Run, Source, SourceError
from collectors.logs import Options, collect, probe
from collectors.things import Thing
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.cloud import Cloud
from inventory.kinds.management import LogPlatform, MonitoringSystem
from inventory.resource import Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from inventory.unknown import UNKNOWN, or_none
from policies.assess import assess
from policies.evaluate import evaluate
from policies.rules import load_rules
from policies.standards import load_standard

DATA = Path(__file__).parents[2] / "data" / "logs"
THINGS = [Thing(*row) for row in json.loads((DATA / "things.json").read_bytes())]
EVERYTHING = ["host", "device", "hypervisor"]
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
RULES = load_rules(examples=False)
ITEM = "dengbao/8.1.5.4.d"


def gather(
    name: str = "", *, things: list[Thing] = THINGS, environ: dict[str, str] | None = None, **options: Any
) -> Batch:
    if name:
        options = {"recording": str(DATA / f"{name}.jsonl.gz"), "indices": [f"{name}-*"], **options}
    wanted = Source(
        name="logs",
        type="logs",
        options=msgspec.convert({"everything": EVERYTHING, **options}, Options),
        deadline_seconds=20,
    )
    (batch,) = collect(wanted, Run(wanted, things=lambda: things, environ=environ or {}))
    return batch


def platform(batch: Batch) -> LogPlatform:
    (row,) = batch.resources
    assert isinstance(row, LogPlatform)
    return row


def ended(batch: Batch) -> Collection:
    (one,) = batch.collections
    return one


def test_half_a_year_of_every_machine() -> None:
    batch = gather("whole")
    row = platform(batch)
    assert (row.software, row.version, row.indices, row.closed_indices) == ("opensearch", "2.19.1", 2, 0)
    assert isinstance(row.oldest_record_at, datetime)
    assert isinstance(row.newest_record_at, datetime)
    assert isinstance(row.measured_at, datetime)
    assert (row.measured_at - row.oldest_record_at).days == 200
    assert row.measured_at - row.newest_record_at < timedelta(hours=2)
    assert (row.records, row.sources, row.listed) == (101 * 6 + 100 * 7, 7, 6)
    assert (row.days_without_records, row.silent) == (0, [])
    assert (ended(batch).status, ended(batch).reason) == (
        Status.COMPLETE,
        "1 个发日志的名字对不上清点到的机器（如 printer）",
    )
    assert len(batch.evidence) == 3


def test_gaps_and_silent_machines_and_clocks_that_are_wrong() -> None:
    row = platform(gather("holes"))
    assert row.oldest_record_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert isinstance(row.newest_record_at, datetime)
    assert row.newest_record_at < NOW  # not the one of the future
    assert row.days_without_records == 4  # three left out, and yesterday
    assert row.silent == ["cmp-1.gov.cn", "fw-1", "sw-core"]  # fw-1 sent twenty days ago
    assert platform(gather("holes", quiet_days=30)).silent == ["cmp-1.gov.cn", "sw-core"]


def test_what_is_in_a_closed_index_was_not_searched() -> None:
    row = platform(gather("closed"))
    assert (row.indices, row.closed_indices) == (2, 1)
    assert judged(gather("closed"))[0] == "unknown"


def test_no_record_no_index_and_no_field_are_three_things() -> None:
    empty = platform(gather("empty"))
    assert (empty.records, empty.oldest_record_at, empty.newest_record_at) == (0, None, None)
    assert (empty.sources, len(empty.silent)) == (0, 6)
    missing = gather("missing")
    assert (platform(missing).records, platform(missing).oldest_record_at) == (UNKNOWN, UNKNOWN)
    assert (ended(missing).status, ended(missing).reason) == (Status.PARTIAL, "没有 indices 写的索引")
    text = gather("text")
    assert (platform(text).oldest_record_at, platform(text).silent) == (UNKNOWN, UNKNOWN)
    assert ended(text).reason == "1 个查询没有答：host_fields 里有 text 字段，不能汇总"
    assert ended(text).remedy == "写它的 keyword 字段，如 host.name.keyword"


@pytest.mark.parametrize(
    ("everything", "things", "silent"),
    [
        ([], THINGS, None),  # nobody said that any is meant to send
        (["host"], THINGS, []),
        (["host"], [*THINGS, Thing("n/device/9", "n", "device", "9", ("sw-9",))], None),
        (["host"], [*THINGS, Thing("l/host/9", "l", "host", "9", ("app-9",))], ["app-9"]),
        (["host"], [*THINGS, Thing("m/host/9", "m", "host", "9", ("web-1",))], None),  # two of one name
        (["node"], THINGS, None),  # none is listed
        (["host", "server"], THINGS, ["tenant-app"]),
        (["host"], [], None),
    ],
)
def test_who_is_silent(everything: list[str], things: list[Thing], silent: list[str] | None) -> None:
    row = platform(gather("whole", things=things, everything=everything))
    assert or_none(row.silent) == silent


def test_only_machines_of_the_sources_that_are_named() -> None:
    row = platform(gather("holes", of=["linux"], everything=["host"]))
    assert (row.listed, row.silent) == (3, [])


def judged(*batches: Batch, others: tuple[Resource, ...] = ()) -> tuple[str, dict[str, str]]:
    """How the requirement stands, and each of its objects."""
    seen = [
        Collection(source=row.source, kind=row.KIND, status=Status.COMPLETE, started_at=NOW, ended_at=NOW)
        for row in others
    ]
    snapshot = Snapshot.of_batches([Batch(resources=[*others], collections=seen), *batches], NOW)
    system = System(
        name="s",
        title="云",
        grade="S3A3",
        cloud="platform",
        include=[Selector(sources=["logs", "prom", "gov"])],
    )
    done = assess(system, load_standard("dengbao"), evaluate(RULES, snapshot, now=NOW), snapshot)
    (control,) = [c for c in done.controls if c.control.id == ITEM]
    return control.verdict.value, {o.asset: o.verdict.value for o in control.objects}


@pytest.mark.parametrize(
    ("name", "options", "verdict"),
    [
        ("whole", {}, "pass"),
        ("whole", {"everything": []}, "unknown"),
        ("young", {}, "partial"),
        ("holes", {}, "partial"),
        ("empty", {}, "fail"),
        ("missing", {}, "unknown"),
    ],
)
def test_the_requirement_is_decided(name: str, options: dict[str, Any], verdict: str) -> None:
    assert judged(gather(name, **options))[1] == {"logs/log_platform/logs": verdict}


def test_only_log_platforms_are_asked_and_without_one_nothing_is_passed() -> None:
    others = (
        Cloud(source="gov", native_id="gov", name="gov"),
        MonitoringSystem(source="prom", native_id="prom", name="prom"),
    )
    assert judged(gather("whole"), others=others) == ("pass", {"logs/log_platform/logs": "pass"})
    assert judged(others=others) == ("unknown", {})


def test_the_case_of_high_risk_is_met_by_too_young_a_platform() -> None:
    snapshot = Snapshot.of_batches([gather("young")], NOW)
    failed = {o.rule.id: o.rule.high_risk for o in evaluate(RULES, snapshot, now=NOW) if o.failed}
    assert failed == {"log-platform-retention": ["6.5.1.2"]}


class Peer:
    """A server whose answer to the search a test chooses."""

    def __init__(self) -> None:
        self.search: tuple[int, bytes] = (200, b"{}")
        self.root: tuple[int, bytes] = (200, b'{"version": {"number": "8.15.0"}}')
        self.asked: list[tuple[str, str, str]] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                peer.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
                status, body = peer.search if "_search" in self.path else (200, b"[]")
                status, body = peer.root if self.path == "/" else (status, body)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def peer() -> Iterator[Peer]:
    held = Peer()
    yield held
    held.server.shutdown()
    held.thread.join(timeout=10)
    held.server.server_close()


def answer(change: Callable[[dict[str, Any]], None] = lambda _: None) -> tuple[int, bytes]:
    moment = {"value": 1.78e12}
    bucket = {"key": "web-1", "doc_count": 1, "latest": moment}
    told: dict[str, Any] = {
        "timed_out": False,
        "_shards": {"total": 2, "failed": 0},
        "hits": {"total": {"value": 1}},
        "aggregations": {
            "past": {"oldest": moment, "newest": moment},
            "half_year": {"days": {"buckets": []}},
            "hosts_0": {"sources": {"sum_other_doc_count": 0, "buckets": [bucket]}},
        },
    }
    change(told)
    return 200, json.dumps(told).encode()


def test_an_elasticsearch_does_not_say_what_it_is(peer: Peer) -> None:
    peer.search = answer()
    row = platform(gather(url=peer.url))
    assert (row.software, row.version, row.sources) == ("elasticsearch", "8.15.0", 1)
    assert {command for command, _, _ in peer.asked} == {"GET"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t["_shards"].update(failed=1), "有 1 个分片没有答，或没有算完"),
        (lambda t: t.update(timed_out=True), "有 0 个分片没有答，或没有算完"),
        (
            lambda t: t["aggregations"]["hosts_0"]["sources"].update(sum_other_doc_count=5),
            "发日志的名字多于 10000 个，没有列全",
        ),
        (
            lambda t: t["aggregations"]["hosts_0"]["sources"].update(buckets=[]),
            "有记录，但没有 host_fields 写的字段",
        ),
    ],
)
def test_what_was_not_told_whole_shows_nobody_silent(
    peer: Peer, change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    peer.search = answer(change)
    batch = gather(url=peer.url)
    assert (platform(batch).silent, platform(batch).sources) == (UNKNOWN, UNKNOWN)
    assert (ended(batch).status, ended(batch).reason) == (Status.PARTIAL, reason)


def test_records_without_a_time_are_not_none(peer: Peer) -> None:
    nothing = {"oldest": {"value": None}, "newest": {"value": None}}
    peer.search = answer(lambda t: t["aggregations"].update(past=nothing))
    row = platform(gather(url=peer.url))
    assert (row.oldest_record_at, row.newest_record_at, row.days_without_records) == (UNKNOWN,) * 3


@pytest.mark.parametrize("value", [1e300, -1e300, 1e18])
def test_moments_that_are_none(peer: Peer, value: float) -> None:
    wild = {"oldest": {"value": value}, "newest": {"value": value}}
    peer.search = answer(lambda t: t["aggregations"].update(past=wild))
    row = platform(gather(url=peer.url))
    assert (row.oldest_record_at, row.newest_record_at) == (UNKNOWN, UNKNOWN)


def test_hostile_names_are_not_repeated(peer: Peer) -> None:
    def change(told: dict[str, Any]) -> None:
        rows = told["aggregations"]["hosts_0"]["sources"]["buckets"]
        rows[0]["key"] = "\x1b[31m" + "x" * 5000
        rows.append({"key": 7, "latest": {"value": 1.0}})

    peer.search = answer(change)
    batch = gather(url=peer.url)
    assert platform(batch).sources == 1
    assert "\x1b" not in ended(batch).reason
    assert len(ended(batch).reason) < 200


@pytest.mark.parametrize(
    ("search", "status", "reason"),
    [
        ((200, b"<html>"), Status.PARTIAL, "1 个查询没有答：_search 的答复读不懂"),
        (
            (500, b"<html>"),
            Status.PARTIAL,
            "1 个查询没有答：答复不是 OpenSearch 或 Elasticsearch 的 JSON（HTTP 500）",
        ),
        ((403, b"{}"), Status.PARTIAL, "1 个查询没有答：日志平台不认这个凭据，或它没有这项权限（HTTP 403）"),
        (
            (400, b'{"error": {"root_cause": [{"type": "t", "reason": "r\\u001b"}]}}'),
            Status.PARTIAL,
            "1 个查询没有答：日志平台没有算成：t：r",
        ),
    ],
)
def test_a_search_that_is_not_answered(
    peer: Peer, search: tuple[int, bytes], status: Status, reason: str
) -> None:
    peer.search = search
    batch = gather(url=peer.url)
    assert (ended(batch).status, ended(batch).reason) == (status, reason)
    assert platform(batch).oldest_record_at is UNKNOWN
    assert judged(batch)[1] == {"logs/log_platform/logs": "unknown"}


def test_an_answer_that_is_too_long_is_not_read(peer: Peer) -> None:
    peer.search = (200, b" " * (2 * 1024 * 1024))
    assert "超过 1 MiB" in ended(gather(url=peer.url, answer_mib=1)).reason


def test_the_probe_tells_what_there_is(peer: Peer) -> None:
    peer.search = answer()
    options = Options(url=peer.url, username="reader", password_ref="env:P")
    wanted = Source(name="logs", type="logs", options=options)
    lines = {a.subject: a for a in probe(wanted, Run(wanted, environ={"P": "planted-pass"}))}
    assert (lines["连接"].ok, lines["连接"].detail) == (False, "凭据以明文发送")
    assert (lines["日志"].ok, lines["日志"].detail) == (True, "1 条")
    assert all(header.startswith("Basic ") for _, _, header in peer.asked)
    peer.search = peer.root = (401, b"{}")
    refused = {a.subject: a for a in probe(wanted, Run(wanted, environ={"P": "planted-pass"}))}
    assert refused["日志"].ok is False
    assert refused["日志"].remedy


def test_the_probe_of_what_is_not_there() -> None:
    wanted = Source(name="logs", type="logs", options=Options(recording=str(DATA / "whole.jsonl.gz")))
    with pytest.raises(SourceError, match="录制里没有这个查询"):  # of other indices
        raise next(probe_errors(wanted))


def probe_errors(wanted: Source) -> Iterator[SourceError]:
    lines = list(probe(wanted, Run(wanted)))
    yield from (SourceError(a.detail, a.remedy) for a in lines if a.ok is False)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"url": "http://a", "recording": "b"},
        {"url": "ftp://a"},
        {"url": "http://u:p@a"},
        {"url": "http://a?x=1"},
        {"url": "http://a", "username": "u"},
        {"url": "http://a", "indices": []},
        {"url": "http://a", "indices": ["a/_delete_by_query"]},
        {"url": "http://a", "host_fields": []},
        {"url": "http://a", "time_field": " "},
        {"url": "http://a", "quiet_days": 0},
        {"url": "http://a", "everything": ["printer"]},
        {"url": "http://a", "password_ref": "the password"},
    ],
)
def test_options_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Options)

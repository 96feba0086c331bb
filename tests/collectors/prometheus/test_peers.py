"""Peers that answer badly: what they do ends in a collection that says so, and nowhere else."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from collectors.contract import Run, Source, SourceError
from collectors.prometheus import Options, collect, probe
from collectors.things import Directory, Thing
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.usage import Utilization
from inventory.unknown import Unknown

TOKEN = "planted-token-51c0ffee"
THING = Thing("cloud/server/u1", "cloud", "server", "u1", ("portal",))
QUERY = {"name": "q", "kind": "server", "metric": "cpu", "by": ["uuid"], "expr": "up"}
Answer = tuple[int, dict[str, str], bytes]


class Peer:
    """A server whose answer to each query a test chooses; the check before (``vector(1)``) is answered well."""

    def __init__(self) -> None:
        self.answer: Callable[[str], Answer] = lambda _: (200, {}, vector())
        self.asked: list[tuple[str, dict[str, str]]] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query).get("query", [""])[0]
                peer.asked.append((self.path, dict(self.headers)))
                good = query == "vector(1)" and not self.path.startswith("/all")
                status, headers, body = (200, {}, vector(({}, "1"))) if good else peer.answer(query)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # the reader stops where an answer is too long
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join(timeout=10)
        self.server.server_close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    held = Peer()
    yield held
    held.close()


def vector(*series: tuple[dict[str, Any], Any], **more: Any) -> bytes:
    rows = [{"metric": labels, "value": [1.0, value]} for labels, value in series]
    data = {"resultType": "vector", "result": rows}
    return json.dumps({"status": "success", "data": data} | more).encode()


def source(peer: Peer, prefix: str = "", **options: Any) -> Source:
    given = {"url": peer.url + prefix, "presets": [], "queries": [QUERY], **options}
    return Source(
        name="prom", type="prometheus", options=msgspec.convert(given, Options), deadline_seconds=20
    )


def gather(peer: Peer, prefix: str = "", **options: Any) -> tuple[list[Utilization], Collection, list[Batch]]:
    wanted = source(peer, prefix, **options)
    run = Run(wanted, things=lambda: [THING], environ={"TOKEN": TOKEN})
    batches = list(collect(wanted, run))
    (ended,) = [c for b in batches for c in b.collections if c.kind == "utilization"]
    return [r for b in batches for r in b.resources if isinstance(r, Utilization)], ended, batches


def test_values_that_are_no_shares_are_counted_and_left_out(peer: Peer) -> None:
    labels = {"uuid": "u1"}
    peer.answer = lambda _: (
        200,
        {},
        vector(
            *((labels, text) for text in ("NaN", "+Inf", "-Inf", "-0.1", "55")),
            (labels, "many"), ({"uuid": 7}, "0.5"), ({}, "0.5"), ({"uuid": "stranger"}, "0.5"),
        ),
    )  # fmt: skip
    rows, ended, _ = gather(peer)
    assert rows == []
    assert ended.status is Status.PARTIAL
    assert ended.reason == (
        "1 个对象对不上已知资源（如 stranger）；3 个值缺标签；"
        "15 个值不是 0–1 的比值（NaN、无穷、负数或百分数）；6 条读不懂"
    )


def test_each_statistic_stands_for_itself(peer: Peer) -> None:
    peer.answer = lambda query: (
        200,
        {},
        vector(({"uuid": "U1"}, "NaN" if query.startswith("max") else "0.25"), ({"uuid": "portal"}, "0.5")),
    )
    (row,), ended, _ = gather(peer)
    assert (row.mean, row.p95, row.peak) == (0.5, 0.5, 0.5)  # scraped twice: the larger one
    assert ended.reason.startswith("1 个值不是")
    peer.answer = lambda query: (
        200,
        {},
        vector(({"uuid": "u1"}, "NaN" if query.startswith("max") else "0.25")),
    )
    (row,), _, _ = gather(peer)
    assert (row.mean, row.p95) == (0.25, 0.25)
    assert isinstance(row.peak, Unknown)


def test_a_redirect_to_another_host_is_not_followed(peer: Peer) -> None:
    other = Peer()
    try:
        peer.answer = lambda _: (302, {"Location": f"{other.url}/api/v1/query"}, b"")
        _, ended, _ = gather(peer, bearer_ref="env:TOKEN")
        assert ended.status is Status.DENIED
        assert ended.reason == "被转到另一台主机（127.0.0.1），没有跟去"
        assert other.asked == []
    finally:
        other.close()


def test_a_redirect_on_the_same_host_is_followed_but_not_for_ever(peer: Peer) -> None:
    def moved(query: str) -> Answer:
        if peer.asked[-1][0].startswith("/prom/"):
            return 200, {}, vector(({"uuid": "u1"}, "0.1"))
        return 308, {"Location": "/prom" + peer.asked[-1][0]}, b""

    peer.answer = moved
    (row,), ended, _ = gather(peer)
    assert (row.mean, ended.status) == (0.1, Status.COMPLETE)
    peer.answer = lambda _: (302, {"Location": "/round"}, b"")
    assert gather(peer)[1].reason == "转来转去没有结果"


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ((200, {}, b"<html>login</html>"), Status.FAILED, "答复不是 Prometheus 的 JSON（HTTP 200）"),
        ((404, {}, b"404 page not found"), Status.FAILED, "答复不是 Prometheus 的 JSON（HTTP 404）"),
        ((401, {}, b""), Status.DENIED, "Prometheus 不认这个凭据（HTTP 401）"),
        ((403, {}, b"{}"), Status.DENIED, "Prometheus 不认这个凭据（HTTP 403）"),
        ((200, {}, b'{"status":"success","data":{"resultType":"vec'), Status.FAILED, "答复不是 Prometheus"),
        ((200, {}, b'{"status":"success","data":null}'), Status.FAILED, "答复里没有结果"),
        (
            (200, {}, b'{"status":"success","data":{"resultType":"vector","result":null}}'),
            Status.FAILED,
            "答复里",
        ),
        (
            (200, {}, b'{"status":"success","data":{"resultType":"matrix","result":[]}}'),
            Status.FAILED,
            "查询给出的是",
        ),
        ((200, {}, b"\xff\xfe\x00"), Status.FAILED, "答复不是 Prometheus"),
        ((200, {}, b"[" * 100_000), Status.FAILED, "答复不是 Prometheus"),
        (
            (422, {}, b'{"status":"error","errorType":"execution","error":"too many samples"}'),
            Status.FAILED,
            "Prometheus 没有算成：too many samples",
        ),
        (
            (503, {}, b'{"status":"error","errorType":"timeout","error":"x"}'),
            Status.FAILED,
            "Prometheus 没有应答：HTTP 503",
        ),
        (
            (200, {}, vector(warnings=["store unreachable"])),
            Status.UNSUPPORTED,
            "这个 Prometheus 里没有这项查询的数据",
        ),
    ],
)
def test_answers_that_are_none(peer: Peer, answer: Answer, status: Status, reason: str) -> None:
    peer.answer = lambda _: answer
    rows, ended, _ = gather(peer)
    assert rows == []
    assert ended.status is status
    assert ended.reason.startswith(reason)
    assert ended.remedy


def test_a_part_of_the_answer_is_called_a_part(peer: Peer) -> None:
    peer.answer = lambda _: (200, {}, vector(({"uuid": "u1"}, "0.1"), warnings=["a store did not answer"]))
    rows, ended, _ = gather(peer)
    assert len(rows) == 1
    assert (ended.status, ended.reason) == (Status.PARTIAL, "Prometheus 提醒：a store did not answer")


def test_a_huge_answer_is_cut_off(peer: Peer) -> None:
    peer.answer = lambda _: (200, {}, b" " * (3 * 1024 * 1024) + vector(({"uuid": "u1"}, "0.1")))
    _, ended, _ = gather(peer, answer_mib=1)
    assert (ended.status, ended.reason) == (Status.FAILED, "答复超过 1 MiB，没有读完")
    (row,), _, batches = gather(peer, answer_mib=8)
    assert row.mean == 0.1
    assert max(len(e.content) for b in batches for e in b.evidence) < 1024  # its digest, not its bytes


def test_a_peer_that_falls_silent_does_not_outlive_the_deadline(peer: Peer) -> None:
    released = threading.Event()

    def silent(_: str) -> Answer:
        released.wait(30)
        return 200, {}, vector()

    peer.answer = silent
    wanted = msgspec.structs.replace(source(peer), deadline_seconds=2.0)
    began = time.monotonic()
    batch, *_ = collect(wanted, Run(wanted, things=lambda: [THING]))
    assert time.monotonic() - began < 25
    released.set()
    assert batch.collections[0].status is Status.FAILED


def test_credentials_are_sent_and_come_out_nowhere(peer: Peer) -> None:
    peer.answer = lambda _: (200, {}, vector(({"uuid": "u1", "note": TOKEN}, "0.1")))
    rows, _, batches = gather(peer, bearer_ref="env:TOKEN")
    assert {headers.get("Authorization") for _, headers in peer.asked} == {f"Bearer {TOKEN}"}
    assert TOKEN not in repr(rows) + repr(batches)
    peer.asked.clear()
    gather(peer, username="u", password_ref="env:TOKEN")
    assert {h["Authorization"].split()[0] for _, h in peer.asked} == {"Basic"}


def test_nothing_there_at_all_ends_the_source(peer: Peer) -> None:
    peer.answer = lambda _: (401, {}, b"")
    wanted = source(peer, "/all")
    with pytest.raises(SourceError) as caught:
        list(collect(wanted, Run(wanted)))
    assert (caught.value.status, caught.value.remedy) == (Status.DENIED, "核对 bearer_ref 或 username")
    with pytest.raises(SourceError):
        list(probe(wanted, Run(wanted)))


def test_probe_says_that_a_credential_goes_in_the_clear(peer: Peer) -> None:
    wanted = source(peer, bearer_ref="env:TOKEN")
    first = next(iter(probe(wanted, Run(wanted, environ={"TOKEN": TOKEN}))))
    assert (first.ok, first.detail) == (False, "凭据以明文发送")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "ftp://x"}, "url 写成"),
        ({"url": "http://u:p@x"}, "不能写账号口令"),
        ({"url": "http://x/?a=b"}, "只写到路径前缀"),
        ({"url": "http://x", "bearer_ref": "s3cret"}, "要写引用"),
        ({"url": "http://x", "username": "u"}, "二者取一"),
        ({"url": "http://x", "window_hours": 0}, "都要大于 0"),
        ({"url": "http://x", "presets": [], "load": {"days": 0}}, "没有可查的"),
        ({"url": "http://x", "load": {"days": -1}}, "load.days"),
        ({"url": "http://x", "load": {"step_minutes": 0}}, "step_minutes"),
        ({"url": "http://x", "load": {"link_percent": 700}}, "百分数"),
        ({"url": "http://x", "load": {"outbound": ""}}, "都写"),
        ({"url": "http://x", "queries": [QUERY, QUERY]}, "重名"),
        ({"url": "http://x", "queries": [QUERY | {"by": []}]}, "都要写"),
        ({"url": "http://x", "queries": [QUERY | {"kind": "volume"}]}, "Invalid enum value"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(options, Options)


def test_names_find_one_thing_or_none() -> None:
    things = [
        Thing("c/hypervisor/1", "c", "hypervisor", "1", ("cn-01.gov.cn", "10.0.0.1")),
        Thing("c/hypervisor/2", "c", "hypervisor", "2", ("twin",)),
        Thing("d/hypervisor/3", "d", "hypervisor", "3", ("twin",)),
        Thing("c/node/n", "c", "node", "n", ("fd00::1",)),
    ]
    every, one = Directory(things), Directory(things, ["c"])
    for label in ("cn-01.gov.cn", "CN-01", "cn-01:9100", "cn-01.gov.cn:9100", "10.0.0.1:9100", "1", " 1 "):
        assert every.find("hypervisor", label) == "c/hypervisor/1", label
    assert every.find("hypervisor", "10") is None  # an address has no domain to leave out
    assert every.find("hypervisor", "twin") is None
    assert one.find("hypervisor", "twin") == "c/hypervisor/2"
    assert every.find("node", "[fd00::1]:9100") == "c/node/n"
    assert every.find("node", "cn-01") is None

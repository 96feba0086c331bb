"""The loop: what is read after what, and what it may know of the others."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from collectors import host as local
from collectors.contract import Source
from collectors.prometheus import Options
from inventory.kinds.host import Host
from inventory.kinds.usage import Utilization
from inventory.snapshot import Snapshot
from inventory.store import open_store
from zhengguan.config import parse_config
from zhengguan.errors import UserError
from zhengguan.loop import assess_all, collect_into

NAMES: list[str] = []  # of machines, as the monitoring system calls them


@pytest.fixture
def url() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            rows = [{"metric": {"nodename": name}, "value": [1, "0.25"]} for name in NAMES]
            data = {"status": "success", "data": {"resultType": "vector", "result": rows}}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(data).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


def test_what_measures_is_read_after_what_it_measures(url: str, tmp_path: Path) -> None:
    query = {"name": "q", "kind": "host", "metric": "cpu", "by": ["nodename"], "expr": "x"}
    options = msgspec.convert({"url": url, "presets": [], "queries": [query]}, Options)
    monitor = Source(name="a-monitor", type="prometheus", options=options)
    machine = Source(name="this", type="local", options=local.Options())
    store = open_store(str(tmp_path / "store.db"))
    try:
        collect_into(store, [machine], concurrency=1, progress=lambda _: None)
        (here,) = store.snapshot().of(Host)
        assert isinstance(here.name, str)
        NAMES[:] = [f"{here.name}:9100", "stranger"]
        both = open_store(str(tmp_path / "both.db"))
        collected = collect_into(both, [monitor, machine], concurrency=2, progress=lambda _: None)
        (row,) = both.snapshot().of(Utilization)
        both.close()
        assert row.related("measures") == ["this/host/" + here.native_id]
        assert list(collected.batches) == ["a-monitor", "this"]  # told in the order of the configuration
        collect_into(store, [monitor], concurrency=1, progress=lambda _: None)  # alone, it knows the store's
        (again,) = store.snapshot().of(Utilization)
        assert (again.uid, again.mean) == (row.uid, 0.25)
    finally:
        store.close()


def assessed(config: str, **options: str) -> list[tuple[str, str, str, int | None]]:
    """(system, standard, edition, level of 密评) of each assessment of an empty snapshot."""
    snapshot = Snapshot.of_batches([], datetime(2026, 5, 1, tzinfo=UTC))
    checked = parse_config(config, Path("zhengguan.yaml"), {})
    found = assess_all(checked, snapshot, systems=checked.systems, **options)
    return [(a.system.name, a.standard, a.score.edition, getattr(a.score, "level", None)) for a in found]


TWO = """
policies: {edition: "2021", miping: {edition: "2021"}}
systems:
  - {name: a, title: A, grade: S3A2, include: [], standards: [miping, dengbao, miping]}
  - {name: b, title: B, grade: S2A2, include: [], standards: [miping], miping_level: 3, miping_edition: "2023"}
  - {name: c, title: C, grade: S1A1, include: []}
"""


def test_each_system_is_judged_by_its_own_standards_level_and_edition() -> None:
    assert assessed(TWO) == [
        ("a", "miping", "2021", 3),
        ("a", "dengbao", "2021", None),
        ("b", "miping", "2023", 3),
        ("c", "dengbao", "2021", None),
    ]


def test_what_is_asked_for_goes_before_what_is_configured() -> None:
    assert assessed(TWO, standard="miping") == [
        ("a", "miping", "2021", 3),
        ("b", "miping", "2023", 3),
        ("c", "miping", "2021", 1),
    ]
    assert {row[2] for row in assessed(TWO, standard="miping", edition="2023")} == {"2023"}
    assert {row[2] for row in assessed(TWO, standard="dengbao", edition="2019")} == {"2019"}
    with pytest.raises(UserError, match="密评没有 2019 版的方法"):
        assessed(TWO, standard="miping", edition="2019")


def test_a_system_that_names_no_standard_is_judged_by_the_levels_it_has() -> None:
    one = "systems: [{name: d, title: D, grade: S2A2, include: [], miping_level: 3}]"
    assert assessed(one) == [("d", "dengbao", "2025", None), ("d", "miping", "2023", 3)]


def test_an_edition_holds_for_the_standards_that_have_it() -> None:
    assert assessed(TWO, edition="2019") == [
        ("a", "miping", "2021", 3),
        ("a", "dengbao", "2019", None),
        ("b", "miping", "2023", 3),
        ("c", "dengbao", "2019", None),
    ]
    with pytest.raises(UserError, match="密评、等保没有 2018 版的方法") as caught:
        assessed(TWO, edition="2018")
    assert caught.value.remedy == "可用：2023、2021、2019、2025"


def test_a_parameter_that_is_none_is_one_line() -> None:
    with pytest.raises(UserError, match="2021 版没有参数 ra_weak") as caught:
        assessed(TWO.replace('{edition: "2021"}', '{edition: "2021", parameters: {ra_weak: "0.1"}}'))
    assert caught.value.where == "zhengguan.yaml"

"""The loop: what is read after what, and what it may know of the others."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from collectors import host as local
from collectors.contract import Source
from collectors.prometheus import Options
from inventory.kinds.host import Host
from inventory.kinds.usage import Utilization
from inventory.store import open_store
from zhengguan.loop import collect_into

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

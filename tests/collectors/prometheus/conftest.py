"""A real Prometheus (Debian package) whose samples promtool puts in: any history at once; or one that scrapes."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PATIENCE_SECONDS = 60
Sample = tuple[str, float]
Scraping = Callable[[Path, dict[str, bytes], str], AbstractContextManager[str]]
Serving = Callable[[Path, Iterable[tuple[float, list[Sample]]]], AbstractContextManager[str]]


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is not here: apt-get install prometheus")
    return path


@pytest.fixture(scope="session")
def serving() -> Serving:
    """What serves the samples (unix time, series and values) and gives the address."""
    return _serving


@pytest.fixture(scope="session")
def scraping() -> Scraping:
    """What scrapes exporters (job → its /metrics) with more configuration, and gives the address once each was
    scraped."""
    return _scraping


@contextmanager
def _serving(folder: Path, samples: Iterable[tuple[float, list[Sample]]]) -> Iterator[str]:
    _blocks(folder, samples)
    (folder / "prometheus.yml").write_text("scrape_configs: []\n", encoding="utf-8")
    with _started(folder) as base:
        yield base


@contextmanager
def _scraping(folder: Path, exporters: dict[str, bytes], more: str = "") -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = exporters[self.path.removeprefix("/")]
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    jobs = "".join(
        f"- job_name: {name}\n  metrics_path: /{name}\n  scrape_interval: 1s\n"
        f"  static_configs: [{{targets: ['127.0.0.1:{server.server_port}']}}]\n"
        for name in exporters
    )
    (folder / "prometheus.yml").write_text(f"scrape_configs:\n{jobs}{more}", encoding="utf-8")
    try:
        with _started(folder) as base:
            _until_scraped(base)
            yield base
    finally:
        server.shutdown()
        server.server_close()


def _until_scraped(base: str) -> None:
    """Until every target was scraped once, well or not."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        with urllib.request.urlopen(f"{base}/api/v1/targets?state=active", timeout=5) as response:
            targets = json.load(response)["data"]["activeTargets"]
        if targets and all(target["health"] != "unknown" for target in targets):
            return
        time.sleep(0.2)
    pytest.fail("Prometheus did not scrape")


@contextmanager
def _started(folder: Path) -> Iterator[str]:
    with socket.socket() as probe_:
        probe_.bind(("127.0.0.1", 0))
        port = probe_.getsockname()[1]
    process = subprocess.Popen(
        [
            program("prometheus"),
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            "--storage.tsdb.retention.time=100d",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.route-prefix=/prom",
            "--log.level=error",
        ],
        cwd=folder,
        stderr=(folder / "log").open("wb"),
    )
    base = f"http://127.0.0.1:{port}/prom"
    try:
        _wait(base)
        yield base
    finally:
        process.terminate()
        process.wait(timeout=20)


def _blocks(folder: Path, samples: Iterable[tuple[float, list[Sample]]]) -> None:
    series: dict[str, list[str]] = {}
    for at, row in samples:
        for name, value in row:
            series.setdefault(name, []).append(f"{name} {value} {at:.0f}")
    families: dict[str, list[str]] = {}
    for name, lines in series.items():
        families.setdefault(name.partition("{")[0], []).extend(lines)
    text = "".join(f"# TYPE {name} unknown\n" + "\n".join(lines) + "\n" for name, lines in families.items())
    (folder / "samples.om").write_text(f"{text}# EOF\n", encoding="utf-8")
    subprocess.run(
        [
            *(program("promtool"), "tsdb", "create-blocks-from", "openmetrics"),
            *("--max-block-duration=744h", "samples.om", "data"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def _wait(base: str) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        try:
            urllib.request.urlopen(f"{base}/-/ready", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("Prometheus did not start")

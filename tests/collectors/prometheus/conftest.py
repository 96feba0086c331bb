"""A real Prometheus (Debian package) whose samples promtool puts in: any history at once."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

PATIENCE_SECONDS = 60
Sample = tuple[str, float]
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


@contextmanager
def _serving(folder: Path, samples: Iterable[tuple[float, list[Sample]]]) -> Iterator[str]:
    _blocks(folder, samples)
    (folder / "prometheus.yml").write_text("scrape_configs: []\n", encoding="utf-8")
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

"""Serving, as a real process on loopback: metrics, start page, reports, login, refusals."""

from __future__ import annotations

import base64
import gzip
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

CONFIG = """\
sources: [{name: this-host, type: local, labels: {department: '<b>局</b>'}}]
systems:
  - {name: web, title: '网站群 <script>alert(1)</script>', grade: S2A2, standards: [dengbao, miping],
     include: [{sources: [this-host]}]}
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def served(folder: Path, port: int, environ: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "zhengguan", "serve", "--listen", f"127.0.0.1:{port}"],
        cwd=folder,
        env={**os.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def ask(url: str, context: ssl.SSLContext | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def wait_ready(
    base: str, process: subprocess.Popen[bytes], context: ssl.SSLContext | None = None, **headers: str
) -> None:
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        assert process.poll() is None, process.stdout and process.stdout.read().decode()
        try:
            if ask(base + "healthz", context, **headers)[0] == 200:
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.1)
    raise AssertionError("the server never had a snapshot to serve")


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(20)
    finally:
        process.kill()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("serve")
    (folder / "zhengguan.yaml").write_text(CONFIG, encoding="utf-8")
    port = free_port()
    process = served(folder, port)
    try:
        wait_ready(f"http://127.0.0.1:{port}/", process)
        yield f"http://127.0.0.1:{port}/"
    finally:
        stop(process)


def test_metrics_parse_in_both_formats_and_compressed(base: str) -> None:
    status, headers, plain = ask(base + "metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    names = {f.name for f in parse_text(plain.decode())}
    assert {"zhengguan_inventory_resources", "process_cpu_seconds", "zhengguan_runs"} <= names
    _, headers, zipped = ask(base + "metrics", Accept_Encoding="gzip")
    assert headers["content-encoding"] == "gzip"
    assert {f.name for f in parse_text(gzip.decompress(zipped).decode())} == names
    _, headers, modern = ask(base + "metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert headers["content-type"].startswith("application/openmetrics-text")
    assert {"zhengguan_inventory_resources", "zhengguan_runs"} <= {
        f.name for f in parse_openmetrics(modern.decode())
    }


def test_the_start_page_escapes_and_forbids_scripts(base: str) -> None:
    status, headers, body = ask(base)
    assert status == 200
    assert "网站群 &lt;script&gt;" in body.decode()
    assert b"<script>" not in body
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_reports_and_assessments(base: str) -> None:
    _, _, data = ask(base + "api/assessments")
    told = [(a["system"], a["standard"], a["score"]["edition"]) for a in json.loads(data)]
    assert told == [("web", "dengbao", "2025"), ("web", "miping", "2023")]
    status, _, html = ask(base + "reports/web.html")
    assert status == 200
    assert "自查报告" in html.decode()
    status, headers, docx = ask(base + "reports/web.docx")
    assert status == 200
    assert docx.startswith(b"PK")
    assert "attachment" in headers["content-disposition"]
    assert "密评" not in html.decode()
    assert "不是商用密码应用安全性评估（密评）结论" in ask(base + "reports/miping/web.html")[2].decode()
    start = ask(base)[2].decode()
    assert all(f'href="/reports/{path}.html"' in start for path in ("web", "miping/web"))
    metrics = ask(base + "metrics")[2].decode()
    assert 'zhengguan_score_low_ratio{system="web",standard="miping",edition="2023"}' in metrics
    assert ask(base + "reports/miping/none.html")[0] == 404
    assert ask(base + "reports/none.html")[0] == 404
    assert ask(base + "reports/web.exe")[0] == 404
    assert "有多满" in ask(base + "capacity.html")[2].decode()
    status, headers, xlsx = ask(base + "capacity.xlsx")
    assert (status, xlsx[:2]) == (200, b"PK")
    assert "attachment" in headers["content-disposition"]
    assert ask(base + "capacity.exe")[0] == 404
    assert "IPv6 就绪情况报告" in ask(base + "ipv6.html")[2].decode()
    status, headers, xlsx = ask(base + "ipv6.xlsx")
    assert (status, xlsx[:2]) == (200, b"PK")
    assert "attachment" in headers["content-disposition"]
    assert ask(base + "ipv6.exe")[0] == 404


def test_a_foreign_host_header_is_refused(base: str) -> None:
    assert ask(base + "metrics", Host="evil.example")[0] == 421


def test_tls_and_login(tmp_path: Path, self_signed: bytes) -> None:
    for name in ("c.pem", "k.pem"):
        (tmp_path / name).write_bytes(self_signed)
    protection = "serve: {tls_certificate: c.pem, tls_key: k.pem, user: 运维, password_ref: 'env:PASSWORD'}\n"
    (tmp_path / "zhengguan.yaml").write_text(CONFIG + protection, encoding="utf-8")
    context = ssl.create_default_context(cafile=str(tmp_path / "c.pem"))
    port = free_port()
    url = f"https://127.0.0.1:{port}/"
    right = "Basic " + base64.b64encode("运维:correct horse".encode()).decode()
    wrong = "Basic " + base64.b64encode("运维:wrong".encode()).decode()
    process = served(tmp_path, port, {"PASSWORD": "correct horse"})
    try:
        wait_ready(url, process, context, Authorization=right)
        for path in ("", "metrics", "healthz", "reports/web.html"):
            assert ask(url + path, context)[0] == 401
            assert ask(url + path, context, Authorization=wrong)[0] == 401
            assert ask(url + path, context, Authorization=right)[0] == 200
    finally:
        stop(process)


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "zhengguan.yaml").write_text(CONFIG, encoding="utf-8")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = served(tmp_path, taken.getsockname()[1])
        output = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 2
    assert "不能监听" in output
    assert "Traceback" not in output

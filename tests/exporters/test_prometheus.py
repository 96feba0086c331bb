"""A real Prometheus (Debian packages prometheus: prometheus, promtool) scrapes our bytes and answers every
expression of the dashboard and of the alert rules."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from exporters.capacity import capacity_families
from exporters.dashboards import (
    ALERTS,
    CAPACITY_ALERTS,
    CAPACITY_DASHBOARD,
    alert_rules,
    dashboard,
    expressions,
)
from exporters.exposition import Page
from exporters.families import families
from inventory.snapshot import Snapshot
from inventory.usage import usage_of
from policies.assessment import Assessment

pytestmark = pytest.mark.lab
PATIENCE_SECONDS = 60


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is not here: apt-get install prometheus")
    return path


class Handler(BaseHTTPRequestHandler):
    pages: dict[str, Callable[[str, str], Any]]

    def do_GET(self) -> None:
        answer = self.pages[self.path](
            self.headers.get("Accept", ""), self.headers.get("Accept-Encoding", "")
        )
        self.send_response(200)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(sum(map(len, answer.chunks))))
        self.end_headers()
        for chunk in answer.chunks:
            self.wfile.write(chunk)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(name="snapshot_page")
def snapshot_page_(estate: Snapshot, assessment: Assessment) -> Page:
    replace = msgspec.structs.replace
    unseen = replace(
        assessment,
        system=replace(assessment.system, name="mail"),
        score=replace(assessment.score, coverage=Decimal("0.31")),
    )
    return Page(families(estate, [assessment, unseen]))


class Prometheus:
    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}/api/v1"

    def get(self, path: str, **query: str) -> Any:
        url = f"{self.base}/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def unanswered(self, asked: list[tuple[str, str]]) -> list[str]:
        """Titles of expressions that give no series."""
        return [title for title, expression in asked if not self.query(expression)]

    def wait(self, what: str, ready: Callable[[], bool]) -> None:
        ends = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends:
            try:
                if ready():
                    return
            except OSError:
                pass  # not listening yet
            time.sleep(0.2)
        pytest.fail(f"Prometheus: {what} did not come in {PATIENCE_SECONDS} s")


def write_configuration(folder: Path, target: str) -> Path:
    """Jobs: the page packed, the page plain, a page over its limit, and one of capacity; of the second and
    third only what the tests ask for is kept, so that nothing is counted twice. Alerts fire without waiting.
    """
    for name in (ALERTS, CAPACITY_ALERTS):
        rules = yaml.safe_load(alert_rules(name))
        for rule in rules["groups"][0]["rules"]:
            rule.pop("for", None)
        rules["groups"][0]["interval"] = "1s"
        (folder / name).write_text(yaml.safe_dump(rules, allow_unicode=True), encoding="utf-8")

    def job(name: str, keep: str) -> dict[str, Any]:
        return {
            "job_name": name,
            "metrics_path": f"/{name}",
            "scrape_interval": "1s",
            "scrape_timeout": "1s",
            "static_configs": [{"targets": [target]}],
            "metric_relabel_configs": [
                {"source_labels": ["__name__"], "regex": keep, "action": "keep"},
            ],
        }

    configuration = {
        "rule_files": [ALERTS, CAPACITY_ALERTS],
        "scrape_configs": [
            job("packed", ".*"),
            job("plain", "zhengguan_resources"),
            job("limited", "zhengguan_exporter_dropped_families"),
            job("capacity", "zhengguan_[a-df-z].*"),
        ],
    }
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration), encoding="utf-8")
    return path


@pytest.fixture
def prometheus(
    snapshot_page: Page, estate: Snapshot, planned: Snapshot, assessment: Assessment, tmp_path: Path
) -> Iterator[Prometheus]:
    planner = Page(capacity_families(usage_of(planned)))
    limited = Page(families(estate, [assessment]), max_series=3)

    class Ours(Handler):
        pages = {  # noqa: RUF012
            "/packed": snapshot_page.answer,
            "/plain": lambda accept, _: snapshot_page.answer("", ""),
            "/limited": limited.answer,
            "/capacity": planner.answer,
        }

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ours)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration = write_configuration(tmp_path, f"127.0.0.1:{server.server_port}")
    process = subprocess.Popen(
        [
            program("prometheus"),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ],
        stderr=(tmp_path / "log").open("wb"),
    )
    api = Prometheus(port)
    try:
        api.wait("scrapes", lambda: len(api.query("up == 1")) == 4)
        api.wait("rules", lambda: len(api.get("alerts")["alerts"]) > 0)
        yield api
    finally:
        process.terminate()
        process.wait(timeout=20)
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


def test_prometheus_reads_and_answers(prometheus: Prometheus, snapshot_page: Page) -> None:
    scraped = {r["metric"]["job"]: int(r["value"][1]) for r in prometheus.query("scrape_samples_scraped")}
    own = 3  # series, limit, dropped families; nothing was dropped
    assert scraped["packed"] == scraped["plain"] == snapshot_page.series + own

    asked = [*expressions(dashboard()), *expressions(dashboard(CAPACITY_DASHBOARD))]
    assert len(asked) >= 60
    assert prometheus.unanswered(asked) == []

    misspelt = [(title, expr.replace("zhengguan_", "zhenguan_")) for title, expr in asked]
    assert prometheus.unanswered(misspelt) == [title for title, _ in asked]

    rules = [
        r for n in (ALERTS, CAPACITY_ALERTS) for r in yaml.safe_load(alert_rules(n))["groups"][0]["rules"]
    ]
    names = {rule["alert"] for rule in rules}
    prometheus.wait("all alerts", lambda: names <= {a["labels"]["alertname"] for a in firing(prometheus)})
    texts = {
        (a["labels"]["alertname"], a["annotations"]["summary"], a["annotations"]["description"])
        for a in firing(prometheus)
    }
    summaries = {(name, summary) for name, summary, _ in texts}
    assert ("ZhengguanSourceNotRead", "来源 core-sw-01 已超过 24 小时没有完整读取") in summaries
    assert ("ZhengguanSourceNotRead", "来源 city-cloud 已超过 24 小时没有完整读取") in summaries
    assert any("它从未完整读取过" in text for _, summary, text in texts if "city-cloud" in summary)
    assert (
        "ZhengguanHighRiskTriggered",
        "系统 portal（dengbao）命中高风险情形 6.3.2.1：重要区域边界访问控制缺失",
    ) in summaries
    assert (
        "ZhengguanScoreLow",
        "系统 portal（dengbao）已核查八成以上，自查下限仍只有 28.57%，低于 60%",
    ) in summaries
    assert ("ZhengguanCoverageLow", "系统 mail（dengbao）的核查覆盖率只有 31%，低于 50%") in summaries
    assert not any("portal" in text for name, text in summaries if name == "ZhengguanCoverageLow")
    assert ("ZhengguanStaleResources", "来源 core-sw-01 有 1 个资源仍是旧数据") in summaries
    assert (
        "ZhengguanNewCriticalFindings",
        "系统 portal 一天内新增 1 个严重问题：security-group-open-admin-port",
    ) in summaries
    zone = "来源 province-cloud 可用域 az-c 的内存已分配 97.5%"
    assert ("ZhengguanZoneNearlyFull", zone) in summaries
    assert sum(name == "ZhengguanZoneNearlyFull" for name, _ in summaries) == 1
    assert ("ZhengguanStorageNearlyFull", "来源 province-cloud 的存储池已分配 91.49%") in summaries
    assert ("ZhengguanFloatingIpsNearlyOut", "来源 province-cloud 的浮动 IP 已分配 96%") in summaries
    incomplete = "来源 city-cloud 的 hypervisor 没有看全，容量合计只是下限"
    assert ("ZhengguanCapacityIncomplete", incomplete) in summaries
    assert not any("{{" in text or "error" in text.lower() for row in texts for text in row)


def firing(prometheus: Prometheus) -> list[dict[str, Any]]:
    return [a for a in prometheus.get("alerts")["alerts"] if a["state"] == "firing"]


def test_promtool_finds_nothing_to_mend(snapshot_page: Page, tmp_path: Path) -> None:
    linted = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=snapshot_page.body(),
        capture_output=True,
        check=False,
    )
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, b"")
    for name in (ALERTS, CAPACITY_ALERTS):
        (tmp_path / name).write_text(alert_rules(name), encoding="utf-8")
        checked = subprocess.run(
            [program("promtool"), "check", "rules", str(tmp_path / name)], capture_output=True, check=False
        )
        assert checked.returncode == 0, checked.stdout


def test_promtool_finds_nothing_to_mend_in_capacity(planned: Snapshot) -> None:
    page = Page(capacity_families(usage_of(planned)))
    linted = subprocess.run(
        [program("promtool"), "check", "metrics"], input=page.body(), capture_output=True, check=False
    )
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, b"")


def test_alerts_wait_as_long_as_they_say(tmp_path: Path) -> None:
    """Read at time 0 and never again: silent after 23 hours, pending, then firing after 24 and 10 min."""
    series = 'zhengguan_source_last_success_timestamp_seconds{source="a"}'
    fires = {
        "exp_labels": {"severity": "warning", "source": "a"},
        "exp_annotations": {
            "summary": "来源 a 已超过 24 小时没有完整读取",
            "description": (
                "距上次完整读取 1d 0h 15m 0s，有关结论正在变旧。"
                "处理：运行 zhengguan doctor --source a，按提示检查网络、账号和权限。"
            ),
        },
    }
    name = "ZhengguanSourceNotRead"
    text = {
        "rule_files": ["alerts.yaml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": series, "values": "0x3000"}],
                "alert_rule_test": [
                    {"eval_time": "23h", "alertname": name, "exp_alerts": []},
                    {"eval_time": "24h5m", "alertname": name, "exp_alerts": []},
                    {"eval_time": "24h15m", "alertname": name, "exp_alerts": [fires]},
                ],
            }
        ],
    }
    (tmp_path / "alerts.yaml").write_text(alert_rules(), encoding="utf-8")
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(text, allow_unicode=True), encoding="utf-8")
    done = subprocess.run(
        [program("promtool"), "test", "rules", "test.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

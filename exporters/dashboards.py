"""The Grafana dashboards and the alert rules that go with our metrics: data files, and what is in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Final

DASHBOARD: Final = "zhengguan-overview.json"
CAPACITY_DASHBOARD: Final = "zhengguan-capacity.json"
ALERTS: Final = "alerts.yaml"
CAPACITY_ALERTS: Final = "capacity-alerts.yaml"

_METRIC = re.compile(r"\bzhengguan_[a-z0-9_]+")


def dashboard(name: str = DASHBOARD) -> dict[str, Any]:
    """A dashboard as Grafana imports it: the overview, unless named."""
    held: dict[str, Any] = json.loads(_read(name))
    return held


def alert_rules(name: str = ALERTS) -> str:
    """Alert rules as Prometheus reads them (``rule_files``): the general ones, unless named."""
    return _read(name)


def _read(name: str) -> str:
    return files("exporters").joinpath("data", name).read_text(encoding="utf-8")


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Panels that show something, those inside collapsed rows too."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", [])
        else:
            yield panel


def expressions(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(panel title, PromQL) of every query, with each variable as "everything": what a reader sees who
    has just opened the dashboard."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield panel["title"], _expanded(target["expr"])
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["label"], _expanded(_selector(variable["query"]["query"]))


def _expanded(expression: str) -> str:
    for variable in ("$system", "$department", "$source"):
        expression = expression.replace(variable, ".*")
    return expression.replace("$__range", "1h")


def _selector(query: str) -> str:
    """The series selector inside ``label_values(selector, label)``."""
    return query.removeprefix("label_values(").rpartition(",")[0]


def metric_names(text: str) -> set[str]:
    """Names of our metrics in an expression."""
    return set(_METRIC.findall(text))

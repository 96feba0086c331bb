"""The dashboard and the alert rules as files: well formed, Chinese, and about metrics that we serve."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
import yaml

from exporters.capacity import capacity_families
from exporters.dashboards import (
    ALERTS,
    CAPACITY_ALERTS,
    CAPACITY_DASHBOARD,
    DASHBOARD,
    alert_rules,
    dashboard,
    expressions,
    metric_names,
    panels,
)
from exporters.exposition import Page
from exporters.families import families
from inventory.snapshot import Snapshot
from inventory.usage import usage_of
from policies.assessment import Assessment

BOARDS = pytest.mark.parametrize("name", [DASHBOARD, CAPACITY_DASHBOARD])
RULES = pytest.mark.parametrize("name", [ALERTS, CAPACITY_ALERTS])
CHINESE = re.compile("[\u4e00-\u9fff]")


def served(estate: Snapshot, assessment: Assessment) -> set[str]:
    page = Page([*families(estate, [assessment]), *capacity_families(usage_of(estate))])
    return set(re.findall(r"^# TYPE (\S+)", page.body().decode(), re.MULTILINE))


@BOARDS
def test_the_dashboard_fits_grafana(name: str) -> None:
    board = dashboard(name)
    assert 0 < len(board["uid"]) <= 40
    assert board["schemaVersion"] >= 36
    ids = [p["id"] for p in board["panels"]]
    assert len(set(ids)) == len(ids)
    names = [v["name"] for v in board["templating"]["list"]]
    assert names == ["datasource", "system" if name == DASHBOARD else "source", "department"]
    for panel in panels(board):
        assert CHINESE.search(panel["title"])
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert [t["refId"] for t in panel["targets"]] == sorted({t["refId"] for t in panel["targets"]})


@BOARDS
def test_panels_lie_on_the_grid_and_on_nothing_else(name: str) -> None:
    places = [(p["title"], p["gridPos"]) for p in dashboard(name)["panels"]]
    assert all(at["x"] >= 0 and at["w"] > 0 and at["x"] + at["w"] <= 24 for _, at in places)
    for (one, a), (other, b) in combinations(places, 2):
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        assert apart, f"{one} lies on {other}"


def test_every_metric_that_is_asked_for_is_served(estate: Snapshot, assessment: Assessment) -> None:
    asked: set[str] = set()
    for board in (DASHBOARD, CAPACITY_DASHBOARD):
        asked |= {name for _, expr in expressions(dashboard(board)) for name in metric_names(expr)}
    for file in (ALERTS, CAPACITY_ALERTS):
        rules = yaml.safe_load(alert_rules(file))["groups"][0]["rules"]
        asked |= {name for rule in rules for name in metric_names(rule["expr"])}
    assert len(asked) > 35
    assert asked <= served(estate, assessment)


@RULES
def test_alerts_name_the_thing_and_the_fix(name: str) -> None:
    for rule in yaml.safe_load(alert_rules(name))["groups"][0]["rules"]:
        assert rule["alert"].isascii()
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
        summary, description = rule["annotations"]["summary"], rule["annotations"]["description"]
        assert CHINESE.search(summary)
        assert "{{ $" in summary, "names the thing"
        assert CHINESE.search(description)
        assert "zhengguan " in description or "zhengguan_" in description, "names what to do"

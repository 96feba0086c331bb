"""From a snapshot and its assessments to metrics: the numbers, and what is not claimed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporters.exposition import FORBIDDEN_LABELS, Page
from exporters.families import ProgramFacts, families
from inventory.coverage import Collection, Status
from inventory.kinds.compute import Server
from inventory.kinds.network import Device, Interface
from inventory.kinds.virtual_network import Port
from inventory.resource import Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot, SnapshotInfo
from inventory.systems import System
from policies.assess import assess
from policies.assessment import Assessment
from policies.standards import load_standard

FACTS = ProgramFacts(
    version="0.1.0",
    source_labels={
        "city-cloud": {"department": "市数据局", "level": "市", "zone": "互联网区"},
        "never-read": {},
    },
)


@pytest.fixture
def found(estate: Snapshot, assessment: Assessment) -> dict[str, dict[tuple[str, ...], float]]:
    """Metric name without prefix → label values in order → value."""
    text = Page(families(estate, [assessment], FACTS)).body().decode()
    out: dict[str, dict[tuple[str, ...], float]] = {}
    for family in parse_text(text):
        for sample in family.samples:
            out.setdefault(sample.name.removeprefix("zhengguan_"), {})[*sample.labels.values()] = sample.value
    return out


def test_inventory_by_department_kind_and_source(found: Any) -> None:
    held = found["inventory_resources"]
    assert held["省数据局", "server", "province-cloud"] == 1
    assert held["省财政厅", "server", "province-cloud"] == 1
    assert held["市数据局", "hypervisor", "city-cloud"] == 1  # from the source's label
    assert held["", "device", "core-sw-01"] == 1
    assert sum(held.values()) == found["resources"][()] == 10
    assert found["department_info"]["市数据局", "市", "互联网区"] == 1


def test_what_was_denied_is_no_zero(found: Any) -> None:
    assert not any("user" in key for key in found["inventory_resources"])
    assert found["collections"]["province-cloud", "user", "denied"] == 1
    assert found["collections_by_status"] == {
        ("complete",): 4,
        ("partial",): 1,
        ("denied",): 1,
        ("unsupported",): 0,
        ("failed",): 1,
    }


def test_capacity_in_base_units_leaves_out_what_was_not_told(found: Any) -> None:
    assert found["hypervisor_memory_bytes"]["province-cloud", "domestic"] == 524288 * 1024 * 1024
    assert found["hypervisor_vcpus"]["province-cloud", "domestic"] == 128
    assert found["hypervisors_unseen"]["province-cloud", "domestic", "vcpus"] == 1
    assert ("city-cloud", "unknown") not in found["hypervisor_vcpus_used"]
    assert found["hypervisors"]["city-cloud", "unknown", "unknown"] == 1
    assert found["origin_resources"]["", "host", "cpu", "unknown"] == 1
    assert found["origin_resources"]["", "host", "os", "foreign"] == 1


def test_posture(found: Any) -> None:
    key = ("portal", "dengbao", "2025")
    assert found["score_low_ratio"][key] == pytest.approx(0.2857)
    assert found["score_high_ratio"][key] == pytest.approx(0.4286)
    assert found["assessment_coverage_ratio"][key] == pytest.approx(0.8571)
    assert found["findings"]["portal", "security-group-open-admin-port", "critical"] == 1
    assert found["findings_by_severity"]["portal", "low"] == 0
    assert sum(found["control_verdicts"].values()) == 8
    assert found["control_verdicts"]["portal", "dengbao", "unknown", "none"] == 1
    assert found["high_risks"]["portal", "dengbao", "undetermined"] == 1
    assert found["high_risks"]["portal", "dengbao", "mitigated"] == 0
    assert found["exceptions"] == {
        ("portal", "dengbao", "matched"): 1,
        ("portal", "dengbao", "expiring"): 0,
        ("portal", "dengbao", "unused"): 0,
        ("portal", "dengbao", "expired"): 1,
        ("portal", "dengbao", "unknown"): 1,
    }
    assert found["findings_excepted"] == {("portal", "device-telnet", "medium"): 1}
    assert found["answers"] == {
        ("portal", "dengbao", "counted"): 0,
        ("portal", "dengbao", "expiring"): 1,
        ("portal", "dengbao", "expired"): 1,
        ("portal", "dengbao", "contradicted"): 1,
        ("portal", "dengbao", "unused"): 0,
    }
    assert list(found["high_risk_triggered"]) == [
        ("portal", "dengbao", "6.3.2.1", "重要区域边界访问控制缺失")
    ]


def test_two_standards_count_a_finding_once(estate: Snapshot, assessment: Assessment) -> None:
    other = msgspec.structs.replace(assessment, standard="miping")
    text = Page(families(estate, [assessment, other])).body().decode()
    assert 'zhengguan_findings_by_severity{system="portal",severity="critical"} 1\n' in text
    assert 'zhengguan_score_low_ratio{system="portal",standard="miping",edition="2025"} 0.2857\n' in text


def test_both_standards_of_a_system_stand_beside_each_other(
    estate: Snapshot, assessment: Assessment, crypto_assessment: Assessment
) -> None:
    text = Page(families(estate, [assessment, crypto_assessment])).body().decode()
    assert text.count("zhengguan_system_info{") == 1
    score = crypto_assessment.score
    assert score.low is not None
    labels = 'system="portal",standard="miping",edition="2023"'
    assert f"zhengguan_score_low_ratio{{{labels}}} {score.low / 100}\n" in text
    assert f"zhengguan_score_high_ratio{{{labels}}} {score.high / 100}\n" in text  # type: ignore[operator]
    assert f"zhengguan_assessment_coverage_ratio{{{labels}}} {float(score.coverage)}\n" in text
    assert 'zhengguan_high_risk_triggered{system="portal",standard="miping",case="HR-DEV-02",' in text
    assert (
        'zhengguan_control_verdicts{system="portal",standard="miping",verdict="pass",origin="person"} 1'
        in text
    )


def test_a_score_without_a_total_has_no_series(estate: Snapshot, crypto_assessment: Assessment) -> None:
    nothing = msgspec.structs.replace(crypto_assessment.score, low=None, high=None)  # type: ignore[type-var]
    text = Page(families(estate, [msgspec.structs.replace(crypto_assessment, score=nothing)])).body().decode()
    assert "zhengguan_score_low_ratio{" not in text
    assert "zhengguan_assessment_coverage_ratio{" in text


def test_freshness_names_sources_never_read(found: Any) -> None:
    last = found["source_last_success_timestamp_seconds"]
    assert last["never-read",] == last["city-cloud",] == 0
    taken = datetime(2026, 11, 22, 1, 30, tzinfo=UTC).timestamp()
    assert last["jump-01",] == last["province-cloud",] == taken  # of several kinds, the latest
    assert found["stale_resources"]["core-sw-01",] == 1
    assert found["stale_resources"]["jump-01",] == 0


def test_an_empty_store_still_gives_a_page() -> None:
    empty = Snapshot(SnapshotInfo(id=0, taken_at=datetime(2026, 1, 1, tzinfo=UTC)), {}, [])
    assert b"zhengguan_resources 0\n" in Page(families(empty, [])).body()


def test_every_family_is_documented_and_labelled_safely(estate: Snapshot, assessment: Assessment) -> None:
    for encoded in families(estate, [assessment], FACTS):
        family = encoded.family
        assert family.name.startswith("zhengguan_")
        assert family.help.isascii()
        assert family.help.endswith(".")
        assert not set(family.labels) & FORBIDDEN_LABELS


def test_200_000_resources_stay_under_10_000_series(assessment: Assessment) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    clouds: list[Resource] = [
        cls(source=f"cloud-{c}", native_id=str(n), labels={"department": f"部门{n % 20}"})
        for c in range(20)
        for cls in (Server, Port)
        for n in range(2500)
    ]
    devices: list[Resource] = [Device(source=f"sw-{d}", native_id="0") for d in range(1000)]
    ports: list[Resource] = [
        Interface(source=f"sw-{d}", native_id=str(n)) for d in range(1000) for n in range(100)
    ]
    by_kind: dict[str, list[Resource]] = {}
    for row in (*clouds, *devices, *ports):
        by_kind.setdefault(row.KIND, []).append(row)
    collections = [
        Collection(source=s, kind=k, status=Status.COMPLETE, started_at=now, ended_at=now)
        for s, k in {(r.source, r.KIND) for rows in by_kind.values() for r in rows}
    ]
    snapshot = Snapshot(SnapshotInfo(id=1, taken_at=now), by_kind, collections)
    assert len(snapshot) > 200_000
    assert 5000 < Page(families(snapshot, [assessment])).series < 10_000


def test_indicators_are_ranges_and_their_targets(estate: Snapshot) -> None:
    system = System(
        name="all", title="全部", grade="S2A2", include=[Selector(sources=["*"])], cloud="platform"
    )
    assessment = assess(system, load_standard("extranet"), [], estate)
    text = Page(families(estate, [assessment], FACTS)).body().decode()
    values = {i.id: i for i in assessment.indicators}
    label = 'system="all",standard="extranet",indicator="CLD-LC-05"'
    low, high = values["CLD-LC-05"].low, values["CLD-LC-05"].high
    assert low is not None
    assert f'zhengguan_indicator_low_ratio{{{label},title="长期关机的云主机占比"}} {float(low)}' in text
    assert (
        f'zhengguan_indicator_high_ratio{{{label},title="长期关机的云主机占比"}} {float(high or 0)}' in text
    )
    assert f'zhengguan_indicator_target_ratio{{{label},better="less"}} 0.05' in text
    # nothing to count has no share, and no score is made up
    assert values["CLD-LC-06-FIP"].low is not None or 'CLD-LC-06-FIP",title' not in text
    assert "zhengguan_score_low_ratio{" not in text

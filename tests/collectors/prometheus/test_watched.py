"""A real Prometheus that scrapes: what it watches of a cloud, and whether it would tell anybody.

The exporters' answers are composed: lines as node_exporter, prometheus-libvirt-exporter and openstack-exporter
write them, since none of the latter two can be had as a package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from collectors.contract import Run, Source
from collectors.prometheus import Options, collect
from collectors.prometheus.load_queries import LoadOptions
from collectors.prometheus.watched import CloudOptions
from collectors.things import Thing, thing_of
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.cloud import Cloud, PlatformService
from inventory.kinds.compute import Hypervisor, Server
from inventory.kinds.load import MonitoringCoverage
from inventory.kinds.management import MonitoringSystem
from inventory.kinds.virtual_network import LoadBalancer, Router
from inventory.resource import Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from inventory.unknown import UNKNOWN
from policies.assess import assess
from policies.evaluate import evaluate
from policies.rules import load_rules
from policies.standards import load_standard

pytestmark = pytest.mark.lab
NOW = datetime(2026, 11, 23, tzinfo=UTC)
RULES = load_rules()
ESTATE: list[Resource] = [
    Cloud(source="gov", native_id="gov", name="gov"),
    Hypervisor(source="gov", native_id="1", name="cmp-1.gov.cn"),
    Hypervisor(source="gov", native_id="2", name="cmp-2.gov.cn"),
    Server(source="gov", native_id="uuid-web", name="web", status="active"),
    Server(source="gov", native_id="uuid-db", name="db", status="active"),
    Server(source="gov", native_id="uuid-twin-1", name="twin", status="active"),
    Server(source="gov", native_id="uuid-twin-2", name="twin", status="active"),
    Router(source="gov", native_id="uuid-router", name="edge"),
    LoadBalancer(
        source="gov", native_id="uuid-lb", name="front", status="ONLINE", provisioning_status="ACTIVE"
    ),
    PlatformService(source="gov", native_id="s", name="nova-compute", enabled=True, alive=True),
    Server(source="other", native_id="uuid-x", name="elsewhere"),
]
NODES = 'node_uname_info{nodename="cmp-1"} 1\nnode_uname_info{nodename="cmp-2.gov.cn"} 1\n'
LIBVIRT = 'libvirt_domain_info_meta{domain="instance-1",uuid="uuid-web"} 1\n'
DATABASE = 'libvirt_domain_info_meta{domain="instance-2",uuid="uuid-db"} 1\n'
TWINS = "".join(f'openstack_nova_server_status{{id="uuid-twin-{n}",name="twin"}} 0\n' for n in (1, 2))
NETWORK = (
    'openstack_neutron_router{id="uuid-router",name="edge",status="ACTIVE"} 1\n'
    'openstack_loadbalancer_loadbalancer_status{id="uuid-lb",name="front"} 0\n'
)
EVERYTHING = CloudOptions(cloud="gov", everything=["hypervisor", "server", "virtual_device"])
ALERTING = """\
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:9']}]}]}
"""
DOWN = "- job_name: gone\n  scrape_interval: 1s\n  static_configs: [{targets: ['127.0.0.1:9']}]\n"
RULE = "groups: [{name: g, rules: [{alert: Down, expr: up == 0}, {record: r, expr: up}]}]\n"
Scrape = Callable[..., Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, scraping: Scrape) -> Iterator[str]:
    """Everything is watched, and alerts go somewhere."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "rules.yml").write_text(RULE, encoding="utf-8")
    text = NODES + LIBVIRT + DATABASE + TWINS + NETWORK
    with scraping(folder, {"exporters": text.encode()}, ALERTING) as base:
        yield base


@pytest.fixture(scope="module")
def holes(tmp_path_factory: pytest.TempPathFactory, scraping: Scrape) -> Iterator[str]:
    """One server is not watched, of two of one name nobody knows; nothing alerts, and a target is down."""
    text = NODES + LIBVIRT + 'node_uname_info{nodename="twin"} 1\n' + NETWORK
    with scraping(tmp_path_factory.mktemp("holes"), {"exporters": text.encode()}, DOWN) as base:
        yield base


def gather(url: str, *clouds: CloudOptions, estate: list[Resource] = ESTATE) -> list[Batch]:
    options = Options(
        url=url, presets=["libvirt"], load=LoadOptions(days=0), clouds=list(clouds), timeout_seconds=20
    )
    wanted = Source(name="prom", type="prometheus", options=options)
    things: list[Thing] = [thing for thing in map(thing_of, estate) if thing is not None]
    return list(collect(wanted, Run(wanted, things=lambda: things)))


def rows(batches: list[Batch]) -> tuple[dict[str, MonitoringCoverage], MonitoringSystem]:
    found = [row for batch in batches for row in batch.resources]
    (system,) = [row for row in found if isinstance(row, MonitoringSystem)]
    return {str(row.sort): row for row in found if isinstance(row, MonitoringCoverage)}, system


def ended(batches: list[Batch], kind: str) -> Collection:
    (one,) = [c for batch in batches for c in batch.collections if c.kind == kind]
    return one


def test_everything_that_the_cloud_lists_is_watched(whole: str) -> None:
    batches = gather(whole, EVERYTHING)
    found, system = rows(batches)
    assert {s: (r.listed, r.watched, r.unwatched) for s, r in found.items()} == {
        "hypervisor": (2, 2, []),
        "server": (4, 4, []),
        "virtual_device": (2, 2, []),
    }
    assert found["server"].related("part_of") == ["gov/cloud/gov"]
    assert (system.targets, system.targets_down, system.down) == (1, 0, [])
    assert (system.alert_rules, system.alert_receivers, system.unwatched) == (1, 1, [])
    assert ended(batches, "monitoring_coverage").status is Status.COMPLETE


def test_what_is_not_watched_has_its_name_said(holes: str) -> None:
    found, system = rows(gather(holes, EVERYTHING))
    server = found["server"]
    assert (server.listed, server.watched, server.without_series, server.unwatched) == (4, 1, 1, ["db"])
    assert (system.targets, system.targets_down, system.down) == (2, 1, ["gone 127.0.0.1:9"])
    assert (system.alert_rules, system.alert_receivers, system.unwatched) == (0, 0, ["db"])


def test_without_a_word_that_all_should_be_watched_nothing_is_missing(holes: str) -> None:
    found, system = rows(gather(holes, CloudOptions(cloud="gov")))
    assert found["server"].meant_for_all is UNKNOWN
    assert system.unwatched is UNKNOWN


def test_a_cloud_that_nobody_read_has_no_rows(whole: str) -> None:
    batches = gather(whole, CloudOptions(cloud="nobodys"))
    assert rows(batches)[0] == {}
    one = ended(batches, "monitoring_coverage")
    assert (one.status, one.reason) == (Status.PARTIAL, "没有来源 nobodys 的云平台")
    assert rows(batches)[1].unwatched is UNKNOWN


def test_a_query_that_is_refused_leaves_it_unknown(whole: str) -> None:
    wrong = CloudOptions(cloud="gov", everything=["server"], server=["libvirt_domain_info_meta", "nonsense("])
    batches = gather(whole, wrong)
    found, system = rows(batches)
    assert (found["server"].unwatched, found["server"].without_series) == (UNKNOWN, UNKNOWN)
    assert system.unwatched is UNKNOWN
    assert ended(batches, "monitoring_coverage").status is Status.PARTIAL


def verdicts(batches: list[Batch], left: tuple[str, ...] = ()) -> dict[str, str]:
    """How each asset stands to 8.2.5.1.d: the cloud and the monitoring system."""
    kinds = {row.KIND for row in ESTATE}
    seen = [
        Collection(source="gov", kind=kind, status=Status.COMPLETE, started_at=NOW, ended_at=NOW)
        for kind in kinds
    ]
    own = [row for row in ESTATE if row.source == "gov" and row.KIND not in left]
    snapshot = Snapshot.of_batches([Batch(resources=own, collections=seen), *batches], NOW)
    system = System(
        name="s", title="云", grade="S3A3", cloud="platform", include=[Selector(sources=["gov", "prom"])]
    )
    done = assess(system, load_standard("dengbao"), evaluate(RULES, snapshot, now=NOW), snapshot)
    (control,) = [c for c in done.controls if c.control.id == "dengbao/8.2.5.1.d"]
    wanted = {"gov/cloud/gov": "cloud", "prom/monitoring_system/prom": "system"}
    return {wanted[o.asset]: str(o.verdict.value) for o in control.objects if o.asset in wanted}


def test_the_cloud_and_the_monitoring_system_are_decided(whole: str, holes: str) -> None:
    assert verdicts(gather(whole, EVERYTHING)) == {"cloud": "pass", "system": "pass"}
    assert verdicts(gather(holes, EVERYTHING)) == {"cloud": "partial", "system": "fail"}
    assert verdicts(gather(holes, CloudOptions(cloud="gov"))) == {"cloud": "unknown", "system": "fail"}
    assert verdicts(gather(whole)) == {"cloud": "unknown", "system": "unknown"}
    assert verdicts([]) == {"cloud": "unknown"}


def test_a_cloud_of_which_no_server_was_listed_is_not_passed(whole: str) -> None:
    without = [row for row in ESTATE if not isinstance(row, Server)]
    found = gather(whole, EVERYTHING, estate=without)
    assert rows(found)[0]["server"].listed == 0
    assert verdicts(found, left=("server",)) == {"cloud": "unknown", "system": "unknown"}

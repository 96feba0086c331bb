"""A month of devices and links in a real Prometheus: what was put in comes out, and nothing is guessed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Run, Source
from collectors.prometheus import Options, collect, probe
from collectors.prometheus.load_queries import LoadOptions
from collectors.things import Thing
from inventory.coverage import Batch, Collection, Status
from inventory.decoding import from_json
from inventory.kinds.load import LinkLoad, Load
from inventory.kinds.management import MonitoringSystem
from inventory.resource import Resource
from inventory.unknown import UNKNOWN

pytestmark = pytest.mark.lab
DAYS, STEP_SECONDS = 30, 420
MINUTES = 15  # of a rate; a month in the default steps is thrice as much to put in
STEPS = DAYS * 86400 // STEP_SECONDS + 60
DAY = 86400 // STEP_SECONDS
MEGA = 1_000_000
Sample = tuple[str, float]

SW, FW, CORE, SILENT, TWIN = (f"net/device/10.0.0.{n}" for n in (1, 2, 3, 9, 5))
BARE = "net/device/10.0.0.4"
OTHER_TWIN = "net/device/10.0.0.6"
WEB, DB = "hosts/host/web-1", "hosts/host/db-1"


DATA = Path(__file__).parents[2] / "data" / "prometheus"
THINGS = from_json((DATA / "month-things.json").read_bytes(), list[Thing])
"""The switch has links that nobody tells the speed of, one that is virtual, one that is up and not in the
monitoring, one that is down and one that may be either; interfaces of ``BARE`` were never read."""


def busy_hour(step: int) -> bool:
    return STEPS - 3 * DAY <= step < STEPS - 3 * DAY + DAY // 24


def samples() -> Iterator[tuple[float, list[Sample]]]:
    began = time.time() + 3600 - STEPS * STEP_SECONDS  # so that a slow machine finds samples of its now
    octets: dict[str, float] = {}

    def link(instance: str, name: str, index: int, mbps: float, way: str = "In") -> Sample:
        labels = f'instance="{instance}",ifIndex="{index}",ifName="{name}",ifDescr="{name}",ifAlias=""'
        series = f"ifHC{way}Octets{{{labels}}}"
        octets[series] = octets.get(series, 0.0) + mbps * MEGA / 8 * STEP_SECONDS
        return series, octets[series]

    def speed(instance: str, name: str, index: int, mbps: float) -> Iterable[Sample]:
        labels = f'instance="{instance}",ifIndex="{index}",ifName="{name}",ifDescr="{name}",ifAlias=""'
        yield f"ifHighSpeed{{{labels}}}", round(mbps)
        yield f"ifSpeed{{{labels}}}", min(mbps * MEGA, 4294967295)

    def both(instance: str, name: str, index: int, mbps: float, back: float) -> Iterable[Sample]:
        yield link(instance, name, index, mbps)
        yield link(instance, name, index, back, "Out")

    for step in range(STEPS):
        row: list[Sample] = []
        rush = busy_hour(step)
        row += both("10.0.0.1", "GE0/0/1", 1, 850 if rush else 100, 50)
        row += speed("10.0.0.1", "GE0/0/1", 1, 1000)
        early = step < 10 * DAY
        row += both("10.0.0.1", "GE0/0/8", 8, 80 if early else 300, 1)  # it was slower once
        row += speed("10.0.0.1", "GE0/0/8", 8, 100 if early else 1000)
        row += both("10.0.0.1", "Serial1", 10, 1.024, 0.1)  # ifHighSpeed rounds its 2.048 Mbit/s
        row += speed("10.0.0.1", "Serial1", 10, 2.048)
        row += both("10.0.0.1", "GE0/0/2", 2, 20, 10)  # its speed is the device's own to tell
        row += both("10.0.0.1", "GE0/0/3", 3, 5, 5)  # nobody tells its speed
        row += both("10.0.0.1", "Vlanif1", 4, 5, 5)
        row += both("10.0.0.1", "NULL0", 9, 0, 0)  # not known to the inventory; nothing goes through it
        row.append(('hwEntityCpuUsage{instance="10.0.0.1",entPhysicalIndex="1"}', 93 if rush else 40))
        row.append(('hwEntityCpuUsage{instance="10.0.0.1",entPhysicalIndex="2"}', 0))
        row.append(('hwEntityMemUsage{instance="10.0.0.1",entPhysicalIndex="1"}', 55))
        if step >= STEPS - 7 * DAY:
            row += both("fw-1.gov.cn:161", "eth1", 1, 100, 100)
            row += speed("fw-1.gov.cn:161", "eth1", 1, 1000)
            cores = 'instance="fw-1.gov.cn:161",hrDeviceIndex='
            row += ((f'hrProcessorLoad{{{cores}"{n}"}}', 20 * n) for n in (1, 2))
        if step < STEPS - 2 * DAY:  # the last two days are missing
            index = 7 if step > 12 * DAY else 12  # it was restarted, and numbers its interfaces anew
            row += both("10.0.0.3", "Te1/1", index, 2000, 3000)
            row += speed("10.0.0.3", "Te1/1", index, 10000)
            row.append(('cpmCPUTotal5minRev{instance="10.0.0.3",cpmCPUTotalIndex="1"}', 12))
            pool = 'instance="10.0.0.3",ciscoMemoryPoolType="1"'
            row += ((f"ciscoMemoryPoolUsed{{{pool}}}", 3e8), (f"ciscoMemoryPoolFree{{{pool}}}", 1e8))
        if step >= STEPS - DAY:
            for instance in ("10.9.9.9", "10.0.0.4", "twin"):
                row += both(instance, "Gi1", 1, 5, 5)
            row.append(('hh3cEntityExtCpuUsage{instance="10.0.0.4",entPhysicalIndex="1"}', 0))  # it has none
            row.append(('hh3cEntityExtMemUsage{instance="10.0.0.4",entPhysicalIndex="1"}', 88))
            row.append(('node_uname_info{instance="10.1.0.1:9100",nodename="web-1"}', 1))
        yield began + step * STEP_SECONDS, row


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, serving: Callable[..., Any]) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("month"), samples()) as base:
        yield base


def gather(url: str, things: list[Thing] = THINGS, **load: Any) -> list[Batch]:
    options = Options(url=url, presets=[], load=LoadOptions(**{"step_minutes": MINUTES} | load))
    wanted = Source(name="prom", type="prometheus", options=options, labels={"level": "省"})
    return list(collect(wanted, Run(wanted, things=lambda: things)))


@pytest.fixture(scope="module")
def month(url: str) -> list[Batch]:
    return gather(url)


def rows(batches: list[Batch]) -> dict[str, Resource]:
    found = [r for b in batches for r in b.resources if not isinstance(r, MonitoringSystem)]
    return {r.native_id: r for r in found}


def told(batches: list[Batch]) -> dict[str, Collection]:
    return {c.kind: c for b in batches for c in b.collections}


def test_peaks_are_those_put_in(month: list[Batch]) -> None:
    batches = month
    found = rows(batches)
    load = found[SW]
    assert isinstance(load, Load)
    assert (load.watched, load.window_days, load.name) == (True, 30, "sw-1")
    assert (load.peak_cpu_percent, load.peak_memory_percent) == (93.0, 55.0)
    assert load.cpu_over_ratio == pytest.approx(1 / 720, abs=0.0007)  # an hour of a month
    assert load.memory_over_ratio == 0.0
    assert load.cpu_observed_ratio == 1.0
    assert (load.source, load.labels, load.related("part_of")) == ("prom", {"level": "省"}, [SW])
    link = found["net/interface/10.0.0.1/1"]
    assert isinstance(link, LinkLoad)
    assert (link.name, link.interface, link.watched) == ("sw-1 GE0/0/1", "GE0/0/1", True)
    assert link.peak_in_percent == pytest.approx(85, abs=1)
    assert link.peak_out_percent == pytest.approx(5, abs=0.2)
    assert link.in_over_ratio == pytest.approx(1 / 720, abs=0.0007)
    assert link.out_over_ratio == 0.0
    assert link.observed_ratio == pytest.approx(1, abs=0.01)
    assert link.related("part_of") == [SW]
    assert link.related("measures") == ["net/interface/10.0.0.1/1"]
    assert told(batches)["link_load"].status is Status.COMPLETE


def test_a_speed_is_the_devices_own_or_unknown(month: list[Batch]) -> None:
    found = rows(month)
    own, nobodys, nothing = (
        found[n] for n in ("net/interface/10.0.0.1/2", "net/interface/10.0.0.1/3", f"{SW}/NULL0")
    )
    assert isinstance(own, LinkLoad)
    assert isinstance(nobodys, LinkLoad)
    assert isinstance(nothing, LinkLoad)
    assert own.peak_in_percent == pytest.approx(20, abs=0.5)
    assert own.peak_out_percent == pytest.approx(10, abs=0.5)
    assert own.observed_ratio == pytest.approx(1, abs=0.01)
    assert (nobodys.peak_in_percent, nobodys.peak_out_percent) == (UNKNOWN, UNKNOWN)
    assert nobodys.watched is True
    assert (nothing.peak_in_percent, nothing.peak_out_percent) == (0.0, 0.0)
    assert "net/interface/10.0.0.1/4" not in found  # Vlanif1


def test_a_peak_is_of_the_speed_at_that_moment(month: list[Batch]) -> None:
    found = rows(month)
    changed, serial = (found[f"net/interface/10.0.0.1/{n}"] for n in (8, 10))
    assert isinstance(changed, LinkLoad)
    assert isinstance(serial, LinkLoad)
    assert changed.peak_in_percent == pytest.approx(80, abs=1)  # and not 30 of today's speed
    assert changed.in_over_ratio == pytest.approx(1 / 3, abs=0.02)
    assert changed.observed_ratio == pytest.approx(1, abs=0.01)
    assert serial.peak_in_percent == pytest.approx(50, abs=1)
    assert serial.observed_ratio == pytest.approx(1, abs=0.01)


def test_links_that_are_up_and_not_watched_are_rows_too(month: list[Batch]) -> None:
    found = rows(month)
    up, open_ = found["net/interface/10.0.0.1/5"], found["net/interface/10.0.0.1/7"]
    assert isinstance(up, LinkLoad)
    assert isinstance(open_, LinkLoad)
    assert (up.watched, up.peak_in_percent, up.observed_ratio) == (False, UNKNOWN, UNKNOWN)
    assert open_.watched is UNKNOWN
    assert "net/interface/10.0.0.1/6" not in found  # down


def test_links_of_a_device_whose_interfaces_nobody_listed_are_left_out(month: list[Batch]) -> None:
    found = rows(month)
    load = found[BARE]
    assert isinstance(load, Load)
    assert (load.watched, load.peak_cpu_percent, load.peak_memory_percent) == (True, UNKNOWN, 88.0)
    assert not any(BARE in row.related("part_of") for row in found.values() if isinstance(row, LinkLoad))
    assert "1 台设备的接口清单没有采集过" in told(month)["link_load"].reason


def test_a_week_is_no_month(month: list[Batch]) -> None:
    found = rows(month)
    load, link = found[FW], found["net/interface/10.0.0.2/1"]
    assert isinstance(load, Load)
    assert isinstance(link, LinkLoad)
    assert load.peak_cpu_percent == 30.0  # the mean of its cores
    assert load.cpu_observed_ratio == pytest.approx(7 / 30, abs=0.01)
    assert link.observed_ratio == pytest.approx(7 / 30, abs=0.01)
    assert load.peak_memory_percent is UNKNOWN


def test_what_stopped_is_not_called_watched_and_a_restart_loses_nothing(month: list[Batch]) -> None:
    found = rows(month)
    load, link = found[CORE], found["net/interface/10.0.0.3/7"]
    assert isinstance(load, Load)
    assert isinstance(link, LinkLoad)
    assert (load.watched, link.watched) == (UNKNOWN, UNKNOWN)
    assert (load.peak_cpu_percent, load.peak_memory_percent) == (12.0, 75.0)
    assert link.peak_out_percent == pytest.approx(30, abs=0.5)
    assert link.observed_ratio == pytest.approx(28 / 30, abs=0.02)  # before and after it was numbered anew


def test_strangers_and_twins_are_said_and_not_guessed(month: list[Batch]) -> None:
    batches = month
    assert not {TWIN, OTHER_TWIN, SILENT, DB} & set(rows(batches))
    reason = told(batches)["load"].reason
    assert "1 个监控对象对不上已知设备（如 10.9.9.9）" in reason
    assert "1 个监控对象对上不止一台设备，没有猜（如 twin）" in reason
    assert "4 台设备或主机没有序列" in reason


def test_who_should_be_watched_and_is_not_whatever_the_portions(url: str, month: list[Batch]) -> None:
    found = rows(gather(url, everything=True, series_at_once=1))
    watched = {uid: r.watched for uid, r in found.items() if isinstance(r, Load)}
    assert watched == {SW: True, FW: True, CORE: UNKNOWN, BARE: True, SILENT: False, WEB: True, DB: False}
    once = rows(month)
    assert found.keys() - once.keys() == {SILENT, DB}
    for uid, row in once.items():
        for field in ("peak_in_percent", "peak_out_percent", "peak_cpu_percent"):
            at_once, in_portions = getattr(row, field, None), getattr(found[uid], field, None)
            if at_once is UNKNOWN or in_portions is UNKNOWN:
                assert at_once is in_portions, (uid, field)
            else:  # the two asked at different moments
                assert at_once == pytest.approx(in_portions, abs=0.1), (uid, field)


def test_without_devices_nothing_is_asked(url: str) -> None:
    batches = gather(url, things=[])
    assert rows(batches) == {}
    asked = [c for kind, c in told(batches).items() if kind != "monitoring_system"]
    assert {c.status for c in asked} == {Status.UNSUPPORTED}


def test_an_expression_that_is_wrong_spoils_its_own_quantity_alone(url: str) -> None:
    batches = gather(url, cpu=["sum(("], everything=True, inbound="", outbound="")
    found = rows(batches)
    load = found[SW]
    assert isinstance(load, Load)
    assert (load.peak_cpu_percent, load.peak_memory_percent) == (UNKNOWN, 55.0)
    assert told(batches)["load"].status is Status.PARTIAL
    assert told(batches)["load"].reason.startswith("1 个查询没有答：查询写得不对")
    assert SILENT not in found  # what was not answered may have shown it


def test_probe_counts_what_there_is_to_ask(url: str) -> None:
    wanted = Source(
        name="prom",
        type="prometheus",
        options=Options(url=url, presets=[], load=LoadOptions(step_minutes=MINUTES)),
    )
    lines = {a.subject: (a.ok, a.detail) for a in probe(wanted, Run(wanted))}
    assert lines["load-link"] == (True, "11 条序列")  # those that stopped are not there now
    assert lines["load-cpu"] == (True, "3 条序列")
    assert lines["load-host"] == (True, "1 条序列")
    wanted.options.load = LoadOptions(days=0)
    assert "load-link" not in {a.subject for a in probe(wanted, Run(wanted))}

"""A month of devices, recorded of a real Prometheus (tests/data/prometheus), through the rules and decisions."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.contract import Run, Source
from collectors.prometheus import Options, collect
from collectors.prometheus.load_mapping import Frame, LinkSeen, Machine, Measure, link_of, load_of
from collectors.prometheus.load_queries import LoadOptions, in_portions
from collectors.things import Link, Thing, thing_of
from inventory.coverage import Batch, Collection, Status
from inventory.decoding import from_json
from inventory.kinds.load import LinkLoad, Load
from inventory.kinds.network import Device, Interface
from inventory.resource import Relation, Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from inventory.unknown import UNKNOWN
from policies.assess import assess
from policies.evaluate import evaluate
from policies.rules import load_rules
from policies.standards import load_standard

DATA = Path(__file__).parents[2] / "data" / "prometheus"
NOW = datetime(2026, 11, 22, 20, 21, tzinfo=UTC)
THINGS = from_json((DATA / "month-things.json").read_bytes(), list[Thing])
RULES = [
    rule
    for rule in load_rules(examples=False)
    if rule.kind in ("load", "link_load") or rule.id in ("device-overloaded", "service-down")
]


def gather(path: Path = DATA / "month.jsonl.gz", things: list[Thing] = THINGS) -> list[Batch]:
    load = LoadOptions(everything=True, series_at_once=4, step_minutes=15)
    wanted = Source(
        name="prom", type="prometheus", options=Options(recording=str(path), presets=[], load=load)
    )
    return list(collect(wanted, Run(wanted, things=lambda: things)))


def verdicts(batches: Iterable[Batch]) -> dict[str, dict[str, str]]:
    """Rule → name of the machine or link → how it was judged."""
    found: dict[str, dict[str, str]] = {}
    for outcome in evaluate(RULES, Snapshot.of_batches(list(batches), NOW), now=NOW):
        for index, row in enumerate(outcome.resources):
            word = (
                "fail" if index in outcome.failed
                else "unknown" if index in outcome.unknown
                else "excluded" if index in outcome.excluded
                else "pass"
            )  # fmt: skip
            found.setdefault(outcome.rule.id, {})[str(row.name)] = word
    return found


def test_what_the_rules_make_of_it() -> None:
    found = verdicts(gather())
    assert found["device-peak-cpu"] == {
        "sw-1": "fail",
        "core": "pass",
        "fw-1.gov.cn": "unknown",  # a week is no month
        "bare": "unknown",
        "sw-9": "unknown",
        "web-1": "excluded",
        "db-1": "excluded",
    }
    assert found["device-peak-memory"] == {
        "sw-1": "pass",
        "core": "pass",
        "bare": "fail",  # too full, however short the time
        "fw-1.gov.cn": "unknown",
        "sw-9": "unknown",
        "web-1": "excluded",
        "db-1": "excluded",
    }
    assert found["link-peak"] == {
        "sw-1 GE0/0/1": "fail",
        "sw-1 GE0/0/2": "pass",
        "sw-1 GE0/0/3": "unknown",  # nobody tells its speed
        "sw-1 GE0/0/5": "unknown",  # up, and not in the monitoring
        "sw-1 GE0/0/7": "unknown",
        "sw-1 GE0/0/8": "fail",
        "sw-1 NULL0": "pass",
        "sw-1 Serial1": "pass",
        "fw-1.gov.cn eth1": "unknown",
        "core Te1/1": "pass",
    }
    assert found["machine-unwatched"] == {
        "sw-1": "pass",
        "fw-1.gov.cn": "pass",
        "core": "unknown",  # no samples of the last day
        "bare": "pass",
        "sw-9": "fail",
        "web-1": "pass",
        "db-1": "fail",
    }
    assert found["link-unwatched"]["sw-1 GE0/0/5"] == "fail"
    assert found["link-unwatched"]["sw-1 GE0/0/7"] == "unknown"


def test_every_kind_is_told_of_though_only_loads_are_asked_for() -> None:
    ended = {c.kind: c.status for b in gather() for c in b.collections}
    assert ended == {
        "utilization": Status.UNSUPPORTED,
        "load": Status.COMPLETE,
        "link_load": Status.COMPLETE,
        "replicated_pool": Status.UNSUPPORTED,
        "monitoring_coverage": Status.UNSUPPORTED,
        "monitoring_system": Status.FAILED,  # it was recorded before this was asked
    }


def test_why_it_is_unknown() -> None:
    outcomes = evaluate(RULES, Snapshot.of_batches(gather(), NOW), now=NOW)
    why = {(o.rule.id, u.name): u.missing for o in outcomes for u in o.unseen}
    assert why["device-peak-cpu", "fw-1.gov.cn"].startswith("30 天里只有约 6.9 天有采样")
    assert why["link-peak", "sw-1 GE0/0/3"].startswith("这条链路的速率不知道")
    assert why["link-peak", "sw-1 GE0/0/5"] == "监控系统里没有这条链路的序列"


def device(n: int, **fields: Any) -> list[Resource]:
    name = next(t.names[0] for t in THINGS if t.uid == f"net/device/10.0.0.{n}")
    return [
        Device(
            source="net",
            native_id=f"10.0.0.{n}",
            name=name,
            role="switch",
            cpu_percent=5.0,
            memory_percent=40.0,
            **fields,
        )
    ]


def concluded(*batches: Batch) -> dict[tuple[str, str], str]:
    """(clause, uid of the asset) → its verdict, of a system that takes the devices' source alone."""
    own = [row for n in (1, 2, 3, 9) for row in device(n)]
    seen = Collection(
        source="net", kind="device", status=Status.COMPLETE, started_at=NOW, ended_at=NOW, count=len(own)
    )
    snapshot = Snapshot.of_batches([Batch(resources=own, collections=[seen]), *batches], NOW)
    system = System(name="s", title="系统", grade="S3A3", include=[Selector(sources=["net"])])
    outcomes = evaluate(RULES, snapshot, now=NOW)
    done = assess(system, load_standard("dengbao"), outcomes, snapshot)
    return {
        (control.control.id.removeprefix("dengbao/"), one.asset): str(one.verdict.value)
        for control in done.controls
        for one in control.objects
    }


def test_each_device_is_decided_by_its_own_month() -> None:
    found = concluded(*gather())
    of = {n: f"net/device/10.0.0.{n}" for n in (1, 2, 3, 9)}
    assert [found["8.1.2.1.a", of[n]] for n in (1, 2, 3, 9)] == ["partial", "unknown", "pass", "unknown"]
    assert [found["8.1.2.1.b", of[n]] for n in (1, 2, 3, 9)] == ["partial", "unknown", "pass", "unknown"]
    assert [found["8.1.5.4.c", of[n]] for n in (1, 2, 3, 9)] == ["partial", "pass", "unknown", "fail"]
    # a device of which the system has none is none of its assets, though the same Prometheus knows it
    assert not any(uid.endswith("10.0.0.4") or uid.startswith(("prom/", "hosts/")) for _, uid in found)


def test_without_monitoring_nothing_is_passed() -> None:
    found = concluded()
    for clause in ("8.1.2.1.a", "8.1.2.1.b", "8.1.5.4.c"):
        for n in (1, 2, 3, 9):
            assert found[clause, f"net/device/10.0.0.{n}"] == "unknown", (clause, n)


def told(line: bytes, metric: bytes) -> bool:
    """Whether a line of the recording answers how often a metric was sampled, or what it was at the least."""
    asked = line.partition(b'"at"')[0]
    return metric in asked and asked.startswith((b'{"expression":"count_over', b'{"expression":"min_over'))


def test_a_query_that_was_not_answered_passes_nothing(tmp_path: Path) -> None:
    lines = gzip.decompress((DATA / "month.jsonl.gz").read_bytes()).splitlines(keepends=True)
    for what, mark in (("link", b"ifHighSpeed"), ("link", b"ifHCOutOctets"), ("cpu", b"cpmCPUTotal5minRev")):
        path = tmp_path / f"{what}.jsonl.gz"
        kept = [line for line in lines if not told(line, mark)]
        assert len(kept) < len(lines), mark
        path.write_bytes(gzip.compress(b"".join(kept)))
        batches = gather(path)
        ended = {c.kind: c for b in batches for c in b.collections}
        assert ended["load"].status is Status.PARTIAL
        assert "个查询没有答：录制里没有这个查询" in ended["load"].reason
        links = [row for b in batches for row in b.resources if isinstance(row, LinkLoad)]
        rows = [row for row in links if "net/device/10.0.0.3" in row.related("part_of")]
        assert len(rows) == (0 if what == "link" else 1)  # half of what there is to say is not said
        found = concluded(*batches)
        clause = "8.1.2.1.b" if what == "link" else "8.1.2.1.a"
        assert found[clause, "net/device/10.0.0.3"] == "unknown", what
        assert found["8.1.5.4.c", "net/device/10.0.0.9"] == "unknown", what


def test_hostile_instances_stay_inside_their_matcher() -> None:
    text = LoadOptions().over("x{$in}", "max_over_time", ['a"} or vector(1) #', "10.0.0.1", "b|.*"])
    inside = text.partition('"')[2].rpartition('"')[0]
    assert '"' not in inside
    assert set(inside) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789\\{}|")
    assert inside.startswith("10\\\\x{2e}0\\\\x{2e}0\\\\x{2e}1|a\\\\x{22}")


@pytest.mark.parametrize(
    ("series", "most", "groups"),
    [
        ({}, 3, []),
        ({"a": 1, "b": 1, "c": 1, "d": 1}, 3, [["a", "b", "c"], ["d"]]),
        ({"a": 9, "b": 1}, 3, [["a"], ["b"]]),
    ],
)
def test_portions(series: dict[str, int], most: int, groups: list[list[str]]) -> None:
    assert list(in_portions(series, most)) == groups


def seen(rate: float, *, megabits: tuple[float, float] | None, bits: tuple[float, float] | None) -> LinkSeen:
    """A link with a rate in octets a second and the least and the most of its two speeds."""
    link = LinkSeen("GE1", None, rate={"in": Measure(peak=rate), "out": Measure(peak=0.0)})
    for held, told_ in ((link.megabits, megabits), (link.bits, bits)):
        if told_ is not None:
            held.take("min_over_time", told_[0])
            held.take("max_over_time", told_[1])
    return link


@pytest.mark.parametrize(
    ("rate", "megabits", "bits", "percent", "unclear"),
    [
        (6.25e6, (1000, 1000), (1e9, 1e9), 5.0, False),
        (1e8, (1000, 1000), None, 80.0, True),  # for how long is to be asked
        (6.25e6, (100, 1000), (1e8, 1e9), None, True),  # at which of its speeds?
        (6.25e6, (0, 1000), (0, 1e9), None, True),
        (2e8, (1000, 1000), (1e9, 1e9), None, True),  # more than it can carry
        (1.28e5, (2, 2), (2.048e6, 2.048e6), 50.0, False),  # ifHighSpeed is rounded
        (6.25e8, (10000, 10000), (4294967295, 4294967295), 50.0, False),
        (6.25e8, None, (4294967295, 4294967295), None, True),
        (6.25e6, None, None, None, False),  # nobody tells: asking again helps nothing
        (0.0, None, None, 0.0, False),
        (0.0, (0, 0), (0, 0), 0.0, False),
    ],
)
def test_what_a_rate_is_of_the_speed(
    rate: float,
    megabits: tuple[float, float] | None,
    bits: tuple[float, float] | None,
    percent: float | None,
    unclear: bool,
) -> None:
    link = seen(rate, megabits=megabits, bits=bits)
    assert link.peak("in") == percent
    assert link.unclear(70.0) is unclear


def test_of_several_families_the_one_with_the_fewest_samples_counts() -> None:
    options = LoadOptions(days=1, step_minutes=60)
    cpu = Measure(peak=40.0, samples={"one": 24.0, "other": 6.0})
    frame = Frame(source="p", labels={}, options=options, now=NOW)
    load = load_of("n/device/d", "d", Machine("device", lately=True, metrics={"cpu": cpu}), frame)
    assert (load.peak_cpu_percent, load.cpu_observed_ratio) == (40.0, 0.25)


def test_an_interface_is_found_by_its_name_and_not_by_a_number_that_another_has_now() -> None:
    def link(index: int, *names: str) -> Thing:
        return Thing(
            f"n/interface/{index}",
            "n",
            "interface",
            str(index),
            names,
            link=Link("d", index, None, True, False),
        )

    links = [link(1, "GE1", "uplink"), link(2, "GE2"), link(3, "twin"), link(4, "twin")]

    def found(**labels: str) -> str | None:
        one = link_of(labels, links)
        return one.native_id if one else None

    assert found(ifName="GE1", ifIndex="2") == "1"
    assert found(ifName="ge2") == "2"
    assert found(ifDescr="uplink", ifName="other") == "1"
    assert found(ifName="GE9", ifIndex="1") is None
    assert found(ifIndex="2") == "2"
    assert found(ifIndex="9") is None
    assert found(ifName="twin") is None
    assert found(ifName="twin", ifIndex="4") == "4"
    assert found() is None


def test_devices_and_interfaces_are_things() -> None:
    owner = Device(source="net", native_id="10.0.0.1", name="sw", management_address="10.0.0.1")
    thing = thing_of(owner)
    assert thing is not None
    assert thing.names == ("sw", "10.0.0.1")
    part = Interface(
        source="net", native_id="10.0.0.1/4", name="Vlanif1", description="Vlanif1", index=4,
        interface_type=53, oper_up=True, relations=[Relation("part_of", owner.uid)],
    )  # fmt: skip
    thing = thing_of(part)
    assert thing is not None
    assert (thing.names, thing.link) == (("Vlanif1",), Link(owner.uid, 4, None, True, True))
    assert thing_of(msgspec.structs.replace(part, relations=[])) is None


def test_the_recording_tells_what_was_recorded() -> None:
    rows = {r.native_id: r for b in gather() for r in b.resources}
    load, link = rows["net/device/10.0.0.1"], rows["net/interface/10.0.0.1/1"]
    assert isinstance(load, Load)
    assert isinstance(link, LinkLoad)
    assert (load.peak_cpu_percent, load.window_days) == (93.0, 30)
    assert link.peak_in_percent == 85.0
    assert rows["net/device/10.0.0.3"].watched is UNKNOWN  # type: ignore[attr-defined]

"""Copies of customers' data: the pools of the Ceph that holds a cloud's volumes, as its manager tells them.

Metrics are those of the manager's own module ``prometheus`` (Ceph documentation, "Prometheus Module"): pools
by ``ceph_pool_metadata`` with what they are ("replica:3", "ec:4+2"), placement groups by state and pool. With
how few copies a pool still takes writes (min_size) is not among them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from collectors.contract import Run, Source
from collectors.prometheus.asking import Asking, Series
from collectors.prometheus.client import Client
from collectors.things import Thing
from inventory.coverage import Batch, Collection, Status
from inventory.evidence import Evidence
from inventory.kinds.load import ReplicatedPool
from inventory.resource import Relation, Resource
from inventory.unknown import UNKNOWN

KIND: Final = ReplicatedPool.KIND
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_COPIES: Final = re.compile(r"replica:([0-9]{1,3})")
_CHUNKS: Final = re.compile(r"ec:([0-9]{1,3})\+([0-9]{1,3})")
_HEALTH: Final[dict[float, Literal["ok", "warning", "error"]]] = {0: "ok", 1: "warning", 2: "error"}
_MOST_POOLS: Final = 10_000
_LONGEST_NAME: Final = 200
_METADATA: Final = "ceph_pool_metadata"
_GROUPS: Final[dict[str, str]] = {  # field → metric: placement groups of a pool in a state
    "placement_groups": "ceph_pg_total",
    "groups_active": "ceph_pg_active",
    "groups_degraded": "ceph_pg_degraded",
    "groups_undersized": "ceph_pg_undersized",
    "groups_inconsistent": "ceph_pg_inconsistent",
}
_NO_CHUNKS: Final = {"data_chunks": None, "coding_chunks": None}
_UNFOUND: Final = ("ceph_pg_recovery_unfound", "ceph_pg_backfill_unfound")


class CephOptions(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """A Ceph that holds data of the cloud that the source ``cloud`` lists. ``labels``: those of its series,
    where this Prometheus watches several. ``everything``: all customers' data of the cloud lies in it;
    without that, what it tells shows nothing about the rest."""

    cloud: str
    labels: dict[str, str] = {}
    everything: bool = False

    def __post_init__(self) -> None:
        if not self.cloud.strip():
            raise ValueError("ceph 的 cloud 写云平台来源的名称")
        wrong = [name for name in self.labels if not _LABEL.fullmatch(name)]
        if wrong:
            raise ValueError(f"ceph 的 labels 里 {wrong[0][:40]} 不是标签名")

    def of(self, metric: str) -> str:
        """The selector of a metric's series of this Ceph."""
        matchers = ",".join(f"{name}={_quoted(value)}" for name, value in sorted(self.labels.items()))
        return f"{metric}{{{matchers}}}"

    @property
    def scope(self) -> str:
        """What tells it from the others of a configuration."""
        return ",".join([self.cloud, *(f"{name}={value}" for name, value in sorted(self.labels.items()))])


def _quoted(text: str) -> str:
    """A string of PromQL; all but letters and digits of ASCII is written as an escape."""
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\U{ord(c):08x}" for c in text) + '"'


def pools(
    client: Client,
    source: Source,
    run: Run,
    clouds: list[Thing],
    options: list[CephOptions],
    evidence_of: Callable[[str, str, bytes], Evidence],
) -> Batch:
    """The pools of every Ceph that the configuration names. ``clouds``: those that other sources saw."""
    began = run.now()
    if not options:
        none = run.collection(KIND, Status.UNSUPPORTED, began, reason="没有写 ceph，没有查存储的副本")
        return Batch(collections=[none])
    found = Batch()
    for one in options:
        asking = Asking(client=client, run=run, evidence_of=evidence_of)
        cloud = [thing.uid for thing in clouds if thing.source == one.cloud]
        rows, told = ([], []) if len(cloud) != 1 else _read(asking, source, one, cloud[0])
        if len(cloud) != 1:
            told = [f"没有来源 {one.cloud} 的云平台"]
        found.resources += rows
        found.evidence += asking.evidence
        ended = _ended(asking, len(rows), told, one.scope)
        found.collections.append(msgspec.structs.replace(ended, started_at=began))
    return found


def _read(asking: Asking, source: Source, one: CephOptions, cloud: str) -> tuple[list[Resource], list[str]]:
    """Pools, and what kept some from being told (中文)."""
    clusters = asking.ask("ceph", one.of("ceph_health_status")) or []
    if len(clusters) > 1:
        return [], [f"有 {len(clusters)} 个 Ceph 的序列，分不清是哪一个，没有猜"]
    health: Any = _HEALTH.get(clusters[0][1], UNKNOWN) if clusters else UNKNOWN
    described = asking.ask("ceph pools", one.of(_METADATA)) or []
    groups = {field: _by_pool(asking.ask("ceph groups", one.of(m))) for field, m in _GROUPS.items()}
    unfound = [_by_pool(asking.ask("ceph groups", one.of(metric))) for metric in _UNFOUND]
    rows: dict[str, ReplicatedPool] = {}
    twice: set[str] = set()
    for labels, _ in described[:_MOST_POOLS]:
        id_ = labels.get("pool_id", "")[:_LONGEST_NAME]
        if not id_ or id_ in rows:
            twice.add(id_)
            continue
        counted: dict[str, Any] = {field: table.get(id_, UNKNOWN) for field, table in groups.items()}
        lost = [table.get(id_) for table in unfound]
        rows[id_] = ReplicatedPool(
            source=source.name,
            scope=one.scope,
            native_id=f"{one.scope}/{id_}",
            name=(labels.get("name") or id_)[:_LONGEST_NAME],
            labels=source.labels,
            relations=[Relation("part_of", cloud), Relation("measures", cloud)],
            holds_everything=True if one.everything else UNKNOWN,
            cluster_health=health,
            groups_unfound=UNKNOWN if None in lost else max(n for n in lost if n is not None),
            measured_at=asking.at or asking.run.now(),
            **_protection(labels.get("description", "")),
            **counted,
        )
    told = [f"{len(twice)} 个存储池没有编号，或有不止一条序列，没有猜"] if twice else []
    if len(described) > _MOST_POOLS:
        told.append(f"存储池超过 {_MOST_POOLS} 个，没有读完")
    return [row for id_, row in sorted(rows.items()) if id_ not in twice], told


def _protection(description: str) -> dict[str, Any]:
    if copies := _COPIES.fullmatch(description):
        return {"protection": "replicated", "copies": int(copies[1]), **_NO_CHUNKS}
    if chunks := _CHUNKS.fullmatch(description):
        return {
            "protection": "erasure",
            "copies": None,
            "data_chunks": int(chunks[1]),
            "coding_chunks": int(chunks[2]),
        }
    return {}


def _by_pool(series: Series | None) -> dict[str, int]:
    """Pool → a number of placement groups; a pool with two series, or a number that is none, is left out."""
    found: dict[str, int] = {}
    twice: set[str] = set()
    for labels, value in series or ():
        id_ = labels.get("pool_id", "")
        if id_ in found or not math.isfinite(value) or value < 0:
            twice.add(id_)
        else:
            found[id_] = int(value)
    return {id_: count for id_, count in found.items() if id_ not in twice}


def _ended(asking: Asking, count: int, told: list[str], scope: str) -> Collection:
    status, remedy = Status.COMPLETE, ""
    if told:
        status = Status.PARTIAL
        remedy = "检查 ceph 的 cloud 是不是云平台来源的名称；不止一个 Ceph 的，用 labels 写明是哪一个"
    if asking.malformed:
        status = Status.PARTIAL
        told = [*told, f"{asking.malformed} 条读不懂"]
    if asking.warnings:
        status = Status.PARTIAL
        told = [*told, f"Prometheus 提醒：{'；'.join(sorted(asking.warnings))[:300]}"]
    if asking.problems:
        first = asking.problems[0]
        status, remedy = Status.PARTIAL if count else first.status, first.remedy
        told = [f"{len(asking.problems)} 个查询没有答：{first.reason}", *told]
    elif not count and not told:
        status = Status.UNSUPPORTED
        told = ["这个 Prometheus 里没有这个 Ceph 的存储池"]
        remedy = "在 Ceph 上启用管理器的 prometheus 模块，让 Prometheus 采集它；labels 写错的也会这样"
    ids = [one.id for one in asking.evidence]
    return asking.run.collection(
        KIND, status, asking.run.now(), count=count, scope=scope, reason="；".join(told), remedy=remedy,
        evidence=ids,
    )  # fmt: skip

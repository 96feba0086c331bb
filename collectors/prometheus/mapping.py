"""Answers of instant queries → utilization of things. Pure; what a series says may be wrong or hostile."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

import msgspec

from collectors.getting import QueryError
from collectors.prometheus.queries import Query, Statistic
from collectors.things import Directory
from inventory.decoding import from_json
from inventory.kinds.usage import Utilization
from inventory.resource import Relation, uid_of
from inventory.unknown import UNKNOWN

_MOST_PLAUSIBLE = 2.0
"""Share above which a value is no share of what a machine has (percent, or bytes, given by mistake).
Workloads are measured against what they ask for, and may take many times that."""
_EXAMPLES = 3
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


class _Vector(msgspec.Struct):
    result: list[msgspec.Raw]
    resultType: str = ""  # noqa: N815 - the API's word


class _Series(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class Told(msgspec.Struct, kw_only=True):
    """What the answers of one query told: thing → statistic → share, and what of them was of no use."""

    shares: dict[str, dict[Statistic, float]] = msgspec.field(default_factory=dict)
    series: int = 0
    unmapped: set[str] = msgspec.field(default_factory=set)  # what the labels said
    nameless: int = 0  # a label is missing
    senseless: int = 0  # NaN, infinite, negative, or no share
    malformed: int = 0


def take(told: Told, query: Query, statistic: Statistic, data: bytes, directory: Directory) -> None:
    """Add one answer's ``data``. Raises QueryError where it is no vector."""
    rows = series_of(data)
    told.series = max(told.series, len(rows))
    for row in rows:
        if row is None:
            told.malformed += 1
        else:
            _one(told, query, statistic, *row, directory)


def series_of(data: bytes) -> list[tuple[dict[str, str], float] | None]:
    """Labels and value of every series of an answer's ``data``; None for one that makes no sense. Raises
    QueryError where it is no vector."""
    try:
        vector = from_json(data, _Vector)
    except msgspec.DecodeError as error:
        raise QueryError("答复里没有结果", "检查 url 后面是不是 Prometheus") from error
    if vector.resultType != "vector":
        raise QueryError(f"查询给出的是 {vector.resultType[:20]}，不是各个序列的值", "改 queries 里的 expr")
    return [_series(raw) for raw in vector.result]


def _series(raw: msgspec.Raw) -> tuple[dict[str, str], float] | None:
    try:
        series = from_json(raw, _Series)
        return series.metric, float(series.value[1])
    except (msgspec.DecodeError, ValueError):
        return None


def _one(
    told: Told, query: Query, statistic: Statistic, labels: dict[str, str], value: float, directory: Directory
) -> None:
    words = [labels.get(name, "") for name in query.by]
    if not all(words):
        told.nameless += 1
        return
    if not math.isfinite(value) or value < 0 or (query.kind != "workload" and value > _MOST_PLAUSIBLE):
        told.senseless += 1
        return
    text = "/".join(words)
    uid = _target(query, text, directory)
    if uid is None:
        told.unmapped.add(text)
        return
    held = told.shares.setdefault(uid, {})
    held[statistic] = max(value, held.get(statistic, 0.0))  # two instances scraped the same thing


def _target(query: Query, text: str, directory: Directory) -> str | None:
    """The thing that the labels name. Where nobody has listed the kind yet, a native id is taken at its word:
    of the one source that is meant."""
    for kind in query.kinds():
        found = directory.find(kind, text)
        if found is not None:
            return found
    if len(directory.sources) == 1 and not directory.lists(directory.sources[0], query.kind):
        if query.kind == "server" and _UUID.fullmatch(text.lower()):
            return uid_of(directory.sources[0], "server", text.lower())
        if query.kind == "workload" and text.count("/") == 2:
            return uid_of(directory.sources[0], "workload", text)
    return None


def utilizations(
    told: Told, query: Query, *, source: str, labels: dict[str, str], hours: int, now: datetime, **more: Any
) -> list[Utilization]:
    """One resource per thing, sorted by it."""

    def share(held: dict[Statistic, float], statistic: Statistic) -> Any:
        return round(held[statistic], 6) if statistic in held else UNKNOWN

    return [
        Utilization(
            source=source,
            scope=query.name,
            native_id=f"{uid}/{query.metric}",
            name=f"{uid.split('/', 2)[-1]} {query.metric}",
            labels=labels,
            relations=[Relation("measures", uid)],
            metric=query.metric,
            window_hours=float(hours),
            mean=share(held, "mean"),
            p95=share(held, "p95"),
            peak=share(held, "peak"),
            measured_at=now,
            **more,
        )
        for uid, held in sorted(told.shares.items())
    ]


def remarks(told: Told) -> str:
    """What of the series was of no use, in the user's words; "" where all were."""
    parts = []
    if told.unmapped:
        examples = "、".join(sorted(told.unmapped)[:_EXAMPLES])
        parts.append(f"{len(told.unmapped)} 个对象对不上已知资源（如 {examples[:200]}）")
    if told.nameless:
        parts.append(f"{told.nameless} 个值缺标签")
    if told.senseless:
        parts.append(f"{told.senseless} 个值不是 0–1 的比值（NaN、无穷、负数或百分数）")
    if told.malformed:
        parts.append(f"{told.malformed} 条读不懂")
    return "；".join(parts)

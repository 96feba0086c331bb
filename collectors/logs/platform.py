"""What a log platform keeps: since when, without gaps, from which machines, held against those that other
sources list.

The aggregations are those that OpenSearch and Elasticsearch have in common ("Metric aggregations", "Bucket
aggregations"). Moments are milliseconds since 1970, as both give them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, get_args
from urllib.parse import quote

import msgspec

from collectors.contract import DeadlineError, Run, Source
from collectors.getting import QueryError
from collectors.logs.client import Client
from collectors.things import Directory, Thing
from inventory.coverage import Batch, Status
from inventory.decoding import from_json
from inventory.evidence import Evidence
from inventory.kinds.management import LogPlatform
from inventory.unknown import UNKNOWN, Maybe, Unknown

Sort = Literal["host", "device", "hypervisor", "node", "server"]
_OWN: Final = ("host", "device", "hypervisor", "node")
"""Machines of those who run the estate; servers of a cloud are its customers', and count where named."""
DAYS: Final = 183
_MOST_SOURCES: Final = 10_000
_LONGEST: Final = 50
_LONGEST_NAME: Final = 200
_SLACK: Final = "now+10m"  # clocks differ
ROOT: Final = "/"


class _Version(msgspec.Struct):
    number: str = ""
    distribution: str = "elasticsearch"  # it does not say so itself


class _Root(msgspec.Struct):
    version: _Version


class _Index(msgspec.Struct):
    index: str
    status: str = ""


class _Shards(msgspec.Struct):
    total: int
    failed: int = 0


class _Total(msgspec.Struct):
    value: int


class _Hits(msgspec.Struct):
    total: _Total


class _Number(msgspec.Struct):
    value: float | None = None


class _Bucket(msgspec.Struct):
    key: str | int | float | bool
    doc_count: int = 0
    latest: _Number = msgspec.field(default_factory=_Number)


class _Buckets(msgspec.Struct):
    buckets: list[_Bucket] = []
    sum_other_doc_count: int = 0


class _Days(msgspec.Struct):
    days: _Buckets


class _Hosts(msgspec.Struct):
    sources: _Buckets


class _Past(msgspec.Struct):
    oldest: _Number
    newest: _Number


class _Found(msgspec.Struct):
    timed_out: bool
    shards: _Shards = msgspec.field(name="_shards")
    hits: _Hits
    aggregations: dict[str, msgspec.Raw] = {}


def indices_path(indices: list[str]) -> str:
    """Names and states of the indices, the closed ones too."""
    return f"/_cat/indices/{_joined(indices)}?format=json&h=index,status&expand_wildcards=all"


def search_path(indices: list[str], time_field: str, host_fields: list[str]) -> str:
    """One search that returns no record. What lies in the future is of a clock that is wrong."""
    moment = {"field": time_field}
    past = {"range": {time_field: {"lte": _SLACK}}}
    aggs: dict[str, Any] = {
        "past": {"filter": past, "aggs": {"oldest": {"min": moment}, "newest": {"max": moment}}},
        "half_year": {
            "filter": {"range": {time_field: {"gte": f"now-{DAYS}d/d", "lt": "now/d"}}},
            "aggs": {"days": {"date_histogram": {**moment, "calendar_interval": "day", "min_doc_count": 1}}},
        },
    }
    for number, field in enumerate(host_fields):
        aggs[f"hosts_{number}"] = {
            "filter": past,
            "aggs": {
                "sources": {
                    "terms": {"field": field, "size": _MOST_SOURCES},
                    "aggs": {"latest": {"max": moment}},
                }
            },
        }
    asked = msgspec.json.encode({"size": 0, "track_total_hits": True, "aggs": aggs}).decode()
    return (
        f"/{_joined(indices)}/_search?ignore_unavailable=true&source_content_type=application%2Fjson"
        f"&source={quote(asked, safe='')}"
    )


def _joined(indices: list[str]) -> str:
    return quote(",".join(indices), safe="*,-._")


class Told(msgspec.Struct, kw_only=True):
    """What one search found. ``latest``: host as the records call it → its latest record."""

    records: Maybe[int] = UNKNOWN
    oldest: Maybe[datetime | None] = UNKNOWN
    newest: Maybe[datetime | None] = UNKNOWN
    empty_days: Maybe[int] = UNKNOWN
    latest: Maybe[dict[str, datetime]] = UNKNOWN
    problems: list[str] = msgspec.field(default_factory=list)


def told_of(body: bytes, at: datetime, fields: int) -> Told:
    """Raises QueryError for what is no answer to ``search_path``."""
    told = Told()
    try:
        found = from_json(body, _Found)
        if not found.shards.total:
            told.problems.append("没有 indices 写的索引")
            return told
        if found.timed_out or found.shards.failed:
            told.problems.append(f"有 {found.shards.failed} 个分片没有答，或没有算完")
            return told
        told.records = found.hits.total.value
        past = _inner(found, "past", _Past)
        days = _inner(found, "half_year", _Days)
        hosts = [_inner(found, f"hosts_{n}", _Hosts).sources for n in range(fields)]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError) as error:
        raise QueryError("_search 的答复读不懂", "检查 url 后面是不是 OpenSearch 或 Elasticsearch") from error
    told.oldest, told.newest = _moment(past.oldest), _moment(past.newest)
    if told.records and (told.oldest is None or told.newest is None):
        told.problems.append("有记录，但没有 time_field 这个时间字段，或时间全在将来")
        told.oldest = told.newest = UNKNOWN
    if isinstance(told.oldest, datetime):
        told.empty_days = _empty(days.days, told.oldest, at)
    _hosts(told, hosts)
    return told


def _inner(found: _Found, name: str, type_: Any) -> Any:
    return from_json(found.aggregations[name], type_)


def _moment(number: _Number) -> Maybe[datetime | None]:
    """None where there is none; UNKNOWN for what is no moment of our time."""
    if number.value is None:
        return None
    if not math.isfinite(number.value):
        return UNKNOWN
    try:
        return datetime.fromtimestamp(int(number.value) / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return UNKNOWN


def _empty(days: _Buckets, oldest: datetime, at: datetime) -> int:
    """Whole days (UTC) of the last half year without a record, from the oldest record on."""
    today = at.astimezone(UTC).date()
    wanted = min(DAYS, max(0, (today - oldest.date()).days))
    first = today - timedelta(days=wanted)
    moments = [_moment(_Number(value=float(b.key))) for b in days.buckets if isinstance(b.key, (int, float))]
    held = {m.date() for m in moments if isinstance(m, datetime) and first <= m.date() < today}
    return wanted - len(held)


def _hosts(told: Told, fields: list[_Buckets]) -> None:
    latest: dict[str, datetime] = {}
    for one in fields:
        if one.sum_other_doc_count:
            told.problems.append(f"发日志的名字多于 {_MOST_SOURCES} 个，没有列全")
            return
        for bucket in one.buckets:
            moment = _moment(bucket.latest)
            if isinstance(bucket.key, str) and isinstance(moment, datetime):
                latest[bucket.key] = max(moment, latest.get(bucket.key, moment))
    if told.records and not latest:
        told.problems.append("有记录，但没有 host_fields 写的字段")
        return
    told.latest = latest


class _Senders(msgspec.Struct, kw_only=True):
    silent: Maybe[list[str]] = UNKNOWN
    listed: int = 0
    strangers: list[str] = msgspec.field(default_factory=list)


def senders(
    latest: dict[str, datetime], since: datetime, directory: Directory, everything: list[Sort]
) -> _Senders:
    """Who is listed and sends nothing since then. A name that two machines have shows neither of them."""
    sending: set[str] = set()
    doubtful: set[str] = set()
    strangers = []
    for word, moment in sorted(latest.items()):
        known = False
        for sort in get_args(Sort):
            found = directory.candidates(sort, word)
            known = known or bool(found)
            if found and moment >= since:
                (sending if len(found) == 1 else doubtful).update(found)
        if not known:
            strangers.append(word)
    missing: list[str] = []
    listed, sure = 0, True
    for sort in get_args(Sort):
        if sort not in everything and sort not in _OWN:
            continue
        things = {thing.uid: thing for thing in directory.of_kind(sort)}
        listed += len(things)
        absent = [_name(thing) for uid, thing in things.items() if uid not in sending | doubtful]
        if sort in everything:
            missing += absent
            sure = sure and bool(things)
        sure = sure and things.keys() <= sending
    result = _Senders(listed=listed, strangers=strangers)
    if missing:
        result.silent = sorted(missing)[:_LONGEST]
    elif sure and everything:
        result.silent = []
    return result


def _name(thing: Thing) -> str:
    return (thing.names[0] if thing.names else thing.native_id)[:_LONGEST_NAME]


class Wanted(msgspec.Struct, kw_only=True):
    """What the options ask for."""

    indices: list[str]
    time_field: str
    host_fields: list[str]
    of: list[str]
    everything: list[Sort]
    quiet_days: int


def survey(
    client: Client,
    source: Source,
    run: Run,
    things: Iterable[Thing],
    wanted: Wanted,
    evidence_of: Callable[[str, bytes], Evidence],
) -> Batch:
    """The platform, as far as it answered; no row where it answered nothing."""
    began = run.now()
    asking = _Asking(client=client, run=run, evidence_of=evidence_of)
    values = {**_version(asking), **_indices(asking, wanted)}
    at, told = _searched(asking, wanted)
    notes = list(told.problems)
    if not isinstance(told.latest, Unknown):
        values["sources"] = len(told.latest)
        found = senders(
            told.latest,
            at - timedelta(days=wanted.quiet_days),
            Directory(things, wanted.of),
            wanted.everything,
        )
        values |= {"silent": found.silent, "listed": found.listed}
        if found.strangers:
            example = "".join(c for c in found.strangers[0] if c.isprintable())[:80]
            notes.append(f"{len(found.strangers)} 个发日志的名字对不上清点到的机器（如 {example}）")
    platform = LogPlatform(
        source=source.name,
        native_id=source.name,
        name=source.name,
        labels=source.labels,
        records=told.records,
        oldest_record_at=told.oldest,
        newest_record_at=told.newest,
        days_without_records=told.empty_days,
        measured_at=at,
        **values,
    )
    rows = [platform] if asking.evidence else []
    status, remedy = Status.COMPLETE, ""
    if told.problems:
        status, remedy = Status.PARTIAL, "检查 indices、time_field、host_fields 和平台的状态"
    if asking.problems:
        first = asking.problems[0]
        status, remedy = Status.PARTIAL if rows else first.status, first.remedy
        notes = [f"{len(asking.problems)} 个查询没有答：{first.reason}", *notes]
    ended = run.collection(
        LogPlatform.KIND,
        status,
        began,
        count=len(rows),
        reason="；".join(notes),
        remedy=remedy,
        evidence=[one.id for one in asking.evidence],
    )
    return Batch(resources=[*rows], collections=[ended], evidence=asking.evidence)


class _Asking(msgspec.Struct, kw_only=True):
    client: Client
    run: Run
    evidence_of: Callable[[str, bytes], Evidence]
    evidence: list[Evidence] = msgspec.field(default_factory=list)
    problems: list[QueryError | DeadlineError] = msgspec.field(default_factory=list)

    def ask(self, what: str, path: str, read: Callable[[bytes, datetime], Any]) -> Any:
        """What was read of an answer; None where none came that makes sense."""
        if any(isinstance(problem, DeadlineError) for problem in self.problems):
            return None
        self.run.progress(what)
        try:
            reply = self.client.get(path)
            found = read(reply.body, reply.at)
        except (QueryError, DeadlineError) as error:
            self.problems.append(error)
            return None
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.problems.append(
                QueryError(f"{what}的答复读不懂", "检查 url 后面是不是 OpenSearch 或 Elasticsearch")
            )
            return None
        self.evidence.append(self.evidence_of(f"GET {path}", reply.body))
        return found


def _version(asking: _Asking) -> dict[str, Any]:
    root: _Root | None = asking.ask("版本", ROOT, lambda body, _: from_json(body, _Root))
    if root is None:
        return {}
    texts = {"software": root.version.distribution, "version": root.version.number}
    return {name: "".join(c for c in text if c.isprintable())[:50] for name, text in texts.items() if text}


def _indices(asking: _Asking, wanted: Wanted) -> dict[str, Any]:
    path = indices_path(wanted.indices)
    rows: list[_Index] | None = asking.ask("索引", path, lambda body, _: from_json(body, list[_Index]))
    if rows is None:
        return {}
    return {"indices": len(rows), "closed_indices": sum(row.status == "close" for row in rows)}


def _searched(asking: _Asking, wanted: Wanted) -> tuple[datetime, Told]:
    path = search_path(wanted.indices, wanted.time_field, wanted.host_fields)
    count = len(wanted.host_fields)
    found: tuple[datetime, Told] | None = asking.ask(
        "日志", path, lambda body, at: (at, told_of(body, at, count))
    )
    return found or (asking.run.now(), Told())

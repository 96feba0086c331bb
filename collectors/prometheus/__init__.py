"""Source type ``prometheus``: the measured load of things that other sources list, what devices and links had
to carry over time, and the copies that the storage behind a cloud keeps.

It is read after the others, because its series are mapped to what those have seen: a server by its id, a
host or node by its name, a workload by namespace, type and name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

import msgspec

from collectors import contract
from collectors.contract import Access, DeadlineError, Run, Source, SourceError
from collectors.prometheus.ceph import CephOptions
from collectors.prometheus.load_queries import LoadOptions
from collectors.prometheus.queries import STATISTICS, Preset, Query, over, presets
from collectors.prometheus.watched import CloudOptions
from inventory.coverage import Batch, Collection, Status
from inventory.decoding import from_json
from inventory.evidence import Evidence

if TYPE_CHECKING:
    from collectors.prometheus.client import Client
    from collectors.things import Directory

KINDS: tuple[str, ...] = (
    "utilization",
    "load",
    "link_load",
    "replicated_pool",
    "monitoring_coverage",
    "monitoring_system",
)

PERMISSIONS = """\
只读：采集只向 Prometheus 的 HTTP API（/api/v1/query、/api/v1/rules、/api/v1/alertmanagers）发 GET。
Prometheus 自己没有账号：前面有反向代理的，给采集器一个只能查询的账号或令牌，不要给管理接口（/api/v1/admin）。
代理按标签过滤数据时（如 prom-label-proxy），采集器看到的就是过滤后的，少了什么它无从得知。
"""

_LONGEST_EVIDENCE = 256 * 1024
_ASKED_WITH = (
    "of",
    "window_hours",
    "step_minutes",
    "presets",
    "queries",
    "load",
    "ceph",
    "clouds",
)  # what a recording depends on


class Options(contract.Options, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How to reach it, whose things it measures (``of``: names of sources, [] = all), over which window, and
    what to ask: ``presets`` of known exporters, and ``queries`` of one's own."""

    PATHS: ClassVar[tuple[str, ...]] = ("ca_file", "recording")

    url: str = ""
    bearer_ref: str = ""
    username: str = ""
    password_ref: str = ""
    ca_file: str = ""
    insecure: bool = False  # accept any TLS certificate
    timeout_seconds: float = 60.0  # of one query
    answer_mib: int = 64  # largest answer that is read
    of: list[str] = msgspec.field(default_factory=list)
    window_hours: int = 24
    step_minutes: int = 5
    presets: list[Preset] = msgspec.field(
        default_factory=lambda: ["libvirt", "libvirt_openstack", "node_exporter", "kubernetes"]
    )
    queries: list[Query] = msgspec.field(default_factory=list)
    load: LoadOptions = msgspec.field(default_factory=LoadOptions)
    ceph: list[CephOptions] = msgspec.field(default_factory=list)
    clouds: list[CloudOptions] = msgspec.field(default_factory=list)
    recording: str = ""  # instead of url: answer from a recording

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.url) == bool(self.recording):
            raise ValueError("url 和 recording 写且只写一个")
        parts = urlsplit(self.url or "http://recording")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("url 写成 http://主机:端口 或 https://…")
        if parts.username or parts.password:
            raise ValueError("url 里不能写账号口令，用 username 和 password_ref")
        if parts.query or parts.fragment:
            raise ValueError("url 只写到路径前缀，不带 ? 和 #")
        if bool(self.username) != bool(self.password_ref) or (self.username and self.bearer_ref):
            raise ValueError("bearer_ref，或 username 和 password_ref，二者取一")
        if min(self.window_hours, self.step_minutes, self.answer_mib) < 1 or self.timeout_seconds <= 0:
            raise ValueError("window_hours、step_minutes、answer_mib、timeout_seconds 都要大于 0")
        if self.window_hours * 60 < self.step_minutes * 2:
            raise ValueError("window_hours 至少是 step_minutes 的两倍")
        names = [query.name for query in self.asked()]
        if len(set(names)) != len(names):
            raise ValueError("queries 里有重名，或与 presets 重名")
        scopes = [one.scope for one in self.ceph]
        if len(set(scopes)) != len(scopes):
            raise ValueError("ceph 里有两条写的是同一个")
        if len({one.cloud for one in self.clouds}) != len(self.clouds):
            raise ValueError("clouds 里有两条写的是同一个云")
        if not names and not self.load.days and not self.ceph and not self.clouds:
            raise ValueError("presets、queries、ceph、clouds 都是空的，load.days 是 0，没有可查的")

    def asked(self) -> list[Query]:
        """The user's own queries first: what they measure, presets do not measure again."""
        return [*self.queries, *presets(self.presets)]


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Ask each query for its three statistics. Raises SourceError where nothing can be asked at all."""
    yield from _collect(_client(_options(source), run), source, run)


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a redacted recording that replays to the same."""
    from collectors.prometheus.replay import Recorder

    options = _options(source)
    client = Recorder(_client(options, run), run)
    batches = list(_collect(client, source, run))
    asked = {name: getattr(options, name) for name in _ASKED_WITH}
    client.write(path, msgspec.to_builtins(asked), note)
    return batches


def _collect(client: Client, source: Source, run: Run) -> Iterator[Batch]:
    from collectors.prometheus.ceph import pools
    from collectors.prometheus.load import measure
    from collectors.prometheus.watched import watch
    from collectors.things import Directory

    options = _options(source)
    _reach(client)
    directory = Directory(run.things(), options.of)
    measured: set[str] = set()
    asked = options.asked()
    if not asked:
        reason = "presets 和 queries 都是空的，没有查利用率"
        none = run.collection("utilization", Status.UNSUPPORTED, run.now(), reason=reason)
        yield Batch(collections=[none])
    for index, query in enumerate(asked):
        run.progress(query.name, index, len(asked))
        yield _ask(client, query, source, run, directory, measured)
    evidence_of = partial(_evidence, run)
    yield measure(client, source, run, directory, options.load, evidence_of)
    clouds = [thing for thing in run.things() if thing.kind == "cloud"] if options.ceph else []
    yield pools(client, source, run, clouds, options.ceph, evidence_of)
    yield watch(client, source, run, run.things(), options.clouds, evidence_of)


def _ask(
    client: Client, query: Query, source: Source, run: Run, directory: Directory, measured: set[str]
) -> Batch:
    from collectors.getting import QueryError
    from collectors.prometheus.mapping import Told, take, utilizations

    options = _options(source)
    began = run.now()
    told, evidence, warnings, at = Told(), [], set(), None
    try:
        for statistic in STATISTICS:
            expression = over(query, statistic, options.window_hours, options.step_minutes)
            reply = client.query(expression)
            at = at or reply.at
            evidence.append(_evidence(run, query.name, expression, reply.body))
            warnings |= {text[:200] for text in reply.answer.warnings}
            take(told, query, statistic, bytes(reply.answer.data), directory)
            if not told.series:
                break  # nobody exports it: the other statistics would say the same
    except (QueryError, DeadlineError) as error:
        return Batch(
            collections=[
                run.collection(
                    "utilization",
                    error.status,
                    began,
                    scope=query.name,
                    reason=error.reason,
                    remedy=error.remedy,
                )
            ],
            evidence=evidence,
        )
    rows = utilizations(
        told,
        query,
        source=source.name,
        labels=source.labels,
        hours=options.window_hours,
        now=at or began,
    )
    fresh = [row for row in rows if row.native_id not in measured]
    measured |= {row.native_id for row in fresh}
    return Batch(
        resources=list(fresh),
        collections=[_ended(run, query, began, told, len(fresh), warnings, [e.id for e in evidence])],
        evidence=evidence,
    )


def _ended(
    run: Run, query: Query, began: datetime, told: object, count: int, warnings: set[str], evidence: list[str]
) -> Collection:
    from collectors.prometheus.mapping import Told, remarks

    assert isinstance(told, Told)
    status, reason, remedy = Status.COMPLETE, remarks(told), ""
    if told.unmapped:
        remedy = "检查 of 和 queries 的 by；别的来源还没采集过的，下一次采集就对得上"
    if warnings:
        status = Status.PARTIAL
        reason = "；".join([*filter(None, [reason]), f"Prometheus 提醒：{'；'.join(sorted(warnings))[:300]}"])
    if not told.series:
        status, reason = Status.UNSUPPORTED, "这个 Prometheus 里没有这项查询的数据"
        remedy = f"没有部署相应的导出器就不用管；否则用 queries 写自己的查询（{query.name}）"
    elif not told.shares:
        status, reason = Status.PARTIAL, reason or "一个也没有对上"
    return run.collection(
        "utilization",
        status,
        began,
        count=count,
        scope=query.name,
        reason=reason,
        remedy=remedy,
        evidence=evidence,
    )


def _evidence(run: Run, name: str, expression: str, body: bytes) -> Evidence:
    """The answer itself; of a huge one, its digest and length."""
    if len(body) > _LONGEST_EVIDENCE:
        digest = {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
        body = msgspec.json.encode({"query": expression, "answer": digest})
    return run.evidence(body, origin=f"query {name}: {expression[:500]}")


def probe(source: Source, run: Run) -> Iterator[Access]:
    """Whether it answers, and how many series each query gives now."""
    options = _options(source)
    client = _client(options, run)
    _reach(client)
    plain = options.url.startswith("http://") and (options.bearer_ref or options.username)
    yield Access(
        subject="连接",
        ok=not plain and not options.insecure,
        detail="凭据以明文发送" if plain else "证书校验已关闭（insecure）" if options.insecure else "能查询",
        remedy="改用 https" if plain else "改用 ca_file 指定 CA 证书" if options.insecure else "",
    )
    for query in options.asked():
        yield _counted(client, query.name, [query.expr.replace("$rate", f"{options.step_minutes}m")])
    if options.load.days:
        for name, expressions in options.load.now().items():
            yield _counted(client, name, expressions)
    for cloud in options.clouds:
        for sort in ("hypervisor", "server", "virtual_device"):
            yield _counted(client, f"clouds {cloud.cloud} {sort}", [f"({e})" for e in getattr(cloud, sort)])
    for one in options.ceph:
        yield _counted(client, f"ceph {one.scope}", [one.of("ceph_pool_metadata")])


def _counted(client: Client, subject: str, expressions: list[str]) -> Access:
    """How many series some expressions give now."""
    from collectors.getting import QueryError

    count = 0
    for expression in expressions:
        try:
            reply = client.query(f"count({expression})")
        except QueryError as error:
            return Access(subject=subject, ok=False, detail=error.reason, remedy=error.remedy)
        count += _count(bytes(reply.answer.data))
    return Access(
        subject=subject, ok=True if count else None, detail=f"{count} 条序列" if count else "没有数据"
    )


def _reach(client: Client) -> None:
    """Raises SourceError where not even the simplest query is answered."""
    from collectors.getting import QueryError

    try:
        client.query("vector(1)")
    except QueryError as error:
        raise SourceError(error.reason, error.remedy, error.status) from error


def _count(data: bytes) -> int:
    try:
        result = from_json(data)["result"]
        return int(float(result[0]["value"][1])) if result else 0
    except (msgspec.DecodeError, KeyError, IndexError, TypeError, ValueError, OverflowError):
        return 0


def _client(options: Options, run: Run) -> Client:
    if options.recording:
        from collectors.prometheus.replay import ReplayClient

        return ReplayClient(Path(options.recording))
    from collectors.prometheus.client import LiveClient

    return LiveClient(options, run)


def _options(source: Source) -> Options:
    if not isinstance(source.options, Options):
        raise SourceError(f"来源 {source.name} 的 options 不是 prometheus 的", "检查配置")
    return source.options

"""Source type ``logs``: a log platform on OpenSearch or Elasticsearch: since when it keeps records, whether
days are missing, and which of the machines that other sources list send nothing to it.

It is read after the others, because it holds the names in its records against what those have seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

import msgspec

from collectors import contract
from collectors.contract import Access, Run, Source, SourceError
from collectors.logs.platform import Sort
from inventory.coverage import Batch
from inventory.evidence import Evidence

if TYPE_CHECKING:
    from collectors.logs.client import Client
    from collectors.logs.platform import Wanted

KINDS: tuple[str, ...] = ("log_platform",)

PERMISSIONS = """\
只读：采集只向 OpenSearch 或 Elasticsearch 的 HTTP API 发 GET：
/（版本）、/_cat/indices（索引的名称和开关状态）、/_search（size 为 0，只要汇总，不取任何一条日志）。
给采集器一个专用账号：集群权限 monitor（OpenSearch：cluster_monitor），日志索引的 read 和 monitor
（OpenSearch：read、indices_monitor）。不要给写入、删除和管理的权限。
账号无权看的索引、文档级过滤（DLS）滤掉的记录，采集器看不到，少了什么它无从得知。
"""

_LONGEST_EVIDENCE = 256 * 1024
_ASKED_WITH = ("indices", "time_field", "host_fields", "of", "everything", "quiet_days")


class Options(contract.Options, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How to reach it, in which indices the logs are, which fields tell when and of whom a record is, and of
    which sorts of machines (of the sources ``of``, [] = all) every one is meant to send its logs there."""

    PATHS: ClassVar[tuple[str, ...]] = ("ca_file", "recording")

    url: str = ""
    bearer_ref: str = ""
    username: str = ""
    password_ref: str = ""
    ca_file: str = ""
    insecure: bool = False  # accept any TLS certificate
    timeout_seconds: float = 60.0  # of one query
    answer_mib: int = 64  # largest answer that is read
    indices: list[str] = msgspec.field(default_factory=lambda: ["*", "-.*"])
    time_field: str = "@timestamp"
    host_fields: list[str] = msgspec.field(default_factory=lambda: ["host.name"])
    of: list[str] = msgspec.field(default_factory=list)
    everything: list[Sort] = msgspec.field(default_factory=list)
    quiet_days: int = 7  # a machine without a record for longer sends nothing
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
        if min(self.answer_mib, self.quiet_days) < 1 or self.timeout_seconds <= 0:
            raise ValueError("answer_mib、quiet_days、timeout_seconds 都要大于 0")
        if not self.indices or not all(one.strip() and "/" not in one for one in self.indices):
            raise ValueError("indices 至少写一个索引名，可以带 *，不能带 /")
        if not self.host_fields or not all(field.strip() for field in (self.time_field, *self.host_fields)):
            raise ValueError("time_field 和 host_fields 不能是空的")
        if len(self.host_fields) > 5:
            raise ValueError("host_fields 最多写五个字段")


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Ask the platform. Raises SourceError for a credential or CA certificate that cannot be read."""
    yield _collect(_client(_options(source), run), source, run)


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a redacted recording that replays to the same."""
    from collectors.logs.replay import Recorder

    options = _options(source)
    client = Recorder(_client(options, run), run)
    batch = _collect(client, source, run)
    asked = {name: getattr(options, name) for name in _ASKED_WITH}
    client.write(path, msgspec.to_builtins(asked), note)
    return [batch]


def _collect(client: Client, source: Source, run: Run) -> Batch:
    from collectors.logs.platform import survey

    return survey(client, source, run, run.things(), _wanted(_options(source)), partial(_evidence, run))


def _evidence(run: Run, origin: str, body: bytes) -> Evidence:
    """The answer itself; of a huge one, its digest and length."""
    if len(body) > _LONGEST_EVIDENCE:
        body = msgspec.json.encode({"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)})
    return run.evidence(body, origin=origin[:500])


def probe(source: Source, run: Run) -> Iterator[Access]:
    """Whether each of the three addresses answers, and how much there is."""
    from collectors.logs.platform import survey
    from inventory.unknown import or_none

    options = _options(source)
    client = _client(options, run)
    batch = survey(client, source, run, (), _wanted(options), partial(_evidence, run))
    (ended,) = batch.collections
    if not batch.resources:
        raise SourceError(ended.reason, ended.remedy, ended.status)
    plain = options.url.startswith("http://") and (options.bearer_ref or options.username)
    yield Access(
        subject="连接",
        ok=not plain and not options.insecure,
        detail="凭据以明文发送" if plain else "证书校验已关闭（insecure）" if options.insecure else "能查询",
        remedy="改用 https" if plain else "改用 ca_file 指定 CA 证书" if options.insecure else "",
    )
    (platform,) = batch.resources
    for subject, unit, name in (
        ("版本", "", "version"),
        ("索引", " 个", "indices"),
        ("日志", " 条", "records"),
        ("发日志的名字", " 个", "sources"),
    ):
        value = or_none(getattr(platform, name))
        seen = value is not None
        yield Access(
            subject=subject,
            ok=True if seen else None if ended.remedy == "" else False,
            detail=f"{value}{unit}" if seen else ended.reason or "没有看到",
            remedy="" if seen else ended.remedy,
        )


def _wanted(options: Options) -> Wanted:
    from collectors.logs.platform import Wanted

    return Wanted(
        indices=options.indices,
        time_field=options.time_field,
        host_fields=options.host_fields,
        of=options.of,
        everything=options.everything,
        quiet_days=options.quiet_days,
    )


def _client(options: Options, run: Run) -> Client:
    if options.recording:
        from collectors.logs.replay import ReplayClient

        return ReplayClient(Path(options.recording))
    from collectors.logs.client import LiveClient

    return LiveClient(options, run)


def _options(source: Source) -> Options:
    if not isinstance(source.options, Options):
        raise SourceError(f"来源 {source.name} 的 options 不是 logs 的", "检查配置")
    return source.options

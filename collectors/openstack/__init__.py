"""Source type ``openstack``: one cloud, read through its own APIs with one credential."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import msgspec

from collectors import contract
from collectors.contract import Access, Run, Source, SourceError
from collectors.openstack import instance_actions
from collectors.openstack.client import SERVICES, TITLES, Client, Facts, LiveClient, ServiceName
from collectors.openstack.listing import Place
from collectors.openstack.reading import Reader
from collectors.openstack.replay import Recorder, ReplayClient
from collectors.openstack.row import View
from collectors.openstack.sight import missing, prove, wrong_region
from collectors.openstack.survey import Survey
from collectors.openstack.table import ROWS
from inventory.coverage import Batch, Status
from inventory.kinds import KINDS as _ALL_KINDS

KINDS: tuple[str, ...] = ("cloud", *dict.fromkeys(row.kind for row in ROWS if row.kind))

PERMISSIONS = """\
只读：采集只发 GET。要看全一个 OpenStack 云，凭据须在某个项目里持有 admin 角色：
  openstack application credential create --role admin zhengguan-collector
  （以 admin 身份、在 admin 项目里执行；建议加 --expiration，并用 --access-rules 只许 GET）
OpenStack 的默认策略没有“看见全部、什么都不能改”的角色：
  · 项目的 reader：云硬盘、端口、安全组只列出本项目的，而且不报错；
  · 系统范围的 reader（system_scope: all）：看得见账户、项目、角色；端口和安全组是空的，而且不报错；
    目录里没有块存储。
对象存储里别的项目的桶，另要 ResellerAdmin 角色；密钥服务只按项目列出，谁都看不全。
这两种凭据也能用，但看不全的类别一律记为“无权限”，相关判定为“未知”。
"""


class Options(contract.Options, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How to reach the cloud: a ``cloud`` of clouds.yaml, or ``auth_url`` with an application credential
    or a password, or the ``recording`` of an earlier run."""

    PATHS: ClassVar[tuple[str, ...]] = ("config_file", "ca_file", "recording")

    cloud: str = ""  # name in clouds.yaml
    config_file: str = ""  # path of clouds.yaml; "" = where openstacksdk looks for it
    auth_url: str = ""
    application_credential_id: str = ""
    application_credential_secret_ref: str = ""
    username: str = ""
    user_domain: str = "Default"
    password_ref: str = ""
    project: str = ""
    project_domain: str = "Default"
    system_scope: bool = False
    region: str = ""  # required where the catalogue has several
    interface: str = ""  # public (default), internal, admin
    ca_file: str = ""
    insecure: bool = False  # accept any TLS certificate
    timeout_seconds: float = 30.0  # of one call
    admin_roles: list[str] = msgspec.field(default_factory=lambda: ["admin"])  # as the cloud's policies do
    hardened_marks: list[str] = msgspec.field(default_factory=lambda: ["hardened", "os_hardened", "加固"])
    action_days: int = 30  # how far back what was done to servers is read
    action_servers: int = 1000  # of how many servers, the last changed first
    recording: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if sum(map(bool, (self.cloud, self.auth_url, self.recording))) != 1:
            raise ValueError("cloud、auth_url、recording 三者写且只写一个")
        if self.auth_url and not (
            (self.application_credential_id and self.application_credential_secret_ref)
            or (self.username and self.password_ref and (self.project or self.system_scope))
        ):
            raise ValueError(
                "auth_url 之外还要写 application_credential_id 和 application_credential_secret_ref，"
                "或 username、password_ref 和 project（或 system_scope）"
            )
        if self.timeout_seconds <= 0:
            raise ValueError("timeout_seconds 要大于 0")
        if not 1 <= self.action_days <= 365:
            raise ValueError("action_days 要在 1 到 365 之间")
        if self.action_servers < 1:
            raise ValueError("action_servers 要大于 0")


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Read the cloud. Raises SourceError where nobody gets in."""
    options = _options(source)
    client = _client(options, run)
    try:
        yield from _collect(client, source, run, options)
    finally:
        client.close()


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a redacted recording that replays to the same."""
    options = _options(source)
    client = Recorder(_client(options, run), run)
    try:
        batches = list(_collect(client, source, run, options))
    finally:
        client.close()
    client.write(path, note)
    return batches


def _collect(client: Client, source: Source, run: Run, options: Options) -> Iterator[Batch]:
    run.progress("登录")
    facts = _facts(client)
    place = Place(source=source.name, labels=source.labels, clean=run.redactor.data)
    since = instance_actions.since(run.now(), options.action_days)
    view = View(place=place, facts=facts, admin_roles=options.admin_roles, since=since)
    view.hardened_marks = tuple(options.hardened_marks)
    table = instance_actions.within(ROWS, since, options.action_servers)
    survey = Survey(run, view, table)
    for event in Reader(client, run, view, table).events():
        batch = survey.take(event)
        if batch is not None:
            yield batch
    yield survey.cloud()
    yield from survey.closings()


def probe(source: Source, run: Run) -> Iterator[Access]:
    """What the credential reaches and sees, a line each."""
    options = _options(source)
    client = _client(options, run)
    try:
        facts = _facts(client)
        scope = "整个系统" if facts.system else f"项目 {facts.project_name}"
        roles = "、".join(facts.roles)
        detail = f"账户 {facts.user_name}，方式 {facts.method}，范围：{scope}，角色：{roles}"
        yield Access(subject="登录", ok=True, detail=detail)
        if options.insecure:
            yield Access(
                subject="TLS",
                ok=False,
                detail="证书校验已关闭（insecure）",
                remedy="改用 ca_file 指定 CA 证书",
            )
        for service in SERVICES:
            yield from _sight(client, run, facts, service, options.admin_roles)
    finally:
        client.close()


def _sight(
    client: Client, run: Run, facts: Facts, service: ServiceName, admin_roles: list[str]
) -> Iterator[Access]:
    """What is seen of one service: a line for all that is whole, one for each kind that is not."""
    rows = [row for row in ROWS if row.ask.service == service and row.kind and row.sight]
    if not rows:
        return
    absent = missing(facts, service)
    if absent is not None:
        unsupported = absent.status is Status.UNSUPPORTED
        yield Access(
            subject=TITLES[service],
            ok=None if unsupported else False,
            detail=absent.reason,
            remedy=absent.remedy,
        )
        return
    proofs = prove(client, run, facts, service, admin_roles, {row.sight for row in rows})
    whole = dict.fromkeys(row.kind for row in rows if proofs[row.sight].everything)
    blind = {row.kind: proofs[row.sight] for row in rows if row.kind not in whole}
    if not blind:
        titles = "、".join(_ALL_KINDS[kind].TITLE for kind in whole)
        yield Access(subject=TITLES[service], ok=True, detail=f"看得全：{titles}")
    for kind, proof in blind.items():
        yield Access(
            subject=f"{TITLES[service]}：{_ALL_KINDS[kind].TITLE}",
            ok=False,
            detail=proof.reason,
            remedy=proof.remedy,
        )


def _options(source: Source) -> Options:
    if not isinstance(source.options, Options):
        raise SourceError(f"来源 {source.name} 的 options 不是 openstack 的", "检查配置")
    return source.options


def _client(options: Options, run: Run) -> Client:
    return ReplayClient(Path(options.recording)) if options.recording else LiveClient(options, run)


def _facts(client: Client) -> Facts:
    facts = client.facts()
    regions = wrong_region(facts)
    if regions:
        raise SourceError(
            f"此云有多个区域：{'、'.join(regions)}，没有指定读哪一个", "每个区域配一个来源，各写 region"
        )
    return facts

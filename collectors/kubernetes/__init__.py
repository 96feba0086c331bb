"""Source type ``kubernetes``: one cluster, read through its API server with one credential."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import msgspec

from collectors import contract
from collectors.contract import Access, Run, Source, SourceError
from collectors.kubernetes import access, estate
from collectors.kubernetes.client import Client, LiveClient
from collectors.kubernetes.discovery import discover
from collectors.kubernetes.grants import PERMISSIONS
from collectors.kubernetes.listing import Reader
from collectors.kubernetes.replay import Recorder, ReplayClient
from collectors.kubernetes.survey import Place, Survey
from inventory.coverage import Batch

__all__ = ["KINDS", "PERMISSIONS", "Options", "collect", "probe", "record"]

KINDS: tuple[str, ...] = ("cluster", *estate.KINDS, *access.KINDS)


class Options(contract.Options, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How to reach the cluster: a ``kubeconfig``, or the Pod's own service account (``in_cluster``), or a
    ``server`` with a token or a client certificate, or the ``recording`` of an earlier run."""

    PATHS: ClassVar[tuple[str, ...]] = (
        "kubeconfig",
        "client_certificate",
        "client_key",
        "ca_file",
        "recording",
    )

    kubeconfig: str = ""
    context: str = ""  # of the kubeconfig; "" = its current one
    in_cluster: bool = False
    server: str = ""  # https://10.0.0.1:6443
    token_ref: str = ""
    client_certificate: str = ""  # PEM file
    client_key: str = ""  # PEM file
    ca_file: str = ""
    insecure: bool = False  # accept any TLS certificate
    timeout_seconds: float = 30.0  # of one call
    namespaces: list[str] = msgspec.field(default_factory=list)  # read these where the whole is refused
    recording: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if sum(map(bool, (self.kubeconfig, self.in_cluster, self.server, self.recording))) != 1:
            raise ValueError("kubeconfig、in_cluster、server、recording 四者写且只写一个")
        if self.server and not self.server.startswith(("https://", "http://")):
            raise ValueError("server 要写完整的地址，如 https://10.0.0.1:6443")
        if self.server and not (self.token_ref or (self.client_certificate and self.client_key)):
            raise ValueError("server 之外还要写 token_ref，或 client_certificate 和 client_key")
        if self.timeout_seconds <= 0:
            raise ValueError("timeout_seconds 要大于 0")


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Read the cluster. Raises SourceError where nobody gets in."""
    options = _options(source)
    client = _client(options, run)
    try:
        yield from _collect(client, source, run, options)
    finally:
        client.close()


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a redacted recording that replays to the same."""
    options = _options(source)
    client = Recorder(_client(options, run), run, options.namespaces)
    try:
        batches = list(_collect(client, source, run, options))
    finally:
        client.close()
    client.write(path, note)
    return batches


def _collect(client: Client, source: Source, run: Run, options: Options) -> Iterator[Batch]:
    started_at = run.now()
    run.progress("登录")
    served = discover(client)
    peer = client.peer()
    survey = Survey(
        run=run,
        place=Place(source=source.name, labels=source.labels, clean=run.redactor.data),
        peer=peer,
        served=served,
        started_at=started_at,
    )
    reader = Reader(client, run, served, [*options.namespaces, *filter(None, [peer.namespace])])
    seen = estate.Seen()
    yield from estate.collect(reader, survey, seen)
    yield from access.collect(reader, survey, seen)
    yield estate.cluster(survey, seen)


def probe(source: Source, run: Run) -> Iterator[Access]:
    """What the credential reaches and sees, a line each."""
    options = _options(source)
    client = _client(options, run)
    try:
        served = discover(client)
        peer = client.peer()
        yield Access(
            subject="登录", ok=True, detail=f"{peer.server}，Kubernetes {served.version or '版本未知'}"
        )
        if not peer.verified and not options.recording:
            yield Access(
                subject="TLS",
                ok=False,
                detail="没有校验服务器证书" if peer.server.startswith("https") else "明文 HTTP",
                remedy="用 ca_file（或 kubeconfig 的 certificate-authority）指定 CA 证书",
            )
        reader = Reader(client, run, served, [])
        yield from estate.probe(reader, dict.fromkeys((*estate.ASKS, *access.ASKS)))
    finally:
        client.close()


def _options(source: Source) -> Options:
    if not isinstance(source.options, Options):
        raise SourceError(f"来源 {source.name} 的 options 不是 kubernetes 的", "检查配置")
    return source.options


def _client(options: Options, run: Run) -> Client:
    return ReplayClient(Path(options.recording)) if options.recording else LiveClient(options, run)

"""Source type ``certificates``: certificate files of this machine: PEM, DER, PKCS#7, and folders of them.

For what no endpoint shows: certificates that are in no service yet, of clients, of authorities, of devices,
exports. A collection's scope is the path as configured. Keys are passed over as they are met
(``collectors.certificates.forms``); what only a password opens (PKCS#12, JKS) is said to be unread.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePath
from typing import ClassVar

import msgspec

from collectors import contract
from collectors.certificates import recording
from collectors.certificates.files import (
    DENIED,
    LOCKED,
    MISSING,
    NOTHING,
    TOO_DEEP,
    TOO_LARGE,
    TOO_MANY,
    Limits,
    Told,
    read,
)
from collectors.contract import Access, DeadlineError, Run, Source, SourceError
from inventory.coverage import Batch, Status
from inventory.kinds.crypto import Certificate

__all__ = ["KINDS", "PERMISSIONS", "Options", "collect", "probe", "record"]

KINDS: tuple[str, ...] = ("certificate",)

PERMISSIONS = """\
采集机上能读证书文件即可，不需要 root，也不需要能读私钥：私钥另存的文件不必放行，目录里的 .key 文件从不打开。
私钥与证书在同一个文件里时，私钥的内容逐行略过，不保存、不外传。PKCS#12（.p12、.pfx）和 JKS 要口令，不读，
在覆盖情况里写明；可以导出成 PEM 证书再读，或用 exclude 略去。"""

_REMEDIES = {
    MISSING: "检查 paths 里的路径",
    DENIED: "给运行采集的账户该文件的读权限，该目录的读和进入权限",
    TOO_LARGE: "检查这个文件是什么；确是证书的，调大 file_mib",
    TOO_DEEP: "把更里面的目录写进 paths，或调大 depth",
    TOO_MANY: "把目录分开写进 paths，或调大 files",
    NOTHING: "检查路径：要 PEM、DER 或 PKCS#7 的证书",
    LOCKED: "导出其中的证书（不含私钥）另存为 PEM，或用 exclude 略去",
}
_SHOWN = 5


class Options(contract.Options, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``paths``: files, whatever they are called, and folders, of which those files are read that are called
    as certificates are. ``exclude``: shell patterns on names or whole paths. ``depth``: folders below a
    folder; ``files`` of one path; ``file_mib`` of one file."""

    PATHS: ClassVar[tuple[str, ...]] = ("paths", "recording")

    paths: list[str] = msgspec.field(default_factory=list)
    exclude: list[str] = msgspec.field(default_factory=list)
    depth: int = 5
    files: int = 5000
    file_mib: float = 4.0
    recording: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.paths and not self.recording:
            raise ValueError("paths 是空的：至少写一个文件或目录")
        if len(set(self.paths)) != len(self.paths) or "" in self.paths:
            raise ValueError("paths 里有重复的或空的路径")
        folders = {PurePath(path) for path in self.paths}
        if inner := next((str(one) for one in folders if folders & set(one.parents)), ""):
            raise ValueError(f"paths 里的 {inner} 已经在另一个目录里，去掉其中一个")
        if self.depth < 0 or self.files < 1 or self.file_mib <= 0:
            raise ValueError("depth 不能小于 0，files 和 file_mib 要大于 0")


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Read all paths; a batch for each."""
    for path, told, began in _told(source, run):
        yield _batch(path, told, began, source, run)


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a recording that replays to the same. It holds certificates and no keys."""
    every = list(_told(source, run))
    recording.write(path, {one: told for one, told, _ in every}, run, note)
    return [_batch(one, told, began, source, run) for one, told, began in every]


def probe(source: Source, run: Run) -> Iterator[Access]:
    """Whether each path can be read, and how many certificates are there."""
    for path, told, _ in _told(source, run):
        count = sum(len(file.certificates) for file in told.files)
        status, reason, remedy = _state(told)
        yield Access(
            subject=path,
            ok=status is Status.COMPLETE,
            detail=reason or f"{len(told.files)} 个文件，{count} 张证书",
            remedy=remedy,
        )


def _told(source: Source, run: Run) -> Iterator[tuple[str, Told, datetime]]:
    """Each path with what it told. At the deadline the rest is told to be unread."""
    options = _options(source)
    if options.recording:
        recorded = recording.read(Path(options.recording))
        for path in options.paths or list(recorded):
            yield path, recorded.get(path, Told(gaps=[(path, "录制里没有这个路径")], shut=True)), run.now()
        return
    limits = Limits(
        file_bytes=int(options.file_mib * (1 << 20)),
        files=options.files,
        depth=options.depth,
        exclude=options.exclude,
    )
    for done, path in enumerate(options.paths, start=1):
        began = run.now()
        run.progress("读取证书文件", done, len(options.paths))
        try:
            told = read(path, limits, run.remaining)
        except DeadlineError as error:
            told = Told(gaps=[(path, error.reason)], shut=True)
        yield path, told, began


def _state(told: Told) -> tuple[Status, str, str]:
    """How a path was seen: status, reason, remedy."""
    if not told.gaps:
        return Status.COMPLETE, "", ""
    whys = {why: [path for path, other in told.gaps if other == why] for _, why in told.gaps}
    reason = "；".join(f"{why}：{_some(paths)}" for why, paths in whys.items())
    remedy = "；".join(dict.fromkeys(_remedy(why) for why in whys))
    if not told.shut:
        return Status.PARTIAL, reason, remedy
    return (Status.DENIED if list(whys) == [DENIED] else Status.FAILED), reason, remedy


def _remedy(why: str) -> str:
    return next((text for known, text in _REMEDIES.items() if known in why), "检查这个文件，必要时重新导出")


def _some(paths: list[str]) -> str:
    shown = "、".join(paths[:_SHOWN])
    return shown if len(paths) <= _SHOWN else f"{shown} 等 {len(paths)} 处"


def _batch(path: str, told: Told, began: datetime, source: Source, run: Run) -> Batch:
    from collectors.tls.certificates import kept
    from collectors.tls.trust import pem

    rows: list[Certificate] = []
    for file in told.files:
        rows += kept(file.certificates, source=source.name, scope=path, place=file.path, location=file.path)
    for row in rows:
        row.labels = dict(source.labels)
    shown = [
        {"file": file.path, "certificates": [pem(der) for der in file.certificates]} for file in told.files
    ]
    evidence = run.evidence(msgspec.json.encode(shown), origin=f"证书文件 {path}", mapped=True)
    status, reason, remedy = _state(told)
    collection = run.collection(
        "certificate",
        status,
        began,
        scope=path,
        count=len(rows),
        reason=reason,
        remedy=remedy,
        evidence=[evidence.id],
    )
    return Batch(resources=list(rows), collections=[collection], evidence=[evidence])


def _options(source: Source) -> Options:
    if not isinstance(source.options, Options):
        raise SourceError(f"来源 {source.name} 的 options 不是 certificates 的", "检查配置")
    return source.options

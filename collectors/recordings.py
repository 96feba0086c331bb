"""Recordings: what a source answered in one run, redacted, to be served again to the same code.

Each type of source has its own format; all begin with the same header. A recording is one file
(gzip-compressed JSON lines, the first of them the header), or for network devices a folder with a file per
device (``.snmprec.gz``, the header in a comment). It holds no secret that this program could recognise, and
all the rest: names, addresses, weaknesses. Look through it before you hand it on.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from collectors.contract import REGISTRY, Options, Source, SourceError, collector
from inventory.coverage import Status
from inventory.decoding import convert, from_json

_LONGEST_HEADER = 64 * 1024
_LARGEST_BYTES = 512 * 1024 * 1024  # unpacked; a larger file is no recording of ours


class Header(msgspec.Struct, kw_only=True, omit_defaults=True):
    """``format`` is zhengguan-TYPE-recording/VERSION. ``options``: what the source was asked with, where
    the collector derives facts from that (never an address, never a secret)."""

    format: str
    source: str = ""
    recorded_at: str = ""
    note: str = ""
    options: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def source_type(self) -> str:
        """The type of source this is a recording of; "" where no collector here knows it."""
        name = self.format.removeprefix("zhengguan-").partition("-recording/")[0]
        return name if name in REGISTRY and self.format.startswith("zhengguan-") else ""


class Failure(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why a target could not be read, as it is kept in its recording."""

    reason: str
    remedy: str = ""
    status: Status = Status.FAILED

    @classmethod
    def of(cls, error: SourceError, clean: Callable[[str], str]) -> Failure:
        """An error, without what ``clean`` takes out."""
        return cls(reason=clean(error.reason), remedy=error.remedy, status=error.status)

    @property
    def error(self) -> SourceError:
        """The error, to be raised again."""
        return SourceError(self.reason, self.remedy, self.status)


def header_of(path: Path) -> Header:
    """The header of a recording. Raises SourceError for what is none."""
    try:
        if path.is_dir():
            files = sorted(p for p in path.iterdir() if p.name.endswith(".snmprec.gz"))
            if not files:
                raise SourceError(f"目录 {path.name} 里没有录制文件", "用 collect --record 录制")
            path, comment = files[0], True
        else:
            comment = False
        with gzip.open(path) as file:
            line = file.readline(_LONGEST_HEADER)
        if comment:
            line = line.removeprefix(b"#")
        header = from_json(line, Header)
    except FileNotFoundError as error:
        raise SourceError(f"没有录制文件 {path}", "检查路径") from error
    except (OSError, EOFError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourceError(f"{path.name} 不是政观的录制文件", "用 collect --record 录制") from error
    if not header.source_type:
        raise SourceError(f"录制文件 {path.name} 的格式 {header.format[:80]!r} 不认识", "用较新的政观打开")
    return header


def replaying(path: Path, name: str = "", labels: dict[str, str] | None = None) -> Source:
    """A source that answers from a recording; ``name`` "" = the one it was recorded under.
    Raises SourceError."""
    header = header_of(path)
    module = collector(header.source_type)
    try:
        options: Options = convert({**header.options, "recording": str(path)}, module.Options)
    except msgspec.ValidationError as error:
        raise SourceError(f"录制文件 {path.name} 的文件头不对：{error}", "重新录制") from error
    return Source(
        name=name or header.source or path.name.split(".", 1)[0],
        type=header.source_type,
        labels=labels or {},
        options=options,
    )


@contextmanager
def lines_of(path: Path, wanted: str) -> Iterator[list[bytes]]:
    """The lines after the header of a recording of the format ``wanted``. Raises SourceError for what is
    none, also where the block that decodes them finds them damaged (ValueError, msgspec's errors)."""
    try:
        with gzip.open(path) as file:
            content = file.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            raise SourceError(f"录制文件 {path.name} 展开后超过 512 MiB", "重新录制")
        header, *lines = content.splitlines()
        if from_json(header, Header).format != wanted:
            raise SourceError(f"录制文件 {path.name} 的格式不认识", f"要 {wanted}")
        yield lines
    except OSError as error:
        raise SourceError(f"录制文件 {path} 读不出：{error.__class__.__name__}", "检查路径") from error
    except (ValueError, EOFError, msgspec.MsgspecError) as error:
        raise SourceError(f"录制文件 {path.name} 不完整或已损坏", "重新录制") from error


def write_whole(path: Path, content: bytes) -> None:
    """Compress and write a recording, whole or not at all, for its owner alone to read; the same content
    gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(gzip.compress(content, mtime=0))
    temporary.replace(path)

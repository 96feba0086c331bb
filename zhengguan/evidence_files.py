"""Evidence files that people hand in: read with a limit, never followed anywhere else, named safely."""

from __future__ import annotations

import io
import os
import stat
import unicodedata
from pathlib import Path

from inventory.answers import AnswerFile, digest_of
from zhengguan.errors import UserError

MOST_FILES = 20
"""Evidence files of one answer."""

_LONGEST_NAME = 120


def read_evidence(path: Path, limit_mib: int, *, follow: bool = True) -> tuple[AnswerFile, bytes]:
    """One file with its content. UserError: no regular file, empty, or larger than the limit, which is seen
    before anything is read. ``follow`` False refuses symbolic links: the name came from a stranger."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    limit = limit_mib * 1024 * 1024
    try:
        with open(path, "rb", buffering=0, opener=lambda name, _: os.open(name, flags)) as file:
            about = os.fstat(file.fileno())
            if about.st_size > limit:
                raise _too_large(path, f"{about.st_size / 1024 / 1024:.0f} MiB", limit_mib)
            content = _read(file, limit + 1) if stat.S_ISREG(about.st_mode) else None
    except IsADirectoryError:
        content = None
    except OSError as error:
        raise UserError(f"证据 {path} 读不出：{error.strerror}", remedy="检查路径和权限") from error
    if content is None:
        raise UserError(f"{path} 不是普通文件", remedy="证据须是文件")
    if len(content) > limit:  # it grew while it was read
        raise _too_large(path, "还在变大", limit_mib)
    if not content:
        raise UserError(f"证据 {path} 是空的", remedy="换一个文件")
    named = AnswerFile(digest=digest_of(content), name=safe_name(path.name), size_bytes=len(content))
    return named, content


def _read(file: io.FileIO, most: int) -> bytes:
    parts = []
    while most > 0 and (part := file.read(min(most, 1 << 20))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _too_large(path: Path, size: str, limit_mib: int) -> UserError:
    return UserError(
        f"证据 {path} 太大（{size}，上限 {limit_mib} MiB）",
        remedy="压缩或只取有关的页；上限在 policies.answers.file_mib",
    )


def safe_name(name: str) -> str:
    """A file's name that is safe to show and to write: no folders, nothing invisible, of bounded length,
    with its ending."""
    name = name.replace("\\", "/").rpartition("/")[2]
    name = name.encode("utf-8", "replace").decode()
    name = "".join("_" if unicodedata.category(c)[0] in "CZ" and c != " " else c for c in name)
    name = name.strip(" .") or "file"
    stem, dot, ending = name.rpartition(".")
    if len(name) > _LONGEST_NAME and dot and len(ending) <= 10:
        return f"{stem[: _LONGEST_NAME - len(ending) - 1]}.{ending}"
    return name[:_LONGEST_NAME]

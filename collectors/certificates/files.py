"""Files and folders on this machine: which there are, and the certificates in them. Reads, nothing else."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from collectors.certificates.forms import (
    HEAD_BYTES,
    LONGEST_LINE,
    DamagedError,
    form_of,
    from_der,
    from_pem,
    from_pkcs7,
)

SUFFIXES: Final = (".pem", ".crt", ".cer", ".cert", ".der", ".p7b", ".p7c", ".p7s", ".p12", ".pfx", ".jks",
                   ".keystore", ".bundle", ".chain")  # fmt: skip
"""What a file in a folder is called that is read; a file that is named itself may be called anything."""
LOCKED: Final = "要口令才能打开，没有读"
MISSING: Final = "没有这个路径"
DENIED: Final = "无权读取"
TOO_LARGE: Final = "文件太大，没有读"
TOO_DEEP: Final = "目录太深，更里面的没有读"
TOO_MANY: Final = "文件太多，其余的没有读"
NOTHING: Final = "里面没有证书"


class Limits(msgspec.Struct, kw_only=True, frozen=True):
    """``depth``: folders below the one that was named; ``exclude``: shell patterns on names and paths."""

    file_bytes: int
    files: int
    depth: int
    exclude: Sequence[str] = ()


class Found(msgspec.Struct, kw_only=True):
    """A file with its certificates (DER), in their order."""

    path: str
    certificates: list[bytes]


class Told(msgspec.Struct, kw_only=True):
    """What a path told. ``gaps``: (path, why) of what was not read, or not whole. ``shut``: the path itself
    could not be read at all."""

    files: list[Found] = msgspec.field(default_factory=list)
    gaps: list[tuple[str, str]] = msgspec.field(default_factory=list)
    looked_at: int = 0
    shut: bool = False


def read(path: str, limits: Limits, tick: Callable[[], object]) -> Told:
    """A file, or a folder with the files below it. A file that is reached twice (by a link) is read once.
    ``tick`` is called before each file and may raise."""
    told = Told()
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        told.gaps.append((path, _why(error)))
        told.shut = True
        return told
    if not stat.S_ISDIR(mode):
        tick()
        _take(path, limits, told, set(), named=True)
        told.shut = bool(told.gaps) and not told.files
        return told
    seen: set[tuple[int, int]] = set()
    for file in _walk(path, limits, told):
        tick()
        if told.looked_at >= limits.files:
            told.gaps.append((path, TOO_MANY))
            break
        _take(file, limits, told, seen, named=False)
    told.shut = not told.looked_at and any(gap == (path, DENIED) for gap in told.gaps)
    return told


def _walk(top: str, limits: Limits, told: Told) -> Iterator[str]:
    """Files by their names, a folder's own before those of the folders in it, real files before links. A
    link to a folder is not followed: folders in a circle would never end."""
    waiting = [(top, 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            with os.scandir(folder) as listed:
                entries = sorted(listed, key=lambda entry: (entry.is_symlink(), entry.name))
        except OSError as error:
            told.gaps.append((folder, _why(error)))
            continue
        below = []
        for entry in entries:
            if _excluded(entry.path, limits):
                continue
            if entry.is_dir(follow_symlinks=False):
                below.append((entry.path, depth + 1))
            elif entry.name.lower().endswith(SUFFIXES):
                yield entry.path
        if below and depth >= limits.depth:
            told.gaps.append((folder, TOO_DEEP))
        else:
            waiting += reversed(below)


def _excluded(path: str, limits: Limits) -> bool:
    return any(
        fnmatch.fnmatch(path, pattern) or fnmatch.fnmatch(Path(path).name, pattern)
        for pattern in limits.exclude
    )


def _take(path: str, limits: Limits, told: Told, seen: set[tuple[int, int]], *, named: bool) -> None:
    """Read one file into ``told``."""
    told.looked_at += 1
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                if named:
                    told.gaps.append((path, "不是普通文件"))
                return
            if (state.st_dev, state.st_ino) in seen:
                return
            seen.add((state.st_dev, state.st_ino))
            if state.st_size > limits.file_bytes:
                told.gaps.append((path, TOO_LARGE))
                return
            certificates, problems = _certificates(file, limits.file_bytes)
    except OSError as error:
        why = _why(error)
        if named or why != MISSING:  # a link to nowhere holds nothing
            told.gaps.append((path, why))
        return
    if certificates:
        told.files.append(Found(path=path, certificates=certificates))
    elif named and not problems:
        problems = [NOTHING]
    told.gaps += [(path, problem) for problem in dict.fromkeys(problems)]


def _certificates(file: BinaryIO, most: int) -> tuple[list[bytes], list[str]]:
    """The certificates of an open, unbuffered file, and what is wrong with it."""
    head = file.read(HEAD_BYTES)
    form = form_of(head)
    if form in ("pkcs12", "jks"):
        return [], [f"{'PKCS#12' if form == 'pkcs12' else 'JKS'} {LOCKED}"]
    if form in ("key", "none"):
        return [], []
    if form == "pem":
        file.seek(0)
        return _from_blocks(file, most)
    try:
        data = head + b"".join(iter(lambda: file.read(1 << 16), b""))
        return (from_pkcs7(data) if form == "pkcs7" else [from_der(data)]), []
    except DamagedError as error:
        return [], [str(error)]


def _from_blocks(file: BinaryIO, most: int) -> tuple[list[bytes], list[str]]:
    import io

    certificates: list[bytes] = []
    problems: list[str] = []
    with io.BufferedReader(file, LONGEST_LINE) as lines:  # type: ignore[type-var]
        for block in from_pem(_lines(lines, most)):
            if isinstance(block, DamagedError):
                problems.append(str(block))
            else:
                certificates += block
    return certificates, problems


def _lines(file: BinaryIO, most: int) -> Iterator[bytes]:
    """Lines of a file, the ends of very long ones as lines of their own; at most ``most`` bytes, since a file
    may grow while it is read."""
    while most > 0 and (line := file.readline(LONGEST_LINE)):
        most -= len(line)
        yield line


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return MISSING
    return DENIED if isinstance(error, PermissionError) else f"读不出（{error.strerror or 'I/O'}）"

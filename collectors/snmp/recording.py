"""Replay of SNMP recordings: an engine that needs neither library nor device.

The format is snmpsim's ``.snmprec``: one ``OID|tag|value`` a line, the tag a BER type number, with ``x``
for hexadecimal and ``e`` for escapes, and ``:module`` for a variation module, of which the first value is
served. Lines may be out of order; lines that cannot be read are counted and left out.
"""

from __future__ import annotations

import bisect
import gzip
from collections.abc import Sequence
from pathlib import Path

from collectors.contract import SourceError
from collectors.snmp.engines import NoAnswerError, Oid, Value, Varbind, dotted_of, oid_of
from collectors.snmp.recorder import Marks

SUFFIXES = (".snmprec", ".snmprec.gz")
_MOST_BYTES = 256 << 20  # unpacked; a recording is a few MB
_NUMBERS = (2, 65, 66, 67, 70)  # INTEGER, Counter32, Gauge32, TimeTicks, Counter64


class Recording:
    """Rows of a recording in the order of their OIDs; ``malformed`` counts the lines left out. ``marks``:
    what our own recordings say besides."""

    def __init__(self, content: bytes) -> None:
        rows: dict[Oid, Value] = {}
        self.malformed = 0
        self.marks = Marks()
        for line in content.split(b"\n"):
            text = line.rstrip(b"\r")
            if text.startswith(b"#"):
                self.marks.read(text)
                continue
            if not text.strip():
                continue
            try:
                name, tag, value = text.split(b"|", 2)
                rows[oid_of(name.decode("ascii").strip())] = _value(tag.decode("ascii"), value)
            except ValueError:
                self.malformed += 1
        self.oids = sorted(rows)
        self.values = [rows[oid] for oid in self.oids]

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read a file, packed or not. Raises SourceError."""
        try:
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        except (OSError, EOFError) as error:
            raise SourceError(
                f"录制文件 {path.name} 读不出：{error.__class__.__name__}", "检查文件"
            ) from error
        if len(content) > _MOST_BYTES:
            raise SourceError(f"录制文件 {path.name} 太大", "录制文件不应超过 256 MB")
        return cls(content)


def _value(tag: str, raw: bytes) -> Value:
    """One recorded value. Raises ValueError."""
    tag, _, module = tag.strip().partition(":")
    form = tag[-1:] if tag[-1:] in ("x", "e") else ""
    kind = int(tag.removesuffix(form))
    if module:
        raw = _first_of_module(raw)
    if form == "x":
        raw = bytes.fromhex(raw.decode("ascii"))
        if kind in _NUMBERS:
            return int.from_bytes(raw, "big")
        if kind == 64:
            return ".".join(map(str, raw))
    elif form == "e":
        raw = raw.decode("unicode_escape").encode("latin1")
    if kind in (4, 68):
        return raw
    if kind == 5:
        return None
    text = raw.decode("ascii").strip()
    if kind == 6:
        return dotted_of(oid_of(text)) if text.strip(".") else "0.0"
    if kind == 64:
        return dotted_of(oid_of(text))
    if kind in _NUMBERS:
        number = int(float(text)) if module else int(text)
        return number if kind == 2 else number % (1 << (64 if kind == 70 else 32))
    raise ValueError(f"unknown tag {kind}")


def _first_of_module(raw: bytes) -> bytes:
    options = dict(part.split(b"=", 1) for part in raw.split(b",") if b"=" in part)
    return options.get(b"value") or options.get(b"initial") or options.get(b"min") or b"0"


class ReplayEngine:
    """See ``Engine``: an agent that answers from a recording."""

    def __init__(self, recording: Recording) -> None:
        self._oids = recording.oids
        self._values = recording.values
        if not self._oids:
            raise NoAnswerError("录制是空的")

    async def get(self, oids: Sequence[Oid], timeout: float) -> dict[Oid, Value]:
        found: dict[Oid, Value] = {}
        for oid in oids:
            at = bisect.bisect_left(self._oids, oid)
            if at < len(self._oids) and self._oids[at] == oid:
                found[oid] = self._values[at]
        return found

    async def get_next(self, oid: Oid, timeout: float) -> Varbind | None:
        return next(iter(await self.get_bulk(oid, 1, timeout)), None)

    async def get_bulk(self, oid: Oid, max_repetitions: int, timeout: float) -> list[Varbind]:
        at = bisect.bisect_right(self._oids, oid)
        end = at + max_repetitions
        return list(zip(self._oids[at:end], self._values[at:end], strict=True))

    def close(self) -> None:
        """Nothing to let go of."""


def find(folder: Path, target: str) -> Path | None:
    """The recording of a target: ``target.snmprec`` or ``target.snmprec.gz``, or the one file itself."""
    if folder.is_file():
        return folder if stem(folder) == target else None
    names = (folder / f"{target}{suffix}" for suffix in SUFFIXES)
    return next((path for path in names if path.is_file()), None)


def stems(folder: Path) -> list[str]:
    """Targets that a folder (or one file) has recordings of, sorted."""
    if folder.is_file():
        return [stem(folder)]
    return sorted({stem(path) for path in folder.iterdir() if path.name.endswith(SUFFIXES)})


def stem(path: Path) -> str:
    """The target a recording is of: its file name without the ending."""
    return path.name.removesuffix(".gz").removesuffix(".snmprec")

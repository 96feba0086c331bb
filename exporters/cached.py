"""A metric family of this program, whose values are those of the last run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exporters.exposition import Encoded, Family, Value, encode

CACHED = "Cached: from the last run, see zhengguan_snapshot_timestamp_seconds."
Rows = Iterable[tuple[Sequence[str], Value]]


def family(name: str, help_text: str, labels: str, rows: Rows, *, cached: bool = True) -> Encoded:
    """A family of this program, ``zhengguan_`` before its name. Its help says that values are those of the
    last run, where they are (``cached``). ``labels``: names, with blanks between."""
    kind = "info" if name.endswith("_info") else "gauge"
    text = f"{help_text} {CACHED}" if cached else help_text
    return encode(Family(f"zhengguan_{name}", text, kind, tuple(labels.split())), rows)  # type: ignore[arg-type]

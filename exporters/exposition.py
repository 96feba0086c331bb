"""Prometheus exposition: families rendered to bytes once, so that a scrape only writes.

Text format 0.0.4 and OpenMetrics 1.0. Both write the same sample lines and differ in the family's header
and in the ``# EOF`` of OpenMetrics, so a family's samples are rendered once for both. Sources: Prometheus
documentation "Exposition formats" and the OpenMetrics 1.0 specification.
"""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, Literal

import msgspec

MetricType = Literal["gauge", "counter", "info"]
Format = Literal["text", "openmetrics"]
Value = float | int | Decimal

CONTENT_TYPES: Final[dict[Format, str]] = {
    "text": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
}
FORBIDDEN_LABELS: Final = frozenset(
    "type region zone cluster az owner customer service env job instance le quantile".split()
)
"""Target labels of most installations (and reserved ones): a scrape would rename ours to exported_…"""

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_GZIP_LEVEL = 1  # level 9 costs five times as much for 29 % fewer bytes
_EOF = b"# EOF\n"


class Family(msgspec.Struct, frozen=True):
    """A metric family. ``name`` in full, as samples carry it (counter ``…_total``, info ``…_info``);
    ``labels`` in the order in which rows give their values. Raises ValueError for names that would
    collide or not parse."""

    name: str
    help: str
    type: MetricType = "gauge"
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"not a metric name: {self.name!r}")
        if (self.type == "counter") != self.name.endswith("_total"):
            raise ValueError(f"counters, and only they, end in _total: {self.name}")
        if (self.type == "info") != self.name.endswith("_info"):
            raise ValueError(f"info metrics, and only they, end in _info: {self.name}")
        for label in self.labels:
            if not _NAME.fullmatch(label) or label.startswith("__") or label in FORBIDDEN_LABELS:
                raise ValueError(f"label {label!r} of {self.name} is reserved or not a name")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"{self.name} names a label twice")

    def header(self, form: Format) -> bytes:
        """``# HELP`` and ``# TYPE`` lines."""
        help_text = self.help.replace("\\", "\\\\").replace("\n", "\\n")
        if form == "text":
            kind = "gauge" if self.type == "info" else self.type
            return f"# HELP {self.name} {help_text}\n# TYPE {self.name} {kind}\n".encode()
        help_text = help_text.replace('"', '\\"')
        name = self.name.removesuffix("_total").removesuffix("_info") if self.type != "gauge" else self.name
        return f"# HELP {name} {help_text}\n# TYPE {name} {self.type}\n".encode()


def escape(value: str) -> str:
    """A label value as both formats want it."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value


def number(value: Value) -> str:
    """A sample value. Integers stay exact; floats are the shortest text that reads back the same."""
    if isinstance(value, int):
        return str(int(value))  # int(): a bool is written 1 or 0
    value = float(value)
    if value != value:  # noqa: PLR0124 - NaN
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)


def fragment(family: Family, values: Sequence[str], value: Value) -> bytes:
    """One sample line. Text that is not valid Unicode (device text may hold lone surrogates) is written
    with "?" in its place."""
    if len(values) != len(family.labels):
        raise ValueError(f"{family.name} has {len(family.labels)} labels, not {len(values)}")
    if not values:
        return f"{family.name} {number(value)}\n".encode()
    inner = ",".join([f'{label}="{escape(text)}"' for label, text in zip(family.labels, values, strict=True)])
    return f"{family.name}{{{inner}}} {number(value)}\n".encode(errors="replace")


class Encoded(msgspec.Struct, frozen=True):
    """A family's samples as bytes, and how many they are."""

    family: Family
    body: bytes
    samples: int


def encode(family: Family, rows: Iterable[tuple[Sequence[str], Value]]) -> Encoded:
    """Render a family from (label values, value) rows, at once. Raises ValueError where two rows have the
    same labels, or a row too few or too many.

    One format string for all rows; whether anything needs escaping is then told by counting quotes, line
    ends and backslashes in the whole text, which costs a hundredth of looking at each value.
    """
    held = rows if isinstance(rows, list) else list(rows)
    keys = [tuple(values) for values, _ in held]
    width = len(family.labels)
    if set(map(len, keys)) - {width}:
        raise ValueError(f"every row of {family.name} must have {width} label values")
    if len(set(keys)) != len(keys):
        raise ValueError(f"{family.name} has two rows with the same labels")
    numbers = _numbers([value for _, value in held])
    labels = ",".join([f'{label}="%s"' for label in family.labels])
    line = f"{family.name}{{{labels}}} %s\n" if labels else f"{family.name} %s\n"
    text = "".join([line % (*key, shown) for key, shown in zip(keys, numbers, strict=True)])
    if text.count('"') != 2 * width * len(keys) or text.count("\n") != len(keys) or "\\" in text:
        escaped = [[escape(value) for value in key] for key in keys]
        text = "".join([line % (*key, shown) for key, shown in zip(escaped, numbers, strict=True)])
    return Encoded(family, text.encode(errors="replace"), len(held))


def _numbers(values: list[Value]) -> Sequence[str | int]:
    """``number`` of each; plain integers and finite floats in one go."""
    types = set(map(type, values))
    if types <= {int}:
        return values  # type: ignore[return-value]
    if types <= {int, float} and all(map(math.isfinite, values)):
        return list(map(repr, values))
    return list(map(number, values))


class Fragments:
    """A family kept as one rendered line per resource: after a run only what changed is rendered again,
    and the family's bytes are a join. For families with a series per resource."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self._lines: dict[str, bytes] = {}
        self._joined: Encoded | None = None

    def put(self, key: str, values: Sequence[str], value: Value) -> None:
        """Set the line of one resource. ``key`` stands for the labels: one key, one set of labels."""
        self._lines[key] = fragment(self.family, values, value)
        self._joined = None

    def drop(self, key: str) -> None:
        """Forget a resource that is gone, so that its series ends."""
        if self._lines.pop(key, None) is not None:
            self._joined = None

    def encoded(self) -> Encoded:
        """The family as it stands."""
        if self._joined is None:
            self._joined = Encoded(self.family, b"".join(self._lines.values()), len(self._lines))
        return self._joined


_DROPPED = Family(
    "zhengguan_exporter_family_dropped_series",
    "Series of a metric family that is left out whole because the page would exceed its series limit.",
    labels=("family",),
)
_DROPPED_COUNT = Family(
    "zhengguan_exporter_dropped_families", "Metric families left out because of the series limit."
)
_SERIES = Family("zhengguan_exporter_series", "Series served on this page, its own four families left out.")
_LIMIT = Family("zhengguan_exporter_series_limit", "Most series that this page may serve.")
MAX_SERIES: Final = 200_000


class Page:
    """What one path serves: families in order, with the bytes of each format, plain and gzip, cached.

    ``families`` come most wanted first. One that would take the page over ``max_series`` is left out
    whole, and the page says which and how many series it had; the smaller ones after it may still fit.
    The compressed page is one gzip member per family, joined (RFC 1952 §2.2).
    """

    def __init__(self, families: Iterable[Encoded], max_series: int = MAX_SERIES) -> None:
        kept: list[Encoded] = []
        dropped: list[Encoded] = []
        series = 0
        for encoded in families:
            fits = series + encoded.samples <= max_series
            (kept if fits else dropped).append(encoded)
            series += encoded.samples if fits else 0
        names = [e.family.name for e in (*kept, *dropped)]
        if len(set(names)) != len(names):
            raise ValueError("a family stands twice on the page")
        own = [
            encode(_SERIES, [((), series)]),
            encode(_LIMIT, [((), max_series)]),
            encode(_DROPPED_COUNT, [((), len(dropped))]),
            encode(_DROPPED, [((e.family.name,), e.samples) for e in dropped]),
        ]
        self.series = series
        self.dropped = {e.family.name: e.samples for e in dropped}
        self._families = [*kept, *own]
        self._members: dict[tuple[str, Format], bytes] = {}

    def chunks(self, form: Format) -> list[bytes]:
        """The page in pieces, for a server that streams."""
        parts: list[bytes] = []
        for encoded in self._families:
            parts += (encoded.family.header(form), encoded.body)
        return [*parts, _EOF] if form == "openmetrics" else parts

    def gzip_chunks(self, form: Format) -> list[bytes]:
        """The page as gzip members; each is compressed once for as long as the page lives."""
        parts = [self._member(e.family.name, form, e.family.header(form) + e.body) for e in self._families]
        return [*parts, self._member("", form, _EOF)] if form == "openmetrics" else parts

    def body(self, form: Format = "text") -> bytes:
        return b"".join(self.chunks(form))

    def _member(self, name: str, form: Format, plain: bytes) -> bytes:
        key = (name, form)
        if key not in self._members:
            self._members[key] = gzip.compress(plain, _GZIP_LEVEL, mtime=0)
        return self._members[key]

    def answer(self, accept: str = "", accept_encoding: str = "") -> Answer:
        """What to send to a client that sent these two request headers."""
        form = negotiate(accept)
        headers = {"Content-Type": CONTENT_TYPES[form], "Vary": "Accept, Accept-Encoding"}
        if wants_gzip(accept_encoding):
            return Answer({**headers, "Content-Encoding": "gzip"}, self.gzip_chunks(form))
        return Answer(headers, self.chunks(form))


class Answer(msgspec.Struct, frozen=True):
    """Headers and body of a response. The length is the sum of the chunks."""

    headers: dict[str, str]
    chunks: list[bytes]


def negotiate(accept: str) -> Format:
    """The format that an ``Accept`` header prefers (RFC 9110 §12.5.1): OpenMetrics 1.0 only where it is
    named and not liked less than plain text."""
    qualities = {"openmetrics": 0.0, "text": 0.0}
    for media, parameters, quality in _preferences(accept):
        if media == "application/openmetrics-text" and parameters.get("version", "1.0.0") == "1.0.0":
            qualities["openmetrics"] = max(qualities["openmetrics"], quality)
        elif media == "text/plain":
            qualities["text"] = max(qualities["text"], quality)
    liked = qualities["openmetrics"]
    return "openmetrics" if liked > 0 and liked >= qualities["text"] else "text"


def wants_gzip(accept_encoding: str) -> bool:
    """Whether an ``Accept-Encoding`` header allows gzip."""
    found = {coding: quality for coding, _, quality in _preferences(accept_encoding)}
    return found.get("gzip", found.get("*", 0.0)) > 0


def _preferences(header: str) -> Iterable[tuple[str, dict[str, str], float]]:
    for item in header.lower().split(","):
        name, *rest = (part.strip() for part in item.split(";"))
        parameters = dict(part.partition("=")[::2] for part in rest)
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            quality = 0.0
        yield name, parameters, quality

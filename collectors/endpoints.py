"""Endpoints that people list: addresses as they write them, what names resolve to, what is told of each."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, TypeVar

import msgspec

from collectors.contract import Options, Run, SourceError
from collectors.recordings import Header, lines_of, write_whole
from collectors.targets import is_address, side_by_side, source_error
from inventory.coverage import Batch, Status
from inventory.decoding import convert, from_json
from inventory.resource import Resource

Family = Literal["ipv4", "ipv6"]
T = TypeVar("T")

_MOST_ADDRESSES: Final = 8
_SOCKETS: Final = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


class Asked(msgspec.Struct, frozen=True):
    """One target, taken apart."""

    host: str
    port: int

    @property
    def scope(self) -> str:
        """Its name in collections."""
        return shown(self.host, self.port)


class EndpointOptions(Options, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What sources of endpoints have alike. ``targets``: "host", "host:port", "[v6]:port"; a host name is
    asked at each of its addresses of ``families``."""

    PATHS: ClassVar[tuple[str, ...]] = ("recording",)
    PORT: ClassVar[int]  # where none is given
    POSITIVE: ClassVar[tuple[str, ...]] = ("timeout_seconds", "endpoint_seconds", "concurrency")

    targets: list[str] = msgspec.field(default_factory=list)
    families: list[Family] = msgspec.field(default_factory=lambda: ["ipv4", "ipv6"])
    concurrency: int = 16
    recording: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.targets and not self.recording:
            raise ValueError("targets 是空的：至少写一个端点")
        scopes_are_unique([one.scope for one in self.asked()])
        families_are_right(self.families)
        for name in self.POSITIVE:
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} 要大于 0")

    def asked(self, recorded: Iterable[str] = ()) -> list[Asked]:
        """The targets, taken apart; where none are named, those of a recording. Raises ValueError for what is
        none."""
        return [Asked(*split(target, self.PORT)) for target in self.targets or recorded]


def split(text: str, default: int) -> tuple[str, int]:
    """Host and port of "host", "host:port", "[v6]:port" or a bare v6 address. Raises ValueError (中文)."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
        if not closed or not is_address(host) or (rest and not rest.startswith(":")):
            raise ValueError(f"不认识的地址 {text[:80]}，写成 [地址]:端口")
    elif text.count(":") > 1:
        host, port = text, ""
        if not is_address(host):
            raise ValueError(f"不认识的地址 {text[:80]}，IPv6 写成 [地址]:端口")
    else:
        host, _, port = text.partition(":")
    if not host or any(c.isspace() or c in "/@?#" for c in host):
        raise ValueError(f"不认识的地址 {text[:80]!r}，写成 主机:端口，不带 https:// 和路径")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"端口 {port[:20]!r} 不对，要 1 至 65535")
    if not is_address(host):
        wire_name(host)
    return host, int(port) if port else default


def wire_name(name: str) -> str:
    """A name as it goes over the wire (IDNA); "" stays so. Raises ValueError (中文)."""
    if not name:
        return ""
    try:
        return name.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise ValueError(f"不认识的名字 {name[:80]!r}") from error


def shown(host: str, port: int) -> str:
    """host:port, with brackets around a v6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def families_are_right(families: Sequence[Family]) -> None:
    """Raises ValueError (中文) where there are none, or one twice."""
    if not families or len(set(families)) != len(families):
        raise ValueError("families 写 ipv4、ipv6 之一或两者")


def scopes_are_unique(scopes: Sequence[str]) -> None:
    """Raises ValueError (中文) where a target stands twice."""
    if doubled := {scope for scope, n in Counter(scopes).items() if n > 1}:
        raise ValueError(f"targets 里有重复的端点：{'、'.join(sorted(doubled)[:10])}")


def addresses(host: str, port: int, families: Sequence[Family], kind: socket.SocketKind) -> list[str]:
    """Numeric addresses of a host, eight at the most. Raises SourceError where it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=kind)
    except (OSError, UnicodeError) as error:
        raise SourceError(f"域名 {host} 解析不出地址", "检查名字和 DNS") from error
    chosen = {_SOCKETS[family] for family in families}
    held = list(dict.fromkeys(str(info[4][0]) for info in found if info[0] in chosen))
    if not held:
        raise SourceError(f"{host} 没有 {'、'.join(families)} 地址", "检查名字和 families")
    return held[:_MOST_ADDRESSES]


def write_told(
    path: Path,
    format_: str,
    options: Options,
    asked_with: Sequence[str],
    told: Mapping[str, Any],
    run: Run,
    note: str,
) -> None:
    """Write a recording of what each target said (scope → a struct), whole or not at all."""
    header = Header(
        format=format_,
        source=run.source.name,
        recorded_at=run.now().isoformat(timespec="seconds"),
        note=note,
        options={name: msgspec.to_builtins(getattr(options, name)) for name in asked_with},
    )
    lines: list[Any] = [header, *({"scope": scope, "told": told[scope]} for scope in sorted(told))]
    content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    write_whole(path, run.redactor.values(content.decode()).encode())


def read_told(recording: str, format_: str, type_: type[T]) -> dict[str, T] | None:
    """Scope → what was told, of a recording; None where none is named. Raises SourceError."""
    if not recording:
        return None
    with lines_of(Path(recording), format_) as lines:
        decoded = [from_json(line) for line in lines]
        return {str(line["scope"]): convert(line["told"], type_) for line in decoded}


def asked(
    work: Mapping[str, Callable[[], T]], at_once: int, run: Run, doing: str
) -> Iterator[tuple[str, T | SourceError, datetime]]:
    """What came of each target (scope → work), or what ended it, and when it was begun; with progress."""
    began: dict[str, datetime] = {}
    started = run.now()

    def timed(scope: str, one: Callable[[], T]) -> T:
        began[scope] = run.now()
        return one()

    found = side_by_side({scope: partial(timed, scope, one) for scope, one in work.items()}, at_once, run)
    for done, (scope, result) in enumerate(found, start=1):
        run.progress(doing, done, len(work))
        told = source_error(result) if isinstance(result, BaseException) else result
        yield scope, told, began.get(scope, started)


def batch_of(
    run: Run,
    kind: str,
    scope: str,
    began: datetime,
    resources: Sequence[Resource],
    gaps: Sequence[tuple[str, str]],
    origin: str,
) -> Batch:
    """The resources of one target and its collection; ``gaps``: why not all was seen, and what helps."""
    batch = Batch(resources=list(resources))
    if resources:
        encoded = msgspec.json.encode(resources)
        batch.evidence.append(run.evidence(encoded, origin=f"{origin} {scope}", mapped=True))
    status = Status.FAILED if not resources else Status.PARTIAL if gaps else Status.COMPLETE
    batch.collections.append(
        run.collection(
            kind,
            status,
            began,
            scope=scope,
            count=len(resources),
            reason="；".join(reason for reason, _ in gaps),
            remedy="；".join(remedy for _, remedy in gaps),
            evidence=[one.id for one in batch.evidence],
        )
    )
    return batch

"""The configuration: one ``zhengguan.yaml``, checked whole, each error with its line.

Paths are relative to the file. ``ZHENGGUAN_<KEY>`` and ``ZHENGGUAN_<SECTION>_<KEY>`` override single
values (``ZHENGGUAN_STORE``, ``ZHENGGUAN_SERVE_LISTEN``). Secrets are never written here, only references.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from collectors.contract import REGISTRY, Options, Source, collector
from inventory.systems import System
from policies.assessment import Edition
from zhengguan.errors import UserError
from zhengguan.yaml_lines import Marked, load_marked

DEFAULT_FILE = "zhengguan.yaml"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Section(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of the sections."""


class Collect(Section):
    concurrency: int = 4  # sources read at once


class Policies(Section):
    rules: list[str] = []  # folders of own rules
    edition: Edition = "2025"
    parameters: dict[str, str] = {}  # open points of the scoring method


class Serve(Section):
    """``listen`` beyond loopback wants both TLS files and a login."""

    listen: str = "127.0.0.1:9870"
    interval_seconds: int = 3600
    tls_certificate: str = ""
    tls_key: str = ""
    user: str = ""
    password_ref: str = ""


class _File(Section):
    store: str = "zhengguan.db"
    sources: list[dict[str, Any]] = []
    systems: list[System] = []
    collect: Collect = msgspec.field(default_factory=Collect)
    policies: Policies = msgspec.field(default_factory=Policies)
    serve: Serve = msgspec.field(default_factory=Serve)


class _SourceHead(msgspec.Struct, kw_only=True):
    """The keys that every source has; the others are its collector's options."""

    name: str
    type: str
    labels: dict[str, str] = {}
    deadline_seconds: float = 300.0


class Config(msgspec.Struct, kw_only=True):
    """A checked configuration. ``folder`` is where its relative paths start."""

    path: Path
    folder: Path
    store: str
    sources: list[Source]
    systems: list[System]
    collect: Collect
    policies: Policies
    serve: Serve

    def system(self, name: str) -> System:
        """One system by name; UserError names the ones there are."""
        for system in self.systems:
            if system.name == name:
                return system
        raise UserError(
            f"没有名为 {name!r} 的系统",
            where=str(self.path),
            remedy=did_you_mean(name, [s.name for s in self.systems]) or "先在 systems 下登记",
        )

    def rule_folders(self) -> list[Path]:
        """Folders of the user's own rules."""
        return [self.folder / Path(folder).expanduser() for folder in self.policies.rules]


def load_config(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read and check a configuration. Raises UserError with file, line and remedy."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(
            f"找不到配置文件 {path}", remedy="用 zhengguan init 写一份，或用 -c 指明位置"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"配置文件 {path} 读不出：{error}", remedy="检查权限；文件须为 UTF-8") from error
    return parse_config(text, path, environ)


def parse_config(text: str, path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The same from text; ``path`` names it in errors and places its relative paths."""
    marked = load_marked(text, str(path))
    data = {} if marked.data is None else marked.data
    if not isinstance(data, dict):
        raise UserError(
            "配置文件的最外层必须是 键: 值", where=f"{path}:1", remedy="参照 zhengguan init 写出的样例"
        )
    _override(data, environ)
    file = convert(marked, data, _File)
    folder = path.parent.resolve()
    sources = [_source(marked, index, raw, folder) for index, raw in enumerate(file.sources)]
    _unique(marked, "sources", [s.name for s in sources])
    _unique(marked, "systems", [s.name for s in file.systems])
    return Config(
        path=path,
        folder=folder,
        store=_store_url(file.store, folder),
        sources=sources,
        systems=file.systems,
        collect=file.collect,
        policies=file.policies,
        serve=file.serve,
    )


def _store_url(store: str, folder: Path) -> str:
    return store if "://" in store else str(folder / Path(store).expanduser())


def _override(data: dict[str, Any], environ: Mapping[str, str]) -> None:
    sections = {"collect": Collect, "policies": Policies, "serve": Serve}
    if store := environ.get("ZHENGGUAN_STORE"):
        data["store"] = store
    for name, section in sections.items():
        for key in section.__struct_fields__:
            if (value := environ.get(f"ZHENGGUAN_{name}_{key}".upper())) is not None:
                part = data.setdefault(name, {})
                if isinstance(part, dict):
                    part[key] = int(value) if value.isdecimal() else value


def _source(marked: Marked, index: int, raw: dict[str, Any], folder: Path) -> Source:
    at: tuple[str | int, ...] = ("sources", index)
    head = convert(marked, raw, _SourceHead, at)
    if not _NAME.fullmatch(head.name):
        raise UserError(
            f"来源名 {head.name!r} 只能用字母、数字、点、横线、下划线", where=marked.place((*at, "name"))
        )
    if head.type not in REGISTRY:
        remedy = did_you_mean(head.type, list(REGISTRY)) or f"可用的类型：{'、'.join(sorted(REGISTRY))}"
        raise UserError(f"没有 {head.type!r} 这种来源", where=marked.place((*at, "type")), remedy=remedy)
    own = {key: value for key, value in raw.items() if key not in _SourceHead.__struct_fields__}
    options = convert(marked, own, collector(head.type).Options, at)
    _resolve_paths(options, folder)
    return Source(
        name=head.name,
        type=head.type,
        labels=head.labels,
        options=options,
        deadline_seconds=head.deadline_seconds,
    )


def _resolve_paths(options: Options, folder: Path) -> None:
    for name in options.PATHS:
        value = getattr(options, name)
        if value:
            setattr(options, name, str(folder / Path(value).expanduser()))


def _unique(marked: Marked, section: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise UserError(f"{section} 里有两个 {name!r}", where=marked.place((section, index, "name")))


def convert(marked: Marked, data: Any, kind: type[Any], at: tuple[str | int, ...] = ()) -> Any:
    """Check decoded YAML against a struct. Raises UserError at the line of what is wrong."""
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        path, message, field = _explain(str(error))
        place = marked.place((*at, *path, field) if field else (*at, *path))
        remedy = ""
        if field:
            target = _struct_at(kind, path)
            known = [*target.__struct_fields__] if target else []
            if kind is not _SourceHead and issubclass(kind, Options):
                known += _SourceHead.__struct_fields__
            remedy = did_you_mean(field, known) or (f"可用的键：{'、'.join(known)}" if known else "")
        raise UserError(message, where=place, remedy=remedy) from error


_AT = re.compile(r" - at `\$(.*?)`$")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\[\.\.\.\]")
_WORDS = (
    (re.compile(r"Object contains unknown field `(.*)`"), "不认识的键 {0!r}"),
    (re.compile(r"Object missing required field `(.*)`"), "缺少 {0!r}"),
    (re.compile(r"Expected `(.*)`, got `(.*)`"), "要的是 {0}，写的是 {1}"),
    (re.compile(r"Invalid enum value (.*)"), "不允许的值 {0}"),
)


def _explain(error: str) -> tuple[tuple[str | int, ...], str, str]:
    """Path, Chinese message, and the unknown field's name of one msgspec error."""
    path: tuple[str | int, ...] = ()
    if match := _AT.search(error):
        steps = _STEP.finditer(match[1])
        path = tuple(int(s[2]) if s[2] else s[1] for s in steps if s[1] or s[2])
        error = error[: match.start()]
    for pattern, words in _WORDS:
        if match := pattern.fullmatch(error):
            field = match[1] if "unknown field" in error else ""
            return path, words.format(*match.groups()), field
    return path, error, ""


def _struct_at(kind: type[Any], path: tuple[str | int, ...]) -> type[Any] | None:
    if not path:
        return kind
    fields = {f.name: f.type for f in msgspec.structs.fields(kind)}
    inner = fields.get(str(path[0]))
    rest = [step for step in path[1:] if not isinstance(step, int)]
    arguments = [inner, *getattr(inner, "__args__", ())]
    for candidate in arguments:
        if isinstance(candidate, type) and issubclass(candidate, msgspec.Struct):
            return _struct_at(candidate, tuple(rest))
    return None


def did_you_mean(word: str, among: list[str]) -> str:
    """A remedy naming the closest known word, or ""."""
    close = get_close_matches(word, among, n=1, cutoff=0.6)
    return f"是不是 {close[0]!r}？" if close else ""

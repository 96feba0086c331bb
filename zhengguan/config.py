"""The configuration: one ``zhengguan.yaml``, checked whole, each error with its line.

Paths are relative to the file. ``ZHENGGUAN_<KEY>`` and ``ZHENGGUAN_<SECTION>_<KEY>`` override single
values (``ZHENGGUAN_STORE``, ``ZHENGGUAN_SERVE_LISTEN``). Secrets are never written here, only references.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from collectors.contract import REGISTRY, Options, Source, collector
from inventory.systems import System
from policies.answers import DEFAULT_DAYS, MOST_DAYS, WARN_DAYS
from policies.assessment import Edition
from policies.crypto import CryptoEdition
from policies.ipv6.plan import PlannedPrefix, twice
from policies.spelling import suggestion
from policies.standards import available
from policies.yaml_text import YamlError, YamlText, parse_yaml, read_yaml, typed
from zhengguan.errors import UserError

DEFAULT_FILE = "zhengguan.yaml"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class Section(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of the sections."""


class Collect(Section):
    concurrency: int = 4  # sources read at once


class Miping(Section):
    """密评: edition of the quantification rule, and its open points."""

    edition: CryptoEdition = "2023"
    parameters: dict[str, str] = {}


class Answers(Section):
    """People's answers: how long one holds unless it says so, how long before its end to warn, and the
    largest evidence file."""

    valid_days: int = DEFAULT_DAYS
    warn_days: int = WARN_DAYS
    file_mib: int = 20


class Ipv6(Section):
    """IPv6: the prefixes that were registered, each with its owner and purpose."""

    plan: list[PlannedPrefix] = []


class Policies(Section):
    rules: list[str] = []  # folders of own rules
    standards: list[str] = []  # folders of own standards
    targets: dict[str, float | dict[int, float]] = {}  # of indicators: a share, or by year
    edition: Edition = "2025"
    parameters: dict[str, str] = {}  # open points of the scoring method
    miping: Miping = msgspec.field(default_factory=Miping)
    answers: Answers = msgspec.field(default_factory=Answers)
    ipv6: Ipv6 = msgspec.field(default_factory=Ipv6)
    exceptions: list[str] = []  # files of accepted deviations


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
            remedy=suggestion(name, [s.name for s in self.systems]) or "先在 systems 下登记",
        )

    def rule_folders(self) -> list[Path]:
        """Folders of the user's own rules."""
        return [self.folder / Path(folder).expanduser() for folder in self.policies.rules]

    def standard_folders(self) -> list[Path]:
        """Folders of the user's own standards."""
        return [self.folder / Path(folder).expanduser() for folder in self.policies.standards]

    def targets(self) -> dict[str, dict[int, Decimal]]:
        """The user's own targets of indicators: "standard/indicator" → year (0 = any) → share, 0–1."""
        return {
            name: {year: Decimal(str(share)) for year, share in given.items()}
            if isinstance(given, dict)
            else {0: Decimal(str(given))}
            for name, given in self.policies.targets.items()
        }

    def exception_files(self) -> list[Path]:
        """Files of the user's exceptions."""
        return [self.folder / Path(file).expanduser() for file in self.policies.exceptions]


def load_config(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read and check a configuration. Raises UserError with file, line and remedy."""
    if not path.exists():
        raise UserError(f"找不到配置文件 {path}", remedy="用 zhengguan init 写一份，或用 -c 指明位置")
    try:
        return _checked(read_yaml(path), environ)
    except YamlError as error:
        raise yaml_error(error) from error


def parse_config(text: str, path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The same from text; ``path`` names it in errors and places its relative paths."""
    try:
        return _checked(parse_yaml(text, path), environ)
    except YamlError as error:
        raise yaml_error(error) from error


def yaml_error(error: YamlError) -> UserError:
    """A mistake in a YAML file, as what the user is told."""
    where = f"{error.path}:{error.line}" if error.line else str(error.path)
    return UserError(error.message, where=where, remedy=error.hint)


def _checked(source: YamlText, environ: Mapping[str, str]) -> Config:
    data = source.data
    if not isinstance(data, dict):
        raise source.error("配置文件的最外层必须是 键: 值", hint="参照 zhengguan init 写出的样例")
    _override(data, environ)
    file = typed(source, _File)
    folder = source.path.parent.resolve()
    sources = [_source(source, index, raw, folder) for index, raw in enumerate(file.sources)]
    _unique(source, "sources", [s.name for s in sources])
    _unique(source, "systems", [s.name for s in file.systems])
    _bounded(source, file.policies.answers)
    _planned(source, file.policies.ipv6.plan)
    config = Config(
        path=source.path,
        folder=folder,
        store=_store_url(file.store, folder),
        sources=sources,
        systems=file.systems,
        collect=file.collect,
        policies=file.policies,
        serve=file.serve,
    )
    _standards(source, config)
    return config


def _standards(file: YamlText, config: Config) -> None:
    """Folders, names and targets of standards. Whether they load is seen where they are used."""
    for index, folder in enumerate(config.standard_folders()):
        if not folder.is_dir():
            raise file.error(f"没有这个标准目录：{folder}", ("policies", "standards", index), "检查路径")
    names = available(config.standard_folders())
    for index, system in enumerate(config.systems):
        for place, name in enumerate(system.standards):
            if name not in names:
                hint = suggestion(name, names)
                raise file.error(f"没有标准 {name}", ("systems", index, "standards", place), hint)
    for name, years in config.targets().items():
        for year, share in years.items():
            if not 0 <= share <= 1:
                at = (year,) if isinstance(config.policies.targets[name], dict) else ()
                raise file.error(
                    f"目标 {share} 要在 0 和 1 之间", ("policies", "targets", name, *at), "90% 写作 0.9"
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


def _source(file: YamlText, index: int, raw: dict[str, Any], folder: Path) -> Source:
    at = ("sources", index)
    head = typed(file, _SourceHead, data=raw, place=at)
    if not _NAME.fullmatch(head.name):
        raise file.error(f"来源名 {head.name!r} 只能用字母、数字、点、横线、下划线", (*at, "name"))
    if head.type not in REGISTRY:
        raise file.error(f"没有 {head.type} 这种来源", (*at, "type"), suggestion(head.type, REGISTRY))
    own = {key: value for key, value in raw.items() if key not in _SourceHead.__struct_fields__}
    options = typed(
        file, collector(head.type).Options, data=own, place=at, known=_SourceHead.__struct_fields__
    )
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
        if isinstance(value, list):
            setattr(options, name, [str(folder / Path(one).expanduser()) for one in value])
        elif value:
            setattr(options, name, str(folder / Path(value).expanduser()))


def _bounded(file: YamlText, answers: Answers) -> None:
    for key, most in (("valid_days", MOST_DAYS), ("warn_days", MOST_DAYS), ("file_mib", 200)):
        if not 1 <= getattr(answers, key) <= most:
            raise file.error(f"{key} 要在 1 和 {most} 之间", ("policies", "answers", key))


def _planned(file: YamlText, plan: list[PlannedPrefix]) -> None:
    index = twice(plan)
    if index is not None:
        at = ("policies", "ipv6", "plan", index, "prefix")
        raise file.error(f"前缀 {plan[index].prefix} 登记了两次", at, "一个前缀只登记一次；里面的小前缀另写")


def _unique(file: YamlText, section: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise file.error(f"{section} 里有两个 {name}", (section, index, "name"), "换一个名字")

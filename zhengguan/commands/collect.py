"""``zhengguan collect``: read the sources once, into one snapshot."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from collectors.contract import Collector, Run, Source, SourceError
from collectors.recordings import replaying
from collectors.run import reading
from inventory.coverage import Batch, Collection, Status
from zhengguan import console
from zhengguan.config import Config
from zhengguan.errors import Exit, UserError
from zhengguan.loop import Collected, chosen, collect_into, configured, opened


def run(options: argparse.Namespace) -> int:
    config = configured(options.config)
    sources, note = _sources(config, options)
    how = partial(_recording, path=Path(options.record)) if options.record else reading
    store = opened(config, create=True)
    with console.progress() as progress:
        collected = collect_into(
            store, sources, concurrency=config.collect.concurrency, progress=progress, note=note, how=how
        )
    if options.json:
        console.write_json(as_json(collected))
    else:
        show(collected)
    return Exit.SOURCE if collected.unread() else Exit.FINE


def _sources(config: Config, options: argparse.Namespace) -> tuple[list[Source], str]:
    """What to read, and the note of the snapshot."""
    if options.replay:
        return [_replayed(config, options)], f"来自录制 {Path(options.replay).name}"
    sources = chosen(config, options.source)
    if options.record and len(sources) != 1:
        raise UserError("一次只录一个来源", remedy=f"加 --source，例如 --source {sources[0].name}")
    return sources, ""


def _replayed(config: Config, options: argparse.Namespace) -> Source:
    if len(options.source) > 1:
        raise UserError("--replay 只能存入一个来源名", remedy="只写一个 --source")
    name = options.source[0] if options.source else ""
    labels = {source.name: source.labels for source in config.sources}
    try:
        source = replaying(Path(options.replay), name)
    except SourceError as error:
        raise UserError(error.reason, remedy=error.remedy) from error
    source.labels = labels.get(source.name, {})
    return source


def _recording(module: Collector, source: Source, run: Run, *, path: Path) -> Iterator[Batch]:
    try:
        yield from module.record(source, run, path)
    except OSError as error:
        raise SourceError(f"录制文件 {path} 写不了：{error.strerror}", "检查路径、权限和磁盘空间") from error


def as_json(collected: Collected) -> dict[str, object]:
    """The run as data: the snapshot and every collection."""
    return {
        "snapshot": collected.info,
        "collections": [c for name in collected.batches for c in collections_of(collected, name)],
        "unread": collected.unread(),
    }


def collections_of(collected: Collected, source: str) -> list[Collection]:
    """A source's collections by kind and scope."""
    found = [c for batch in collected.batches[source] for c in batch.collections]
    return sorted(found, key=lambda c: (c.kind, c.scope))


def show(collected: Collected) -> None:
    """Per source: resources seen, how the kinds ended, and each reason once with what would help."""
    rows = []
    for source in collected.batches:
        found = collections_of(collected, source)
        ended = Counter(c.status for c in found)
        words = "，".join(f"{status.label} {ended[status]}" for status in Status if ended[status])
        rows.append((source, sum(c.count for c in found), words))
    console.table(("来源", "资源", "各类采集结果"), rows)
    for source in collected.batches:
        for line in reasons(collections_of(collected, source)):
            console.say(f"  {source}: {line}")
    if collected.info:
        console.say(
            f"快照 {collected.info.id} 已存，{collected.info.taken_at.astimezone():%Y-%m-%d %H:%M:%S}"
        )


_SCOPES_NAMED = 3


def reasons(found: list[Collection]) -> list[str]:
    """What is not complete, or has a remark, grouped: one reason of many kinds and scopes is one line."""
    groups: dict[tuple[Status, str, str], dict[str, list[str]]] = {}
    for c in found:
        if c.status is not Status.COMPLETE or c.reason:
            scopes = groups.setdefault((c.status, c.reason, c.remedy), {}).setdefault(c.kind, [])
            scopes += [c.scope] if c.scope else []
    return [
        f"{status.label}：{_what(kinds)}；{reason}" + (f"。{remedy}" if remedy else "")
        for (status, reason, remedy), kinds in groups.items()
    ]


def _what(kinds: dict[str, list[str]]) -> str:
    """Kinds, and the scopes where they have some: the first few by name, the others by number."""
    by_scopes: dict[tuple[str, ...], list[str]] = {}
    for kind, scopes in kinds.items():
        by_scopes.setdefault(tuple(scopes), []).append(kind)
    parts = []
    for scopes_, names in by_scopes.items():
        more = f" 等 {len(scopes_)} 个" if len(scopes_) > _SCOPES_NAMED else ""
        where = f"（{'、'.join(scopes_[:_SCOPES_NAMED])}{more}）" if scopes_ else ""
        parts.append("、".join(names) + where)
    return "；".join(parts)

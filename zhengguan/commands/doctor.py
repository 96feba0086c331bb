"""``zhengguan doctor``: can every source be reached, with which permissions, and what is missing?"""

from __future__ import annotations

import argparse

from collectors.contract import REGISTRY, Access, Run, Source, SourceError, collector
from zhengguan import console
from zhengguan.errors import Exit
from zhengguan.loop import chosen, configured, opened

_SIGN = {True: "✓", False: "✗", None: "?"}
_STYLE = {True: "pass", False: "fail", None: "unknown"}


def run(options: argparse.Namespace) -> int:
    config = configured(options.config)
    sources = chosen(config, options.source)
    opened(config, create=True)
    results = {source.name: examine(source) for source in sources}
    unreachable = [name for name, (_, error) in results.items() if error]
    if options.json:
        console.write_json({name: access for name, (access, _) in results.items()})
    else:
        _show(sources, {name: access for name, (access, _) in results.items()})
    return Exit.SOURCE if unreachable else Exit.FINE


def examine(source: Source) -> tuple[list[Access], SourceError | None]:
    """Probe one source: what was found, and the error that ended it, if one did."""
    run = Run(source)
    lines: list[Access] = []
    try:
        lines.extend(collector(source.type).probe(source, run))
    except SourceError as error:
        lines.append(Access(subject="连接", ok=False, detail=error.reason, remedy=error.remedy))
        return lines, error
    return lines, None


def _show(sources: list[Source], results: dict[str, list[Access]]) -> None:
    for source in sources:
        lines = results[source.name]
        console.table(
            ("", "检查项", "结果", "怎么办"),
            [(_SIGN[a.ok], a.subject, a.detail, a.remedy) for a in lines],
            title=f"{source.name}（{REGISTRY[source.type].title}）",
            styles=[_STYLE[a.ok] for a in lines],
        )
        console.say("最小权限：")
        for line in collector(source.type).PERMISSIONS.strip().splitlines():
            console.say(f"  {line}")
        console.say()

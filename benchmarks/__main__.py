"""Run every benchmark (or those named) and write their tables to RESULTS.md.

    python -m benchmarks              all
    python -m benchmarks rules store  some; the other sections of RESULTS.md stay

Figures are CPU seconds of the process unless a column says otherwise, since the machine is shared; what
counts is the ratio to the peer or limit measured in the same run.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"


def main(names: list[str]) -> int:
    known = sorted(p.stem.removeprefix("bench_") for p in HERE.glob("bench_*.py"))
    for name in names:
        if name not in known:
            print(f"no benchmark {name}; there are: {', '.join(known)}", file=sys.stderr)
            return 2
    sections = read(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    failed = 0
    for name in names or known:
        print(f"== {name}", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, str(HERE / f"bench_{name}.py")], stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            failed = 1
            continue
        print(done.stdout)
        where = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores"
        sections[name] = f"{where}: `python -m benchmarks {name}`", done.stdout
    RESULTS.write_text(page(sections), encoding="utf-8")
    return failed


Section = tuple[str, str]
"""When, where and by what command; and what was printed."""


def page(sections: dict[str, Section]) -> str:
    """All of RESULTS.md. Output that holds no Markdown table is fenced, or its columns would run together."""
    parts = [f"# What was measured\n\n{_LEGEND}\n"]
    for name, (where, printed) in sorted(sections.items()):
        figures = printed.strip("\n")
        if not re.search(r"^\|", figures, re.MULTILINE):
            figures = f"```\n{figures}\n```"
        parts.append(f"## {name}\n\n{where}\n\n{figures}\n")
    return "\n".join(parts)


_LEGEND = (
    "Written by `python -m benchmarks`. CPU seconds of the process unless a column says otherwise; the\n"
    "machine is shared, so the ratios count, not the absolute figures."
)


def read(text: str) -> dict[str, Section]:
    """The sections of a page, without fences: what ``page`` wrote, or a hand."""
    parts = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)
    sections = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        where, _, printed = body.strip("\n").partition("\n\n")
        sections[name] = where, re.sub(r"^```\n?", "", printed, flags=re.MULTILINE)
    return sections


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

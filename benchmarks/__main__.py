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
    sections = _sections()
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
        figures = done.stdout.strip()
        if not figures.startswith("|") and "\n|" not in figures:
            figures = f"```\n{figures}\n```"
        sections[name] = f"## {name}\n\n{where}: `python -m benchmarks {name}`\n\n{figures}\n"
    body = "\n".join(sections[name] for name in sorted(sections))
    RESULTS.write_text(f"# What was measured\n\n{_LEGEND}\n\n{body}", encoding="utf-8")
    return failed


_LEGEND = (
    "Written by `python -m benchmarks`. CPU seconds of the process unless a column says otherwise; the\n"
    "machine is shared, so the ratios count, not the absolute figures."
)


def _sections() -> dict[str, str]:
    if not RESULTS.exists():
        return {}
    parts = re.split(r"^## (\w+)\n", RESULTS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        name: f"## {name}\n{body.rstrip()}\n" for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

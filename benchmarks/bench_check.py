"""Check: 100 000 resources, all rules, three systems, as the command does it.

The estate is that which the demo reads from its recordings and from this machine, many times over, every
time as other sources; each system has a third of it. Beside it stands what only reading the same rows takes:
every kind decoded from the store, and nothing done with it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from inventory.coverage import Batch, Collection
from inventory.kinds import KINDS
from inventory.resource import Resource
from inventory.store import open_store

T = TypeVar("T", bound=msgspec.Struct)

AT = datetime(2026, 11, 22, tzinfo=UTC)
SYSTEMS = ("east", "middle", "west")
READ = """
import sys
from inventory.kinds import KINDS
from inventory.store import open_store
snapshot = open_store(sys.argv[1]).snapshot()
print(sum(len(snapshot.of_kind(kind)) for kind in KINDS))
"""


def run(*words: str) -> tuple[float, float]:
    """(CPU seconds, peak MiB) of one process that ends well."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def copier(sources: list[str], prefix: str) -> Callable[[T], T]:
    """Makes the same thing of other sources; their names stand at the start of a uid, and alone."""
    quoted = [(f'"{name}'.encode(), f'"{prefix}{name}'.encode()) for name in sources]

    def copy(thing: T) -> T:
        body = msgspec.json.encode(thing)
        for old, new in quoted:
            body = body.replace(old, new)
        return msgspec.json.decode(body, type=type(thing))

    return copy


def estate(demo: Path, folder: Path, count: int) -> int:
    """Fill a store; how many resources it then has."""
    snapshot = open_store(str(demo / "zhengguan.db")).snapshot()
    rows: list[Resource] = [row for kind in KINDS for row in snapshot.of_kind(kind)]
    attempts: list[Collection] = snapshot.collections
    sources = sorted({attempt.source for attempt in attempts})
    store = open_store(str(folder / "store.db"))
    copies = max(1, round(count / len(rows)))
    with store.writer(AT) as writer:
        for number in range(copies):
            copy = copier(sources, f"{SYSTEMS[number % 3]}-{number}-")
            writer.add(Batch(resources=list(map(copy, rows)), collections=list(map(copy, attempts))))
    store.close()
    return copies * len(rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--resources", type=int, default=100_000)
    count = parser.parse_args().resources
    program = str(Path(sys.executable).with_name("zhengguan"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(program, "demo", "--out", str(folder / "demo"))
        made = estate(folder / "demo", folder, count)
        config = folder / "zhengguan.yaml"
        systems = [
            {
                "name": s,
                "title": s,
                "grade": "S3A3",
                "cloud": "platform",
                "include": [{"sources": [f"{s}-*"]}],
            }
            for s in SYSTEMS
        ]
        config.write_text(json.dumps({"store": "store.db", "systems": systems}), encoding="utf-8")
        print(f"{made} resources, {len(SYSTEMS)} systems of S3A3.\n")
        print("| command | CPU s | peak MiB | target |\n|---|---|---|---|")
        read, peak = run(sys.executable, "-c", READ, str(folder / "store.db"))
        print(f"| every row decoded, nothing done | {read:.1f} | {peak:.0f} | |")
        for form in ("table", "json", "sarif"):
            out = str(folder / "out")
            cpu, peak = run(program, "check", "-c", str(config), "--format", form, "--output", out)
            findings = ""
            if form == "json":
                told = json.loads(Path(out).read_bytes())
                findings = f", {sum(len(a['findings']) for a in told)} findings"
            print(f"| `check --format {form}`{findings} | {cpu:.1f} | {peak:.0f} | ≤ 10, ≤ 600 |")


if __name__ == "__main__":
    main()

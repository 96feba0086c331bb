"""How fast rules run: simple ones, ones over nested rows, findings with their JSON; beside Cloud Custodian.

    python -m benchmarks.bench_rules [--rounds 5] [--without-c7n]

Process CPU time, rounds interleaved, best of. Cloud Custodian (c7n) is installed on first use into its own
environment under the user's cache directory; it is no dependency of the program. Its filters judge the same
resources; its answers are compared with ours. Targets: 10 M simple evaluations/s on 100 000 resources × 200
rules, 0.9 M/s over 8 nested rows, 100 000 findings/s.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from inventory.coverage import Batch
from inventory.kinds.compute import Server
from inventory.kinds.virtual_network import SecurityGroup, SecurityGroupRule
from inventory.snapshot import Snapshot
from policies.evaluate import evaluate
from policies.outcome import ControlLinks, Examples, Rule

NOW = datetime(2026, 1, 1, tzinfo=UTC)
C7N = "c7n==0.9.53"


def rule(id_: str, kind: str, violates: str, evidence: list[str]) -> Rule:
    return Rule(
        id=id_,
        title=id_,
        title_en=id_,
        kind=kind,
        severity="high",
        violates=violates,
        evidence=evidence,
        message="{it.name} 不符合",
        why="基准",
        fix="基准",
        controls=ControlLinks(supports=["dengbao/8.1.4.1.a"]),
        examples=Examples(bad=[{}], good=[{}], unknown=[{}]),
    )


def servers(count: int, draw: random.Random) -> list[Server]:
    return [
        Server(
            source="bench",
            native_id=f"{i:06}",
            name=f"vm-{i}",
            status=draw.choice(("ACTIVE", "ACTIVE", "SHUTOFF")),
            vcpus=draw.choice((1, 2, 4, 8, 64)),
            locked=draw.random() < 0.01,
        )
        for i in range(count)
    ]


def groups(count: int, draw: random.Random) -> list[SecurityGroup]:
    def row() -> SecurityGroupRule:
        low = draw.choice((1, 22, 80, 443, 8000))
        return SecurityGroupRule(
            direction=draw.choice(("ingress", "egress")),
            family="ipv4",
            protocol=draw.choice(("tcp", "tcp", "udp", None)),
            port_min=low,
            port_max=low + draw.choice((0, 0, 10, 1000)),
            remote=draw.choice(
                ("10.0.0.0/8", "192.0.2.0/24", "172.16.0.0/12", "198.51.100.7/32", "0.0.0.0/0")
            ),
            remote_group=None,
        )

    return [
        SecurityGroup(source="bench", native_id=f"{i:06}", name=f"sg-{i}", rules=[row() for _ in range(8)])
        for i in range(count)
    ]


def snapshot(rows: list[Server] | list[SecurityGroup]) -> Snapshot:
    return Snapshot.of_batches([Batch(resources=list(rows))], NOW)


SIMPLE = 'it.status == "ACTIVE" and it.vcpus > {0} and not it.locked'
NESTED = (
    'any(r.direction == "ingress" and r.protocol in ("tcp", None) and r.remote_group == None'
    " and is_any_address(r.remote) and covers(r.port_min, r.port_max, {0}) for r in it.rules)"
)


def cpu(work: Callable[[], int]) -> tuple[float, int]:
    started = time.process_time()
    count = work()
    return time.process_time() - started, count


def c7n_python() -> Path:
    """The interpreter of the throw-away environment with Cloud Custodian in it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "zhengguan-bench" / "c7n"
    python = cache / "bin" / "python"
    if not (cache / "lib").is_dir() or not python.exists():
        venv.create(cache, with_pip=True)
    installed = subprocess.run([python, "-c", "import c7n"], capture_output=True, check=False)
    if installed.returncode:
        subprocess.run([python, "-m", "pip", "install", "-q", C7N], check=True)
    return python


class Bench:
    """The estates, and one timed pass of each measurement."""

    def __init__(self) -> None:
        draw = random.Random(7)
        self.servers = snapshot(servers(100_000, draw))
        self.groups = snapshot(groups(20_000, draw))
        self.simple = [
            rule(f"s{n}", "server", SIMPLE.format(63 + n), ["status", "vcpus"]) for n in range(200)
        ]
        self.nested = [
            rule(f"n{n}", "security_group", NESTED.format(40000 + n), ["rules"]) for n in range(20)
        ]
        self.failing = [rule("f", "server", "it.vcpus >= 1", ["status", "vcpus"])]
        open_row = SecurityGroupRule(
            direction="ingress", family="ipv4", protocol="tcp", port_min=22, port_max=22, remote="0.0.0.0/0",
            remote_group=None,
        )  # fmt: skip
        open_groups = groups(20_000, draw)
        for group in open_groups:
            group.rules = [*group.rules[:7], open_row]
        self.open_groups = snapshot(open_groups)
        self.failing_nested = [rule("f", "security_group", NESTED.format(22), ["rules"])]

    def evaluations(self, rules: list[Rule], estate: Snapshot, kind: str) -> int:
        evaluate(rules, estate, now=NOW)
        return len(rules) * len(estate.of_kind(kind))

    def findings(self, rules: list[Rule], estate: Snapshot) -> int:
        [outcome] = evaluate(rules, estate, now=NOW)
        msgspec.json.encode(outcome.findings)
        return len(outcome.findings)

    def measurements(self) -> dict[str, Callable[[], int]]:
        return {
            "simple, 100 000 × 200": lambda: self.evaluations(self.simple, self.servers, "server"),
            "8 nested rows, 20 000 × 20": lambda: self.evaluations(
                self.nested, self.groups, "security_group"
            ),
            "findings + JSON, simple": lambda: self.findings(self.failing, self.servers),
            "findings + JSON, nested rows": lambda: self.findings(self.failing_nested, self.open_groups),
        }

    def ours(self, size: int) -> dict[str, int]:
        """Matches on the first resources, to compare answers with c7n's."""
        counts = {}
        for name, template, port, estate, kind in (
            ("simple", SIMPLE, 63, self.servers, "server"),
            ("nested", NESTED, 22, self.groups, "security_group"),
        ):
            part = Snapshot.of_batches([Batch(resources=estate.of_kind(kind)[:size])], NOW)
            [outcome] = evaluate([rule("c", kind, template.format(port), [])], part, now=NOW)
            counts[name] = len(outcome.failed)
        return counts

    def write(self, path: Path, size: int) -> None:
        """The first resources as c7n reads them: plain dicts, None and False present."""
        path.write_bytes(
            json.dumps(
                {
                    "servers": [
                        msgspec.structs.asdict(s) | {"locked": s.locked} for s in _plain(self.servers, size)
                    ],
                    "groups": [
                        {"name": g.name, "rules": [_row(r) for r in g.rules]}
                        for g in self.groups.of(SecurityGroup)[:size]
                    ],
                },
                default=lambda _: None,
            ).encode()
        )


def _plain(estate: Snapshot, size: int) -> list[Server]:
    return estate.of(Server)[:size]


def _row(row: SecurityGroupRule) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__ if name != "id"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--without-c7n", action="store_true")
    arguments = options.parse_args()
    bench = Bench()
    python = None if arguments.without_c7n else c7n_python()
    size = 3000
    best: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "estate.json"
        bench.write(file, size)
        theirs: dict[str, int] = {}
        for number in range(arguments.rounds):
            for name, work in bench.measurements().items():
                seconds, count = cpu(work)
                best[name] = max(best.get(name, 0.0), count / seconds)
            if python:
                worker = Path(__file__).with_name("c7n_worker.py")
                out = subprocess.run([python, worker, file], capture_output=True, check=True, text=True)
                for name, got in json.loads(out.stdout).items():
                    best[f"c7n, {name}"] = max(best.get(f"c7n, {name}", 0.0), got["rate"])
                    theirs[name] = got["matched"]
            print(f"round {number + 1}/{arguments.rounds}", file=sys.stderr)
    print(f"{'measurement':34}{'per CPU-second':>18}")
    for name, rate in best.items():
        print(f"{name:34}{rate:>18,.0f}")
    if theirs:
        print(f"matches in the first {size}: ours {bench.ours(size)}, c7n {theirs}")


if __name__ == "__main__":
    main()

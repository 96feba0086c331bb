"""Puts the logs of a small estate into the OpenSearch of ``opensearch-once`` and records what the collector is told,
into tests/data/logs. Run from the repository's root while it is up: python tests/lab/opensearch_records.py

Four platforms stand beside each other as indices: ``whole`` keeps 200 days of every machine, ``young`` 100 days,
``holes`` 200 days without three of them and without three machines, nothing for two days, and records whose clock
stood at 1970 and in the future; ``closed`` 200 days of which all but 40 are in a closed index.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collectors.contract import Run, Source
from collectors.logs import Options, record
from collectors.things import Thing
from inventory.resource import plain

BASE = "http://127.0.0.1:19299"
DATA = Path(__file__).parents[1] / "data" / "logs"
MESSAGES = (
    "Accepted publickey for ops from 10.20.1.9 port 52144 ssh2",
    "%%01SEC/4/SESSION(l): 防火墙会话建立，源地址 10.20.1.9，策略 允许办公访问",
    "审计：用户 张伟 修改了访问控制策略".encode("gbk").decode("latin-1"),  # a sender in GBK, read wrong
    "systemd[1]: Started Daily apt download activities.",
)
HOSTS = ("web-1", "web-2", "db-1.gov.cn", "fw-1", "10.20.0.2", "cmp-1")
MAPPING = {
    "mappings": {
        "properties": {
            "@timestamp": {"type": "date"},
            "host": {"properties": {"name": {"type": "keyword"}}},
            "message": {"type": "text"},
        }
    }
}

TEXT = {"mappings": {"properties": {"host": {"properties": {"name": {"type": "text"}}}}}}


def ask(method: str, path: str, body: str = "") -> Any:
    kind = "application/x-ndjson" if path.startswith("/_bulk") else "application/json"
    request = urllib.request.Request(
        BASE + path, data=body.encode() or None, method=method, headers={"Content-Type": kind}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def days(now: datetime, first: int, last: int, skip: tuple[int, ...] = ()) -> Iterator[datetime]:
    """A moment on each day from ``first`` days ago to ``last`` days ago; 0 = an hour ago."""
    for ago in range(first, last - 1, -1):
        if ago not in skip:
            yield now - timedelta(days=ago) if ago else now - timedelta(hours=1)


def put(index: str, rows: Iterator[tuple[datetime, str]]) -> None:
    ask("PUT", f"/{index}", json.dumps(MAPPING))
    lines = []
    for number, (at, host) in enumerate(rows):
        lines.append(json.dumps({"index": {"_index": index}}))
        text = MESSAGES[number % len(MESSAGES)]
        lines.append(json.dumps({"@timestamp": at.isoformat(), "host": {"name": host}, "message": text}))
    assert ask("POST", "/_bulk?refresh=true", "\n".join(lines) + "\n")["errors"] is False


def main() -> None:
    now = datetime.now(UTC)
    for name in ("whole", "young", "holes", "closed", "empty", "text"):
        ask("DELETE", f"/{name}-1,{name}-2?ignore_unavailable=true")
    put("whole-1", ((at, h) for at in days(now, 200, 100) for h in HOSTS))
    put("whole-2", ((at, h) for at in days(now, 99, 0) for h in (*HOSTS, "printer")))
    put("young-1", ((at, h) for at in days(now, 100, 0) for h in HOSTS))
    put("holes-1", ((at, h) for at in days(now, 200, 2, (30, 31, 90)) for h in HOSTS[:3]))
    wrong = [(datetime(1970, 1, 1, tzinfo=UTC), "web-1"), (now + timedelta(days=300), "web-2")]
    put("holes-2", iter([*wrong, (now - timedelta(days=20), "fw-1")]))
    put("closed-1", ((at, h) for at in days(now, 200, 41) for h in HOSTS))
    ask("POST", "/closed-1/_close")
    put("closed-2", ((at, h) for at in days(now, 40, 0) for h in HOSTS))
    ask("PUT", "/text-1", json.dumps(TEXT))
    ask("PUT", "/empty-1", json.dumps(MAPPING))
    things = [Thing(*row) for row in json.loads((DATA / "things.json").read_bytes())]
    for name in ("whole", "young", "holes", "closed", "empty", "text", "missing"):
        options = Options(url=BASE, indices=[f"{name}-*"], everything=["host", "device", "hypervisor"])
        source = Source(name=f"logs-{name}", type="logs", options=options)
        (DATA / f"{name}.jsonl.gz").unlink(missing_ok=True)
        (batch,) = record(source, Run(source, things=lambda: things), DATA / f"{name}.jsonl.gz")
        print(name, [plain(row) for row in batch.resources], batch.collections[0].reason)


if __name__ == "__main__":
    main()

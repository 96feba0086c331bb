"""Capacity: the report of 100 000 servers on 2 000 hosts, with their volumes, ports and floating addresses,
read from a store. CPU time and memory of the process; the spreadsheet beside openpyxl's writer of bare cells.

    python benchmarks/bench_capacity.py [--servers 100000]
"""

from __future__ import annotations

import argparse
import gc
import io
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import openpyxl

from exporters.capacity import capacity_families
from exporters.exposition import Page
from inventory import daily
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.cloud import Cloud, Project
from inventory.kinds.compute import Flavor, Hypervisor, Server
from inventory.kinds.storage import StoragePool, Volume
from inventory.kinds.usage import Amount, Utilization
from inventory.kinds.virtual_network import FloatingIp, Port
from inventory.resource import Relation, Resource
from inventory.store import Store, open_store
from inventory.usage import usage_of
from reports.capacity import capacity
from reports.document import Cell, Document, Table
from reports.render_html import render_html
from reports.render_xlsx import render_xlsx

NOW = datetime(2026, 11, 22, tzinfo=UTC)
T = TypeVar("T")


def estate(servers: int) -> Iterator[Resource]:
    """Ten clouds; a tenth of the servers shut off, a fifth of the volumes unattached."""
    for c in range(10):
        cloud, own = f"cloud-{c}", {"department": "省数据局"}
        yield Cloud(source=cloud, native_id="self", labels=own)
        yield StoragePool(
            source=cloud,
            native_id="pool",
            amounts=[Amount(of="disk_gib", total=9e6, reserved=0, ratio=1.0, allocated=6e6)],
        )
        for n in range(100):
            yield Project(
                source=cloud, native_id=f"p{n}", name=f"项目{n}", labels={"department": f"厅局{n % 40}"}
            )
            yield Flavor(
                source=cloud,
                native_id=f"f{n}",
                name=f"f{n}",
                vcpus=1 + n % 64,
                memory_mib=1024 * (1 + n),
                disk_gib=0,
            )
        for n in range(servers // 500):
            yield Hypervisor(
                source=cloud, native_id=f"h{n}", name=f"cn-{n}", state="up", enabled=True, zone=f"az-{n % 3}",
                cpu_architecture=("aarch64", "x86_64")[n % 2], aggregates=[f"agg-{n % 5}"], labels=own,
                amounts=[
                    Amount(of="vcpu", total=128, reserved=4, ratio=4.0, allocated=200),
                    Amount(of="memory_mib", total=524288, reserved=16384, ratio=1.0, allocated=400_000 + n),
                ],
            )  # fmt: skip
    for n in range(servers):
        yield from things(n, f"cloud-{n % 10}")


def things(n: int, cloud: str) -> Iterator[Resource]:
    mine = [Relation("in_project", f"{cloud}/project/p{n // 10 % 100}")]
    shared: dict[str, Any] = {"source": cloud, "labels": {"department": "省数据局"}}
    server = f"{n:08x}-0000-4000-8000-000000000000"
    yield Server(
        native_id=server, name=f"vm-{n}", status="SHUTOFF" if n % 10 == 0 else "ACTIVE", vcpus=4,
        memory_mib=8192, disk_gib=40, updated_at=NOW - timedelta(days=n % 700), relations=mine, **shared,
    )  # fmt: skip
    yield Volume(
        native_id=f"v{n}",
        size_gib=100,
        attached=n % 5 > 0,
        status="in-use" if n % 5 else "available",
        relations=mine,
        **shared,
    )
    yield Port(native_id=f"n{n}", device_owner="compute:az-a", relations=mine, **shared)
    if n % 4 == 0:
        yield FloatingIp(native_id=f"a{n}", associated=n % 8 == 0, relations=mine, **shared)
        yield Utilization(
            source="prom", native_id=f"{cloud}/server/{server}/cpu", metric="cpu", mean=0.1,
            p95=0.05 * (n % 20), peak=0.9, window_hours=168.0,
            relations=[Relation("measures", f"{cloud}/server/{server}")],
        )  # fmt: skip


def filled(store: Store, rows: list[Resource]) -> float:
    """Write the estate twice; CPU seconds that the values of the day cost the second time."""
    spent = 0.0
    counted, recorded = daily.Day.take, daily.Day.record

    def timed(do: Callable[..., None]) -> Callable[..., None]:
        def measured(*arguments: Any) -> None:
            nonlocal spent
            began = time.process_time()
            do(*arguments)
            spent += time.process_time() - began

        return measured

    daily.Day.take, daily.Day.record = timed(counted), timed(recorded)
    kinds = sorted({(r.source, r.KIND) for r in rows})
    for hour in range(2):
        spent = 0.0
        at = NOW + timedelta(hours=hour)
        told = [
            Collection(source=s, kind=k, status=Status.COMPLETE, started_at=at, ended_at=at) for s, k in kinds
        ]
        with store.writer(at) as writer:
            writer.add(Batch(resources=rows, collections=told))
    daily.Day.take, daily.Day.record = counted, recorded
    return spent


def by_openpyxl(document: Document) -> bytes:
    """The same cells without any style."""
    book = openpyxl.Workbook(write_only=True)
    for index, block in enumerate(b for b in document.blocks if isinstance(b, Table)):
        sheet = book.create_sheet(str(index))
        for row in [block.columns, *block.rows]:
            sheet.append(
                [(c.number if c.number is not None else c.text) if isinstance(c, Cell) else c for c in row]
            )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=100_000)
    parser.add_argument("--read", default="")
    options = parser.parse_args()
    if options.read:
        report(options.read)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "store.db")
        store = open_store(path)
        rows = list(estate(options.servers))
        count = len(rows)
        spent = filled(store, rows)
        store.close()
        print(f"{options.servers} servers, {count} resources, 10 clouds.\n")
        print("| step | CPU s | peak MiB of the process |\n|---|---|---|")
        print(f"| values of the day, within a run that changed nothing | {spent:.2f} | |", flush=True)
        import subprocess

        subprocess.run([sys.executable, __file__, "--read", path], check=True)


def report(path: str) -> None:
    """In a process of its own, so that its memory is the report's."""
    store = open_store(path, create=False)

    def step(name: str, work: Callable[[], T]) -> T:
        gc.collect()
        began = time.process_time()
        result = work()
        print(f"| {name} | {time.process_time() - began:.2f} | {peak_mib():.0f} |", flush=True)
        return result

    snapshot = store.snapshot()
    found = step("read the store and reckon everything", lambda: usage_of(snapshot))
    step("metrics page", lambda: Page(capacity_families(found)).body())
    page = step("document to read", lambda: capacity(found, created_at=NOW, program="p"))
    step("HTML", lambda: render_html(page))
    whole = step("document in full", lambda: capacity(found, created_at=NOW, program="p", whole=True))
    rows = sum(len(b.rows) for b in whole.blocks if isinstance(b, Table))
    step(f"XLSX, {rows} rows", lambda: render_xlsx(whole))
    step("openpyxl, the same cells without style (write-only)", lambda: by_openpyxl(whole))


if __name__ == "__main__":
    main()

"""What a daily run over a large estate costs the store.

    python benchmarks/bench_store.py [--resources 200000] [--changed 0.015]

Times are CPU seconds of this process (user + system). Batches are made just before they are handed over,
as collectors do, and making them is not counted. The last rows do the same day without a store: all rows
encoded and written again through bare ``sqlite3``, which is the floor for keeping whole snapshots.
"""

from __future__ import annotations

import argparse
import gc
import random
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from inventory.coverage import Batch, Collection, Status
from inventory.kinds.address import address_of
from inventory.kinds.compute import Server
from inventory.kinds.network import Interface
from inventory.kinds.storage import Volume
from inventory.kinds.virtual_network import Port, SecurityGroup, SecurityGroupRule
from inventory.resource import Relation, Resource, uid_of
from inventory.store import Store, open_store

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 500


def uuid(random_: random.Random) -> str:
    text = f"{random_.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def server(source: str, id_: str, r: random.Random) -> Resource:
    return Server(
        source=source, native_id=id_, scope="", name=f"政务云主机-{r.randrange(10**6)}",
        labels={"department": f"部门{r.randrange(80)}", "zone": "公用网络区"},
        relations=[
            Relation("in_project", uid_of(source, "project", f"p{r.randrange(400)}")),
            Relation("runs_on", uid_of(source, "hypervisor", f"h{r.randrange(300)}")),
        ],
        status="ACTIVE", power_state="running", locked=False, zone="az-a", hypervisor="node-17",
        flavor="4c8g", vcpus=4, memory_mib=8192, disk_gib=40, image=None, key_name=None, config_drive=False,
        metadata={"owner": f"科室{r.randrange(50)}", "app": "ticket"},
        addresses=[
            address_of(f"10.{r.randrange(256)}.{r.randrange(256)}.7", 24), address_of("2001:db8::7", 64)
        ],
        security_groups=["default", "web"], created_at=START,
    )  # fmt: skip


def volume(source: str, id_: str, r: random.Random) -> Resource:
    return Volume(
        source=source, native_id=id_, name=f"数据盘-{r.randrange(10**6)}",
        relations=[
            Relation("in_project", uid_of(source, "project", f"p{r.randrange(400)}")),
            Relation("attached_to", uid_of(source, "server", f"s{r.randrange(40000)}")),
        ],
        status="in-use", size_gib=200, volume_type="ssd", encrypted=False, bootable=False, attached=True,
        zone="az-a", metadata={}, created_at=START,
    )  # fmt: skip


def port(source: str, id_: str, r: random.Random) -> Resource:
    return Port(
        source=source, native_id=id_, name="",
        relations=[
            Relation("in_network", uid_of(source, "network", f"n{r.randrange(900)}")),
            Relation("attached_to", uid_of(source, "server", f"s{r.randrange(40000)}")),
            Relation("protected_by", uid_of(source, "security_group", f"g{r.randrange(3000)}")),
        ],
        status="ACTIVE", mac="fa:16:3e:00:00:01", device_owner="compute:az-a", port_security_enabled=True,
        addresses=[address_of(f"10.{r.randrange(256)}.{r.randrange(256)}.9")], allowed_address_pairs=[],
    )  # fmt: skip


def security_group(source: str, id_: str, r: random.Random) -> Resource:
    rules = [
        SecurityGroupRule(
            direction="ingress", family="ipv4", protocol="tcp", port_min=22 + i, port_max=22 + i,
            remote="0.0.0.0/0", remote_group=None, id=uuid(r),
        )
        for i in range(4)
    ]  # fmt: skip
    return SecurityGroup(source=source, native_id=id_, name="web", description="", default=False, rules=rules)


def interface(source: str, id_: str, r: random.Random) -> Resource:
    return Interface(
        source=source, native_id=f"{id_}/{r.randrange(48)}", name="GigabitEthernet0/0/1",
        relations=[Relation("part_of", uid_of(source, "device", id_))],
        index=7, description="GigabitEthernet0/0/1", alias="to-core", interface_type=6,
        mac="00:e0:fc:00:00:01", mtu=1500, speed_bps=10**9, admin_up=True, oper_up=True,
        in_octets=r.getrandbits(48), out_octets=r.getrandbits(48), in_errors=0, out_errors=0,
    )  # fmt: skip


DECODERS = {kind: msgspec.json.Decoder(kind) for kind in (Server, Volume, Port, SecurityGroup, Interface)}
MAKERS = ((server, 0.3), (volume, 0.25), (port, 0.3), (security_group, 0.05), (interface, 0.1))


def estate(count: int, seed: int) -> list[Resource]:
    r = random.Random(seed)
    rows = []
    for make, share in MAKERS:
        rows += [make(f"cloud-{r.randrange(5)}", uuid(r), r) for _ in range(int(count * share))]
    r.shuffle(rows)
    return rows


def next_day(rows: list[Resource], changed: float, seed: int) -> list[Resource]:
    """1.5 % changed is 1.0 % modified, 0.2 % gone and 0.3 % new; every interface has counted on."""
    r = random.Random(seed)
    modified, gone = changed * 2 / 3, changed * 2 / 15
    kept = []
    for row in rows:
        dice = r.random()
        if dice < gone:
            continue
        if isinstance(row, Interface):
            row = msgspec.structs.replace(row, in_octets=r.getrandbits(48))  # noqa: PLW2901
        kept.append(
            msgspec.structs.replace(row, name=f"改名-{r.random()}") if dice < gone + modified else row
        )
    return kept + estate(int(len(rows) * changed / 5), seed)


def packed(rows: list[Resource]) -> list[tuple[type[Resource], bytes]]:
    return [(type(row), msgspec.json.encode(row)) for row in rows]


def batches(rows: list[tuple[type[Resource], bytes]], at: datetime) -> Iterator[Batch]:
    places = set()
    for start in range(0, len(rows), BATCH):
        batch = Batch(resources=[DECODERS[kind].decode(b) for kind, b in rows[start : start + BATCH]])
        places.update((row.source, row.KIND) for row in batch.resources)
        yield batch
    yield Batch(
        collections=[
            Collection(source=source, kind=kind, status=Status.COMPLETE, started_at=at, ended_at=at)
            for source, kind in sorted(places)
        ]
    )


def write(store: Store, rows: list[tuple[type[Resource], bytes]], day: int) -> float:
    """CPU seconds inside the store."""
    at = START + timedelta(days=day)
    spent = -time.process_time()
    with store.writer(at) as writer:
        spent += time.process_time()
        for batch in batches(rows, at):
            spent -= time.process_time()
            writer.add(batch)
            spent += time.process_time()
        spent -= time.process_time()
    return spent + time.process_time()


def write_all_again(path: Path, rows: list[tuple[type[Resource], bytes]], day: int) -> float:
    """The same with bare sqlite3: no history, no comparison."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS r (day INTEGER, uid TEXT, kind TEXT, body BLOB)")
    connection.execute("CREATE INDEX IF NOT EXISTS i ON r (day, uid)")
    spent = 0.0
    for batch in batches(rows, START):
        spent -= time.process_time()
        connection.executemany(
            "INSERT INTO r VALUES (?, ?, ?, ?)",
            [(day, row.uid, row.KIND, msgspec.json.encode(row)) for row in batch.resources],
        )
        spent += time.process_time()
    spent -= time.process_time()
    connection.commit()
    connection.close()
    return spent + time.process_time()


def measured(work: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    before = time.process_time()
    result = work()
    return time.process_time() - before, result


def line(what: str, value: str, goal: str = "") -> None:
    print(f"{what:<52} {value:>14}  {goal}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=200_000)
    parser.add_argument("--changed", type=float, default=0.015)
    arguments = parser.parse_args()
    rows = estate(arguments.resources, 1)
    uids = [row.uid for row in random.Random(5).sample(rows, 1000)]
    days = [packed(rows)]
    for day in (1, 2):
        rows = next_day(rows, arguments.changed, seed=day + 1)
        days.append(packed(rows))
    del rows
    gc.collect()
    gc.freeze()  # the estate stands for the sources: a real run never holds it all
    line("resources", f"{len(days[0])}")
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "store.db"))
        first, following = writing(store, Path(folder) / "store.db", days, arguments.changed)
        reading(store, uids)
        naive = Path(folder) / "naive.db"
        write_all_again(naive, days[0], 0)
        again = write_all_again(naive, days[1], 1)
        line("everything written again, bare sqlite3", f"{again:.2f} CPU-s")
        line("  next snapshot against it", f"{following / again:.2f} ×")
        line("  first snapshot against it", f"{first / again:.2f} ×")
        line("  size it adds", f"{naive.stat().st_size / 2e6:.0f} MB")


def writing(
    store: Store, path: Path, days: list[list[tuple[type[Resource], bytes]]], changed: float
) -> tuple[float, float]:
    peak = peak_mib()
    first = write(store, days[0], 0)
    line("first snapshot", f"{first:.2f} CPU-s")
    line("memory above what was there before, peak", f"{peak_mib() - peak:.0f} MiB")
    size = path.stat().st_size
    line("size after it", f"{size / 1e6:.0f} MB")
    costs = [write(store, days[day], day) for day in (1, 2)]
    line(f"next snapshot, {changed:.1%} changed (two days)", " ".join(f"{c:.2f}" for c in costs), "goal ≤ 3")
    line("size it adds", f"{(path.stat().st_size - size) / 2e6:.1f} MB")
    return first, max(costs)


def reading(store: Store, uids: list[str]) -> None:
    cost, changes = measured(lambda: store.diff(1, 2))
    line(f"diff of adjacent days, {len(changes)} changes", f"{cost * 1000:.0f} ms", "goal ≤ 100")
    cost, changes = measured(lambda: store.diff(1, 3))
    line(f"diff of first and last, {len(changes)} changes", f"{cost * 1000:.0f} ms")
    store.timeline(uids[0])
    cost, _ = measured(lambda: [store.timeline(uid) for uid in uids])
    line("one timeline", f"{cost:.3f} ms", "goal ≤ 1")
    cost, _ = measured(lambda: [store.referring(f"cloud-1/server/s{i}") for i in range(1000)])
    line("who refers to a uid", f"{cost:.3f} ms")
    cost, snapshot = measured(store.snapshot)
    line("open the latest snapshot, nothing decoded", f"{cost * 1000:.0f} ms")
    cost, servers = measured(lambda: snapshot.of(Server))
    line(f"one kind decoded, {len(servers)} servers", f"{cost * 1000:.0f} ms")
    cost, count = measured(lambda: len(store.snapshot(1)))
    line(f"a whole earlier snapshot decoded, {count}", f"{cost:.2f} CPU-s")


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()

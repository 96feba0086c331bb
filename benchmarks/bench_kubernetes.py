"""CPU and memory of listing and mapping the pods of one cluster, beside the official client's typed list.

    python benchmarks/bench_kubernetes.py [KUBECONFIG]

The server is a real kube-apiserver: KUBE_LAB_INSTANCE=bench tests/lab/kube-lab --server old up, then seed
5000. Every row is a process of its own; counted is its CPU time without start-up and imports, and its peak
memory with them. The collector's rows include the mapping to resources, the typed lists do not.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import msgspec

ROUNDS = 3
CPU_LIMIT_SECONDS = 0.4
PEAK_LIMIT_MIB = 80
LEAST_RATIO = 15


class Measured(msgspec.Struct):
    """One process: what it counted, CPU and wall seconds, memory before and at the peak."""

    count: int
    cpu: float
    wall: float
    idle_mib: float
    peak_mib: float


def pods_alone(kubeconfig: str) -> tuple[Callable[[], int], Callable[[], None]]:
    """The collector's way for the pods: list, decode, count under their owners."""
    from collectors.contract import Run, Source
    from collectors.kubernetes import Options
    from collectors.kubernetes.client import LiveClient
    from collectors.kubernetes.discovery import discover
    from collectors.kubernetes.listing import Reader
    from collectors.kubernetes.pods import ASK, Pods
    from collectors.kubernetes.templates import Pod
    from collectors.kubernetes.workloads import read_controllers

    source = Source(name="k", type="kubernetes", options=Options(kubeconfig=kubeconfig))
    run = Run(source)
    client = LiveClient(source.options, run)
    reader = Reader(client, run, discover(client), [])
    controllers = read_controllers(reader)

    def measured() -> int:
        fold = Pods(controllers.names(), controllers.owners)
        listing = reader.read(ASK, Pod, fold)
        assert listing.whole
        return sum(group.pods for group in fold.groups.values())

    return measured, client.close


def everything(kubeconfig: str) -> tuple[Callable[[], int], Callable[[], None]]:
    """The whole collector: all kinds, with coverage and evidence."""
    import kubernetes.client  # noqa: F401  imported before the clock, as for the others

    from collectors.contract import Run, Source
    from collectors.kubernetes import Options, collect

    source = Source(name="k", type="kubernetes", options=Options(kubeconfig=kubeconfig))

    def measured() -> int:
        pods = 0
        for batch in collect(source, Run(source)):
            assert all(c.status == "complete" for c in batch.collections), batch.collections
            pods += sum(getattr(r, "pods", 0) for r in batch.resources if r.KIND == "workload")
        return pods

    return measured, lambda: None


def typed(limit: int | None) -> Callable[[str], tuple[Callable[[], int], Callable[[], None]]]:
    """The official client's models, in one list or in pages."""

    def prepare(kubeconfig: str) -> tuple[Callable[[], int], Callable[[], None]]:
        from kubernetes import client, config

        config.load_kube_config(kubeconfig)
        api = client.CoreV1Api()

        def measured() -> int:
            count, token = 0, None
            while True:
                more = {"limit": limit, "_continue": token} if limit else {}
                page = api.list_pod_for_all_namespaces(**{k: v for k, v in more.items() if v})
                count += len(page.items)
                token = (
                    page.metadata._continue
                    if hasattr(page.metadata, "_continue")
                    else page.metadata.var_continue
                )
                if not (limit and token):
                    return count

        return measured, lambda: None

    return prepare


VARIANTS: dict[str, Callable[[str], tuple[Callable[[], int], Callable[[], None]]]] = {
    "collector, pods listed and mapped": pods_alone,
    "collector, all kinds": everything,
    "official client, typed, one list": typed(None),
    "official client, typed, limit=500": typed(500),
}


def child(name: str, kubeconfig: str) -> None:
    """Measure one variant and print it."""
    warnings.simplefilter("ignore")
    work, close = VARIANTS[name](kubeconfig)
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cpu, wall = time.process_time(), time.perf_counter()
    count = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    close()
    sys.stdout.write(msgspec.json.encode(Measured(count, cpu, wall, idle, peak)).decode())


def measure(name: str, kubeconfig: str) -> Measured:
    """One fresh process."""
    command = [sys.executable, __file__, "--child", name, kubeconfig]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=Measured)


def main() -> int:
    """Measure in turns and print."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    default = Path(cache) / "kube-lab-old" / "bench" / "admin.kubeconfig"
    kubeconfig = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    if not kubeconfig.exists():
        print(f"no {kubeconfig}; see the top of {Path(__file__).name}", file=sys.stderr)
        return 2
    rounds: dict[str, list[Measured]] = {name: [] for name in VARIANTS}
    for number in range(ROUNDS):
        for name, measured in rounds.items():
            if number == 0 or name.startswith("collector") or number < 2:
                measured.append(measure(name, str(kubeconfig)))
    middle = {name: statistics.median_low(m.cpu for m in found) for name, found in rounds.items()}
    counts = {m.count for found in rounds.values() for m in found}
    assert len(counts) == 1, counts
    mine = middle["collector, pods listed and mapped"]
    print(
        f"A real kube-apiserver with {counts.pop()} pods; medians of {ROUNDS} rounds (typed: 2), in turns.\n"
    )
    print("| reader | CPU s | times the collector's | wall s | peak MiB | over idle MiB |")
    print("|---|---|---|---|---|---|")
    for name, found in rounds.items():
        wall, peak = min(m.wall for m in found), max(m.peak_mib for m in found)
        growth = max(m.peak_mib - m.idle_mib for m in found)
        cpu = middle[name]
        print(f"| {name} | {cpu:.2f} | {cpu / mine:.1f} | {wall:.1f} | {peak:.0f} | {growth:.0f} |")
    ratio = middle["official client, typed, one list"] / mine
    peak = max(m.peak_mib for m in rounds["collector, pods listed and mapped"])
    print(
        f"\nPods listed and mapped: {mine:.2f} CPU-s (limit {CPU_LIMIT_SECONDS}), peak {peak:.0f} MiB (limit"
        f" {PEAK_LIMIT_MIB}), {ratio:.0f} times less CPU than the typed list (at least {LEAST_RATIO})."
    )
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3])
    else:
        sys.exit(main())

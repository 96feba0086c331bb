"""Several clouds in one run: read side by side, so that together they take no longer than the slowest."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors import openstack
from collectors.contract import Collector, Run, Source
from inventory.coverage import Batch, Status
from zhengguan import console
from zhengguan.config import load_config
from zhengguan.loop import collect_into, latest, opened

pytestmark = pytest.mark.lab

CONFIG = """\
store: store.db
sources:
  - {{name: zw, type: openstack, cloud: lab-admin, config_file: {clouds}, timeout_seconds: 120}}
  - {{name: old, type: kubernetes, kubeconfig: {old}/auditor.kubeconfig}}
  - {{name: new, type: kubernetes, kubeconfig: {new}/auditor.kubeconfig}}
"""


class Spans:
    """From when to when each source was read, by the clock of its own thread, in seconds."""

    def __init__(self) -> None:
        self.of: dict[str, tuple[float, float]] = {}

    def read(self, module: Collector, source: Source, run: Run) -> Iterator[Batch]:
        """What the loop does with a source: collect, and nothing besides."""
        begun = time.monotonic()
        try:
            yield from module.collect(source, run)
        finally:
            self.of[source.name] = (begun, time.monotonic())


def test_three_clouds_are_read_at_once_and_each_shows_its_progress(
    expected: dict[str, Any], both_kubes: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = both_kubes
    text = CONFIG.format(clouds=Path(os.environ["LAB_DIR"]) / "clouds.yaml", old=old.folder, new=new.folder)
    (tmp_path / "zhengguan.yaml").write_text(text, encoding="utf-8")
    config = load_config(tmp_path / "zhengguan.yaml")
    store, spans = opened(config, create=True), Spans()
    try:
        with caplog.at_level(logging.INFO, logger="zhengguan"), console.progress() as progress:
            collected = collect_into(
                store,
                config.sources,
                concurrency=config.collect.concurrency,
                progress=progress,
                how=spans.read,
            )
        snapshot = latest(store)
    finally:
        store.close()

    begun, ended = (
        dict(zip(spans.of, moments, strict=True)) for moments in zip(*spans.of.values(), strict=True)
    )
    assert set(begun) == {"zw", "old", "new"}
    # every one was begun before any was through: nothing waits for another, so the slowest is the whole
    assert max(begun.values()) < min(ended.values()), spans.of
    whole = max(ended.values()) - min(begun.values())
    assert whole < sum(ended[name] - begun[name] for name in begun), spans.of

    said = [record.getMessage() for record in caplog.records if record.name == "zhengguan"]
    for name in begun:
        assert any(line.startswith(f"{name}: ") for line in said), said

    assert collected.unread() == []
    complete = {(c.source, c.kind) for c in snapshot.collections if c.status is Status.COMPLETE}
    assert {kind for source, kind in complete if source == "zw"} == set(openstack.KINDS) - {"secret"}
    count = {
        (source, kind): sum(r.source == source for r in snapshot.of_kind(kind)) for source, kind in complete
    }
    assert count["zw", "server"] == expected["kinds"]["server"]
    assert count["zw", "port"] == expected["kinds"]["port"]
    for kube in (old, new):
        assert count[kube.name, "workload"] == sum(kube.expected["facts"]["workloads"].values())
        assert count[kube.name, "node"] == kube.expected["counts"]["nodes"]

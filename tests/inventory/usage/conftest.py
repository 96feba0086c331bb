"""Snapshots composed by hand, with collections that say what they are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest

from inventory.coverage import Batch, Collection, Status
from inventory.resource import Resource
from inventory.snapshot import Snapshot

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
Compose = Callable[..., Snapshot]


@pytest.fixture
def compose() -> Compose:
    """Snapshot of resources; each (source, kind) among them is complete unless ``status`` says otherwise,
    which may also name kinds of which nothing was seen."""

    def make(*rows: Resource, status: Mapping[tuple[str, str], Status] | None = None) -> Snapshot:
        told = {(r.source, r.KIND): Status.COMPLETE for r in rows} | dict(status or {})
        collections = [
            Collection(source=source, kind=kind, status=how, started_at=NOW, ended_at=NOW)
            for (source, kind), how in told.items()
        ]
        return Snapshot.of_batches([Batch(resources=list(rows), collections=collections)], NOW)

    return make

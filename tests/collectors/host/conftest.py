from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Run, Source
from collectors.host import Options, collect_from
from collectors.host.notebook import Notebook
from collectors.host.recording import RecordedReader
from inventory.coverage import Batch

MACHINES = Path(__file__).parents[2] / "data" / "host"


@pytest.fixture
def notebook() -> Callable[..., Notebook]:
    """A notebook over a machine that has just these files and commands, and nothing else."""

    def make(files: dict[str, Any] | None = None, **tables: Any) -> Notebook:
        record = {"unlisted": "not_found", "files": files or {}, **tables}
        return Notebook(RecordedReader(json.dumps(record).encode()))

    return make


@pytest.fixture
def machine() -> Callable[..., dict[str, Batch]]:
    """Batches of a recorded machine by kind. ``change`` edits the recording first."""

    def collect(name: str, change: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Batch]:
        content = (MACHINES / f"{name}.json").read_bytes()
        if change:
            record = json.loads(content)
            change(record)
            content = json.dumps(record).encode()
        source = Source(name="m", type="local", labels={"zone": "公用网络区"}, options=Options())
        batches = list(collect_from(RecordedReader(content), source, Run(source)))
        return {batch.collections[0].kind: batch for batch in batches}

    return collect

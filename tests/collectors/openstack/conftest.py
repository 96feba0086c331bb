"""Recordings of the lab, and copies of them with something changed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors import openstack
from collectors.contract import Run, Source
from inventory.coverage import Batch

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data" / "openstack"

Lines = list[dict[str, Any]]
Edit = Callable[[Lines], None]


@pytest.fixture
def recordings() -> dict[str, Path]:
    """The recordings by what was recorded."""
    return {
        "day1": DATA / "day1.jsonl.gz",
        "day2": DATA / "day2.jsonl.gz",
        "project-reader": DATA / "project-reader.jsonl.gz",
        "system-reader": DATA / "system-reader.jsonl.gz",
        "cinder-stopped": DATA / "cinder-stopped.jsonl.gz",
        "estate": DATA / "estate-admin.jsonl.gz",
        "estate-project-reader": DATA / "estate-project-reader.jsonl.gz",
        "estate-system-reader": DATA / "estate-system-reader.jsonl.gz",
        "lately": DATA / "lately-admin.jsonl.gz",
        "lately-project-reader": DATA / "lately-project-reader.jsonl.gz",
    }


@pytest.fixture
def expected() -> dict[str, dict[str, Any]]:
    """What the lab held, counted in its databases."""
    return {
        day: json.loads((DATA / f"expected-{day}.json").read_text(encoding="utf-8"))
        for day in ("day1", "day2")
    }


@pytest.fixture
def edited(tmp_path: Path, recordings: dict[str, Path]) -> Callable[..., Path]:
    """A copy of a recording with its lines changed: header, facts, then requests."""
    count = iter(range(1000))

    def make(edit: Edit, name: str = "day1") -> Path:
        lines = [json.loads(line) for line in gzip.decompress(recordings[name].read_bytes()).splitlines()]
        edit(lines)
        path = tmp_path / f"edited{next(count)}.jsonl.gz"
        path.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))
        return path

    return make


@pytest.fixture
def replay() -> Callable[..., dict[str, Batch]]:
    """Collect from a recording: kind → batch."""

    def collect(path: Path, **options: Any) -> dict[str, Batch]:
        source = Source(
            name="zw",
            type="openstack",
            labels={"level": "市"},
            options=openstack.Options(recording=str(path), **options),
        )
        found: dict[str, Batch] = {}
        for batch in openstack.collect(source, Run(source)):
            for collection in batch.collections:
                one = found.setdefault(collection.kind, Batch())
                assert one.collections == []
                one.collections.append(collection)
                one.evidence += batch.evidence
            for resource in batch.resources:
                found.setdefault(resource.KIND, Batch()).resources.append(resource)
        assert all(len(batch.collections) == 1 for batch in found.values())
        return found

    return collect


@pytest.fixture
def answer() -> Callable[..., dict[str, Any]]:
    """The line of one request in a recording, by service and path (the first with these parameters)."""

    def find(lines: Lines, service: str, path: str, **params: str) -> dict[str, Any]:
        def matches(line: dict[str, Any]) -> bool:
            return (
                line.get("service") == service
                and line.get("path") == path
                and params.items() <= line.get("params", {}).items()
            )

        return next(iter(filter(matches, lines)))

    return find


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection attempt fails the test."""
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("a replay opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)

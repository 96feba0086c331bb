"""The labs, running and seeded, for the suites that read them live."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

LAB = Path(__file__).parents[1] / "lab" / "openstack-lab"
SERVERS = "40"
_CACHE = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
os.environ.setdefault("LAB_DIR", str(Path(_CACHE) / "openstack-lab"))  # the suites and the lab's script agree
FOLDER = Path(os.environ["LAB_DIR"])


def lab(*arguments: str) -> None:
    subprocess.run([str(LAB), *arguments], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def expected() -> Iterator[dict[str, Any]]:
    """The running, seeded lab: what it holds."""
    running = subprocess.run([str(LAB), "status"], check=False, stdout=subprocess.DEVNULL).returncode == 0
    if not running:
        lab("install")
        lab("up")
    if not (FOLDER / "expected.json").exists():
        lab("seed", SERVERS)
    lab("expect")
    yield json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    if not running:
        lab("down")


@pytest.fixture
def stopped(expected: dict[str, Any]) -> Iterator[Callable[[str, str, str], None]]:
    """Do something to one service, and undo it afterwards."""
    undo: list[tuple[str, str]] = []

    def do(command: str, back: str, service: str) -> None:
        lab(command, service)
        undo.append((back, service))

    yield do
    for back, service in undo:
        lab(back, service)


@dataclass(frozen=True)
class Kube:
    """One of the two Kubernetes labs: where its kubeconfigs are, and what it holds."""

    name: str
    folder: Path
    expected: dict[str, Any]

    @property
    def command(self) -> list[str]:
        return [str(LAB.with_name("kube-lab")), "--server", self.name]

    def lab(self, *arguments: str) -> None:
        subprocess.run([*self.command, *arguments], check=True, stdout=subprocess.DEVNULL)

    def ready(self) -> bool:
        return (
            subprocess.run([*self.command, "status"], check=False, stdout=subprocess.DEVNULL).returncode == 0
        )


@contextmanager
def seeded(name: str) -> Iterator[Kube]:
    """One of the two, up and seeded; left as it was found."""
    folder = Path(_CACHE) / f"kube-lab-{name}"
    found = Kube(name, folder, {})
    running = found.ready()
    if not running:
        found.lab("build")
        found.lab("up")
    found.lab("seed", "300")
    found.expected.update(json.loads((folder / "expected.json").read_text(encoding="utf-8")))
    yield found
    if not running:
        found.lab("down")


@pytest.fixture(scope="module")
def clusters_alone() -> Iterator[None]:
    """No other process reads or disturbs the Kubernetes labs meanwhile."""
    with Path(_CACHE, "kube-lab.lock").open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module", params=["old", "new"])
def kube(request: pytest.FixtureRequest, clusters_alone: None) -> Iterator[Kube]:
    """The old and the new API server in turn."""
    with seeded(request.param) as found:
        yield found


@pytest.fixture(scope="module")
def both_kubes(clusters_alone: None) -> Iterator[list[Kube]]:
    """The old and the new API server at once."""
    with seeded("old") as old, seeded("new") as new:
        yield [old, new]

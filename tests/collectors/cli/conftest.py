"""Devices to talk to: the lab's command line on a pseudo-terminal."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors.cli.lines import Secrets
from collectors.cli.logins import begin
from collectors.cli.openssh import OpenSshLine
from collectors.cli.options import Options
from collectors.cli.sessions import Session, Wire

ROOT = Path(__file__).parents[3]
SHELL = ROOT / "tests" / "lab" / "cli-shell"
DATA = ROOT / "tests" / "data" / "cli"


@pytest.fixture
def device(tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a device's folder, in which the command line notes what is typed."""

    def copy(name: str = "vrp") -> Path:
        folder = tmp_path / name
        shutil.copytree(DATA / name, folder, dirs_exist_ok=True)
        return folder

    return copy


@pytest.fixture
def typed() -> Callable[[Path], list[str]]:
    """What was typed on a device so far."""
    return lambda folder: (folder / "typed").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def talk() -> Iterator[Callable[..., Session]]:
    """A session with a device's command line, without SSH."""
    lines: list[OpenSshLine] = []

    def start(folder: Path, *faults: str, platform: str = "huawei_vrp", **options: float) -> Session:
        line = OpenSshLine([sys.executable, str(SHELL), str(folder), *faults])
        lines.append(line)
        patience = {"connect_seconds": 5.0, "command_seconds": 5.0, "output_mib": 1.0} | options
        found = Options(targets=["t"], user="u", password_ref="env:P", **patience)  # type: ignore[arg-type]
        wire = Wire(line, time.monotonic() + 20, int(found.output_mib * 2**20))
        return begin(wire, Secrets(user="u"), found, platform)

    yield start
    for line in lines:
        line.close()

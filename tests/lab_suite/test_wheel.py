"""The wheel, installed elsewhere than the repository, without extras: it runs and it is small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
LIMIT_BYTES = 150 * 1024 * 1024


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv/bin/python"
    before = size(folder / "venv")
    subprocess.run(
        [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install", str(wheel)], check=True
    )
    assert size(folder / "venv") - before < LIMIT_BYTES
    return folder


def size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def run(installed: Path, *words: str) -> str:
    program = installed / "venv/bin/zhengguan"
    done = subprocess.run([str(program), *words], cwd=installed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_demo_from_the_wheel(installed: Path) -> None:
    assert "自查报告" in run(installed, "demo", "--out", "out")
    assert len(list((installed / "out/reports").iterdir())) == 10


def test_rules_and_standards_are_inside(installed: Path) -> None:
    assert "条规则，0 条" in run(installed, "rules", "test")
    assert "dengbao 3 级" in run(installed, "rules", "coverage")

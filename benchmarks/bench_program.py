"""Start-up, size and the demo, beside a bare interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROUNDS = 7


def cpu_of(*words: str) -> tuple[float, float, float]:
    """(CPU seconds, wall seconds, peak RSS in MiB) of one run."""
    began = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def installed_mib() -> float:
    """Size of a fresh virtual environment with the base install, less what was there before it."""
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder, "venv")
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        before = _size(venv)
        pip = [str(venv / "bin/python"), "-m", "pip", "-q", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, str(ROOT)], check=True, stderr=subprocess.DEVNULL)
        return (_size(venv) - before) / 2**20


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def main() -> None:
    program = str(Path(sys.executable).with_name("zhengguan"))
    rows = [("`python -c pass`", (sys.executable, "-c", "pass"), "-")]
    rows += [
        ("`zhengguan --version`", (program, "--version"), "< 0.1"),
        ("`zhengguan --help`", (program, "--help"), "< 0.2"),
    ]
    print("| command | CPU s (best of 7) | MiB | target CPU s |\n|---|---|---|---|")
    for name, words, target in rows:
        best = min(cpu_of(*words) for _ in range(ROUNDS))
        print(f"| {name} | {best[0]:.3f} | {best[2]:.0f} | {target} |")
    with tempfile.TemporaryDirectory() as folder:
        cpu, wall, peak = cpu_of(program, "demo", "--out", f"{folder}/demo")
    print(f"\nDemo: {wall:.1f} s wall (target < 60), {cpu:.1f} CPU-s, {peak:.0f} MiB peak (target < 400).")
    print(f"Base install with its dependencies: {installed_mib():.0f} MiB (target < 150).")


if __name__ == "__main__":
    main()

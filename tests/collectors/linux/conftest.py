from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Run, Source
from collectors.linux import Options, collect
from collectors.linux.sudo import COMMANDS, sudoers
from inventory.coverage import Batch

ROOT = Path(__file__).parents[3]
PASSWORD = "Zg-Planted-91c4-Password"
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Lab:
    """A host of tests/lab/ssh-host: its folder, its target, the process that holds its namespaces."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.port, self.pid = folder, port, process.pid
        self.target = f"127.0.0.1:{port}"

    def options(self, user: str, **more: Any) -> dict[str, Any]:
        return {
            "targets": [self.target],
            "user": user,
            "key_file": f"{self.folder}/key",
            "known_hosts": f"{self.folder}/known_hosts",
            **more,
        }


def start(folder: Path, *more: str) -> tuple[Lab, subprocess.Popen[bytes]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "password").write_text(PASSWORD + "\n")
    words = [command.split(" ", 1) for command in COMMANDS]
    there = [
        f"{path} {''.join(rest)}".strip() for name, *rest in words if (path := shutil.which(name, path=_PATH))
    ]
    (folder / "sudoers").write_text("\n".join(sudoers("zg-sudo", there)) + "\n")
    process = subprocess.Popen(
        [ROOT / "tests" / "lab" / "ssh-host", folder, str(port), *more], stderr=(folder / "log").open("wb")
    )
    ends = time.monotonic() + 30
    while b"Server listening" not in (folder / "log").read_bytes():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < ends, (folder / "log").read_text()
        time.sleep(0.05)
    return Lab(folder, port, process), process


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A host in this network, for a client in this process."""
    lab, process = start(tmp_path_factory.mktemp("ssh-host"))
    yield lab
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A host in a network of its own, where nobody else opens ports; its clients run there, too."""
    lab, process = start(tmp_path_factory.mktemp("lonely"), "own-network")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    lab.pid = int(children[0])
    yield lab
    process.kill()  # unshare waits for its child, and takes it along when it is killed
    process.wait()


@pytest.fixture
def read() -> Callable[..., list[Batch]]:
    """Batches of a source with these options."""

    def read_(
        deadline_seconds: float = 60.0, environ: dict[str, str] | None = None, **options: Any
    ) -> list[Batch]:
        source = Source(
            name="fleet",
            type="linux",
            labels={"zone": "公用网络区"},
            options=Options(**options),
            deadline_seconds=deadline_seconds,
        )
        return list(collect(source, Run(source, environ=environ or {})))

    return read_

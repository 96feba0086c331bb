"""Processes of the machine, told from /proc (and from systemd where /proc hides them)."""

from __future__ import annotations

import re

import msgspec

from collectors.host.notebook import Notebook, decode
from collectors.host.reader import Refusal

_COMM_LENGTH = 15  # the kernel cuts names to this many bytes


class Process(msgspec.Struct, frozen=True):
    pid: int
    name: str
    argv: tuple[str, ...]


class Processes(msgspec.Struct):
    """``complete`` says that a process that is not here does not run."""

    rows: list[Process]
    complete: bool

    def running(self, *names: str) -> bool | None:
        """Whether one of these programs runs; None where that cannot be told."""
        if self.find(*names):
            return True
        return False if self.complete else None

    def find(self, *names: str) -> Process | None:
        """The first process with one of these names (matched at the kernel's 15 characters too)."""
        wanted = {n for name in names for n in (name, name[:_COMM_LENGTH])}
        return next((p for p in self.rows if p.name in wanted), None)


def program_name(comm: bytes, cmdline: bytes) -> str:
    """Name of a program: comm, or the longer argv[0] that comm is the cut form of."""
    name = decode(comm).strip()
    first = decode(cmdline.split(b"\0", 1)[0]).rsplit("/", 1)[-1]
    return first if len(name) >= _COMM_LENGTH and first.startswith(name) else name


def read_processes(notebook: Notebook) -> Processes:
    """All processes that this user may see. Complete unless /proc is mounted with hidepid and we are not
    root; then running services are asked of systemd, whose list stands in where it answers."""
    names = notebook.directory("/proc")
    if isinstance(names, Refusal):
        return Processes([], complete=False)
    rows = []
    reader = notebook.reader
    for pid in (n for n in names if n.isascii() and n.isdigit()):
        comm = reader.read_file(f"/proc/{pid}/comm")
        if isinstance(comm, Refusal):
            continue
        cmdline = reader.read_file(f"/proc/{pid}/cmdline")
        arguments = b"" if isinstance(cmdline, Refusal) else cmdline
        argv = tuple(decode(a) for a in arguments.rstrip(b"\0").split(b"\0")) if arguments else ()
        rows.append(Process(int(pid), program_name(comm, arguments), argv))
    if not hidden(reader.read_file("/proc/mounts"), reader.user_id) and any(p.pid == 1 for p in rows):
        return Processes(rows, complete=True)
    units = notebook.output(
        *"systemctl list-units --type=service --state=running --no-legend --no-pager --plain".split()
    )
    if isinstance(units, bytes):
        rows += [Process(0, unit, ()) for unit in running_units(units)]
    notebook.note("/proc 隐藏了其他用户的进程（hidepid）：没有看到的服务记为未知，以 root 运行可看全")
    return Processes(rows, complete=False)


def hidden(mounts: bytes | Refusal, user_id: int) -> bool:
    """Whether /proc hides other users' processes from this user (proc(5), hidepid=)."""
    if user_id == 0:
        return False
    if isinstance(mounts, Refusal):
        return True
    match = re.search(rb"^\S+ /proc proc \S*\bhidepid=(\w+)", mounts, re.MULTILINE)
    return match is not None and match[1] not in (b"0", b"off")


def running_units(output: bytes) -> list[str]:
    """Names of running services from ``systemctl list-units``, without ".service"."""
    words = [line.split()[0] for line in decode(output).split("\n") if line.split()]
    return [w.removesuffix(".service") for w in words if w.endswith(".service")]

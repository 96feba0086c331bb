"""Listening sockets from /proc/net, and the programs that own them."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

import msgspec

from collectors.host.notebook import Notebook, decode
from collectors.host.processes import Processes
from collectors.host.reader import Refusal
from inventory.kinds.host import Listener
from inventory.resource import Relation
from inventory.unknown import UNKNOWN, Maybe

Protocol = Literal["tcp", "udp"]

_TABLES: tuple[tuple[str, Protocol], ...] = (
    ("/proc/net/tcp", "tcp"),
    ("/proc/net/tcp6", "tcp"),
    ("/proc/net/udp", "udp"),
    ("/proc/net/udp6", "udp"),
)
_WAITING = {"tcp": "0A", "udp": "07"}  # TCP_LISTEN; an unconnected UDP socket is TCP_CLOSE


class Socket(msgspec.Struct, frozen=True):
    protocol: Protocol
    address: str
    port: int
    inode: int


def listening(table: bytes, protocol: Protocol) -> list[Socket]:
    """Sockets of a /proc/net table that take connections or datagrams from anybody."""
    found = []
    for line in decode(table).split("\n")[1:]:
        parts = line.split()
        if len(parts) < 10 or parts[3] != _WAITING[protocol]:
            continue
        match = re.fullmatch(r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})", parts[1])
        if match and int(match[2], 16) and re.fullmatch(r"[0-9]{1,20}", parts[9]):
            found.append(Socket(protocol, str(address_of_hex(match[1])), int(match[2], 16), int(parts[9])))
    return found


def address_of_hex(text: str) -> IPv4Address | IPv6Address:
    """An address as /proc/net prints it: 32-bit words in the byte order of the (little-endian) machine."""
    words = [bytes.fromhex(text[i : i + 8])[::-1] for i in range(0, len(text), 8)]
    return IPv4Address(words[0]) if len(words) == 1 else IPv6Address(b"".join(words))


def owners(notebook: Notebook, processes: Processes, inodes: set[int]) -> tuple[dict[int, str], bool]:
    """Program of each socket inode, and whether every process could be looked into (so that a socket
    without an owner is the kernel's own)."""
    found: dict[int, str] = {}
    whole = processes.complete
    reader = notebook.reader
    for process in processes.rows:
        if len(found) == len(inodes):
            break
        folder = f"/proc/{process.pid}/fd"
        names = reader.list_dir(folder)
        if isinstance(names, Refusal):
            whole &= names is Refusal.NOT_FOUND
            continue
        for name in names:
            target = reader.read_link(f"{folder}/{name}")
            if isinstance(target, Refusal):
                whole &= target is Refusal.NOT_FOUND
            elif target.startswith("socket:[") and target[8:-1].isdigit():
                inode = int(target[8:-1])
                if inode in inodes:
                    found.setdefault(inode, process.name)
    return found, whole


def read_listeners(
    notebook: Notebook, processes: Processes, host: str, source: str, labels: dict[str, str]
) -> tuple[list[Listener], Refusal | None]:
    """Listeners, and why they may not be all (a table was refused)."""
    sockets: list[Socket] = []
    refused: Refusal | None = None
    for path, protocol in _TABLES:
        table = notebook.reader.read_file(path)
        if isinstance(table, bytes):
            sockets += listening(table, protocol)
        elif table is not Refusal.NOT_FOUND or not path.endswith("6"):
            refused = table
    programs, whole = owners(notebook, processes, {s.inode for s in sockets if s.inode})
    if not whole and any(s.inode not in programs for s in sockets):
        need = "容器里的 root 还缺 CAP_SYS_PTRACE" if notebook.root else "读其他用户的 /proc/*/fd 需要 root"
        notebook.note(f"监听端口列表完整，部分端口所属的程序未知：{need}")
    found: dict[str, Listener] = {}
    for socket in sockets:
        unowned: Maybe[str | None] = None if whole else UNKNOWN
        native = f"{host}/{socket.protocol}/{socket.address}/{socket.port}"
        parsed = ip_address(socket.address)
        found.setdefault(
            native,
            Listener(
                source=source,
                native_id=native,
                name=f"{socket.protocol} {_endpoint(socket)}",
                labels=dict(labels),
                relations=[Relation("runs_on", f"{source}/host/{host}")],
                protocol=socket.protocol,
                family="ipv4" if parsed.version == 4 else "ipv6",
                address=socket.address,
                port=socket.port,
                loopback=parsed.is_loopback,
                program=programs.get(socket.inode, unowned),
            ),
        )
    return list(found.values()), refused


def _endpoint(socket: Socket) -> str:
    return f"[{socket.address}]:{socket.port}" if ":" in socket.address else f"{socket.address}:{socket.port}"

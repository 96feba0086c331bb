"""Options of a source of Linux hosts: which, how to log in, how patiently."""

from __future__ import annotations

import re
from typing import ClassVar

import msgspec

from collectors import contract
from collectors.targets import is_address

_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]{0,63}\$?")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9.])?")


class Options(contract.Options, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``targets``: "host", "host:port", "[v6]:port". One login for all: ``user`` with ``key_file``, the SSH
    agent, ``password_ref``, tried in this order. ``jump``: a host to go through, with the same login.
    ``known_hosts`` "" = the user's own file. ``insecure``: take any host key; the hosts then say so.
    ``sudo``: try ``sudo -n`` for what only root may read. Times in seconds: of one step of a log-in, and of
    one host with all its steps."""

    PATHS: ClassVar[tuple[str, ...]] = ("key_file", "known_hosts", "recording")

    targets: list[str] = msgspec.field(default_factory=list)
    user: str = ""
    password_ref: str = ""
    key_file: str = ""
    key_passphrase_ref: str = ""
    agent: bool = False
    jump: str = ""
    known_hosts: str = ""
    insecure: bool = False
    sudo: bool = False
    timeout_seconds: float = 15.0
    host_seconds: float = 120.0
    concurrency: int = 8
    recording: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("timeout_seconds", "host_seconds", "concurrency"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} 要大于 0")
        if self.recording:
            return
        if not self.targets:
            raise ValueError("targets 是空的：至少写一台主机的地址")
        if not _USER.fullmatch(self.user):
            raise ValueError("要写 user：登录用的账户名")
        if not (self.password_ref or self.key_file or self.agent):
            raise ValueError("要写 key_file、agent: true、password_ref 之一")
        if self.key_passphrase_ref and not self.key_file:
            raise ValueError("key_passphrase_ref 是 key_file 的口令：先写 key_file")
        places = [split_target(target) for target in self.targets]
        if len(set(places)) != len(places):
            raise ValueError("targets 里有重复的主机")
        if self.jump:
            split_target(self.jump)


def split_target(target: str) -> tuple[str, int]:
    """Host and port (22 where none is given). Raises ValueError (中文) for what is none."""
    text = target.strip()
    host, port = text, ""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
        if not closed or (rest and not rest.startswith(":")) or not is_address(host):
            raise ValueError(f"不认识的地址 {target[:80]!r}，写成 [地址]:端口")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not (is_address(host) or _HOST.fullmatch(host)):
        raise ValueError(f"不认识的地址 {target[:80]!r}，写成 主机 或 主机:端口，不带用户名")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"端口 {port[:20]!r} 不对，要 1 至 65535")
    return host.lower(), int(port) if port else 22

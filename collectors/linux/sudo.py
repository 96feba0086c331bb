"""What a user who is not root may be allowed by sudo: single commands, whole and without wildcards."""

from __future__ import annotations

import re
from collections.abc import Iterable

from collectors.linux.questions import AS_ROOT, FILES, SOCKETS

STATE = "cut -d$ -f1,2 /etc/shadow"
DATES = "cut -d: -f1,3-8 /etc/shadow"
COMMANDS: tuple[str, ...] = (STATE, DATES, FILES, SOCKETS, *AS_ROOT)
"""Every command that may be run by sudo. None shows a password hash of crypt(5) ("$"); none can write."""
_KINDS = {"cut": ("account",), "grep": ("account", "host"), "ss": ("listener",)}  # the others: host


SHOWS = {
    "cut": "口令状态、算法和有效期",
    "grep": "sudo 权限、审计规则和只有 root 可读的 sshd 配置",
    "ss": "端口所属程序",
    "sshd": "SSH 生效配置",
    "auditctl": "已装入的审计规则",
    "nft": "防火墙规则",
    "iptables-save": "防火墙规则",
    "ip6tables-save": "防火墙规则",
    "dnf": "待装更新",
    "yum": "待装更新",
}
"""What each program shows (中文)."""


def rule(user: str, commands: Iterable[str]) -> str:
    """One line of sudoers(5). ``commands`` have full paths; one without arguments may get none."""
    return f"{user} ALL=(root) NOPASSWD: {', '.join(_escaped(command) for command in commands)}"


def _escaped(command: str) -> str:
    path, _, arguments = command.partition(" ")
    if not arguments:
        return f'{path} ""'
    return f"{path} " + re.sub(r"([,:=\\])", r"\\\1", arguments)


def sudoers(user: str, commands: Iterable[str]) -> list[str]:
    """A whole file for /etc/sudoers.d: a rule a line, and leave to use it without a terminal."""
    return [f"Defaults:{user} !requiretty", *(rule(user, [command]) for command in commands)]


def remedies(user: str, commands: Iterable[str], asked: bool) -> dict[str, str]:
    """For each kind what would show more: the line of sudoers, and the option where it is not set."""
    found: dict[str, list[str]] = {}
    for command in commands:
        program = command.partition(" ")[0].rpartition("/")[2]
        for kind in _KINDS.get(program, ("host",)):
            found.setdefault(kind, []).append(command)
    also = "" if asked else "，并在来源里写 sudo: true"
    return {
        kind: f"在该主机上 visudo -f /etc/sudoers.d/zhengguan，写入：{rule(user, needed)}{also}"
        for kind, needed in found.items()
    }

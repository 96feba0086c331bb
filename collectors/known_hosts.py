"""Host keys of SSH servers: known_hosts(5) files, and what to tell where a key is not in them.

Follows sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT": plain and hashed names, ``*``, ``?`` and ``!``, a port as
``[host]:port``, and ``@revoked``. ``@cert-authority`` lines say nothing here: host certificates are not read.
Reads nothing but these files, and needs no SSH library.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import msgspec

from collectors.contract import SourceError
from inventory.coverage import Status

DEFAULT = "~/.ssh/known_hosts"
SYSTEM = "/etc/ssh/ssh_known_hosts"

Judgement = Literal["known", "unknown", "changed", "revoked"]


class Entry(msgspec.Struct, frozen=True):
    """One line: names as written, the type of key, and the key as it goes over the wire."""

    names: tuple[str, ...]
    key_type: str
    key: bytes
    revoked: bool = False


def read_known_hosts(path: str) -> list[Entry]:
    """Entries of the user's file and of the machine's. Raises SourceError for a file that is named and cannot
    be read; the two usual ones may be missing."""
    found: list[Entry] = []
    for name, must in ((path or DEFAULT, bool(path)), (SYSTEM, False)):
        try:
            content = Path(name).expanduser().read_bytes()
        except OSError as error:
            if must:
                raise SourceError(
                    f"known_hosts 文件 {name} 读不出：{error.strerror}",
                    "检查路径和权限；新建一份：ssh-keyscan 主机 > 文件，再逐个核对指纹",
                ) from error
            continue
        found += parse_known_hosts(content)
    return found


def parse_known_hosts(content: bytes) -> list[Entry]:
    """Lines that hold a key; those that do not parse are passed over, as ssh(1) does."""
    found = []
    for line in content.decode("utf-8", "replace").splitlines():
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in ("", "@revoked"):
            continue
        try:
            key = base64.b64decode(words[2], validate=True)
        except binascii.Error:
            continue
        found.append(Entry(tuple(words[0].split(",")), words[1], key, marker == "@revoked"))
    return found


def host_name(host: str, port: int) -> str:
    """How known_hosts calls a server."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def names(entry: Entry, host: str, port: int) -> bool:
    """Whether a line is about a server."""
    wanted = host_name(host, port)
    matched = False
    for pattern in entry.names:
        if pattern.startswith("|1|"):
            matched |= _hashed(pattern, wanted)
        elif pattern.startswith("!"):
            if _matches(pattern[1:], wanted):
                return False
        else:
            matched |= _matches(pattern, wanted)
    return matched


def _matches(pattern: str, name: str) -> bool:
    # only * and ? are special here: the brackets around a host with a port stand for themselves
    return fnmatchcase(name, pattern.lower().replace("[", "[[]"))


def _hashed(pattern: str, name: str) -> bool:
    """``|1|salt|hash``: HMAC-SHA1 of the name, keyed with the salt."""
    parts = pattern.split("|")
    if len(parts) != 4:
        return False
    try:
        salt, digest = base64.b64decode(parts[2]), base64.b64decode(parts[3])
    except binascii.Error:
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)


def judge(entries: Sequence[Entry], host: str, port: int, key: bytes) -> Judgement:
    """What the files say of a key that a server has shown. "changed": they know the server by other keys."""
    about = [entry for entry in entries if names(entry, host, port)]
    if any(entry.key == key for entry in about if entry.revoked):
        return "revoked"
    held = [entry for entry in about if not entry.revoked]
    if any(entry.key == key for entry in held):
        return "known"
    return "changed" if held else "unknown"


def key_types(entries: Sequence[Entry], host: str, port: int) -> list[str]:
    """Types of the keys that a server is known by: to be asked for first, because it shows only one."""
    held = [e.key_type for e in entries if not e.revoked and names(e, host, port)]
    return list(dict.fromkeys(held))


def fingerprint(key: bytes) -> str:
    """As ssh-keygen -l shows it: SHA256:…"""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def refusal(judgement: Judgement, host: str, port: int, key_type: str, key: bytes, path: str) -> SourceError:
    """The error for a key that is not "known": which key the server showed, and what to do about it."""
    shown = f"{key_type} {fingerprint(key)}"
    name = host_name(host, port)
    file = path or DEFAULT
    if judgement == "revoked":
        return SourceError(
            f"主机密钥已被吊销（@revoked）：{name} 出示的是 {shown}",
            "不要连接：查清该主机为何还在用这把密钥",
            Status.DENIED,
        )
    if judgement == "changed":
        return SourceError(
            f"主机密钥与 known_hosts 里的不同：{name} 出示的是 {shown}；可能重装过，也可能有人冒充",
            f"到该主机上用 ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub 核对指纹；确认后用"
            f" ssh-keygen -R '{name}' -f {file} 删去旧的，再加新的",
            Status.DENIED,
        )
    scan = f"ssh-keyscan -p {port} {host}" if port != 22 else f"ssh-keyscan {host}"
    return SourceError(
        f"不认识的主机密钥：{name} 出示的是 {shown}，known_hosts 里没有",
        f"到该主机上用 ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub 核对指纹，一致再加入：{scan} >> {file}",
        Status.DENIED,
    )

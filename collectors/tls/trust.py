"""Whether a chain leads to an authority that this machine trusts: asked of the OpenSSL command, which knows
SM2 too (GB/T 32918 with the usual identity of its signatures)."""

from __future__ import annotations

import re
import subprocess
from base64 import encodebytes
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

_IDENTITY = "distid:1234567812345678"
_SECONDS = 20.0
_ERROR = re.compile(r"error (\d+) at (\d+) depth lookup: ?(.*)")


class Trust(NamedTuple):
    """``trusted`` None = could not be told."""

    trusted: bool | None
    problem: str = ""


def verify(chain: tuple[bytes, ...], *, sm2: bool, ca_file: str) -> Trust:
    """Verify a chain (DER, the leaf first) regardless of its dates, its names and the length of its keys,
    which are told apart from this. Trusted are the system's authorities and those of ``ca_file``."""
    command = ["openssl", "verify", "-no_check_time", "-auth_level", "0", "-purpose", "any"]
    command += ["-CAfile", ca_file] if ca_file else []
    command += ["-vfyopt", _IDENTITY] if sm2 else []
    with TemporaryDirectory(prefix="zhengguan-") as folder:
        if chain[1:]:
            others = Path(folder) / "chain.pem"
            others.write_text("".join(map(pem, chain[1:])), encoding="ascii")
            command += ["-untrusted", str(others)]
        try:
            done = subprocess.run(  # noqa: S603 - our own words; what a peer sent goes in as files
                command,
                input=pem(chain[0]),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return Trust(None, "")
    if done.returncode == 0:
        return Trust(trusted=True)
    problems = _ERROR.findall(done.stdout + done.stderr)
    if not problems:
        return Trust(None, "")
    return Trust(False, "; ".join(dict.fromkeys(text.strip()[:120] for _, _, text in problems)))


def pem(der: bytes) -> str:
    """A certificate in PEM."""
    return f"-----BEGIN CERTIFICATE-----\n{encodebytes(der).decode()}-----END CERTIFICATE-----\n"


def matches(asked: str, names: list[str]) -> bool:
    """Whether a name or address is among a certificate's own; ``*`` stands for one label, the first
    (RFC 9525)."""
    try:
        address = ip_address(asked)
    except ValueError:
        labels = asked.lower().rstrip(".").split(".")
        return any(_same(labels, name.lower().rstrip(".").split(".")) for name in names)
    return any(_address(name) == address for name in names)


def _same(asked: list[str], name: list[str]) -> bool:
    if len(asked) != len(name):
        return False
    return asked[1:] == name[1:] and (asked[0] == name[0] or (name[0] == "*" and len(name) > 2))


def _address(text: str) -> object:
    try:
        return ip_address(text)
    except ValueError:
        return None

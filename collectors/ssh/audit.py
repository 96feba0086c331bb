"""Host keys and primes of group exchange, through ssh-audit (MIT) as a child process.

A child, since it trusts lengths that a peer names, reads without an end and prints from wherever it is: here
it has a deadline, and bounds on memory, on CPU time and on what it writes. Of its JSON only what needs a key
exchange is taken; judgements and names of algorithms are not.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from typing import Any

import msgspec

from inventory.decoding import convert, from_json

_MOST_MEMORY_BYTES = 512 * 1024 * 1024
_MOST_OUTPUT_BYTES = 4 * 1024 * 1024
_PROGRAM = (
    "import resource as r,sys;"
    "c=int(sys.argv.pop(1));"
    f"r.setrlimit(r.RLIMIT_AS,({_MOST_MEMORY_BYTES},)*2);"
    f"r.setrlimit(r.RLIMIT_FSIZE,({_MOST_OUTPUT_BYTES},)*2);"
    "r.setrlimit(r.RLIMIT_CPU,(c,c));"
    "from ssh_audit.ssh_audit import main;"
    "sys.exit(main())"
)


class Fingerprint(msgspec.Struct, kw_only=True):
    """Of a key by the name it is offered under; ``hash`` in base64 without padding for SHA256."""

    hostkey: str
    hash_alg: str
    hash: str


class Named(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An algorithm: ``keysize`` of a host key or of a prime, ``casize`` of a certificate's authority; 0 = not
    learnt."""

    algorithm: str
    keysize: int = 0
    ca_algorithm: str = ""
    casize: int = 0


class Report(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is read of ssh-audit's JSON."""

    fingerprints: list[Fingerprint] = msgspec.field(default_factory=list)
    key: list[Named] = msgspec.field(default_factory=list)
    kex: list[Named] = msgspec.field(default_factory=list)


def installed() -> bool:
    """Whether ssh-audit is there."""
    return find_spec("ssh_audit") is not None


def audit(address: str, port: int, *, timeout_seconds: float, seconds: float) -> Report | str:
    """Run it against one address, ``timeout_seconds`` for each of its connections and ``seconds`` in all; the
    report, or why there is none: a key of ``collectors.ssh.mapping.WHY``."""
    if not installed():
        return "no_audit"
    with tempfile.TemporaryFile() as output:
        command = [sys.executable, "-I", "-c", _PROGRAM, str(max(1, round(seconds)))]
        command += ["--json", "--skip-rate-test", "-t", str(max(1, round(timeout_seconds))), "-p", str(port)]
        try:
            subprocess.run(  # noqa: S603 - our own interpreter, and an address that was resolved
                [*command, address],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "late"
        output.seek(0)
        return report_of(output.read(_MOST_OUTPUT_BYTES)) or "audit_failed"


def report_of(output: bytes) -> Report | None:
    """Decode ssh-audit's JSON, after whatever it said before; None where there is none."""
    at = output.find(b"{")
    try:
        told: Any = from_json(output[at:] if at >= 0 else b"")
        return convert(told, Report)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None

"""The two probes: one SNMP GET of the system group, and what an SSH server says first. Nothing is written."""

from __future__ import annotations

import re
import socket
import time
from typing import Literal

import msgspec

from collectors.contract import DeadlineError, Run, SourceError
from collectors.snmp import tables
from collectors.snmp.engines import (
    AgentError,
    AuthenticationError,
    ClosedPortError,
    Credentials,
    EngineName,
    NoAnswerError,
    Oid,
    Value,
    open_engine,
)
from collectors.snmp.texts import text_of
from collectors.snmp.vendors import facts_of, vendor_of
from collectors.snmp.waiting import alone
from collectors.snmp.walker import Limits, Walker

_LONGEST = 200  # characters of a text that are kept
_BANNER_BYTES = 2048
_BANNER = re.compile(rb"(?m)^(SSH-(?:1\.99|2\.0)-[\x20-\x7e]{1,240})\r?$")


class SnmpLogin(msgspec.Struct, kw_only=True):
    """A login of a configured source: ``source`` and ``position`` (0 = first) say which. Holds secrets."""

    source: str
    position: int
    credentials: Credentials
    engine: EngineName
    run: Run

    def __repr__(self) -> str:
        return f"<SnmpLogin {self.source} {self.position}>"


class SnmpSeen(msgspec.Struct, kw_only=True):
    """What an agent told of itself. ``source`` and ``position`` name the login it took."""

    source: str
    position: int
    version: str
    name: str = ""
    description: str = ""
    vendor: str = ""
    model: str = ""


def snmp_at(
    address: str, port: int, login: SnmpLogin, timeout_seconds: float
) -> SnmpSeen | Literal["silent", "closed", "refused"]:
    """Try one login once. "closed": the host said that nobody listens; "refused": an agent is there, and
    does not take the login (v1 and v2c agents are silent then)."""
    limits = Limits(timeout_seconds=timeout_seconds, attempts=1, device_seconds=4 * timeout_seconds)

    async def ask() -> dict[Oid, Value]:
        engine = open_engine(address, port, login.credentials, login.engine)
        try:
            return await Walker(engine, login.run, limits).get(tables.SCALARS)
        finally:
            engine.close()

    try:
        scalars = alone(ask())
    except DeadlineError:
        return "silent"
    except SourceError:
        return "closed"
    except ClosedPortError:
        return "closed"
    except NoAnswerError:
        return "silent"
    except AuthenticationError:
        return "refused"
    except AgentError:
        return "silent"

    def text(value: object) -> str:
        told = text_of(value) if isinstance(value, bytes) else None
        return " ".join(login.run.redactor.text(told or "").split())[:_LONGEST]

    description = text(scalars.get(tables.SYS_DESCR))
    object_id = scalars.get(tables.SYS_OBJECT_ID)
    vendor = vendor_of(object_id if isinstance(object_id, str) else "", description)[0] or ""
    return SnmpSeen(
        source=login.source,
        position=login.position,
        version=login.credentials.version,
        name=text(scalars.get(tables.SYS_NAME)),
        description=description,
        vendor=vendor,
        model=facts_of(vendor, description).get("model", ""),
    )


def ssh_at(address: str, port: int, timeout_seconds: float) -> str:
    """The identification string of an SSH server (RFC 4253 §4.2), "" where none comes. Nothing is sent."""
    ends = time.monotonic() + timeout_seconds
    heard = b""
    try:
        with socket.create_connection((address, port), timeout=timeout_seconds) as peer:
            while len(heard) < _BANNER_BYTES and not _BANNER.search(heard):
                left = ends - time.monotonic()
                if left <= 0:
                    break
                peer.settimeout(left)
                piece = peer.recv(_BANNER_BYTES - len(heard))
                if not piece:
                    break
                heard += piece
    except OSError:
        pass
    match = _BANNER.search(heard)
    return match[1].decode("ascii") if match else ""

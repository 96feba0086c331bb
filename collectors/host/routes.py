"""Routes: from ``ip``, else from /proc."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_network
from typing import Any

from collectors.host.network import json_rows
from collectors.host.notebook import Notebook, decode
from collectors.host.reader import Refusal
from collectors.host.sockets import address_of_hex
from inventory.kinds.address import Family
from inventory.kinds.network import Route
from inventory.resource import Relation
from inventory.unknown import UNKNOWN

_UP, _GATEWAY, _REJECT, _LOCAL6 = 0x1, 0x2, 0x200, 0x80000000  # flags


def routes_of_json(data: bytes, family: Family) -> list[dict[str, Any]] | None:
    """Fields of ``Route`` for each next hop of ``ip -j route``."""
    rows = json_rows(data)
    if rows is None:
        return None
    found = []
    for row in rows:
        destination = _prefix(row.get("dst"), family)
        if destination is None:
            continue
        hops = row.get("nexthops")
        for hop in [h for h in hops if isinstance(h, dict)] if isinstance(hops, list) and hops else [row]:
            via = hop.get("via")
            gateway = hop.get("gateway") or (via.get("host") if isinstance(via, dict) else None)
            found.append(
                {
                    "family": family,
                    "destination": destination,
                    "gateway": gateway if isinstance(gateway, str) else None,
                    "interface": hop.get("dev") if isinstance(hop.get("dev"), str) else None,
                    "protocol": row.get("protocol") if isinstance(row.get("protocol"), str) else UNKNOWN,
                    "metric": row.get("metric") if isinstance(row.get("metric"), int) else 0,
                }
            )
    return found


def _prefix(value: Any, family: Family) -> str | None:
    if value == "default":
        return "0.0.0.0/0" if family == "ipv4" else "::/0"
    try:
        return str(ip_network(value, strict=False)) if isinstance(value, str) else None
    except ValueError:
        return None


def routes_of_proc4(data: bytes) -> list[dict[str, Any]]:
    """/proc/net/route: addresses as little-endian words."""
    found = []
    for line in decode(data).split("\n")[1:]:
        parts = line.split()
        if len(parts) < 8 or not all(re.fullmatch(r"[0-9A-F]{8}", parts[i]) for i in (1, 2, 7)):
            continue
        flags = int(parts[3], 16) if re.fullmatch(r"[0-9A-F]{4}", parts[3]) else 0
        bits = f"{int.from_bytes(address_of_hex(parts[7]).packed):032b}"
        if not flags & _UP or flags & _REJECT or "01" in bits:
            continue
        found.append(
            {
                "family": "ipv4",
                "destination": f"{address_of_hex(parts[1])}/{bits.count('1')}",
                "gateway": str(address_of_hex(parts[2])) if flags & _GATEWAY else None,
                "interface": parts[0],
                "protocol": UNKNOWN,
                "metric": int(parts[6]) if re.fullmatch(r"[0-9]{1,10}", parts[6]) else 0,
            }
        )
    return found


def routes_of_proc6(data: bytes) -> list[dict[str, Any]]:
    """/proc/net/ipv6_route, without local addresses, multicast and rejections."""
    found = []
    for line in decode(data).split("\n"):
        parts = line.split()
        shapes = (32, 2, 32, 2, 32, 8, 8, 8, 8)
        if len(parts) != 10 or not all(
            re.fullmatch(rf"[0-9a-f]{{{n}}}", part) for n, part in zip(shapes, parts, strict=False)
        ):
            continue
        flags, length = int(parts[8], 16), int(parts[1], 16)
        destination = IPv6Address(bytes.fromhex(parts[0]))
        if not flags & _UP or flags & (_LOCAL6 | _REJECT) or destination.is_multicast or length > 128:
            continue
        gateway = IPv6Address(bytes.fromhex(parts[4]))
        found.append(
            {
                "family": "ipv6",
                "destination": str(ip_network((destination, length), strict=False)),
                "gateway": str(gateway) if flags & _GATEWAY else None,
                "interface": parts[9],
                "protocol": UNKNOWN,
                "metric": int(parts[5], 16),
            }
        )
    return found


def read_routes(
    notebook: Notebook, host: str, source: str, labels: dict[str, str]
) -> tuple[list[Route], Refusal | None]:
    """Routes of both families, and why they may not be all."""
    rows: list[dict[str, Any]] = []
    refused: Refusal | None = None
    tables: tuple[tuple[Family, tuple[str, ...], str], ...] = (
        ("ipv4", ("ip", "-j", "route"), "/proc/net/route"),
        ("ipv6", ("ip", "-6", "-j", "route"), "/proc/net/ipv6_route"),
    )
    for family, command, path in tables:
        answer = notebook.output(*command)
        parsed = routes_of_json(answer, family) if isinstance(answer, bytes) else None
        if parsed is None:
            table = notebook.reader.read_file(path)
            if isinstance(table, bytes):
                parsed = routes_of_proc4(table) if family == "ipv4" else routes_of_proc6(table)
            elif table is not Refusal.NOT_FOUND or family == "ipv4":
                refused = table
        rows += parsed or []
    return list(_routes(rows, host, source, labels).values()), refused


def _routes(rows: list[dict[str, Any]], host: str, source: str, labels: dict[str, str]) -> dict[str, Route]:
    found: dict[str, Route] = {}
    for row in rows:
        metric = row.pop("metric")
        parts = (row["family"], row["destination"], row["gateway"] or "-", row["interface"] or "-", metric)
        native = f"{host}/" + "/".join(str(p) for p in parts)
        found.setdefault(
            native,
            Route(
                source=source,
                native_id=native,
                name=str(row["destination"]),
                labels=dict(labels),
                relations=[Relation("part_of", f"{source}/host/{host}")],
                **row,
            ),
        )
    return found

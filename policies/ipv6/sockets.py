"""Listening sockets by the service they belong to: what would be left of it without IPv4."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from inventory.kinds.host import Listener
from inventory.resource import Resource
from inventory.unknown import known
from policies.ipv6.contract import Judged, Measure, View

_OF_IPV4: Final = frozenset({67, 68})
"""Ports of DHCP (RFC 2131), which is IPv4's own: DHCPv6 has others, and nothing is missing there."""


def together(rows: Iterable[Resource]) -> dict[tuple[str, str], list[Listener]]:
    """(uid of the host, "tcp 443") → the sockets there. Sockets of which that was not seen are left out."""
    found: dict[tuple[str, str], list[Listener]] = {}
    for one in rows:
        if not isinstance(one, Listener) or not known(one.protocol) or not known(one.port):
            continue
        if not known(one.family):
            continue
        owner = next(iter(one.related("runs_on")), one.source)
        found.setdefault((owner, f"{one.protocol} {one.port}"), []).append(one)
    return found


def sockets_without_ipv4(view: View) -> list[Judged]:
    """Of each port that a host serves to others: whether it does so over IPv6. A socket on :: counts, whether
    it takes IPv4 as well or not."""
    found = []
    for (_, port), rows in together(view.by_kind.get(Listener.KIND, ())).items():
        if rows[0].port in _OF_IPV4 and rows[0].protocol == "udp":
            continue
        outside = [row for row in rows if not known(row.loopback) or not row.loopback]
        if not outside:
            continue
        six = [row for row in outside if row.family == "ipv6"]
        sure = any(known(row.loopback) for row in outside)
        met = "y" if any(known(row.loopback) for row in six) else "m" if six else "n"
        one = outside[0]
        program = f"（{one.program}）" if known(one.program) and one.program else ""
        found.append(Judged(one.uid, one.uid, "y" if sure else "m", met, f"{port}{program} 只在 IPv4 上监听"))  # type: ignore[arg-type]
    return found


MEASURES = (
    Measure(
        name="sockets_without_ipv4",
        kinds=(Listener.KIND,),
        call=sockets_without_ipv4,
        purpose="对外监听的端口在 IPv6 上也监听",
    ),
)

"""Summaries of routing tables, as the platforms word them. The wording of FRR is that of the real one; the
others follow what is published of them."""

from __future__ import annotations

import pytest

from collectors.cli.displays import routes

IOS = """IP routing table name is default (0x0)
IP routing table maximum-paths is 32
Route Source    Networks    Subnets     Replicates  Overhead    Memory (bytes)
connected       0           6           0           576         1728
static          1           2           0           288         864
internal        2                                               1056
Total           3           8           0           864         3648
"""
IOS6 = """IPv6 routing table name is default(0) global scope - 7 entries
IPv6 routing table default maximum-paths is 16
Route Source    Networks    Overhead    Memory (bytes)
connected       3           576         648
"""
NXOS = """IP Route Table for VRF "default"
Total number of routes: 25
Total number of paths:  27
"""
JUNOS = """Router ID: 10.0.0.1

inet.0: 14 destinations, 15 routes (13 active, 0 holddown, 1 hidden)
              Direct:      6 routes,      6 active
inet6.0: 4 destinations, 4 routes (4 active, 0 holddown, 0 hidden)
              Direct:      2 routes,      2 active
"""
FRR = """Route Source         Routes               FIB  (vrf default)
kernel               1                    1
connected            3                    2
------
Totals               4                    3
"""
VRP = """Summary Prefixes : 6
Proto      total      active     added      deleted    freed
           routes     routes     routes     routes     routes
DIRECT     5          5          9          4          4
Total      7          6          11         4          4
"""


@pytest.mark.parametrize(
    ("text", "ipv6", "count"),
    [(IOS, False, 11), (IOS6, True, 7), (NXOS, False, 25), (JUNOS, False, 13), (JUNOS, True, 4),
     (FRR, False, 3), (VRP, False, 6)],
)  # fmt: skip
def test_routes_in_use(text: str, ipv6: bool, count: int) -> None:
    assert routes(text, ipv6=ipv6) == count


@pytest.mark.parametrize(
    "text", ["", "Error: Unrecognized command", "Total 7 6", "Totals  9999999999999999999999 1", JUNOS[:20]]
)
def test_other_words_tell_nothing(text: str) -> None:
    assert routes(text, ipv6=False) is None


def test_junos_without_ipv6_says_nothing_of_it() -> None:
    assert routes(JUNOS.partition("inet6.0")[0], ipv6=True) is None

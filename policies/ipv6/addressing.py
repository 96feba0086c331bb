"""Addresses in use: of which sort they are, how their interface identifiers were made, and whether they lie
where the plan says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
from typing import Final, Literal

import msgspec

from inventory.kinds.cluster import Node
from inventory.kinds.compute import Server
from inventory.kinds.network import Interface, Route
from inventory.kinds.virtual_network import LoadBalancer, Subnet
from inventory.resource import Resource
from inventory.unknown import known
from policies.ipv6.contract import Judged, Measure, View
from policies.ipv6.plan import ASSIGNMENT_WORD, InUse, in_use, network_of, planned

Sort = Literal["global", "unique_local", "link", "transition", "other"]
SORT_WORD: Final[dict[Sort, str]] = {
    "global": "全球单播（GUA）",
    "unique_local": "唯一本地（ULA）",
    "link": "链路本地",
    "transition": "过渡技术（6to4、Teredo、ISATAP）",
    "other": "其他（文档用前缀等）",
}
Identifier = Literal["eui64", "small", "embedded", "opaque"]
IDENTIFIER_WORD: Final[dict[Identifier, str]] = {
    "eui64": "EUI-64（由网卡地址生成，可被跟踪）",
    "small": "小号（手工或 DHCPv6 顺序分配，容易被扫到）",
    "embedded": "嵌入 IPv4 地址",
    "opaque": "随机样（稳定的 RFC 7217 或临时的 RFC 8981，从地址本身分不开）",
}

_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_GLOBAL = IPv6Network("2000::/3")
_DOCUMENTATION = (IPv6Network("2001:db8::/32"), IPv6Network("3fff::/20"))
_UNIQUE_LOCAL = IPv6Network("fc00::/7")
NAT64: Final = IPv6Network("64:ff9b::/96")
"""The well-known prefix of translators (RFC 6052). One of the network's own (RFC 8215, or any) is not told
from other routes."""


@lru_cache(maxsize=65536)
def sort_of(text: str) -> Sort:
    """Of which sort an address is (RFC 4291, 4193, 3056, 4380, 5214). Raises ValueError for no IPv6
    address."""
    address = IPv6Address(text.split("%", 1)[0])
    if address.is_link_local:
        return "link"
    if address in _SIX_TO_FOUR or address in _TEREDO or _isatap(address):
        return "transition"
    if address in _UNIQUE_LOCAL:
        return "unique_local"
    documented = any(address in network for network in _DOCUMENTATION)
    return "global" if address in _GLOBAL and not documented else "other"


def _isatap(address: IPv6Address) -> bool:
    return address.packed[8:12] in (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")


@lru_cache(maxsize=65536)
def identifier_of(text: str) -> Identifier:
    """How the last 64 bits look: modified EUI-64 holds ff:fe in its middle (RFC 4291 appendix A); a small
    number was counted out; ::a.b.c.d in them is an IPv4 address (RFC 7707 §3). All else looks random."""
    low = IPv6Address(text.split("%", 1)[0]).packed[8:]
    if low[3:5] == b"\xff\xfe":
        return "eui64"
    number = int.from_bytes(low)
    if number < 1 << 16 or all(int.from_bytes(low[i : i + 2]) < 0x100 for i in (0, 2, 4, 6)):
        return "small"
    return "embedded" if number < 1 << 32 else "opaque"


class Census(msgspec.Struct, kw_only=True, frozen=True):
    """Addresses of servers, interfaces, nodes and balancers. ``unseen`` resources did not tell theirs;
    ``nat64`` resources have a route or a subnet of the well-known translation prefix."""

    sorts: dict[Sort, int]
    identifiers: dict[Identifier, int]  # of global and unique local ones
    examples: dict[str, str]  # the same words → one address
    unseen: int
    nat64: tuple[str, ...]


def census(by_kind: Mapping[str, Sequence[Resource]]) -> Census:
    """What sorts of addresses there are. An address seen on several resources counts once."""
    texts: set[str] = set()
    unseen = 0
    for kind in (Server, Interface, Node, LoadBalancer):
        for one in by_kind.get(kind.KIND, ()):
            held = getattr(one, "addresses")  # noqa: B009 - each of these kinds has them
            if not known(held):
                unseen += 1
                continue
            six = [a for a in held if known(a.family) and a.family == "ipv6" and known(a.address)]
            texts |= {a.address for a in six if not IPv6Address(a.address.split("%", 1)[0]).is_loopback}
    ordered = sorted(texts)
    sorts = {text: sort_of(text) for text in ordered}
    wide = [text for text in ordered if sorts[text] in ("global", "unique_local", "other")]
    examples: dict[str, str] = {}
    for text in ordered:
        examples.setdefault(sorts[text], text)
    for text in wide:
        examples.setdefault(identifier_of(text), text)
    return Census(
        sorts=dict(Counter(sorts.values())),
        identifiers=dict(Counter(map(identifier_of, wide))),
        examples=examples,
        unseen=unseen,
        nat64=tuple(_translating(by_kind)),
    )


def _translating(by_kind: Mapping[str, Sequence[Resource]]) -> Iterator[str]:
    for kind, field in ((Route.KIND, "destination"), (Subnet.KIND, "cidr")):
        for one in by_kind.get(kind, ()):
            text = getattr(one, field)
            if known(text) and ":" in text and _inside(text, NAT64):
                yield one.uid


def _inside(prefix: str, whole: IPv6Network) -> bool:
    try:
        return network_of(prefix).subnet_of(whole)
    except ValueError:
        return False


def overlapping(used: Sequence[InUse]) -> dict[tuple[str, IPv6Network], str]:
    """(uid, prefix) of segments that share addresses with another segment → uid of that one. Prefixes nest or
    are apart, so in their order each one's next neighbours tell."""
    segments = sorted(
        ((one.network, one.segment, one.uid) for one in used if one.network is not None and one.segment),
        key=lambda row: (row[0].network_address, row[0].prefixlen),
    )
    found: dict[tuple[str, IPv6Network], str] = {}
    open_: list[tuple[IPv6Network, str, str]] = []
    for network, segment, uid in segments:
        open_ = [row for row in open_ if network.subnet_of(row[0])]
        other = next((row for row in open_ if row[1] != segment), None)
        if other is not None:
            found.setdefault((uid, network), other[2])
            found.setdefault((other[2], other[0]), uid)
        open_.append((network, segment, uid))
    return found


def _wants_plan(view: View) -> str:
    return "" if view.plan else "配置 policies.ipv6.plan 里登记地址规划（前缀、责任单位、用途）"


def _wants_assignment(view: View) -> str:
    given = any(one.assignment for one in view.plan)
    return "" if given else "配置 policies.ipv6.plan 里写明各前缀的分配方式（assignment）"


def plan_kept(view: View) -> list[Judged]:
    """Of each prefix in use: whether it is registered, and shared with no other segment."""
    used = list(in_use(view.by_kind))
    clash = overlapping(used)
    found = []
    for one in used:
        if one.network is None:
            found.append(Judged(one.uid, f"{one.uid}#?", "m", "m", "前缀没有看到"))
            continue
        other = clash.get((one.uid, one.network))
        held = planned(view.plan, one.network)
        key = f"{one.uid}#{one.network}"
        if held is None:
            detail = f"{one.network} 没有登记"
        elif other is not None:
            detail = f"{one.network} 与 {other} 重叠"
        else:
            detail = f"{one.network} 登记给 {held.owner}（{held.purpose}）"
        found.append(Judged(one.uid, key, "y", "y" if held and not other else "n", detail))
    return found


def assignment_kept(view: View) -> list[Judged]:
    """Of each prefix in use that gives out addresses, and whose plan says how: whether it is given out so."""
    found = []
    for one in in_use(view.by_kind):
        if one.assignment is None:
            continue
        held = planned(view.plan, one.network) if one.network is not None else None
        if one.network is not None and (held is None or not held.assignment):
            continue
        key = f"{one.uid}#{one.network}"
        if held is None or not known(one.assignment):
            found.append(Judged(one.uid, key, "m" if held is None else "y", "m", "分配方式没有看到"))
            continue
        met = one.assignment == held.assignment
        wanted, given = ASSIGNMENT_WORD[held.assignment], ASSIGNMENT_WORD[one.assignment]
        found.append(
            Judged(one.uid, key, "y", "y" if met else "n", f"{one.network} 规划为{wanted}，实际为{given}")
        )
    return found


MEASURES = (
    Measure(
        name="plan_kept",
        kinds=(Subnet.KIND, Interface.KIND, Node.KIND),
        call=plan_kept,
        purpose="在用的 IPv6 前缀在登记的规划之内，且不与别的网段重叠",
        wants=_wants_plan,
    ),
    Measure(
        name="assignment_kept",
        kinds=(Subnet.KIND, Interface.KIND),
        call=assignment_kept,
        purpose="地址的分配方式（路由通告、DHCPv6、手工）与规划一致",
        wants=_wants_assignment,
    ),
)

"""Interfaces with their addresses: from ``ip``, else from /proc and /sys."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network
from typing import Any

import msgspec

from collectors.host.notebook import Notebook, decode
from collectors.host.reader import Refusal
from inventory.decoding import from_json
from inventory.kinds.address import Address, address_of
from inventory.kinds.network import Interface, Route
from inventory.resource import Relation
from inventory.unknown import UNKNOWN, Maybe

_IANA_TYPES = {"1": 6, "772": 24, "768": 131, "776": 131, "778": 131, "512": 23, "65534": 53}
"""ARPHRD number → IANAifType: Ethernet, loopback, tunnels, PPP, none (tun) → propVirtual."""
_UP = 0x1
_LOOPBACK = 0x8
_PLACED = re.compile(r"([0-9]+):\s+(\S{1,64}?)(?:@\S{1,64})?\s+(inet6?)\s+([0-9a-fA-F.:]+)(?:/([0-9]{1,3}))?")


class Link(msgspec.Struct):
    """One interface before it becomes a resource. ``addresses`` None = not seen."""

    name: str
    index: int
    addresses: list[Address] | None = None
    fields: dict[str, Any] = msgspec.field(default_factory=dict)


def json_rows(data: bytes) -> list[dict[str, Any]] | None:
    """Rows of ``ip -j``; old versions print nothing for an empty table. None = not such output."""
    if not data.strip():
        return []
    try:
        rows = from_json(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return [r for r in rows if isinstance(r, dict)] if isinstance(rows, list) else None


def links_of_json(data: bytes) -> list[Link] | None:
    """Interfaces of ``ip -j addr``."""
    rows = json_rows(data)
    if rows is None:
        return None
    found = []
    for row in rows:
        name, index = row.get("ifname"), row.get("ifindex")
        if not isinstance(name, str) or not isinstance(index, int):
            continue
        flags = row.get("flags")
        words = [f for f in flags if isinstance(f, str)] if isinstance(flags, list) else []
        state = row.get("operstate")
        fields = {
            "mtu": _whole(row.get("mtu")),
            "mac": _mac(row.get("address")),
            "admin_up": "UP" in words,
            "oper_up": state == "UP" or (state == "UNKNOWN" and "LOWER_UP" in words),
            "loopback": "LOOPBACK" in words,
        }
        infos = row.get("addr_info")
        addresses = [
            a
            for i in (infos if isinstance(infos, list) else [])
            if isinstance(i, dict) and (a := _address(i))
        ]
        found.append(Link(name, index, addresses, fields))
    return found


def _address(info: dict[str, Any]) -> Address | None:
    local, prefix = info.get("local"), info.get("prefixlen")
    return _parsed(local, prefix) if isinstance(local, str) else None


def _parsed(text: str, prefix: Any) -> Address | None:
    try:
        return address_of(text, prefix if isinstance(prefix, int) else None)
    except ValueError:
        return None


def _whole(value: Any) -> Maybe[int]:
    return value if isinstance(value, int) and not isinstance(value, bool) else UNKNOWN


def _mac(value: Any) -> Maybe[str | None]:
    text = value.strip().lower() if isinstance(value, str) else ""
    if not re.fullmatch(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", text):
        return None
    return None if text == "00:00:00:00:00:00" else text


def addresses_of_text(data: bytes) -> dict[str, list[Address]]:
    """Interface → addresses of ``ip -o addr`` (iproute2 before 4.13 has no JSON)."""
    found: dict[str, list[Address]] = {}
    for line in decode(data).split("\n"):
        match = _PLACED.match(line)
        if match:
            parsed = _parsed(match[4], int(match[5]) if match[5] else (32 if match[3] == "inet" else 128))
            found.setdefault(match[2], []).extend([parsed] if parsed else [])
    return found


def addresses_of_if_inet6(data: bytes) -> dict[str, list[Address]]:
    """Interface → IPv6 addresses of /proc/net/if_inet6."""
    found: dict[str, list[Address]] = {}
    for line in decode(data).split("\n"):
        match = re.match(r"([0-9a-f]{32}) [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+ [0-9a-f]+\s+(\S+)", line)
        if match:
            found.setdefault(match[3], []).append(
                address_of(str(IPv6Address(bytes.fromhex(match[1]))), int(match[2], 16))
            )
    return found


def local_addresses(fib_trie: bytes) -> list[str]:
    """This machine's own IPv4 addresses in /proc/net/fib_trie ("/32 host LOCAL")."""
    found: dict[str, None] = {}
    leaf = ""
    for line in decode(fib_trie).split("\n"):
        match = re.match(r"\s*\|--\s+([0-9.]+)\s*$", line)
        if match:
            leaf = match[1]
        elif "/32 host LOCAL" in line and leaf:
            try:
                found[str(IPv4Address(leaf))] = None
            except ValueError:
                continue
    return list(found)


def place(addresses: list[str], routes: list[Route]) -> dict[str, list[Address]] | None:
    """Give each own address to the interface whose connected route holds it; None where one has no such
    route, since then it may belong to any."""
    connected: list[tuple[IPv4Network, str]] = [
        (network, route.interface)
        for route in routes
        if isinstance(route.interface, str)
        and route.gateway is None
        and isinstance(route.destination, str)
        and isinstance(network := ip_network(route.destination, strict=False), IPv4Network)
        and network.prefixlen
    ]
    connected.append((IPv4Network("127.0.0.0/8"), "lo"))
    found: dict[str, list[Address]] = {}
    for text in addresses:
        holding = [(n, i) for n, i in connected if IPv4Address(text) in n]
        if not holding:
            return None
        network, interface = max(holding, key=lambda pair: pair[0].prefixlen)
        found.setdefault(interface, []).append(address_of(text, network.prefixlen))
    return found


def links_of_sys(notebook: Notebook) -> list[Link]:
    """Interfaces of /sys/class/net, else names and nothing more of /proc/net/dev."""
    names = notebook.directory("/sys/class/net")
    if isinstance(names, Refusal):
        table = notebook.reader.read_file("/proc/net/dev")
        text = decode(table) if isinstance(table, bytes) else ""
        found = re.findall(r"(?m)^[ \t]*([^\s:|]+):", text)
        return [Link(name, index) for index, name in enumerate(found, 1)]
    return [link for name in names if (link := _sys_link(notebook, name))]


def _sys_link(notebook: Notebook, name: str) -> Link | None:
    def text(item: str) -> str:
        data = notebook.reader.read_file(f"/sys/class/net/{name}/{item}")
        return decode(data).strip() if isinstance(data, bytes) else ""

    index, flags = text("ifindex"), text("flags")
    if not re.fullmatch(r"[0-9]{1,9}", index):
        return None  # bonding_masters and the like
    bits = int(flags, 16) if re.fullmatch(r"0x[0-9a-fA-F]{1,8}", flags) else None
    fields: dict[str, Any] = {"mac": _mac(text("address")), "mtu": _number(text("mtu"))}
    if bits is not None:
        state = text("operstate")
        fields["admin_up"] = bool(bits & _UP)
        fields["loopback"] = bool(bits & _LOOPBACK)
        fields["oper_up"] = state == "up" or (state == "unknown" and bool(bits & _UP))
    return Link(name, int(index), None, fields)


def _number(text: str) -> Maybe[int]:
    return int(text) if re.fullmatch(r"[0-9]{1,19}", text) else UNKNOWN


def _sys_extras(notebook: Notebook, name: str) -> dict[str, Any]:
    """Speed, type and counters, which only /sys has."""

    def text(item: str) -> str:
        data = notebook.reader.read_file(f"/sys/class/net/{name}/{item}")
        return decode(data).strip() if isinstance(data, bytes) else ""

    speed = _number(text("speed"))
    return {
        "interface_type": _IANA_TYPES.get(text("type"), UNKNOWN),
        "speed_bps": speed * 1_000_000 if isinstance(speed, int) else UNKNOWN,
        "in_octets": _number(text("statistics/rx_bytes")),
        "out_octets": _number(text("statistics/tx_bytes")),
        "in_errors": _number(text("statistics/rx_errors")),
        "out_errors": _number(text("statistics/tx_errors")),
    }


def read_links(notebook: Notebook, routes: list[Route]) -> list[Link]:
    """Interfaces with addresses where they can be told."""
    answer = notebook.output("ip", "-j", "addr")
    links = links_of_json(answer) if isinstance(answer, bytes) and answer.strip() else None
    if links is not None:
        return links
    links = links_of_sys(notebook)
    text = notebook.output("ip", "-o", "addr")
    placed = (
        addresses_of_text(text) if isinstance(text, bytes) and text.strip() else _placed(notebook, routes)
    )
    if placed is None:
        notebook.note(
            "没有 ip 命令，且部分 IPv4 地址不能从 /proc 归到接口：接口地址未知；安装 iproute 可看全"
        )
        return links
    for link in links:
        link.addresses = placed.get(link.name, [])
    return links


def _placed(notebook: Notebook, routes: list[Route]) -> dict[str, list[Address]] | None:
    trie = notebook.reader.read_file("/proc/net/fib_trie")
    inet6 = notebook.reader.read_file("/proc/net/if_inet6")
    if isinstance(trie, Refusal) or (isinstance(inet6, Refusal) and inet6 is not Refusal.NOT_FOUND):
        return None
    placed = place(local_addresses(trie), routes)
    if placed is None:
        return None
    for name, addresses in (addresses_of_if_inet6(inet6) if isinstance(inet6, bytes) else {}).items():
        placed.setdefault(name, []).extend(addresses)
    return placed


def interfaces(
    notebook: Notebook, routes: list[Route], host: str, source: str, labels: dict[str, str]
) -> list[Interface]:
    """Interfaces as resources, addresses sorted by family and value."""
    return [
        Interface(
            source=source,
            native_id=f"{host}/{link.index}",
            name=link.name,
            labels=dict(labels),
            relations=[Relation("part_of", f"{source}/host/{host}")],
            index=link.index,
            description=link.name,
            addresses=UNKNOWN if link.addresses is None else _sorted(link.addresses),
            **link.fields,
            **_sys_extras(notebook, link.name),
        )
        for link in read_links(notebook, routes)
    ]


def _sorted(addresses: list[Address]) -> list[Address]:
    return sorted(addresses, key=lambda a: (str(a.family), str(a.address)))


def ipv6_enabled(notebook: Notebook) -> Maybe[bool]:
    """Whether the kernel speaks IPv6 on some interface other than loopback, or would on a new one."""
    table = notebook.reader.read_file("/proc/net/if_inet6")
    if isinstance(table, bytes) and any(name != "lo" for name in addresses_of_if_inet6(table)):
        return True
    switch = notebook.file("/proc/sys/net/ipv6/conf/default/disable_ipv6")
    if switch is Refusal.NOT_FOUND and notebook.exists("/proc/sys/net") is True:
        return False
    return UNKNOWN if isinstance(switch, Refusal) else switch.strip() == b"0"

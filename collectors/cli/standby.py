"""Who takes over when a device fails, and which lines carry traffic together, from what it displays and how
it is configured. Pure functions over masked text.

That there is nobody is told only of a whole configuration in which no word of any way of standing in for a
device is found, no routing protocol runs (a twin may be one route away), and all ports are of one member.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from collectors.cli.displays import interfaces, rows
from collectors.cli.platforms import Platform
from collectors.cli.reading import Reading
from inventory.coverage import Status
from inventory.kinds.network import LinkGroup, StandbyPeer
from inventory.unknown import UNKNOWN, Maybe

Clean = Callable[[str], str]

_SOME = re.compile(
    r"(?im)\b(?:vrrp\w*|hrp|rbm|irf-port|standby|glbp|stack\w*|css|m-lag|dfs-group|drni|mlag|vpc|vsl|vsu"
    r"|virtual-chassis|chassis cluster|cluster|redundancy|remote-backup|virtual-switch"
    r"|switch \d+ (?:provision|mode))\b"
)
"""Words of every way that we know of; one of them that means something else leaves it unknown."""
_ROUTED = re.compile(r"(?im)^\s*(?:set )?(?:router |ospf|bgp |isis|rip|protocols\b)")
_MEMBER = re.compile(r"(?m)^interface (?:[A-Za-z-]*Ethernet|[A-Za-z]*GigE)\s*(\d+)/")
_FAMILIES = ("vrp", "comware", "cisco")  # whose ports are named so
_HRP = re.compile(r"(?im)^\s*role\s*:\s*(active|standby),\s*peer\s*:\s*(active|standby|unknown)\b")
_IRF = re.compile(
    r"(?m)^[ *+]*(\d{1,2})\s+(?:\d{1,2}\s+)?(Master|Standby|Slave|Loading)\s+\d+\s+[0-9a-f]{4}-"
)
_NODE = ("primary", "secondary")  # of Junos; "lost", "hold", "disabled", "ineligible" do not take over
_JOINS = {
    "vrp": re.compile(r"eth-trunk (\d+)$"),
    "comware": re.compile(r"port link-aggregation group (\d+)\b"),
    "cisco": re.compile(r"(?:channel-group|port-group) (\d+)\b"),
}


def standbys(platform: Platform, reading: Reading, clean: Clean) -> Maybe[list[StandbyPeer]]:
    """Who takes over. [] where the whole configuration shows nobody."""
    answer, configuration = reading.answer("standby"), reading.text("configuration")
    if answer is not None and answer.status is Status.COMPLETE:
        return list(_shown(platform, answer.text, clean)) or UNKNOWN
    nobody = (
        answer is None
        and platform.family in _FAMILIES
        and _whole(reading)
        and not _SOME.search(configuration)
        and not _ROUTED.search(configuration)
        and len(set(_MEMBER.findall(configuration))) < 2
    )
    return [] if nobody else UNKNOWN


def _whole(reading: Reading) -> bool:
    return reading.config is not None and reading.config.complete is True


def _shown(platform: Platform, text: str, clean: Clean) -> Iterator[StandbyPeer]:
    if platform.family == "vrp" and (role := _HRP.search(text)):
        peer = role[2].lower()
        yield StandbyPeer(kind="hrp", name="hrp", working=peer != "unknown", peer=_some(peer))
    elif platform.family == "comware":
        yield from _irf(text)
    elif platform.family == "cisco":
        for row in rows(platform.name, "show standby brief", text) or ():
            yield _hsrp(row["interface"], row["group"], row["state"], row["active"], row["standby"], clean)
    elif platform.family == "junos":
        for row in rows(platform.name, "show chassis cluster status", text) or ():
            states = [str(state).rstrip("*") for state in row["status"]]
            two = len(states) > 1
            yield StandbyPeer(
                kind="chassis_cluster",
                name=clean(str(row["redundancy_group_id"])),
                working=two and all(state in _NODE for state in states) and "0" not in row["priority"],
                peer=clean(states[1]) if two else None,
            )


def _irf(text: str) -> Iterator[StandbyPeer]:
    members = [(number, role) for number, role in _IRF.findall(text) if role != "Loading"]
    others = {number for number, _ in members} - {number for number, role in members if role == "Master"}
    if members:
        peer = "、".join(sorted(others)) or None
        yield StandbyPeer(kind="irf", name="irf", working=bool(others), peer=peer)


def _hsrp(interface: str, group: str, state: str, active: str, standby: str, clean: Clean) -> StandbyPeer:
    own = state.lower()
    peer = _some(standby if own == "active" else active)
    working: Maybe[bool] = peer is not None if own in ("active", "standby", "listen") else UNKNOWN
    if own == "init":
        working = False
    return StandbyPeer(
        kind="hsrp", name=clean(f"{interface} {group}".strip()), working=working, peer=peer and clean(peer)
    )


def _some(text: str) -> str | None:
    return None if text in ("unknown", "") else text


def link_groups(platform: Platform, reading: Reading, clean: Clean) -> Maybe[list[LinkGroup]]:
    """Groups of ports that the configuration puts together, and how many of them are up."""
    joins, shown = _JOINS.get(platform.family), reading.text("interfaces")
    if joins is None or not _whole(reading) or not shown:
        return UNKNOWN
    up = {seen.name: seen.oper_up for seen in interfaces(shown)}
    groups: dict[str, list[bool | None]] = {}
    port = ""
    for line in reading.text("configuration").splitlines():
        if line.startswith("interface "):
            port = line[len("interface ") :].replace(" ", "").strip()
        elif not line.startswith(" "):
            port = ""
        elif port and (joined := joins.match(line.strip())):
            groups.setdefault(joined[1], []).append(up.get(port))
    return [
        LinkGroup(
            name=clean(name),
            lines=len(states),
            working=UNKNOWN if None in states else sum(state is True for state in states),
        )
        for name, states in sorted(groups.items())
    ]

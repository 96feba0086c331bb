"""Who takes over when a device fails, as its agent tells: VRRP (RFC 2787, RFC 6527), Cisco's HSRP, members
of a stack. Pure functions over the answers.

A master of VRRP does not know its backups: whether one is there stays unknown. No table is evidence of none.
"""

from __future__ import annotations

from collections.abc import Iterator

from collectors.snmp import tables as t
from collectors.snmp import vendor_tables as v
from collectors.snmp.engines import Oid, Value
from collectors.snmp.reading import Answers
from collectors.snmp.texts import address_text, text_of
from inventory.kinds.network import StandbyPeer
from inventory.unknown import UNKNOWN, Maybe

_INITIALIZE, _BACKUP, _MASTER = 1, 2, 3  # vrrpOperState, vrrpv3OperationsStatus
_ADMIN_UP = 1  # vrrpOperAdminState
_HSRP_INITIAL, _HSRP_LISTEN, _HSRP_STANDBY, _HSRP_ACTIVE = 1, 3, 5, 6  # HsrpState
_STACKS = frozenset(("Huawei", "H3C", "Ruijie", "ZTE", "DPtech", "Maipu", "Digital China"))
"""Vendors whose chassis with serial numbers of their own are members of a stack; Cisco's may be extenders."""


def standbys(answers: Answers) -> Maybe[list[StandbyPeer]]:
    """Everything shown, sorted; UNKNOWN where nothing is, or a table broke off."""
    if not answers.whole(t.VRRP, t.VRRPV3) or (v.HSRP.name in answers.walks and not answers.whole(v.HSRP)):
        return UNKNOWN
    found = [*_vrrp(answers), *_vrrp3(answers), *_hsrp(answers), *_stack(answers)]
    return sorted(found, key=lambda one: (str(one.kind), str(one.name))) or UNKNOWN


def _vrrp(answers: Answers) -> Iterator[StandbyPeer]:
    columns = answers.columns(t.VRRP)
    for index, state in sorted(columns.get(3, {}).items()):
        if columns.get(4, {}).get(index) == _ADMIN_UP:
            yield _group(index, state, columns.get(7, {}).get(index))


def _vrrp3(answers: Answers) -> Iterator[StandbyPeer]:
    """The same of RFC 6527; what RFC 2787 has told already is not told again."""
    columns = answers.columns(t.VRRPV3)
    before = {index[:2] for index in answers.column(t.VRRP, 3)}
    for index, state in sorted(columns.get(6, {}).items()):
        if index[:2] not in before:
            yield _group(index, state, columns.get(3, {}).get(index))


def _group(index: Oid, state: Value, master: Value) -> StandbyPeer:
    peer = _address(master) if state == _BACKUP else None
    working: Maybe[bool] = UNKNOWN
    if state == _BACKUP and peer:
        working = True  # it hears the master's advertisements, and would take over without them
    elif state == _INITIALIZE:
        working = False
    return StandbyPeer(
        kind="vrrp",
        name=".".join(map(str, index[:2])),
        working=working,
        peer=UNKNOWN if state == _MASTER else peer,
    )


def _hsrp(answers: Answers) -> Iterator[StandbyPeer]:
    """cHsrpGrpTable; its index is ifIndex and group. Both routers of a group are told by address."""
    columns = answers.columns(v.HSRP)
    for index, state in sorted(columns.get(15, {}).items()):
        if _address(columns.get(11, {}).get(index)) is None:
            continue  # no virtual address of IPv4: its routers are not told here
        peer = _address(columns.get(14 if state == _HSRP_ACTIVE else 13, {}).get(index))
        working: Maybe[bool] = UNKNOWN
        if state in (_HSRP_ACTIVE, _HSRP_STANDBY, _HSRP_LISTEN):
            working = peer is not None
        elif state == _HSRP_INITIAL:
            working = False
        yield StandbyPeer(kind="hsrp", name=".".join(map(str, index[:2])), working=working, peer=peer)


def _stack(answers: Answers) -> Iterator[StandbyPeer]:
    """Chassis with serial numbers of their own (ENTITY-MIB): one that left the stack is not shown."""
    if answers.vendor not in _STACKS or answers.unread:
        return
    size = len(t.ENTITY_CLASS.entry)
    serials = [
        text
        for oid, value in sorted(answers.chassis.items())
        if oid[size] == t.ENTITY_SERIAL and (text := (text_of(value) or "").strip())
    ]
    if len(set(serials)) > 1:
        yield StandbyPeer(kind="stack", name="stack", working=True, peer=f"{len(set(serials))} members")


def _address(value: Value) -> str | None:
    if isinstance(value, bytes):
        return address_text(tuple(value))
    if isinstance(value, str):  # dotted; no octet but 0 is the unspecified address
        return value if value.strip("0.") else None
    return None

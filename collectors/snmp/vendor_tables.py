"""What is asked of one vendor's devices only, beside the standard MIBs.

A vendor's objects are asked for where sysObjectID or sysDescr names it. Sources are the vendors' MIBs as
named beside each line; "recorded" says that a recording of a real device shows the object, "by the MIB"
that none of ours does.
"""

from __future__ import annotations

import msgspec

from collectors.snmp.engines import Oid, oid_of
from collectors.snmp.tables import Table


def _enterprise(rest: str) -> Oid:
    return oid_of(f"1.3.6.1.4.1.{rest}")


class Entities(msgspec.Struct, kw_only=True, frozen=True):
    """A vendor's table indexed by entPhysicalIndex: ``entry`` and its columns (0 = none). ``working``:
    values of ``state`` of a part that works; ``absent``: of one that is not there."""

    entry: Oid
    cpu: int = 0
    memory: int = 0
    temperature: int = 0
    state: int = 0
    working: frozenset[int] = frozenset()
    absent: frozenset[int] = frozenset()


class Vendor(msgspec.Struct, kw_only=True, frozen=True):
    """``objects``: single instances; ``serial``, ``model``, ``version`` among them name the device.
    ``volatile``: those that change with every look. ``entities``: see there."""

    tables: tuple[Table, ...] = ()
    serial: Oid | None = None
    model: Oid | None = None
    version: Oid | None = None
    objects: tuple[Oid, ...] = ()
    volatile: tuple[Oid, ...] = ()
    entities: tuple[Entities, ...] = ()

    @property
    def asked(self) -> tuple[Oid, ...]:
        """All single instances."""
        named = tuple(oid for oid in (self.serial, self.model, self.version) if oid is not None)
        return (*named, *self.objects, *self.volatile)


HUAWEI_FANS = Table(  # HUAWEI-ENTITY-EXTENT-MIB hwFanStatusTable, recorded: present, state
    name="hwFanStatusTable", entry=_enterprise("2011.5.25.31.1.1.10.1"), columns=((6, 7),)
)
HUAWEI_POWER = Table(  # hwPwrStatusTable, by the MIB: present, state
    name="hwPwrStatusTable", entry=_enterprise("2011.5.25.31.1.1.18.1"), columns=((5, 6),)
)
HUAWEI_LOG_HOSTS = Table(  # HUAWEI-INFOCENTER-MIB hwICLogHostTable, recorded: address
    name="hwICLogHostTable", entry=_enterprise("2011.5.25.212.1.2.2.1"), columns=((2, 2),)
)
HUAWEI_BGP = Table(  # HUAWEI-BGP-VPN-MIB hwBgpPeerTable, by the MIB: remote AS, state
    name="hwBgpPeerTable", entry=_enterprise("2011.5.25.177.1.1.2.1"), columns=((2, 2), (5, 5))
)
HUAWEI_LOG_ON = _enterprise("2011.5.25.212.1.1.0")
H3C_LOG_HOSTS = Table(  # HH3C-INFOCENTER-MIB hh3cICLoghostTable, by the MIB: type and address
    name="hh3cICLoghostTable", entry=_enterprise("25506.2.119.2.2.1"), columns=((2, 3),)
)
H3C_MOST_LOG_HOSTS = _enterprise("25506.2.119.2.1.1.0")
H3C_BGP = Table(  # HH3C-BGP-VPN-MIB hh3cBgpPeerAddrFamilyTable, by the MIB: VPN; peers are its index
    name="hh3cBgpPeerAddrFamilyTable", entry=_enterprise("25506.2.202.1.1.1.1"), columns=((7, 7),)
)
H3C_BGP_IPV6 = Table(  # HH3C-BGP4V2-MIB hh3cBgp4v2PeerTable, by the MIB: state of IPv6 peers
    name="hh3cBgp4v2PeerTable", entry=_enterprise("25506.2.183.1.1.1"), columns=((3, 3),)
)
H3C_NTP = tuple(_enterprise(f"25506.8.22.1.1.{n}.0") for n in (1, 2))  # HH3C-NTP-MIB leap, stratum; recorded
CISCO_NTP = tuple(_enterprise(f"9.9.168.1.1.{n}.0") for n in (1, 2))  # CISCO-NTP-MIB, recorded
CISCO_TEMPERATURES = Table(  # CISCO-ENVMON-MIB, recorded: value, state
    name="ciscoEnvMonTemperatureStatusTable",
    entry=_enterprise("9.9.13.1.3.1"),
    columns=((3, 3), (6, 6)),
    volatile=frozenset((3,)),
)
CISCO_FANS = Table(name="ciscoEnvMonFanStatusTable", entry=_enterprise("9.9.13.1.4.1"), columns=((2, 3),))
CISCO_POWER = Table(name="ciscoEnvMonSupplyStatusTable", entry=_enterprise("9.9.13.1.5.1"), columns=((2, 3),))
CISCO_CPU = Table(  # CISCO-PROCESS-MIB: 5 minutes; NX-OS memory used and free in kilobytes
    name="cpmCPUTotalTable", entry=_enterprise("9.9.109.1.1.1.1"), columns=((8, 8), (12, 13)), evidence=False
)
CISCO_MEMORY = Table(  # CISCO-MEMORY-POOL-MIB: used and free; pool 1 is the processor's
    name="ciscoMemoryPoolTable", entry=_enterprise("9.9.48.1.1.1"), columns=((5, 6),), evidence=False
)
CDP_RUNS = _enterprise("9.9.23.1.3.1.0")
CDP = Table(  # CISCO-CDP-MIB cdpCacheTable: address type and address, device, port, platform
    name="cdpCacheTable", entry=_enterprise("9.9.23.1.2.1.1"), columns=((3, 4), (6, 8))
)
CISCO_BGP = Table(  # CISCO-BGP4-MIB cbgpPeer2Table, by the MIB: state, admin status, remote AS
    name="cbgpPeer2Table", entry=_enterprise("9.9.187.1.2.5.1"), columns=((3, 4), (11, 11))
)
HSRP = Table(  # CISCO-HSRP-MIB cHsrpGrpTable, by the MIB: virtual address, active and standby router, state
    name="cHsrpGrpTable", entry=_enterprise("9.9.106.1.2.1.1"), columns=((11, 11), (13, 15))
)
CISCO_VLANS = Table(name="vtpVlanTable", entry=_enterprise("9.9.46.1.3.1.1"), columns=((4, 4),))
JUNIPER_PARTS = Table(  # JUNIPER-MIB jnxOperatingTable, recorded: text, state, °C, CPU %, memory %
    name="jnxOperatingTable",
    entry=_enterprise("2636.3.1.13.1"),
    columns=((5, 8), (11, 11)),
    volatile=frozenset((7, 8, 11)),
)
JUNIPER_BGP = Table(  # BGP4-V2-MIB-JUNIPER jnxBgpM2PeerTable, by the MIB: state, status, address, AS
    name="jnxBgpM2PeerTable", entry=_enterprise("2636.5.1.1.2.1.1.1"), columns=((2, 3), (11, 11), (13, 13))
)
RUIJIE_CPU = _enterprise("4881.1.1.10.2.36.1.1.3.0")  # 5 minutes, recorded
RUIJIE_MEMORY = Table(  # RUIJIE-MEMORY-MIB, recorded: percentage used
    name="ruijieMemoryPoolTable",
    entry=_enterprise("4881.1.1.10.2.35.1.1.1"),
    columns=((3, 3),),
    evidence=False,
)
RUIJIE_TEMPERATURE = _enterprise("4881.1.1.10.2.1.1.16.0")
RUIJIE_POWER = Table(  # RUIJIE-SYSTEM-MIB: state, text
    name="ruijieSystemElectricalSourceTable", entry=_enterprise("4881.1.1.10.2.1.1.18.1"), columns=((2, 3),)
)
DCN_HEALTH = tuple(_enterprise(f"6339.100.1.11.{n}.0") for n in (10, 6, 7))  # CPU %, memory size, busy
MAIPU_HEALTH = tuple(_enterprise(f"5651.6.7.2.100.1.11.{n}.0") for n in (10, 6, 7))  # the same, recorded
TOPSEC_HEALTH = tuple(_enterprise(f"14331.5.5.1.4.{n}.0") for n in (5, 6))  # CPU %, memory %; recorded
VENUS_HEALTH = tuple(_enterprise(f"15227.1.3.1.1.{n}.0") for n in (1, 2))  # "cpu-usage: 1.5%" …; recorded
HILLSTONE_HEALTH = tuple(_enterprise(f"28557.2.2.1.{n}.0") for n in (3, 4, 5))  # CPU %, memory, used; MIB

_ENTITY_STATE_OK, _ENTITY_GONE = frozenset((2,)), frozenset((3, 4))
VENDORS: dict[str, Vendor] = {
    "Huawei": Vendor(
        tables=(HUAWEI_FANS, HUAWEI_POWER, HUAWEI_LOG_HOSTS, HUAWEI_BGP),
        objects=(HUAWEI_LOG_ON,),
        entities=(
            Entities(  # hwEntityStateTable: hwEntityOperStatus enabled(3), offline(4) is not plugged in
                entry=_enterprise("2011.5.25.31.1.1.1.1"),
                cpu=5,
                memory=7,
                temperature=11,
                state=2,
                working=frozenset((3,)),
                absent=frozenset((4,)),
            ),
        ),
    ),
    "H3C": Vendor(
        tables=(H3C_BGP, H3C_BGP_IPV6, H3C_LOG_HOSTS),
        objects=(*H3C_NTP, H3C_MOST_LOG_HOSTS),
        entities=(
            Entities(  # HH3C-ENTITY-EXT-MIB hh3cEntityExtStateTable: error status normal(2), absent(4)
                entry=_enterprise("25506.2.6.1.1.1.1"),
                cpu=6,
                memory=8,
                temperature=12,
                state=19,
                working=frozenset((2,)),
                absent=frozenset((1, 4)),
            ),
        ),
    ),
    "Cisco": Vendor(
        tables=(
            *(CISCO_TEMPERATURES, CISCO_FANS, CISCO_POWER, CISCO_CPU, CISCO_MEMORY),
            *(CDP, CISCO_BGP, CISCO_VLANS, HSRP),
        ),
        objects=(*CISCO_NTP, CDP_RUNS),
        entities=(
            Entities(  # CISCO-ENTITY-FRU-CONTROL-MIB power: on(2), offEnvPower(1) …
                entry=_enterprise("9.9.117.1.1.2.1"), state=2, working=_ENTITY_STATE_OK
            ),
            Entities(  # the same MIB, fan trays: up(2), down(3), warning(4)
                entry=_enterprise("9.9.117.1.4.1.1"), state=1, working=_ENTITY_STATE_OK
            ),
        ),
    ),
    "Juniper": Vendor(tables=(JUNIPER_PARTS, JUNIPER_BGP), serial=_enterprise("2636.3.1.3.0")),
    "Ruijie": Vendor(
        tables=(RUIJIE_MEMORY, RUIJIE_POWER),
        version=_enterprise("4881.1.1.10.2.1.1.2.0"),
        serial=_enterprise("4881.1.1.10.2.1.1.24.0"),
        volatile=(RUIJIE_CPU, RUIJIE_TEMPERATURE),
    ),
    "ZTE": Vendor(
        serial=_enterprise("3902.15.2.30.1.36.0"),  # recorded (ZXR10 5250)
        model=_enterprise("3902.15.2.30.1.6.0"),
        version=_enterprise("3902.15.2.30.1.25.0"),
    ),
    "Maipu": Vendor(version=_enterprise("5651.6.7.2.100.1.3.0"), volatile=MAIPU_HEALTH),
    "Digital China": Vendor(version=_enterprise("6339.100.1.3.0"), volatile=DCN_HEALTH),
    "DPtech": Vendor(serial=_enterprise("31648.3.14.0")),
    "Topsec": Vendor(
        serial=_enterprise("14331.5.5.1.3.1.0"),
        model=_enterprise("14331.5.5.1.3.2.0"),
        volatile=TOPSEC_HEALTH,
    ),
    "Venustech": Vendor(volatile=VENUS_HEALTH),
    "NSFOCUS": Vendor(model=_enterprise("19849.6.1.1.0")),
    "Hillstone": Vendor(
        serial=_enterprise("28557.2.2.1.1.0"),
        version=_enterprise("28557.2.2.1.2.0"),
        volatile=HILLSTONE_HEALTH,
    ),
}
NO_VENDOR = Vendor()

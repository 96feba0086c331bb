"""Neighbours, peers, VLANs, routes, ARP and ND: counted against every recording, literal where it matters,
and written answers for what no recording holds."""

from __future__ import annotations

import pytest

from inventory.coverage import Status
from inventory.kinds.network import OspfInterface, RoutingPeer, Vlan
from inventory.resource import Relation
from inventory.unknown import known, or_none

LLDP = "1.0.8802.1.1.2.1.4.1.1"
CDP = "1.3.6.1.4.1.9.9.23.1.2.1.1"
SYSTEM = ("1.3.6.1.2.1.1.1.0|4|box", "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.{enterprise}.1")


@pytest.fixture(scope="module")
def found(lab, collect):
    return collect(recording=str(lab / "snmprec"))


@pytest.fixture
def replay(tmp_path, collect):
    def replay(*lines, enterprise=9, targets=()):
        rows = [*SYSTEM, *lines]
        (tmp_path / "device.snmprec").write_text("\n".join(rows).replace("{enterprise}", str(enterprise)))
        return collect(recording=str(tmp_path), targets=["device", *targets])["device"]

    return replay


def counted(found, field):
    """Recording → entries of a list, for those that show any."""
    values = {name: getattr(outcome.device, field) for name, outcome in found.items()}
    return {name: len(value) for name, value in values.items() if known(value) and value}


def recorded(recordings, rows, *oids):
    """Recording → instances under these OIDs, for those that have any."""
    counts = {name: sum(len(rows(name, oid)) for oid in oids) for name in recordings}
    return {name: count for name, count in counts.items() if count}


def test_neighbours_are_as_many_as_recorded(found, recordings, rows):
    assert counted(found, "neighbours") == recorded(recordings, rows, f"{LLDP}.5", f"{CDP}.6")


def test_ospf_is_as_recorded(found, recordings, rows):
    assert counted(found, "ospf_interfaces") == recorded(recordings, rows, "1.3.6.1.2.1.14.7.1.12")
    assert counted(found, "routing_peers") == recorded(
        recordings, rows, "1.3.6.1.2.1.14.10.1.6", "1.3.6.1.2.1.191.1.9.1.8"
    )
    peers = found["juniper-mx960-12-3r6-6"].device.routing_peers
    full = [v for v in rows("juniper-mx960-12-3r6-6", "1.3.6.1.2.1.14.10.1.6").values() if v == "8"]
    assert sum(p.protocol == "ospf" and p.established for p in peers) >= len(full) > 0
    assert (
        RoutingPeer(
            protocol="ospfv3",
            family="ipv6",
            address="fe80::4:96ff:fe97:b9af",
            router_id="219.244.67.254",
            established=True,
        )
        in peers
    )


def test_vlans_are_as_recorded(found, recordings, rows):
    static = recorded(recordings, rows, "1.3.6.1.2.1.17.7.1.4.3.1.1")
    vtp = {
        name: len(
            [
                i
                for i in rows(name, "1.3.6.1.4.1.9.9.46.1.3.1.1.4")
                if int(i.split(".")[1]) not in range(1002, 1006)
            ]
        )
        for name in recordings
    }
    assert counted(found, "vlans") == static | {name: count for name, count in vtp.items() if count}
    assert Vlan(id=1800, name="jiao3cs") in found["ruijie-s5750-24gt12sfp"].device.vlans


def test_arp_is_counted(found, recordings, rows):
    for name in recordings:
        old = {i for i, kind in rows(name, "1.3.6.1.2.1.4.22.1.4").items() if kind != "2"}
        new = {
            f"{i.split('.')[0]}.{'.'.join(i.split('.')[3:])}"
            for i, kind in rows(name, "1.3.6.1.2.1.4.35.1.6").items()
            if i.split(".")[1] == "1" and kind != "2"
        }
        entries = found[name].device.arp_entries
        assert (entries if known(entries) else 0) == len(old | new), name
    assert found["dcrs-5980-28t-dc"].device.nd_entries == len(
        rows("dcrs-5980-28t-dc", "1.3.6.1.2.1.55.1.12.1.3")
    )


def test_routes(found):
    ruijie = found["ruijie-s5750-24gt12sfp"].device
    assert (ruijie.routes, ruijie.routes_ipv4, ruijie.routes_ipv6) == (9, 4, 5)
    assert (ruijie.default_route_ipv4, ruijie.default_route_ipv6) == (True, True)
    assert (ruijie.forwards_ipv4, ruijie.forwards_ipv6) == (True, True)
    assert found["huawei-s5720"].device.forwards_ipv6 is False
    assert not known(found["huawei-s5720"].device.default_route_ipv6)
    assert not known(found["cisco-n5000-uk9"].device.routes)  # says 33,554,432: two, the wrong way round


def test_an_interface_s_ipv6_and_vlan(found, rows):
    every = set()
    for name in ("h3c-comware-7-1-075", "ruijie-s5750-24gt12sfp", "cisco-c3560"):
        told = {i.index: i for i in found[name].interfaces}
        sends = rows(name, "1.3.6.1.2.1.4.39.1.2")
        seen = {str(n): i.advertises_router for n, i in told.items() if known(i.advertises_router)}
        assert seen == {index: value == "1" for index, value in sends.items() if int(index) in told}
        assert any(i.ipv6_enabled for i in told.values() if known(i.ipv6_enabled))
        every |= set(seen.values())
    assert every == {True, False}
    vlans = rows("maipu-sm4200-16gef8ge-ac", "1.3.6.1.2.1.17.7.1.4.5.1.1")
    of_port = rows("maipu-sm4200-16gef8ge-ac", "1.3.6.1.2.1.17.1.4.1.2")
    native = {i.index: i.native_vlan for i in found["maipu-sm4200-16gef8ge-ac"].interfaces}
    for port, vlan in vlans.items():
        assert native[int(of_port[port])] == int(vlan)


def test_what_no_table_shows_stays_unknown(found):
    device = found["topsec-ngfw4000-uf"].device
    for (
        field
    ) in "neighbours vlans routing_peers ospf_interfaces nd_entries forwards_ipv6 log_servers".split():
        assert not known(getattr(device, field)), field
    dptech = found["dptech-dpx800-a5"].device  # speaks LLDP and hears nobody
    assert dptech.neighbours == []


def test_edges_lead_to_targets_of_the_source(replay):
    lines = [
        f"{LLDP}.4.0.3.1|2|4",
        f"{LLDP}.5.0.3.1|4x|0011223344ff",
        f"{LLDP}.6.0.3.1|2|5",
        f"{LLDP}.7.0.3.1|4|GE0/0/1",
        f"{LLDP}.9.0.3.1|4|Core-1",
        "1.0.8802.1.1.2.1.4.2.1.3.0.3.1.1.4.10.0.0.7|2|2",
        f"{LLDP}.4.0.4.1|2|4",
        f"{LLDP}.5.0.4.1|4x|001122334400",
        f"{LLDP}.7.0.4.1|4|GE0/0/2",
        f"{LLDP}.9.0.4.1|4|stranger",
        "1.0.8802.1.1.2.1.3.7.1.2.3|2|5",
        "1.0.8802.1.1.2.1.3.7.1.3.3|4|Gi1/0/3",
    ]
    device = replay(*lines, targets=["core-1"]).device
    assert device.related("neighbour_of") == ["net/device/core-1"]
    device = replay(*lines, targets=["10.0.0.7"]).device
    assert device.relations == [Relation("neighbour_of", "net/device/10.0.0.7")]
    first = device.neighbours[1]
    assert (first.local_interface, first.chassis_id, first.port, first.addresses) == (
        "Gi1/0/3",
        "00:11:22:33:44:ff",
        "GE0/0/1",
        ["10.0.0.7"],
    )


def test_bgp_of_both_families(replay):
    v6 = "32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1"
    peers = replay(
        "1.3.6.1.2.1.15.2.0|2|65001",
        "1.3.6.1.2.1.15.3.1.2.10.0.0.2|2|6",
        "1.3.6.1.2.1.15.3.1.3.10.0.0.2|2|2",
        "1.3.6.1.2.1.15.3.1.9.10.0.0.2|2|65002",
        "1.3.6.1.4.1.9.9.187.1.2.5.1.3.1.4.10.0.0.2|2|6",
        f"1.3.6.1.4.1.9.9.187.1.2.5.1.3.2.16.{v6}|2|3",
        f"1.3.6.1.4.1.9.9.187.1.2.5.1.4.2.16.{v6}|2|2",
        f"1.3.6.1.4.1.9.9.187.1.2.5.1.11.2.16.{v6}|66|65003",
    ).device.routing_peers
    assert [(p.address, p.family, p.established) for p in peers] == [
        ("10.0.0.2", "ipv4", True),
        ("2001:db8::1", "ipv6", False),
    ]
    assert (peers[1].remote_as, peers[1].enabled) == (65003, True)


V6 = "32.1.13.184.0.0.0.0.0.0.0.0.0.0.0"


def told(peers):
    return [(p.address, p.family, or_none(p.remote_as), or_none(p.established)) for p in peers]


def test_bgp_of_huawei(replay):
    """HUAWEI-BGP-VPN-MIB: hwBgpPeerRemoteAs 2, hwBgpPeerState 5; the index is hwBgpPeerInstanceId, AFI,
    SAFI, InetAddressType, InetAddress."""
    entry = "1.3.6.1.4.1.2011.5.25.177.1.1.2.1"
    lines = [
        f"{entry}.2.0.1.1.1.4.10.0.0.2|66|65002",
        f"{entry}.2.0.2.1.2.16.{V6}.1|66|4200000001",
        f"{entry}.2.0.2.1.2.16.{V6}.2|66|65004",
        f"{entry}.2.0.1.128.1.4.10.0.0.2|66|65002",  # the same peer, for VPN routes
        f"{entry}.5.0.1.1.1.4.10.0.0.2|2|6",
        f"{entry}.5.0.1.128.1.4.10.0.0.2|2|6",
        f"{entry}.5.0.2.1.2.16.{V6}.1|2|6",
        f"{entry}.5.0.2.1.2.16.{V6}.2|2|3",
        f"{entry}.5.0.2.1.2.16.1.2|2|6",  # an index that is cut off
        f"{entry}.5.0.2.1.2.16.10.0.0.9|2|6",  # and one that is as long as another kind of address
    ]
    device = replay(*lines, enterprise=2011).device
    assert told(device.routing_peers) == [
        ("10.0.0.2", "ipv4", 65002, True),
        ("2001:db8::1", "ipv6", 4200000001, True),
        ("2001:db8::2", "ipv6", 65004, False),
    ]
    assert device.routing_protocols == ["bgp"]
    assert not any(known(p.enabled) for p in device.routing_peers)
    # the standard table tells more of an IPv4 peer, and is believed
    standard = "1.3.6.1.2.1.15.3.1"
    both = [f"{standard}.{n}.10.0.0.2|2|{value}" for n, value in ((2, 6), (3, 2), (9, 65002))]
    first = replay(*lines, *both, enterprise=2011).device.routing_peers[0]
    assert (first.address, first.enabled, first.established) == ("10.0.0.2", True, True)
    mark = '#!walk {"table": "hwBgpPeerTable", "status": "partial", "reason": "没有应答"}'
    assert not known(replay(*lines, mark, enterprise=2011).device.routing_peers)


def test_bgp_of_h3c(replay):
    """HH3C-BGP-VPN-MIB hh3cBgpPeerVpnName 7 (instance, VPN, AFI, SAFI, type, address), HH3C-BGP4V2-MIB
    hh3cBgp4v2PeerState 3 (InetAddressIPv6), BGP4-MIB for IPv4."""
    names, states = "1.3.6.1.4.1.25506.2.202.1.1.1.1.7", "1.3.6.1.4.1.25506.2.183.1.1.1.3"
    device = replay(
        "1.3.6.1.2.1.15.2.0|2|65001",
        "1.3.6.1.2.1.15.3.1.2.10.0.0.2|2|6",
        "1.3.6.1.2.1.15.3.1.9.10.0.0.2|2|65002",
        f"{names}.1.0.1.1.1.4.10.0.0.2|4|",
        f"{names}.1.3.1.1.1.4.10.9.0.2|4|office",  # of a VPN: no table has its state
        f"{names}.1.0.2.1.2.16.{V6}.1|4|",
        f"{states}.{V6}.1|2|6",
        f"{states}.{V6}.2|2|1",
        enterprise=25506,
    ).device
    assert told(device.routing_peers) == [
        ("10.0.0.2", "ipv4", 65002, True),
        ("10.9.0.2", "ipv4", None, None),
        ("2001:db8::1", "ipv6", None, True),
        ("2001:db8::2", "ipv6", None, False),
    ]


def test_bgp_of_juniper(replay):
    entry = "1.3.6.1.4.1.2636.5.1.1.2.1.1.1"
    [peer] = replay(
        f"{entry}.2.0.1.10.0.0.1.1.10.0.0.2|2|6",
        f"{entry}.11.0.1.10.0.0.1.1.10.0.0.2|4x|0a000002",
        f"{entry}.13.0.1.10.0.0.1.1.10.0.0.2|66|65002",
        enterprise=2636,
    ).device.routing_peers
    assert (peer.address, peer.remote_as, peer.established) == ("10.0.0.2", 65002, True)


def test_ospf_authentication_is_read_and_its_key_is_not(replay):
    outcome = replay(
        "1.3.6.1.2.1.14.1.2.0|2|1",
        *(f"1.3.6.1.2.1.14.7.1.12.10.0.0.{n}.0|2|4" for n in (1, 2, 3)),
        "1.3.6.1.2.1.14.7.1.16.10.0.0.2.0|4|the-ospf-key",
        *(f"1.3.6.1.2.1.14.7.1.20.10.0.0.{n}.0|2|{n - 1}" for n in (1, 2, 3)),
    )
    assert outcome.device.ospf_interfaces == [
        OspfInterface(address=f"10.0.0.{n}", active=True, authentication=how)
        for n, how in ((1, "none"), (2, "password"), (3, "digest"))
    ]
    assert not any(b"the-ospf-key" in e.content for e in outcome.batch.evidence)


def test_a_table_that_broke_off_tells_nothing(tmp_path, collect):
    lines = [line.replace("{enterprise}", "9") for line in SYSTEM]
    lines += [f"{LLDP}.5.0.{n}.1|4x|0011223344ff" for n in range(5)]
    lines.append('#!walk {"table": "lldpRemTable", "status": "partial", "reason": "读到一半没有应答"}')
    (tmp_path / "device.snmprec").write_text("\n".join(lines))
    outcome = collect(recording=str(tmp_path))["device"]
    assert not known(outcome.device.neighbours)
    collection = outcome.collections["device"]
    assert collection.status is Status.PARTIAL
    assert "lldpRemTable" in collection.reason


@pytest.mark.parametrize("table", ["cdpCacheTable", "lldpRemManAddrTable", "lldpRemTable"])
def test_half_of_the_neighbours_are_not_all_of_them(replay, table):
    lines = [f"{LLDP}.5.0.3.1|4|one", f"{CDP}.6.1.1|4|two"]
    assert len(replay(*lines).device.neighbours) == 2
    mark = f'#!walk {{"table": "{table}", "status": "partial", "reason": "没有应答"}}'
    assert not known(replay(*lines, mark).device.neighbours)


def test_a_long_arp_table_may_break_off_and_spoils_nothing_else(replay):
    lines = [f"1.3.6.1.2.1.4.22.1.4.1.10.0.0.{n}|2|3" for n in range(5)]
    assert replay(*lines).device.arp_entries == 5
    lines.append('#!walk {"table": "ipNetToMediaTable", "status": "partial", "reason": "超过时限 30 秒"}')
    outcome = replay(*lines)
    assert not known(outcome.device.arp_entries)
    assert outcome.collections["device"].status is Status.COMPLETE
    assert any(b"ipNetToMediaTable: partial, not counted" in e.content for e in outcome.batch.evidence)


def standbys(outcome):
    return [(one.kind, one.name, or_none(one.working), or_none(one.peer)) for one in outcome.device.standbys]


def test_a_stack_is_told_by_its_serial_numbers(found):
    shown = {name: standbys(outcome) for name, outcome in found.items() if known(outcome.device.standbys)}
    assert shown == {"h3c-comware-7-1-075": [("stack", "stack", True, "2 members")]}


VRRP = "1.3.6.1.2.1.68.1.3.1"


@pytest.mark.parametrize(
    ("state", "admin", "expected"),
    [
        (2, 1, [("vrrp", "7.1", True, "198.18.0.2")]),
        (3, 1, [("vrrp", "7.1", None, None)]),  # a master does not know its backups
        (1, 1, [("vrrp", "7.1", False, None)]),
        (1, 2, None),  # switched off by the operator
    ],
)
def test_vrrp(replay, state, admin, expected):
    rows = (f"{VRRP}.3.7.1|2|{state}", f"{VRRP}.4.7.1|2|{admin}", f"{VRRP}.7.7.1|64|198.18.0.2")
    outcome = replay(*rows, enterprise=2011)
    assert (standbys(outcome) if known(outcome.device.standbys) else None) == expected


def test_vrrp_of_version_3_and_ipv6(replay):
    entry = "1.3.6.1.2.1.207.1.1.1.1"
    master = "fe80000000000000" + "0000000000000001"
    rows = (f"{entry}.3.7.1.2|4x|{master}", f"{entry}.6.7.1.2|2|2", f"{entry}.6.8.1.1|2|3")
    assert standbys(replay(*rows, enterprise=2011)) == [
        ("vrrp", "7.1", True, "fe80::1"),
        ("vrrp", "8.1", None, None),
    ]


@pytest.mark.parametrize(
    ("state", "active", "standby", "expected"),
    [
        (6, "198.18.0.2", "198.18.0.3", [("hsrp", "7.1", True, "198.18.0.3")]),
        (6, "198.18.0.2", "0.0.0.0", [("hsrp", "7.1", False, None)]),
        (5, "198.18.0.2", "198.18.0.3", [("hsrp", "7.1", True, "198.18.0.2")]),
        (1, "0.0.0.0", "0.0.0.0", [("hsrp", "7.1", False, None)]),
        (4, "0.0.0.0", "0.0.0.0", [("hsrp", "7.1", None, None)]),  # it speaks, and nothing is decided
    ],
)
def test_hsrp(replay, state, active, standby, expected):
    entry = "1.3.6.1.4.1.9.9.106.1.2.1.1"
    rows = (
        f"{entry}.11.7.1|64|198.18.0.1",
        f"{entry}.13.7.1|64|{active}",
        f"{entry}.14.7.1|64|{standby}",
        f"{entry}.15.7.1|2|{state}",
    )
    assert standbys(replay(*rows)) == expected

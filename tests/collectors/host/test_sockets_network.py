from __future__ import annotations

from ipaddress import ip_address

import pytest

from collectors.host.network import (
    addresses_of_text,
    ipv6_enabled,
    links_of_json,
    local_addresses,
    place,
)
from collectors.host.routes import routes_of_json, routes_of_proc4, routes_of_proc6
from collectors.host.sockets import address_of_hex, listening
from inventory.kinds.network import Route
from inventory.unknown import UNKNOWN

DENIED = {"refused": "denied"}


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0100007F", "127.0.0.1"),
        ("00000000", "0.0.0.0"),
        ("B80D0120000000000000000005000000", "2001:db8::5"),
        ("0000000000000000FFFF00000100007F", "::ffff:7f00:1"),
    ],
)
def test_kernel_addresses(text: str, address: str) -> None:
    assert address_of_hex(text) == ip_address(address)


def test_only_listening_sockets_count() -> None:
    head = b"  sl  local_address ...\n"
    row = b"   0: 0100007F:0016 00000000:0000 %b 00000000:00000000 00:00000000 00000000     0        0 77 1\n"
    assert [(s.address, s.port, s.inode) for s in listening(head + row % b"0A", "tcp")] == [
        ("127.0.0.1", 22, 77)
    ]
    assert listening(head + row % b"01", "tcp") == []
    assert listening(head + row % b"01", "udp") == []
    assert len(listening(head + row % b"07", "udp")) == 1


def test_program_none_only_where_every_process_was_seen(machine) -> None:
    rows = {r.name: r.program for r in machine("openeuler-22.03")["listener"].resources}
    assert rows["tcp 0.0.0.0:22"] == "sshd"
    assert rows["tcp 127.0.0.1:25"] is None
    assert all(r.program is UNKNOWN for r in machine("kylin-v10-user")["listener"].resources)


def test_refused_table_is_partial_and_all_refused_is_denied(machine) -> None:
    def one(record: dict) -> None:
        record["files"]["/proc/net/tcp6"] = DENIED

    def all_(record: dict) -> None:
        for name in ("tcp", "tcp6", "udp", "udp6"):
            record["files"][f"/proc/net/{name}"] = DENIED

    assert machine("uos-20", one)["listener"].collections[0].status == "partial"
    batch = machine("uos-20", all_)["listener"]
    assert (batch.resources, batch.collections[0].status) == ([], "denied")


def test_missing_tcp6_is_a_kernel_without_ipv6(machine) -> None:
    def without(record: dict) -> None:
        del record["files"]["/proc/net/tcp6"]

    assert machine("uos-20", without)["listener"].collections[0].status == "complete"


def test_interfaces_from_proc_equal_those_from_ip(machine) -> None:
    """CentOS 7 has no ``ip -j``: the same addresses must come from /proc and /sys."""

    def view(name: str) -> dict:
        return {
            i.name: sorted((a.address, a.prefix_length) for a in i.addresses)
            for i in machine(name)["interface"].resources
        }

    from_ip, from_proc = view("openeuler-22.03"), view("centos-7")
    assert from_proc["lo"] == from_ip["lo"]
    assert from_proc["eth0"][:2] == from_ip["eth0"][:2] == [("10.0.0.5", 24), ("2001:db8::5", 64)]
    row = {i.name: i for i in machine("centos-7")["interface"].resources}["eth0"]
    assert (row.index, row.mtu, row.speed_bps, row.admin_up, row.oper_up, row.loopback) == (
        2, 1500, 10_000_000_000, True, True, False,
    )  # fmt: skip
    assert (row.in_octets, row.out_errors, row.interface_type, row.mac) == (1000, 3, 6, "52:54:00:12:00:07")


def test_routes_from_proc_equal_those_from_ip(machine) -> None:
    def view(name: str) -> set:
        return {(r.family, r.destination, r.gateway, r.interface) for r in machine(name)["route"].resources}

    assert (
        view("centos-7")
        == view("openeuler-22.03")
        == {
            ("ipv4", "0.0.0.0/0", "10.0.0.1", "eth0"),
            ("ipv4", "10.0.0.0/24", None, "eth0"),
            ("ipv6", "2001:db8::/64", None, "eth0"),
            ("ipv6", "::/0", "fe80::1", "eth0"),
        }
    )


def test_address_that_cannot_be_placed_makes_addresses_unknown(machine) -> None:
    def stray(record: dict) -> None:
        record["files"]["/proc/net/fib_trie"] += "     |-- 203.0.113.9\n        /32 host LOCAL\n"

    batch = machine("centos-7", stray)["interface"]
    assert all(i.addresses is UNKNOWN for i in batch.resources)
    assert "接口地址未知" in batch.collections[0].reason


def test_no_interface_at_all_is_a_failure(machine) -> None:
    def nothing(record: dict) -> None:
        for path in [p for p in record["files"] if p.startswith("/sys/class/net")]:
            del record["files"][path]

    assert machine("centos-7", nothing)["interface"].collections[0].status == "failed"


def test_place_takes_the_longest_connected_prefix() -> None:
    def route(destination: str, interface: str) -> Route:
        return Route(
            source="s", native_id=destination, destination=destination, interface=interface, gateway=None
        )

    routes = [route("10.0.0.0/8", "a"), route("10.1.0.0/16", "b")]
    placed = place(["10.1.2.3", "127.0.0.1"], routes)
    assert placed is not None
    assert {name: [(a.address, a.prefix_length) for a in rows] for name, rows in placed.items()} == {
        "b": [("10.1.2.3", 16)], "lo": [("127.0.0.1", 8)],
    }  # fmt: skip
    assert place(["192.0.2.1"], routes) is None


def test_old_ip_text() -> None:
    text = (
        b"1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever\n"
        b"3: eth0.10@eth0    inet6 2001:db8::9/64 scope global \\       valid_lft forever\n"
        b"4: tun0    inet 10.8.0.1 peer 10.8.0.2/32 scope global tun0\n"
    )
    found = {n: [(a.address, a.prefix_length) for a in rows] for n, rows in addresses_of_text(text).items()}
    assert found == {"lo": [("127.0.0.1", 8)], "eth0.10": [("2001:db8::9", 64)], "tun0": [("10.8.0.1", 32)]}


def test_json_of_another_shape_is_refused() -> None:
    assert links_of_json(b"{}") is None
    assert (
        links_of_json(b'[{"ifname": 5}, 7, {"ifname": "x", "ifindex": 3, "addr_info": [{"local": "bad"}]}]')[
            0
        ].addresses
        == []
    )
    assert (
        routes_of_json(
            b'[{"dst": "default", "nexthops": [{"gateway": "10.0.0.1", "dev": "a"}, {"via": {"host": "fe80::1"}, "dev": "b"}]}]',
            "ipv4",
        )
        is not None
    )
    assert routes_of_json(b"junk", "ipv4") is None


def test_multipath_has_a_route_per_hop() -> None:
    rows = routes_of_json(
        b'[{"dst":"default","nexthops":[{"gateway":"10.0.0.1","dev":"a"},{"gateway":"10.0.0.2","dev":"b"}]}]',
        "ipv4",
    )
    assert rows is not None
    assert [(r["gateway"], r["interface"]) for r in rows] == [("10.0.0.1", "a"), ("10.0.0.2", "b")]


def test_own_addresses_of_fib_trie() -> None:
    assert local_addresses(
        b"  |-- 10.0.0.5\n    /32 host LOCAL\n  |-- 10.0.0.255\n    /32 link BROADCAST\n"
    ) == ["10.0.0.5"]


def test_proc_routes_drop_rejects_and_own_addresses() -> None:
    assert routes_of_proc4(b"head\neth0\t00000000\t00000000\t0201\t0\t0\t0\t00000000\n") == []
    local = (
        b"20010db8000000000000000000000005 80 "
        + b"0" * 32
        + b" 00 "
        + b"0" * 32
        + b" 00000000 00000001 00000000 80200001     eth0\n"
    )
    assert routes_of_proc6(local) == []


def test_ipv6_switch(notebook) -> None:
    path = "/proc/sys/net/ipv6/conf/default/disable_ipv6"
    assert ipv6_enabled(notebook({path: "0\n"})) is True
    assert ipv6_enabled(notebook({path: "1\n"})) is False
    assert ipv6_enabled(notebook({"/proc/sys/net/core/somaxconn": "128\n"})) is False  # no such module
    assert ipv6_enabled(notebook({path: DENIED})) is UNKNOWN

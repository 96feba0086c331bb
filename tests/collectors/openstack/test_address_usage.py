"""How full subnets are."""

from __future__ import annotations

from typing import Any

import msgspec

from collectors.openstack import address_usage
from inventory.kinds.usage import Amount


def availability(network: str, subnet: str, cidr: str, total: int, used: int) -> bytes:
    version = 6 if ":" in cidr else 4
    row = {"subnet_id": subnet, "cidr": cidr, "ip_version": version, "total_ips": total, "used_ips": used}
    answer = {"network_id": network, "subnet_ip_availability": [row], "total_ips": total, "used_ips": used}
    return msgspec.json.encode({"network_ip_availabilities": [answer]})


def floating(*rows: tuple[str, str | None]) -> list[bytes]:
    found: list[dict[str, Any]] = [
        {"id": a, "floating_ip_address": a, "floating_network_id": "ext", "port_id": port} for a, port in rows
    ]
    return [msgspec.json.encode({"floatingips": found})]


def test_a_v6_subnet_has_more_addresses_than_an_integer_holds() -> None:
    page = (
        b'{"network_ip_availabilities":[{"network_id":"n","total_ips":18446744073709617148,'
        b'"subnet_ip_availability":[{"subnet_id":"s","cidr":"2001:db8::/64","ip_version":6,'
        b'"total_ips":18446744073709551615,"used_ips":3}]}]}'
    )
    (amount,) = address_usage.amounts([page], {}, set())["s"]
    assert amount == Amount(of="address", total=2.0**64, reserved=0.0, ratio=1.0, allocated=3.0)


def test_the_pool_of_floating_addresses_keeps_what_gateways_take_back() -> None:
    pools = address_usage.pools(
        floating(("198.18.0.10", "port"), ("198.18.0.11", None), ("203.0.113.1", "x"))
    )
    page = availability("ext", "s", "198.18.0.0/16", 1000, 9)
    address, pool = address_usage.amounts([page], pools, {"ext"})["s"]
    assert (address.of, address.allocated) == ("address", 9.0)
    assert pool == Amount(of="floating_ip", total=1000.0, reserved=7.0, ratio=1.0, allocated=2.0, used=1.0)
    assert [a.of for a in address_usage.amounts([page], pools, set())["s"]] == ["address"]

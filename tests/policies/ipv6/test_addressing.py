"""Sorts of addresses, the plan, and prefixes in use against it."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.kinds.address import address_of
from inventory.kinds.cluster import Node
from inventory.kinds.compute import Server
from inventory.kinds.network import Interface, Route
from inventory.kinds.virtual_network import Subnet
from inventory.resource import Relation, Resource
from inventory.unknown import UNKNOWN
from policies.functions import is_eui64, is_ipv6
from policies.ipv6.addressing import assignment_kept, census, identifier_of, plan_kept, sort_of
from policies.ipv6.contract import View
from policies.ipv6.plan import PlannedPrefix, network_of, planned, twice

PLAN = [
    PlannedPrefix(prefix="fd00:1::/32", owner="市大数据局", purpose="政务云"),
    PlannedPrefix(prefix="fd00:1:2::/48", owner="市文旅局", purpose="网站群", assignment="slaac"),
]


def subnet(name: str, cidr: Any, *, network: str = "", **more: Any) -> Subnet:
    held: dict[str, Any] = {"family": "ipv6", "cidr": cidr, "address_mode": "slaac", **more}
    relations = [Relation("in_network", f"c/network/{network or name}")]
    return Subnet(source="c", native_id=name, name=name, relations=relations, **held)


def view(*rows: Resource, plan: Any = PLAN) -> View:
    found: dict[str, list[Resource]] = {}
    for row in rows:
        found.setdefault(row.KIND, []).append(row)
    return View(by_kind=found, plan=plan)


@pytest.mark.parametrize(
    ("address", "sort", "identifier"),
    [
        ("240e:1::f816:3eff:fe01:ce4f", "global", "eui64"),
        ("fd00::1", "unique_local", "small"),
        ("fd00::10:2", "unique_local", "small"),
        ("fe80::1%eth0", "link", "small"),
        ("2002:c000:204::1", "transition", "small"),
        ("2001::5ef5:79fd:1:2:3", "transition", "opaque"),
        ("240e::5efe:a00:1", "transition", "opaque"),
        ("240e::a00:101", "global", "embedded"),
        ("2001:db8::9c3e:12ab:77f0:1d20", "other", "opaque"),
    ],
)
def test_sorts(address: str, sort: str, identifier: str) -> None:
    assert (sort_of(address), identifier_of(address)) == (sort, identifier)


def test_eui64_by_the_example_of_the_standard() -> None:
    # RFC 4291 appendix A: 34-56-78-9A-BC-DE gives 36-56-78-FF-FE-9A-BC-DE
    assert is_eui64("fe80::3656:78ff:fe9a:bcde%eth0")
    assert not is_eui64("fe80::3656:78fe:ff9a:bcde")
    assert not is_eui64("10.0.255.254")


def test_families_of_texts() -> None:
    assert [is_ipv6(t) for t in ("::1", "[fd00::1]:514", "fd00::/64", "10.0.0.1:514", "10.0.0.0/8")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"ntp\.example"):
        is_ipv6("ntp.example.gov.cn")


def test_census() -> None:
    rows = [
        Server(source="c", native_id="a", addresses=[address_of("fd00::1"), address_of("10.0.0.1")]),
        Interface(source="c", native_id="b", addresses=[address_of("fd00::1"), address_of("::1")]),
        Node(source="c", native_id="n"),
        Route(source="c", native_id="r", destination="64:ff9b::/96"),
        Route(source="c", native_id="q", destination="default"),
    ]
    told = census(view(*rows).by_kind)
    assert (told.sorts, told.identifiers, told.unseen) == (
        {"unique_local": 1},
        {"small": 1},
        1,
    )  # one address, twice
    assert told.nat64 == ("c/route/r",)


def test_the_narrowest_planned_prefix_counts() -> None:
    owner = [
        planned(PLAN, network_of(p)) for p in ("fd00:1:2:3::/64", "fd00:1:3::/64", "fd00:2::/64", "fd00::/16")
    ]
    assert [one.owner if one else None for one in owner] == ["市文旅局", "市大数据局", None, None]
    assert twice(PLAN) is None
    assert twice([*PLAN, PlannedPrefix(prefix="fd00:1::/32", owner="a", purpose="b")]) == 2


@pytest.mark.parametrize(
    ("prefix", "owner", "message"),
    [
        ("10.0.0.0/8", "a", "不是 IPv6 前缀"),
        ("fd00::1/32", "a", "host bits"),
        ("fd00::/32", " ", "owner"),
    ],
)
def test_a_wrong_plan_is_refused(prefix: str, owner: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PlannedPrefix(prefix=prefix, owner=owner, purpose="x")


def test_what_keeps_to_the_plan() -> None:
    rows = [
        subnet("in", "fd00:1:2:1::/64"),
        subnet("out", "fd00:9::/64"),
        subnet("four", "10.0.0.0/8", family="ipv4"),
        subnet("blind", UNKNOWN),
        # two networks that share addresses; two subnets of one network may
        subnet("wide", "fd00:1:5::/48", network="n1"),
        subnet("narrow", "fd00:1:5:7::/64", network="n2"),
        subnet("own", "fd00:1:6::/48", network="n3"),
        subnet("own-too", "fd00:1:6:1::/64", network="n3"),
        Interface(
            source="c", native_id="i", addresses=[address_of("fd00:8::1", 64), address_of("fe80::1", 64)]
        ),
        Interface(source="c", native_id="lo", loopback=True),
        Node(source="c", native_id="n", pod_prefixes=["fd00:1:f::/64", "10.42.0.0/24"]),
    ]
    told = {one.uid.rsplit("/", 1)[1]: (one.counted + one.met, one.detail) for one in plan_kept(view(*rows))}
    assert {name: pair for name, (pair, _) in told.items()} == {
        "in": "yy", "out": "yn", "blind": "mm", "wide": "yn", "narrow": "yn", "own": "yy", "own-too": "yy",
        "i": "yn", "n": "yy",
    }  # fmt: skip
    assert told["in"][1] == "fd00:1:2:1::/64 登记给 市文旅局（网站群）"
    assert told["out"][1] == "fd00:9::/64 没有登记"
    assert told["narrow"][1] == "fd00:1:5:7::/64 与 c/subnet/wide 重叠"
    assert told["wide"][1] == "fd00:1:5::/48 与 c/subnet/narrow 重叠"


def test_how_addresses_are_given_out() -> None:
    def router(name: str, **more: Any) -> Interface:
        return Interface(source="c", native_id=name, addresses=[address_of("fd00:1:2:9::1", 64)], **more)

    rows = [
        subnet("as-planned", "fd00:1:2:1::/64"),
        subnet("not-so", "fd00:1:2:2::/64", address_mode="dhcpv6-stateful"),
        subnet("by-hand", "fd00:1:2:3::/64", address_mode=None),
        subnet("not-seen", "fd00:1:2:4::/64", address_mode=UNKNOWN),
        subnet("not-laid-down", "fd00:1:7::/64", address_mode="dhcpv6-stateful"),
        router("slaac", advertises_router=True, advertises_managed=False),
        router("managed", advertises_router=True, advertises_managed=True),
        router("half-seen", advertises_router=True),
        router("host"),
    ]
    told = {one.uid.rsplit("/", 1)[1]: one.counted + one.met for one in assignment_kept(view(*rows))}
    assert told == {
        "as-planned": "yy", "not-so": "yn", "by-hand": "yn", "not-seen": "ym", "slaac": "yy", "managed": "yn",
        "half-seen": "ym",
    }  # fmt: skip

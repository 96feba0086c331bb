"""Points and levels of websites, worked by hand, and what not seeing does to them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.kinds.address import Address, address_of
from inventory.kinds.web import Delegation, Domain, Link, NameServer, Quality, Visit, Website
from inventory.unknown import UNKNOWN
from policies.ipv6.contract import View
from policies.ipv6.sites import (
    LEVELS,
    POINTS,
    names_delegated,
    names_right,
    right_addresses,
    score,
    scores,
    sites_good,
    sites_supporting,
    worse,
)


def visit(family: Any, **more: Any) -> Visit:
    held: dict[str, Any] = {
        "address": "240e::1" if family == "ipv6" else "1.2.3.4",
        "ok": True,
        "problem": None,
    }
    return Visit(family=family, **held | more)


def quality(family: Any, **more: Any) -> Quality:
    held: dict[str, Any] = {
        "tries": 20, "succeeded": 20, "connect_ms": 30.0, "first_byte_ms": 60.0, "page_ms": 400.0,
        "bytes_per_second": 1e6, "loss": 0.0,
    }  # fmt: skip
    return Quality(family=family, **held | more)


def link(
    url: str, level: int = 2, *, ipv6: Any = True, external: bool = False, embedded: bool = False
) -> Link:
    return Link(url=url, level=level, external=external, embedded=embedded, ipv6=ipv6)


def site(**more: Any) -> Website:
    held: dict[str, Any] = {
        "url": "https://www.example.gov.cn/",
        "host": "www.example.gov.cn",
        "visits": [visit("ipv4"), visit("ipv6")],
        "quality": [quality("ipv4"), quality("ipv6")],
        "similarity": 0.97,
        "links": [],
        "all_links": True,
    }
    return Website(source="w", native_id="https://www.example.gov.cn/", **held | more)


def domain(**more: Any) -> Domain:
    servers = [NameServer(name="ns1", answers_ipv6=False), NameServer(name="ns2", answers_ipv6=True)]
    held: dict[str, Any] = {
        "exists": True,
        "addresses": [address_of("1.2.3.4"), address_of("240e::1")],
        "delegations": [Delegation(zone="cn", servers=servers), Delegation(zone="gov.cn", servers=servers)],
        "lookup_ipv4_ms": 5.0,
        "lookup_ipv6_ms": 9.0,
    }
    return Domain(source="d", native_id="www.example.gov.cn", **held | more)


def test_a_site_with_everything_has_all_points() -> None:
    told = score(site(), domain())
    assert (told.low, told.high, told.level_low, told.level_high) == (100, 100, "优", "优")
    assert sum(POINTS.values()) == 100


def test_points_by_hand() -> None:
    # 01 AAAA 15, 02 home page 15                                             → 30
    # 03 success: 18 of 20 = 0.9; of the wanted 0.95: 0.9 / 0.95 × 10          → 180/19 = 9.4737
    # 04 gov.cn has no server that answers over IPv6                           → 0
    # 05 similarity 0.80 < 0.90                                                → 0
    # 06 second level: 3 of 5 answer = 0.6; of the wanted 0.9: 2/3 × 15        → 10
    # 07 third level: 4 of 5 answer = 0.8 = the wanted                         → 10
    # 08 foreign hosts embedded: a (dark), b, c, d, e: 1 of 5 = 0.2 > 0.1: 0.8 / 0.9 × 5 → 4.4444
    # 09 to 14: connect 100 → 120 ms is 20 % worse: a half; the other five full: 5.5 / 6 × 10 → 9.1667
    # together 30 + 9.4737 + 10 + 10 + 4.4444 + 9.1667 = 73.0848              → 中 (60 to 75)
    dark = [NameServer(name="ns", answers_ipv6=False)]
    links = [link(f"https://www.example.gov.cn/{n}", ipv6=n < 3) for n in range(5)]
    links += [link(f"https://www.example.gov.cn/x/{n}", 3, ipv6=n < 4) for n in range(5)]
    links += [
        link(f"https://{host}.example.com/s.js", ipv6=host != "a", external=True, embedded=True)
        for host in "abcde"
    ]
    links += [link("https://plain.example.com/", ipv6=False, external=True)]  # not embedded: no hole
    told = score(
        site(
            quality=[quality("ipv4", connect_ms=100.0), quality("ipv6", succeeded=18, connect_ms=120.0)],
            similarity=0.80,
            links=links,
        ),
        domain(
            delegations=[
                Delegation(zone="cn", servers=domain().delegations[0].servers),
                Delegation(zone="gov.cn", servers=dark),
            ]
        ),  # type: ignore[index, union-attr]
    )
    parts = {part.id: (part.low, part.high) for part in told.parts}
    assert parts["V6-WEB-03"] == (Fraction(18, 19), Fraction(18, 19))
    assert parts["V6-WEB-06"] == (Fraction(2, 3), Fraction(2, 3))
    assert parts["V6-WEB-07"] == (1, 1)
    assert parts["V6-WEB-08"] == (Fraction(8, 9), Fraction(8, 9))
    assert parts["V6-WEB-09…14"] == (Fraction(11, 12), Fraction(11, 12))
    assert told.low == told.high == 30 + Fraction(180, 19) + 10 + 10 + Fraction(40, 9) + Fraction(110, 12)
    assert (told.level_low, told.level_high) == ("中", "中")
    assert [p.why for p in told.parts if p.low == 0] == [
        "gov.cn 没有一台域名服务器以 IPv6 应答",
        "相似度 0.80",
    ]


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("240e::1", (1, 1)),
        ("2001:db8::1", (0, 0)),  # for documentation
        ("2002:102:304::1", (0, 0)),  # 6to4
        ("2001::1", (0, 0)),  # Teredo
        ("fd00::1", (0, 0)),
        ("fe80::1", (0, 0)),
        ("::ffff:1.2.3.4", (0, 0)),
        ("1.2.3.4", (0, 0)),
    ],
)
def test_right_addresses(address: str, right: tuple[int, int]) -> None:
    assert right_addresses([address_of(address)]) == right


def test_an_address_not_seen_may_be_right() -> None:
    assert right_addresses(UNKNOWN) == (0, 1)
    assert right_addresses([Address(family="ipv6")]) == (0, 1)
    assert right_addresses([]) == (0, 0)


def test_without_a_must_the_level_is_none_whatever_the_points() -> None:
    dead = site(visits=[visit("ipv4"), visit("ipv6", ok=False, problem="超时")])
    told = score(dead, domain())
    assert (told.low, told.level_low, told.level_high) == (85, "不支持", "不支持")
    assert told.parts[1].why == "首页以 IPv6 打不开：超时"
    unseen = score(site(visits=UNKNOWN), None)  # neither the name nor the page was asked
    assert (unseen.level_low, unseen.level_high) == ("不支持", "优")


def test_visits_not_made_yet_may_come_out_either_way() -> None:
    # 8 of 8 so far, 12 of the 20 to come: 8/20 = 0.4 to 20/20; of the wanted 0.95: 8/19 to all
    told = score(site(quality=[quality("ipv4"), quality("ipv6", tries=8, succeeded=8)]), domain())
    assert (told.parts[2].low, told.parts[2].high) == (Fraction(8, 19), 1)


def test_an_unmeasured_time_is_neither() -> None:
    # of six, the time to connect was not measured over IPv6: 5/6 to 1
    told = score(site(quality=[quality("ipv4"), quality("ipv6", connect_ms=None)]), domain())
    assert (told.parts[8].low, told.parts[8].high) == (Fraction(5, 6), 1)
    assert told.parts[8].why == "1 项没有测"


def test_links_that_the_budget_left_out_may_come_out_either_way() -> None:
    links = [link("https://www.example.gov.cn/1"), link("https://www.example.gov.cn/2", ipv6=UNKNOWN)]
    # all were found, one was not asked: 1 of 2, of the wanted 0.9: 5/9 to all
    told = score(site(links=links), domain())
    assert (told.parts[5].low, told.parts[5].high) == (Fraction(5, 9), 1)
    # nor were all found: none to all; and of the third level nothing at all was seen
    told = score(site(links=links, all_links=False), domain())
    assert [(p.low, p.high) for p in told.parts[5:8]] == [(0, 1), (0, 1), (0, 1)]


def test_rates_count_where_people_wait() -> None:
    slow: dict[str, Any] = {"page_ms": 5000.0, "bytes_per_second": 5e5}
    slower = slow | {"bytes_per_second": 3e5}  # 1/3 against 1/5: two thirds worse
    told = score(site(quality=[quality("ipv4", **slow), quality("ipv6", **slower)]), domain())
    assert told.parts[8].why == "比 IPv4 差：下载速度"
    at_once = [quality("ipv4", bytes_per_second=5e5), quality("ipv6", bytes_per_second=1.0)]
    assert score(site(quality=at_once), domain()).parts[8].low == 1


def test_worse() -> None:
    half = Fraction(1, 2)
    assert [worse(100, six, 20) for six in (90, 110, 111, 130, 131)] == [1, 1, half, half, 0]
    assert worse(10, 20, 20) == 1  # both so fast that nobody feels it
    assert worse(0.0, 0.02, 0.01) == 0


FIELDS = ("visits", "quality", "similarity", "links", "all_links")
NAME_FIELDS = ("addresses", "delegations", "lookup_ipv6_ms")


@given(
    st.sets(st.sampled_from(FIELDS)), st.sets(st.sampled_from(FIELDS)), st.sets(st.sampled_from(NAME_FIELDS)),
    st.integers(0, 20), st.floats(0, 1), st.lists(st.booleans(), max_size=4),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_seeing_less_never_narrows(
    first: set[str], more: set[str], names: set[str], succeeded: int, similarity: float, links: list[bool]
) -> None:
    whole = site(
        quality=[quality("ipv4"), quality("ipv6", succeeded=succeeded)],
        similarity=similarity,
        links=[link(f"https://www.example.gov.cn/{n}", ipv6=ok) for n, ok in enumerate(links)],
    )

    def blind(fields: set[str]) -> Website:
        return msgspec.structs.replace(whole, **dict.fromkeys(fields, UNKNOWN))

    name = domain()
    less = score(blind(first | more), msgspec.structs.replace(name, **dict.fromkeys(names, UNKNOWN)))
    seen = score(blind(first), name)
    assert less.low <= seen.low <= seen.high <= less.high
    assert LEVELS.index(less.level_low) <= LEVELS.index(seen.level_low)
    assert LEVELS.index(less.level_high) >= LEVELS.index(seen.level_high)


def test_shares_of_sites_and_names() -> None:
    bad = Website(
        source="w", native_id="http://old.example.gov.cn/", host="old.example.gov.cn",
        visits=[visit("ipv6", ok=False, address=None)],
    )  # fmt: skip
    gone = domain(exists=False, addresses=[])
    names = [
        domain(),
        msgspec.structs.replace(gone, native_id="gone.example.gov.cn"),
        Domain(source="d", native_id="dark.example.gov.cn"),
    ]
    view = View(by_kind={"website": [site(), bad], "domain": names})
    assert [s.url for s in scores(view.by_kind)] == [bad.native_id, "https://www.example.gov.cn/"]
    assert [(j.uid, j.met) for j in sites_supporting(view)] == [
        ("w/website/http://old.example.gov.cn/", "n"),
        ("w/website/https://www.example.gov.cn/", "y"),
    ]
    assert [j.met for j in sites_good(view)] == ["n", "y"]
    # a name that does not exist has no share; one that nobody could ask may count or not
    assert [(j.counted, j.met) for j in names_right(view)] == [("y", "y"), ("m", "m")]
    assert [(j.counted, j.met) for j in names_delegated(view)] == [("y", "y"), ("m", "m")]

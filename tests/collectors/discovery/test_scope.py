"""Where discovery goes, and how fast: never elsewhere, never faster."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.discovery import Pace, Settings, discover
from collectors.discovery.scope import not_swept, scope_of, seeds, swept


def told(prefixes: list[str], excluded: list[str] | None = None, most: int = 1000) -> list[str]:
    return [str(address) for address in swept(scope_of(prefixes, excluded or []), most)]


def test_hosts_of_a_prefix_without_network_and_broadcast() -> None:
    assert told(["10.1.0.0/30"]) == ["10.1.0.1", "10.1.0.2"]
    assert told(["10.1.0.0/31"]) == ["10.1.0.0", "10.1.0.1"]
    assert told(["10.1.0.7"]) == ["10.1.0.7"]
    assert told(["10.1.0.5/30"]) == ["10.1.0.5", "10.1.0.6"]
    assert told(["10.1.0.0/30", "10.1.0.1/32"]) == ["10.1.0.1", "10.1.0.2"]


def test_what_is_excluded_is_not_asked() -> None:
    assert told(["10.1.0.0/29"], ["10.1.0.4/30", "10.1.0.1"]) == ["10.1.0.2", "10.1.0.3"]
    assert told(["10.1.0.0/29"], ["10.0.0.0/8"]) == []


def test_ipv6_is_swept_by_single_addresses_only() -> None:
    assert told(["2001:db8::1", "2001:db8:1::/64"]) == ["2001:db8::1"]
    assert not_swept(scope_of(["2001:db8::1", "2001:db8:1::/64", "10.0.0.0/24"])) == ["2001:db8:1::/64"]


def test_too_many_are_refused_before_they_are_listed() -> None:
    with pytest.raises(ValueError, match="16777216"):
        swept(scope_of(["10.0.0.0/8"]), 1 << 15)
    with pytest.raises(ValueError, match="65536"):
        swept(scope_of(["10.0.0.0/16"]), 1 << 15)
    assert len(swept(scope_of(["10.0.0.0/16"]), 65536)) == 65534


@pytest.mark.parametrize("text", ["", "10.1.0.0/33", "10.1", "host.example", "10.1.0.0/24; rm"])
def test_what_is_no_prefix(text: str) -> None:
    with pytest.raises(ValueError, match="不是前缀"):
        scope_of([text])


def test_neighbours_inside_and_outside() -> None:
    scope = scope_of(["10.1.0.0/24", "2001:db8::/32"], ["10.1.0.9"])
    inside, outside = seeds(
        scope,
        [
            ("10.1.0.7", "sw1"), ("10.1.0.7", "sw2"), ("10.1.0.9", "sw1"), ("10.2.0.1", "sw1"),
            ("2001:db8::5", "sw1"), ("2001:db9::5", "sw1"), ("fe80::1", "sw1"), ("0.0.0.0", "sw1"),
            ("224.0.0.5", "sw1"), ("not an address", "sw1"), ("", "sw1"),
        ],
    )  # fmt: skip
    assert {str(a): teller for a, teller in inside.items()} == {"10.1.0.7": "sw1", "2001:db8::5": "sw1"}
    assert {str(a) for a in outside} == {"10.1.0.9", "10.2.0.1", "2001:db9::5"}


@given(st.lists(st.ip_addresses(v=4), max_size=20), st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_no_seed_outside_is_ever_let_in(addresses: list[object], base: object) -> None:
    scope = scope_of([f"{base}/28"])
    inside, outside = seeds(scope, [(str(address), "x") for address in addresses])
    assert all(scope.holds(address) for address in inside)
    assert not any(scope.holds(address) for address in outside)


def test_an_address_outside_stops_everything_before_anything_is_sent() -> None:
    scope = scope_of(["127.0.0.2/32"])
    with pytest.raises(ValueError, match="不在给定的前缀里"):
        list(discover(scope, [ip_address("127.0.0.2"), ip_address("127.0.0.3")], [], Settings()))


def test_the_pace_is_even_and_is_not_made_up_for() -> None:
    """By a clock of its own: the n-th caller goes at n/rate, and an idle time gives no burst afterwards."""
    now, went = [0.0], []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(10.0, monotonic=lambda: now[0], sleep=sleep)
    for _ in range(5):
        pace.wait()
        went.append(round(now[0], 6))
    assert went == [0.0, 0.1, 0.2, 0.3, 0.4]
    now[0] = 100.0
    again = []
    for _ in range(3):
        pace.wait()
        again.append(round(now[0], 6))
    assert again == [100.0, 100.1, 100.2]

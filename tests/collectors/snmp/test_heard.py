"""ARP tables and neighbour caches of recorded devices, through real agents, against the recordings' own text."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest

from collectors import snmp
from collectors.contract import Run, Source, SourceError
from collectors.snmp.heard import heard_in
from collectors.snmp.tables import ARP, IPV6_NEIGHBOURS, NEIGHBOURS

Rows = Callable[[str, str], dict[str, str]]
RECORDINGS = (
    "huawei-s5720",
    "ruijie-s5750-24gt12sfp",
    "h3c-comware-7-1-075",
    "infosec-nsae-6500",
    "zte-embsys-cgel",
)


def expected(name: str, rows: Rows) -> set[str]:
    """By the indexes as RFC 1213 (ipNetToMediaType), RFC 4293 (ipNetToPhysicalType) and RFC 2465
    (ipv6NetToMediaType) lay them out; type invalid(2) of the first two holds no more."""
    found = set()
    for index, kind in rows(name, "1.3.6.1.2.1.4.22.1.4").items():
        if kind != "2":
            found.add(index.partition(".")[2])
    for index, kind in rows(name, "1.3.6.1.2.1.4.35.1.6").items():
        numbers = [int(n) for n in index.split(".")]
        if kind != "2" and numbers[1] in (1, 2):
            octets = bytes(numbers[3 : 3 + numbers[2]])
            found.add(str(IPv4Address(octets) if numbers[1] == 1 else IPv6Address(octets)))
    for index in rows(name, "1.3.6.1.2.1.55.1.12.1.3"):
        found.add(str(IPv6Address(bytes(int(n) for n in index.split(".")[-16:]))))
    return found


@pytest.fixture(scope="module")
def heard(farm: Callable[..., list[object]]) -> dict[str, list[str] | SourceError]:
    """Recording → what its agent's tables hold."""
    hosts = farm(count=22)
    chosen = {host.target: host.recording for host in hosts if host.recording in RECORDINGS}  # type: ignore[attr-defined]
    options = snmp.Options(targets=sorted(chosen), community_ref="env:C")
    source = Source(name="net", type="snmp", options=options)
    return {
        chosen[target]: found for target, found in snmp.heard(source, Run(source, environ={"C": "public"}))
    }


@pytest.mark.parametrize("name", RECORDINGS)
def test_addresses_are_those_of_the_recording(
    name: str, heard: dict[str, list[str] | SourceError], rows: Rows
) -> None:
    found = heard[name]
    assert not isinstance(found, SourceError)
    assert set(found) == expected(name, rows)


def test_who_does_not_answer_is_told(farm: Callable[..., list[object]]) -> None:
    options = snmp.Options(targets=["127.0.0.1:9"], community_ref="env:C", timeout_seconds=0.2, retries=0)
    source = Source(name="net", type="snmp", options=options)
    ((target, found),) = snmp.heard(source, Run(source, environ={"C": "public"}))
    assert (target, type(found)) == ("127.0.0.1:9", SourceError)


def test_indexes_that_hold_no_address() -> None:
    entry = NEIGHBOURS.entry
    rows = {
        (*entry, 6, 1, 1, 4, 192, 0, 2, 1): 3,
        (*entry, 6, 1, 1, 4, 192, 0, 2, 2): 2,  # invalid
        (*entry, 6, 1, 1, 4, 192, 0, 2): 3,  # cut short
        (*entry, 6, 1, 1, 4, 192, 0, 2, 999): 3,
        (*entry, 6, 1, 16, 4, 1, 2, 3, 4): 3,  # a name
        (*entry, 6, 1): 3,
        (*entry, 6, 1, 4, 20, 254, 128, *[0] * 13, 1, 0, 0, 0, 7): 3,  # with a zone
    }
    assert set(heard_in(NEIGHBOURS, rows)) == {"192.0.2.1", "fe80::1"}
    assert list(heard_in(ARP, {(*ARP.entry, 4, 1, 192, 0, 2, 9): 4})) == ["192.0.2.9"]
    six = (*IPV6_NEIGHBOURS.entry, 3, 1, *[0] * 15, 1)
    assert list(heard_in(IPV6_NEIGHBOURS, {six: 2})) == ["::1"]

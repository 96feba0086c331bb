"""Proofs of absence, from records as they are written down: what proves, and what must not."""

from __future__ import annotations

import dns.dnssec
import pytest
from dns import rdatatype, rrset

from collectors.dns.denial import denies_name, denies_type
from collectors.dns.messages import name_of

ZONE = name_of("a.cn")
A, AAAA, DS = rdatatype.A, rdatatype.AAAA, rdatatype.DS


def nsec(owner: str, next_: str, types: str) -> rrset.RRset:
    return rrset.from_text(f"{owner}.", 60, "IN", "NSEC", f"{next_}. {types}")


APEX = nsec("a.cn", "b.a.cn", "NS SOA RRSIG NSEC")
B = nsec("b.a.cn", "d.a.cn", "A RRSIG NSEC")
D = nsec("d.a.cn", "x.e.a.cn", "NS RRSIG NSEC")
X = nsec("x.e.a.cn", "a.cn", "CNAME RRSIG NSEC")


@pytest.mark.parametrize(
    ("proofs", "name", "proved"),
    [
        ([B, APEX], "c.a.cn", True),
        ([B], "c.a.cn", False),  # a wildcard might stand for it
        ([APEX], "c.a.cn", False),
        ([B, APEX], "b.a.cn", False),  # it is there
        ([X, APEX], "z.a.cn", True),  # past the last name
        ([X, APEX], "z.other.cn", False),
        ([], "c.a.cn", False),
    ],
)
def test_no_such_name_by_nsec(proofs: list[rrset.RRset], name: str, proved: bool) -> None:
    assert denies_name(proofs, name_of(name), ZONE) is proved


@pytest.mark.parametrize(
    ("proofs", "name", "type_", "cut", "proved"),
    [
        ([B], "b.a.cn", AAAA, False, True),
        ([B], "b.a.cn", A, False, False),
        ([X], "x.e.a.cn", A, False, False),  # an alias would have been the answer
        ([D], "e.a.cn", A, False, True),  # an empty name between
        ([D], "d.a.cn", DS, True, True),
        ([B], "b.a.cn", DS, True, False),  # no delegation stands there
        ([B], "c.a.cn", AAAA, False, False),
        ([], "b.a.cn", AAAA, False, False),
    ],
)
def test_no_such_type_by_nsec(
    proofs: list[rrset.RRset], name: str, type_: rdatatype.RdataType, cut: bool, proved: bool
) -> None:
    assert denies_type(proofs, name_of(name), type_, cut=cut) is proved


def hashed(types: dict[str, str], *, flags: int = 0, iterations: int = 1) -> dict[str, rrset.RRset]:
    """The NSEC3 chain of a zone: name → its record."""
    hashes = {
        name: dns.dnssec.nsec3_hash(name_of(name), bytes.fromhex("abcd"), iterations, 1) for name in types
    }
    order = sorted(hashes.values())
    after = dict(zip(order, order[1:] + order[:1], strict=True))
    return {
        name: rrset.from_text(
            f"{hash_}.a.cn.", 60, "IN", "NSEC3", f"1 {flags} {iterations} ABCD {after[hash_]} {types[name]}"
        )
        for name, hash_ in hashes.items()
    }


CHAIN = hashed({"a.cn": "NS SOA RRSIG", "b.a.cn": "A RRSIG", "d.a.cn": "NS", "*.w.a.cn": "A", "w.a.cn": ""})


def test_no_such_name_by_nsec3() -> None:
    every = list(CHAIN.values())
    assert denies_name(every, name_of("c.a.cn"), ZONE)
    assert not denies_name(every, name_of("b.a.cn"), ZONE)
    assert not denies_name(every, name_of("c.w.a.cn"), ZONE)  # the wildcard stands for it
    assert denies_name(every, name_of("c.w.a.cn"), ZONE, wildcard=True)
    assert not denies_name([CHAIN["b.a.cn"]], name_of("c.a.cn"), ZONE)  # no encloser shown
    assert not denies_name([], name_of("c.a.cn"), ZONE)


def test_no_such_type_by_nsec3() -> None:
    every = list(CHAIN.values())
    assert denies_type(every, name_of("b.a.cn"), AAAA)
    assert not denies_type(every, name_of("b.a.cn"), A)
    assert denies_type(every, name_of("d.a.cn"), DS, cut=True)
    assert not denies_type(every, name_of("b.a.cn"), DS, cut=True)
    assert denies_type(every, name_of("c.w.a.cn"), AAAA)  # of the wildcard
    assert not denies_type(every, name_of("c.w.a.cn"), A)
    assert not denies_type(every, name_of("c.a.cn"), AAAA)  # nothing there, and no wildcard


def test_a_delegation_that_nobody_signed_hides_in_an_opt_out_range_alone() -> None:
    names = {"a.cn": "NS SOA RRSIG", "b.a.cn": "A RRSIG"}
    assert denies_type(list(hashed(names, flags=1).values()), name_of("c.a.cn"), DS, cut=True)
    assert not denies_type(list(hashed(names).values()), name_of("c.a.cn"), DS, cut=True)


def test_too_many_iterations_prove_nothing() -> None:
    chain = hashed({"a.cn": "NS SOA", "b.a.cn": "A"}, iterations=151)
    assert not denies_type(list(chain.values()), name_of("b.a.cn"), AAAA)

"""Proofs that a name, or a type at a name, is not there: NSEC (RFC 4034 §4, RFC 4035 §5.4) and NSEC3 (RFC
5155 §8). The sets given here are validated already."""

from __future__ import annotations

from base64 import b32hexencode
from collections.abc import Callable, Iterator

import dns.dnssec
import dns.name
import dns.rdatatype
from dns.name import Name
from dns.rdatatype import RdataType
from dns.rrset import RRset

_MOST_ITERATIONS = 150  # above it no validator reckons (RFC 9276 §3.2)
_OPT_OUT = 1


def denies_type(proofs: list[RRset], name: Name, type_: RdataType, *, cut: bool = False) -> bool:
    """Whether it is proved that the name is there without the type, or (``cut``) is a delegation that nobody
    signed, be it by an opt-out range."""
    for one in _of(proofs, dns.rdatatype.NSEC):
        types = _types(one)
        if one.name == name:
            if type_ in types or dns.rdatatype.CNAME in types:
                return False
            return not cut or dns.rdatatype.NS in types
        # an empty non-terminal: the next name lies below the one that was asked
        if not cut and one[0].next.is_subdomain(name) and one.name < name:
            return True
    hashed = _Hashed(proofs)
    match = hashed.matching(name)
    if match is not None:
        types = _types(match)
        return (
            type_ not in types and dns.rdatatype.CNAME not in types and (not cut or dns.rdatatype.NS in types)
        )
    closest = hashed.closest(name)
    if closest is not None:
        encloser, cover = closest
        if cut or type_ == dns.rdatatype.DS:
            return bool(cover[0].flags & _OPT_OUT)
        star = hashed.matching(dns.name.Name((b"*", *encloser.labels)))
        return star is not None and type_ not in _types(star)
    return not cut and _wildcard_without(proofs, name, type_)


def _wildcard_without(proofs: list[RRset], name: Name, type_: RdataType) -> bool:
    """NSEC: the name is covered, and the wildcard that would answer for it lacks the type."""
    sets = list(_of(proofs, dns.rdatatype.NSEC))
    stars = [one for one in sets if one.name.is_wild() and name.is_subdomain(one.name.parent())]
    lacking = any(type_ not in _types(star) for star in stars)
    return lacking and any(_covers(one, name) for one in sets)


def denies_name(proofs: list[RRset], name: Name, zone: Name, *, wildcard: bool = False) -> bool:
    """Whether it is proved that there is no such name, nor (unless ``wildcard``: one made the answer) a
    wildcard that would stand for it."""
    sets = list(_of(proofs, dns.rdatatype.NSEC))
    for one in sets:
        if _covers(one, name):
            encloser = max(_shared(name, one.name), _shared(name, one[0].next), key=len)
            star = dns.name.Name((b"*", *encloser.labels))
            return wildcard or any(_covers(other, star) for other in sets)
    hashed = _Hashed(proofs)
    if wildcard:
        return any(hashed.covering(above) is not None for above in _upwards(name, zone))
    closest = hashed.closest(name)
    return closest is not None and hashed.covering(dns.name.Name((b"*", *closest[0].labels))) is not None


def _of(proofs: list[RRset], type_: RdataType) -> Iterator[RRset]:
    return (one for one in proofs if one.rdtype == type_)


def _types(one: RRset) -> set[int]:
    """Types that the bitmap of an NSEC or NSEC3 record names."""
    return {
        window * 256 + at * 8 + bit
        for window, bitmap in one[0].windows
        for at, octet in enumerate(bitmap)
        for bit in range(8)
        if octet & (0x80 >> bit)
    }


def _covers(one: RRset, name: Name) -> bool:
    """Whether a name lies in the gap of an NSEC record; the last one's next name is the zone's own."""
    after, next_ = one.name, one[0].next
    if after < next_:
        return bool(after < name < next_)
    return bool(name > after and name.is_subdomain(next_))


def _upwards(name: Name, zone: Name) -> Iterator[Name]:
    while name != zone and name.is_subdomain(zone):
        yield name
        name = name.parent()


def _shared(one: Name, other: Name) -> Name:
    """The lowest name above both."""
    return one.split(one.fullcompare(other)[2])[1]


class _Hashed:
    """The NSEC3 records of an answer."""

    def __init__(self, proofs: list[RRset]) -> None:
        self._sets = [
            one for one in _of(proofs, dns.rdatatype.NSEC3) if one[0].iterations <= _MOST_ITERATIONS
        ]

    def _find(self, name: Name, fits: Callable[[bytes, bytes, bytes], bool]) -> RRset | None:
        for one in self._sets:
            row = one[0]
            if not name.is_subdomain(one.name.parent()):
                continue
            wanted = dns.dnssec.nsec3_hash(name, row.salt, row.iterations, row.algorithm).encode()
            owner = one.name.labels[0].upper()
            if fits(wanted, owner, _text(row.next)):
                return one
        return None

    def matching(self, name: Name) -> RRset | None:
        """The record at the hash of a name."""
        return self._find(name, lambda wanted, owner, _: wanted == owner)

    def covering(self, name: Name) -> RRset | None:
        """The record in whose gap the hash of a name lies."""
        return self._find(
            name,
            lambda wanted, owner, next_: (
                owner < wanted < next_ if owner < next_ else wanted > owner or wanted < next_
            ),
        )

    def closest(self, name: Name) -> tuple[Name, RRset] | None:
        """The closest encloser, and the record that covers the name one label below it (RFC 5155 §8.3)."""
        while len(name) > 1:
            above = name.parent()
            if self.matching(above) is not None:
                cover = self.covering(name)
                return (above, cover) if cover is not None else None
            name = above
        return None


def _text(hash_: bytes) -> bytes:
    """A hash in base32 with the extended hex alphabet (RFC 4648 §7)."""
    return b32hexencode(hash_).rstrip(b"=")

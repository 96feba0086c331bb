"""DNSSEC, validated here (RFC 4035): from a trust anchor down the cuts to an answer.

Signatures and keys are dnspython's and ``cryptography``'s to check; what is here is the chain, and the proofs
that something is not there (RFC 4035 §5.4, RFC 5155 §8).
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Literal

import dns.dnssec
import dns.exception
import dns.name
import dns.rdatatype
import dns.rrset
import msgspec
from dns.message import Message
from dns.name import Name
from dns.rdatatype import RdataType
from dns.rrset import RRset

from collectors.dns.denial import denies_name, denies_type
from collectors.dns.messages import Problem, follow, rrset, signatures
from collectors.dns.walk import CNAME, Asking, UnseenError, Zone

DS, DNSKEY = dns.rdatatype.DS, dns.rdatatype.DNSKEY
State = Literal["secure", "insecure", "bogus", "unknown"]
# A hostile zone makes each key be tried on each signature (CVE-2023-50387); no honest one has so many.
_MOST_KEYS = 24
_MOST_SIGNATURES = 8
_UNSUPPORTED: Final = "用了本机验证库不支持的算法"
NO_ANCHOR: Final = "没有可用的信任锚"


class Trust(msgspec.Struct, kw_only=True, frozen=True):
    """How far a zone or an answer is trusted; ``reason`` (中文) for bogus and unknown."""

    state: State
    reason: str = ""
    problem: Problem | None = None  # where something could not be read
    unsupported: bool = False  # signed by what cannot be verified here
    keys: RRset | None = None  # of a secure zone


class Validator:
    """Validates zones, each once in a run. ``now``: seconds since the epoch."""

    def __init__(self, ask: Asking, anchors: dict[Name, RRset], now: float) -> None:
        self._ask, self._anchors, self._now = ask, anchors, now
        self._zones: dict[Name, asyncio.Future[Trust]] = {}

    async def zone(self, zone: Zone) -> Trust:
        """How far the zone is trusted."""
        if zone.name not in self._zones:
            self._zones[zone.name] = asyncio.ensure_future(self._zone(zone))
        return await asyncio.shield(self._zones[zone.name])

    async def _zone(self, zone: Zone) -> Trust:
        try:
            anchor = self._anchors.get(zone.name)
            if anchor is not None:
                return await self._keys(zone, anchor)
            if zone.parent is None:
                return Trust(state="unknown", reason=NO_ANCHOR)
            above = await self.zone(zone.parent)
            if above.state != "secure" or above.keys is None:
                return above
            told = await self._ask(zone.parent, zone.name, DS)
            delegated = rrset(told.answer, zone.name, DS)
            if delegated is None:
                proved = denies_type(self._proofs(told, above.keys), zone.name, DS, cut=True)
                name = zone.name.to_text(omit_final_dot=True)
                return (
                    Trust(state="insecure")
                    if proved
                    else Trust(state="bogus", reason=f"上级没有证明 {name} 没有签名")
                )
            if problem := self._verify(delegated, told.answer, above.keys):
                return Trust(state="bogus", reason=problem)
            return await self._keys(zone, delegated)
        except UnseenError as error:
            return Trust(state="unknown", problem=error.problem)

    async def _keys(self, zone: Zone, delegated: RRset) -> Trust:
        """The zone's keys, signed by one that the parent or an anchor names."""
        name = zone.name.to_text(omit_final_dot=True)
        told = await self._ask(zone, zone.name, DNSKEY)
        keys = rrset(told.answer, zone.name, DNSKEY)
        if keys is None:
            return Trust(state="bogus", reason=f"{name} 应当签名，却没有 DNSKEY")
        usable = [ds for ds in delegated if _supported(ds.algorithm) and ds.digest_type in (1, 2, 4)]
        if not usable:
            return Trust(state="unknown", reason=f"{name} {_UNSUPPORTED}", unsupported=True)
        if len(keys) > _MOST_KEYS or len(usable) > _MOST_KEYS:
            return Trust(state="bogus", reason=f"{name} 的密钥多得不合常理")
        entries = [key for key in keys if any(_names(ds, key, zone.name) for ds in usable)]
        if not entries:
            return Trust(state="bogus", reason=f"{name} 的密钥与上级的 DS 不符")
        entry = dns.rrset.from_rdata_list(zone.name, keys.ttl, entries)
        if problem := self._verify(keys, told.answer, entry):
            return Trust(state="bogus", reason=problem)
        return Trust(state="secure", keys=keys)

    async def answer(self, zone: Zone, message: Message, name: Name, type_: RdataType) -> Trust:
        """How far a zone's answer about one name and type is trusted: the set itself or the alias at the
        name, or the proof that there is none."""
        trust = await self.zone(zone)
        if trust.state != "secure" or trust.keys is None:
            return trust
        found = rrset(message.answer, name, type_) or rrset(message.answer, name, CNAME)
        if found is None:
            proofs = self._proofs(message, trust.keys)
            nonexistent = follow(message, name, type_).how == "nonexistent"
            proved = denies_name(proofs, name, zone.name) if nonexistent else denies_type(proofs, name, type_)
            if proved:
                return Trust(state="secure")
            what = "不存在" if nonexistent else f"没有 {dns.rdatatype.to_text(type_)}"
            return Trust(state="bogus", reason=f"没有证明 {name.to_text(omit_final_dot=True)} {what}")
        if problem := self._verify(found, message.answer, trust.keys):
            return Trust(state="bogus", reason=problem)
        signed: list[Any] = list(signatures(message.answer, name, found.rdtype) or [])
        if any(one.labels < len(name) - 1 and not name.is_wild() for one in signed):
            # made from a wildcard: the name itself must be shown not to be there (RFC 4035 §5.3.4)
            proofs = self._proofs(message, trust.keys)
            if not denies_name(proofs, name, zone.name, wildcard=True):
                return Trust(state="bogus", reason=f"没有证明 {name.to_text(omit_final_dot=True)} 出自通配符")
        return Trust(state="secure")

    def _proofs(self, message: Message, keys: RRset) -> list[RRset]:
        """NSEC and NSEC3 sets of the authority section whose signatures hold."""
        kinds = (dns.rdatatype.NSEC, dns.rdatatype.NSEC3)
        sets = [one for one in message.authority if one.rdtype in kinds][:_MOST_SIGNATURES]
        return [one for one in sets if not self._verify(one, message.authority, keys)]

    def _verify(self, found: RRset, section: list[RRset], keys: RRset) -> str:
        """Why the signatures over a set do not hold; "" where one does."""
        what = f"{found.name.to_text(omit_final_dot=True)} 的 {dns.rdatatype.to_text(found.rdtype)}"
        signed = signatures(section, found.name, found.rdtype)
        if signed is None:
            return f"{what} 没有签名"
        reason = f"{what} 的签名不对"
        for one in list(signed)[:_MOST_SIGNATURES]:
            if one.signer != keys.name:
                continue
            if one.expiration < self._now:
                reason = f"{what} 的签名已过期"
                continue
            if one.inception > self._now:
                reason = f"{what} 的签名尚未生效"
                continue
            alone = dns.rrset.from_rdata(found.name, signed.ttl, one)
            alone.covers = signed.covers
            try:
                dns.dnssec.validate(found, alone, {keys.name: keys}, now=self._now)
            except (dns.exception.DNSException, ValueError):
                continue
            return ""
        return reason


def _supported(algorithm: int) -> bool:
    return algorithm in (5, 7, 8, 10, 13, 14, 15, 16)


def _names(ds: object, key: object, zone: Name) -> bool:
    """Whether a DS record is of a key."""
    try:
        made = dns.dnssec.make_ds(zone, key, ds.digest_type, validating=True)  # type: ignore[arg-type,attr-defined]
    except (dns.exception.DNSException, ValueError):
        return False
    return bool(made == ds)


def anchors_of(texts: list[str]) -> dict[Name, RRset]:
    """Trust anchors by zone; each text: zone, key tag, algorithm, digest type, digest."""
    found: dict[Name, list[str]] = {}
    for text in texts:
        zone, *words = text.split()
        found.setdefault(dns.name.from_text(zone), []).append(" ".join(words))
    return {zone: dns.rrset.from_text_list(zone, 0, "IN", "DS", rows) for zone, rows in found.items()}

"""CycloneDX 1.6 (ECMA-424) cryptographic bill of materials of a snapshot.

Protocols, suites, groups, certificates, keys and ciphers that some source showed, each with where it was seen
and, as ``zhengguan:`` properties, how it is graded (``policies.grades``). It says what is used, not whether
that is enough: a grade is no conclusion of a 密评.

CycloneDX says of a BOM how whole it is in ``compositions``, and here nothing is called complete that was not
seen to be: an endpoint that was not asked to its end is "incomplete", and so is the whole estate where some
source could not be read. What was not read stands in the metadata's properties.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from exporters.cbom_tunnels import ike_endpoint, key_group, ssh_cipher, ssh_endpoint, uri
from exporters.plain import json_bytes, line
from inventory.coverage import Collection, Status
from inventory.kinds.compute import KeyPair
from inventory.kinds.crypto import Certificate, Endpoint, IkeEndpoint, SshEndpoint, VersionOffer
from inventory.kinds.host import Host
from inventory.kinds.identity import Secret
from inventory.kinds.network import Device
from inventory.kinds.storage import VolumeType
from inventory.resource import Resource
from inventory.snapshot import Snapshot
from inventory.unknown import Maybe, Unknown, known, or_none
from policies.grades import Grade, of_key, of_protocol, of_signature, of_ssh, of_suite

VERSION: Final = "1.6"
KINDS: Final = (Certificate, Endpoint, SshEndpoint, IkeEndpoint, Host, Device, Secret, KeyPair, VolumeType)
"""The kinds that tell of cryptography."""

_ESTATE: Final = "estate"
_NAMESPACE: Final = uuid.UUID("6f0f4c8e-6f2b-5b39-9d0e-3c1f8a5b7d21")
_MATERIAL: Final = {"symmetric": "secret-key", "private": "private-key", "public": "public-key"}
"""Key material by Barbican's type of a secret; passphrases and opaque values are no keys that can be told."""

Json = dict[str, Any]


def cbom(snapshot: Snapshot, *, program: str, members: Sequence[Resource] | None = None) -> bytes:
    """The bill of a snapshot, or of ``members`` of it; ``program`` is "name version". The same snapshot gives
    the same bytes."""
    rows = [r for kind in KINDS for r in snapshot.of(kind)]
    if members is not None:
        chosen = {r.uid for r in members}
        rows = [r for r in rows if r.uid in chosen]
    bill = Bill()
    for row in rows:
        _TAKERS[row.KIND](bill, row)
    kinds = {kind.KIND for kind in KINDS}
    # of all sources: what one that could not be read holds may belong to any system
    attempts = [c for c in snapshot.collections if c.kind in kinds]
    return json_bytes(bill.document(snapshot, program, attempts)) + b"\n"


class Bill:
    """Components and services by reference; what is named twice is one component seen in two places."""

    def __init__(self) -> None:
        self.components: dict[str, Json] = {}
        self.services: dict[str, Json] = {}
        self.needs: dict[str, list[str]] = {}
        self.whole: dict[str, bool] = {}
        self.refs: dict[str, str] = {}  # uid of a certificate → its component
        self.loose: list[str] = []  # keys and certificates that are kept and that nothing seen uses

    def asset(self, ref: str, name: str, crypto: Json, *, at: str = "", grade: Grade | None = None) -> str:
        """Add a cryptographic asset, or a place ``at`` which it was seen too; its reference."""
        ref = _ref(ref)
        held = self.components.get(ref)
        if held is None:
            held = self.components[ref] = {
                "type": "cryptographic-asset",
                "bom-ref": ref,
                "name": line(name),
                "cryptoProperties": crypto,
            }
            if grade is not None:
                held["properties"] = _properties(
                    {"grade": grade.name, "grade.title": grade.title, "grade.verified": grade.verified}
                )
        if at:
            places = held.setdefault("evidence", {"occurrences": []})["occurrences"]
            if {"location": line(at)} not in places[-1:]:
                places.append({"location": line(at)})
        return ref

    def algorithm(self, name: str, primitive: str, *, grade: Grade | None = None, **more: Any) -> str:
        """Add an algorithm; its reference. ``more`` are algorithmProperties; None is left out."""
        properties = {"primitive": primitive} | {k: v for k, v in more.items() if v is not None}
        crypto = {"assetType": "algorithm", "algorithmProperties": properties}
        return self.asset(f"algorithm/{primitive}/{name}", name, crypto, grade=grade)

    def user(
        self, resource: Resource, uses: Iterable[str], *, whole: bool, uri: str = "", **more: Any
    ) -> None:
        """Add what uses assets, and whether all that it uses was seen."""
        name, ref = or_none(resource.name) or resource.native_id, _ref(resource.uid)
        self.services[ref] = {
            "bom-ref": ref,
            "name": line(name),
            **({"endpoints": [uri]} if uri else {}),
            "properties": _properties({"kind": resource.KIND, "source": resource.source, **more}),
        }
        self.needs[ref] = sorted(set(uses))
        self.whole[ref] = whole

    def document(self, snapshot: Snapshot, program: str, attempts: Sequence[Collection]) -> Json:
        """The whole, sorted by reference."""
        name, _, version = program.partition(" ")
        gaps = [a for a in attempts if a.status not in (Status.COMPLETE, Status.UNSUPPORTED)]
        taken = _moment(snapshot.info.taken_at)
        identity = f"{snapshot.info.id} {taken} {sorted(self.services)}"
        self.needs[_ESTATE] = sorted({*self.services, *self.loose})
        return {
            "bomFormat": "CycloneDX",
            "specVersion": VERSION,
            "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, identity)}",
            "version": 1,
            "metadata": {
                "timestamp": taken,
                "lifecycles": [{"phase": "discovery"}],
                "tools": {"components": [{"type": "application", "name": name, "version": version}]},
                "component": {"type": "platform", "bom-ref": _ESTATE, "name": "政观资产清单"},
                "properties": _properties({"snapshot": str(snapshot.info.id)})
                + [{"name": "zhengguan:unread", "value": line(_gap(gap))} for gap in gaps],
            },
            "components": [self.components[ref] for ref in sorted(self.components)],
            "services": [self.services[ref] for ref in sorted(self.services)],
            "dependencies": [{"ref": ref, "dependsOn": self.needs[ref]} for ref in sorted(self.needs)],
            "compositions": self._compositions(attempts, whole=not gaps),
        }

    def _compositions(self, attempts: Sequence[Collection], *, whole: bool) -> list[Json]:
        estate = (
            "unknown" if not attempts else "complete" if whole and all(self.whole.values()) else "incomplete"
        )
        found = [{"aggregate": estate, "assemblies": [_ESTATE]}]
        for aggregate, is_whole in (("complete", True), ("incomplete", False)):
            refs = sorted(ref for ref, seen in self.whole.items() if seen is is_whole)
            if refs:
                found.append({"aggregate": aggregate, "dependencies": refs})
        return found


def _certificate(bill: Bill, certificate: Certificate) -> None:
    """One component for a certificate however often it is shown: it is the same everywhere."""
    ref = f"certificate/{or_none(certificate.fingerprint) or certificate.uid}"
    told: Json = {"certificateFormat": "X.509"}
    for name, value in (("subjectName", certificate.subject), ("issuerName", certificate.issuer)):
        if known(value):
            told[name] = line(value)
    for name, moment in (
        ("notValidBefore", certificate.not_before),
        ("notValidAfter", certificate.not_after),
    ):
        if known(moment):
            told[name] = _moment(moment)
    if known(certificate.signature_algorithm):
        grade = of_signature(certificate.signature_algorithm, or_none(certificate.signature_hash))
        told["signatureAlgorithmRef"] = bill.algorithm(
            line(certificate.signature_algorithm), "signature", grade=grade
        )
    if key := _public_key(bill, ref, certificate):
        told["subjectPublicKeyRef"] = key
    crypto = {"assetType": "certificate", "certificateProperties": told}
    name = or_none(certificate.subject) or certificate.native_id
    bill.refs[certificate.uid] = bill.asset(ref, name, crypto, at=certificate.uid)
    if or_none(certificate.location):
        bill.loose.append(bill.refs[certificate.uid])


def _public_key(bill: Bill, ref: str, certificate: Certificate) -> str:
    if not known(certificate.key_type):
        return ""
    bits = or_none(certificate.key_bits)
    grade = of_key(certificate.key_type, bits) if bits else None
    name = f"{certificate.key_type}-{bits}" if bits else certificate.key_type
    algorithm = bill.algorithm(
        line(name),
        "pke" if certificate.key_type == "RSA" else "signature",
        grade=grade,
        parameterSetIdentifier=str(bits) if bits else None,
        curve=or_none(certificate.curve),
    )
    material = {"type": "public-key", "algorithmRef": algorithm, **({"size": bits} if bits else {})}
    crypto = {"assetType": "related-crypto-material", "relatedCryptoMaterialProperties": material}
    return bill.asset(f"{ref}/key", f"{name} 公钥", crypto, at=certificate.uid)


def _endpoint(bill: Bill, endpoint: Endpoint) -> None:
    uses: list[str] = []
    whole = all(known(part) for part in (endpoint.versions, endpoint.certificates, endpoint.groups))
    groups = [key_group(bill, group) for group in or_none(endpoint.groups) or []]
    for offer in or_none(endpoint.versions) or []:
        whole = whole and known(offer.offered) and (not offer.offered or known(offer.all_suites))
        if or_none(offer.offered) and known(offer.version):
            uses.append(_protocol(bill, endpoint, offer, groups))
    uses += [bill.refs[uid] for uid in endpoint.related("terminates_tls") if uid in bill.refs]
    bill.user(endpoint, uses, whole=whole, uri=uri("tls", endpoint), tls=_word(endpoint.tls))


def _protocol(bill: Bill, endpoint: Endpoint, offer: VersionOffer, groups: Sequence[str]) -> str:
    """A version of TLS as one endpoint speaks it: its suites are its own."""
    version = str(offer.version)
    word, _, number = version.partition(" ")
    told: Json = {"type": "tls" if word in ("SSL", "TLS") else "other", "version": number}
    suites = or_none(offer.suites) or []
    if suites:
        told["cipherSuites"] = [
            {"name": line(name), "algorithms": [bill.algorithm(line(name), "other", grade=of_suite(name))]}
            for name in suites
        ]
    if groups:
        told["cryptoRefArray"] = list(groups)
    crypto = {"assetType": "protocol", "protocolProperties": told}
    return bill.asset(
        f"{endpoint.uid}#{version}", version, crypto, at=endpoint.uid, grade=of_protocol(version)
    )


def _host(bill: Bill, host: Host) -> None:
    """Its SSH server, as configured."""
    ssh = host.ssh
    if isinstance(ssh, Unknown):
        bill.user(host, [], whole=False)
        return
    if or_none(ssh.installed) is False:
        return
    lists: tuple[tuple[str, Maybe[list[str]]], ...] = (
        ("cipher", ssh.ciphers),
        ("mac", ssh.macs),
        ("key-agree", ssh.key_exchanges),
    )
    refs = [
        bill.algorithm(line(name), ssh_cipher(name) if sort == "cipher" else sort, grade=of_ssh(name))
        for sort, names in lists
        for name in or_none(names) or []
    ]
    crypto = {
        "assetType": "protocol",
        "protocolProperties": {"type": "ssh", "version": "2.0", "cryptoRefArray": refs},
    }
    used = bill.asset(f"{host.uid}#SSH", "SSH", crypto, at=host.uid)
    bill.user(host, [used], whole=all(known(names) for _, names in lists))


def _device(bill: Bill, device: Device) -> None:
    """How it answers SNMP version 3."""
    if or_none(device.snmp_version) != "v3":
        return
    named = (("mac", device.snmp_authentication), ("block-cipher", device.snmp_privacy))
    refs = [bill.algorithm(line(name), sort) for sort, name in named if isinstance(name, str)]
    crypto = {
        "assetType": "protocol",
        "protocolProperties": {"type": "other", "version": "3", "cryptoRefArray": refs},
    }
    used = bill.asset(f"{device.uid}#SNMPv3", "SNMPv3 USM", crypto, at=device.uid)
    bill.user(device, [used], whole=all(known(name) for _, name in named))


def _secret(bill: Bill, secret: Secret) -> None:
    material = _MATERIAL.get(or_none(secret.secret_type) or "")
    if material is None:
        return
    told: Json = {"type": material, "id": line(secret.native_id)}
    algorithm, bits = or_none(secret.algorithm), or_none(secret.bit_length)
    if algorithm:
        name = "-".join(str(part) for part in (algorithm, bits, or_none(secret.mode)) if part)
        primitive = "block-cipher" if material == "secret-key" else "pke"
        told["algorithmRef"] = bill.algorithm(line(name), primitive)
    if bits:
        told["size"] = bits
    if known(secret.created_at):
        told["creationDate"] = _moment(secret.created_at)
    if expires := or_none(secret.expires_at):
        told["expirationDate"] = _moment(expires)
    crypto = {"assetType": "related-crypto-material", "relatedCryptoMaterialProperties": told}
    bill.loose.append(bill.asset(secret.uid, or_none(secret.name) or secret.native_id, crypto, at=secret.uid))


def _key_pair(bill: Bill, pair: KeyPair) -> None:
    told: Json = {"type": "public-key", "id": line(or_none(pair.fingerprint) or pair.native_id)}
    algorithm, bits = or_none(pair.algorithm), or_none(pair.bits)
    if algorithm:
        told["algorithmRef"] = bill.algorithm(line(f"{algorithm}-{bits}" if bits else algorithm), "signature")
    if bits:
        told["size"] = bits
    crypto = {"assetType": "related-crypto-material", "relatedCryptoMaterialProperties": told}
    bill.loose.append(bill.asset(pair.uid, or_none(pair.name) or pair.native_id, crypto, at=pair.uid))


def _volume_type(bill: Bill, type_: VolumeType) -> None:
    if or_none(type_.encrypted) is False:
        return
    cipher, bits = or_none(type_.cipher), or_none(type_.key_bits)
    uses = []
    if cipher:
        name = line(f"{cipher}-{bits}" if bits else cipher)
        uses = [bill.algorithm(name, "block-cipher", parameterSetIdentifier=str(bits) if bits else None)]
    bill.user(type_, uses, whole=known(type_.encrypted) and known(type_.cipher))


_TAKERS: Final[Mapping[str, Any]] = {
    "certificate": _certificate,
    "endpoint": _endpoint,
    "ssh_endpoint": ssh_endpoint,
    "ike_endpoint": ike_endpoint,
    "host": _host,
    "device": _device,
    "secret": _secret,
    "key_pair": _key_pair,
    "volume_type": _volume_type,
}


def _ref(text: str) -> str:
    """A reference that is one printable line, and still another one for another text."""
    shown = line(text)
    return (
        shown if shown == text else f"{shown}~{sha256(text.encode(errors='surrogatepass')).hexdigest()[:8]}"
    )


def _properties(values: Mapping[str, str]) -> list[Json]:
    return [{"name": f"zhengguan:{name}", "value": line(value)} for name, value in values.items() if value]


def _word(value: Maybe[bool]) -> str:
    return "unknown" if isinstance(value, Unknown) else str(value).lower()


def _gap(collection: Collection) -> str:
    scope = f" {collection.scope}" if collection.scope else ""
    return f"{collection.source}{scope} {collection.kind}：{collection.status.label}。{collection.reason}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

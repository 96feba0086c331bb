"""Certificates: from DER to the fields of the kind. ``asn1crypto`` reads those of SM2 as well, whose curve
other libraries refuse. What does not parse is unknown, never absent.

RFC 5280; OIDs of SM2 and SM3 from GM/T 0006 and GB/T 33560.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

from inventory.kinds.crypto import Certificate, Hash
from inventory.unknown import UNKNOWN, Maybe, Unknown

T = TypeVar("T")

SM2_CURVE: Final = "1.2.156.10197.1.301"
_LONGEST_TEXT = 512
_MOST_NAMES = 200

_KEY_TYPES: Final = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.10": "RSA",
    "1.2.840.10040.4.1": "DSA",
    "1.2.840.10045.2.1": "EC",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}
_FIXED_BITS: Final = {"Ed25519": 256, "Ed448": 456}
_CURVE_BITS: Final = {
    "secp256r1": 256, "secp384r1": 384, "secp521r1": 521, "secp224r1": 224, "secp192r1": 192,
    "secp256k1": 256, "brainpoolp256r1": 256, "brainpoolp384r1": 384, "brainpoolp512r1": 512,
    "secp160r1": 160, "secp160k1": 160, "secp160r2": 160, "secp192k1": 192, "secp224k1": 224,
}  # fmt: skip
SIGNATURES: Final[dict[str, tuple[str, Hash | None]]] = {
    "1.2.840.113549.1.1.2": ("md2WithRSAEncryption", "MD2"),
    "1.2.840.113549.1.1.4": ("md5WithRSAEncryption", "MD5"),
    "1.2.840.113549.1.1.5": ("sha1WithRSAEncryption", "SHA-1"),
    "1.3.14.3.2.29": ("sha1WithRSAEncryption", "SHA-1"),
    "1.2.840.113549.1.1.14": ("sha224WithRSAEncryption", "SHA-224"),
    "1.2.840.113549.1.1.11": ("sha256WithRSAEncryption", "SHA-256"),
    "1.2.840.113549.1.1.12": ("sha384WithRSAEncryption", "SHA-384"),
    "1.2.840.113549.1.1.13": ("sha512WithRSAEncryption", "SHA-512"),
    "1.2.840.10040.4.3": ("dsa-with-sha1", "SHA-1"),
    "2.16.840.1.101.3.4.3.1": ("dsa-with-sha224", "SHA-224"),
    "2.16.840.1.101.3.4.3.2": ("dsa-with-sha256", "SHA-256"),
    "1.2.840.10045.4.1": ("ecdsa-with-SHA1", "SHA-1"),
    "1.2.840.10045.4.3.1": ("ecdsa-with-SHA224", "SHA-224"),
    "1.2.840.10045.4.3.2": ("ecdsa-with-SHA256", "SHA-256"),
    "1.2.840.10045.4.3.3": ("ecdsa-with-SHA384", "SHA-384"),
    "1.2.840.10045.4.3.4": ("ecdsa-with-SHA512", "SHA-512"),
    "1.3.101.112": ("Ed25519", None),
    "1.3.101.113": ("Ed448", None),
    "1.2.156.10197.1.501": ("SM2-SM3", "SM3"),
    "1.2.156.10197.1.504": ("RSA-SM3", "SM3"),
}
_PSS = "1.2.840.113549.1.1.10"
_HASHES: Final[dict[str, Hash]] = {
    "md5": "MD5",
    "sha1": "SHA-1",
    "sha224": "SHA-224",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
}
_USAGES: Final = {
    "digital_signature": "digitalSignature",
    "non_repudiation": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
    "encipher_only": "encipherOnly",
    "decipher_only": "decipherOnly",
}


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate, hexadecimal."""
    return hashlib.sha256(der).hexdigest()


@lru_cache(maxsize=4096)
def fields_of(der: bytes) -> dict[str, Any]:
    """Fields of the kind ``certificate`` that its bytes tell, as the constructor takes them."""
    from asn1crypto import x509

    found: dict[str, Any] = {"fingerprint": fingerprint(der)}
    cert = _try(lambda: x509.Certificate.load(der, strict=True))
    if isinstance(cert, Unknown):
        return found
    key, signature = _try(lambda: _key(cert)), _try(lambda: _signature(cert))
    key_type, bits, curve = (UNKNOWN,) * 3 if isinstance(key, Unknown) else key
    algorithm, digest = (UNKNOWN,) * 2 if isinstance(signature, Unknown) else signature
    found |= {
        "subject": _try(lambda: _name(cert.subject)),
        "issuer": _try(lambda: _name(cert.issuer)),
        "serial": _try(lambda: f"{cert.serial_number:x}"),
        "names": _try(lambda: _names(cert)),
        "not_before": _try(lambda: _utc(cert["tbs_certificate"]["validity"]["not_before"].native)),
        "not_after": _try(lambda: _utc(cert["tbs_certificate"]["validity"]["not_after"].native)),
        "key_type": key_type,
        "key_bits": bits,
        "curve": curve,
        "signature_algorithm": algorithm,
        "signature_hash": digest,
        "key_usage": _try(lambda: _usages(cert.key_usage_value)),
        "extended_key_usage": _try(lambda: _purposes(cert.extended_key_usage_value)),
        "authority": _try(lambda: bool(cert.ca)),
        "self_signed": _try(lambda: cert.self_signed != "no"),
        "crl_urls": _try(lambda: _points(cert.crl_distribution_points_value)),
        "ocsp_urls": _try(lambda: [_text(url) for url in cert.ocsp_urls]),
    }
    return {name: value for name, value in found.items() if not isinstance(value, Unknown)}


def certificate(
    der: bytes, *, source: str, scope: str, native_id: str, position: int | None, location: str | None = None
) -> Certificate:
    """A certificate as a resource."""
    fields = fields_of(der)
    names = fields.get("names") or []
    name = names[0] if names else fields.get("subject") or fields["fingerprint"][:16]
    return Certificate(
        source=source,
        native_id=native_id,
        scope=scope,
        name=name,
        location=location,
        position=position,
        **fields,
    )


def kept(ders: Sequence[bytes], *, source: str, scope: str, place: str, location: str) -> list[Certificate]:
    """Certificates that are kept somewhere (a file, an object of a cluster) in their order, each once. An
    authority's own one, which names no service, is there to verify others by: it has no position."""
    return [
        certificate(
            der,
            source=source,
            scope=scope,
            native_id=f"{place}/{fingerprint(der)[:16]}",
            position=None if _verifies_others(fields_of(der)) else position,
            location=location,
        )
        for position, der in enumerate(dict.fromkeys(ders))
    ]


def _verifies_others(fields: dict[str, Any]) -> bool:
    return bool(fields.get("self_signed") and fields.get("authority")) and fields.get("names") == []


def _try(read: Callable[[], T]) -> Maybe[T]:
    """A value, or UNKNOWN where the bytes are not what they should be: they come from whoever listens."""
    try:
        return read()
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
        return UNKNOWN


def _text(value: Any) -> str:
    return str(value)[:_LONGEST_TEXT]


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _name(name: Any) -> str:
    """A distinguished name, most specific part last, as it stands in the certificate."""
    parts = []
    for relative in name.chosen:
        for pair in relative:
            label = _LABELS.get(pair["type"].dotted, pair["type"].dotted)
            parts.append(f"{label}={pair['value'].native}")
    return _text(", ".join(parts))


_LABELS: Final = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "1.2.840.113549.1.9.1": "emailAddress",
    "0.9.2342.19200300.100.1.25": "DC",
}


def _names(cert: Any) -> list[str]:
    value = cert.subject_alt_name_value
    found = [] if value is None else [n for n in value if n.name in ("dns_name", "ip_address")]
    return [_text(n.native) for n in found][:_MOST_NAMES]


def _key(cert: Any) -> tuple[Maybe[str], Maybe[int], Maybe[str | None]]:
    info = cert["tbs_certificate"]["subject_public_key_info"]
    oid = info["algorithm"]["algorithm"].dotted
    kind: str = _KEY_TYPES.get(oid, oid)
    if kind == "EC":
        curve = _try(lambda: _curve(info["algorithm"]["parameters"]))
        if isinstance(curve, Unknown):
            return kind, UNKNOWN, UNKNOWN
        if curve == SM2_CURVE:
            return "SM2", 256, "sm2p256v1"
        return kind, _CURVE_BITS.get(curve, UNKNOWN), curve
    if kind == "RSA":
        return kind, _try(lambda: int(info["public_key"].parsed["modulus"].native).bit_length()), None
    if kind == "DSA":
        return kind, _try(lambda: int(info["algorithm"]["parameters"]["p"].native).bit_length()), None
    return kind, _FIXED_BITS.get(kind, UNKNOWN), None


def _curve(parameters: Any) -> str:
    if parameters.name != "named":
        raise ValueError("explicit parameters name no curve")
    chosen = parameters.chosen
    return chosen.dotted if chosen.native == chosen.dotted else str(chosen.native)


def _signature(cert: Any) -> tuple[Maybe[str], Maybe[Hash | None]]:
    algorithm = cert["signature_algorithm"]
    oid = algorithm["algorithm"].dotted
    if oid == _PSS:
        return "RSASSA-PSS", _try(
            lambda: _HASHES[algorithm["parameters"]["hash_algorithm"]["algorithm"].native]
        )
    name, digest = SIGNATURES.get(oid, (oid, UNKNOWN))
    return name, digest


def _usages(value: Any) -> list[str] | None:
    if value is None:
        return None
    return [text for name, text in _USAGES.items() if name in value.native]


def _purposes(value: Any) -> list[str] | None:
    return None if value is None else [_text(p) for p in value.native]


def _points(value: Any) -> list[str]:
    found = []
    for point in value or []:
        name = point["distribution_point"]
        if name.native is None or name.name != "full_name":
            continue
        found += [_text(n.native) for n in name.chosen if n.name == "uniform_resource_identifier"]
    return found

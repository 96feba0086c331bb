"""The code points of TLS and TLCP: versions, suites, groups, signature schemes.

IANA's registry Transport Layer Security Parameters (CC0), RFC 8446, RFC 8998 and GB/T 38636-2020.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Literal

from inventory.kinds.crypto import KeyGroup, TlsVersion

WIRE: Final[dict[TlsVersion, int]] = {
    "TLS 1.3": 0x0304,
    "TLS 1.2": 0x0303,
    "TLS 1.1": 0x0302,
    "TLS 1.0": 0x0301,
    "SSL 3.0": 0x0300,
    "TLCP 1.1": 0x0101,
}
"""In the order in which they are asked for."""
VERSIONS: Final[dict[int, TlsVersion]] = {code: version for version, code in WIRE.items()}

SM_SUITES: Final = (0x00C6, 0x00C7)
SM_GROUP: Final = 41
SM_SCHEME: Final = 0x0708

_GROUPS: Final[tuple[tuple[int, str, Literal["dh", "ec", "pq"], int], ...]] = (
    (29, "x25519", "ec", 256),
    (23, "secp256r1", "ec", 256),
    (24, "secp384r1", "ec", 384),
    (25, "secp521r1", "ec", 521),
    (30, "x448", "ec", 448),
    (0x11EC, "X25519MLKEM768", "pq", 256),
    (0x11EB, "SecP256r1MLKEM768", "pq", 256),
    (0x11ED, "SecP384r1MLKEM1024", "pq", 384),
    (0x6399, "X25519Kyber768Draft00", "pq", 256),
    (256, "ffdhe2048", "dh", 2048),
    (257, "ffdhe3072", "dh", 3072),
    (258, "ffdhe4096", "dh", 4096),
    (259, "ffdhe6144", "dh", 6144),
    (260, "ffdhe8192", "dh", 8192),
    (31, "brainpoolP256r1tls13", "ec", 256),
    (32, "brainpoolP384r1tls13", "ec", 384),
    (33, "brainpoolP512r1tls13", "ec", 512),
    (26, "brainpoolP256r1", "ec", 256),
    (27, "brainpoolP384r1", "ec", 384),
    (28, "brainpoolP512r1", "ec", 512),
    (41, "curveSM2", "ec", 256),
    (22, "secp256k1", "ec", 256),
    (21, "secp224r1", "ec", 224),
    (20, "secp224k1", "ec", 224),
    (19, "secp192r1", "ec", 192),
    (18, "secp192k1", "ec", 192),
    (17, "secp160r2", "ec", 160),
    (16, "secp160r1", "ec", 160),
    (15, "secp160k1", "ec", 160),
    (14, "sect571r1", "ec", 571),
    (13, "sect571k1", "ec", 571),
    (12, "sect409r1", "ec", 409),
    (11, "sect409k1", "ec", 409),
    (10, "sect283r1", "ec", 283),
    (9, "sect283k1", "ec", 283),
    (8, "sect239k1", "ec", 239),
    (7, "sect233r1", "ec", 233),
    (6, "sect233k1", "ec", 233),
    (5, "sect193r2", "ec", 193),
    (4, "sect193r1", "ec", 193),
    (3, "sect163r2", "ec", 163),
    (2, "sect163r1", "ec", 163),
    (1, "sect163k1", "ec", 163),
)
GROUPS: Final[dict[int, KeyGroup]] = {
    code: KeyGroup(name=name, family=family, bits=bits) for code, name, family, bits in _GROUPS
}
GROUPS_13: Final = (29, 23, 24, 25, 30, 0x11EC, 0x11EB, 0x11ED, 256, 257, 258, 259, 260, 31, 32, 33)
"""Those that TLS 1.3 may use, curveSM2 aside; up to TLS 1.2 all others are offered."""
GROUPS_12: Final = tuple(code for code in GROUPS if code not in (0x11EC, 0x11EB, 0x11ED, 0x6399, 31, 32, 33))

SCHEMES: Final[dict[int, str]] = {
    0x0403: "ecdsa_secp256r1_sha256",
    0x0503: "ecdsa_secp384r1_sha384",
    0x0603: "ecdsa_secp521r1_sha512",
    0x0804: "rsa_pss_rsae_sha256",
    0x0805: "rsa_pss_rsae_sha384",
    0x0806: "rsa_pss_rsae_sha512",
    0x0807: "ed25519",
    0x0808: "ed448",
    0x0809: "rsa_pss_pss_sha256",
    0x080A: "rsa_pss_pss_sha384",
    0x080B: "rsa_pss_pss_sha512",
    0x0401: "rsa_pkcs1_sha256",
    0x0501: "rsa_pkcs1_sha384",
    0x0601: "rsa_pkcs1_sha512",
    0x0303: "ecdsa_sha224",
    0x0301: "rsa_pkcs1_sha224",
    0x0402: "dsa_sha256",
    0x0502: "dsa_sha384",
    0x0602: "dsa_sha512",
    0x0302: "dsa_sha224",
    0x0203: "ecdsa_sha1",
    0x0201: "rsa_pkcs1_sha1",
    0x0202: "dsa_sha1",
    0x0101: "rsa_pkcs1_md5",
    0x0708: "sm2sig_sm3",
}

_RARE: Final = (
    "PSK_", "_SRP_", "_KRB5_", "ARIA", "ECCPWD", "GOST", "_DH_RSA", "_DH_DSS", "_ECDH_RSA", "_ECDH_ECDSA",
)  # fmt: skip


@cache
def suite_names() -> dict[int, str]:
    """Code → name of every suite that is known here."""
    text = (Path(__file__).parent / "suites.txt").read_text(encoding="ascii")
    pairs = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {int(code, 16): name for code, name in pairs}


@cache
def suites_of(version: TlsVersion) -> tuple[tuple[int, ...], ...]:
    """Suites to offer for a version, in batches: a hello of all of them at once is more than some servers
    read. The first batch holds what is found in practice."""
    names = suite_names()
    if version == "TLCP 1.1":
        return (tuple(code for code in names if code >= 0xE001),)
    if version == "TLS 1.3":
        return (tuple(code for code in names if 0x1301 <= code <= 0x1305),)
    old = [code for code, name in names.items() if code < 0xE000 and "_WITH_" in name]
    if version != "TLS 1.2":  # AEAD and SHA-2 suites came with TLS 1.2 (RFC 5246)
        old = [c for c in old if not names[c].endswith(("_SHA256", "_SHA384", "CCM", "CCM_8", "_SM3"))]
    rare = [code for code in old if any(mark in names[code] for mark in _RARE)]
    common = [code for code in old if code not in set(rare)]
    return (tuple(sorted(common, key=_modern_first)), tuple(rare))


def _modern_first(code: int) -> tuple[bool, bool, int]:
    """Where a server takes the client's order, the order of a client of today."""
    name = suite_names()[code]
    return "_GCM_" not in name and "POLY1305" not in name, "ECDHE" not in name, code


def suite_name(code: int) -> str:
    """Name of a suite, or its code where it is not known."""
    return suite_names().get(code) or f"0x{code:04X}"


def scheme_name(code: int) -> str:
    """Name of a signature scheme, or its code where it is not known."""
    return SCHEMES.get(code) or f"0x{code:04X}"


def group_of(code: int) -> KeyGroup:
    """A named group; one that is not known has its code for a name and nothing else."""
    return GROUPS.get(code) or KeyGroup(name=f"0x{code:04X}")

"""Code points of IKE, and the names they go by in the inventory.

IANA's registries "ipsec-registry" (IKEv1) and "ikev2-parameters". GM/T 0022: SM1-CBC 128, SM4-CBC 129 (127 in
its older edition), SM3 20 and the asymmetric algorithm SM2 = 2 as decoders have them; the attribute that
carries it (20) and the digital envelope as a method (10) from memory, tried on no product.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

GroupFamily = Literal["dh", "ec"]


class Cipher(NamedTuple):
    """An encryption algorithm with one length of key (0 = fixed); ``aead``: it needs no integrity."""

    code: int
    bits: int
    name: str
    aead: bool = False


class Group(NamedTuple):
    """A group of the key exchange; ``public_bytes``: length of a public value."""

    name: str
    family: GroupFamily
    bits: int
    public_bytes: int


GROUPS: Final = {
    1: Group("modp768", "dh", 768, 96),
    2: Group("modp1024", "dh", 1024, 128),
    5: Group("modp1536", "dh", 1536, 192),
    14: Group("modp2048", "dh", 2048, 256),
    15: Group("modp3072", "dh", 3072, 384),
    16: Group("modp4096", "dh", 4096, 512),
    17: Group("modp6144", "dh", 6144, 768),
    18: Group("modp8192", "dh", 8192, 1024),
    19: Group("ecp256", "ec", 256, 64),
    20: Group("ecp384", "ec", 384, 96),
    21: Group("ecp521", "ec", 521, 132),
    22: Group("modp1024s160", "dh", 1024, 128),
    23: Group("modp2048s224", "dh", 2048, 256),
    24: Group("modp2048s256", "dh", 2048, 256),
    25: Group("ecp192", "ec", 192, 48),
    26: Group("ecp224", "ec", 224, 56),
    27: Group("brainpoolP224r1", "ec", 224, 56),
    28: Group("brainpoolP256r1", "ec", 256, 64),
    29: Group("brainpoolP384r1", "ec", 384, 96),
    30: Group("brainpoolP512r1", "ec", 512, 128),
    31: Group("curve25519", "ec", 256, 32),
    32: Group("curve448", "ec", 448, 56),
}

V2_CIPHERS: Final = (
    Cipher(12, 256, "AES-CBC-256"),
    Cipher(12, 192, "AES-CBC-192"),
    Cipher(12, 128, "AES-CBC-128"),
    Cipher(13, 256, "AES-CTR-256"),
    Cipher(13, 128, "AES-CTR-128"),
    Cipher(23, 256, "CAMELLIA-CBC-256"),
    Cipher(23, 128, "CAMELLIA-CBC-128"),
    Cipher(2, 0, "DES-CBC"),
    Cipher(3, 0, "3DES-CBC"),
    Cipher(6, 128, "CAST-CBC-128"),
    Cipher(7, 128, "BLOWFISH-CBC-128"),
    Cipher(11, 0, "NULL"),
    Cipher(20, 256, "AES-GCM-16-256", aead=True),
    Cipher(20, 128, "AES-GCM-16-128", aead=True),
    Cipher(16, 256, "AES-CCM-16-256", aead=True),
    Cipher(28, 0, "CHACHA20-POLY1305", aead=True),
)
V2_PRFS: Final = {
    1: "HMAC-MD5", 2: "HMAC-SHA1", 4: "AES-XCBC", 5: "HMAC-SHA256", 6: "HMAC-SHA384", 7: "HMAC-SHA512",
    8: "AES-CMAC",
}  # fmt: skip
V2_INTEGRITIES: Final = {
    1: "HMAC-MD5-96", 2: "HMAC-SHA1-96", 5: "AES-XCBC-96", 8: "AES-CMAC-96", 12: "HMAC-SHA256-128",
    13: "HMAC-SHA384-192", 14: "HMAC-SHA512-256",
}  # fmt: skip

V1_CIPHERS: Final = (
    Cipher(7, 256, "AES-CBC-256"),
    Cipher(7, 128, "AES-CBC-128"),
    Cipher(5, 0, "3DES-CBC"),
    Cipher(1, 0, "DES-CBC"),
    Cipher(7, 192, "AES-CBC-192"),
)
V1_DOMESTIC_CIPHERS: Final = (
    Cipher(129, 0, "SM4-CBC"),
    Cipher(128, 0, "SM1-CBC"),
    Cipher(127, 0, "SM4-CBC-OLD"),
)
V1_HASHES: Final = {4: "SHA256", 2: "SHA1", 1: "MD5", 5: "SHA384", 6: "SHA512", 20: "SM3"}
V1_GROUPS: Final = (14, 2, 5, 19, 20, 15, 16, 1, 21)
PSK, RSA, ENVELOPE, HYBRID, XAUTH_PSK, XAUTH_RSA = 1, 3, 10, 64221, 65001, 65005
V1_METHODS: Final = {
    PSK: "PSK", 2: "DSS", RSA: "RSA", 9: "ECDSA-256", ENVELOPE: "ENVELOPE", HYBRID: "HYBRID-RSA",
    XAUTH_PSK: "XAUTH-PSK", XAUTH_RSA: "XAUTH-RSA",
}  # fmt: skip
ASYMMETRIC: Final = {1: "RSA", 2: "SM2"}

VENDORS: Final = {
    "afcad71368a1f1c96b8696fc7757": "DPD",
    "4a131c81070358455c5728f20e95452f": "NAT-T (RFC 3947)",
    "09002689dfd6b712": "XAUTH",
    "12f5f28c457168a9702d9fe274cc": "Cisco Unity",
    "4048b7d56ebce88525e7de7f00d6c2d3": "FRAGMENTATION",
    "882fe56d6fd20dbc2251613b2ebe5beb": "strongSwan",
}
"""Beginnings of vendor ids; what follows is a version."""


def cipher_name(ciphers: tuple[Cipher, ...], code: int, bits: int) -> str:
    """The name of a cipher; its number where nobody here knows it."""
    return next(
        (c.name for c in ciphers if (c.code, c.bits) == (code, bits)), f"{code}-{bits}" if bits else str(code)
    )

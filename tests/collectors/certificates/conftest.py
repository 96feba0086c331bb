"""Certificates made for the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Make = Callable[..., tuple[x509.Certificate, Any]]


@pytest.fixture(scope="session")
def make(pem_of: Callable[..., bytes]) -> Make:
    """A certificate and its key: ``ca`` True for an authority, ``by`` (certificate, key) of who signs."""

    def one(name: str, *, ca: bool = False, by: Any = None, names: tuple[str, ...] = ()) -> Any:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = None
        if by is not None:
            (common,) = by[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            issuer = (common.value, by[1])
        pem = pem_of(name, key=key, issuer=issuer, ca=ca, names=names)
        return x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERTIFICATE") :]), key

    return one

"""Suites of endpoints by their grade, and the pair of certificates of TLCP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from inventory.kinds.crypto import Endpoint
from inventory.unknown import UnknownValueError
from policies.grades import of_suite
from policies.predicates.contract import Predicate, UndecidedError, seen

_UNPROTECTED = ("NULL", "anon")  # nothing is encrypted, or anybody may be at the other end


def _offers(endpoint: Endpoint, wanted: Callable[[str], bool | None]) -> bool:
    """Whether some suite of some version is of a sort (None = nobody knows what it is). One that was seen
    decides; that there is none takes a server that was asked to the end, and suites that are all known."""
    unseen = False
    for version in seen(endpoint.versions):
        try:
            answers = {wanted(suite) for suite in seen(version.suites)}
            if True in answers:
                return True
            unseen = unseen or None in answers or not seen(version.all_suites)
        except UnknownValueError:
            unseen = True
    if unseen:
        raise UndecidedError("没有问到全部套件，或有不认识的套件")
    return False


def _graded(suite: str, grade: str) -> bool | None:
    found = of_suite(suite)
    return None if found is None else found.name == grade


def _unprotected(suite: str) -> bool | None:
    return None if of_suite(suite) is None else any(mark in suite for mark in _UNPROTECTED)


def unprotected_suites(endpoint: Endpoint, now: datetime) -> bool:
    """Whether it takes suites that do not encrypt, or that authenticate nobody."""
    return _offers(endpoint, _unprotected)


def broken_suites(endpoint: Endpoint, now: datetime) -> bool:
    """Whether it takes prohibited suites that do encrypt: RC4, DES, export grade, MD5."""
    return _offers(endpoint, lambda suite: _graded(suite, "prohibited") and not _unprotected(suite))


def weak_suites(endpoint: Endpoint, now: datetime) -> bool:
    """Whether it takes suites of 80 to 111 bits, or of a 64-bit block."""
    return _offers(endpoint, lambda suite: _graded(suite, "weak"))


def no_domestic_suites(endpoint: Endpoint, now: datetime) -> bool:
    """Whether no version has a suite of domestic algorithms."""
    return not _offers(endpoint, lambda suite: _graded(suite, "compliant"))


def no_tlcp_pair(endpoint: Endpoint, now: datetime) -> bool:
    """Whether TLCP is offered without a certificate to sign and another one to encrypt (GB/T 38636)."""
    shown = {seen(one.use): seen(one.certificate) for one in seen(endpoint.certificates)}
    sign, encrypt = shown.get("tlcp_sign"), shown.get("tlcp_encrypt")
    return sign is None or encrypt is None or sign == encrypt


_SUITES = ("versions", "versions[].suites", "versions[].all_suites")
_PAIR = ("certificates", "certificates[].use", "certificates[].certificate")
PREDICATES = tuple(
    Predicate(name=call.__name__, kinds=(Endpoint,), reads=reads, call=call, purpose=purpose)
    for call, reads, purpose in (
        (unprotected_suites, _SUITES, "接受不加密或不鉴别对端的套件"),
        (broken_suites, _SUITES, "接受 RC4、DES、出口级、MD5 套件"),
        (weak_suites, _SUITES, "接受 3DES 等强度不足的套件"),
        (no_domestic_suites, _SUITES, "没有任何国密套件"),
        (no_tlcp_pair, _PAIR, "TLCP 没有双证书"),
    )
)

"""From what a server said to its resource: recorded runs of sshd, and names that no server here speaks."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Run
from collectors.recordings import replaying
from collectors.ssh import collect
from collectors.ssh.audit import Fingerprint, Named, Report, report_of
from collectors.ssh.kexinit import Heard
from collectors.ssh.mapping import Answered, endpoint, host_keys, key_type
from inventory.coverage import Status
from inventory.unknown import UNKNOWN

DATA = Path(__file__).parents[2] / "data" / "ssh" / "sshd.jsonl.gz"


def kexinit(*lists: str) -> bytes:
    content = b"\x14" + bytes(16)
    for names in (*lists, "", ""):
        content += struct.pack(">I", len(names)) + names.encode()
    return content + bytes(5)


def heard(kex: str, key: str, cipher: str, mac: str) -> Heard:
    return Heard(version="SSH-2.0-x", payload=kexinit(kex, key, cipher, cipher, mac, mac, "none", "none"))


def mapped(one: Answered) -> tuple[Any, list[str]]:
    return endpoint(one, port=22, source="s", scope="t", labels={"a": "b"})


def test_the_recorded_servers() -> None:
    source = replaying(DATA)
    batches = list(collect(source, Run(source)))
    assert {b.collections[0].status for b in batches} == {Status.COMPLETE}
    weak, strong = sorted((b.resources[0] for b in batches), key=lambda r: r.native_id)
    assert weak.ciphers == ["3des-cbc", "aes128-cbc"]
    assert [(k.key_type, k.key_bits) for k in weak.host_keys] == [("RSA", 1024)]
    assert weak.group_exchange_bits >= 2048
    assert strong.key_exchanges == ["curve25519-sha256", "diffie-hellman-group16-sha512"]
    assert strong.strict_key_exchange is True
    assert strong.compressions == ["none", "zlib@openssh.com"]


def test_domestic_names_are_read_though_no_library_speaks_them() -> None:
    """openEuler's names; ssh-audit finds no key exchange that it knows and says nothing of the key."""
    one = Answered(address="192.0.2.1", heard=heard("sm2-sm3", "sm2", "sm4-ctr", "hmac-sm3"), report=Report())
    made, why = mapped(one)
    assert (made.key_exchanges, made.ciphers, made.macs) == (["sm2-sm3"], ["sm4-ctr"], ["hmac-sm3"])
    (key,) = made.host_keys
    assert (key.key_type, key.key_bits) == ("SM2", 256)
    assert key.fingerprint is UNKNOWN
    assert why == ["keys_hidden"]


def test_both_directions_are_offered() -> None:
    payload = kexinit(
        "k", "ssh-ed25519", "3des-cbc", "aes256-ctr", "hmac-md5", "hmac-sha2-256", "none", "zlib"
    )
    made, _ = mapped(Answered(address="::1", heard=Heard(version="SSH-1.99-x", payload=payload)))
    assert made.ciphers == ["3des-cbc", "aes256-ctr"]
    assert made.macs == ["hmac-md5", "hmac-sha2-256"]
    assert made.compressions == ["none", "zlib"]
    assert (made.version1, made.version2, made.native_id) == (True, True, "[::1]:22")
    assert made.labels == {"a": "b"}


def test_a_key_that_was_not_shown_is_there_and_unknown() -> None:
    report = Report(
        key=[Named(algorithm="rsa-sha2-512", keysize=1024)],
        fingerprints=[
            Fingerprint(hostkey="ssh-rsa", hash_alg="MD5", hash="a:b"),
            Fingerprint(hostkey="ssh-rsa", hash_alg="SHA256", hash="abc"),
        ],
    )
    rsa, dsa, strange = host_keys(["rsa-sha2-512", "ssh-dss", "rsa-sha2-256", "quantum@example"], report)
    assert (rsa.algorithms, rsa.key_bits, rsa.fingerprint) == (
        ["rsa-sha2-512", "rsa-sha2-256"],
        1024,
        "SHA256:abc",
    )
    assert (dsa.key_type, dsa.key_bits) == ("DSA", UNKNOWN)
    assert (strange.key_type, strange.key_bits) == (UNKNOWN, UNKNOWN)


def test_primes_are_known_only_where_all_were_tried() -> None:
    offer = heard("diffie-hellman-group-exchange-sha1,diffie-hellman-group-exchange-sha256", "sm2", "c", "m")
    half = Report(kex=[Named(algorithm="diffie-hellman-group-exchange-sha1", keysize=1024)])
    made, why = mapped(Answered(address="192.0.2.1", heard=offer, report=half))
    assert made.group_exchange_bits is UNKNOWN
    assert "primes_hidden" in why
    half.kex.append(Named(algorithm="diffie-hellman-group-exchange-sha256", keysize=3072))
    assert mapped(Answered(address="192.0.2.1", heard=offer, report=half))[0].group_exchange_bits == 1024


def test_version_1_alone() -> None:
    made, why = mapped(Answered(address="192.0.2.1", heard=Heard(version="SSH-1.5-Cisco-1.25")))
    assert (made.version1, made.version2, made.ciphers, made.host_keys, why) == (True, False, [], [], [])


def test_nothing_learnt_is_no_row_and_something_else_is_one() -> None:
    assert mapped(Answered(address="192.0.2.1", why=["silent"])) == (None, ["silent"])
    made, why = mapped(Answered(address="192.0.2.1", other=True))
    assert (made.ssh, why) == (False, [])
    garbled, why = mapped(Answered(address="192.0.2.1", heard=Heard(version="SSH-2.0-x", payload=b"\x14")))
    assert (garbled.ssh, garbled.ciphers, why) == (True, UNKNOWN, ["garbled"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sk-ssh-ed25519@openssh.com", "Ed25519"), ("ssh-rsa-cert-v01@openssh.com", "RSA"), ("ssh-dss", "DSA"),
        ("ecdsa-sha2-nistp521", "EC"), ("x509v3-rsa2048-sha256", "RSA"), ("ssh-ed448", "Ed448"), ("", UNKNOWN),
    ],
)  # fmt: skip
def test_types_of_keys(name: str, kind: object) -> None:
    assert key_type(name) == kind if isinstance(kind, str) else key_type(name) is UNKNOWN


@pytest.mark.parametrize(
    "output", [b"", b"[exception] cannot connect", b"{", b"\xff{\xff}", b'{"key": 3}', b"[]"]
)
def test_what_is_no_report_is_none(output: bytes) -> None:
    assert report_of(output) is None

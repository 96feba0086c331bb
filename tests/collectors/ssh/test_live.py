"""Debian's sshd and dropbear: what is seen equals what was configured."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inventory.coverage import Status
from inventory.unknown import UNKNOWN

pytestmark = pytest.mark.lab
STRONG = {
    "KexAlgorithms": ["curve25519-sha256", "diffie-hellman-group16-sha512"],
    "HostKeyAlgorithms": ["ssh-ed25519", "rsa-sha2-512"],
    "Ciphers": ["aes256-gcm@openssh.com", "aes256-ctr"],
    "MACs": ["hmac-sha2-512-etm@openssh.com"],
}
WEAK = {
    "KexAlgorithms": ["diffie-hellman-group1-sha1", "diffie-hellman-group-exchange-sha1"],
    "HostKeyAlgorithms": ["ssh-rsa"],
    "Ciphers": ["3des-cbc", "aes128-cbc"],
    "MACs": ["hmac-md5", "hmac-sha1-96"],
}


def lines(lists: dict[str, list[str]], *keys: str) -> list[str]:
    return [f"{name} {','.join(names)}" for name, names in lists.items()] + [
        f"HostKey KEYS/{key}" for key in keys
    ]


def printed(keys: Path, name: str) -> str:
    """The fingerprint that ssh-keygen writes."""
    return subprocess.run(
        ["ssh-keygen", "-lf", f"{name}.pub"], cwd=keys, capture_output=True, text=True, check=True
    ).stdout.split()[1]


def test_a_strong_server(sshd: Callable[..., int], collect: Callable[..., Any], keys: Path) -> None:
    port = sshd(*lines(STRONG, "ed25519", "rsa2048"))
    found = collect(f"127.0.0.1:{port}")
    (one,) = found.resources
    (collection,) = found.collections
    assert (collection.status, collection.reason) == (Status.COMPLETE, "")
    assert (one.ssh, one.version1, one.version2, one.strict_key_exchange) == (True, False, True, True)
    assert one.banner.startswith("SSH-2.0-OpenSSH_")
    assert one.key_exchanges == STRONG["KexAlgorithms"]
    assert one.host_key_algorithms == STRONG["HostKeyAlgorithms"]
    assert one.ciphers == STRONG["Ciphers"]
    assert one.macs == STRONG["MACs"]
    assert one.compressions == ["none", "zlib@openssh.com"]
    assert one.group_exchange_bits is None
    assert [(k.key_type, k.key_bits, k.fingerprint, k.certificate) for k in one.host_keys] == [
        ("Ed25519", 256, printed(keys, "ed25519"), False),
        ("RSA", 2048, printed(keys, "rsa2048"), False),
    ]


def test_a_weak_server(sshd: Callable[..., int], collect: Callable[..., Any], keys: Path) -> None:
    port = sshd(*lines(WEAK, "rsa1024"), "RequiredRSASize 1024")
    (one,) = collect(f"127.0.0.1:{port}").resources
    assert one.key_exchanges == WEAK["KexAlgorithms"]
    assert one.ciphers == WEAK["Ciphers"]
    assert one.macs == WEAK["MACs"]
    (key,) = one.host_keys
    assert (key.algorithms, key.key_type, key.key_bits) == (["ssh-rsa"], "RSA", 1024)
    assert key.fingerprint == printed(keys, "rsa1024")
    assert one.group_exchange_bits >= 2048


def test_a_host_certificate_names_its_authority(
    sshd: Callable[..., int], collect: Callable[..., Any]
) -> None:
    port = sshd("HostKey KEYS/ed25519", "HostCertificate KEYS/ed25519-cert.pub", "HostKey KEYS/ecdsa")
    (one,) = collect(f"127.0.0.1:{port}").resources
    by_name = {k.algorithms[0]: k for k in one.host_keys}
    signed = by_name["ssh-ed25519-cert-v01@openssh.com"]
    assert (signed.certificate, signed.key_type, signed.authority_type, signed.authority_bits) == (
        True,
        "Ed25519",
        "RSA",
        2048,
    )
    assert by_name["ecdsa-sha2-nistp384"].key_bits == 384
    assert by_name["ssh-ed25519"].authority_type is None


def test_dropbear_over_ipv6(inetd: Callable[..., int], collect: Callable[..., Any], tmp_path: Path) -> None:
    subprocess.run(
        ["dropbearkey", "-t", "rsa", "-s", "2048", "-f", str(tmp_path / "k")], check=True, capture_output=True
    )
    port = inetd("/usr/sbin/dropbear", "-i", "-r", str(tmp_path / "k"), host="::1")
    found = collect(f"[::1]:{port}")
    (one,) = found.resources
    assert (one.family, one.native_id) == ("ipv6", f"[::1]:{port}")
    assert "dropbear" in one.banner
    assert [(k.key_type, k.key_bits) for k in one.host_keys] == [("RSA", 2048)]


def test_without_ssh_audit_sizes_stay_unknown(sshd: Callable[..., int], collect: Callable[..., Any]) -> None:
    port = sshd(*lines(WEAK, "rsa1024"), "RequiredRSASize 1024")
    found = collect(f"127.0.0.1:{port}", host_keys=False)
    (one,) = found.resources
    assert found.collections[0].status is Status.PARTIAL
    assert one.ciphers == WEAK["Ciphers"]
    (key,) = one.host_keys
    assert key.key_type == "RSA"
    assert key.key_bits is UNKNOWN
    assert one.group_exchange_bits is UNKNOWN

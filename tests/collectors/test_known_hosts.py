"""known_hosts files as ssh-keygen writes them, and as people do."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from collectors.contract import SourceError
from collectors.known_hosts import (
    fingerprint,
    judge,
    key_types,
    parse_known_hosts,
    read_known_hosts,
    refusal,
)

A, B = b"\0\0\0\x0bssh-ed25519-key-a", b"\0\0\0\x0bssh-ed25519-key-b"


def line(names: str, key: bytes = A, marker: str = "") -> str:
    return f"{marker} {names} ssh-ed25519 {base64.b64encode(key).decode()} a comment\n".lstrip()


@pytest.mark.parametrize(
    ("names", "host", "port", "verdict"),
    [
        ("web1", "web1", 22, "known"),
        ("web1", "WEB1", 22, "known"),
        ("web1,10.0.0.1", "10.0.0.1", 22, "known"),
        ("web1", "web2", 22, "unknown"),
        ("web1", "web1", 2222, "unknown"),
        ("[web1]:2222", "web1", 2222, "known"),
        ("[web1]:2222", "web1", 22, "unknown"),
        ("[2001:db8::1]:2222", "2001:db8::1", 2222, "known"),
        ("*.example.cn", "a.example.cn", 22, "known"),
        ("*.example.cn,!b.example.cn", "b.example.cn", 22, "unknown"),
        ("10.0.0.?", "10.0.0.7", 22, "known"),
        ("[10.0.0.*]:2222", "10.0.0.7", 2222, "known"),
        ("[1]0.0.0.1", "10.0.0.1", 22, "unknown"),  # brackets are no class of characters
        ("|1|nonsense", "web1", 22, "unknown"),
    ],
)
def test_whom_a_line_is_about(names: str, host: str, port: int, verdict: str) -> None:
    assert judge(parse_known_hosts(line(names).encode()), host, port, A) == verdict


def test_another_key_is_changed_and_a_revoked_one_is_told() -> None:
    entries = parse_known_hosts((line("web1") + line("*", B, "@revoked")).encode())
    assert judge(entries, "web1", 22, B) == "revoked"
    assert judge(entries, "web1", 22, b"other") == "changed"
    assert judge(entries, "other", 22, b"other") == "unknown"
    assert key_types(entries, "web1", 22) == ["ssh-ed25519"]
    assert key_types(entries, "other", 22) == []


def test_lines_that_hold_no_key_are_passed_over() -> None:
    text = "# web1 ssh-ed25519 AAAA\n\nweb1 ssh-ed25519\nweb1 ssh-ed25519 ***\n" + line(
        "web1", A, "@cert-authority"
    )
    assert parse_known_hosts(text.encode() + b"\xff\xfe\n") == []


@pytest.mark.lab  # openssh-client
def test_what_ssh_keygen_writes_and_hashes(tmp_path: Path) -> None:
    """The names are hashed and the fingerprint told by OpenSSH itself."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "k"], check=True)
    public = (tmp_path / "k.pub").read_text().split()
    file = tmp_path / "known_hosts"
    file.write_text(f"[gw.example.cn]:2222 {public[0]} {public[1]}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    assert "gw.example.cn" not in file.read_text()
    key = base64.b64decode(public[1])
    entries = read_known_hosts(str(file))
    assert judge(entries, "gw.example.cn", 2222, key) == "known"
    assert judge(entries, "gw.example.cn", 22, key) == "unknown"
    told = subprocess.run(
        ["ssh-keygen", "-lf", tmp_path / "k.pub"], check=True, capture_output=True, text=True
    )
    assert fingerprint(key) == told.stdout.split()[1]


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="known_hosts"):
        read_known_hosts(str(tmp_path / "none"))


def test_the_refusal_names_key_and_remedy() -> None:
    error = refusal("unknown", "10.0.0.1", 2222, "ssh-ed25519", A, "kh")
    assert fingerprint(A) in error.reason
    assert "ssh-keyscan -p 2222 10.0.0.1 >> kh" in error.remedy
    changed = refusal("changed", "10.0.0.1", 22, "ssh-ed25519", A, "")
    assert "ssh-keygen -R '10.0.0.1' -f ~/.ssh/known_hosts" in changed.remedy
    assert "吊销" in refusal("revoked", "h", 22, "ssh-rsa", A, "").reason

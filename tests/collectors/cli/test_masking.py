"""Secrets in configurations: every dialect's way to write one is masked, and what tells about it stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.cli import masking
from collectors.cli.masking import masked
from collectors.redact import MASK

SECRET = "Xk9Qz-V"

WRITTEN = [
    line
    for line in (Path(__file__).parents[2] / "data" / "cli" / "secrets.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]

STAY = """
 authentication-mode password
 authentication-mode aaa
ssh server cipher aes256_ctr aes128_ctr
snmp-server host 1.1.1.1 informs version 3 priv user
snmp-server group g v3 priv read v
tacacs server T
 ip ospf authentication message-digest
ntp server 1.1.1.1 key 1
ntp trusted-key 1
 set community 65000:1 additive
ip community-list 1 permit 65000:1
service password-encryption
password-control length 10
 password-expiration 0
 community NAME members 65000:1;
 tunnel key 5
 public-key-code begin
  30820108 02820101
 public-key-code end
 ssh user u authentication-type password
local-aaa-user password policy administrator
""".strip("\n").split("\n")


@pytest.mark.parametrize("line", WRITTEN)
def test_a_secret_goes_and_what_it_is_stays(line: str) -> None:
    found = masked(line.replace("<S>", SECRET))
    assert SECRET not in found
    assert MASK in found
    first = line[: line.index("<S>")].rsplit(" ", 1)[0]
    assert found.startswith(first)
    assert masked(found) == found


@pytest.mark.parametrize("line", STAY)
def test_what_is_no_secret_stays(line: str) -> None:
    assert masked(line) == line


def test_words_that_follow_a_secret_stay() -> None:
    line = "snmp-agent community read cipher X9 mib-view v acl 2000"
    assert masked(line) == "snmp-agent community read cipher ****** mib-view v acl 2000"
    line = "crypto isakmp key X9 address 1.1.1.1"
    assert masked(line) == "crypto isakmp key ****** address 1.1.1.1"
    line = "ntp authentication-key 1 md5 X9 7"
    assert masked(line) == "ntp authentication-key 1 md5 ****** 7"
    line = '  secret "$9$abc"; ## SECRET-DATA'
    assert masked(line) == "  secret ******; ## SECRET-DATA"


@pytest.mark.parametrize("word", ["secret", "password", "key", "cipher", "admin", "simple"])
def test_a_password_that_is_itself_a_word_of_the_language_is_masked(word: str) -> None:
    assert masked(f"username u password {word} privilege 15") == "username u password ****** privilege 15"
    assert masked(f"enable secret {word}") == "enable secret ******"


@pytest.mark.parametrize("word", ["test", "RETURN", "view", "class", "host", "group", "primary", "read"])
def test_so_it_is_where_the_word_has_a_place_in_the_same_command(word: str) -> None:
    for line in (
        "snmp-server community <S> ro",
        "snmp-agent community read <S>",
        "snmp-agent community read cipher <S> acl 2000",
        "password cipher <S>",
        "local-user a password cipher <S> level 3",
        "username a password 7 <S>",
        "username a privilege 15 password 0 <S>",
        "snmp-server user u g v3 auth md5 <S> priv des <S>",
        "set snmp community <S> authorization read-only",
        "super password level 3 cipher <S>",
        "neighbor 1.1.1.1 password <S>",
    ):
        places = [at for at, part in enumerate(line.split()) if part == "<S>"]
        found = masked(line.replace("<S>", word)).split()
        assert [found[at] for at in places] == [MASK] * len(places), line
        assert found[: places[0] - 1] == line.split()[: places[0] - 1]


def test_no_word_that_the_masking_knows_escapes_as_a_secret() -> None:
    known = masking._ENDS | masking._KINDS | masking._TAKE_ONE | masking._NEVER
    for word in sorted(known):
        if not word.replace("-", "").isalnum() or len(word) < 3:
            continue
        for line in (
            "password cipher <S>",
            "snmp-server community <S> ro",
            "snmp-agent community read cipher <S> acl 2000",
            "username a privilege 15 secret 5 <S>",
            "local-user a password irreversible-cipher <S>",
            " authentication-key 1 md5 <S>",
            "radius-server key 7 <S>",
        ):
            found = masked(line.replace("<S>", word)).split()
            assert found[line.split().index("<S>")] == MASK, line.replace("<S>", word)


def test_numbers_of_keys_stay_in_a_key_chain_and_numeric_secrets_go_elsewhere() -> None:
    text = "key chain K\n key 1\n  key-string 12345678\ntacacs server T\n key 24681357\nradius-server key 24681357"
    assert masked(text).split("\n") == [
        "key chain K",
        " key 1",
        "  key-string ******",
        "tacacs server T",
        " key ******",
        "radius-server key ******",
    ]


def test_private_keys_go_whole_and_lines_stay_lines() -> None:
    text = "a\n -----BEGIN RSA PRIVATE KEY-----\n MIIabc\n def\n -----END RSA PRIVATE KEY-----\nsysname X"
    assert masked(text).split("\n") == ["a", " ******", " ******", " ******", " ******", "sysname X"]


WORDS = st.sampled_from(
    sorted({word for line in [*WRITTEN, *STAY] for word in line.replace("<S>", "").split() if word.isascii()})
)
LINES = st.lists(st.one_of(WORDS, st.text(max_size=12)), max_size=9).map(" ".join)


@settings(max_examples=60)
@given(st.lists(LINES, max_size=8))
def test_any_text_keeps_its_lines_and_masking_twice_changes_nothing(lines: list[str]) -> None:
    text = "\n".join(lines)
    once = masked(text)
    assert once.count("\n") == text.count("\n")
    assert masked(once) == once


@given(
    st.sampled_from(["password cipher ", "enable secret 5 ", "snmp-server community ", "pre-shared-key "]),
    st.text("ABCDEFGHJKLMNPQRSTUVWXYZ23456789!#%&()*+,-./:<=>?@[]^_`|~", min_size=6, max_size=40),
    st.sampled_from(["", "\r", " "]),
)
def test_any_secret_goes(before: str, secret: str, after: str) -> None:
    found = masked(f"{before}{secret}{after}")
    assert {word.strip(",;*") for word in found.split()} <= {"", *before.split()}

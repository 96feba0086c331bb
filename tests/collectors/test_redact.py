"""Planted secrets must be gone, and what is no secret must still be there."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.redact import MASK, Redactor

SECRET = "hunter22-Zf9"
TEXTS = [
    f"password={SECRET}",
    f"OS_PASSWORD: {SECRET}\nOS_USERNAME: admin",
    f"db_passwd = {SECRET}; retry",
    f"X-Auth-Token: {SECRET}",
    f"Authorization: Bearer {SECRET}",
    f"> authorization: Basic abc {SECRET}\r\n< HTTP/1.1 200",
    f"Set-Cookie: session={SECRET}; HttpOnly",
    f"rocommunity = {SECRET}",
    f'{{"password": "{SECRET}", "cut off',
    f"{{'adminPass': '{SECRET}'}}",
    f'{{"auth_key":"a \\" {SECRET}"}}',
    f'{{"password":"{SECRET}',
    f"mysql://root:{SECRET}@db.gov.cn:3306/x",
    f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
    f"-----BEGIN PRIVATE KEY-----\n{SECRET}\ncut off",
    f"root:$6$salt${SECRET}abcdefgh:19000:0:99999:7:::",
    f"root:$y$j9T$salt${SECRET}:19000",
    f"root:$sm3$salt${SECRET}xyz:1",
    f"token gAAAAA{'B' * 50}{SECRET} rest",
    f"eyJhbGciOiJI.eyJzdWIiOiIx.{SECRET}",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("media_type", ["text/plain", "application/json", "application/json; charset=utf-8"])
def test_a_secret_in_text_is_gone_whatever_the_text_claims_to_be(text: str, media_type: str) -> None:
    cleaned = Redactor().clean(text.encode(), media_type).decode()
    assert SECRET not in cleaned
    assert MASK in cleaned


def test_the_text_around_a_secret_stays() -> None:
    redactor = Redactor()
    assert redactor.text(f"user=a password={SECRET}, host=b") == f"user=a password={MASK}, host=b"
    assert redactor.text(f"mysql://root:{SECRET}@db/x") == f"mysql://{MASK}@db/x"
    assert redactor.text(f"root:$6$s${SECRET}zzzz:19000:0") == f"root:{MASK}:19000:0"


@pytest.mark.parametrize(
    "name",
    (
        "password passwd passphrase adminPass admin_pass secret client_secret token X-Auth-Token passwords "
        "X-Subject-Token community snmp_community communityString private_key privateKey priv_key auth_key "
        "authKey api_key apiKey access_key Authorization Cookie Set-Cookie user_data blob credential_blob cipher_text "
        "secrets"
    ).split(),
)
@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8", "x/y+json"])
def test_a_field_that_names_a_secret_is_masked_at_any_depth(name: str, media_type: str) -> None:
    data = {"servers": [{"id": "a1", "extra": {name: SECRET, "deep": [{name: [SECRET, SECRET]}]}}]}
    cleaned = Redactor().clean(json.dumps(data).encode(), media_type)
    assert SECRET.encode() not in cleaned
    expected = {"servers": [{"id": "a1", "extra": {name: MASK, "deep": [{name: [MASK, MASK]}]}}]}
    assert json.loads(cleaned) == expected


@pytest.mark.parametrize(
    "data",
    [
        {
            "password_expires_at": "2026-01-01",
            "token_type": "bearer",
            "secret_ref": "env:X",
            "api_key_uuid": "u",
        },
        {"password": "", "secret": None, "token": True, "secrets": 10, "password_algorithm": "SM3"},
        {"key_name": "ops", "public_key": "ssh-ed25519 AAAA", "fingerprint": "aa:bb", "name": "密码机"},
        {"url": "https://keystone.gov.cn:5000/v3", "mac": "fa:16:3e:00:00:01", "cidr": "2001:db8::/64"},
        {"password": {"user": {"name": "admin", "domain": {"id": "default"}}}},
        [1, 1.5, None, "PasswordAuthentication no", "passwordless", "$6 off"],
    ],
)
def test_what_is_no_secret_is_kept(data: Any) -> None:
    redactor = Redactor()
    assert json.loads(redactor.clean(json.dumps(data).encode(), "application/json")) == data


@pytest.mark.parametrize(
    "text",
    [
        "%sudo ALL=(ALL) NOPASSWD: ALL",
        "PasswordAuthentication yes",
        "password requisite pam_pwquality.so minlen=12",
        "PASS_MAX_DAYS 90",
        "permitemptypasswords no",
    ],
)
def test_lines_that_rules_rest_on_are_kept(text: str) -> None:
    assert Redactor().text(text) == text


def test_learned_values_go_wherever_they_stand() -> None:
    redactor = Redactor()
    redactor.learn("correct horse")
    redactor.learn("correct horse battery")
    data = {"motd": "say correct horse battery", "correct horse": ["x correct horse y"]}
    cleaned = redactor.clean(json.dumps(data).encode(), "application/json")
    assert json.loads(cleaned) == {"motd": f"say {MASK}", MASK: [f"x {MASK} y"]}
    assert redactor.clean(b"log: correct horse\xff", "text/plain") == f"log: {MASK}\ufffd".encode()


def test_a_learned_value_is_found_through_json_escapes() -> None:
    redactor = Redactor()
    redactor.learn('pa"ss\\密')
    body = json.dumps({"note": 'is pa"ss\\密 ok'}).encode()
    assert json.loads(redactor.clean(body, "application/json")) == {"note": f"is {MASK} ok"}


def test_too_short_and_starry_values_are_not_learned() -> None:
    redactor = Redactor()
    for value in ("", "abc", "****", "********"):
        redactor.learn(value)
    assert redactor.text("abc **** ******") == "abc **** ******"


def test_a_number_as_a_password_is_masked_too() -> None:
    assert json.loads(Redactor().clean(b'{"password": 12345678}', "application/json")) == {"password": MASK}


@pytest.mark.parametrize("odd", ['"\\ud800"', '"\\udcff"', "NaN", "1e999"])
def test_odd_json_is_still_cleaned_by_name(odd: str) -> None:
    body = f'{{"password":"{SECRET}","odd":{odd},"中":"文"}}'.encode()
    cleaned = Redactor().clean(body, "application/json")
    assert SECRET.encode() not in cleaned
    assert json.loads(cleaned)["中"] == "文"


def test_nesting_deeper_than_the_parser_goes_is_cleaned_as_text() -> None:
    body = b"[" * 200_000 + f'{{"password":"{SECRET}"}}'.encode() + b"]" * 200_000
    cleaned = Redactor().clean(body, "application/json")
    assert SECRET.encode() not in cleaned
    assert cleaned.startswith(b"[[[[")


@pytest.mark.parametrize(
    "text", ["a-" * 500_000, "password " * 200_000, "x" * 2_000_000, 'password="' * 100_000, "\\" * 1_000_000]
)
def test_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    before = time.process_time()
    Redactor().text(text)
    spent = time.process_time() - before
    before = time.process_time()
    Redactor().text(text[: len(text) // 8])
    assert spent < 64 * (time.process_time() - before) + 0.5  # quadratic would be beyond any machine


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(TEXTS),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["password", "name", "token", "id", "a b"]) | st.text(), inner, max_size=4
        )
    ),
    max_leaves=20,
)


AROUND = st.text().filter(lambda text: SECRET not in text)


@given(JSON, st.sampled_from(["application/json", "text/plain"]))
def test_cleaning_twice_is_cleaning_once_and_json_stays_json(data: Any, media_type: str) -> None:
    redactor = Redactor()
    redactor.learn("learned-value")
    once = redactor.clean(json.dumps(data).encode(), media_type)
    assert redactor.clean(once, media_type) == once
    if media_type == "application/json":
        json.loads(once)


@given(AROUND, st.sampled_from(TEXTS), AROUND)
def test_a_secret_is_gone_whatever_stands_around_it(before: str, text: str, after: str) -> None:
    assert SECRET not in Redactor().text(f"{before}\n{text}\n{after}")

"""Targets and options as people write them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collectors.tls import Options
from collectors.tls.targets import Target, asked_of


@pytest.mark.parametrize(
    ("text", "host", "port", "name", "scope"),
    [
        ("www.example", "www.example", 443, "www.example", "www.example:443"),
        ("www.example:8443", "www.example", 8443, "www.example", "www.example:8443"),
        ("192.0.2.1:636", "192.0.2.1", 636, "", "192.0.2.1:636"),
        ("[2001:db8::1]:444", "2001:db8::1", 444, "", "[2001:db8::1]:444"),
        ("2001:db8::1", "2001:db8::1", 443, "", "[2001:db8::1]:443"),
        ("政务.example", "政务.example", 443, "xn--zfr164b.example", "政务.example:443/xn--zfr164b.example"),
    ],
)
def test_a_target_in_short(text: str, host: str, port: int, name: str, scope: str) -> None:
    asked = asked_of(text)
    assert (asked.host, asked.port, asked.server_name, asked.scope) == (host, port, name, scope)


def test_a_target_at_length() -> None:
    asked = asked_of(Target(address="192.0.2.1", server_name="Mail.example", starttls="smtp"))
    assert (asked.port, asked.server_name, asked.starttls) == (25, "mail.example", "smtp")
    assert asked.scope == "192.0.2.1:25/mail.example"
    assert asked_of(Target(address="a.example", server_name="")).server_name == ""


@pytest.mark.parametrize(
    "text",
    [
        "", ":443", "https://a.example", "a.example/x", "a.example:0", "a.example:65536", "a.example:x",
        "[2001:db8::1", "[x]:1", "1:2:3", "a b",
    ],
)  # fmt: skip
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"地址|端口|名字"):
        msgspec.convert({"targets": [text]}, Options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"targets": []},
        {"targets": ["a.example", "a.example:443"]},
        {"targets": ["a.example"], "families": []},
        {"targets": ["a.example"], "families": ["ipx"]},
        {"targets": ["a.example"], "timeout_seconds": 0},
        {"targets": ["a.example"], "connections_per_second": -1},
        {"targets": [{"address": "a.example", "starttls": "gopher"}]},
        {"targets": [{"address": "a.example", "sni": "b"}]},
    ],
)
def test_what_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, Options)


def test_one_place_under_two_names_is_two_targets() -> None:
    options = msgspec.convert(
        {"targets": ["192.0.2.1", {"address": "192.0.2.1", "server_name": "a.example"}]}, Options
    )
    assert [a.scope for a in options.asked()] == ["192.0.2.1:443", "192.0.2.1:443/a.example"]

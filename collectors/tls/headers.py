"""The head of an HTTP answer: the headers that protect a browser, and none of the others."""

from __future__ import annotations

from collections.abc import Callable

from inventory.kinds.crypto import HttpAnswer

_LONGEST = 300


def request(host: str) -> bytes:
    """The question: the home page, its head and not more than comes with it."""
    return (
        f"GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: zhengguan\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def read(answer: bytes, clean: Callable[[str], str]) -> HttpAnswer | None:
    """What an answer says; None where it is no HTTP. ``clean`` masks secrets."""
    head, ended, _ = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not first.startswith("HTTP/1.") or len(words) < 2 or not words[1].isdecimal() or not ended:
        return None
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    age, subdomains = _hsts(headers.get("strict-transport-security"))

    def text(name: str) -> str | None:
        value = headers.get(name)
        return None if value is None else clean(value)[:_LONGEST]

    return HttpAnswer(
        status=int(words[1]),
        hsts_seconds=age,
        hsts_subdomains=subdomains,
        content_security_policy=text("content-security-policy"),
        frame_options=text("x-frame-options"),
        content_type_options=text("x-content-type-options"),
        referrer_policy=text("referrer-policy"),
    )


def _hsts(value: str | None) -> tuple[int | None, bool]:
    """max-age and includeSubDomains (RFC 6797, 6.1); a header without a valid max-age is none."""
    if value is None:
        return None, False
    directives = [d.strip().lower() for d in value.split(";")]
    for directive in directives:
        name, _, number = directive.partition("=")
        number = number.strip().strip('"')
        if name.strip() == "max-age" and number.isdecimal():
            return min(int(number), 2**53), "includesubdomains" in directives
    return None, False

"""Peers that mean harm, or are broken: each costs its deadline and no more, and is told by its own words."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

from inventory.coverage import Status
from inventory.resource import plain
from inventory.unknown import UNKNOWN

HOST = "www.site.gov.cn"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def after_request(connection: socket.socket) -> None:
    while b"\r\n\r\n" not in connection.recv(65536):
        pass


def sends(*pieces: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def script(connection: socket.socket, stopped: threading.Event) -> None:
        after_request(connection)
        for piece in pieces:
            connection.sendall(piece)

    return script


def drips(connection: socket.socket, stopped: threading.Event) -> None:
    after_request(connection)
    connection.sendall(OK + b"Content-Length: 100000\r\n\r\n")
    while not stopped.wait(0.05):
        connection.sendall(b"x")


def headers_without_end(connection: socket.socket, stopped: threading.Event) -> None:
    after_request(connection)
    connection.sendall(OK)
    for _ in range(1600):
        connection.sendall(b"X-Long: " + b"x" * 65536 + b"\r\n")


def interim_without_end(connection: socket.socket, stopped: threading.Event) -> None:
    after_request(connection)
    while not stopped.is_set():
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")


def body_without_end(connection: socket.socket, stopped: threading.Event) -> None:
    after_request(connection)
    connection.sendall(OK + b"\r\n<html><body><p>x</p>")
    while not stopped.is_set():
        connection.sendall(b"<!-- more -->" * 5000)


def silent(connection: socket.socket, stopped: threading.Event) -> None:
    stopped.wait(120)


def at(look: Callable[..., Any], port: int, page_seconds: float = 60.0, **options: Any) -> Any:
    return look(
        f"http://{HOST}:{port}/",
        addresses={HOST: ["127.0.0.1"]},
        page_seconds=page_seconds,
        robots=False,
        **options,
    )


@pytest.mark.parametrize(
    ("script", "problem", "seconds"),
    [
        (sends(b"SSH-2.0-OpenSSH_9.2\r\n"), "应答不合 HTTP", 60.0),
        (sends(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"), "应答不合 HTTP", 60.0),
        (sends(OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"), "应答不合 HTTP", 60.0),
        (sends(OK + b"Content-Length: 500\r\n\r\nshort"), "应答没有收全", 60.0),
        (drips, "应答没有收全", 1.0),
        (headers_without_end, "应答头过长", 60.0),
        (interim_without_end, "应答不合 HTTP", 60.0),
        (silent, "没有收到应答", 1.0),
    ],
)
def test_what_is_wrong_is_said(
    scripted: Callable[..., int], look: Callable[..., Any], script: Any, problem: str, seconds: float
) -> None:
    began = time.monotonic()
    seen = at(look, scripted(script), seconds, links=0, tries=1)
    told = seen.visit("ipv4").problem if seen.sites else seen.collections[0].reason
    assert problem in told
    assert time.monotonic() - began < 55


def test_a_body_without_end_is_read_to_the_limit(
    scripted: Callable[..., int], look: Callable[..., Any]
) -> None:
    seen = at(look, scripted(body_without_end), page_kib=256, links=0, tries=1)
    assert seen.visit("ipv4").ok is True


def test_a_bomb_is_a_page_of_its_limit(scripted: Callable[..., int], look: Callable[..., Any]) -> None:
    bomb = gzip.compress(b"<p>x</p>" * 300_000, 1)
    port = scripted(sends(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb), bomb))
    assert at(look, port, page_kib=64, links=0, tries=1).visit("ipv4").ok is True


def test_links_without_end_stay_in_the_budget(scripted: Callable[..., int], look: Callable[..., Any]) -> None:
    asked: list[bytes] = []

    def script(connection: socket.socket, stopped: threading.Event) -> None:
        asked.append(connection.recv(65536))
        body = b"".join(b'<a href="/%d/%d">x</a>' % (len(asked), n) for n in range(3_000))
        connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    seen = at(look, scripted(script), tries=1, links=10, pages=2, page_kib=64)
    assert len(asked) < 20
    assert seen.site.all_links is False
    assert len(seen.site.links) <= 2000


def test_no_account_no_cookie_no_token_is_kept(
    scripted: Callable[..., int], look: Callable[..., Any]
) -> None:
    body = b'<a href="http://u:Hidden-Word@other.cn/">a</a><a href="/x?token=Hidden-Word">b</a>\x1b[2J'
    port = scripted(
        sends(OK + b"Set-Cookie: s=Hidden-Word\r\nReferrer-Policy: password=Hidden-Word\r\n"
              b"Content-Length: %d\r\n\r\n" % len(body) + body)
    )  # fmt: skip
    seen = at(look, port, tries=1)
    told = repr([plain(site) for site in seen.sites]) + repr(
        [e.content for b in seen.batches for e in b.evidence]
    )
    assert "Hidden-Word" not in told
    assert "\\x1b" not in told
    assert "other.cn" in told


def test_what_a_machine_without_ipv6_says(
    serve: Callable[..., Any],
    look: Callable[..., Any],
) -> None:
    """The site is not to blame: nobody has a way to fe80::1 of no link, as a machine without IPv6 has none to anywhere."""
    site = serve(lambda *_: (200, {"Content-Type": "text/html"}, b"<a href=/x>x</a>"))
    seen = look(f"http://{HOST}:{site.port}/", addresses={HOST: ["127.0.0.1", "fe80::1"]}, ports=[site.port])
    six = seen.visit("ipv6")
    assert six.ok is UNKNOWN
    assert six.status is UNKNOWN
    assert six.open_ports is UNKNOWN
    assert six.address == "fe80::1"
    assert six.problem == "采集机没有 IPv6，没有访问"
    assert seen.quality("ipv6").tries is UNKNOWN
    assert seen.site.similarity is UNKNOWN
    assert seen.site.delay_ms is UNKNOWN
    assert [link.ipv6 for link in seen.site.links] == [] or all(
        link.ipv6 is UNKNOWN for link in seen.site.links
    )
    assert seen.collections[0].status is Status.PARTIAL
    assert seen.collections[0].reason.startswith("采集机没有 IPv6")


@pytest.fixture
def resolver() -> Any:
    """A name server of our own: names under no6 have no AAAA, under gone do not exist, under fail are refused."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))

    def loop() -> None:
        while True:
            try:
                data, peer = listener.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(data)
            answer = dns.message.make_response(query)
            name, kind = query.question[0].name, query.question[0].rdtype.name
            text = name.to_text()
            if text.startswith("gone"):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            elif text.startswith("fail"):
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif kind == "A" or (kind == "AAAA" and not text.startswith("no6")):
                address = "127.0.0.1" if kind == "A" else "::1"
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, address))
            listener.sendto(answer.to_wire(), peer)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


def test_names_by_the_users_resolver(
    serve: Callable[..., Any], look: Callable[..., Any], resolver: str
) -> None:
    site = serve(lambda *_: (200, {"Content-Type": "text/html"}, b"x"))
    both = look(f"http://both.gov.cn:{site.port}/", resolvers=[resolver])
    assert (both.visit("ipv4").address, both.visit("ipv6").address) == ("127.0.0.1", "::1")
    none = look(f"http://no6.gov.cn:{site.port}/", resolvers=[resolver])
    assert (none.visit("ipv6").address, none.visit("ipv6").ok) == (None, False)
    gone = look(f"http://gone.gov.cn:{site.port}/", resolvers=[resolver])
    assert "域名没有 IPv4 地址" in gone.collections[0].reason
    failed = look(f"http://fail.gov.cn:{site.port}/", resolvers=[resolver], timeout_seconds=1.0)
    assert "解析失败" in failed.collections[0].reason


def test_a_file_of_sites(serve: Callable[..., Any], look: Callable[..., Any], tmp_path: Path) -> None:
    site = serve(lambda *_: (200, {"Content-Type": "text/html"}, b"x"))
    (tmp_path / "sites").write_text(
        f"# 全市网站\nhttp://a.gov.cn:{site.port}/\n\nhttp://b.gov.cn:{site.port}\n"
    )
    names = {"a.gov.cn": ["127.0.0.1"], "b.gov.cn": ["127.0.0.1"]}
    seen = look(sites_file=str(tmp_path / "sites"), addresses=names)
    assert sorted(one.host for one in seen.sites) == ["a.gov.cn", "b.gov.cn"]

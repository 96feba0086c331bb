"""A site over both families: the home page, links, quality, parity. Real servers on 127.0.0.1 and ::1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.contract import Run, collector
from collectors.recordings import replaying
from inventory.coverage import Status
from inventory.resource import plain
from inventory.unknown import UNKNOWN

HOST = "www.site.gov.cn"
BOTH = ["127.0.0.1", "::1"]
HOME = (
    '<h1>市政府门户</h1><p>本网站支持IPv6 2026年</p><a href="/news/">新闻</a><a href="/gone">旧</a>'
    '<a href="javascript:void(0)">x</a><a href="mailto:a@b.cn">邮</a><a href="file:///etc/passwd">f</a>'
)


def html(body: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    text = f"<html><body>{body}</body></html>"
    return 200, {"Content-Type": "text/html; charset=utf-8", **headers}, text.encode()


def town(family: str, host: str, path: str) -> Any:
    pages = {
        "/": html(HOME, **{"X-Frame-Options": "DENY"}),
        "/news/": html('<a href="1.html">一</a><a href="2.html">二</a><a href="/">首页</a>'),
        "/news/1.html": html("一"),
        "/news/2.html": html("二") if family == "ipv4" else None,
    }
    return pages.get(path)


def test_both_families_alike(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    port = serve(town).port
    seen = look(f"http://{HOST}:{port}/", addresses={HOST: BOTH}, ports=[port])
    for family, address in (("ipv4", "127.0.0.1"), ("ipv6", "::1")):
        visit = seen.visit(family)
        assert (visit.address, visit.ok, visit.problem, visit.status) == (address, True, None, 200)
        assert visit.headers == {"x-frame-options": "DENY"}
        assert visit.open_ports == [port]
        assert (visit.certificate, visit.versions) == (None, [])
        quality = seen.quality(family)
        assert (quality.tries, quality.succeeded, quality.loss) == (2, 2, 0.0)
        for value in (quality.connect_ms, quality.first_byte_ms, quality.page_ms, quality.bytes_per_second):
            assert value > 0
    assert seen.site.native_id == f"http://{HOST}:{port}/"
    assert seen.site.similarity == 1.0
    assert seen.site.claims_ipv6 is True
    assert seen.site.delay_ms >= 0
    assert [c.status for c in seen.collections] == [Status.COMPLETE]


def test_links_of_both_levels(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    port = serve(town).port
    seen = look(f"http://{HOST}:{port}/", addresses={HOST: BOTH})
    found = {link.url.rpartition(str(port))[2]: (link.level, link.ipv6) for link in seen.site.links}
    assert found == {
        "/news/": (2, True),
        "/gone": (2, True),
        "/news/1.html": (3, True),
        "/news/2.html": (3, False),
    }
    assert "死链" in seen.link("/gone").problem
    assert seen.link("/news/2.html").problem == "应答状态码 404"
    assert seen.site.all_links is True


def test_only_get_and_never_twice_the_same_link(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    site = serve(town)
    look(f"http://{HOST}:{site.port}/", addresses={HOST: BOTH}, tries=1, contact="it@city.gov.cn")
    paths = [(family, path) for family, _, path, _ in site.requests]
    assert paths.count(("ipv6", "/news/1.html")) == 1
    assert all(host == HOST for _, host, _, _ in site.requests)
    agents = {headers["User-Agent"] for *_, headers in site.requests}
    assert agents == {"zhengguan (IPv6 readiness self-check; it@city.gov.cn)"}


def test_a_name_without_ipv6(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    port = serve(town, ("ipv4",)).port
    seen = look(f"http://{HOST}:{port}/", addresses={HOST: ["127.0.0.1"]})
    six = seen.visit("ipv6")
    assert (six.address, six.ok, six.problem, six.open_ports) == (None, False, "域名没有 IPv6 地址", [])
    assert seen.site.similarity is None
    assert seen.site.delay_ms is None
    assert {link.ipv6 for link in seen.site.links} == {False}
    assert [c.status for c in seen.collections] == [Status.COMPLETE]


def test_a_closed_port(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    port = serve(town, ("ipv4",)).port
    seen = look(f"http://{HOST}:{port}/", addresses={HOST: BOTH}, tries=9)
    six = seen.visit("ipv6")
    assert (six.address, six.ok, six.status) == ("::1", False, None)
    assert six.problem == "连接被拒绝：端口没有监听，或被防火墙拒绝"
    quality = seen.quality("ipv6")
    assert (quality.tries, quality.succeeded, quality.loss, quality.page_ms) == (3, 0, 1.0, None)
    assert seen.quality("ipv4").succeeded == 9
    assert seen.site.delay_ms is not UNKNOWN  # the visitor comes in over IPv4


def test_other_content(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    def pages(family: str, host: str, path: str) -> Any:
        return html(HOME) if family == "ipv4" else html("<h1>Welcome to nginx!</h1>")

    port = serve(pages).port
    seen = look(f"http://{HOST}:{port}/", addresses={HOST: BOTH}, links=0)
    assert seen.visit("ipv6").ok is True
    assert seen.site.similarity < 0.5


def test_a_redirect_to_a_host_without_ipv6(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    def pages(family: str, host: str, path: str) -> Any:
        if host == HOST:
            return 302, {"Location": f"http://old.site.gov.cn:{port}/"}, b""
        return html(HOME)

    port = serve(pages).port
    seen = look(f"http://{HOST}:{port}/", addresses={HOST: BOTH, "old.site.gov.cn": ["127.0.0.1"]})
    six = seen.visit("ipv6")
    assert (six.ok, six.address) == (False, "::1")
    assert six.problem == "跳转到 old.site.gov.cn 之后：该主机没有 IPv6 地址"
    assert seen.visit("ipv4").url == f"http://old.site.gov.cn:{port}/"


def test_a_loop_that_only_ipv6_has(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    def pages(family: str, host: str, path: str) -> Any:
        return html(HOME) if family == "ipv4" else (302, {"Location": "/a" if path != "/a" else "/b"}, b"")

    site = serve(pages)
    seen = look(f"http://{HOST}:{site.port}/", addresses={HOST: BOTH}, links=0)
    assert "跳转成环" in seen.visit("ipv6").problem
    assert sum(family == "ipv6" for family, *_ in site.requests) < 40


def test_a_page_that_wants_its_cookie_back(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    site: Any = None

    def pages(family: str, host: str, path: str) -> Any:
        cookie = site.requests[-1][3].get("Cookie", "")
        return (
            html(HOME)
            if cookie == "pass=1"
            else (302, {"Location": path, "Set-Cookie": "pass=1; Path=/"}, b"")
        )

    site = serve(pages)
    seen = look(f"http://{HOST}:{site.port}/", addresses={HOST: BOTH}, links=0, tries=1)
    assert seen.visit("ipv4").ok is True


def test_certificates_of_each_family(
    serve: Callable[..., Any], look: Callable[..., Any], pem_of: Callable[..., Path]
) -> None:
    right, wrong = pem_of(HOST), pem_of("default.invalid")
    port = serve(town, pem={"ipv4": right, "ipv6": wrong}).port
    seen = look(f"https://{HOST}:{port}/", addresses={HOST: BOTH}, ca_file=str(right), links=0, tls=True)
    four, six = seen.visit("ipv4"), seen.visit("ipv6")
    assert four.ok is six.ok is True
    assert four.certificate_problem is None
    assert six.certificate_problem
    assert len(four.certificate) == len(six.certificate) == 64
    assert four.certificate != six.certificate
    offered = {v.version for v in four.versions if v.offered}
    assert {"TLS 1.2", "TLS 1.3"} <= offered
    assert msgspec.to_builtins(four.versions) == msgspec.to_builtins(six.versions)


def test_hosts_of_others_and_of_the_own_domain(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    body = (
        '<img src="http://cdn.old.com:{p}/a.png"><a href="http://cdn.old.com:{p}/">x</a>'
        '<script src="//six.example.com:{p}/x.js"></script><a href="http://inner.site.gov.cn:{p}/">内</a>'
        '<img src="http://img.site.gov.cn:{p}/l.png"><a href="http://somewhere.else.org:{p}/">外</a>'
    )
    site: Any = None

    def pages(family: str, host: str, path: str) -> Any:
        return html(body.format(p=site.port))

    site = serve(pages)
    names = {
        HOST: BOTH, "cdn.old.com": ["127.0.0.1"], "six.example.com": BOTH, "inner.site.gov.cn": ["127.0.0.1"],
        "img.site.gov.cn": ["127.0.0.1"], "somewhere.else.org": BOTH,
    }  # fmt: skip
    seen = look(f"http://{HOST}:{site.port}/", addresses=names)
    rows = {
        link.url.split("/")[2].split(":")[0]: (link.external, link.embedded, link.ipv6)
        for link in seen.site.links
    }
    assert rows == {
        "cdn.old.com": (True, True, False),
        "six.example.com": (True, True, True),
        "inner.site.gov.cn": (False, False, False),
        "img.site.gov.cn": (False, True, False),
        "somewhere.else.org": (True, False, True),
    }
    asked = {host for _, host, _, _ in site.requests}
    assert asked == {HOST, "inner.site.gov.cn"}  # no page of others, no picture
    unasked = look(f"http://{HOST}:{site.port}/", addresses=names, external=False)
    assert unasked.link("six.example.com").ipv6 is UNKNOWN


def test_a_budget_that_ends(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    def pages(family: str, host: str, path: str) -> Any:
        return html("".join(f'<a href="/{n}">{n}</a>' for n in range(9)))

    port = serve(pages).port
    seen = look(f"http://{HOST}:{port}/", addresses={HOST: BOTH}, links=3)
    assert [link.ipv6 is UNKNOWN for link in seen.site.links] == [False] * 3 + [True] * 6
    assert seen.site.all_links is False
    assert [c.status for c in seen.collections] == [Status.COMPLETE]  # the row tells what is missing
    assert "链接没有全部检查" in seen.collections[0].reason


def test_robots_are_heeded(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    def pages(family: str, host: str, path: str) -> Any:
        if path == "/robots.txt":
            return 200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /news\n"
        return town(family, host, path)

    site = serve(pages)
    seen = look(f"http://{HOST}:{site.port}/", addresses={HOST: BOTH})
    assert seen.link("/news/").ipv6 is UNKNOWN
    assert "robots.txt" in seen.link("/news/").problem
    assert not any(path.startswith("/news") for _, _, path, _ in site.requests)
    look(f"http://{HOST}:{site.port}/", addresses={HOST: BOTH}, robots=False)
    assert any(path.startswith("/news") for _, _, path, _ in site.requests)


def test_no_private_address_that_nobody_named(serve: Callable[..., Any], look: Callable[..., Any]) -> None:
    site: Any = None

    def pages(family: str, host: str, path: str) -> Any:
        if path == "/":
            return html(f'<a href="http://127.0.0.1:{site.port}/secret">x</a>')
        return html("secret")

    site = serve(pages)
    seen = look(f"http://{HOST}:{site.port}/", addresses={HOST: BOTH})
    link = seen.link("/secret")
    # an IPv4 address has no IPv6; what matters is that nobody went there
    assert link.ipv6 is False
    assert not any(path == "/secret" for _, _, path, _ in site.requests)

    def redirecting(family: str, host: str, path: str) -> Any:
        return (
            (302, {"Location": f"http://[::1]:{site.port}/secret"}, b"") if host == HOST else html("secret")
        )

    site = serve(redirecting)
    seen = look(f"http://{HOST}:{site.port}/", addresses={HOST: BOTH})
    assert seen.visit("ipv6").ok is UNKNOWN
    assert "内网地址" in seen.visit("ipv6").problem
    assert seen.collections[0].status is Status.PARTIAL
    allowed = look(f"http://{HOST}:{site.port}/", addresses={HOST: BOTH}, private_hosts=["::1"])
    assert allowed.visit("ipv6").ok is True


def test_neither_family_answers(look: Callable[..., Any], serve: Callable[..., Any]) -> None:
    seen = look(f"http://{HOST}/", addresses={HOST: []})
    assert seen.sites == []
    assert [c.status for c in seen.collections] == [Status.FAILED]
    assert seen.collections[0].reason.startswith("两个协议族都没有得到应答")


def test_a_recording_replays_to_the_same(
    serve: Callable[..., Any], source_of: Callable[..., Any], tmp_path: Path
) -> None:
    port = serve(town).port
    source = source_of(f"http://{HOST}:{port}/", addresses={HOST: BOTH}, links=3)
    path = tmp_path / "recording"
    live = collector("website").record(source, Run(source), path)
    again = replaying(path)
    replayed = list(collector("website").collect(again, Run(again)))
    assert [plain(r) for b in replayed for r in b.resources] == [plain(r) for b in live for r in b.resources]
    assert [c.reason for b in replayed for c in b.collections] == [
        c.reason for b in live for c in b.collections
    ]


@pytest.mark.parametrize("routed", ["ipv6", "ipv4"])
def test_the_doctor_tells_each_family(
    serve: Callable[..., Any], source_of: Callable[..., Any], routed: str
) -> None:
    port = serve(town, (routed,)).port
    source = source_of(f"http://{HOST}:{port}/", addresses={HOST: BOTH})
    (line,) = collector("website").probe(source, Run(source))
    assert line.ok is True
    assert {"ipv4": "IPv4 可连接", "ipv6": "IPv6 可连接"}[routed] in line.detail
    assert "连接被拒绝" in line.detail

"""What a page says: characters, links, claims, likeness; addresses as people and pages write them."""

from __future__ import annotations

import gzip
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.website import guard
from collectors.website.mapping import plain
from collectors.website.page import likeness, read, text_of
from collectors.website.urls import domain_of, server_of, site_of, url_of

AT = site_of("https://www.city.gov.cn/a/index.html")


@pytest.mark.parametrize(
    ("body", "declared"),
    [
        ("政务服务".encode("gbk"), "gb2312"),
        ("政务服务".encode("gb18030"), "GBK"),
        (
            b'<meta http-equiv="Content-Type" content="text/html; charset=gb2312">'
            + "政务服务".encode("gbk"),
            "",
        ),
        (b'<meta charset="utf-8">' + "政务服务".encode(), ""),
        ("政务服务".encode(), ""),
        ("政务服务".encode("gbk"), ""),
        ("政务服务".encode("utf-8-sig"), "gbk"),
        ("政务服务".encode(), "no-such-charset"),
        ("政务服务".encode(), "hex"),
    ],
)
def test_characters(body: bytes, declared: str) -> None:
    assert text_of(body, declared).endswith("政务服务")


def test_links_that_are_pages_and_links_that_are_loaded() -> None:
    page = read(
        b"""<base href="/b/"><a href="x.html#top">1</a><a href="/y?id=3">2</a><img src=//cdn.cn/i.png>
        <link rel=stylesheet href=s.css><link rel=canonical href=/c><script src="http://o.cn/j.js"></script>
        <a href="javascript:alert(1)">3</a><a href="FILE:///etc/passwd">4</a><a href="mailto:a@b.cn">5</a>
        <a href="ftp://f.cn/">6</a><a href="https://user:secret@u.cn/p">7</a><a href="http://[bad">8</a>
        <a href=" java\nscript:alert(1)">9</a><iframe src="https://f.cn/"></iframe><a href="data:text/html,x">0</a>""",
        "",
        AT,
    )
    assert {(link.url, link.embedded) for link in page.links} == {
        ("https://www.city.gov.cn/b/x.html", False),
        ("https://www.city.gov.cn/y?id=3", False),
        ("https://cdn.cn/i.png", True),
        ("https://www.city.gov.cn/b/s.css", True),
        ("http://o.cn/j.js", True),
        ("https://u.cn/p", False),
        ("https://f.cn/", True),
    }


@pytest.mark.parametrize(
    "text",
    ["本网站已支持IPv6", "本站支持 IPv6 访问", "支持IPv4/IPv6", "IPv6 network supported", "IPv6网络已支持"],
)
def test_a_claim(text: str) -> None:
    assert read(f"<p>{text}</p>".encode(), "", AT).claims
    assert read(f'<img alt="{text}">'.encode(), "", AT).claims


@pytest.mark.parametrize("text", ["尚不支持IPv6", "本站未支持IPv6", "推进 IPv6 规模部署", "关于 IPv6 的通知"])
def test_no_claim(text: str) -> None:
    assert not read(f"<p>{text}</p>".encode(), "", AT).claims


def test_scripts_are_no_text() -> None:
    one = read("<p>正文</p><script>var a=1;</script><style>p{}</style>".encode(), "", AT)
    other = read("<p>正文</p><script>var b=2222;</script><style>b{}</style>".encode(), "", AT)
    assert likeness(one, other) == 1.0


def test_likeness_is_of_text_and_of_structure() -> None:
    one = read("<p>甲甲甲</p><p>乙</p>".encode(), "", AT)
    assert likeness(one, read("<p>甲甲甲</p><p>丁</p>".encode(), "", AT)) == 0.75
    assert likeness(one, read("<p>甲甲甲</p><b>乙</b>".encode(), "", AT)) < 1.0
    assert (
        likeness(read("<p>访问 123 次</p>".encode(), "", AT), read("<p>访问 98 次</p>".encode(), "", AT))
        == 1.0
    )
    assert likeness(read(b"", "", AT), read(b"", "", AT)) == 1.0


def test_a_page_that_sends_its_reader_on() -> None:
    assert (
        read(b'<meta http-equiv=Refresh content="0; url=/home/">', "", AT).refresh
        == "https://www.city.gov.cn/home/"
    )
    assert read(b'<meta http-equiv=refresh content="600">', "", AT).refresh == ""
    assert read(b'<meta http-equiv=refresh content="600;url=/x">', "", AT).refresh == ""


def test_a_million_links_are_cut() -> None:
    body = b"".join(b'<a href="/%d">' % n for n in range(9_000))
    page = read(body, "", AT)
    assert page.cut
    assert len(page.links) == 3000


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=400), st.sampled_from(["", "gbk", "utf-16", "utf-7", "rot13"]))
def test_no_bytes_upset_the_reader(body: bytes, declared: str) -> None:
    read(body, declared, AT)
    read(b"<html><body><p>" * 300 + body, declared, AT)


def test_sites() -> None:
    assert str(site_of("https://WWW.City.GOV.cn:443")) == "https://www.city.gov.cn/"
    assert str(site_of("http://中国.cn/x y")) == "http://xn--fiqs8s.cn/x%20y"
    assert str(site_of("http://[2001:DB8::1]:8080/")) == "http://[2001:db8::1]:8080/"
    for text in (
        "www.city.gov.cn",
        "ftp://a.cn/",
        "https:///x",
        "http://a b/",
        "http://a.cn:0/",
        "http://a.cn:99999/",
    ):
        with pytest.raises(ValueError, match="不认识的网址"):
            site_of(text)
    with pytest.raises(ValueError, match="账号口令") as told:
        site_of("https://admin:Secret-1@a.cn/")
    assert "Secret-1" not in str(told.value)


def test_links_hold_no_line_breaks_and_no_account() -> None:
    assert str(url_of("https://u:p@a.cn/x\r\nHost: evil")) == "https://a.cn/xHost:%20evil"
    assert url_of("x" * 3000, AT) is None


def test_registrable_domains() -> None:
    assert domain_of("zwfw.bj.gov.cn") == domain_of("www.bj.gov.cn") == "bj.gov.cn"
    assert domain_of("www.sh.gov.cn") != domain_of("www.bj.gov.cn")
    assert domain_of("10.0.0.1") == "10.0.0.1"
    assert domain_of("intranet") == "intranet"


def test_resolvers() -> None:
    assert server_of("10.0.0.53") == ("10.0.0.53", 53)
    assert server_of("10.0.0.53:5353") == ("10.0.0.53", 5353)
    assert server_of("2001:db8::53") == ("2001:db8::53", 53)
    assert server_of("[2001:db8::53]:5353") == ("2001:db8::53", 5353)
    for text in ("dns.cn", "10.0.0.1:x", "10.0.0.1:0", ""):
        with pytest.raises(ValueError, match="解析服务器"):
            server_of(text)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("223.5.5.5", True), ("10.0.0.1", False), ("127.0.0.1", False), ("169.254.169.254", False),
        ("100.64.0.1", False), ("224.0.0.1", False), ("0.0.0.0", False), ("2400:3200::1", True), ("::1", False),
        ("fe80::1", False), ("fd00::1", False), ("::ffff:10.0.0.1", False), ("::ffff:223.5.5.5", True),
        ("64:ff9b::10.0.0.1", False), ("64:ff9b::df05:505", True), ("2002:0a00:0001::1", False), ("ff02::1", False),
    ],
)  # fmt: skip
def test_addresses_that_nobody_named(address: str, public: bool) -> None:
    assert guard.public(address) is public


def test_a_way_to_loopback_is_there() -> None:
    assert guard.routed("127.0.0.1")
    assert not guard.routed("fe80::1")  # of which link?


def test_text_that_moves_a_terminal() -> None:
    assert plain("a\x1b[2Jb\u202ec\r\nd") == "a[2Jbcd"


def test_a_bomb_is_unpacked_to_its_limit_only() -> None:
    from collectors.website.wire import _Body, zlib

    body = _Body(1000)
    body.unpack = zlib.decompressobj(wbits=47)
    began = time.process_time()
    assert body.take(gzip.compress(b"\0" * 20_000_000)) is False
    assert len(body.held) == 1000
    assert time.process_time() - began < 60

"""Why a page was not had, in words (中文). A key tells one cause from the others."""

from __future__ import annotations

from typing import Final, Literal

Problem = Literal[
    "", "no_address", "unresolved", "no_route", "private", "refused", "dropped", "unreachable", "tls",
    "silent", "cut", "mtu", "broken", "too_long", "loop", "too_many", "nowhere", "status", "robots",
]  # fmt: skip

WORDS: Final[dict[str, str]] = {
    "no_address": "域名没有 {family} 地址",
    "unresolved": "域名解析失败：{detail}",
    "no_route": "采集机没有 {family}，没有访问",
    "private": "指向内网地址，没有访问",
    "refused": "连接被拒绝：端口没有监听，或被防火墙拒绝",
    "dropped": "连接超时：报文有去无回，被丢弃",
    "unreachable": "网络不可达：{detail}",
    "tls": "TLS 握手失败：{detail}",
    "silent": "连接建立后，时限内没有收到应答",
    "cut": "应答没有收全",
    "mtu": "小报文能通、大报文不通：路径 MTU 黑洞",
    "broken": "应答不合 HTTP：{detail}",
    "too_long": "应答头过长",
    "loop": "跳转成环",
    "too_many": "跳转次数过多",
    "nowhere": "跳转到不是网页的地址",
    "status": "应答状态码 {detail}",
    "robots": "robots.txt 不许访问，没有访问",
}
NOT_ASKED: Final = frozenset({"unresolved", "no_route", "private", "robots"})
"""Causes that lie with us: they say nothing about the site."""
NO_CONNECTION: Final = frozenset({"refused", "dropped", "unreachable"})
_FAMILY: Final = {"ipv4": "IPv4", "ipv6": "IPv6"}


def words(problem: str, family: str, detail: str = "", host: str = "") -> str:
    """A sentence for the user. ``host``: where a redirect had led to."""
    text = WORDS[problem].format(family=_FAMILY[family], detail=detail)
    if host:
        return f"跳转到 {host} 之后：{text.replace('域名没有', '该主机没有')}"
    return text

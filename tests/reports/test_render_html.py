"""The HTML report: one file that loads nothing, runs nothing, and prints."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from policies.assessment import Assessment
from reports.dengbao import dengbao
from reports.render_html import css_string, render_html


class Elements(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)


def test_nothing_is_loaded_and_nothing_runs(assessment: Assessment) -> None:
    source = render_html(dengbao(assessment, created_at=assessment.taken_at))
    elements = Elements(source).found
    assert {tag for tag, _ in elements}.isdisjoint({"script", "link", "img", "iframe", "object", "base"})
    for tag, attributes in elements:
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes), tag
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in source
    assert "@import" not in source


def test_the_policy_allows_this_style_sheet_alone(assessment: Assessment) -> None:
    source = render_html(dengbao(assessment, created_at=assessment.taken_at))
    css = source.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = next(a["content"] for t, a in Elements(source).found if a.get("http-equiv"))
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_a_marking_cannot_leave_its_css_string(assessment: Assessment) -> None:
    source = render_html(
        dengbao(assessment, created_at=assessment.taken_at, marking='内部"; } body{display:none} </style>')
    )
    css = source.split("<style>")[1].split("</style>")[0]
    assert "display:none}" not in css
    assert css_string('a"}\n') == '"a\\000022\\00007d\\00000a"'
    assert 'content: "内部' in css


def test_the_table_of_contents_leads_to_every_chapter(assessment: Assessment) -> None:
    source = render_html(dengbao(assessment, created_at=assessment.taken_at))
    ids = {a["id"] for _, a in Elements(source).found if a.get("id")}
    links = {(a["href"] or "")[1:] for t, a in Elements(source).found if t == "a"}
    assert links < ids
    assert len(links) > 25
    entries = re.findall(r'<li class="level1"><a href="#h\d+">([^<]+)</a>', source)
    assert entries[:8] == [
        "1 自查项目概述",
        "2 被测对象描述",
        "3 单项测评结果分析",
        "4 整体测评",
        "5 安全问题风险分析",
        "6 总体评价",
        "7 自查初判",
        "8 安全问题整改建议",
    ]
    assert [e[:4] for e in entries[8:]] == [f"附录 {letter}" for letter in "ABCDEFGHIJK"]


def test_it_prints_on_a4_with_page_numbers_and_marking(assessment: Assessment) -> None:
    source = render_html(dengbao(assessment, created_at=assessment.taken_at, marking="敏感"))
    assert "size: A4" in source
    assert '@top-right { content: "敏感"' in source
    assert '"第 " counter(page) " 页 / 共 " counter(pages) " 页"' in source
    assert "编制时间 2026-11-22 09:30（北京时间）" in source

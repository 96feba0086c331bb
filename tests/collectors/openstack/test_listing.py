"""Paging, as the services link their pages, on recordings cut into pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Run, Source
from collectors.openstack.client import ServiceError
from collectors.openstack.listing import Ask, pages, rows
from collectors.openstack.replay import ReplayClient

Lines = list[dict[str, Any]]
LINKS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "servers": lambda key, href: {f"{key}_links": [{"rel": "next", "href": href}]},
    "ports": lambda key, href: {
        f"{key}_links": [{"rel": "previous", "href": "x"}, {"rel": "next", "href": href}]
    },
    "images": lambda key, href: {"next": href},
    "volume_types": lambda key, href: {"volume_type_links": [{"rel": "next", "href": href}]},
    "projects": lambda key, href: {"links": {"next": href, "self": "x", "previous": None}},
}


def paged(key: str, count: int, loop: bool = False) -> Callable[[Lines], None]:
    """Two rows a page; the last links back to the first where ``loop``."""

    def edit(lines: Lines) -> None:
        del lines[2:]
        for number in range(count):
            params = {"limit": "2"} | ({"marker": str(number)} if number else {})
            body: dict[str, Any] = {key: [{"id": f"{number}-{i}"} for i in range(2)]}
            if number < count - 1 or loop:
                after = (number + 1) % count
                marker = f"&marker={after}" if after else ""
                body |= LINKS[key](key, f"http://127.0.0.1:1/v2/{key}?limit=2{marker}")
            lines.append(
                {"service": "image", "path": f"/{key}", "params": params, "status": 200, "body": body}
            )

    return edit


def read_all(path: Path, key: str) -> tuple[int, str | None]:
    source = Source(name="zw", type="openstack")
    ask = Ask(service="image", path=f"/{key}", key=key, params={"limit": "2"})
    bodies, evidence, reason = [], set(), None
    try:
        for page in pages(ReplayClient(path), Run(source), ask):
            bodies.append(page.body)
            evidence.add(page.evidence.origin)
    except ServiceError as error:
        reason = error.reason
    found, _ = rows(bodies, key, dict)
    assert len(evidence) == len(bodies)
    assert len({row["id"] for row in found}) == len(found)
    return len(found), reason


@pytest.mark.parametrize("key", sorted(LINKS))
def test_links_are_followed_to_the_end(key: str, edited: Callable[..., Path]) -> None:
    assert read_all(edited(paged(key, 4)), key) == (8, None)


def test_a_list_whose_links_lead_nowhere_is_read_by_offset(edited: Callable[..., Path]) -> None:
    """Manila links every full page to a marker, and then does not heed markers."""

    def edit(lines: Lines) -> None:
        del lines[2:]
        for offset, count in ((0, 2), (2, 2), (4, 1)):
            rows_ = [{"id": f"s{offset + i}"} for i in range(count)]
            body = {"shares": rows_, "shares_links": [{"rel": "next", "href": "http://h/shares?marker=s1"}]}
            params = {"limit": "2", "offset": str(offset)}
            lines.append(
                {"service": "share", "path": "/shares", "params": params, "status": 200, "body": body}
            )

    ask = Ask(
        service="share", path="/shares", key="shares", params={"limit": "2", "offset": "0"}, by_offset=True
    )
    found = [
        row["id"]
        for page in pages(ReplayClient(edited(edit)), Run(Source(name="zw", type="openstack")), ask)
        for row in rows([page.body], "shares", dict)[0]
    ]
    assert found == ["s0", "s1", "s2", "s3", "s4"]


def test_pages_that_lead_back_end_with_an_error(edited: Callable[..., Path]) -> None:
    assert read_all(edited(paged("ports", 3, loop=True)), "ports") == (
        6,
        "GET /ports 的翻页在兜圈子",
    )


def test_a_page_that_fails_keeps_the_earlier_ones(edited: Callable[..., Path]) -> None:
    def edit(lines: Lines) -> None:
        paged("servers", 3)(lines)
        lines[-1]["status"] = 500

    count, error = read_all(edited(edit), "servers")
    assert count == 4
    assert "HTTP 500" in str(error)


@pytest.mark.parametrize("body", [None, [], {"other": []}, {"servers": {}}, {"servers": None}, "text", {}])
def test_an_answer_that_is_no_list_is_an_error(body: object, edited: Callable[..., Path]) -> None:
    def edit(lines: Lines) -> None:
        paged("servers", 1)(lines)
        lines[-1]["body"] = body

    count, error = read_all(edited(edit), "servers")
    assert count == 0
    assert error is not None

"""What a page says: its links, its text and structure as figures to compare, and whether it claims IPv6.
Pure.

No text of a page is kept: pieces of text become short hashes, each with its length as its weight.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from hashlib import blake2b
from typing import Any, Final

import msgspec

from collectors.website.urls import Url, url_of

_MOST_LINKS: Final = 3000
_MOST_PIECES: Final = 20_000
_LONGEST_REFRESH = 10  # seconds; a page that goes on later is a page of its own
_SILENT: Final = frozenset({"script", "style", "noscript", "template"})
_GO: Final = {"a": "href", "area": "href"}
_LOAD: Final = {
    "img": "src", "script": "src", "iframe": "src", "frame": "src", "embed": "src", "source": "src",
    "video": "src", "audio": "src", "input": "src", "object": "data",
}  # fmt: skip
_LINKING: Final = frozenset({*_GO, *_LOAD, "link", "meta"})
_LOADED_RELATIONS: Final = frozenset({"stylesheet", "icon", "preload", "modulepreload"})
_CHARSET: Final = re.compile(
    rb"<meta[^>]{0,200}?charset\s{0,8}=\s{0,8}[\"']?\s{0,8}([\w-]{2,40})", re.IGNORECASE
)
_REFRESH: Final = re.compile(
    r"^\s{0,8}(\d{1,4})\s{0,8}[;,]\s{0,8}(?:url\s{0,8}=)?\s{0,8}[\"']?([^\"']+)", re.IGNORECASE
)
_CLAIM: Final = re.compile(
    r"(?<![不未])(?:已|全面|可)?支持\s{0,4}(?:IPv4\s{0,4}[/和、与]\s{0,4})?IPv6"
    r"|IPv6\s{0,4}(?:网络|访问|协议)?\s{0,4}已?(?<![不未])支持"
    r"|supports?\s{1,4}IPv6|IPv6\s{1,4}(?:network\s{1,4})?(?:supported|ready|enabled)",
    re.IGNORECASE,
)
_DIGITS: Final = re.compile(r"\d+")


class Anchor(msgspec.Struct, array_like=True):
    """A link of a page; ``embedded``: the page loads it by itself."""

    url: str
    embedded: bool = False


class Page(msgspec.Struct, kw_only=True, omit_defaults=True):
    """``pieces``: hash of a piece of visible text → its characters, as often as it stands there; ``marks``:
    element under its parent → how often; ``refresh``: where the page sends its reader at once. ``cut``: there
    were more links than are kept."""

    links: list[Anchor] = msgspec.field(default_factory=list)
    pieces: dict[str, int] = msgspec.field(default_factory=dict)
    marks: dict[str, int] = msgspec.field(default_factory=dict)
    claims: bool = False
    refresh: str = ""
    cut: bool = False


def text_of(body: bytes, declared: str) -> str:
    """A page's characters: by its byte order mark, by what HTTP declared, by its own meta element, else
    UTF-8,
    else GB 18030. GB 2312 and GBK are read as GB 18030, which holds both (as browsers do)."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if body.startswith(mark):
            return body.decode(name, "replace")
    found = _CHARSET.search(body[:4096])
    for name in (declared, found.group(1).decode("ascii", "ignore") if found else ""):
        if name:
            try:
                return body.decode("gb18030" if name.lower().startswith(("gb", "x-gb")) else name, "replace")
            except (LookupError, ValueError):  # a codec that is none, or is none of texts
                continue
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("gb18030", "replace")


def read(body: bytes, declared: str, at: Url) -> Page:
    """Read a page. What is no HTML gives an empty page; never raises for what a page holds."""
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    text = text_of(body, declared).replace("\x00", "")
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    return Page() if root is None else _read(root, at)


def _read(root: Any, at: Url) -> Page:
    page, marks, pieces = Page(), Counter[str](), Counter[str]()
    seen: dict[str, Anchor] = {}
    base = at
    for element in root.iter():
        tag, parent = element.tag, element.getparent()
        if not isinstance(tag, str):
            continue
        marks[f"{parent.tag if parent is not None else ''}>{tag}"[:60]] += 1
        if tag == "base" and element.get("href"):
            base = url_of(element.get("href"), at) or base
        if tag in _LINKING:
            _link(element, tag, base, page, seen)
        shown = [element.tail] if tag in _SILENT else [element.text, element.tail, element.get("alt")]
        for raw in shown:
            words = " ".join(raw.split()) if raw else ""
            if words and len(pieces) < _MOST_PIECES and (parent is None or parent.tag not in _SILENT):
                if not page.claims and "v6" in words.lower():
                    page.claims = _CLAIM.search(words) is not None
                words = _DIGITS.sub("0", words)  # numbers are dates and counters more often than not
                key = blake2b(words.encode("utf-8", "replace"), digest_size=6).hexdigest()
                pieces[key] += len(words)
    page.links = list(seen.values())
    page.pieces, page.marks = dict(pieces), dict(marks.most_common(_MOST_PIECES))
    return page


def _link(element: Any, tag: str, base: Url, page: Page, seen: dict[str, Anchor]) -> None:
    if tag == "meta":
        found = _REFRESH.match(element.get("content") or "") if _is_refresh(element) else None
        if found and int(found.group(1)) <= _LONGEST_REFRESH:
            page.refresh = str(url_of(found.group(2), base) or "")
        return
    embedded = tag in _LOAD
    if tag == "link":
        embedded = bool(_LOADED_RELATIONS & set((element.get("rel") or "").lower().split()))
        value = element.get("href") if embedded else None
    else:
        name = _LOAD.get(tag) or _GO.get(tag)
        value = element.get(name) if name else None
    if value and len(seen) >= _MOST_LINKS:
        page.cut = True
        return
    url = url_of(value, base) if value else None
    if url is None:
        return
    key = str(url)
    if key in seen:
        seen[key].embedded |= embedded
    else:
        seen[key] = Anchor(key, embedded)


def _is_refresh(element: Any) -> bool:
    return (element.get("http-equiv") or "").strip().lower() == "refresh"


def likeness(one: Page, other: Page) -> float:
    """How alike two pages are, 0 to 1: the smaller of two Dice coefficients (2·common / sum of both), one of
    pieces of visible text weighted by their length, one of elements under their parents. Numbers in the text
    count as equal."""
    return min(_dice(one.pieces, other.pieces), _dice(one.marks, other.marks))


def _dice(one: dict[str, int], other: dict[str, int]) -> float:
    both = sum(one.values()) + sum(other.values())
    if not both:
        return 1.0
    return round(2 * sum(min(count, other.get(key, 0)) for key, count in one.items()) / both, 4)

"""A document as one self-contained HTML file: no script, nothing loaded from anywhere.

All text passes ``visible`` and the template's autoescape. The content security policy allows one style
sheet, by its hash, and nothing else; so a hole in the escaping would still run nothing.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache

import jinja2
from markupsafe import Markup

from reports.document import TONE_MARK, Block, Cell, Contents, Document, Heading, Table
from reports.visible import visible


def render_html(document: Document) -> str:
    """The whole page as text; write it as UTF-8."""
    css = _style(document.marking)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return _template().render(
        document=document,
        css=Markup(css),  # noqa: S704 - our own sheet; the marking in it is escaped as a CSS string
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        anchors=anchors(document.blocks),
        contents=_contents(document.blocks),
    )


def anchors(blocks: list[Block]) -> dict[int, str]:
    """Index of a heading's block → its anchor."""
    return {i: f"h{i}" for i, block in enumerate(blocks) if isinstance(block, Heading)}


def _contents(blocks: list[Block]) -> list[tuple[int, int, str]]:
    """(index, level, text) of the headings after the table of contents."""
    place = next((i for i, block in enumerate(blocks) if isinstance(block, Contents)), None)
    if place is None:
        return []
    depth = blocks[place].depth  # type: ignore[union-attr]
    return [
        (i, block.level, block.text)
        for i, block in enumerate(blocks)
        if i > place and isinstance(block, Heading) and block.level <= depth
    ]


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = visible
    environment.filters["widths"] = column_percent
    environment.tests["cell"] = lambda value: isinstance(value, Cell)
    environment.globals["marks"] = TONE_MARK
    return environment


def _template() -> jinja2.Template:
    return _environment().get_template("document.html.j2")


def column_percent(table: Table) -> list[str]:
    """Widths of a table's columns as they stand in ``<col width>``."""
    widths = table.widths or [1.0] * len(table.columns)
    return [f"{100 * width / sum(widths):.1f}%" for width in widths]


def _style(marking: str) -> str:
    source, _, _ = jinja2.PackageLoader("reports").get_source(_environment(), "document.css")
    return source.replace("%MARKING%", css_string(visible(marking)))


def css_string(text: str) -> str:
    """A CSS string literal in which every character that is not a letter or digit is escaped."""
    return '"' + "".join(c if c.isalnum() else f"\\{ord(c):06x}" for c in text) + '"'

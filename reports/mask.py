"""A document with its addresses masked, to hand to readers who need the result and not the network."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import msgspec

from reports.document import Block, Bullets, Cell, Document, Facts, Heading, Paragraph, Table

_V4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?=[/:])")
_V6 = re.compile(r"(?<![\w:])[0-9a-fA-F]{0,4}:[0-9a-fA-F:]*:[0-9a-fA-F:.]*")


def masked(document: Document, keep: Collection[str] = ()) -> Document:
    """Addresses keep their first half (10.1.x.x, 2001:db8::x); any, loopback and what stands in ``keep``
    (clause numbers read like addresses) stay as they are."""

    def change(text: str) -> str:
        text = _V4.sub(lambda match: _v4(match[0], keep), text)
        return _V6.sub(lambda match: _v6(match[0], keep), text)

    return msgspec.structs.replace(
        document, subtitle=change(document.subtitle), blocks=[_block(b, change) for b in document.blocks]
    )


def _v4(text: str, keep: Collection[str]) -> str:
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return text
    if text in keep or address.is_unspecified or address.is_loopback:
        return text
    first, second, *_ = text.split(".")
    return f"{first}.{second}.x.x"


def _v6(text: str, keep: Collection[str]) -> str:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return text
    if text in keep or address.is_unspecified or address.is_loopback:
        return text
    first, second, *_ = address.exploded.split(":")
    return f"{first}:{second}::x"


def _block(block: Block, change: Callable[[str], str]) -> Block:
    def cell(value: str | Cell) -> str | Cell:
        return (
            change(value)
            if isinstance(value, str)
            else msgspec.structs.replace(value, text=change(value.text))
        )

    match block:
        case Heading():
            return Heading(change(block.text), block.level)
        case Paragraph():
            return Paragraph(change(block.text), block.tone)
        case Bullets():
            return Bullets([change(item) for item in block.items])
        case Facts():
            return Facts([(label, cell(value)) for label, value in block.rows])
        case Table():
            rows = [[cell(value) for value in row] for row in block.rows]
            return msgspec.structs.replace(block, rows=rows, caption=change(block.caption))
        case _:
            return block

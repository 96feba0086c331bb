"""Device text on its way into machine-read documents."""

from __future__ import annotations

import json
from xml.etree import ElementTree as Xml

from hypothesis import given
from hypothesis import strategies as st

from exporters.plain import json_bytes, line, xml_text

ANY = st.text(st.characters(exclude_categories=()))


@given(ANY)
def test_xml_text_always_parses_and_keeps_what_xml_allows(text: str) -> None:
    element = Xml.Element("a", {"b": xml_text(text)})
    element.text = xml_text(text)
    read = Xml.fromstring(Xml.tostring(element, encoding="utf-8"))
    assert (read.text or "") == xml_text(text).replace("\r\n", "\n").replace("\r", "\n")
    assert read.attrib["b"].count("\ufffd") == xml_text(text).count("\ufffd")


@given(ANY)
def test_a_line_is_one_line_that_encodes(text: str) -> None:
    assert len(line(text).splitlines()) <= 1
    assert line(text).encode().decode() == line(text)
    assert "\u202e" not in line(text)


@given(st.dictionaries(ANY, st.lists(ANY | st.none() | st.floats())))
def test_json_of_any_text(document: dict[str, list[object]]) -> None:
    content = json_bytes(document)
    assert b"\n" not in content
    assert len(json.loads(content)) <= len(document)

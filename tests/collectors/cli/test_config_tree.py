"""The tree of a configuration: sections, notices, keys, and text that means harm."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.cli.config_tree import MAX_DEPTH, Node, tree


def shape(nodes: list[Node] | tuple[Node, ...]) -> list[object]:
    return [(n.line, n.text, shape(n.children)) if n.children else (n.line, n.text) for n in nodes]


def test_sections_by_indentation_keep_their_lines() -> None:
    text = (
        "#\nsysname A\n#\naaa\n domain default\n  authentication-scheme x\n local-user a level 3\n#\nreturn\n"
    )
    assert shape(tree(text)) == [
        (2, "sysname A"),
        (4, "aaa", [(5, "domain default", [(6, "authentication-scheme x")]), (7, "local-user a level 3")]),
        (9, "return"),
    ]


def test_a_mark_in_the_first_column_ends_every_section_and_one_further_in_does_not() -> None:
    """Comware indents what stands alone by one; VRP parts a section by an indented mark."""
    text = "#\n version 7.1.070\n#\n sysname H3C\n#\nbgp 65001\n #\n ipv4-family unicast\n  peer 10.0.0.2 enable\n"
    assert shape(tree(text)) == [
        (2, "version 7.1.070"),
        (4, "sysname H3C"),
        (6, "bgp 65001", [(8, "ipv4-family unicast", [(9, "peer 10.0.0.2 enable")])]),
    ]


def test_line_ends_tabs_and_nulls_of_terminals() -> None:
    assert shape(tree("interface A\r\n\tshutdown\r\n  mtu\0 9000\r\n!\r\nend\r\n")) == [
        (1, "interface A", [(2, "shutdown"), (3, "mtu 9000")]),
        (5, "end"),
    ]


def test_a_notice_is_no_configuration_whatever_it_looks_like() -> None:
    for begin, end in (("^C", "^C"), ("\x03", "\x03"), ("#", "#"), ("@", "@"), ("%", "%")):
        text = f"banner motd {begin}\ntelnet server enable\n#\n! no\n{end}\nhostname x\n"
        if begin == "#":
            text = text.replace("\n#\n! no", "\n! no", 1)
        nodes = tree(text)
        assert [n.text for n in nodes] == [f"banner motd {begin}".strip(), "hostname x"], begin
        assert nodes[0].last == nodes[1].line - 1
    quoted = 'header login information "\nno telnet\n"\nsysname a\n'
    assert [n.text for n in tree(quoted)] == ['header login information "', "sysname a"]
    assert [n.text for n in tree("banner login %one line%\nhostname x\n")] == [
        "banner login %one line%",
        "hostname x",
    ]
    assert [n.text for n in tree(" header legal\n%\nhello\n%\n sysname a\n")] == ["header legal", "sysname a"]


def test_a_notice_without_an_end_hides_nothing() -> None:
    text = "banner motd ^C\ntelnet server enable\nhostname x\n"
    assert [n.text for n in tree(text)] == ["banner motd ^C", "telnet server enable", "hostname x"]


def test_keys_and_certificates_are_skipped() -> None:
    text = (
        "crypto pki certificate chain T\n certificate self-signed 01\n  3082022B 30820194\n  quit\n"
        "rsa peer-public-key k\n public-key-code begin\n  308188\n  public-key-code end\n peer-public-key end\nend\n"
    )
    assert shape(tree(text)) == [
        (1, "crypto pki certificate chain T", [(2, "certificate self-signed 01")]),
        (5, "rsa peer-public-key k", [(6, "public-key-code begin"), (9, "peer-public-key end")]),
        (10, "end"),
    ]


def test_depth_has_a_bound() -> None:
    nodes = tree("\n".join(" " * i + "x" for i in range(5_000)))
    depth = 0
    while nodes:
        depth, nodes = depth + 1, list(nodes[0].children)
    assert depth <= MAX_DEPTH


@settings(max_examples=60)
@given(st.text(alphabet=st.sampled_from(' \t\r\n#!%^C$"abh\0é中'), max_size=300))
def test_any_text_has_a_tree(text: str) -> None:
    lines = [n.line for n in tree("banner motd " + text)]
    assert lines == sorted(lines)

"""What answers say, from messages as they are written down and from bytes that are none."""

from __future__ import annotations

import pytest
from dns import message, rdatatype
from hypothesis import given
from hypothesis import strategies as st

from collectors.dns.messages import (
    Question,
    follow,
    is_answer,
    is_truncated,
    name_of,
    query,
    reply_of,
    text_of,
)

A = rdatatype.A


def told(rcode: str = "NOERROR", answer: str = "", authority: str = "") -> message.Message:
    text = f"id 1\nopcode QUERY\nrcode {rcode}\nflags QR AA\n;QUESTION\nwww.a.cn. IN A\n;ANSWER\n{answer.strip()}\n"
    return message.from_text(f"{text};AUTHORITY\n{authority}\n;ADDITIONAL\n")


SOA = "a.cn. 60 IN SOA ns.a.cn. root.a.cn. 1 2 3 4 5"
CHAIN = "www.a.cn. 300 IN CNAME b.cn.\nb.cn. 30 IN CNAME c.cn.\n"


@pytest.mark.parametrize(
    ("message_", "names", "how", "ttl"),
    [
        (told(answer="www.a.cn. 60 IN A 192.0.2.1"), ["www.a.cn"], "data", 60),
        (told(authority=SOA), ["www.a.cn"], "no_data", None),
        (told(), ["www.a.cn"], "no_data", None),
        (told("NXDOMAIN", authority=SOA), ["www.a.cn"], "nonexistent", None),
        (told(answer=CHAIN + "c.cn. 90 IN A 192.0.2.1"), ["www.a.cn", "b.cn", "c.cn"], "data", 30),
        (told(answer=CHAIN), ["www.a.cn", "b.cn", "c.cn"], "open", None),
        (told(answer=CHAIN, authority=SOA), ["www.a.cn", "b.cn", "c.cn"], "no_data", None),
        (told("NXDOMAIN", answer=CHAIN), ["www.a.cn", "b.cn", "c.cn"], "nonexistent", None),
        (told(answer=CHAIN + "c.cn. 1 IN CNAME www.a.cn."), ["www.a.cn", "b.cn", "c.cn"], "loop", None),
        (told(answer="other.cn. 60 IN A 192.0.2.66"), ["www.a.cn"], "no_data", None),  # nobody asked for it
    ],
)
def test_where_an_answer_leads(
    message_: message.Message, names: list[str], how: str, ttl: int | None
) -> None:
    ends = follow(message_, name_of("www.a.cn"), A)
    assert ([text_of(name) for name in ends.names], ends.how, ends.ttl) == (names, how, ttl)


def test_a_chain_without_end_is_given_up() -> None:
    links = "".join(f"l{n}.a.cn. 60 IN CNAME l{n + 1}.a.cn.\n" for n in range(40))
    assert follow(told(answer=links), name_of("l0.a.cn"), A).how == "loop"


@pytest.mark.parametrize(
    ("rcode", "problem"), [("SERVFAIL", "servfail"), ("REFUSED", "refused"), ("FORMERR", "other")]
)
def test_an_error_is_no_evidence(rcode: str, problem: str) -> None:
    reply = reply_of(told(rcode).to_wire(), None, 1.0)
    assert (reply.problem, reply.settled) == (problem, None)


def test_a_settled_answer_is_evidence() -> None:
    for rcode in ("NOERROR", "NXDOMAIN"):
        assert reply_of(told(rcode).to_wire(), None, 1.0).settled is not None


ASKED = Question(name_of("www.a.cn"), A)


def test_answers_to_something_else_are_none() -> None:
    asked = query(ASKED, 7)
    answer = bytearray(asked)
    assert not is_answer(asked, 7, asked)  # our own question, come back
    answer[2] |= 0x80
    assert is_answer(bytes(answer), 7, asked)
    assert not is_answer(bytes(answer), 8, asked)
    assert not is_answer(bytes(answer[:11]), 7, asked)
    answer[13:16] = b"WWW"
    assert is_answer(bytes(answer), 7, asked)
    answer[13:16] = b"ftp"
    assert not is_answer(bytes(answer), 7, asked)


def test_the_bit_of_cut_off_answers() -> None:
    assert is_truncated(b"\0\0\x82\0")
    assert not is_truncated(b"\0\0\x80\0")


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(garbage: bytes) -> None:
    for wire in (garbage, told(answer=CHAIN).to_wire()[:12] + garbage):
        reply = reply_of(wire, None, 1.0)
        assert reply.message is None or reply.problem is not None or reply.settled is reply.message


def test_pointers_that_go_round_are_nonsense() -> None:
    head = told().to_wire()[:4] + b"\0\1\0\0\0\0\0\0"
    assert reply_of(head + b"\xc0\x0c\0\1\0\1", None, 1.0).problem == "nonsense"
    far = head + b"\1a" * 200 + b"\0\0\1\0\1"  # a name of more than 255 bytes
    assert reply_of(far, None, 1.0).problem == "nonsense"


def test_control_characters_in_names_are_escaped() -> None:
    odd = told(answer="www.a.cn. 60 IN CNAME \\000\\027[31m.cn.")
    names = [text_of(name) for name in follow(odd, name_of("www.a.cn"), A).names]
    assert names == ["www.a.cn", "\\000\\027[31m.cn"]

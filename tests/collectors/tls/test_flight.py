"""The parser against bytes of real servers, whole, cut and garbled."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.tls.codes import GROUPS_12, GROUPS_13, SCHEMES, suite_names, suites_of
from collectors.tls.flight import LONGEST_BYTES, Answer, Flight, answer_of
from collectors.tls.hello import Hello, encode

HELLO_12 = Hello(
    version="TLS 1.2",
    suites=suites_of("TLS 1.2")[0],
    groups=GROUPS_12,
    schemes=tuple(SCHEMES),
    server_name="www.example",
)
HELLO_13 = Hello(version="TLS 1.3", suites=suites_of("TLS 1.3")[0], groups=GROUPS_13, schemes=tuple(SCHEMES))


@pytest.fixture
def flights(serve_tls: Any, pem_of: Any, keys: Any, flight_of: Callable[[int, Hello], bytes]) -> list[bytes]:
    """What Python's TLS said to a hello of TLS 1.2 and to one of TLS 1.3."""
    old = serve_tls(pem_of("a", key=keys["rsa"]), newest=ssl.TLSVersion.TLSv1_2)
    new = serve_tls(pem_of("a", key=keys["rsa"]))
    return [flight_of(old, HELLO_12), flight_of(new, HELLO_13)]


def test_a_whole_flight(flights: list[bytes]) -> None:
    old, new = map(answer_of, flights)
    assert (old.end, old.version, old.whole, len(old.certificates)) == ("hello", "TLS 1.2", True, 1)
    assert suite_names()[old.suite] == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert (old.group, old.scheme) == (29, 0x0804)
    assert (new.end, new.version, new.whole, new.suite, new.group) == ("hello", "TLS 1.3", True, 0x1301, 29)


def test_piece_by_piece_it_says_the_same(flights: list[bytes]) -> None:
    for raw in flights:
        flight = Flight()
        for byte in raw:
            flight.feed(bytes([byte]))
        assert flight.ended("closed") == answer_of(raw)


def test_cut_anywhere_it_says_no_more_than_it_holds(flights: list[bytes]) -> None:
    for raw in flights:
        whole = answer_of(raw)
        for length in range(len(raw)):
            part = answer_of(raw[:length], "silent")
            assert part.end in ("hello", "silent")
            assert part.suite in (-1, whole.suite)
            assert len(part.certificates) <= len(whole.certificates)
            assert not part.whole or length >= len(raw) - 200  # what may follow a ServerHelloDone


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_garbled_it_is_an_answer_all_the_same(flights: list[bytes], data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(flights)))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, min(len(raw) - 1, 400)))] = data.draw(st.integers(0, 255))
    answer = answer_of(bytes(raw))
    assert isinstance(answer, Answer)
    assert answer.end in ("hello", "alert", "closed", "not_tls", "too_long")
    assert all(isinstance(c, bytes) for c in answer.certificates)


@given(raw=st.binary(max_size=400), head=st.sampled_from([b"", b"\x16\x03\x03", b"\x16\x01\x01\x00"]))
@settings(max_examples=500)
def test_any_bytes_are_an_answer(raw: bytes, head: bytes) -> None:
    assert answer_of(head + raw, "silent").end in ("hello", "alert", "silent", "not_tls")


def test_an_alert_and_a_warning_before_a_hello(flights: list[bytes]) -> None:
    assert answer_of(b"\x15\x03\x01\x00\x02\x02\x46") == Answer(end="alert", alert=70)
    warned = answer_of(b"\x15\x03\x03\x00\x02\x01\x70" + flights[0])
    assert (warned.end, warned.suite) == ("hello", answer_of(flights[0]).suite)
    tlcp = answer_of(b"\x15\x01\x01\x00\x02\x02\x28")
    assert (tlcp.end, tlcp.alert, tlcp.tlcp_record) == ("alert", 40, True)


def test_tlcp_is_believed_only_in_its_own_record() -> None:
    body = b"\1\1" + bytes(32) + b"\0\xe0\x13\0"
    message = b"\2" + len(body).to_bytes(3, "big") + body
    good = answer_of(b"\x16\1\1" + len(message).to_bytes(2, "big") + message)
    assert (good.end, good.version, good.suite) == ("hello", "TLCP 1.1", 0xE013)
    assert answer_of(b"\x16\3\3" + len(message).to_bytes(2, "big") + message).end == "not_tls"


def test_a_flight_without_end_is_left() -> None:
    flight = Flight()
    record = b"\x16\3\3\x40\0" + b"\2\x03\xff\xff" + bytes(16380)
    fed = 0
    while not flight.feed(record):
        fed += len(record)
        assert fed <= LONGEST_BYTES + len(record)
    assert flight.ended("silent").end == "too_long"


def test_a_hello_is_what_the_platform_s_tls_reads() -> None:
    """Python's server takes each form of hello as far as its own flight."""
    assert len(encode(HELLO_12)) >= 517
    for hello in (HELLO_12, HELLO_13):
        raw = encode(hello)
        assert raw[:3] == b"\x16\3\1"
        assert int.from_bytes(raw[3:5], "big") == len(raw) - 5
        assert int.from_bytes(raw[6:9], "big") == len(raw) - 9
    assert (b"www.example" in encode(HELLO_12), b"www.example" in encode(HELLO_13)) == (True, False)


def test_the_key_of_a_question_tells_questions_apart() -> None:
    keys = {h.key for h in (HELLO_12, HELLO_13)}
    keys.add(Hello(version="TLS 1.2", suites=HELLO_12.suites[1:], server_name="www.example").key)
    keys.add(Hello(version="TLS 1.2", suites=HELLO_12.suites[1:], server_name="other.example").key)
    assert len(keys) == 4

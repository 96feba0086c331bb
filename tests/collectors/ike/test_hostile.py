"""Responders that are none, or bad ones: each costs its deadline and no more."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.ike import Options
from collectors.ike.packets import BadPacketError, reply_of
from inventory.coverage import Status

SPI = b"12345678"
QUICK = {"timeout_seconds": 0.1, "attempts": 2, "endpoint_seconds": 5.0}


def refusal(packet: bytes) -> bytes:
    """NO_PROPOSAL_CHOSEN to a message, in its version."""
    if packet[17] == 0x20:
        notify, kind, exchange, flags = struct.pack(">BBHBBH", 0, 0, 8, 0, 0, 14), 41, 34, 0x20
    else:
        notify, kind, exchange, flags = struct.pack(">BBHIBBH", 0, 0, 12, 1, 1, 0, 14), 11, 5, 0
    head = struct.pack(
        ">8s8sBBBBII", packet[:8], b"responde", kind, packet[17], exchange, flags, 0, 28 + len(notify)
    )
    return head + notify


def cookie(packet: bytes) -> bytes:
    body = struct.pack(">BBHBBH", 0, 0, 8 + 6, 0, 0, 16390) + b"cookie"
    return struct.pack(">8s8sBBBBII", packet[:8], bytes(8), 41, 0x20, 34, 0x20, 0, 28 + len(body)) + body


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: None,
        lambda _: b"garbage",
        lambda _: bytes(60000),
        lambda packet: packet[:8] + b"\xff" * 200,
        lambda packet: packet,
        lambda packet: refusal(packet)[:-2],
    ],
)
def test_no_answer_is_unknown(
    answer: Callable[[bytes], bytes | None], responder: Callable[..., int], collect: Callable[..., Any]
) -> None:
    found = collect(f"127.0.0.1:{responder(answer)}", **QUICK)
    (collection,) = found.collections
    assert collection.status in (Status.FAILED, Status.PARTIAL)
    assert collection.reason
    assert collection.remedy
    assert all(v.offered is not True or v.version for r in found.resources for v in r.versions)


def test_a_closed_port_says_so(collect: Callable[..., Any]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    (collection,) = collect(f"127.0.0.1:{port}", **QUICK).collections
    assert (collection.status, collection.reason) == (Status.FAILED, "端口没有监听（ICMP 不可达）")


def test_refusals_are_complete(responder: Callable[..., int], collect: Callable[..., Any]) -> None:
    found = collect(f"127.0.0.1:{responder(refusal)}", timeout_seconds=30.0)
    assert found.collections[0].status is Status.COMPLETE
    assert [v.encryptions for v in found.resources[0].versions] == [[], []]


def test_a_cookie_is_given_back(responder: Callable[..., int], collect: Callable[..., Any]) -> None:
    def answer(packet: bytes) -> bytes:
        asks = packet[17] == 0x20 and b"cookie" not in packet
        return cookie(packet) if asks else refusal(packet)

    found = collect(f"127.0.0.1:{responder(answer)}", timeout_seconds=30.0)
    assert found.collections[0].status is Status.COMPLETE
    assert found.resources[0].versions[1].asked_all is True


def test_one_that_wants_cookies_for_ever_is_not_complete(
    responder: Callable[..., int], collect: Callable[..., Any]
) -> None:
    def answer(packet: bytes) -> bytes:
        return cookie(packet) if packet[17] == 0x20 else refusal(packet)

    found = collect(f"127.0.0.1:{responder(answer)}", timeout_seconds=30.0)
    assert found.collections[0].status is Status.PARTIAL


def test_an_endpoint_has_its_deadline(responder: Callable[..., int], collect: Callable[..., Any]) -> None:
    found = collect(
        f"127.0.0.1:{responder(refusal)}",
        questions_per_second=2.0,
        timeout_seconds=30.0,
        endpoint_seconds=1.2,
    )
    (collection,) = found.collections
    assert collection.status is Status.PARTIAL
    assert "endpoint_seconds" in collection.reason


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    for version in (0x10, 0x20):
        head = SPI + bytes(8) + bytes([content[0] if content else 0, version, 2, 0]) + bytes(4)
        with suppress(BadPacketError):
            reply_of(head + struct.pack(">I", 28 + len(content)) + content, SPI)


@given(st.sampled_from([1, 11, 13, 33, 41, 43]), st.binary(min_size=4, max_size=200))
def test_no_payload_breaks_the_reader(kind: int, body: bytes) -> None:
    content = struct.pack(">BBH", 0, 0, len(body) + 4) + body
    for version in (0x10, 0x20):
        head = SPI + bytes(8) + bytes([kind, version, 2, 0]) + bytes(4)
        with suppress(BadPacketError):
            reply_of(head + struct.pack(">I", 28 + len(content)) + content, SPI)


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"targets": ["a b"]}, {"targets": ["a", "a:500"]}, {"targets": ["a"], "families": []},
        {"targets": ["a"], "attempts": 0}, {"targets": ["a"], "questions_per_second": -1.0},
    ],
)  # fmt: skip
def test_options_that_cannot_be(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - in words of its own each
        Options(**fields)

"""Both drivers on real sockets: who waits for what is resumed with it, and nobody holds the others up."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from collectors.snmp.waiting import alone, elsewhere, readable, side_by_side, sleep


def all_of(tasks, at_once=64):
    """What each coroutine returned or raised, in the order they ended."""
    results = []
    side_by_side([(task, results.append) for task in tasks], at_once)
    return results


@pytest.fixture
def echo():
    """An address that sends every packet back, from one thread."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve():
            while True:
                packet, peer = server.recvfrom(100)
                if packet == b"stop":
                    return
                server.sendto(packet, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()
        server.sendto(b"stop", server.getsockname())
        thread.join(5)


async def rounds(where, number, count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        for at in range(count):
            message = f"{number} {at}".encode()
            client.sendto(message, where)
            assert await readable(client.fileno(), 5)
            assert client.recv(100) == message
    return number


@pytest.mark.parametrize("at_once", [1, 7, 64])
def test_every_conversation_is_its_own(echo, at_once):
    assert sorted(all_of([rounds(echo, n, 10) for n in range(30)], at_once)) == list(range(30))
    assert alone(rounds(echo, 5, 10)) == 5


def test_only_so_many_at_once():
    running, most = set(), []

    async def one(number):
        running.add(number)
        most.append(len(running))
        await sleep(0.01)
        running.discard(number)

    all_of([one(n) for n in range(12)], at_once=4)
    assert max(most) == 4


def test_it_asks_again_for_what_is_not_there_yet():
    given, results = iter([None, sleep(0), None, None, sleep(0)]), []
    side_by_side(((one, results.append) if one else None for one in given), at_once=4)
    assert results == [None, None]


def test_a_new_socket_with_the_number_of_one_that_is_gone(echo):
    async def one(number):
        for _ in range(5):
            await rounds(echo, number, 1)
        return number

    assert all_of([one(1)]) == [1]


@pytest.mark.parametrize("drive", [lambda task: all_of([task])[0], alone])
def test_time_is_up(drive):
    async def wait():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
            deaf.bind(("127.0.0.1", 0))
            return await readable(deaf.fileno(), 0.05)

    assert drive(wait()) is False


@pytest.mark.parametrize("seconds", [0.8, 5.0])
def test_time_is_not_up_before_it_is(seconds):
    ours, theirs = socket.socketpair()

    async def waits():
        return await readable(ours.fileno(), seconds)

    async def answers_late():
        await sleep(0.15)
        theirs.send(b"answer")

    with ours, theirs:
        assert True in all_of([waits(), answers_late()])


def test_an_answer_that_lies_there_is_in_time_however_long_others_took():
    ours, theirs = socket.socketpair()

    async def waits():
        return await readable(ours.fileno(), 0.05)

    async def holds_everybody_up():
        theirs.send(b"answer")
        time.sleep(0.2)

    with ours, theirs:
        assert True in all_of([waits(), holds_everybody_up()])


def test_a_late_answer_wakes_nobody():
    ours, theirs = socket.socketpair()

    async def gives_up():
        first = await readable(ours.fileno(), 0.03)
        theirs.send(b"late")
        await sleep(0.05)
        return first, await readable(ours.fileno(), 0.05)

    with ours, theirs:
        assert all_of([gives_up()]) == [(False, True)]


def test_an_error_is_its_own_and_the_others_go_on():
    async def breaks():
        await sleep(0.0)
        raise ValueError("mine")

    async def works():
        await sleep(0.03)
        return "well"

    error, well = all_of([breaks(), works()])
    assert isinstance(error, ValueError)
    assert well == "well"
    with pytest.raises(ValueError, match="mine"):
        alone(breaks())


@pytest.mark.parametrize("drive", [lambda task: all_of([task])[0], alone])
def test_a_call_elsewhere(drive):
    async def asks():
        found = await elsewhere(lambda: "found")
        with pytest.raises(KeyError):
            await elsewhere(lambda: {}["not there"])
        return found

    assert drive(asks()) == "found"


def test_a_call_that_blocks_holds_up_nobody(echo):
    began, over = threading.Event(), threading.Event()

    def blocks():
        began.set()
        assert over.wait(10)
        return "blocked"

    async def last():
        found = await rounds(echo, 7, 20)
        assert began.wait(10)
        over.set()
        return found

    assert all_of([elsewhere(blocks), last()]) == [7, "blocked"]


def test_it_leaves_no_descriptor_open(echo):
    before = len(list(Path("/proc/self/fd").iterdir()))
    all_of([rounds(echo, 1, 1), elsewhere(lambda: 1)])
    assert len(list(Path("/proc/self/fd").iterdir())) == before

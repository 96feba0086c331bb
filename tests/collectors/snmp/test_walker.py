"""The walker's guards, on engines in memory: whatever an agent does, a walk ends and says how."""

from __future__ import annotations

import bisect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.contract import DeadlineError, Run, Source
from collectors.snmp.engines import AgentError, AuthenticationError, NoAnswerError, TooBigError
from collectors.snmp.tables import Table
from collectors.snmp.waiting import alone
from collectors.snmp.walker import Limits, Walker
from inventory.coverage import Status

ENTRY = (1, 3, 6, 1, 9)
WHOLE = Table(name="t", entry=ENTRY, columns=((1, 4),))
TWO_RANGES = Table(name="t", entry=ENTRY, columns=((1, 2), (4, 4)))


class Agent:
    """A well-behaved agent over a set of OIDs; subclasses misbehave. Counts requests."""

    def __init__(self, oids):
        self.oids = sorted(oids)
        self.requests = 0

    def after(self, oid, count):
        self.requests += 1
        assert self.requests < 1_000, "the walk does not end"
        at = bisect.bisect_right(self.oids, oid)
        return [(o, sum(o)) for o in self.oids[at : at + count]]

    async def get(self, oids, timeout):
        self.requests += 1
        return {o: sum(o) for o in oids if o in self.oids}

    async def get_next(self, oid, timeout):
        return next(iter(self.after(oid, 1)), None)

    async def get_bulk(self, oid, max_repetitions, timeout):
        return self.after(oid, max_repetitions)

    def close(self):
        pass


class Clock:
    def __init__(self, step=0.0):
        self.now, self.step, self.slept = 0.0, step, []

    def __call__(self):
        self.now += self.step
        return self.now

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def walker(agent, clock=None, **limits):
    clock = clock or Clock()
    run = Run(Source(name="s", type="snmp", deadline_seconds=1000), monotonic=clock)
    return Alone(Walker(agent, run, Limits(**limits), monotonic=clock, sleep=clock.sleep))


class Alone:
    """A walker on its own: each walk is run to its end."""

    def __init__(self, reader):
        self.reader = reader

    def walk(self, table):
        return alone(self.reader.walk(table))

    def get(self, oids):
        return alone(self.reader.get(oids))


parts = st.integers(0, 5) | st.integers(0, 2**32 - 1)
inside = st.lists(parts, min_size=1, max_size=4).map(lambda tail: (*ENTRY, *tail))
outside = st.lists(parts, min_size=2, max_size=6).map(tuple)


@given(st.sets(inside | outside, max_size=60), st.integers(1, 30))
def test_a_walk_is_exactly_the_columns_asked_for(oids, repetitions):
    walk = walker(Agent(oids), max_repetitions=repetitions).walk(TWO_RANGES)
    size = len(ENTRY)
    expected = {o for o in oids if o[:size] == ENTRY and len(o) > size + 1 and o[size] in (1, 2, 4)}
    extra = {o for o in oids if o == (*ENTRY, 2)}  # no instance, but between two of them
    assert set(walk.rows) - extra == expected
    assert all(walk.rows[o] == sum(o) for o in expected)
    assert (walk.status, walk.reason) == (Status.COMPLETE, "")


@given(st.sets(inside, min_size=3, max_size=40), st.data())
def test_an_agent_that_goes_back_ends_partial(oids, data):
    rows = sorted(o for o in oids if 1 <= o[len(ENTRY)] <= 4 and len(o) > len(ENTRY) + 1)
    if len(rows) < 3:
        return
    at = data.draw(st.integers(1, len(rows) - 1))
    back = data.draw(st.integers(0, at))

    class GoesBack(Agent):
        def after(self, oid, count):
            if oid >= rows[at - 1]:  # from here on it serves what it has served before, for ever
                self.requests += 1
                assert self.requests < 300, "the walk does not end"
                return [(rows[back] if back < at else rows[at - 1], 0)]
            return super().after(oid, count)

    agent = GoesBack(rows)
    walk = walker(agent, max_repetitions=data.draw(st.integers(1, 30))).walk(WHOLE)
    if walk.status is Status.PARTIAL:
        assert "不递增" in walk.reason
    else:  # one page reached past the place where it goes back
        assert set(walk.rows) == set(rows)
    assert set(walk.rows) <= set(rows)
    assert len(agent.oids) * 3 + 10 > agent.requests


def oids(count):
    return [(*ENTRY, 1, n) for n in range(1, count + 1)]


def test_the_same_oid_again_is_not_an_endless_table():
    class Stuck(Agent):
        def after(self, oid, count):
            super().after(oid, count)
            return [((*ENTRY, 1, 1), 0)]

    agent = Stuck([])
    walk = walker(agent).walk(WHOLE)
    assert (walk.status, len(walk.rows), agent.requests) == (Status.PARTIAL, 1, 2)


def test_a_page_that_is_out_of_order_inside_ends_partial():
    class Shuffled(Agent):
        def after(self, oid, count):
            super().after(oid, count)
            return [((*ENTRY, 1, 5), 0), ((*ENTRY, 1, 3), 0)]

    walk = walker(Shuffled([])).walk(WHOLE)
    assert walk.status is Status.PARTIAL
    assert set(walk.rows) == {(*ENTRY, 1, 5)}


def test_rows_are_capped():
    walk = walker(Agent(oids(500)), max_rows=100).walk(WHOLE)
    assert (walk.status, len(walk.rows)) == (Status.PARTIAL, 100)
    assert "100" in walk.reason


@pytest.mark.parametrize("hidden", [True, False], ids=["as gufo shows it", "as an error"])
@pytest.mark.parametrize("fits", [1, 3, 10])
def test_too_big_halves_the_page_for_good(hidden, fits):
    class Small(Agent):
        async def get_bulk(self, oid, max_repetitions, timeout):
            if max_repetitions > fits:
                self.requests += 1
                if hidden:
                    return []
                raise TooBigError
            return await super().get_bulk(oid, max_repetitions, timeout)

    agent = Small(oids(200))
    walk = walker(agent, max_repetitions=25).walk(WHOLE)
    assert (walk.status, len(walk.rows)) == (Status.COMPLETE, 200)
    assert agent.requests < 12 + 200 / max(1, fits // 2)  # it does not try the big page again and again


@pytest.mark.parametrize(("value", "fits"), [(7, 50), (b"x" * 100, 11), (b"x" * 5000, 1)])
def test_a_page_is_what_fits_one_packet(value, fits):
    asked = []

    class Wordy(Agent):
        async def get_bulk(self, oid, max_repetitions, timeout):
            asked.append(max_repetitions)
            return [(o, value) for o, _ in await super().get_bulk(oid, max_repetitions, timeout)]

    walk = walker(Wordy(oids(200)), max_repetitions=50).walk(WHOLE)
    assert (walk.status, len(walk.rows)) == (Status.COMPLETE, 200)
    assert asked[0] == 25  # of a table of which nothing is known yet
    assert set(asked[1:]) == {fits}


def test_bulk_that_never_works_is_walked_row_by_row():
    class NoBulk(Agent):
        async def get_bulk(self, oid, max_repetitions, timeout):
            return []

    walk = walker(NoBulk(oids(30))).walk(WHOLE)
    assert (walk.status, len(walk.rows)) == (Status.COMPLETE, 30)


def test_lost_packets_are_asked_for_again_with_smaller_pages():
    asked = []

    class Lossy(Agent):
        async def get_bulk(self, oid, max_repetitions, timeout):
            asked.append(max_repetitions)
            if len(asked) in (2, 3):
                raise NoAnswerError("没有应答")
            return await super().get_bulk(oid, max_repetitions, timeout)

    clock = Clock()
    walk = walker(Lossy(oids(100)), clock, max_repetitions=20, attempts=3).walk(WHOLE)
    assert (walk.status, len(walk.rows)) == (Status.COMPLETE, 100)
    assert asked[:6] == [20, 20, 10, 5, 10, 20]
    assert len(clock.slept) == 2


def test_silence_in_the_middle_keeps_the_rows_and_says_so():
    class Dies(Agent):
        async def get_bulk(self, oid, max_repetitions, timeout):
            if self.requests == 2:
                raise NoAnswerError("没有应答")
            return await super().get_bulk(oid, max_repetitions, timeout)

    walk = walker(Dies(oids(100)), max_repetitions=10).walk(WHOLE)
    assert (walk.status, len(walk.rows), walk.silent) == (Status.PARTIAL, 20, True)
    assert walk.reason == "读到一半没有应答"


@pytest.mark.parametrize(
    ("error", "status"),
    [(AuthenticationError("认证失败"), Status.DENIED), (AgentError("genErr"), Status.PARTIAL)],
)
def test_errors_are_values(error, status):
    class Refuses(Agent):
        async def get_bulk(self, oid, max_repetitions, timeout):
            raise error

    walk = walker(Refuses([])).walk(WHOLE)
    assert (walk.status, walk.reason) == (status, str(error))


@pytest.mark.parametrize(("limit", "seconds"), [("table_seconds", 5), ("device_seconds", 7)])
def test_a_table_ends_at_its_deadline_and_at_the_device_s(limit, seconds):
    class Endless(Agent):
        def after(self, oid, count):
            return [((*ENTRY, 1, oid[-1] + 1 if len(oid) > len(ENTRY) + 1 else 1), 0)]

    clock = Clock(step=0.01)
    walk = walker(Endless([]), clock, **{limit: float(seconds)}).walk(WHOLE)
    assert walk.status is Status.PARTIAL
    assert walk.reason == f"超过时限 {seconds} 秒"
    assert clock.now == pytest.approx(seconds, abs=0.5)


def test_a_request_never_waits_past_the_deadline():
    timeouts = []

    class Slow(Agent):
        async def get(self, oids, timeout):
            timeouts.append(timeout)
            clock.now += timeout
            raise NoAnswerError("没有应答")

    clock = Clock()
    slow = walker(Slow([]), clock, timeout_seconds=2.0, attempts=10, device_seconds=5.0)
    with pytest.raises(DeadlineError):
        slow.get([(1, 3)])
    assert timeouts[0] == 2.0
    assert len(timeouts) < 10
    assert clock.now == pytest.approx(5.0, abs=0.1)


def test_a_get_that_is_too_big_is_asked_in_halves():
    class Narrow(Agent):
        async def get(self, oids, timeout):
            if len(oids) > 2:
                raise TooBigError
            return await super().get(oids, timeout)

    wanted = oids(7)
    assert set(walker(Narrow(wanted)).get(wanted)) == set(wanted)


# ---- what a page brings beyond its table ----

OTHERS = [Table(name=f"t{n}", entry=(1, 3, 6, 1, n), columns=((1, 4),)) for n in range(1, 40)]


@given(
    st.sets(st.tuples(st.integers(1, 40), st.integers(0, 5), st.integers(0, 9)), max_size=80),
    st.integers(1, 30),
)
def test_tables_read_one_after_the_other_are_as_if_read_alone(tails, repetitions):
    oids = {(1, 3, 6, 1, *tail) for tail in tails}
    agent = Agent(oids)
    together = walker(agent, max_repetitions=repetitions)
    for table in OTHERS:
        walk = together.walk(table)
        alone = walker(Agent(oids), max_repetitions=repetitions).walk(table)
        assert (walk.rows, walk.status) == (alone.rows, alone.status)


def test_a_stretch_that_is_known_is_not_asked_for():
    agent = Agent([(1, 3, 6, 1, 5, 1, n) for n in range(3)] + [(1, 3, 6, 1, 30, 1, 1)])
    reader = walker(agent, max_repetitions=10)
    found = {table.name: reader.walk(table).rows for table in OTHERS}
    assert {name: len(rows) for name, rows in found.items() if rows} == {"t5": 3, "t30": 1}
    assert agent.requests == 3  # one page for all up to t30, one that is empty, one to be sure of the end


def test_a_stretch_that_goes_back_is_not_believed():
    class Jumps(Agent):
        async def get_bulk(self, oid, max_repetitions, timeout):
            page = await super().get_bulk(oid, max_repetitions, timeout)
            if oid < (1, 3, 6, 1, 2):  # beyond the first table it goes back, over rows of the second
                return [*page[:2], ((1, 3, 6, 1, 9, 1, 1), 0), ((1, 3, 6, 1, 3, 1, 1), 0)]
            return page

    rows = [(1, 3, 6, 1, 1, 1, 1), (1, 3, 6, 1, 1, 1, 2), (1, 3, 6, 1, 3, 1, 1), (1, 3, 6, 1, 10, 1, 1)]
    reader = walker(Jumps(rows))
    assert [len(reader.walk(OTHERS[n]).rows) for n in (0, 2, 9)] == [2, 1, 1]

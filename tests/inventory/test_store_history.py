"""The store against a model that keeps whole copies: any history of runs reads the same from both."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.coverage import Batch, Collection, Status
from inventory.kinds import KINDS
from inventory.resource import Resource
from inventory.snapshot import Change, Snapshot
from inventory.store import Store, open_store
from inventory.unknown import UNKNOWN

START = datetime(2026, 3, 1, tzinfo=UTC)
SOURCES, KIND_NAMES, SCOPES = ("a", "b"), ("server", "interface"), ("", "x", "y")


class Run(NamedTuple):
    rows: list[dict[str, Any]]
    attempts: dict[tuple[str, str, str], Status]  # by (source, kind, scope)


def row() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "source": st.sampled_from(SOURCES),
            "kind": st.sampled_from(KIND_NAMES),
            "native_id": st.sampled_from("123"),
            "scope": st.sampled_from(SCOPES),
        },
        optional={
            "name": st.sampled_from(["甲", "乙"]),
            "volatile": st.integers(0, 3),
            "labels": st.dictionaries(st.sampled_from("kl"), st.sampled_from("vw")),
            "relations": st.lists(st.sampled_from([("runs_on", "h"), ("in_project", "p")]), max_size=3),
        },
    )


PLACES = st.tuples(st.sampled_from(SOURCES), st.sampled_from(KIND_NAMES), st.sampled_from(SCOPES))
STATUS = st.sampled_from([Status.COMPLETE, Status.COMPLETE, *Status])
RUNS = st.lists(
    st.builds(Run, st.lists(row(), max_size=6), st.dictionaries(PLACES, STATUS, max_size=6)), max_size=7
)


def resource(row: dict[str, Any]) -> Resource:
    data = {k: v for k, v in row.items() if k not in ("kind", "volatile")}
    if "volatile" in row and row["kind"] == "interface":
        data["in_octets"] = row["volatile"]
    return msgspec.convert(data, KINDS[row["kind"]])


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def plain(resource: Resource, *, volatile: bool = True) -> dict[str, Any]:
    data = msgspec.to_builtins(resource)
    data["relations"] = sorted({tuple(r) for r in data.pop("relations", [])})
    data.setdefault("labels", {})
    return {k: v for k, v in data.items() if volatile or k not in resource.VOLATILE}


class Model:
    """Everything of every run, copied."""

    def __init__(self) -> None:
        self.states: list[dict[str, dict[str, Any]]] = [{}]  # uid → plain, by snapshot
        self.latest: dict[str, dict[str, Any]] = {}  # the same with volatile values
        self.last_seen: dict[str, int] = {}
        self.stale: list[dict[str, datetime]] = [{}]
        self.attempts: list[dict[tuple[str, str, str], tuple[Status, int]]] = [{}]

    def run(self, run: Run) -> None:
        now = len(self.states)
        seen = {r.uid: r for r in map(resource, run.rows)}
        attempts = dict(run.attempts)
        for r in run.rows:  # each place a row was handed over under, also where a later one replaced it
            place = (r["source"], r["kind"], r["scope"])
            if place not in run.attempts and (*place[:2], "") not in run.attempts:
                attempts[place] = Status.PARTIAL
        state, stale = dict(self.states[-1]), dict(self.stale[-1])
        for uid, held in list(state.items()):
            source, kind, _ = uid.split("/")
            status = attempts.get((source, kind, held.get("scope", "")), attempts.get((source, kind, "")))
            if uid in seen or status is None:
                continue
            if status is Status.COMPLETE:
                del state[uid], self.latest[uid]
                stale.pop(uid, None)
            else:
                stale[uid] = day(self.last_seen[uid])
        for uid, r in seen.items():
            state[uid], self.latest[uid] = plain(r, volatile=False), plain(r)
            self.last_seen[uid] = now
            stale.pop(uid, None)
        self.states.append(state)
        self.stale.append(stale)
        known = {place: (status, now) for place, status in attempts.items()}
        self.attempts.append({**self.attempts[-1], **known})

    def changes(self, a: int, b: int) -> list[tuple[str, str, dict[str, Any]]]:
        old, new = self.states[a], self.states[b]
        found = []
        for uid in sorted(old.keys() | new.keys()):
            if uid not in new or uid not in old:
                found.append((uid, "added" if uid in new else "removed", {}))
            elif old[uid] != new[uid]:
                names = sorted(
                    n for n in old[uid].keys() | new[uid].keys() if old[uid].get(n) != new[uid].get(n)
                )
                found.append((uid, "changed", dict.fromkeys(names)))
        return found


def history(store: Store, model: Model, runs: list[Run]) -> None:
    for run in runs:
        model.run(run)
        number = len(model.states) - 1
        with store.writer(day(number)) as writer:
            rows = [resource(r) for r in run.rows]
            writer.add(Batch(resources=rows[:2]))
            collections = [
                Collection(source=s, kind=k, scope=c, status=x, started_at=day(number), ended_at=day(number))
                for (s, k, c), x in run.attempts.items()
            ]
            writer.add(Batch(resources=rows[2:], collections=collections))


def state(snapshot: Snapshot, *, volatile: bool) -> dict[str, dict[str, Any]]:
    return {r.uid: plain(r, volatile=volatile) for r in snapshot}


def told(change: Change) -> tuple[str, str, dict[str, Any]]:
    return change.uid, change.action, dict.fromkeys(change.fields)


@settings(max_examples=80)
@given(RUNS)
def test_any_history_reads_like_the_copies(runs: list[Run]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, model = open_store(str(Path(folder) / "s.db")), Model()
        history(store, model, runs)
        last = len(runs)
        assert [i.id for i in store.snapshots()] == list(range(1, last + 1))
        for at in range(1, last + 1):
            snapshot = store.snapshot(at)
            assert state(snapshot, volatile=False) == model.states[at]
            assert snapshot.stale == model.stale[at]
            assert {(c.source, c.kind, c.scope): (c.status, c.ended_at) for c in snapshot.collections} == {
                place: (status, day(number)) for place, (status, number) in model.attempts[at].items()
            }
        if last:
            assert state(store.snapshot(), volatile=True) == model.latest
            for older in (store.snapshot(at) for at in range(1, last)):
                assert all(getattr(r, f) is UNKNOWN for r in older for f in r.VOLATILE)
        for a in range(last + 1):
            for b in range(a, last + 1):
                assert [told(c) for c in store.diff(a, b)] == model.changes(a, b)
        check_timelines(store, model)
        store.close()


def check_timelines(store: Store, model: Model) -> None:
    """Versions put end to end are the states, and neighbours that touch differ."""
    last = len(model.states) - 1
    for uid in {uid for s in model.states for uid in s}:
        versions = store.timeline(uid)
        for at in range(1, last + 1):
            held = [
                v
                for v in versions
                if v.valid_from <= day(at) and (v.valid_to is None or day(at) < v.valid_to)
            ]
            expected = [model.states[at][uid]] if uid in model.states[at] else []
            assert [plain(v.resource, volatile=False) for v in held] == expected
        for before, after in pairwise(versions):
            if before.valid_to == after.valid_from:
                assert plain(before.resource) != plain(after.resource)


@settings(max_examples=40)
@given(RUNS, st.data())
def test_diff_equals_the_comparison_of_the_two_snapshots(runs: list[Run], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "s.db"))
        history(store, Model(), runs)
        if runs:
            a = data.draw(st.integers(1, len(runs)))
            b = data.draw(st.integers(a, len(runs)))
            old, new = (state(store.snapshot(at), volatile=False) for at in (a, b))
            for change in store.diff(a, b):
                before, after = old.pop(change.uid, None), new.pop(change.uid, None)
                if change.action == "changed":
                    assert before is not None
                    assert after is not None
                    differing = {
                        f for f in before.keys() | after.keys() if before.get(f, None) != after.get(f, None)
                    }
                    assert set(change.fields) == differing
                else:
                    assert (before is None, after is None) == (
                        change.action == "added",
                        change.action == "removed",
                    )
            assert old == new  # whatever no change speaks of is the same
        store.close()

"""What every store must do, whatever database is under it.

A backend is a function from a folder to a URL; all tests run on each. PostgreSQL joins where
``ZHENGGUAN_TEST_POSTGRESQL`` names an empty database that may be overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from inventory.answers import Answer, AnswerFile, digest_of, latest
from inventory.coverage import Batch, Collection, Status
from inventory.evidence import Evidence
from inventory.kinds.cloud import Quota
from inventory.kinds.compute import Server
from inventory.kinds.network import Interface
from inventory.kinds.virtual_network import SecurityGroup, SecurityGroupRule
from inventory.resource import Relation, Resource
from inventory.snapshot import SnapshotInfo
from inventory.store import Store, StoreBusyError, StoreError, open_store
from inventory.tables import answer as answer_table
from inventory.tables import answer_file, metadata, version
from inventory.unknown import UNKNOWN, known

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
POSTGRESQL = os.environ.get("ZHENGGUAN_TEST_POSTGRESQL", "")


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'store.db'}"


def postgresql_url(_: Path) -> str:
    engine = create_engine(POSTGRESQL)
    metadata.drop_all(engine)
    engine.dispose()
    return POSTGRESQL


BACKENDS = {"sqlite": sqlite_url} | ({"postgresql": postgresql_url} if POSTGRESQL else {})


@pytest.fixture(params=BACKENDS.values(), ids=BACKENDS.keys())
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    make: Callable[[Path], str] = request.param
    return make(tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def attempt(
    kind: str = "server",
    status: Status = Status.COMPLETE,
    *,
    source: str = "云甲",
    scope: str = "",
    at: int = 0,
) -> Collection:
    return Collection(
        source=source,
        kind=kind,
        status=status,
        scope=scope,
        started_at=day(at),
        ended_at=day(at) + timedelta(minutes=5),
    )


def run(store: Store, at: int, rows: list[Resource], *attempts: Collection) -> SnapshotInfo:
    with store.writer(day(at), f"第 {at} 天") as writer:
        writer.add(Batch(resources=rows, collections=list(attempts)))
    return writer.info


def server(id_: str, **fields: object) -> Server:
    return Server(**({"source": "云甲", "native_id": id_} | fields))  # type: ignore[arg-type]


def uids(store: Store, at: int | None = None) -> list[str]:
    return [r.uid for r in store.snapshot(at)]


def test_a_new_store_holds_no_snapshot(store: Store) -> None:
    assert store.snapshots() == []
    with pytest.raises(StoreError, match="还没有快照"):
        store.snapshot()


def test_a_run_becomes_one_snapshot_with_time_and_note(store: Store) -> None:
    first = run(store, 0, [server("1")], attempt())
    second = run(store, 1, [server("1")], attempt(at=1))
    assert store.snapshots() == [first, second]
    assert [(i.id, i.taken_at, i.note) for i in store.snapshots()] == [
        (1, day(0), "第 0 天"),
        (2, day(1), "第 1 天"),
    ]


def test_a_resource_comes_back_with_every_field_and_unknown_where_nothing_was_seen(store: Store) -> None:
    rule = SecurityGroupRule(direction="ingress", family="ipv6", protocol=None, remote="::/0")
    group = SecurityGroup(
        source="云甲",
        native_id="g",
        scope="region-1",
        name="网站",
        labels={"部门": "财政局"},
        relations=[Relation("in_project", "云甲/project/p")],
        rules=[rule],
    )
    run(store, 0, [group], attempt("security_group"))
    (read,) = store.snapshot().of(SecurityGroup)
    assert (read.uid, read.scope, read.name) == ("云甲/security_group/g", "region-1", "网站")
    assert read.labels == {"部门": "财政局"}
    assert read.related("in_project") == ["云甲/project/p"]
    assert read.description is UNKNOWN
    assert known(read.rules)
    assert read.rules[0].protocol is None
    assert read.rules[0].port_min is UNKNOWN
    assert read.rules[0].remote == "::/0"


def test_a_snapshot_decodes_a_kind_only_when_asked(store: Store) -> None:
    run(store, 0, [server("1"), Interface(source="云甲", native_id="2")], attempt(), attempt("interface"))
    snapshot = store.snapshot()
    assert snapshot.kinds() == ["interface", "server"]
    store.close()
    assert [r.uid for r in snapshot.of(Server)] == ["云甲/server/1"]  # a closed pool connects again
    assert len(snapshot) == 2


def test_as_of_a_time_is_the_last_snapshot_until_then(store: Store) -> None:
    run(store, 0, [server("1")], attempt())
    run(store, 2, [server("1"), server("2")], attempt(at=2))
    assert len(store.snapshot(day(1))) == 1
    assert len(store.snapshot(day(2))) == 2
    assert len(store.snapshot(day(99))) == 2
    with pytest.raises(StoreError, match="之前没有快照"):
        store.snapshot(day(-1))
    with pytest.raises(StoreError, match="没有快照 7"):
        store.snapshot(7)


def test_a_time_without_a_zone_is_refused_before_anything_is_written(store: Store) -> None:
    with pytest.raises(ValueError, match="without a zone"), store.writer(datetime(2026, 1, 1)):  # noqa: DTZ001
        pass
    assert store.snapshots() == []


def test_an_exception_in_the_block_leaves_nothing_and_frees_the_store(store: Store) -> None:
    run(store, 0, [server("1", vcpus=2)], attempt())
    with pytest.raises(OSError, match="电缆断了"), store.writer(day(1)) as writer:  # noqa: PT012
        writer.add(Batch(resources=[server("1", vcpus=4), server("2")], collections=[attempt(at=1)]))
        raise OSError("电缆断了")
    assert len(store.snapshots()) == 1
    assert uids(store) == ["云甲/server/1"]
    run(store, 2, [server("1", vcpus=2)], attempt(at=2))
    assert len(store.timeline("云甲/server/1")) == 1


def test_one_writer_at_a_time_and_the_other_is_told_who(store: Store, url: str) -> None:
    with store.writer(day(0)):
        other = open_store(url, create=False)
        with pytest.raises(StoreBusyError) as caught, other.writer(day(0)):
            pass
        other.close()
    assert caught.value.holder > 0
    assert str(caught.value.holder) in caught.value.reason
    run(store, 1, [server("1")], attempt())


def test_a_reader_sees_the_last_snapshot_while_a_writer_works(store: Store) -> None:
    run(store, 0, [server("1")], attempt())
    with store.writer(day(1)) as writer:
        writer.add(Batch(resources=[server(str(i)) for i in range(2, 12_000)], collections=[attempt(at=1)]))
        assert uids(store) == ["云甲/server/1"]
        assert len(store.snapshots()) == 1
    assert len(store.snapshot()) == 11_998


def test_a_snapshot_once_opened_does_not_change_under_a_later_run(store: Store) -> None:
    def interface(octets: int) -> Interface:
        return Interface(source="云甲", native_id="i", in_octets=octets, mtu=1500)

    run(store, 0, [server("1", vcpus=2), interface(5)], attempt(), attempt("interface"))
    opened = store.snapshot()
    run(store, 1, [interface(9)], attempt(at=1), attempt("interface", at=1))
    assert opened.of(Server)[0].vcpus == 2
    assert opened.of(Interface)[0].in_octets is UNKNOWN  # never a value from after its time
    assert opened.of(Interface)[0].mtu == 1500


# Absence


def test_absent_from_a_complete_collection_is_gone(store: Store) -> None:
    run(store, 0, [server("1"), server("2")], attempt())
    run(store, 1, [server("2")], attempt(at=1))
    assert uids(store) == ["云甲/server/2"]
    assert uids(store, 1) == ["云甲/server/1", "云甲/server/2"]
    run(store, 2, [], attempt(at=2))
    assert uids(store) == []


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.COMPLETE])
def test_absent_from_any_other_collection_stays_and_is_stale(store: Store, status: Status) -> None:
    run(store, 0, [server("1"), server("2")], attempt())
    run(store, 1, [server("2")], attempt(at=1, status=status))
    snapshot = store.snapshot()
    assert [r.uid for r in snapshot] == ["云甲/server/1", "云甲/server/2"]
    assert snapshot.stale == {"云甲/server/1": day(0)}
    assert store.diff(1, 2) == []


def test_stale_since_the_last_sighting_not_the_first_version(store: Store) -> None:
    for number in range(3):
        run(store, number, [server("1")], attempt(at=number))
    run(store, 3, [], attempt(at=3, status=Status.FAILED))
    run(store, 4, [], attempt(at=4, status=Status.DENIED))
    assert store.snapshot().stale == {"云甲/server/1": day(2)}
    assert store.snapshot(3).stale == {}
    assert store.snapshot(4).stale == {"云甲/server/1": day(2)}


def test_seen_again_is_no_longer_stale_and_gone_is_not_stale(store: Store) -> None:
    run(store, 0, [server("1"), server("2")], attempt())
    run(store, 1, [], attempt(at=1, status=Status.FAILED))
    run(store, 2, [server("1")], attempt(at=2, status=Status.PARTIAL))
    assert store.snapshot().stale == {"云甲/server/2": day(0)}
    run(store, 3, [server("1")], attempt(at=3))
    assert store.snapshot().stale == {}
    assert uids(store) == ["云甲/server/1"]
    assert set(store.snapshot(2).stale) == {"云甲/server/1", "云甲/server/2"}


def test_what_was_not_attempted_is_untouched(store: Store) -> None:
    other = Server(source="云乙", native_id="9")
    run(store, 0, [server("1"), other], attempt(), attempt(source="云乙"))
    run(store, 1, [server("1")], attempt(at=1))
    snapshot = store.snapshot()
    assert [r.uid for r in snapshot] == ["云乙/server/9", "云甲/server/1"]
    assert snapshot.stale == {}
    assert [(c.source, c.ended_at) for c in snapshot.collections] == [
        ("云乙", day(0) + timedelta(minutes=5)),
        ("云甲", day(1) + timedelta(minutes=5)),
    ]


def test_a_complete_scope_says_nothing_about_another(store: Store) -> None:
    rows = [server("1", scope="甲区"), server("2", scope="乙区")]
    run(store, 0, list(rows), attempt(scope="甲区"), attempt(scope="乙区"))
    run(store, 1, [], attempt(scope="甲区", at=1))
    assert uids(store) == ["云甲/server/2"]
    assert store.snapshot().stale == {}
    run(store, 2, [], attempt(scope="甲区", at=2), attempt(scope="乙区", at=2, status=Status.DENIED))
    assert uids(store) == ["云甲/server/2"]
    assert store.snapshot().stale == {"云甲/server/2": day(0)}


def test_the_whole_source_speaks_for_its_scopes_unless_they_speak_themselves(store: Store) -> None:
    run(store, 0, [server("1", scope="甲区"), server("2", scope="乙区")], attempt())
    run(store, 1, [], attempt(at=1), attempt(scope="乙区", at=1, status=Status.FAILED))
    assert uids(store) == ["云甲/server/2"]
    assert set(store.snapshot().stale) == {"云甲/server/2"}


def test_rows_without_a_word_about_coverage_count_as_partial(store: Store) -> None:
    run(store, 0, [server("1"), server("2")], attempt())
    run(store, 1, [server("2")])
    snapshot = store.snapshot()
    assert len(snapshot) == 2
    assert snapshot.stale == {"云甲/server/1": day(0)}
    (collection,) = snapshot.collections
    assert (collection.status, collection.count) == (Status.PARTIAL, 1)
    assert collection.reason


def test_fresh_is_the_last_complete_collection(store: Store) -> None:
    run(store, 0, [server("1")], attempt())
    run(store, 1, [], attempt(at=1, status=Status.FAILED))
    snapshot = store.snapshot()
    assert snapshot.fresh == {("云甲", "server"): day(0) + timedelta(minutes=5)}
    assert [c.status for c in snapshot.collections] == [Status.FAILED]
    assert [c.status for c in store.snapshot(1).collections] == [Status.COMPLETE]


def test_fresh_is_as_old_as_the_oldest_scope(store: Store) -> None:
    run(store, 0, [], attempt(scope="甲区"), attempt(scope="乙区"))
    run(store, 1, [], attempt(scope="甲区", at=1), attempt(scope="乙区", at=1, status=Status.FAILED))
    assert store.snapshot().fresh == {("云甲", "server"): day(0) + timedelta(minutes=5)}
    run(store, 2, [], attempt(at=2))
    assert store.snapshot().fresh == {("云甲", "server"): day(2) + timedelta(minutes=5)}


def test_a_uid_twice_in_a_run_the_last_one_counts(store: Store) -> None:
    run(store, 0, [server("1", vcpus=1), server("2", vcpus=1)], attempt())
    with store.writer(day(1)) as writer:
        writer.add(Batch(resources=[server("1", vcpus=2), server("2", vcpus=2), server("3", vcpus=1)]))
        many = [server(str(i), relations=[Relation("has_flavor", "f")]) for i in range(100, 10_200)]
        writer.add(Batch(resources=list(many)))  # more than is held back before it is written
        writer.add(Batch(resources=[server("1", vcpus=1), server("2", vcpus=3), server("3", vcpus=4)]))
        writer.add(Batch(resources=[server("100", vcpus=8)], collections=[attempt(at=1)]))
    found = {r.native_id: r.vcpus for r in store.snapshot().of(Server) if int(r.native_id) < 101}
    assert found == {"1": 1, "2": 3, "3": 4, "100": 8}
    assert len(store.timeline("云甲/server/1")) == 1
    assert [v.resource.vcpus for v in store.timeline("云甲/server/2")] == [1, 3]  # type: ignore[attr-defined]
    referring = store.referring("f")
    assert len(referring) == 10_099
    assert "云甲/server/100" not in referring


def test_a_row_handed_over_many_times_in_a_run_is_one_row(store: Store) -> None:
    """Old or new, as before or changed."""
    run(store, 0, [server("old"), server("changed", vcpus=1), server("same")], attempt())
    for number in (1, 2):
        rows = [server("old"), server("changed", vcpus=2), server("new"), server("same")] * 17
        run(store, number, [*rows, server("same")], attempt(at=number, status=Status.PARTIAL))
    assert uids(store) == [f"云甲/server/{name}" for name in ("changed", "new", "old", "same")]
    assert [(c.uid, c.action) for c in store.diff(1, 3)] == [
        ("云甲/server/changed", "changed"),
        ("云甲/server/new", "added"),
    ]
    assert store.diff(2, 3) == []
    assert store.snapshot().stale == {}
    run(store, 3, [server("old"), server("old", vcpus=8), server("old")], attempt(at=3))
    assert uids(store) == ["云甲/server/old"]
    assert len(store.timeline("云甲/server/old")) == 1


# History


def test_order_of_labels_and_relations_is_no_change(store: Store) -> None:
    a, b = Relation("in_project", "p"), Relation("runs_on", "h")
    run(
        store,
        0,
        [server("1", labels={"x": "1", "y": "2"}, relations=[a, b], metadata={"k": "1", "l": "2"})],
        attempt(),
    )
    run(
        store,
        1,
        [server("1", labels={"y": "2", "x": "1"}, relations=[b, a, b], metadata={"l": "2", "k": "1"})],
        attempt(at=1),
    )
    assert store.diff(1, 2) == []
    assert len(store.timeline("云甲/server/1")) == 1


def test_diff_names_fields_with_old_and_new(store: Store) -> None:
    run(store, 0, [server("1", name="甲", vcpus=2, labels={"a": "b"}), server("2", name="乙")], attempt())
    run(store, 1, [server("1", name="甲", vcpus=4, key_name=None), server("3", name="丙")], attempt(at=1))
    changed, removed, added = store.diff(1, 2)
    assert (changed.uid, changed.kind, changed.name, changed.action) == (
        "云甲/server/1",
        "server",
        "甲",
        "changed",
    )
    assert list(changed.fields) == ["key_name", "labels", "vcpus"]
    assert changed.fields["key_name"][0] is UNKNOWN
    assert changed.fields["key_name"][1] is None
    assert changed.fields["vcpus"] == (2, 4)
    assert changed.fields["labels"] == ({"a": "b"}, {})
    assert (removed.uid, removed.name, removed.action) == ("云甲/server/2", "乙", "removed")
    assert (added.uid, added.name, added.action) == ("云甲/server/3", "丙", "added")


def test_a_field_that_became_unknown_is_a_change(store: Store) -> None:
    run(store, 0, [server("1", vcpus=2, key_name=None)], attempt())
    run(store, 1, [server("1", vcpus=2)], attempt(at=1))
    (change,) = store.diff(1, 2)
    old, new = change.fields["key_name"]
    assert old is None
    assert new is UNKNOWN


def test_diff_over_several_runs_leaves_out_what_came_back(store: Store) -> None:
    for number, vcpus in enumerate([2, 4, 2]):
        run(store, number, [server("1", vcpus=vcpus)], attempt(at=number))
    assert store.diff(1, 3) == []
    assert [c.fields["vcpus"] for c in store.diff(1, 2) + store.diff(2, 3)] == [(2, 4), (4, 2)]
    assert [c.action for c in store.diff(0, 3)] == ["added"]


def test_a_body_that_an_earlier_release_wrote_in_another_form_is_no_change(store: Store, url: str) -> None:
    run(store, 0, [server("1", vcpus=2, labels={"a": "b", "c": "d"})], attempt())
    body = b'{"vcpus": 2, "source": "\\u4e91\xe7\x94\xb2", "native_id": "1", "labels": {"c": "d", "a": "b"}}'
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(version.update().values(body=body, hash=b"0" * 16))
    engine.dispose()
    run(store, 1, [server("1", vcpus=2, labels={"a": "b", "c": "d"})], attempt(at=1))
    assert store.diff(1, 2) == []
    run(store, 2, [server("1", vcpus=2, labels={"a": "b"})], attempt(at=2))
    (change,) = store.diff(1, 3)
    assert change.fields == {"labels": ({"a": "b", "c": "d"}, {"a": "b"})}


def test_diff_of_one_kind_and_of_wrong_snapshots(store: Store) -> None:
    run(store, 0, [], attempt(), attempt("interface"))
    run(
        store,
        1,
        [server("1"), Interface(source="云甲", native_id="i")],
        attempt(at=1),
        attempt("interface", at=1),
    )
    assert [c.uid for c in store.diff(1, 2, "interface")] == ["云甲/interface/i"]
    with pytest.raises(StoreError, match="没有快照 9"):
        store.diff(1, 9)
    with pytest.raises(StoreError, match="次序反了"):
        store.diff(2, 1)


def test_timeline_shows_every_version_and_the_gap_in_between(store: Store) -> None:
    run(store, 0, [server("1", vcpus=1)], attempt())
    run(store, 1, [server("1", vcpus=2)], attempt(at=1))
    run(store, 2, [], attempt(at=2))
    run(store, 3, [server("1", vcpus=2)], attempt(at=3))
    assert [(v.valid_from, v.valid_to, v.resource.vcpus) for v in store.timeline("云甲/server/1")] == [  # type: ignore[attr-defined]
        (day(0), day(1), 1),
        (day(1), day(2), 2),
        (day(3), None, 2),
    ]
    assert store.timeline("云甲/server/none") == []


def test_volatile_values_are_the_latest_and_no_change(store: Store) -> None:
    def rows(octets: int, used: dict[str, int]) -> list[Resource]:
        return [
            Interface(source="云甲", native_id="i", mtu=1500, in_octets=octets),
            Quota(source="云甲", native_id="p/compute", limits={"cores": 9}, usage=used),
        ]

    def both(at: int) -> list[Collection]:
        return [attempt("interface", at=at), attempt("quota", at=at)]

    run(store, 0, rows(5, {"cores": 1}), *both(0))
    run(store, 1, rows(2**64 - 1, {"cores": 2}), *both(1))
    assert store.diff(1, 2) == []
    latest, earlier = store.snapshot(), store.snapshot(1)
    assert latest.of(Interface)[0].in_octets == 2**64 - 1
    assert latest.of(Quota)[0].usage == {"cores": 2}
    assert latest.of(Interface)[0].out_octets is UNKNOWN
    assert earlier.of(Interface)[0].in_octets is UNKNOWN
    assert earlier.of(Interface)[0].mtu == 1500
    run(store, 2, [Interface(source="云甲", native_id="i", mtu=1500)], attempt("interface", at=2))
    assert store.snapshot().of(Interface)[0].in_octets is UNKNOWN
    run(store, 3, [], *both(3))
    run(store, 4, [Quota(source="云甲", native_id="p/compute")], *both(4))
    assert store.snapshot().of(Quota)[0].usage is UNKNOWN  # not the one from before it was gone


def test_writing_leaves_the_callers_resources_as_they_were(store: Store) -> None:
    interface = Interface(source="云甲", native_id="i", in_octets=5, name="G1")
    run(store, 0, [interface], attempt("interface"))
    assert (interface.in_octets, interface.name) == (5, "G1")


def test_referring_finds_holders_of_an_edge(store: Store) -> None:
    rows: list[Resource] = [
        server("1", relations=[Relation("runs_on", "h1"), Relation("in_project", "p")]),
        server("2", relations=[Relation("runs_on", "h1")]),
        server("3", relations=[Relation("runs_on", "h2")]),
    ]
    run(store, 0, rows, attempt())
    assert store.referring("h1") == ["云甲/server/1", "云甲/server/2"]
    assert store.referring("p", "in_project") == ["云甲/server/1"]
    assert store.referring("p", "runs_on") == []
    run(store, 1, [server("1", relations=[Relation("runs_on", "h2")])], attempt(at=1))
    assert store.referring("h1") == []
    assert store.referring("h2") == ["云甲/server/1"]


def test_evidence_is_stored_once_and_comes_back_whole(store: Store, url: str) -> None:
    content = b'{"servers": []}' * 50_000
    evidence = Evidence.of(
        content, source="云甲", origin="GET /servers", media_type="application/json", captured_at=day(0)
    )
    for number in range(3):
        with store.writer(day(number)) as writer:
            writer.add(Batch(evidence=[evidence, evidence]))
    assert store.evidence(evidence.id) == evidence
    assert store.evidence("0" * 64) is None
    if url.startswith("sqlite"):
        size = sum(p.stat().st_size for p in Path(url.removeprefix("sqlite:///")).parent.iterdir())
        assert size < len(content) / 2


# Hostile text


HOSTILE = [
    "a\0b",
    "\ud800lone",
    "\udcff",
    "👻" * 10,
    "x" * 5_000_000,
    "密👻" * 2000,
    "'; DROP TABLE version; --",
    "\x1b[31m\r\n",
    "",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: ascii(t[:12]))
def test_hostile_text_anywhere_neither_breaks_a_run_nor_its_neighbours(store: Store, text: str) -> None:
    bad = server(
        f"id{text}",
        scope=text,
        name=text,
        labels={text: text},
        metadata={text: text},
        relations=[Relation("runs_on", f"host{text}")],
    )
    reason = attempt(scope=text)
    reason.reason = text
    evidence = Evidence.of(b"x", source=text, origin=text, media_type=text, captured_at=day(0))
    for number in range(2):
        with store.writer(day(number), text) as writer:
            writer.add(
                Batch(resources=[bad, server("good")], collections=[attempt(), reason], evidence=[evidence])
            )
    assert store.diff(1, 2) == []
    first, second = sorted(store.snapshot().of(Server), key=lambda r: r.native_id != "good")
    assert first.uid == "云甲/server/good"
    assert second.name is not UNKNOWN
    assert [v.valid_to for v in store.timeline(second.uid)] == [None]
    assert [v.valid_to for v in store.timeline(bad.uid)] == [None]
    assert store.referring(f"host{text}") == [second.uid]
    assert store.referring(second.related("runs_on")[0]) == [second.uid]
    assert store.evidence(evidence.id) is not None
    run(store, 3, [server("good")], attempt(at=3, status=Status.FAILED))
    assert second.uid in {r.uid for r in store.snapshot()}
    assert set(store.snapshot().stale) == {second.uid}


def test_a_field_of_the_wrong_type_is_unknown_and_the_rest_is_kept(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [server("1", name="甲", vcpus="四", power_state="dancing"), server("2", vcpus=2)]
    for number in range(2):
        run(store, number, list(rows), attempt(at=number))
    first, second = store.snapshot().of(Server)
    assert (first.name, second.vcpus) == ("甲", 2)
    assert first.vcpus is UNKNOWN
    assert first.power_state is UNKNOWN
    assert store.diff(1, 2) == []
    assert "vcpus" in caplog.text


def test_a_kind_nobody_registered_is_refused(store: Store) -> None:
    class Toaster(Resource):
        KIND = "toaster"

    with pytest.raises(ValueError, match="toaster"), store.writer(day(0)) as writer:
        writer.add(Batch(resources=[Toaster(source="s", native_id="1")]))
    assert store.snapshots() == []


def test_a_writer_that_failed_once_takes_no_more(store: Store) -> None:
    class Toaster(Resource):
        KIND = "toaster"

    with pytest.raises(StoreError, match="已经失败"), store.writer(day(0)) as writer:  # noqa: PT012
        with pytest.raises(ValueError, match="toaster"):
            writer.add(Batch(resources=[Toaster(source="s", native_id="1")]))
        writer.add(Batch(resources=[server("1")]))
    assert store.snapshots() == []


def test_what_one_process_wrote_another_reads(store: Store, url: str) -> None:
    run(store, 0, [server("1", name="甲")], attempt())
    other = open_store(url, create=False)
    assert [r.name for r in other.snapshot()] == ["甲"]
    other.close()


PAPER = "会议纪要：制度已发布".encode()


def told(subject: str = "dengbao/8.1.6.1.a", **fields: Any) -> Answer:
    given: dict[str, Any] = {
        "system": "门户",
        "standard": "dengbao",
        "about": "control",
        "subject": subject,
        "verdict": "pass",
        "note": "查过",
        "by": "张三",
        "answered_at": day(0),
        "valid_until": date(2027, 3, 1),
    }
    return Answer(**(given | fields))


def paper(content: bytes = PAPER, name: str = "纪要.pdf") -> AnswerFile:
    return AnswerFile(digest=digest_of(content), name=name, size_bytes=len(content))


def test_answers_are_appended_with_their_files_and_nothing_is_lost(store: Store) -> None:
    assert store.answers() == []
    assert store.answer_file(digest_of(PAPER)) is None
    (first,) = store.record_answers([told(files=(paper(),))], {digest_of(PAPER): PAPER}, day(1))
    assert (first.id, first.recorded_at) == (1, day(1))
    second, third = store.record_answers(
        [told(verdict="fail", by="李四", files=(paper(),)), told(system="别的")], {}, day(2)
    )
    assert [a.id for a in (second, third)] == [2, 3]
    assert store.answers() == [first, second, third]
    assert store.answers("门户") == [first, second]
    assert [a.by for a in latest(store.answers("门户")).values()] == ["李四"]
    (back,) = store.record_answers([told(verdict="withdrawn", valid_until=None)], {}, day(3))
    assert latest(store.answers("门户")) == {}
    assert store.answers("门户")[-1] == back
    assert store.answer_file(digest_of(PAPER)) == PAPER
    assert store.answer_file("0" * 64) is None


def test_answers_are_recorded_all_or_none(store: Store) -> None:
    with pytest.raises(ValueError, match="content"):
        store.record_answers([told(), told(files=(paper(),))], {}, day(1))
    with pytest.raises(ValueError, match="content"):
        store.record_answers([told(files=(paper(),))], {digest_of(PAPER): b"other"}, day(1))
    assert store.answers() == []
    store.record_answers([told()], {}, day(1), unless_after=0)
    with pytest.raises(StoreError, match="又有人"):
        store.record_answers([told()], {}, day(2), unless_after=0)
    assert len(store.answers()) == 1


def test_an_answer_waits_for_no_run_and_a_run_keeps_the_answers(store: Store, url: str) -> None:
    store.record_answers([told()], {}, day(0))
    with store.writer(day(1)) as writer:
        writer.add(Batch(resources=[server("1")], collections=[attempt(at=1)]))
        with pytest.raises(StoreBusyError):
            open_store(url).record_answers([told(verdict="fail")], {}, day(1))
    assert [a.verdict for a in store.answers()] == ["pass"]


def test_what_a_person_wrote_comes_back_whatever_it_is(store: Store) -> None:
    note = "第一行\n\x00第二行 \ud800 <script> '; DROP TABLE answer; --"
    store.record_answers([told(note=note, system="门\x00户")], {}, day(0))
    (found,) = store.answers()
    assert found.note == "第一行\n\\x00第二行 \\ud800 <script> '; DROP TABLE answer; --"
    assert store.answers("门\x00户") == [found]


def test_an_answer_of_a_later_release_is_not_passed_over(store: Store, url: str) -> None:
    store.record_answers([told()], {}, day(0))
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(answer_table.update().values(body=b'{"verdict":"half"}'))
    engine.dispose()
    with pytest.raises(StoreError, match="读不懂"):
        store.answers()


def test_a_store_of_an_earlier_release_takes_answers(url: str) -> None:
    opened = open_store(url)
    run(opened, 0, [server("1")], attempt())
    opened.close()
    engine = create_engine(url)
    for table in (answer_table, answer_file):
        table.drop(engine)
    engine.dispose()
    opened = open_store(url)
    assert opened.answers() == []
    assert opened.answer_file("0" * 64) is None
    opened.record_answers([told()], {}, day(1))
    assert len(opened.answers()) == 1
    assert uids(opened) == ["云甲/server/1"]
    opened.close()

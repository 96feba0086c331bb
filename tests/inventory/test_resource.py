"""Every registered kind: what is seen comes back the same from JSON and from the store."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.coverage import Batch
from inventory.encoding import ABSENT, encode
from inventory.kinds import KINDS
from inventory.resource import Relation, Resource, field_names, plain, uid_of
from inventory.store import open_store
from inventory.unknown import UNKNOWN

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
st.register_type_strategy(str, TEXT)
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
st.register_type_strategy(date, st.dates())


def seen_of(type_: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type, nested rows with their own fields seen or not."""
    info = msgspec.inspect.type_info(type_)
    return of_info(info)


def of_info(info: Any) -> st.SearchStrategy[Any]:
    i = msgspec.inspect
    match info:
        case i.UnionType():
            return st.one_of(*[of_info(t) for t in info.types])
        case i.ListType():
            return st.lists(of_info(info.item_type), max_size=3)
        case i.DictType():
            return st.dictionaries(TEXT, of_info(info.value_type), max_size=3)
        case i.StructType():
            return rows(info.cls)
        case i.LiteralType():
            return st.sampled_from(sorted(info.values))
        case i.StrType():
            return TEXT
        case i.BoolType():
            return st.booleans()
        case i.IntType():
            return st.integers(-1, 2**64 - 1)
        case i.FloatType():
            return st.floats(allow_nan=False, allow_infinity=False)
        case i.NoneType():
            return st.none()
        case i.DateTimeType():
            return st.datetimes(timezones=st.just(UTC))
        case i.DateType():
            return st.dates()
    raise AssertionError(f"a kind has a field of a type without values here: {info}")


def rows(cls: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    own = {f.name: seen_of(f.type) for f in msgspec.structs.fields(cls) if f.name not in ABSENT}
    always = {name: own.pop(name) for name in ("source", "native_id") if name in own}
    if cls is Relation:
        return st.sampled_from([Relation("runs_on", "a/host/1"), Relation("in_project", "p")])
    return st.fixed_dictionaries(always, optional=own).map(lambda data: cls(**data))


def resources(kind: type[Resource]) -> st.SearchStrategy[Resource]:
    common = st.fixed_dictionaries(
        {
            "scope": TEXT,
            "labels": st.dictionaries(TEXT, TEXT, max_size=3),
            "relations": st.lists(rows(Relation), max_size=2, unique=True).map(sorted),
        }
    )
    return st.tuples(rows(kind), common).map(lambda both: msgspec.structs.replace(both[0], **both[1]))


def same(a: Resource, b: Resource) -> bool:
    """Struct comparison would ask UNKNOWN, and a plain dict leaves it out."""
    return type(a) is type(b) and plain(a) == plain(b)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_kind_survives_json_and_the_store(kind: type[Resource], data: st.DataObject) -> None:
    drawn = {r.uid: r for r in data.draw(st.lists(resources(kind), min_size=3, max_size=6))}
    bodies = [msgspec.json.encode(resource) for resource in drawn.values()]
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(str(Path(folder) / "s.db"))
        for _ in range(2):
            with store.writer(NOW) as writer:
                writer.add(Batch(resources=[msgspec.json.decode(body, type=kind) for body in bodies]))
        read = {r.uid: r for r in store.snapshot().of(kind)}
        assert read.keys() == drawn.keys()
        for uid, resource in drawn.items():
            assert same(read[uid], resource)
            for name in field_names(kind):
                assert (getattr(read[uid], name) is UNKNOWN) == (getattr(resource, name) is UNKNOWN), name
            assert len(store.timeline(uid)) == 1
        assert store.diff(1, 2) == []
        store.close()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_every_kind_names_itself_and_starts_unknown(kind: type[Resource]) -> None:
    assert KINDS[kind.KIND] is kind
    assert kind.KIND.islower()
    assert kind.TITLE
    fresh = kind(source="云/甲", native_id="7/8")
    assert fresh.uid == uid_of("云/甲", kind.KIND, "7/8") == f"云/甲/{kind.KIND}/7/8"
    seen = set(field_names(kind)) - {"source", "native_id", *ABSENT}
    assert [f for f in seen if getattr(fresh, f) is not UNKNOWN] == []
    assert set(field_names(kind)) >= kind.VOLATILE


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.VOLATILE], ids=lambda k: k.KIND)
@settings(max_examples=10)
@given(data=st.data())
def test_the_hash_does_not_know_volatile_fields_and_knows_every_other(
    kind: type[Resource], data: st.DataObject
) -> None:
    first, second = data.draw(resources(kind)), data.draw(resources(kind))
    mixed = msgspec.structs.replace(first, **{name: getattr(second, name) for name in kind.VOLATILE})
    assert encode(mixed).hash == encode(first).hash
    assert (encode(first).hash == encode(second).hash) == (
        {k: v for k, v in plain(first).items() if k not in kind.VOLATILE}
        == {k: v for k, v in plain(second).items() if k not in kind.VOLATILE}
    )

"""What every registered collector must do, on the estate of its type (conftest.py)."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.contract import Options, Run, Source, SourceError, collector
from collectors.recordings import replaying
from collectors.run import collect_all
from inventory.coverage import Batch, Collection, Status
from inventory.evidence import Evidence
from inventory.kinds import KINDS
from inventory.resource import Resource, plain
from inventory.unknown import Unknown


@dataclass
class Told:
    """All that a collector handed over."""

    resources: list[Resource] = field(default_factory=list)
    collections: list[Collection] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    error: SourceError | None = None

    def status(self, kind: str) -> set[Status]:
        return {c.status for c in self.collections if c.kind == kind}


def collect(source: Source, environ: dict[str, str]) -> Told:
    told = Told()
    try:
        for batch in collector(source.type).collect(source, Run(source, environ=environ)):
            assert isinstance(batch, Batch)
            told.resources += batch.resources
            told.collections += batch.collections
            told.evidence += batch.evidence
    except SourceError as error:
        told.error = error
    return told


@pytest.fixture(scope="module")
def told(estate: Any) -> Told:
    return collect(estate.whole, estate.environ)


def test_the_module_has_the_shape(source_type: str) -> None:
    module = collector(source_type)
    assert module.KINDS
    assert len(set(module.KINDS)) == len(module.KINDS)
    assert set(module.KINDS) <= set(KINDS)
    assert issubclass(module.Options, Options)
    assert module.PERMISSIONS.strip()
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"no_such_option": 1}, module.Options)


def test_the_module_alone_pulls_in_no_sdk_and_no_policy(source_type: str) -> None:
    program = (
        "import sys; from collectors.contract import collector;"
        f"collector({source_type!r});"
        "print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'policies', 'reports', 'exporters', 'zhengguan', 'openstack', 'keystoneauth1', 'pysnmp', 'gufo',"
        " 'paramiko', 'kubernetes', 'sqlalchemy'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_resources_are_typed_belong_to_the_source_and_are_unique(told: Told, estate: Any) -> None:
    assert told.error is None
    assert told.resources
    kinds = collector(estate.whole.type).KINDS
    for resource in told.resources:
        assert type(resource) is KINDS[resource.KIND]
        assert resource.KIND in kinds
        assert resource.source == estate.whole.name
        assert resource.native_id
        assert estate.whole.labels.items() <= resource.labels.items()
    doubled = [uid for uid, n in Counter(r.uid for r in told.resources).items() if n > 1]
    assert doubled == []


def test_values_are_of_their_declared_types(told: Told) -> None:
    """A round trip through JSON refuses a wrong type and keeps unknown unknown."""
    for resource in told.resources:
        encoded = msgspec.json.encode(resource)
        again = msgspec.json.decode(encoded, type=type(resource))
        assert msgspec.json.encode(again) == encoded
        unknown = {n for n in resource.__struct_fields__ if isinstance(getattr(resource, n), Unknown)}
        assert unknown.isdisjoint(plain(resource))


def test_never_a_verdict(told: Told) -> None:
    words = {"verdict", "severity", "compliant", "finding", "passed", "violation"}
    for resource in told.resources:
        assert words.isdisjoint(plain(resource))


def test_every_kind_has_exactly_one_collection_per_scope(told: Told, estate: Any) -> None:
    count = Counter((c.kind, c.scope) for c in told.collections)
    assert set(count.values()) == {1}
    kinds = set(collector(estate.whole.type).KINDS)
    assert {c.kind for c in told.collections} == kinds
    scopes: dict[str, set[str]] = {}
    for c in told.collections:
        scopes.setdefault(c.scope, set()).add(c.kind)
    whole = scopes.pop("", set()) if len(scopes) > 1 else set()  # kinds asked for without a scope
    for held in scopes.values():
        assert held | whole == kinds
        assert not held & whole
    assert {c.source for c in told.collections} == {estate.whole.name}


def test_collections_count_what_came_and_say_why_not_all(told: Told) -> None:
    rows = Counter((r.KIND, r.scope) for r in told.resources)
    for one in told.collections:
        assert one.count == rows[one.kind, one.scope]
        assert one.started_at <= one.ended_at
        assert one.reason or one.status is Status.COMPLETE
    assert set(rows) <= {(c.kind, c.scope) for c in told.collections}
    assert any(c.status is Status.COMPLETE for c in told.collections)


def test_evidence_is_addressed_by_its_content_and_is_there(told: Told) -> None:
    held = {e.id for e in told.evidence}
    for one in told.evidence:
        assert one.id == hashlib.sha256(one.content).hexdigest()
        assert one.origin
    for collection in told.collections:
        assert set(collection.evidence) <= held
        assert collection.evidence or collection.status is not Status.COMPLETE


def test_a_narrow_credential_is_denied_and_never_shown_an_empty_estate(told: Told, estate: Any) -> None:
    if estate.narrow is None:
        return  # a source that is not seen through a credential: nothing to be narrow about
    narrow = collect(estate.narrow, estate.environ)
    denied = [c for c in narrow.collections if c.status is Status.DENIED]
    assert denied
    for one in denied:
        assert one.remedy
    whole = Counter(r.KIND for r in told.resources)
    seen = Counter(r.KIND for r in narrow.resources)
    for one in narrow.collections:
        if seen[one.kind] < whole[one.kind]:
            assert one.status is not Status.COMPLETE, one


def test_the_deadline_is_kept(estate: Any) -> None:
    """A peer that takes the connection and never answers: all kinds are accounted for in time."""
    if estate.silent is None:
        return  # the source is this machine
    source = msgspec.structs.replace(estate.silent, deadline_seconds=2.0)
    finished = threading.Event()
    told = Told()

    def work() -> None:
        nonlocal told
        told = collect(source, estate.environ)
        finished.set()

    threading.Thread(target=work, daemon=True).start()
    assert finished.wait(30), "the collector outlived its deadline"
    assert told.resources == []
    assert {c.status for c in told.collections} <= {Status.FAILED}
    assert told.collections or told.error is not None
    if told.error is not None:
        assert told.error.reason
        assert told.error.status is Status.FAILED


def test_secrets_do_not_come_out(told: Told, estate: Any) -> None:
    texts = [msgspec.json.encode(r).decode() for r in told.resources]
    texts += [msgspec.json.encode(c).decode() for c in told.collections]
    texts += [e.content.decode("utf-8", "replace") + e.origin for e in told.evidence]
    module = collector(estate.whole.type)
    for source in filter(None, (estate.whole, estate.silent)):
        run = Run(msgspec.structs.replace(source, deadline_seconds=5.0), environ=estate.environ)
        try:
            texts += [repr(access) for access in module.probe(source, run)]
        except SourceError as error:
            texts += [error.reason, error.remedy]
    leaks = [secret for secret in estate.planted for text in texts if secret in text]
    assert leaks == []


def test_a_secret_by_value_is_refused(source_type: str) -> None:
    module = collector(source_type)
    references = [name for name in module.Options.__struct_fields__ if name.endswith("_ref")]
    for name in references:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({name: "the secret itself"}, module.Options)


def test_collecting_again_gives_the_same_content(told: Told, estate: Any) -> None:
    """What has not changed must not look changed: apart from volatile fields, byte for byte."""

    def content(resources: list[Resource]) -> dict[str, str]:
        result = {}
        for resource in resources:
            fields = {k: v for k, v in plain(resource).items() if k not in resource.VOLATILE}
            result[resource.uid] = msgspec.json.encode(fields, order="sorted").decode()
        return result

    first, second = content(told.resources), content(collect(estate.whole, estate.environ).resources)
    lasting = {uid for uid in first if uid.split("/")[1] not in ("listener",)}  # sockets come and go
    assert {u: t for u, t in first.items() if u in lasting} == {
        u: t for u, t in second.items() if u in lasting
    }


def test_the_runner_accounts_for_every_kind(estate: Any) -> None:
    if estate.silent is None:
        return
    source = msgspec.structs.replace(estate.silent, deadline_seconds=2.0)
    kinds: set[str] = set()
    for _, batch in collect_all([source]):
        kinds |= {c.kind for c in batch.collections}
        assert all(c.status is not Status.COMPLETE for c in batch.collections)
    assert kinds == set(collector(source.type).KINDS)


def test_probe_tells_in_lines(estate: Any) -> None:
    lines = list(collector(estate.whole.type).probe(estate.whole, Run(estate.whole, environ=estate.environ)))
    assert lines
    assert all(line.subject for line in lines)
    assert all(line.detail or line.remedy for line in lines if not line.ok)


def test_a_recording_replays_to_the_same_and_holds_no_secret(
    estate: Any, source_type: str, tmp_path: Path
) -> None:
    path = tmp_path / "recording"
    run = Run(estate.whole, environ=estate.environ)
    live = collector(source_type).record(estate.whole, run, path)
    again = replaying(path, labels=estate.whole.labels)
    assert (again.name, again.type) == (estate.whole.name, source_type)
    replayed = list(collector(source_type).collect(again, Run(again, environ={})))
    assert _resources(replayed) == _resources(live)
    assert _coverage(replayed) == _coverage(live)
    files = [path] if path.is_file() else list(path.iterdir())
    content = b"".join(gzip.decompress(file.read_bytes()) for file in files)
    assert content
    for secret in estate.planted:
        assert secret.encode() not in content
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


def _resources(batches: list[Batch]) -> dict[str, Any]:
    return {r.uid: plain(r) for batch in batches for r in batch.resources}


def _coverage(batches: list[Batch]) -> list[tuple[Any, ...]]:
    found = [c for batch in batches for c in batch.collections]
    return sorted((c.kind, c.scope, c.status.value, c.count, c.reason, c.remedy) for c in found)

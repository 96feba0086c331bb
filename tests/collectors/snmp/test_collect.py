"""The source type as a whole: options, scopes, secrets, evidence, deadlines, which library answers."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import socket
import threading
import time
from argparse import Namespace

import msgspec
import pytest

from collectors import snmp
from collectors.contract import Run, Source, SourceError
from collectors.run import collect_all
from collectors.snmp import engines, fleet
from collectors.snmp.engines import Credentials, choose, split_target
from inventory.coverage import Status

PUBLIC = {"community_ref": "env:COMMUNITY"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "targets"),
        ({"targets": ["10.0.0.1"]}, "community_ref"),
        ({"targets": ["10.0.0.1"], "community_ref": "public"}, "不能写密钥本身"),
        ({"targets": ["10.0.0.1", "10.0.0.1"], **PUBLIC}, "重复"),
        ({"targets": ["10.0.0.1:x"], **PUBLIC}, "主机:端口"),
        ({"targets": ["10.0.0.1"], "version": "v3"}, "user"),
        (
            {"targets": ["10.0.0.1"], "version": "v3", "user": "u", "authentication": "SHA256"},
            "authentication_ref",
        ),
        ({"targets": ["10.0.0.1"], "version": "v3", "user": "u", "privacy": "DES"}, "authentication"),
        ({"targets": ["10.0.0.1"], "timeout_seconds": 0, **PUBLIC}, "timeout_seconds"),
        ({"recording": "x", "targets": ["../y"]}, "文件名"),
        ({"targets": ["10.0.0.1"], "wrong": 1, **PUBLIC}, "wrong"),
        ({"targets": ["10.0.0.1"], "version": "v1"}, "v1 需要 community_ref"),
        ({"targets": ["10.0.0.1"], "version": "v4", **PUBLIC}, "v4"),
        ({"targets": ["10.0.0.1"], "user": "u", **PUBLIC}, "v2c 没有 user"),
        ({"targets": ["10.0.0.1"], "credentials": [PUBLIC, {"version": "v3"}]}, "第 2 组：v3 需要 user"),
        ({"targets": ["10.0.0.1"], "credentials": [{"community_ref": "public"}]}, "不能写密钥本身"),
        ({"targets": ["10.0.0.1"], "credentials": [PUBLIC], **PUBLIC}, "都放进 credentials"),
    ],
)
def test_options_say_what_is_wrong(options, message):
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert(options, snmp.Options)


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("10.0.0.1", ("10.0.0.1", 161)),
        ("switch.example:1161", ("switch.example", 1161)),
        ("2001:db8::1", ("2001:db8::1", 161)),
        ("[2001:db8::1]:1161", ("2001:db8::1", 1161)),
    ],
)
def test_targets(target, parts):
    assert split_target(target) == parts


def test_a_target_without_an_answer_fails_alone(lab, collect):
    found = collect(recording=str(lab / "snmprec"), targets=["huawei-s5720", "gone", "h3c-e528-2"])
    assert set(found) == {"huawei-s5720", "gone", "h3c-e528-2"}
    gone = found.pop("gone")
    assert gone.batch.resources == []
    for kind in ("device", "interface"):
        collection = gone.collections[kind]
        assert (collection.status, collection.scope, collection.reason) == (Status.FAILED, "gone", "没有应答")
    for target, outcome in found.items():
        assert {c.status for c in outcome.collections.values()} == {Status.COMPLETE}
        assert {c.scope for c in outcome.collections.values()} == {target}
        assert {r.scope for r in outcome.batch.resources} == {target}


def test_no_collection_claims_the_whole_source(lab):
    """An empty scope would make one device's rows evidence of another's absence."""
    options = snmp.Options(recording=str(lab / "snmprec"), targets=["h3c-e528-2", "gone"])
    batches = [b for _, b in collect_all([Source(name="net", type="snmp", options=options)])]
    scopes = {(c.scope, c.kind) for b in batches for c in b.collections}
    assert scopes == {(t, k) for t in ("h3c-e528-2", "gone") for k in snmp.KINDS}


def test_a_missing_secret_fails_every_device(collect):
    found = collect(targets=["127.77.9.1", "127.77.9.2"], community_ref="env:NOT_SET")
    assert {(t, o.collections["device"].status) for t, o in found.items()} == {
        ("127.77.9.1", Status.FAILED),
        ("127.77.9.2", Status.FAILED),
    }
    assert "NOT_SET" in found["127.77.9.1"].collections["device"].reason


def test_a_folder_without_recordings(tmp_path, collect):
    for recording in (tmp_path, tmp_path / "none"):
        with pytest.raises(SourceError, match="录制目录"):
            collect(recording=str(recording))


def test_labels_and_relations(lab, collect):
    outcome = collect(recording=str(lab / "snmprec" / "h3c-e528-2.snmprec"), labels={"zone": "互联网区"})[
        "h3c-e528-2"
    ]
    assert all(r.labels == {"zone": "互联网区"} for r in outcome.batch.resources)
    assert all(i.related("part_of") == ["net/device/h3c-e528-2"] for i in outcome.interfaces)
    assert len({r.uid for r in outcome.batch.resources}) == len(outcome.batch.resources)


def test_a_default_community_is_only_told_where_it_was_configured(lab, collect):
    def told(**options):
        [outcome] = collect(recording=str(lab / "snmprec" / "h3c-e528-2.snmprec"), **options).values()
        return outcome.device.snmp_default_community

    assert told(**PUBLIC) is True
    assert not isinstance(told(community_ref="env:WRONG"), bool)  # whether it also takes "public" is open
    assert not isinstance(told(), bool)


def test_evidence_is_the_rows_without_personal_text_secrets_or_counters(tmp_path, collect):
    lines = [
        "1.3.6.1.2.1.1.1.0|4|switch, community not-the-secret",
        "1.3.6.1.2.1.1.3.0|67|{uptime}",
        "1.3.6.1.2.1.1.4.0|4|张三 13800000000",
        "1.3.6.1.2.1.1.5.0|4x|" + b"\xff not-the-secret".hex(),
        "1.3.6.1.2.1.2.2.1.1.1|2|1",
        "1.3.6.1.2.1.2.2.1.2.1|4|eth0",
        "1.3.6.1.2.1.2.2.1.10.1|65|{uptime}",
        "1.3.6.1.2.1.2.2.1.20.1|65|{uptime}",
    ]

    def once(uptime):
        (tmp_path / "d.snmprec").write_text("\n".join(lines).format(uptime=uptime))
        return collect(recording=str(tmp_path), community_ref="env:WRONG")["d"]

    first, second = once(1234567), once(7654321)
    assert first.device.contact_set is True
    everything = msgspec.json.encode(first.batch.resources) + b"".join(
        e.content for e in first.batch.evidence
    )
    for private in ("张三", "13800000000", "not-the-secret", b"not-the-secret".hex(" ")):
        assert private.encode() not in everything
    assert first.interfaces[0].in_octets == 1234567
    assert b"1234567" not in b"".join(e.content for e in first.batch.evidence)
    assert {e.id for e in first.batch.evidence} == {e.id for e in second.batch.evidence}
    ids = {e.id for e in first.batch.evidence}
    assert {i for c in first.collections.values() for i in c.evidence} == ids
    if_table = next(e.content.decode() for e in first.batch.evidence if "ifTable" in e.origin)
    assert '1.3.6.1.2.1.2.2.1.2.1 = "eth0"' in if_table


def test_nothing_outlives_the_deadline(lab):
    """A device that never answers holds its source no longer than the source's own deadline."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.77.9.9", 0))
        target = f"127.77.9.9:{deaf.getsockname()[1]}"
        options = snmp.Options(targets=[target], timeout_seconds=5, retries=9, **PUBLIC)
        source = Source(name="net", type="snmp", options=options, deadline_seconds=1.0)
        began = time.monotonic()
        [batch] = snmp.collect(source, Run(source, environ={"COMMUNITY": "public"}))
    assert time.monotonic() - began < 20
    assert {c.status for c in batch.collections} == {Status.FAILED}
    assert {c.scope for c in batch.collections} == {target}


@pytest.mark.parametrize("blocks", [False, True])
def test_no_more_is_read_than_is_taken(monkeypatch, blocks):
    """Whoever stores the batches may be slower than the network; what waits for him must not pile up."""
    monkeypatch.setattr(fleet, "_blocks", lambda options, credentials: blocks)
    targets = [f"10.0.0.{n}" for n in range(1, 41)]
    source = Source(name="net", type="snmp", deadline_seconds=30)
    begun = []

    async def work(target):
        begun.append(target)

    options = snmp.Options(targets=targets, concurrency=3, **PUBLIC)
    for taken, _ in enumerate(fleet.every(targets, options, [], Run(source), work), start=1):
        if taken == 5:
            time.sleep(0.1)  # time enough to begin them all
            assert len(begun) <= 5 + 2 * 3
    assert sorted(begun) == sorted(targets)


def test_those_who_wait_for_room_end_when_nobody_wants_them(monkeypatch):
    for blocks in (False, True):
        monkeypatch.setattr(fleet, "_blocks", lambda options, credentials, blocks=blocks: blocks)
        targets = [f"10.0.0.{n}" for n in range(1, 41)]
        options = snmp.Options(targets=targets, concurrency=3, **PUBLIC)

        async def work(target):
            return target

        results = fleet.every(targets, options, [], Run(Source(name="left", type="snmp")), work)
        next(results)
        time.sleep(0.1)  # time enough to use up all room
        results.close()
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("snmp-left")]
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)


def test_probe_tells_who_answers(lab):
    options = snmp.Options(recording=str(lab / "snmprec"), targets=["topsec-ngfw4000-uf", "gone"])
    source = Source(name="net", type="snmp", options=options)
    accesses = {a.subject: a for a in snmp.probe(source, Run(source))}
    assert accesses["topsec-ngfw4000-uf"].ok
    assert "NGFW4000" in accesses["topsec-ngfw4000-uf"].detail
    assert accesses["gone"].ok is False
    assert accesses["gone"].remedy


def test_which_library_answers(monkeypatch):
    v2c, odd = Credentials(version="v2c", community="c"), Credentials(version="v3", user="u", privacy="3DES")
    assert choose("auto", v2c) == "gufo"
    assert choose("pysnmp", v2c) == "pysnmp"
    assert choose("auto", odd) == "pysnmp"
    monkeypatch.setattr(engines, "_installed", lambda module: module != "gufo.snmp")
    assert choose("auto", v2c) == "pysnmp"
    with pytest.raises(SourceError, match="没有安装"):
        choose("gufo", v2c)
    monkeypatch.setattr(engines, "_installed", lambda module: module == "gufo.snmp")
    with pytest.raises(SourceError, match="3DES"):
        choose("auto", odd)


def test_credentials_do_not_print_themselves():
    assert "hush" not in repr(Credentials(version="v2c", community="hush"))


@pytest.mark.parametrize("engine", ["gufo", "pysnmp"])
@pytest.mark.parametrize(("error_status", "status"), [(5, Status.PARTIAL), (16, Status.PARTIAL)])
def test_an_error_in_the_middle_of_a_table_is_not_its_end(lab, collect, engine, error_status, status):
    """gufo shows genErr and authorizationError exactly as it shows the end of the MIB."""
    with faulty_agent(lab, error_status) as target:
        outcome = collect(targets=[target], engine=engine, retries=0, timeout_seconds=4.0, **PUBLIC)[target]
    assert outcome.collections["interface"].status is status
    assert "ifTable" in outcome.collections["interface"].reason
    assert len(outcome.interfaces) > 0


class faulty_agent:  # noqa: N801
    """An agent that plays a recording and answers with an error status from ifDescr on."""

    def __init__(self, lab, error_status):
        loader = importlib.machinery.SourceFileLoader("snmp_farm", str(lab / "snmp-farm"))
        self.farm = importlib.util.module_from_spec(importlib.util.spec_from_loader("snmp_farm", loader))
        loader.exec_module(self.farm)
        self.recording = self.farm.Recording(str(lab / "snmprec" / "h3c-e528-2.snmprec"))
        self.error_status = error_status

    def __enter__(self):
        farm = self.farm
        serving = farm.Farm(Namespace(max_msg=1472, community="public", v3=None))
        good = serving.answer
        if_entry = bytes((0x2B, 6, 1, 2, 1, 2, 2, 1))

        def answer(device, recording, tag, *rest):
            asked = rest[2]
            _, found, column = asked.partition(if_entry)
            if tag != 0xA0 and found and column[0] > 1:
                status = farm.enc_int(self.error_status)
                return status + farm.enc_int(1) + asked, True
            return good(device, recording, tag, *rest)

        serving.answer = answer
        device = farm.Device()
        device.rec, device.fault, device.name, device.keys = self.recording, None, b"faulty", {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.77.9.8", 0))
        self.stopping = False

        def serve():
            while True:
                packet, peer = self.socket.recvfrom(65535)
                if self.stopping:
                    return
                self.socket.sendto(serving.message(device, packet), peer)

        self.thread = threading.Thread(target=serve, daemon=True)
        self.thread.start()
        return f"127.77.9.8:{self.socket.getsockname()[1]}"

    def __exit__(self, *_):
        self.stopping = True
        self.socket.sendto(b"", self.socket.getsockname())
        self.thread.join(5)
        self.socket.close()

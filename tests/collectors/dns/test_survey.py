"""Whole runs against small servers: what is unknown, and peers that mean no good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dns import flags, message, rcode, rrset

from collectors import dns
from collectors.contract import Run, Source, SourceError
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.web import Domain
from inventory.unknown import UNKNOWN, known

NAME = "www.example.gov.cn"
Build = Callable[..., message.Message]
Serve = Callable[[Any], Any]


def read(resolver: str, **options: Any) -> tuple[Domain | None, Collection]:
    asked = {"names": [NAME], "resolvers": [resolver], "authoritative": False, "mail": False, "lookups": 1}
    patience = {"timeout_seconds": 30.0, "retries": 0}
    source = Source(
        name="n", type="dns", options=dns.Options(**{**asked, **patience, **options}), deadline_seconds=120
    )
    batches: list[Batch] = list(dns.collect(source, Run(source)))
    (collection,) = [c for b in batches for c in b.collections]
    rows = [r for b in batches for r in b.resources]
    assert len(rows) == collection.count
    return (rows[0] if rows else None), collection  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("code", "reason"), [(rcode.SERVFAIL, "SERVFAIL"), (rcode.REFUSED, "REFUSED"), (rcode.NOTAUTH, "错误码")]
)
def test_an_error_of_the_resolver_is_never_no_address(
    serve: Serve, answer_of: Build, code: int, reason: str
) -> None:
    server = serve(lambda question, _: [answer_of(question, code=code).to_wire()])
    row, collection = read(server.address)
    assert row is None
    assert collection.status is Status.FAILED
    assert reason in collection.reason
    assert collection.remedy


def test_an_error_for_one_family_leaves_the_addresses_unknown(serve: Serve, answer_of: Build) -> None:
    def answer(question: message.Message, _: bool) -> list[bytes]:
        if question.question[0].rdtype.name == "AAAA":
            return [answer_of(question, code=rcode.SERVFAIL).to_wire()]
        return [answer_of(question, f"{NAME}. A 192.0.2.1").to_wire()]

    row, collection = read(serve(answer).address)
    assert row is None  # nothing is told of a name of which half is missing
    assert collection.status is Status.FAILED


def test_no_data_and_no_such_name_are_evidence(serve: Serve, answer_of: Build) -> None:
    row, collection = read(serve(lambda q, _: [answer_of(q).to_wire()]).address)
    assert row is not None
    assert (row.exists, row.addresses, row.alias_ends) == (True, [], None)
    assert collection.status is Status.COMPLETE
    row, _ = read(serve(lambda q, _: [answer_of(q, code=rcode.NXDOMAIN).to_wire()]).address)
    assert row is not None
    assert (row.exists, row.addresses) == (False, [])


def test_the_first_resolver_that_settles_it_counts_and_the_other_is_told(
    serve: Serve, answer_of: Build
) -> None:
    ill = serve(lambda q, _: [answer_of(q, code=rcode.SERVFAIL).to_wire()])
    well = serve(lambda q, _: [answer_of(q, f"{NAME}. AAAA 2400:3200::1").to_wire()])
    row, collection = read(ill.address, resolvers=[ill.address, well.address])
    assert row is not None
    assert [a.address for a in row.addresses] == ["2400:3200::1"]
    assert [known(r.answered) for r in row.resolvers] == [False, True]
    assert collection.status is Status.PARTIAL
    assert "SERVFAIL" in collection.reason


def test_answers_with_a_wrong_id_are_passed_over(serve: Serve, answer_of: Build) -> None:
    def answer(question: message.Message, _: bool) -> list[bytes]:
        right = answer_of(question, f"{NAME}. AAAA 2400:3200::1").to_wire()
        wrong = answer_of(question, f"{NAME}. AAAA 2400:3200::bad").to_wire()
        forged = bytes([wrong[0] ^ 1]) + wrong[1:]
        return [forged, b"", b"\0", forged, right]

    row, _ = read(serve(answer).address)
    assert row is not None
    assert [a.address for a in row.addresses] == ["2400:3200::1"]


def test_a_flood_of_wrong_answers_is_nonsense(serve: Serve, answer_of: Build) -> None:
    def answer(question: message.Message, _: bool) -> list[bytes]:
        wrong = answer_of(question).to_wire()
        return [bytes([wrong[0] ^ 1]) + wrong[1:]] * 100

    row, collection = read(serve(answer).address)
    assert row is None
    assert "答非所问" in collection.reason


def test_a_cut_off_answer_is_fetched_over_tcp_and_may_be_long(serve: Serve, answer_of: Build) -> None:
    def answer(question: message.Message, tcp: bool) -> list[bytes]:
        if not tcp:
            cut = answer_of(question)
            cut.flags |= flags.TC
            return [cut.to_wire()]
        made = answer_of(question)
        if question.question[0].rdtype.name == "AAAA":
            texts = [f"2400:3200::{n:x}" for n in range(1000)]
            made.answer.append(rrset.from_text(f"{NAME}.", 60, "IN", "AAAA", *texts))
        wire = made.to_wire(max_size=65535)
        whole = len(wire).to_bytes(2, "big") + wire
        return [whole[:1], whole[1:3], whole[3:]]

    server = serve(answer)
    row, _ = read(server.address)
    assert row is not None
    assert len(row.addresses) == 1000
    assert {tcp for _, kind, tcp in server.asked if kind == "AAAA"} == {False, True}


def test_a_server_that_hangs_up_on_tcp_is_nonsense(serve: Serve, answer_of: Build) -> None:
    def answer(question: message.Message, tcp: bool) -> list[bytes]:
        cut = answer_of(question)
        cut.flags |= flags.TC
        return [b"\xff\xff" + b"\0" * 100] if tcp else [cut.to_wire()]

    row, collection = read(serve(answer).address)
    assert row is None
    assert "不成样子" in collection.reason


def test_a_server_without_edns_is_asked_plainly(serve: Serve, answer_of: Build) -> None:
    def answer(question: message.Message, _: bool) -> list[bytes]:
        if question.edns >= 0:
            return [answer_of(question, code=rcode.FORMERR).to_wire()]
        return [answer_of(question, f"{NAME}. AAAA 2400:3200::1").to_wire()]

    row, _ = read(serve(answer).address)
    assert row is not None
    assert len(row.addresses) == 1


def test_aliases_that_each_answer_leaves_open_come_to_an_end(serve: Serve, answer_of: Build) -> None:
    def endless(question: message.Message, _: bool) -> list[bytes]:
        name = str(question.question[0].name)
        return [answer_of(question, f"{name} CNAME x{name}").to_wire()]

    def ring(question: message.Message, _: bool) -> list[bytes]:
        name = str(question.question[0].name)
        target = "b.cn." if name != "b.cn." else f"{NAME}."
        return [answer_of(question, f"{name} CNAME {target}").to_wire()]

    for answer in (endless, ring):
        row, _ = read(serve(answer).address)
        assert row is not None
        assert (row.alias_ends, row.addresses, row.exists) == ("loop", [], True)


def test_a_server_of_the_root_that_refers_to_itself_without_end(serve: Serve, answer_of: Build) -> None:
    """Every label is a zone of its own, on a server that has none of them."""

    def answer(question: message.Message, _: bool) -> list[bytes]:
        name = question.question[0].name
        if len(name) == 1:
            return [answer_of(question).to_wire()]
        made = message.make_response(question)
        made.authority.append(rrset.from_text(name, 60, "IN", "NS", f"ns.{name.to_text()}"))
        made.additional.append(rrset.from_text(f"ns.{name.to_text()}", 60, "IN", "A", "127.53.53.53"))
        return [made.to_wire()]

    resolver = serve(lambda q, _: [answer_of(q, f"{NAME}. AAAA 2400:3200::1").to_wire()])
    row, collection = read(
        resolver.address, authoritative=True, root_servers=[serve(answer).address], families=["ipv4"],
        timeout_seconds=2.0,
    )  # fmt: skip
    assert row is not None
    assert len(row.addresses) == 1
    assert row.zone is UNKNOWN
    assert collection.status is Status.PARTIAL
    assert "权威服务器" in collection.reason


def test_silence_costs_its_time_and_no_more(serve: Serve, answer_of: Build) -> None:
    """A resolver that is silent about AAAA: the name's own limit ends it."""
    server = serve(lambda q, _: [] if q.question[0].rdtype.name == "AAAA" else [answer_of(q).to_wire()])
    row, collection = read(server.address, name_seconds=0.5)
    assert row is None
    assert "name_seconds" in collection.reason


def test_a_nonsense_root_leaves_what_the_resolver_said(serve: Serve, answer_of: Build) -> None:
    resolver = serve(lambda q, _: [answer_of(q, f"{NAME}. AAAA 2400:3200::1").to_wire()])
    root = serve(lambda q, _: [(wire := answer_of(q).to_wire())[:6] + b"\xff\xff" + wire[8:]])
    row, collection = read(resolver.address, authoritative=True, root_servers=[root.address])
    assert row is not None
    assert (row.delegations, row.dnssec, row.zone) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert collection.status is Status.PARTIAL
    assert "根 的权威服务器" in collection.reason


def test_a_file_that_cannot_be_read_ends_the_source(tmp_path: Path) -> None:
    source = Source(
        name="n", type="dns", options=dns.Options(names_file=str(tmp_path / "x"), resolvers=["127.0.0.1"])
    )
    with pytest.raises(SourceError, match="读不出"):
        list(dns.collect(source, Run(source)))

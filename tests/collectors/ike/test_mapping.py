"""From answers to resources: a recorded run of strongSwan, and answers written by the standards' tables.

No gateway of GM/T 0022 can be had here: its answers are written, and prove only that what stands in the tables
is asked, read and named.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Run
from collectors.ike import codes, collect
from collectors.ike.mapping import endpoint
from collectors.ike.packets import (
    MAIN,
    NO_PROPOSAL_CHOSEN,
    Choice2,
    Proposal,
    Reply,
    Transform,
    main_mode,
    reply_of,
    sa_init,
)
from collectors.ike.questions import Packet, Seen, Told, observe, transforms
from collectors.recordings import replaying
from inventory.coverage import Status
from inventory.unknown import UNKNOWN

DATA = Path(__file__).parents[2] / "data" / "ike" / "strongswan.jsonl.gz"
REFUSED1 = Reply(1, 5, b"", None, None, ((NO_PROPOSAL_CHOSEN, b""),), ())
REFUSED2 = Reply(2, 34, b"", None, None, ((NO_PROPOSAL_CHOSEN, b""),), ())


def mapped(seen: Seen, ended: str = "") -> tuple[Any, list[str]]:
    return endpoint(seen, ended, "192.0.2.1", 500, source="s", scope="t", labels={})


def test_the_recorded_gateways() -> None:
    source = replaying(DATA)
    batches = list(collect(source, Run(source)))
    assert {b.collections[0].status for b in batches} == {Status.COMPLETE}
    rows = {b.resources[0].address: b.resources[0] for b in batches}
    first = {address: row.versions[0] for address, row in rows.items()}
    second = {address: row.versions[1] for address, row in rows.items()}
    assert set(first["127.0.0.1"].encryptions) == {"DES-CBC", "3DES-CBC", "AES-CBC-128"}
    assert (rows["127.0.0.2"].aggressive, rows["127.0.0.2"].aggressive_authentication) == (True, "PSK")
    assert second["127.0.0.3"].encryptions == ["3DES-CBC"]
    assert second["::1"].encryptions == ["AES-CBC-256", "AES-GCM-16-256"]
    assert {g.bits for g in second["::1"].groups} == {384, 3072}


class Scripted:
    """Answers by the beginning of the question's name; nothing else is answered."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.asked = answers, []  # type: ignore[var-annotated]

    def ask(self, key: str, packet: Packet) -> Reply | None:
        self.asked.append(key)
        packet(b"12345678", b"")
        found = next((a for begin, a in self.answers.items() if key.startswith(begin)), None)
        return found.pop(0) if isinstance(found, list) else found


def test_a_gateway_of_gmt_0022_by_written_answers() -> None:
    sm4 = Transform(129, 128, 20, codes.ENVELOPE, 0, 2)
    sm1 = Transform(128, 0, 20, codes.ENVELOPE, 0, 2)
    asker = Scripted(
        {
            "v1/envelope": [Reply(1, MAIN, b"", sm4, None, (), ()), Reply(1, MAIN, b"", sm1, None, (), ()), REFUSED1, REFUSED1, REFUSED1],
            "v1": REFUSED1, "v2": REFUSED2,
        }
    )  # fmt: skip
    seen = Seen()
    observe(asker, seen)
    made, why = mapped(seen)
    first = made.versions[0]
    assert first.offered is True
    assert set(first.encryptions) == {"SM4-CBC", "SM1-CBC"}
    assert (first.hashes, first.authentications, first.groups) == (["SM3"], ["SM2-ENVELOPE"], [])
    assert why == []


def test_domestic_code_points_are_asked_in_messages_of_their_own() -> None:
    usual, users, envelope, domestic = transforms()
    assert {t.encryption for t in usual + users} == {1, 5, 7}
    assert {t.encryption for t in envelope} == {127, 128, 129}
    assert {t.asymmetric for t in envelope} == {1, 2}
    assert {t.hash for t in envelope} == {20, 2}
    assert {t.encryption for t in domestic} == {128, 129}
    packet = main_mode(b"12345678", envelope[:1])
    assert bytes.fromhex("80010081800200148003000a80140002") in packet


def test_refusals_are_evidence_and_silence_is_not() -> None:
    refusing, silent = Seen(), Seen()
    observe(Scripted({"v1": REFUSED1, "v2": REFUSED2}), refusing)
    made, why = mapped(refusing)
    assert [(v.offered, v.encryptions, v.asked_all) for v in made.versions] == [(UNKNOWN, [], True)] * 2
    assert (made.aggressive, why) == (UNKNOWN, [])
    asker = Scripted({})
    observe(asker, silent)
    assert mapped(silent) == (None, ["silent"])
    assert len(asker.asked) <= 4


def test_one_version_silent_the_other_not() -> None:
    seen = Seen()
    observe(Scripted({"v2": REFUSED2}), seen)
    made, why = mapped(seen)
    first, second = made.versions
    assert (first.offered, first.encryptions, first.asked_all) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert second.asked_all is True
    assert why == ["unanswered"]


def test_a_gateway_that_falls_silent_leaves_the_rest_unknown() -> None:
    taken = Reply(1, MAIN, b"", Transform(7, 256, 4, codes.PSK, 14), None, (), ())
    asker = Scripted({"v1/usual": [taken] + [None] * 50, "v2": REFUSED2})
    seen = Seen()
    observe(asker, seen)
    first = mapped(seen)[0].versions[0]
    assert (first.encryptions, first.asked_all) == (["AES-CBC-256"], UNKNOWN)
    assert len([k for k in asker.asked if k.startswith("v1")]) < 10


def test_an_answer_that_was_not_proposed_ends_the_question() -> None:
    strange = Reply(1, MAIN, b"", Transform(99, 0, 99, 99, 99), None, (), ())
    asker = Scripted({"v1": strange, "v2": REFUSED2})
    seen = Seen()
    observe(asker, seen)
    made, _ = mapped(seen)
    assert made.versions[0].encryptions == ["99"]
    assert made.versions[0].asked_all is UNKNOWN
    assert len(asker.asked) < 80


def test_aggressive_mode_refused_with_what_main_mode_takes_is_no() -> None:
    taken = Reply(1, MAIN, b"", Transform(7, 256, 4, codes.PSK, 14), None, (), ())
    seen = Seen()
    observe(Scripted({"v1/usual": [taken] + [REFUSED1] * 99, "v1": REFUSED1, "v2": REFUSED2}), seen)
    assert mapped(seen)[0].aggressive is False


def test_the_shortest_group_alone_is_found() -> None:
    class Old:
        def ask(self, key: str, packet: Packet) -> Reply | None:
            sent = packet(b"12345678", b"")
            if key.startswith("v1"):
                return REFUSED1
            has = struct.pack(">BBH", 4, 0, 1) in sent and b"\x03\x00\x00\x08\x01\x00\x00\x03" in sent
            return Reply(2, 34, b"", None, Choice2(3, 0, 1, 1, 1), (), ()) if has else REFUSED2

    seen = Seen()
    observe(Old(), seen)
    second = mapped(seen)[0].versions[1]
    assert [g.bits for g in second.groups] == [768]
    assert "3DES-CBC" in second.encryptions


def test_what_ended_early_is_said() -> None:
    seen = Seen(v1=Told(offered=True, answered=True))
    assert mapped(seen, "late")[1] == ["late"]
    assert mapped(Seen(), "refused") == (None, ["refused"])


@pytest.mark.parametrize("cut", [0, 10, 27, 28, 40, 60])
def test_cut_packets_are_refused(cut: int) -> None:
    from collectors.ike.packets import BadPacketError

    sent = sa_init(b"12345678", [Proposal(codes.V2_CIPHERS[:2], (5,), (12,), (14,))], 1)
    whole = sent[:19] + b"\x20" + sent[20:]
    assert reply_of(whole, b"12345678").chosen2 is not None
    with pytest.raises(BadPacketError):
        reply_of(whole[:cut], b"12345678")

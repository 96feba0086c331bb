"""Shared file systems and who may mount them."""

from __future__ import annotations

from typing import Any

import msgspec

from collectors.openstack import share
from collectors.openstack.listing import Place
from collectors.redact import Redactor
from inventory.kinds.storage import Share

PLACE = Place(source="zw", labels={}, clean=lambda value: value)
SHARES = msgspec.json.encode(
    {"shares": [{"id": "sh1", "name": "公文", "size": 100, "share_proto": "NFS", "is_public": False,
                 "share_type_name": "cephfs", "status": "available", "project_id": "p1",
                 "created_at": "2026-11-22T05:46:31.000000"}]}
)  # fmt: skip


def one(*rules: dict[str, Any]) -> Share:
    told = share.access_rules([msgspec.json.encode({"access_list": list(rules)})], PLACE)
    (found,) = share.shares([SHARES], {} if told is None else {"sh1": told}, PLACE).resources
    assert isinstance(found, Share)
    return found


RULE = {"id": "a", "access_type": "ip", "access_to": "0.0.0.0/0", "access_level": "rw", "state": "active"}


def test_access_rules_read_as_sentences() -> None:
    found = one(RULE, {**RULE, "access_to": "10.0.0.0/8", "access_level": "ro"})
    assert found.access == ["ip 0.0.0.0/0 rw", "ip 10.0.0.0/8 ro"]
    assert (found.protocol, found.size_gib, found.share_type) == ("NFS", 100, "cephfs")
    assert one().access == []


def test_rules_that_nobody_saw_are_unknown() -> None:
    (found,) = share.shares([SHARES], {}, PLACE).resources
    assert repr(found.access) == "UNKNOWN"  # type: ignore[attr-defined]
    assert repr(one({"id": "a", "access_type": None}).access) == "UNKNOWN"


def test_the_key_of_a_cephx_rule_goes_nowhere() -> None:
    rule = {**RULE, "access_type": "cephx", "access_to": "alice", "access_key": "AQA9-Planted-key=="}
    assert one(rule).access == ["cephx alice rw"]
    answer = msgspec.json.encode({"access_list": [rule]})
    assert b"Planted" not in Redactor().clean(answer, "application/json")

"""Secrets: metadata only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from collectors.openstack import secret
from collectors.openstack.listing import Place
from inventory.kinds.identity import Secret

PLACE = Place(source="zw", labels={}, clean=lambda value: value)
BASE = "http://127.0.0.1:25006/v1"


def one(referred: set[str] = frozenset(), all_seen: bool = True, **fields: Any) -> Secret:  # type: ignore[assignment]
    row = {"secret_ref": f"{BASE}/secrets/s-1", "name": "卷密钥", **fields}
    page = msgspec.json.encode({"secrets": [row], "total": 1})
    (found,) = secret.secrets([page], referred, PLACE, "p1", all_seen=all_seen).resources
    assert isinstance(found, Secret)
    return found


def test_what_is_known_of_a_key() -> None:
    found = one(
        status="ACTIVE",
        secret_type="symmetric",
        algorithm="aes",
        bit_length=256,
        mode="cbc",
        created="2026-11-22T05:46:31",
        expiration="2027-11-22T00:00:00",
    )
    assert (found.native_id, found.name) == ("s-1", "卷密钥")
    assert (found.algorithm, found.bit_length, found.mode) == ("aes", 256, "cbc")
    assert found.expires_at == datetime(2027, 11, 22, tzinfo=UTC)
    assert found.related("in_project") == ["zw/project/p1"]
    assert one(expiration=None).expires_at is None
    assert repr(one().expires_at) == repr(one().algorithm) == "UNKNOWN"


def test_a_payload_goes_nowhere_even_where_an_answer_holds_one() -> None:
    found = one(payload="Planted-payload", content_types={"default": "Planted-type"})
    assert b"Planted" not in msgspec.json.encode(found)


def test_unused_is_said_only_where_all_that_could_refer_was_seen() -> None:
    assert one({"s-1"}, all_seen=False).used is True
    assert one({"s-2"}, all_seen=True).used is False
    assert repr(one({"s-2"}, all_seen=False).used) == "UNKNOWN"


def test_secrets_in_containers_that_something_uses() -> None:
    def container(name: str, holds: str, **fields: Any) -> dict[str, Any]:
        refs = [{"name": "certificate", "secret_ref": f"{BASE}/secrets/{holds}"}]
        return {"container_ref": f"{BASE}/containers/{name}", "secret_refs": refs, "consumers": [], **fields}

    rows = [
        container("c-1", "by-listener"),
        container("c-2", "by-consumer", consumers=[{"name": "lbaas", "URL": "x"}]),
        container("c-3", "by-nobody"),
    ]
    page = msgspec.json.encode({"containers": rows})
    assert secret.in_containers([page], {"c-1"}) == {"by-listener", "by-consumer"}

"""Containers of objects: who may read them."""

from __future__ import annotations

from urllib.parse import parse_qs

import msgspec
import pytest

from collectors.openstack import object_container, swift
from collectors.openstack.client import Facts
from collectors.openstack.listing import Place
from inventory.kinds.storage import ObjectContainer

PLACE = Place(source="zw", labels={}, clean=lambda value: value)


def one(headers: dict[str, str], owner: bool = True) -> ObjectContainer:
    body = swift.enveloped(b"[]", {name.title(): v for name, v in headers.items()}, {})
    (found,) = object_container.container("p1", "公开", body, PLACE, owner=owner).resources
    assert isinstance(found, ObjectContainer)
    return found


@pytest.mark.parametrize(
    ("acl", "public"),
    [
        ("", False),
        (".r:*,.rlistings", True),
        (".r:*", True),
        (".referrer:*.example.gov.cn", True),  # the header is the reader's own word
        ("p2:alice, p2:bob", False),
        (".rlistings", False),
        (".r:-.evil.example,p2:*", False),
        ("*:*", False),  # any user, but a user
    ],
)
def test_who_may_read_without_a_login(acl: str, public: bool) -> None:
    assert one({"x-container-read": acl} if acl else {}).public_read is public


def test_what_the_headers_of_a_container_tell() -> None:
    found = one(
        {
            "x-container-read": ".rlistings,.r:*",
            "x-container-write": "p2:alice",
            "x-container-object-count": "12",
            "x-container-bytes-used": "4096",
            "x-storage-policy": "gold",
            "x-versions-enabled": "True",
        }
    )
    assert found.native_id == "p1/公开"
    assert (found.read_acl, found.write_acl) == ([".r:*", ".rlistings"], ["p2:alice"])
    assert (found.objects, found.size_bytes, found.storage_policy) == (12, 4096, "gold")
    assert found.versioned is True
    assert one({"x-history-location": "old"}).versioned is True
    assert one({}).versioned is False
    assert repr(one({}).objects) == repr(one({"x-container-bytes-used": "many"}).size_bytes) == "UNKNOWN"


def test_headers_that_may_hold_keys_are_not_kept() -> None:
    headers = {"X-Container-Meta-Temp-URL-Key": "Planted", "X-Container-Sync-Key": "Planted"}
    assert b"Planted" not in swift.enveloped(b"[]", headers, {})


def test_a_full_page_leads_to_the_next_and_a_short_one_is_the_last() -> None:
    body = msgspec.json.encode([{"name": "a", "count": 1, "bytes": 2}, {"name": "乙 &b"}])
    full = msgspec.json.decode(swift.enveloped(body, {}, {"format": "json", "limit": "2"}))
    assert parse_qs(full["next"][1:]) == {"format": ["json"], "limit": ["2"], "marker": ["乙 &b"]}
    assert [row["name"] for row in full["rows"]] == ["a", "乙 &b"]
    assert "next" not in msgspec.json.decode(swift.enveloped(body, {}, {"limit": "3"}))
    assert "next" not in msgspec.json.decode(swift.enveloped(b"", {}, {"limit": "0"}))
    assert swift.enveloped(b"<html>", {}, {}) == b"<html>"


def test_the_account_of_another_project_is_named_as_one_s_own() -> None:
    assert swift.account_prefix("http://h:8080/v1/AUTH_p1", "p1") == "AUTH_"
    assert swift.account_prefix("http://h:8080/swift/v1/KEY_p1/", "p1") == "KEY_"
    assert swift.account_prefix("http://h:7480/swift/v1", "p1") is None
    assert swift.accounts_url("http://h:8080/v1/AUTH_p1/") == "http://h:8080/v1"
    assert swift.accounts_url("http://h:7480/swift/v1") == "http://h:7480/swift/v1"


def test_silence_about_readers_is_an_answer_to_the_owner_only() -> None:
    stranger = one({"x-container-object-count": "3"}, owner=False)
    assert repr(stranger.read_acl) == repr(stranger.write_acl) == repr(stranger.public_read) == "UNKNOWN"
    assert (stranger.objects, stranger.versioned) == (3, False)
    assert one({"x-container-read": ".r:*"}, owner=False).public_read is True


@pytest.mark.parametrize(
    ("roles", "project", "owner"),
    [
        (["admin"], "p1", True),
        (["admin"], "p2", False),
        (["reader"], "p1", False),
        (["SwiftOperator"], "p1", True),
        (["reader", "ResellerAdmin"], "p2", True),
    ],
)
def test_who_is_told_who_may_read(roles: list[str], project: str, owner: bool) -> None:
    facts = Facts(project_id="p1", roles=roles)
    assert object_container.owns(facts, project, ["admin"]) is owner

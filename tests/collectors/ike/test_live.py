"""strongSwan: what is seen equals what was configured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inventory.coverage import Status
from inventory.unknown import UNKNOWN

pytestmark = pytest.mark.lab
PATIENT = {"timeout_seconds": 20.0, "endpoint_seconds": 200.0}


def one(found: Any) -> tuple[Any, dict[str, Any]]:
    (resource,) = found.resources
    (collection,) = found.collections
    assert (collection.status, collection.reason) == (Status.COMPLETE, "")
    return resource, {v.version: v for v in resource.versions}


def test_a_weak_gateway_of_version_1(strongswan: int, collect: Callable[..., Any]) -> None:
    resource, versions = one(collect(f"127.0.0.1:{strongswan}", **PATIENT))
    first, second = versions["IKEv1"], versions["IKEv2"]
    assert (first.offered, first.asked_all) == (True, True)
    assert set(first.encryptions) == {"DES-CBC", "3DES-CBC", "AES-CBC-128"}
    assert set(first.hashes) == {"MD5", "SHA1"}
    assert {g.name: g.bits for g in first.groups} == {"modp768": 768, "modp1024": 1024}
    assert "PSK" in first.authentications
    assert (second.offered, second.encryptions, second.asked_all) == (UNKNOWN, [], True)
    assert resource.vendor_ids == ["XAUTH", "DPD"]
    assert resource.aggressive is UNKNOWN  # it says that authentication failed: that may be the identity's


def test_aggressive_mode_is_answered(strongswan: int, collect: Callable[..., Any]) -> None:
    resource, versions = one(collect(f"127.0.0.2:{strongswan}", **PATIENT))
    assert (resource.aggressive, resource.aggressive_authentication) == (True, "PSK")
    assert versions["IKEv1"].encryptions == ["3DES-CBC"]


def test_a_weak_gateway_of_version_2(strongswan: int, collect: Callable[..., Any]) -> None:
    _, versions = one(collect(f"127.0.0.3:{strongswan}", **PATIENT))
    second = versions["IKEv2"]
    assert second.offered is True
    assert second.encryptions == ["3DES-CBC"]
    assert second.hashes == ["HMAC-MD5"]
    assert second.integrities == ["HMAC-MD5-96"]
    assert [g.name for g in second.groups] == ["modp1024"]
    assert (versions["IKEv1"].offered, versions["IKEv1"].encryptions) == (UNKNOWN, [])


def test_a_strong_gateway_over_ipv6(strongswan: int, collect: Callable[..., Any]) -> None:
    resource, versions = one(collect(f"[::1]:{strongswan}", **PATIENT))
    second = versions["IKEv2"]
    assert resource.family == "ipv6"
    assert second.encryptions == ["AES-CBC-256", "AES-GCM-16-256"]
    assert second.hashes == ["HMAC-SHA384"]
    assert second.integrities == ["HMAC-SHA384-192"]
    assert {g.name for g in second.groups} == {"ecp384", "modp3072"}
    assert versions["IKEv1"].asked_all is True


def test_a_gateway_that_knows_no_such_peer_refuses_all(strongswan: int, collect: Callable[..., Any]) -> None:
    resource, versions = one(collect(f"127.0.0.9:{strongswan}", **PATIENT))
    for version in versions.values():
        assert (version.offered, version.encryptions, version.asked_all) == (UNKNOWN, [], True)
    assert resource.vendor_ids == []

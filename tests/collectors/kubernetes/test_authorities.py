"""The authorities of webhooks, as the API shows them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from collectors.kubernetes.admission import WebhookRow
from collectors.kubernetes.authorities import webhook_authorities
from collectors.kubernetes.survey import Place

PLACE = Place(source="k", labels={"level": "市"}, clean=lambda data: data)


@pytest.fixture(scope="module")
def pem(pem_of: Callable[..., bytes]) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    both = pem_of("webhook-ca", key=key, ca=True, days=-30, names=[]).decode()
    return both[both.index("-----BEGIN CERTIFICATE") :]


def row(*bundles: str | None) -> WebhookRow:
    hooks = [
        {"name": f"w{n}", "clientConfig": {"caBundle": bundle} if bundle is not None else {}}
        for n, bundle in enumerate(bundles)
    ]
    return msgspec.convert({"metadata": {"name": "c"}, "webhooks": hooks}, WebhookRow)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_bundle_is_a_certificate_with_its_place(pem: str) -> None:
    found, odd = webhook_authorities([row(encoded(pem), None, "")], "validating", PLACE)
    assert odd == []
    (one,) = found
    assert one.native_id == f"admission_webhook/validating/c/w0/{one.fingerprint[:16]}"
    assert one.location == "ValidatingWebhookConfiguration/c/w0"
    assert (one.subject, one.position, one.authority) == ("CN=webhook-ca", None, True)
    assert one.not_after.astimezone(UTC) < datetime.now(UTC)
    assert one.labels == {"level": "市"}


@pytest.mark.parametrize("bundle", ["***", encoded("nothing"), encoded("-----BEGIN CERTIFICATE-----\nMII")])
def test_a_bundle_that_is_none_is_said_and_no_other_is_lost(bundle: str, pem: str) -> None:
    found, odd = webhook_authorities([row(bundle, encoded(pem))], "mutating", PLACE)
    assert [one.location for one in found] == ["MutatingWebhookConfiguration/c/w1"]
    assert len(odd) == 1
    assert "mutating/c/w0" in odd[0]


def test_a_recorded_cluster_tells_its_certificates(whole: Any) -> None:
    assert whole.statuses()["certificate"] == "complete"

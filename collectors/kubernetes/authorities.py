"""Certificates that the API itself shows to whoever may list configuration: the authorities by which the API
server verifies its webhooks (``caBundle``). One that has expired stops what the webhook guards, or lets it
pass.

No secret's data is read for it: what lies in secrets of the type kubernetes.io/tls stays there (their
metadata is the kind ``secret``), and is seen where an endpoint shows it.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable

from collectors.certificates.forms import DamagedError, from_pem
from collectors.kubernetes.admission import WebhookRow, WebhookType
from collectors.kubernetes.survey import Place
from collectors.tls.certificates import kept
from inventory.kinds.crypto import Certificate


def webhook_authorities(
    rows: Iterable[WebhookRow], type_: WebhookType, place: Place
) -> tuple[list[Certificate], list[str]]:
    """Certificates of the webhooks of some configurations, and a text for each bundle that is not what it
    should be."""
    found: list[Certificate] = []
    odd: list[str] = []
    for row in rows:
        for one in row.webhooks or ():
            where = f"{type_}/{row.metadata.name}/{one.name}"
            try:
                ders = _certificates(one.client_config.ca_bundle or "")
            except DamagedError as error:
                odd.append(f"{where}：caBundle {error}")
                continue
            found += kept(
                ders,
                source=place.source,
                scope="",
                place=f"admission_webhook/{where}",
                location=f"{type_.capitalize()}WebhookConfiguration/{row.metadata.name}/{one.name}",
            )
    for certificate in found:
        certificate.labels = dict(place.labels)
    return found, odd


def _certificates(bundle: str) -> list[bytes]:
    """Of a bundle as the API gives it: PEM in Base64. Raises DamagedError."""
    try:
        text = binascii.a2b_base64(bundle.encode(), strict_mode=True) if bundle else b""
    except (binascii.Error, UnicodeEncodeError) as error:
        raise DamagedError("不是 Base64") from error
    ders: list[bytes] = []
    for block in from_pem(text.splitlines()):
        if isinstance(block, DamagedError):
            raise block
        ders += block
    if bundle and not ders:
        raise DamagedError("里没有证书")
    return ders

"""The form of swift's answers: an account or a container is listed as a JSON array, and all else is told in
headers. Here they get the form of the other services', so that nothing behind the client need know."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import msgspec

from inventory.decoding import from_json

_KEPT = (
    "x-container-read",
    "x-container-write",
    "x-container-object-count",
    "x-container-bytes-used",
    "x-storage-policy",
    "x-versions-enabled",
    "x-versions-location",
    "x-history-location",
)


class _Row(msgspec.Struct):
    name: str


def enveloped(body: bytes, headers: Mapping[str, str], params: Mapping[str, str]) -> bytes:
    """A list of swift's with what matters of its headers, and the link to the next page where this one is
    full. What is no list comes back as it is."""
    try:
        rows = from_json(body or b"[]", list[msgspec.Raw])
        last = from_json(rows[-1], _Row).name if rows else ""
    except msgspec.DecodeError:
        return body
    lower = {name.lower(): value for name, value in headers.items()}
    answer: dict[str, object] = {
        "headers": {name: lower[name] for name in _KEPT if name in lower},
        "rows": rows,
    }
    if rows and str(len(rows)) == params.get("limit"):
        answer["next"] = "?" + urlencode({**params, "marker": last})
    return msgspec.json.encode(answer)


def accounts_url(endpoint: str) -> str:
    """The address that accounts lie under. The catalogue's ends in the token's own account (/v1/AUTH_…),
    save where the service has no accounts in addresses (ceph: /swift/v1)."""
    parts = urlsplit(endpoint.rstrip("/")).path.split("/")
    return endpoint.rstrip("/").rpartition("/")[0] if _is_account(parts[-1]) else endpoint.rstrip("/")


def account_prefix(endpoint: str, project: str) -> str | None:
    """What stands before a project's id in the name of its account, "AUTH_" as a rule; None where there
    are no accounts in addresses."""
    account = endpoint.rstrip("/").rpartition("/")[2]
    return account.removesuffix(project) if _is_account(account) and account.endswith(project) else None


def _is_account(segment: str) -> bool:
    return not (segment.startswith("v") and segment[1:].replace(".", "").isdigit())

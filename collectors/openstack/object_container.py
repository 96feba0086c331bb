"""Object Storage API v1 answers → containers.

Swift lists an account as a JSON array and tells the rest in headers; ``enveloped`` gives its answers the
form of the other services', so that everything behind the client is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from collectors.openstack.listing import Mapped, Place
from inventory.kinds.storage import ObjectContainer
from inventory.unknown import UNKNOWN, Maybe

PAGE = "10000"  # swift's usual cap
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


class _Answer(msgspec.Struct):
    headers: dict[str, str]


def enveloped(body: bytes, headers: Mapping[str, str], params: Mapping[str, str]) -> bytes:
    """A list of swift's with what matters of its headers, and the link to the next page where the page is
    full. Raises msgspec.DecodeError where the body is no list."""
    rows = msgspec.json.decode(body or b"[]", type=list[msgspec.Raw])
    lower = {name.lower(): value for name, value in headers.items()}
    answer: dict[str, object] = {
        "headers": {name: lower[name] for name in _KEPT if name in lower},
        "rows": rows,
    }
    if rows and str(len(rows)) == params.get("limit"):
        last = msgspec.json.decode(rows[-1], type=_Row)
        answer["next"] = "?" + urlencode({**params, "marker": last.name})
    return msgspec.json.encode(answer)


def account_prefix(url: str, project: str) -> str:
    """What stands before the project's id in the name of its account: "AUTH_" as a rule. "" too where the
    address of the service is of another form."""
    account = url.rstrip("/").rpartition("/")[2]
    return account.removesuffix(project) if account.endswith(project) else ""


def container(project: str, name: str, body: bytes, place: Place) -> Mapped:
    """One container of the account of a project."""
    told = msgspec.json.decode(body, type=_Answer).headers
    readers = _acl(told, "x-container-read")
    found = ObjectContainer(
        source=place.source,
        native_id=f"{project}/{name}",
        name=name,
        labels=place.labels,
        relations=place.relations(("in_project", "project", project)),
        read_acl=readers,
        write_acl=_acl(told, "x-container-write"),
        public_read=any(_anybody(entry) for entry in readers),
        versioned=told.get("x-versions-enabled", "").lower() == "true"
        or any(told.get(name) for name in ("x-versions-location", "x-history-location")),
        storage_policy=told.get("x-storage-policy"),
        objects=_number(told, "x-container-object-count"),
        size_bytes=_number(told, "x-container-bytes-used"),
    )
    return Mapped(resources=[found])


def _acl(told: Mapping[str, str], header: str) -> list[str]:
    return sorted({entry.strip() for entry in told.get(header, "").split(",") if entry.strip()})


def _anybody(entry: str) -> bool:
    """A referrer element lets in whoever writes that header into a request, which is anybody; one that
    begins with "-" takes away."""
    kind, _, value = entry.partition(":")
    return kind in (".r", ".ref", ".referer", ".referrer") and not value.strip().startswith("-")


def _number(told: Mapping[str, str], header: str) -> Maybe[int]:
    text = told.get(header, "")
    return int(text) if text.isdecimal() else UNKNOWN

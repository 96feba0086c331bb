"""Object Storage API v1 answers → containers.

A list of an account is a JSON array of names and sizes; who may read, the headers of each container tell.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from collectors.openstack.listing import Mapped, Place
from inventory.kinds.storage import ObjectContainer
from inventory.unknown import UNKNOWN, Maybe

KEPT_HEADERS = (
    "x-container-read",
    "x-container-write",
    "x-storage-policy",
    "x-versions-enabled",
    "x-versions-location",
    "x-history-location",
)
"""The headers of a container that mapping needs; a header that is not there means that it is not set."""

Headers = Mapping[str, str]


class _Container(msgspec.Struct):
    name: str
    count: int | None = None
    bytes: int | None = None


def names(pages: list[bytes]) -> list[str]:
    """Names of the containers in an account's pages."""
    return [row.name for page in pages for row in _rows(page)[0]]


def last_name(page: bytes) -> str:
    """The marker of the next page; "" where the page is empty. Raises msgspec.DecodeError where it is no
    list."""
    listed = msgspec.json.decode(page, type=list[_Container])
    return listed[-1].name if listed else ""


def _rows(page: bytes) -> tuple[list[_Container], list[str]]:
    good: list[_Container] = []
    problems: list[str] = []
    for raw in msgspec.json.decode(page, type=list[msgspec.Raw]):
        try:
            good.append(msgspec.json.decode(raw, type=_Container))
        except msgspec.ValidationError as error:
            problems.append(str(error))
    return good, problems


def containers(
    accounts: Mapping[str, list[bytes]], headers: Mapping[tuple[str, str], Headers], place: Place
) -> Mapped:
    """Containers of accounts by project; ``headers`` of the containers that were asked, by project and
    name, their names in lower case."""
    result: dict[str, ObjectContainer] = {}
    problems: list[str] = []
    for project, pages in accounts.items():
        for page in pages:
            found, odd = _rows(page)
            problems += odd
            for row in found:
                one = _container(row, project, headers.get((project, row.name)), place)
                result[one.native_id] = one
    return Mapped(resources=list(result.values()), problems=[str(place.clean(text)) for text in problems])


def _container(row: _Container, project: str, told: Headers | None, place: Place) -> ObjectContainer:
    readers = _acl(told, "x-container-read")
    return ObjectContainer(
        source=place.source,
        native_id=f"{project}/{row.name}",
        name=row.name,
        labels=place.labels,
        relations=place.relations(("in_project", "project", project)),
        read_acl=readers,
        write_acl=_acl(told, "x-container-write"),
        public_read=any(_anybody(entry) for entry in readers) if isinstance(readers, list) else UNKNOWN,
        versioned=UNKNOWN if told is None else _versioned(told),
        storage_policy=UNKNOWN if told is None else told.get("x-storage-policy"),
        objects=UNKNOWN if row.count is None else row.count,
        size_bytes=UNKNOWN if row.bytes is None else row.bytes,
    )


def _acl(told: Headers | None, header: str) -> Maybe[list[str]]:
    if told is None:
        return UNKNOWN
    return sorted({entry.strip() for entry in told.get(header, "").split(",") if entry.strip()})


def _anybody(entry: str) -> bool:
    """A referrer element lets in whoever writes that header into a request, which is anybody; one that
    begins with "-" takes away."""
    kind, _, value = entry.partition(":")
    return kind in (".r", ".ref", ".referer", ".referrer") and not value.strip().startswith("-")


def _versioned(told: Headers) -> bool:
    return told.get("x-versions-enabled", "").lower() == "true" or any(
        told.get(name) for name in ("x-versions-location", "x-history-location")
    )

"""Turning what was read into batches: one for each kind, with how complete it is and what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from collectors.contract import Run
from collectors.kubernetes.client import Peer, ReadError
from collectors.kubernetes.discovery import Served
from collectors.kubernetes.listing import Listing
from inventory.coverage import Batch, Status
from inventory.evidence import Evidence
from inventory.kinds import KINDS as ALL_KINDS
from inventory.resource import Relation, RelationType, Resource, uid_of
from inventory.unknown import UNKNOWN


class Place(msgspec.Struct, kw_only=True, frozen=True):
    """What mapping needs to know besides the bytes: where the rows come from, and how to mask secrets in
    free text that users wrote."""

    source: str
    labels: dict[str, str]
    clean: Callable[[Any], Any]  # text, or JSON data

    def uid(self, kind: str, native_id: str) -> str:
        """The uid of something else in the same source."""
        return uid_of(self.source, kind, native_id)

    def relations(self, *edges: tuple[RelationType, str, str | None]) -> list[Relation]:
        """Edges of (type, kind, native id), those without an id left out; sorted, so that the order in
        which the API lists them is no change."""
        return sorted({Relation(type_, self.uid(kind, native)) for type_, kind, native in edges if native})

    def tags(self, labels: Mapping[str, str] | None) -> dict[str, str]:
        """Labels of one resource: the source's, under its own."""
        return {**self.labels, **self.clean(dict(labels))} if labels else dict(self.labels)


class Survey(msgspec.Struct, kw_only=True):
    """What turning answers into batches needs besides them."""

    run: Run
    place: Place
    peer: Peer
    served: Served
    started_at: datetime

    def batch(
        self,
        kind: str,
        resources: Iterable[Resource],
        listings: Iterable[Listing],
        also: Iterable[str] = (),
    ) -> Batch:
        """Resources of one kind and their collection. ``listings`` are all lists that the kind rests on;
        ``also`` holds further reasons why it is not complete.

        A kind rests on a list wholly: where one is denied, the kind is. The lists of a kind that a cluster
        does not have (an old one, a managed one) count only if none of the others is there either.
        """
        resources, listings, also = list(resources), list(listings), list(also)
        error = _worst(listings)
        problems = [text for listing in listings for text in listing.problems]
        odd = sum(listing.odd for listing in listings) + len(also)
        status, reason, remedy = settle(kind, len(resources), error, [*also, *problems], odd)
        evidence = {e.id: e for listing in listings for e in listing.evidence}
        if resources or status is Status.COMPLETE:
            mapped = self.evidence(listings, resources)
            evidence[mapped.id] = mapped
        collection = self.run.collection(
            kind,
            status,
            self.started_at,
            count=len(resources),
            reason=reason,
            remedy=remedy,
            evidence=list(evidence),
        )
        return Batch(resources=resources, collections=[collection], evidence=list(evidence.values()))

    def evidence(self, listings: Iterable[Listing], resources: list[Resource]) -> Evidence:
        """What was asked and what was kept of the answers. Whole pages would be a hundred times the size
        and hold what nobody needs; what changes by itself is left out, so that the same estate gives the
        same evidence."""
        asked = [f"GET {one.path}" for one in listings if one.path]
        items = [_lasting(resource) for resource in resources]
        content = msgspec.json.encode({"asked": asked, "items": items})
        return self.run.evidence(content, origin="，".join(asked) or "GET /apis", mapped=True)


def _lasting(resource: Resource) -> Resource:
    """A resource without what changes by itself; what is unknown is not written."""
    return msgspec.structs.replace(resource, labels={}, **dict.fromkeys(resource.VOLATILE, UNKNOWN))


def settle(
    kind: str, count: int, error: ReadError | None, problems: list[str], odd: int
) -> tuple[Status, str, str]:
    """Status, reason and remedy of one kind: complete only where its lists came to their end and every
    row could be read."""
    title = ALL_KINDS[kind].TITLE
    seen = f"看见 {count} 个{title}，不等于只有这些" if count else f"没有看见{title}，不等于没有"
    if error is not None:
        if error.status is Status.DENIED:
            return Status.DENIED, f"{error.reason}；{seen}", error.remedy
        return Status.PARTIAL if count else error.status, error.reason, error.remedy
    if odd:
        shown = "；".join(problems[:3])
        return Status.PARTIAL, f"{odd} 处看不懂：{shown}；{seen}", "把这个对象的内容告诉开发者"
    return Status.COMPLETE, "", ""


def _worst(listings: list[Listing]) -> ReadError | None:
    """The error to show for a kind: a denial first, since it asks for an act; an absent list only where
    all are absent."""
    errors = [one.error for one in listings if one.error is not None and not one.absent]
    if not errors:
        absent = [one.error for one in listings if one.absent]
        return absent[0] if absent and len(absent) == len(listings) else None
    return next((e for e in errors if e.status is Status.DENIED), errors[0])

"""Lists: page after page of one API list, and rows out of pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec

from collectors.contract import DeadlineError, Run
from collectors.openstack.client import TITLES, Client, Response, ServiceError, ServiceName
from inventory.coverage import Status
from inventory.evidence import Evidence
from inventory.resource import Relation, RelationType, Resource, uid_of
from inventory.unknown import UNKNOWN, Unknown

T = TypeVar("T")
R = TypeVar("R", bound=Resource)

PAGE = "1000"  # nova's and cinder's usual cap; smaller pages cost more than they save
_MOST_PAGES = 10_000


class Ask(msgspec.Struct, kw_only=True, frozen=True):
    """One list to read: ``key`` is the name of the rows in the answer."""

    service: ServiceName
    path: str
    key: str
    params: dict[str, str] = msgspec.field(default_factory=dict)
    microversion: str = ""


class Listing(msgspec.Struct, kw_only=True):
    """The pages that came, the evidence of each, and what ended the list early (None = nothing did)."""

    pages: list[bytes] = msgspec.field(default_factory=list)
    evidence: list[Evidence] = msgspec.field(default_factory=list)
    error: ServiceError | None = None


class Place(msgspec.Struct, kw_only=True, frozen=True):
    """What mapping needs to know besides the bytes: where the rows come from, and how to mask secrets
    in free text that users wrote."""

    source: str
    labels: dict[str, str]
    clean: Callable[[Any], Any]

    def uid(self, kind: str, native_id: str) -> str:
        """The uid of something else in the same source."""
        return uid_of(self.source, kind, native_id)

    def relations(self, *edges: tuple[RelationType, str, str | None]) -> list[Relation]:
        """Edges of (type, kind, native id), those without an id left out; sorted, so that the order in
        which an API lists them is no change."""
        return sorted({Relation(type_, self.uid(kind, native)) for type_, kind, native in edges if native})

    def tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Labels of one resource: the source's, under its own."""
        return {**self.labels, **self.clean(dict(tags))}


class Mapped(msgspec.Struct, kw_only=True):
    """Resources, and why some rows are missing among them (one text a row)."""

    resources: list[Resource] = msgspec.field(default_factory=list)
    problems: list[str] = msgspec.field(default_factory=list)


def read(client: Client, run: Run, ask: Ask, into: Listing | None = None) -> Listing:
    """Follow a list to its end. Never raises for the service: what stopped it is in ``error``.

    ``into`` is filled page by page, so that another thread can take what has come by its deadline.
    """
    listing = Listing() if into is None else into
    params = dict(ask.params)
    seen: set[tuple[tuple[str, str], ...]] = set()
    try:
        while True:
            signature = tuple(sorted(params.items()))
            if signature in seen or len(seen) >= _MOST_PAGES:
                listing.error = ServiceError(f"GET {ask.path} 的翻页在兜圈子", "请把此云的版本告诉开发者")
                return listing
            seen.add(signature)
            response = client.get(ask.service, ask.path, params, ask.microversion)
            if response.status != 200:
                raise refusal(ask.service, ask.path, response)
            more = _next(response.body, ask)
            listing.pages.append(response.body)
            query = "&".join(f"{k}={v}" for k, v in sorted(params.items()))
            origin = f"GET {ask.service} {ask.path}" + (f"?{query}" if query else "")
            listing.evidence.append(run.evidence(response.body, origin=origin))
            if not more:
                listing.error = None
                return listing
            params = {**ask.params, **more}
    except ServiceError as error:
        listing.error = error
    except DeadlineError as error:
        listing.error = ServiceError(error.reason, error.remedy)
    return listing


def refusal(service: ServiceName, path: str, response: Response) -> ServiceError:
    """What an answer other than 200 means."""
    if response.status in (401, 403):
        return ServiceError(f"{TITLES[service]}拒绝了 GET {path}", "", Status.DENIED)
    if response.status in (404, 410):
        return ServiceError(f"{TITLES[service]}没有 {path} 这个接口", "", Status.UNSUPPORTED)
    return ServiceError(f"{TITLES[service]}对 GET {path} 答复 HTTP {response.status}", "查看该服务的日志")


def _next(body: bytes, ask: Ask) -> dict[str, str]:
    """Parameters of the next page, {} at the end. Services link it in three ways."""
    try:
        envelope = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        if not bytes(envelope.get(ask.key, b"")).lstrip().startswith(b"["):
            raise ServiceError(
                f"{TITLES[ask.service]}对 GET {ask.path} 的答复里没有 {ask.key}", "查看该服务的日志"
            )
        if msgspec.json.decode(envelope.get("truncated", msgspec.Raw(b"false"))) is True:
            raise ServiceError(
                f"{TITLES[ask.service]}截断了 GET {ask.path} 的答复",
                "调大 keystone 的 list_limit",
                Status.PARTIAL,
            )
        href: Any = None
        if "next" in envelope:  # glance
            href = msgspec.json.decode(envelope["next"])
        elif f"{ask.key}_links" in envelope:  # nova, cinder, neutron
            links = msgspec.json.decode(envelope[f"{ask.key}_links"])
            href = next((link.get("href") for link in links if link.get("rel") == "next"), None)
        elif "links" in envelope:  # keystone
            href = (msgspec.json.decode(envelope["links"]) or {}).get("next")
    except (msgspec.DecodeError, AttributeError, TypeError) as error:
        raise ServiceError(
            f"{TITLES[ask.service]}对 GET {ask.path} 的答复不是 JSON 列表", "检查端点地址"
        ) from error
    return dict(parse_qsl(urlsplit(href).query, keep_blank_values=True)) if isinstance(href, str) else {}


def rows(pages: list[bytes], key: str, row: type[T]) -> tuple[list[T], list[str]]:
    """Typed rows of all pages, and a text for every row that is not as it should be: one odd object
    must not cost the list."""
    whole = msgspec.json.Decoder(list[row])  # type: ignore[valid-type]
    good: list[T] = []
    problems: list[str] = []
    for page in pages:
        raw = msgspec.json.decode(page, type=dict[str, msgspec.Raw])[key]
        try:
            good += whole.decode(raw)
        except msgspec.ValidationError:
            for one in msgspec.json.decode(raw, type=list[msgspec.Raw]):
                try:
                    good.append(msgspec.json.decode(one, type=row))
                except msgspec.ValidationError as error:
                    problems.append(f"{_identity(one)}：{error}")
    return good, problems


class _Id(msgspec.Struct):
    id: str


def row_ids(pages: list[bytes], key: str) -> set[str]:
    """Ids of all rows, odd ones too: for holding lists against each other."""
    return {row.id for row in rows(pages, key, _Id)[0]}


def _identity(row: msgspec.Raw) -> str:
    value = msgspec.json.decode(row)
    return str(value.get("id", "?"))[:64] if isinstance(value, dict) else "?"


def mapped(
    pages: list[bytes], key: str, row: type[T], make: Callable[[T], Resource], clean: Callable[[Any], Any]
) -> Mapped:
    """Resources of all pages; a row that ``make`` cannot take becomes a problem as well."""
    good, problems = rows(pages, key, row)
    result: dict[str, Resource] = {}
    for one in good:
        try:
            resource = make(one)
        except ValueError as error:
            problems.append(f"{getattr(one, 'id', '?')}：{error}")
            continue
        result[resource.native_id] = resource  # a row that moved between pages comes twice
    return Mapped(resources=list(result.values()), problems=[str(clean(text)) for text in problems])


def seen(value: T | msgspec.UnsetType) -> T | Unknown:
    """The value, or UNKNOWN where the answer had no such key (policies hide fields one by one)."""
    return UNKNOWN if isinstance(value, msgspec.UnsetType) else value


def moment(value: datetime | None) -> datetime | None:
    """A time with its zone: OpenStack means UTC where it writes none."""
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

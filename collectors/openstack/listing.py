"""Lists: page after page of one API list, and rows out of pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec

from collectors.contract import Run
from collectors.openstack.client import TITLES, Client, Response, ServiceError, ServiceName
from inventory.coverage import Status
from inventory.decoding import decoder, from_json
from inventory.evidence import Evidence
from inventory.resource import Relation, RelationType, Resource, uid_of
from inventory.unknown import UNKNOWN, Unknown

T = TypeVar("T")
R = TypeVar("R", bound=Resource)

PAGE = "1000"  # nova's and cinder's usual cap; smaller pages cost more than they save
_MOST_PAGES = 10_000


class Ask(msgspec.Struct, kw_only=True, frozen=True):
    """One list to read: ``key`` is the name of the rows in the answer, "" for an answer that is no list."""

    service: ServiceName
    path: str
    key: str
    params: dict[str, str] = msgspec.field(default_factory=dict)
    microversion: str = ""
    by_offset: bool = False  # the service links to a marker that it then does not heed (manila)


class Page(msgspec.Struct, kw_only=True, frozen=True):
    """One answer, and the evidence it is."""

    body: bytes
    evidence: Evidence


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

    def make(self, kind: type[R], row: Any, **fields: Any) -> R:
        """A resource out of a typed row: its id and name, what ``fields`` give, and every field of the
        kind that the row has by the same name (UNKNOWN where the answer had no such key)."""
        values = {
            name: _told(getattr(row, name))
            for name in _shared(kind, type(row))  # type: ignore[arg-type]
            if name not in fields
        }
        if "native_id" not in fields:
            fields["native_id"] = row.id
        if "name" not in fields:
            name = getattr(row, "name", msgspec.UNSET)
            fields["name"] = "" if name is None else seen(name)
        return kind(source=self.source, labels=self.labels, **fields, **values)

    def tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Labels of one resource: the source's, under its own."""
        return {**self.labels, **self.clean(dict(tags))}


class Mapped(msgspec.Struct, kw_only=True):
    """Resources, and why some rows are missing among them (one text a row)."""

    resources: list[Resource] = msgspec.field(default_factory=list)
    problems: list[str] = msgspec.field(default_factory=list)


def pages(client: Client, run: Run, ask: Ask) -> Iterator[Page]:
    """Follow a list to its end. Raises ServiceError (DeadlineError where time is up) for what ends it
    early; the pages handed over until then hold."""
    params = dict(ask.params)
    seen: set[tuple[tuple[str, str], ...]] = set()
    while True:
        signature = tuple(sorted(params.items()))
        if signature in seen or len(seen) >= _MOST_PAGES:
            raise ServiceError(f"GET {ask.path} 的翻页在兜圈子", "请把此云的版本告诉开发者")
        seen.add(signature)
        response = client.get(ask.service, ask.path, params, ask.microversion)
        if response.status != 200:
            raise refusal(ask.service, ask.path, response)
        envelope = _envelope(response.body, ask) if ask.key else {}
        more = {} if ask.by_offset else _next(envelope, ask)
        query = "&".join(f"{k}={v}" for k, v in sorted(params.items()))
        origin = f"GET {ask.service} {ask.path}" + (f"?{query}" if query else "")
        yield Page(body=response.body, evidence=run.evidence(response.body, origin=origin))
        if "truncated" in envelope and bytes(envelope["truncated"]) == b"true":
            raise ServiceError(
                f"{TITLES[ask.service]}截断了 GET {ask.path} 的答复",
                "调大 keystone 的 list_limit",
                Status.PARTIAL,
            )
        if not more and "offset" in params:
            more = _next_offset(envelope, ask, params)
        if not more:
            return
        params = {**ask.params, **more}


def refusal(service: ServiceName, path: str, response: Response) -> ServiceError:
    """What an answer other than 200 means."""
    if response.status == 401:  # the client logged in anew, and that token is not taken either
        return ServiceError(
            f"{TITLES[service]}不认令牌，重新登录后也是（GET {path}）", "检查该服务的 keystonemiddleware 配置"
        )
    if response.status == 403:
        return ServiceError(f"{TITLES[service]}拒绝了 GET {path}", "", Status.DENIED)
    if response.status in (404, 410):
        return ServiceError(f"{TITLES[service]}没有 {path} 这个接口", "", Status.UNSUPPORTED)
    return ServiceError(f"{TITLES[service]}对 GET {path} 答复 HTTP {response.status}", "查看该服务的日志")


def _envelope(body: bytes, ask: Ask) -> dict[str, msgspec.Raw]:
    """The top of an answer that holds a list. Raises ServiceError where it holds none."""
    try:
        envelope = from_json(body, dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        raise _no_list(ask) from error
    if not bytes(envelope.get(ask.key, b"")).lstrip().startswith(b"["):
        raise ServiceError(
            f"{TITLES[ask.service]}对 GET {ask.path} 的答复里没有 {ask.key}", "查看该服务的日志"
        )
    return envelope


def _next(envelope: dict[str, msgspec.Raw], ask: Ask) -> dict[str, str]:
    """Parameters of the next page, {} at the end. Services link it in three ways."""
    href: Any = None
    try:
        if "next" in envelope:  # glance, barbican
            href = from_json(envelope["next"])
        elif linked := [name for name in envelope if name.endswith("_links")]:
            # nova, cinder, neutron; cinder links "volume_types" as "volume_type_links"
            links = from_json(envelope[linked[0]])
            href = next((link.get("href") for link in links if link.get("rel") == "next"), None)
        elif "links" in envelope:
            links = from_json(envelope["links"]) or {}
            if isinstance(links, list):  # nova, of a server's actions
                href = next((link.get("href") for link in links if link.get("rel") == "next"), None)
            else:  # keystone, designate
                href = links.get("next")
    except (AttributeError, TypeError, RecursionError) as error:
        raise _no_list(ask) from error
    return dict(parse_qsl(urlsplit(href).query, keep_blank_values=True)) if isinstance(href, str) else {}


def _next_offset(envelope: dict[str, msgspec.Raw], ask: Ask, params: dict[str, str]) -> dict[str, str]:
    """For lists that link nothing: a page that is full may have another behind it."""
    count = len(from_json(envelope[ask.key], list[msgspec.Raw]))
    full = count >= int(params["limit"])
    return {**params, "offset": str(int(params["offset"]) + count)} if full else {}


def _no_list(ask: Ask) -> ServiceError:
    return ServiceError(f"{TITLES[ask.service]}对 GET {ask.path} 的答复不是 JSON 列表", "检查端点地址")


@cache
def _shared(kind: Any, row: Any) -> tuple[str, ...]:
    own = set(kind.__struct_fields__) - set(Resource.__struct_fields__)
    return tuple(name for name in row.__struct_fields__ if name in own)


def _told(value: Any) -> Any:
    return moment(value) if isinstance(value, datetime) else seen(value)


def rows(pages: list[bytes], key: str, row: type[T]) -> tuple[list[T], list[str]]:
    """Typed rows of all pages, and a text for every row that is not as it should be: one odd object
    must not cost the list."""
    whole = decoder(list[row])  # type: ignore[valid-type]
    good: list[T] = []
    problems: list[str] = []
    for page in pages:
        raw = from_json(page, dict[str, msgspec.Raw])[key]
        try:
            good += whole.decode(raw)
        except msgspec.ValidationError:
            for one in from_json(raw, list[msgspec.Raw]):
                try:
                    good.append(from_json(one, row))
                except msgspec.ValidationError as error:
                    problems.append(f"{_identity(one)}：{error}")
    return good, problems


class _Id(msgspec.Struct):
    id: str


def row_ids(pages: list[bytes], key: str) -> set[str]:
    """Ids of all rows, odd ones too: for holding lists against each other."""
    return {row.id for row in rows(pages, key, _Id)[0]}


def raw_rows(page: bytes, key: str) -> dict[str, bytes]:
    """Rows as they came, by id: for short lists of what is then read one by one."""
    found = from_json(from_json(page, dict[str, msgspec.Raw])[key], list[msgspec.Raw])
    return {_identity(raw): bytes(raw) for raw in found}


def _identity(row: msgspec.Raw) -> str:
    value = from_json(row)
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

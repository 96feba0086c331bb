"""Lists: page after page of one resource, and typed rows out of pages.

A page is decoded, handed to a ``Fold`` and dropped, so memory does not grow with the answer. A list that
the server refuses for the whole cluster is read namespace by namespace where namespaces are known; it
stays refused, with the rows that were seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from collectors.contract import DeadlineError, Run
from collectors.kubernetes.client import Client, ReadError, Response
from collectors.kubernetes.discovery import Served, resources_of, root
from inventory.coverage import Status
from inventory.decoding import Decoder, decoder, from_json
from inventory.evidence import Evidence

T = TypeVar("T")

PAGE = "500"
_MOST_PAGES = 20_000
_MOST_PROBLEMS = 200
_JSON = "application/json"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Asks for objects without spec, data and status."""
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
"""Asks for the columns that kubectl prints, and the metadata of each row."""


class Ask(msgspec.Struct, kw_only=True, frozen=True):
    """One resource to list. ``versions`` are those whose shape the reader knows, newest first. ``rows`` is
    the name of the list in the answer ("rows" in a table)."""

    resource: str
    group: str = ""
    versions: tuple[str, ...] = ("v1",)
    namespaced: bool = True
    accept: str = _JSON
    rows: str = "items"
    params: tuple[tuple[str, str], ...] = ()  # sent with every page
    advice: str = ""  # in place of the advice to grant it

    @property
    def title(self) -> str:
        """As kubectl writes it: "pods", "ingresses.networking.k8s.io"."""
        return f"{self.resource}.{self.group}".rstrip(".")

    @property
    def remedy(self) -> str:
        """Which permission would show it."""
        if self.advice:
            return self.advice
        return (
            f"给采集账户授权：apiGroups [{self.group!r}]、resources [{self.resource!r}]、verbs ['list']，"
            "用 ClusterRoleBinding 绑到全集群（zhengguan doctor 打印现成的 ClusterRole）"
        )


class Listing(msgspec.Struct, kw_only=True):
    """How one list was read: what ended it early (None = nothing did), a text for each row that was not as
    it should be, and what was asked. ``namespaces`` are those seen where the whole was refused."""

    ask: Ask
    path: str = ""  # that was asked; "" = nothing was
    pages: int = 0
    rows: int = 0
    error: ReadError | None = None
    problems: list[str] = msgspec.field(default_factory=list)
    odd: int = 0  # number of such rows; ``problems`` holds the first
    namespaces: list[str] = msgspec.field(default_factory=list)
    evidence: list[Evidence] = msgspec.field(default_factory=list)  # of refusals; of rows, the survey's

    @property
    def whole(self) -> bool:
        """Everything there is was seen and understood."""
        return self.error is None and not self.odd

    @property
    def absent(self) -> bool:
        """The cluster has no such resource."""
        return self.error is not None and self.error.status is Status.UNSUPPORTED


class Fold(Protocol[T]):
    """Takes rows page by page. ``reset`` forgets them: the list starts again."""

    def reset(self) -> None: ...

    def take(self, rows: list[T]) -> None: ...


class Rows(Generic[T]):
    """A fold that keeps all rows; for short lists."""

    def __init__(self) -> None:
        self.rows: list[T] = []

    def reset(self) -> None:
        """See ``Fold``."""
        self.rows.clear()

    def take(self, rows: list[T]) -> None:
        """See ``Fold``."""
        self.rows += rows


class Reader:
    """One reading of one cluster. ``namespaces`` are those to fall back on; the survey adds to them what
    it sees."""

    def __init__(self, client: Client, run: Run, served: Served, namespaces: Iterable[str]) -> None:
        self.client = client
        self.run = run
        self.served = served
        self.namespaces = list(dict.fromkeys(namespaces))

    def read(self, ask: Ask, row: type[T], fold: Fold[T]) -> Listing:
        """Read a list to its end into ``fold``. What stops it is in the listing's ``error``."""
        listing = Listing(ask=ask)
        self.run.progress(ask.title)
        try:
            self._whole(ask, row, fold, listing)
        except ReadError as error:
            listing.error = error
        except DeadlineError as error:
            listing.error = ReadError(error.reason, error.remedy)
        return listing

    def all(self, ask: Ask, row: type[T]) -> tuple[list[T], Listing]:
        """The same for a short list: its rows."""
        fold: Rows[T] = Rows()
        listing = self.read(ask, row, fold)
        return fold.rows, listing

    def inside(self, ask: Ask, namespace: str, row: type[T]) -> tuple[list[T], Listing]:
        """A short list of one namespace: its rows. For answers that do not tell the namespace of a row."""
        listing = Listing(ask=ask)
        fold: Rows[T] = Rows()
        try:
            version = next(self._versions(ask), ask.versions[0])
            listing.path = _path(ask, version, namespace)
            self._list(listing.path, ask, row, fold, listing)
        except ReadError as error:
            listing.error = error
        except DeadlineError as error:
            listing.error = ReadError(error.reason, error.remedy)
        return fold.rows, listing

    def one(self, ask: Ask, name: str, row: type[T], namespace: str = "") -> T | None:
        """A single object by its name; None where it is not there or may not be seen. Raises ReadError."""
        for version in self._versions(ask):
            response = self.client.get(f"{_path(ask, version, namespace)}/{name}", {}, ask.accept)
            if response.status == 200:
                try:
                    return from_json(response.body, row)
                except msgspec.DecodeError as error:
                    raise ReadError(f"{ask.title} {name} 看不懂：{error}") from error
        return None

    def allowed(self, ask: Ask) -> tuple[bool | None, str]:
        """Whether the whole list may be read, asked for one row of it; None where the cluster has none.
        And why not."""
        error = self.refused(ask)
        if error is None:
            return True, ""
        return (None if error.status is Status.UNSUPPORTED else False), error.reason

    def refused(self, ask: Ask) -> ReadError | None:
        """Why the whole list may not be read, asked for one row of it; None where it may."""
        try:
            for version in self._versions(ask):
                path = _path(ask, version)
                response = self.client.get(path, {**dict(ask.params), "limit": "1"}, ask.accept)
                if response.status == 200:
                    return None
                if response.status != 404:
                    return self._refusal(path, ask, response, Listing(ask=ask))
        except ReadError as error:
            return error
        except DeadlineError as error:
            return ReadError(error.reason, error.remedy)
        return ReadError(f"此集群没有 {ask.title}", "", Status.UNSUPPORTED)

    def _versions(self, ask: Ask) -> Iterator[str]:
        """Versions to try, in the order of the ask: the server's discovery tells which it has."""
        served = self.served.groups.get(ask.group)
        for version in ask.versions:
            if self.served.denied:
                yield version
            elif served is not None and version in served:
                names = resources_of(self.client, self.served, ask.group, version)
                if names is None or ask.resource in names:
                    yield version

    def _whole(self, ask: Ask, row: type[T], fold: Fold[T], listing: Listing) -> None:
        for version in self._versions(ask):
            listing.path = _path(ask, version)
            try:
                self._list(listing.path, ask, row, fold, listing)
            except ReadError as error:
                if isinstance(error, _ForbiddenError) and ask.namespaced:
                    self._piecewise(version, ask, row, fold, listing)
                    seen = "、".join(listing.namespaces[:5]) + ("…" if len(listing.namespaces) > 5 else "")
                    more = f"；命名空间 {seen} 里的看见了" if seen else ""
                    raise ReadError(error.reason + more, error.remedy, Status.DENIED) from error
                if error.status is not Status.UNSUPPORTED:
                    raise
            else:
                return
        raise ReadError(f"此集群没有 {ask.title}", "", Status.UNSUPPORTED)

    def _piecewise(self, version: str, ask: Ask, row: type[T], fold: Fold[T], listing: Listing) -> None:
        parts = _Parts(fold)
        for namespace in self.namespaces:
            parts.next()
            try:
                self._list(_path(ask, version, namespace), ask, row, parts, listing)
            except ReadError as error:
                parts.discard()
                if not isinstance(error, _ForbiddenError):
                    break  # the list stays refused, whatever else went wrong
            else:
                listing.namespaces.append(namespace)
                parts.keep()

    def _list(self, path: str, ask: Ask, row: type[T], fold: Fold[T], listing: Listing) -> None:
        """One list from one path; begun again once where the server has forgotten its place in it."""
        try:
            self._pages(path, ask, row, fold, listing)
        except _GoneError:
            fold.reset()
            listing.pages = listing.rows = listing.odd = 0
            listing.problems.clear()
            try:
                self._pages(path, ask, row, fold, listing)
            except _GoneError as error:
                raise ReadError(
                    f"列 {ask.title} 时服务器两次忘了读到哪里（410）", "集群变化太快或太慢，稍后再采集一次"
                ) from error

    def _pages(self, path: str, ask: Ask, row: type[T], fold: Fold[T], listing: Listing) -> None:
        token = ""
        used: set[str] = set()
        while True:
            params = {**dict(ask.params), "limit": PAGE} | ({"continue": token} if token else {})
            response = self.client.get(path, params, ask.accept)
            if response.status == 410 and token:
                raise _GoneError
            if response.status != 200:
                raise self._refusal(path, ask, response, listing)
            token, rows = self._page(response.body, path, ask, row, listing)
            listing.pages += 1
            listing.rows += len(rows)
            fold.take(rows)
            if not token:
                return
            if token in used or len(used) >= _MOST_PAGES:
                raise ReadError(f"列 {ask.title} 时翻页在兜圈子", "请把此集群的版本告诉开发者")
            used.add(token)
            self.run.progress(ask.title, listing.rows)

    def _page(self, body: bytes, path: str, ask: Ask, row: type[T], listing: Listing) -> tuple[str, list[T]]:
        """The token of the next page ("" = none) and the rows of this one. One odd object must not cost
        the page."""
        try:
            page = _decoder(row, ask.rows).decode(body)  # type: ignore[arg-type]
        except msgspec.ValidationError:
            return self._item_by_item(body, path, ask, row, listing)
        except msgspec.DecodeError as error:
            raise ReadError(
                f"GET {path} 的答复不是完整的 JSON", "再采集一次；代理截断答复也会这样"
            ) from error
        return page.metadata.token or "", page.rows

    def _item_by_item(
        self, body: bytes, path: str, ask: Ask, row: type[T], listing: Listing
    ) -> tuple[str, list[T]]:
        try:
            raw = _decoder(msgspec.Raw, ask.rows).decode(body)
        except msgspec.ValidationError as error:
            raise ReadError(
                f"GET {path} 的答复里没有 {ask.rows} 列表", "检查 server 的地址和中间的代理"
            ) from error
        one = decoder(row)
        good: list[T] = []
        for item in raw.rows:
            try:
                good.append(one.decode(item))
            except msgspec.ValidationError as error:
                listing.odd += 1
                if len(listing.problems) < _MOST_PROBLEMS:
                    listing.problems.append(self.run.redactor.text(f"{_identity(item)}：{error}"))
        return raw.metadata.token or "", good

    def _refusal(self, path: str, ask: Ask, response: Response, listing: Listing) -> ReadError:
        """What an answer other than 200 means."""
        where = "" if "/namespaces/" in path else "全集群的 " if ask.namespaced else ""
        if response.status == 401:
            return ReadError("凭据在采集中途失效（401）", "换发令牌或证书", Status.DENIED)
        if response.status == 403:
            listing.evidence.append(
                self.run.evidence(response.body[:4096], origin=f"GET {path} → {response.status}")
            )
            return _ForbiddenError(f"不许列出{where}{ask.title}（403）", ask.remedy, Status.DENIED)
        if response.status == 404:
            return ReadError(f"此集群没有 {ask.title}", "", Status.UNSUPPORTED)
        return ReadError(f"GET {path} 答复 HTTP {response.status}", "查看 kube-apiserver 的日志")


class _ForbiddenError(ReadError):
    """The account may not list this here; perhaps it may elsewhere."""


class _GoneError(Exception):
    """A token of a list is no longer good (410)."""


class _Parts(Generic[T]):
    """Rows of one namespace after another: a list that begins again forgets its own only."""

    def __init__(self, fold: Fold[T]) -> None:
        self._fold = fold
        self._rows: list[T] = []

    def reset(self) -> None:
        """See ``Fold``."""
        self._rows.clear()

    def take(self, rows: list[T]) -> None:
        """See ``Fold``."""
        self._rows += rows

    def next(self) -> None:
        self._rows = []

    def discard(self) -> None:
        self._rows = []

    def keep(self) -> None:
        self._fold.take(self._rows)
        self._rows = []


class _PageHead(msgspec.Struct):
    token: str | None = msgspec.field(default="", name="continue")


@lru_cache(maxsize=128)
def _decoder(row: Any, rows: str) -> Decoder[Any]:
    page = msgspec.defstruct(
        "Page",
        [
            ("rows", list[row], msgspec.field(name=rows)),
            ("metadata", _PageHead, msgspec.field(default_factory=_PageHead)),
        ],
    )
    return decoder(page)


def _path(ask: Ask, version: str, namespace: str = "") -> str:
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"{root(ask.group, version)}{inside}/{ask.resource}"


class _Named(msgspec.Struct):
    namespace: str | None = None
    name: str | None = None


class _Object(msgspec.Struct):
    metadata: _Named | None = None


def _identity(row: msgspec.Raw) -> str:
    """Namespace and name of an odd object, if it tells."""
    try:
        meta = from_json(row, _Object).metadata or _Named()
    except msgspec.ValidationError:
        return "?"
    return f"{meta.namespace or ''}/{meta.name or '?'}".lstrip("/")[:200]

"""Object Storage API v1 answers → containers.

Swift tells who may read a container to the owner of the account only: to its operators and to who
administers all accounts. To others the header is missing, as it is where nobody else may read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

import msgspec

from collectors.openstack.client import Facts, ServiceError
from collectors.openstack.listing import Ask, Mapped, Place
from collectors.openstack.row import Row, View
from collectors.openstack.swift import account_prefix
from inventory.coverage import Status
from inventory.decoding import from_json
from inventory.kinds.storage import ObjectContainer
from inventory.unknown import UNKNOWN, Maybe

_PAGE = "10000"  # swift's usual cap
_RESELLER = "reselleradmin"  # reads all accounts; swift compares roles in lower case
_OPERATOR = "swiftoperator"  # owns the account of its project, as the cloud's administrator does
_REMEDY = "给采集凭据 ResellerAdmin 角色（swift 的 reseller_admin_role），别的项目的账户才读得到"


class _Row(msgspec.Struct):
    name: str


class _Answer(msgspec.Struct):
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    rows: list[_Row] = msgspec.field(default_factory=list)


def names(page: bytes) -> list[str]:
    """Names of the containers in a page of an account. Raises msgspec.DecodeError where it is none."""
    return [row.name for row in from_json(page, _Answer).rows]


def container(project: str, name: str, body: bytes, place: Place, *, owner: bool) -> Mapped:
    """One container of a project's account, from its own answer. ``owner``: whether the answer came to
    one who is told who may read."""
    try:
        told = from_json(body, _Answer).headers
    except msgspec.DecodeError as error:
        return Mapped(problems=[str(place.clean(f"{project}/{name}：{error}"))])
    readers = _acl(told, "x-container-read", owner)
    found = ObjectContainer(
        source=place.source,
        native_id=f"{project}/{name}",
        name=name,
        labels=place.labels,
        relations=place.relations(("in_project", "project", project)),
        read_acl=readers,
        write_acl=_acl(told, "x-container-write", owner),
        public_read=any(map(_anybody, readers)) if isinstance(readers, list) else UNKNOWN,
        versioned=told.get("x-versions-enabled", "").lower() == "true"
        or any(told.get(name) for name in ("x-versions-location", "x-history-location")),
        storage_policy=told.get("x-storage-policy"),
        objects=_number(told, "x-container-object-count"),
        size_bytes=_number(told, "x-container-bytes-used"),
    )
    return Mapped(resources=[found])


def _acl(told: Mapping[str, str], header: str, owner: bool) -> Maybe[list[str]]:
    if header not in told and not owner:
        return UNKNOWN
    return sorted({entry.strip() for entry in told.get(header, "").split(",") if entry.strip()})


def _anybody(entry: str) -> bool:
    """A referrer element lets in whoever writes that header into a request, which is anybody; one that
    begins with "-" takes away."""
    kind, _, value = entry.partition(":")
    return kind in (".r", ".ref", ".referer", ".referrer") and not value.strip().startswith("-")


def _number(told: Mapping[str, str], header: str) -> Maybe[int]:
    text = told.get(header, "")
    return int(text) if text.isdecimal() else UNKNOWN


def owns(facts: Facts, project: str, admin_roles: Sequence[str]) -> bool:
    """Whether swift takes the token for the owner of a project's account (its default roles)."""
    roles = {role.lower() for role in facts.roles}
    own = project == facts.project_id and not roles.isdisjoint({_OPERATOR, *map(str.lower, admin_roles)})
    return own or _RESELLER in roles


def _endpoint(facts: Facts) -> str:
    for service in facts.catalogue:
        for one in service.endpoints:
            here = one.interface == facts.interface and (not facts.region or one.region == facts.region)
            if service.type == "object-store" and here:
                return one.url
    return ""


def _accounts(view: View) -> list[str]:
    """Accounts of all projects that were seen, one's own first."""
    own = view.facts.project_id or ""
    prefix = account_prefix(_endpoint(view.facts), own)
    if prefix is None:
        raise ServiceError(
            "对象存储的地址里没有账户，读不到别的项目的桶",
            "ceph 的 radosgw 设 rgw_swift_account_in_url = true，并改目录里的地址",
            Status.DENIED,
        )
    others = sorted(view.known.ids.get("project", set()) - {own})
    return [f"{prefix}{project}" for project in (own, *others)]


def _learn_names(page: bytes, account: str, view: View) -> None:
    view.known.containers_listed += [f"{account}/{quote(name, safe='')}" for name in names(page)]


def _map(body: bytes, item: str, view: View) -> Mapped:
    account, _, name = item.partition("/")
    own = view.facts.project_id or ""
    project = account.removeprefix(account_prefix(_endpoint(view.facts), own) or "")
    owner = owns(view.facts, project, view.admin_roles)
    return container(project, unquote(name), body, view.place, owner=owner)


def _ask(limit: str) -> Ask:
    return Ask(service="object-store", path="/{}", key="rows", params={"format": "json", "limit": limit})


ROWS: tuple[Row, ...] = (
    Row(
        name="object_container.account",
        kind="object_container",
        ask=_ask(_PAGE),
        each=_accounts,
        after=("project",),
        along="project",
        learn=_learn_names,
        remedy=_REMEDY,
    ),
    Row(
        name="object_container",
        kind="object_container",
        ask=_ask("0"),  # no object of it: its headers are all that is wanted
        each=lambda view: sorted(view.known.containers_listed),
        along="project",
        map=_map,
        remedy=_REMEDY,
    ),
)

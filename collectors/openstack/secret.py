"""Key Manager API v1 answers → secrets: what is known of them, never what they hold.

Only lists are read. No payload is ever asked for, and nothing that a payload could lie in is decoded.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.listing import PAGE, Ask, Mapped, Place, mapped, moment, rows, seen
from collectors.openstack.row import Row, View
from inventory.coverage import Status
from inventory.kinds.identity import Secret
from inventory.unknown import UNKNOWN


class _Secret(msgspec.Struct):
    secret_ref: str
    name: str | None = None
    status: str | UnsetType = UNSET
    secret_type: str | UnsetType = UNSET
    algorithm: str | UnsetType | None = UNSET
    bit_length: int | UnsetType | None = UNSET
    mode: str | UnsetType | None = UNSET
    created: datetime | None = None
    expiration: datetime | UnsetType | None = UNSET

    @property
    def id(self) -> str:
        return last_segment(self.secret_ref)


class _Held(msgspec.Struct):
    secret_ref: str


class _Container(msgspec.Struct):
    container_ref: str
    secret_refs: list[_Held] = msgspec.field(default_factory=list)
    consumers: list[msgspec.Raw] = msgspec.field(default_factory=list)


def last_segment(reference: str) -> str:
    """The id at the end of a reference, which is a URL."""
    return reference.rstrip("/").rpartition("/")[2]


def in_containers(pages: list[bytes], referred: Set[str]) -> set[str]:
    """Ids of the secrets in containers that something uses: a consumer registered itself, or the
    container is among ``referred``."""
    return {
        last_segment(held.secret_ref)
        for row in rows(pages, "containers", _Container)[0]
        if row.consumers or last_segment(row.container_ref) in referred
        for held in row.secret_refs
    }


def secrets(
    pages: list[bytes], referred: Set[str], place: Place, project: str | None, *, all_seen: bool
) -> Mapped:
    """Secrets of one project, which is all that barbican lists. ``referred`` holds the ids that something
    refers to, ``all_seen`` tells whether everything that could refer to one was seen."""

    def make(row: _Secret) -> Secret:
        used = row.id in referred
        return Secret(
            source=place.source,
            native_id=row.id,
            name=row.name or "",
            labels=place.labels,
            relations=place.relations(("in_project", "project", project)),
            namespace=None,
            secret_type=seen(row.secret_type),
            algorithm=seen(row.algorithm),
            bit_length=seen(row.bit_length),
            mode=seen(row.mode),
            status=seen(row.status),
            entries=1,
            used=used if used or all_seen else UNKNOWN,
            created_at=moment(row.created) or UNKNOWN,
            expires_at=UNKNOWN if isinstance(row.expiration, UnsetType) else moment(row.expiration),
        )

    return mapped(pages, "secrets", _Secret, make, place.clean)


_REFERRERS = (  # row of the table, what its odd rows are counted under, and its sight
    ("volume", "volume", "volumes"),
    ("listener", "listener", "balancers"),
    ("image.hidden", "image", "images"),
)


def _referred(view: View) -> set[str]:
    known = view.known
    return known.volume_keys | known.listener_keys | known.image_keys | known.contained_keys


def _all_referrers_seen(view: View) -> bool:
    for row, kind, sight in _REFERRERS:
        proof = view.proofs.get(sight)
        absent = proof is not None and proof.status is Status.UNSUPPORTED
        if not absent and not view.whole(row, kind, sight):
            return False
    return view.came("secret.container")


def _learn_containers(page: bytes, _: str, view: View) -> None:
    view.known.contained_keys |= in_containers([page], _referred(view))


def _project(view: View) -> Sequence[str]:
    """The one project that is asked for. barbican breaks (500) on a token without one."""
    return [view.facts.project_id] if view.facts.project_id else []


def _ask(key: str) -> Ask:
    return Ask(service="key-manager", path=f"/{key}", key=key, params={"limit": PAGE})


ROWS: tuple[Row, ...] = (
    Row(
        name="secret.container",
        ask=_ask("containers"),
        each=_project,
        after=tuple(row for row, _, _ in _REFERRERS),
        learn=_learn_containers,
        adds={"secret": "密钥容器没有读到"},
    ),
    Row(
        name="secret",
        kind="secret",
        remedy="给采集凭据 observer 角色；barbican 只能按项目列出：每个要看密钥的项目各配一个来源",
        ask=_ask("secrets"),
        sight="secrets",
        each=_project,
        map=lambda page, project, view: secrets(
            [page], _referred(view), view.place, project, all_seen=_all_referrers_seen(view)
        ),
    ),
)

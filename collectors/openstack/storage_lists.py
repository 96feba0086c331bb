"""The lists of the block storage service, in the order in which one needs what another tells."""

from __future__ import annotations

from collectors.openstack import hardening, platform, storage
from collectors.openstack.listing import PAGE, Ask, row_ids
from collectors.openstack.row import Row, View
from inventory.coverage import Status


def _learn_form(body: bytes, _: str, view: View) -> None:
    view.known.keys_told = storage.tells_keys(body)


def _learn_types(page: bytes, _: str, view: View) -> None:
    view.known.volume_types |= storage.type_ids([page])


def _learn_encryption(body: bytes, type_: str, view: View) -> None:
    view.known.type_encryption[type_] = body


def _learn_default(body: bytes, _: str, view: View) -> None:
    view.known.default_volume_type = storage.default_type(body)


def _default(view: View) -> str | None:
    error = view.ended.get("volume_type.default")
    if error is not None and error.status is Status.UNSUPPORTED:  # 404: none is set
        return ""
    return view.known.default_volume_type


def _learn_qos(page: bytes, _: str, view: View) -> None:
    view.known.qos_specs |= storage.qos_names([page])


def _learn_backups(page: bytes, _: str, view: View) -> None:
    last = view.known.last_backups
    for volume, made in storage.last_backups([page]).items():
        last[volume] = max(made, last.get(volume, made))


def _learn_volumes(page: bytes, _: str, view: View) -> None:
    view.known.volumes_listed |= row_ids([page], "volumes")
    view.known.volume_keys |= storage.keys([page])


def _ask(path: str, key: str, **params: str) -> Ask:
    return Ask(service="volume", path=path, key=key, params=params, microversion=storage.MICROVERSION)


_TYPES = Ask(
    # without a microversion: from 3.52 on cinder refuses the filter (400) to all but administrators
    service="volume",
    path="/types",
    key="volume_types",
    params={"is_public": "None", "limit": PAGE},
)

ROWS: tuple[Row, ...] = (
    Row(name="volume_type.list", ask=_TYPES, learn=_learn_types, adds={"volume_type": "存储类型没有读到"}),
    Row(
        name="volume_type.encryption",
        ask=_ask("/types/{}/encryption", ""),
        each=lambda view: sorted(view.known.volume_types.values()),
        learn=_learn_encryption,
        adds={"volume_type": "存储类型的加密没有读到"},
    ),
    Row(
        name="volume_type.default",
        ask=_ask("/types/default", ""),
        learn=_learn_default,
        adds={"volume_type": "默认存储类型没有读到"},
    ),
    Row(
        name="volume_type.qos",
        ask=_ask("/qos-specs", "qos_specs", limit=PAGE),
        learn=_learn_qos,
        adds={"volume_type": "存储 QoS 没有读到"},
    ),
    Row(
        name="volume_type",
        kind="volume_type",
        ask=_TYPES,  # once more: what a type is, only the calls in between told
        sight="volumes",
        map=lambda page, _, view: storage.volume_types(
            [page],
            view.known.type_encryption,
            _default(view),
            view.known.qos_specs if view.came("volume_type.qos") else None,
            view.place,
        ),
    ),
    Row(
        name="volume.first",
        ask=_ask("/volumes/detail", "", all_tenants="1", limit="1"),  # one is enough to see the form
        learn=_learn_form,
    ),
    Row(
        name="volume_backup",
        kind="volume_backup",
        ask=_ask("/backups/detail", "backups", all_tenants="1", limit=PAGE),
        sight="volumes",
        learn=_learn_backups,
        map=lambda page, _, view: storage.backups([page], view.known.keys_told, view.place),
    ),
    Row(
        name="volume_snapshot",
        kind="volume_snapshot",
        ask=_ask("/snapshots/detail", "snapshots", all_tenants="1", limit=PAGE),
        sight="volumes",
        map=lambda page, _, view: storage.snapshots([page], view.place),
    ),
    Row(
        name="volume",
        kind="volume",
        ask=_ask("/volumes/detail", "volumes", all_tenants="1", limit=PAGE),
        sight="volumes",
        learn=_learn_volumes,
        map=lambda page, _, view: storage.volumes(
            [page],
            view.place,
            view.known.volume_types,
            view.known.last_backups if view.whole("volume_backup", "volume_backup", "volumes") else None,
            lambda properties: hardening.of_disk(properties, view),
        ),
        after=("image.hidden",),
    ),
    Row(
        name="storage_pool",
        kind="storage_pool",
        ask=_ask("/scheduler-stats/get_pools", "pools", detail="true"),
        sight="volumes",
        map=lambda page, _, view: storage.pools([page], view.place),
    ),
    Row(
        name="volume.service",
        kind="platform_service",
        ask=_ask("/os-services", "services"),
        sight="volumes",
        map=lambda page, _, view: platform.services([page], "volume", view.place),
    ),
)

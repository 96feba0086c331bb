"""Block storage: types, copies, pools, and what volumes say of themselves. The rows are the lab's (cinder
of Zed), with single values changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from collectors.openstack import storage
from collectors.openstack.listing import Mapped, Place
from inventory.kinds.storage import StoragePool, Volume, VolumeBackup, VolumeType
from inventory.kinds.usage import Amount
from inventory.unknown import Maybe

PLACE = Place(source="zw", labels={}, clean=lambda value: value)
VOLUME: dict[str, Any] = {
    "id": "v1", "status": "in-use", "size": 100, "availability_zone": "az-a", "name": "data",
    "created_at": "2026-11-22T05:46:45.000000", "updated_at": "2026-11-22T05:46:47.000000",
    "volume_type": "hdd-luks-aes", "metadata": {}, "bootable": "false", "encrypted": True,
    "replication_status": None, "multiattach": False, "attachments": [],
    "os-vol-tenant-attr:tenant_id": "p1", "os-vol-host-attr:host": "zw-ctl-01@san-hdd#san-hdd",
}  # fmt: skip
TYPE = {"id": "t1", "name": "ssd-luks-sm4", "is_public": True, "qos_specs_id": "q1",
        "extra_specs": {"volume_backend_name": "ceph-ssd"}}  # fmt: skip
SM4 = (
    b'{"encryption_id":"e","cipher":"sm4-xts-plain64","key_size":256,"provider":"luks",'
    b'"control_location":"front-end","deleted":false}'
)
BACKUP = {"id": "b1", "name": "full", "status": "available", "size": 50, "volume_id": "v1",
          "is_incremental": False, "created_at": "2026-11-22T07:28:34.000000",
          "os-backup-project-attr:project_id": "p1"}  # fmt: skip


def page(key: str, *rows: dict[str, Any]) -> list[bytes]:
    return [msgspec.json.encode({key: list(rows)})]


def only(found: Mapped) -> Any:
    assert found.problems == []
    (one,) = found.resources
    return one


def volume(backups: dict[str, datetime] | None = None, **fields: Any) -> Volume:
    one = only(storage.volumes(page("volumes", {**VOLUME, **fields}), PLACE, {"hdd-luks-aes": "t9"}, backups))
    assert isinstance(one, Volume)
    return one


def test_the_key_of_a_volume_is_a_reference_and_its_absence_depends_on_the_microversion() -> None:
    assert repr(volume().encryption_key_id) == "UNKNOWN"  # 3.0 … 3.62
    assert volume(volume_type_id="t1").encryption_key_id is None  # 3.64, not encrypted
    assert volume(volume_type_id="t1", encryption_key_id="k").encryption_key_id == "k"
    rows = page("volumes", VOLUME, {**VOLUME, "id": "v2", "encryption_key_id": "k"})
    assert storage.keys(rows) == {"k"}
    assert storage.tells_keys(page("volumes", {**VOLUME, "volume_type_id": "t1"})[0])
    assert not storage.tells_keys(page("volumes", VOLUME)[0])
    assert not storage.tells_keys(b'{"volumes":[]}')
    assert not storage.tells_keys(b"<html>")


def test_a_volume_leads_to_its_type_by_id_or_by_name() -> None:
    assert volume().related("has_type") == ["zw/volume_type/t9"]
    assert volume(volume_type_id="t1").related("has_type") == ["zw/volume_type/t1"]
    assert volume(volume_type=None).related("has_type") == []


@pytest.mark.parametrize(
    ("status", "replicated"),
    [(None, False), ("disabled", False), ("not-capable", False), ("enabled", True), ("error", True)],
)
def test_replication(status: str | None, replicated: bool) -> None:
    assert volume(replication_status=status).replicated is replicated


def test_no_backup_is_said_only_where_all_backups_were_seen() -> None:
    assert repr(volume(None).last_backup_at) == "UNKNOWN"
    assert volume({"v2": datetime(2026, 1, 1, tzinfo=UTC)}).last_backup_at is None
    rows = page(
        "backups",
        BACKUP,
        {**BACKUP, "id": "b2", "created_at": "2026-11-21T00:00:00"},
        {**BACKUP, "id": "b3", "created_at": "2026-11-23T00:00:00", "status": "error"},
        {**BACKUP, "id": "b4", "created_at": "2026-11-23T00:00:00", "status": "creating"},
    )
    last = storage.last_backups(rows)
    assert volume(last).last_backup_at == datetime(2026, 11, 22, 7, 28, 34, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "told", "encrypted"),
    [(None, True, False), ("k", True, True), ("k", False, True), (None, False, "UNKNOWN")],
)
def test_a_backup_without_a_key_is_plain_only_where_keys_are_told(
    key: str | None, told: bool, encrypted: bool | str
) -> None:
    row = {**BACKUP, "encryption_key_id": key} if key else BACKUP
    one = only(storage.backups(page("backups", row), told, PLACE))
    assert isinstance(one, VolumeBackup)
    assert (repr(one.encrypted) if encrypted == "UNKNOWN" else one.encrypted) == encrypted
    assert one.related("made_from") == ["zw/volume/v1"]
    assert one.related("in_project") == ["zw/project/p1"]


def volume_type(encryption: dict[str, bytes], default: str | None = "", **fields: Any) -> VolumeType:
    rows = page("volume_types", {**TYPE, **fields})
    one = only(storage.volume_types(rows, encryption, default, {"q1": "gold"}, PLACE))
    assert isinstance(one, VolumeType)
    return one


def test_what_a_type_encrypts_with() -> None:
    one = volume_type({"t1": SM4})
    assert (one.encrypted, one.cipher, one.key_bits) == (True, "sm4-xts-plain64", 256)
    assert one.encryption_location == "front-end"
    plain = volume_type({"t1": b"{}"})
    assert (plain.encrypted, plain.cipher) == (False, None)


def test_a_type_whose_own_call_was_not_answered_is_unknown_and_not_plain() -> None:
    for answers in ({}, {"t1": b"<html>"}, {"t1": b"[]"}):
        one = volume_type(answers)
        assert repr(one.encrypted) == repr(one.cipher) == "UNKNOWN"


def test_specs_that_a_reader_gets_are_not_all_there_are() -> None:
    row = {**TYPE, "extra_specs": {}}
    del row["qos_specs_id"]
    one = only(storage.volume_types(page("volume_types", row), {}, None, None, PLACE))
    assert {repr(v) for v in (one.extra_specs, one.driver, one.qos, one.default)} == {"UNKNOWN"}
    told = volume_type({}, default="t1")
    assert (told.driver, told.qos, told.default) == ("ceph-ssd", "gold", True)
    assert volume_type({}, qos_specs_id=None).qos is None
    assert repr(volume_type({}, qos_specs_id="other").qos) == "UNKNOWN"
    assert volume_type({}, default="").default is False


def test_the_default_type() -> None:
    assert storage.default_type(msgspec.json.encode({"volume_type": TYPE})) == "t1"
    assert storage.default_type(b"{}") is None


def amount(**capabilities: Any) -> Amount:
    row = {"name": "h@ceph#pool", "capabilities": capabilities}
    one = only(storage.pools(page("pools", row), PLACE))
    assert isinstance(one, StoragePool)
    assert one.native_id == "h@ceph#pool"
    assert isinstance(one.amounts, list)
    (found,) = one.amounts
    return found


def test_what_a_thin_pool_may_promise() -> None:
    found = amount(
        total_capacity_gb=1000,
        free_capacity_gb="400.5",
        reserved_percentage=10,
        thin_provisioning_support=True,
        max_over_subscription_ratio="20.0",
        allocated_capacity_gb=700,
        provisioned_capacity_gb=900,
    )
    assert found == Amount(
        of="disk_gib", total=1000.0, reserved=100.0, ratio=20.0, allocated=900.0, used=599.5
    )


@pytest.mark.parametrize(
    ("thin", "told", "ratio"),
    [(False, "20.0", 1.0), (True, "auto", "UNKNOWN"), (True, None, "UNKNOWN"), (None, "20.0", "UNKNOWN")],
)
def test_the_ratio_counts_for_thin_pools_only(
    thin: bool | None, told: str | None, ratio: Maybe[float] | str
) -> None:
    fields = {"thin_provisioning_support": thin} if thin is not None else {}
    found = amount(**fields, max_over_subscription_ratio=told).ratio
    assert (repr(found) if ratio == "UNKNOWN" else found) == ratio


@pytest.mark.parametrize("word", ["infinite", "unknown", "nan", "inf", None])
def test_a_pool_without_a_size_is_neither_empty_nor_full(word: str | None) -> None:
    found = amount(total_capacity_gb=word, free_capacity_gb=word, reserved_percentage=0)
    assert {repr(v) for v in (found.total, found.used, found.reserved, found.allocated)} == {"UNKNOWN"}


def test_protocols_with_synonyms() -> None:
    row = {"name": "p", "capabilities": {"storage_protocol": ["NVMe-oF", "nvmeof"], "vendor_name": "x"}}
    one = only(storage.pools(page("pools", row), PLACE))
    assert (one.protocol, one.vendor) == ("NVMe-oF", "x")

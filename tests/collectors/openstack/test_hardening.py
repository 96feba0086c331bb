"""Which images, and disks made from them, are said to be hardened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.openstack.hardening import said
from inventory.coverage import Batch
from inventory.kinds.compute import Image
from inventory.kinds.storage import Volume
from inventory.unknown import Unknown

Replay = Callable[..., dict[str, Batch]]
MARKS = ("hardened", "加固")


@pytest.mark.parametrize(
    ("properties", "tags", "told"),
    [
        ({}, [], None),
        ({"hardened": "true"}, [], True),
        ({"Hardened": "等保三级基线 V2"}, [], True),
        ({"hardened": " False "}, [], False),
        ({"hardened": "否"}, ["hardened"], False),
        ({"hardened": ""}, [], None),
        ({"os_distro": "kylin"}, ["加固"], True),
        ({}, ["HARDENED"], True),
        ({}, ["not-hardened"], None),
    ],
)
def test_what_says_so(properties: dict[str, str], tags: list[str], told: bool | None) -> None:
    assert said(properties, tags, MARKS) is told


def images(batches: dict[str, Batch]) -> dict[str, Any]:
    return {str(r.name): r.hardened for r in batches["image"].resources if isinstance(r, Image)}


def disks(batches: dict[str, Batch]) -> list[Volume]:
    return [r for r in batches["volume"].resources if isinstance(r, Volume)]


def test_by_property_and_by_tag(replay: Replay, recordings: dict[str, Path]) -> None:
    found = images(replay(recordings["lately"]))
    assert found["Kylin-V10-SP3-aarch64"] is True
    assert found["openEuler-22.03-LTS-SP4-aarch64"] is True  # a tag
    assert found["WindowsServer-2012R2"] is False
    assert found["CentOS-7.9-x86_64"] is None


def test_other_marks(replay: Replay, recordings: dict[str, Path]) -> None:
    found = images(replay(recordings["lately"], hardened_marks=["os_distro"]))
    assert found["CentOS-7.9-x86_64"] is True
    assert found["openEuler-22.03-LTS-SP4-aarch64"] is True
    assert images(replay(recordings["lately"], hardened_marks=[]))["Kylin-V10-SP3-aarch64"] is None


def test_disks_made_from_images(replay: Replay, recordings: dict[str, Path]) -> None:
    found = {(str(d.name), d.image_hardened) for d in disks(replay(recordings["lately"])) if d.image}
    assert ("x-from-image", None) in found
    assert ("", True) in found  # of x-volume: its image has the tag today
    plain = [d for d in disks(replay(recordings["lately"])) if d.bootable is False]
    assert plain
    assert {(d.image, d.image_hardened) for d in plain} == {(None, None)}


def test_a_disk_whose_image_is_gone_or_was_not_read(replay: Replay, edited: Callable[..., Path]) -> None:
    def edit(lines: list[dict[str, Any]]) -> None:
        for line in lines:
            if line.get("path") == "/images":
                line["body"]["images"] = []

    assert all(
        isinstance(d.image_hardened, Unknown) for d in disks(replay(edited(edit, "lately"))) if d.image
    )

    def hidden(lines: list[dict[str, Any]]) -> None:
        for line in lines:
            if line.get("path") == "/volumes/detail":
                for volume in line["body"]["volumes"]:
                    volume.pop("volume_image_metadata", None)

    bootable = [d for d in disks(replay(edited(hidden, "lately"))) if d.bootable is True]
    assert bootable
    assert all(isinstance(d.image, Unknown) and isinstance(d.image_hardened, Unknown) for d in bootable)

"""Images: properties among fields, members, signatures."""

from __future__ import annotations

from typing import Any

import msgspec

from collectors.openstack import image
from collectors.openstack.listing import Place
from inventory.kinds.compute import Image

PLACE = Place(source="zw", labels={}, clean=lambda value: value)
ROW = {
    "id": "i1", "name": "Kylin", "visibility": "shared", "os_hidden": False, "disk_format": "qcow2",
    "min_disk": 20, "os_distro": "kylin", "hw_architecture": "aarch64", "checksum": "c", "owner": "p1",
    "self": "/v2/images/i1", "tags": [], "size": 1,
}  # fmt: skip
SIGNED: dict[str, Any] = {
    "img_signature": "base64==", "img_signature_hash_method": "SHA-256",
    "img_signature_key_type": "RSA-PSS", "img_signature_certificate_uuid": "cert",
}  # fmt: skip


def one(members: dict[str, set[str]] | None = None, **fields: Any) -> Image:
    page = msgspec.json.encode({"images": [{**ROW, **fields}]})
    (found,) = image.images([page], PLACE, members).resources
    assert isinstance(found, Image)
    return found


def test_what_is_no_field_of_the_api_is_a_property() -> None:
    assert one(hw_qemu_guest_agent="yes").properties == {
        "os_distro": "kylin",
        "hw_architecture": "aarch64",
        "hw_qemu_guest_agent": "yes",
    }
    assert (one().hidden, one().disk_format, one().min_disk_gib) == (False, "qcow2", 20)


def test_members_of_a_shared_image_are_unknown_until_they_were_asked_for() -> None:
    assert repr(one().members) == "UNKNOWN"
    assert one({"i1": {"p3", "p2"}}).members == ["p2", "p3"]
    assert one({"i1": set()}).members == []
    assert one(visibility="private").members == []
    assert repr(one(visibility=None).members) == "UNKNOWN"


def test_a_signature_tells_its_algorithm_and_its_certificate() -> None:
    signed = one(**SIGNED)
    assert (signed.signed, signed.signature_algorithm) == (True, "SHA-256")
    assert (one().signed, one().signature_algorithm) == (False, None)
    half = one(img_signature_hash_method="SHA-256")
    assert (half.signed, half.signature_algorithm) == (False, None)


def test_encryption_by_format_or_by_key() -> None:
    assert one().encrypted is False
    assert one(disk_format="luks").encrypted is True
    assert one(cinder_encryption_key_id="k").encrypted is True
    rows = [{**ROW, **SIGNED}, {**ROW, "id": "i2", "os_encrypt_key_id": "k"}]
    assert image.keys([msgspec.json.encode({"images": rows})]) == {"cert", "k"}


def test_which_images_have_members_at_all() -> None:
    rows = [ROW, {**ROW, "id": "i2", "visibility": "public"}]
    assert image.shared([msgspec.json.encode({"images": rows})]) == {"i1"}
    assert image.members([b'{"members":[{"member_id":"p2","status":"pending"}]}']) == {"p2"}
    assert image.members([b'{"members":[{}]}']) is None

"""Which images an office says are hardened: by a property or a tag of a name that it chose."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from collectors.openstack.row import View
from inventory.unknown import UNKNOWN, Maybe

_NO = frozenset({"false", "no", "0", "off", "none", "n", "否", "未加固"})


def said(properties: Mapping[str, str], tags: Collection[str], marks: Collection[str]) -> bool | None:
    """Whether an image is said to be hardened; None = nobody says. A property that says no outweighs a tag;
    one with any other value (``true``, the name of a baseline) says yes."""
    names = {mark.lower() for mark in marks}
    values = {v.strip().lower() for k, v in properties.items() if k.lower() in names and v.strip()}
    if values:
        return values.isdisjoint(_NO)
    return True if names & {tag.lower() for tag in tags} else None


def of_disk(properties: Mapping[str, str], view: View) -> Maybe[bool | None]:
    """The same for a disk made from an image, by the properties that cinder kept of it. Tags it does not
    keep: those the image has today count, where it is still there."""
    own = said(properties, (), view.hardened_marks)
    if own is not None:
        return own
    image = properties.get("image_id", "")
    if image in view.known.images_hardened:
        return view.known.images_hardened[image]
    return UNKNOWN

"""Which device it is: vendor, model, software, version, serial number, role.

The system group names the vendor (or UPS-MIB, where sysObjectID is that of somebody's agent software); then
what the description says counts before the vendor's own objects, and these before ENTITY-MIB.
"""

from __future__ import annotations

from collections.abc import Callable

from collectors.snmp import tables as t
from collectors.snmp.engines import Oid
from collectors.snmp.reading import Answers
from collectors.snmp.texts import text_of
from collectors.snmp.vendors import facts_of, role_of, software_of, vendor_of
from inventory.kinds.network import Device
from inventory.unknown import known


def identify(device: Device, answers: Answers, clean: Callable[[str], str]) -> None:
    """Set the fields that tell which device it is. ``clean`` masks secrets in texts."""

    def text(oid: Oid | None) -> str:
        found = text_of(answers.objects.get(oid)) if oid is not None else None
        return clean((found or "").strip('" '))

    object_id = answers.scalars.get(t.SYS_OBJECT_ID)
    if isinstance(object_id, str):
        device.sys_object_id = object_id
    elif not known(device.description):
        return
    object_id = object_id if isinstance(object_id, str) else ""
    description = device.description if known(device.description) else ""
    vendor, origin = vendor_of(object_id, f"{description} {text(t.UPS_MANUFACTURER)}")
    if object_id or vendor:
        device.vendor, device.vendor_origin = vendor, origin
    chassis = {column: clean(value) for column, value in _chassis(answers).items()}
    if t.UPS_BATTERY_STATUS in answers.objects:
        device.role = "ups"
    if t.ENTITY_SERIAL in chassis:
        device.serial = chassis[t.ENTITY_SERIAL] or None
    if not vendor:
        return
    own = answers.asked
    revision = chassis.get(t.ENTITY_SOFTWARE, "")
    written = f"{description} {text(own.version)} {revision}".strip()
    facts = facts_of(vendor, written)
    chassis_model = chassis.get(t.ENTITY_MODEL, "").removeprefix(f"{vendor} ")
    if model := facts.get("model") or text(own.model) or text(t.UPS_MODEL) or chassis_model:
        device.model = model
    if version := facts.get("version") or text(own.version) or revision or text(t.UPS_SOFTWARE):
        device.version = version
    if serial := facts.get("serial") or chassis.get(t.ENTITY_SERIAL) or text(own.serial):
        device.serial = serial
    software = software_of(vendor, written)
    if software:
        device.software = software
    role = role_of(vendor, object_id, f"{model} {description}")
    if role and not known(device.role):
        device.role = role


def _chassis(answers: Answers) -> dict[int, str]:
    """Texts of the chassis by column: the first one with a serial number, else the first one."""
    size = len(t.ENTITY_CLASS.entry)
    by_index: dict[Oid, dict[int, str]] = {}
    for oid, value in sorted(answers.chassis.items(), key=lambda item: item[0][size + 1 :]):
        text = text_of(value)
        if text is not None:
            by_index.setdefault(oid[size + 1 :], {})[oid[size]] = text
    found = list(by_index.values())
    return next((one for one in found if one.get(t.ENTITY_SERIAL)), found[0] if found else {})

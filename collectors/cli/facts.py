"""From a device's configuration to the facts of ``device_config``: pure, vendor-neutral, without secrets.

The text is the raw one, in memory: only here can it be told that a community is ``public`` or a password the
maker's default. What comes out holds no secret, and its line numbers are those of the masked text, which has
the same lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from collectors.cli import facts_outside
from collectors.cli.config_tree import lines_of
from inventory.kinds.device_config import SshService
from inventory.unknown import Unknown

_DIALECTS: dict[str, tuple[str, str]] = {
    "huawei_vrp": ("collectors.cli.facts_vrp", "huawei_vrp"),
    "huawei_vrpv8": ("collectors.cli.facts_vrp", "huawei_vrp"),
    "huawei": ("collectors.cli.facts_vrp", "huawei_vrp"),
    "hp_comware": ("collectors.cli.facts_comware", "hp_comware"),
    "h3c_comware": ("collectors.cli.facts_comware", "hp_comware"),
    "cisco_ios": ("collectors.cli.facts_ios", "cisco_ios"),
    "cisco_xe": ("collectors.cli.facts_ios", "cisco_ios"),
    "ruijie_os": ("collectors.cli.facts_ios", "ruijie_os"),
    "zte_zxros": ("collectors.cli.facts_zte", "zte_zxros"),
    "frr": ("collectors.cli.facts_frr", "frr"),
    "juniper_junos": ("collectors.cli.facts_junos", "juniper_junos"),
    "juniper": ("collectors.cli.facts_junos", "juniper_junos"),
}
"""Platform (netmiko's device types, and ours) → the module that reads its dialect, the dialect's name."""

PLATFORMS = tuple(_DIALECTS)


def read(platform: str, configuration: str, told: Mapping[str, str]) -> dict[str, Any]:
    """The fields of ``DeviceConfig`` that a configuration tells, by name; a field left out is UNKNOWN.

    ``told`` is what else is known of the device: ``version`` (of its software, decides some defaults);
    ``ssh_ciphers``, ``ssh_macs`` and ``ssh_key_exchanges`` (what its server offered, with commas);
    ``partial`` ("yes" where the text is known to be cut off, or narrowed by the account's rights: then
    nothing is concluded from absence). Never raises for what the text holds. Of a platform whose dialect is
    not known only the number of lines is told."""
    fields: dict[str, Any] = {
        "platform": platform,
        "version": told.get("version") or None,
        "line_count": len(lines_of(configuration.rstrip())),
    }
    if platform in _DIALECTS and configuration.strip():
        module, dialect = _DIALECTS[platform]
        fields |= import_module(module).read(
            dialect, configuration, told.get("version", ""), partial=told.get("partial") == "yes"
        )
        if dialect in facts_outside.DIALECTS:
            fields |= facts_outside.read(configuration, fields.get("complete") is True)
        _offered(fields.get("ssh"), told)
    return fields


def _offered(ssh: SshService | None, told: Mapping[str, str]) -> None:
    """What the session saw the server offer, where the text does not pin it."""
    for field in ("ciphers", "macs", "key_exchanges"):
        offered = [name for name in told.get(f"ssh_{field}", "").split(",") if name]
        if ssh is not None and offered and isinstance(getattr(ssh, field), Unknown):
            setattr(ssh, field, offered)

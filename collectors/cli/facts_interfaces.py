"""What the dialects but Junos share of interfaces: which are ports, and what follows from their lines."""

from __future__ import annotations

import re

from collectors.cli.facts_reader import Config
from inventory.kinds.device_config import ConfigInterface
from inventory.unknown import UNKNOWN

_LOGICAL = re.compile(
    r"(?:vlan|loop|null|inloop|tunnel|bridge-|route-|eth-trunk|port-channel|aggregate|nve|vbdif|bdi|bvi|dialer"
    r"|virtual|vsi|multilink|mp-group|smartgroup|supervlan|ulei|lo\d|register|cellular|sip)",
    re.IGNORECASE,
)


def physical(name: str) -> bool:
    """Whether the name is that of a port and not of something made of ports."""
    return "." not in name and not _LOGICAL.match(name)


def concluded(row: ConfigInterface, used: bool, config: Config) -> ConfigInterface:
    """The interface with what follows from all its lines. ``used``: one of them shows that it is."""
    if str(row.name).lower().startswith(("lo", "null", "inloop")):  # nothing is forwarded back out of these
        row.redirects_ipv4 = row.redirects_ipv6 = row.proxy_arp = False
    if row.physical:
        row.used = True if used else config.absent(False)
    if row.mode is UNKNOWN and (row.ipv4 is True or row.ipv6 is True):
        row.mode = "routed"
    return row

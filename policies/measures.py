"""The measures there are (``policies.ipv6.contract`` tells what one is)."""

from __future__ import annotations

from policies.ipv6 import addressing, parity, sites, sockets
from policies.ipv6.contract import Measure

MEASURES: dict[str, Measure] = {
    measure.name: measure for module in (addressing, parity, sites, sockets) for measure in module.MEASURES
}
"""Name → measure. A new module is one word more."""

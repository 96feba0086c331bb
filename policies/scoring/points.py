"""密评: what each unit is worth of the 100 points, and how much of it may be had. Pure.

A unit's share is the points of its side (technical or management; in an edition with a single pool, all 100)
times its layer's weight among the side's, times its own among the layer's: units and layers that do not apply
are left out of both. The method names no such figure; assessors' workbooks show it (所占、已得、丢失分值).
Points are exact and sum to 100; what is had of them sums to the total but for its rounding.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from policies.crypto import CryptoScore, LayerScore


class Points(msgspec.Struct, frozen=True):
    """Points of one unit: its share of 100, what is had of it in any case and at best."""

    share: Decimal
    low: Decimal
    high: Decimal


def points(score: CryptoScore) -> dict[str, Points]:
    """Unit code → its points; units that do not apply are left out, and all are where there is no total."""
    if score.low is None:
        return {}
    single = score.parameters["pool"] == "single"
    technical = Decimal(score.parameters["technical_points"])
    found: dict[str, Points] = {}
    for side, of_side in ((True, technical), (False, Decimal(100) - technical)):
        layers = [x for x in score.layers if x.low is not None and (single or x.technical is side)]
        whole = sum((x.weight for x in layers), Decimal(0))
        for layer in layers:
            if layer.technical is side:
                found |= _of_layer(layer, (Decimal(100) if single else of_side) * layer.weight / whole)
    return found


def _of_layer(layer: LayerScore, worth: Decimal) -> dict[str, Points]:
    units = [(u, u.low, u.high) for u in layer.units]
    whole = sum((u.weight for u, low, _ in units if low is not None), Decimal(0))
    return {
        u.code: Points(*(worth * u.weight / whole * part for part in (Decimal(1), low, high)))
        for u, low, high in units
        if low is not None and high is not None
    }

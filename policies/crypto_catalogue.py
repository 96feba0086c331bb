"""密评: the part of a catalogue that its units are scored by. Checked when it is loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from policies.catalogue import Catalogue, CryptoItem, Item, Point
from policies.crypto import JUDGEMENTS, CryptoUnit, Layer
from policies.yaml_text import YamlText

CITE = re.compile(r"(\d+(?:\.\d+)+)(?: ([a-z])\))?")
"""A clause as people cite it: "8.1.3.2 a)", or "8.1.4.5" where a point has one item."""
_WEIGHT = re.compile(r"\d+(\.\d+)?")


def id_of(standard: str, cite: re.Match[str]) -> str:
    """Id of the control at a clause (a match of ``CITE``)."""
    return f"{standard}/{cite[1]}.{cite[2] or 'a'}"


def crypto_units(text: YamlText, catalogue: Catalogue) -> dict[str, CryptoUnit]:
    """Units of 密评 by control id: all items of a catalogue have one, or none has."""
    part = catalogue.crypto
    layers = {layer.code: layer for layer in part.layers} if part else {}
    found: dict[str, CryptoUnit] = {}
    codes: set[str] = set()
    if part and (len(layers) < len(part.layers) or any(x.weight <= 0 for x in part.layers)):
        raise text.error("层面的 code 不能重复，weight 应大于 0", ["crypto", "layers"])
    for p, point in enumerate(catalogue.points):
        for i, item in enumerate(point.items):
            place: list[str | int] = ["points", p, "items", i]
            unit = item.crypto
            if unit is None and part is None:
                continue
            if unit is None or part is None:
                raise text.error("crypto 要么整份标准都有，要么都没有", place)
            place.append("crypto")
            wrong = _wrong_unit(unit, item, point, layers) or (
                f"{unit.code} 出现两次" if unit.code in codes else ""
            )
            if wrong:
                raise text.error(wrong, place)
            codes.add(unit.code)
            for level, cite in item.at.items():
                match = CITE.fullmatch(cite)
                if not match or level not in part.weight_sources:
                    raise text.error(f"weight_sources 缺少第 {level} 级", ["crypto", "weight_sources"])
                found[id_of(catalogue.name, match)] = CryptoUnit(
                    code=unit.code,
                    layer=unit.code.partition("-")[0],
                    level=level,
                    strength=unit.strength[level],
                    strength_verified=level in unit.strength_verified,
                    weight=Decimal(unit.weight[level]),
                    weight_sources=part.weight_sources[level],
                    seen=unit.seen,
                )
    return found


def _wrong_unit(unit: CryptoItem, item: Item, point: Point, layers: Mapping[str, Layer]) -> str:
    """What is wrong with a unit of 密评 (中文), "" where nothing is."""
    layer = layers.get(unit.code.partition("-")[0])
    if layer is None:
        return f"{unit.code} 的层面不在 crypto.layers 中"
    if layer.title != point.class_name:
        return f"{unit.code} 属于 {layer.title}，而 class 写的是 {point.class_name}"
    if not set(item.at) == set(unit.strength) == set(unit.weight):
        return f"{unit.code} 的 at、strength、weight 应写同样的级别"
    if any(not _WEIGHT.fullmatch(w) or not Decimal(w) for w in unit.weight.values()):
        return f"{unit.code} 的权重应为大于 0 的小数"
    if set(unit.seen) != (set(JUDGEMENTS) if layer.technical else set()):
        return f"{unit.code}：技术单元的 seen 写 D、A、K 三项，管理单元不写"
    return ""

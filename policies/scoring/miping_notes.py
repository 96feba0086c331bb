"""密评: what a reader must know of a score beside its figures (中文)."""

from __future__ import annotations

from collections.abc import Sequence

from policies.assessment import HighRisk
from policies.crypto import CryptoUnit, UnitScore
from policies.standards import Standard

SELF_ESTIMATE = "本结果为自查估算，不是商用密码应用安全性评估结论"

_LEFT_OUT = {
    "应": "须说明测评对象确实不存在",
    "宜": "须由经评审的密码应用方案论证，并核实替代的风险控制措施有效",
    "可": "由责任单位决定不采用",
}


def notes(
    standard: Standard,
    units: Sequence[UnitScore],
    no_total: bool,
    risks: Sequence[HighRisk] | None,
) -> list[str]:
    """That it is an estimate, what of its risks and units is open or left out, and what is not verified."""
    told = [SELF_ESTIMATE]
    if risks is None:
        told.append("尚未做风险分析：结论的最坏情形按存在高风险计")
    warned = [r.title for r in risks or () if r.warning and r.state != "clear"]
    if warned:
        told.append(f"是否属于高风险未核实：{'、'.join(warned)}")
    if no_total:
        told.append("技术或管理一侧全部不适用，规则没有给出总分的算法，须由人判定")
    facts: list[CryptoUnit] = [standard.crypto[u.control] for u in units]
    if any(f.weight_sources < 2 for f in facts):
        told.append("本级的测评单元权重只见于一个公开来源")
    for strength, needs in _LEFT_OUT.items():
        left = [f for f, u in zip(facts, units, strict=True) if u.low is None and f.strength == strength]
        if left:
            codes = "、".join(f.code if f.strength_verified else f"{f.code}（未核实）" for f in left)
            told.append(f"“{strength}”项记为不适用：{codes}；{needs}（依据凭记忆，未核实）")
    return told

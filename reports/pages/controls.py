"""Pages of requirements: what is asked at which level, who can see it, which rules speak to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from policies.assessment import TRUST_WORD, Control
from policies.assets import OBJECT_TITLE
from policies.outcome import Rule
from policies.responsibilities import MODEL_WORD, WHO_WORD
from policies.standards import Standard
from policies.verdict import SEVERITY_TITLE
from reports.pages.text import key_of, page, plain, rule_path, table

_WHO: Final = {
    "technical-auto": "采集的数据可以判定",
    "technical-evidence": "采集的数据能说明一部分，其余由人判定",
    "manual": "由人判定",
}
_SEEN: Final = {
    "auto": "采集的数据",
    "evidence": "采集的数据能说明一部分",
    "register": "密码产品认证证书",
    "person": "现场核查",
}


def control_pages(rules: Sequence[Rule], standards: Sequence[Standard]) -> dict[str, str]:
    """The page of each requirement, one for all levels that ask for it, and the list of them."""
    made: dict[str, str] = {}
    parts = [
        "每项一页，合各等级。概述为本项目自己的表述，不是标准原文。按规则查见 [rules](../rules/README.md)。",
        "",
    ]
    for standard in standards:
        linked = _links(rules, standard)
        rows = []
        for key, held in _grouped(standard).items():
            made[f"controls/{standard.name}/{key}.md"] = _page(standard, key, held, linked.get(key, []))
            count = len(linked.get(key, ()))
            rows.append(
                [
                    f"[{key}]({standard.name}/{key}.md)",
                    plain(held[-1].class_name),
                    plain(held[-1].control_point),
                    "、".join(_levels(held)) or "—",
                    str(count) if count else "—",
                ]
            )
        parts += [f"## {plain(standard.title)}", "", *table(["要求", "类", "控制点", "等级", "规则"], rows)]
    made["controls/README.md"] = page("要求项", *parts)
    return made


def _levels(held: Sequence[Control]) -> list[str]:
    """The levels that ask for a requirement; none where its standard has no levels."""
    asked = {level for c in held for level in (c.level, *c.levels) if level}
    return list(map(str, sorted(asked)))


def _grouped(standard: Standard) -> dict[str, list[Control]]:
    found: dict[str, list[Control]] = {}
    for control in standard:
        found.setdefault(key_of(standard, control.id), []).append(control)
    return {key: sorted(held, key=lambda c: c.level) for key, held in found.items()}


def _links(rules: Sequence[Rule], standard: Standard) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        for key in {key_of(standard, c) for c in rule.controls.all() if c in standard}:
            found.setdefault(key, []).append(rule)
    return found


def _page(standard: Standard, key: str, held: Sequence[Control], rules: Sequence[Rule]) -> str:
    last = held[-1]
    crypto = standard.crypto.get(last.id)
    levels = []
    for c in held:
        unit = standard.crypto.get(c.id)
        row = [
            "、".join(_levels([c])) or "—",
            f"`{c.id}`",
            plain(c.cite),
            c.unit_id if c.unit_verified else "—",
            plain(c.summary),
        ]
        if unit:
            row += [unit.strength + ("" if unit.strength_verified else "（未核实）"), str(unit.weight)]
        levels.append(row)
    head = ["等级", "编号", "条款", "测评单元", "要求（概述）", *(["应/宜/可", "权重"] if crypto else [])]
    facts = [
        ["标准", plain(standard.title)],
        ["类", plain(last.class_name)],
        ["对象", "、".join(OBJECT_TITLE.get(t, t) for t in last.objects)],
    ]
    if not crypto or not crypto.seen:
        facts.append(["谁能判定", _WHO[last.automation]])
    else:
        facts += [[f"{judgement} 凭", _SEEN[who]] for judgement, who in crypto.seen.items()]
    facts += [["依据", TRUST_WORD[last.verified]]] if last.verified else []
    facts += [["还看不到", f"需要{plain(last.needs)}"]] if last.needs else []
    titles = [i.title for i in standard.indicators.values() if i.item == last.id]
    facts += [["占比", plain("、".join(titles))]] if titles else []
    share = standard.responsibilities.get(last.id)
    if share:
        split = "，".join(f"{MODEL_WORD[m]} {WHO_WORD[getattr(share, m)]}" for m in MODEL_WORD)
        facts.append(["在云上由谁负责", f"{split}（{TRUST_WORD[share.verified]}）"])
    return page(
        f"{key} {last.control_point}",
        *table(["", ""], facts),
        "## 要求",
        "",
        *table(head, levels),
        "## 规则",
        "",
        *_rules(standard, key, rules),
        "## 人工答复",
        "",
        f"机器没有看到的由人答复：`zhengguan attest show {last.code or key} --standard {standard.name}`，"
        "见 [answers.md](../../answers.md)。",
        "",
        *_cases(standard, held),
    )


def _rules(standard: Standard, key: str, rules: Sequence[Rule]) -> list[str]:
    rows = []
    for rule in sorted(rules, key=rule_path):
        mine = [c for c in rule.controls.all() if c in standard and key_of(standard, c) == key]
        denied = [j for j, units in rule.denies.items() if set(units) & set(mine)]
        how = "判定" if set(mine) & set(rule.controls.decides) else "佐证"
        if standard.crypto:
            how = f"不符合即 {denied[0]} 不符合" if denied else "线索"
        link = f"[{rule.id}](../../rules/{rule_path(rule)})"
        rows.append([link, plain(rule.title), SEVERITY_TITLE[rule.severity], how])
    return table(["规则", "检查", "级别", "关系"], rows) or ["没有自动检查。", ""]


def _cases(standard: Standard, held: Sequence[Control]) -> list[str]:
    ids = dict.fromkeys(case for c in held for case in c.high_risk)
    rows = [
        [
            case,
            plain(standard.cases[case].title),
            plain(standard.cases[case].condition),
            plain(standard.cases[case].mitigation) if standard.cases[case].mitigable else "不可缓解",
        ]
        for case in ids
    ]
    if not rows:
        return []
    return ["## 高风险情形", "", *table(["情形", "名称", "条件（概述）", "缓解（由人确认）"], rows)]

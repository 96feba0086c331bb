"""Pages of rules: why, how it is seen, how it is fixed, what it maps to, examples."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from inventory.kinds import KINDS
from policies.outcome import Rule
from policies.predicates import PREDICATES
from policies.priorities import EFFORT_WORD, effort_of
from policies.standards import Standard
from policies.verdict import SEVERITY_TITLE
from reports.pages.text import code, key_of, page, plain, rule_path, steps, table

_FIELD: Final = re.compile(r"\bit\.([a-z_0-9]+)")
_WORDS: Final = {"bad": "不符合", "good": "符合", "unknown": "未知", "not_applicable": "不适用"}

Sources = Mapping[str, tuple[str, Sequence[str], str]]


def rule_pages(rules: Sequence[Rule], standards: Sequence[Standard], sources: Sources) -> dict[str, str]:
    """The page of each rule, and the list of them."""
    made = {f"rules/{rule_path(rule)}": _page(rule, standards, sources) for rule in rules}
    made["rules/README.md"] = _index(rules)
    return made


def permission_page(sources: Sources) -> str:
    """What each type of source must be allowed to read."""
    parts: list[str] = []
    for type_, (title, _, permissions) in sorted(sources.items()):
        parts += [f"## {type_}", "", plain(title), "", "```text", permissions.strip(), "```", ""]
    return page("采集所需的权限", "怎样登记来源见 [sources.md](../sources.md)。", "", *parts)


def _index(rules: Sequence[Rule]) -> str:
    parts = [
        f"共 {len(rules)} 条，按目录。怎样写自己的规则见 [rules.md](../rules.md)，按要求项查见 "
        "[controls](../controls/README.md)。",
        "",
    ]
    by_topic: dict[str, list[Rule]] = {}
    for rule in sorted(rules, key=rule_path):
        by_topic.setdefault(rule_path(rule).partition("/")[0], []).append(rule)
    for topic, held in by_topic.items():
        rows = [[f"[{r.id}]({rule_path(r)})", plain(r.title), SEVERITY_TITLE[r.severity]] for r in held]
        parts += [f"## {topic}", "", *table(["规则", "要求", "级别"], rows)]
    return page("规则", *parts)


def _page(rule: Rule, standards: Sequence[Standard], sources: Sources) -> str:
    kind = KINDS[rule.kind]
    facts = [
        ["编号", f"`{rule.id}`"],
        ["英文", plain(rule.title_en)],
        ["级别", SEVERITY_TITLE[rule.severity]],
        ["资源种类", f"{kind.TITLE}（`{rule.kind}`）"],
        ["每处工作量", EFFORT_WORD[effort_of(rule)]],
    ]
    return page(
        rule.title,
        *table(["", ""], facts),
        "## 为什么",
        "",
        plain(rule.why),
        "",
        "## 怎样看到",
        "",
        *_seen(rule, sources),
        "## 怎样整改",
        "",
        *steps(rule.fix),
        "",
        "## 对应",
        "",
        *_mapping(rule, standards),
        "## 例子",
        "",
        *_examples(rule),
    )


def _seen(rule: Rule, sources: Sources) -> list[str]:
    reads = set(_FIELD.findall(f"{rule.applies} {rule.violates}"))
    condition = code(rule.violates) if rule.violates else f"谓词 `{rule.predicate}`"
    if rule.predicate:
        reads |= {field.partition("[")[0].partition(".")[0] for field in PREDICATES[rule.predicate].reads}
        condition += f"（{plain(PREDICATES[rule.predicate].purpose)}）"
    read_by = [
        f"{plain(title)}（`{type_}`，[所需权限](../permissions.md#{type_})）"
        for type_, (title, kinds, _) in sorted(sources.items())
        if rule.kind in kinds
    ]
    rows = [
        ["来源", "；".join(read_by) or "没有自带的来源采集这一种"],
        ["读到的字段", "、".join(f"`{field}`" for field in sorted(reads)) or "—"],
        ["不符合，当", condition],
    ]
    if rule.applies != "True":
        rows.append(["只看", code(rule.applies)])
    rows.append(["留作证据", "、".join(f"`{field}`" for field in rule.evidence) or "—"])
    return [*table(["", ""], rows), "没有看到的字段使结论为未知，不算符合。", ""]


def _mapping(rule: Rule, standards: Sequence[Standard]) -> list[str]:
    rows: list[list[str]] = []
    for standard in standards:
        named = {c for c in rule.controls.all() if c in standard}
        denied = {unit: judgement for judgement, units in rule.denies.items() for unit in units}
        told: dict[str, tuple[str, list[str], str]] = {}
        for control in sorted(named):
            key = key_of(standard, control)
            how = "判定" if control in rule.controls.decides else "佐证"
            if control in denied:
                how = f"不符合即 {denied[control]} 不符合"
            elif control.startswith("miping/"):
                how = "线索"
            point = standard.get(standard.counterparts(control)[0]).control_point
            told.setdefault(key, (point, [], how))[1].append(control.partition("/")[2])
        for key, (point, ids, how) in sorted(told.items()):
            link = f"[{key}](../../controls/{standard.name}/{key}.md)"
            rows.append([plain(standard.title), link, plain(point), "、".join(sorted(ids)), how])
        for case in rule.high_risk:
            if case in standard.cases:
                rows.append(
                    [plain(standard.cases_title), case, plain(standard.cases[case].title), "—", "命中"]
                )
    if not rows:
        return ["不属于哪一条要求：运维事项，只列出问题，不影响得分。", ""]
    return table(["标准", "要求", "名称", "条款或单元", "关系"], rows)


def _examples(rule: Rule) -> list[str]:
    lines = []
    for word, title in _WORDS.items():
        for example in getattr(rule.examples, word):
            lines.append(f"{title}: {msgspec.json.encode(example).decode()}")
    return ["没有写的字段是没有看到的。", "", "```text", *lines, "```"]

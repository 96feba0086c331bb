"""``zhengguan rules``: what is checked, by what, and how far it reaches."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from inventory.systems import Grade
from policies.outcome import Rule
from policies.rule_examples import lint, test_rule
from policies.rules import RulesError, load_rules
from policies.spelling import suggestion
from policies.standards import Standard, available, load_standard
from policies.verdict import SEVERITIES, SEVERITY_TITLE
from zhengguan import console
from zhengguan.config import DEFAULT_FILE, load_config
from zhengguan.errors import Exit, UserError
from zhengguan.loop import refused


def run(options: argparse.Namespace) -> int:
    rules = _load(options)
    actions = {"list": _list, "show": _show, "test": _test, "lint": _lint, "coverage": _coverage}
    return actions[options.action](options, rules)


def _load(options: argparse.Namespace) -> list[Rule]:
    folders = [Path(folder) for folder in options.folder]
    path = Path(options.config or DEFAULT_FILE)
    if options.config or path.exists():
        folders = [*load_config(path).rule_folders(), *folders]
    try:
        return load_rules(folders)
    except RulesError as error:
        raise refused(error) from error


def _list(options: argparse.Namespace, rules: list[Rule]) -> int:
    ordered = sorted(rules, key=lambda r: (SEVERITIES.index(r.severity), r.kind, r.id))
    if options.json:
        names = ("id", "title", "title_en", "kind", "severity", "controls", "high_risk")
        console.write_json([{n: getattr(r, n) for n in names} for r in ordered])
        return Exit.FINE
    console.table(
        ("级别", "种类", "规则", "要求"),
        [(SEVERITY_TITLE[r.severity], r.kind, r.id, r.title) for r in ordered],
        styles=[r.severity for r in ordered],
    )
    console.say(f"{len(ordered)} 条规则")
    return Exit.FINE


def _show(options: argparse.Namespace, rules: list[Rule]) -> int:
    by_id = {rule.id: rule for rule in rules}
    if options.id not in by_id:
        raise UserError(
            f"没有规则 {options.id!r}", remedy=suggestion(options.id, list(by_id)) or "zhengguan rules list"
        )
    rule = by_id[options.id]
    if options.json:
        console.write_json(rule)
        return Exit.FINE
    standards = {name: load_standard(name) for name in available()}
    console.say(f"{rule.id}    {rule.title}（{SEVERITY_TITLE[rule.severity]}）")
    console.say(f"  {rule.title_en}")
    for name, text in (
        ("种类", rule.kind),
        ("适用", rule.applies),
        ("违反", rule.violates or f"predicate {rule.predicate}"),
        ("为什么", rule.why),
        ("怎么改", rule.fix),
    ):
        console.say(f"  {name}：{' '.join(text.split())}")
    for word, ids in (("判定", rule.controls.decides), ("佐证", rule.controls.supports)):
        for id_ in ids:
            standard = standards.get(id_.partition("/")[0])
            control = standard.get(standard.counterparts(id_)[0]) if standard and id_ in standard else None
            denied = "".join(f"（不符合则 {j} 不符合）" for j, units in rule.denies.items() if id_ in units)
            told = f" {control.control_point}：{control.summary}{denied}" if control else ""
            console.say(f"  {word} {id_}{told}")
    return Exit.FINE


def _test(options: argparse.Namespace, rules: list[Rule]) -> int:
    failures = {
        rule.id: problems
        for rule in rules
        if (problems := [f"{r.place}: {r.problem}" for r in test_rule(rule) if r.problem])
    }
    if options.json:
        console.write_json({"rules": len(rules), "failures": failures})
    else:
        for id_, messages in failures.items():
            for message in messages:
                console.say(f"✗ {id_}: {message}")
        console.say(f"{len(rules)} 条规则，{len(failures)} 条的样例不成立")
    return Exit.FINDINGS if failures else Exit.FINE


def _lint(options: argparse.Namespace, rules: list[Rule]) -> int:
    warnings = {rule.id: messages for rule in rules if (messages := lint(rule))}
    if options.json:
        console.write_json(warnings)
    else:
        for id_, messages in warnings.items():
            for message in messages:
                console.say(f"{id_}: {message}")
        console.say(f"{len(rules)} 条规则，{len(warnings)} 条有提醒")
    return Exit.FINE  # remarks, not errors: what is wrong does not load


class _Reach(msgspec.Struct):
    """How far the rules reach into one level of a standard."""

    standard: str
    level: int
    automatic: int = 0
    partly: int = 0
    manual: int = 0
    missing: int = 0
    items: list[dict[str, object]] = []


def _speaking(standard: Standard, rules: list[Rule]) -> dict[str, dict[str, bool]]:
    """Control → the rules that speak to it at its level or at another one → whether they decide it."""
    found: dict[str, dict[str, bool]] = {}
    for rule in rules:
        for id_ in rule.controls.all():
            for same in standard.counterparts(id_) if id_ in standard else ():
                told = found.setdefault(same, {})
                told[rule.id] = told.get(rule.id, False) or id_ in rule.controls.decides
    return found


def _coverage(options: argparse.Namespace, rules: list[Rule]) -> int:
    level = options.level
    standard = load_standard(options.standard)
    speaking = _speaking(standard, rules)
    reach = _Reach(options.standard, level)
    for control in standard.chosen(Grade(level, level), cloud=True):
        rows = speaking.get(control.id, {})
        if control.automation == "technical-auto" and any(rows.values()):
            word = "automatic"
        elif rows:
            word = "partly"
        elif control.automation == "manual":
            word = "manual"
        else:
            word = "missing"
        setattr(reach, word, getattr(reach, word) + 1)
        reach.items.append(
            {"id": control.id, "control_point": control.control_point, "reach": word, "rules": sorted(rows)}
        )
    if options.json:
        console.write_json(reach)
        return Exit.FINE
    words = {"automatic": "自动", "partly": "部分", "manual": "人工", "missing": "尚无"}
    console.table(
        ("", "测评项", "控制点", "规则"),
        [(words[str(i["reach"])], i["id"], i["control_point"], len(i["rules"])) for i in reach.items],  # type: ignore[arg-type]
    )
    console.say(
        f"{options.standard} {level} 级：自动 {reach.automatic}，部分 {reach.partly}，"
        f"人工 {reach.manual}，尚无 {reach.missing}"
    )
    return Exit.FINE

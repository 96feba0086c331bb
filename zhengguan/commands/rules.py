"""``zhengguan rules``: what is checked, by what, and how far it reaches."""

from __future__ import annotations

import argparse
from pathlib import Path

from policies.assessment import TRUST_WORD, Control
from policies.assets import OBJECT_TITLE
from policies.decisions import Decision
from policies.outcome import Rule
from policies.reach import WORDS, reach
from policies.rule_examples import lint, test_rule
from policies.rules import RulesError, load_rules
from policies.spelling import suggestion
from policies.standards import Standard, available, load_standard
from policies.verdict import SEVERITIES, SEVERITY_TITLE
from zhengguan import console
from zhengguan.config import DEFAULT_FILE, Config, load_config
from zhengguan.errors import Exit, UserError
from zhengguan.loop import STANDARD_TITLE, refused, standard_of


def run(options: argparse.Namespace) -> int:
    rules = _load(options)
    actions = {
        "list": _list,
        "show": _show,
        "test": _test,
        "lint": _lint,
        "coverage": _coverage,
        "docs": _docs,
    }
    return actions[options.action](options, rules)


def _load(options: argparse.Namespace) -> list[Rule]:
    config = _config(options)
    own = config.rule_folders() if config else []
    try:
        return load_rules([*own, *(Path(folder) for folder in options.folder)])
    except RulesError as error:
        raise refused(error) from error


def _config(options: argparse.Namespace) -> Config | None:
    """The configuration, where one was named or lies here."""
    path = Path(options.config or DEFAULT_FILE)
    return load_config(path) if options.config or path.exists() else None


def _standard_folders(options: argparse.Namespace) -> list[Path]:
    config = _config(options)
    return config.standard_folders() if config else []


def _docs(options: argparse.Namespace, rules: list[Rule]) -> int:
    """Pages of rules and requirements into a folder; of those that are there, only ours are touched."""
    from collectors.contract import REGISTRY, collector
    from reports.pages import MARK, pages

    sources = {
        type_: (plugin.title, tuple(collector(type_).KINDS), collector(type_).PERMISSIONS)
        for type_, plugin in REGISTRY.items()
    }
    made = pages(rules, [load_standard(name) for name in STANDARD_TITLE], sources)
    out = Path(options.out)
    written = removed = 0
    try:
        for name, text in made.items():
            path = out / name
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written += 1
        for folder in ("rules", "controls"):
            for path in sorted((out / folder).rglob("*.md")):
                ours = path.read_text(encoding="utf-8").startswith(MARK)
                if ours and path.relative_to(out).as_posix() not in made:
                    path.unlink()
                    removed += 1
    except OSError as error:
        raise UserError(f"写不进 {out}：{error.strerror}", remedy="检查目录、权限和磁盘") from error
    if options.json:
        console.write_json({"pages": len(made), "written": written, "removed": removed})
    else:
        console.say(f"{out}：{len(made)} 页，写了 {written}，删了 {removed}")
    return Exit.FINE


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
    folders = _standard_folders(options)
    standards = {name: standard_of(name, folders) for name in available(folders)}
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
            control = _named(standard, id_) if standard else None
            together = _deciding(standard.decisions.get(control.id), rule) if standard and control else set()
            others = f"（与另外 {len(together) - 1} 条规则一起判定）" if len(together) > 1 else ""
            denied = "".join(f"（不符合则 {j} 不符合）" for j, units in rule.denies.items() if id_ in units)
            told = (
                f" {control.control_point}：{control.summary}{denied}{others}{_trust(control)}"
                if control
                else ""
            )
            console.say(f"  {'判定' if together else word} {id_}{told}")
    return Exit.FINE


def _named(standard: Standard, id_: str) -> Control | None:
    """The requirement of this id, or the first of a unit that has one at each level; None without any."""
    if id_ not in standard:
        return None
    return standard.controls.get(id_) or standard.get(standard.counterparts(id_)[0])


def _trust(control: Control) -> str:
    """What a requirement rests on; of 等保 the unit of GB/T 28448, where it was seen (中文)."""
    if control.verified:
        return f"（{TRUST_WORD[control.verified]}）"
    if control.id.startswith("dengbao/"):
        return f"（单元 {control.unit_id}）" if control.unit_verified else "（单元编号未核实，不列）"
    return ""


def _deciding(decision: Decision | None, rule: Rule) -> set[str]:
    """The rules that decide a requirement together with this one, itself among them."""
    lists = decision.by.values() if decision else ()
    return {other for rules in lists if rule.id in rules for other in rules}


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


def _coverage(options: argparse.Namespace, rules: list[Rule]) -> int:
    standard = standard_of(options.standard, _standard_folders(options))
    found = reach(standard, rules, options.level)
    if options.json:
        console.write_json(found)
        return Exit.FINE
    console.table(
        ("", "测评项", "控制点", "规则", "判定的对象", "留给人的", "为什么"),
        [
            (WORDS[i.reach], i.id, i.control_point, len(i.rules), _types(i.decided), i.left, i.why)
            for i in found.items
        ],
    )
    console.table(
        ("章", *WORDS.values()),
        [
            (f"{_PARTS[c.part]} {c.class_name}", c.automatic, c.partly, c.manual, c.missing)
            for c in found.classes
        ],
    )
    console.say(
        f"{options.standard} {options.level} 级：自动 {found.automatic}，部分 {found.partly}，"
        f"人工 {found.manual}，尚无 {found.missing}"
    )
    if found.manual_for_data:
        console.say(
            f"人工的里面有 {found.manual_for_data} 项本可凭数据取证，而没有来源看得到（“为什么”一栏逐项说明）"
        )
    if found.automatic_for_some:
        console.say(
            f"自动的里面有 {found.automatic_for_some} 项，另有能采集到的对象类型看不到判定所需的内容"
            f"（--json 的 unseen 逐项说明），这些对象由人作答"
        )
    console.say(
        "人工：访谈、文档、现场，由人作答（zhengguan attest）；尚无：数据能看到一部分而还没有规则，也由人作答"
    )
    return Exit.FINE


_PARTS = {"general": "通用", "cloud": "云计算"}


def _types(types: tuple[str, ...]) -> str:
    return "、".join(OBJECT_TITLE.get(t, t) for t in types)

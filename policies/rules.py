"""Rules: one YAML file each, checked when it is loaded.

``<folder>/<topic>/<id>.yaml``; the id is the file's name. What is wrong is said with file, line, and what to
do, for all files at once. A rule without examples does not load; the examples are its tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

from inventory.kinds import KINDS
from policies.expression import MAX_NAMED, ExpressionError
from policies.freeze import path_shape, template
from policies.loops import check_of
from policies.outcome import Rule
from policies.predicates import PREDICATES
from policies.spelling import suggestion
from policies.yaml_text import YamlError, YamlText, read_yaml, typed

BUILTIN = Path(__file__).parent / "rules"

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CONTROL = re.compile(r"[a-z][a-z0-9]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_DENGBAO = re.compile(r"dengbao/[6-9]\.[12]\.\d{1,2}\.\d{1,2}\.[a-z]")
_MIPING = re.compile(r"miping/([A-Z]{3}-\d{2}|[6-9]\.\d\.[a-z])")
_CODED = re.compile(r"(ipv6|extranet)/[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")
_WANTED = {
    "dengbao": (_DENGBAO, "写成 dengbao/8.1.4.1.a"),
    "miping": (_MIPING, "写成 miping/NET-03"),
    "ipv6": (_CODED, "写成 ipv6/V6-CLD-03"),
    "extranet": (_CODED, "写成 extranet/EXT-TIME-01"),
}
_CASE = re.compile(r"\d{1,2}\.\d{1,2}\.\d{1,2}\.\d{1,2}|HR-(GEN-[A-Z]+(-\d)?|[A-Z]{3}-\d\d)")
_HINTS = {
    "examples": "每条规则要有 bad、good、unknown 三种例子，规则才会加载",
    "severity": "写 critical、high、medium、low 或 info",
}


_NONE: Final[dict[str, list[object]]] = {"bad": [], "good": [], "unknown": []}


class RulesError(Exception):
    """Rules are refused; ``errors`` holds one for each thing that is wrong, in file order."""

    def __init__(self, errors: list[YamlError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = errors


def load_rules(folders: Iterable[Path] = (), builtin: bool = True, examples: bool = True) -> list[Rule]:
    """All rules of the built-in folder and of the user's, by id; without ``examples`` those of the built-in
    ones stay unread, two thirds of the work. Raises RulesError with all that is wrong."""
    rules: dict[str, Rule] = {}
    errors: list[YamlError] = []
    for folder in [BUILTIN, *folders] if builtin else list(folders):
        paths = sorted(folder.rglob("*.yaml")) if folder.is_dir() else []
        if not folder.is_dir():
            errors.append(YamlError(folder, "没有这个规则目录", hint="检查配置里的路径"))
        for path in paths:
            try:
                rule = load_rule(path, examples or folder is not BUILTIN)
            except RulesError as error:
                errors += error.errors
                continue
            if rule.id in rules:
                earlier = rules[rule.id].path
                errors.append(YamlError(path, f"规则 {rule.id} 已经有了：{earlier}", hint="换一个文件名"))
                continue
            rules[rule.id] = rule
    if errors:
        raise RulesError(errors)
    return [rules[id_] for id_ in sorted(rules)]


def load_rule(path: Path, examples: bool = True) -> Rule:
    """One rule, checked; without ``examples``, which then are the last in its file. Raises RulesError."""
    try:
        source = read_yaml(path) if examples else read_yaml(path, until="examples")
        if not examples:
            source.data["examples"] = _NONE
    except YamlError as error:
        raise RulesError([error]) from error
    rule = _convert(source)
    checks = _CHECKS if examples else _CHECKS[1:]
    errors = [error for check in checks for error in check(rule, source)]
    if errors:
        raise RulesError(sorted(errors, key=lambda error: error.line))
    return rule


def _convert(source: YamlText) -> Rule:
    try:
        rule = typed(source, Rule, hints=_HINTS)
    except YamlError as error:
        raise RulesError([error]) from error
    name = source.path.stem
    if not _ID.fullmatch(name):
        raise RulesError([source.error(f"文件名 {name} 不能作规则 id", hint="只用小写字母、数字和 -")])
    if rule.id and rule.id != name:
        raise RulesError(
            [source.error(f"id {rule.id} 和文件名 {name} 不一样", ["id"], "删掉 id，或改文件名")]
        )
    rule.id = name
    rule.path = str(source.path)
    return rule


def _examples(rule: Rule, source: YamlText) -> Iterable[YamlError]:
    for word in ("bad", "good", "unknown"):
        if not getattr(rule.examples, word):
            yield source.error(f"examples.{word} 里没有例子", ["examples", word], _HINTS["examples"])


def _kind(rule: Rule, source: YamlText) -> Iterable[YamlError]:
    if rule.kind not in KINDS:
        hint = suggestion(rule.kind, KINDS, most=MAX_NAMED)
        yield source.error(f"没有资源类型 {rule.kind}", ["kind"], hint)


def _condition(rule: Rule, source: YamlText) -> Iterable[YamlError]:
    if bool(rule.violates) == bool(rule.predicate):
        yield source.error(
            "violates 和 predicate 要写一个，只写一个", ["predicate" if rule.predicate else "kind"]
        )
        return
    struct = KINDS.get(rule.kind)
    if struct is None:
        return
    if rule.predicate and rule.predicate not in PREDICATES:
        yield source.error(f"没有谓词 {rule.predicate}", ["predicate"], f"可用的有：{'、'.join(PREDICATES)}")
        return
    if rule.predicate and struct not in PREDICATES[rule.predicate].kinds:
        yield source.error(f"谓词 {rule.predicate} 不判断 {rule.kind}", ["predicate"])
        return
    yield from _expression(source, "applies", partial(check_of, struct, rule.applies, "True", ""))
    if rule.violates:
        yield from _expression(
            source, "violates", partial(check_of, struct, rule.applies, rule.violates, rule.predicate)
        )


def _expression(source: YamlText, field: str, check: Callable[[], object]) -> Iterable[YamlError]:
    try:
        check()
    except ExpressionError as error:
        yield source.error(error.message, [field], error.hint, error.offset)


def _texts(rule: Rule, source: YamlText) -> Iterable[YamlError]:
    struct = KINDS.get(rule.kind)
    for field in ("title", "title_en", "message", "why", "fix"):
        if not getattr(rule, field).strip():
            yield source.error(f"{field} 是空的", [field])
    if struct is None:
        return
    try:
        template(rule.message, struct)
    except ExpressionError as error:
        yield source.error(error.message, ["message"], error.hint, error.offset)
    for index, path in enumerate(rule.evidence):
        try:
            path_shape(struct, path)
        except ExpressionError as error:
            yield source.error(error.message, ["evidence", index], error.hint)


def _links(rule: Rule, source: YamlText) -> Iterable[YamlError]:
    for field in ("decides", "supports"):
        for index, control in enumerate(getattr(rule.controls, field)):
            wanted, hint = _WANTED.get(control.partition("/")[0], (_CONTROL, "写成 dengbao/8.1.4.1.a"))
            if not wanted.fullmatch(control):
                yield source.error(f"条款编号 {control} 不对", ["controls", field, index], hint)
    crypto = next((c for c in rule.controls.decides if c.startswith("miping/")), "")
    if crypto:
        hint = "写进 supports；不符合时 D 或 A 也不符合的，再写进 denies"
        yield source.error(f"没有规则能判定 {crypto} 符合", ["controls", "decides"], hint)
    both = sorted(set(rule.controls.decides) & set(rule.controls.supports))
    if both:
        yield source.error(f"{both[0]} 同时在 decides 和 supports 里", ["controls"], "留一个")
    for index, case in enumerate(rule.high_risk):
        if not _CASE.fullmatch(case):
            hint = "写成 6.4.1.1 或 HR-NET-03"
            yield source.error(f"高风险判例编号 {case} 不对", ["high_risk", index], hint)
    for unit in (unit for _, units in rule.denies.items() for unit in units):
        if unit not in rule.controls.supports:
            yield source.error(f"denies 里的 {unit} 不在 supports 里", ["denies"], "在 supports 里也写上")


_CHECKS = (_examples, _kind, _condition, _texts, _links)

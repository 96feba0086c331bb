"""``zhengguan attest``: people's answers to what no machine sees."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from inventory.answers import Answer, CryptoJudgement
from inventory.daily import day_of
from policies.answers import (
    MOST_BITS,
    MOST_MODULE,
    OF_CASE,
    WORD,
    allowed_of,
    met_named,
    number_named,
    until,
    verdict_named,
    word_of,
    wrong_with,
)
from policies.assessment import Assessment
from policies.questions import STATE_WORD, Question, State, objects_of, questions
from zhengguan import console
from zhengguan.commands.check import put, score_line
from zhengguan.desk import Desk, attached, day_named, listed, moment_of_day, save
from zhengguan.errors import Exit, UserError
from zhengguan.loop import STANDARD_TITLE, answers_of, systems_of

_STYLE: dict[State, str] = {
    "expired": "fail",
    "contradicted": "fail",
    "expiring": "partial",
    "open": "unknown",
}


def run(options: argparse.Namespace) -> int:
    actions = {
        "list": _list,
        "show": _show,
        "set": _set,
        "withdraw": _withdraw,
        "file": _file,
        "export": _export,
        "import": _import,
    }
    return actions[options.action](options)


def _list(options: argparse.Namespace) -> int:
    desk = Desk(options)
    rows = []
    for assessment in _each(desk, options):
        asked = questions(assessment, desk.standard, by_object=options.by_object)
        chosen = [q for q in asked if not options.state or q.state == options.state]
        rows += [(assessment, q) for q in chosen]
        if options.json:
            continue
        counts = Counter(q.state for q in asked)
        title = (
            f"{assessment.system.title}（{assessment.system.name}）  {STANDARD_TITLE[assessment.standard]}"
        )
        console.say(f"{title}  {score_line(assessment)}")
        console.say("  " + "，".join(f"{STATE_WORD[s]} {counts[s]}" for s in STATE_WORD if counts[s]))
        console.table(
            ("状态", "条款", "编号", "内容", "由谁负责", "对象", "结论", "答复", "答复人", "有效至"),
            [_row(q) for q in chosen],
            styles=[_STYLE.get(q.state, "") for q in chosen],
        )
        console.say()
    if options.json:
        console.write_json([as_json(assessment, q) for assessment, q in rows])
    return Exit.FINE


def _each(desk: Desk, options: argparse.Namespace) -> Iterator[Assessment]:
    """Each system against the named standard, or against each of its own; the desk works on it meanwhile."""
    for system in systems_of(desk.config, options.system):
        for name in [options.standard] if options.standard else dict.fromkeys(system.standards):
            desk.turn_to(name)
            yield from desk.assess([system])


def _row(q: Question) -> tuple[object, ...]:
    given = q.use.answer if q.use else None
    return (
        STATE_WORD[q.state],
        q.cite,
        q.subject,
        q.title,
        q.whom,
        q.object_name,
        q.verdict,
        word_of(given) if given else "",
        given.by if given else "",
        given.valid_until if given else "",
    )


def as_json(assessment: Assessment, q: Question) -> dict[str, Any]:
    """A question with its answer, for scripts."""
    fields = {name: getattr(q, name) for name in q.__struct_fields__ if name != "use"}
    return {
        "system": assessment.system.name,
        "standard": assessment.standard,
        **fields,
        "state": q.state,
        "answer": q.use.answer if q.use else None,
        "effect": q.use.effect if q.use else None,
        "why": q.use.why if q.use else "",
        "days_left": q.use.days_left if q.use else None,
    }


def _show(options: argparse.Namespace) -> int:
    desk = Desk(options)
    system = desk.system(options.system)
    about, subject = desk.subject(_wanted(options), system)
    history = [
        a
        for a in answers_of(desk.store)
        if (a.system, a.standard, a.about, a.subject) == (system.name, desk.standard.name, about, subject)
    ]
    (assessment,) = desk.assess([system])
    asked = [q for q in questions(assessment, desk.standard, every={subject}) if q.subject == subject]
    if options.json:
        console.write_json({"questions": [as_json(assessment, q) for q in asked], "history": history})
        return Exit.FINE
    for line in _described(desk, subject, asked):
        console.say(line)
    console.say("答复（新的在前）：" if history else "还没有人答复过。")
    for answer in reversed(history):
        where = f"  {answer.object}" if answer.object else ""
        day = day_of(answer.answered_at)
        end = f"，有效至 {answer.valid_until}" if answer.valid_until else ""
        console.say(f"  #{answer.id} {day} {answer.by}：{word_of(answer)}{end}{where}")
        if answer.note:
            console.say(f"      {answer.note}")
        for file in answer.files:
            console.say(f"      证据 {file.name}（{file.size_bytes} 字节，SHA-256 {file.digest}）")
    return Exit.FINE


def _described(desk: Desk, subject: str, asked: Sequence[Question]) -> list[str]:
    case = desk.standard.cases.get(subject)
    control = desk.standard.controls.get(subject)
    code = f"{control.code}  " if control and control.code else ""
    lines = [f"{code}{subject}  {case.title if case else control.control_point if control else ''}"]
    if control:
        lines.append(f"  要求：{control.summary}")
    if asked and asked[0].whom:
        lines.append(f"  由谁负责：{asked[0].whom}")
    if case:
        lines.append(f"  条件：{case.condition}；缓解：{case.mitigation if case.mitigable else '不允许'}")
    for q in asked[:20]:
        uid = f"（{q.object}）" if q.object and q.object != q.object_name else ""
        lines.append(f"  {q.object_name or '整个系统'}{uid}：{q.verdict}，{q.seen}")
    if len(asked) > 20:
        lines.append(f"  还有 {len(asked) - 20} 个对象，见 --json")
    if not asked:
        lines.append("  机器已有结论，或这个系统不用答。")
    return lines


def _wanted(options: argparse.Namespace) -> str:
    if not options.target:
        raise UserError(
            "缺少编号", remedy="例如 8.1.6.1.a 或高风险情形 6.1.1.1；zhengguan attest list 列出全部"
        )
    return str(options.target)


def _set(options: argparse.Namespace) -> int:
    if not options.verdict and not any((options.D, options.A, options.K)):
        if sys.stdin.isatty() and not options.json:
            from zhengguan import guide

            return guide.ask(Desk(options), options)
        raise UserError("缺少 --verdict", remedy="在终端里不写 --verdict 会逐项问；别处用 --verdict 符合 等")
    desk = Desk(options)
    system = desk.system(options.system)
    about, subject = desk.subject(_wanted(options), system)
    given = verdict_named(options.verdict) if options.verdict else "judged"
    if given is None or given == "withdrawn":
        words = "、".join(
            WORD[g] for g in (OF_CASE if about == "case" else allowed_of(subject, desk.standard))
        )
        raise UserError(f"没有 {options.verdict!r} 这种答复", remedy=f"可答：{words}")
    if given != "judged" and _said_more(options):
        raise UserError(
            f"答 {WORD[given]} 时不写 --D、--A、--K 等", where=subject, remedy="去掉它们，或去掉 --verdict"
        )
    there = objects_of(desk.before(system)).get(subject, {})
    judged = listed(
        _judgement(options) if given == "judged" else None,
        desk.held(system, about, subject, options.object),
        there,
        options.object,
        add=options.add_object,
    )
    files, contents = attached([Path(p) for p in options.evidence], desk.config.policies.answers.file_mib)
    answered = moment_of_day(options.date) if options.date else desk.now
    answer = Answer(
        system=system.name,
        standard=desk.standard.name,
        about=about,  # type: ignore[arg-type]  # one of two words
        subject=subject,
        object=options.object,
        verdict=given,
        note=options.note,
        files=files,
        by=options.by,
        answered_at=answered,
        valid_until=day_named(options.until)
        if options.until
        else until(day_of(answered), desk.config.policies.answers.valid_days),
        crypto=judged,
    )
    (recorded,) = save(desk, system, [answer], contents)
    return _told(options, recorded)


def _said_more(options: argparse.Namespace) -> bool:
    words = (options.D, options.A, options.K, options.strength, options.module, options.keys_managed)
    return any(words) or bool(options.made_up_by)


def _judgement(options: argparse.Namespace) -> CryptoJudgement:
    """D, A and K and what goes with them, from flags. UserError."""
    helpers = []
    for word in options.made_up_by:
        code, sign, name = word.partition("=")
        if not sign:
            raise UserError(f"--made-up-by {word!r} 不对", remedy="写成 单元=对象，例如 NET-03=信道的 UID")
        helpers.append((code.strip(), name.strip()))
    try:
        return CryptoJudgement(
            d=met_named(options.D),
            a=met_named(options.A),
            k=met_named(options.K),
            strength_bits=number_named(options.strength, MOST_BITS),
            module_level=number_named(options.module, MOST_MODULE),
            keys_managed=met_named(options.keys_managed),
            made_up_by=tuple(helpers),
        )
    except ValueError as error:
        raise UserError(str(error), remedy="zhengguan attest --help") from error


def _withdraw(options: argparse.Namespace) -> int:
    desk = Desk(options)
    system = desk.system(options.system)
    about, subject = desk.subject(_wanted(options), system)
    held = desk.held(system, about, subject, options.object)
    if held is None:
        raise UserError("没有可撤回的答复", where=subject, remedy="zhengguan attest show 看谁答过什么")
    back = msgspec.structs.replace(
        held,
        verdict="withdrawn",
        crypto=None,
        note=options.note,
        files=(),
        by=options.by,
        answered_at=desk.now,
        valid_until=None,
    )
    if wrong := wrong_with(back, desk.standard, desk.today):
        raise UserError("；".join(w.why for w in wrong), where=subject, remedy="--by 姓名")
    (recorded,) = desk.record([back], {})
    return _told(options, recorded)


def _told(options: argparse.Namespace, recorded: Answer) -> int:
    if options.json:
        console.write_json(recorded)
    else:
        end = f"，有效至 {recorded.valid_until}" if recorded.valid_until else ""
        console.say(f"已记录 #{recorded.id} {recorded.subject}：{word_of(recorded)}{end}")
    return Exit.FINE


def _file(options: argparse.Namespace) -> int:
    desk = Desk(options)
    start = _wanted(options).lower()
    files = {f.digest: f for a in answers_of(desk.store) for f in a.files if f.digest.startswith(start)}
    if len(files) != 1:
        raise UserError(
            f"{len(files)} 份证据的 SHA-256 以 {start} 开头", remedy="写全；zhengguan attest show 列出"
        )
    (digest,) = files
    content = desk.store.answer_file(digest)
    if content is None:
        raise UserError(f"证据 {digest} 不在库里", remedy="从备份恢复库")
    put(content, options.output)
    return Exit.FINE


def _export(options: argparse.Namespace) -> int:
    from reports.answer_book import MOST_ROWS, write_book

    desk = Desk(options)
    if not options.target.lower().endswith(".xlsx"):
        raise UserError("要写出的文件名以 .xlsx 结尾", remedy="例如 zhengguan attest export 待答.xlsx")
    assessment = desk.before(desk.system(options.system))
    asked = questions(assessment, desk.standard, by_object=options.by_object)
    chosen = [q for q in asked if q.allowed and (options.all or q.wants_answer)]
    if len(chosen) > MOST_ROWS:
        raise UserError(f"有 {len(chosen)} 行，一本最多 {MOST_ROWS} 行", remedy="去掉 --by-object，按整项答")
    put(write_book(assessment, chosen, desk.now), options.target)
    if options.json:
        console.write_json({"file": options.target, "rows": len(chosen)})
    else:
        console.say(
            f"已写出 {options.target}：{len(chosen)} 行。填好后 zhengguan attest import {options.target}"
        )
    return Exit.FINE


def _import(options: argparse.Namespace) -> int:
    from reports.answer_book import BookError
    from zhengguan.answer_import import import_book

    desk = Desk(options)
    path = Path(_wanted(options))
    folder = Path(options.evidence[0]) if options.evidence else path.parent
    if len(options.evidence) > 1:
        raise UserError("导入时 --evidence 写一个目录", remedy="把证据文件放在一起")
    try:
        recorded, unchanged = import_book(
            desk, path, folder, by=options.by, dry=options.dry_run, named=options.standard
        )
    except BookError as error:
        if options.json:
            console.write_json({"errors": [{"cell": e.cell, "why": e.why} for e in error.errors]})
        else:
            for one in error.errors:
                console.warn(f"  {one}")
        raise UserError(
            f"{len(error.errors)} 处不对，一条也没有导入", where=str(path), remedy="逐格改好后再导入"
        ) from error
    if options.json:
        console.write_json({"recorded": recorded, "unchanged": unchanged, "dry_run": options.dry_run})
    else:
        word = "可以导入" if options.dry_run else "已导入"
        console.say(f"{word} {len(recorded)} 条答复" + (f"，{unchanged} 条早已记录" if unchanged else ""))
    return Exit.FINE

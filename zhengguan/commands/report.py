"""``zhengguan report``: self-check reports of one or all systems, the capacity report of everything, and
how ready for IPv6 everything or one system is."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from collectors.contract import utc_now
from inventory.snapshot import Change, Snapshot
from inventory.store import Store
from inventory.usage import Estate, usage_of
from policies.assessment import Assessment
from policies.ipv6.readiness import Readiness
from policies.outcome import Rule
from reports.dengbao import dengbao
from reports.document import BEIJING, Document
from reports.miping import miping
from zhengguan import console
from zhengguan.errors import Exit, UserError
from zhengguan.loop import (
    PROGRAM,
    answers_of,
    assess_all,
    configured,
    earlier_of,
    latest,
    opened,
    readiness_of,
    rules_of,
    systems_of,
)

FORMATS = ("html", "docx")
CAPACITY_FORMATS = ("html", "xlsx", "docx")


def run(options: argparse.Namespace) -> int:
    kinds = {"capacity": _capacity, "ipv6": _ipv6}
    written = kinds.get(options.report, _self_checks)(options)
    if options.json:
        console.write_json([str(path) for path in written])
    else:
        for path in written:
            console.say(f"已写出 {path}")
    return Exit.FINE


def _capacity(options: argparse.Namespace) -> list[Path]:
    if options.system or options.edition:
        raise UserError(
            "容量报告写的是全部来源，没有 --system 和 --edition", remedy="去掉它们；各部门的占用在报告第 3 章"
        )
    formats = wanted(options.format or "html,xlsx", CAPACITY_FORMATS)
    estate = usage_of(latest(opened(configured(options.config))))
    return write_capacity(estate, formats, Path(options.out))


def _ipv6(options: argparse.Namespace) -> list[Path]:
    if options.edition:
        raise UserError("IPv6 报告没有 --edition", remedy="去掉它；对照哪一年的目标写 --year")
    formats = wanted(options.format or "html,xlsx", CAPACITY_FORMATS)
    config = configured(options.config)
    store = opened(config)
    snapshot = latest(store)
    told = readiness_of(
        config,
        snapshot,
        system=options.system,
        year=options.year,
        earlier=earlier_of(store, snapshot),
    )
    return write_ipv6(told, formats, Path(options.out))


def _self_checks(options: argparse.Namespace) -> list[Path]:
    formats = wanted(options.format or "html,docx", FORMATS)
    config = configured(options.config)
    store = opened(config)
    snapshot = latest(store)
    systems = systems_of(config, options.system)
    assessments = assess_all(
        config,
        snapshot,
        systems=systems,
        standard=options.report,
        edition=options.edition,
        answers=answers_of(store),
        ranked=True,
    )
    changes, rules = since_last(store, snapshot), rules_of(config)
    return [
        path
        for assessment in assessments
        for path in write(assessment, formats, Path(options.out), changes=changes, rules=rules)
    ]


def wanted(text: str, known: Sequence[str] = FORMATS) -> list[str]:
    """The formats of ``--format``. UserError names one that does not exist."""
    formats = [word.strip().lower() for word in text.split(",") if word.strip()]
    for word in formats:
        if word not in known:
            raise UserError(f"不会写 {word!r} 格式", remedy=f"可用：{'、'.join(known)}")
    if not formats:
        raise UserError("--format 是空的", remedy=f"可用：{'、'.join(known)}")
    return formats


def since_last(store: Store, snapshot: Snapshot) -> list[Change]:
    """What changed between the snapshot and the one before it."""
    earlier = [s.id for s in store.snapshots() if s.id < snapshot.info.id]
    return store.diff(earlier[-1], snapshot.info.id) if earlier else []


def write(
    assessment: Assessment, formats: list[str], folder: Path, *, changes: list[Change], rules: list[Rule]
) -> list[Path]:
    """Write one system's report in each format; the files are named after the system and the day."""
    title = "密评自查报告" if assessment.standard == "miping" else "自查报告"
    taken = assessment.taken_at.astimezone(BEIJING)
    stem = re.sub(r"[^\w.-]+", "-", f"{title}-{assessment.system.name}-{taken:%Y%m%d}")
    return _written(
        folder, stem, {form: partial(render, form, assessment, changes, rules) for form in formats}
    )


def write_capacity(estate: Estate, formats: list[str], folder: Path) -> list[Path]:
    """Write the capacity report in each format; the files are named after the day."""
    stem = f"容量报告-{estate.snapshot.info.taken_at.astimezone(BEIJING):%Y%m%d}"
    return _written(folder, stem, {form: partial(render_capacity, form, estate) for form in formats})


def write_ipv6(told: Readiness, formats: list[str], folder: Path) -> list[Path]:
    """Write the IPv6 report in each format; the files are named after the system, if one, and the day."""
    taken = told.snapshot.info.taken_at.astimezone(BEIJING)
    title = f"IPv6报告-{told.whole.name}" if told.title else "IPv6报告"
    stem = re.sub(r"[^\w.-]+", "-", f"{title}-{taken:%Y%m%d}")
    return _written(folder, stem, {form: partial(render_ipv6, form, told) for form in formats})


def _written(folder: Path, stem: str, files: dict[str, Callable[[], bytes]]) -> list[Path]:
    """Write each format's bytes. UserError where the folder does not take them."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for form, rendered in files.items():
            path = folder / f"{stem}.{form}"
            path.write_bytes(rendered())
            written.append(path)
    except OSError as error:
        raise UserError(f"报告写不进 {folder}：{error.strerror}", remedy="检查目录、权限和磁盘") from error
    return written


def render(form: str, assessment: Assessment, changes: list[Change], rules: list[Rule]) -> bytes:
    """One system's report in one of ``FORMATS``; of the changes, those of its own sources."""
    if assessment.standard == "miping":
        return _rendered(form, miping(assessment, created_at=utc_now(), rules=rules))
    sources = {f.source for f in assessment.findings} | {c.source for c in assessment.collections}
    own = [c for c in changes if c.uid.split("/", 1)[0] in sources]
    document = dengbao(assessment, created_at=utc_now(), rules=rules, changes=own)
    return _rendered(form, document)


def render_capacity(form: str, estate: Estate) -> bytes:
    """The capacity report in one of ``CAPACITY_FORMATS``; the spreadsheet has its lists in full."""
    from reports.capacity import capacity

    return _rendered(form, capacity(estate, created_at=utc_now(), program=PROGRAM, whole=form == "xlsx"))


def render_ipv6(form: str, told: Readiness) -> bytes:
    """The IPv6 report in one of ``CAPACITY_FORMATS``; the spreadsheet has its lists in full."""
    from reports.ipv6 import ipv6

    return _rendered(form, ipv6(told, created_at=utc_now(), program=PROGRAM, whole=form == "xlsx"))


def _rendered(form: str, document: Document) -> bytes:
    if form == "xlsx":
        from reports.render_xlsx import render_xlsx

        return render_xlsx(document)
    if form == "docx":
        from reports.render_docx import render_docx

        return render_docx(document)
    from reports.render_html import render_html

    return render_html(document).encode()

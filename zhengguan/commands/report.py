"""``zhengguan report``: write the self-check report of one or all systems."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from collectors.contract import utc_now
from inventory.snapshot import Change, Snapshot
from inventory.store import Store
from policies.assessment import Assessment
from policies.outcome import Rule
from reports.dengbao import dengbao
from zhengguan import console
from zhengguan.errors import Exit, UserError
from zhengguan.loop import assess_all, configured, latest, opened, rules_of, systems_of

FORMATS = ("html", "docx")


def run(options: argparse.Namespace) -> int:
    formats = wanted(options.format)
    config = configured(options.config)
    store = opened(config)
    snapshot = latest(store)
    systems = systems_of(config, options.system)
    assessments = assess_all(config, snapshot, systems=systems, edition=options.edition or None)
    changes, rules = since_last(store, snapshot), rules_of(config)
    written = [
        path
        for assessment in assessments
        for path in write(assessment, formats, Path(options.out), changes=changes, rules=rules)
    ]
    if options.json:
        console.write_json([str(path) for path in written])
    else:
        for path in written:
            console.say(f"已写出 {path}")
    return Exit.FINE


def wanted(text: str) -> list[str]:
    """The formats of ``--format``. UserError names one that does not exist."""
    formats = [word.strip().lower() for word in text.split(",") if word.strip()]
    for word in formats:
        if word not in FORMATS:
            raise UserError(f"不会写 {word!r} 格式", remedy=f"可用：{'、'.join(FORMATS)}")
    if not formats:
        raise UserError("--format 是空的", remedy=f"可用：{'、'.join(FORMATS)}")
    return formats


def since_last(store: Store, snapshot: Snapshot) -> list[Change]:
    """What changed between the snapshot and the one before it."""
    earlier = [s.id for s in store.snapshots() if s.id < snapshot.info.id]
    return store.diff(earlier[-1], snapshot.info.id) if earlier else []


def write(
    assessment: Assessment, formats: list[str], folder: Path, *, changes: list[Change], rules: list[Rule]
) -> list[Path]:
    """Write one system's report in each format; the files are named after the system and the day."""
    stem = re.sub(r"[^\w.-]+", "-", f"自查报告-{assessment.system.name}-{assessment.taken_at:%Y%m%d}")
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for form in formats:
            path = folder / f"{stem}.{form}"
            path.write_bytes(render(form, assessment, changes, rules))
            written.append(path)
    except OSError as error:
        raise UserError(f"报告写不进 {folder}：{error.strerror}", remedy="检查目录、权限和磁盘") from error
    return written


def render(form: str, assessment: Assessment, changes: list[Change], rules: list[Rule]) -> bytes:
    """One system's report in one of ``FORMATS``; of the changes, those of its own sources."""
    sources = {f.source for f in assessment.findings} | {c.source for c in assessment.collections}
    own = [c for c in changes if c.uid.split("/", 1)[0] in sources]
    document = dengbao(assessment, created_at=utc_now(), rules=rules, changes=own)
    if form == "docx":
        from reports.render_docx import render_docx

        return render_docx(document)
    from reports.render_html import render_html

    return render_html(document).encode()

"""Source type ``register``: the office's own records (台账), from a workbook or a folder of CSV files.

What stands there was written by people: it is read as data and never shows that something happened. A sheet
that is missing is not kept there and never empty; one with a row that cannot be read is partial, and names
the cell. It is read after the other sources, since who left is matched with the accounts that those showed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import ClassVar

import msgspec

from collectors import contract
from collectors.contract import Access, Run, Source, SourceError
from collectors.register import accounts, changes, recording
from collectors.register.accounts import Held
from collectors.register.layout import SHEETS
from collectors.register.mapping import cleaned, resources_of, with_active, works_of
from collectors.register.workbook import Page, read_pages
from collectors.things import Thing
from inventory.coverage import Batch, Status
from inventory.kinds.register import AccountRecord, Activity, BackupPlan, ChangeOrder, Leaver, Register
from inventory.kinds.review import AccountReview, ActionReview, ChangeReview
from inventory.resource import Resource
from inventory.unknown import Unknown
from inventory.workbooks import CellError

__all__ = ["KINDS", "PERMISSIONS", "Options", "collect", "probe", "record"]

KINDS: tuple[str, ...] = (
    Register.KIND,
    *(sheet.kind for sheet in SHEETS),
    AccountReview.KIND,
    ChangeReview.KIND,
    ActionReview.KIND,
)

PERMISSIONS = """\
采集机上能读台账文件即可，只读，不改写。只读认识的列；姓名、电话、证件号等其他列从不读入、保存或外传，
误写在认识的列里的手机号和身份证号会被略去。含宏、外部链接、密码的工作簿不读，公式和合并单元格所在的表不读。"""

_COUNTED = (Activity.KIND, BackupPlan.KIND)  # sheets that the register as a whole tells of
_ACCOUNTS = "账户还能不能登录，要看别的来源：登记主机（用 root 或 sudo）、设备、云，一起采集"
_SHOWN = 5
_FIX = "按所指的单元格改好台账，再重新采集"


class Options(contract.Options, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``path``: a workbook (.xlsx), or a folder with one CSV file for each sheet."""

    PATHS: ClassVar[tuple[str, ...]] = ("path", "recording")

    path: str = ""
    recording: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.path and not self.recording:
            raise ValueError("path 是空的：写台账工作簿，或放 CSV 的目录")


class _Read(msgspec.Struct):
    """One sheet as it came out."""

    status: Status
    reason: str = ""
    remedy: str = ""
    resources: list[Resource] = msgspec.field(default_factory=list)


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Read the register: one batch."""
    began = run.now()
    yield _batch(_pages(source, run), began, source, run)


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a recording that replays to the same."""
    began = run.now()
    pages = _pages(source, run)
    recording.write(path, pages, run, note)
    return [_batch(pages, began, source, run)]


def probe(source: Source, run: Run) -> Iterator[Access]:
    """Each sheet: whether it is there and can be read, and how many rows it has."""
    for kind, read in _sheets(_pages(source, run), source, run).items():
        title = next(sheet.title for sheet in SHEETS if sheet.kind == kind)
        absent = read.status is Status.UNSUPPORTED
        yield Access(
            subject=title,
            ok=None if absent else read.status is Status.COMPLETE,
            detail=read.reason or f"{len(read.resources)} 行",
            remedy=read.remedy,
        )


def _pages(source: Source, run: Run) -> list[Page]:
    options = _options(source)
    if options.recording:
        return recording.read(Path(options.recording))
    run.progress("读取台账")
    pages = read_pages(Path(options.path), run.remaining)
    for page in pages:
        page.rows = [(number, [run.redactor.text(cell) for cell in cells]) for number, cells in page.rows]
    return pages


def _sheets(pages: Sequence[Page], source: Source, run: Run) -> dict[str, _Read]:
    """Kind → how its sheet came out."""
    by_title = {page.title: page for page in pages}
    return {sheet.kind: _sheet(sheet.title, by_title.get(sheet.title), source, run) for sheet in SHEETS}


def _sheet(title: str, page: Page | None, source: Source, run: Run) -> _Read:
    if page is None:
        remedy = f"有这类记录的，在台账里加上工作表 {title}（zhengguan register template 里有）"
        return _Read(Status.UNSUPPORTED, f"台账里没有工作表 {title}", remedy)
    if page.wrong:
        return _Read(Status.FAILED, _some(page.wrong), _FIX)
    resources, errors = resources_of(page, source.name, _today(run))
    passed = f"没有读的列：{'、'.join(dict.fromkeys(page.passed_over))}" if page.passed_over else ""
    if errors:
        return _Read(Status.PARTIAL, _told(errors), _FIX, resources)
    return _Read(Status.COMPLETE, passed, "", resources)


def _told(errors: Sequence[CellError]) -> str:
    return f"有些行读不出：{_some(list(map(str, errors)))}"


def _some(texts: Sequence[str]) -> str:
    more = f" 等 {len(texts)} 处" if len(texts) > _SHOWN else ""
    return "；".join(texts[:_SHOWN]) + more


def _batch(pages: Sequence[Page], began: datetime, source: Source, run: Run) -> Batch:
    sheets = _sheets(pages, source, run)
    things = list(run.things())
    left = sheets[Leaver.KIND]
    with_active(left.resources, things, _today(run))
    if any(isinstance(one, Leaver) and isinstance(one.seen_active, Unknown) for one in left.resources):
        left.remedy = left.remedy or _ACCOUNTS
    register = _register(sheets, source)
    rows = [register, *(one for read in sheets.values() for one in read.resources)]
    for one in rows:
        one.labels = {**_own_labels(one), **source.labels}
    evidence = run.evidence(
        msgspec.json.encode(list(map(cleaned, rows))), origin=f"台账 {source.name}", mapped=True
    )
    short = [read for kind in _COUNTED if (read := sheets[kind]).remedy]
    whole = _Read(
        Status.COMPLETE,
        "；".join(read.reason for read in short),
        "；".join(dict.fromkeys(read.remedy for read in short)),
        [register],
    )
    reviewed = {
        AccountReview.KIND: _accounts(sheets, things, source, run),
        **_changes(sheets[ChangeOrder.KIND], source, run),
    }
    return Batch(
        resources=[*rows, *(one for read in reviewed.values() for one in read.resources)],
        collections=[
            run.collection(
                kind,
                read.status,
                began,
                count=len(read.resources),
                reason=read.reason,
                remedy=read.remedy,
                evidence=[evidence.id],
            )
            for kind, read in {Register.KIND: whole, **sheets, **reviewed}.items()
        ],
        evidence=[evidence],
    )


def _accounts(sheets: dict[str, _Read], things: list[Thing], source: Source, run: Run) -> _Read:
    """The accounts that other sources showed, by the sheet of accounts; nothing where there is none."""
    sheet, left = sheets[AccountRecord.KIND], sheets[Leaver.KIND]
    if sheet.status in (Status.UNSUPPORTED, Status.FAILED):
        return _Read(sheet.status, sheet.reason, sheet.remedy)
    found = accounts.reviews(
        source.name,
        things,
        Held(sheet.resources, sheet.status is Status.COMPLETE),
        Held(left.resources, left.status is Status.COMPLETE),
        _today(run),
    )
    short = [read for read in (sheet, left) if read.status is not Status.COMPLETE]
    remedies = [read.remedy for read in short] + ([_ACCOUNTS] if any(_in_doubt(one) for one in found) else [])
    return _Read(Status.COMPLETE, "；".join(read.reason for read in short), "；".join(remedies), [*found])


def _changes(sheet: _Read, source: Source, run: Run) -> dict[str, _Read]:
    """What changed of machines, and which servers were started, by the sheet of orders; nothing where there
    is none, or nobody keeps what was seen before."""
    kinds = (ChangeReview.KIND, ActionReview.KIND)
    if sheet.status in (Status.UNSUPPORTED, Status.FAILED):
        return dict.fromkeys(kinds, _Read(sheet.status, sheet.reason, sheet.remedy))
    past = run.past(source)
    if past is None:
        none = _Read(Status.UNSUPPORTED, "没有可比的历史", "用 zhengguan collect 采集，会与库里的上一次比较")
        return dict.fromkeys(kinds, none)
    orders = Held(sheet.resources, sheet.status is Status.COMPLETE)
    reason = sheet.reason if sheet.remedy else ""
    machines = changes.reviews(source.name, past, orders, run.now())
    servers = changes.action_reviews(source.name, past, orders)
    return {
        ChangeReview.KIND: _Read(Status.COMPLETE, reason, sheet.remedy, [*machines]),
        ActionReview.KIND: _Read(Status.COMPLETE, reason, sheet.remedy, [*servers]),
    }


def _in_doubt(one: AccountReview) -> bool:
    return one.can_log_in is not True


def _register(sheets: dict[str, _Read], source: Source) -> Register:
    """What is told by whole sheets alone."""
    found = Register(
        source=source.name,
        native_id=source.name,
        name=source.name,
        sheets=[kind for kind, read in sheets.items() if read.status is not Status.UNSUPPORTED],
    )
    if sheets[Activity.KIND].status is Status.COMPLETE:
        found.works = works_of(sheets[Activity.KIND].resources)
    if sheets[BackupPlan.KIND].status is Status.COMPLETE:
        found.backup_plans = len(sheets[BackupPlan.KIND].resources)
    return found


def _own_labels(resource: Resource) -> dict[str, str]:
    """The system that a row names, so that a selector can tell whose it is."""
    system = getattr(resource, "system", "")
    return {"system": system} if isinstance(system, str) and system else {}


def _today(run: Run) -> date:
    from inventory.daily import day_of  # pulls in the store's library

    return day_of(run.now())


def _options(source: Source) -> Options:
    if not isinstance(source.options, Options):
        raise SourceError(f"来源 {source.name} 的 options 不是 register 的", "检查配置")
    return source.options

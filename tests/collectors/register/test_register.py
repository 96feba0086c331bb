"""The register: what a workbook and a folder of CSV tell, what of it is not read, and why."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from collectors.contract import Run, Source, SourceError
from collectors.register import KINDS, Options, probe
from collectors.register.layout import SHEETS
from collectors.register.template import template
from collectors.things import Login, Thing, thing_of
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.device_config import DeviceConfig, LocalUser
from inventory.kinds.host import Account
from inventory.kinds.identity import User
from inventory.kinds.register import AccessGrant, Activity, BackupPlan, Leaver, Product, Register, Work
from inventory.resource import Resource
from inventory.unknown import UNKNOWN

Sheets = dict[str, list[dict[str, Any]]]
Write = Callable[[Sheets], Path]
Read = Callable[..., Batch]


def of(batch: Batch, kind: str) -> list[Any]:
    return [r for r in batch.resources if kind == r.KIND]


def one(batch: Batch, kind: str, key: str) -> Any:
    (found,) = [r for r in of(batch, kind) if r.native_id == key]
    return found


def told(batch: Batch, kind: str) -> Collection:
    (found,) = [c for c in batch.collections if c.kind == kind]
    return found


def register_of(batch: Batch) -> Register:
    (found,) = of(batch, "register")
    assert isinstance(found, Register)
    return found


def test_rows_become_what_they_say(sheets: Sheets, workbook: Write, read: Read) -> None:
    batch = read(workbook(sheets))
    assert {c.kind: c.status for c in batch.collections} == dict.fromkeys(KINDS, Status.COMPLETE)
    assert {c.kind: c.count for c in batch.collections} == {
        "register": 1,
        "activity": 17,
        "backup_plan": 1,
        "product": 2,
        "access_grant": 5,
        "leaver": 3,
        "change_order": 1,
        "account_record": 2,
        "account_review": 0,
        "change_review": 0,
        "action_review": 0,
    }
    grading: Activity = one(batch, "activity", "G-03")
    assert (grading.name, grading.labels) == ("等级测评，门户网站", {"system": "门户网站"})
    assert (grading.done_on, grading.due_on) == (date(2026, 5, 18), date(2027, 5, 19))
    assert (grading.open_problems, grading.problems_due) == (2, date(2026, 12, 31))
    plan: BackupPlan = one(batch, "backup_plan", "B-01")
    assert (plan.interval_days, plan.retention_days, plan.off_site) == (1, 180, True)
    product: Product = one(batch, "product", "P-02")
    assert (product.name, product.in_use, product.valid_until) == ("服务器密码机", True, date(2029, 1, 1))
    grant: AccessGrant = one(batch, "access_grant", "J-01")
    assert (grant.closed_on, grant.data_cleared) == (None, UNKNOWN)
    assert register_of(batch).backup_plans == 1


def test_real_dates_and_written_ones_are_the_same(sheets: Sheets, workbook: Write, read: Read) -> None:
    sheets = {"变更单": sheets["变更单"]}
    written = read(workbook(sheets)).resources
    sheets["变更单"][0]["开始日期"] = "2026年10月1日"
    sheets["变更单"][0]["关闭日期"] = "2026/10/2"
    again = read(workbook(sheets)).resources
    assert written == again


def test_a_folder_of_csv_is_read_alike_in_both_encodings(
    sheets: Sheets, workbook: Write, read: Read, tmp_path: Path
) -> None:
    whole = read(workbook(sheets)).resources
    for encoding in ("utf-8-sig", "gb18030"):
        folder = tmp_path / encoding
        folder.mkdir()
        for title, rows in sheets.items():
            headings = list(dict.fromkeys(heading for row in rows for heading in row))
            with (folder / f"{title}.csv").open("w", encoding=encoding, newline="") as file:
                writer = csv.DictWriter(file, headings)
                writer.writeheader()
                writer.writerows(rows)
        assert read(folder).resources == whole


def test_the_latest_of_each_type_and_system_counts(workbook: Write, read: Read) -> None:
    rows = [
        {"编号": "1", "类型": "渗透测试", "系统": "甲", "完成日期": date(2024, 5, 1)},
        {"编号": "2", "类型": "渗透测试", "系统": "甲", "完成日期": date(2025, 5, 1)},
        {"编号": "3", "类型": "渗透测试", "系统": "乙", "完成日期": date(2026, 9, 1)},
        {"编号": "4", "类型": "渗透测试", "完成日期": date(2026, 2, 1), "周期": "半年"},
        {"编号": "5", "类型": "应急演练"},
    ]
    # what was done for the whole office later than for one system stands for that system
    assert register_of(read(workbook({"定期工作": rows}))).works == [
        Work(type="渗透测试", system="", done_on=date(2026, 2, 1), due_on=date(2026, 8, 4)),
        Work(type="渗透测试", system="乙", done_on=date(2026, 9, 1), due_on=None),
    ]


def test_a_sheet_that_is_missing_is_not_kept_and_never_empty(
    sheets: Sheets, workbook: Write, read: Read
) -> None:
    del sheets["定期工作"]
    del sheets["备份策略"]
    batch = read(workbook(sheets))
    for kind in ("activity", "backup_plan"):
        assert told(batch, kind).status is Status.UNSUPPORTED
        assert "工作表" in told(batch, kind).remedy
    found = register_of(batch)
    assert (found.works, found.backup_plans) == (UNKNOWN, UNKNOWN)
    assert found.sheets == ["product", "access_grant", "leaver", "change_order", "account_record"]
    # whoever asks the register what is missing is told which sheet
    assert "定期工作" in told(batch, "register").remedy


def test_a_heading_without_rows_is_complete_and_empty(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "空.xlsx"
    path.write_bytes(template())
    batch = read(path)
    assert {c.kind: (c.status, c.count) for c in batch.collections} == {
        kind: (Status.COMPLETE, 1 if kind == "register" else 0) for kind in KINDS
    }
    found = register_of(batch)
    assert (found.works, found.backup_plans) == ([], 0)


BAD_CELLS: list[tuple[str, str, str, Any, str]] = [
    ("定期工作", "完成日期", "F3", "上个月", "日期写成 2026-11-22"),
    ("定期工作", "完成日期", "F3", date(2027, 1, 1), "还没有到"),
    ("定期工作", "类型", "B3", "检查", "可写 常规检查"),
    ("定期工作", "周期", "D3", "经常", "写成 每月"),
    ("定期工作", "未整改问题数", "F3", "几个", "写 0 或正整数"),
    ("定期工作", "编号", "A3", "", "没有编号"),
    ("定期工作", "编号", "A3", "G-01", "和第 2 行重复"),
    ("安全产品", "在用", "E2", "在用", "写 是 或 否"),
    ("接入授权", "截止日期", "G2", date(2020, 1, 1), "早于开始日期"),
    ("接入授权", "使用者", "C2", None, "没有写"),
    ("变更单", "变更对象", "B2", "长" * 501, "最长 500 字"),
]


@pytest.mark.parametrize(("title", "heading", "place", "value", "why"), BAD_CELLS)
def test_a_row_that_cannot_be_read_leaves_its_sheet_partial(
    title: str, heading: str, place: str, value: Any, why: str,
    sheets: Sheets, workbook: Write, read: Read,
) -> None:  # fmt: skip
    row = int(place[1:]) - 2
    headings = list(dict.fromkeys(h for r in sheets[title] for h in r))
    before = sheets[title][row]["编号"]
    sheets[title][row][heading] = value
    batch = read(workbook(sheets))
    kind = next(sheet.kind for sheet in SHEETS if sheet.title == title)
    state = told(batch, kind)
    assert state.status is Status.PARTIAL
    cell = f"{title}!{chr(ord('A') + headings.index(heading))}{row + 2}"
    assert cell in state.reason
    assert why in state.reason
    assert state.remedy
    assert state.count == len(sheets[title]) - 1
    assert before == "G-01" or before not in {r.native_id for r in of(batch, kind)}
    assert register_of(batch).works is UNKNOWN or kind != "activity"
    others = [c for c in batch.collections if c.kind != kind]
    assert {c.status for c in others} == {Status.COMPLETE}


def test_a_sheet_without_its_headings_is_not_read(sheets: Sheets, workbook: Write, read: Read) -> None:
    for row in sheets["安全产品"]:
        del row["类别"]
    state = told(read(workbook(sheets)), "product")
    assert (state.status, state.count) == (Status.FAILED, 0)
    assert "安全产品!A1：第一行要有列 类别" in state.reason


def test_a_column_that_may_be_missing_leaves_its_field_unknown(
    sheets: Sheets, workbook: Write, read: Read
) -> None:
    for row in sheets["安全产品"]:
        del row["证书有效至"]
    assert [p.valid_until for p in of(read(workbook(sheets)), "product")] == [UNKNOWN, UNKNOWN]


def test_what_is_a_persons_is_not_read(sheets: Sheets, workbook: Write, read: Read) -> None:
    sheets["离岗离场"][0] |= {"姓名": "李四丰", "手机号码": "13912345678", "备注": "住在某处"}
    sheets["接入授权"][0]["对象"] = "联系 13912345678，证件 11010519491231002X，单号 110105194912310021"
    batch = read(workbook(sheets))
    state = told(batch, "leaver")
    assert (state.status, state.reason) == (Status.COMPLETE, "没有读的列：姓名、个人信息、备注")
    everything = repr(batch)
    for secret in ("李四丰", "13912345678", "住在某处", "11010519491231002X"):
        assert secret not in everything
    # eighteen digits that are no identity number stay
    assert one(batch, "access_grant", "J-01").target == (
        "联系 （已略去），证件 （已略去），单号 110105194912310021"
    )


def test_formulas_and_merged_cells_stop_their_sheet_alone(
    sheets: Sheets, workbook: Write, read: Read
) -> None:
    path = workbook(sheets)
    book = openpyxl.load_workbook(path)
    book["定期工作"]["B2"] = '=HYPERLINK("http://x/","常规检查")'
    book["安全产品"].merge_cells("A2:B3")
    book.save(path)
    batch = read(path)
    assert told(batch, "activity").status is Status.FAILED
    assert "定期工作!B2：是公式" in told(batch, "activity").reason
    assert "安全产品!A2:B3：是合并的单元格" in told(batch, "product").reason
    assert told(batch, "backup_plan").status is Status.COMPLETE
    assert register_of(batch).works is UNKNOWN


def test_what_could_act_is_refused_as_a_whole(sheets: Sheets, workbook: Write, read: Read) -> None:
    path = workbook(sheets)
    with zipfile.ZipFile(path, "a") as book:
        book.writestr("xl/vbaProject.bin", b"\0")
    with pytest.raises(SourceError, match="含有宏") as refused:
        read(path)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "不是完好的 xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "旧格式"),
        (b"x" * (10 * 1024 * 1024 + 1), "超过 10 MiB"),
    ],
)
def test_what_is_no_workbook_is_told_to_be_none(content: bytes, why: str, read: Read, tmp_path: Path) -> None:
    path = tmp_path / "台账.xlsx"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=why):
        read(path)


def test_a_workbook_with_a_broken_part_never_tells_less_in_silence(
    sheets: Sheets, workbook: Write, read: Read, tmp_path: Path
) -> None:
    path = workbook(sheets)
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    whole, refused = read(path).resources, set()
    for name in parts:
        broken = tmp_path / "broken.xlsx"
        with zipfile.ZipFile(broken, "w") as book:
            for other, content in parts.items():
                book.writestr(other, content[: len(content) // 2] if other == name else content)
        try:
            assert read(broken).resources == whole, name  # a part that says how it looks
        except SourceError:
            refused.add(name)
    assert {n for n in parts if "/sheet" in n or n in ("[Content_Types].xml", "xl/workbook.xml")} <= refused


def test_nothing_known_in_it_is_not_an_empty_register(workbook: Write, read: Read, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="没有一张认识的工作表"):
        read(workbook({"资产": [{"编号": "1"}]}))
    with pytest.raises(SourceError, match="没有一张认识的工作表"):
        read(tmp_path)
    with pytest.raises(SourceError, match="没有"):
        read(tmp_path / "不在.xlsx")


def test_more_rows_than_a_book_may_have(read: Read, tmp_path: Path) -> None:
    lines = "编号,变更对象,开始日期\n" + "".join(f"{i},x,2026-01-01\n" for i in range(5002))
    (tmp_path / "变更单.csv").write_text(lines, encoding="utf-8")
    state = told(read(tmp_path), "change_order")
    assert (state.status, state.count) == (Status.FAILED, 0)
    assert "超过 5000 行" in state.reason


def test_a_broken_csv_says_so(read: Read, tmp_path: Path) -> None:
    (tmp_path / "变更单.csv").write_bytes(b'"never closed\n1,x')
    (tmp_path / "安全产品.csv").write_bytes(b"\xff\xff\xff")
    batch = read(tmp_path)
    assert "不是完好的 CSV" in told(batch, "change_order").reason
    assert "编码" in told(batch, "product").reason


def logins(**accounts: Login) -> list[Thing]:
    return [
        Thing(f"host/account/{uid}", "host", "account", uid, logins=(login,))
        for uid, login in accounts.items()
    ]


def test_accounts_of_who_left_are_looked_for_in_what_others_showed(
    sheets: Sheets, workbook: Write, read: Read
) -> None:
    leavers = {
        "离岗离场": [
            {"编号": "1", "人员": "本单位", "账户": "wang、wang-admin", "离岗日期": date(2026, 7, 1)},
            {"编号": "2", "人员": "外部", "账户": "ext01", "离岗日期": date(2026, 7, 1)},
            {"编号": "3", "人员": "外部", "账户": "无", "离岗日期": date(2026, 7, 1)},
        ]
    }
    path = workbook(leavers)

    def seen(things: list[Thing]) -> list[Any]:
        rows: list[Resource] = of(read(path, things=lambda: things), "leaver")
        return [row.seen_active for row in rows if isinstance(row, Leaver)]

    assert seen([]) == [UNKNOWN, UNKNOWN, []]  # nobody showed any accounts
    assert "登记主机" in told(read(path), "leaver").remedy
    everywhere = logins(
        a=Login("wang", active=True),
        b=Login("wang-admin", active=True, expires=date(2026, 11, 21)),
        c=Login("ext01", active=False),
        d=Login("Wang", active=True),
    )
    assert seen(everywhere) == [["host/account/a"], [], []]
    # one whose state was not seen may work: only what was found to work is sure
    half = logins(
        a=Login("wang", active=True), b=Login("wang-admin", active=None), c=Login("ext01", active=None)
    )
    assert seen(half) == [["host/account/a"], UNKNOWN, []]
    # but not after its last day
    ended = logins(b=Login("wang-admin", active=None, expires=date(2026, 11, 21)))
    assert seen(ended)[1] == []


def test_what_makes_an_account_work() -> None:
    def account(**values: Any) -> bool | None:
        thing = thing_of(Account(source="h", native_id="h/w", name="w", **values))
        assert thing is not None
        (login,) = thing.logins
        assert login.name == "w"
        return login.active

    assert account(login_allowed=True, password="set") is True
    # a key may open what no password does
    assert account(login_allowed=True, password="locked") is None
    assert account(login_allowed=True, password="none") is None
    assert account(login_allowed=False, password="set") is False
    assert account(login_allowed=False) is False
    assert account(login_allowed=True) is None
    user = thing_of(User(source="c", native_id="1", name="w", enabled=False))
    config = thing_of(DeviceConfig(source="d", native_id="1", users=[LocalUser(name="w", enabled=True)]))
    assert user is not None
    assert user.logins == (Login("w", active=False),)
    assert config is not None
    assert config.logins == (Login("w", active=True),)


def test_probe_tells_of_each_sheet(sheets: Sheets, workbook: Write) -> None:
    del sheets["变更单"]
    sheets["安全产品"][0]["在用"] = "大概"
    source = Source(name="t", type="register", options=Options(path=str(workbook(sheets))))
    lines = {line.subject: (line.ok, line.detail) for line in probe(source, Run(source))}
    assert lines["定期工作"] == (True, "17 行")
    assert lines["变更单"] == (None, "台账里没有工作表 变更单")
    assert lines["安全产品"][0] is False
    assert "大概" in lines["安全产品"][1]

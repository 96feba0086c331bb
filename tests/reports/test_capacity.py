"""The capacity report: page one answers, numbers are those of the estate, nothing unseen is a zero."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime

import docx
import openpyxl
import pytest

from inventory.coverage import Batch
from inventory.kinds.load import LinkLoad, Load
from inventory.snapshot import Snapshot, SnapshotInfo
from inventory.usage import usage_of
from reports.capacity import PAGE_ROWS, capacity
from reports.capacity.peaks import BUSIEST
from reports.document import Cell, Document, Facts, Heading, Table
from reports.render_docx import render_docx
from reports.render_html import render_html
from reports.render_xlsx import render_xlsx

# what openpyxl says about the bars that only newer formats have
pytestmark = pytest.mark.filterwarnings("ignore:.*xtension is not supported:UserWarning")


@pytest.fixture
def document(planned: Snapshot) -> Document:
    return capacity(usage_of(planned), created_at=planned.info.taken_at, program="zhengguan 0")


def plain(value: str | Cell) -> str:
    return value if isinstance(value, str) else value.text


def chapter(document: Document, number: int) -> list[object]:
    found: list[object] = []
    inside = False
    for block in document.blocks:
        if isinstance(block, Heading) and block.level == 1:
            inside = block.text.startswith(f"{number} ")
        elif inside:
            found.append(block)
    return found


def tables(document: Document, number: int) -> list[Table]:
    return [b for b in chapter(document, number) if isinstance(b, Table)]


def rows(table: Table) -> Iterator[dict[str, str]]:
    for row in table.rows:
        yield dict(zip(table.columns, map(plain, row), strict=True))


def test_page_one_answers_the_three_questions(document: Document) -> None:
    (facts,) = [b for b in chapter(document, 1) if isinstance(b, Facts)]
    told = {label: plain(value) for label, value in facts.rows}
    assert told["有多满：云内存"] == "64.5%（已分配 800.4 / 可分配量 1,240 GiB；来源没有读全，总量至少如此）"
    assert told["有多满：云存储"] == "91.5%（已分配 8,900 / 可分配量 9,728 GiB）"
    assert told["有多满：浮动 IP"] == "96.0%（已分配 240 / 可分配量 250 个）"
    assert told["有多满：集群处理器"] == "60.0%（已分配 9 / 可分配量 15 核）"
    assert told["还能放下"] == (
        "city-cloud：未知（没有看到计算节点）\nprovince-cloud：最大 中（8 核 16 GiB），12 台"
    )
    assert told["谁占用最多"].startswith("按云主机内存：省政务办 57%、")
    assert told["可回收"] == "至少 16 核、32 GiB 内存、2,430 GiB 磁盘；7 个闲置或无主的对象，须由使用部门确认"
    assert told["看全了吗"].startswith("没有：2 项采集不完整")


def test_how_full_by_source(document: Document) -> None:
    full = list(rows(tables(document, 1)[0]))
    dark = [r for r in full if r["来源"] == "city-cloud"]
    assert {r["资源"] for r in dark} == {"处理器（核）", "内存（GiB）", "存储（GiB）"}
    assert {r[c] for r in dark for c in ("物理总量", "可分配", "已分配", "剩余", "占用率")} == {"未知"}
    (cpu,) = [r for r in full if (r["来源"], r["资源"]) == ("province-cloud", "处理器（核）")]
    assert [cpu[c] for c in ("物理总量", "超分比", "可分配", "已分配", "剩余", "占用率")] == [
        "320", "4", "1,200", "504", "466", "42.0%",
    ]  # fmt: skip


def test_capacity_by_zone_architecture_aggregate_and_department(document: Document) -> None:
    (table,) = tables(document, 2)
    found = {
        (r["维度"], r["名称"]): r["占用率"]
        for r in rows(table)
        if r["资源"] == "处理器（核）" and r["哪里"] == "云平台计算节点"
    }
    assert found == {
        ("来源", "city-cloud"): "未知",
        ("来源", "province-cloud"): "42.0%",
        ("可用域", "az-a"): "50.0%",
        ("可用域", "az-b"): "50.0%",
        ("可用域", "az-c"): "10.0%",
        ("主机聚合", "信创"): "50.0%",
        ("处理器架构", "aarch64"): "50.0%",
        ("处理器架构", "x86_64"): "36.7%",
        ("部门", "省数据局"): "42.0%",
    }


def test_who_has_what(document: Document) -> None:
    departments = {(r["部门"], r["在哪里"]): r for r in rows(tables(document, 3)[0])}
    office = departments["省政务办", "云"]
    assert [office[c] for c in ("云主机", "处理器（核）", "内存（GiB）", "云硬盘或存储卷（GiB）", "浮动 IP")] == [
        "2", "16", "32", "2,500", "2",
    ]  # fmt: skip
    assert departments["=HYPERLINK(省财政厅)", "云"]["处理器（核）"] == "至少 8"  # one told no size
    dark = departments["（未标部门）", "云"]
    assert (dark["云主机"], dark["云硬盘或存储卷（GiB）"]) == ("至少 1", "未知")
    projects = {r["项目或命名空间"]: r for r in rows(tables(document, 4)[0])}
    assert (projects["政务服务"]["处理器占配额"], projects["政务服务"]["内存占配额"]) == ("80.0%", "50.0%")
    assert (projects["web"]["容器组"], projects["web"]["处理器（核）"]) == ("6", "3")


def test_what_can_be_reclaimed_with_owner_and_age(document: Document) -> None:
    found = {r["原因"]: r for r in rows(tables(document, 5)[0])}
    disk = found["未挂载的云硬盘"]
    assert (disk["名称"], disk["项目或命名空间"], disk["部门"]) == ("old-data", "政务服务", "省政务办")
    assert (disk["最近变更"], disk["距今（天）"], disk["磁盘（GiB）"]) == (
        "2025-10-18（创建）",
        "400",
        "2,000",
    )
    assert found["关机的云主机"]["距今（天）"] == "200"
    assert found["长期低负载的云主机"]["说明"] == "处理器 P95 3%（168 小时）；内存 P95 21%（168 小时）"
    assert set(found) == {
        "关机的云主机", "长期低负载的云主机", "未挂载的云硬盘", "原云硬盘已不在的快照", "未使用的浮动 IP",
        "没有容器组的命名空间", "没有被挂载的存储卷声明",
    }  # fmt: skip


def test_what_fits(document: Document) -> None:
    places = {(r["维度"], r["名称"]): (r["最大规格"], r["还能放几台"]) for r in rows(tables(document, 6)[0])}
    assert places["可用域", "az-a"] == ("中", "12")
    assert places["可用域", "az-b"] == ("一台也放不下", "")
    flavors = {r["规格"]: (r["还能放几台"], r["拼在一起能放"]) for r in rows(tables(document, 7)[0])}
    assert flavors == {"大": ("0", "0"), "中": ("12", "13"), "小": ("51", "52")}  # pieces lie apart


def test_measured_load_and_coverage(document: Document) -> None:
    (cpu,) = [r for r in rows(tables(document, 8)[0]) if r["指标"] == "处理器"]
    assert (cpu["测到"], cpu["没测到"], cpu["最高峰值"], cpu["95 分位低于 10%"]) == ("2", "2", "100.0%", "1")
    first = next(rows(tables(document, 9)[0]))
    assert (first["来源"], first["结果"], first["怎么办"]) == ("city-cloud", "无权限", "授予 admin 角色")


def test_the_busiest_links_and_devices_come_first_and_the_unknown_are_counted(planned: Snapshot) -> None:
    whole = {"window_days": 30, "observed_ratio": 1.0}
    links = [
        LinkLoad(
            source="m", native_id=f"n/interface/{n}", name=f"sw GE{n}", peak_in_percent=float(n), **whole
        )
        for n in range(BUSIEST + 2)
    ]
    links.append(LinkLoad(source="m", native_id="n/interface/x", name="sw GE-x", watched=True))
    links[3].peak_out_percent = 93.0
    loads = [
        Load(source="m", native_id="n/device/a", name="sw-a", peak_cpu_percent=12.0, cpu_observed_ratio=0.5),
        Load(source="m", native_id="n/device/b", name="sw-b", peak_memory_percent=81.5),
        Load(source="m", native_id="hosts/host/h", name="h", watched=True),
    ]
    batch = Batch(resources=[*links, *loads])
    made = capacity(
        usage_of(Snapshot.of_batches([batch], planned.info.taken_at)),
        created_at=planned.info.taken_at,
        program="p",
    )
    _, busy_links, busy_devices = tables(made, 8)
    found = list(rows(busy_links))
    assert len(found) == BUSIEST
    assert (found[0]["链路"], found[0]["入向最高"], found[0]["出向最高"]) == ("sw GE3", "3.0%", "93.0%")
    assert (found[1]["链路"], found[1]["出向最高"]) == ("sw GE21", "未知")
    assert any("另有 1 段链路没有序列或不知道速率" in getattr(b, "text", "") for b in chapter(made, 8))
    first, second = rows(busy_devices)
    assert (first["设备"], first["内存最高"], first["处理器最高"], first["有采样的时间"]) == (
        "sw-b", "81.5%", "未知", "未知",
    )  # fmt: skip
    assert (second["设备"], second["有采样的时间"]) == ("sw-a", "50.0%")
    assert "sw GE3" in render_html(made)
    render_xlsx(made)
    render_docx(made)


def test_an_estate_of_which_nothing_is_known_still_gives_a_report() -> None:
    empty = Snapshot(SnapshotInfo(id=1, taken_at=datetime(2026, 1, 1, tzinfo=UTC)), {}, [])
    made = capacity(usage_of(empty), created_at=empty.info.taken_at, program="p")
    (facts,) = [b for b in chapter(made, 1) if isinstance(b, Facts)]
    assert dict(facts.rows)["可回收"] == "没有发现"
    render_html(made)
    render_xlsx(made)


def test_long_lists_are_cut_on_a_page_and_whole_in_a_spreadsheet(planned: Snapshot) -> None:
    estate = usage_of(planned)
    volumes = next(j for j in estate.idle if j.reason == "volume_unattached")
    volumes.found *= PAGE_ROWS + 5
    page = capacity(estate, created_at=planned.info.taken_at, program="p")
    sheet = capacity(estate, created_at=planned.info.taken_at, program="p", whole=True)
    assert len(tables(page, 5)[0].rows) == PAGE_ROWS + 6
    assert len(tables(sheet, 5)[0].rows) == PAGE_ROWS + 11
    assert any("全部见 XLSX" in getattr(b, "text", "") for b in chapter(page, 5))


def test_every_format_says_the_same(document: Document, hostile: str) -> None:
    html = render_html(document)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
    assert 'class="number"' in html
    book = openpyxl.load_workbook(io.BytesIO(render_xlsx(document)))
    assert book.sheetnames[0] == "1 总览"
    assert book.sheetnames[4] == "5 闲置与无主"
    texts = {str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None}
    assert "=HYPERLINK(省财政厅)" in texts
    assert "至少 16 核、32 GiB 内存、2,430 GiB 磁盘；7 个闲置或无主的对象，须由使用部门确认" in texts
    idle = book["5 闲置与无主"]
    head = next(c.row for c in idle["A"] if c.value == "原因")
    assert idle.freeze_panes == f"A{head + 1}"
    days = next(c.column for c in idle[head] if c.value == "距今（天）")
    assert {idle.cell(r, days).value for r in range(head + 1, head + 3)} == {200, "？ 未知"}
    word = docx.Document(io.BytesIO(render_docx(document)))
    assert any("资源容量与使用情况报告" in p.text for p in word.paragraphs)

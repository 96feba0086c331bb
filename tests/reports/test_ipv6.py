"""The IPv6 report: what page one says, who is behind, what stands in the way, and hostile names."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest

from inventory.coverage import Collection, Status
from inventory.kinds.address import address_of
from inventory.kinds.cloud import Project
from inventory.kinds.compute import Server
from inventory.kinds.device_config import ConfigInterface, DeviceConfig
from inventory.kinds.virtual_network import Subnet
from inventory.kinds.web import Visit, Website
from inventory.resource import Relation, Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot, SnapshotInfo
from inventory.systems import System
from policies.ipv6.plan import PlannedPrefix
from policies.ipv6.readiness import Readiness, readiness
from policies.standards import load_standard
from reports.document import Cell, Document, Facts, Heading, Table
from reports.ipv6 import PAGE_ROWS, ipv6
from reports.render_docx import render_docx
from reports.render_html import render_html
from reports.render_xlsx import render_xlsx

# what openpyxl says about the bars that only newer formats have
pytestmark = pytest.mark.filterwarnings("ignore:.*xtension is not supported:UserWarning")

AT = datetime(2026, 11, 22, 4, tzinfo=UTC)
HOSTILE = '=HYPERLINK("http://x","<script>alert(1)</script>")'


def server(number: int, name: str, *, six: bool) -> Server:
    addresses = [address_of("10.0.0.1", 24), *([address_of("fd00:1:2::1", 64)] if six else [])]
    return Server(
        source="cloud", native_id=f"s{number}", name=name, status="ACTIVE", addresses=addresses,
        labels={"department": "市大数据局", "level": "市"}, relations=[Relation("in_project", "cloud/project/p")],
    )  # fmt: skip


def made(servers: int = 3, plan: Sequence[PlannedPrefix] = (), **more: Any) -> Readiness:
    """One server has IPv6, the others do not; two sites; a device that filters IPv4 alone; a denied list."""
    rows: list[Resource] = [server(0, "ok", six=True), server(1, HOSTILE, six=False)]
    rows += [server(n, f"s{n:03}", six=False) for n in range(2, servers)]
    home = Website(
        source="web", native_id="https://a.gov.cn/", url="https://a.gov.cn/", labels={"department": "市文旅局"},
        visits=[Visit(family="ipv6", address=None, ok=False, problem=HOSTILE)],
    )  # fmt: skip
    port = ConfigInterface(name="Vlan10", ipv6=True, acl_in_ipv4="3000", acl_in_ipv6=None)
    rows += [
        Project(source="cloud", native_id="p", name="文旅"),
        home,
        Website(source="web", native_id="https://b.gov.cn/", url="https://b.gov.cn/"),
        DeviceConfig(source="net", native_id="sw", name="核心交换机", interfaces=[port]),
        Subnet(
            source="cloud",
            native_id="n",
            name="web-v6",
            family="ipv6",
            cidr="fd00:1:2::/64",
            address_mode="slaac",
        ),
        Subnet(
            source="cloud",
            native_id="m",
            name="lost-v6",
            family="ipv6",
            cidr="fd00:9::/64",
            address_mode=None,
        ),
    ]
    by_kind: dict[str, list[Resource]] = {}
    for row in rows:
        by_kind.setdefault(row.KIND, []).append(row)
    denied = Collection(
        source="cloud", kind="load_balancer", status=Status.DENIED, started_at=AT, ended_at=AT,
        reason="没有权限", remedy="授予 load-balancer_observer",
    )  # fmt: skip
    snapshot = Snapshot(SnapshotInfo(id=1, taken_at=AT), by_kind, [denied])
    system = System(
        name="portal", title="门户网站群", grade="S3A3", department="市文旅局", importance="关键",
        include=[Selector(projects=["文旅"])],
    )  # fmt: skip
    indicators = load_standard("ipv6").indicators
    return readiness(indicators, snapshot, [system], year=2026, targets={}, plan=plan, **more)


@pytest.fixture(scope="module")
def document() -> Document:
    plan = [PlannedPrefix(prefix="fd00:1::/32", owner="市大数据局", purpose="政务云", assignment="slaac")]
    return ipv6(made(plan=plan), created_at=AT, program="zhengguan 0", whole=True)


def plain(value: str | Cell) -> str:
    return value if isinstance(value, str) else value.text


def tables(document: Document, number: int) -> list[Table]:
    found: list[Table] = []
    inside = False
    for block in document.blocks:
        if isinstance(block, Heading) and block.level == 1:
            inside = block.text.startswith(f"{number} ")
        elif inside and isinstance(block, Table):
            found.append(block)
    return found


def rows(table: Table) -> Iterator[dict[str, str]]:
    for row in table.rows:
        yield dict(zip(table.columns, map(plain, row), strict=True))


def test_page_one(document: Document) -> None:
    (facts,) = [b for b in document.blocks if isinstance(b, Facts)]
    told = {label: plain(value) for label, value in facts.rows}
    assert told["范围"] == "1 个来源，9 个资源，1 个系统"
    assert told["网站"] == "2 个：不支持 1、没看全 1"
    # of the device nobody saw the lines, the web, SNMP, the access layer, the policies, and the port's uRPF
    assert told["安全对等"] == "1 处 IPv4 控制在 IPv6 上没有对应，6 处不明"
    assert told["地址规划"] == "登记了 1 个前缀"
    assert told["看全了吗"] == "没有：1 项采集不完整，0 个对象用的是旧数据，见第 12 章"
    shares = {r["指标"]: r for r in rows(tables(document, 1)[0])}
    servers = shares["云主机 IPv6 地址占比"]  # one of three
    assert (servers["最低"], servers["最高"], servers["目标"], servers["结论"]) == (
        "33.3%",
        "33.3%",
        "≥ 90%",
        "未达标",
    )
    balancers = shares["负载均衡 IPv6 地址占比"]  # nobody may see them
    assert (balancers["最低"], balancers["最高"], balancers["结论"]) == ("0.0%", "100.0%", "判断不了")
    first = next(rows(tables(document, 1)[1]))
    assert first["涉及的指标"] == "在 IPv6 上有对应的 IPv4 访问控制占比"  # security first


def test_by_system_and_department(document: Document) -> None:
    (system,) = rows(tables(document, 3)[0])
    assert (system["系统"], system["资源"], system["会断"]) == ("门户网站群", "4", "2")
    assert "云主机 IPv6 地址占比" in system["未达标的指标"]
    departments = {r["部门"]: r for r in rows(tables(document, 4)[0])}
    assert {name: r["资源"] for name, r in departments.items()} == {"市大数据局": "3", "市文旅局": "5"}
    levels = list(rows(tables(document, 4)[1]))
    assert [(r["层级"], r["资源"]) for r in levels] == [("市", "3")]


def test_sites(document: Document) -> None:
    (table,) = tables(document, 7)
    found = {r["网站"]: r for r in rows(table)}
    dead = found["https://a.gov.cn/"]
    assert (dead["部门"], dead["等级"], dead["AAAA（15）"]) == ("市文旅局", "不支持", "没有正确的 AAAA")
    assert dead["首页可达（15）"] == f"首页以 IPv6 打不开：{HOSTILE}"
    assert dead["分数"] == "0.0～70.0"  # 100 less 15 for the address and 15 for the page
    assert (found["https://b.gov.cn/"]["等级"], found["https://b.gov.cn/"]["分数"]) == (
        "不支持～优",
        "0.0～100.0",
    )


def test_parity_addresses_and_obstacles(document: Document) -> None:
    (gap,) = rows(tables(document, 8)[0])
    assert (gap["对象"], gap["IPv4 上的控制"]) == ("核心交换机", "接口入方向的过滤（Vlan10）")
    sorts, made_how, plan, astray = tables(document, 9)
    assert [(r["种类"], r["个数"]) for r in rows(sorts)] == [("唯一本地（ULA）", "1")]
    assert [r["个数"] for r in rows(made_how)] == ["1"]
    (planned,) = rows(plan)
    assert (planned["责任单位"], planned["分配方式"], planned["在用的网段"]) == (
        "市大数据局",
        "无状态（SLAAC）",
        "1",
    )
    assert [r["哪里不一致"] for r in rows(astray)] == ["fd00:9::/64 没有登记"]
    names = [r["对象"] for r in rows(tables(document, 10)[0]) if r["指标"] == "云主机 IPv6 地址占比"]
    assert names == [HOSTILE, "s002"]
    (unread,) = rows(tables(document, 12)[0])
    assert (unread["种类"], unread["结果"], unread["怎么办"]) == (
        "负载均衡",
        "无权限",
        "授予 load-balancer_observer",
    )


def test_targets_say_what_they_rest_on(document: Document) -> None:
    targets, parameters = tables(document, 13)
    told = {r["指标"]: r["依据"] for r in rows(targets)}
    assert told["IPv6 流量占比"] == "见于公开来源"
    assert told["云主机 IPv6 地址占比"] == "产品缺省，不是规定"
    assert "产品缺省" in next(rows(parameters))["依据"]


def test_a_page_has_its_lists_cut_and_the_sheet_has_them_whole() -> None:
    many = made(servers=PAGE_ROWS + 50)
    page = ipv6(many, created_at=AT, program="p")
    whole = ipv6(many, created_at=AT, program="p", whole=True)
    shown = [r for r in rows(tables(page, 10)[0]) if r["指标"] == "云主机 IPv6 地址占比"]
    assert len(shown) == 20
    assert (
        len([r for r in rows(tables(whole, 10)[0]) if r["指标"] == "云主机 IPv6 地址占比"]) == PAGE_ROWS + 49
    )
    assert "全部见 XLSX" in render_html(page)
    assert "全部见 XLSX" not in render_html(whole)


def test_hostile_names_stay_text(document: Document) -> None:
    html = render_html(document)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    book = openpyxl.load_workbook(io.BytesIO(render_xlsx(document)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell for cell in cells if cell.data_type == "f"] == []
    hostile = [cell for cell in cells if cell.value == HOSTILE]
    assert hostile
    assert all(cell.quotePrefix for cell in hostile)
    assert render_docx(document)[:2] == b"PK"


def test_a_sheet_a_chapter_with_numbers_as_numbers(document: Document) -> None:
    book = openpyxl.load_workbook(io.BytesIO(render_xlsx(document)))
    assert len(book.sheetnames) == 13
    front = book.worksheets[0]
    (share,) = [
        row for row in front.iter_rows(values_only=True) if "云主机 IPv6 地址占比" in row and 0.3333 in row
    ]
    assert share[2:4] == (0.3333, 0.3333)


def test_an_estate_of_which_nothing_is_known_still_gives_a_report() -> None:
    empty = Snapshot(SnapshotInfo(id=1, taken_at=AT), {}, [])
    told = readiness(load_standard("ipv6").indicators, empty, [], year=2026, targets={})
    document = ipv6(told, created_at=AT, program="p")
    (facts,) = [b for b in document.blocks if isinstance(b, Facts)]
    assert dict(facts.rows)["对照 2026 年目标"] == Cell("没有可以计算的指标", "unknown")
    assert render_html(document)
    assert render_xlsx(document)

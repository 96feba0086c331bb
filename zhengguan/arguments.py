"""What the command line takes: names, options and help of every command."""

from __future__ import annotations

import argparse
from typing import NoReturn

from zhengguan import __version__

EDITIONS = ("2025", "2023", "2021", "2019")
SEVERITIES = ("critical", "high", "medium", "low", "info")


class _Parser(argparse.ArgumentParser):
    """Errors in one line, with the command to ask for help."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"zhengguan: {message}（帮助：{self.prog} --help）\n")


def parser() -> argparse.ArgumentParser:
    """Of the whole command line."""
    top = _Parser(
        prog="zhengguan",
        description="政观：摸清政务云、电子政务外网和主机有什么，是否合规，并给出证据。只读，不改动任何对象。",
        epilog="先试 zhengguan demo。退出码：0 正常；1 有达到 --fail-on 的问题；2 用法或配置错；"
        "3 覆盖不足；4 有来源读不到。",
    )
    top.add_argument("-V", "--version", action="version", version=f"zhengguan {__version__}")
    commands = _Commands(top)
    _start(commands)
    _inventory(commands)
    _discovery(commands)
    _policies(commands)
    _outputs(commands)
    return top


class _Commands:
    """Adds commands that all take the common options and show an example."""

    def __init__(self, top: argparse.ArgumentParser) -> None:
        self._common = _Parser(add_help=False)
        self._common.add_argument(
            "-c", "--config", metavar="FILE", default="", help="配置文件（默认 ./zhengguan.yaml）"
        )
        self._common.add_argument("-v", "--verbose", action="store_true", help="多说一些")
        self._common.add_argument("--debug", action="store_true", help="出错时给出完整的调用栈")
        self._all = top.add_subparsers(dest="command", metavar="命令")

    def add(self, name: str, purpose: str, example: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = self._all.add_parser(
            name, parents=[self._common], help=purpose, description=purpose, epilog=f"例：{example}"
        )
        return parser


def _start(commands: _Commands) -> None:
    demo = commands.add(
        "demo", "不用任何设置，在内置样例和本机上走完全程", "zhengguan demo --out demo --serve"
    )
    demo.add_argument(
        "--out",
        metavar="DIR",
        default="zhengguan-demo",
        help="放配置、存储和报告的目录（默认 zhengguan-demo）",
    )
    demo.add_argument("--serve", action="store_true", help="完成后继续提供 /metrics 和首页")
    demo.add_argument(
        "--listen", metavar="HOST:PORT", default="", help="--serve 监听的地址（默认 127.0.0.1:9870）"
    )

    init = commands.add("init", "写一份带注释的 zhengguan.yaml", "zhengguan init && zhengguan collect")
    init.add_argument("--force", action="store_true", help="覆盖已有的文件")

    doctor = commands.add(
        "doctor", "逐个来源检查：连得上吗，权限够吗，缺什么", "zhengguan doctor --source szgov-cloud"
    )
    doctor.add_argument(
        "--source", metavar="NAME", action="append", default=[], help="只查这个来源（可重复）"
    )
    doctor.add_argument("--json", action="store_true", help="输出 JSON")


def _inventory(commands: _Commands) -> None:
    collect = commands.add("collect", "采集一次，存成一个快照", "zhengguan collect --source core-switches")
    collect.add_argument(
        "--source", metavar="NAME", action="append", default=[], help="只采这个来源（可重复）"
    )
    which = collect.add_mutually_exclusive_group()
    which.add_argument(
        "--record",
        metavar="FILE",
        default="",
        help="采集时把一个来源的应答脱敏录成文件（SNMP 来源录成目录），供求助、测试和演示",
    )
    which.add_argument(
        "--replay",
        metavar="FILE",
        default="",
        help="不连任何来源，从录制文件采集；--source 指定存入哪个名字（默认用录制时的）",
    )
    collect.add_argument("--json", action="store_true", help="输出 JSON")

    inventory = commands.add(
        "inventory",
        "列出、查看、比较资源",
        "zhengguan inventory security_group --where 'any(r.remote == \"0.0.0.0/0\" for r in it.rules)'",
    )
    inventory.add_argument(
        "what",
        nargs="?",
        default="",
        metavar="KIND|show|diff|timeline|snapshots|systems|coverage|evidence",
        help="资源种类，或 show UID、diff [A B]、timeline UID、snapshots、systems、coverage、evidence ID；"
        "不写则按种类计数",
    )
    inventory.add_argument(
        "arguments", nargs="*", metavar="…", help="show、timeline 的 UID；diff 的两个快照号；evidence 的编号"
    )
    inventory.add_argument(
        "--where", metavar="EXPR", default="", help="条件，与规则同一种表达式，例如 it.encrypted == False"
    )
    inventory.add_argument("--source", metavar="NAME", default="", help="只看这个来源")
    inventory.add_argument("--system", metavar="S", default="", help="只看这个系统的资源")
    inventory.add_argument("--unassigned", action="store_true", help="只看不属于任何系统（定级对象）的资源")
    inventory.add_argument(
        "--at", metavar="WHEN", default="", help="某时刻（2026-11-22 或 2026-11-22T08:00）或某快照号的样子"
    )
    inventory.add_argument("--json", action="store_true", help="输出 JSON")


def _discovery(commands: _Commands) -> None:
    discover = commands.add(
        "discover",
        "在给定前缀里找还没有登记的设备和主机（只问 SNMP 系统组和 SSH 标识，不出前缀）",
        "zhengguan discover 10.1.0.0/24 --exclude 10.1.0.128/25 --rate 20",
    )
    discover.add_argument(
        "prefix", nargs="+", metavar="PREFIX", help="IPv4 前缀或地址；IPv6 前缀只限定范围，不逐个探测"
    )
    discover.add_argument(
        "--exclude", metavar="PREFIX", action="append", default=[], help="不去碰的部分（可重复）"
    )
    discover.add_argument(
        "--neighbours",
        action="store_true",
        help="也问邻居：上次快照里各设备报告的（LLDP、CDP、路由协议），和 snmp 来源的设备此刻 ARP 表、"
        "IPv6 邻居表里的；前缀之外的只列出，不去碰",
    )
    discover.add_argument(
        "--source", metavar="NAME", action="append", default=[], help="只用这个 snmp 来源的凭据（可重复）"
    )
    discover.add_argument("--rate", type=float, metavar="N", default=50.0, help="每秒最多探测几次（默认 50）")
    discover.add_argument(
        "--timeout", type=float, metavar="SECONDS", default=1.5, help="一次探测等多久（默认 1.5）"
    )
    discover.add_argument(
        "--retries", type=int, metavar="N", default=1, help="SNMP 没有应答再试几次（默认 1）"
    )
    discover.add_argument(
        "--max-addresses", type=int, metavar="N", default=0, help="地址再多也探测（默认最多 32768 个）"
    )
    discover.add_argument("--snmp-port", type=int, metavar="PORT", default=161, help="SNMP 端口（默认 161）")
    discover.add_argument("--ssh-port", type=int, metavar="PORT", default=22, help="SSH 端口（默认 22）")
    discover.add_argument("--no-ssh", action="store_true", help="只问 SNMP")
    discover.add_argument("--json", action="store_true", help="输出 JSON")


def _policies(commands: _Commands) -> None:
    check = commands.add(
        "check",
        "按标准核查，给出问题、评分区间和覆盖率",
        "zhengguan check --system zwy --standard miping --fail-on high",
    )
    check.add_argument("--system", metavar="S", default="", help="只查这个系统（默认全部）")
    check.add_argument(
        "--standard",
        metavar="NAME",
        default="",
        help="标准：dengbao 等保、miping 密评、ipv6、extranet 政务外网与政务云，或自己的标准"
        "（默认各系统自己的：配置里的 standards，没写则等保，写了 miping_level 的还有密评）",
    )
    check.add_argument(
        "--edition",
        choices=EDITIONS,
        default="",
        help="评分方法版本：等保 2025、2021、2019，密评 2023、2021（默认按配置）",
    )
    check.add_argument(
        "--format",
        choices=("table", "json", "junit", "sarif", "ocsf"),
        default="table",
        help="输出格式：junit、sarif 给流水线，ocsf 给 SIEM（每行一个事件）",
    )
    check.add_argument(
        "-o", "--output", metavar="FILE", default="", help="写入文件（默认标准输出；要么完整写入，要么不动）"
    )
    check.add_argument("--json", dest="format", action="store_const", const="json", help="同 --format json")
    check.add_argument("--fail-on", choices=SEVERITIES, default="", help="有这一级或更高的问题则退出码 1")
    check.add_argument(
        "--min-coverage", type=float, metavar="0–1", default=None, help="覆盖率低于此值则退出码 3"
    )
    check.add_argument(
        "--assume-fixed",
        metavar="RULE",
        nargs="+",
        action="extend",
        default=[],
        help="假设这些规则处处修好，另给出那时的评分区间；问题、结论和退出码仍是现在的",
    )
    check.add_argument(
        "--limit", type=int, metavar="N", default=20, help="表格里最多列多少个问题（0 = 全部）"
    )

    _answers(commands)
    _register(commands)
    _exceptions(commands)

    rules = commands.add("rules", "列出、查看、测试规则", "zhengguan rules test --folder my-rules")
    rules.add_argument("action", choices=("list", "show", "test", "lint", "coverage", "docs"), help="做什么")
    rules.add_argument("id", nargs="?", default="", help="规则编号（show 用）")
    rules.add_argument(
        "--folder", metavar="DIR", action="append", default=[], help="另加一个规则目录（可重复）"
    )
    rules.add_argument(
        "--out", metavar="DIR", default="docs", help="docs：每条规则、每项要求一页，写到哪个目录（默认 docs）"
    )
    rules.add_argument(
        "--standard",
        metavar="NAME",
        default="dengbao",
        help="coverage：哪个标准（dengbao、miping、ipv6、extranet 或自己的）",
    )
    rules.add_argument("--level", type=int, choices=(1, 2, 3, 4), default=3, help="coverage：等级（默认 3）")
    rules.add_argument("--json", action="store_true", help="输出 JSON")


def _answers(commands: _Commands) -> None:
    attest = commands.add(
        "attest",
        "人工答复：机器看不见的，由人答复、留证、到期重答",
        "zhengguan attest set 8.1.6.1.a --verdict 符合 --note 见《信息安全总体策略》 --by 张三",
    )
    attest.add_argument(
        "action",
        choices=("list", "show", "set", "withdraw", "file", "export", "import"),
        help="list 列出要答和已答的；show 看一项的问题和历次答复；set 答复（终端里不写 --verdict 则逐项问）；"
        "withdraw 撤回；file 取出证据文件；export、import 写出和收回一本要填的工作簿",
    )
    attest.add_argument(
        "target",
        nargs="?",
        default="",
        metavar="编号|FILE",
        help="要求项或高风险情形的编号；file 用 SHA-256；export、import 用 .xlsx 文件",
    )
    attest.add_argument("--system", metavar="S", default="", help="哪个系统（只有一个时可不写）")
    attest.add_argument(
        "--standard",
        metavar="NAME",
        default="",
        help="哪个标准（默认系统自己的：list 逐个列出，别的按编号认；export 取第一个）",
    )
    attest.add_argument("--object", metavar="UID", default="", help="只答这一个对象（默认整个系统）")
    attest.add_argument(
        "--verdict",
        metavar="V",
        default="",
        help="符合、部分符合、不符合、不适用；高风险：不存在、存在、已缓解",
    )
    _judged(attest)
    attest.add_argument("--note", metavar="TEXT", default="", help="事实、依据或理由")
    attest.add_argument(
        "--evidence",
        metavar="FILE",
        action="append",
        default=[],
        help="证据文件（可重复），存入库中；import：证据文件所在的目录",
    )
    attest.add_argument("--by", metavar="NAME", default="", help="答复人")
    attest.add_argument("--date", metavar="DAY", default="", help="答复日期（默认今天）")
    attest.add_argument(
        "--until", metavar="DAY", default="", help="有效至（默认按 policies.answers.valid_days，一年）"
    )
    attest.add_argument(
        "--state",
        choices=("open", "answered", "expiring", "expired", "contradicted", "unused"),
        default="",
        help="list：只列这种状态的",
    )
    attest.add_argument("--by-object", action="store_true", help="list、export：未定的对象也逐个列出")
    attest.add_argument("--all", action="store_true", help="export：已答复的也写出来")
    attest.add_argument("--dry-run", action="store_true", help="import：只查错，不记录")
    attest.add_argument("-o", "--output", metavar="FILE", default="", help="file：写入文件（默认标准输出）")
    attest.add_argument("--json", action="store_true", help="输出 JSON")


def _judged(attest: argparse.ArgumentParser) -> None:
    """密评: what is answered of an object, or of a unit as a whole."""
    crypto = attest.add_argument_group("密评的技术单元（按对象判定；管理单元用 --verdict）")
    for word, what in (("D", "密码使用有效性"), ("A", "算法和技术合规性"), ("K", "密钥管理安全")):
        crypto.add_argument(
            f"--{word}", metavar="V", default="", help=f"{what}：符合 或 不符合，不知道的不写"
        )
    crypto.add_argument(
        "--strength", metavar="BITS", default="", help="A 不符合时：最弱算法的安全强度（比特）"
    )
    crypto.add_argument(
        "--module", metavar="0–4", default="", help="K 不符合时：密码模块等级（GB/T 37092），0 = 没有"
    )
    crypto.add_argument(
        "--keys-managed", metavar="V", default="", help="K 不符合时：密钥管理其余要求是否符合"
    )
    crypto.add_argument(
        "--made-up-by", metavar="单元=对象", action="append", default=[], help="由哪个对象弥补（可重复）"
    )
    crypto.add_argument(
        "--add-object", action="store_true", help="--object 是清单里没有、由人列出的对象，写它的名称"
    )


def _register(commands: _Commands) -> None:
    register = commands.add(
        "register",
        "台账：单位自己记录、机器看不见的事，填好后作为 register 来源采集",
        "zhengguan register template 台账.xlsx",
    )
    register.add_argument(
        "action",
        choices=("template", "lint"),
        help="template 写出空白台账；lint 检查填好的，逐格列出错误",
    )
    register.add_argument("file", metavar="FILE", help="工作簿（.xlsx）；lint 也可以是放 CSV 的目录")
    register.add_argument("--force", action="store_true", help="template：覆盖已有的文件")
    register.add_argument("--json", action="store_true", help="输出 JSON")


def _exceptions(commands: _Commands) -> None:
    exceptions = commands.add(
        "except",
        "例外：接受了的偏离，各自还匹不匹配、过没过期",
        "zhengguan except template > exceptions.yaml",
    )
    exceptions.add_argument(
        "action",
        choices=("list", "show", "lint", "template"),
        help="list 列出每个例外这次匹配到什么；show 看一个；lint 查写法；template 给出样例文件",
    )
    exceptions.add_argument("id", nargs="?", default="", help="例外编号（show 用）")
    exceptions.add_argument("--system", metavar="S", default="", help="只看这个系统（默认全部）")
    exceptions.add_argument("--json", action="store_true", help="输出 JSON")


def _outputs(commands: _Commands) -> None:
    report = commands.add(
        "report", "写报告", "zhengguan report dengbao --system zwy --format docx,html --out reports"
    )
    report.add_argument(
        "report",
        choices=("dengbao", "miping", "capacity", "ipv6"),
        help="哪种报告：等保自查、密评自查（每个系统一份），全部来源的容量，全部或一个系统的 IPv6 就绪情况",
    )
    report.add_argument(
        "--system",
        metavar="S",
        default="",
        help="dengbao、miping：哪个系统（默认每个系统一份）；ipv6：只写这个系统",
    )
    report.add_argument(
        "--year", metavar="Y", type=int, default=0, help="ipv6：对照哪一年的目标（默认采集当年）"
    )
    report.add_argument("--edition", choices=EDITIONS, default="", help="dengbao、miping：评分方法版本")
    report.add_argument(
        "--format",
        metavar="F,…",
        default="",
        help="dengbao、miping：html、docx；capacity、ipv6：html、xlsx（默认）、docx",
    )
    report.add_argument("--out", metavar="DIR", default=".", help="放报告的目录")
    report.add_argument("--json", action="store_true", help="以 JSON 列出写了哪些文件")

    export = commands.add(
        "export", "写出给别的程序用的清单", "zhengguan export cbom --system zwy -o cbom.json"
    )
    export.add_argument("what", choices=("cbom",), help="cbom：密码物料清单（CycloneDX 1.6 JSON）")
    export.add_argument("--system", metavar="S", default="", help="只写这个系统的（默认全部资源）")
    export.add_argument(
        "-o", "--output", metavar="FILE", default="", help="写入文件（默认标准输出；要么完整写入，要么不动）"
    )

    serve = commands.add(
        "serve", "定时采集，提供 /metrics、/healthz 和首页", "zhengguan serve --listen 127.0.0.1:9870"
    )
    serve.add_argument("--listen", metavar="HOST:PORT", default="", help="监听地址（默认 127.0.0.1:9870）")

"""The demo: the whole loop on recordings of real systems and on this machine, without any set-up.

The recordings are replayed by the same collectors that would read the real systems; the machine the demo
runs on is inventoried for real. Two snapshots a day apart make the history visible.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path

import msgspec

from collectors.contract import Progress, utc_now
from inventory.snapshot import Change, Snapshot
from inventory.store import Store
from inventory.usage import usage_of
from policies.assessment import Assessment
from zhengguan import console
from zhengguan.config import Config, parse_config
from zhengguan.errors import UserError
from zhengguan.loop import (
    Collected,
    assess_all,
    collect_into,
    earlier_of,
    latest,
    opened,
    readiness_of,
    rules_of,
    title_of,
)

_MARK = ".zhengguan-demo"  # a folder that carries it was made by the demo and may be made anew
HOST = "this-host"
SILENT = "venus-vsos-v0600r0705b20180507"  # the device that does not answer on the second day


class Demo(msgspec.Struct, kw_only=True):
    """What the demo left behind, and what there is to say about it."""

    config: Config
    store: Store
    snapshot: Snapshot
    today: Collected
    changes: list[Change]
    assessments: list[Assessment]
    reports: list[Path]


def make(out: Path, progress: Callable[[Progress], None], now: Callable[[], datetime] = utc_now) -> Demo:
    """Run the loop into ``out``: configuration, recordings, store, reports. UserError where it cannot."""
    from zhengguan.commands.report import FORMATS, since_last, write, write_capacity, write_ipv6

    _prepare(out)
    config = _config(out, day=2)
    store = opened(config, create=True)
    before = _config(out, day=1)
    yesterday = [s for s in before.sources if s.name != HOST]
    day = timedelta(days=1)
    collect_into(
        store, yesterday, concurrency=2, progress=progress, now=lambda: now() - day, note="前一天（录制回放）"
    )
    (out / "recordings" / "snmp" / f"{SILENT}.snmprec.gz").unlink()
    today = collect_into(
        store, config.sources, concurrency=3, progress=progress, now=now, note="当天（录制回放和本机）"
    )
    snapshot = latest(store)
    progress(Progress(source="核查", what="规则与评分"))
    assessments = assess_all(config, snapshot, systems=config.systems, ranked=True)
    changes, rules = since_last(store, snapshot), rules_of(config)
    reports = []
    for index, assessment in enumerate(assessments):
        progress(Progress(source="报告", what=assessment.system.title, done=index, total=len(assessments)))
        reports += write(assessment, list(FORMATS), out / "reports", changes=changes, rules=rules)
    progress(Progress(source="报告", what="容量", done=len(assessments), total=len(assessments)))
    reports += write_capacity(usage_of(snapshot), ["html", "xlsx"], out / "reports")
    told = readiness_of(config, snapshot, earlier=earlier_of(store, snapshot))
    reports += write_ipv6(told, ["html", "xlsx"], out / "reports")
    return Demo(
        config=config,
        store=store,
        snapshot=snapshot,
        today=today,
        changes=changes,
        assessments=assessments,
        reports=reports,
    )


def _prepare(out: Path) -> None:
    try:
        if out.exists():
            if any(out.iterdir()) and not (out / _MARK).exists():
                raise UserError(f"{out} 里已有别的东西", remedy="用 --out 换一个目录")
            shutil.rmtree(out)
        out.mkdir(parents=True)
        (out / _MARK).touch()
        with as_file(files("zhengguan") / "data" / "demo") as data:
            shutil.copytree(data, out / "recordings", ignore=shutil.ignore_patterns("zhengguan.yaml"))
            shutil.copyfile(data / "zhengguan.yaml", out / "zhengguan.yaml")
    except OSError as error:
        raise UserError(f"写不进 {out}：{error.strerror}", remedy="检查目录、权限和磁盘") from error


def _config(out: Path, *, day: int) -> Config:
    path = out / "zhengguan.yaml"
    return parse_config(path.read_text(encoding="utf-8").replace("/day2", f"/day{day}"), path, {})


def summary(demo: Demo) -> None:
    """What a person needs to know in ten seconds, and what to try next."""
    from zhengguan.commands.check import grouped, score_line
    from zhengguan.commands.collect import collections_of, reasons

    snapshot = demo.snapshot
    devices, servers, nodes = (len(snapshot.of_kind(kind)) for kind in ("device", "server", "node"))
    console.say(
        f"清点：一个 OpenStack 云（{servers} 台云主机）、一个 Kubernetes 集群（{nodes} 个节点）、"
        f"{devices} 台网络与安全设备（均为真实系统的录制）、本机（实时）；共 {len(snapshot)} 个资源"
    )
    counts = {
        word: sum(1 for c in demo.changes if c.action == word) for word in ("added", "changed", "removed")
    }
    old = sum(1 for c in demo.changes if c.action == "added" and c.uid.startswith(f"{HOST}/"))
    console.say(
        f"比前一天：新增 {counts['added'] - old}，变化 {counts['changed']}，消失 {counts['removed']}；"
        f"陈旧 {len(snapshot.stale)}（今天没读到，留着昨天的样子，不算通过）"
    )
    console.say()
    for assessment in demo.assessments:
        system = assessment.system
        high = sum(1 for h in assessment.high_risks if h.state == "triggered")
        console.say(f"{system.title}（{system.graded}）  {title_of(assessment)}")
        console.say(f"  {score_line(assessment)}；高风险情形 {high}；问题 {len(assessment.findings)} 个")
        for group in grouped(assessment.findings)[: 3 if assessment.standard == "dengbao" else 1]:
            console.say(
                f"  先改：{group[0].message}" + (f"（共 {len(group)} 个对象）" if len(group) > 1 else "")
            )
    console.say()
    console.say("没看全的（未知不算符合）：")
    for source in demo.today.batches:
        for line in reasons(collections_of(demo.today, source))[:2]:
            console.say(f"  {source}: {line}")
    console.say()
    console.say("报告：")
    for path in demo.reports:
        console.say(f"  {path}")
    _next_steps(demo.config.path)


def _next_steps(config: Path) -> None:
    program = os.environ.get("ZHENGGUAN_COMMAND", "zhengguan")
    console.say()
    console.say("接下来可以试：")
    for words, purpose in (
        ("inventory", "有些什么"),
        ("inventory diff", "昨天到今天变了什么"),
        (
            "inventory security_group --where 'any(r.remote == \"::/0\" for r in it.rules)'",
            "哪些安全组对 IPv6 全开",
        ),
        ("check --fail-on critical", "问题清单，有严重问题则退出码 1"),
        ("check --standard miping --system zwy", "密评各层面的得分区间"),
        ("report capacity", "有多满、谁占用、可回收什么"),
        ("report ipv6 --system wzq", "一个系统的 IPv6 就绪情况"),
        ("serve", "首页和 Prometheus 指标"),
    ):
        command, _, rest = words.partition(" ")
        console.say(f"  {program} {command} -c {config} {rest}".rstrip() + f"    # {purpose}")

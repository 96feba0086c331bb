"""``zhengguan init``: write a commented configuration that works at once on this machine."""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path

from zhengguan.config import DEFAULT_FILE, parse_config
from zhengguan.console import say
from zhengguan.errors import Exit, UserError


def run(options: argparse.Namespace) -> int:
    path = Path(options.config or DEFAULT_FILE)
    if path.exists() and not options.force:
        raise UserError(f"{path} 已经存在", remedy="换个名字（-c FILE），或加 --force 覆盖")
    text = files("zhengguan").joinpath("data/zhengguan.yaml").read_text(encoding="utf-8")
    parse_config(text, path, {})
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"写不出 {path}：{error.strerror}", remedy="检查目录和权限") from error
    say(f"已写出 {path}。它现在只采集本机；按其中的注释加入云、设备和系统，然后：")
    say("  zhengguan doctor     看每个来源是否连得上、权限够不够")
    say("  zhengguan collect    采集一次")
    say("  zhengguan check      核查并看评分区间")
    return Exit.FINE

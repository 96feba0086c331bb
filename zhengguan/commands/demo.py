"""``zhengguan demo``: the whole loop on an embedded estate, no set-up."""

from __future__ import annotations

import argparse
from pathlib import Path

from zhengguan import console, demo
from zhengguan.errors import Exit


def run(options: argparse.Namespace) -> int:
    with console.progress() as progress:
        result = demo.make(Path(options.out), progress)
    demo.summary(result)
    if options.serve:
        from zhengguan import serve

        listen = options.listen or result.config.serve.listen
        address = serve.parse_listen(listen)
        console.say()
        console.say(f"首页 {address.url(tls=False)}    指标 /metrics    Ctrl-C 停止")
        serve.run(result.config, result.store, listen, collect=False)
    return Exit.FINE

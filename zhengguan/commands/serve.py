"""``zhengguan serve``: collect on schedule; /metrics, /healthz, reports and a start page."""

from __future__ import annotations

import argparse

from zhengguan import console
from zhengguan.errors import Exit
from zhengguan.loop import configured, opened


def run(options: argparse.Namespace) -> int:
    from zhengguan import serve

    config = configured(options.config)
    store = opened(config, create=True)
    listen = options.listen or config.serve.listen
    address = serve.parse_listen(listen)
    console.say(
        f"首页 {address.url(tls=bool(config.serve.tls_key))}    指标 /metrics    健康 /healthz    Ctrl-C 停止"
    )
    serve.run(config, store, listen)
    return Exit.FINE

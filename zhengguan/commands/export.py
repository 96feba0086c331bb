"""``zhengguan export``: what other programs take whole."""

from __future__ import annotations

import argparse

from exporters.cbom import cbom
from zhengguan.commands.check import put
from zhengguan.errors import Exit
from zhengguan.loop import PROGRAM, configured, latest, opened, systems_of


def run(options: argparse.Namespace) -> int:
    config = configured(options.config)
    snapshot = latest(opened(config))
    members = None
    if options.system:
        (system,) = systems_of(config, options.system)
        members = system.members(snapshot)
    put(cbom(snapshot, program=PROGRAM, members=members), options.output)
    return Exit.FINE

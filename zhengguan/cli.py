"""The command line: from words to an exit code. Each command's work is in ``zhengguan.commands``."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from zhengguan import __version__
from zhengguan.arguments import parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if words in (["--version"], ["-V"]):
        print(f"zhengguan {__version__}")
        return 0
    known = parser()
    options = known.parse_args(words)
    if not options.command:
        known.print_help()
        return 2
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    from zhengguan.errors import Exit, UserError

    try:
        _logging(options)
        module = {"except": "exceptions"}.get(options.command, options.command)
        command = import_module(f"zhengguan.commands.{module}")
        return int(command.run(options))
    except UserError as error:
        if options.debug:
            raise
        print(f"zhengguan: {error.line()}", file=sys.stderr)
        return int(error.code)
    except BrokenPipeError:  # the reader of a pipe has gone: not our error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.FINE)
    except KeyboardInterrupt:
        print("zhengguan: 已中断，未完成的快照没有写入", file=sys.stderr)
        return 130


def _logging(options: argparse.Namespace) -> None:
    import logging

    level = logging.DEBUG if options.debug else logging.INFO if options.verbose else logging.WARNING
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("zhengguan").setLevel(logging.DEBUG if options.debug else logging.INFO)

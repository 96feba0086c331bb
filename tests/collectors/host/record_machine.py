"""Record the machine this runs on: ``python record_machine.py OUT.json``. Run by hand, as root.

Password hashes and the machine id are replaced while recording; the command lines of the recorder and
its parent are not kept.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from collectors.contract import Run, Source
from collectors.host import collect_from
from collectors.host.reader import LocalReader, Output, Refusal


class RecordingReader:
    """Answers from a reader, and keeps them."""

    def __init__(self, inner: LocalReader) -> None:
        self.inner = inner
        self.user_id = inner.user_id
        self.elevated = inner.elevated
        self.record: dict[str, Any] = {
            name: {} for name in ("files", "dirs", "links", "modified", "commands")
        }

    def read_file(self, path: str) -> bytes | Refusal:
        answer = self.inner.read_file(path)
        if isinstance(answer, bytes):
            if path == "/etc/shadow":
                answer = re.sub(rb"\$(\w+)\$[^:\n]+", rb"$\1$masked", answer)
            elif path == "/etc/machine-id":
                answer = b"0123456789abcdef0123456789abcdef\n"
            elif path in (f"/proc/{os.getpid()}/cmdline", f"/proc/{os.getppid()}/cmdline"):
                answer = b"record\0"
        self.record["files"][path] = _plain(answer)
        return answer

    def list_dir(self, path: str) -> list[str] | Refusal:
        return self._kept("dirs", path, self.inner.list_dir(path))

    def read_link(self, path: str) -> str | Refusal:
        return self._kept("links", path, self.inner.read_link(path))

    def modified(self, path: str) -> float | Refusal:
        return self._kept("modified", path, self.inner.modified(path))

    def run(self, argv: tuple[str, ...]) -> Output | Refusal:
        answer = self.inner.run(argv)
        kept = [answer.status, answer.stdout.decode()] if isinstance(answer, Output) else _plain(answer)
        self.record["commands"][" ".join(argv)] = kept
        return answer

    def _kept(self, table: str, path: str, answer: Any) -> Any:
        self.record[table][path] = _plain(answer)
        return answer


def _plain(answer: Any) -> Any:
    if isinstance(answer, Refusal):
        return {"refused": str(answer)}
    if isinstance(answer, bytes):
        try:
            return answer.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(answer).decode()}
    return answer


def main() -> None:
    reader = RecordingReader(LocalReader())
    source = Source(name="recorded", type="local")
    for _ in collect_from(reader, source, Run(source)):
        pass
    note = "Recorded on a real machine; password hashes and machine id replaced."
    whole = {"note": note, "user_id": reader.user_id, "unlisted": "unreadable", **reader.record}
    Path(sys.argv[1]).write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

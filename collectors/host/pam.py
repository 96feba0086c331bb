"""PAM stacks: pam.conf(5) lines of a service with all that it includes, and the options of modules."""

from __future__ import annotations

import re

import msgspec

from collectors.host.notebook import Notebook, lines
from collectors.host.reader import Refusal

_DEPTH = 8
_LINES = 2000


class PamLine(msgspec.Struct, frozen=True):
    """``module`` without directory and ".so"."""

    type: str
    control: str
    module: str
    arguments: tuple[str, ...]

    @property
    def binding(self) -> bool:
        """Whether a failure of the module can refuse the user."""
        return self.control != "optional"

    def number(self, name: str) -> int | None:
        """Value of ``name=number``; the last one counts."""
        value = self.value(name)
        return int(value) if value is not None and re.fullmatch(r"-?[0-9]{1,9}", value) else None

    def value(self, name: str) -> str | None:
        values = [a.partition("=")[2] for a in self.arguments if a.startswith(f"{name}=")]
        return values[-1] if values else None

    def has(self, name: str) -> bool:
        return name in self.arguments


def pam_lines(data: bytes) -> list[PamLine | str]:
    """Lines of a file in /etc/pam.d; a Debian ``@include`` is the bare file name."""
    found: list[PamLine | str] = []
    for line in lines(data):
        text = line.split("#", 1)[0].strip()
        if text.startswith("@include"):
            found.append(text.removeprefix("@include").strip())
            continue
        match = re.match(r"-?(auth|account|password|session)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)", text)
        if match:
            module = match[3].rsplit("/", 1)[-1].removesuffix(".so")
            found.append(PamLine(match[1], match[2].lower(), module, tuple(match[4].split())))
    return found


class Stack(msgspec.Struct):
    """Lines of one type for one service. ``whole`` is False where a part was not readable."""

    lines: list[PamLine]
    whole: bool

    def find(self, *modules: str) -> list[PamLine]:
        return [line for line in self.lines if line.module in modules and line.binding]


def stack(notebook: Notebook, service: str, type_: str) -> Stack | None:
    """The stack of a service with its includes; None where the service has no file."""
    if notebook.exists(f"/etc/pam.d/{service}") is False:
        return None
    result = Stack([], whole=True)
    _follow(notebook, service, type_, result, ())
    return result


def _follow(notebook: Notebook, name: str, type_: str, result: Stack, path: tuple[str, ...]) -> None:
    if name in path or len(path) >= _DEPTH or len(result.lines) > _LINES:
        result.whole = False
        return
    data = notebook.file(name if name.startswith("/") else f"/etc/pam.d/{name}")
    if isinstance(data, Refusal):
        result.whole = False
        return
    for line in pam_lines(data):
        if isinstance(line, str):
            _follow(notebook, line, type_, result, (*path, name))
        elif line.type != type_:
            continue
        elif line.control in ("include", "substack"):
            _follow(notebook, line.module, type_, result, (*path, name))
        else:
            result.lines.append(line)
        if len(result.lines) > _LINES:
            result.whole = False
            return


def settings(data: bytes) -> dict[str, str]:
    """``key = value`` and bare ``key`` lines (pwquality.conf, faillock.conf); the last one counts."""
    found = {}
    for line in lines(data):
        key, _, value = line.split("#", 1)[0].partition("=")
        found[key.strip()] = value.strip()
    return found

"""Recordings of a machine: every answer that a reader gave, to be read again.

The format is gzip-compressed JSON lines: a header, then one object. Password hashes are replaced by their
scheme, the other secrets masked; what the parsers tell from the answers stays the same.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from collectors.contract import Run
from collectors.host.notebook import decode
from collectors.host.reader import Output, Reader, Refusal, allowed
from collectors.recordings import Header, lines_of, write_whole
from inventory.decoding import from_json

FORMAT = "zhengguan-local-recording/1"
_SCHEME = re.compile(rb"\$(\w+)[$,][^:\n]+")
_DES = re.compile(rb"(?m)^([^:\n]*:!*)(_?)([./0-9A-Za-z]{19}|[./0-9A-Za-z]{13})(?=:|$)")
_NO_SECRETS = frozenset({"/etc/nsswitch.conf"})  # but a word that is usually the name of one: "passwd:"
_KEPT_ARGUMENTS = ("sshd",)  # programs whose arguments the parsers read; of others the name is kept


def load(path: Path) -> RecordedReader:
    """The machine of a recording. Raises SourceError."""
    with lines_of(path, FORMAT) as (machine,):
        return RecordedReader(machine)


class _Recording(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``files`` maps a path to its text, to {"base64": …} or to {"refused": …}; likewise the others.
    ``unlisted`` is the answer for whatever is not in the recording: "unreadable" (nobody asked), or
    "not_found" where the recording describes a whole machine."""

    note: str = ""
    user_id: int = 0
    elevated: list[str] = msgspec.field(default_factory=list)
    unlisted: Refusal = Refusal.UNREADABLE
    files: dict[str, str | dict[str, str]] = msgspec.field(default_factory=dict)
    dirs: dict[str, list[str] | dict[str, str]] = msgspec.field(default_factory=dict)
    links: dict[str, str | dict[str, str]] = msgspec.field(default_factory=dict)
    modified: dict[str, float | dict[str, str]] = msgspec.field(default_factory=dict)
    commands: dict[str, tuple[int, str] | dict[str, str]] = msgspec.field(default_factory=dict)


class RecordedReader:
    """A machine from a JSON recording. Directories follow from the paths of files unless listed."""

    def __init__(self, content: bytes) -> None:
        """Raises msgspec.MsgspecError where the JSON is not a recording."""
        self._record = from_json(content, _Recording)
        self.user_id = self._record.user_id
        self.elevated = frozenset(self._record.elevated)
        self._children: dict[str, set[str]] = {}
        for path in [*self._record.files, *self._record.links, *self._record.modified]:
            self._plant(path)

    def _plant(self, path: str) -> None:
        while path not in ("", "/"):
            parent, _, name = path.rstrip("/").rpartition("/")
            self._children.setdefault(parent or "/", set()).add(name)
            path = parent

    def read_file(self, path: str) -> bytes | Refusal:
        entry = self._record.files.get(path, self._record.unlisted)
        if isinstance(entry, Refusal):
            return Refusal.UNREADABLE if path in self._children else entry
        if isinstance(entry, str):
            return entry.encode()
        if "refused" in entry:
            return _recorded_refusal(entry)
        try:
            return base64.b64decode(entry.get("base64", ""), validate=True)
        except binascii.Error:
            return Refusal.UNREADABLE

    def list_dir(self, path: str) -> list[str] | Refusal:
        entry = self._record.dirs.get(path)
        if isinstance(entry, dict):
            return _recorded_refusal(entry)
        if entry is not None:
            return sorted(entry)
        children = self._children.get(path)
        return self._record.unlisted if children is None else sorted(children)

    def read_link(self, path: str) -> str | Refusal:
        entry = self._record.links.get(path, self._record.unlisted)
        return _recorded_refusal(entry) if isinstance(entry, dict) else entry

    def modified(self, path: str) -> float | Refusal:
        entry = self._record.modified.get(path)
        if isinstance(entry, dict):
            return _recorded_refusal(entry)
        if entry is not None:
            return entry
        known = path in self._children or path in self._record.files or path in self._record.dirs
        return 0.0 if known else self._record.unlisted

    def run(self, argv: tuple[str, ...]) -> Output | Refusal:
        if not allowed(argv):
            raise ValueError(f"not an allowed command: {' '.join(argv)}")
        entry = self._record.commands.get(" ".join(argv), self._record.unlisted)
        if isinstance(entry, Refusal):
            return entry
        return _recorded_refusal(entry) if isinstance(entry, dict) else Output(entry[0], entry[1].encode())


def _recorded_refusal(entry: dict[str, str]) -> Refusal:
    try:
        return Refusal(entry.get("refused", ""))
    except ValueError:
        return Refusal.UNREADABLE


class RecordingReader:
    """See ``Reader``: passes questions on, and keeps every answer, redacted, for ``write``."""

    def __init__(self, reader: Reader, run: Run) -> None:
        self._reader = reader
        self._clean = run.redactor.text
        self._header = Header(
            format=FORMAT, source=run.source.name, recorded_at=run.now().isoformat(timespec="seconds")
        )
        self._record = _Recording(user_id=reader.user_id, elevated=sorted(reader.elevated))
        self.user_id = reader.user_id
        self.elevated = reader.elevated

    def read_file(self, path: str) -> bytes | Refusal:
        answer = self._reader.read_file(path)
        kept = _refused(answer) if isinstance(answer, Refusal) else _content(path, answer, self._clean)
        self._record.files[path] = kept
        return answer

    def list_dir(self, path: str) -> list[str] | Refusal:
        answer = self._reader.list_dir(path)
        self._record.dirs[path] = _refused(answer) if isinstance(answer, Refusal) else answer
        return answer

    def read_link(self, path: str) -> str | Refusal:
        answer = self._reader.read_link(path)
        self._record.links[path] = _refused(answer) if isinstance(answer, Refusal) else answer
        return answer

    def modified(self, path: str) -> float | Refusal:
        answer = self._reader.modified(path)
        self._record.modified[path] = _refused(answer) if isinstance(answer, Refusal) else answer
        return answer

    def run(self, argv: tuple[str, ...]) -> Output | Refusal:
        answer = self._reader.run(argv)
        self._record.commands[" ".join(argv)] = (
            _refused(answer)
            if isinstance(answer, Refusal)
            else (answer.status, self._clean(answer.stdout.decode("utf-8", "replace")))
        )
        return answer

    def encoded(self) -> bytes:
        """The machine as ``RecordedReader`` reads it: JSON, without the header."""
        return msgspec.json.encode(self._record)

    def write(self, path: Path, note: str = "") -> None:
        """Write the recording, whole or not at all."""
        self._header.note = note
        write_whole(path, msgspec.json.encode(self._header) + b"\n" + self.encoded() + b"\n")


def _refused(answer: Refusal) -> dict[str, str]:
    return {"refused": answer.value}


def _content(path: str, answer: bytes, clean: Callable[[str], str]) -> str | dict[str, str]:
    """A file as it is kept. Bytes that are no UTF-8 are kept as they are, where nothing in them is secret."""
    if path.startswith("/etc/shadow"):
        answer = _DES.sub(_blank, _SCHEME.sub(rb"$\1$******", answer))
    elif path.startswith("/proc/") and path.endswith("/cmdline"):
        name, _, _ = answer.partition(b"\0")
        if name.rsplit(b"/", 1)[-1].split(b":")[0].decode("utf-8", "replace") not in _KEPT_ARGUMENTS:
            answer = name
    if path in _NO_SECRETS:
        return decode(answer)
    try:
        return clean(answer.decode())
    except UnicodeDecodeError:
        text = decode(answer)
        cleaned = clean(text)
        return cleaned if cleaned != text else {"base64": base64.b64encode(answer).decode()}


def _blank(match: re.Match[bytes]) -> bytes:
    return match[1] + match[2] + b"." * len(match[3])

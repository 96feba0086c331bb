"""Answers of the script, taken apart, as a ``Reader`` for the parsers of ``collectors.host``."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from collectors.host.reader import MAX_FILE_BYTES, MAX_PROC_BYTES, Output, Refusal, allowed
from collectors.linux.questions import FILES, ROOTS_FILES, SOCKETS, Question

_LONGEST_STATUS = 4096
_TIMED_OUT = 124  # timeout(1)
_SOCKET = re.compile(r"users:\(\((.{1,4000}?)\)\) .*?\bino:([0-9]{1,20})\b")
_HOLDER = re.compile(r"pid=([0-9]{1,10}),fd=([0-9]{1,10})")


class Answer(msgspec.Struct, frozen=True):
    """``status``: ok, not_found, denied, unreadable, or for a command "status N" and, where sudo ran it,
    "elevated N"; after "denied" comes the command that root would have to run."""

    status: str
    content: bytes

    @property
    def refusal(self) -> Refusal | None:
        """The refusal it is; None where there is content."""
        word = self.status.partition(" ")[0]
        if word in ("ok", "status", "elevated"):
            return None
        return {"not_found": Refusal.NOT_FOUND, "denied": Refusal.DENIED}.get(word, Refusal.UNREADABLE)


class Transcript(msgspec.Struct):
    """All that a run printed. ``whole``: it came to its end. ``preface``: what came before the script, from
    the shell's own start-up or from something that is no shell."""

    answers: dict[str, Answer]
    started: bool
    whole: bool
    preface: bytes


def transcript(output: bytes, word: str) -> Transcript:
    """Take the output of a run apart. An answer that does not end is unreadable."""
    marks = re.compile(rb"(?:^|(?<=\n))" + re.escape(word.encode()) + rb"([?.!]) ([^\n]*)\n")
    found = Transcript({}, started=False, whole=False, preface=output)
    question, begins = None, 0
    for mark in marks.finditer(output):
        text = mark[2].decode("utf-8", "replace")
        if mark[1] == b"!":
            found.started |= text == "start"
            found.whole |= text == "done"
            found.preface = output[: mark.start()] if text == "start" else found.preface
        elif mark[1] == b"?":
            if question is not None:
                found.answers.setdefault(question, Answer("unreadable", b""))
            question, begins = text, mark.end()
        elif question is not None:
            content = output[begins : mark.start()]
            content = content[:-1] if content.endswith(b"\n") else content
            found.answers[question] = Answer(text[:_LONGEST_STATUS], content)
            question = None
    return found


class ScriptReader:
    """A machine by the answers of one run or more. ``missed`` keeps what the parsers asked and no run has;
    to them it is unreadable."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        user = self._text("u").strip()
        self.user_id = int(user) if user.isdecimal() else -1
        self.elevated = frozenset(
            name.removeprefix("c ")
            for name, answer in answers.items()
            if answer.status.startswith("elevated ")
        )
        self.missed: dict[Question, None] = {}
        self._names = dict(line.split(" ", 1) for line in self._text("p").split("\n") if " " in line)
        self._files = self._files_of_root()
        self._sockets = self._holders()

    @property
    def root_commands(self) -> list[str]:
        """Commands, with their full paths, that would tell more if root ran them."""
        denied = (
            a.status.removeprefix("denied ")
            for a in self._answers.values()
            if a.status.startswith("denied /")
        )
        return list(dict.fromkeys(denied))

    def read_file(self, path: str) -> bytes | Refusal:
        if path == "/etc/shadow":
            return self._shadow()
        if path in self._files:
            return self._files[path]
        answer = self._answers.get(f"f {path}")
        if answer is None:
            return Refusal.NOT_FOUND if self._absent(path) else self._process(path)
        if answer.refusal is Refusal.DENIED and self._roots(path):
            return Refusal.NOT_FOUND  # all that is there was printed
        limit = MAX_PROC_BYTES if path.startswith("/proc/") else MAX_FILE_BYTES
        return answer.refusal or (answer.content if len(answer.content) <= limit else Refusal.UNREADABLE)

    def list_dir(self, path: str) -> list[str] | Refusal:
        if path == "/proc" and self._answers.get("p"):
            return sorted(self._names)
        if match := re.fullmatch(r"/proc/([0-9]+)/fd", path):
            held = self._sockets.get(match[1])
            if not self._sockets:
                return Refusal.UNREADABLE  # without ls or sed nothing was listed at all
            if held is None:
                return Refusal.NOT_FOUND if self.user_id == 0 else Refusal.DENIED
            return sorted(held)
        answer = self._answers.get(f"d {path}")
        if answer is None:
            return Refusal.NOT_FOUND if self._absent(path) else self._missed(("d", path))
        if answer.refusal is Refusal.DENIED and self._roots(path):
            start = f"{path}/"
            return sorted(
                n[len(start) :] for n in self._files if n.startswith(start) and "/" not in n[len(start) :]
            )
        return answer.refusal or sorted(_names(answer))

    def read_link(self, path: str) -> str | Refusal:
        match = re.fullmatch(r"/proc/([0-9]+)/fd/([0-9]+)", path)
        if not match:
            answer = self._answers.get(f"l {path}")
            if answer is None:
                return Refusal.NOT_FOUND if self._absent(path) else self._missed(("l", path))
            return answer.refusal or answer.content.decode("utf-8", "replace")
        inode = self._sockets.get(match[1], {}).get(match[2])
        if inode is None:
            return Refusal.UNREADABLE
        return Refusal.DENIED if inode == "?" else f"socket:[{inode}]"

    def modified(self, path: str) -> float | Refusal:
        answer = self._answers.get(f"m {path}")
        if answer is None:
            held = self._answers.get(f"f {path}") or self._answers.get(f"d {path}")
            if held is not None and held.refusal in (None, Refusal.NOT_FOUND):
                return held.refusal or 0.0
            return Refusal.NOT_FOUND if self._absent(path) else self._missed(("m", path))
        return answer.refusal or float(answer.content)

    def run(self, argv: tuple[str, ...]) -> Output | Refusal:
        if not allowed(argv):
            raise ValueError(f"not an allowed command: {' '.join(argv)}")
        text = " ".join(argv)
        answer = self._answers.get(f"c {text}")
        if answer is None:
            return self._missed(("c", text))
        code = answer.status.rpartition(" ")[2]
        if answer.refusal or not code.isdecimal() or int(code) == _TIMED_OUT:
            return answer.refusal or Refusal.UNREADABLE
        return Output(int(code), answer.content)

    def _missed(self, question: Question) -> Refusal:
        self.missed[question] = None
        return Refusal.UNREADABLE

    def _absent(self, path: str) -> bool:
        """Whether the folder was listed and has no such name."""
        folder, _, name = path.rpartition("/")
        listed = self._answers.get(f"d {folder}")
        return listed is not None and listed.refusal is None and name not in _names(listed)

    def _text(self, name: str) -> str:
        answer = self._answers.get(name)
        return answer.content.decode("utf-8", "replace") if answer else ""

    def _process(self, path: str) -> bytes | Refusal:
        """What /proc says of a process: its name; arguments only where the script printed them."""
        match = re.fullmatch(r"/proc/([0-9]+)/(comm|cmdline)", path)
        if not match:
            return self._missed(("f", path))
        name = self._names.get(match[1])
        if name is None:
            return Refusal.NOT_FOUND
        return name.encode() + b"\n" if match[2] == "comm" else b""

    def _shadow(self) -> bytes | Refusal:
        """shadow(5) put together again from the parts that hold no hash."""
        state, dates = self._answers.get("w state"), self._answers.get("w dates")
        if state is None or dates is None:
            return Refusal.UNREADABLE
        if refusal := state.refusal or dates.refusal:
            return refusal
        first, second = (a.content.decode("utf-8", "replace").strip("\n").split("\n") for a in (state, dates))
        rows = []
        for left, right in zip(first, second, strict=False):
            name, _, field = left.partition(":")
            owner, _, rest = right.partition(":")
            if owner != name:
                break
            rows.append(f"{name}:{field}{'$******' if '$' in field else ''}:{rest}")
        return (
            "".join(f"{row}\n" for row in rows).encode()
            if len(rows) == len(first) == len(second)
            else Refusal.UNREADABLE
        )

    def _roots(self, path: str) -> bool:
        """Whether root has printed all of a place."""
        whole = "/etc/sudoers" in self._files  # or else grep did not understand its options
        return whole and any(path == p or path.startswith(f"{p}/") for p in ROOTS_FILES)

    def _files_of_root(self) -> dict[str, bytes]:
        """Files of ``grep -ZH ^``: path, NUL, one line, for each line."""
        if FILES not in self.elevated:
            return {}
        found: dict[str, bytes] = {}
        for line in self._answers[f"c {FILES}"].content.split(b"\n"):
            path, nul, text = line.partition(b"\0")
            if nul:
                name = path.decode("utf-8", "replace")
                found[name] = found.get(name, b"") + text + b"\n"
        return found

    def _holders(self) -> dict[str, dict[str, str]]:
        """Process → descriptor → inode of its socket, or "?"."""
        found: dict[str, dict[str, str]] = {}
        process = ""
        for line in self._text("o").split("\n"):
            if line.endswith(":"):
                process = line[:-1]
                found[process] = {}
            elif process and " " in line:
                descriptor, inode = line.split(" ", 1)
                found[process][descriptor] = inode
        for line in self._text(f"c {SOCKETS}").split("\n") if SOCKETS in self.elevated else ():
            if match := _SOCKET.search(line):
                for pid, descriptor in _HOLDER.findall(match[1]):
                    found.setdefault(pid, {})[descriptor] = match[2]
        return found


def _names(listed: Answer) -> list[str]:
    return [name for name in listed.content.decode("utf-8", "replace").split("\0") if name]

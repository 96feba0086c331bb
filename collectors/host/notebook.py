"""The notebook of one reading: caches what was read, and remembers what was refused and why it matters."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.host.reader import Output, Reader, Refusal

_INCLUDE_FILES = 200  # files that one configuration may pull in before we stop following it


def decode(data: bytes) -> str:
    """Text of a configuration file: UTF-8, else GB 18030 (which holds GBK), else with replacements."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding).replace("\0", "")
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace").replace("\0", "")


def lines(data: bytes, comment: str = "#") -> Iterator[str]:
    """Stripped lines that are neither empty nor a comment. Only LF ends a line; a backslash before it
    joins the next one."""
    joined = decode(data).replace("\\\r\n", " ").replace("\\\n", " ")
    for line in joined.split("\n"):
        text = line.strip()
        if text and not text.startswith(comment):
            yield text


class Notebook:
    """Reads through a ``Reader``. Per chapter (one kind): ``read`` holds origin → bytes of what was used,
    ``denied`` and ``unreadable`` what was not, ``notes`` what a reader of the result must know (中文)."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._files: dict[str, bytes | Refusal] = {}
        self._outputs: dict[tuple[str, ...], Output | Refusal] = {}
        self.open_chapter()

    @property
    def root(self) -> bool:
        return self.reader.user_id == 0

    def may_run(self, *argv: str) -> bool:
        """Whether a command that tells only root anything is run as root here."""
        return self.root or " ".join(argv) in self.reader.elevated

    def open_chapter(self) -> None:
        """Start a new kind; the cache stays."""
        self.read: dict[str, bytes] = {}
        self.denied: dict[str, None] = {}
        self.unreadable: dict[str, None] = {}
        self.notes: dict[str, None] = {}

    def note(self, text: str) -> None:
        self.notes[text] = None

    def file(self, path: str) -> bytes | Refusal:
        """A file's bytes; remembered as evidence, or as refused."""
        if path not in self._files:
            self._files[path] = self.reader.read_file(path)
        return self._kept(path, self._files[path])

    def directory(self, path: str) -> list[str] | Refusal:
        """Names in a directory; a refusal is remembered."""
        answer = self.reader.list_dir(path)
        self._refused(path, answer)
        return answer

    def exists(self, path: str) -> bool | None:
        """None = cannot be told."""
        answer = self.reader.modified(path)
        if answer is Refusal.NOT_FOUND:
            return False
        return None if isinstance(answer, Refusal) else True

    def first(self, *paths: str) -> tuple[str, bytes] | Refusal:
        """The first of several places that has the file. A place that is refused ends the search, since
        the file may be there."""
        for path in paths:
            answer = self.file(path)
            if answer is not Refusal.NOT_FOUND:
                return answer if isinstance(answer, Refusal) else (path, answer)
        return Refusal.NOT_FOUND

    def folder(self, path: str, suffix: str = "") -> list[tuple[str, bytes]] | Refusal:
        """Every file of a drop-in directory in order; [] where there is none. Refused as a whole where
        one of its files is: what that one says could change the result."""
        names = self.directory(path)
        if names is Refusal.NOT_FOUND:
            return []
        if isinstance(names, Refusal):
            return names
        found = []
        for name in [n for n in names if n.endswith(suffix)][:_INCLUDE_FILES]:
            data = self.file(f"{path}/{name}")
            if data is Refusal.NOT_FOUND:
                continue
            if isinstance(data, Refusal):
                return data
            found.append((f"{path}/{name}", data))
        return found

    def output(self, *argv: str) -> bytes | Refusal:
        """What a command printed; UNREADABLE where it failed."""
        answer = self.command(*argv)
        if isinstance(answer, Refusal):
            return answer
        return answer.stdout if answer.status == 0 else Refusal.UNREADABLE

    def command(self, *argv: str) -> Output | Refusal:
        """A command's status and output; the output is remembered as evidence."""
        if argv not in self._outputs:
            self._outputs[argv] = self.reader.run(argv)
        answer = self._outputs[argv]
        if isinstance(answer, Output) and answer.stdout.strip():
            self.read[" ".join(argv)] = answer.stdout
        return answer

    def _kept(self, path: str, answer: bytes | Refusal) -> bytes | Refusal:
        if isinstance(answer, bytes):
            self.read[path] = answer
        self._refused(path, answer)
        return answer

    def _refused(self, path: str, answer: object) -> None:
        if answer is Refusal.DENIED:
            self.denied[path] = None
        elif answer is Refusal.UNREADABLE:
            self.unreadable[path] = None

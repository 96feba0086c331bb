"""Writing what one device answered as a ``.snmprec`` file that replays to the same.

The rows are what every tool for this format reads. Comments carry what rows cannot: ``#{…}`` the header,
``#!device {…}`` what we knew of the device besides, ``#!walk {…}`` a table that was not read to its end,
``#!objects {…}`` that single objects were not, ``#!failed {…}`` that the device could not be read at all.
Without them a table that broke off would replay as a shorter one, and be believed.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from collectors.contract import SourceError
from collectors.recordings import Failure, Header
from collectors.snmp import tables
from collectors.snmp.engines import Authentication, Oid, Privacy, Value, Version, dotted_of
from collectors.snmp.reading import Answers
from inventory.coverage import Status
from inventory.decoding import from_json

FORMAT = "zhengguan-snmp-recording/1"


class Known(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is known of a device besides its rows: where it is and what it answered to."""

    address: str | None = None
    default_community: bool | None = None
    version: Version | None = None
    authentication: Authentication = "none"
    privacy: Privacy = "none"


class Unread(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Single objects that were not read to their end."""

    reason: str


class BrokenWalk(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A table that was not read to its end."""

    table: str
    status: Status
    reason: str = ""
    silent: bool = False


class Marks(msgspec.Struct, kw_only=True):
    """The comments of a recording that mean something."""

    known: Known = msgspec.field(default_factory=Known)
    walks: list[BrokenWalk] = msgspec.field(default_factory=list)
    failure: Failure | None = None
    unread: str = ""

    def read(self, comment: bytes) -> None:
        """Take in one line. With a mark that cannot be read nobody can tell what is missing: the device
        then counts as not read."""
        name, _, body = comment.partition(b" ")
        try:
            if name == b"#!device":
                self.known = from_json(body, Known)
            elif name == b"#!walk":
                self.walks.append(from_json(body, BrokenWalk))
            elif name == b"#!objects":
                self.unread = from_json(body, Unread).reason
            elif name == b"#!failed":
                self.failure = from_json(body, Failure)
        except msgspec.DecodeError:
            self.failure = Failure(reason="录制文件的标注看不懂", remedy="重新录制")

    def apply(self, answers: Answers) -> None:
        """Make walks that replayed as complete what they were."""
        for mark in self.walks:
            walk = answers.walks.get(mark.table)
            if walk is not None:
                walk.status, walk.reason, walk.silent = mark.status, mark.reason, mark.silent
        answers.unread = answers.unread or self.unread


def written(header: Header, known: Known, answers: Answers, clean: Callable[[str], str]) -> bytes:
    """The recording of a device that answered; ``clean`` masks secrets."""
    walks = [
        BrokenWalk(table=name, status=walk.status, reason=clean(walk.reason), silent=walk.silent)
        for name, walk in answers.walks.items()
        if walk.status is not Status.COMPLETE
    ]
    rows = answers.scalars | answers.objects | answers.chassis | answers.parts
    for walk in answers.walks.values():
        rows |= walk.rows
    lines = [b"#" + msgspec.json.encode(header), _mark(b"#!device ", known)]
    lines += [_mark(b"#!walk ", walk) for walk in walks]
    if answers.unread:
        lines.append(_mark(b"#!objects ", Unread(reason=clean(answers.unread))))
    lines += [_row(oid, rows[oid], clean) for oid in sorted(rows)]
    return b"\n".join(lines) + b"\n"


def failed(header: Header, error: SourceError, clean: Callable[[str], str]) -> bytes:
    """The recording of a device that did not answer, or not to us."""
    failure = Failure.of(error, clean)
    return b"#" + msgspec.json.encode(header) + b"\n" + _mark(b"#!failed ", failure) + b"\n"


def _mark(name: bytes, value: msgspec.Struct) -> bytes:
    return name + msgspec.json.encode(value)


def _row(oid: Oid, value: Value, clean: Callable[[str], str]) -> bytes:
    name = dotted_of(oid)
    if isinstance(value, bytes):
        if oid == tables.SYS_CONTACT and value:
            value = b"(not kept)"  # personal, and only whether it is set counts
        return f"{name}|4x|{_masked(value, clean).hex()}".encode()
    if value is None:
        return f"{name}|5|".encode()
    return f"{name}|{2 if isinstance(value, int) else 6}|{value}".encode()


def _masked(value: bytes, clean: Callable[[str], str]) -> bytes:
    """Octets with secrets masked; octets that hold none stay what they were, text or not."""
    octets = value.decode("latin1")
    if clean(octets) == octets:
        return value
    try:
        return clean(value.decode()).encode()
    except UnicodeDecodeError:
        return clean(octets).encode("latin1", "replace")

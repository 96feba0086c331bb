"""People's answers, as the store keeps them: appended, never changed, never deleted.

An answer is about one subject of one system: a requirement (as a whole, or on one object), or a high-risk
case. The one recorded last counts; one that was taken back is followed by ``withdrawn``. Evidence files lie
in the database beside the answers, by content: so an answer and its evidence are written in one transaction,
and one backup holds both; a server's store has no folder that all its writers share.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, TypeAlias

import msgspec
from sqlalchemy import Connection, func, inspect, select

from inventory.database import StoreError
from inventory.decoding import from_json
from inventory.encoding import microseconds, text, to_json
from inventory.tables import answer as answer_table
from inventory.tables import answer_file

Given = Literal[
    "pass", "partial", "fail", "not_applicable",  # of a requirement
    "judged",  # of an object under 密评: by D, A and K
    "absent", "present", "mitigated",  # of a high-risk case
    "withdrawn",
]  # fmt: skip
"""What a person may answer."""

About = Literal["control", "case"]
AnswerKey: TypeAlias = tuple[str, str, str, str, str]


class AnswerFile(msgspec.Struct, kw_only=True, frozen=True):
    """An evidence file: ``digest`` is the SHA-256 of its content, ``name`` safe to show and to write."""

    digest: str
    name: str
    size_bytes: int


class CryptoJudgement(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What a person judged of an object under a technical unit of 密评; None = not known.

    ``d`` 密码使用有效性, ``a`` 算法和技术合规性, ``k`` 密钥管理安全. ``strength_bits``: security strength of
    the weakest algorithm in use; ``module_level``: of the crypto module (GB/T 37092), 0 = none;
    ``keys_managed``: what else key management asks for is met. ``made_up_by`` names objects, as (unit code,
    name), that make up for this one (整体测评). ``added``: people named the object, and no inventory has it.
    """

    d: bool | None = None
    a: bool | None = None
    k: bool | None = None
    strength_bits: int | None = None
    module_level: int | None = None
    keys_managed: bool | None = None
    made_up_by: tuple[tuple[str, str], ...] = ()
    added: bool = False


class Answer(msgspec.Struct, kw_only=True, frozen=True):
    """``id`` counts the store's answers and is given by it. ``subject``: id of the control or of the case;
    ``object``: uid of one asset (under 密评 also the name of what was not inventoried), "" = the system as a
    whole. ``by`` answers for it, ``answered_at`` is when; it holds through the day ``valid_until`` (None only
    of what is withdrawn). ``crypto`` says what was "judged"."""

    system: str
    standard: str
    about: About
    subject: str
    object: str = ""
    verdict: Given
    note: str = ""
    files: tuple[AnswerFile, ...] = ()
    by: str
    answered_at: datetime
    valid_until: date | None = None
    id: int = 0
    recorded_at: datetime | None = None
    crypto: CryptoJudgement | None = None

    @property
    def key(self) -> AnswerKey:
        """What it is about: of answers with the same key the last one counts."""
        return self.system, self.standard, self.about, self.subject, self.object


def digest_of(content: bytes) -> str:
    """The name that the store knows a file by."""
    return hashlib.sha256(content).hexdigest()


def record(
    connection: Connection,
    answers: Sequence[Answer],
    files: Mapping[str, bytes],
    now: datetime,
    *,
    unless_after: int | None,
) -> list[Answer]:
    """Append answers, in order, with the files (digest → content) that are not stored yet; returned as they
    were recorded. An older store gets the tables now. Raises StoreError where somebody recorded another
    answer after ``unless_after``; ValueError for a file that is neither given nor stored."""
    for table in (answer_table, answer_file):
        table.create(connection, checkfirst=True)
    last = connection.scalar(select(func.max(answer_table.c.id))) or 0
    if unless_after is not None and last > unless_after:
        raise StoreError("在此期间又有人记录了答复，这一次没有写入", "再做一次")
    _keep(connection, {f.digest: f for a in answers for f in a.files}.values(), files, now)
    recorded = [
        msgspec.structs.replace(answer, id=number, recorded_at=now)
        for number, answer in enumerate(answers, last + 1)
    ]
    if recorded:
        connection.execute(
            answer_table.insert(),
            [
                {
                    "id": a.id,
                    "system": text(a.system),
                    "standard": text(a.standard),
                    "subject": text(a.subject),
                    "recorded_at": microseconds(now),
                    "body": to_json(a),
                }
                for a in recorded
            ],
        )
    return recorded


def _keep(
    connection: Connection, wanted: Iterable[AnswerFile], files: Mapping[str, bytes], now: datetime
) -> None:
    stored = set(connection.scalars(select(answer_file.c.id)))
    for file in wanted:
        if file.digest in stored:
            continue
        content = files.get(file.digest)
        if content is None or digest_of(content) != file.digest:
            raise ValueError(f"evidence file {file.name!r} does not come with its content")
        connection.execute(
            answer_file.insert(),
            {
                "id": file.digest,
                "size_bytes": len(content),
                "recorded_at": microseconds(now),
                "content": zlib.compress(content, 1),
            },
        )


def answers(connection: Connection, system: str | None = None) -> list[Answer]:
    """Every answer ever recorded, oldest first; of one system only where it is named. Raises StoreError for
    one that another release wrote and this one cannot read."""
    if not inspect(connection).has_table(answer_table.name):
        return []
    found = select(answer_table.c.body).order_by(answer_table.c.id)
    if system is not None:
        found = found.where(answer_table.c.system == text(system))
    try:
        return [from_json(body, Answer) for body in connection.scalars(found)]
    except msgspec.MsgspecError as error:  # to leave one out could turn a 不符合 back into an earlier 符合
        raise StoreError("库里有本程序读不懂的人工答复", "用记录它的那个版本的程序打开") from error


def file_content(connection: Connection, digest: str) -> bytes | None:
    """The content of an evidence file; None where there is none of this digest."""
    if not inspect(connection).has_table(answer_file.name):
        return None
    packed = connection.scalar(select(answer_file.c.content).where(answer_file.c.id == digest))
    return None if packed is None else zlib.decompress(packed)


def latest(found: Iterable[Answer]) -> dict[AnswerKey, Answer]:
    """The answer that counts of each key; what was taken back is left out. ``found`` is oldest first."""
    last = {answer.key: answer for answer in found}
    return {key: answer for key, answer in last.items() if answer.verdict != "withdrawn"}

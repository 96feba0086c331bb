"""What writing and reading the answer book must agree on: sheets, columns, and the key of a row.

A row is known by a hidden key, the requirement and a digest of the object, so that nothing a device or tenant
is called has to survive the way through an office. Beside it stands the answer there was when the book was
written: who answered meanwhile is not overwritten.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from policies.crypto import JUDGEMENTS
from policies.questions import Question

FORMAT: Final = "2"
SHEET: Final = "答复"
GUIDE_SHEET: Final = "说明"
META_SHEET: Final = "_zhengguan"
META: Final = ("format", "system", "standard", "exported_at", "program")
"""Names in column A of the hidden sheet, their values in column B."""

COLUMNS: Final = (
    "编号", "原答复", "条款", "安全类", "内容", "问题", "由谁负责", "对象", "程序所见", "现有答复",
    "答复", "说明", "证据文件", "答复人", "答复日期", "有效至",
)  # fmt: skip
CRYPTO_COLUMNS: Final = (*JUDGEMENTS, "安全强度（比特）", "密码模块等级", "密钥管理其余要求", "弥补者")
"""What a book of 密评 has beside, after the others."""
KEY, BASE, CITE = 0, 1, 2
VERDICT, NOTE, FILES, BY, DATE, UNTIL = range(10, 16)
CRYPTO = range(len(COLUMNS), len(COLUMNS) + len(CRYPTO_COLUMNS))
STRENGTH, MODULE, MANAGED, HELPERS = CRYPTO[3:]
FIELD_COLUMN: Final = {
    "subject": KEY,
    "object": KEY,
    "verdict": VERDICT,
    "note": NOTE,
    "files": FILES,
    "by": BY,
    "answered_at": DATE,
    "valid_until": UNTIL,
    "d": CRYPTO[0],
    "strength_bits": STRENGTH,
    "module_level": MODULE,
    "made_up_by": HELPERS,
}
"""Field of an answer → the column that says it."""


def columns_of(standard: str) -> tuple[str, ...]:
    """The columns of a book of this standard."""
    return (*COLUMNS, *CRYPTO_COLUMNS) if standard == "miping" else COLUMNS


class Row(msgspec.Struct, kw_only=True, frozen=True):
    """A question as the book has it. ``base``: id of the answer there was, 0 for none."""

    question: Question
    base: int

    @classmethod
    def of(cls, question: Question) -> Row:
        return cls(question=question, base=question.use.answer.id if question.use else 0)

    @property
    def key(self) -> str:
        q = self.question
        digest = hashlib.sha256(q.object.encode(errors="surrogatepass")).hexdigest()[:20]
        return f"{q.subject}#{digest if q.object else ''}"


def cell_name(row: int, column: int, sheet: str = SHEET) -> str:
    """As a person finds it: 答复!K7. ``row`` from 1, ``column`` from 0 (at most 26 of them)."""
    return f"{sheet}!{chr(ord('A') + column)}{row}"

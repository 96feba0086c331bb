"""One cell → one value, as its column says. Pure; raises ValueError with what to write instead (中文)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from collectors.register.layout import CellType, Column
from inventory.workbooks import day_of_cell, text_of_cell

LONGEST: Final = 500  # characters of one text
_MOST_NAMES: Final = 50
_MOST_DAYS: Final = 36_500
FOREVER_DAYS: Final = 36_500
_FIRST, _LAST = date(2000, 1, 1), date(2100, 1, 1)
_WORDS: Final = {
    "实时": 0, "每日": 1, "每天": 1, "每周": 7, "每两周": 14, "每月": 31, "每季度": 92, "每季": 92,
    "每半年": 184, "半年": 184, "每年": 366, "一年": 366, "每两年": 731, "每三年": 1096, "永久": FOREVER_DAYS,
}  # fmt: skip
"""The longest that a word may mean: a month has 31 days, a year 366."""
_UNITS: Final = {"天": 1, "日": 1, "周": 7, "个月": 31, "月": 31, "年": 366}
_AMOUNT: Final = re.compile(r"(\d{1,5})\s*(天|日|周|个月|月|年)")
_CALLABLE: Final = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")  # a mobile number of mainland China
_IDENTITY: Final = re.compile(r"(?<!\d)\d{6}(?:19|20)\d{9}[\dXx](?!\d)")  # GB 11643
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
PERSONAL: Final = re.compile("手机|电话|身份证|证件号|住址|邮箱|微信|生日|出生")
"""Headings of columns that are never read."""


def read_cell(column: Column, value: Any) -> Any:
    """The value of a cell, None for an empty one."""
    return None if not text_of_cell(value) else _READERS[column.type](column, value)


def text(value: Any) -> str:
    """A text without numbers of persons. Raises ValueError for one that is too long."""
    found = text_of_cell(value)
    if len(found) > LONGEST:
        raise ValueError(f"最长 {LONGEST} 字，这里有 {len(found)} 字")
    found = _CALLABLE.sub("（已略去）", found)
    return _IDENTITY.sub(lambda match: "（已略去）" if _is_identity(match[0]) else match[0], found)


def _is_identity(number: str) -> bool:
    """Whether the last place is the check digit of GB 11643 (ISO 7064, MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def _text(column: Column, value: Any) -> str:
    return text(value)


def _day(column: Column, value: Any) -> date | None:
    found = day_of_cell(value)
    if found is not None and not _FIRST <= found <= _LAST:
        raise ValueError(f"日期要在 2000 年到 2100 年之间，而不是 {found}")
    return found


def _yes_no(column: Column, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = text_of_cell(value)
    if word not in ("是", "否"):
        raise ValueError(f"写 是 或 否，而不是 {word[:40]}")
    return word == "是"


def _number(column: Column, value: Any) -> int:
    word = text_of_cell(value)
    if not re.fullmatch(r"[0-9]{1,6}", word):
        raise ValueError(f"写 0 或正整数，而不是 {word[:40]}")
    return int(word)


def _interval(column: Column, value: Any) -> int:
    word = text_of_cell(value).replace(" ", "")
    if word in _WORDS:
        return _WORDS[word]
    amount = _AMOUNT.fullmatch(word)
    if not amount or not 0 < int(amount[1]) * _UNITS[amount[2]] <= _MOST_DAYS:
        raise ValueError(f"写成 每月、每季度、半年、每年 或 90 天、6 个月、3 年，而不是 {word[:40]}")
    return int(amount[1]) * _UNITS[amount[2]]


def _choice(column: Column, value: Any) -> str:
    word = text_of_cell(value)
    if word not in column.choices:
        raise ValueError(f"可写 {'、'.join(column.choices)}，而不是 {word[:40]}")
    return word


def _names(column: Column, value: Any) -> list[str]:
    written = [name.strip() for name in re.split(r"[、,，;；\n]", text(value))]
    names = list(dict.fromkeys(name for name in written if name and name != "无"))
    if len(names) > _MOST_NAMES:
        raise ValueError(f"最多 {_MOST_NAMES} 个，这里有 {len(names)} 个")
    return names


_READERS: Final[dict[CellType, Callable[[Column, Any], Any]]] = {
    "text": _text, "day": _day, "yes_no": _yes_no, "number": _number, "interval": _interval,
    "choice": _choice, "names": _names,
}  # fmt: skip

"""What a device does where its configuration says nothing, by platform.

Only rows that were checked against the maker's public documents (``verified``) are used; the others stand
here so that it is seen what is missing, and leave the fact UNKNOWN. ``versions`` is a pattern over the
software version ("" = whatever it is); where it is given and the version was not told, nothing is known.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from inventory.unknown import UNKNOWN


class Default(msgspec.Struct, frozen=True, kw_only=True):
    """One default. ``basis`` says what it rests on."""

    platform: str
    fact: str
    value: Any
    basis: str
    versions: str = ""
    verified: bool = False


_SHOWN = "show running-config 对关闭的接口总是写出 shutdown"
DEFAULTS: tuple[Default, ...] = (
    Default(
        platform="huawei_vrp", fact="terminals.idle_seconds", value=600, verified=True,
        basis="idle-timeout 的默认值 10 分钟（Quidway 操作手册、CloudEngine 命令参考）",
    ),
    Default(platform="cisco_ios", fact="interfaces.shutdown", value=False, basis=_SHOWN, verified=True),
    Default(platform="ruijie_os", fact="interfaces.shutdown", value=False, basis=_SHOWN, verified=True),
)  # fmt: skip


def default_of(platform: str, fact: str, version: str) -> Any:
    """The verified default of a fact, else UNKNOWN."""
    for row in _BY_FACT.get((platform, fact), ()):
        if row.verified and (not row.versions or re.search(row.versions, version)):
            return row.value
    return UNKNOWN


_BY_FACT: dict[tuple[str, str], list[Default]] = {}
for _row in DEFAULTS:
    _BY_FACT.setdefault((_row.platform, _row.fact), []).append(_row)

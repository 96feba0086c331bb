"""What a command tells the user when it cannot go on."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """Exit codes of every command, as the README has them."""

    FINE = 0
    FINDINGS = 1  # findings at or above --fail-on
    USAGE = 2  # wrong usage or configuration
    COVERAGE = 3  # coverage below --min-coverage
    SOURCE = 4  # a source could not be read


class UserError(Exception):
    """One clear line: what, where, what to do."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "", code: Exit = Exit.USAGE) -> None:
        super().__init__(what, where, remedy)
        self.what = what
        self.where = where
        self.remedy = remedy
        self.code = code

    def __str__(self) -> str:
        return self.line()

    def line(self) -> str:
        """``where: what（remedy）`` on one line."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        text = f"{text}。{self.remedy}" if self.remedy else text
        return " ".join(text.split())

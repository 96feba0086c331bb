"""A page for each rule and each requirement, as Markdown: generated, so that it says what the program does.

Every page starts with ``MARK``; files without it are nobody's but their author's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policies.outcome import Rule
from policies.standards import Standard
from reports.pages.controls import control_pages
from reports.pages.rules import permission_page, rule_pages
from reports.pages.text import MARK

__all__ = ["MARK", "pages"]


def pages(
    rules: Sequence[Rule],
    standards: Sequence[Standard],
    sources: Mapping[str, tuple[str, Sequence[str], str]],
) -> dict[str, str]:
    """Path (under the folder of the documentation) → page. ``sources``: type of source → its title, the kinds
    it collects, and what it must be allowed to read (中文)."""
    return {
        **rule_pages(rules, standards, sources),
        **control_pages(rules, standards),
        "rules/permissions.md": permission_page(sources),
    }

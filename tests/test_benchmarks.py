"""The page of results that ``python -m benchmarks`` writes."""

from __future__ import annotations

import runpy
from pathlib import Path

HERE = Path(__file__).parents[1] / "benchmarks"
MAIN = runpy.run_path(str(HERE / "__main__.py"), run_name="benchmarks")
TABLE = "One cloud.\n\n| reader | CPU s |\n|---|---|\n| ours | 1.61 |\n"
COLUMNS = "resources           200000\nfirst snapshot  13.28 CPU-s\n"


def test_columns_of_text_are_fenced_and_a_table_is_not() -> None:
    text = MAIN["page"]({"store": ("today", COLUMNS), "openstack": ("today", TABLE)})
    assert f"## store\n\ntoday\n\n```\n{COLUMNS}```\n" in text
    assert f"## openstack\n\ntoday\n\n{TABLE}" in text
    assert text.index("## openstack") < text.index("## store")


def test_a_section_that_is_not_measured_again_stays_and_gets_the_fence_it_lacks() -> None:
    read, page = MAIN["read"], MAIN["page"]
    by_hand = f"# Old\n\n## store\n\ntoday\n\n{COLUMNS}"
    assert page(read(by_hand)) == page({"store": ("today", COLUMNS)})
    written = page({"store": ("today", COLUMNS), "snmp": ("then", TABLE)})
    assert page(read(written)) == written


def test_the_page_in_the_tree_is_as_it_would_be_written() -> None:
    text = (HERE / "RESULTS.md").read_text(encoding="utf-8")
    assert MAIN["page"](MAIN["read"](text)) == text

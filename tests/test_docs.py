"""What the documentation shows works as shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collectors import openstack
from collectors.openstack.table import ROWS
from policies.exceptions import load_exceptions
from policies.rule_examples import test_rule as run_examples
from policies.rules import load_rule
from policies.standards import load_standard
from zhengguan.cli import main
from zhengguan.config import parse_config

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_rule_of_the_page_on_rules(tmp_path: Path) -> None:
    (text,) = [block for block in blocks("docs/rules.md", "yaml") if "violates" in block]
    path = tmp_path / "example-rule.yaml"
    path.write_text(text, encoding="utf-8")
    rule = load_rule(path)
    results = run_examples(rule)
    assert len(results) == 3
    assert [r.problem for r in results if r.problem] == []


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/scoring.md",
        "docs/configuration.md",
        "docs/capacity.md",
        "docs/answers.md",
        "docs/exceptions.md",
        "docs/standards.md",
        "docs/ipv6.md",
        "docs/register.md",
    ],
)
def test_configurations_parse(page: str, tmp_path: Path) -> None:
    (tmp_path / "my-standards").mkdir()  # folders of standards must be there
    for block in blocks(page, "yaml"):
        parse_config(block, tmp_path / "zhengguan.yaml", {})


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_the_page_on_sources_names_every_kind_and_every_call_of_openstack() -> None:
    text = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    (chapter,) = re.findall(r"^## OpenStack$(.+?)^## ", text, re.MULTILINE | re.DOTALL)
    table = [line.split("|") for line in chapter.splitlines() if line.startswith("| `")]
    kinds = {kind for line in table for kind in re.findall(r"`(\w+)`", line[1])}
    calls = {call for line in table for call in re.findall(r"`(/[^`]+)`", line[3])}
    assert kinds == set(openstack.KINDS)
    assert {row.ask.path for row in ROWS} - {"/{}"} == calls


def test_the_exceptions_of_the_page_load(tmp_path: Path) -> None:
    (text,) = blocks("docs/exceptions.md", "yaml exceptions")
    path = tmp_path / "exceptions.yaml"
    path.write_text(text, encoding="utf-8")
    (one,) = load_exceptions([path])
    assert (one.id, one.systems) == ("old-switch-telnet", ("web",))


def test_the_baseline_of_the_page_loads_and_changes_what_it_says(tmp_path: Path) -> None:
    (text,) = blocks("docs/standards.md", "yaml standard")
    (tmp_path / "city.yaml").write_text(text, encoding="utf-8")
    city, base = load_standard("city", [tmp_path]), load_standard("dengbao")
    assert set(base.controls) - set(city.controls) == {"dengbao/8.1.1.2.a"}
    assert set(city.controls) - set(base.controls) == {"city/CITY-1", "city/CITY-2"}
    assert city.get("dengbao/8.1.4.1.d").asked_at(2)
    assert {c.id for c in city if c.changed} == {"dengbao/8.1.4.1.a", "dengbao/8.1.4.1.d"}
    page = (ROOT / "docs" / "standards.md").read_text(encoding="utf-8")
    for name in ("ipv6", "extranet"):
        assert f"({len(load_standard(name).controls)} items)" in page.split(f"`{name}`")[1].split("\n")[0]


def commands() -> list[str]:
    found = set()
    for page in PAGES:
        for text in re.findall(r"`(?:zhengguan|\./zg) ([a-z]+)[^`]*`", page.read_text(encoding="utf-8")):
            found.add(text)
    return sorted(found - {"test"})


@pytest.mark.parametrize("command", commands())
def test_commands_exist(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0


def test_the_pages_of_rules_and_requirements_are_those_of_the_rules(tmp_path: Path) -> None:
    main(["rules", "docs", "--folder", str(tmp_path), "--out", str(tmp_path / "made")])
    made = {p.relative_to(tmp_path / "made"): p.read_bytes() for p in (tmp_path / "made").rglob("*.md")}
    docs = ROOT / "docs"
    held = {
        p.relative_to(docs): p.read_bytes()
        for name in ("rules", "controls")
        for p in (docs / name).rglob("*.md")
    }
    stale = sorted(str(name) for name in made.keys() | held.keys() if made.get(name) != held.get(name))
    assert stale == [], "python -m zhengguan rules docs --out docs"

"""Pages of rules and requirements: every link leads somewhere, hostile text stays text, vendors have a line."""

from __future__ import annotations

import re
from posixpath import dirname, join, normpath

import msgspec
import pytest

from policies.assessment import TRUST_WORD
from policies.rules import load_rules
from policies.standards import load_standard
from reports.pages import MARK, pages
from reports.pages.text import plain, steps

RULES = load_rules()
STANDARDS = [load_standard(name) for name in ("dengbao", "miping", "ipv6", "extranet")]
SOURCES = {
    "snmp": ("SNMP 设备", ["device"], "只读视图"),
    "tls": ("端点", ["endpoint", "certificate"], "不要账号"),
}
NEAR = {"rules.md", "sources.md", "answers.md"}  # written by hand, beside the folders


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages(RULES, STANDARDS, SOURCES)


def test_there_is_one_for_each_rule_and_each_requirement(made: dict[str, str]) -> None:
    names = [name for name in made if not name.endswith("README.md")]
    assert len({name for name in names if name.startswith("rules/")}) == len(RULES) + 1  # and the permissions
    told = "\n".join(text for name, text in made.items() if name.startswith("controls/dengbao/"))
    assert [c.id for c in STANDARDS[0] if f"`{c.id}`" not in told] == []
    assert {f"controls/miping/{c.code}.md" for c in STANDARDS[1]} <= set(made)
    assert all(text.startswith(MARK) for text in made.values())


def test_every_link_leads_somewhere(made: dict[str, str]) -> None:
    for name, text in made.items():
        for target in re.findall(r"(?<!\\)\]\(([^)#]+)", text):
            found = normpath(join(dirname(name), target))
            assert found in made or found in NEAR, (name, target)


def test_a_page_says_what_the_rule_says(made: dict[str, str]) -> None:
    text = made["rules/tls/certificate-expired.md"]
    for said in ("# 证书应在有效期内", "`tls`，[所需权限](../permissions.md#tls)", "`not_after`、`not_before`",
                 "不符合即 D 不符合", "(../../controls/miping/NET-01.md)", "8.1.2.2.b、9.1.2.2.b"):  # fmt: skip
        assert said in text
    back = made["controls/miping/NET-01.md"]
    assert "[certificate-expired](../../rules/tls/certificate-expired.md)" in back
    assert "| 3 | `miping/8.2.a` | 8.2 a) |" in back


def test_a_page_says_what_a_requirement_rests_on_and_who_answers(made: dict[str, str]) -> None:
    for standard in STANDARDS[2:]:
        for control in standard:
            text = made[f"controls/{standard.name}/{control.code or control.cite}.md"]
            assert f"`{control.id}`" in text
            assert f"| 依据 | {TRUST_WORD[control.verified]} |" in text
            assert (f"需要{plain(control.needs)}" in text) == bool(control.needs)
    assert "| 占比 | 云主机 IPv6 地址占比 |" in made["controls/ipv6/V6-CLD-02.md"]
    site = "| 在云上由谁负责 | IaaS 云服务商，PaaS 云服务商，SaaS 云服务商（凭记忆，未核实） |"
    assert site in made["controls/dengbao/8.1.1.1.a.md"]


def test_vendors_have_a_line_each() -> None:
    assert steps("改用 SSH。华为：undo telnet；锐捷、思科：no telnet") == [
        "- 改用 SSH",
        "- **华为**：undo telnet",
        "- **锐捷、思科**：no telnet",
    ]
    assert steps("换发证书并重新加载服务；建立提醒") == ["换发证书并重新加载服务；建立提醒"]


def test_text_of_a_users_rule_is_shown_and_does_nothing() -> None:
    hostile = "<script>x</script> [a](http://x) | `b` *c*\n# d"
    rule = msgspec.structs.replace(RULES[0], why=hostile, title="好", path="/x/own rules/r.yaml")
    text = pages([rule], STANDARDS, SOURCES)[f"rules/own rules/{rule.id}.md"]
    assert r"\<script\>x\</script\> \[a\](http://x) \| \`b\` \*c\* \# d" in text
    assert plain("a\u2028b") == "a b"

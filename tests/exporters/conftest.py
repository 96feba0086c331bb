"""An assessment as hostile as an estate may be, and the rules behind it."""

from __future__ import annotations

import msgspec
import pytest

from policies.assessment import Assessment
from policies.outcome import ControlLinks, Examples, Rule
from policies.verdict import Finding, Unseen

NASTY = "sw\x00\x08\x1b[31m\ud800\uffff]]>&<a href='x'>[click](http://evil.example){0}\u202e\r\n\u2028末"


def rule(id_: str, **more: object) -> Rule:
    fields: dict[str, object] = {
        "title": f"规则 {id_}",
        "title_en": f"Rule {id_}",
        "kind": "security_group",
        "severity": "critical",
        "violates": "True",
        "evidence": ["name"],
        "message": "坏",
        "why": "一个弱口令就足以失陷。",
        "fix": "只放行堡垒机。",
        "controls": ControlLinks(decides=["dengbao/8.1.3.2.a"], supports=["dengbao/8.1.3.2.c"]),
        "examples": Examples(bad=[{}], good=[{}], unknown=[{}]),
    }
    return Rule(id=id_, **{**fields, **more})  # type: ignore[arg-type]


@pytest.fixture
def rules() -> list[Rule]:
    return [
        rule("security-group-open-admin-port"),
        rule("host-ssh-root-login", kind="host", severity="high"),
        rule("device-telnet", kind="device", severity="medium"),
        rule("user-no-mfa", kind="user", severity="high"),
        rule("never-cited"),
    ]


@pytest.fixture
def nasty() -> str:
    """Controls, a lone surrogate, a noncharacter, markup, a link, a placeholder, line ends of two kinds."""
    return NASTY


@pytest.fixture
def hostile_assessment(assessment: Assessment) -> Assessment:
    """The assessment with every text that a device, a tenant or a source may choose replaced."""
    told = [
        Finding(
            rule=f.rule,
            severity=f.severity,
            uid=f"{f.source}/{f.kind}/{NASTY}",
            kind=f.kind,
            source=f.source,
            name=NASTY,
            message=f"安全组 {NASTY} 全开",
            fix=f.fix,
            controls=f.controls,
            evidence={"name": NASTY, NASTY: [NASTY, None, float("inf")]},
        )
        for f in assessment.findings
    ]
    ids = {old.id: new.id for old, new in zip(assessment.findings, told, strict=True)}
    controls = [
        msgspec.structs.replace(
            c,
            reason=NASTY,
            objects=[
                msgspec.structs.replace(o, reason=NASTY, findings=tuple(ids[i] for i in o.findings))
                for o in c.objects
            ],
        )
        for c in assessment.controls
    ]
    return msgspec.structs.replace(
        assessment,
        findings=told,
        controls=controls,
        unseen=[Unseen(rule="user-no-mfa", kind="user", source="s", uid=NASTY, name=NASTY, missing=NASTY)],
        collections=[msgspec.structs.replace(c, reason=NASTY, scope=NASTY) for c in assessment.collections],
    )

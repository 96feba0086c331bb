"""What to fix first: gains are those of a real second assessment, never below nothing, high risks in front."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.answers import Answer, CryptoJudgement
from inventory.coverage import Batch
from inventory.kinds.host import Host
from inventory.kinds.network import Device
from inventory.kinds.virtual_network import LoadBalancer
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from policies.assess import assess
from policies.assess_crypto import assess_crypto
from policies.assessment import Assessment
from policies.outcome import Outcome, Rule
from policies.priorities import effort_of, gain_text
from policies.rules import load_rules
from policies.standards import load_standard
from policies.verdict import Finding

STANDARDS = {name: load_standard(name) for name in ("dengbao", "miping")}
AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
SW = [Device(source=n, native_id=n, name=n, role="switch") for n in ("sw1", "sw2")]
HOSTS = [Host(source="h", native_id="h", name="h")]
LBS = [LoadBalancer(source="c", native_id=n, name=n) for n in ("lb1", "lb2")]
BY_ID = {rule.id: rule for rule in load_rules()}
USED: list[tuple[str, Sequence[Any]]] = [
    ("device-telnet", SW),
    ("device-snmp-plaintext", SW),
    ("host-password-length", HOSTS),
    ("host-lockout", HOSTS),
    ("ssh-weak-ciphers", HOSTS),
    ("lb-plain-http", LBS),
    ("lb-weak-tls", LBS),
]
SIZE = sum(len(resources) for _, resources in USED)
SYSTEM = System(
    name="s",
    title="系统",
    grade="S3A3",
    cloud="tenant",
    include=[Selector(sources=["*"])],
    absent_objects=["vm", "security_device", "database", "terminal", "application"],
)


def outcome(rule: Rule, resources: Sequence[Any], letters: str) -> Outcome:
    at = {letter: [i for i, a in enumerate(letters) if a == letter] for letter in "fun"}
    return Outcome(
        rule=rule, resources=resources, failed=at["f"], unknown=at["u"], excluded=at["n"], unseen=[], gaps=[],
        findings=[
            Finding(rule=rule.id, severity=rule.severity, uid=resources[i].uid, kind=rule.kind, fix="f",
                    source=resources[i].source, name="", message="m", controls=(), evidence={})
            for i in at["f"]
        ],
    )  # fmt: skip


def outcomes(letters: str, mended: Sequence[str] = ()) -> list[Outcome]:
    """``mended``: rules whose failures are passes."""
    made, place = [], 0
    for id_, resources in USED:
        own = letters[place : place + len(resources)]
        place += len(resources)
        made.append(outcome(BY_ID[id_], resources, own.replace("f", "p") if id_ in mended else own))
    return made


def run(standard: str, found: list[Outcome], answers: Sequence[Answer] = (), **more: Any) -> Assessment:
    snapshot = Snapshot.of_batches([Batch(resources=[*SW, *HOSTS, *LBS])], AT)
    made = assess_crypto if standard == "miping" else assess
    return made(SYSTEM, STANDARDS[standard], found, snapshot, answers=answers, **more)


def answer(subject: str, object_: str, verdict: str) -> Answer:
    standard = subject.partition("/")[0]
    judged = CryptoJudgement(d=True, a=True, k=True) if verdict == "judged" else None
    return Answer(
        system="s", standard=standard, about="control", subject=subject, object=object_, note="x", by="张三",
        verdict=verdict, answered_at=AT, valid_until=AT.date(), crypto=judged,  # type: ignore[arg-type]
    )  # fmt: skip


ANSWERS = [
    answer("dengbao/8.1.4.1.c", "", "pass"),
    answer("dengbao/8.1.4.1.a", "h/host/h", "partial"),
    answer("miping/8.2.c", "", "judged"),
    answer("miping/8.2.a", "c/load_balancer/lb1", "not_applicable"),
    answer("miping/8.3.b", "", "judged"),
]
LETTERS = st.text("pfun", min_size=SIZE, max_size=SIZE)


@settings(max_examples=15)
@given(LETTERS, st.sampled_from(["dengbao", "miping"]), st.lists(st.sampled_from(ANSWERS), unique_by=id))
def test_a_gain_is_that_of_a_real_second_look_and_never_negative(
    letters: str, standard: str, answers: list[Answer]
) -> None:
    found = run(standard, outcomes(letters), answers, ranked=True)
    assert {p.rule for p in found.priorities} == {f.rule for f in found.findings}
    for p in found.priorities:
        after = run(standard, outcomes(letters, [p.rule]), answers).score
        assert after.low is not None and found.score.low is not None  # noqa: PT018
        assert after.high is not None and found.score.high is not None  # noqa: PT018
        assert (p.gain_low, p.gain_high) == (after.low - found.score.low, after.high - found.score.high)
        assert min(after.low - found.score.low, after.high - found.score.high) >= 0


@settings(max_examples=15)
@given(
    LETTERS,
    st.sampled_from(["dengbao", "miping"]),
    st.sets(st.sampled_from([id_ for id_, _ in USED]), min_size=1),
)
def test_what_is_assumed_is_that_of_a_real_second_look(letters: str, standard: str, rules: set[str]) -> None:
    found = run(standard, outcomes(letters), ANSWERS, assume=sorted(rules))
    assert found.assumed is not None
    assert found.assumed.score == run(standard, outcomes(letters, sorted(rules)), ANSWERS).score
    # and nothing else knows of it
    plain = run(standard, outcomes(letters), ANSWERS)
    assert msgspec.structs.replace(found, assumed=None) == plain


def test_high_risks_come_first_then_points_then_effort() -> None:
    found = run("miping", outcomes("ffppfffffff"), ranked=True)
    order = [p.rule for p in found.priorities]
    risky = [p.rule for p in found.priorities if p.cases]
    assert order[: len(risky)] == risky
    assert set(risky) == {"device-telnet", "lb-weak-tls"}
    rest = [p for p in found.priorities if not p.cases]
    gains = [p.gain_high or Decimal(0) for p in rest]
    assert gains == sorted(gains, reverse=True)
    telnet = next(p for p in found.priorities if p.rule == "device-telnet")
    assert (telnet.findings, telnet.effort, telnet.cases) == (2, "low", ("HR-DEV-02",))


def test_one_of_two_faults_gains_nothing_and_says_so() -> None:
    found = run("miping", outcomes("fpfpppppppp"), ranked=True)  # Telnet and plain SNMP on the same switch
    assert {gain_text(p, "分") for p in found.priorities} == {"单独修好不变"}
    both = run("miping", outcomes("fpfpppppppp"), assume=["device-telnet", "device-snmp-plaintext"])
    assert both.assumed is not None
    assert both.assumed.findings == 2
    assert both.assumed.score.high is not None and both.score.high is not None  # noqa: PT018
    assert both.assumed.score.high > both.score.high
    one = run("miping", outcomes("fpppppppppp"), ranked=True)
    (telnet,) = one.priorities
    assert gain_text(telnet, "分").startswith("上限 +")


def test_a_very_large_estate_is_ranked_with_the_first_reckoned() -> None:
    many = [Device(source=f"s{n}", native_id="x", name="x", role="switch") for n in range(3000)]
    ids = ["device-telnet", "device-snmp-plaintext", "device-snmp-weak-algorithms"]
    more = [
        id_ for id_, rule in BY_ID.items() if rule.kind == "device" and id_ not in ids and rule.controls.all()
    ]
    found = [outcome(BY_ID[id_], many, "f" + "p" * 2999) for id_ in [*ids, *more]]
    snapshot = Snapshot.of_batches([Batch(resources=list(many))], AT)
    made = assess(SYSTEM, STANDARDS["dengbao"], found, snapshot, ranked=True)
    reckoned = [p for p in made.priorities if p.gain_high is not None]
    assert len(reckoned) == 5
    assert len(made.priorities) > 5
    assert gain_text(made.priorities[-1], "%") == "未估算"


def test_effort_is_the_rules_own_or_that_of_its_kind() -> None:
    assert effort_of(BY_ID["endpoint-without-sm"]) == "high"
    assert effort_of(BY_ID["lb-plain-http"]) == "medium"
    assert effort_of(BY_ID["device-telnet"]) == "low"

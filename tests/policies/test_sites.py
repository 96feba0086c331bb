"""What sites tell of the IPv6 items, through the program's own rules: thresholds, what is open, and verdicts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from inventory.coverage import Batch, Collection, Status
from inventory.kinds.crypto import VersionOffer
from inventory.kinds.web import Link, Quality, Visit, Website
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from inventory.unknown import UNKNOWN, UnknownValueError
from policies.assess import assess
from policies.evaluate import evaluate
from policies.predicates import PREDICATES
from policies.predicates.contract import UndecidedError
from policies.rules import BUILTIN, load_rule
from policies.standards import load_standard

AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
RULES = [load_rule(path) for path in sorted((BUILTIN / "website").glob("*.yaml"))]


def judge(name: str, **fields: Any) -> bool | str:
    """The predicate's answer; "open" where it has none."""
    try:
        return PREDICATES[name].call(Website(source="s", native_id="x", **fields), AT)
    except (UndecidedError, UnknownValueError):
        return "open"


def quality(**six: Any) -> list[Quality]:
    four = {name: value[0] for name, value in six.items() if isinstance(value, tuple)}
    other = {name: value[1] if isinstance(value, tuple) else value for name, value in six.items()}
    return [Quality(family="ipv4", **four), Quality(family="ipv6", **other)]


def links(good: int, bad: int, open_: int = 0, **more: Any) -> list[Link]:
    kind = {"level": 2, "external": False, "embedded": False, **more}
    answers = [True] * good + [False] * bad + [UNKNOWN] * open_
    return [Link(ipv6=answer, **kind) for answer in answers]


@pytest.mark.parametrize(
    ("tries", "succeeded", "wanted"),
    [
        (20, 19, False),
        (20, 18, True),
        (40, 38, False),
        (40, 37, True),
        (19, 19, "open"),
        (3, 2, "open"),
        (3, 1, True),
    ],
)
def test_visits_that_succeed(tries: int, succeeded: int, wanted: Any) -> None:
    assert judge("few_visits_succeed", quality=quality(tries=tries, succeeded=succeeded)) == wanted


@pytest.mark.parametrize(
    ("good", "bad", "open_", "whole", "wanted"),
    [(9, 1, 0, True, False), (8, 2, 0, True, True), (9, 0, 1, True, False), (8, 1, 1, True, "open"),
     (9, 1, 0, False, "open"), (1, 9, 5, False, True), (0, 0, 0, True, False)],
)  # fmt: skip
def test_links_of_level_2(good: int, bad: int, open_: int, whole: bool, wanted: Any) -> None:
    rows = links(good, bad, open_) + links(0, 9, level=3) + links(0, 9, external=True)
    assert judge("level2_without_ipv6", links=rows, all_links=whole) == wanted


def test_links_of_level_3_and_holes() -> None:
    assert judge("level3_without_ipv6", links=links(8, 2, level=3), all_links=True) is False
    assert judge("level3_without_ipv6", links=links(7, 2, level=3), all_links=True) is True
    hosts = {"external": True, "embedded": True}
    assert judge("holes", links=links(9, 1, **hosts), all_links=True) is False
    assert judge("holes", links=links(8, 1, **hosts), all_links=True) is True
    assert judge("holes", links=links(0, 9, external=True), all_links=True) is False  # only pointed to


@pytest.mark.parametrize(
    ("name", "field", "four", "six", "wanted"),
    [
        ("slower_connect", "connect_ms", 100.0, 110.0, False),
        ("slower_connect", "connect_ms", 100.0, 111.0, True),
        ("slower_connect", "connect_ms", 5.0, 49.0, False),
        ("slower_first_byte", "first_byte_ms", 100.0, 199.0, False),
        ("slower_first_byte", "first_byte_ms", 100.0, 201.0, True),
        ("slower_page", "page_ms", 900.0, 1001.0, True),
        ("slower_page", "page_ms", 2000.0, 1500.0, False),
        ("lossier", "loss", 0.0, 0.05, True),
        ("lossier", "loss", 0.0, 0.01, False),
        ("slower_page", "page_ms", None, 1.0, "open"),
        ("slower_page", "page_ms", 1.0, UNKNOWN, "open"),
    ],
)
def test_figures_against_ipv4(name: str, field: str, four: Any, six: Any, wanted: Any) -> None:
    assert judge(name, quality=quality(**{field: (four, six)})) == wanted


@pytest.mark.parametrize(
    ("four", "six", "page_ms", "wanted"),
    [
        (1000.0, 900.0, 1500.0, True),
        (1000.0, 950.0, 1500.0, False),
        (9e6, 2e6, 1500.0, False),
        (1000.0, 100.0, 900.0, False),
    ],
)
def test_rates(four: float, six: float, page_ms: float, wanted: bool) -> None:
    assert (
        judge("slower_download", quality=quality(bytes_per_second=(four, six), page_ms=(50.0, page_ms)))
        is wanted
    )


def visits(**fields: tuple[Any, Any]) -> list[Visit]:
    return [
        Visit(family=family, **{name: pair[number] for name, pair in fields.items()})
        for number, family in enumerate(("ipv4", "ipv6"))
    ]


def test_tls_ports_and_headers() -> None:
    def offer(*suites: str) -> list[VersionOffer]:
        return [VersionOffer(version="TLS 1.2", offered=True, suites=list(suites))]

    same = {"certificate": ("a", "a"), "certificate_problem": (None, None)}
    assert judge("tls_differs", visits=visits(**same, versions=(offer("A", "B"), offer("B", "A")))) is False
    assert judge("tls_differs", visits=visits(**same, versions=(offer("A"), offer("A", "B")))) is True
    assert judge("tls_differs", visits=visits(**same, versions=(offer("A"), UNKNOWN))) == "open"
    assert judge("tls_differs", visits=visits(certificate=("a", "b"))) is True
    refused = {"certificate": ("a", "a"), "certificate_problem": (None, "expired")}
    assert judge("tls_differs", visits=visits(**refused)) is True
    assert judge("ports_wider", visits=visits(open_ports=([443], [443, 22]))) is True
    assert judge("ports_wider", visits=visits(open_ports=([443, 22], [443]))) is False
    assert judge("headers_weaker", visits=visits(headers=({"a": "1"}, {}))) is True
    assert judge("headers_weaker", visits=visits(headers=({}, {"a": "1"}))) is False


def verdicts(*sites: Website, status: Status = Status.COMPLETE) -> dict[str, str]:
    told = Collection(source="s", kind="website", status=status, started_at=AT, ended_at=AT)
    snapshot = Snapshot.of_batches([Batch(resources=list(sites), collections=[told])], AT)
    system = System(name="s", title="系统", grade="S2A2", include=[Selector(sources=["*"])])
    outcomes = evaluate(RULES, snapshot, members=system.members(snapshot), now=AT)
    found = assess(system, load_standard("ipv6"), outcomes, snapshot)
    return {c.control.id.removeprefix("ipv6/"): c.verdict.value for c in found.controls}


def test_sites_decide_their_items() -> None:
    def site(name: str, *, ok: bool = True) -> Website:
        return Website(
            source="s", native_id=name, name=name, similarity=0.99, links=links(10, 0), all_links=True,
            claims_ipv6=True,
            visits=visits(ok=(True, ok), certificate=(None, None), certificate_problem=(None, None), versions=([], []),
                          headers=({}, {}), open_ports=([80], [80])),
            quality=quality(tries=20, succeeded=20, loss=(0.0, 0.0), connect_ms=(1.0, 1.0), first_byte_ms=(1.0, 1.0),
                            page_ms=(1.0, 1.0), bytes_per_second=(9e6, 9e6)),
        )  # fmt: skip

    good = verdicts(site("a"), site("b"))
    decided = {f"V6-WEB-{n:02}" for n in (2, 3, 5, 6, 8, 10, 11, 12, 13, 14, 16, 17)}
    assert {item for item in decided if good[item] != "pass"} == set()
    mixed = verdicts(site("a"), site("b", ok=False))
    assert mixed["V6-WEB-02"] in ("fail", "partial")
    # one site that nobody saw may fail: what passed there decides nothing
    assert verdicts(site("a"), status=Status.PARTIAL)["V6-WEB-02"] == "unknown"

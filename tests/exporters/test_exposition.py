"""What a scrape gets: exact bytes, prometheus-client's parsers as oracle, a limit that is never silent."""

from __future__ import annotations

import gzip
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.registry import CollectorRegistry

from exporters.exposition import (
    Encoded,
    Family,
    Fragments,
    Page,
    encode,
    fragment,
    negotiate,
    number,
    wants_gzip,
)

SERVERS = Family("zhengguan_servers", 'Servers \\ of\n"a" cloud.', labels=("source", "status"))
device_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def samples(text: str, parse: object) -> list[tuple[str, dict[str, str], float]]:
    return [(s.name, s.labels, s.value) for f in parse(text) for s in f.samples]  # type: ignore[operator]


def test_text_and_openmetrics_to_the_byte() -> None:
    page = Page(
        [
            encode(SERVERS, [(("cloud", 'a"b\\c\nd'), 3), (("云", "运行"), Decimal("0.5"))]),
            encode(Family("zhengguan_runs_total", "Runs.", "counter"), [((), 7)]),
            encode(Family("zhengguan_build_info", "Version.", "info", ("version",)), [(("1",), 1)]),
        ]
    )
    shared = (
        'zhengguan_servers{source="cloud",status="a\\"b\\\\c\\nd"} 3\n'
        'zhengguan_servers{source="云",status="运行"} 0.5\n'
    )
    assert (
        page.body("text")
        .decode()
        .startswith(
            '# HELP zhengguan_servers Servers \\\\ of\\n"a" cloud.\n# TYPE zhengguan_servers gauge\n'
            + shared
            + "# HELP zhengguan_runs_total Runs.\n# TYPE zhengguan_runs_total counter\n"
            "zhengguan_runs_total 7\n"
            "# HELP zhengguan_build_info Version.\n# TYPE zhengguan_build_info gauge\n"
            'zhengguan_build_info{version="1"} 1\n'
        )
    )
    assert (
        page.body("openmetrics")
        .decode()
        .startswith(
            '# HELP zhengguan_servers Servers \\\\ of\\n\\"a\\" cloud.\n# TYPE zhengguan_servers gauge\n'
            + shared
            + "# HELP zhengguan_runs Runs.\n# TYPE zhengguan_runs counter\nzhengguan_runs_total 7\n"
            "# HELP zhengguan_build Version.\n# TYPE zhengguan_build info\n"
            'zhengguan_build_info{version="1"} 1\n'
        )
    )
    assert page.body("openmetrics").endswith(b"# EOF\n")


@given(st.lists(st.tuples(device_text, device_text), max_size=6, unique=True))
def test_any_label_text_survives_both_parsers(values: list[tuple[str, str]]) -> None:
    page = Page([encode(SERVERS, [(pair, i) for i, pair in enumerate(values)])])
    expected = [
        ("zhengguan_servers", {"source": a, "status": b}, float(i)) for i, (a, b) in enumerate(values)
    ]
    for form, parse in (("text", parse_text), ("openmetrics", parse_openmetrics)):
        found = samples(page.body(form).decode(), parse)  # type: ignore[arg-type]
        assert [s for s in found if s[0] == "zhengguan_servers"] == expected


@given(st.tuples(st.text(max_size=20), st.text(max_size=20)), st.floats() | st.integers())
def test_a_line_alone_equals_the_line_in_its_family(pair: tuple[str, str], value: float) -> None:
    assert fragment(SERVERS, pair, value) == encode(SERVERS, [(pair, value)]).body


@given(st.floats() | st.integers(-(2**53), 2**53))
def test_numbers_read_back_the_same(value: float) -> None:
    back = float(number(value).replace("Inf", "inf"))
    assert back == value or (math.isnan(back) and math.isnan(value))


def test_special_numbers() -> None:
    assert [number(v) for v in (math.nan, math.inf, -math.inf, True, 10**18)] == [
        "NaN",
        "+Inf",
        "-Inf",
        "1",
        "1000000000000000000",
    ]


def test_sample_for_sample_what_prometheus_client_would_say() -> None:
    rows = [((f"source-{i}", f'状态"{i}\\\n'), i * 1.25) for i in range(50)]

    class Oracle:
        def collect(self) -> list[GaugeMetricFamily]:
            family = GaugeMetricFamily(SERVERS.name, SERVERS.help, labels=SERVERS.labels)
            for values, value in rows:
                family.add_metric(values, value)
            return [family]

    registry = CollectorRegistry()
    registry.register(Oracle())  # type: ignore[arg-type]
    page = Page([encode(SERVERS, rows)])
    for oracle, form, parse in (
        (generate_latest(registry), "text", parse_text),
        (generate_openmetrics(registry), "openmetrics", parse_openmetrics),
    ):
        ours = samples(page.body(form).decode(), parse)  # type: ignore[arg-type]
        assert [s for s in ours if s[0] == SERVERS.name] == samples(oracle.decode(), parse)


def test_lone_surrogates_from_a_device_do_not_break_the_page() -> None:
    body = encode(SERVERS, [(("a\ud800", "b"), 1)]).body
    assert body == b'zhengguan_servers{source="a?",status="b"} 1\n'


@pytest.mark.parametrize(
    ("name", "kind", "labels"),
    [
        ("zhengguan runs", "gauge", ()),
        ("zhengguan_runs", "counter", ()),
        ("zhengguan_runs_total", "gauge", ()),
        ("zhengguan_build", "info", ()),
        *(("zhengguan_x", "gauge", (label,)) for label in ("region", "zone", "le", "instance", "__a", "a-b")),
        ("zhengguan_x", "gauge", ("kind", "kind")),
    ],
)
def test_names_that_would_collide_are_refused(name: str, kind: str, labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"zhengguan|metric name"):
        Family(name, "Help.", kind, labels)  # type: ignore[arg-type]


def test_rows_must_fit_and_be_distinct() -> None:
    with pytest.raises(ValueError, match="same labels"):
        encode(SERVERS, [(("a", "b"), 1), (("a", "b"), 2)])
    with pytest.raises(ValueError, match="2 label values"):
        encode(SERVERS, [(("a",), 1)])
    with pytest.raises(ValueError, match="2 labels"):
        fragment(SERVERS, ("a",), 1)


def test_fragments_render_only_what_changed() -> None:
    family = Fragments(SERVERS)
    for i in range(3):
        family.put(f"uid-{i}", (f"s{i}", "up"), i)
    before = family.encoded()
    assert family.encoded() is before
    family.put("uid-1", ("s1", "down"), 9)
    family.drop("uid-0")
    family.drop("never-there")
    after = family.encoded()
    assert after.samples == 2
    assert after.body == (
        b'zhengguan_servers{source="s1",status="down"} 9\nzhengguan_servers{source="s2",status="up"} 2\n'
    )


def of_size(name: str, count: int) -> Encoded:
    family = Family(f"zhengguan_{name}", "Help.", labels=("n",))
    return encode(family, [((str(i),), i) for i in range(count)])


def test_a_family_over_the_limit_is_left_out_whole_and_named() -> None:
    page = Page([of_size("wanted", 5), of_size("huge", 8), of_size("small", 3)], max_series=10)
    found = samples(page.body().decode(), parse_text)
    assert page.series == 8
    assert page.dropped == {"zhengguan_huge": 8}
    assert {name for name, _, _ in found if "exporter" not in name} == {"zhengguan_wanted", "zhengguan_small"}
    assert ("zhengguan_exporter_family_dropped_series", {"family": "zhengguan_huge"}, 8.0) in found
    assert ("zhengguan_exporter_dropped_families", {}, 1.0) in found
    assert ("zhengguan_exporter_series", {}, 8.0) in found


def test_a_family_may_stand_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        Page([of_size("a", 1), of_size("a", 2)])


def test_gzip_members_hold_the_page_and_are_made_once() -> None:
    page = Page([of_size("a", 100), of_size("b", 100)])
    for form in ("text", "openmetrics"):
        members = page.gzip_chunks(form)  # type: ignore[arg-type]
        assert gzip.decompress(b"".join(members)) == page.body(form)  # type: ignore[arg-type]
        assert all(a is b for a, b in zip(members, page.gzip_chunks(form), strict=True))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "text"),
        ("*/*", "text"),
        ("text/plain", "text"),
        ("application/openmetrics-text; version=1.0.0", "openmetrics"),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "openmetrics",
        ),
        ("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.9", "text"),
        ("application/openmetrics-text;version=0.0.1,text/plain;q=0.1", "text"),
        ("application/openmetrics-text;version=1.0.0;q=0", "text"),
        ("application/openmetrics-text;q=much", "text"),
    ],
)
def test_negotiation(accept: str, form: str) -> None:
    assert negotiate(accept) == form


def test_answer_follows_the_request() -> None:
    page = Page([of_size("a", 2)])
    plain = page.answer("", "identity")
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "Content-Encoding" not in plain.headers
    packed = page.answer("application/openmetrics-text", "deflate, gzip;q=0.8")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(b"".join(packed.chunks)) == page.body("openmetrics")
    assert not wants_gzip("gzip;q=0, identity")
    assert wants_gzip("*")

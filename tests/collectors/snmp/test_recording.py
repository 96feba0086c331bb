"""The .snmprec format as snmpsim writes it, with the oddities that real recordings have."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.contract import SourceError
from collectors.snmp.engines import NoAnswerError
from collectors.snmp.recording import Recording, ReplayEngine, find, stems
from collectors.snmp.waiting import alone


def values(text):
    recording = Recording(text if isinstance(text, bytes) else text.encode())
    return dict(zip(recording.oids, recording.values, strict=True))


@pytest.mark.parametrize(
    ("tag", "raw", "value"),
    [
        ("2", "-7", -7),
        ("4", "a|b", b"a|b"),
        ("4", "", b""),
        ("4x", "d6d0cec4", "中文".encode("gb2312")),
        ("4e", r"a\x01b", b"a\x01b"),
        ("5", "", None),
        ("6", "1.3.6.1.4.1.2011.2.23", "1.3.6.1.4.1.2011.2.23"),
        ("6", ".1.3.6.1", "1.3.6.1"),
        ("6", "", "0.0"),
        ("64", "10.0.0.1", "10.0.0.1"),
        ("64x", "0a000001", "10.0.0.1"),
        ("65", "4294967297", 1),
        ("66", "5", 5),
        ("67", "100", 100),
        ("68x", "9f78", b"\x9fx"),
        ("70", "18446744073709551615", 18446744073709551615),
        ("2:numeric", "min=3,max=9,rate=2", 3),
        ("67:numeric", "rate=100", 0),
        ("65:numeric", "initial=12,min=3", 12),
        ("4:writecache", "value=ESX Server 1", b"ESX Server 1"),
    ],
)
def test_tags(tag, raw, value):
    assert values(f"1.3.6.1|{tag}|{raw}") == {(1, 3, 6, 1): value}


def test_lines_out_of_order_are_put_in_order_and_bad_ones_counted():
    recording = Recording(
        b"1.3.10|2|10\r\n1.3.9|2|9\n# note\n\nno line\n"
        b"1.3.x|2|1\n1.3.2|2|abc\n1.3.3|99|1\n1.3.4|4x|zz\n.1.3.1|2|1\n"
    )
    assert recording.oids == [(1, 3, 1), (1, 3, 9), (1, 3, 10)]
    assert recording.values == [1, 9, 10]
    assert recording.malformed == 5


@given(st.binary(max_size=400))
def test_no_bytes_break_the_parser(content):
    recording = Recording(content)
    assert recording.oids == sorted(set(recording.oids))


def test_it_answers_like_an_agent():
    engine = ReplayEngine(Recording(b"1.3.1.0|2|1\n1.3.2.0|2|2\n1.3.2.1|2|3\n"))
    assert alone(engine.get([(1, 3, 1, 0), (1, 3, 7, 0)], 1)) == {(1, 3, 1, 0): 1}
    assert alone(engine.get_next((1, 3, 1), 1)) == ((1, 3, 1, 0), 1)
    assert alone(engine.get_bulk((1, 3, 1, 0), 9, 1)) == [((1, 3, 2, 0), 2), ((1, 3, 2, 1), 3)]
    assert alone(engine.get_next((1, 3, 2, 1), 1)) is None
    with pytest.raises(NoAnswerError):
        ReplayEngine(Recording(b""))


def test_packed_and_plain_files(tmp_path):
    (tmp_path / "b.snmprec").write_bytes(b"1.3|2|1")
    (tmp_path / "a.snmprec.gz").write_bytes(gzip.compress(b"1.3|2|2"))
    (tmp_path / "README.txt").write_text("not a recording")
    assert stems(tmp_path) == ["a", "b"]
    assert Recording.load(find(tmp_path, "a")).values == [2]
    assert find(tmp_path, "c") is None
    assert stems(tmp_path / "b.snmprec") == ["b"]
    (tmp_path / "bad.snmprec.gz").write_bytes(gzip.compress(b"1.3|2|2" * 999)[:20])
    with pytest.raises(SourceError, match=r"bad\.snmprec\.gz"):
        Recording.load(tmp_path / "bad.snmprec.gz")

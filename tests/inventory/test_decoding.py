"""Types that several threads meet for the first time at once."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from inventory.decoding import convert, decoder, from_json

MEETING = """
import sys, threading, msgspec
from inventory.decoding import convert, from_json

sys.setswitchinterval(1e-6)
told = {"f1": {"g1": 1}, "f4": {"g3": 2}}
for n in range(60):
    inner = [msgspec.defstruct(f"I{n}_{k}", [(f"g{i}", "int | None", None) for i in range(5)]) for k in range(5)]
    outer = msgspec.defstruct(f"O{n}", [(f"f{i}", inner[i], None) for i in range(5)])
    together = threading.Barrier(4)

    def work(index):
        together.wait()
        read = convert(told, outer) if index % 2 else from_json(msgspec.json.encode(told), outer)
        assert (read.f1.g1, read.f4.g3) == (1, 2)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
print("whole")
"""


class Row(msgspec.Struct):
    name: str


def test_threads_that_meet_a_type_at_once_do_not_crash():
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", MEETING], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "whole\n", "")


def test_json_is_read_as_it_stands_or_as_a_type():
    assert from_json('{"name": "网"}'.encode()) == {"name": "网"}
    assert from_json('[{"name": "a"}]', list[Row]) == [Row("a")]
    assert from_json(msgspec.Raw(b'"a"'), str) == "a"
    assert convert({"name": "a"}, Row) == Row("a")
    assert decoder(Row) is decoder(Row)


def test_what_does_not_fit_says_where():
    with pytest.raises(msgspec.ValidationError, match=r"\$\[0\]\.name"):
        from_json(b'[{"name": 1}]', list[Row])
    with pytest.raises(msgspec.ValidationError, match=r"\$\.name"):
        convert({"name": 1}, Row)
    with pytest.raises(msgspec.DecodeError):
        from_json(b"{")

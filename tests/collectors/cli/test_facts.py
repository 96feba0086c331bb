"""What every dialect's reader keeps."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.cli import facts
from inventory.kinds.device_config import DeviceConfig
from inventory.unknown import UNKNOWN

SAMPLES = sorted((Path(__file__).parents[2] / "data" / "cli").glob("*.cfg"))

SMALL = """#
sysname HX-SW1
#
aaa
 local-user ops password irreversible-cipher $1a$abc$
 local-user ops privilege level 15
#
user-interface vty 0 4
 authentication-mode aaa
 protocol inbound ssh
#
return
"""


def config(platform: str, text: str, **told: str) -> DeviceConfig:
    return DeviceConfig(source="s", native_id="1", **facts.read(platform, text, told))


def test_absence_in_a_text_that_broke_off_says_nothing() -> None:
    whole = config("huawei_vrp", SMALL)
    assert whole.complete is True
    assert whole.ntp.servers == []  # type: ignore[union-attr]
    assert whole.telnet.ipv4 is False  # type: ignore[union-attr]
    for cut in (
        config("huawei_vrp", SMALL.replace("return\n", "")),
        config("huawei_vrp", SMALL, partial="yes"),
    ):
        assert cut.complete is False
        assert cut.ntp.servers is UNKNOWN  # type: ignore[union-attr]
        assert cut.telnet.ipv4 is UNKNOWN  # type: ignore[union-attr]
        assert cut.users[0].name == "ops"  # type: ignore[index]


def test_a_platform_that_nobody_reads_tells_nothing() -> None:
    fields = facts.read("other_os", SMALL, {"version": "1"})
    assert fields == {"platform": "other_os", "version": "1", "line_count": 12}
    assert facts.read("huawei_vrp", "", {})["line_count"] == 1


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_a_sample_is_read_whole_and_every_line_number_lies_in_it(path: Path) -> None:
    text = path.read_text()
    read = config(path.stem.rsplit("-", 1)[0], text)
    assert read.complete is True
    assert read.line_count == len(text.rstrip().split("\n"))
    numbers = list(lines_in(msgspec.to_builtins(read)))
    assert numbers
    assert all(1 <= n <= len(text.split("\n")) for n in numbers)


def lines_in(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from inner if key == "lines" else lines_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from lines_in(inner)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_no_secret_comes_out(path: Path) -> None:
    """Everything composed as a secret says so in its text; the bad samples name theirs here."""
    out = msgspec.json.encode(config(path.stem.rsplit("-", 1)[0], path.read_text())).decode()
    for secret in ("composed", "admin@huawei.com", "ZwNet2020", "ZwRead99", "0822455D0A16", "154b092c1b250c54",
                   "zte123", "private", "public", '"super"', "bbb"):  # fmt: skip
        assert secret not in out


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_terminals_line_ends_change_nothing(path: Path) -> None:
    platform, text = path.stem.rsplit("-", 1)[0], path.read_text()
    assert facts.read(platform, text.replace("\n", "\r\n"), {}) == facts.read(platform, text, {})


@settings(max_examples=60, deadline=None)
@given(platform=st.sampled_from(facts.PLATFORMS), seed=st.integers(0, 2**32), source=st.sampled_from(SAMPLES))
def test_no_text_breaks_a_reader(platform: str, seed: int, source: Path) -> None:
    """Lines of one platform given to the reader of another, cut, doubled and torn."""
    draw = random.Random(seed)
    lines = [
        draw.choice(
            (line, line, line[: draw.randrange(len(line) + 1)], line.strip(), " " * draw.randrange(9) + line)
        )
        for line in source.read_text().split("\n")
        if draw.random() > 0.1
    ]
    draw.shuffle(lines) if draw.random() < 0.3 else None
    made = config(platform, "\n".join(lines))
    assert msgspec.json.decode(msgspec.json.encode(made), type=DeviceConfig) == made

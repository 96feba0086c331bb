"""Recordings of network devices: one file, a line per device, with its masked outputs and the facts that
only the unmasked configuration told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from collectors.cli.masking import masked
from collectors.cli.platforms import PLATFORMS
from collectors.cli.reading import Reading, complete_config, config_facts
from collectors.contract import SourceError
from collectors.recordings import Failure, Header, lines_of, write_whole
from inventory.decoding import from_json

FORMAT = "zhengguan-cli-recording/1"


def write(path: Path, header: Header, readings: Iterable[Reading], clean: Callable[[str], str]) -> None:
    """Write readings; ``clean`` masks the values that the run has learned to be secret."""
    lines = [msgspec.json.encode(header)]
    lines += [clean(msgspec.json.encode(reading).decode()).encode() for reading in readings]
    write_whole(path, b"\n".join(lines) + b"\n")


def load(path: Path) -> dict[str, Reading]:
    """Target → its reading. Raises SourceError."""
    with lines_of(path, FORMAT) as lines:
        readings = [from_json(line, Reading) for line in lines if line.strip()]
    for reading in readings:
        _complete(reading)
    return {reading.target: reading for reading in readings}


def _complete(reading: Reading) -> None:
    """A recording may be made by hand: what is not masked is masked now, and what a configuration tells is
    told."""
    shown, platform = reading.answer("configuration"), PLATFORMS.get(reading.platform)
    if reading.config is None and shown is not None and platform is not None:
        reading.config = config_facts(platform, shown, shown.text, reading)
        complete_config(reading)
    for answer in reading.answers:
        answer.text, answer.reason = masked(answer.text), masked(answer.reason)


def failure_of(target: str, error: SourceError, clean: Callable[[str], str]) -> Reading:
    """A device that could not be read at all, as a reading."""
    return Reading(target=target, failure=Failure.of(error, clean))

"""Services side by side: one that hangs costs the others nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from collectors.contract import Run, Source
from collectors.openstack.listing import Listing
from collectors.openstack.reading import UNFINISHED, Answers, Reader
from collectors.openstack.replay import ReplayClient


def reader(recording: Path, deadline_seconds: float) -> Reader:
    client = ReplayClient(recording)
    run = Run(Source(name="zw", type="openstack", deadline_seconds=deadline_seconds))
    return Reader(client, run, client.facts(), ["admin"])


def test_a_reader_that_never_comes_back_is_left_behind(recordings: dict[str, Path]) -> None:
    release, gone = threading.Event(), threading.Event()

    def hang(answers: Answers) -> None:
        answers.lists["volume"] = Listing(pages=[b"{}"], error=UNFINISHED)
        release.wait(60)
        gone.set()

    reading = reader(recordings["day1"], 0.5)
    try:
        answers = reading.side_by_side({"volume": hang, "image": reading.image})
        assert not gone.is_set()
        assert answers["image"].lists["image"].error is None
        assert answers["volume"].lists["volume"].error is UNFINISHED
        assert answers["volume"].pages("volume") == [b"{}"]
    finally:
        release.set()


def test_a_defect_in_a_reader_is_not_swallowed(recordings: dict[str, Path]) -> None:
    def defect(_: Answers) -> None:
        raise ZeroDivisionError("here")

    with pytest.raises(ZeroDivisionError):
        reader(recordings["day1"], 5).side_by_side({"volume": defect})

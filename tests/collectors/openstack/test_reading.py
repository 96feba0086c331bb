"""Services side by side: one that hangs costs the others nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.contract import Run, Source
from collectors.openstack.listing import Ask, Mapped, Place
from collectors.openstack.reading import End, Part, Reader
from collectors.openstack.replay import ReplayClient
from collectors.openstack.row import Row, View
from collectors.openstack.table import ROWS

IMAGE, VOLUME = (next(row for row in ROWS if row.name == name) for name in ("image", "volume"))


def reader(recording: Path, deadline_seconds: float, rows: list[Row]) -> Reader:
    client = ReplayClient(recording)
    run = Run(Source(name="zw", type="openstack", deadline_seconds=deadline_seconds))
    place = Place(source="zw", labels={}, clean=lambda value: value)
    return Reader(client, run, View(place=place, facts=client.facts(), admin_roles=["admin"]), rows)


def test_a_reader_that_never_comes_back_is_left_behind(recordings: dict[str, Path]) -> None:
    release, gone = threading.Event(), threading.Event()

    def hang(*_: object) -> Mapped:
        release.wait(60)
        gone.set()
        return Mapped()

    hanging = msgspec.structs.replace(VOLUME, map=hang)
    try:
        events = list(reader(recordings["day1"], 0.5, [hanging, IMAGE]).events())
        assert not gone.is_set()
    finally:
        release.set()
    assert [(e.row.name, e.error) for e in events if isinstance(e, End)] == [("image", None)]
    (part,) = (e for e in events if isinstance(e, Part))
    assert len(part.found.resources) == 7


def test_a_defect_in_a_reader_is_not_swallowed(recordings: dict[str, Path]) -> None:
    def defect(*_: object) -> Mapped:
        raise ZeroDivisionError("here")

    with pytest.raises(ZeroDivisionError):
        list(reader(recordings["day1"], 5, [msgspec.structs.replace(VOLUME, map=defect)]).events())


def test_who_takes_no_more_lets_the_threads_end(recordings: dict[str, Path]) -> None:
    before = set(threading.enumerate())
    events = reader(recordings["day1"], 5, [row for row in ROWS if not row.each]).events()
    next(events)
    events.close()  # type: ignore[attr-defined]
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()


def test_an_item_that_is_gone_is_left_out_and_all_of_them_are_unsupported(
    recordings: dict[str, Path], edited: Callable[..., Path]
) -> None:
    def answers(first: int, others: int) -> Path:
        def edit(lines: list[dict[str, Any]]) -> None:
            for i in range(6):
                lines.append(
                    {"service": "volume", "path": f"/x/{i}", "status": others if i else first, "body": {}}
                )

        return edited(edit)

    row = Row(
        name="x",
        ask=Ask(service="volume", path="/x/{}", key=""),
        each=lambda _: [str(i) for i in range(6)],
        map=lambda body, item, _: Mapped(problems=[item]),
    )

    def read(first: int, others: int) -> tuple[set[str], str | None]:
        events = list(reader(answers(first, others), 5, [row]).events())
        error = next(e.error for e in events if isinstance(e, End))
        items = {text for e in events if isinstance(e, Part) for text in e.found.problems}
        return items, error.status.value if error else None

    assert read(404, 200) == ({"1", "2", "3", "4", "5"}, None)
    assert read(404, 404) == (set(), "unsupported")
    assert read(403, 403) == (set(), "denied")
    assert read(200, 500)[1] == "failed"


def test_what_a_row_waits_for_is_read_before_it(recordings: dict[str, Path]) -> None:
    began = threading.Event()
    too_early: list[bool] = []

    def volumes(*_: object) -> Mapped:
        began.set()
        return Mapped()

    def images(*_: object) -> Mapped:
        too_early.append(began.wait(0.5))  # time enough for one that does not wait
        return Mapped()

    rows = [
        msgspec.structs.replace(VOLUME, map=volumes, after=("image",)),
        msgspec.structs.replace(IMAGE, map=images),
    ]
    list(reader(recordings["day1"], 20, rows).events())
    assert too_early == [False]
    assert began.is_set()


def test_a_row_that_moved_between_pages_counts_once(
    edited: Callable[..., Path], answer: Callable[..., dict[str, Any]]
) -> None:
    def split(lines: list[dict[str, Any]]) -> None:
        lines.remove(answer(lines, "image", "/images", os_hidden="true"))
        first = answer(lines, "image", "/images")
        lines.remove(first)
        images = first["body"]["images"]
        for params, rows, more in (
            ({}, images[:4], "/v2/images?marker=m"),
            ({"marker": "m"}, images[3:], None),
        ):
            body = {"images": rows} | ({"next": more} if more else {})
            lines.append({**first, "params": {**IMAGE.ask.params, **params}, "body": body})

    parts = [e for e in reader(edited(split), 5, [IMAGE]).events() if isinstance(e, Part)]
    assert [len(part.found.resources) for part in parts] == [4, 3]


def test_rows_wait_for_rows_that_are_there_and_never_in_a_circle() -> None:
    """Lanes run in the order of the table, so a row waits for its lane's earlier rows as well."""
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    needs: dict[str, set[str]] = {}
    for number, row in enumerate(ROWS):
        earlier = {r.name for r in ROWS[:number] if r.ask.service == row.ask.service}
        assert set(row.after) <= set(names)
        needs[row.name] = set(row.after) | earlier
    while free := {name for name, others in needs.items() if not others}:
        needs = {name: others - free for name, others in needs.items() if name not in free}
    assert needs == {}

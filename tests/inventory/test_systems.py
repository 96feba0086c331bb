"""Systems over one inventory: a resource may be part of several, and what is part of none is told."""

from __future__ import annotations

from datetime import UTC, datetime

from inventory.coverage import Batch
from inventory.kinds.host import Host, Listener
from inventory.kinds.network import Device
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System, holders_of, unassigned

AT = datetime(2026, 5, 1, tzinfo=UTC)
ROWS = [
    Host(source="web", native_id="web", name="web"),
    Listener(source="web", native_id="tcp/443", name="https"),
    Device(source="core", native_id="core", name="core", role="switch"),
    Device(source="lab", native_id="lab", name="lab", role="switch"),
]
SNAPSHOT = Snapshot.of_batches([Batch(resources=list(ROWS))], AT)


def system(name: str, *sources: str, exclude: list[Selector] | None = None) -> System:
    return System(
        name=name, title=name, grade="S2A2", include=[Selector(sources=list(sources))], exclude=exclude or []
    )


def test_a_resource_may_be_part_of_several_systems() -> None:
    holders = holders_of(SNAPSHOT, [system("portal", "web", "core"), system("mail", "core")])
    assert holders == {
        "web/host/web": ("portal",),
        "web/listener/tcp/443": ("portal",),
        "core/device/core": ("portal", "mail"),
    }


def test_what_belongs_to_no_system_is_told() -> None:
    systems = [system("portal", "web", "core", exclude=[Selector(kinds=["listener"])])]
    assert [r.uid for r in unassigned(SNAPSHOT, holders_of(SNAPSHOT, systems))] == [
        "web/listener/tcp/443",
        "lab/device/lab",
    ]
    assert len(unassigned(SNAPSHOT, {})) == 4

"""Systems (定级对象): what is graded and reported."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from datetime import date
from typing import Final, Literal

import msgspec

from inventory.kinds import KINDS, load, review
from inventory.resource import Resource
from inventory.selectors import Selector, select
from inventory.snapshot import Snapshot

ObjectType = Literal[
    "server", "vm", "network_device", "security_device", "terminal", "database", "middleware", "application",
    "cluster", "cloud_platform", "virtual_network", "image", "management_system", "network", "data",
]  # fmt: skip
"""Types of assets that a requirement may speak to, and that a system may declare not to have."""

ServiceModel = Literal["iaas", "paas", "saas"]
"""What a tenant takes from its cloud; it draws the line between the two's responsibilities."""

OF_PROVIDER = "provider"
"""Among the items of a platform's report: whatever the responsibilities give to the provider alone."""

_TOLD: Final = tuple(kind.KIND for kind in (*load.FAMILY, *review.FAMILY))
"""Kinds that a monitoring system or a register tells of things of others."""

_GRADE = re.compile(r"S([1-4])A([1-4])")


class Grade(msgspec.Struct, frozen=True):
    """S: business information, A: service assurance, both 1–4. G, and the system's own level, is the
    higher of the two (GB/T 22240)."""

    s: int
    a: int

    @classmethod
    def parse(cls, text: str) -> Grade:
        """From "S3A2". Raises ValueError."""
        match = _GRADE.fullmatch(text.strip().upper())
        if not match:
            raise ValueError(f"定级写作 S<1–4>A<1–4>，例如 S3A3，而不是 {text!r}")
        return cls(int(match[1]), int(match[2]))

    @property
    def g(self) -> int:
        return max(self.s, self.a)

    def __str__(self) -> str:
        return f"S{self.s}A{self.a}"


class PlatformReport(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The report (等级测评报告) of the cloud platform that a tenant runs on. ``items`` are the clauses that
    are wholly the platform's, as the tenant's own level has them ("8.1.1" = all below it, "8.2.2.1.a" one,
    "provider" = what the responsibilities give to the provider alone); ``partial`` and ``failed`` those that
    the report calls 部分符合 and 不符合."""

    report: str
    grade: str
    valid_until: date
    items: list[str]
    platform: str = ""
    partial: list[str] = msgspec.field(default_factory=list)
    failed: list[str] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        Grade.parse(self.grade)

    @property
    def graded(self) -> Grade:
        return Grade.parse(self.grade)

    def named(self) -> list[str]:
        """The clauses that the setting names itself."""
        return [word for word in (*self.items, *self.partial, *self.failed) if word != OF_PROVIDER]

    @property
    def told(self) -> str:
        """Which report it is (中文)."""
        name = f"{self.platform} " if self.platform else ""
        return f"{name}{self.report}，{self.graded}，有效至 {self.valid_until}"


class Responsibilities(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who answers for which clauses ("8.1.1" = all below it), where it is not the default: the provider of
    the cloud, its customer (this system), or both."""

    provider: list[str] = msgspec.field(default_factory=list)
    customer: list[str] = msgspec.field(default_factory=list)
    both: list[str] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        words = [word for _, held in self.lists() for word in held]
        twice = next((word for word in words if words.count(word) > 1), None)
        if twice is not None:
            raise ValueError(f"responsibilities 里 {twice} 出现两次")

    def lists(self) -> tuple[tuple[Literal["provider", "customer", "both"], list[str]], ...]:
        """Who → clauses."""
        return ("provider", self.provider), ("customer", self.customer), ("both", self.both)


class System(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``cloud``: "platform" = it is a cloud platform, "tenant" = it runs on one (then ``platform_report``
    may name the platform's own report, and ``platform`` what is inherited from it), "none" = the cloud
    extension does not apply. ``service_model`` and ``responsibilities`` are a tenant's: who answers for what.
    ``standards``: names of those it is judged against; where none is named 等保, and 密评 too where it has a
    ``miping_level`` of its own. ``miping_level`` is the level
    of 密评 where it is not the system's own, ``miping_edition`` its method of scoring where not the
    configured one.
    ``absent_objects``: types of assets that the owner declares the system does not have; without it a
    type that the inventory does not show stays unseen."""

    name: str
    title: str
    grade: str
    include: list[Selector]
    exclude: list[Selector] = msgspec.field(default_factory=list)
    cloud: Literal["platform", "tenant", "none"] = "none"
    department: str = ""
    contact: str = ""
    filing_number: str = ""  # 备案证明编号
    filing_expires: date | None = None
    last_assessment: date | None = None  # 上次等级测评
    platform_report: str = ""
    platform: PlatformReport | None = None
    service_model: ServiceModel | None = None
    responsibilities: Responsibilities = msgspec.field(default_factory=Responsibilities)
    importance: Literal["关键", "重要", "一般"] = "一般"
    high_availability: bool = False  # 业务连续性要求高
    absent_objects: list[ObjectType] = msgspec.field(default_factory=list)
    standards: list[str] = msgspec.field(default_factory=list)
    miping_level: Literal[1, 2, 3, 4] | None = None
    miping_edition: Literal["2023", "2021"] | None = None
    description: str = ""

    def __post_init__(self) -> None:
        Grade.parse(self.grade)
        if not self.standards:
            self.standards = ["dengbao", "miping"] if self.miping_level else ["dengbao"]
        if self.platform is not None and self.cloud != "tenant":
            raise ValueError("platform（继承云平台测评结论）只用于 cloud: tenant")
        split = self.service_model is not None or any(held for _, held in self.responsibilities.lists())
        if split and self.cloud != "tenant":
            raise ValueError("service_model 和 responsibilities（责任划分）只用于 cloud: tenant")

    @property
    def graded(self) -> Grade:
        return Grade.parse(self.grade)

    @property
    def crypto_level(self) -> int:
        """Level of 密评: the system's own, unless another one is set."""
        return self.miping_level or self.graded.g

    def members(self, snapshot: Snapshot) -> list[Resource]:
        """The resources that make up this system. What a monitoring system or a register tells of a thing is
        part of it where the thing is, whatever the selectors say of the source that tells."""
        out = {r.uid for r in select(snapshot, self.exclude)} if self.exclude else set()
        told = [r for kind in _TOLD for r in snapshot.of_kind(kind)]
        found = [r for r in select(snapshot, self.include) if r.KIND not in _TOLD]
        if out:
            found = [r for r in found if r.uid not in out]
        held = {r.uid for r in found} if told else set()
        return found + [r for r in told if r.uid not in out and not held.isdisjoint(_told_of(r))]


def _told_of(resource: Resource) -> list[str]:
    """Uids of what a load or a review tells of."""
    return resource.related("reviews") or resource.related("part_of")


def holders_of(snapshot: Snapshot, systems: Sequence[System]) -> dict[str, tuple[str, ...]]:
    """Uid → names of the systems that a resource is part of, in their order; it may be several."""
    found: dict[str, tuple[str, ...]] = {}
    for system in systems:
        for resource in system.members(snapshot):
            found[resource.uid] = (*found.get(resource.uid, ()), system.name)
    return found


def unassigned(snapshot: Snapshot, holders: Container[str]) -> list[Resource]:
    """Resources that are part of no system, by kind; ``holders`` as of ``holders_of``."""
    return [r for kind in KINDS for r in snapshot.of_kind(kind) if r.uid not in holders]

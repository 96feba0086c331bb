"""Operating systems past the end of their maker's support.

Dates are the makers' last days of general (not paid, not extended) security support, written down from
memory of their pages and not checked against them. A system that no row names is not judged: that it is
supported cannot be told from here.
"""

from __future__ import annotations

from datetime import date, datetime

from inventory.kinds.compute import Image
from inventory.kinds.host import Host
from inventory.unknown import Maybe
from policies.predicates.contract import Predicate, UndecidedError, seen

END_OF_SUPPORT: dict[tuple[str, str], date] = {
    ("centos", "5"): date(2017, 3, 31), ("centos", "6"): date(2020, 11, 30),
    ("centos", "7"): date(2024, 6, 30), ("centos", "8"): date(2021, 12, 31),
    ("rhel", "6"): date(2020, 11, 30), ("rhel", "7"): date(2024, 6, 30),
    ("rhel", "8"): date(2029, 5, 31), ("rhel", "9"): date(2032, 5, 31),
    ("ubuntu", "14.04"): date(2019, 4, 30), ("ubuntu", "16.04"): date(2021, 4, 30),
    ("ubuntu", "18.04"): date(2023, 5, 31), ("ubuntu", "20.04"): date(2025, 5, 31),
    ("ubuntu", "22.04"): date(2027, 4, 30), ("ubuntu", "24.04"): date(2029, 5, 31),
    ("debian", "8"): date(2020, 6, 30), ("debian", "9"): date(2022, 6, 30),
    ("debian", "10"): date(2024, 6, 30), ("debian", "11"): date(2026, 8, 31),
    ("debian", "12"): date(2028, 6, 30), ("debian", "13"): date(2030, 6, 30),
    ("rocky", "8"): date(2029, 5, 31), ("rocky", "9"): date(2032, 5, 31),
    ("almalinux", "8"): date(2029, 5, 31), ("almalinux", "9"): date(2032, 5, 31),
    ("windows", "2003"): date(2015, 7, 14), ("windows", "2008"): date(2020, 1, 14),
    ("windows", "2012"): date(2023, 10, 10), ("windows", "2016"): date(2027, 1, 12),
    ("windows", "2019"): date(2029, 1, 9), ("windows", "2022"): date(2031, 10, 14),
}  # fmt: skip
"""(os id, release) → last day of support; makers' life-cycle pages (CentOS, Red Hat, Canonical, Debian LTS,
Rocky, AlmaLinux, Microsoft). Debian: end of LTS."""


def past_end(system: str, version: str, now: datetime) -> bool:
    """Whether a release of an operating system is past its maker's support. Raises UndecidedError for one
    that the table does not name."""
    name = system.strip().lower()
    parts = version.strip().lower().removeprefix("server ").split()[:1]
    release = parts[0] if parts else ""
    for candidate in (release, release.split(".")[0]):
        end = END_OF_SUPPORT.get((name, candidate))
        if end is not None:
            return now.date() > end
    raise UndecidedError(f"支持期表里没有 {name} {version}".strip())


def _of(system: Maybe[str | None], version: Maybe[str | None], now: datetime) -> bool:
    name, release = seen(system), seen(version)
    if not name or not release:
        raise UndecidedError("没有写明操作系统及版本")
    return past_end(name, release, now)


def image_out_of_support(image: Image, now: datetime) -> bool:
    """Whether the declared operating system of an image is past its end of support."""
    return _of(image.os_distro, image.os_version, now)


def host_out_of_support(host: Host, now: datetime) -> bool:
    """Whether the running operating system of a host is past its end of support."""
    return _of(host.os_id, host.os_version, now)


PREDICATES = (
    Predicate(
        name="image_out_of_support",
        kinds=(Image,),
        reads=("os_distro", "os_version"),
        call=image_out_of_support,
        purpose="镜像的操作系统已过厂商支持期",
    ),
    Predicate(
        name="host_out_of_support",
        kinds=(Host,),
        reads=("os_id", "os_version"),
        call=host_out_of_support,
        purpose="主机的操作系统已过厂商支持期",
    ),
)

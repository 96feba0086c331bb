"""Lists of installed software, and services whose settings changed on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from collectors.host.evidence import kept
from collectors.host.notebook import Notebook
from collectors.host.reader import COMMANDS, LocalReader
from collectors.host.software import (
    DPKG,
    RPM,
    UNITS,
    debian_packages,
    read_outdated_units,
    read_software,
    rpm_packages,
)
from inventory.unknown import UNKNOWN

Make = Callable[..., Notebook]
TOOLS = {"/usr/bin/dpkg-query": "", "/usr/bin/rpm": ""}
SYSTEMD = {"modified": {"/run/systemd/system": 0.0}}


def test_the_commands_are_on_the_list() -> None:
    assert {DPKG, RPM, UNITS} <= COMMANDS


@pytest.mark.parametrize(
    ("line", "found", "unclear"),
    [
        ("ii |bash|5.2.15-2+b2", ["bash|5.2.15-2+b2"], []),
        ("hi |linux-image:amd64|6.1", ["linux-image:amd64|6.1"], []),  # held
        ("rc |nginx|1.22", [], []),  # its settings alone are there
        ("un |perl-modules|", [], []),
        ("iU |openssl|3.0", [], ["openssl"]),  # unpacked
        ("iF |openssl|3.0", [], ["openssl"]),  # half configured
        ("iH |openssl|3.0", [], ["openssl"]),  # half installed
        ("iW |man-db|2.11", [], ["man-db"]),  # awaits a trigger
        ("iiR|openssl|3.0", [], ["openssl"]),  # must be installed again
        ("no list at all", [], []),
    ],
)
def test_debian(line: str, found: list[str], unclear: list[str]) -> None:
    assert debian_packages(line.encode()) == (found, unclear)


def test_rpm_keeps_several_kernels_and_nothing_else_twice() -> None:
    listed = (
        "kernel|(none):5.10-60|x86_64\nkernel|(none):5.10-94|x86_64\n"
        "gpg-pubkey|(none):b2-5d|(none)\ngpg-pubkey|(none):b3-5d|(none)\n"
        "glibc|(none):2.34-1|x86_64\nglibc|(none):2.34-1|i686\n"
        "openssl|1:1.1.1m-15|x86_64\nopenssl|1:1.1.1m-33|x86_64\n"
    )
    found, unclear = rpm_packages(listed.encode())
    assert unclear == ["openssl"]
    assert len(found) == 8
    assert found[0] == "glibc|2.34-1|i686"


def test_the_list_of_this_machine() -> None:
    book = Notebook(LocalReader())
    software = read_software(book)
    assert software.manager == "dpkg"
    assert isinstance(software.packages, int)
    assert software.packages > 100
    (evidence,) = (kept(origin, content) for origin, content in book.read.items())
    assert sum(1 for line in evidence.split("\n") if line[1] == "i") == software.packages
    assert "|passwd|" in evidence


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ({" ".join(DPKG): [0, "ii |bash|5.2\n"]}, ("dpkg", 1, [])),
        ({" ".join(DPKG): [0, ""], " ".join(RPM): [0, "bash|(none):5.1-6|x86_64\n"]}, ("rpm", 1, [])),
        ({" ".join(DPKG): [2, "ii |bash|5.2\n"]}, (UNKNOWN, UNKNOWN, UNKNOWN)),
        ({}, (UNKNOWN, UNKNOWN, UNKNOWN)),
    ],
)
def test_who_keeps_the_list(notebook: Make, commands: Any, expected: Any) -> None:
    found = read_software(notebook(TOOLS, commands=commands))
    assert (found.manager, found.packages, found.unclear) == expected


def test_another_version_is_another_digest(notebook: Make) -> None:
    one, other = (
        read_software(notebook(TOOLS, commands={" ".join(DPKG): [0, f"ii |bash|{version}\n"]}))
        for version in ("5.1", "5.2")
    )
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ({}, None),  # no systemd
        (SYSTEMD, UNKNOWN),  # nobody asked it
        (
            {
                **SYSTEMD,
                "commands": {
                    " ".join(UNITS): [
                        0,
                        "Id=a.service\nNeedDaemonReload=no\n\nNeedDaemonReload=yes\nId=b.service\n",
                    ]
                },
            },
            ["b.service"],
        ),
        ({**SYSTEMD, "commands": {" ".join(UNITS): [0, "Id=a.service\nNeedDaemonReload=no\n"]}}, []),
        ({**SYSTEMD, "commands": {" ".join(UNITS): [0, "Id=a.service\n"]}}, UNKNOWN),  # it does not tell
        ({**SYSTEMD, "commands": {" ".join(UNITS): [1, ""]}}, UNKNOWN),
    ],
)
def test_services_whose_settings_are_not_loaded(notebook: Make, tables: Any, expected: Any) -> None:
    found = read_outdated_units(notebook(**tables))
    assert (found is UNKNOWN) if expected is UNKNOWN else (found == expected)

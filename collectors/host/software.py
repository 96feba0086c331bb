"""Installed software: the package manager's own list, and services that run on older settings.

The list itself is evidence (``name|version``, a line each); the host keeps how long it is, its digest, so
that a change shows, and which entries do not tell one version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Literal

from collectors.host.notebook import Notebook, decode
from collectors.host.reader import Output
from inventory.kinds.host import Software
from inventory.unknown import UNKNOWN, Maybe

DPKG = ("dpkg-query", "-W", "-f=${db:Status-Abbrev}|${binary:Package}|${Version}\\n")
"""dpkg-query(1); the abbreviation is wanted state, state, error, or a blank ("ii ", "iF ", "rc ")."""
RPM = ("rpm", "-qa", "--qf", "%{NAME}|%{EPOCH}:%{VERSION}-%{RELEASE}|%{ARCH}\\n")
"""rpm(8), its query format."""
UNITS = ("systemctl", "show", "*.service", "--property=Id,NeedDaemonReload", "--no-pager")
"""systemctl(1): a block for each loaded service, blocks apart by an empty line."""

_INSTALLED, _REMOVED = "i", ("n", "c")  # second letter of the abbreviation: installed; not, or settings alone
_SEVERAL = re.compile(r"gpg-pubkey|kernel($|-)|kmod-|.*-kernel-")  # rpm keeps several versions of these
_MOST_NAMES = 50
_Parse = Callable[[bytes], tuple[list[str], list[str]]]


def debian_packages(output: bytes) -> tuple[list[str], list[str]]:
    """``name|version`` of installed packages, sorted, and names of those neither installed nor removed."""
    found, unclear = [], []
    for line in decode(output).split("\n"):
        state, _, package = line.partition("|")
        name, bar, version = package.partition("|")
        if not bar or not name or len(state) < 2:
            continue
        if state[1] == _INSTALLED and state[2:3] != "R" and version:
            found.append(f"{name}|{version}")
        elif state[1] not in _REMOVED:
            unclear.append(name)
    return sorted(found), sorted(unclear)


def rpm_packages(output: bytes) -> tuple[list[str], list[str]]:
    """``name|version|architecture`` of packages, sorted, and names that stand there in two versions, as after
    a transaction that broke off."""
    found = []
    versions: dict[tuple[str, str], set[str]] = {}
    for line in decode(output).split("\n"):
        name, _, rest = line.strip().partition("|")
        version, bar, architecture = rest.partition("|")
        if bar and name:
            found.append(f"{name}|{version.removeprefix('(none):')}|{architecture}")
            versions.setdefault((name, architecture), set()).add(version)
    twice = {name for (name, _), seen in versions.items() if len(seen) > 1 and not _SEVERAL.match(name)}
    return sorted(found), sorted(twice)


_MANAGERS: tuple[tuple[Literal["dpkg", "rpm"], tuple[str, ...], _Parse], ...] = (
    ("dpkg", DPKG, debian_packages),
    ("rpm", RPM, rpm_packages),
)


def read_software(notebook: Notebook) -> Software:
    """What the package manager says is installed. Fields are UNKNOWN where none that is known answers."""
    for manager, command, parse in _MANAGERS:
        if notebook.exists(f"/usr/bin/{command[0]}") is False:
            continue
        answer = notebook.command(*command)
        if not isinstance(answer, Output) or answer.status != 0:
            continue
        found, unclear = parse(answer.stdout)
        if not found and not unclear:
            continue  # a tool without a database of its own: rpm on Debian
        listed = "\n".join(found).encode()
        return Software(
            manager=manager,
            packages=len(found),
            digest=hashlib.sha256(listed).hexdigest(),
            unclear=unclear[:_MOST_NAMES],
        )
    notebook.note("软件清单未知：dpkg-query 和 rpm 都没有给出结果")
    return Software()


def read_outdated_units(notebook: Notebook) -> Maybe[list[str] | None]:
    """Services whose unit file changed after systemd read it; None on a machine without systemd."""
    if notebook.exists("/run/systemd/system") is False:
        return None
    answer = notebook.output(*UNITS)
    if not isinstance(answer, bytes):
        return UNKNOWN
    found = []
    told = 0
    for block in decode(answer).split("\n\n"):
        values = dict(line.split("=", 1) for line in block.split("\n") if "=" in line)
        told += "NeedDaemonReload" in values
        if values.get("NeedDaemonReload") == "yes" and values.get("Id"):
            found.append(values["Id"])
    return sorted(found)[:_MOST_NAMES] if told else UNKNOWN

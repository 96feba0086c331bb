"""What rules of the kernel's audit cover (audit.rules(7)), told from their paths and system calls."""

from __future__ import annotations

import re
from collections.abc import Iterable

from collectors.host.notebook import lines
from inventory.kinds.host import AuditSubject

_PATHS: dict[AuditSubject, tuple[str, ...]] = {
    "identity": ("/etc/passwd", "/etc/shadow"),  # both
    "privilege": ("/etc/sudoers",),
    "logins": ("/var/log/lastlog", "/var/run/faillock", "/var/log/faillog", "/var/log/btmp", "/run/faillock"),
    "time": ("/etc/localtime",),
    "modules": ("/sbin/insmod", "/usr/sbin/insmod", "/sbin/modprobe", "/usr/sbin/modprobe", "/usr/bin/kmod"),
}
_CALLS: dict[AuditSubject, frozenset[str]] = {
    "privilege": frozenset({"execve", "setuid", "setreuid", "setresuid"}),
    "time": frozenset({"adjtimex", "settimeofday", "clock_settime"}),
    "permissions": frozenset({"chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "lchown"}),
    "deletion": frozenset({"unlink", "unlinkat", "rename", "renameat", "renameat2"}),
    "modules": frozenset({"init_module", "finit_module", "delete_module"}),
    "mounts": frozenset({"mount", "umount2", "mount_setattr"}),
}
_ALL = frozenset({"identity"})
"""Subjects of which every path has to be watched, and not one of several."""


def covered(files: Iterable[bytes]) -> list[AuditSubject]:
    """Subjects that the rules record, sorted. Rules that leave out (``never``, ``exclude``) cover none."""
    paths: set[str] = set()
    calls: set[str] = set()
    for data in files:
        for line in lines(data):
            if re.match(r"-w\s", line):
                paths.add(line.split()[1].rstrip("/"))
            elif re.match(r"-(a|A)\s+(always,exit|exit,always)\b", line):
                paths.update(p.rstrip("/") for p in re.findall(r"-F\s+(?:path|dir)=(\S+)", line))
                for names in re.findall(r"-S\s+(\S+)", line):
                    calls.update(names.split(","))
    found: set[AuditSubject] = {s for s, names in _CALLS.items() if calls & names or "all" in calls}
    for subject, wanted in _PATHS.items():
        hits = [path in paths or path.rpartition("/")[0] in paths for path in wanted]
        if all(hits) if subject in _ALL else any(hits):
            found.add(subject)
    if any(path.startswith("/etc/sudoers.d") for path in paths):
        found.add("privilege")
    return sorted(found)

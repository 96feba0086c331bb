"""Time synchronization and kernel audit, with or without systemd."""

from __future__ import annotations

import re

from collectors.host.audit_rules import covered
from collectors.host.notebook import Notebook, decode, lines
from collectors.host.processes import Processes
from collectors.host.reader import Output, Refusal
from inventory.kinds.host import Audit, TimeSync
from inventory.unknown import UNKNOWN, Maybe

_TIME_SERVICES = ("chronyd", "ntpd", "systemd-timesyncd", "ptp4l")
_CHRONY = ("/etc/chrony/chrony.conf", "/etc/chrony.conf")
_NTP = ("/etc/ntpsec/ntp.conf", "/etc/ntp.conf", "/etc/openntpd/ntpd.conf")
_NTP_LINE = re.compile(r"(?:server|pool|peer|servers)\s+(\S+)", re.IGNORECASE)
_DEPTH = 4


def ntp_servers(data: bytes) -> list[str]:
    """Servers, pools and peers of chrony.conf or ntp.conf (local reference clocks 127.127.* left out)."""
    found = [m[1] for line in lines(data) if (m := _NTP_LINE.match(line)) and not line.startswith("!")]
    return [server for server in dict.fromkeys(found) if not server.startswith("127.127.")]


def ini_values(data: bytes, key: str) -> list[str]:
    """Values of ``key=`` in a systemd configuration file; an empty value clears what came before."""
    found: list[str] = []
    for line in lines(data):
        name, equals, value = line.partition("=")
        if equals and name.strip() == key:
            found = [*found, value.strip()] if value.strip() else []
    return found


def systemd_values(notebook: Notebook, name: str, key: str) -> list[str] | Refusal:
    """Values of a key in /etc/systemd/NAME and its drop-ins; [] where it is not set."""
    found: list[str] = []
    main = notebook.first(f"/etc/systemd/{name}", f"/usr/lib/systemd/{name}")
    if isinstance(main, Refusal) and main is not Refusal.NOT_FOUND:
        return main
    drop_ins = notebook.folder(f"/etc/systemd/{name}.d", ".conf")
    if isinstance(drop_ins, Refusal):
        return drop_ins
    for _, data in [*([main] if isinstance(main, tuple) else []), *drop_ins]:
        found += ini_values(data, key)
    return found


def _chrony_servers(notebook: Notebook) -> Maybe[list[str]]:
    main = notebook.first(*_CHRONY)
    if isinstance(main, Refusal):
        return UNKNOWN
    found: list[str] = []
    queue, depth = [main[1]], 0
    while queue and depth < 50:
        depth += 1
        data = queue.pop(0)
        found += ntp_servers(data)
        for line in lines(data):
            match = re.match(r"(confdir|sourcedir|include)\s+(\S+)", line)
            if not match or not match[2].startswith("/"):
                continue
            suffix = ".sources" if match[1] == "sourcedir" else ".conf"
            more = notebook.file(match[2]) if match[1] == "include" else notebook.folder(match[2], suffix)
            if isinstance(more, bytes):
                queue.append(more)
            elif isinstance(more, list):
                queue += [text for _, text in more]
            elif more is not Refusal.NOT_FOUND:
                return UNKNOWN
    return list(dict.fromkeys(found))


def _time_servers(notebook: Notebook, service: str) -> Maybe[list[str]]:
    if service == "chronyd":
        return _chrony_servers(notebook)
    if service == "ntpd":
        main = notebook.first(*_NTP)
        return UNKNOWN if isinstance(main, Refusal) else ntp_servers(main[1])
    if service == "systemd-timesyncd":
        own = systemd_values(notebook, "timesyncd.conf", "NTP")
        fallback = systemd_values(notebook, "timesyncd.conf", "FallbackNTP")
        if isinstance(own, Refusal) or isinstance(fallback, Refusal):
            return UNKNOWN
        names = " ".join(own or fallback).split()
        return names or UNKNOWN  # neither set: those compiled in, or from DHCP
    return UNKNOWN


def _synchronized(notebook: Notebook, service: str | None) -> Maybe[bool]:
    """Whether the clock is synchronized, as chronyd, ntpd or the kernel (through timedated) say."""
    if service == "chronyd":
        answer = notebook.output("chronyc", "-n", "tracking")
        match = re.search(rb"Leap status\s*:\s*(.+)", answer) if isinstance(answer, bytes) else None
        if match:
            return match[1].strip() != b"Not synchronised"
    if service == "ntpd":
        answer = notebook.output("ntpq", "-pn")
        if isinstance(answer, bytes) and b"===" in answer:
            return re.search(rb"(?m)^[*o]", answer) is not None
    answer = notebook.output("timedatectl", "show")
    match = re.search(rb"(?m)^NTPSynchronized=(yes|no)$", answer) if isinstance(answer, bytes) else None
    return match[1] == b"yes" if match else UNKNOWN


def read_time_sync(notebook: Notebook, processes: Processes) -> TimeSync:
    """The running time service. Where none runs, servers are [] and only timedated can tell more."""
    service = next((name for name in _TIME_SERVICES if processes.running(name)), None)
    if service is None and not processes.complete:
        return TimeSync(synchronized=_synchronized(notebook, None))
    return TimeSync(
        running=service is not None,
        service=service,
        servers=_time_servers(notebook, service) if service else [],
        synchronized=_synchronized(notebook, service),
    )


def audit_rules(data: bytes) -> int:
    """Rules in the output of ``auditctl -l`` or in a rules file."""
    return sum(1 for line in lines(data) if re.match(r"-(a|A|w)\s", line))


def is_immutable(data: bytes) -> bool:
    """Whether a rules file locks the rules; the last ``-e`` counts."""
    values = [m[1] for line in lines(data) if (m := re.match(r"-e\s+(\d)\b", line))]
    return values[-1:] == ["2"]


def read_audit(notebook: Notebook, processes: Processes) -> Audit:
    """Kernel audit: loaded rules where auditctl may ask the kernel, else the configured ones."""
    running = processes.running("auditd")
    audit = Audit(running=UNKNOWN if running is None else running)
    loaded = notebook.command("auditctl", "-l") if notebook.may_run("auditctl", "-l") else Refusal.DENIED
    state = notebook.command("auditctl", "-s") if notebook.may_run("auditctl", "-s") else Refusal.DENIED
    if isinstance(loaded, Output) and loaded.status == 0:
        audit.rules = audit_rules(loaded.stdout)
        audit.covers = covered([loaded.stdout])
    if isinstance(state, Output) and state.status == 0:
        match = re.search(r"(?m)^enabled\s+(\d)|\benabled=(\d)", decode(state.stdout))
        audit.immutable = (match[1] or match[2]) == "2" if match else UNKNOWN
    if isinstance(audit.rules, int) and isinstance(audit.immutable, bool):
        return audit
    configured = _configured_audit(notebook)
    if isinstance(configured, Refusal):
        if configured is Refusal.DENIED:
            notebook.note("审计规则未知：/etc/audit 和 auditctl 需要 root")
        return audit
    if not isinstance(audit.rules, int):
        audit.rules = sum(audit_rules(data) for data in configured)
        audit.covers = covered(configured)
    if not isinstance(audit.immutable, bool):
        audit.immutable = any(is_immutable(data) for data in configured)
    return audit


def _configured_audit(notebook: Notebook) -> list[bytes] | Refusal:
    drop_ins = notebook.folder("/etc/audit/rules.d", ".rules")
    if isinstance(drop_ins, Refusal):
        return drop_ins
    if drop_ins:
        return [data for _, data in drop_ins]
    single = notebook.file("/etc/audit/audit.rules")
    if single is Refusal.NOT_FOUND:
        return []
    return single if isinstance(single, Refusal) else [single]

"""Hardening: trusted boot, permissions of sensitive files, what detects intrusions and changed files, what
stays behind in memory and files, what a server need not have installed."""

from __future__ import annotations

import re
from datetime import datetime

from collectors.host.notebook import Notebook, decode, lines
from collectors.host.processes import Processes
from collectors.host.reader import Output, Refusal
from inventory.kinds.host import FileMode, TrustedBoot
from inventory.unknown import UNKNOWN, Maybe

SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
"""UEFI variable of the global GUID: four bytes of attributes, then 1 or 0 (UEFI 2.10, 3.3)."""
_IMA = "/sys/kernel/security/ima"

STAT = (
    "stat", "-c", "%a:%U:%G:%n",
    "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/sudoers", "/etc/crontab",
    "/etc/ssh/sshd_config", "/var/log/audit", "/var/log/messages", "/var/log/syslog", "/var/log/secure",
    "/var/log/auth.log",
)  # fmt: skip
"""Every path lies in a directory that all may list: one that is not told is not there."""

INTRUSION_AGENTS: dict[str, tuple[str, ...]] = {
    "Wazuh/OSSEC": ("wazuh-agentd", "ossec-agentd"),
    "Falco": ("falco",),
    "osquery": ("osqueryd",),
    "Samhain": ("samhain",),
    "奇安信椒图": ("jowtoagent", "gsagent"),  # memory
    "青藤万相": ("titanagent", "titan_monitor"),  # memory
    "深信服 EDR": ("edr_agent", "edr_monitor"),  # memory
    "安恒 EDR": ("dasagent", "das_edr"),  # memory
    "阿里云安全中心": ("AliYunDun", "AliYunDunMonitor"),
    "腾讯云主机安全": ("YDService", "YDLive"),
    "华为云主机安全": ("hostguard", "hostwatch"),
    "CrowdStrike Falcon": ("falcon-sensor", "falcon-sensor-bpf"),
}
"""Product → its programs that watch for intrusions; rows marked ``memory`` as in ``protection.AGENTS``."""

_INTEGRITY_DATABASES = {
    "AIDE": ("/var/lib/aide/aide.db", "/var/lib/aide/aide.db.gz"),
    "Tripwire": ("/var/lib/tripwire",),
    "Samhain": ("/var/lib/samhain",),
}
_INTEGRITY_PROGRAMS = {"Wazuh/OSSEC": ("wazuh-syscheckd", "ossec-syscheckd")}
INTEGRITY = tuple(path for paths in _INTEGRITY_DATABASES.values() for path in paths)
"""Where the records of files are kept."""
SIGNATURES = tuple(f"/var/lib/clamav/daily.{suffix}" for suffix in ("cld", "cvd", "inc"))
_DISPLAY = ("gdm", "gdm3", "lightdm", "sddm", "xdm", "ukui-session", "Xorg", "Xwayland", "startdde")
_TOOLS = ("gcc", "g++", "clang", "gdb", "make", "tcpdump", "nmap", "nc", "strace")
TOOLS = tuple(f"/usr/{folder}/{tool}" for tool in _TOOLS for folder in ("bin", "sbin"))
"""Where the tools are looked for."""
_DAY = 86400.0


def read_trusted_boot(notebook: Notebook) -> TrustedBoot:
    """Secure boot, a trusted chip, and measurement of what is run (IMA)."""
    return TrustedBoot(secure_boot=_secure_boot(notebook), chip=_chip(notebook), measured=_measured(notebook))


def _secure_boot(notebook: Notebook) -> Maybe[bool | None]:
    value = notebook.file(SECURE_BOOT)
    if isinstance(value, bytes):
        return value[-1:] == b"\x01" if len(value) == 5 else UNKNOWN
    if value is not Refusal.NOT_FOUND or not notebook.exists("/sys/kernel"):
        return UNKNOWN
    uefi = notebook.exists("/sys/firmware/efi")
    if uefi is False:
        return None
    mounted = notebook.exists("/sys/firmware/efi/efivars")
    names = notebook.reader.list_dir("/sys/firmware/efi/efivars") if mounted else Refusal.UNREADABLE
    return False if isinstance(names, list) and names else UNKNOWN


def _chip(notebook: Notebook) -> Maybe[bool]:
    found = [notebook.reader.list_dir(f"/sys/class/{name}") for name in ("tpm", "tcm")]
    if any(isinstance(names, list) and names for names in found):
        return True
    seen = all(isinstance(names, list) or names is Refusal.NOT_FOUND for names in found)
    return False if seen and notebook.exists("/sys/kernel") else UNKNOWN


def _measured(notebook: Notebook) -> Maybe[bool]:
    """One measurement is the boot aggregate, which is there without any policy."""
    count = notebook.file(f"{_IMA}/runtime_measurements_count")
    if isinstance(count, bytes):
        text = count.strip()
        return int(text) > 1 if text.isdigit() else UNKNOWN
    security = notebook.reader.list_dir("/sys/kernel/security")
    absent = count is Refusal.NOT_FOUND and isinstance(security, list) and security and "ima" not in security
    return False if absent else UNKNOWN


def file_modes(output: bytes) -> list[FileMode]:
    """Rows of ``stat -c %a:%U:%G:%n``."""
    rows = [line.split(":", 3) for line in decode(output).split("\n")]
    return [
        FileMode(path=r[3], mode=r[0].zfill(3), owner=r[1], group=r[2])
        for r in rows
        if len(r) == 4 and re.fullmatch(r"[0-7]{1,4}", r[0])
    ]


def read_file_modes(notebook: Notebook) -> Maybe[list[FileMode]]:
    """Permissions of sensitive files that there are. ``stat`` ends with 1 where one of them is not."""
    answer = notebook.command(*STAT)
    if not isinstance(answer, Output) or answer.status not in (0, 1):
        return UNKNOWN
    rows = file_modes(answer.stdout)
    return rows if any(row.path == "/etc/passwd" for row in rows) else UNKNOWN


def read_signature_age(notebook: Notebook, agents: Maybe[list[str]], now: datetime) -> Maybe[int | None]:
    """Days since ClamAV's signatures were renewed; None = no agent runs. Where others keep theirs is not
    known."""
    if not isinstance(agents, list):
        return UNKNOWN
    if not agents:
        return None
    if agents != ["ClamAV"]:
        return UNKNOWN
    times = [t for path in SIGNATURES if not isinstance(t := notebook.reader.modified(path), Refusal)]
    return max(0, int((now.timestamp() - max(times)) // _DAY)) if times else UNKNOWN


def malware_blocking(processes: Processes, agents: Maybe[list[str]]) -> Maybe[bool | None]:
    """Whether files are checked as they are opened: of ClamAV its on-access scanner runs. None = no agent
    runs. In which way others are set is not known."""
    if not isinstance(agents, list):
        return UNKNOWN
    if not agents:
        return None
    running = processes.running("clamonacc")
    return UNKNOWN if agents != ["ClamAV"] or running is None else running


def intrusion_detection(processes: Processes) -> Maybe[list[str]]:
    """Known agents against intrusion that run; as ``protection.malware_protection``."""
    found = [product for product, programs in INTRUSION_AGENTS.items() if processes.find(*programs)]
    return found if found or processes.complete else UNKNOWN


def file_integrity(notebook: Notebook, processes: Processes) -> Maybe[list[str]]:
    """What keeps a record of files to find changed ones: a database that was made, or an agent that runs."""
    states = {
        product: [notebook.exists(path) for path in paths] for product, paths in _INTEGRITY_DATABASES.items()
    }
    found = [product for product, there in states.items() if any(there)]
    found += [product for product, programs in _INTEGRITY_PROGRAMS.items() if processes.find(*programs)]
    unsure = not processes.complete or any(None in there for there in states.values())
    return UNKNOWN if unsure and not found else list(dict.fromkeys(found))


def read_core_dumps(notebook: Notebook) -> Maybe[bool]:
    """Whether programs that change their user may leave their memory in a file (proc(5), suid_dumpable):
    1 lets any reader, 2 root alone."""
    value = notebook.file("/proc/sys/fs/suid_dumpable")
    if not isinstance(value, bytes) or value.strip() not in (b"0", b"1", b"2"):
        return UNKNOWN
    return value.strip() == b"1"


def read_history_size(notebook: Notebook) -> Maybe[int | None]:
    """Largest HISTSIZE that a profile sets; None = none does."""
    drop_ins = notebook.folder("/etc/profile.d", ".sh")
    if isinstance(drop_ins, Refusal):
        return UNKNOWN
    values = []
    for answer in [data for _, data in drop_ins] + [
        notebook.file(path) for path in ("/etc/profile", "/etc/bashrc", "/etc/bash.bashrc")
    ]:
        if isinstance(answer, bytes):
            text = "\n".join(lines(answer))
            values += re.findall(r"(?:^|[\s;&])HISTSIZE=[\"']?(-?\w+)", text, re.MULTILINE)
        elif answer is not Refusal.NOT_FOUND:
            return UNKNOWN
    if not values:
        return None
    return max(map(int, values)) if all(re.fullmatch(r"\d{1,9}", v) for v in values) else UNKNOWN


def read_graphical(notebook: Notebook, processes: Processes) -> Maybe[bool]:
    """Whether a graphical desktop runs, or starts with the machine."""
    if processes.find(*_DISPLAY):
        return True
    target = notebook.reader.read_link("/etc/systemd/system/default.target")
    if target is Refusal.NOT_FOUND:
        target = notebook.reader.read_link("/usr/lib/systemd/system/default.target")
    if isinstance(target, str):
        # a server's default target is often graphical.target with no display manager installed
        return False if processes.complete or not target.endswith("graphical.target") else UNKNOWN
    return False if processes.complete and target is Refusal.NOT_FOUND else UNKNOWN


def read_tools(notebook: Notebook) -> Maybe[list[str]]:
    """Compilers, debuggers and sniffers in /usr/bin and /usr/sbin."""
    found = []
    for tool in _TOOLS:
        there = [notebook.exists(f"/usr/{folder}/{tool}") for folder in ("bin", "sbin")]
        if True in there:
            found.append(tool)
        elif None in there:
            return UNKNOWN
    return found

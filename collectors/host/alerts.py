"""Where what watches for intrusions reports to: connections that its processes hold to other machines, and
what its configuration names.

A connection is seen of one's own processes, or as root. That an agent holds none at the moment shows nothing:
many report by turns. That it reports nowhere is told of agents whose configuration is known alone.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from collectors.host.hardening import INTRUSION_AGENTS
from collectors.host.notebook import Notebook, decode
from collectors.host.processes import Processes
from collectors.host.reader import Refusal
from collectors.host.sockets import address_of_hex
from inventory.unknown import UNKNOWN, Maybe

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6")
_ESTABLISHED = "01"  # TCP_ESTABLISHED; of UDP a socket with a peer
_MOST = 20
_FALCO, _SAMHAIN = "/etc/falco/falco.yaml", "/etc/samhain/samhainrc"
_OUTPUT = re.compile(
    r"(?m)^(syslog|http|program|grpc)_output:[^\n]*\n((?:[ \t]+[^\n]*\n|[ \t]*(?:#[^\n]*)?\n)*)"
)
_ENABLED = re.compile(r"(?m)^[ \t]+enabled:[ \t]*true\b")
_URL = re.compile(r"(?m)^[ \t]+url:[ \t]*[\"']?([^\s\"'#]+)")
_LINE = re.compile(r"(?m)^[ \t]*(\w+)[ \t]*=[ \t]*([^\n#]*)")


def peers(table: bytes) -> dict[int, str]:
    """Inode → "address:port" of the other end, of connections in a /proc/net table that leave the machine."""
    found = {}
    for line in decode(table).split("\n")[1:]:
        parts = line.split()
        if len(parts) < 10 or parts[3] != _ESTABLISHED or not re.fullmatch(r"[0-9]{1,20}", parts[9]):
            continue
        match = re.fullmatch(r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})", parts[2])
        if match is None:
            continue
        address = address_of_hex(match[1])
        inner = getattr(address, "ipv4_mapped", None) or address
        if not inner.is_loopback and not inner.is_unspecified:
            shown = f"[{inner}]" if inner.version == 6 else str(inner)
            found[int(parts[9])] = f"{shown}:{int(match[2], 16)}"
    return found


def read_alert_channels(
    notebook: Notebook, processes: Processes, agents: Maybe[list[str]], log_servers: Maybe[list[str]]
) -> Maybe[list[str]]:
    """Each way out as "product → where". ``agents``: products that run; ``log_servers``: what the system log
    is sent to. [] where no agent runs, or none of them reports anywhere; UNKNOWN where nobody can tell."""
    if not isinstance(agents, list):
        return UNKNOWN
    found: list[str] = []
    silent = True
    for product in agents:
        ways = _connections(notebook, processes, INTRUSION_AGENTS.get(product, ()))
        told = _configured(notebook, product, log_servers)
        ways += told if isinstance(told, list) else []
        silent &= told == [] if isinstance(told, list) else False
        found += [f"{product} → {way}" for way in ways]
    if not found and not silent:
        notebook.note("入侵检测程序向哪里报告未知：看它的连接要 root；此刻没有连接的也不能断定不报告")
    return list(dict.fromkeys(found))[:_MOST] if found or silent else UNKNOWN


def _connections(notebook: Notebook, processes: Processes, programs: tuple[str, ...]) -> list[str]:
    """Other ends of the connections that these programs hold, as far as they can be looked into."""
    reader = notebook.reader
    ends: dict[int, str] = {}
    for path in _TABLES:
        table = reader.read_file(path)
        ends |= peers(table) if isinstance(table, bytes) else {}
    found = []
    names = {cut for name in programs for cut in (name, name[:15])}
    for process in processes.rows if ends else ():
        folder = f"/proc/{process.pid}/fd"
        held = reader.list_dir(folder) if process.name in names and process.pid else Refusal.NOT_FOUND
        for descriptor in held if isinstance(held, list) else ():
            target = reader.read_link(f"{folder}/{descriptor}")
            match = re.fullmatch(r"socket:\[([0-9]{1,20})\]", target) if isinstance(target, str) else None
            if match and int(match[1]) in ends:
                found.append(ends[int(match[1])])
    return sorted(found)


def _configured(notebook: Notebook, product: str, log_servers: Maybe[list[str]]) -> Maybe[list[str]]:
    """Ways out that an agent's configuration names; UNKNOWN where it was not read, or is not known."""
    if product == "Falco":
        return _falco(notebook, log_servers)
    if product == "Samhain":
        return _samhain(notebook, log_servers)
    return UNKNOWN


def _falco(notebook: Notebook, log_servers: Maybe[list[str]]) -> Maybe[list[str]]:
    """falco.yaml: outputs that are switched on; its file and standard output stay on the machine."""
    main = notebook.reader.read_file(_FALCO)
    more = notebook.reader.list_dir("/etc/falco/config.d")
    if not isinstance(main, bytes):
        return UNKNOWN
    text = decode(main).replace("\r", "") + "\n"
    on = {match[1]: match[2] for match in _OUTPUT.finditer(text) if _ENABLED.search(match[2])}
    found: list[str] = []
    if "http" in on and (url := _URL.search(on["http"])):
        found += [host] if (host := _host(url[1])) else []
    found += ["告警程序（program_output）"] if "program" in on else []
    return _with_log(found, "syslog" in on, log_servers, more in (Refusal.NOT_FOUND, []) and "grpc" not in on)


def _samhain(notebook: Notebook, log_servers: Maybe[list[str]]) -> Maybe[list[str]]:
    """samhainrc: each way has a threshold, which is "none" unless set (samhain's manual, 4.2)."""
    main = notebook.reader.read_file(_SAMHAIN)
    if not isinstance(main, bytes):
        return UNKNOWN
    told = {match[1].lower(): match[2].strip() for match in _LINE.finditer(decode(main))}

    def on(name: str) -> bool:
        return told.get(name, "none").lower() not in ("none", "")

    mail, server = told.get("setmailaddress", ""), told.get("setlogserver", "")
    found = [f"邮件（{mail.rpartition('@')[2]}）"] if on("mailseverity") and _elsewhere(mail) else []
    found += [server] if on("exportseverity") and server else []
    return _with_log(found, on("syslogseverity"), log_servers, True)


def _with_log(found: list[str], by_log: bool, log_servers: Maybe[list[str]], whole: bool) -> Maybe[list[str]]:
    """What was found, with the servers of the system log where the agent writes to it."""
    if by_log and isinstance(log_servers, list):
        found += [f"系统日志 {server}" for server in log_servers]
    elif by_log:
        whole = False
    return found if found or whole else UNKNOWN


def _elsewhere(mail: str) -> bool:
    host = mail.rpartition("@")[2].lower()
    return "@" in mail and host not in ("localhost", "localhost.localdomain", "127.0.0.1", "")


def _host(url: str) -> str:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return "" if host in ("localhost", "127.0.0.1", "::1") else host

"""Logging: which service writes, where it sends, whether logs survive a boot, how long they stay."""

from __future__ import annotations

import re

from collectors.host.notebook import Notebook, lines
from collectors.host.processes import Processes
from collectors.host.reader import Refusal
from collectors.host.services import systemd_values
from inventory.kinds.host import Logging
from inventory.unknown import UNKNOWN, Maybe

_SERVICES = (
    ("rsyslogd", ("rsyslogd", "rsyslog")),
    ("syslog-ng", ("syslog-ng",)),
    ("syslogd", ("syslogd", "busybox-syslogd")),
    ("systemd-journald", ("systemd-journald",)),
)
_SHIPPERS = tuple(
    "filebeat fluent-bit fluentd td-agent vector promtail ilogtail loongcollector nxlog logstash "
    "splunkd telegraf systemd-journal-upload".split()
)
"""Programs that send logs elsewhere, by a configuration we do not read."""
_DAYS = {"hourly": 0, "daily": 1, "weekly": 7, "monthly": 30, "yearly": 365}
_SYSTEM_LOGS = ("/var/log/messages", "/var/log/syslog")
_FILES = 100
_BLOCKS, _BLOCK_LENGTH = 500, 4000
_SPANS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "day": 86400, "d": 86400,
          "week": 604800, "w": 604800, "month": 2629800, "year": 31557600, "y": 31557600}  # fmt: skip


def rsyslog_targets(data: bytes) -> list[str]:
    """Collectors that rsyslog forwards to: ``@host`` (UDP), ``@@host`` (TCP), ``:omrelp:`` and actions of
    omfwd and omrelp."""
    text = "\n".join(lines(data))
    found = []
    for match in re.finditer(r"(?m)^[^#\n$@]*?[\s;](@@?)(?:\([^)\n]*\))?([^\s;#(]+)", text):
        found.append(f"{'tcp' if match[1] == '@@' else 'udp'}://{match[2]}")
    found += [f"relp://{m}" for m in re.findall(r":omrelp:([^\s;#]+)", text)]
    for match in re.finditer(r"action\s*\(([^()]*)\)", text):
        pairs = {k.lower(): v for k, v in re.findall(r'\b(\w+)\s{0,9}=\s{0,9}"([^"]*)"', match[1])}
        type_ = pairs.get("type", "").lower()
        if type_ in ("omfwd", "omrelp") and pairs.get("target"):
            protocol = "relp" if type_ == "omrelp" else pairs.get("protocol", "udp").lower()
            found.append(f"{protocol}://{pairs['target']}" + (f":{pairs['port']}" if "port" in pairs else ""))
    return list(dict.fromkeys(found))


def rsyslog_includes(data: bytes) -> list[str]:
    """Paths or patterns of ``$IncludeConfig`` and ``include(file="…")``."""
    text = "\n".join(lines(data))
    return re.findall(r"(?mi)^\$IncludeConfig\s+(\S+)", text) + re.findall(
        r'include\s*\([^)]{0,200}?file\s*=\s*"([^"]+)"', text
    )


def syslog_ng_targets(data: bytes) -> list[str]:
    """Hosts of network drivers in destination blocks of syslog-ng."""
    text = "\n".join(lines(data))
    found = []
    for head in list(re.finditer(r"\bdestination\s+\S+\s*\{", text))[:_BLOCKS]:
        block = text[head.end() : head.end() + _BLOCK_LENGTH].split("};", 1)[0]
        drivers = re.findall(r"\b(network|syslog|tcp6?|udp6?)\s*\(\s*(?:ip\s*\(\s*)?\"?([\w.:-]+)", block)
        found += [f"{'tcp' if d.startswith(('tcp', 'net', 'sys')) else 'udp'}://{h}" for d, h in drivers]
    return list(dict.fromkeys(found))


def _remote(notebook: Notebook, service: str, processes: Processes) -> Maybe[list[str]]:
    found = _configured_remote(notebook, service)
    if isinstance(found, list) and not found:
        shipper = next((name for name in _SHIPPERS if processes.running(name)), None)
        if shipper or not processes.complete:
            if shipper:
                notebook.note(f"日志外送去向未知：由 {shipper} 发送，它的配置不在采集范围")
            return UNKNOWN
    return found


def _configured_remote(notebook: Notebook, service: str) -> Maybe[list[str]]:
    if service == "systemd-journald":
        forwarding = systemd_values(notebook, "journald.conf", "ForwardToSocket")
        return UNKNOWN if isinstance(forwarding, Refusal) else [v for v in forwarding if v]
    if service == "syslogd":
        data = notebook.file("/etc/syslog.conf")
        if data is Refusal.NOT_FOUND:
            return UNKNOWN  # busybox takes the target as an argument
        return UNKNOWN if isinstance(data, Refusal) else rsyslog_targets(data)
    ng = service == "syslog-ng"
    queue = ["/etc/syslog-ng/syslog-ng.conf" if ng else "/etc/rsyslog.conf"]
    if ng:
        queue += _glob(notebook, "/etc/syslog-ng/conf.d/*.conf") or []
    found: list[str] = []
    seen: set[str] = set()
    while queue:
        path = queue.pop(0)
        if path in seen:
            continue
        seen.add(path)
        data = notebook.file(path)
        if isinstance(data, Refusal) or len(seen) > _FILES:
            return UNKNOWN
        found += syslog_ng_targets(data) if ng else rsyslog_targets(data)
        for pattern in [] if ng else rsyslog_includes(data):
            names = _glob(notebook, pattern)
            if names is None:
                return UNKNOWN
            queue += names
    return list(dict.fromkeys(found))


def _glob(notebook: Notebook, pattern: str) -> list[str] | None:
    """Files of ``/folder/*.conf``; None where the folder was refused or the pattern is not of that form."""
    folder, _, name = pattern.rpartition("/")
    if "*" not in pattern:
        return [pattern] if pattern.startswith("/") else None
    if "*" in folder or name.count("*") != 1 or "?" in name or "[" in name:
        return None
    names = notebook.directory(folder)
    if isinstance(names, Refusal):
        return [] if names is Refusal.NOT_FOUND else None
    start, _, end = name.partition("*")
    return [f"{folder}/{n}" for n in names if n.startswith(start) and n.endswith(end) and n[:1] != "."]


def _persistent(notebook: Notebook, service: str) -> Maybe[bool]:
    """rsyslogd and syslog-ng write files; journald does where Storage says so or /var/log/journal is."""
    if service in ("rsyslogd", "syslog-ng"):
        return True
    if service == "syslogd":
        return UNKNOWN
    storage = systemd_values(notebook, "journald.conf", "Storage")
    if isinstance(storage, Refusal):
        return UNKNOWN
    mode = (storage or ["auto"])[-1].lower()
    if mode in ("persistent", "volatile", "none"):
        return mode == "persistent"
    there = notebook.exists("/var/log/journal")
    return UNKNOWN if there is None else there


def logrotate_days(files: list[bytes]) -> Maybe[int | None]:
    """Days that the system log is kept, by the block of its file over the global values: interval ×
    rotate, or maxage. None = no block for it; UNKNOWN where size decides when to rotate."""
    top: dict[str, str] = {"interval": "weekly"}
    kept: list[Maybe[int | None]] = []
    for data in files:
        block: dict[str, str] | None = None
        heads: list[str] = []
        for raw in lines(data):
            line = raw.split("#", 1)[0].strip()
            if block is None and (line.startswith(("/", '"')) or line == "{"):
                heads += line.replace("{", " ").replace('"', " ").split()
                block = dict(top) if line.endswith("{") else None
            elif line == "}":
                if block is not None and any(log in heads for log in _SYSTEM_LOGS):
                    kept.append(_kept_days(block))
                block, heads = None, []
            else:
                _directive(top if block is None else block, line)
    known = [k for k in kept if isinstance(k, int)]
    if not kept or any(days is None for days in kept):
        return None
    return min(known) if len(known) == len(kept) else UNKNOWN


def _directive(settings: dict[str, str], line: str) -> None:
    words = line.split()
    if words and words[0] in _DAYS:
        settings["interval"] = words[0]
        settings.pop("size", None)
    elif len(words) > 1 and words[0] in ("rotate", "maxage", "size", "maxsize"):
        settings[words[0]] = words[1]


def _kept_days(settings: dict[str, str]) -> Maybe[int | None]:
    def number(key: str) -> int | None:
        text = settings.get(key, "")
        return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None

    if "size" in settings or "maxsize" in settings or settings["interval"] == "hourly":
        return UNKNOWN
    if settings.get("rotate") == "-1":
        return number("maxage")
    days = _DAYS[settings["interval"]] * (number("rotate") or 0)
    most = number("maxage")
    return min(days, most) if most is not None else days


def _retention(notebook: Notebook, service: str) -> Maybe[int | None]:
    if service == "systemd-journald":
        values = systemd_values(notebook, "journald.conf", "MaxRetentionSec")
        if isinstance(values, Refusal):
            return UNKNOWN
        return _span_days(values[-1]) if values else None
    main = notebook.file("/etc/logrotate.conf")
    drop_ins = notebook.folder("/etc/logrotate.d")
    if isinstance(drop_ins, Refusal) or (isinstance(main, Refusal) and main is not Refusal.NOT_FOUND):
        return UNKNOWN
    if isinstance(main, Refusal):
        return None  # nothing rotates, nothing is removed
    return logrotate_days([main, *(data for _, data in drop_ins)])


def _span_days(text: str) -> Maybe[int | None]:
    """Time span of systemd.time(7) in days; 0 = no bound."""
    parts = re.findall(r"([0-9]{1,9})\s*([a-z]*)", text.lower())
    seconds = 0
    for number, unit in parts:
        if unit.rstrip("s") not in _SPANS and unit not in _SPANS:
            return UNKNOWN
        seconds += int(number) * (_SPANS[unit] if unit in _SPANS else _SPANS[unit.rstrip("s")])
    return seconds // 86400 if seconds else (None if parts else UNKNOWN)


def read_logging(notebook: Notebook, processes: Processes) -> Logging:
    """The log service that runs; a syslog daemon counts before journald, which feeds it."""
    service = next((name for name, programs in _SERVICES if processes.running(*programs)), None)
    if service is None:
        if not processes.complete:
            return Logging()
        shipper = next((name for name in _SHIPPERS if processes.running(name)), None)
        return Logging(
            running=False,
            service=None,
            remote=UNKNOWN if shipper else [],
            persistent=False,
            retention_days=None,
        )
    return Logging(
        running=True,
        service=service,
        remote=_remote(notebook, service, processes),
        persistent=_persistent(notebook, service),
        retention_days=_retention(notebook, service),
    )

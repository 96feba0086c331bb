"""Which lines of what was read are kept as evidence: those a value came from, and no others.

Files are on a list; what is not on it (passwd, shadow, group, machine-id, /proc of processes) never
becomes evidence. Accounts, listeners, and a network read from /proc are shown by the derived table instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from collectors.contract import Run
from collectors.host.notebook import Notebook, decode
from inventory.evidence import Evidence
from inventory.resource import Resource, plain

_MOST_BYTES = 64 << 10
_MOST_BYTES_OF_PACKAGES = 1 << 20  # 20 000 of them: the list is the record
_KEPT: tuple[tuple[str, str], ...] = (  # (file or command, lines of it)
    (r"(/etc|/usr/lib)/os-release", "."),
    (r"/proc/cpuinfo|lscpu", r"(?i)^(vendor|model name|architecture|cpu (implementer|part|family)|cpu\(s\))"),
    (r"(/usr)?/etc/login\.defs", r"^(PASS_|UMASK|ENCRYPT_METHOD)"),
    (r"/etc/pam\.d/.*|/etc/security/.*\.conf", r"^[^#]"),
    (r"/etc/profile.*|/etc/bash.*", r"TMOUT|umask"),
    (r"/etc/sudoers.*", r"^\s*(?!Defaults|#\s)\S"),
    (r"/etc/ssh/.*|.*sshd.*", r"^\s*[^#\s]"),
    (r"/etc/nsswitch\.conf", r"^(passwd|sudoers):"),
    (r"/etc/(chrony|ntp).*|/etc/openntpd/.*", r"(?i)^(server|servers|pool|peer|confdir|sourcedir|include)\s"),
    (r"(/etc|/usr/lib)/systemd/.*", r"^(NTP|FallbackNTP|Storage|MaxRetentionSec|ForwardTo\w+)="),
    (r"/etc/audit/.*", r"^-"),
    (r"/etc/r?syslog.*", r"^(?!.*(?i:pass|pwd|sql)).*(@|omfwd|omrelp|target=|network\(|tcp\(|udp\()"),
    (r"/etc/logrotate.*", r"^[^#]*(/var/log|daily|weekly|monthly|yearly|rotate|maxage|size|[{}])"),
    (r"/sys/(fs/selinux/enforce|module/apparmor/parameters/enabled)", "."),
    (r"chronyc -n tracking", r"^Leap status"),
    (r"timedatectl show", r"^NTPSynchronized"),
    (r"apt .*", r"upgradable from"),
    (r"iptables-save|ip6tables-save", r"^[*:-]"),
    (r"sed -n .*", "."),  # certificates, and nothing else
    (r"(dpkg-query|rpm) .*", r"^(?!.n |.c )."),  # without what was removed
    (r"systemctl show .*", r"^$"),  # hundreds of lines, of which the names of some are in a field
    (r"(ip|ntpq|auditctl|nft|dnf|yum|systemd-detect-virt|systemctl) ?.*", "."),
)
_VOLATILE = re.compile(r'"(?:packets|bytes|valid_life_time|preferred_life_time)": ?\d+,?|\[\d+:\d+\]')


def kept(origin: str, content: bytes) -> str:
    """The lines of one answer that are evidence; "" where none is. Counters are left out, so that the
    same configuration gives the same evidence."""
    for pattern, line in _KEPT:
        if re.fullmatch(pattern, origin):
            wanted = re.compile(line)
            text = "\n".join(row for row in decode(content).split("\n") if row.strip() and wanted.search(row))
            text = _VOLATILE.sub("", text)
            most = _MOST_BYTES_OF_PACKAGES if origin.startswith(("dpkg-query ", "rpm ")) else _MOST_BYTES
            return text if len(text) <= most else text[:most] + "\n（过长，后面略去）"
    return ""


def chapter_evidence(notebook: Notebook, run: Run, host: str = "") -> list[Evidence]:
    """Evidence of what the open chapter read; ``host`` names the machine where a source has several."""
    return [
        run.evidence(text.encode(), origin=f"{host} {origin}".strip(), media_type="text/plain")
        for origin, content in sorted(notebook.read.items())
        if (text := kept(origin, content))
    ]


def table_evidence(rows: Sequence[Resource], run: Run, origin: str) -> list[Evidence]:
    """The table derived from answers that are not kept themselves. The state of a
    password is called so, because whatever is named "password" is masked."""
    table = []
    for row in rows:
        fields = plain(row)
        for name in ("source", "labels", "relations", "native_id", *row.VOLATILE):
            fields.pop(name, None)
        if "password" in fields:
            fields["password_state"] = fields.pop("password")
        table.append(fields)
    return [run.evidence(msgspec.json.encode(table), origin=origin)]

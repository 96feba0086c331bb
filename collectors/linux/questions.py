"""What the script is asked, and how a question is written as a line of it.

The first run asks for all that the parsers of ``collectors.host`` usually want; what a machine's own
configuration names besides (an included file in an unusual place) is asked for in a further run.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from importlib.resources import files
from typing import Literal

from collectors.host import hardening, software
from collectors.host.certificates import PLACES
from collectors.host.reader import CERTIFICATE_LINES, CONFIGURATIONS, allowed

Verb = Literal["f", "d", "l", "m", "c"]
Question = tuple[Verb, str]
"""A file, the names in a folder, the end of a link, a time of modification, a command (its words joined by
blanks)."""

_WANTED = """
a
w state '$' 1,2
w dates : 1,3-8
p
o
g WATCHERS
n /proc/net/tcp 0A
n /proc/net/tcp6 0A
n /proc/net/udp 07
n /proc/net/udp6 07
i
"""
_FILES = """
/proc/sys/kernel/hostname /proc/sys/kernel/osrelease /proc/sys/kernel/arch /proc/uptime /proc/mounts
/proc/modules /proc/meminfo /proc/cpuinfo /proc/net/fib_trie /proc/net/if_inet6 /proc/net/ip_tables_names
/proc/net/ipv6_route /proc/net/route /proc/sys/net/ipv6/conf/default/disable_ipv6 /proc/sys/fs/suid_dumpable
/sys/kernel/security/ima/runtime_measurements_count
/sys/fs/selinux/enforce /sys/module/apparmor/parameters/enabled /sys/class/dmi/id/sys_vendor
/sys/class/dmi/id/product_name
/etc/machine-id /etc/os-release /usr/lib/os-release /etc/group /etc/nsswitch.conf /etc/login.defs
/usr/etc/login.defs /etc/profile /etc/bashrc /etc/bash.bashrc /etc/sudoers /etc/ssh/sshd_config
/etc/audit/audit.rules /etc/security/pwquality.conf /etc/security/faillock.conf /etc/security/pwhistory.conf
/etc/chrony.conf /etc/chrony/chrony.conf /etc/ntp.conf /etc/ntpsec/ntp.conf /etc/openntpd/ntpd.conf
/etc/rsyslog.conf /etc/syslog.conf /etc/syslog-ng/syslog-ng.conf /etc/logrotate.conf
/etc/systemd/timesyncd.conf /usr/lib/systemd/timesyncd.conf /etc/systemd/journald.conf
/usr/lib/systemd/journald.conf
"""
_FOLDERS = """
/etc/pam.d /etc/profile.d /etc/sudoers.d /etc/ssh/sshd_config.d /etc/audit/rules.d
/etc/security/pwquality.conf.d
/etc/logrotate.d /etc/rsyslog.d /etc/syslog-ng/conf.d /etc/chrony.d /etc/chrony/conf.d /etc/chrony/sources.d
/etc/systemd/timesyncd.conf.d /etc/systemd/journald.conf.d
"""
_THERE = """
/proc/sys/kernel /proc/sys/net /sys/kernel /etc/pam.d /etc/pam.d/login /etc/pam.d/passwd /etc/pam.d/sshd
/usr/sbin/sshd /usr/local/sbin/sshd /usr/bin/sshd /sbin/sshd /usr/bin/apt /usr/bin/dnf /usr/bin/yum
/sys/firmware/efi /sys/firmware/efi/efivars /.dockerenv /run/.containerenv /var/log/journal
/run/systemd/system /usr/bin/dpkg-query /usr/bin/rpm
"""
_LISTS = """
d /sys/firmware/efi/efivars
d /sys/class/tpm
d /sys/class/tcm
d /sys/kernel/security
l /etc/systemd/system/default.target
l /usr/lib/systemd/system/default.target
d /var/lib/apt/lists
m /var/lib/apt/lists
m /var/lib/apt/lists/partial
m /var/lib/apt/periodic/update-success-stamp
y=yum; [ -e /usr/bin/dnf ] && y=dnf
if [ -e /usr/bin/$y ]; then d /var/cache/$y; for p in /var/cache/$y/*; do m "$p"; done; fi
"""
_COMMANDS = (
    "uname -m",
    "lscpu",
    "systemd-detect-virt",
    "ip -j addr",
    "ip -o addr",
    "ip -j route",
    "ip -6 -j route",
    "systemctl list-units --type=service --state=running --no-legend --no-pager --plain",
    "timedatectl show",
    "chronyc -n tracking",
    "ntpq -pn",
)
_APT = "apt -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= list --upgradable"
AS_ROOT = (
    "sshd -T",
    "auditctl -s",
    "auditctl -l",
    "nft -j list ruleset",
    "iptables-save",
    "ip6tables-save",
    "dnf -C -q check-update",
    "dnf -C -q updateinfo list --updates --security",
    "yum -C -q check-update",
)
"""Commands that tell only root anything, and are on the readers' list."""
ROOTS_FILES = (
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/audit",
    "/etc/ssh/sshd_config",
    "/etc/ssh/sshd_config.d",
)
"""Files and folders that often only root may read."""
SOCKETS = "ss -tulpneH"
FILES = f"grep -aZRH ^ {' '.join(ROOTS_FILES)}"
"""Asked by sudo only: programs of listeners, and all lines of ``ROOTS_FILES``."""
_YUM = "yum -C -q check-update"

_BODY = files("collectors.linux").joinpath("script.sh")
_PLACES = ("/etc/", "/usr/etc/", "/usr/lib/", "/usr/local/etc/", "/usr/share/", "/lib/", "/run/", "/opt/")
_SECRET = re.compile(r"(?i)shadow|private|secret|_key$|\.key$|\.pem$|\.p12$|/opasswd|htpasswd|\.keytab$")
_MOST = 300  # further questions in one run


def script(word: str, sudo: bool, most_bytes: int, further: Iterable[Question] = ()) -> bytes:
    """The whole script. ``word`` marks its answers; with ``further`` it asks for these only."""
    asked = list(further)
    head = f"N={shlex.quote(word)} S={int(sudo)} M={most_bytes}\n"
    lines = [_line(question) for question in asked] if asked else _usual()
    # one command for the shell: nothing of it is run before all of it has come
    body = f"{_BODY.read_text(encoding='utf-8')}\n" + "\n".join(lines)
    return f"{head}main() {{\n{body}\nprintf '\\n%s! done\\n' \"$N\"\n}}\nmain\n".encode()


def _usual() -> list[str]:
    names = (
        cut for programs in hardening.INTRUSION_AGENTS.values() for name in programs for cut in {name[:15]}
    )
    found = _WANTED.replace("WATCHERS", " ".join(dict.fromkeys(names))).strip().splitlines()
    found += [f"f {path}" for path in _FILES.split()]
    found += [f"t {path}" for path in _FOLDERS.split()]
    found += [f"x {path}" for path in _THERE.split()]
    found += [f"x {path}" for path in (*hardening.INTEGRITY, *hardening.TOOLS)]
    found += [f"m {path}" for path in hardening.SIGNATURES]
    found += [f"f {hardening.SECURE_BOOT}", f"c {' '.join(hardening.STAT)}"]
    found += _LISTS.strip().splitlines()
    found += [f"x {place}" for place in CONFIGURATIONS]
    found += [f"d {place}" for place in PLACES]
    lines = (shlex.join(("grep", "-RHsE", CERTIFICATE_LINES, place)) for place in CONFIGURATIONS)
    found += [f"[ ! -e {command.rpartition(' ')[2]} ] || c {command}" for command in lines]
    found += [f"c {command}" for command in _COMMANDS]
    found += [_line(("c", " ".join(command))) for command in (software.DPKG, software.RPM, software.UNITS)]
    found += [f"ls /var/lib/apt/lists/*_Packages* </dev/null >/dev/null && c {_APT}"]  # slow, and else empty
    found += [f"r {command}" for command in AS_ROOT if command != _YUM]
    found += [f"[ -e /usr/bin/dnf ] || r {_YUM}"]
    found += [f'[ "$U" = 0 ] || r {command}' for command in (SOCKETS, FILES)]
    return found


def _line(question: Question) -> str:
    verb, text = question
    if verb == "c":
        words = text.split(" ")
        return f"{'r' if words[0] in _ROOT_PROGRAMS else 'c'} {shlex.join(words)}"
    return f"{verb} {shlex.quote(text)}"


_ROOT_PROGRAMS = frozenset(command.split()[0] for command in AS_ROOT)


def may_ask(question: Question) -> bool:
    """Whether a question that a machine's own configuration led to is asked: not for what looks like a
    secret, and not outside the folders of configuration."""
    verb, text = question
    if verb == "c":
        return allowed(tuple(text.split(" ")))
    clean = text.isprintable() and "//" not in text and "/../" not in f"{text}/" and "/./" not in f"{text}/"
    return clean and text.startswith(_PLACES) and not _SECRET.search(text)


def further(missed: Iterable[Question]) -> list[Question]:
    """Those of the questions that a further run asks."""
    return [question for question in dict.fromkeys(missed) if may_ask(question)][:_MOST]

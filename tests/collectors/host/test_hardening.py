"""Trusted boot, permissions, intrusion detection and what else hardens a machine."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from collectors.host.audit_rules import covered
from collectors.host.hardening import (
    SECURE_BOOT,
    STAT,
    file_integrity,
    file_modes,
    intrusion_detection,
    malware_blocking,
    read_core_dumps,
    read_file_modes,
    read_graphical,
    read_history_size,
    read_signature_age,
    read_tools,
    read_trusted_boot,
)
from collectors.host.notebook import Notebook
from collectors.host.processes import Process, Processes
from collectors.host.reader import COMMANDS
from inventory.kinds.host import FileMode
from inventory.unknown import UNKNOWN, Unknown

Make = Callable[..., Notebook]
NOW = datetime(2026, 5, 1, tzinfo=UTC)
DENIED = {"refused": "denied"}
KERNEL = {"/sys/kernel": 0.0}


def variable(*data: int) -> dict[str, str]:
    return {"base64": base64.b64encode(bytes(data)).decode()}


def processes(*names: str, complete: bool = True) -> Processes:
    return Processes([Process(9, name, (name,)) for name in names], complete)


@pytest.mark.parametrize(
    ("files", "tables", "expected"),
    [
        ({SECURE_BOOT: variable(6, 0, 0, 0, 1)}, {}, True),
        ({SECURE_BOOT: variable(6, 0, 0, 0, 0)}, {}, False),
        ({SECURE_BOOT: variable(1)}, {}, UNKNOWN),  # no such variable has one byte
        ({SECURE_BOOT: DENIED}, {"modified": KERNEL}, UNKNOWN),
        ({}, {"modified": KERNEL}, None),  # no UEFI
        ({}, {}, UNKNOWN),  # no /sys at all
        ({}, {"modified": {**KERNEL, "/sys/firmware/efi": 0.0}}, UNKNOWN),  # variables are not mounted
        (
            {},
            {
                "modified": {**KERNEL, "/sys/firmware/efi": 0.0, "/sys/firmware/efi/efivars": 0.0},
                "dirs": {"/sys/firmware/efi/efivars": ["BootOrder-8be4df61"]},
            },
            False,  # a firmware without secure boot
        ),
    ],
)
def test_secure_boot(notebook: Make, files: Any, tables: Any, expected: Any) -> None:
    assert read_trusted_boot(notebook(files, **tables)).secure_boot is expected


@pytest.mark.parametrize(
    ("dirs", "expected"),
    [
        ({"/sys/class/tpm": ["tpm0"]}, True),
        ({"/sys/class/tcm": ["tcm0"]}, True),
        ({"/sys/class/tpm": []}, False),
        ({}, False),
        ({"/sys/class/tpm": DENIED}, UNKNOWN),
    ],
)
def test_a_trusted_chip(notebook: Make, dirs: Any, expected: Any) -> None:
    assert read_trusted_boot(notebook(modified=KERNEL, dirs=dirs)).chip is expected


@pytest.mark.parametrize(
    ("count", "security", "expected"),
    [
        ("4711\n", [], True),
        ("1\n", [], False),  # the boot aggregate alone: no policy measures anything
        (DENIED, ["ima", "lsm"], UNKNOWN),
        (None, ["apparmor", "lsm"], False),  # the kernel has no IMA
        (None, [], UNKNOWN),  # securityfs is not mounted
    ],
)
def test_measurement(notebook: Make, count: Any, security: list[str], expected: Any) -> None:
    files = {} if count is None else {"/sys/kernel/security/ima/runtime_measurements_count": count}
    found = read_trusted_boot(notebook(files, dirs={"/sys/kernel/security": security}))
    assert found.measured is expected


def test_permissions_of_those_files_that_there_are(notebook: Make) -> None:
    assert STAT in COMMANDS
    output = "644:root:root:/etc/passwd\n0:root:root:/etc/shadow\n1777:root:syslog:/var/log/a:b\nnonsense\n"
    assert read_file_modes(notebook(commands={" ".join(STAT): [1, output]})) == [
        FileMode(path="/etc/passwd", mode="644", owner="root", group="root"),
        FileMode(path="/etc/shadow", mode="000", owner="root", group="root"),
        FileMode(path="/var/log/a:b", mode="1777", owner="root", group="syslog"),
    ]
    assert read_file_modes(notebook()) is UNKNOWN  # no such command
    assert read_file_modes(notebook(commands={" ".join(STAT): [127, output]})) is UNKNOWN
    assert read_file_modes(notebook(commands={" ".join(STAT): [1, ""]})) is UNKNOWN  # told nothing
    assert file_modes(b"rwx:root:root:/etc/passwd\n") == []


def test_age_of_signatures_is_known_of_clamav_alone(notebook: Make) -> None:
    book = notebook(modified={"/var/lib/clamav/daily.cvd": NOW.timestamp() - 40 * 86400})
    assert read_signature_age(book, ["ClamAV"], NOW) == 40
    assert read_signature_age(book, ["ClamAV", "奇安信天擎"], NOW) is UNKNOWN
    assert read_signature_age(book, ["奇安信天擎"], NOW) is UNKNOWN
    assert read_signature_age(book, [], NOW) is None
    assert read_signature_age(book, UNKNOWN, NOW) is UNKNOWN
    assert read_signature_age(notebook(), ["ClamAV"], NOW) is UNKNOWN
    renewed = {"/var/lib/clamav/daily.cvd": 0.0, "/var/lib/clamav/daily.cld": NOW.timestamp() + 60}
    assert read_signature_age(notebook(modified=renewed), ["ClamAV"], NOW) == 0  # its clock is ahead


def test_blocking_is_known_of_clamav_alone() -> None:
    assert malware_blocking(processes("clamd", "clamonacc"), ["ClamAV"]) is True
    assert malware_blocking(processes("clamd"), ["ClamAV"]) is False
    assert malware_blocking(processes("clamd", complete=False), ["ClamAV"]) is UNKNOWN
    assert malware_blocking(processes("hipsdaemon"), ["火绒"]) is UNKNOWN
    assert malware_blocking(processes("sshd"), []) is None
    assert malware_blocking(processes("sshd"), UNKNOWN) is UNKNOWN


def test_agents_against_intrusion() -> None:
    assert intrusion_detection(processes("wazuh-agentd", "sshd")) == ["Wazuh/OSSEC"]
    assert intrusion_detection(processes("sshd")) == []
    assert isinstance(intrusion_detection(processes("sshd", complete=False)), Unknown)
    assert intrusion_detection(processes("falco", complete=False)) == ["Falco"]


def test_file_integrity_is_a_record_or_an_agent(notebook: Make) -> None:
    made = notebook(modified={"/var/lib/aide/aide.db.gz": 0.0})
    assert file_integrity(made, processes()) == ["AIDE"]
    assert file_integrity(notebook(), processes("ossec-syscheckd")) == ["Wazuh/OSSEC"]
    assert file_integrity(notebook(), processes()) == []
    assert file_integrity(notebook(), processes(complete=False)) is UNKNOWN
    hidden = notebook(modified={"/var/lib/aide/aide.db": DENIED, "/var/lib/aide/aide.db.gz": DENIED})
    assert file_integrity(hidden, processes()) is UNKNOWN


@pytest.mark.parametrize(
    ("text", "expected"), [("0\n", False), ("1\n", True), ("2\n", False), ("x", UNKNOWN)]
)
def test_core_dumps(notebook: Make, text: str, expected: Any) -> None:
    assert read_core_dumps(notebook({"/proc/sys/fs/suid_dumpable": text})) is expected


def test_the_largest_history_of_all_profiles(notebook: Make) -> None:
    files = {"/etc/profile": "HISTSIZE=1000\n", "/etc/profile.d/a.sh": 'export HISTSIZE="50"; X=1\n'}
    assert read_history_size(notebook(files)) == 1000
    assert read_history_size(notebook({"/etc/profile": "#HISTSIZE=1000\nMYHISTSIZE=9\n"})) is None
    assert read_history_size(notebook({"/etc/profile": "HISTSIZE=-1\n"})) is UNKNOWN  # without end
    assert read_history_size(notebook({"/etc/profile": DENIED})) is UNKNOWN


def test_a_desktop_is_one_that_runs(notebook: Make) -> None:
    default = {"/etc/systemd/system/default.target": "/lib/systemd/system/graphical.target"}
    assert read_graphical(notebook(), processes("gdm")) is True
    assert read_graphical(notebook(links=default), processes("sshd")) is False  # nothing is there to start
    assert read_graphical(notebook(links=default), processes("sshd", complete=False)) is UNKNOWN
    text = {"/usr/lib/systemd/system/default.target": "multi-user.target"}
    assert read_graphical(notebook(links=text), processes(complete=False)) is False


def test_tools_that_an_intruder_would_use(notebook: Make) -> None:
    there = {"/usr/bin/gcc": 0.0, "/usr/sbin/tcpdump": 0.0}
    assert read_tools(notebook(modified=there)) == ["gcc", "tcpdump"]
    assert read_tools(notebook()) == []
    assert read_tools(notebook(modified={"/usr/bin/gcc": DENIED})) is UNKNOWN


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("-w /etc/passwd -p wa -k id\n-w /etc/shadow -p wa\n", ["identity"]),
        ("-w /etc/passwd -p wa\n", []),  # half of it
        ("-w /etc/ -p wa\n", ["identity", "privilege", "time"]),  # the folder of all three
        ("-a always,exit -F arch=b64 -S execve -C uid!=euid\n", ["privilege"]),
        ("-a exit,always -F path=/etc/sudoers -F perm=wa\n-w /etc/sudoers.d/ -p wa\n", ["privilege"]),
        ("-a always,exit -S adjtimex,settimeofday\n-a always,exit -S init_module -S mount\n",
         ["modules", "mounts", "time"]),
        ("-a never,exit -S execve\n-a always,exclude -F msgtype=CWD\n", []),
        ("# -w /etc/sudoers -p wa\n", []),
        ("-a always,exit -S unlink,rename -F auid>=1000\n-a always,exit -S chmod\n", ["deletion", "permissions"]),
        ("-w /var/log/lastlog -p wa\n", ["logins"]),
    ],
)  # fmt: skip
def test_what_audit_rules_cover(rules: str, expected: list[str]) -> None:
    assert covered([rules.encode()]) == expected


def test_files_together_cover_what_none_does_alone() -> None:
    assert covered([b"-w /etc/passwd -p wa\n", b"-w /etc/shadow -p wa\n"]) == ["identity"]

"""Where programs against intrusion report to."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.host.alerts import peers, read_alert_channels
from collectors.host.notebook import Notebook
from collectors.host.processes import Process, Processes, read_processes
from collectors.host.reader import LocalReader, Reader
from collectors.linux import questions
from collectors.linux.answers import ScriptReader, transcript
from inventory.unknown import UNKNOWN, Maybe

Make = Callable[..., Notebook]
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROW = (
    "   {n}: 0500000A:9C40 {far} {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0\n"
)
WAZUH = Processes([Process(7, "wazuh-agentd", ())], complete=True)
FALCO = Processes([Process(7, "falco", ())], complete=True)
SAMHAIN = Processes([Process(7, "samhain", ())], complete=True)
MANAGER = "0900000A:05EA"


def table(*rows: tuple[str, str, int]) -> str:
    return HEAD + "".join(ROW.format(n=n, far=f, state=s, inode=i) for n, (f, s, i) in enumerate(rows))


def test_connections_that_leave_the_machine() -> None:
    told = table(
        (MANAGER, "01", 11),
        ("0100007F:05EA", "01", 12),  # to itself
        (MANAGER, "06", 13),  # over
        ("00000000:0000", "0A", 14),  # listens
    )
    assert peers(told.encode()) == {11: "10.0.0.9:1514"}
    six = "0000000000000000FFFF00000900000A:05EA"
    assert peers(table((six, "01", 15)).encode()) == {15: "10.0.0.9:1514"}
    assert peers(table(("B80D0120000000000000000009000000:05EA", "01", 16)).encode()) == {
        16: "[2001:db8::9]:1514"
    }


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ({"/proc/7/fd/3": "socket:[11]"}, ["Wazuh/OSSEC → 10.0.0.9:1514"]),
        ({"/proc/7/fd/3": "socket:[12]"}, UNKNOWN),  # somebody else's; it may report by turns
        ({"/proc/8/fd/3": "socket:[11]"}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_an_agent_that_is_connected(
    notebook: Make, links: dict[str, str], expected: Maybe[list[str]]
) -> None:
    book = notebook({"/proc/net/tcp": table((MANAGER, "01", 11))}, links=links)
    found = read_alert_channels(book, WAZUH, ["Wazuh/OSSEC"], [])
    assert (found is UNKNOWN) if expected is UNKNOWN else (found == expected)


def test_without_an_agent_there_is_no_channel(notebook: Make) -> None:
    assert read_alert_channels(notebook(), WAZUH, [], ["10.0.0.3"]) == []
    assert read_alert_channels(notebook(), WAZUH, UNKNOWN, []) is UNKNOWN


FALCO_LOCAL = "json_output: false\nfile_output:\n  enabled: true\n  filename: ./events.txt\n"


@pytest.mark.parametrize(
    ("outputs", "log", "expected"),
    [
        ("", [], []),
        ("syslog_output:\n  enabled: true\n", ["10.0.0.3"], ["Falco → 系统日志 10.0.0.3"]),
        ("syslog_output:\n  enabled: true\n", [], []),
        ("syslog_output:\n  enabled: true\n", UNKNOWN, UNKNOWN),
        ("syslog_output:\n  enabled: false\n", ["10.0.0.3"], []),
        (
            "http_output:\n  # to the centre\n\n  enabled: true\n  url: https://u:Planted@soc.example.gov.cn/in\n",
            [],
            ["Falco → soc.example.gov.cn"],
        ),
        ("http_output:\n  enabled: false\n  url: https://soc.example.gov.cn/in\n", [], []),
        ("http_output:\n  enabled: true\n  url: http://localhost:2801\n", [], []),
        (
            "program_output:\n  enabled: true\n  program: mail -s a b\n",
            [],
            ["Falco → 告警程序（program_output）"],
        ),
        ("grpc_output:\n  enabled: true\n", [], UNKNOWN),  # who asks for them is not known
    ],
)
def test_falco(notebook: Make, outputs: str, log: Any, expected: Any) -> None:
    book = notebook({"/etc/falco/falco.yaml": FALCO_LOCAL + outputs})
    found = read_alert_channels(book, FALCO, ["Falco"], log)
    assert (found is UNKNOWN) if expected is UNKNOWN else (found == expected)


def test_falco_with_more_files_or_unread_is_unknown(notebook: Make) -> None:
    more = notebook({"/etc/falco/falco.yaml": FALCO_LOCAL, "/etc/falco/config.d/a.yaml": ""})
    assert read_alert_channels(more, FALCO, ["Falco"], []) is UNKNOWN
    unread = notebook({"/etc/falco/falco.yaml": {"refused": "denied"}})
    assert read_alert_channels(unread, FALCO, ["Falco"], []) is UNKNOWN


@pytest.mark.parametrize(
    ("lines", "log", "expected"),
    [
        ("# MailSeverity=alert\nSyslogFacility=LOG_LOCAL2\n", ["10.0.0.3"], []),
        ("SyslogSeverity=alert\n", ["10.0.0.3"], ["Samhain → 系统日志 10.0.0.3"]),
        ("MailSeverity=crit\nSetMailAddress=duty@example.gov.cn\n", [], ["Samhain → 邮件（example.gov.cn）"]),
        ("MailSeverity=crit\nSetMailAddress=root@localhost\n", [], []),
        ("MailSeverity=none\nSetMailAddress=duty@example.gov.cn\n", [], []),
        ("ExportSeverity=info\nSetLogServer = 10.0.0.7\n", [], ["Samhain → 10.0.0.7"]),
    ],
)
def test_samhain(notebook: Make, lines: str, log: list[str], expected: list[str]) -> None:
    book = notebook({"/etc/samhain/samhainrc": f"[Log]\n{lines}"})
    assert read_alert_channels(book, SAMHAIN, ["Samhain"], log) == expected


def by_script() -> Reader:
    text = questions.script("f00dfeedf00dfeed", False, 16 << 20)
    done = subprocess.run(["sh", "-s"], input=text, capture_output=True, check=True)
    return ScriptReader(transcript(done.stdout, "f00dfeedf00dfeed").answers)


@pytest.mark.parametrize("reader", [LocalReader, by_script])
def test_a_process_with_a_real_connection(tmp_path: Path, reader: Callable[[], Reader]) -> None:
    """A process by the name of an agent, connected to an address of this machine that is not its loopback."""
    here = socket.create_server(("0.0.0.0", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.18.0.1", 9))  # sends nothing: which address it would leave by
        address = probe.getsockname()[0]
    port = here.getsockname()[1]
    program = tmp_path / "wazuh-agentd"
    shutil.copy(Path(sys.executable).resolve(), program)
    code = (
        f"import socket, sys; s = socket.create_connection(({address!r}, {port})); "
        "print('up', flush=True); sys.stdin.read()"
    )
    with (
        here,
        subprocess.Popen(
            [program, "-S", "-E", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as agent,
    ):
        assert agent.stdout is not None
        assert agent.stdin is not None
        assert agent.stdout.readline() == "up\n"
        book = Notebook(reader())
        found = read_alert_channels(book, read_processes(book), ["Wazuh/OSSEC"], [])
        agent.stdin.close()
    assert found == [f"Wazuh/OSSEC → {address}:{port}"]

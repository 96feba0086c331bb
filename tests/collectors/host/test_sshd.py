"""Parsing of sshd's configuration, and the same against a real sshd."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from collectors.contract import Run, Source
from collectors.host import Options, collect
from collectors.host.processes import Process, Processes
from collectors.host.sshd import SshdConfig, arguments, effective, read_config, read_ssh_server
from inventory.unknown import UNKNOWN

RUNNING = Processes([Process(1, "systemd", ()), Process(9, "sshd", ("/usr/sbin/sshd", "-D"))], complete=True)
DENIED = {"refused": "denied"}


def from_file(notebook, text: str, **files):
    files = {"/etc/ssh/sshd_config": text, "/usr/sbin/sshd": "", **files}
    return read_ssh_server(notebook(files, user_id=1000), RUNNING)


def test_no_sshd_is_seen_as_none(notebook) -> None:
    server = read_ssh_server(notebook({}), Processes([Process(1, "init", ())], complete=True))
    assert (server.installed, server.running) == (False, False)
    assert server.permit_root_login is UNKNOWN


def test_hidden_processes_leave_running_unknown(notebook) -> None:
    server = read_ssh_server(notebook({"/usr/sbin/sshd": ""}), Processes([], complete=False))
    assert (server.installed, server.running) == (True, UNKNOWN)


def test_effective_output() -> None:
    assert effective(b"port 22\nport 2222\npermitrootlogin without-password\nallowusers a b\n\xff\xfe\n") == {
        "port": ["22", "2222"], "permitrootlogin": ["without-password"], "allowusers": ["a b"],
    }  # fmt: skip


def test_file_says_what_it_says_and_varying_defaults_stay_unknown(notebook) -> None:
    server = from_file(
        notebook,
        'PermitRootLogin no\npermitrootlogin yes\nClientAliveInterval 1h30m # x\nPort=2022\nAllowUsers "ops" adm@10.*\nAllowGroups wheel\n',
    )
    assert server.permit_root_login == "no"  # the first value counts
    assert server.idle_timeout_seconds == 5400 * 3
    assert server.ports == [2022]
    assert server.password_authentication is True  # the same default in every version
    assert server.ciphers is UNKNOWN
    assert server.allow_users == ["ops", "adm@10.*", "%wheel"]
    assert from_file(notebook, "").permit_root_login is UNKNOWN


def test_match_block_makes_its_fields_unknown(notebook) -> None:
    server = from_file(
        notebook,
        "PermitRootLogin no\nPasswordAuthentication no\nMatch Address 10.0.0.0/8\n PermitRootLogin yes\n"
        " PasswordAuthentication no\nMatch all\nX11Forwarding yes\n",
    )
    assert server.permit_root_login is UNKNOWN
    assert server.password_authentication is False  # set to the same value
    assert server.x11_forwarding is True  # Match all is no condition


def test_include_in_place_with_match_ending_at_its_file(notebook) -> None:
    server = from_file(
        notebook,
        "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin yes\nMaxAuthTries 2\n",
        **{
            "/etc/ssh/sshd_config.d/10-a.conf": "PermitRootLogin no\nMatch User x\nMaxAuthTries 9\n",
            "/etc/ssh/sshd_config.d/ignored.txt": "PermitRootLogin yes\n",
        },
    )
    assert server.permit_root_login == "no"
    assert server.max_auth_tries is UNKNOWN


@pytest.mark.parametrize(
    "drop_in", [DENIED, "Include /etc/ssh/sshd_config\n", "Include /etc/ssh/sshd_config.d/1.conf\n"]
)
def test_unreadable_or_looping_include_leaves_everything_unknown(notebook, drop_in) -> None:
    server = from_file(
        notebook,
        "Include sshd_config.d/1.conf\nPermitRootLogin no\n",
        **{"/etc/ssh/sshd_config.d/1.conf": drop_in},
    )
    assert server.permit_root_login is UNKNOWN
    assert server.installed is True


def test_command_line_counts_before_the_file() -> None:
    new = Process(
        9,
        "sshd",
        (
            "sshd: /usr/sbin/sshd -D -oCiphers=aes256-ctr -o PermitRootLogin=no [listener] 0 of 10-100 startups",
        ),
    )
    assert arguments(new)[0] == {"ciphers": ["aes256-ctr"], "permitrootlogin": ["no"]}
    old = Process(9, "sshd", ("/usr/sbin/sshd", "-f", "/etc/ssh/other", "-p", "2200"))
    assert arguments(old) == ({"port": ["2200"]}, "/etc/ssh/other")


def test_crypto_policy_of_the_command_line_is_seen(machine) -> None:
    server = machine("anolis-8-user")["host"].resources[0].ssh
    assert server.ciphers == ["aes256-gcm@openssh.com", "aes128-ctr"]
    assert server.macs == ["hmac-sha2-256"]
    assert server.key_exchanges is UNKNOWN


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("ClientAliveInterval 0\n", None), ("ClientAliveInterval 300\nClientAliveCountMax 2\n", 600),
     ("ClientAliveInterval 300\nClientAliveCountMax 0\n", UNKNOWN), ("ClientAliveInterval junk\n", UNKNOWN)],
)  # fmt: skip
def test_idle_timeout(notebook, text: str, seconds: object) -> None:
    found = from_file(notebook, text).idle_timeout_seconds
    assert found is seconds if seconds is UNKNOWN else found == seconds


def test_config_of_loop_is_marked(notebook) -> None:
    config = read_config(notebook({"/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config\nPort 22\n"}))
    assert isinstance(config, SshdConfig)
    assert not config.whole


CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {key}
PidFile {pid}
UsePAM no
PermitRootLogin no
PasswordAuthentication no
PermitEmptyPasswords no
MaxAuthTries 4
ClientAliveInterval 2m
ClientAliveCountMax 5
X11Forwarding no
AllowUsers ops adm
AllowGroups wheel
AuthenticationMethods publickey
Ciphers aes256-ctr,aes128-ctr
MACs hmac-sha2-512
KexAlgorithms curve25519-sha256
"""


@pytest.fixture
def real_sshd(tmp_path: Path):
    """A real sshd on loopback with a known configuration; yields its port and configuration."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "sshd_config"
    config.write_text(CONFIG.format(port=port, key=key, pid=tmp_path / "pid"))
    Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(config)], stderr=subprocess.PIPE)
    assert process.stderr is not None
    assert b"listening on 127.0.0.1" in process.stderr.readline()
    yield port, config
    process.terminate()
    process.communicate(timeout=10)


@pytest.mark.lab
def test_real_sshd_is_read_as_configured(real_sshd) -> None:
    port, config = real_sshd
    source = Source(name="here", type="local", options=Options(sshd_config=str(config)))
    batches = {b.collections[0].kind: b for b in collect(source, Run(source))}
    server = batches["host"].resources[0].ssh
    assert (server.installed, server.running, server.ports) == (True, True, [port])
    assert (server.permit_root_login, server.max_auth_tries, server.idle_timeout_seconds) == ("no", 4, 600)
    assert (server.password_authentication, server.empty_passwords, server.x11_forwarding) == (
        False,
        False,
        False,
    )
    assert server.allow_users == ["ops", "adm", "%wheel"]
    assert server.authentication_methods == ["publickey"]
    assert (server.ciphers, server.macs) == (["aes256-ctr", "aes128-ctr"], ["hmac-sha2-512"])
    assert server.key_exchanges == ["curve25519-sha256"]
    listeners = {(row.address, row.port): row.program for row in batches["listener"].resources}
    assert listeners["127.0.0.1", port] == "sshd"


@pytest.mark.lab
def test_file_and_effective_output_agree_on_a_real_configuration(real_sshd) -> None:
    """What the file parser says must be what sshd -T says, field by field, where it says anything."""
    from collectors.host.notebook import Notebook
    from collectors.host.reader import LocalReader

    _, config = real_sshd
    root, user = Notebook(LocalReader()), Notebook(LocalReader())
    user.reader.user_id = 1000
    effective_, parsed = (read_ssh_server(book, RUNNING, str(config)) for book in (root, user))
    assert any("sshd -T（生效值）" in note for note in root.notes)
    assert not any("sshd -T（生效值）" in note for note in user.notes)
    for field in effective_.__struct_fields__:
        assert getattr(parsed, field) is UNKNOWN or getattr(parsed, field) == getattr(effective_, field), (
            field
        )
    assert parsed.ciphers == ["aes256-ctr", "aes128-ctr"]

"""Devices behind a real OpenSSH server: the lab's command line as VRP and Comware, FRR's vtysh, and peers that
misbehave. The server runs in a mount namespace, where an account with a password exists."""

from __future__ import annotations

import gzip
import json
import logging
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.contract import Run, Source, collector
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.device_config import DeviceConfig
from inventory.kinds.network import Device, Interface

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[3]
SHELL = ROOT / "tests" / "lab" / "cli-shell"
PASSWORD = "Planted-login-password-5d1"
SECRET = "Xk9Qz-V"
OLD_SSH = """
    KexAlgorithms diffie-hellman-group1-sha1
    HostKeyAlgorithms ssh-rsa
    Ciphers 3des-cbc
    MACs hmac-sha1
"""
LEGACY = ["diffie-hellman-group1-sha1", "ssh-rsa", "3des-cbc", "hmac-sha1"]
DEVICES = {
    "vrp": "question",
    "comware": "no-paging",
    "vrp-gbk": "gbk",
    "vrp-endless": "endless",
    "vrp-reboot": "reboot",
    "vrp-stall": "stall",
    "vrp-silent": "silent",
    "vrp-force": "force",
    "vrp-low": "low",
    "vrp-secrets": "",
}


class Lab:
    """Where the servers are."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        self.folder, self.ports = folder, ports
        self.known_hosts = folder / "known_hosts"

    def source(self, *names: str, **options: Any) -> Source:
        own = {
            "targets": [f"127.0.0.1:{self.ports[name]}" for name in names],
            "user": "zg-lab",
            "password_ref": "env:DEVICE_PASSWORD",
            "known_hosts": str(self.known_hosts),
            "connect_seconds": 6.0,
            "command_seconds": 6.0,
            **options,
        }
        return Source(
            name="net",
            type="cli",
            options=msgspec.convert(own, collector("cli").Options),
            deadline_seconds=180,
        )

    def target(self, name: str) -> str:
        return f"127.0.0.1:{self.ports[name]}"


def program(name: str, package: str, *where: str) -> str:
    path = shutil.which(name, path=os.pathsep.join((os.environ["PATH"], "/usr/sbin", *where)))
    if path is None:
        pytest.fail(f"{name} is not here: apt-get install {package}")
    return path


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"nothing listens on {port}")


@pytest.fixture(scope="module")
def frr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """FRR's zebra in a network namespace; the folder of its sockets."""
    folder = (
        Path("/tmp") / f"zg-frr-{os.getpid()}"
    )  # the path of a socket is short, and FRR's user must get there
    sockets = folder / "run"
    sockets.mkdir(parents=True)
    (folder / "zebra.conf").write_text(
        "hostname edge-frr\npassword PlantedFrr\nenable password PlantedEnable\n"
        "interface lo\n ip address 10.255.9.9/32\n ipv6 address 2001:db8:9::9/128\n",
        encoding="utf-8",
    )
    for path in (folder, sockets, folder / "zebra.conf"):
        shutil.chown(path, "frr", "frr")
    zebra = program("zebra", "frr", "/usr/lib/frr")
    own = ["-f", str(folder / "zebra.conf"), "-i", str(sockets / "zebra.pid"), "-P", "0"]
    process = subprocess.Popen(
        ["unshare", "-n", zebra, *own, "--vty_socket", str(sockets), "-z", str(sockets / "zserv.api")],
        stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        if (sockets / "zebra.vty").exists():
            break
        time.sleep(0.05)
    yield sockets
    process.terminate()
    process.wait()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, frr: Path) -> Iterator[Lab]:
    """An sshd that listens on a port for each device."""
    folder = tmp_path_factory.mktemp("sshd")
    commands = {
        name: f"{sys.executable} {SHELL} {_device(folder, name)} {faults}" for name, faults in DEVICES.items()
    }
    commands["frr"] = f"{program('vtysh', 'frr')} --vty_socket {frr}"
    binaries = folder / "bin"
    binaries.mkdir()
    (binaries / "vtysh").write_text(
        "#!/bin/sh\n"  # as in a container, whose root has no password: glued to the answer's first line
        "printf 'vtysh_pam: Failed in account validation: Authentication failure(7)' >&2\n"
        f'exec {program("vtysh", "frr")} --vty_socket {frr} "$@"\n'
    )
    (binaries / "vtysh").chmod(0o755)
    commands["frr_linux"] = (
        f"env PATH={binaries}:/usr/bin:/bin PS1='root@edge:~# ' bash --norc --noprofile -i"
    )
    commands["closes"] = "/bin/true"
    ports = _free_ports([*commands, "old"])
    sshd = program("sshd", "openssh-server")
    Path("/run/sshd").mkdir(exist_ok=True)
    for kind in ("ed25519", "rsa"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(folder / f"host_{kind}")], check=True
        )
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "user")], check=True)
    shared = f"""
        ListenAddress 127.0.0.1
        HostKey {folder}/host_ed25519
        HostKey {folder}/host_rsa
        PidFile none
        UsePAM no
        StrictModes no
        PermitRootLogin yes
        PasswordAuthentication yes
        KbdInteractiveAuthentication no
        AuthorizedKeysFile {folder}/user.pub
        PrintMotd no
        MaxStartups 100
    """
    modern = shared + "".join(f"Port {port}\n" for name, port in ports.items() if name != "old")
    for name, command in commands.items():
        modern += f"Match LocalPort {ports[name]}\n    ForceCommand {command}\n"
    (folder / "sshd_config").write_text(modern, encoding="utf-8")
    old = f"{shared}Port {ports['old']}\n{OLD_SSH}\nForceCommand {commands['vrp']}\n"
    (folder / "sshd_config_old").write_text(old, encoding="utf-8")
    servers = [_sshd(sshd, folder, name) for name in ("sshd_config", "sshd_config_old")]
    for port in ports.values():
        _wait(port)
    public = " ".join((folder / "host_ed25519.pub").read_text().split()[:2])
    rsa = " ".join((folder / "host_rsa.pub").read_text().split()[:2])
    lines = [f"[127.0.0.1]:{port} {key}" for port in ports.values() for key in (public, rsa)]
    (folder / "known_hosts").write_text("\n".join(lines) + "\n", encoding="utf-8")
    yield Lab(folder, ports)
    for server in servers:
        server.terminate()
        server.wait()


def _device(folder: Path, name: str) -> Path:
    place = folder / name
    data = ROOT / "tests" / "data" / "cli"
    shutil.copytree(data / name.partition("-")[0], place)
    if name == "vrp-secrets":
        lines = (data / "secrets.txt").read_text(encoding="utf-8").splitlines()
        written = [line.replace("<S>", f"{SECRET}{n:02}x") for n, line in enumerate(lines) if line[0] != "#"]
        config = place / "display_current-configuration.txt"
        text = config.read_text(encoding="utf-8")
        config.write_text(
            text.replace("#\nreturn", "#\n" + "\n".join(written) + "\n#\nreturn"), encoding="utf-8"
        )
    return place


def _free_ports(names: list[str]) -> dict[str, int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    ports = {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}
    for one in sockets:
        one.close()
    return ports


def _sshd(sshd: str, folder: Path, config: str) -> subprocess.Popen[bytes]:
    """An sshd that sees an account of its own: the one of the test, with a password."""
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True
    ).stdout.strip()
    passwd, shadow = folder / "passwd", folder / "shadow"
    passwd.write_text(Path("/etc/passwd").read_text() + "zg-lab:x:0:0::/:/bin/sh\n")
    shadow.write_text(f"zg-lab:{hashed}:20000:0:99999:7:::\n")
    script = 'mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/shadow && exec "$3" -D -e -f "$4"'
    words = ["sh", "-c", script, "sh", str(passwd), str(shadow), sshd, str(folder / config)]
    log = (folder / f"{config}.log").open("wb")
    return subprocess.Popen(["unshare", "-m", "--propagation", "private", *words], stderr=log)


def collect(source: Source, environ: dict[str, str] | None = None) -> dict[str, Batch]:
    """Target → what was handed over for it."""
    run = Run(source, environ=environ or {"DEVICE_PASSWORD": PASSWORD})
    return {batch.collections[0].scope: batch for batch in collector("cli").collect(source, run)}


def of(batch: Batch, kind: str) -> Collection:
    return next(c for c in batch.collections if c.kind == kind)


def only(batch: Batch, kind: type[Any]) -> Any:
    (found,) = [r for r in batch.resources if isinstance(r, kind)]
    return found


def attempts(lab: Lab) -> int:
    """How many times the server was shown a password."""
    log = (lab.folder / "sshd_config.log").read_text(encoding="utf-8", errors="replace")
    return len(re.findall(r"(?:Accepted|Failed) password", log))


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
@pytest.mark.parametrize("name", ["vrp", "comware"])
def test_switches_are_read_whole(name: str, client: str, lab: Lab) -> None:
    (batch,) = collect(lab.source(name, client=client)).values()
    assert {c.status for c in batch.collections} == {Status.COMPLETE}, batch.collections
    device = only(batch, Device)
    assert device.name == {"vrp": "CORE-SW1", "comware": "AGG-1"}[name]
    assert (device.ssh_modern, device.ssh_version1, device.ssh_host_key_verified) == (True, False, True)
    assert device.ssh_legacy_algorithms
    config = only(batch, DeviceConfig)
    assert config.hostname == device.name
    assert "aes128-ctr" in config.ssh.ciphers  # not configured: what its server offered
    folder = lab.folder / name
    raw = (folder / "display_current-configuration.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    (kept,) = [e for e in batch.evidence if e.origin.endswith("display current-configuration")]
    assert len(kept.content.decode().split("\n")) == len(raw)


def test_only_commands_of_the_table_were_typed(lab: Lab) -> None:
    from collectors.cli.platforms import platform_of

    collect(lab.source("vrp", platform="huawei_vrp"))
    typed = set((lab.folder / "vrp" / "typed").read_text(encoding="utf-8").splitlines())
    assert typed <= {*platform_of("huawei_vrp").allowed, "", "N"}
    assert "display current-configuration" in typed


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_a_key_logs_in(client: str, lab: Lab) -> None:
    source = lab.source("vrp", client=client, password_ref="", key_file=str(lab.folder / "user"))
    (batch,) = collect(source).values()
    assert of(batch, "device_config").status is Status.COMPLETE


def test_frr_is_read_through_vtysh(lab: Lab, frr: Path) -> None:
    vtysh = [program("vtysh", "frr"), "--vty_socket", str(frr), "-c"]
    said = subprocess.run([*vtysh, "show ip route summary json"], capture_output=True, text=True, check=True)
    batches = collect(lab.source("frr", "frr_linux"))
    for name in ("frr", "frr_linux"):
        batch = batches[lab.target(name)]
        assert {c.status for c in batch.collections} == {Status.COMPLETE}, batch.collections
        device = only(batch, Device)
        assert (device.software, device.version, device.role) == ("FRR", "8.4.4", "router")
        assert device.routes_ipv4 == json.loads(said.stdout)["routesTotalFib"]
        loopback = next(r for r in batch.resources if isinstance(r, Interface) and r.name == "lo")
        assert [a.address for a in loopback.addresses if a.scope != "host"] == ["10.255.9.9", "2001:db8:9::9"]
        assert all(b"Planted" not in e.content for e in batch.evidence)
        assert any(b"password ******" in e.content for e in batch.evidence)


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_a_wrong_password_is_denied(client: str, lab: Lab) -> None:
    (batch,) = collect(lab.source("vrp", client=client), {"DEVICE_PASSWORD": "wrong-one"}).values()
    assert {c.status for c in batch.collections} == {Status.DENIED}
    assert "zg-lab" in of(batch, "device").reason
    assert batch.resources == []


def test_logins_are_tried_in_order(lab: Lab) -> None:
    first = {"user": "zg-lab", "password_ref": "env:OLD_PASSWORD"}
    second = {"user": "zg-lab", "password_ref": "env:DEVICE_PASSWORD"}
    source = lab.source("vrp", user="", password_ref="", credentials=[first, second])
    environ = {"OLD_PASSWORD": "an-old-one", "DEVICE_PASSWORD": PASSWORD}
    (batch,) = collect(source, environ).values()
    assert of(batch, "device").status is Status.COMPLETE
    (batch,) = collect(source, environ | {"DEVICE_PASSWORD": "wrong-one"}).values()
    assert of(batch, "device").status is Status.DENIED
    assert "2 组" in of(batch, "device").reason


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_an_unknown_host_key_gets_no_password(client: str, lab: Lab, tmp_path: Path) -> None:
    empty = tmp_path / "known_hosts"
    empty.write_text("")
    before = attempts(lab)
    (batch,) = collect(lab.source("vrp", client=client, known_hosts=str(empty))).values()
    device = of(batch, "device")
    assert device.status is Status.DENIED
    assert re.search(r"SHA256:[\w+/]{43}", device.reason)
    assert "ssh-keyscan" in device.remedy
    assert attempts(lab) == before


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_a_changed_host_key_says_so(client: str, lab: Lab, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    other = " ".join((tmp_path / "other.pub").read_text().split()[:2])
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{lab.ports['vrp']} {other}\n")
    (batch,) = collect(lab.source("vrp", client=client, known_hosts=str(known))).values()
    assert "不同" in of(batch, "device").reason
    assert of(batch, "device").status is Status.DENIED


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_verification_switched_off_is_a_fact(client: str, lab: Lab, tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    source = lab.source("vrp", client=client, known_hosts=missing, insecure=True)
    (batch,) = collect(source).values()
    assert only(batch, Device).ssh_host_key_verified is False


def test_an_old_peer_tells_what_it_offers(lab: Lab) -> None:
    (batch,) = collect(lab.source("old")).values()
    device = of(batch, "device")
    assert device.status is Status.PARTIAL
    assert all(name in device.reason for name in LEGACY)
    assert "client: openssh" in device.remedy
    found = only(batch, Device)
    assert found.ssh_modern is False
    assert found.ssh_legacy_algorithms == sorted(LEGACY)
    assert of(batch, "device_config").status is Status.FAILED
    assert of(batch, "interface").status is Status.FAILED


def test_an_old_peer_is_read_by_openssh_with_what_the_source_allows(lab: Lab) -> None:
    (batch,) = collect(lab.source("old", client="openssh", legacy=LEGACY)).values()
    assert {c.status for c in batch.collections} == {Status.COMPLETE}, batch.collections
    assert only(batch, Device).ssh_modern is False
    (batch,) = collect(lab.source("old", client="openssh", legacy=LEGACY[:1])).values()
    assert of(batch, "device").status is Status.PARTIAL
    (batch,) = collect(lab.source("old", client="openssh", legacy=["no-such-cipher"])).values()
    assert "legacy" in of(batch, "device").reason


@pytest.mark.parametrize("client", ["paramiko", "openssh"])
def test_faulty_devices_end_in_time_and_leave_the_healthy_ones_alone(client: str, lab: Lab) -> None:
    faulty = ["vrp-endless", "vrp-reboot", "vrp-stall", "vrp-silent", "vrp-force", "vrp-low", "closes"]
    source = lab.source("comware", "vrp-gbk", *faulty, client=client, output_mib=0.1, concurrency=9)
    began = time.monotonic()
    batches = collect(source)
    assert time.monotonic() - began < 100
    assert len(batches) == 9
    for name in ("comware", "vrp-gbk"):
        assert {c.status for c in batches[lab.target(name)].collections} == {Status.COMPLETE}
    config = {name: of(batches[lab.target(name)], "device_config") for name in faulty}
    assert {name: c.status for name, c in config.items()} == {
        "vrp-endless": Status.PARTIAL,
        "vrp-reboot": Status.PARTIAL,
        "vrp-stall": Status.PARTIAL,
        "vrp-silent": Status.FAILED,
        "vrp-force": Status.DENIED,
        "vrp-low": Status.DENIED,
        "closes": Status.FAILED,
    }
    assert all(c.reason and c.remedy for c in config.values())
    for name in faulty:
        if name != "vrp-low":
            assert of(batches[lab.target(name)], "interface").status is not Status.COMPLETE


def test_the_deadline_of_a_device_is_kept(lab: Lab) -> None:
    began = time.monotonic()
    source = lab.source(
        "vrp-stall", "vrp-silent", device_seconds=2.0, command_seconds=50.0, connect_seconds=50.0
    )
    batches = collect(source)
    assert time.monotonic() - began < 40
    for batch in batches.values():
        assert of(batch, "device_config").status is not Status.COMPLETE


def test_what_is_no_ssh_and_what_is_not_there(lab: Lab) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    free = _free_ports(["free"])["free"]
    source = lab.source(
        "vrp", targets=[f"127.0.0.1:{listener.getsockname()[1]}", f"127.0.0.1:{free}"], connect_seconds=1.0
    )
    batches = collect(source)
    listener.close()
    reasons = sorted(of(batch, "device").reason for batch in batches.values())
    assert len(reasons) == 2
    assert any("没有应答" in reason for reason in reasons)
    assert any("连不上" in reason for reason in reasons)


def test_doctor_says_who_lets_us_in(lab: Lab) -> None:
    source = lab.source("comware", "vrp-force", "old")
    run = Run(source, environ={"DEVICE_PASSWORD": PASSWORD})
    lines = {line.subject: line for line in collector("cli").probe(source, run)}
    assert lines[lab.target("comware")].ok is True
    assert "Comware" in lines[lab.target("comware")].detail
    assert lines[lab.target("vrp-force")].ok is False
    assert lines[lab.target("vrp-force")].remedy
    assert "diffie-hellman-group1-sha1" in lines[lab.target("old")].detail


def test_no_secret_reaches_logs(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        collect(lab.source("vrp", "vrp-reboot", "frr"))
    assert "Planted" not in caplog.text


CONFIG = """\
sources:
  - name: net
    type: cli
    targets: ["{one}", "{two}"]
    user: zg-lab
    password_ref: env:DEVICE_PASSWORD
    known_hosts: {known_hosts}
systems:
  - {{name: net, title: 电子政务外网, grade: S3A3, include: [{{sources: [net]}}]}}
"""


def test_no_secret_is_left_by_a_whole_run(lab: Lab, tmp_path: Path) -> None:
    """collect with the most talkative log, check, and a report: then everything that is there is searched."""
    from inventory.store import open_store

    text = CONFIG.format(
        one=lab.target("vrp-secrets"), two=lab.target("comware"), known_hosts=lab.known_hosts
    )
    (tmp_path / "zhengguan.yaml").write_text(text, encoding="utf-8")
    environ = {**os.environ, "DEVICE_PASSWORD": PASSWORD, "PYTHONPATH": str(ROOT)}
    said = b""
    for words in (
        ["collect", "--debug", "--record", "recordings"],
        ["check", "--debug", "--json"],
        ["report", "dengbao", "--system", "net", "--format", "html,docx", "--out", "reports", "--debug"],
        ["inventory", "device_config", "--json"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "zhengguan", *words],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr.decode()
        said += done.stdout + done.stderr
    searched = {"said": said}
    for path in tmp_path.rglob("*"):
        if path.is_file():
            searched[path.name] = path.read_bytes() + _unpacked(path)
    store = open_store(str(tmp_path / "zhengguan.db"))
    with sqlite3.connect(tmp_path / "zhengguan.db") as database:
        for (id_,) in database.execute("select id from evidence"):
            evidence = store.evidence(id_)
            assert evidence is not None
            searched[evidence.origin] = evidence.content
        for table in _tables(database):
            for number, row in enumerate(database.execute(f"select * from {table}")):
                searched[f"{table} {number}"] = b"\n".join(_plain(cell) for cell in row)
    store.close()
    assert any("display current-configuration" in name for name in searched)
    assert any(name.endswith(".docx") for name in searched)
    for secret in (SECRET, "Planted", PASSWORD):
        assert [name for name, content in searched.items() if secret.encode() in content] == []
    assert sum(content.count(b"******") for content in searched.values()) > 80


def _tables(database: sqlite3.Connection) -> set[str]:
    return {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}


def _plain(cell: object) -> bytes:
    if not isinstance(cell, bytes):
        return str(cell).encode()
    try:
        return zlib.decompress(cell)
    except zlib.error:
        return cell


def _unpacked(path: Path) -> bytes:
    """What is in a file of a packed format."""
    if path.suffix in (".docx", ".xlsx"):
        with zipfile.ZipFile(path) as file:
            return b"".join(file.read(name) for name in file.namelist())
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else b""

"""``discover`` on real agents and a real SSH banner: what is new is found, what is known is marked, and nothing
outside the prefixes is touched."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from inventory.coverage import Batch, Collection, Status
from inventory.kinds.network import Device, DeviceNeighbour, RoutingPeer
from inventory.store import open_store
from zhengguan.cli import main
from zhengguan.config import parse_config

LAB = Path(__file__).parents[1] / "lab"
NET = f"127.77.{200 + os.getpid() % 50}"
SECRETS = {
    "ALPHA": "alpha-Planted-community",
    "AUTH": "Planted-authentication",
    "PRIV": "Planted-privacy",
}
CONFIG = f"""
store: zg.db
sources:
  - name: core
    type: snmp
    targets: ["{NET}.1:PORT"]
    credentials:
      - {{version: v2c, community_ref: env:ALPHA}}
      - {{version: v3, user: reader, authentication: SHA256, authentication_ref: env:AUTH, privacy: AES128, privacy_ref: env:PRIV}}
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Six agents of v2c at .1 to .6, four of v3 at .33 to .36, two more at .65 and .66 that take no login of
    ours, all at one port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((f"{NET}.1", 0))
        number = free.getsockname()[1]
    v3 = f"reader:SHA256:{SECRETS['AUTH']}:AES:{SECRETS['PRIV']}"
    other = "reader:SHA256:another-secret-1:AES:another-secret-2"
    farms = [
        (f"{NET}.1", 6, ["--community", SECRETS["ALPHA"]]),
        (f"{NET}.33", 4, ["--community", "not-ours", "--v3", v3]),
        (f"{NET}.65", 2, ["--community", "not-ours", "--v3", other]),
    ]
    with ExitStack() as stack:
        for base, count, more in farms:
            command = [
                sys.executable,
                LAB / "snmp-farm",
                "--rec",
                LAB / "snmprec",
                "--count",
                str(count),
                "--base",
                base,
            ]
            process = subprocess.Popen(
                [*command, "--port", str(number), "--seconds", "300", *more],
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            assert process.stdout
            stack.callback(process.stdout.close)
            assert process.stdout.readline().startswith("READY")
        yield number


@pytest.fixture
def folder(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "zhengguan.yaml").write_text(CONFIG.replace("PORT", str(port)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], port: int, *words: str) -> dict[str, Any]:
    fast = ["--rate", "500", "--timeout", "2", "--snmp-port", str(port)]
    assert main(["discover", *words, *fast, "--json"]) == 0
    out = capsys.readouterr()
    for secret in SECRETS.values():
        assert secret not in out.out + out.err
    found: dict[str, Any] = json.loads(out.out)
    return found


def last(found: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """By the last number of the address."""
    return {int(row["found"]["address"].rpartition(".")[2]): row for row in found["found"]}


def remember(folder: Path, *neighbours: str, peers: tuple[str, ...] = ()) -> None:
    """A snapshot in which a device told of these."""
    device = Device(
        source="core",
        native_id="sw1",
        scope="sw1",
        name="sw1",
        neighbours=[DeviceNeighbour(protocol="lldp", addresses=[address]) for address in neighbours],
        routing_peers=[RoutingPeer(protocol="bgp", address=address) for address in peers],
    )
    now = datetime.now(UTC)
    done = Collection(
        source="core",
        kind="device",
        status=Status.COMPLETE,
        started_at=now,
        ended_at=now,
        scope="sw1",
        count=1,
    )
    with open_store(str(folder / "zg.db"), create=True).writer(now) as writer:
        writer.add(Batch(resources=[device], collections=[done]))


def test_agents_of_both_versions_and_those_that_refuse(
    folder: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(capsys, port, f"{NET}.0/25", "--no-ssh")
    rows = last(found)
    assert set(rows) == {*range(1, 7), *range(33, 37), 65, 66}
    assert found["asked"] == 126
    assert {
        n: row["found"]["snmp"]["version"]
        for n, row in rows.items()
        if "snmp" in row["found"] and row["found"]["snmp"]
    } == {
        **dict.fromkeys(range(1, 7), "v2c"),
        **dict.fromkeys(range(33, 37), "v3"),
    }
    assert [rows[n]["found"]["refused"] for n in (1, 65, 66)] == [False, True, True]
    assert all(rows[n]["found"]["snmp"]["vendor"] for n in (1, 2, 33))
    assert {n: row["known"] for n, row in rows.items() if row["known"]} == {1: "core"}


def test_the_fragment_is_a_configuration_that_collects(
    folder: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    text = run(capsys, port, f"{NET}.0/26", "--no-ssh")["sources"]
    config = parse_config("sources:\n" + text, folder / "new.yaml", {})
    assert [(s.name, s.type) for s in config.sources] == [("core-found", "snmp"), ("core-found-2", "snmp")]
    assert config.sources[0].options.targets == [f"{NET}.{n}:{port}" for n in range(2, 7)]
    assert config.sources[1].options.targets == [f"{NET}.{n}:{port}" for n in range(33, 37)]
    (folder / "new.yaml").write_text("store: new.db\nsources:\n" + text, encoding="utf-8")
    assert main(["doctor", "-c", "new.yaml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [line["ok"] for lines in told.values() for line in lines] == [True] * 9
    assert yaml.safe_load((folder / "zhengguan.yaml").read_text()) == yaml.safe_load(
        CONFIG.replace("PORT", str(port))
    )


def test_nothing_outside_the_prefixes_and_nothing_excluded_is_touched(
    folder: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sockets at addresses outside, and at an excluded one, hear nothing at all."""
    outside, excluded = "127.78.0.9", f"{NET}.9"
    remember(folder, outside, f"{NET}.35", excluded, "fe80::1", peers=("127.78.0.10",))
    with ExitStack() as stack:
        ears = []
        for address in (outside, "127.78.0.10", excluded):
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            udp.bind((address, port))
            tcp = stack.enter_context(socket.create_server((address, port)))
            udp.setblocking(False)
            tcp.setblocking(False)
            ears.append((udp, tcp))
        probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        words = [
            f"{NET}.0/28",
            f"{NET}.32/29",
            "--exclude",
            excluded,
            "--neighbours",
            "--ssh-port",
            str(port),
        ]
        found = run(capsys, port, *words)
        for udp, tcp in ears:
            with pytest.raises(BlockingIOError):
                udp.recv(1)
            with pytest.raises(BlockingIOError):
                tcp.accept()
        # the ears do hear
        probe.sendto(b"x", (excluded, port))
        ears[-1][0].setblocking(True)
        ears[-1][0].settimeout(2)
        assert ears[-1][0].recv(10) == b"x"
    core = f"{NET}.1:{port}"
    by_teller = {teller: {a for a, t in found["outside"].items() if t == teller} for teller in ("sw1", core)}
    assert by_teller["sw1"] == {outside, "127.78.0.10", excluded}
    assert by_teller[core]  # out of the ARP table of the device itself, as it is now
    assert len(found["outside"]) == sum(map(len, by_teller.values()))
    assert last(found)[35]["told_by"] == "sw1"
    assert set(last(found)) == {*range(1, 7), *range(33, 37)}


def test_ipv6_prefixes_are_not_swept_and_neighbours_in_them_are_asked(
    folder: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["discover", "2001:db8::/64"]) == 2
    assert "不逐个探测" in capsys.readouterr().err
    remember(folder, "::1", "2001:db8:9::1")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        threading.Thread(target=_greet, args=(server,), daemon=True).start()
        found = run(capsys, port, "::/120", "--neighbours", "--ssh-port", str(server.getsockname()[1]))
    assert found["asked"] == 1
    assert [(row["found"]["address"], row["found"]["ssh"]) for row in found["found"]] == [
        ("::1", "SSH-2.0-OpenSSH_9.2")
    ]
    assert found["outside"]["2001:db8:9::1"] == "sw1"
    assert yaml.safe_load(found["sources"])[0]["targets"] == [f"[::1]:{server_port(found)}"]


def server_port(found: dict[str, Any]) -> str:
    return yaml.safe_load(found["sources"])[0]["targets"][0].rpartition(":")[2]  # type: ignore[no-any-return]


def _greet(server: socket.socket) -> None:
    try:
        with server.accept()[0] as peer:
            peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    except OSError:
        pass


def test_a_sixteen_wants_to_be_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["discover", "127.90.0.0/16"]) == 2
    error = capsys.readouterr().err
    assert "65536" in error
    assert "--max-addresses" in error


def test_the_table_says_what_is_new_and_what_to_paste(
    folder: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--rate", "500", "--timeout", "2", "--no-ssh", "--snmp-port", str(port)]
    assert main(["discover", f"{NET}.0/29", *words]) == 0
    out = capsys.readouterr().out
    assert "探测了 6 个地址，6 个有应答，其中 5 个还没有登记" in out
    assert "  - name: core-found\n    type: snmp\n    targets:\n" in out
    assert "    community_ref: env:ALPHA\n" in out


@pytest.mark.lab
def test_a_real_sshd_is_found_as_a_linux_host(
    folder: Path, port: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    Path("/run/sshd").mkdir(exist_ok=True)
    with socket.create_server((f"{NET}.3", 0)) as free:
        ssh_port = free.getsockname()[1]
    options = [f"ListenAddress={NET}.{n}" for n in (3, 8)] + [f"HostKey={tmp_path}/key", "PidFile=none"]
    command = ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-p", str(ssh_port)]
    for option in options:
        command += ["-o", option]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as sshd:
        assert sshd.stderr
        assert "listening" in sshd.stderr.readline()
        assert "listening" in sshd.stderr.readline()
        found = run(capsys, port, f"{NET}.0/28", "--ssh-port", str(ssh_port))
        sshd.terminate()
    rows = last(found)
    assert rows[3]["found"]["ssh"].startswith("SSH-2.0-OpenSSH")
    assert rows[3]["found"]["snmp"]
    assert rows[8]["found"]["snmp"] is None
    linux = yaml.safe_load(found["sources"])[1]
    assert (linux["type"], linux["targets"]) == ("linux", [f"{NET}.8:{ssh_port}"])

"""This machine, read as root and as nobody, against what other programs say of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.lab  # root, and Debian's iproute2 and util-linux as oracles
ROOT = Path(__file__).parents[3]
SCRIPT = """
import json, os, resource, sys
from collectors.contract import Run, Source, collector
from inventory.resource import plain
import asn1crypto.cms, asn1crypto.x509, collectors.certificates.forms, collectors.tls.certificates
collector("local")  # imported as root: nobody may not reach the checkout
if sys.argv[1] == "nobody":
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
source = Source(name="here", type="local", labels={"zone": "z"})
run = Run(source)
found = {"rows": {}, "collections": {}, "evidence": ""}
for batch in collector("local").collect(source, run):
    for c in batch.collections:
        found["collections"][c.kind] = [str(c.status), c.count, c.reason, c.remedy]
        found["rows"][c.kind] = [plain(r) for r in batch.resources]
    found["evidence"] += "".join(e.content.decode() for e in batch.evidence)
found["access"] = [[a.subject, a.ok] for a in collector("local").probe(source, run)]
own, children = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
found["cpu"] = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
json.dump(found, sys.stdout, default=str)
"""


def read(user: str) -> dict[str, Any]:
    """Collect in a process of its own, as root or as nobody (without groups)."""
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT, user],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
    )
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.fixture(scope="module")
def as_root() -> dict[str, Any]:
    assert os.geteuid() == 0, "these tests compare root with nobody and must start as root"
    return read("root")


@pytest.fixture(scope="module")
def as_nobody() -> dict[str, Any]:
    return read("nobody")


def test_accounts_are_those_of_getent(as_root: dict[str, Any], as_nobody: dict[str, Any]) -> None:
    rows = [line.split(":") for line in subprocess.check_output(["getent", "passwd"], text=True).splitlines()]
    theirs = {(r[0], int(r[2]), r[6]) for r in rows}
    for found in (as_root, as_nobody):
        assert {(a["name"], a["user_id"], a["shell"]) for a in found["rows"]["account"]} == theirs
        assert found["collections"]["account"][0] == "complete"


def test_root_sees_passwords_as_passwd_does_and_nobody_none(
    as_root: dict[str, Any], as_nobody: dict[str, Any]
) -> None:
    status = subprocess.check_output(["passwd", "-Sa"], text=True).splitlines()
    theirs = {line.split()[0]: line.split()[1] for line in status}
    words = {"set": "P", "empty": "NP", "locked": "L", "none": "L"}
    assert {a["name"]: words[a["password"]] for a in as_root["rows"]["account"]} == theirs
    assert not any("password" in a or "password_max_days" in a for a in as_nobody["rows"]["account"])
    assert "/etc/shadow" in as_nobody["collections"]["account"][2]
    assert "root" in as_nobody["collections"]["account"][3]


LISTENERS = """
import json, socket, subprocess
from collectors.host.notebook import Notebook
from collectors.host.processes import read_processes
from collectors.host.reader import LocalReader
from collectors.host.sockets import read_listeners
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
kept = []
for family, kind, address in (
    (socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1"), (socket.AF_INET, socket.SOCK_STREAM, "0.0.0.0"),
    (socket.AF_INET6, socket.SOCK_STREAM, "::1"), (socket.AF_INET6, socket.SOCK_STREAM, "::"),
    (socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.2"), (socket.AF_INET6, socket.SOCK_DGRAM, "::1"),
):
    kept.append(socket.socket(family, kind))
    kept[-1].bind((address, 0))
    if kind == socket.SOCK_STREAM:
        kept[-1].listen()
kept.append(socket.create_connection(kept[0].getsockname()))  # connected: no listener
book = Notebook(LocalReader())
rows, refused = read_listeners(book, read_processes(book), "h", "s", {})
ss = subprocess.check_output(["ss", "-tulnH"], text=True).splitlines()
print(json.dumps([[[r.protocol, r.address, r.port] for r in rows], [str(r.program) for r in rows], ss]))
"""


def test_listeners_are_those_of_ss() -> None:
    """In a network namespace of its own, so that both see the same sockets."""
    answer = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", LISTENERS],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}"},
    )
    ours, programs, lines = json.loads(answer.stdout)
    theirs = []
    for line in lines:
        parts = line.split()
        address, _, port = parts[4].rpartition(":")
        theirs.append([parts[0], address.strip("[]").replace("*", "::"), int(port)])
    assert sorted(ours) == sorted(theirs)
    assert len(ours) == 6
    assert all(program.startswith("python") for program in programs)


def test_interfaces_are_those_of_ip(as_root: dict[str, Any], as_nobody: dict[str, Any]) -> None:
    rows = json.loads(subprocess.check_output(["ip", "-j", "addr"]))
    theirs = {
        r["ifname"]: (r["ifindex"], r["mtu"], sorted((a["local"], a["prefixlen"]) for a in r["addr_info"]))
        for r in rows
    }
    for found in (as_root, as_nobody):
        ours = {
            r["name"]: (
                r["index"],
                r["mtu"],
                sorted((a["address"], a["prefix_length"]) for a in r["addresses"]),
            )
            for r in found["rows"]["interface"]
        }
        assert ours == theirs


def test_the_same_network_without_ip(as_root: dict[str, Any]) -> None:
    """A machine without iproute2: /proc and /sys give the same interfaces and routes."""
    from collectors.contract import Run, Source
    from collectors.host import collect_from
    from collectors.host.reader import LocalReader, Output, Refusal

    class WithoutIp(LocalReader):
        def run(self, argv: tuple[str, ...]) -> Output | Refusal:
            return Refusal.NOT_FOUND if argv[0] == "ip" else super().run(argv)

    source = Source(name="here", type="local")
    batches = {b.collections[0].kind: b for b in collect_from(WithoutIp(), source, Run(source))}

    def addresses(rows: list[Any]) -> dict[str, Any]:
        return {r.name: sorted((a.address, a.prefix_length) for a in r.addresses) for r in rows}

    theirs = {
        r["name"]: sorted((a["address"], a["prefix_length"]) for a in r["addresses"])
        for r in as_root["rows"]["interface"]
    }
    assert addresses(batches["interface"].resources) == theirs
    ours = {(r.family, r.destination, r.gateway, r.interface) for r in batches["route"].resources}
    assert ours == {
        (r["family"], r["destination"], r["gateway"], r["interface"]) for r in as_root["rows"]["route"]
    }


def test_system_facts(as_root: dict[str, Any], as_nobody: dict[str, Any]) -> None:
    for found in (as_root, as_nobody):
        host = found["rows"]["host"][0]
        assert host["name"] == os.uname().nodename
        assert (host["kernel"], host["cpu_architecture"]) == (os.uname().release, os.uname().machine)
        assert host["memory_mib"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
        assert host["os_id"] == "debian"
        assert host["labels"] == {"zone": "z"}
        assert found["collections"]["host"][0] == "complete"
    assert as_root["rows"]["host"][0]["native_id"] == as_nobody["rows"]["host"][0]["native_id"]


def test_nobody_learns_less_and_is_told_so(as_root: dict[str, Any], as_nobody: dict[str, Any]) -> None:
    reason, remedy = as_nobody["collections"]["host"][2:]
    assert "防火墙规则未知" in reason
    assert "root" in remedy
    assert "firewall" not in as_nobody["rows"]["host"][0]
    assert dict(map(tuple, as_root["access"]))["口令状态、算法和有效期（/etc/shadow）"] is True
    assert dict(map(tuple, as_nobody["access"]))["口令状态、算法和有效期（/etc/shadow）"] is False
    assert not any("sudo" in a for a in as_nobody["rows"]["account"])


def test_pending_updates_are_those_of_apt(as_root: dict[str, Any]) -> None:
    updates = as_root["rows"]["host"][0]["updates"]
    if "pending" not in updates:
        assert not list(Path("/var/lib/apt/lists").glob("*_Packages*"))
        return
    lines = subprocess.check_output(["apt-get", "-s", "dist-upgrade"], text=True, stderr=subprocess.DEVNULL)
    upgraded, kept = re.search(r"(?m)^(\d+) upgraded, .* (\d+) not upgraded", lines).groups()  # type: ignore[union-attr]
    assert updates["pending"] == int(upgraded) + int(kept)


def test_evidence_holds_no_hash_and_no_machine_id(as_root: dict[str, Any]) -> None:
    text = as_root["evidence"] + json.dumps(as_root["rows"])
    hashes = [line.split(":")[1] for line in Path("/etc/shadow").read_text().splitlines()]
    assert not [h for h in hashes if len(h) > 4 and h in text]
    machine_id = Path("/etc/machine-id")
    assert not (
        machine_id.exists() and len(machine_id.read_text()) > 30 and machine_id.read_text().strip() in text
    )
    assert "password_state" in text


def test_whole_collection_is_cheap(as_root: dict[str, Any]) -> None:
    """CPU seconds of the process and its commands; apt alone, which builds its index in memory where the
    machine keeps none, is most of it."""
    assert as_root["cpu"] < 5.0


def test_works_without_any_command(as_root: dict[str, Any]) -> None:
    """A minimal container: no ip, lscpu, apt, systemd; only /proc, /sys and /etc."""
    from collectors.contract import Run, Source
    from collectors.host import collect_from
    from collectors.host.reader import LocalReader, Output, Refusal

    class Bare(LocalReader):
        def run(self, argv: tuple[str, ...]) -> Output | Refusal:
            return Refusal.NOT_FOUND

    source = Source(name="here", type="local")
    batches = {b.collections[0].kind: b for b in collect_from(Bare(), source, Run(source))}
    status = {kind: str(b.collections[0].status) for kind, b in batches.items()}
    # as it lies in this machine's /etc: without grep and sed no configuration and no file is looked into
    assert status.pop("certificate") in ("partial", "complete")
    assert status == dict.fromkeys(("host", "account", "listener", "interface", "route"), "complete")
    assert batches["host"].resources[0].kernel == os.uname().release

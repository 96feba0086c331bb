"""Real hosts behind a real sshd: the facts are those that ``local`` tells of the same machine, and whatever
goes wrong is told, in time, without harm to the other hosts."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Run, Source, SourceError
from collectors.linux import Options, collect, probe, record
from inventory.coverage import Batch, Status
from inventory.kinds.host import Host
from inventory.resource import plain

pytestmark = pytest.mark.lab  # root, namespaces, openssh-server, sudo
ROOT = Path(__file__).parents[3]
PASSWORD = "Zg-Planted-91c4-Password"
KINDS = ("host", "account", "listener", "interface", "route", "certificate")

BOTH = """
import json, os, pwd, sys
from collectors.contract import Run, Source, collector
from inventory.resource import plain
import paramiko
far, near = collector("linux"), collector("local")
user, options = sys.argv[1], json.loads(sys.argv[2])

def told(module, source):
    rows, ends = {}, {}
    for batch in module.collect(source, Run(source)):
        for c in batch.collections:
            ends[c.kind] = [str(c.status), c.count, c.reason]
        for r in batch.resources:
            rows[r.uid] = plain(r)
    return [rows, ends]

source = Source(name="x", type="linux", labels={"zone": "z"}, options=far.Options(**options))
found = {"far": told(far, source)}
if user != "root":  # imported as root: others may not reach the checkout
    one = pwd.getpwnam(user)
    os.setgroups([])
    os.setresgid(one.pw_gid, one.pw_gid, one.pw_gid)
    os.setresuid(one.pw_uid, one.pw_uid, one.pw_uid)
found["near"] = told(near, Source(name="x", type="local", labels={"zone": "z"}))
json.dump(found, sys.stdout, default=str)
"""
_OWN = ("scope", "host_key_verified", "uptime_seconds", "memory_available_mib", "in_octets", "out_octets")


def both(lab: Any, local_user: str, **options: Any) -> tuple[Any, Any]:
    """What ``linux`` tells, and what ``local`` tells where the host is, as a user."""
    answer = subprocess.run(
        [
            "nsenter",
            "-t",
            str(lab.pid),
            "-m",
            "-n",
            "-p",
            "--wd=/",
            sys.executable,
            "-c",
            BOTH,
            local_user,
            json.dumps(options),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    (far, far_ends), (near, near_ends) = found["far"], found["near"]
    own_id = next(uid for uid in near if uid.startswith("x/host/")).split("/")[2]
    return (_named(far, lab.target), far_ends), (_named(near, own_id), near_ends)


def _named(rows: dict[str, Any], host: str) -> dict[str, Any]:
    """Rows without what differs between any two readings, and with the host's own id called HOST."""
    found = {}
    for uid, row in rows.items():
        fields = {name: value for name, value in row.items() if name not in _OWN}
        fields["native_id"] = fields["native_id"].replace(host, "HOST", 1)
        fields["relations"] = json.loads(json.dumps(fields.get("relations", [])).replace(f"/{host}", "/HOST"))
        found[uid.replace(host, "HOST", 1)] = fields
    return found


def test_root_is_told_what_local_tells_root(lonely: Any) -> None:
    (far, far_ends), (near, near_ends) = both(lonely, "root", **lonely.options("root"))
    assert far == near
    assert far_ends == near_ends
    host = next(row for uid, row in far.items() if uid.startswith("x/host/"))
    assert host["ssh"]["ports"] == [lonely.port]
    assert far["x/account/HOST/zg-user"]["password_algorithm"] == "sha512"
    assert [row["program"] for uid, row in far.items() if "/listener/" in uid] == ["sshd"]


def test_an_ordinary_user_is_told_what_local_tells_him(lonely: Any) -> None:
    (far, far_ends), (near, near_ends) = both(lonely, "zg-user", **lonely.options("zg-user"))
    assert far == near
    assert far_ends == near_ends
    assert "password" not in far["x/account/HOST/root"]
    assert "sudo" not in far["x/account/HOST/zg-user"]


def test_with_rules_of_sudo_he_is_told_what_local_tells_root(lonely: Any) -> None:
    """But for the firewall: the machine may lack the commands, which only root may conclude from."""
    (far, _), (near, _) = both(lonely, "root", **lonely.options("zg-sudo", sudo=True))
    for rows in (far, near):
        next(row for uid, row in rows.items() if uid.startswith("x/host/")).pop("firewall", None)
        next(row for uid, row in rows.items() if uid.startswith("x/host/")).pop("audit", None)
    assert far == near
    assert far["x/account/HOST/zg-user"]["password"] == "set"
    assert far["x/account/HOST/zg-sudo"]["sudo"] is True
    assert far["x/account/HOST/zg-user"]["sudo"] is False


def rows_of(batches: list[Batch]) -> dict[str, Any]:
    return {r.uid: r for batch in batches for r in batch.resources}


def ends_of(batches: list[Batch], target: str) -> dict[str, Any]:
    return {c.kind: c for batch in batches for c in batch.collections if c.scope == target}


def failure(batches: list[Batch], target: str) -> tuple[Status, str, str]:
    """The one way that all kinds of a host ended."""
    ends = ends_of(batches, target)
    assert set(ends) == set(KINDS)
    told = {(c.status, c.reason, c.remedy) for c in ends.values()}
    assert len(told) == 1
    return told.pop()


def test_without_sudo_the_remedy_is_a_line_of_sudoers(
    host: Any, read: Callable[..., list[Batch]], tmp_path: Path
) -> None:
    batches = read(**host.options("zg-user"))
    remedy = ends_of(batches, host.target)["account"].remedy
    rule = remedy.partition("写入：")[2].partition("，并在来源里写 sudo: true")[0]
    assert rule.startswith("zg-user ALL=(root) NOPASSWD: /usr/bin/cut -d$ -f1\\,2 /etc/shadow, ")
    (tmp_path / "rule").write_text(rule + "\n")
    subprocess.run(["visudo", "-cqf", tmp_path / "rule"], check=True)
    assert ends_of(batches, host.target)["interface"].remedy == ""


def test_sudo_is_not_tried_unless_asked_for(host: Any, read: Callable[..., list[Batch]]) -> None:
    accounts = rows_of(read(**host.options("zg-sudo")))
    assert "password" not in plain(accounts[f"fleet/account/{host.target}/root"])
    accounts = rows_of(read(**host.options("zg-sudo", sudo=True)))
    assert accounts[f"fleet/account/{host.target}/zg-user"].password == "set"
    assert accounts[f"fleet/account/{host.target}/zg-user"].password_algorithm == "sha512"


def test_a_password_and_a_shell_that_greets(host: Any, read: Callable[..., list[Batch]]) -> None:
    options = host.options("zg-chatty", password_ref="env:PW", key_file="")
    batches = read(environ={"PW": PASSWORD}, **options)
    row = rows_of(batches)[f"fleet/host/{host.target}"]
    assert isinstance(row, Host)
    assert (row.os_id, row.kernel, row.host_key_verified) == ("debian", os.uname().release, True)
    assert row.scope == host.target
    assert row.labels == {"zone": "公用网络区"}


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("zg-router", "对方说：Info: The max number of VTY users is 5. <HUAWEI>"),
        ("zg-menu", "1 秒内没有开始；对方说：1. 查看 2. 退出"),
        ("zg-endless", "输出超过 1 MiB，不再读取；对方说：no prompt at all"),
        ("zg-half", "会话中途断开"),
        ("zg-reboots", "会话中途断开"),
        ("zg-flood", "输出超过 1 MiB"),
        ("zg-slow", "超过每台主机的时限 3 秒"),
    ],
)
def test_what_goes_wrong_is_told(
    host: Any, read: Callable[..., list[Batch]], user: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collectors.linux.session.MAX_BYTES", 1 << 20)
    options = host.options(user, host_seconds=3.0, timeout_seconds=1.0)
    status, said, remedy = failure(read(**options), host.target)
    assert status is Status.FAILED
    assert reason in said
    assert remedy


def test_a_wrong_password_is_denied_and_not_repeated(host: Any, read: Callable[..., list[Batch]]) -> None:
    options = host.options("zg-user", password_ref="env:PW", key_file="")
    status, reason, remedy = failure(read(environ={"PW": "wrong-password-9"}, **options), host.target)
    assert status is Status.DENIED
    assert "拒绝了账户 zg-user 的登录：口令" in reason
    assert "wrong-password-9" not in reason + remedy


def test_an_expired_password_is_told_in_the_words_of_the_host(
    host: Any, read: Callable[..., list[Batch]]
) -> None:
    options = host.options("zg-expired", password_ref="env:PW", key_file="")
    _, reason, remedy = failure(read(environ={"PW": PASSWORD}, **options), host.target)
    assert "Your password has expired" in reason
    assert "要改口令的账户先改好" in remedy


def test_an_unknown_host_key_is_refused_before_the_password(
    host: Any, read: Callable[..., list[Batch]], tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text("")
    shown = subprocess.run(
        ["ssh-keyscan", "-t", "ed25519", "-p", str(host.port), "127.0.0.1"], capture_output=True, check=True
    ).stdout
    (tmp_path / "scanned").write_bytes(shown)
    told = subprocess.run(
        ["ssh-keygen", "-lf", tmp_path / "scanned"], capture_output=True, text=True, check=True
    )
    options = host.options("zg-user", known_hosts=str(tmp_path / "empty"))
    before = (host.folder / "log").read_text().count("zg-user")
    status, reason, remedy = failure(read(**options), host.target)
    assert status is Status.DENIED
    assert "不认识的主机密钥" in reason
    assert "ssh-keyscan -p" in remedy
    assert (host.folder / "log").read_text().count("zg-user") == before
    if "ssh-ed25519" in reason:
        assert told.stdout.split()[1] in reason
    assert not failure_is(read(**host.options("zg-user", known_hosts=str(tmp_path / "scanned"))), host.target)


def failure_is(batches: list[Batch], target: str) -> bool:
    return ends_of(batches, target)["host"].status is not Status.COMPLETE


def test_another_host_key_is_refused(host: Any, read: Callable[..., list[Batch]], tmp_path: Path) -> None:
    lines = (host.folder / "known_hosts").read_text().split()
    other = (host.folder / "key.pub").read_text().split()[1]
    (tmp_path / "kh").write_text(f"{lines[0]} ssh-ed25519 {other}\n")
    _, reason, remedy = failure(
        read(**host.options("zg-user", known_hosts=str(tmp_path / "kh"))), host.target
    )
    assert "主机密钥与 known_hosts 里的不同" in reason
    assert "ssh-keygen -R" in remedy


def test_an_unverified_host_key_is_a_fact(
    host: Any, read: Callable[..., list[Batch]], tmp_path: Path
) -> None:
    batches = read(**host.options("zg-user", known_hosts="", insecure=True))
    assert rows_of(batches)[f"fleet/host/{host.target}"].host_key_verified is False


def _hang_up(listener: socket.socket) -> None:
    listener.accept()[0].close()


def test_one_bad_host_does_not_hurt_the_others(host: Any, read: Callable[..., list[Batch]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as hangs_up:
        threading.Thread(target=_hang_up, args=(hangs_up,), daemon=True).start()
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            targets = [f"127.0.0.1:{s.getsockname()[1]}" for s in (silent, hangs_up, closed)]
            options = host.options("zg-user", targets=[*targets, host.target], timeout_seconds=5.0)
            began = time.monotonic()
            batches = read(deadline_seconds=120, **options)
            assert time.monotonic() - began < 100
    assert "没有说 SSH" in failure(batches, targets[0])[1]
    assert "没有说 SSH" in failure(batches, targets[1])[1]
    assert "连不上" in failure(batches, targets[2])[1]
    assert {c.status for c in ends_of(batches, host.target).values()} == {Status.COMPLETE}


def test_through_a_jump_host(host: Any, read: Callable[..., list[Batch]], tmp_path: Path) -> None:
    known = (host.folder / "known_hosts").read_text()
    (tmp_path / "kh").write_text(known + known.replace("127.0.0.1", "localhost"))
    options = host.options("zg-user", known_hosts=str(tmp_path / "kh"), jump=f"localhost:{host.port}")
    before = (host.folder / "log").read_text().count("Accepted publickey for zg-user")
    assert not failure_is(read(**options), host.target)
    assert (host.folder / "log").read_text().count("Accepted publickey for zg-user") == before + 2


def test_a_key_that_does_not_fit(host: Any, read: Callable[..., list[Batch]], tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "long-passphrase", "-f", key], check=True)
    with pytest.raises(SourceError, match="有口令保护"):
        read(**host.options("zg-user", key_file=str(key)))
    with pytest.raises(SourceError, match="口令不对"):
        read(
            environ={"P": "another-one"},
            **host.options("zg-user", key_file=str(key), key_passphrase_ref="env:P"),
        )
    environ = {"P": "long-passphrase"}
    options = host.options("zg-user", key_file=str(key), key_passphrase_ref="env:P")
    assert "拒绝了账户 zg-user 的登录：密钥" in failure(read(environ=environ, **options), host.target)[1]
    with pytest.raises(SourceError, match="读不出"):
        read(**host.options("zg-user", key_file=str(tmp_path / "none")))


def test_no_hash_travels_and_nothing_is_written(
    host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that comes over the wire is kept here, and the host's /etc and /tmp are compared."""
    from collectors.linux import hosts

    heard = []
    run_script = hosts.run_script

    def listening(*arguments: Any) -> Any:
        heard.append(run_script(*arguments))
        return heard[-1]

    monkeypatch.setattr(hosts, "run_script", listening)
    folder = f"/proc/{host.pid}/root"
    shadow = Path(f"{folder}/etc/shadow").read_text()
    hashes = [line.split(":")[1] for line in shadow.splitlines() if len(line.split(":")[1]) > 12]
    assert hashes
    before = {p: p.stat().st_mtime for p in Path(f"{folder}/etc").rglob("*") if not p.is_symlink()}
    for user, sudo in (("root", False), ("zg-sudo", True)):
        source = Source(name="fleet", type="linux", options=Options(**host.options(user, sudo=sudo)))
        batches = record(source, Run(source), tmp_path / f"{user}.gz")
        assert ends_of(batches, host.target)["account"].status is Status.COMPLETE
        texts = [printed.output.decode("utf-8", "replace") for printed in heard]
        texts += [gzip.decompress((tmp_path / f"{user}.gz").read_bytes()).decode()]
        texts += [e.content.decode() for batch in batches for e in batch.evidence]
        assert not [h for h in hashes for text in texts if h in text or h.rpartition("$")[2] in text]
        again = Source(name="fleet", type="linux", options=Options(recording=str(tmp_path / f"{user}.gz")))
        replayed = list(collect(again, Run(again)))
        assert {u: plain(r) for u, r in rows_of(replayed).items()} == {
            u: plain(r) for u, r in rows_of(batches).items()
        }
    assert {p: p.stat().st_mtime for p in before} == before


def test_doctor_names_each_missing_rule(host: Any) -> None:
    def lines(user: str, **more: Any) -> list[Any]:
        source = Source(name="fleet", type="linux", options=Options(**host.options(user, **more)))
        return list(probe(source, Run(source)))

    root = lines("root")
    assert [line.ok for line in root] == [True]
    assert "root" in root[0].detail
    user = lines("zg-user", insecure=True)
    assert user[0].ok
    assert any(line.subject.endswith("主机密钥") and not line.ok for line in user)
    rules = [line.remedy for line in user if "sudoers" in line.remedy]
    assert any("zg-user ALL=(root) NOPASSWD: /usr/sbin/sshd -T" in rule for rule in rules)
    assert len(lines("zg-sudo", sudo=True)) == 1

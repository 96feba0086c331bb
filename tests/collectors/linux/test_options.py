from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.linux import PERMISSIONS, Options
from collectors.linux.options import split_target
from collectors.linux.sudo import COMMANDS, remedies, rule, sudoers

GOOD: dict[str, Any] = {"targets": ["10.0.0.1"], "user": "zhengguan", "key_file": "k"}


@pytest.mark.parametrize(
    ("target", "where"),
    [
        ("10.0.0.1", ("10.0.0.1", 22)),
        ("Web-1.example.cn:2222", ("web-1.example.cn", 2222)),
        ("2001:db8::1", ("2001:db8::1", 22)),
        ("[2001:db8::1]:2222", ("2001:db8::1", 2222)),
        ("[2001:db8::1]", ("2001:db8::1", 22)),
    ],
)
def test_targets(target: str, where: tuple[str, int]) -> None:
    assert split_target(target) == where


@pytest.mark.parametrize(
    "target",
    ["", "root@10.0.0.1", "h:0", "h:99999", "h:ssh", "[h]:22", "[::1", "a b", "-oProxyCommand=x", "h/x"],
)
def test_what_is_no_target(target: str) -> None:
    with pytest.raises(ValueError, match=r"写成|端口"):
        split_target(target)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": []}, "targets 是空的"),
        ({"targets": ["h", "H:22"]}, "重复"),
        ({"user": ""}, "要写 user"),
        ({"user": "a b"}, "要写 user"),
        ({"key_file": ""}, "key_file、agent: true、password_ref"),
        ({"password_ref": "the password"}, "引用"),
        ({"key_passphrase_ref": "env:P", "key_file": "", "agent": True}, "先写 key_file"),
        ({"jump": "u@h"}, "不带用户名"),
        ({"host_seconds": 0}, "大于 0"),
    ],
)
def test_mistakes_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert(GOOD | change, Options)
    assert msgspec.convert(GOOD, Options).targets == ["10.0.0.1"]


def test_a_recording_needs_nobody_to_log_in(tmp_path: Path) -> None:
    assert Options(recording=str(tmp_path)).targets == []


def test_rules_of_sudo_are_whole_commands() -> None:
    """No wildcard, nothing that writes, nothing that shows a hash."""
    for command in COMMANDS:
        line = rule("u", [f"/usr/bin/{command}"])
        assert not set("*?[]!") & set(line.partition("NOPASSWD:")[2])
        assert line.endswith('""') or " " in command
    assert not [c for c in COMMANDS if "/etc/shadow" in c and c not in (COMMANDS[0], COMMANDS[1])]
    assert rule("u", ["/usr/sbin/iptables-save"]) == 'u ALL=(root) NOPASSWD: /usr/sbin/iptables-save ""'
    assert rule("u", ["/usr/bin/cut -d: -f1,3-8 /etc/shadow"]).endswith(r"-d\: -f1\,3-8 /etc/shadow")
    assert all(
        line in PERMISSIONS
        for line in sudoers("zhengguan", ["/usr/sbin/sshd -T", "/usr/sbin/nft -j list ruleset"])
    )


def test_remedies_go_to_the_kinds_that_lack_something() -> None:
    found = remedies(
        "u", ["/usr/bin/ss -tulpneH", "/sbin/auditctl -l", "/usr/bin/grep -aZRH ^ /etc/sudoers"], asked=True
    )
    assert set(found) == {"listener", "host", "account"}
    assert "/sbin/auditctl -l" in found["host"]
    assert "sudo: true" not in found["host"]
    assert "sudo: true" in remedies("u", ["/usr/bin/ss -tulpneH"], asked=False)["listener"]

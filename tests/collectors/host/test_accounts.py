from __future__ import annotations

from datetime import date

import pytest

from collectors.host.accounts import (
    foreign_services,
    group_members,
    may_log_in,
    passwd_lines,
    password_state,
    shadow_lines,
)

HASH = "A" * 43


@pytest.mark.parametrize(
    ("field", "state", "algorithm"),
    [
        ("", "empty", None),
        ("*", "none", None),
        ("x", "none", None),
        ("!", "locked", None),
        ("!!", "locked", None),
        ("!*", "locked", None),
        (f"!$6$salt${HASH}", "locked", "sha512"),
        (f"$y$j9T$salt${HASH}", "set", "yescrypt"),
        (f"$gy$j9T$salt${HASH}", "set", "gost-yescrypt"),
        (f"$sm3$salt${HASH}", "set", "sm3"),
        (f"$5$rounds=5000$salt${HASH}", "set", "sha256"),
        (f"$2b$12${HASH}", "set", "bcrypt"),
        ("$1$salt$" + "B" * 22, "set", "md5"),
        ("abJnggxhB/yWI", "set", "des"),
    ],
)
def test_password_field_tells_state_and_algorithm(field: str, state: str, algorithm: str | None) -> None:
    assert password_state(field) == (state, algorithm)


def test_shadow_ageing() -> None:
    rows = shadow_lines(
        b"a:!!:19700:0:90:7:35:20500:\nb:*::::::\nc::0:0:99999:7:::\nd:x:99999999999:::::\nshort\n"
    )
    assert (rows["a"].changed, rows["a"].max_days, rows["a"].expires) == (
        date(2023, 12, 9),
        90,
        date(2026, 2, 16),
    )
    assert (rows["b"].changed, rows["b"].max_days, rows["b"].expires) == (None, None, None)
    assert rows["c"].state == "empty"
    assert rows["c"].changed is None  # 0: must be changed at the next login
    assert rows["d"].changed is None
    assert "short" not in rows


def test_passwd_with_nis_or_broken_lines_is_not_whole() -> None:
    people, clean = passwd_lines("root:x:0:0:管理员:/root:/bin/bash\n".encode("gbk") + b"+::::::\n")
    assert [(p.name, p.user_id) for p in people] == [("root", 0)]
    assert not clean
    assert passwd_lines(b"root:x:0:0::/root:/bin/bash\n")[1]


@pytest.mark.parametrize(
    ("shell", "allowed"),
    [
        ("/bin/bash", True),
        ("", True),
        ("/usr/sbin/nologin", False),
        ("/bin/false", False),
        ("/bin/sync", False),
    ],
)
def test_login_shell(shell: str, allowed: bool) -> None:
    assert may_log_in(shell) is allowed


def test_groups() -> None:
    members, names = group_members(b"wheel:x:10:a,b\nwheel:x:10:c\nempty:x:11:\nbroken\n")
    assert members == {"wheel": {"a", "b", "c"}, "empty": set()}
    assert names == {10: "wheel", 11: "empty"}


def test_directory_services_of_nsswitch() -> None:
    text = b"# c\npasswd: files [NOTFOUND=return] ldap sss systemd # x winbind\ngroup: files nis\n"
    assert foreign_services(text, "passwd") == ["ldap", "sss"]
    assert foreign_services(b"passwd: compat\n", "passwd") == []


def test_accounts_of_a_directory_make_the_list_partial(machine) -> None:
    collection = machine("anolis-8-user")["account"].collections[0]
    assert collection.status == "partial"
    assert "sss" in collection.reason
    # openEuler lists sss too, but no sssd runs there
    assert machine("openeuler-22.03")["account"].collections[0].status == "complete"


def test_denied_shadow_hides_passwords_and_not_accounts(machine) -> None:
    batch = machine("kylin-v10-user")["account"]
    assert len(batch.resources) == 6
    assert batch.collections[0].status == "complete"
    assert "/etc/shadow" in batch.collections[0].reason
    assert "root" in batch.collections[0].remedy
    for account in batch.resources:
        for field in (
            "password",
            "password_algorithm",
            "password_max_days",
            "password_changed",
            "expires",
            "sudo",
        ):
            assert str(getattr(account, field)) == "未知", field


def test_missing_passwd_is_a_failure_and_denied_a_denial(machine) -> None:
    def gone(record: dict) -> None:
        del record["files"]["/etc/passwd"]

    def denied(record: dict) -> None:
        record["files"]["/etc/passwd"] = {"refused": "denied"}

    for change, status in ((gone, "failed"), (denied, "denied")):
        batch = machine("centos-7", change)["account"]
        assert (batch.resources, batch.collections[0].status) == ([], status)


def test_passwords_in_passwd_and_second_roots(machine) -> None:
    rows = {a.name: a for a in machine("centos-7")["account"].resources}
    assert (rows["toor"].superuser, rows["toor"].password_algorithm) == (True, "des")
    assert rows["guest"].password == "empty"
    assert (rows["oracle"].sudo, rows["guest"].sudo, rows["sshd"].sudo) == (True, True, False)


def test_no_hash_leaves_the_machine(machine) -> None:
    import msgspec

    for name in ("openeuler-22.03", "centos-7", "uos-20"):
        for batch in machine(name).values():
            content = msgspec.json.encode(batch.resources) + b"".join(e.content for e in batch.evidence)
            assert b"AAAAAAAA" not in content
            assert b"saltsalt" not in content
            assert b"abcdefghijklm" not in content


def test_doubled_name_keeps_both_lines_apart(machine) -> None:
    def double(record: dict) -> None:
        record["files"]["/etc/passwd"] += "guest:x:0:0::/root:/bin/sh\n"

    ids = [a.native_id.split("/")[1] for a in machine("centos-7", double)["account"].resources]
    assert ids[-2:] == ["guest", "guest#2"]
    assert len(set(ids)) == len(ids)

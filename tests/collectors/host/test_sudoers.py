from __future__ import annotations

from collectors.host.sudoers import parse_sudoers, read_sudo


def allowed(sudo, name: str, *groups: str, user_id: int = 1000) -> bool | None:
    return sudo.allows(name, user_id, set(groups), {9000})


def test_users_groups_aliases_and_ids(notebook) -> None:
    text = (
        "Defaults env_reset\nDefaults:ops !requiretty\nUser_Alias ADMINS = alice, bob : DBA = carol\n"
        "Cmnd_Alias WEB = /usr/bin/systemctl\nADMINS ALL = (root) ALL\nDBA, %wheel HOST1, HOST2 = WEB\n"
        "#1005 ALL=(ALL) ALL\n%#9001 ALL=ALL\n# dave ALL=(ALL) ALL\n\\\nerin ALL=ALL\n"
    )
    sudo = read_sudo(notebook({"/etc/sudoers": text}))
    assert [allowed(sudo, n) for n in ("alice", "bob", "carol", "dave", "erin")] == [
        True,
        True,
        True,
        False,
        True,
    ]
    assert allowed(sudo, "x", "wheel") is True
    assert allowed(sudo, "x", user_id=1005) is True
    assert sudo.allows("x", 1, set(), {9001}) is True


def test_includes_skip_dotted_names_and_survive_loops(notebook) -> None:
    sudo = read_sudo(
        notebook(
            {
                "/etc/sudoers": "@includedir /etc/sudoers.d\n#include /etc/sudoers\n",
                "/etc/sudoers.d/10-ops": "ops ALL=(ALL) ALL\n@include /etc/sudoers.d/10-ops\n",
                "/etc/sudoers.d/backup.conf": "evil ALL=(ALL) ALL\n",
                "/etc/sudoers.d/old~": "evil ALL=(ALL) ALL\n",
            }
        )
    )
    assert (allowed(sudo, "ops"), allowed(sudo, "evil")) == (True, False)


def test_what_is_not_read_is_not_told(notebook) -> None:
    denied = {"refused": "denied"}
    assert allowed(read_sudo(notebook({"/etc/sudoers": denied})), "a") is None
    part = read_sudo(notebook({"/etc/sudoers": "a ALL=ALL\n@include /etc/x\n", "/etc/x": denied}))
    assert (allowed(part, "a"), allowed(part, "b")) == (True, None)
    assert allowed(read_sudo(notebook({"/etc/sudoers": "+netgroup ALL=ALL\n"})), "a") is None
    assert allowed(read_sudo(notebook({"/etc/sudoers": "ALL, !a ALL=ALL\n"})), "a") is None
    assert allowed(read_sudo(notebook({"/etc/sudoers": {"refused": "unreadable"}})), "a") is None


def test_no_sudo_means_nobody(notebook) -> None:
    assert allowed(read_sudo(notebook({})), "a", "wheel") is False


def test_alias_loop_ends(notebook) -> None:
    sudo = read_sudo(notebook({"/etc/sudoers": "User_Alias A = B\nUser_Alias B = A, zoe\nA ALL=ALL\n"}))
    assert allowed(sudo, "zoe") is True


def test_comment_after_a_rule() -> None:
    assert parse_sudoers(b"ann ALL=(ALL) ALL # bob, carol = x\n").users == ["ann"]


def test_quotes_without_end_cost_nothing() -> None:
    """This line once took exponential time."""
    assert parse_sudoers(b"a" * 60 + b'" b = x\n').users == []

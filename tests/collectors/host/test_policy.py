from __future__ import annotations

import pytest

from collectors.host.pam import pam_lines
from collectors.host.policy import (
    quality,
    read_lockout,
    read_password_policy,
    read_session_timeout,
    read_umask,
    tmout,
    umasks,
)
from inventory.unknown import UNKNOWN

UNIX = "password sufficient pam_unix.so sha512 shadow use_authtok\n"


def pam(line: str):
    return pam_lines(line.encode())[0]


@pytest.mark.parametrize(
    ("line", "conf", "expected"),
    [
        ("password requisite pam_pwquality.so retry=3", {}, (8, 0)),
        ("password requisite pam_pwquality.so minlen=12 minclass=3", {"minlen": "9"}, (12, 3)),
        ("password requisite pam_pwquality.so", {"minlen": "10", "dcredit": "-1", "ucredit": "-1"}, (10, 2)),
        ("password requisite pam_pwquality.so enforcing=0 minlen=12", {}, (None, None)),
        ("password requisite pam_pwquality.so minlen=12 dcredit=2", {}, (10, 0)),
        ("password requisite pam_cracklib.so minlen=10", {"minlen": "20"}, (6, 0)),
        ("password requisite /lib64/security/pam_cracklib.so minlen=8 dcredit=-1 ucredit=-1 lcredit=-1 ocredit=-1",
         {}, (8, 4)),
    ],
)  # fmt: skip
def test_quality_modules(line: str, conf: dict[str, str], expected: tuple[int | None, int | None]) -> None:
    found = quality(pam(line), conf)
    assert (found.min_length, found.min_classes) == expected


def test_drop_in_counts_after_pwquality_conf(notebook) -> None:
    files = {
        "/etc/pam.d/passwd": "password requisite pam_pwquality.so\n" + UNIX,
        "/etc/security/pwquality.conf": "minlen = 9\nminclass = 2\n",
        "/etc/security/pwquality.conf.d/50-site.conf": "minlen = 14\n",
        "/etc/login.defs": "PASS_MAX_DAYS 90\nPASS_WARN_AGE 7\n",
    }
    policy = read_password_policy(notebook(files))
    assert (policy.min_length, policy.min_classes, policy.history) == (14, 2, None)
    assert (policy.max_days, policy.min_days, policy.warn_days) == (90, None, 7)
    assert policy.hash_algorithm == "SHA512"


def test_weakest_file_decides_without_a_passwd_service(notebook) -> None:
    strong = "password requisite pam_pwquality.so minlen=12 minclass=3\n" + UNIX
    files = {"/etc/pam.d/system-auth": strong, "/etc/pam.d/password-auth": UNIX}
    policy = read_password_policy(notebook(files))
    assert (policy.min_length, policy.min_classes) == (None, None)
    files["/etc/pam.d/password-auth"] = strong.replace("12", "9")
    assert read_password_policy(notebook(files)).min_length == 9


def test_an_optional_or_absent_module_enforces_nothing(notebook) -> None:
    policy = read_password_policy(
        notebook({"/etc/pam.d/passwd": "password optional pam_pwquality.so minlen=12\n" + UNIX})
    )
    assert (policy.min_length, policy.min_classes) == (None, None)


@pytest.mark.parametrize("path", ["/etc/pam.d/system-auth", "/etc/security/pwquality.conf"])
def test_denied_part_makes_it_unknown(notebook, path: str) -> None:
    files = {
        "/etc/pam.d/passwd": "password substack system-auth\n",
        "/etc/pam.d/system-auth": "password requisite pam_pwquality.so\n" + UNIX,
        path: {"refused": "denied"},
    }
    policy = read_password_policy(notebook(files))
    assert policy.min_length is UNKNOWN
    assert policy.max_days is None  # no login.defs on this machine: seen


def test_include_loop_is_unknown_and_ends(notebook) -> None:
    files = {"/etc/pam.d/passwd": "password include a\n", "/etc/pam.d/a": "@include passwd\n"}
    assert read_password_policy(notebook(files)).min_length is UNKNOWN


def test_weakest_way_in_decides_lockout(notebook) -> None:
    strong = "auth required pam_faillock.so preauth deny=3\nauth [default=die] pam_faillock.so authfail deny=3 unlock_time=never\n"
    files = {"/etc/pam.d/sshd": strong, "/etc/pam.d/login": strong.replace("deny=3", "deny=9")}
    found = read_lockout(notebook(files))
    assert (found.attempts, found.unlock_seconds, found.covers_root) == (9, None, False)
    files["/etc/pam.d/login"] = "auth required pam_unix.so\n"
    assert read_lockout(notebook(files)).attempts is None


def test_faillock_file_and_defaults(notebook) -> None:
    files = {"/etc/pam.d/sshd": "auth required pam_faillock.so authfail\n"}
    assert (read_lockout(notebook(files)).attempts, read_lockout(notebook(files)).unlock_seconds) == (3, 600)
    files["/etc/security/faillock.conf"] = "deny = 5\nunlock_time = 1200\neven_deny_root\n"
    found = read_lockout(notebook(files))
    assert (found.attempts, found.unlock_seconds, found.covers_root) == (5, 1200, True)
    denied = {**files, "/etc/security/faillock.conf": {"refused": "denied"}}
    assert read_lockout(notebook(denied)).attempts is UNKNOWN


def test_tally2_without_deny_locks_nobody(notebook) -> None:
    assert read_lockout(notebook({"/etc/pam.d/sshd": "auth required pam_tally2.so\n"})).attempts is None


def test_tmout_forms() -> None:
    assert tmout(b"export TMOUT=300\nTMOUT=600; readonly TMOUT\n# TMOUT=1\ndeclare -xr TMOUT='900'\nXTMOUT=5\n") == [
        "300", "600", "900",
    ]  # fmt: skip


def test_session_timeout(notebook) -> None:
    assert read_session_timeout(notebook({"/etc/profile": "umask 022\n"})) is None
    assert read_session_timeout(notebook({"/etc/profile.d/a.sh": "readonly TMOUT=600\n"})) == 600
    assert read_session_timeout(notebook({"/etc/profile": "TMOUT=0\n"})) is None
    assert read_session_timeout(notebook({"/etc/profile": "TMOUT=$X\n"})) is UNKNOWN
    assert read_session_timeout(notebook({"/etc/profile": {"refused": "denied"}})) is UNKNOWN


def test_umask(notebook) -> None:
    assert umasks(b"if x; then umask 002; else\n umask 022\nfi\numask -S\n") == ["002", "022"]
    assert read_umask(notebook({"/etc/profile": "umask 027\n", "/etc/login.defs": "UMASK 022\n"})) == "027"
    assert read_umask(notebook({"/etc/profile": "umask 002\numask 022\n"})) == "002"
    assert read_umask(notebook({"/etc/login.defs": "UMASK 077\n", "/etc/bashrc": "umask 022\n"})) == "077"
    assert read_umask(notebook({"/etc/profile": "umask u=rwx,g=rx,o=\n"})) is UNKNOWN
    assert read_umask(notebook({})) is None

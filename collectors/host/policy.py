"""Password policy, lock-out, session time-out and umask: login.defs(5), PAM, and the shells' profiles.

Where several services differ, the weakest counts: that is what an attacker meets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from collectors.host.notebook import Notebook, lines
from collectors.host.pam import PamLine, Stack, settings, stack
from collectors.host.reader import Refusal
from inventory.kinds.host import Lockout, PasswordPolicy
from inventory.unknown import UNKNOWN, Maybe, Unknown

_HASHES = "yescrypt gost_yescrypt sm3 sha512 sha256 blowfish md5 bigcrypt".split()
_CREDITS = ("dcredit", "ucredit", "lcredit", "ocredit")
_LOGIN_SERVICES = ("sshd", "login")
_FALLBACK_SERVICES = ("password-auth", "system-auth", "common-auth")
_LEAST = 6  # pam_pwquality and pam_cracklib never go below this length


def login_defs(data: bytes) -> dict[str, str]:
    """login.defs(5): name and value by white space; the last one counts."""
    pairs = (line.split(None, 1) for line in lines(data))
    return {p[0]: p[1].split("#")[0].strip().strip('"') for p in pairs if len(p) == 2}


def _defs(data: tuple[str, bytes] | Refusal) -> dict[str, str] | Refusal:
    if isinstance(data, tuple):
        return login_defs(data[1])
    return {} if data is Refusal.NOT_FOUND else data


def _days(defs: dict[str, str] | Refusal, key: str) -> Maybe[int | None]:
    if isinstance(defs, Refusal):
        return UNKNOWN
    value = defs.get(key, "")
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else None


class Quality(msgspec.Struct, frozen=True):
    """What a quality module enforces; None = nothing."""

    min_length: int | None
    min_classes: int | None


def quality(line: PamLine, configured: dict[str, str]) -> Quality:
    """Least length and classes of pam_pwquality or pam_cracklib. Arguments count before pwquality.conf.
    A positive credit shortens the length; a negative one demands the class."""
    cracklib = line.module == "pam_cracklib"
    conf = {} if cracklib else configured

    def number(name: str, default: int) -> int:
        own = line.number(name)
        if own is not None:
            return own
        text = conf.get(name, "")
        return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else default

    if not cracklib and (line.value("enforcing") or conf.get("enforcing")) == "0":
        return Quality(None, None)
    credits_ = [number(name, 1 if cracklib else 0) for name in _CREDITS]
    length = number("minlen", 9 if cracklib else 8) - sum(c for c in credits_ if c > 0)
    classes = max(number("minclass", 0), sum(1 for c in credits_ if c < 0))
    return Quality(max(length, _LEAST), min(classes, 4))


def read_password_policy(notebook: Notebook) -> PasswordPolicy:
    """The policy for changing a password (service ``passwd``) and for new accounts (login.defs)."""
    data = notebook.first("/etc/login.defs", "/usr/etc/login.defs")
    defs = _defs(data)
    policy = PasswordPolicy(
        max_days=_days(defs, "PASS_MAX_DAYS"),
        min_days=_days(defs, "PASS_MIN_DAYS"),
        warn_days=_days(defs, "PASS_WARN_AGE"),
    )
    stacks = _stacks(notebook, ("passwd",), ("system-auth", "password-auth", "common-password"), "password")
    method: Maybe[str | None] = UNKNOWN if isinstance(defs, Refusal) else defs.get("ENCRYPT_METHOD")
    if not stacks:  # no PAM: login.defs rules alone
        if notebook.exists("/etc/pam.d") is False:
            policy.min_length = _days(defs, "PASS_MIN_LEN")
            policy.min_classes = policy.history = None
            policy.hash_algorithm = _upper(method)
        return policy
    if not all(s.whole for s in stacks):
        return policy
    rules = [_quality_of(s, _pwquality_conf(notebook)) for s in stacks]
    known_rules = [r for r in rules if not isinstance(r, Unknown)]
    if len(known_rules) == len(rules):
        policy.min_length = _weakest(r.min_length for r in known_rules)
        policy.min_classes = _weakest(r.min_classes for r in known_rules)
    policy.history = _history(notebook, stacks)
    chosen = [h for s in stacks for line in s.find("pam_unix") for h in _HASHES if line.has(h)]
    policy.hash_algorithm = _upper(chosen[0] if chosen else method)
    return policy


def _upper(method: Maybe[str | None]) -> Maybe[str | None]:
    return method.upper()[:32] if isinstance(method, str) else method


def _stacks(notebook: Notebook, first: tuple[str, ...], fallback: tuple[str, ...], type_: str) -> list[Stack]:
    found = [s for name in first if (s := stack(notebook, name, type_)) is not None]
    return found or [s for name in fallback if (s := stack(notebook, name, type_)) is not None]


def _weakest(values: Iterable[int | None]) -> int | None:
    everything = list(values)
    numbers = [v for v in everything if v is not None]
    return min(numbers) if numbers and len(numbers) == len(everything) else None


def _pwquality_conf(notebook: Notebook) -> dict[str, str] | Refusal:
    main = notebook.file("/etc/security/pwquality.conf")
    drop_ins = notebook.folder("/etc/security/pwquality.conf.d", ".conf")
    if isinstance(drop_ins, Refusal):
        return drop_ins
    if isinstance(main, Refusal) and main is not Refusal.NOT_FOUND:
        return main
    merged = settings(main) if isinstance(main, bytes) else {}
    for _, data in drop_ins:
        merged.update(settings(data))
    return merged


def _quality_of(stack_: Stack, conf: dict[str, str] | Refusal) -> Maybe[Quality]:
    modules = stack_.find("pam_pwquality", "pam_cracklib")
    if not modules:
        unix = [n for line in stack_.find("pam_unix") if (n := line.number("minlen")) is not None]
        return Quality(min(unix) if unix else None, None)
    if isinstance(conf, Refusal):
        return quality(modules[0], {}) if modules[0].module == "pam_cracklib" else UNKNOWN
    return quality(modules[0], conf)


def _history(notebook: Notebook, stacks: list[Stack]) -> Maybe[int | None]:
    found: list[int | None] = []
    for stack_ in stacks:
        modules = stack_.find("pam_pwhistory")
        if modules:
            own = modules[0].number("remember")
            conf = notebook.file("/etc/security/pwhistory.conf")
            if own is None and conf in (Refusal.DENIED, Refusal.UNREADABLE):
                return UNKNOWN
            text = settings(conf).get("remember", "") if isinstance(conf, bytes) else ""
            default = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 10
            found.append(default if own is None else own)
        else:
            unix = [n for line in stack_.find("pam_unix") if (n := line.number("remember")) is not None]
            found.append(unix[0] if unix else None)
    return _weakest(found)


def read_lockout(notebook: Notebook) -> Lockout:
    """Lock-out at the ways in (services sshd and login). ``unlock_seconds`` None with ``attempts`` set:
    locked until an administrator unlocks."""
    if notebook.exists("/etc/pam.d") is False:
        return Lockout(attempts=None, unlock_seconds=None, covers_root=False)
    stacks = _stacks(notebook, _LOGIN_SERVICES, _FALLBACK_SERVICES, "auth")
    if not stacks or not all(s.whole for s in stacks):
        return Lockout()
    found = [_lockout_of(notebook, s) for s in stacks]
    rules = [rule for rule in found if rule is not None]
    if any(isinstance(rule.attempts, Unknown) for rule in rules):
        return Lockout()
    if len(rules) < len(found) or any(rule.attempts is None for rule in rules):
        return Lockout(attempts=None, unlock_seconds=None, covers_root=False)
    return max(rules, key=lambda rule: rule.attempts if isinstance(rule.attempts, int) else 0)


def _lockout_of(notebook: Notebook, stack_: Stack) -> Lockout | None:
    faillock = stack_.find("pam_faillock")
    if faillock:
        conf = notebook.file("/etc/security/faillock.conf")
        if isinstance(conf, Refusal) and conf is not Refusal.NOT_FOUND:
            return Lockout()
        configured = settings(conf) if isinstance(conf, bytes) else {}
        line = next((f for f in faillock if f.has("authfail")), faillock[0])
        return _lockout(line, configured, deny=3, unlock=600)
    tally = stack_.find("pam_tally2", "pam_tally")
    return _lockout(tally[0], {}, deny=0, unlock=0) if tally else None


def _lockout(line: PamLine, conf: dict[str, str], *, deny: int, unlock: int) -> Lockout:
    """Arguments of the module count before its file, the file before the module's defaults."""

    def number(name: str, default: int) -> int:
        text = line.value(name) or conf.get(name, "")
        if text == "never":
            return 0
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else default

    attempts = number("deny", deny)
    if attempts == 0:
        return Lockout(attempts=None, unlock_seconds=None, covers_root=False)
    root = line.has("even_deny_root") or "even_deny_root" in conf
    return Lockout(attempts=attempts, unlock_seconds=number("unlock_time", unlock) or None, covers_root=root)


def _profiles(notebook: Notebook) -> list[tuple[str, bytes]] | Refusal:
    """What shells read at login, by falling precedence; a refusal where one file was refused."""
    drop_ins = notebook.folder("/etc/profile.d", ".sh")
    if isinstance(drop_ins, Refusal):
        return drop_ins
    found = list(drop_ins)
    for path in ("/etc/profile", "/etc/bashrc", "/etc/bash.bashrc"):
        data = notebook.file(path)
        if isinstance(data, bytes):
            found.append((path, data))
        elif data is not Refusal.NOT_FOUND:
            return data
    return found


def tmout(data: bytes) -> list[str]:
    """Values that a shell script gives to TMOUT, as written; ``unset`` gives none."""
    text = "\n".join(lines(data))
    return [m[1].strip("\"'") for m in re.finditer(r"(?:^|[\s;&])TMOUT=([^\s;#&]*)", text, re.MULTILINE)]


def umasks(data: bytes) -> list[str]:
    """Arguments of ``umask`` commands in a shell script, as written."""
    text = "\n".join(lines(data))
    return re.findall(r"(?:^|[\s;&])umask\s+([^\s;#&-][^\s;#&]*)", text, re.MULTILINE)


def read_session_timeout(notebook: Notebook) -> Maybe[int | None]:
    """The longest TMOUT that a profile sets (seconds); None = none sets one."""
    files = _profiles(notebook)
    if isinstance(files, Refusal):
        return UNKNOWN
    values = [value for _, data in files for value in tmout(data)]
    if not values:
        return None
    if not all(re.fullmatch(r"[0-9]{1,9}", value) for value in values):
        return UNKNOWN  # computed by the shell
    seconds = [int(value) for value in values]
    return None if 0 in seconds else max(seconds)


def read_umask(notebook: Notebook) -> Maybe[str | None]:
    """The umask of login shells: of profile.d, else /etc/profile, else login.defs, else the bashrc. Of
    several in one place the one that lets most through."""
    files = _profiles(notebook)
    if isinstance(files, Refusal):
        return UNKNOWN
    data = notebook.first("/etc/login.defs", "/usr/etc/login.defs")
    if isinstance(data, Refusal) and data is not Refusal.NOT_FOUND:
        return UNKNOWN
    defs = _defs(data)
    groups = [
        [v for path, text in files if path.startswith("/etc/profile.d/") for v in umasks(text)],
        [v for path, text in files if path == "/etc/profile" for v in umasks(text)],
        [defs["UMASK"]] if isinstance(defs, dict) and "UMASK" in defs else [],
        [v for path, text in files if path.endswith("bashrc") for v in umasks(text)],
    ]
    for values in groups:
        if values:
            return _loosest(values)
    return None


def _loosest(values: list[str]) -> Maybe[str]:
    if not all(re.fullmatch(r"[0-7]{1,4}", value) for value in values):
        return UNKNOWN  # symbolic or computed
    mask = 0o777
    for value in values:
        mask &= int(value, 8)
    return f"{mask:03o}"

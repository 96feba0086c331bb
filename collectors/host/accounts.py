"""Local accounts: passwd(5), shadow(5), group(5). No hash leaves this module."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from typing import Any, Literal

import msgspec

from collectors.host.notebook import Notebook, lines
from collectors.host.processes import Processes
from collectors.host.reader import Refusal
from collectors.host.sudoers import Sudo, read_sudo
from inventory.kinds.host import Account
from inventory.resource import Relation
from inventory.unknown import UNKNOWN, Maybe

PasswordState = Literal["set", "empty", "locked", "none"]

_NO_LOGIN = frozenset("nologin false sync shutdown halt true null".split())
_ALGORITHMS = {
    "1": "md5", "2": "bcrypt", "2a": "bcrypt", "2b": "bcrypt", "2x": "bcrypt", "2y": "bcrypt",
    "3": "nt", "5": "sha256", "6": "sha512", "7": "scrypt", "y": "yescrypt", "gy": "gost-yescrypt",
    "md5": "sunmd5", "sha1": "sha1", "sm3": "sm3", "sm3y": "sm3-yescrypt",
}  # fmt: skip
"""crypt(5) prefixes of libxcrypt, and $sm3$ of openEuler."""
_LOCAL_SERVICES = frozenset("files compat systemd altfiles db mymachines".split())
_LAST_DAY = (date(9999, 12, 31) - date(1970, 1, 1)).days


class PasswdLine(msgspec.Struct, frozen=True):
    name: str
    password: str
    user_id: int
    group_id: int
    shell: str


class ShadowLine(msgspec.Struct, frozen=True):
    """One account of shadow(5), with the hash already reduced to state and algorithm."""

    state: PasswordState
    algorithm: str | None
    changed: date | None
    max_days: int | None
    expires: date | None


def passwd_lines(data: bytes) -> tuple[list[PasswdLine], bool]:
    """Accounts in order, and whether the file holds nothing else (NIS ``+`` entries, broken lines)."""
    found, clean = [], True
    for line in lines(data):
        parts = line.split(":")
        if len(parts) == 7 and parts[0][:1] not in ("", "+", "-") and _number(parts[2]) is not None:
            found.append(
                PasswdLine(parts[0], parts[1], int(parts[2]), _number(parts[3]) or 0, parts[6].strip())
            )
        else:
            clean = False
    return found, clean


def shadow_lines(data: bytes) -> dict[str, ShadowLine]:
    """shadow(5) by account; the first line of a name counts, as for getspnam(3)."""
    found: dict[str, ShadowLine] = {}
    for line in lines(data, comment="\0"):
        parts = line.split(":")
        if len(parts) < 2 or not parts[0]:
            continue
        parts += [""] * (9 - len(parts))
        changed = _number(parts[2])
        state, algorithm = password_state(parts[1])
        found.setdefault(
            parts[0],
            ShadowLine(
                state, algorithm, _day(changed) if changed else None, _days(parts[4]), _day_of(parts[7])
            ),
        )
    return found


def password_state(field: str) -> tuple[PasswordState, str | None]:
    """What a password field says. "locked": begins with ``!`` (passwd -l, or no password yet);
    "none": holds what no password can match (``*`` and the like)."""
    if not field:
        return "empty", None
    rest = field.lstrip("!")
    algorithm = _algorithm(rest)
    if rest != field:
        return "locked", algorithm
    return ("set", algorithm) if algorithm else ("none", None)


def _algorithm(text: str) -> str | None:
    match = re.match(r"\$([0-9a-z]{1,16})[$,]", text)
    if match:
        return _ALGORITHMS.get(match[1], match[1])
    if re.fullmatch(r"[./0-9A-Za-z]{13}", text):
        return "des"
    return "bsdi-des" if re.fullmatch(r"_[./0-9A-Za-z]{19}", text) else None


def group_members(data: bytes) -> tuple[dict[str, set[str]], dict[int, str]]:
    """Group name → listed members, and group id → name. Primary groups are in passwd."""
    members: dict[str, set[str]] = {}
    names: dict[int, str] = {}
    for line in lines(data):
        parts = line.split(":")
        group_id = _number(parts[2]) if len(parts) == 4 else None
        if group_id is not None and parts[0]:
            members.setdefault(parts[0], set()).update(m for m in parts[3].split(",") if m)
            names.setdefault(group_id, parts[0])
    return members, names


def foreign_services(data: bytes, database: str) -> list[str]:
    """Services of nsswitch.conf(5) that may add entries from outside this machine's files."""
    for line in lines(data):
        name, colon, rest = line.partition(":")
        if colon and name.strip() == database:
            words = re.sub(r"\[[^\]]*\]", " ", rest.split("#", 1)[0]).split()
            return [w for w in words if w not in _LOCAL_SERVICES]
    return []


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,10}", text) else None


def _day(days: int) -> date | None:
    return date(1970, 1, 1) + timedelta(days=days) if days <= _LAST_DAY else None


def _day_of(text: str) -> date | None:
    days = _number(text)
    return None if days is None else _day(days)


def _days(text: str) -> int | None:
    return _number(text)


def may_log_in(shell: str) -> bool:
    """Whether the shell is one to log in with; an empty field means /bin/sh."""
    return shell.rsplit("/", 1)[-1] not in _NO_LOGIN


def read_accounts(
    notebook: Notebook, host: str, source: str, labels: dict[str, str], processes: Processes
) -> tuple[list[Account] | Refusal, list[str]]:
    """Accounts of /etc/passwd, and why the list may lack some (中文; [] = it is complete)."""
    passwd = notebook.file("/etc/passwd")
    if isinstance(passwd, Refusal):
        return passwd, []
    people, clean = passwd_lines(passwd)
    gaps = [] if clean else ["/etc/passwd 含有 NIS 或不能识别的行"]
    gaps += _directory_gaps(notebook, processes)
    shadow_bytes = notebook.file("/etc/shadow")
    shadow: dict[str, ShadowLine] | Refusal
    if isinstance(shadow_bytes, bytes):
        shadow = shadow_lines(shadow_bytes)
    else:
        shadow = {} if shadow_bytes is Refusal.NOT_FOUND else shadow_bytes
        if shadow_bytes is Refusal.DENIED:
            notebook.note("口令状态、算法和有效期未知：/etc/shadow 只有 root 可读")
    group_bytes = notebook.file("/etc/group")
    groups = None if isinstance(group_bytes, Refusal) else group_members(group_bytes)
    sudo = read_sudo(notebook)
    counts: dict[str, int] = {}
    holders = Counter(person.user_id for person in people)
    rows = []
    for person in people:
        counts[person.name] = counts.get(person.name, 0) + 1
        suffix = f"#{counts[person.name]}" if counts[person.name] > 1 else ""
        rows.append(
            Account(
                source=source,
                native_id=f"{host}/{person.name}{suffix}",
                name=person.name,
                labels=dict(labels),
                relations=[Relation("runs_on", f"{source}/host/{host}")],
                user_id=person.user_id,
                shell=person.shell,
                login_allowed=may_log_in(person.shell),
                superuser=person.user_id == 0,
                id_shared=holders[person.user_id] > 1 or (False if clean else UNKNOWN),
                sudo=_sudo(sudo, person, groups),
                **_password(person, shadow),
            )
        )
    return rows, gaps


def _directory_gaps(notebook: Notebook, processes: Processes) -> list[str]:
    nsswitch = notebook.file("/etc/nsswitch.conf")
    if nsswitch is Refusal.NOT_FOUND:
        return []
    if isinstance(nsswitch, Refusal):
        return ["读不到 /etc/nsswitch.conf，不知是否另有目录账户"]
    services = foreign_services(nsswitch, "passwd")
    if "sss" in services and processes.running("sssd") is False:
        services.remove("sss")  # many distributions list it although no sssd is set up
    return (
        [f"nsswitch 还从 {'、'.join(services)} 取账户（LDAP、域账户等），不在本机文件里"] if services else []
    )


def _sudo(
    sudo: Sudo, person: PasswdLine, groups: tuple[dict[str, set[str]], dict[int, str]] | None
) -> Maybe[bool]:
    if groups is None:
        return (
            UNKNOWN
            if sudo.allows(person.name, person.user_id, set(), {person.group_id}) is not True
            else True
        )
    members, names = groups
    mine = {group for group, people in members.items() if person.name in people}
    mine |= {names[person.group_id]} if person.group_id in names else set()
    ids = {group_id for group_id, name in names.items() if name in mine} | {person.group_id}
    allowed = sudo.allows(person.name, person.user_id, mine, ids)
    return UNKNOWN if allowed is None else allowed


def _password(person: PasswdLine, shadow: dict[str, ShadowLine] | Refusal) -> dict[str, Any]:
    """Password fields. What stands in passwd itself counts before shadow, as for pam_unix."""
    if person.password not in ("x", "##" + person.name):
        state, algorithm = password_state(person.password)
        own: dict[str, Any] = {"password": state, "password_algorithm": algorithm}
        if isinstance(shadow, Refusal):
            return own
        row = shadow.get(person.name)
        return {**own, **(_ageing(row) if row else _NO_AGEING)}
    if isinstance(shadow, Refusal):
        return {}
    row = shadow.get(person.name)
    if row is None:
        return {"password": "none", "password_algorithm": None, **_NO_AGEING}
    return {"password": row.state, "password_algorithm": row.algorithm, **_ageing(row)}


_NO_AGEING: dict[str, Any] = {"password_changed": None, "password_max_days": None, "expires": None}


def _ageing(row: ShadowLine) -> dict[str, Any]:
    return {
        "password_changed": row.changed,
        "password_max_days": row.max_days,
        "expires": row.expires,
    }

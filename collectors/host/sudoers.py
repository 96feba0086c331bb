"""Who may use sudo: sudoers(5) with its includes and user aliases. Commands and hosts are not judged:
a rule for any command counts."""

from __future__ import annotations

import re

import msgspec

from collectors.host.notebook import Notebook, decode
from collectors.host.reader import Refusal

_FILES = 100
_ALIAS_DEPTH = 8


class Sudo(msgspec.Struct):
    """``subjects`` as written: user, %group, %#gid, #uid, ALL, !user. ``unclear`` says that somebody may
    be allowed by what was not read or not understood (an include, a netgroup, LDAP)."""

    subjects: set[str] = msgspec.field(default_factory=set)
    unclear: bool = False

    def allows(self, name: str, user_id: int, groups: set[str], group_ids: set[int]) -> bool | None:
        """Whether sudo has a rule for this account; None where that cannot be told."""
        mine = {name, f"#{user_id}", "ALL"}
        mine |= {f"%{group}" for group in groups} | {f"%#{group_id}" for group_id in group_ids}
        if any(f"!{subject}" in self.subjects for subject in mine):
            return None  # order and scope decide; not told from the set
        if mine & self.subjects:
            return True
        return None if self.unclear else False


class _Text(msgspec.Struct):
    """Parsed statements of one file, in order."""

    includes: list[str] = msgspec.field(default_factory=list)
    folders: list[str] = msgspec.field(default_factory=list)
    aliases: dict[str, list[str]] = msgspec.field(default_factory=dict)
    users: list[str] = msgspec.field(default_factory=list)


def parse_sudoers(data: bytes) -> _Text:
    """Statements of one sudoers file that decide who is named in it."""
    text = decode(data).replace("\\\r\n", " ").replace("\\\n", " ")
    found = _Text()
    for raw in text.split("\n"):
        include = re.match(r"[@#](include|includedir)\s+(\S.*)", raw.strip())
        if include:
            target = include[2].strip().strip('"')
            (found.includes if include[1] == "include" else found.folders).append(target)
            continue
        line = re.sub(r"(?<![%\w,\s=(:])#(?!\d).*|(?<=\s)#(?!\d).*|^#(?!\d).*", "", raw).strip()
        if not line or re.match(r"Defaults\b|(?:Runas|Host|Cmnd|Cmd)_Alias\b", line):
            continue
        if line.startswith("User_Alias"):
            for part in line.removeprefix("User_Alias").split(":"):
                name, equals, members = part.partition("=")
                if equals:
                    found.aliases[name.strip()] = _items(members)
            continue
        left, equals, _ = line.partition("=")
        if equals:
            found.users += _users(left)
    return found


def _items(text: str) -> list[str]:
    return [re.sub(r"^!\s+", "!", item.strip()).strip('"') for item in text.split(",") if item.strip()]


def _users(left: str) -> list[str]:
    """The user list of ``user, %group HOST``: what stands before the last list of hosts."""
    compact = re.sub(r" ?, ?", ",", " ".join(left.replace("\\ ", "_").split()).replace("! ", "!"))
    # linear without possessive quantifiers: Python 3.11.2 takes back what they hold (gh-101955)
    quoted = re.match(r'(?! )([^ "]*(?:"[^"]*"[^ "]*)*) \S', compact)
    return _items(quoted[1]) if quoted else []


def read_sudo(notebook: Notebook) -> Sudo:
    """Rules of /etc/sudoers and all it includes. No such file: nobody may."""
    sudo = Sudo()
    aliases: dict[str, list[str]] = {}
    users: list[str] = []
    queue, seen = ["/etc/sudoers"], set[str]()
    while queue:
        path = queue.pop(0)
        if path in seen:
            continue
        if len(seen) >= _FILES:
            sudo.unclear = True
            break
        seen.add(path)
        data = notebook.file(path)
        if data is Refusal.NOT_FOUND:
            continue
        if isinstance(data, Refusal):
            sudo.unclear = True
            if data is Refusal.DENIED:
                notebook.note(f"sudo 权限未知：{path} 只有 root 可读")
            continue
        parsed = parse_sudoers(data)
        aliases.update(parsed.aliases)
        users += parsed.users
        queue += [_place(i) for i in parsed.includes]
        for folder in parsed.folders:
            names = notebook.directory(_place(folder))
            if isinstance(names, Refusal):
                sudo.unclear |= names is not Refusal.NOT_FOUND
                continue
            queue += [f"{_place(folder)}/{n}" for n in names if "." not in n and not n.endswith("~")]
    sudo.subjects = _expand(users, aliases, _ALIAS_DEPTH)
    sudo.unclear |= any(s.lstrip("!").startswith(("+", "%:")) or "%h" in s for s in sudo.subjects)
    nsswitch = notebook.file("/etc/nsswitch.conf")
    if isinstance(nsswitch, bytes) and re.search(rb"(?m)^\s*sudoers:.*\b(sss|ldap)\b", nsswitch):
        sudo.unclear = True
    return sudo


def _place(path: str) -> str:
    return (path if path.startswith("/") else f"/etc/{path}").rstrip("/")


def _expand(items: list[str], aliases: dict[str, list[str]], depth: int) -> set[str]:
    found: set[str] = set()
    for item in items:
        bare = item.removeprefix("!")
        if bare in aliases and bare != "ALL" and depth:
            inner = _expand(aliases[bare], {k: v for k, v in aliases.items() if k != bare}, depth - 1)
            found |= {f"!{i}" if item != bare else i for i in inner}
        else:
            found.add(item)
    return found

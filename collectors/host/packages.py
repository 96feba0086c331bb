"""Pending package updates, from what the machine already knows: nothing is fetched, no cache is written."""

from __future__ import annotations

import re
from datetime import datetime

from collectors.host.notebook import Notebook, decode
from collectors.host.reader import Output, Refusal
from inventory.kinds.host import Updates
from inventory.unknown import UNKNOWN, Maybe

_APT = tuple("apt -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= list --upgradable".split())
_APT_LISTS = "/var/lib/apt/lists"
_APT_STAMPS = ("/var/lib/apt/periodic/update-success-stamp", f"{_APT_LISTS}/partial", _APT_LISTS)
_DAY = 86400.0


def apt_upgrades(output: bytes) -> tuple[int, int]:
    """Upgradable packages, and those of them from a security archive, in ``apt list --upgradable``
    ("name/archive,archive version architecture [upgradable from: version]")."""
    archives = re.findall(r"(?m)^[^\s/]+/(\S+) \S+ \S+ \[upgradable from: ", decode(output))
    return len(archives), sum(1 for names in archives if "-security" in names)


def dnf_updates(output: bytes) -> int:
    """Packages in ``check-update`` ("name.arch  version  repository"), without obsoleted ones."""
    text = decode(output).split("\nObsoleting Packages", 1)[0]
    return len({m[1] for m in re.finditer(r"(?m)^(\S+\.\w+)\s+\S+\s+\S+\s*$", text)})


def dnf_security(output: bytes) -> int:
    """Packages in ``updateinfo list`` ("ADVISORY Critical/Sec. name-version.arch")."""
    return len({m[1] for m in re.finditer(r"(?m)^\S+\s+\S*Sec\.?\s+(\S+)\s*$", decode(output))})


def read_updates(notebook: Notebook, now: datetime) -> Updates:
    """State of updates; numbers are UNKNOWN where no local index can give them, with the reason noted."""
    if notebook.exists("/usr/bin/apt"):
        return _apt(notebook, now)
    for manager in ("dnf", "yum"):
        if notebook.exists(f"/usr/bin/{manager}"):
            return _dnf(notebook, manager, now)
    notebook.note("没有认识的软件包管理器（apt、dnf、yum）：更新状态未知")
    return Updates()


def _age(notebook: Notebook, paths: list[str], now: datetime) -> Maybe[int]:
    times = [t for path in paths if not isinstance(t := notebook.reader.modified(path), Refusal) and t > 0]
    return max(0, int((now.timestamp() - max(times)) // _DAY)) if times else UNKNOWN


def _apt(notebook: Notebook, now: datetime) -> Updates:
    updates = Updates(manager="apt")
    names = notebook.directory(_APT_LISTS)
    if isinstance(names, Refusal) or not any("_Packages" in name for name in names):
        notebook.note("更新状态未知：本机没有软件包索引（从未 apt update 或已清空）")
        return updates
    updates.index_age_days = _age(notebook, list(_APT_STAMPS), now)
    answer = notebook.command(*_APT)
    if not isinstance(answer, Output) or answer.status != 0:
        notebook.note("更新状态未知：apt list 没有给出结果")
        return updates
    updates.pending, security = apt_upgrades(answer.stdout)
    if any("security" in name for name in names):
        updates.pending_security = security
    else:
        notebook.note("软件源里没有可辨认的安全更新仓库，安全更新数未知")
    return updates


def _dnf(notebook: Notebook, manager: str, now: datetime) -> Updates:
    updates = Updates(manager=manager)
    if not notebook.may_run(manager, "-C", "-q", "check-update"):
        notebook.note(f"更新状态未知：{manager} 的缓存只以 root 读取（普通用户会另建缓存，本程序不写）")
        return updates
    cache = f"/var/cache/{manager}"
    names = notebook.directory(cache)
    entries = [] if isinstance(names, Refusal) else names
    updates.index_age_days = _age(notebook, [f"{cache}/{n}" for n in entries], now)
    answer = notebook.command(manager, "-C", "-q", "check-update")
    if not isinstance(answer, Output) or answer.status not in (0, 100):
        notebook.note(f"更新状态未知：{manager} 没有可用的本地元数据（先在维护窗口执行 {manager} makecache）")
        return updates
    updates.pending = dnf_updates(answer.stdout)
    if not any("updateinfo" in name for name in entries):
        notebook.note("软件源没有 updateinfo，安全更新数未知")
        return updates
    command = ("dnf", "-C", "-q", "updateinfo", "list", "--updates", "--security")
    listed = notebook.output(*command) if notebook.may_run(*command) else Refusal.DENIED
    updates.pending_security = dnf_security(listed) if isinstance(listed, bytes) else UNKNOWN
    return updates

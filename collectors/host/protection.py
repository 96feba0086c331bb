"""Protection: malware agents, mandatory access control, packet filter."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from collectors.host.notebook import Notebook, decode
from collectors.host.processes import Processes
from collectors.host.reader import Output, Refusal
from inventory.decoding import from_json
from inventory.kinds.address import Family
from inventory.unknown import UNKNOWN, Maybe, known

AGENTS: dict[str, tuple[str, ...]] = {
    "ClamAV": ("clamd", "clamonacc"),
    "奇安信天擎": ("qaxsafed", "qaxtray", "qaxentd", "trantect"),  # memory
    "奇安信椒图": ("jowtoagent", "gsagent"),  # memory
    "360 终端安全": ("360safed", "360entclient", "360sd"),  # memory
    "深信服 EDR": ("edr_agent", "edr_monitor", "eps_services", "abs_monitor", "sfavsrv"),  # memory
    "安恒 EDR": ("dasagent", "das_edr", "edragent_dbapp"),  # memory
    "火绒": ("hipsdaemon", "hipsmain", "huorongd"),  # memory
    "安天智甲": ("antiyiep", "iep_agent", "avlagent"),  # memory
    "瑞星": ("ravservice", "rsavd", "rising_agent"),  # memory
    "北信源": ("vrvedp_m", "vrvrf_c"),  # memory
    "亚信/趋势 Deep Security": ("ds_agent", "ds_am"),
    "青藤万相": ("titanagent", "titan_monitor"),  # memory
    "阿里云安全中心": ("AliYunDun", "AliYunDunMonitor"),
    "腾讯云主机安全": ("YDService", "YDLive"),
    "华为云主机安全": ("hostguard", "hostwatch"),
    "Microsoft Defender": ("wdavdaemon", "mdatp"),
    "CrowdStrike Falcon": ("falcon-sensor", "falcon-sensor-bpf"),
    "Kaspersky": ("kesl",),
    "ESET": ("oaeventd", "esets_daemon"),
    "Sophos": ("savd", "sophos-spl"),
    "Trellix/McAfee": ("mfetpd",),
    "Symantec": ("rtvscand", "sisamdagent"),
}
"""Product → names of its programs. Rows marked ``memory`` were not checked against the vendor's product:
a match is a hint for the reader, and a product may be missing here."""


def malware_protection(processes: Processes) -> Maybe[list[str]]:
    """Known agents that run. [] means none of the table; where processes are hidden and none was seen,
    UNKNOWN."""
    found = [product for product, programs in AGENTS.items() if processes.find(*programs)]
    return found if found or processes.complete else UNKNOWN


def mandatory_access_control(notebook: Notebook) -> Maybe[str | None]:
    """SELinux with its mode, or AppArmor; None where the kernel shows neither."""
    enforce = notebook.file("/sys/fs/selinux/enforce")
    if isinstance(enforce, bytes):
        return "selinux:enforcing" if enforce.strip() == b"1" else "selinux:permissive"
    apparmor = notebook.file("/sys/module/apparmor/parameters/enabled")
    if isinstance(apparmor, bytes) and apparmor.strip() == b"Y":
        return "apparmor"
    absent = enforce is Refusal.NOT_FOUND and (isinstance(apparmor, bytes) or apparmor is Refusal.NOT_FOUND)
    return None if absent and notebook.exists("/sys/kernel") else UNKNOWN


def nft_families(ruleset: bytes) -> set[str] | None:
    """Families, as nft names them, of the chains of ``nft -j list ruleset`` that filter what comes in: a rule
    in an input chain, or policy drop there. NAT of a container engine is no firewall. None = not such
    output."""
    try:
        content = from_json(ruleset)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    listed = content.get("nftables") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        return None
    rows = [row for row in listed if isinstance(row, dict)]
    inputs: set[tuple[Any, Any, Any]] = set()
    found: set[str] = set()
    for row in rows:
        chain = row.get("chain")
        if isinstance(chain, dict) and chain.get("hook") == "input" and chain.get("type") == "filter":
            if chain.get("policy") == "drop":
                found.add(str(chain.get("family")))
            inputs.add((str(chain.get("family")), str(chain.get("table")), str(chain.get("name"))))
    for row in rows:
        rule = row.get("rule")
        if isinstance(rule, dict):
            place = (str(rule.get("family")), str(rule.get("table")), str(rule.get("chain")))
            if place in inputs:
                found.add(place[0])
    return found


def nft_filters(ruleset: bytes) -> bool | None:
    """Whether ``nft -j list ruleset`` filters what comes in. None = not such output."""
    families = nft_families(ruleset)
    return None if families is None else bool(families)


def iptables_filters(saved: bytes) -> bool:
    """Whether ``iptables-save`` filters what comes in."""
    table = decode(saved).partition("*filter\n")[2].partition("\nCOMMIT")[0]
    return re.search(r"(?m)^(-A INPUT |:INPUT (DROP|REJECT))", table) is not None


def firewall(notebook: Notebook, processes: Processes) -> Maybe[str | None]:
    """The packet filter with rules for incoming traffic. Only root sees rules; firewalld always loads
    some, so that it runs is enough for others."""
    manager = "firewalld" if processes.running("firewalld") else None
    rules = (("nft", "-j", "list", "ruleset"), ("iptables-save",), ("ip6tables-save",))
    if not any(notebook.may_run(*command) for command in rules):
        if manager is None:
            notebook.note("防火墙规则未知：nft、iptables 规则只有 root 可读")
        return manager or UNKNOWN
    nft, *legacy = (notebook.command(*c) if notebook.may_run(*c) else Refusal.DENIED for c in rules)
    if isinstance(nft, Output) and nft.status == 0 and nft_filters(nft.stdout):
        return manager or ("ufw" if b"ufw-" in nft.stdout else "nftables")
    saved = [o.stdout for o in legacy if isinstance(o, Output) and o.status == 0]
    if any(iptables_filters(text) for text in saved):
        return manager or ("ufw" if any(b"ufw-" in text for text in saved) else "iptables")
    if Refusal.DENIED in (nft, *legacy):
        notebook.note("防火墙规则未知：nft、iptables-save、ip6tables-save 没有全部放行，看到的里面没有规则")
        return manager or UNKNOWN
    if _seen(nft, nft_filters(nft.stdout) is not None if isinstance(nft, Output) else False) or saved:
        return None
    if nft is Refusal.NOT_FOUND and all(o is Refusal.NOT_FOUND for o in legacy) and _no_modules(notebook):
        return None
    notebook.note("防火墙规则未知：没有 nft、iptables 命令，或它们没有给出结果")
    return manager or UNKNOWN


def firewall_families(notebook: Notebook, firewall: Maybe[str | None]) -> Maybe[list[Family]]:
    """The address families whose incoming traffic is filtered; [] where no firewall is. That one of them is
    not is known only where both were looked into."""
    if firewall is None:
        return []
    if not known(firewall):
        return UNKNOWN
    found: set[Family] = set()
    nft = notebook.command("nft", "-j", "list", "ruleset")
    listed = nft_families(nft.stdout) if isinstance(nft, Output) and nft.status == 0 else None
    for name in listed or ():
        found |= _NFT_FAMILIES.get(name, set())
    whole = listed is not None or nft is Refusal.NOT_FOUND
    commands: tuple[tuple[Family, str], ...] = (("ipv4", "iptables-save"), ("ipv6", "ip6tables-save"))
    for family, command in commands:
        saved = notebook.command(command)
        if isinstance(saved, Output) and saved.status == 0:
            found |= {family} if iptables_filters(saved.stdout) else set()
        else:
            whole &= saved is Refusal.NOT_FOUND and listed is not None
    return sorted(found) if whole or len(found) == 2 else UNKNOWN


_NFT_FAMILIES: dict[str, set[Family]] = {"ip": {"ipv4"}, "ip6": {"ipv6"}, "inet": {"ipv4", "ipv6"}}


def _seen(answer: Output | Refusal, parsed: bool) -> bool:
    return isinstance(answer, Output) and answer.status == 0 and parsed


def _no_modules(notebook: Notebook) -> bool:
    """Whether the kernel shows no filter table at all, so that no rule can exist."""
    tables = notebook.reader.read_file("/proc/net/ip_tables_names")
    modules = notebook.reader.read_file("/proc/modules")
    return (
        (tables is Refusal.NOT_FOUND or tables == b"")
        and isinstance(modules, bytes)
        and re.search(rb"(?m)^nf_tables ", modules) is None
        and modules.strip() != b""
    )

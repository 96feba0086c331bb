"""Who may reach the SSH port: any address, or only some, as sshd and the packet filter tell.

The filter is walked as the kernel would for a first packet from an address that no rule names. What such a
packet cannot be told to meet (a rate limit, a mark, an interface) leaves the answer open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from collectors.host.notebook import Notebook, decode
from collectors.host.reader import Output, Refusal
from inventory.decoding import from_json
from inventory.kinds.host import SshServer
from inventory.unknown import UNKNOWN, Maybe, Unknown

Way = Literal["open", "closed", "unsure"]
"""Where a packet from anywhere ends; ``unsure``: it cannot be told."""
Family = Literal["ip", "ip6"]  # as nft names it
_DEPTH = 12
_RULES = 5000  # of one filter; beyond, the answer is open


class FilterRule(msgspec.Struct, frozen=True):
    """``applies`` to a first TCP packet to the port from an address that is not named: None = cannot be
    told. ``target``: accept, drop, return, "" = none of them; or ``jump`` names a chain."""

    applies: bool | None
    target: Literal["accept", "drop", "return", ""] = ""
    jump: str = ""
    leaves: bool = False  # goto: what follows the jump is not walked


_UNCLEAR = FilterRule(applies=None, target="return")
Chains = Mapping[str, Sequence[FilterRule]]


def walk(chains: Chains, chain: str, depth: int = 0) -> Way | None:
    """Where the packet ends in a chain; None = it comes out at the end."""
    if depth > _DEPTH:
        return "unsure"
    maybe: set[Way] = set()
    for rule in chains.get(chain, ()):
        if rule.applies is False or not (rule.target or rule.jump):
            continue
        end: Way | None = {"accept": "open", "drop": "closed"}.get(rule.target)  # type: ignore[assignment]
        if rule.jump:
            end = walk(chains, rule.jump, depth + 1)
        if rule.applies is None:
            maybe |= {end} if end else ({"unsure"} if rule.target == "return" or rule.leaves else set())
        elif end:
            return end if maybe <= {end} else "unsure"
        elif rule.target == "return" or rule.leaves:
            break
    return "unsure" if maybe else None


def _through(chains: Chains, bases: Mapping[str, bool]) -> Way:
    """Through every base chain (name → whether its policy accepts): one that drops is enough."""
    ends = [walk(chains, name) or ("open" if accepts else "closed") for name, accepts in bases.items()]
    if "closed" in ends:
        return "closed"
    return "unsure" if "unsure" in ends else "open"


def _covers(right: Any, port: int) -> bool | None:
    """Whether nft's value of a port holds this one."""
    if isinstance(right, int):
        return right == port
    if isinstance(right, dict) and isinstance(right.get("range"), list):
        low, high = right["range"]
        return bool(low <= port <= high)
    if isinstance(right, dict) and isinstance(right.get("set"), list):
        return any(_covers(item, port) for item in right["set"])
    return {"ssh": port == 22}.get(right) if isinstance(right, str) else None


def _matches(expression: Mapping[str, Any], port: int, family: Family) -> bool | None:
    left, right = expression.get("left"), expression.get("right")
    equal = expression.get("op", "==") in ("==", "in")
    payload = left.get("payload") if isinstance(left, dict) else None
    meta = left.get("meta") if isinstance(left, dict) else None
    state = left.get("ct") if isinstance(left, dict) else None
    result: bool | None = None
    if isinstance(payload, dict):
        protocol, field = payload.get("protocol"), payload.get("field")
        if protocol in ("ip", "ip6") and protocol != family:
            return False
        if field == "saddr" and protocol in ("ip", "ip6"):
            result = False  # an address that is not named
        elif field == "dport" and protocol in ("tcp", "th"):
            result = _covers(right, port)
        elif protocol in ("udp", "icmp", "icmpv6", "sctp", "ether"):
            return False
    elif isinstance(meta, dict) and meta.get("key") == "l4proto":
        result = _word(right, "tcp", 6)
    elif isinstance(meta, dict) and meta.get("key") == "nfproto":
        result = _word(right, "ipv4" if family == "ip" else "ipv6")
    elif isinstance(meta, dict) and meta.get("key") in ("iif", "iifname"):
        result = False if right == "lo" else None
    elif isinstance(state, dict) and state.get("key") == "state":
        result = _word(right, "new", "new")
    return result if result is None or equal else not result


def _word(right: Any, *wanted: object) -> bool:
    values = right.get("set", [right]) if isinstance(right, dict) else right
    return any(v in wanted for v in (values if isinstance(values, list) else [values]))


def nft_way(ruleset: bytes, port: int, family: Family) -> Way | None:
    """Way of the packet through ``nft -j list ruleset``; None where no chain filters what comes in."""
    try:
        content = from_json(ruleset)
        rows = [row for row in content["nftables"] if isinstance(row, dict)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        return "unsure"
    if len(rows) > _RULES:
        return "unsure"
    chains: dict[str, list[FilterRule]] = {}
    bases: dict[str, bool] = {}
    for row in rows:
        part = row.get("chain") or row.get("rule")
        if not isinstance(part, dict) or part.get("family") not in (family, "inet"):
            continue
        table = f"{part['family']} {part.get('table')} "
        if "chain" in row:
            if part.get("hook") == "input" and part.get("type") == "filter":
                bases[f"{table}{part.get('name')}"] = part.get("policy") != "drop"
        else:
            rule = _nft_rule(part.get("expr"), port, family, table)
            chains.setdefault(f"{table}{part.get('chain')}", []).append(rule)
    return _through(chains, bases) if bases else None


def _nft_rule(expressions: Any, port: int, family: Family, table: str) -> FilterRule:
    applies: bool | None = True
    for one in expressions if isinstance(expressions, list) else []:
        if not isinstance(one, dict) or len(one) != 1:
            return _UNCLEAR
        ((name, value),) = one.items()
        if name == "match" and isinstance(value, dict):
            found = _matches(value, port, family)
            applies = False if applies is False or found is False else (applies if found else None)
        elif name in ("accept", "drop", "return"):
            return FilterRule(applies, name)
        elif name == "reject":
            return FilterRule(applies, "drop")
        elif name in ("jump", "goto") and isinstance(value, dict):
            return FilterRule(applies, "", f"{table}{value.get('target')}", name == "goto")
        elif name == "vmap":
            if not _of_old_connections(value):
                return _UNCLEAR if applies is not False else FilterRule(applies=False)
        elif name not in ("counter", "log", "comment"):
            applies = False if applies is False else None
    return FilterRule(applies)


def _of_old_connections(vmap: Any) -> bool:
    """Whether a verdict map is one of connection states that leaves new ones alone."""
    if not isinstance(vmap, dict) or vmap.get("key") != {"ct": {"key": "state"}}:
        return False
    data = vmap.get("data")
    rows = data.get("set") if isinstance(data, dict) else None
    return isinstance(rows, list) and not any("new" in row for row in rows if isinstance(row, list))


_COMMENT = re.compile(r' -m comment| --comment (?:"(?:[^"\\]|\\.)*"|\S+)')
_STATES = re.compile(r"--(?:ct)?state (\S+)")
_KNOWN = re.compile(
    r"-A \S+|-p \S+|-m (?:tcp|udp|conntrack|state|multiport)|--(?:ct)?state \S+|--dports? \S+|-[jg] .*"
)


def _iptables_rule(text: str, port: int) -> FilterRule:
    line = _COMMENT.sub("", text)

    def option(name: str) -> str | None:
        found = re.search(rf"(?:^| ){name} (\S+)", line)
        return found[1] if found else None

    jump = option("-[jg]") or ""
    applies: bool | None = True
    if re.search(r"(?:^| )! ", line) or _KNOWN.sub("", line).strip():
        applies = None
    states = _STATES.search(line)
    ports = option("--dports?")
    if (
        (option("-p") or "tcp") not in ("tcp", "6", "all")
        or (option("-i") == "lo" and "! -i" not in line)
        or (states and "NEW" not in states[1].split(","))
        or (ports and not _listed(ports, port))
        or ((option("-s") or ("-m set " in line and " src" in line)) and "! " not in line)
    ):
        applies = False
    target = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "drop", "RETURN": "return"}.get(jump, "")
    chain = "" if target or jump in ("LOG", "NFLOG", "") else jump
    return FilterRule(applies, target, chain, option("-g") is not None)  # type: ignore[arg-type]


def _listed(ports: str, port: int) -> bool:
    for part in ports.split(","):
        low, colon, high = part.partition(":")
        if low.isdigit() and (port == int(low) if not colon else int(low) <= port <= int(high or 65535)):
            return True
    return False


def iptables_way(saved: bytes, port: int) -> Way | None:
    """Way of the packet through ``iptables-save``; None where it has no chain INPUT."""
    table = decode(saved).partition("*filter\n")[2].partition("\nCOMMIT")[0]
    policy = re.search(r"(?m)^:INPUT (\w+)", table)
    if not policy:
        return None
    found = re.findall(r"(?m)^-A (\S+) (.*)$", table)
    if len(found) > _RULES:
        return "unsure"
    chains: dict[str, list[FilterRule]] = {}
    for chain, rest in found:
        chains.setdefault(chain, []).append(_iptables_rule(f"-A {chain} {rest}", port))
    return _through(chains, {"INPUT": policy[1] == "ACCEPT"})


def read_any_source(
    notebook: Notebook, ssh: SshServer, firewall: Maybe[str | None], ipv6: Maybe[bool]
) -> Maybe[bool]:
    """Whether any address may reach a port of sshd and log in there."""
    users = ssh.allow_users
    if isinstance(users, list) and users and all(re.search(r"@.*[^*?@]", user) for user in users):
        return False
    if firewall is None:
        return True
    if isinstance(firewall, Unknown) or not isinstance(ssh.ports, list):
        return UNKNOWN
    ways = [w for port in ssh.ports for w in _ways(notebook, port, families=1 if ipv6 is False else 2)]
    if "open" in ways:
        return True
    return False if ways and set(ways) == {"closed"} else UNKNOWN


def _ways(notebook: Notebook, port: int, families: int) -> list[Way]:
    found: list[Way] = []
    nft = notebook.command("nft", "-j", "list", "ruleset")
    for family, command in (("ip", "iptables-save"), ("ip6", "ip6tables-save"))[:families]:
        ends: list[Way | None] = []
        if isinstance(nft, Output) and nft.status == 0:
            ends.append(nft_way(nft.stdout, port, "ip" if family == "ip" else "ip6"))
        saved = notebook.command(command)
        if Refusal.DENIED in (nft, saved):  # allowed one of them alone
            ends.append("unsure")
        if isinstance(saved, Output) and saved.status == 0:
            ends.append(iptables_way(saved.stdout, port))
        known = [end for end in ends if end]
        if "closed" in known:
            found.append("closed")
        elif "unsure" in known or not ends:
            found.append("unsure")
        else:
            found.append("open")
    return found

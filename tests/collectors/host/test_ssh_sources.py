"""Whether any address may reach SSH: rule sets as people write them, and what cannot be told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from collectors.host.notebook import Notebook
from collectors.host.ssh_sources import iptables_way, nft_way, read_any_source
from inventory.kinds.host import SshServer
from inventory.unknown import UNKNOWN

Make = Callable[..., Notebook]


def saved(*rules: str, policy: str = "ACCEPT") -> str:
    lines = [f":INPUT {policy} [0:0]", ":ufw-user-input - [0:0]", *(f"-A {rule}" for rule in rules)]
    return "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n*filter\n" + "\n".join(lines) + "\nCOMMIT\n"


SSH = "INPUT -p tcp -m tcp --dport 22"
USUAL = (
    "INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "INPUT -i lo -j ACCEPT",
    "INPUT -p icmp -j ACCEPT",
)
REST = "INPUT -j REJECT --reject-with icmp-host-prohibited"


@pytest.mark.parametrize(
    ("rules", "policy", "way"),
    [
        ((), "ACCEPT", "open"),
        ((), "DROP", "closed"),
        ((*USUAL, f"{SSH} -j ACCEPT", REST), "ACCEPT", "open"),
        ((*USUAL, "INPUT -s 10.1.0.0/16 -p tcp -m tcp --dport 22 -j ACCEPT", REST), "ACCEPT", "closed"),
        ((*USUAL, "INPUT -p tcp -m tcp --dport 443 -j ACCEPT", REST), "ACCEPT", "closed"),
        ((f"{SSH} -m conntrack --ctstate NEW -j ACCEPT",), "DROP", "open"),
        (("INPUT -p tcp -m multiport --dports 20:23,80 -j ACCEPT",), "DROP", "open"),
        (("INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT",), "DROP", "closed"),
        (("INPUT -j ufw-user-input", "ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT"), "DROP", "open"),
        (("INPUT -j ufw-user-input", "ufw-user-input -s 10.1.0.0/16 -j ACCEPT"), "DROP", "closed"),
        (("INPUT -j ufw-user-input", "ufw-user-input -j RETURN"), "DROP", "closed"),
        (("INPUT -j ufw-user-input", "ufw-user-input -j INPUT"), "DROP", "unsure"),  # a loop
        ((f'{SSH} -m comment --comment "a b -s c" -j ACCEPT',), "DROP", "open"),
        ((f"{SSH} -m limit --limit 3/min -j ACCEPT",), "DROP", "unsure"),
        ((f"{SSH} -m limit --limit 3/min -j LOG", f"{SSH} -j ACCEPT"), "DROP", "open"),
        (("INPUT ! -s 10.1.0.0/16 -p tcp -m tcp --dport 22 -j DROP",), "ACCEPT", "unsure"),
        (("INPUT -m set --match-set staff src -j ACCEPT",), "DROP", "closed"),
        (("INPUT -i eth1 -j ACCEPT",), "DROP", "unsure"),
    ],
)  # fmt: skip
def test_iptables(rules: tuple[str, ...], policy: str, way: str) -> None:
    assert iptables_way(saved(*rules, policy=policy).encode(), 22) == way


def test_a_table_without_input_tells_nothing() -> None:
    assert iptables_way(b"*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n", 22) is None


def match(left: Any, right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


PORT = {"payload": {"protocol": "tcp", "field": "dport"}}
FROM4 = {"payload": {"protocol": "ip", "field": "saddr"}}
STATE = {"ct": {"key": "state"}}
INTERFACE = {"meta": {"key": "iifname"}}
NET = {"prefix": {"addr": "10.1.0.0", "len": 16}}


def ruleset(*rules: list[dict[str, Any]], policy: str = "drop", more: Any = ()) -> bytes:
    place = {"family": "inet", "table": "filter"}
    chain = {**place, "name": "input", "type": "filter", "hook": "input", "policy": policy}
    rows = [{"metainfo": {}}, {"chain": chain}, *more]
    rows += [{"rule": {**place, "chain": "input", "expr": expr}} for expr in rules]
    return json.dumps({"nftables": rows}).encode()


ACCEPT: dict[str, Any] = {"accept": None}


@pytest.mark.parametrize(
    ("rules", "way"),
    [
        ([], "closed"),
        ([[match(PORT, 22), ACCEPT]], "open"),
        ([[match(PORT, {"set": [80, {"range": [20, 25]}]}), {"counter": {}}, ACCEPT]], "open"),
        ([[match(PORT, {"set": [80, 443]}), ACCEPT]], "closed"),
        ([[match(FROM4, NET), match(PORT, 22), ACCEPT]], "closed"),
        ([[match(FROM4, NET, "!="), match(PORT, 22), {"drop": None}], [ACCEPT]], "closed"),
        ([[match(STATE, {"set": ["established", "related"]}, "in"), ACCEPT]], "closed"),
        ([[match(STATE, ["new"], "in"), match(PORT, "ssh"), ACCEPT]], "open"),
        ([[match(INTERFACE, "lo"), ACCEPT]], "closed"),
        ([[match(INTERFACE, "eth1"), ACCEPT]], "unsure"),
        ([[match({"meta": {"key": "l4proto"}}, "udp"), ACCEPT]], "closed"),
        ([[{"limit": {"rate": 3}}, match(PORT, 22), ACCEPT]], "unsure"),
        ([[{"vmap": {"key": STATE, "data": {"set": [["established", ACCEPT], ["invalid", {"drop": None}]]}}}],
          [match(PORT, 22), ACCEPT]], "open"),
        ([[{"vmap": {"key": PORT, "data": {"set": [[22, ACCEPT]]}}}]], "unsure"),
        ([[match(PORT, "@services"), ACCEPT]], "unsure"),
        ([["nonsense"]], "unsure"),
    ],
)  # fmt: skip
def test_nft(rules: list[Any], way: str) -> None:
    assert nft_way(ruleset(*rules), 22, "ip") == way


def test_a_rule_of_one_family_says_nothing_of_the_other() -> None:
    rules = ruleset([match(FROM4, NET, "!="), {"drop": None}], policy="accept")
    assert nft_way(rules, 22, "ip") == "closed"
    assert nft_way(rules, 22, "ip6") == "open"
    only = [match({"meta": {"key": "nfproto"}}, "ipv4"), ACCEPT]
    assert [nft_way(ruleset(only), 22, family) for family in ("ip", "ip6")] == ["open", "closed"]


def test_jumps_are_followed() -> None:
    place = {"family": "inet", "table": "filter", "chain": "zone"}
    zone = [{"rule": {**place, "expr": [match(PORT, 22), ACCEPT]}}]
    jump = [{"jump": {"target": "zone"}}]
    assert nft_way(ruleset(jump, more=zone), 22, "ip") == "open"
    some = [match(INTERFACE, "eth0"), {"goto": {"target": "zone"}}]
    every = [{"goto": {"target": "zone"}}]
    assert nft_way(ruleset(some, every, more=zone), 22, "ip") == "open"  # in either case the same
    assert nft_way(ruleset(some, more=zone), 22, "ip") == "unsure"


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"nftables": 3}'])
def test_what_is_no_ruleset_tells_nothing(text: bytes) -> None:
    assert nft_way(text, 22, "ip") == "unsure"


def ssh(**fields: Any) -> SshServer:
    return SshServer(installed=True, ports=[22], **fields)


def test_users_with_their_addresses_are_a_limit(notebook: Make) -> None:
    limited = ssh(allow_users=["ops@10.1.*", "root@10.2.0.5"])
    assert read_any_source(notebook(), limited, None, True) is False
    assert read_any_source(notebook(), ssh(allow_users=["ops@10.1.*", "root"]), None, True) is True
    assert read_any_source(notebook(), ssh(allow_users=["ops@*"]), None, True) is True
    assert read_any_source(notebook(), ssh(), UNKNOWN, True) is UNKNOWN


def test_both_families_have_to_be_limited(notebook: Make) -> None:
    four, six = [0, saved(policy="DROP")], [0, saved()]
    book = notebook(commands={"iptables-save": four, "ip6tables-save": six})
    assert read_any_source(book, ssh(), "iptables", True) is True
    assert read_any_source(book, ssh(), "iptables", False) is False  # the machine has no IPv6
    book = notebook(commands={"iptables-save": four})
    assert read_any_source(book, ssh(), "iptables", True) is UNKNOWN
    assert read_any_source(book, SshServer(installed=True), "iptables", False) is UNKNOWN  # which port?


def test_of_two_filters_the_one_that_drops_decides(notebook: Make) -> None:
    commands = {
        "nft -j list ruleset": [0, ruleset().decode()],
        "iptables-save": [0, saved()],
        "ip6tables-save": [0, saved()],
    }
    assert read_any_source(notebook(commands=commands), ssh(), "nftables", True) is False


def test_a_recorded_machine(machine: Callable[..., Any]) -> None:
    (host,) = machine("openeuler-22.03")["host"].resources
    assert host.ssh.any_source is False  # firewalld rejects what nothing names
    (host,) = machine("centos-7")["host"].resources
    assert host.ssh.any_source is True

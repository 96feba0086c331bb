"""Every rule over configurations, from the text: it fires on the bad or on the bare sample of each platform that
can say such a thing, and has nothing against the good one. What a platform cannot say, or we do not read, or is
not known to be its default, stands in ``OUTSIDE``."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from collectors.cli import facts, signatures
from inventory.coverage import Batch
from inventory.kinds.device_config import DeviceConfig
from inventory.snapshot import Snapshot
from policies.evaluate import evaluate
from policies.rules import load_rules
from policies.verdict import Verdict

DATA = Path(__file__).parents[2] / "data" / "cli"
AT = datetime(2026, 11, 22, tzinfo=UTC)
RULES = [rule for rule in load_rules(examples=False) if rule.kind == "device_config"]
PLATFORMS = ("huawei_vrp", "hp_comware", "ruijie_os", "zte_zxros", "cisco_ios", "juniper_junos", "frr")
FAIL, PASS, UNSEEN, AWAY = Verdict.FAIL, Verdict.PASS, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE

# Beside each rule what the bad samples and the good one give, by platform in the order above: f fails, p passes,
# ? is not known, - does not apply; .. is as it should be (fails, then passes or does not apply). Beside a sample
# stand what its device displays of its libraries of signatures (.signatures_….txt).
_TABLE = """
config-aaa-server                    ..  ..  ..  ..  ..  ..  ??
config-aaa-without-authentication    ..  ..  ..  ..  ..  pp  ??
config-acl-default-permit            ..  ..  ?p  ??  pp  ??  ??
config-acl-incomplete                ..  ..  ..  ??  ..  ??  ??
config-acl-permits-all               ..  ..  ..  ??  ..  ??  ??
config-acl-shadowed                  ..  ..  ..  ??  ..  ??  ??
config-backup                        ..  ..  ??  ??  ..  ..  ??
config-banner                        ..  ..  ..  ..  ..  ..  ??
config-boot-unverified               --  --  --  --  ?p  --  --
config-bootp-server                  --  --  --  --  ..  --  --
config-control-plane                 ?p  ?p  ?p  ??  ?p  ?p  ??
config-dhcp-snooping-ipv4            ..  ..  ..  ..  ..  ..  --
config-dhcp-snooping-ipv6            ..  ..  ..  ??  ..  ..  --
config-finger                        --  --  --  --  ..  ..  --
config-ftp-ipv4                      ..  ..  ..  ..  pp  ..  ??
config-ftp-ipv6                      ..  ..  ..  ..  pp  ..  ??
config-http                          ..  ..  ..  ??  ..  ..  ??
config-interface-acl-ipv4            ..  ..  ..  ..  ..  ..  ??
config-interface-acl-ipv6            ..  ..  ..  ..  ..  ..  ??
config-interface-acl-one-family      ..  ..  ..  ..  ..  ..  ??
config-line-administrator            ..  ..  ..  ?p  ..  pp  pp
config-line-no-authentication        ..  ..  ..  ?p  ..  pp  pp
config-line-password-storage         ..  ..  ..  ?p  ..  pp  ..
config-line-shared-password          ..  ..  ..  ?p  ..  pp  ..
config-lockout                       ..  ..  ..  ..  ?p  ..  ??
config-log-commands                  ?p  ?p  ..  ..  ..  ..  ?p
config-log-disabled                  f?  ..  f?  ??  f?  ..  pp
config-log-level                     ..  ..  ..  ..  ..  ..  ?p
config-log-server                    ..  ..  ..  ..  ..  ..  ??
config-log-source                    ..  ..  ..  ..  ..  ..  ??
config-log-timestamps                ..  ..  ..  ??  ..  pp  ?p
config-management-acl-one-family     ..  ..  ..  ??  ..  ..  ??
config-management-from-outside       ..  f?  pp  ??  pp  ??  ??
config-neighbour-inspection-ipv4     ..  ..  ..  ??  ..  ..  --
config-neighbour-inspection-ipv6     ..  ..  ??  ??  ..  ..  --
config-network-boot                  --  --  --  --  ..  ..  --
config-not-saved                     ??  ??  ??  ??  ??  ??  ??
config-ntp                           ..  ..  ..  ..  ..  ..  ??
config-ntp-authentication            ..  ..  ..  ..  ..  ..  ??
config-password-classes              f?  ..  ..  ..  ..  ..  ??
config-password-history              ..  ..  ..  ??  ff  ..  ??
config-password-length               ..  ..  ..  ..  ..  ..  ??
config-password-max-days             ..  ..  ..  ..  ..  ..  ??
config-policy-alert-only             ..  ..  --  --  --  ..  --
config-policy-antivirus              ..  ..  --  --  --  ..  --
config-policy-any-any                ..  ..  --  --  --  ..  --
config-policy-content-control        ..  ..  --  --  --  ..  --
config-policy-default-permit         ..  ??  --  --  --  ..  --
config-policy-incomplete             ..  ..  --  --  --  ..  --
config-policy-inspection-one-family  --  ..  --  --  --  --  --
config-policy-intrusion-prevention   ..  ..  --  --  --  ..  --
config-policy-mail-filter            ..  ?-  --  --  --  ..  --
config-policy-not-logged             ..  ..  --  --  --  ..  --
config-policy-one-family             ..  pp  --  --  --  ..  --
config-policy-shadowed               ..  ..  --  --  --  ..  --
config-policy-stateless              ..  ..  --  --  --  ..  --
config-port-access-control           ..  ..  ..  ??  ..  ..  --
config-privileged-default-password   ..  ..  pp  pp  ..  pp  ..
config-privileged-password-storage   ..  ..  ..  pp  ..  ..  ..
config-proxy-arp                     f?  f?  ..  ??  ..  ??  ??
config-ra-guard                      ..  ..  ?p  ??  ..  ..  --
config-redirects-ipv4                ?p  ?p  ..  ??  ..  ?p  ??
config-redirects-ipv6                ??  ??  ..  ??  ..  ?p  ??
config-root-login                    --  --  --  --  --  ..  --
config-signature-half-year           ..  ..  --  --  --  ..  --
config-signature-manual              ..  ?p  --  --  --  ..  --
config-signature-old                 ..  ..  --  --  --  ..  --
config-small-servers                 --  --  --  --  f?  --  --
config-snmp-acl-ipv4                 ..  ..  ..  ??  ..  ..  ??
config-snmp-acl-ipv6                 ..  ..  ..  ??  ..  ..  ??
config-snmp-default-community        ..  ..  ..  ..  ..  ..  ??
config-snmp-no-privacy               ..  ..  ..  ..  ..  ..  ??
config-snmp-plaintext                ..  ..  ..  ..  ..  ..  ??
config-snmp-plaintext-traps          ..  ..  ..  ..  ..  ..  ??
config-snmp-weak-algorithms          ..  ..  ..  ??  ??  ..  ??
config-snmp-write-community          ..  ..  ..  ..  ..  ..  ??
config-source-routing-ipv4           --  --  ..  --  ..  --  --
config-source-routing-ipv6           --  --  ??  --  ..  --  --
config-ssh-algorithms-unset          ..  ..  ..  ??  ..  ..  ??
config-ssh-version1                  ..  ..  ..  ..  ..  ..  ??
config-ssh-weak-ciphers              ..  ..  ..  ??  ..  ..  ??
config-ssh-weak-key-exchange         ..  ..  ..  ??  ..  ..  ??
config-ssh-weak-macs                 ..  ..  ..  ??  ..  ..  ??
config-storm-control                 ..  ..  ..  ??  ..  ..  --
config-telnet-ipv4                   ..  ..  ..  ..  ..  ..  ??
config-telnet-ipv6                   ..  ..  ..  ..  ..  ..  ??
config-tftp                          ..  pp  ..  ??  ..  ..  ??
config-unused-port-open              ..  ..  ..  ..  ..  ..  ??
config-urpf-ipv4                     ..  ..  ..  ..  ..  ..  ??
config-urpf-ipv6                     ..  ..  ..  ..  ..  ..  ??
config-user-all-administrators       ..  ..  ..  ..  ..  ..  ??
config-user-default-name             ..  ..  ..  ..  ..  ..  ??
config-user-default-password         ..  ..  ..  ..  ..  pp  ??
config-user-plain-password           ..  ..  ..  ..  ..  pp  ??
config-user-telnet                   ..  ..  ..  ..  ??  ??  ??
config-user-weak-storage             ..  ..  ..  p?  ..  ..  ??
config-web-acl-ipv4                  ..  ..  ..  ??  ..  ..  ??
config-web-acl-ipv6                  ?-  ..  ?-  ??  ..  ..  ??
"""
_LETTERS = {"f": FAIL, "p": PASS, "?": UNSEEN, "-": AWAY}
OUTSIDE: dict[str, dict[str, tuple[Verdict, Verdict]]] = {
    line.split()[0]: {
        platform: (_LETTERS[pair[0]], _LETTERS[pair[1]])
        for platform, pair in zip(PLATFORMS, line.split()[1:], strict=True)
        if pair != ".."
    }
    for line in _TABLE.strip().splitlines()
}
"""Rule → platform → (verdict of the bad samples, of the good one), where they are not (fail, pass)."""
LEAST = {
    "huawei_vrp": 66,
    "hp_comware": 66,
    "ruijie_os": 65,
    "zte_zxros": 40,
    "cisco_ios": 67,
    "juniper_junos": 62,
}


@cache
def verdicts(stem: str) -> dict[str, Verdict]:
    platform = stem.rsplit("-", 1)[0]
    fields = facts.read(platform, (DATA / f"{stem}.cfg").read_text(), {})
    config = DeviceConfig(source="s", native_id="1", name=stem, **fields)
    shown = {name: DATA / f"{stem}.{name}.txt" for name in signatures.PURPOSES}
    told = {name: path.read_text() for name, path in shown.items() if path.exists()}
    config = signatures.completed(config, told)
    snapshot = Snapshot.of_batches([Batch(resources=[config])], AT)
    found = {}
    for outcome in evaluate(RULES, snapshot, now=AT):
        [(_, found[outcome.rule.id])] = outcome.verdicts()
    return found


def told(rule: str, platform: str) -> tuple[Verdict, Verdict]:
    """The worst of the bad samples, and of the good one."""
    bad = [verdicts(path.stem)[rule] for path in DATA.glob(f"{platform}-ba*.cfg")]
    worst = next((v for v in (FAIL, UNSEEN, PASS) if v in bad), AWAY)
    return worst, verdicts(f"{platform}-good")[rule]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_a_rule_tells_bad_from_good(rule: str, platform: str) -> None:
    bad, good = told(rule, platform)
    known = OUTSIDE.get(rule, {}).get(platform)
    if known is None:
        assert (bad, good) in ((FAIL, PASS), (FAIL, AWAY))
    else:
        assert (bad, good) == known


def test_most_rules_are_told_on_most_platforms() -> None:
    """The table of exceptions must not grow quietly; FRR is a routing suite and tells little."""
    for platform in PLATFORMS[:-1]:
        outside = [rule for rule, where in OUTSIDE.items() if platform in where]
        assert len(RULES) - len(outside) >= LEAST[platform], platform

"""Time, audit, logging, packages, protection."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from collectors.host.packages import apt_upgrades, dnf_security, dnf_updates, read_updates
from collectors.host.processes import Process, Processes, hidden, program_name, running_units
from collectors.host.protection import (
    firewall,
    firewall_families,
    iptables_filters,
    malware_protection,
    mandatory_access_control,
    nft_filters,
)
from collectors.host.reader import Refusal
from collectors.host.services import (
    audit_rules,
    ini_values,
    is_immutable,
    ntp_servers,
    read_audit,
    read_time_sync,
)
from collectors.host.syslog import (
    logrotate_days,
    read_logging,
    rsyslog_includes,
    rsyslog_targets,
    syslog_ng_targets,
)
from inventory.unknown import UNKNOWN

DENIED = {"refused": "denied"}
NOW = datetime(2026, 1, 11, tzinfo=UTC)


def running(*names: str, complete: bool = True) -> Processes:
    return Processes([Process(n, name, ()) for n, name in enumerate(names, 1)], complete=complete)


def test_names_are_matched_at_the_kernels_length() -> None:
    assert running("systemd-timesyn").running("systemd-timesyncd") is True
    assert program_name(b"systemd-timesyn\n", b"/lib/systemd/systemd-timesyncd\0") == "systemd-timesyncd"
    assert program_name(b"sshd\n", b"sshd: ops [priv]\0") == "sshd"
    assert running("a").running("b") is False
    assert running("a", complete=False).running("b") is None


def test_hidepid_hides_from_users_only() -> None:
    mounts = b"proc /proc proc rw,nosuid,hidepid=2 0 0\n"
    assert hidden(mounts, 1000)
    assert hidden(b"proc /proc proc rw,hidepid=invisible 0 0\n", 1000)
    assert not hidden(mounts, 0)
    assert not hidden(b"proc /proc proc rw,relatime 0 0\n", 1000)
    assert not hidden(b"proc /proc proc rw,hidepid=0 0 0\n", 1000)
    assert hidden(Refusal.DENIED, 1000)


def test_hidden_processes_make_services_unknown_unless_systemd_tells(machine) -> None:
    def hide(record: dict) -> None:
        record["files"]["/proc/mounts"] = "proc /proc proc rw,hidepid=2 0 0\n"
        for pid in range(100, 106):
            record["files"].pop(f"/proc/{pid}/comm", None)
        record["commands"]["systemctl list-units --type=service --state=running --no-legend --no-pager --plain"] = [
            0, "chronyd.service loaded active running NTP client/server\n",
        ]  # fmt: skip

    host = machine("kylin-v10-user", hide)["host"].resources[0]
    assert host.time_sync.service == "chronyd"
    assert host.malware_protection is UNKNOWN
    assert host.audit.running is UNKNOWN
    assert host.logging.running is UNKNOWN
    assert running_units(b"junk\na.service x\nb.timer\n") == ["a"]


def test_ntp_servers() -> None:
    assert ntp_servers(b"server 127.127.1.0\nserver a iburst\npool b\npeer 2001:db8::1\n#server c\nserver a\n") == [
        "a", "b", "2001:db8::1",
    ]  # fmt: skip


def test_chrony_sources_of_drop_ins(notebook) -> None:
    files = {
        "/etc/chrony/chrony.conf": "confdir /etc/chrony/conf.d\nsourcedir /etc/chrony/sources.d\npool a\n",
        "/etc/chrony/conf.d/x.conf": "server b\n",
        "/etc/chrony/sources.d/y.sources": "server c\n",
        "/etc/chrony/sources.d/z.txt": "server d\n",
    }
    assert read_time_sync(notebook(files), running("chronyd")).servers == ["a", "b", "c"]
    files["/etc/chrony/conf.d/x.conf"] = DENIED
    assert read_time_sync(notebook(files), running("chronyd")).servers is UNKNOWN


def test_time_service_absent_and_unsynchronized(notebook) -> None:
    none = read_time_sync(notebook({}), running("init"))
    assert (none.running, none.service, none.servers) == (False, None, [])
    assert none.synchronized is UNKNOWN
    tracking = {"chronyc -n tracking": [0, "Leap status     : Not synchronised\n"]}
    assert read_time_sync(notebook({}, commands=tracking), running("chronyd")).synchronized is False


def test_ini_reset() -> None:
    assert ini_values(b"[Time]\nNTP=a b\nNTP=\nNTP=c\n#NTP=d\n", "NTP") == ["c"]


def test_audit(notebook) -> None:
    assert audit_rules(b"-D\n-b 8192\n-w /etc/passwd -p wa\n-a always,exit -S all\n# -w x\n") == 2
    assert is_immutable(b"-e 1\n-e 2\n")
    assert not is_immutable(b"-e 2\n-e 0\n")
    files = {"/etc/audit/rules.d/a.rules": "-w /a\n", "/etc/audit/rules.d/z.rules": "-w /b\n-e 2\n"}
    found = read_audit(notebook(files), running("auditd"))
    assert (found.running, found.rules, found.immutable) == (True, 2, True)
    hidden_rules = read_audit(notebook({"/etc/audit/rules.d/a.rules": DENIED}, user_id=5), running("auditd"))
    assert (hidden_rules.running, hidden_rules.rules, hidden_rules.immutable) == (True, UNKNOWN, UNKNOWN)


def test_rsyslog_targets() -> None:
    text = (
        b"*.* @10.0.0.1:514\nauth.* @@(o)log.example:6514;RSYSLOG_Forward\n*.* :omrelp:relp.example:2514\n"
        b'action(type="omfwd" target="2001:db8::1"\n  port="514" protocol="tcp")\n'
        b'action(type="omfile" file="/var/log/x")\n#*.* @@commented\n$ActionName a@b\n*.info;mail.none /var/log/messages\n'
    )
    assert sorted(rsyslog_targets(text)) == [
        "relp://relp.example:2514", "tcp://2001:db8::1:514", "tcp://log.example:6514", "udp://10.0.0.1:514",
    ]  # fmt: skip
    assert rsyslog_includes(b'$IncludeConfig /etc/a.d/*.conf\ninclude(file="/etc/b.conf" mode="optional")\n') == [
        "/etc/a.d/*.conf", "/etc/b.conf",
    ]  # fmt: skip


def test_syslog_ng_targets() -> None:
    text = b'source s { udp(ip("0.0.0.0")); };\ndestination d { network("10.0.0.2" port(514)); file("/x"); };\ndestination u { udp("10.0.0.3"); };\n'
    assert syslog_ng_targets(text) == ["tcp://10.0.0.2", "udp://10.0.0.3"]


def test_log_forwarding_is_unknown_with_a_shipper_or_a_denied_include(notebook) -> None:
    files = {
        "/etc/rsyslog.conf": "$IncludeConfig /etc/rsyslog.d/*.conf\n",
        "/etc/rsyslog.d/a.conf": "*.* /var/log/a\n",
    }
    assert read_logging(notebook(files), running("rsyslogd")).remote == []
    assert read_logging(notebook(files), running("rsyslogd", "filebeat")).remote is UNKNOWN
    files["/etc/rsyslog.d/a.conf"] = DENIED
    assert read_logging(notebook(files), running("rsyslogd")).remote is UNKNOWN


def test_journald_persistence_and_retention(notebook) -> None:
    def journald(text: str, **more: str):
        files = {"/etc/systemd/journald.conf": text, **more}
        return read_logging(notebook(files), running("systemd-journal"))

    assert journald("[Journal]\nStorage=persistent\nMaxRetentionSec=6month\n").persistent is True
    assert journald("[Journal]\nMaxRetentionSec=180day\n").retention_days == 180
    assert journald("[Journal]\n").persistent is False
    assert journald("[Journal]\n", **{"/var/log/journal/x": ""}).persistent is True
    assert journald("[Journal]\nStorage=volatile\n", **{"/var/log/journal/x": ""}).persistent is False


@pytest.mark.parametrize(
    ("block", "days"),
    [
        ("/var/log/messages {\n}\n", 28),
        ("/var/log/syslog\n{\n daily\n rotate 180\n}\n", 180),
        ('"/var/log/messages" /var/log/secure {\n monthly\n rotate 6\n maxage 60\n}\n', 60),
        ("/var/log/other {\n daily\n rotate 1\n}\n", None),
        ("/var/log/messages {\n size 10M\n rotate 3\n}\n", UNKNOWN),
        ("/var/log/messages {\n rotate -1\n}\n", None),
        ("/var/log/syslog {\n daily\n rotate 5\n}\n/var/log/messages {\n weekly\n rotate 9\n}\n", 5),
    ],
)
def test_logrotate(block: str, days: object) -> None:
    found = logrotate_days([b"weekly\nrotate 4\n", block.encode()])
    assert found is days if days is UNKNOWN else found == days


def test_package_outputs() -> None:
    apt = b"Listing...\na/stable-security 2 amd64 [upgradable from: 1]\nb/jammy-updates,jammy-security 2 all [upgradable from: 1]\nc/stable 2 amd64 [upgradable from: 1]\nWARNING x\n"
    assert apt_upgrades(apt) == (3, 2)
    assert (
        dnf_updates(
            b"\nkernel.x86_64  5.1  base\nkernel.x86_64 5.1 base\nObsoleting Packages\nx.noarch 1 r\n"
        )
        == 1
    )
    assert (
        dnf_security(b"SA-1 Important/Sec. a-1.x86_64\nSA-2 bugfix b-1.x86_64\nSA-3 Low/Sec. a-1.x86_64\n")
        == 1
    )


def test_no_index_is_not_up_to_date(notebook) -> None:
    apt = {"apt -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= list --upgradable": [0, "Listing...\n"]}
    empty = read_updates(notebook({"/usr/bin/apt": "", "/var/lib/apt/lists/lock": ""}, commands=apt), NOW)
    assert (empty.manager, empty.pending, empty.pending_security) == ("apt", UNKNOWN, UNKNOWN)
    assert read_updates(notebook({}), NOW).manager is UNKNOWN
    dnf = notebook({"/usr/bin/dnf": ""}, user_id=1000)
    assert read_updates(dnf, NOW).pending is UNKNOWN
    assert any("root" in note for note in dnf.notes)


def test_index_age(notebook) -> None:
    book = notebook(
        {"/usr/bin/apt": "", "/var/lib/apt/lists/x_security_Packages": ""},
        modified={"/var/lib/apt/lists/partial": NOW.timestamp() - 10 * 86400 - 5},
        commands={
            "apt -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= list --upgradable": [0, "Listing...\n"]
        },
    )
    found = read_updates(book, NOW)
    assert (found.index_age_days, found.pending, found.pending_security) == (10, 0, 0)


def nft(
    chain: str,
    rules: int = 0,
    policy: str = "accept",
    type_: str = "filter",
    hook: str = "input",
    family: str = "ip",
) -> bytes:
    import json

    rows: list[dict] = [
        {
            "chain": {
                "family": family,
                "table": "filter",
                "name": chain,
                "type": type_,
                "hook": hook,
                "policy": policy,
            }
        }
    ]
    rows += [{"rule": {"family": family, "table": "filter", "chain": chain, "expr": []}}] * rules
    return json.dumps({"nftables": rows}).encode()


@pytest.mark.parametrize(
    ("ruleset", "filters"),
    [
        (nft("INPUT"), False),
        (nft("INPUT", 2), True),
        (nft("INPUT", policy="drop"), True),
        (nft("POSTROUTING", 3, type_="nat", hook="postrouting"), False),
        (nft("FORWARD", 3, "drop", hook="forward"), False),
        (b"", None),
        (b"[1]", None),
    ],
)
def test_nft(ruleset: bytes, filters: bool | None) -> None:
    assert nft_filters(ruleset) is filters


def test_iptables() -> None:
    nat = b"*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n*filter\n:INPUT %b [0:0]\n-A FORWARD -j X\nCOMMIT\n"
    assert not iptables_filters(nat % b"ACCEPT")
    assert iptables_filters(nat % b"DROP")
    assert iptables_filters(b"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j DROP\nCOMMIT\n")


def test_firewall_needs_root_and_says_so(notebook) -> None:
    book = notebook({}, user_id=1000)
    assert firewall(book, running("init")) is UNKNOWN
    assert any("root" in note for note in book.notes)
    assert firewall(notebook({}, user_id=1000), running("firewalld")) == "firewalld"
    # without tools nothing is shown, unless the kernel shows that it has no tables either
    assert firewall(notebook({}), running("init")) is UNKNOWN
    assert firewall(notebook({"/proc/modules": "ext4 1 1 - Live 0x0\n"}), running("init")) is None
    rules = {"iptables-save": [0, "*filter\n:INPUT DROP [0:0]\n-A INPUT -j ufw-before-input\nCOMMIT\n"]}
    assert firewall(notebook({}, commands=rules), running("init")) == "ufw"
    assert (
        firewall(notebook({}, commands={"nft -j list ruleset": [0, nft("INPUT").decode()]}), running("init"))
        is None
    )


DROP = [0, "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"]
OPEN = [0, "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"]


@pytest.mark.parametrize(
    ("commands", "found"),
    [
        ({"iptables-save": DROP, "ip6tables-save": OPEN}, ["ipv4"]),
        ({"iptables-save": DROP, "ip6tables-save": DROP}, ["ipv4", "ipv6"]),
        ({"iptables-save": DROP}, UNKNOWN),  # nothing tells of the other family
        ({"nft -j list ruleset": [0, nft("input", 1, family="inet").decode()]}, ["ipv4", "ipv6"]),
        ({"nft -j list ruleset": [0, nft("input", 1, family="ip").decode()]}, ["ipv4"]),
        (
            {"nft -j list ruleset": [0, nft("input", 1, family="ip").decode()], "ip6tables-save": DENIED},
            UNKNOWN,
        ),
        ({"nft -j list ruleset": [0, "nonsense"], "iptables-save": DROP, "ip6tables-save": OPEN}, UNKNOWN),
    ],
)
def test_families_of_the_firewall(notebook, commands: dict[str, object], found: object) -> None:
    told = firewall_families(notebook({}, commands=commands), "some")
    assert (told is UNKNOWN) if found is UNKNOWN else told == found


def test_no_firewall_filters_no_family_and_an_unseen_one_who_knows(notebook) -> None:
    assert firewall_families(notebook({}), None) == []
    assert firewall_families(notebook({}), UNKNOWN) is UNKNOWN


def test_mandatory_access_control(notebook) -> None:
    selinux, apparmor = "/sys/fs/selinux/enforce", "/sys/module/apparmor/parameters/enabled"
    assert mandatory_access_control(notebook({selinux: "1"})) == "selinux:enforcing"
    assert mandatory_access_control(notebook({selinux: "0"})) == "selinux:permissive"
    assert mandatory_access_control(notebook({apparmor: "Y\n"})) == "apparmor"
    assert mandatory_access_control(notebook({apparmor: "N\n", "/sys/kernel/x": ""})) is None
    assert mandatory_access_control(notebook({})) is UNKNOWN  # no /sys
    assert mandatory_access_control(notebook({selinux: DENIED, "/sys/kernel/x": ""})) is UNKNOWN


def test_malware_agents() -> None:
    assert malware_protection(running("clamd", "qaxsafed")) == ["ClamAV", "奇安信天擎"]
    assert malware_protection(running("init")) == []
    assert malware_protection(running("init", complete=False)) is UNKNOWN

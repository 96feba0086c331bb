"""Files are hostile: whatever they hold, the parsers answer and do not raise."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.contract import Run, Source
from collectors.host import (
    Options,
    accounts,
    collect_from,
    network,
    packages,
    pam,
    policy,
    processes,
    protection,
    routes,
    services,
    sockets,
    sshd,
    sudoers,
    syslog,
    system,
)
from collectors.host.recording import RecordedReader

PARSERS: list[Callable[[bytes], Any]] = [
    accounts.passwd_lines, accounts.shadow_lines, accounts.group_members,
    lambda b: accounts.foreign_services(b, "passwd"), sudoers.parse_sudoers, pam.pam_lines, pam.settings,
    policy.login_defs, policy.tmout, policy.umasks, sshd.effective, sshd.statements,
    lambda b: sockets.listening(b, "tcp"), lambda b: sockets.listening(b, "udp"), network.links_of_json,
    network.addresses_of_text, network.addresses_of_if_inet6, network.local_addresses,
    lambda b: routes.routes_of_json(b, "ipv4"), lambda b: routes.routes_of_json(b, "ipv6"),
    routes.routes_of_proc4, routes.routes_of_proc6, services.ntp_servers, services.audit_rules,
    services.is_immutable, lambda b: services.ini_values(b, "NTP"), syslog.rsyslog_targets,
    syslog.rsyslog_includes, syslog.syslog_ng_targets, lambda b: syslog.logrotate_days([b]),
    packages.apt_upgrades, packages.dnf_updates, packages.dnf_security, protection.nft_filters,
    protection.iptables_filters, processes.running_units, lambda b: processes.hidden(b, 5),
    system.os_release, system.colon_table, system.processor_count, lambda b: system.processor(b, b, "x"),
    lambda b: system.host_id(b, "h"),
]  # fmt: skip

WORDS = st.sampled_from(
    [b"root", b":", b"::", b"0", b"99999999999999999999", b"-1", b"x", b"=", b" ", b"\n", b"\\\n", b"\t", b"#", b'"', b"'",
     b"(", b")", b"{", b"}", b"[", b"]", b",", b"%", b"!", b"$6$", b"@", b"@@", b"ALL", b"User_Alias", b"Match",
     b"Include", b"auth", b"password", b"include", b"pam_unix.so", b"minlen=", b"0A", b"0100007F:0016", b"/", b"*",
     b"\xb9\xdc\xc0\xed", b"\xff", b"\0", b"\x0b", b"\xe2\x80\xa8", b"rotate", b"default", b"/32 host LOCAL", b"|-- "]
)  # fmt: skip
TEXT = st.one_of(st.binary(max_size=400), st.lists(WORDS, max_size=60).map(b"".join))
JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from(["default", "::/0", "lo"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from("ifname ifindex flags addr_info local prefixlen dst gateway nexthops via dev metric mtu "
                        "nftables chain rule family table name hook type policy operstate address".split()),
        inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=150)
@given(TEXT)
def test_parsers_never_raise(data: bytes) -> None:
    for parser in PARSERS:
        parser(data)


@settings(max_examples=40)
@given(JSONISH)
def test_json_parsers_never_raise(content: Any) -> None:
    for wrapped in (
        content,
        [content],
        [{"ifname": "a", "ifindex": 1, "addr_info": content}],
        {"nftables": content},
    ):
        data = json.dumps(wrapped).encode()
        network.links_of_json(data)
        routes.routes_of_json(data, "ipv6")
        protection.nft_filters(data)


FILES = sorted(
    "/etc/passwd /etc/shadow /etc/group /etc/sudoers /etc/nsswitch.conf /etc/login.defs /etc/pam.d/passwd "
    "/etc/pam.d/sshd /etc/pam.d/login /etc/security/pwquality.conf /etc/security/faillock.conf /etc/profile "
    "/etc/ssh/sshd_config /etc/os-release /etc/machine-id /proc/cpuinfo /proc/meminfo /proc/uptime /proc/net/tcp "
    "/proc/net/udp /proc/net/route /proc/net/fib_trie /proc/net/if_inet6 /proc/1/comm /proc/1/cmdline /proc/mounts "
    "/proc/sys/kernel/hostname /etc/chrony.conf /etc/rsyslog.conf /etc/logrotate.conf /etc/audit/audit.rules "
    "/sys/fs/selinux/enforce /usr/sbin/sshd /usr/bin/apt /sys/class/net/eth0/ifindex".split()
)
REFUSALS = st.sampled_from(["denied", "unreadable", "not_found"]).map(lambda word: {"refused": word})


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.dictionaries(st.sampled_from(FILES), TEXT | REFUSALS, max_size=len(FILES)), st.sampled_from([0, 1000])
)
def test_a_machine_of_junk_is_accounted_for(files: dict[str, Any], user_id: int) -> None:
    """A collection for each kind, whatever the files hold; the resources survive JSON."""
    import msgspec

    from inventory.kinds import KINDS

    encoded = {
        p: {"base64": base64.b64encode(v).decode()} if isinstance(v, bytes) else v for p, v in files.items()
    }
    record = {"unlisted": "not_found", "user_id": user_id, "files": {"/proc/sys/kernel/x": "", **encoded}}
    source = Source(name="m", type="local", options=Options())
    batches = list(collect_from(RecordedReader(json.dumps(record).encode()), source, Run(source)))
    assert [b.collections[0].kind for b in batches] == [
        "host",
        "account",
        "listener",
        "interface",
        "route",
        "certificate",
    ]
    for batch in batches:
        assert batch.collections[0].count == len(batch.resources)
        assert len({r.uid for r in batch.resources}) == len(batch.resources)
        for resource in batch.resources:
            again = msgspec.json.decode(msgspec.json.encode(resource), type=KINDS[resource.KIND])
            assert msgspec.json.encode(again) == msgspec.json.encode(resource)


UNITS = [
    b"aaaa bbbb=(cccc) : @dddd { umask TMOUT= include * \n", b"include(", b"destination x {", b"action(", b"a=(",
    b'"', b"[", b"User_Alias A = ", b"|-- 1\n", b"!, ", b"@x ", b" ", b"\\\n", b"*filter\n", b"Inst a/b c [", b"\n", b"\t", b" #", b"a", b"1", b".", b"a.", b"/", b"* ", b"$", b"%#", b"=,",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_cost_grows_with_the_size_and_not_its_square(unit: bytes) -> None:
    """16 times the text costs every parser less than 100 times the CPU (its square would be 256)."""
    import time

    for number, parser in enumerate(PARSERS):

        def cost(count: int, parser: Callable[[bytes], Any] = parser) -> float:
            start = time.process_time()
            parser(b"a= " + unit * count + b" x")
            return time.process_time() - start

        assert cost(8000) < 100 * max(cost(500), 0.002), (number, unit)

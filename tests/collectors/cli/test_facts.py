"""What every dialect's reader keeps."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.cli import facts
from inventory.kinds.device_config import DeviceConfig
from inventory.unknown import UNKNOWN

SAMPLES = sorted((Path(__file__).parents[2] / "data" / "cli").glob("*.cfg"))

SMALL = """#
sysname HX-SW1
#
aaa
 local-user ops password irreversible-cipher $1a$abc$
 local-user ops privilege level 15
#
user-interface vty 0 4
 authentication-mode aaa
 protocol inbound ssh
#
return
"""


def config(platform: str, text: str, **told: str) -> DeviceConfig:
    return DeviceConfig(source="s", native_id="1", **facts.read(platform, text, told))


def test_absence_in_a_text_that_broke_off_says_nothing() -> None:
    whole = config("huawei_vrp", SMALL)
    assert whole.complete is True
    assert whole.ntp.servers == []  # type: ignore[union-attr]
    assert whole.telnet.ipv4 is False  # type: ignore[union-attr]
    for cut in (
        config("huawei_vrp", SMALL.replace("return\n", "")),
        config("huawei_vrp", SMALL, partial="yes"),
    ):
        assert cut.complete is False
        assert cut.ntp.servers is UNKNOWN  # type: ignore[union-attr]
        assert cut.telnet.ipv4 is UNKNOWN  # type: ignore[union-attr]
        assert cut.users[0].name == "ops"  # type: ignore[index]


def test_a_platform_that_nobody_reads_tells_nothing() -> None:
    fields = facts.read("other_os", SMALL, {"version": "1"})
    assert fields == {"platform": "other_os", "version": "1", "line_count": 12}
    assert facts.read("huawei_vrp", "", {})["line_count"] == 1


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_a_sample_is_read_whole_and_every_line_number_lies_in_it(path: Path) -> None:
    text = path.read_text()
    read = config(path.stem.rsplit("-", 1)[0], text)
    assert read.complete is True
    assert read.line_count == len(text.rstrip().split("\n"))
    numbers = list(lines_in(msgspec.to_builtins(read)))
    assert numbers
    assert all(1 <= n <= len(text.split("\n")) for n in numbers)


def lines_in(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from inner if key == "lines" else lines_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from lines_in(inner)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_no_secret_comes_out(path: Path) -> None:
    """Everything composed as a secret says so in its text; the bad samples name theirs here."""
    out = msgspec.json.encode(config(path.stem.rsplit("-", 1)[0], path.read_text())).decode()
    for secret in ("composed", "admin@huawei.com", "ZwNet2020", "ZwRead99", "0822455D0A16", "154b092c1b250c54",
                   "zte123", "private", "public", '"super"', "bbb"):  # fmt: skip
        assert secret not in out


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_terminals_line_ends_change_nothing(path: Path) -> None:
    platform, text = path.stem.rsplit("-", 1)[0], path.read_text()
    assert facts.read(platform, text.replace("\n", "\r\n"), {}) == facts.read(platform, text, {})


@settings(max_examples=60)
@given(platform=st.sampled_from(facts.PLATFORMS), seed=st.integers(0, 2**32), source=st.sampled_from(SAMPLES))
def test_no_text_breaks_a_reader(platform: str, seed: int, source: Path) -> None:
    """Lines of one platform given to the reader of another, cut, doubled and torn."""
    draw = random.Random(seed)
    lines = [
        draw.choice(
            (line, line, line[: draw.randrange(len(line) + 1)], line.strip(), " " * draw.randrange(9) + line)
        )
        for line in source.read_text().split("\n")
        if draw.random() > 0.1
    ]
    draw.shuffle(lines) if draw.random() < 0.3 else None
    made = config(platform, "\n".join(lines))
    assert msgspec.json.decode(msgspec.json.encode(made), type=DeviceConfig) == made


def sample(stem: str) -> DeviceConfig:
    return config(stem.rsplit("-", 1)[0], (SAMPLES[0].parent / f"{stem}.cfg").read_text())


@pytest.mark.parametrize(
    ("stem", "line", "interface"),
    [
        ("huawei_vrp-good", ("2001", "2001"), ("3000", "3000")),
        ("hp_comware-good", ("2001", "2001"), ("3000", "3000")),
        ("ruijie_os-good", ("10", "mgmt6"), ("110", "V10")),
        ("zte_zxros-good", ("120", "mgmt6"), ("110", "V10")),
        ("cisco_ios-good", ("10", "MGMT6"), ("VLAN10-IN", "VLAN10-IN6")),
        ("juniper_junos-good", ("PROTECT-RE", "PROTECT-RE6"), ("EDGE-IN", "EDGE-IN6")),
    ],
)
def test_filters_are_told_for_each_family(
    stem: str, line: tuple[str, str], interface: tuple[str, str]
) -> None:
    read = sample(stem)
    vty = [t for t in read.terminals if t.line_type == "vty"]  # type: ignore[union-attr]
    assert {(t.acl_ipv4, t.acl_ipv6) for t in vty} == {line}
    routed = [i for i in read.interfaces if i.ipv6 is True]  # type: ignore[union-attr]
    assert [(i.acl_in_ipv4, i.acl_in_ipv6) for i in routed] == [interface]


@pytest.mark.parametrize(
    "stem", [p.stem for p in SAMPLES if p.stem.endswith("-good") and "frr" not in p.stem]
)
def test_servers_and_policies_come_out_as_written(stem: str) -> None:
    read = sample(stem)
    assert read.logging.servers[0].address == "10.200.1.20"  # type: ignore[union-attr,index]
    assert [(s.address, s.authenticated) for s in read.ntp.servers] == [("10.200.1.8", True)]  # type: ignore[union-attr]
    assert read.aaa.tacacs_servers[0] == "10.200.1.11"  # type: ignore[union-attr,index]
    assert read.aaa.login_methods == ["tacacs", "local"]  # type: ignore[union-attr]
    assert [u.name for u in read.users] == ["yw-zhang", "sj-li"]  # type: ignore[union-attr]
    assert [u.administrator for u in read.users] == [True, False]  # type: ignore[union-attr]
    assert read.password_rules.min_length == 10  # type: ignore[union-attr]
    assert read.password_rules.max_days == 90  # type: ignore[union-attr]
    assert read.lockout.attempts == 5  # type: ignore[union-attr]
    assert read.hostname.startswith("HX-")  # type: ignore[union-attr]
    assert {t.idle_seconds for t in read.terminals} == {300}  # type: ignore[union-attr]
    sessions = {(s.protocol, s.name.lower(), s.authentication) for s in read.routing}  # type: ignore[union-attr]
    assert {s[2] for s in sessions} == {"digest"}
    assert len([s for s in sessions if s[0] == "bgp"]) == 2


def test_a_key_of_ospf_is_found_at_the_area_or_at_the_interface() -> None:
    text = (
        "interface Vlanif1\n ip address 10.0.1.1 255.255.255.0\n#\n"
        "interface Vlanif2\n ip address 10.0.2.1 255.255.255.0\n ospf authentication-mode simple plain x\n#\n"
        "interface Vlanif3\n ip address 10.0.3.1 255.255.255.0\n#\n"
        "interface Vlanif4\n ip address 10.9.4.1 255.255.255.0\n#\n"
        "ospf 1\n silent-interface Vlanif3\n area 0.0.0.0\n  authentication-mode md5 1 cipher x\n"
        "  network 10.0.0.0 0.0.255.255\n#\nreturn\n"
    )
    read = config("huawei_vrp", text)
    found = [(s.name, s.authentication) for s in read.routing]  # type: ignore[union-attr]
    assert found == [("Vlanif1", "digest"), ("Vlanif2", "password")]


def test_passwords_by_how_they_stand() -> None:
    text = (
        "username a password 0 a\nusername b password cisco123\nusername c secret 5 $1$x\n"
        "username d secret 9 $9$x\nusername e password 7 0822\nusername f nopassword\nend\n"
    )
    users = config("cisco_ios", text).users
    assert {u.name: u.password_storage for u in users} == {  # type: ignore[union-attr]
        "a": "plain", "b": "plain", "c": "weak_hash", "d": "hash", "e": "reversible", "f": "none",
    }  # fmt: skip
    assert {u.name for u in users if u.password_guessable is True} == {"a", "b", "f"}  # type: ignore[union-attr]
    assert {u.name for u in users if u.password_guessable is UNKNOWN} == {"c", "d", "e"}  # type: ignore[union-attr]


def test_telnet_is_off_where_no_line_takes_it() -> None:
    listens = "telnet server enable\n#\nuser-interface vty 0 4\n protocol inbound {}\n#\nreturn\n"
    assert config("huawei_vrp", listens.format("ssh")).telnet.ipv4 is False  # type: ignore[union-attr]
    assert config("huawei_vrp", listens.format("all")).telnet.ipv4 is True  # type: ignore[union-attr]
    silent = listens.replace("telnet server enable\n#\n", "").format("all")
    assert config("huawei_vrp", silent).telnet.ipv4 is UNKNOWN  # type: ignore[union-attr]


def test_what_the_session_saw_stands_in_for_algorithms_that_are_not_pinned() -> None:
    told = {"ssh_ciphers": "aes256-ctr,3des-cbc", "ssh_macs": "hmac-sha2-256"}
    open_, pinned = config("cisco_ios", "ip ssh version 2\nend\n", **told), sample("cisco_ios-good")
    assert open_.ssh.ciphers == ["aes256-ctr", "3des-cbc"]  # type: ignore[union-attr]
    assert open_.ssh.algorithms_configured is False  # type: ignore[union-attr]
    assert open_.ssh.key_exchanges is UNKNOWN  # type: ignore[union-attr]
    assert pinned.ssh.algorithms_configured is True  # type: ignore[union-attr]

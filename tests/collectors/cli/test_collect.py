"""From what a device displays to resources, coverage and evidence: the whole way, but for SSH itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.cli import recording
from collectors.cli.platforms import platform_of
from collectors.cli.reading import Answer, Reading, ask_all, judge_configuration
from collectors.cli.sessions import Session
from collectors.contract import Run, Source, collector
from collectors.recordings import Header
from inventory.coverage import Batch, Collection, Status
from inventory.kinds.device_config import DeviceConfig
from inventory.kinds.network import Device, Interface
from inventory.resource import Relation
from inventory.unknown import UNKNOWN

Collected = Callable[..., Batch]
DATA = Path(__file__).parents[2] / "data" / "cli"


@pytest.fixture(scope="module")
def kept() -> dict[tuple[str, ...], Reading]:
    """Readings of devices that nobody has changed: talking takes time."""
    return {}


@pytest.fixture
def collected(
    talk: Callable[..., Session],
    device: Callable[..., Path],
    tmp_path: Path,
    kept: dict[tuple[str, ...], Reading],
) -> Collected:
    """What is handed over for a device of the lab; ``edit`` changes its folder first."""

    def work(name: str = "vrp", *faults: str, edit: Callable[[Path], None] | None = None) -> Batch:
        reading = kept.get((name, *faults)) if edit is None else None
        if reading is None:
            folder = device(name)
            if edit is not None:
                edit(folder)
            session = talk(folder, *faults, platform="auto")
            reading = Reading(target="core", address="10.255.0.1", host_key_verified=True)
            reading.platform, reading.prompt = session.platform.name, session.prompt
            ask_all(session, reading)
            if edit is None:
                kept[name, *faults] = reading
        path = tmp_path / "recording"
        recording.write(path, Header(format=recording.FORMAT, source="net"), [reading], str)
        own = collector("cli").Options(recording=str(path))
        source = Source(name="net", type="cli", labels={"level": "市"}, options=own)
        (batch,) = collector("cli").collect(source, Run(source))
        return batch

    return work


def of(batch: Batch, kind: str) -> Collection:
    return next(c for c in batch.collections if c.kind == kind)


def rows(batch: Batch, kind: type[Any]) -> list[Any]:
    return [r for r in batch.resources if isinstance(r, kind)]


def test_a_vrp_switch(collected: Collected) -> None:
    batch = collected()
    (found,) = rows(batch, Device)
    assert (found.uid, found.name, found.labels) == ("net/device/core", "CORE-SW1", {"level": "市"})
    assert (found.vendor, found.vendor_origin, found.software) == ("Huawei", "domestic", "VRP")
    assert (found.model, found.version, found.role) == ("S5735-L24T4S-A", "V200R020C10SPC500", "switch")
    assert found.uptime_seconds == ((23 * 24 + 5) * 60 + 13) * 60
    assert found.serial is UNKNOWN  # the device does not know that command
    assert found.time_synchronized is True
    assert found.arp_entries == 2
    assert found.nd_entries is UNKNOWN
    assert (found.routes_ipv4, found.routes_ipv6) == (6, UNKNOWN)  # it does not know the second command
    assert found.telnet_enabled is False
    assert found.ssh_host_key_verified is True
    (neighbour,) = found.neighbours
    assert (neighbour.system_name, neighbour.addresses) == ("PROVINCE-CORE", ["10.255.0.254"])
    assert neighbour.local_interface == "GigabitEthernet0/0/1"
    assert of(batch, "device").status is Status.COMPLETE


@pytest.fixture
def firewall() -> Callable[[Path], None]:
    """Makes a firewall of the switch: its configuration, and one of the libraries it tells of."""

    def change(folder: Path) -> None:
        shown = {
            "display_current-configuration": "huawei_vrp-good.cfg",
            "display_version_av-sdb": "huawei_vrp-good.signatures_antivirus.txt",
        }
        for name, source in shown.items():
            (folder / f"{name}.txt").write_text((DATA / source).read_text(encoding="utf-8"))
        device = json.loads((folder / "device.json").read_text()) | {
            "prompt": "<HX-SW-01>",
            "name": "HX-SW-01",
        }
        (folder / "device.json").write_text(json.dumps(device))

    return change


def test_a_firewall_is_asked_for_its_libraries_of_signatures(
    collected: Collected, firewall: Callable[[Path], None]
) -> None:
    batch = collected(edit=firewall)
    (found,) = rows(batch, DeviceConfig)
    assert [(s.library, s.version, s.automatic) for s in found.signatures] == [
        ("antivirus", "2026111001", True),
        ("intrusion_prevention", UNKNOWN, True),  # it does not know that command
    ]
    assert of(batch, "device_config").status is Status.COMPLETE
    evidence = next(e for e in batch.evidence if e.origin == "core display version av-sdb")
    assert b"Issue Time of the Update File : 18:00:00 2026/11/10" in evidence.content
    assert evidence.id in of(batch, "device_config").evidence


def test_a_switch_is_not_asked_for_them(
    talk: Callable[..., Session], device: Callable[..., Path], typed: Callable[[Path], list[str]]
) -> None:
    folder = device("vrp")
    reading = Reading(target="core")
    ask_all(talk(folder), reading)
    assert "display current-configuration" in typed(folder)
    assert not [line for line in typed(folder) if "sdb" in line or "update" in line]
    assert reading.config is not None
    assert reading.config.signatures == []


def test_interfaces_of_a_vrp_switch(collected: Collected) -> None:
    batch = collected()
    found = {i.name: i for i in rows(batch, Interface)}
    assert list(found) == ["GigabitEthernet0/0/1", "GigabitEthernet0/0/2", "Vlanif10", "LoopBack0"]
    first, second, vlan, loopback = found.values()
    assert (first.native_id, first.alias, first.mac) == (
        "core/GigabitEthernet0/0/1",
        "to-province-core",
        "4c:1f:cc:12:34:56",
    )
    assert (first.admin_up, first.oper_up, first.speed_bps) == (True, True, 1_000_000_000)
    assert (second.admin_up, second.oper_up, second.alias) == (False, False, None)
    assert first.addresses == []
    assert vlan.alias == "管理网"
    assert vlan.mtu == 1500
    assert [(a.address, a.prefix_length) for a in vlan.addresses] == [
        ("10.10.0.1", 24),
        ("10.10.1.1", 24),
        ("2001:db8:10::1", 64),
        ("fe80::4e1f:ccff:fe12:3458", None),
    ]
    assert vlan.ipv6_enabled is True
    assert first.ipv6_enabled is UNKNOWN
    assert loopback.loopback is True
    assert vlan.relations == [Relation("part_of", "net/device/core")]
    assert of(batch, "interface").status is Status.COMPLETE


def test_a_comware_switch(collected: Collected) -> None:
    batch = collected("comware")
    (found,) = rows(batch, Device)
    assert (found.vendor, found.software, found.model) == ("H3C", "Comware", "S5560-30S-EI")
    assert (found.version, found.serial) == ("7.1.070, Release 6126P20", "219801A0XXC19A000001")
    assert found.arp_entries == 1
    assert [(n.system_name, n.addresses) for n in found.neighbours] == [("CORE-SW1", ["10.10.0.1"])]
    assert not any(b"Update time" in e.content or b"uptime" in e.content for e in batch.evidence)
    interfaces = {i.name: i for i in rows(batch, Interface)}
    assert list(interfaces) == ["GigabitEthernet1/0/1", "GigabitEthernet1/0/2", "Vlan-interface20"]
    assert interfaces["GigabitEthernet1/0/2"].admin_up is False
    vlan = interfaces["Vlan-interface20"]
    assert (vlan.oper_up, vlan.mac) == (True, "70:ba:ef:01:02:06")
    assert [a.address for a in vlan.addresses] == ["10.20.0.2", "2001:db8:20::2", "fe80::72ba:efff:fe01:206"]


def test_evidence_of_the_configuration_has_its_lines(
    collected: Collected, device: Callable[..., Path]
) -> None:
    batch = collected()
    raw = (device("vrp") / "display_current-configuration.txt").read_text(encoding="utf-8").rstrip("\n")
    (kept,) = [e for e in batch.evidence if e.origin == "core display current-configuration"]
    lines = kept.content.decode().split("\n")
    assert len(lines) == raw.count("\n") + 1
    for raw_line, line in zip(raw.split("\n"), lines, strict=True):
        assert line == raw_line or "******" in line
        assert "Planted" not in line
    assert " local-user admin password irreversible-cipher ******" in lines
    assert "snmp-agent community read cipher ****** mib-view iso acl 2000" in lines
    (config,) = rows(batch, DeviceConfig)
    assert (config.hostname, config.line_count) == ("CORE-SW1", len(lines))
    assert config.relations == [Relation("part_of", "net/device/core")]
    assert of(batch, "device_config").evidence == [kept.id]


def test_what_is_shown_again_is_the_same_evidence(collected: Collected) -> None:
    def later(folder: Path) -> None:
        for path, old, new in (
            ("display_version", "13 minutes", "59 minutes"),
            ("display_interface", "24500 packets", "99999 packets"),
            ("display_interface", "12:00:00", "12:46:00"),
            ("display_lldp_neighbor", ":104s", ":97s"),
            ("display_arp_all", " 15  ", " 12  "),
        ):
            file = folder / f"{path}.txt"
            text = file.read_text(encoding="utf-8")
            assert old in text
            file.write_text(text.replace(old, new), encoding="utf-8")

    assert {e.id for e in collected().evidence} == {e.id for e in collected(edit=later).evidence}


@pytest.mark.parametrize("name", ["vrp", "comware"])
def test_no_secret_comes_out(name: str, collected: Collected, tmp_path: Path) -> None:
    import gzip

    batch = collected(name)
    out = msgspec.json.encode(batch.resources) + msgspec.json.encode(batch.collections)
    out += b"".join(e.content for e in batch.evidence)
    out += gzip.decompress((tmp_path / "recording").read_bytes())
    assert b"Planted" not in out
    assert b"acl 2000" in out or b"line vty" in out


def test_an_account_of_low_level_is_denied_not_shown_empty(collected: Collected) -> None:
    batch = collected("vrp", "low")
    denied = of(batch, "device_config")
    assert denied.status is Status.DENIED
    assert "display current-configuration" in denied.reason
    assert denied.remedy
    assert rows(batch, DeviceConfig) == []
    assert of(batch, "interface").status is Status.COMPLETE
    assert rows(batch, Interface)[0].addresses is UNKNOWN  # only the configuration tells that there is none
    assert rows(batch, Device)[0].telnet_enabled is UNKNOWN


def test_a_device_that_reboots_leaves_a_partial_configuration_and_nothing_for_granted(
    collected: Collected,
) -> None:
    batch = collected("vrp", "reboot")
    config = of(batch, "device_config")
    assert (config.status, config.count) == (Status.PARTIAL, 1)
    assert "中断" in config.reason
    assert of(batch, "interface").status is Status.FAILED
    assert rows(batch, Interface) == []
    assert of(batch, "device").status is Status.PARTIAL
    (found,) = rows(batch, DeviceConfig)
    assert found.hostname == "CORE-SW1"
    assert found.logging.servers is UNKNOWN  # the lines about them did not come any more


def test_a_configuration_without_its_end_is_partial(collected: Collected) -> None:
    def cut(folder: Path) -> None:
        file = folder / "display_current-configuration.txt"
        file.write_text(file.read_text(encoding="utf-8").removesuffix("return\n"), encoding="utf-8")

    config = of(collected(edit=cut), "device_config")
    assert config.status is Status.PARTIAL
    assert "结尾" in config.reason


def test_a_refused_command_is_unsupported_and_never_an_empty_list(collected: Collected) -> None:
    def without(folder: Path) -> None:
        (folder / "display_interface.txt").unlink()
        (folder / "display_lldp_neighbor.txt").unlink()

    batch = collected(edit=without)
    interface = of(batch, "interface")
    assert interface.status is Status.UNSUPPORTED
    assert "Unrecognized command" in interface.reason
    assert rows(batch, Device)[0].neighbours is UNKNOWN


def test_an_output_that_nobody_can_read_has_failed_and_is_no_empty_list(collected: Collected) -> None:
    def odd(folder: Path) -> None:
        (folder / "display_interface.txt").write_text("接口一：正常\n" * 12, encoding="utf-8")

    interface = of(collected(edit=odd), "interface")
    assert interface.status is Status.FAILED
    assert "认不出" in interface.reason
    assert interface.remedy


def test_hostile_text_is_one_harmless_line(collected: Collected) -> None:
    def hostile(folder: Path) -> None:
        file = folder / "display_interface.txt"
        text = file.read_text(encoding="utf-8")
        file.write_text(
            text.replace("to-province-core", "a\u202eb\x01c =cmd password: hunter22"), encoding="utf-8"
        )

    first = rows(collected(edit=hostile), Interface)[0]
    assert first.alias is not None
    assert "hunter22" not in first.alias
    assert first.alias.startswith("a b c")


@pytest.mark.parametrize("faults", [(), ("gbk",)])
def test_chinese_at_the_end_of_a_line_stays_whole(faults: tuple[str, ...], collected: Collected) -> None:
    """In UTF-8 the last character ends with a byte that latin-1 calls a new line, others with a space."""

    def named(folder: Path) -> None:
        for name in ("display_interface", "display_current-configuration"):
            file = folder / f"{name}.txt"
            text = (
                file.read_text(encoding="utf-8")
                .replace("to-province-core", "省内")
                .replace("管理网", "网段栠")
            )
            file.write_text(text, encoding="utf-8")

    batch = collected("vrp", *faults, edit=named)
    found = {i.name: i.alias for i in rows(batch, Interface)}
    assert (found["GigabitEthernet0/0/1"], found["Vlanif10"]) == ("省内", "网段栠")
    (kept,) = [e for e in batch.evidence if e.origin == "core display current-configuration"]
    assert {" description 省内", " description 网段栠"} <= set(kept.content.decode().split("\n"))


@pytest.mark.parametrize(
    ("privilege", "status"),
    [
        ("Current privilege level is 15", Status.COMPLETE),
        ("Current privilege level is 1", Status.PARTIAL),
        ("", Status.PARTIAL),
    ],
)
def test_ios_shows_all_of_its_configuration_to_level_15_alone(
    privilege: str, status: Status, tmp_path: Path
) -> None:
    answers = [
        (
            "version",
            "show version",
            "Cisco IOS Software, C2960 Software, Version 15.2(7)E3, RELEASE SOFTWARE",
        ),
        ("privilege", "show privilege", privilege),
        ("configuration", "show running-config", "hostname SW\n!\nline vty 0 4\n transport input ssh\nend"),
        ("interfaces", "show interfaces", "Vlan1 is administratively down, line protocol is down"),
    ]
    reading = Reading(target="ios", platform="cisco_ios", prompt="SW#")
    for purpose, command, text in answers:
        answer = Answer(purpose=purpose, command=command, text=text)  # type: ignore[arg-type]
        if purpose == "configuration":
            judge_configuration(answer, text, platform_of("cisco_ios"), reading)
        reading.answers.append(answer)
    path = tmp_path / "ios"
    recording.write(path, Header(format=recording.FORMAT, source="net"), [reading], str)
    source = Source(name="net", type="cli", options=collector("cli").Options(recording=str(path)))
    (batch,) = collector("cli").collect(source, Run(source))
    found = of(batch, "device_config")
    assert found.status is status
    assert bool(found.remedy) is (status is Status.PARTIAL)
    (interface,) = rows(batch, Interface)
    assert (interface.admin_up, interface.oper_up) == (False, False)
    assert (interface.addresses == []) if status is Status.COMPLETE else (interface.addresses is UNKNOWN)
    (device,) = rows(batch, Device)
    assert (device.vendor, device.version) == ("Cisco", "15.2(7)E3")

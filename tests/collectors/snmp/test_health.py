"""Health and services: values read off the recordings by hand, and written answers for what they lack."""

from __future__ import annotations

import pytest

from inventory.kinds.network import Device
from inventory.unknown import known, or_none

HEALTH = {
    # recording: CPU %, memory %, hottest °C, power supplies, fans
    "cisco-c3560": (28.0, 29.3, 61.0, 1, 1),  # 22188980 of 22188980 + 53499780
    "cisco-n5000-uk9": (18.0, 29.6, None, 2, 6),
    "dcrs-5980-28t-dc": (19.0, 31.4, None, None, None),
    "dptech-dpx800-a5": (None, None, None, 4, 1),
    "h3c-comware-7-1-075": (24.0, 55.0, 43.0, 12, 2),
    "h3c-e528-2": (None, 55.0, 40.0, 1, 1),
    "huawei-s12704": (41.0, 20.0, 41.0, 2, 4),
    "huawei-s5720": (38.0, 7.0, 42.0, 2, 1),
    "infosec-nsae-6500": (1.0, 33.0, None, None, None),
    "juniper-mx960-12-3r6-6": (29.0, 14.0, 35.0, 4, 26),
    "maipu-sm4200-16gef8ge-ac": (22.0, 32.1, None, None, None),
    "ruijie-s5750-24gt12sfp": (37.0, 50.0, None, None, None),
    "topsec-ngfw4000-uf": (3.0, 33.0, None, None, None),
    "venus-vsos-v0600r0705b20180507": (1.5, 18.8, None, None, None),
    "zte-embsys-cgel": (None, None, None, None, None),
}
SYSTEM = ("1.3.6.1.2.1.1.1.0|4|box", "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.{enterprise}.1")


@pytest.fixture(scope="module")
def found(lab, collect):
    return collect(recording=str(lab / "snmprec"))


@pytest.fixture
def replay(tmp_path, collect):
    def replay(*lines, enterprise=9):
        rows = [*SYSTEM, *lines]
        (tmp_path / "device.snmprec").write_text("\n".join(rows).replace("{enterprise}", str(enterprise)))
        return collect(recording=str(tmp_path))["device"].device

    return replay


@pytest.mark.parametrize("name", HEALTH)
def test_health(found, name):
    device = found[name].device
    parts = [len(p) if known(p) else None for p in (device.power_supplies, device.fans)]
    numbers = [or_none(n) for n in (device.cpu_percent, device.memory_percent, device.temperature_celsius)]
    assert (*numbers, *parts) == HEALTH[name]


def test_processors_and_memory_of_the_agents_own_mibs(found, rows):
    for name in ("nsfocus-ads", "netentsec-ngfw", "sangfor-ad1800-fp2"):
        loads = [int(v) for v in rows(name, "1.3.6.1.2.1.25.3.3.1.2").values()]
        assert found[name].device.cpu_percent == round(sum(loads) / len(loads), 1)
        memory = {i: int(rows(name, "1.3.6.1.4.1.2021.4")[f"{i}.0"]) for i in (5, 6, 14, 15)}
        used = memory[5] - memory[6] - memory[14] - memory[15]
        assert found[name].device.memory_percent == round(100 * used / memory[5], 1)


def test_health_is_volatile_and_not_in_the_evidence(found):
    assert {
        "cpu_percent",
        "memory_percent",
        "temperature_celsius",
        "arp_entries",
        "routes",
    } <= Device.VOLATILE
    assert not {"power_supplies", "fans", "ups_battery_ok", "time_synchronized"} & Device.VOLATILE
    content = b"".join(e.content for e in found["huawei-s5720"].batch.evidence)
    assert b"1.3.6.1.4.1.2011.5.25.31.1.1.1.1.2.67190797 = 3" in content  # the power supply's state
    assert b"1.3.6.1.4.1.2011.5.25.31.1.1.1.1.5.67108873" not in content  # the processor's load
    assert b"1.3.6.1.2.1.4.22.1" not in content


def test_working_and_broken_parts(found, replay):
    assert [(p.name, p.working) for p in found["huawei-s12704"].device.power_supplies] == [
        ("PWR1", True),
        ("PWR2", True),
    ]
    assert not any(known(p.working) for p in found["dptech-dpx800-a5"].device.power_supplies)
    entity = "1.3.6.1.2.1.47.1.1.1.1"
    state = "1.3.6.1.4.1.25506.2.6.1.1.1.1.19"
    device = replay(
        *(f"{entity}.5.{n}|2|6" for n in (1, 2, 3)),
        *(f"{entity}.7.{n}|4|PSU {n}" for n in (1, 2, 3)),
        f"{state}.1|2|2",
        f"{state}.2|2|51",  # psuError
        f"{state}.3|2|4",  # entityAbsent
        enterprise=25506,
    )
    assert [(p.name, p.working) for p in device.power_supplies] == [("PSU 1", True), ("PSU 2", False)]


def test_parts_by_vendors_own_tables(replay):
    huawei = "1.3.6.1.4.1.2011.5.25.31.1.1"
    device = replay(
        *(f"{huawei}.18.1.5.0.{n}|2|{1 if n < 3 else 2}" for n in (1, 2, 3)),
        *(f"{huawei}.18.1.6.0.{n}|2|{n}" for n in (1, 2, 3)),
        enterprise=2011,
    )
    assert [(p.name, p.working) for p in device.power_supplies] == [("PWR 0/1", True), ("PWR 0/2", False)]
    power = "1.3.6.1.4.1.4881.1.1.10.2.1.1.18.1"
    device = replay(
        *(f"{power}.2.{n}|2|{s}" for n, s in ((1, 4), (2, 2), (3, 1))),
        *(f"{power}.3.{n}|4|Power supply {n}" for n in (1, 2, 3)),
        enterprise=4881,
    )
    assert [p.working for p in device.power_supplies] == [True, False]
    cisco = "1.3.6.1.4.1.9.9.13.1.4.1"
    device = replay(f"{cisco}.2.1|4|Fan 1", f"{cisco}.3.1|2|3", f"{cisco}.3.2|2|5")
    assert [(p.name, p.working) for p in device.fans] == [("Fan 1", False)]


def test_sensors(replay):
    sensor = "1.3.6.1.2.1.99.1.1.1"

    def one(index, kind, scale, precision, value, status):
        columns = enumerate((kind, scale, precision, value, status), start=1)
        return [f"{sensor}.{column}.{index}|2|{v}" for column, v in columns]

    device = replay(
        *one(1, 8, 9, 1, 425, 1),
        *one(2, 8, 9, 0, 90, 2),  # unavailable
        *one(3, 10, 9, 0, 99, 1),  # rpm
        *one(4, 8, 8, 0, 41000, 1),  # milli
    )
    assert device.temperature_celsius == 42.5


def test_the_device_s_own_judgement_of_its_temperature(found):
    assert found["cisco-c3560"].device.temperature_ok is False  # warning(2)


def test_batteries(found, replay, rows):
    eaton = found["eaton-93e-80"].device
    assert (eaton.ups_battery_ok, eaton.ups_on_battery, eaton.ups_charge_percent) == (True, False, 100)
    assert eaton.ups_load_percent == max(
        int(v) for v in rows("eaton-93e-80", "1.3.6.1.2.1.33.1.4.4.1.5").values()
    )
    device = replay("1.3.6.1.2.1.33.1.2.1.0|2|3", "1.3.6.1.2.1.33.1.4.1.0|2|5", enterprise=705)
    assert (device.role, device.ups_battery_ok, device.ups_on_battery) == ("ups", False, True)


def test_time_and_logs(found, rows, replay):
    synchronized = {n: o.device.time_synchronized for n, o in found.items()}
    assert {n: v for n, v in synchronized.items() if known(v)} == {
        "h3c-comware-7-1-075": False,  # leap 3, stratum 16
        "h3c-e528-2": True,  # leap 0, stratum 4
        "cisco-n5000-uk9": False,
    }
    [host] = rows("huawei-s5720", "1.3.6.1.4.1.2011.5.25.212.1.2.2.1.2").values()
    assert found["huawei-s5720"].device.log_servers == [host] == ["10.3.9.25"]
    assert found["huawei-s12704"].device.log_servers == []
    assert not known(found["h3c-e528-2"].device.log_servers)
    ntp = "1.3.6.1.4.1.9.9.168.1.1"
    for leap, stratum, told in ((3, 4, False), (0, 16, False), (0, 0, False), (0, 3, True)):
        assert replay(f"{ntp}.1.0|2|{leap}", f"{ntp}.2.0|2|{stratum}").time_synchronized is told
    for mode, told in ((2, False), (6, True)):
        assert replay(f"1.3.6.1.2.1.197.1.2.1.0|2|{mode}").time_synchronized is told


def test_hillstone(replay):
    system = "1.3.6.1.4.1.28557.2.2.1"
    device = replay(
        *(f"{system}.1.0|4|1306412345", f"{system}.2.0|4|Version 5.5 SG6000-M-5.5R8", f"{system}.3.0|2|12"),
        *(f"{system}.4.0|2|2000", f"{system}.5.0|2|500"),
        enterprise=28557,
    )
    assert (device.vendor, device.serial, device.cpu_percent, device.memory_percent) == (
        "Hillstone",
        "1306412345",
        12.0,
        25.0,
    )
    assert device.version == "Version 5.5 SG6000-M-5.5R8"


def test_hostile_values(replay):
    device = replay(
        "1.3.6.1.4.1.9.9.109.1.1.1.1.8.1|66|4000000000",
        "1.3.6.1.4.1.9.9.13.1.3.1.3.1|4|hot",
        "1.3.6.1.2.1.33.1.2.4.0|2|4000",
        "1.3.6.1.2.1.33.1.2.3.0|2|-5",
        "1.0.8802.1.1.2.1.4.1.1.5.1|4|short index",
        "1.3.6.1.2.1.14.10.1.6.1.2|2|8",
        "1.3.6.1.2.1.4.22.1.4.9|2|3",
        "1.3.6.1.2.1.17.7.1.4.5.1.1.7|2|999999",
    )
    for field in "cpu_percent temperature_celsius ups_charge_percent ups_runtime_minutes".split():
        assert not known(getattr(device, field)), field


def test_the_most_of_a_part_is_not_told(replay):
    lines = [
        "1.3.6.1.4.1.9.9.109.1.1.1.1.8.1|66|7",
        "1.3.6.1.4.1.9.9.13.1.4.1.2.1|4|Fan",
        "1.3.6.1.4.1.9.9.13.1.4.1.3.1|2|1",
    ]
    whole = replay(*lines)
    assert (whole.cpu_percent, len(whole.fans)) == (7.0, 1)
    for table in ("cpmCPUTotalTable", "ciscoEnvMonFanStatusTable"):
        lines.append(f'#!walk {{"table": "{table}", "status": "partial", "reason": "读到一半没有应答"}}')
    broken = replay(*lines)
    assert not known(broken.cpu_percent)
    assert not known(broken.fans)
    assert not known(replay(*lines[:3], '#!objects {"reason": "没有应答"}').cpu_percent)

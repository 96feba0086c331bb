"""Health and services: values worked out from the recordings' own rows, and written answers for what they
lack."""

from __future__ import annotations

import pytest

from inventory.kinds.network import Device
from inventory.unknown import known, or_none

ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
POWER, FAN = 6, 7  # entPhysicalClass


class Says:
    """What a recording says, worked out from its rows by OIDs of the MIBs and by nothing of ours."""

    def __init__(self, rows, name):
        self.rows, self.name = rows, name

    def numbers(self, oid):
        rows = self.rows(self.name, f"1.3.6.1.4.1.{oid}")
        # "max=100,wrap=1" tells a simulator to make something up: the device's own value is not there
        return {index: int(value) for index, value in rows.items() if "=" not in value}

    def top(self, oid, most=100):
        """The greatest value of a column that can be one: 0 stands for none as well."""
        return max((float(n) for n in self.numbers(oid).values() if 0 < n <= most), default=None)

    def object(self, oid):
        table, _, instance = oid.rpartition(".")
        return self.numbers(table)[instance]

    def share(self, used, rest):
        """Used of used and free."""
        return round(100 * used / (used + rest), 1)

    def parts(self, kind):
        """Indexes of ENTITY-MIB of a class."""
        classes = self.rows(self.name, f"{ENTITY}.5")
        return {index for index, value in classes.items() if int(value) == kind}

    def there(self, kind, state, *absent):
        """How many parts of a class are not absent by the state in another table."""
        states = self.numbers(state)
        return sum(states.get(index) not in absent for index in self.parts(kind))

    def percent(self, oid):
        text = self.rows(self.name, f"1.3.6.1.4.1.{oid.rpartition('.')[0]}")[oid.rpartition(".")[2]]
        return round(float(text.split(":")[1].strip(" %\r\n")), 1)

    def loads(self):
        """hrProcessorLoad, the mean of all cores."""
        found = [int(v) for v in self.rows(self.name, "1.3.6.1.2.1.25.3.3.1.2").values()]
        return round(sum(found) / len(found), 1)

    def ucd(self):
        """UCD-SNMP-MIB: memTotalReal 5, memAvailReal 6, memBuffer 14, memCached 15."""
        total, free, buffers, cached = (self.object(f"2021.4.{n}.0") for n in (5, 6, 14, 15))
        return round(100 * (total - free - buffers - cached) / total, 1)


def _cisco(says):
    """CISCO-PROCESS-MIB cpmCPUTotal5minRev, CISCO-MEMORY-POOL-MIB pool 1, CISCO-ENVMON-MIB."""
    return (
        says.top("9.9.109.1.1.1.1.8"),
        says.share(says.object("9.9.48.1.1.1.5.1"), says.object("9.9.48.1.1.1.6.1")),
        says.top("9.9.13.1.3.1.3", 149),
        *(sum(n != 5 for n in says.numbers(f"9.9.13.1.{t}.1.3").values()) for t in (5, 4)),
    )


def _nexus(says):
    """cpmCPUMemoryUsed and …Free; parts of ENTITY-MIB."""
    used, free = says.numbers("9.9.109.1.1.1.1.12"), says.numbers("9.9.109.1.1.1.1.13")
    memory = max(says.share(used[index], free[index]) for index in used)
    return says.top("9.9.109.1.1.1.1.8"), memory, None, len(says.parts(POWER)), len(says.parts(FAN))


def _h3c(says):
    """HH3C-ENTITY-EXT-MIB: CPU 6, memory 8, temperature 12, error status 19 (notSupported 1, absent 4)."""
    entry = "25506.2.6.1.1.1.1"
    parts = (says.there(kind, f"{entry}.19", 1, 4) for kind in (POWER, FAN))
    return says.top(f"{entry}.6"), says.top(f"{entry}.8"), says.top(f"{entry}.12", 149), *parts


def _huawei(says):
    """HUAWEI-ENTITY-EXTENT-MIB: CPU 5, memory 7, temperature 11, operating state 2 (offline 4); fans that
    are present(1). Power supplies are modules named PWR or POWER Card."""
    entry = "2011.5.25.31.1.1.1.1"
    names = says.rows(says.name, f"{ENTITY}.7")
    states = says.numbers(f"{entry}.2")
    supplies = {i for i, n in names.items() if n.upper().startswith(("PWR", "POWER")) and states.get(i) != 4}
    fans = sum(n == 1 for n in says.numbers("2011.5.25.31.1.1.10.1.6").values())
    return says.top(f"{entry}.5"), says.top(f"{entry}.7"), says.top(f"{entry}.11", 149), len(supplies), fans


def _juniper(says):
    """JUNIPER-MIB jnxOperatingTable: CPU 8, buffer 11, temperature 7, state 6; containers 2 and 4."""
    entry = "2636.3.1.13.1"
    states = list(says.numbers(f"{entry}.6"))
    parts = (sum(index.startswith(f"{container}.") for index in states) for container in (2, 4))
    return says.top(f"{entry}.8"), says.top(f"{entry}.11"), says.top(f"{entry}.7", 149), *parts


def _size_and_busy(entry):
    """Digital China and Maipu: CPU 10, size of the memory 6, what is busy of it 7."""

    def health(says):
        memory = round(100 * says.object(f"{entry}.7.0") / says.object(f"{entry}.6.0"), 1)
        return float(says.object(f"{entry}.10.0")), memory, None, None, None

    return health


HEALTH = {
    # recording: CPU %, memory %, hottest °C, power supplies, fans
    "cisco-c3560": _cisco,
    "cisco-n5000-uk9": _nexus,
    "dcrs-5980-28t-dc": _size_and_busy("6339.100.1.11"),
    "dptech-dpx800-a5": lambda says: (None, None, None, len(says.parts(POWER)), len(says.parts(FAN))),
    "h3c-comware-7-1-075": _h3c,
    "h3c-e528-2": _h3c,
    "huawei-s12704": _huawei,
    "huawei-s5720": _huawei,
    "infosec-nsae-6500": lambda says: (says.loads(), says.ucd(), None, None, None),
    "netentsec-ngfw": lambda says: (says.loads(), says.ucd(), None, None, None),
    "nsfocus-ads": lambda says: (says.loads(), says.ucd(), None, None, None),
    "sangfor-ad1800-fp2": lambda says: (says.loads(), says.ucd(), None, None, None),
    "juniper-mx960-12-3r6-6": _juniper,
    "maipu-sm4200-16gef8ge-ac": _size_and_busy("5651.6.7.2.100.1.11"),
    "ruijie-s5750-24gt12sfp": lambda says: (  # ruijieCPUUtilization5Min, ruijieMemoryPoolCurrentUtilization
        float(says.object("4881.1.1.10.2.36.1.1.3.0")),
        says.top("4881.1.1.10.2.35.1.1.1.3"),
        *(None, None, None),
    ),
    "topsec-ngfw4000-uf": lambda says: (
        *(float(says.object(f"14331.5.5.1.4.{n}.0")) for n in (5, 6)),
        *(None, None, None),
    ),
    "venus-vsos-v0600r0705b20180507": lambda says: (  # "cpu-usage: 1.5%"
        *(says.percent(f"15227.1.3.1.1.{n}.0") for n in (1, 2)),
        *(None, None, None),
    ),
    "zte-embsys-cgel": lambda says: (None,) * 5,
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
def test_health(found, rows, name):
    device = found[name].device
    parts = [len(p) if known(p) else None for p in (device.power_supplies, device.fans)]
    numbers = [or_none(n) for n in (device.cpu_percent, device.memory_percent, device.temperature_celsius)]
    assert (*numbers, *parts) == HEALTH[name](Says(rows, name))


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


def test_log_hosts_of_h3c(replay):
    """HH3C-INFOCENTER-MIB: hh3cICMaxLoghost, hh3cICLoghostIpaddressType 2, hh3cICLoghostIpaddress 3."""
    most, entry = "1.3.6.1.4.1.25506.2.119.2.1.1.0", "1.3.6.1.4.1.25506.2.119.2.2.1"
    lines = [
        f"{most}|66|4",
        *(f"{entry}.2.{n}|2|{kind}" for n, kind in ((1, 1), (2, 2), (3, 16))),
        f"{entry}.3.1|4x|0a030919",
        f"{entry}.3.2|4x|20010db8000000000000000000000001",
        f"{entry}.3.3|4|log.example",
    ]
    told = replay(*lines, enterprise=25506).log_servers
    assert told == ["10.3.9.25", "2001:db8::1", "log.example"]
    assert replay(lines[0], enterprise=25506).log_servers == []
    assert not known(replay(enterprise=25506).log_servers)
    mark = '#!walk {"table": "hh3cICLoghostTable", "status": "partial", "reason": "没有应答"}'
    assert not known(replay(*lines, mark, enterprise=25506).log_servers)


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

"""How a device is: processor, memory, temperature, power supplies, fans, battery. Pure functions over the
answers; numbers are volatile, whether a part works is not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from collectors.snmp import tables as t
from collectors.snmp import vendor_tables as v
from collectors.snmp.engines import Oid, Value
from collectors.snmp.reading import Answers
from collectors.snmp.tables import Table
from collectors.snmp.texts import first_number, number, percent, percent_of, text_of
from inventory.kinds.network import Device, DevicePart
from inventory.unknown import UNKNOWN, Maybe

_HOTTEST = 150  # °C; 65535 and the like stand for "no sensor"
_SENSOR_CELSIUS, _SENSOR_OK = 8, 1  # entPhySensorType celsius(8), entPhySensorOperStatus ok(1)
_SENSOR_UNITS = 9  # entPhySensorScale units(9), a step is a factor of 1000
_CISCO_ABSENT = (5,)  # CiscoEnvMonState notPresent(5)
_CISCO_NORMAL = 1
_JUNIPER_POWER, _JUNIPER_FANS = 2, 4  # jnxContentsContainerIndex of the recorded chassis
_JUNIPER_WORKS = (2, 3, 5, 7)  # running, ready, runningAtFullSpeed, standby
_RUIJIE_ABSENT, _RUIJIE_NORMAL = (1,), 4  # noexist(1), existnopower(2), existreadypower(3), normal(4)
_POWER_CARD = re.compile(r"^(?:POWER|PWR)\b", re.IGNORECASE)
_FAN_CARD = re.compile(r"^FAN\b", re.IGNORECASE)
_BATTERY_FINE, _BATTERY_BAD = 2, (3, 4)  # upsBatteryStatus normal, low, depleted
_ON_BATTERY = 5  # upsOutputSource


_MEASURED = (  # the most of a part of them would be too little
    *(t.PROCESSORS, t.SENSORS, v.CISCO_CPU, v.CISCO_MEMORY, v.CISCO_TEMPERATURES),
    *(v.JUNIPER_PARTS, v.RUIJIE_MEMORY),
)


def set_health(device: Device, answers: Answers) -> None:
    """Set the fields of a device that tell how it is."""
    if not answers.unread and all(answers.whole(x) for x in _MEASURED if x.name in answers.walks):
        device.cpu_percent = _most(_processors(answers))
        device.memory_percent = _most(_memories(answers))
        device.temperature_celsius = _most(_temperatures(answers))
    device.temperature_ok = _temperature_ok(answers)
    device.power_supplies = _parts(_supplies(answers))
    device.fans = _parts(_fans(answers))
    _set_ups(device, answers)


def _most(values: Iterator[float]) -> Maybe[float]:
    found = list(values)
    return max(found) if found else UNKNOWN


def _parts(found: Iterator[DevicePart]) -> Maybe[list[DevicePart]]:
    parts = sorted(found, key=lambda part: str(part.name))
    return parts or UNKNOWN


def _shares(values: Iterator[Value]) -> Iterator[float]:
    for value in values:
        share = percent(value)
        if share is not None:
            yield share


def _object(answers: Answers, *oids: Oid) -> Iterator[Value]:
    return (answers.objects.get(oid) for oid in oids)


def _used(used: Value, size: Value) -> Iterator[float]:
    if isinstance(used, int) and isinstance(size, int) and 0 <= used <= size and size > 0:
        share = percent_of(100 * used / size)
        if share is not None:
            yield share


def _entity(answers: Answers, column: str) -> Iterator[tuple[Oid, Value]]:
    """(entPhysicalIndex, value) of a column of the vendor's tables by entity. A zero stands for "has
    none" as well, so those are left out where any other is there."""
    for entity in answers.asked.entities:
        wanted = (*entity.entry, getattr(entity, column))
        if wanted[-1]:
            size = len(wanted)
            yield from ((oid[size:], value) for oid, value in answers.parts.items() if oid[:size] == wanted)


def _processors(answers: Answers) -> Iterator[float]:
    yield from _shares(value for _, value in _entity(answers, "cpu") if value)
    yield from _shares(iter(answers.column(v.CISCO_CPU, 8).values()))
    yield from _shares(value for value in answers.column(v.JUNIPER_PARTS, 8).values() if value)
    yield from _shares(
        _object(
            answers,
            *(v.RUIJIE_CPU, v.DCN_HEALTH[0], v.MAIPU_HEALTH[0]),
            *(v.TOPSEC_HEALTH[0], v.VENUS_HEALTH[0], v.HILLSTONE_HEALTH[0]),
        )
    )
    if loads := list(_shares(iter(answers.column(t.PROCESSORS, 2).values()))):
        yield round(sum(loads) / len(loads), 1)  # hrProcessorLoad: one row a core


def _memories(answers: Answers) -> Iterator[float]:
    yield from _shares(value for _, value in _entity(answers, "memory") if value)
    yield from _shares(value for value in answers.column(v.JUNIPER_PARTS, 11).values() if value)
    yield from _shares(iter(answers.column(v.RUIJIE_MEMORY, 3).values()))
    yield from _shares(_object(answers, v.TOPSEC_HEALTH[1], v.VENUS_HEALTH[1]))
    for used, free in ((v.CISCO_MEMORY, (5, 6)), (v.CISCO_CPU, (12, 13))):
        columns = answers.columns(used)
        for index, value in columns.get(free[0], {}).items():
            other = columns.get(free[1], {}).get(index)
            if isinstance(value, int) and isinstance(other, int) and (used is v.CISCO_CPU or index == (1,)):
                yield from _used(value, value + other)
    for _, size, busy in (v.DCN_HEALTH, v.MAIPU_HEALTH, v.HILLSTONE_HEALTH):
        if size in answers.objects and busy in answers.objects:
            yield from _used(answers.objects[busy], answers.objects[size])
    total, free_now, buffers, cached = _object(answers, *t.UCD_MEMORY)
    if isinstance(total, int) and isinstance(free_now, int):
        caches = sum(value for value in (buffers, cached) if isinstance(value, int))
        yield from _used(total - free_now - caches, total)


def _temperatures(answers: Answers) -> Iterator[float]:
    readings: list[Value] = [value for _, value in _entity(answers, "temperature")]
    readings += answers.column(v.CISCO_TEMPERATURES, 3).values()
    readings += answers.column(v.JUNIPER_PARTS, 7).values()
    readings.append(answers.objects.get(v.RUIJIE_TEMPERATURE))
    for value in readings:
        if isinstance(value, int) and 0 < value < _HOTTEST:
            yield float(value)
    yield from _sensors(answers)


def _sensors(answers: Answers) -> Iterator[float]:
    """Celsius sensors of ENTITY-SENSOR-MIB that work."""
    columns = answers.columns(t.SENSORS)
    for index, value in columns.get(4, {}).items():
        kind, scale, precision, status = (columns.get(n, {}).get(index) for n in (1, 2, 3, 5))
        if kind != _SENSOR_CELSIUS or status != _SENSOR_OK or not isinstance(value, int):
            continue
        if isinstance(scale, int) and isinstance(precision, int) and abs(precision) <= 9 and 1 <= scale <= 17:
            celsius = value * 10.0 ** (3 * (scale - _SENSOR_UNITS) - precision)
            if 0 < celsius < _HOTTEST:
                yield round(celsius, 1)


def _temperature_ok(answers: Answers) -> Maybe[bool]:
    states = [s for s in answers.column(v.CISCO_TEMPERATURES, 6).values() if s not in _CISCO_ABSENT]
    if not states or not answers.whole(v.CISCO_TEMPERATURES):
        return UNKNOWN
    return all(state == _CISCO_NORMAL for state in states)


def _supplies(answers: Answers) -> Iterator[DevicePart]:
    yield from _cisco(answers, v.CISCO_POWER)
    yield from _juniper(answers, _JUNIPER_POWER)
    yield from _numbered(answers, v.HUAWEI_POWER, 5, 6, "PWR")
    yield from _ruijie(answers)
    if not any(answers.rows(table) for table in (v.CISCO_POWER, v.HUAWEI_POWER)):
        yield from _entities(answers, t.ENTITY_POWER, _POWER_CARD)


def _fans(answers: Answers) -> Iterator[DevicePart]:
    yield from _cisco(answers, v.CISCO_FANS)
    yield from _juniper(answers, _JUNIPER_FANS)
    yield from _numbered(answers, v.HUAWEI_FANS, 6, 7, "FAN")
    if not any(answers.rows(table) for table in (v.CISCO_FANS, v.HUAWEI_FANS)):
        yield from _entities(answers, t.ENTITY_FAN, _FAN_CARD)


def _cisco(answers: Answers, table: Table) -> Iterator[DevicePart]:
    if not answers.whole(table):
        return
    names = answers.column(table, 2)
    for index, state in answers.column(table, 3).items():
        if state not in _CISCO_ABSENT and isinstance(state, int):
            name = text_of(names.get(index)) or str(index[-1])
            yield DevicePart(name=name, working=state == _CISCO_NORMAL)


def _juniper(answers: Answers, container: int) -> Iterator[DevicePart]:
    if not answers.whole(v.JUNIPER_PARTS):
        return
    names = answers.column(v.JUNIPER_PARTS, 5)
    for index, state in answers.column(v.JUNIPER_PARTS, 6).items():
        if index[0] == container and isinstance(state, int):
            name = text_of(names.get(index)) or ".".join(map(str, index))
            yield DevicePart(name=name, working=state in _JUNIPER_WORKS)


def _numbered(answers: Answers, table: Table, present: int, state: int, word: str) -> Iterator[DevicePart]:
    """Huawei's fans and power supplies, by slot and number: present(1), normal or supplying(1)."""
    if not answers.whole(table):
        return
    states = answers.column(table, state)
    for index, there in answers.column(table, present).items():
        if there == 1:
            name = f"{word} {'/'.join(map(str, index))}"
            works = states.get(index)
            yield DevicePart(name=name, working=works == 1 if isinstance(works, int) else UNKNOWN)


def _ruijie(answers: Answers) -> Iterator[DevicePart]:
    if not answers.whole(v.RUIJIE_POWER):
        return
    names = answers.column(v.RUIJIE_POWER, 3)
    for index, state in answers.column(v.RUIJIE_POWER, 2).items():
        if isinstance(state, int) and state not in _RUIJIE_ABSENT:
            name = text_of(names.get(index)) or str(index[-1])
            yield DevicePart(name=name, working=state == _RUIJIE_NORMAL)


def _entities(answers: Answers, kind: int, named: re.Pattern[str]) -> Iterator[DevicePart]:
    """Parts of ENTITY-MIB: by their class, or, as Huawei's boxes do it, modules by their name."""
    if answers.unread or not answers.whole(t.ENTITY_CLASS):
        return
    states = dict(_entity(answers, "state"))
    classes = answers.column(t.ENTITY_CLASS, t.ENTITY_CLASS.columns[0][0])
    name_entry = (*t.ENTITY_CLASS.entry, t.ENTITY_NAME)
    for oid, value in answers.parts.items():
        index = oid[len(name_entry) :]
        if oid[: len(name_entry)] != name_entry:
            continue
        name = text_of(value) or f"entity {index[-1] if index else ''}"
        if classes.get(index) != kind and not (classes.get(index) == t.ENTITY_MODULE and named.match(name)):
            continue
        state = states.get(index)
        if not any(state in entity.absent for entity in answers.asked.entities):
            yield DevicePart(name=name, working=_works(answers, state))


def _works(answers: Answers, state: Value) -> Maybe[bool]:
    if not isinstance(state, int):
        return UNKNOWN
    return any(state in entity.working for entity in answers.asked.entities)


def _set_ups(device: Device, answers: Answers) -> None:
    """UPS-MIB, RFC 1628."""
    battery, source, minutes, charge = (
        answers.objects.get(oid) for oid in (t.UPS_BATTERY_STATUS, t.UPS_SOURCE, t.UPS_MINUTES, t.UPS_CHARGE)
    )
    if battery == _BATTERY_FINE:
        device.ups_battery_ok = True
    elif battery in _BATTERY_BAD:
        device.ups_battery_ok = False
    if isinstance(source, int) and source > 1:  # other(1)
        device.ups_on_battery = source == _ON_BATTERY
    device.ups_runtime_minutes = number(minutes)
    share = first_number(charge)
    device.ups_charge_percent = share if isinstance(share, int) and share <= 100 else UNKNOWN
    loads = [v for v in answers.column(t.UPS_OUTPUT, 5).values() if isinstance(v, int) and 0 <= v <= 300]
    device.ups_load_percent = max(loads) if loads else UNKNOWN

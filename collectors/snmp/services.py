"""What a device tells of its own time and logs."""

from __future__ import annotations

from collectors.snmp import tables as t
from collectors.snmp import vendor_tables as v
from collectors.snmp.reading import Answers
from collectors.snmp.texts import text_of
from inventory.kinds.network import Device
from inventory.unknown import UNKNOWN, Maybe

_NTP_UNSYNCHRONIZED, _NTP_SYNCHRONIZED = (1, 2, 3), (4, 5, 6)  # ntpEntStatusCurrentMode, RFC 5907
_LEAP_ALARM, _LAST_STRATUM = 3, 16  # leap indicator and stratum of a clock that is not set (RFC 5905)


def set_services(device: Device, answers: Answers) -> None:
    """Set time and log fields."""
    device.time_synchronized = _synchronized(answers)
    device.log_servers = _log_servers(answers)


def _synchronized(answers: Answers) -> Maybe[bool]:
    mode = answers.objects.get(t.NTP_MODE)
    if mode in _NTP_SYNCHRONIZED:
        return True
    if mode in _NTP_UNSYNCHRONIZED:
        return False
    for leap_oid, stratum_oid in (v.H3C_NTP, v.CISCO_NTP):
        leap, stratum = answers.objects.get(leap_oid), answers.objects.get(stratum_oid)
        if isinstance(leap, int) and isinstance(stratum, int):
            return leap != _LEAP_ALARM and 0 < stratum < _LAST_STRATUM
    return UNKNOWN


def _log_servers(answers: Answers) -> Maybe[list[str]]:
    """Huawei's log hosts. None is told by an empty table where the information centre itself is shown."""
    hosts = answers.column(v.HUAWEI_LOG_HOSTS, 2)
    if not answers.whole(v.HUAWEI_LOG_HOSTS) or (not hosts and v.HUAWEI_LOG_ON not in answers.objects):
        return UNKNOWN
    return sorted({text for value in hosts.values() if (text := text_of(value))})

"""What a device tells of its own time and logs."""

from __future__ import annotations

from collectors.snmp import tables as t
from collectors.snmp import vendor_tables as v
from collectors.snmp.reading import Answers
from collectors.snmp.texts import address_text, text_of
from inventory.kinds.network import Device
from inventory.unknown import UNKNOWN, Maybe

_NTP_UNSYNCHRONIZED, _NTP_SYNCHRONIZED = (1, 2, 3), (4, 5, 6)  # ntpEntStatusCurrentMode, RFC 5907
_LEAP_ALARM, _LAST_STRATUM = 3, 16  # leap indicator and stratum of a clock that is not set (RFC 5905)

_LOG_HOSTS = (v.HUAWEI_LOG_HOSTS, v.H3C_LOG_HOSTS)
_DNS = 16  # InetAddressType


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
    """Log hosts of Huawei and H3C. None is told by an empty table where the information centre itself is
    shown."""
    if not answers.whole(*(table for table in _LOG_HOSTS if table.name in answers.walks)):
        return UNKNOWN
    found = {text_of(value) for value in answers.column(v.HUAWEI_LOG_HOSTS, 2).values()}
    kinds = answers.column(v.H3C_LOG_HOSTS, 2)
    for index, value in answers.column(v.H3C_LOG_HOSTS, 3).items():
        is_name = kinds.get(index) == _DNS
        found.add(
            text_of(value) if is_name else address_text(tuple(value)) if isinstance(value, bytes) else None
        )
    if not found and not any(oid in answers.objects for oid in (v.HUAWEI_LOG_ON, v.H3C_MOST_LOG_HOSTS)):
        return UNKNOWN
    return sorted(text for text in found if text)

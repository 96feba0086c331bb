"""信创 marks and address classes."""

from __future__ import annotations

import pytest

from inventory.kinds.address import address_of
from inventory.origin import cpu_origin, os_origin, vendor_origin


@pytest.mark.parametrize(
    ("vendor", "model", "architecture", "expected"),
    [
        ("HiSilicon", "Kunpeng-920", "aarch64", "domestic"),
        ("0x48", "0xd01", "aarch64", "domestic"),
        ("Phytium", "FT-2000+/64", "aarch64", "domestic"),
        ("HygonGenuine", "Hygon C86 7285 32-core Processor", "x86_64", "domestic"),
        ("CentaurHauls", "ZHAOXIN KaiSheng KH-37800D", "x86_64", "domestic"),
        ("  Shanghai  ", "", "x86_64", "domestic"),
        ("", "Loongson-3A5000", "", "domestic"),
        ("", "", "loongarch64", "domestic"),
        ("", "", "sw_64", "domestic"),
        ("GenuineIntel", "Intel(R) Xeon(R) Gold 6330", "x86_64", "foreign"),
        ("AuthenticAMD", "AMD EPYC 7763", "x86_64", "foreign"),
        ("Intel", "Icelake-Server", "x86_64", "foreign"),
        ("Ampere", "Altra", "aarch64", "foreign"),
        ("CentaurHauls", "VIA Nano", "x86_64", "unidentified"),
        ("ARM", "Cortex-A72", "aarch64", "unidentified"),
        ("", "", "", "unidentified"),
    ],
)
def test_cpu(vendor: str, model: str, architecture: str, expected: str) -> None:
    assert cpu_origin(vendor, model, architecture) == expected


@pytest.mark.parametrize(
    ("os_id", "expected"),
    [
        ("kylin", "domestic"),
        (" openEuler ", "domestic"),
        ("uos", "domestic"),
        ("debian", "foreign"),
        ("Rocky", "foreign"),
        ("mysterix", "unidentified"),
        ("", "unidentified"),
    ],
)
def test_os(os_id: str, expected: str) -> None:
    assert os_origin(os_id) == expected


@pytest.mark.parametrize(
    ("enterprise", "expected"),
    [
        (2011, ("Huawei", "domestic")),
        (25506, ("H3C", "domestic")),
        (9, ("Cisco", "foreign")),
        (8072, (None, "unidentified")),  # net-snmp names the agent, not the maker
        (999_999, (None, "unidentified")),
    ],
)
def test_vendor(enterprise: int, expected: tuple[str | None, str]) -> None:
    assert vendor_origin(enterprise) == expected


@pytest.mark.parametrize(
    ("text", "address", "family", "scope"),
    [
        ("10.0.0.1", "10.0.0.1", "ipv4", "private"),
        ("100.64.0.1", "100.64.0.1", "ipv4", "private"),
        ("8.8.8.8", "8.8.8.8", "ipv4", "global"),
        ("127.0.0.1", "127.0.0.1", "ipv4", "host"),
        ("169.254.1.1", "169.254.1.1", "ipv4", "link"),
        ("::1", "::1", "ipv6", "host"),
        ("FE80::1%eth0", "fe80::1", "ipv6", "link"),
        ("fd00:0:0::9", "fd00::9", "ipv6", "unique_local"),
        ("240e::1", "240e::1", "ipv6", "global"),
        ("2001:db8::1", "2001:db8::1", "ipv6", "private"),
    ],
)
def test_address(text: str, address: str, family: str, scope: str) -> None:
    parsed = address_of(text, 7)
    assert (parsed.address, parsed.family, parsed.scope, parsed.prefix_length) == (address, family, scope, 7)


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.1/24", "::g", "核心"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|IPv"):
        address_of(text)

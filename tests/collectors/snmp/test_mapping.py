"""From recorded answers to resources: literal values of real devices, and hostile ones."""

from __future__ import annotations

import pytest

from collectors.snmp import mapping
from collectors.snmp.texts import text_of
from inventory.coverage import Status
from inventory.kinds.address import Address
from inventory.unknown import UNKNOWN, known, or_none

RECORDED = {
    # recording: vendor, origin, role, model, software, version, serial
    "apc-8641": ("APC", "foreign", "other", "AP8641", "AOS", "v6.7.2", "5A26833B4526"),
    "cisco-c3560": ("Cisco", "foreign", "switch", "WS-C3560G-48TS-E", "IOS", "12.2(55)SE3", "FOC1408Z61U"),
    "cisco-n5000-uk9": ("Cisco", "foreign", "switch", "N5K-C5548UP", "NX-OS", "6.0(2)N2(3)", "SSI183706KP"),
    "dcrs-5980-28t-dc": (
        "Digital China", "domestic", "switch",
        "DCRS-5980-28T-DC", None, "7.0.3.1(B0232.0031)", "GOSWE120F327000001"),
    "dptech-dpx800-a5": (
        "DPtech", "domestic", None,
        "DPX8000-A5", "ConPlat", "V100R004B01D007P02PATCH03", "02010037P183000022"),
    "eaton-93e-80": ("Eaton", "foreign", "ups", "EATON 93E 80", None, "INV: 2.08.0011", None),
    "h3c-comware-7-1-075": (
        "H3C", "domestic", "router",
        "SR8808-X", "Comware", "7.1.075, Release 7751P01", "210235A0YVX18A00000B"),
    "h3c-e528-2": (
        "H3C", "domestic", "switch", "E528", "Comware", "5.20, Release 1513P62", "210235A0GKC158000929"),
    "huawei-gse200m": ("Huawei", "domestic", "ups", "UPS5000", None, "V100R001C10B003SP00", None),
    "huawei-s12704": (
        "Huawei", "domestic", "switch", "S12704", None, "V200R012C00SPC500", "2102114480P0J7000105"),
    "huawei-s5720": (
        "Huawei", "domestic", "switch",
        "S5720-36C-EI-AC", "VRP", "V200R007C00SPC500", "210235956210F7000410"),
    "infosec-nsae-6500": ("Infosec", "domestic", "security", "NSAE 6500", None, "8.4.0.8", None),
    "juniper-mx960-12-3r6-6": ("Juniper", "foreign", "router", "mx960", "Junos", "12.3R6.6", "JN11FCEC5AFA"),
    "maipu-sm4200-16gef8ge-ac": (
        "Maipu", "domestic", "switch", "SM4200-16GEF8GE-AC", None, "6.0.222.39", None),
    "netentsec-ngfw": ("NetentSec", "domestic", "firewall", "NGFW", None, None, None),
    "nsfocus-ads": ("NSFOCUS", "domestic", "security", "ADS-2010", None, None, None),
    "ruijie-s5750-24gt12sfp": (
        "Ruijie", "domestic", "switch",
        "S5750-24GT/12SFP", "RGOS", "10.4(3)p4 Release(161753)", "9017EHC410215"),
    "sangfor-ad1800-fp2": ("Sangfor", "domestic", "load_balancer", "AD-1800-FP2", None, None, None),
    "topsec-ngfw4000-uf": (
        "Topsec", "domestic", "firewall",
        "NGFW4000-UF(TG-72282)", None, "V3.2073N.2060N_NGFW.1", "Q1610474303"),
    "venus-vsos-v0600r0705b20180507": (
        "Venustech", "domestic", None, None, "VSOS", "V0600R0705B20180507", None),
    "zte-embsys-cgel": ("ZTE", "domestic", None, None, None, None, None),
    "zte-zxr10-5250": ("ZTE", "domestic", "switch", "ZXR10 5250-52TM-H", None, "V2.05.11B19", "279531100013"),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(lab, collect):
    return collect(recording=str(lab / "snmprec"))


def test_every_recording_is_a_device(found, recordings):
    assert set(found) == set(recordings) == set(RECORDED)
    for name, recorded in recordings.items():
        assert len(found[name].interfaces) == recorded.interfaces


@pytest.mark.parametrize("name", RECORDED)
def test_identity(found, name):
    fields = "vendor vendor_origin role model software version serial".split()
    device = found[name].device
    assert tuple(or_none(getattr(device, field)) for field in fields) == RECORDED[name]


def _sources(rows, name):
    """Texts of a recording that may name model, version and serial number: sysDescr, the revisions, serial
    and model of ENTITY-MIB, upsIdent, and the vendor's own objects."""
    oids = ["1.3.6.1.2.1.1.1", "1.3.6.1.2.1.33.1.1", "1.3.6.1.4.1"]
    oids += [f"1.3.6.1.2.1.47.1.1.1.1.{column}" for column in (8, 9, 10, 11, 13)]
    return "\n".join(value for oid in oids for value in rows(name, oid).values())


@pytest.mark.parametrize("name", RECORDED)
def test_identity_stands_in_the_recording(rows, name):
    """The literal values above are the device's own words."""
    _, _, _, model, _, version, serial = RECORDED[name]
    text = _sources(rows, name)
    for value in (model, version, serial):
        assert value is None or value in text, value


def _has_telnet(rows, name):
    """tcpConnState listen(2) of 0.0.0.0:23 (RFC 1213), or a row of tcpListenerTable with port 23."""
    connections = rows(name, "1.3.6.1.2.1.6.13.1.1")
    listeners = rows(name, "1.3.6.1.2.1.6.20.1.4")
    return any(i.startswith("0.0.0.0.23.") and v == "2" for i, v in connections.items()) or any(
        index.endswith(".23") for index in listeners
    )


def _has_ipv6(rows, name):
    """A row with an IPv6 address other than ::1 and ::, in ipAddressTable (RFC 4293: unicast or anycast,
    type ipv6 or ipv6z) or in ipv6AddrTable (RFC 2465)."""
    new = [i.split(".") for i in rows(name, "1.3.6.1.2.1.4.34.1.3")]
    old = [i.split(".")[-16:] for i in rows(name, "1.3.6.1.2.1.55.1.8.1.2")]
    octets = [*old, *(i[2:18] for i in new if i[0] in ("2", "4"))]
    return any(any(part != "0" for part in address[:15]) for address in octets)


def test_telnet_and_ipv6_are_true_or_not_seen(found, rows):
    for field, shown in (("telnet_enabled", _has_telnet), ("ipv6_visible", _has_ipv6)):
        seen = {name: getattr(outcome.device, field) for name, outcome in found.items()}
        expected = {name for name in found if shown(rows, name)}
        assert expected
        assert {name for name, value in seen.items() if known(value)} == expected
        assert all(seen[name] for name in expected)


def test_every_interface_is_the_row_of_its_index(found, rows):
    """ifDescr 2, ifType 3, ifAdminStatus 7, ifInErrors 14; ifName 1 and ifAlias 18 of ifXTable."""
    for name, outcome in found.items():
        columns = {n: rows(name, f"1.3.6.1.2.1.2.2.1.{n}") for n in (1, 3, 7, 14)}
        assert sorted(columns[1], key=int) == [str(i.index) for i in outcome.interfaces]
        for one in outcome.interfaces:
            kind, admin, errors = (columns[n].get(str(one.index)) for n in (3, 7, 14))
            assert kind is None or one.interface_type == int(kind)
            assert admin not in ("1", "2") or one.admin_up == (admin == "1")
            assert errors is None or "=" in errors or one.in_errors == int(errors) % 2**32


def test_addresses_are_as_many_as_recorded(found, rows):
    """ipAdEntIfIndex (RFC 4293) has a row for each IPv4 address; 0.0.0.0 and interfaces that no table
    names are none of ours."""
    counted = 0
    for name, outcome in found.items():
        indexes = {str(i.index) for i in outcome.interfaces}
        listed = {
            (index, address)
            for address, index in rows(name, "1.3.6.1.2.1.4.20.1.2").items()
            if index in indexes and address.count(".") == 3 and address != "0.0.0.0"
        }
        shown = {
            (str(i.index), a.address)
            for i in outcome.interfaces
            if known(i.addresses)
            for a in i.addresses
            if a.family == "ipv4"
        }
        assert listed <= shown, name
        counted += len(listed)
    assert counted > 100


def interface(outcome, index):
    return next(i for i in outcome.interfaces if i.index == index)


def test_an_interface_in_full(found):
    device = found["huawei-s5720"].device
    one = interface(found["huawei-s5720"], 43)
    assert (one.native_id, one.scope, one.name) == ("huawei-s5720/43", "huawei-s5720", "Vlanif30")
    assert one.related("part_of") == [device.uid]
    assert one.addresses == [Address(address="10.120.30.1", family="ipv4", prefix_length=24, scope="private")]
    assert (one.admin_up, one.oper_up, one.loopback) == (True, True, False)
    assert len(one.mac.split(":")) == 6


def test_ipv6_addresses_of_both_generations(found):
    # RFC 4293, prefix from ipAddressPrefix
    comware = {
        a.address: a.prefix_length
        for i in found["h3c-comware-7-1-075"].interfaces
        for a in i.addresses
        if a.family == "ipv6"
    }
    assert comware == {"2001:da8:c000:3ff0::1": 64, "fe80::7685:c4ff:fedf:c002": 10}
    # RFC 2465 only
    dcn = interface(found["dcrs-5980-28t-dc"], 3101)
    assert [a.address for a in dcn.addresses if a.family == "ipv6" and a.scope == "global"] == [
        "2001:da8:215:c900::1"
    ]


def test_speeds(found):
    speeds = {i.speed_bps for i in found["cisco-n5000-uk9"].interfaces if known(i.speed_bps)}
    assert 10_000_000_000 in speeds  # more than ifSpeed can say
    assert interface(found["cisco-n5000-uk9"], 436314112).name == "Ethernet1/27"


def test_a_device_without_if_x_table(found):
    outcome = found["topsec-ngfw4000-uf"]
    assert outcome.collections["interface"].status is Status.COMPLETE
    assert len(outcome.interfaces) == 108
    assert not any(known(i.alias) for i in outcome.interfaces)
    assert all(known(i.name) for i in outcome.interfaces)
    assert sum(len(i.addresses) for i in outcome.interfaces) == 80


def test_no_if_table_is_unsupported_and_not_a_device_without_interfaces(found):
    collection = found["zte-embsys-cgel"].collections["interface"]
    assert (collection.status, collection.count) == (Status.UNSUPPORTED, 0)
    assert collection.remedy
    assert found["zte-embsys-cgel"].collections["device"].status is Status.COMPLETE


def test_addresses_stay_unknown_where_no_table_shows_any(found):
    assert not any(known(i.addresses) for i in found["juniper-mx960-12-3r6-6"].interfaces)


# ---- written answers ----

SYSTEM = "1.3.6.1.2.1.1"


@pytest.fixture
def replay(tmp_path, collect):
    def replay(*lines):
        (tmp_path / "device.snmprec").write_bytes(
            b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
        )
        return collect(recording=str(tmp_path))["device"]

    return replay


def test_gb2312_text_and_an_empty_description(replay):
    device = replay(
        f"{SYSTEM}.1.0|4|",
        f"{SYSTEM}.2.0|6|1.3.6.1.4.1.4881.1",
        f"{SYSTEM}.6.0|4x|d6d0cec4bbfab7bf",
        f"{SYSTEM}.5.0|4|",
    ).device
    assert (device.description, device.location, device.vendor) == ("", "中文机房", "Ruijie")
    assert device.name == "device"  # an empty sysName: the target's
    assert not known(device.model)


@pytest.mark.parametrize(
    ("object_id", "description", "vendor"),
    [
        ("1.3.6.1.4.19849", "osms", None),  # a real device's mistake: not under enterprises
        ("1.3.6.1.4.19849", "NSFOCUS-OSMS", "NSFOCUS"),
        ("1.3.6.1.4.1.8072.3.2.10", "Linux host", None),
        ("1.3.6.1.4.1.99999.1", "thing", None),
        ("1.3.6.1.4.1.8072.3.2.10", "Ruijie something", "Ruijie"),
    ],
)
def test_an_enterprise_that_is_no_vendor(replay, object_id, description, vendor):
    device = replay(f"{SYSTEM}.2.0|6|{object_id}", f"{SYSTEM}.1.0|4|{description}").device
    assert device.vendor == vendor
    assert device.vendor_origin == ("domestic" if vendor else "unidentified")


@pytest.mark.parametrize(
    ("enterprise", "description", "fields"),
    [
        (
            25506,
            "H3C Comware Platform Software LSQ1WCMD0. Product Version Release 2509P61 Copyright (c) 2004-2017",
            {"model": "LSQ1WCMD0", "version": "Release 2509P61", "software": "Comware"},
        ),
        (9, "Cisco Internetwork Operating System Software", {"software": "IOS"}),
        (9833, "FIREWALL", {"vendor": "Leadsec", "role": "firewall"}),
        (15227, "FIREWALL", {"vendor": "Venustech", "role": "firewall"}),
    ],
)
def test_descriptions_of_other_real_devices(replay, enterprise, description, fields):
    device = replay(f"{SYSTEM}.2.0|6|1.3.6.1.4.1.{enterprise}.1", f"{SYSTEM}.1.0|4|{description}").device
    assert {name: getattr(device, name) for name in fields} == fields


def test_a_hidden_system_group_is_partial(replay):
    outcome = replay("1.3.6.1.2.1.2.2.1.1.1|2|1", "1.3.6.1.2.1.2.2.1.2.1|4|eth0")
    assert outcome.collections["device"].status is Status.PARTIAL
    assert "系统组" in outcome.collections["device"].reason
    assert not known(outcome.device.vendor)
    assert outcome.interfaces[0].name == "eth0"


def test_hostile_texts(replay):
    device = replay(
        f"{SYSTEM}.1.0|4x|" + (b"<script>alert(1)</script>\x1b[2J\x00" + b"A" * 65000).hex(),
        f"{SYSTEM}.2.0|6|1.3.6.1.4.1.9.1",
        f"{SYSTEM}.5.0|4x|" + "core\r\n\u202eevil\x07".encode().hex(),
    ).device
    assert len(device.description) == 1024
    assert device.description.startswith("<script>alert(1)</script> [2J AAA")  # escaping is the renderer's
    assert device.name == "core evil"


def test_hostile_indexes_and_types(replay):
    outcome = replay(
        f"{SYSTEM}.1.0|2|7",
        f"{SYSTEM}.3.0|4|soon",
        "1.3.6.1.2.1.2.2.1.1.4294967295|2|4294967295",
        "1.3.6.1.2.1.2.2.1.3.4294967295|4|six",
        "1.3.6.1.2.1.2.2.1.4.4294967295|2|-1",
        "1.3.6.1.2.1.2.2.1.1.1.2|2|1",  # an index of two parts
        "1.3.6.1.2.1.4.20.1.2.10.0.0.999|2|4294967295",
        "1.3.6.1.2.1.4.20.1.2.10.0.0.9|2|4294967295",
        "1.3.6.1.2.1.4.20.1.3.10.0.0.9|64|255.0.255.0",
        "1.3.6.1.2.1.4.34.1.3.2.16.1.2|2|1",
        "1.3.6.1.2.1.55.1.8.1.2.1.2.3|2|64",
    )
    assert not known(outcome.device.description)
    assert not known(outcome.device.uptime_seconds)
    [only] = outcome.interfaces
    assert only.index == 4294967295
    assert not known(only.interface_type)
    assert not known(only.mtu)
    assert only.addresses == [Address(address="10.0.0.9", family="ipv4", prefix_length=None, scope="private")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain\x00", "plain"),
        ("华为".encode(), "华为"),
        ("华为".encode("gb18030"), "华为"),
        (b"\xff\xfe\xfd", "\ufffd\ufffd\ufffd".replace("\ufffd", " ").strip()),
        (5, None),
        ("1.3.6", None),
    ],
)
def test_text_of(value, text):
    assert text_of(value) == text


def test_access_names_the_security_level():
    def level(authentication, privacy):
        return mapping.Access(version="v3", authentication=authentication, privacy=privacy).security

    assert [level(None, None), level("MD5", None), level("MD5", "DES")] == [
        "noAuthNoPriv",
        "authNoPriv",
        "authPriv",
    ]
    assert mapping.Access(version="v2c", authentication=None, privacy=None).default_community is UNKNOWN

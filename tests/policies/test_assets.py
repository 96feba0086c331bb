"""Which resources make up an asset, and what is told of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from inventory.coverage import Batch
from inventory.kinds import KINDS
from inventory.kinds.address import address_of
from inventory.kinds.cloud import Cloud, Endpoint
from inventory.kinds.compute import Hypervisor, Image, Server
from inventory.kinds.device_config import DeviceConfig
from inventory.kinds.host import Account, Host, Listener
from inventory.kinds.identity import User
from inventory.kinds.network import Device, Interface, Route
from inventory.kinds.storage import Volume
from inventory.kinds.virtual_network import Network, SecurityGroup
from inventory.kinds.web import Domain, Website
from inventory.resource import Relation, Resource
from inventory.selectors import Selector
from inventory.snapshot import Snapshot
from inventory.systems import System
from inventory.unknown import UNKNOWN
from policies.assessment import CATEGORIES, Asset
from policies.assets import Estate, combined, estate_of

AT = datetime(2026, 5, 1, tzinfo=UTC)


def system(**changes: Any) -> System:
    fields = {"name": "s", "title": "系统", "grade": "S3A3", "include": [Selector(sources=["*"])], **changes}
    return System(**fields)


def estate(*resources: Resource, members: list[Resource] | None = None, **changes: Any) -> Estate:
    snapshot = Snapshot.of_batches([Batch(resources=list(resources))], AT)
    return estate_of(system(**changes), list(resources) if members is None else members, snapshot)


def only(of: Estate) -> Asset:
    (asset,) = of.assets
    return asset


def test_a_host_gathers_what_runs_on_it() -> None:
    host = Host(
        source="web1",
        native_id="web1",
        name="web1",
        os_name="openEuler 22.03",
        os_origin="domestic",
        cpu_vendor="HiSilicon",
        cpu_model="Kunpeng-920",
        cpu_origin="domestic",
    )
    on = [Relation("runs_on", host.uid)]
    interface = Interface(
        source="web1",
        native_id="web1/2",
        relations=[Relation("part_of", host.uid)],
        addresses=[address_of("fe80::1"), address_of("2001:db8::7"), address_of("10.1.1.7")],
    )
    parts = [
        Account(source="web1", native_id="web1/root", relations=on),
        Listener(source="web1", native_id="web1/tcp/0.0.0.0/22", relations=on),
        Route(source="web1", native_id="web1/r", relations=on),
        interface,
    ]
    found = estate(host, *parts)
    assert only(found) == Asset(
        uid="web1/host/web1",
        name="web1",
        category="服务器",
        importance="一般",
        types=("server",),
        address="10.1.1.7",
        vendor="HiSilicon",
        model="Kunpeng-920",
        version="openEuler 22.03",
        origin="domestic",
        resources=5,
    )
    assert {found.object_of(part) for part in parts} == {host.uid}


@pytest.mark.parametrize(
    ("role", "category", "types"),
    [
        ("switch", "网络设备", ("network_device", "network")),
        ("router", "网络设备", ("network_device", "network")),
        ("load_balancer", "网络设备", ("network_device", "network")),
        ("firewall", "安全设备", ("security_device",)),
        ("security", "安全设备", ("security_device",)),
        ("server", "服务器", ("server",)),
        ("ups", "其他系统或设备", ()),
        ("other", "其他系统或设备", ()),
        (UNKNOWN, "其他系统或设备", ("network_device", "security_device")),
    ],
)
def test_a_device_is_what_its_role_says(role: Any, category: str, types: tuple[str, ...]) -> None:
    device = Device(
        source="sw1",
        native_id="sw1",
        name="核心交换机",
        role=role,
        management_address="10.0.0.1",
        vendor="Huawei",
        vendor_origin="domestic",
        model="S5720",
        software="VRP",
        version="5.170",
    )
    asset = only(estate(device))
    assert (asset.category, asset.types) == (category, types)
    assert (asset.address, asset.vendor, asset.model, asset.version) == (
        "10.0.0.1",
        "Huawei",
        "S5720",
        "VRP 5.170",
    )
    assert asset.origin == "domestic"


def platform() -> list[Resource]:
    return [
        Cloud(
            source="cloud1",
            native_id="cloud1",
            name="政务云",
            software="openstack",
            endpoints=[
                Endpoint(service="identity", interface="internal", url="http://10.0.0.2:5000"),
                Endpoint(service="identity", interface="public", url="https://iam.example.gov.cn"),
            ],
        ),
        User(source="cloud1", native_id="u1", name="admin"),
        SecurityGroup(source="cloud1", native_id="g1"),
        Network(source="cloud1", native_id="n1"),
        Volume(source="cloud1", native_id="v1"),
        Image(source="cloud1", native_id="i1", os_distro="kylin", os_version="V10", os_origin="domestic"),
    ]


def test_a_cloud_is_one_asset_and_its_servers_one_each() -> None:
    server = Server(
        source="cloud1",
        native_id="s1",
        name="app-1",
        flavor="4C8G",
        addresses=[address_of("192.168.1.5"), address_of("8.8.8.8")],
        relations=[Relation("made_from", "cloud1/image/i1"), Relation("runs_on", "cloud1/hypervisor/h1")],
    )
    node = Hypervisor(
        source="cloud1",
        native_id="h1",
        name="cn-1",
        cpu_vendor="Hygon",
        cpu_origin="domestic",
        hypervisor_type="QEMU",
    )
    found = estate(*platform(), server, node, cloud="platform")
    assert [(a.name, a.category, a.types, a.resources) for a in found.assets] == [
        ("app-1", "服务器", ("server", "vm"), 1),
        ("cn-1", "服务器", ("server",), 1),
        (
            "政务云",
            "系统管理软件/平台",
            ("cloud_platform", "virtual_network", "image", "management_system"),
            6,
        ),
    ]
    app, compute, cloud = found.assets
    assert (app.address, app.model, app.version, app.origin) == ("8.8.8.8", "4C8G", "kylin V10", "domestic")
    assert (compute.vendor, compute.version, compute.origin) == ("Hygon", "QEMU", "domestic")
    assert (cloud.address, cloud.version) == ("https://iam.example.gov.cn", "openstack")


def test_a_tenant_answers_for_its_side_of_the_cloud() -> None:
    everything = platform()
    groups = [r for r in everything if r.KIND == "security_group"]
    asset = only(estate(*everything, members=groups, cloud="tenant"))
    assert (asset.uid, asset.name, asset.resources) == ("cloud1/cloud/cloud1", "政务云（租户侧）", 1)
    assert "management_system" not in asset.types


def test_an_owner_that_was_not_selected_or_not_seen_is_an_asset_all_the_same() -> None:
    device = Device(source="sw1", native_id="sw1", name="核心", role="switch")
    port = Interface(source="sw1", native_id="sw1/1", relations=[Relation("part_of", device.uid)])
    assert only(estate(device, port, members=[port])).name == "核心"
    lonely = only(estate(port))
    assert (lonely.uid, lonely.name, lonely.types) == (
        device.uid,
        "sw1",
        ("network_device", "security_device"),
    )
    unnamed = only(estate(User(source="cloud2", native_id="u")))
    assert (unnamed.uid, unnamed.name) == ("cloud2/cloud/cloud2", "cloud2")


def test_a_configuration_belongs_to_its_device_seen_or_not() -> None:
    device = Device(source="sw1", native_id="sw1", name="核心", role="switch")
    config = DeviceConfig(source="sw1", native_id="sw1", relations=[Relation("part_of", device.uid)])
    together = only(estate(device, config))
    assert (together.uid, together.category, together.resources) == (device.uid, "网络设备", 2)
    alone = only(estate(config))
    assert (alone.uid, alone.types) == (device.uid, ("network_device", "security_device"))
    # what two sources see is two assets, as everywhere: nothing proves them the same device
    elsewhere = Device(source="snmp1", native_id="sw1", name="核心", role="switch")
    assert len(estate(elsewhere, config).assets) == 2


def test_importance_comes_from_the_label_or_the_system() -> None:
    one = Host(source="a", native_id="a", labels={"importance": "关键"})
    two = Host(source="b", native_id="b", labels={"importance": "随便"})
    assert [a.importance for a in estate(one, two, importance="重要").assets] == ["关键", "重要"]


def test_every_kind_belongs_to_some_asset() -> None:
    resources = [kind(source="src", native_id=name) for name, kind in KINDS.items()]
    found = estate(*resources)
    assert len(found.owner) == len(KINDS)
    assert {found.object_of(r) for r in resources} == {a.uid for a in found.assets}
    assert {a.category for a in found.assets} <= set(CATEGORIES)
    assert sum(a.resources for a in found.assets) == len(resources)


def test_unseen_parts_have_a_holder_and_unseen_machines_have_none() -> None:
    host = Host(source="web1", native_id="web1")
    found = estate(host, *platform(), Server(source="cloud1", native_id="s1"))
    assert found.holders("web1", "account") == [host.uid]
    assert found.holders("cloud1", "user") == ["cloud1/cloud/cloud1"]
    assert found.holders("cloud1", "server") == []
    assert found.holders("web1", "user") == []
    assert found.holders("other", "account") == []


@pytest.mark.parametrize(
    ("origins", "said"),
    [
        ((UNKNOWN, UNKNOWN), ""),
        (("domestic", "domestic"), "domestic"),
        (("domestic", "foreign"), "foreign"),
        (("domestic", UNKNOWN), "unidentified"),
        (("domestic", "unidentified"), "unidentified"),
        ((UNKNOWN, "foreign"), "foreign"),
    ],
)
def test_a_thing_is_domestic_only_where_every_part_is_known_to_be(
    origins: tuple[Any, ...], said: str
) -> None:
    assert combined(*origins) == said


def test_sites_of_one_host_are_an_application_and_its_name_belongs_to_it() -> None:
    host = "www.city.gov.cn"
    sites = [
        Website(source="s", native_id=f"{scheme}://{host}/", name=host, host=host)
        for scheme in ("http", "https")
    ]
    names = [Domain(source="d", native_id=name, name=name) for name in (host, "mail.city.gov.cn")]
    found = estate(*sites, *names)
    application, other = sorted(found.assets, key=lambda asset: asset.category != "业务应用系统/平台")
    assert (application.category, application.types, application.resources) == (
        "业务应用系统/平台",
        ("application",),
        3,
    )
    assert application.address == host
    assert {found.object_of(one) for one in (*sites, names[0])} == {application.uid}
    assert (other.types, other.resources) == ((), 1)

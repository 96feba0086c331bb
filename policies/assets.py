"""Assets (测评对象): which resources make up one object of assessment, and of which category it is.

A host, a device, a compute node, a cluster node, a cloud server, a monitoring system and a log platform are
an asset each.
Accounts, listeners, interfaces and routes belong to the host or device they are part of. Sites of one host
name are one business application, and that name in the DNS belongs to it. What else a cloud source shows
(users, networks, security groups, images, volumes, quotas …) is one asset: the platform, or the tenant's side
of it. A cluster likewise. A set of data that the register says is backed up is an asset; what else an office
wrote down is one, its register.
A resource of any other kind falls to one asset of its source, 其他系统或设备.

A machine that is seen from two sides (a cloud server, and a host logged into) is two assets: nothing that
both sides show proves them the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from inventory.kinds import cloud, cluster, compute, identity, register, storage, usage, virtual_network
from inventory.kinds.address import Address
from inventory.kinds.cloud import Cloud
from inventory.kinds.cluster import Cluster, Node
from inventory.kinds.compute import Hypervisor, Image, Server
from inventory.kinds.host import Host
from inventory.kinds.management import LogPlatform, MonitoringSystem
from inventory.kinds.network import Device, Interface
from inventory.kinds.register import BackupPlan, Register
from inventory.kinds.web import Domain, Website
from inventory.origin import Origin
from inventory.resource import Resource, uid_of
from inventory.snapshot import Snapshot
from inventory.systems import System
from inventory.unknown import Unknown, or_none
from policies.assessment import CATEGORIES, Asset

OBJECT_TITLE: dict[str, str] = {
    "server": "服务器",
    "vm": "虚拟机",
    "network_device": "网络设备",
    "security_device": "安全设备",
    "terminal": "终端",
    "database": "数据库",
    "middleware": "中间件",
    "application": "业务应用",
    "cluster": "容器集群",
    "cloud_platform": "云平台",
    "virtual_network": "虚拟网络",
    "image": "镜像和快照",
    "management_system": "管理系统",
    "network": "网络架构",
    "channel": "通信信道",
    "data": "数据",
    "site": "机房",
    "organization": "管理体系",
}
"""The catalogue's object types in the readers' language."""

_ROLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "switch": ("网络设备", ("network_device", "network")),
    "router": ("网络设备", ("network_device", "network")),
    "load_balancer": ("网络设备", ("network_device", "network")),
    "firewall": ("安全设备", ("security_device",)),
    "security": ("安全设备", ("security_device",)),
    "server": ("服务器", ("server",)),
    "ups": ("其他系统或设备", ()),
    "other": ("其他系统或设备", ()),
}
# a device whose role was not seen may be either, and answers for both until it is known
_UNKNOWN_ROLE = ("其他系统或设备", ("network_device", "security_device"))
_WITHOUT_PARTS = frozenset(
    kind.KIND for kind in (Server, Hypervisor, Node, Website, BackupPlan, MonitoringSystem, LogPlatform)
)
_OWN_ASSET = frozenset({Host.KIND, Device.KIND}) | _WITHOUT_PARTS
_PLATFORMS = frozenset({Cloud.KIND, Cluster.KIND})
_OF_CLUSTER = frozenset(k.KIND for k in cluster.FAMILY) - _OWN_ASSET
_OF_PLATFORM = _OF_CLUSTER | (
    frozenset(
        kind.KIND
        for family in (cloud, identity, compute, storage, virtual_network, usage)
        for kind in family.FAMILY
    )
    - _OWN_ASSET
)
_OF_REGISTER = frozenset(kind.KIND for kind in register.FAMILY)


class Estate(msgspec.Struct, kw_only=True, frozen=True):
    """The assets of a system in report order, and the asset each of its resources belongs to.
    ``parents``: source → its assets that can have parts (no cloud server or compute node has)."""

    assets: list[Asset]
    owner: dict[str, str]
    parents: dict[str, list[str]]

    def object_of(self, resource: Resource) -> str:
        """Uid of the asset a member belongs to. Raises KeyError for what is no member."""
        return self.owner[resource.uid]

    def holders(self, source: str, kind: str) -> list[str]:
        """Assets that unseen resources of this kind and source would be part of. Kinds that are assets
        themselves are part of no other."""
        if kind in _OWN_ASSET:
            return []
        found = self.parents.get(source, [])
        return [uid for uid in found if (_kind_of(uid) in _PLATFORMS) == (kind in _OF_PLATFORM)]


def estate_of(system: System, members: Sequence[Resource], snapshot: Snapshot) -> Estate:
    """Assets of a system. An owner that the selectors left out (an interface was selected, its switch was
    not) is an asset all the same; its facts come from the snapshot where that holds it."""
    owner: dict[str, str] = {}
    counts: dict[str, int] = {}
    platforms = {p.source: p.uid for kind in _PLATFORMS for p in snapshot.of_kind(kind)}
    sites = _sites(snapshot)
    for resource in members:
        owner[resource.uid] = uid = asset_uid(resource, platforms, sites)
        counts[uid] = counts.get(uid, 0) + 1
    facts = _Facts(system, snapshot)
    assets = [facts.asset(uid, count) for uid, count in counts.items()]
    assets.sort(key=lambda a: (CATEGORIES.index(a.category), a.name, a.uid))
    parents: dict[str, list[str]] = {}
    for asset in assets:
        if _kind_of(asset.uid) not in _WITHOUT_PARTS:
            parents.setdefault(asset.uid.split("/", 1)[0], []).append(asset.uid)
    return Estate(assets=assets, owner=owner, parents=parents)


def _kind_of(uid: str) -> str:
    return uid.split("/", 2)[1]


def _sites(snapshot: Snapshot) -> dict[str, str]:
    """Host name → the first of its sites, which stands for the application."""
    found: dict[str, str] = {}
    for site in sorted(snapshot.of(Website), key=lambda one: one.uid):
        if (host := or_none(site.host)) is not None:
            found.setdefault(host, site.uid)
    return found


def asset_uid(resource: Resource, platforms: Mapping[str, str], sites: Mapping[str, str]) -> str:
    """Uid of the asset a resource belongs to; ``platforms`` maps a source to its cloud's or cluster's uid,
    ``sites`` a host name to the application behind it."""
    if isinstance(resource, Website):
        return sites.get(or_none(resource.host) or "", resource.uid)
    if isinstance(resource, Domain) and resource.native_id in sites:
        return sites[resource.native_id]
    if resource.KIND in _OWN_ASSET:
        return resource.uid
    if resource.KIND in _OF_PLATFORM:
        platform = Cluster.KIND if resource.KIND in _OF_CLUSTER else Cloud.KIND
        return platforms.get(resource.source) or uid_of(resource.source, platform, resource.source)
    if resource.KIND in _OF_REGISTER:
        return uid_of(resource.source, Register.KIND, resource.source)
    for relation in resource.relations:
        if relation.type in ("part_of", "runs_on"):
            return relation.target
    return uid_of(resource.source, "source", resource.source)


class _Facts:
    """Looks up what the report says about an asset."""

    def __init__(self, system: System, snapshot: Snapshot) -> None:
        self.system = system
        self.snapshot = snapshot
        self.by_kind: dict[str, Callable[[Resource], Asset]] = {
            Host.KIND: self._host,
            Device.KIND: self._device,
            Server.KIND: self._server,
            Hypervisor.KIND: self._hypervisor,
            Cloud.KIND: self._cloud,
            Cluster.KIND: self._cluster,
            Node.KIND: self._node,
            Website.KIND: self._site,
            Register.KIND: self._register,
            BackupPlan.KIND: self._data,
            MonitoringSystem.KIND: self._management,
            LogPlatform.KIND: self._management,
        }
        self._host_addresses: dict[str, str] | None = None
        self._images: dict[str, Image] | None = None

    def asset(self, uid: str, count: int) -> Asset:
        resource = self.snapshot.get(uid)
        if resource is not None and resource.KIND in self.by_kind:
            made = self.by_kind[resource.KIND](resource)
        else:
            made = self._unseen(uid)
        return msgspec.structs.replace(made, resources=count)

    def _make(
        self,
        resource: Resource,
        category: str,
        types: tuple[str, ...],
        suffix: str = "",
        *,
        address: str = "",
        vendor: str = "",
        model: str = "",
        version: str = "",
        origin: str = "",
    ) -> Asset:
        name = or_none(resource.name) or resource.native_id
        importance = resource.labels.get("importance", "")
        return Asset(
            uid=resource.uid,
            name=name + suffix,
            category=category,
            importance=importance if importance in ("关键", "重要", "一般") else self.system.importance,
            types=types,
            address=address,
            vendor=vendor,
            model=model,
            version=version,
            origin=origin,
        )

    def _host(self, host: Resource) -> Asset:
        assert isinstance(host, Host)
        return self._make(
            host,
            "服务器",
            ("server",),
            address=self._address_of_host(host.uid),
            vendor=_text(host.cpu_vendor),
            model=_text(host.cpu_model),
            version=_text(host.os_name),
            origin=combined(host.cpu_origin, host.os_origin),
        )

    def _device(self, device: Resource) -> Asset:
        assert isinstance(device, Device)
        category, types = _UNKNOWN_ROLE if isinstance(device.role, Unknown) else _ROLES[device.role]
        return self._make(
            device,
            category,
            types,
            address=_text(device.management_address),
            vendor=_text(device.vendor),
            model=_text(device.model),
            version=f"{_text(device.software)} {_text(device.version)}".strip(),
            origin=combined(device.vendor_origin),
        )

    def _server(self, server: Resource) -> Asset:
        assert isinstance(server, Server)
        image = self._image(server)
        return self._make(
            server,
            "服务器",
            ("server", "vm"),
            address=_best(or_none(server.addresses) or []),
            model=_text(server.flavor),
            version=f"{_text(image.os_distro)} {_text(image.os_version)}".strip() if image else "",
            origin=combined(image.os_origin) if image else "",
        )

    def _hypervisor(self, node: Resource) -> Asset:
        assert isinstance(node, Hypervisor)
        return self._make(
            node,
            "服务器",
            ("server",),
            vendor=_text(node.cpu_vendor),
            model=_text(node.cpu_model),
            version=_text(node.hypervisor_type),
            origin=combined(node.cpu_origin),
        )

    def _cloud(self, platform: Resource) -> Asset:
        assert isinstance(platform, Cloud)
        urls = [
            _text(e.url)
            for e in or_none(platform.endpoints) or []
            if or_none(e.service) == "identity" and or_none(e.interface) == "public"
        ]
        types, suffix = self._platform_side()
        return self._make(
            platform,
            "系统管理软件/平台",
            types,
            suffix,
            address=urls[0] if urls else "",
            version=_text(platform.software),
        )

    def _cluster(self, platform: Resource) -> Asset:
        assert isinstance(platform, Cluster)
        return self._make(
            platform,
            "系统管理软件/平台",
            ("cluster",),
            address=_text(platform.endpoint),
            version=f"{_text(platform.software)} {_text(platform.version)}".strip(),
        )

    def _node(self, node: Resource) -> Asset:
        assert isinstance(node, Node)
        return self._make(
            node,
            "服务器",
            ("server",),
            address=_best(or_none(node.addresses) or []),
            vendor=_text(node.cpu_vendor),
            model=_text(node.cpu_architecture),
            version=_text(node.os_image),
            origin=combined(node.cpu_origin, node.os_origin),
        )

    def _site(self, site: Resource) -> Asset:
        assert isinstance(site, Website)
        return self._make(site, "业务应用系统/平台", ("application",), address=_text(site.host))

    def _management(self, system: Resource) -> Asset:
        assert isinstance(system, (MonitoringSystem, LogPlatform))
        version = f"{_text(system.software)} {_text(getattr(system, 'version', None))}".strip()
        return self._make(system, "系统管理软件/平台", ("management_system",), version=version)

    def _register(self, register: Resource) -> Asset:
        return self._make(register, "安全管理文档", ())

    def _data(self, plan: Resource) -> Asset:
        assert isinstance(plan, BackupPlan)
        return self._make(plan, "数据资源", ("data",), "（依据台账）", address=_text(plan.place))

    def _platform_side(self) -> tuple[tuple[str, ...], str]:
        if self.system.cloud == "tenant":
            return ("cloud_platform", "virtual_network", "image"), "（租户侧）"
        return ("cloud_platform", "virtual_network", "image", "management_system"), ""

    def _unseen(self, uid: str) -> Asset:
        """An asset that no resource of the snapshot describes: known by its parts alone."""
        source, kind, native_id = uid.split("/", 2)
        category, types, suffix = {
            Host.KIND: ("服务器", ("server",), ""),
            Device.KIND: (*_UNKNOWN_ROLE, ""),
            Cloud.KIND: ("系统管理软件/平台", *self._platform_side()),
            Cluster.KIND: ("系统管理软件/平台", ("cluster",), ""),
            Website.KIND: ("业务应用系统/平台", ("application",), ""),
            Register.KIND: ("安全管理文档", (), ""),
            BackupPlan.KIND: ("数据资源", ("data",), "（依据台账）"),
        }.get(kind, ("其他系统或设备", (), ""))
        name = source if kind in (*_PLATFORMS, Register.KIND, "source") else native_id
        return Asset(
            uid=uid, name=name + suffix, category=category, importance=self.system.importance, types=types
        )

    def _address_of_host(self, uid: str) -> str:
        if self._host_addresses is None:
            found: dict[str, list[Address]] = {}
            with_hosts = {host.source for host in self.snapshot.of(Host)}
            for interface in self.snapshot.of(Interface):
                if interface.source not in with_hosts:
                    continue
                for target in (*interface.related("part_of"), *interface.related("runs_on")):
                    found.setdefault(target, []).extend(or_none(interface.addresses) or [])
            self._host_addresses = {owner: _best(addresses) for owner, addresses in found.items()}
        return self._host_addresses.get(uid, "")

    def _image(self, server: Server) -> Image | None:
        if self._images is None:
            self._images = {image.uid: image for image in self.snapshot.of(Image)}
        return next((self._images[u] for u in server.related("made_from") if u in self._images), None)


_SCOPE_ORDER = {"global": 0, "private": 1, "unique_local": 2}


def _best(addresses: Iterable[Address]) -> str:
    """The address to tell a machine by: global before private, IPv4 before IPv6; "" where there is none."""
    usable = [
        (_SCOPE_ORDER[scope], or_none(a.family) != "ipv4", text)
        for a in addresses
        if (scope := or_none(a.scope)) in _SCOPE_ORDER and (text := or_none(a.address))
    ]
    return min(usable)[2] if usable else ""


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, Unknown) else str(value)


def combined(*origins: Origin | Unknown | None) -> str:
    """Origin of a thing from its parts: foreign if a part is, domestic only if every part is known to be;
    "" where no part was seen."""
    seen = [o for o in origins if o is not None and not isinstance(o, Unknown)]
    if not seen:
        return ""
    if "foreign" in seen:
        return "foreign"
    return "domestic" if len(seen) == len(origins) and set(seen) == {"domestic"} else "unidentified"

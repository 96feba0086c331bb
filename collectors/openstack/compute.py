"""Compute API v2.1 answers at microversion 2.87 (see ``hosts``) → servers, flavors, server groups, key
pairs. At it, the flavor is embedded in the server."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.hosts import ask, names_to_ids
from collectors.openstack.listing import PAGE, Mapped, Place, mapped, moment, row_ids, rows, seen
from collectors.openstack.row import Row, View, users_first
from inventory.kinds.address import Address, address_of
from inventory.kinds.compute import Flavor, KeyPair, Server, ServerGroup
from inventory.unknown import UNKNOWN, Maybe, Unknown

_CURVE_BITS = {
    "ssh-ed25519": 256,
    "sk-ssh-ed25519@openssh.com": 256,
    "ecdsa-sha2-nistp256": 256,
    "sk-ecdsa-sha2-nistp256@openssh.com": 256,
    "ecdsa-sha2-nistp384": 384,
    "ecdsa-sha2-nistp521": 521,
}
_POWER = {0: "none", 1: "running", 3: "paused", 4: "shutdown", 6: "crashed", 7: "suspended"}


class _Flavor(msgspec.Struct):
    id: str
    name: str
    vcpus: int | UnsetType = UNSET
    memory_mib: int | UnsetType = msgspec.field(name="ram", default=UNSET)
    disk_gib: int | UnsetType = msgspec.field(name="disk", default=UNSET)
    public: bool | UnsetType = msgspec.field(name="os-flavor-access:is_public", default=UNSET)
    extra_specs: dict[str, str] | UnsetType = UNSET


class _ServerFlavor(msgspec.Struct):
    original_name: str = ""
    id: str = ""  # before 2.47
    vcpus: int | UnsetType = UNSET
    ram: int | UnsetType = UNSET
    disk: int | UnsetType = UNSET


class _Image(msgspec.Struct):
    id: str


class _Address(msgspec.Struct):
    addr: str
    type: str = msgspec.field(name="OS-EXT-IPS:type", default="")


class _Group(msgspec.Struct):
    name: str


class _Attached(msgspec.Struct):
    id: str


class _Server(msgspec.Struct):
    id: str
    name: str | UnsetType = UNSET  # a server in a cell that is down has id, status and project only
    status: str = "UNKNOWN"
    tenant_id: str | None = None
    created: datetime | UnsetType | None = UNSET
    flavor: _ServerFlavor | UnsetType = UNSET
    image: _Image | str | UnsetType | None = UNSET  # "" = boots from volume
    metadata: dict[str, str] | UnsetType = UNSET
    addresses: dict[str, list[_Address]] | UnsetType = UNSET
    security_groups: list[_Group] | UnsetType = UNSET
    key_name: str | UnsetType | None = UNSET
    config_drive: str | UnsetType = UNSET
    locked: bool | UnsetType = UNSET
    zone: str | UnsetType | None = msgspec.field(name="OS-EXT-AZ:availability_zone", default=UNSET)
    power_state: int | UnsetType = msgspec.field(name="OS-EXT-STS:power_state", default=UNSET)
    hypervisor: str | UnsetType | None = msgspec.field(
        name="OS-EXT-SRV-ATTR:hypervisor_hostname", default=UNSET
    )
    host: str | UnsetType | None = msgspec.field(name="OS-EXT-SRV-ATTR:host", default=UNSET)
    description: str | UnsetType | None = UNSET
    task_state: str | UnsetType | None = msgspec.field(name="OS-EXT-STS:task_state", default=UNSET)
    launched_at: datetime | UnsetType | None = msgspec.field(name="OS-SRV-USG:launched_at", default=UNSET)
    updated_at: datetime | UnsetType | None = msgspec.field(name="updated", default=UNSET)
    owner: str | UnsetType | None = msgspec.field(name="user_id", default=UNSET)
    tags: list[str] | UnsetType = UNSET
    trusted_image_certificates: list[str] | UnsetType | None = UNSET
    volumes: list[_Attached] = msgspec.field(
        name="os-extended-volumes:volumes_attached", default_factory=list
    )


class _ServerGroup(msgspec.Struct):
    id: str
    name: str
    policy: str | UnsetType = UNSET
    members: list[str] | UnsetType = UNSET
    project_id: str | None = None


class _KeyPair(msgspec.Struct):
    name: str
    fingerprint: str | UnsetType = UNSET
    key_type: str | UnsetType = msgspec.field(name="type", default=UNSET)
    public_key: str = ""


class _Held(msgspec.Struct):
    keypair: _KeyPair


def flavors(pages: list[bytes], place: Place) -> Mapped:
    """Flavors."""
    return mapped(pages, "flavors", _Flavor, lambda row: place.make(Flavor, row), place.clean)


class Partners(msgspec.Struct, kw_only=True):
    """Ids of what servers name otherwise. One that is not in its table leaves the plain name only."""

    hypervisors: dict[str, str] = msgspec.field(default_factory=dict)  # host name → id
    flavors: dict[str, str] = msgspec.field(default_factory=dict)  # name → id
    groups: dict[str, str] | None = None  # server → server group; None = not read
    architectures: dict[str, str | None] | None = None  # image → as declared; None = not read


def servers(pages: list[bytes], partners: Partners, place: Place) -> Mapped:
    """Servers. user_data is never looked at."""

    def make(row: _Server) -> Server:
        flavor = None if isinstance(row.flavor, UnsetType) else row.flavor
        image = row.image.id if isinstance(row.image, _Image) else None
        host = None if isinstance(row.hypervisor, UnsetType) else row.hypervisor
        flavor_name = flavor.original_name if flavor else ""
        group = None if partners.groups is None else partners.groups.get(row.id)
        return place.make(
            Server,
            row,
            relations=place.relations(
                ("in_project", "project", row.tenant_id),
                ("runs_on", "hypervisor", partners.hypervisors.get(host or "")),
                ("has_flavor", "flavor", flavor.id or partners.flavors.get(flavor_name) if flavor else None),
                ("made_from", "image", image),
                ("member_of", "server_group", group),
            ),
            power_state=_power(row.power_state),
            flavor=(flavor_name or flavor.id or None) if flavor else UNKNOWN,
            vcpus=seen(flavor.vcpus) if flavor else UNKNOWN,
            memory_mib=seen(flavor.ram) if flavor else UNKNOWN,
            disk_gib=seen(flavor.disk) if flavor else UNKNOWN,
            image=UNKNOWN if isinstance(row.image, UnsetType) else image,
            image_architecture=UNKNOWN
            if partners.architectures is None or image is None
            else partners.architectures.get(image, UNKNOWN),
            config_drive=UNKNOWN if isinstance(row.config_drive, UnsetType) else row.config_drive == "True",
            description=place.clean(seen(row.description)),
            metadata=UNKNOWN if isinstance(row.metadata, UnsetType) else place.clean(row.metadata),
            addresses=_addresses(row.addresses),
            security_groups=UNKNOWN
            if isinstance(row.security_groups, UnsetType)
            else sorted({g.name for g in row.security_groups}),
            server_group=UNKNOWN if partners.groups is None else group,
            tags=UNKNOWN if isinstance(row.tags, UnsetType) else sorted(row.tags),
            created_at=UNKNOWN
            if isinstance(row.created, UnsetType) or row.created is None
            else moment(row.created) or UNKNOWN,
        )

    return mapped(pages, "servers", _Server, make, place.clean)


def _power(value: int | UnsetType) -> Any:
    return UNKNOWN if isinstance(value, UnsetType) else _POWER.get(value, UNKNOWN)


def _addresses(networks: dict[str, list[_Address]] | UnsetType) -> Maybe[list[Address]]:
    if isinstance(networks, UnsetType):
        return UNKNOWN
    result = []
    for addresses in networks.values():
        for one in addresses:
            address = address_of(one.addr)
            address.floating = one.type == "floating"
            result.append(address)
    return sorted(result, key=lambda a: (str(a.family), str(a.address)))


def server_groups(pages: list[bytes], place: Place) -> Mapped:
    """Server groups."""

    def make(row: _ServerGroup) -> ServerGroup:
        return place.make(
            ServerGroup,
            row,
            relations=place.relations(("in_project", "project", row.project_id)),
            members=UNKNOWN if isinstance(row.members, UnsetType) else sorted(row.members),
        )

    return mapped(pages, "server_groups", _ServerGroup, make, place.clean)


def key_pairs(pages: list[bytes], user_id: str, place: Place) -> Mapped:
    """Key pairs of one user; when they were made, a list does not tell."""

    def make(row: _Held) -> KeyPair:
        pair = row.keypair
        algorithm, bits = _public_key(pair.public_key)
        return place.make(
            KeyPair,
            pair,
            native_id=f"{user_id}/{pair.name}",
            relations=place.relations(("granted_to", "user", user_id)),
            algorithm=algorithm,
            bits=bits,
        )

    return mapped(pages, "keypairs", _Held, make, place.clean)


def _public_key(text: str) -> tuple[Maybe[str | None], Maybe[int | None]]:
    """Algorithm and bits of a public key in the form of RFC 4253, section 6.6, as ssh-keygen writes it."""
    kind, _, rest = text.strip().partition(" ")
    try:
        fields = _strings(base64.b64decode(rest.partition(" ")[0], validate=True))
        if not fields or fields[0] != kind.encode():
            return UNKNOWN, UNKNOWN  # a certificate (x509), or nothing that is known
        if kind == "ssh-rsa":
            return kind, int.from_bytes(fields[2]).bit_length()
        if kind == "ssh-dss":
            return kind, int.from_bytes(fields[1]).bit_length()
    except (ValueError, IndexError):
        return UNKNOWN, UNKNOWN
    return kind, _CURVE_BITS.get(kind, UNKNOWN)


def _strings(blob: bytes) -> list[bytes]:
    """Length-prefixed strings (RFC 4251, section 5)."""
    found = []
    while len(blob) >= 4:
        end = 4 + int.from_bytes(blob[:4])
        found.append(blob[4:end])
        blob = blob[end:]
    return found


def _flavors(page: bytes, _: str, view: View) -> Mapped:
    found = flavors([page], view.place)
    view.known.flavors |= names_to_ids(found)
    return found


def _learn_groups(page: bytes, _: str, view: View) -> None:
    for group in rows([page], "server_groups", _ServerGroup)[0]:
        members = [] if isinstance(group.members, UnsetType) else group.members
        view.known.server_group_of |= dict.fromkeys(members, group.id)


def _learn_servers(page: bytes, _: str, view: View) -> None:
    view.known.servers_listed |= row_ids([page], "servers")
    for row in rows([page], "servers", _Server)[0]:
        view.known.volumes_attached.update(v.id for v in row.volumes)
        if row.tenant_id and isinstance(row.hypervisor, str):
            view.known.projects_on.setdefault(row.hypervisor, set()).add(row.tenant_id)
        if not isinstance(row.addresses, UnsetType) and any(row.addresses.values()):
            view.known.servers_with_addresses.add(row.id)


def _servers(page: bytes, _: str, view: View) -> Mapped:
    known = view.known
    partners = Partners(
        hypervisors=known.hypervisors,
        flavors=known.flavors,
        groups=known.server_group_of if view.came("server_group") else None,
        architectures=known.architectures if view.came("image") else None,
    )
    found = servers([page], partners, view.place)
    down = sum(isinstance(r.name, Unknown) for r in found.resources)
    if down:
        found.problems.append(f"{down} 台云主机所在的 cell 没有应答，只知道编号")
    return found


ROWS: tuple[Row, ...] = (
    Row(
        name="flavor",
        kind="flavor",
        ask=ask("/flavors/detail", "flavors", is_public="None", limit=PAGE),
        sight="flavors",
        map=_flavors,
    ),
    Row(
        name="server_group",
        kind="server_group",
        ask=ask("/os-server-groups", "server_groups", all_projects="True", limit=PAGE, offset="0"),
        sight="compute",
        learn=_learn_groups,
        map=lambda page, _, view: server_groups([page], view.place),
    ),
    Row(
        name="server",
        kind="server",
        ask=ask("/servers/detail", "servers", all_tenants="1", limit=PAGE),
        sight="servers",
        instead=ask("/servers/detail", "servers", limit=PAGE),
        after=("image",),
        learn=_learn_servers,
        map=_servers,
    ),
)
PER_USER: tuple[Row, ...] = (
    Row(
        name="key_pair",
        kind="key_pair",
        # there is no list of all: an administrator may ask for those of each user
        ask=ask("/os-keypairs", "keypairs", user_id="{}", limit=PAGE),
        each=users_first,
        along="user",
        sight="compute",
        after=("user",),
        map=lambda page, user, view: key_pairs([page], user, view.place),
    ),
)

"""What the platform and its customers share, and what customers may do themselves: addresses that the
platform is managed at held against customers' networks; the network service's extensions, and who filters."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import msgspec

from collectors.openstack.listing import rows
from collectors.openstack.row import View
from inventory.kinds.cloud import Cloud
from inventory.unknown import UNKNOWN, Maybe


class _Extension(msgspec.Struct):
    alias: str


class _Network(msgspec.Struct):
    id: str
    external: bool | None = msgspec.field(name="router:external", default=None)
    type: str | None = msgspec.field(name="provider:network_type", default=None)


class _Group(msgspec.Struct):
    name: str = ""
    project_id: str | None = None


def learn_features(page: bytes, _: str, view: View) -> None:
    """Extensions that neutron has loaded."""
    view.known.features.update(row.alias for row in rows([page], "extensions", _Extension)[0])


def learn_grounded(page: bytes, view: View) -> None:
    """Networks whose addresses are those of the site: external ones, and those without tunnel or tag. What is
    in an overlay or a VLAN of a customer's own may repeat any address."""
    found = rows([page], "networks", _Network)[0]
    view.known.grounded.update(row.id for row in found if row.external or row.type == "flat")


def learn_filtering(page: bytes, _: str, view: View) -> None:
    """Projects with a security group that neutron did not make for them."""
    found = rows([page], "security_groups", _Group)[0]
    view.known.filtering.update(r.project_id for r in found if r.project_id and r.name != "default")


def with_policies(platform: Cloud, view: View) -> Cloud:
    """The platform, with what the network service was seen to let customers do."""
    known = view.known
    if view.came("feature"):
        platform.network_features = sorted(known.features)
    if known.filtering - {view.facts.project_id}:
        platform.customers_filter = True
    elif view.whole("security_group", "security_group", "network"):
        platform.customers_filter = False
    return platform


def nodes(view: View) -> dict[str, str] | None:
    """Compute host → the address that nova manages it at; None unless all were seen."""
    proof = view.proofs.get("hypervisors")
    whole = proof is not None and proof.everything and view.came("hypervisor_name")
    return view.known.node_addresses if whole else None


def own_addresses(view: View) -> set[str]:
    """Addresses of the platform: of compute nodes, and of endpoints that are not for customers."""
    found = set(view.known.node_addresses.values())
    for service in view.facts.catalogue:
        for endpoint in service.endpoints:
            if endpoint.interface != "public":
                found.add(urlsplit(endpoint.url).hostname or "")
    return {text for text in found if _is_address(text)}


def within(view: View, network: str, prefix: str) -> Maybe[list[str]]:
    """The platform's addresses in a prefix of one network; UNKNOWN unless all networks and nodes were
    seen."""
    if not view.whole("network", "network", "network"):
        return UNKNOWN
    if network not in view.known.grounded:
        return []
    block = ip_network(prefix, strict=False)
    inside = sorted(text for text in own_addresses(view) if ip_address(text) in block)
    return inside if inside or nodes(view) else UNKNOWN


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

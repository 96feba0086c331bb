"""Load Balancer API v2.0 answers → load balancers with their listeners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.listing import PAGE, Ask, Mapped, Place, mapped, moment, rows, seen
from collectors.openstack.row import Row, View
from collectors.openstack.sight import BALANCER_REMEDY
from inventory.kinds.address import Address, address_of
from inventory.kinds.virtual_network import BalancerListener, LoadBalancer
from inventory.unknown import UNKNOWN, Maybe


class _Id(msgspec.Struct):
    id: str


class _Vip(msgspec.Struct):
    ip_address: str


class _Balancer(msgspec.Struct):
    id: str
    name: str | None = None
    project_id: str | None = None
    operating_status: str | UnsetType = UNSET
    provisioning_status: str | UnsetType = UNSET
    provider: str | UnsetType | None = UNSET
    vip_address: str | UnsetType | None = UNSET
    vip_network_id: str | None = None
    vip_port_id: str | None = None
    additional_vips: list[_Vip] | None = None
    pools: list[_Id] | UnsetType = UNSET
    created_at: datetime | UnsetType | None = UNSET


class _Listener(msgspec.Struct):
    id: str
    loadbalancers: list[_Id] = msgspec.field(default_factory=list)
    protocol: str | UnsetType = UNSET
    protocol_port: int | UnsetType = UNSET
    tls_versions: list[str] | UnsetType | None = UNSET
    tls_ciphers: str | UnsetType | None = UNSET
    allowed_cidrs: list[str] | UnsetType | None = UNSET
    insert_headers: dict[str, Any] | UnsetType | None = UNSET
    client_authentication: str | UnsetType | None = UNSET
    default_tls_container_ref: str | UnsetType | None = UNSET
    sni_container_refs: list[str] | None = None
    client_ca_tls_container_ref: str | None = None

    def references(self) -> Iterator[str]:
        """Ids of what the listener takes from the key manager; references are URLs."""
        first = self.default_tls_container_ref
        for one in (first, self.client_ca_tls_container_ref, *(self.sni_container_refs or ())):
            if isinstance(one, str) and one:
                yield one.rstrip("/").rpartition("/")[2]


def listeners(pages: list[bytes]) -> tuple[dict[str, list[BalancerListener]], list[str]]:
    """Listeners by load balancer, and a text for each that is not as it should be."""
    found, problems = rows(pages, "listeners", _Listener)
    result: dict[str, list[BalancerListener]] = {}
    for row in sorted(found, key=lambda r: r.id):
        for balancer in row.loadbalancers:
            result.setdefault(balancer.id, []).append(_listener(row))
    return result, problems


def certificates(pages: list[bytes]) -> set[str]:
    """Ids, in the key manager, that some listener refers to."""
    return {one for row in rows(pages, "listeners", _Listener)[0] for one in row.references()}


def _listener(row: _Listener) -> BalancerListener:
    versions, headers = row.tls_versions, row.insert_headers
    told = not isinstance(row.default_tls_container_ref, UnsetType)
    return BalancerListener(
        id=row.id,
        protocol=seen(row.protocol),
        port=seen(row.protocol_port),
        tls_versions=UNKNOWN if isinstance(versions, UnsetType) else sorted(versions or []),
        tls_ciphers=seen(row.tls_ciphers),
        # no list, or an empty one, lets everybody in
        allowed_prefixes=UNKNOWN
        if isinstance(row.allowed_cidrs, UnsetType)
        else sorted(row.allowed_cidrs or []) or None,
        insert_headers=UNKNOWN if isinstance(headers, UnsetType) else sorted(headers or {}),
        client_authentication=seen(row.client_authentication),
        certificates=sorted(set(row.references())) if told else UNKNOWN,
    )


def load_balancers(
    pages: list[bytes], heard: Mapping[str, list[BalancerListener]] | None, place: Place
) -> Mapped:
    """Load balancers. ``heard`` holds the listeners by load balancer (None = they were not all seen)."""

    def make(row: _Balancer) -> LoadBalancer:
        return LoadBalancer(
            source=place.source,
            native_id=row.id,
            name=row.name or "",
            labels=place.labels,
            relations=place.relations(
                ("in_project", "project", row.project_id),
                ("in_network", "network", row.vip_network_id),
                ("attached_to", "port", row.vip_port_id),
            ),
            status=seen(row.operating_status),
            provisioning_status=seen(row.provisioning_status),
            provider=seen(row.provider),
            addresses=_addresses(row),
            listeners=UNKNOWN if heard is None else list(heard.get(row.id, [])),
            pools=UNKNOWN if isinstance(row.pools, UnsetType) else len(row.pools),
            created_at=UNKNOWN if isinstance(row.created_at, UnsetType) else moment(row.created_at),
        )

    return mapped(pages, "loadbalancers", _Balancer, make, place.clean)


def _addresses(row: _Balancer) -> Maybe[list[Address]]:
    if isinstance(row.vip_address, UnsetType):
        return UNKNOWN
    vips = [row.vip_address] if row.vip_address else []
    vips += [vip.ip_address for vip in row.additional_vips or ()]
    return sorted(map(address_of, vips), key=lambda a: (str(a.family), str(a.address)))


def _learn_listeners(page: bytes, _: str, view: View) -> None:
    found, problems = listeners([page])
    for balancer, heard in found.items():
        view.known.listeners.setdefault(balancer, []).extend(heard)
    view.known.listener_keys |= certificates([page])
    view.odd["listener"] = view.odd.get("listener", 0) + len(problems)


def _ask(path: str, key: str) -> Ask:
    return Ask(service="load-balancer", path=f"/lbaas/{path}", key=key, params={"limit": PAGE})


ROWS: tuple[Row, ...] = (
    Row(
        name="listener",
        ask=_ask("listeners", "listeners"),
        learn=_learn_listeners,
        adds={"load_balancer": "监听器没有读到"},
    ),
    Row(
        name="load_balancer",
        kind="load_balancer",
        ask=_ask("loadbalancers", "loadbalancers"),
        sight="balancers",
        remedy=BALANCER_REMEDY,
        map=lambda page, _, view: load_balancers(
            [page],
            view.known.listeners if view.whole("listener", "listener", "balancers") else None,
            view.place,
        ),
    ),
)

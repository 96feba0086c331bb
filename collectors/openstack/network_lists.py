"""The lists of the network service, in the order in which one needs what another tells."""

from __future__ import annotations

from collectors.openstack import address_usage, doubt, levels, network, planes, platform, trunk
from collectors.openstack.listing import PAGE, Ask, row_ids
from collectors.openstack.row import Row, View
from inventory.coverage import Status


def _learn_sharing(page: bytes, _: str, view: View) -> None:
    shares, problems = trunk.shared_with([page])
    for type_, things in shares.items():
        for thing, projects in things.items():
            view.known.shares.setdefault(type_, {}).setdefault(thing, set()).update(projects)
    view.odd["sharing"] = view.odd.get("sharing", 0) + len(problems)


def _shares(view: View, type_: str) -> network.Shares | None:
    return view.known.shares.get(type_, {}) if view.whole("sharing", "sharing", "network") else None


def _learn_trunks(page: bytes, _: str, view: View) -> None:
    view.known.trunks |= trunk.trunk_of_port([page])


def _trunks(view: View) -> dict[str, str] | None:
    error = view.ended.get("trunk")
    if error is not None and error.status is Status.UNSUPPORTED:
        return {}  # no extension, no trunks
    return view.known.trunks if view.whole("trunk", "trunk", "network") else None


def _learn_networks(page: bytes, _: str, view: View) -> None:
    view.known.external |= network.external([page])
    planes.learn_grounded(page, view)


def _learn_floating(page: bytes, _: str, view: View) -> None:
    for of, pool in address_usage.pools([page]).items():
        view.known.floating.setdefault(of, []).extend(pool)


def _learn_usage(page: bytes, _: str, view: View) -> None:
    known = view.known
    all_seen = all(view.whole(kind, kind, "network") for kind in ("network", "floating_ip"))
    external = known.external if all_seen else set()
    known.address_amounts |= address_usage.amounts([page], known.floating, external)


def _learn_subnets(page: bytes, _: str, view: View) -> None:
    view.known.prefix_lengths |= network.prefix_lengths([page])


def _learn_ports(page: bytes, _: str, view: View) -> None:
    view.known.ports_listed += len(row_ids([page], "ports"))
    view.known.groups_in_use |= network.groups_in_use([page])
    view.known.devices_with_ports |= network.devices([page])


def _groups_in_use(view: View) -> set[str] | None:
    """None unless all ports were seen."""
    proof = view.proofs.get("network")
    if proof is None or not view.whole("port", "port", "network"):
        return None
    return view.known.groups_in_use if doubt.ports(proof, view.known).everything else None


def _ask(path: str, key: str) -> Ask:
    return Ask(service="network", path=path, key=key, params={"limit": PAGE})


ROWS: tuple[Row, ...] = (
    Row(
        name="feature",
        ask=Ask(service="network", path="/extensions", key="extensions"),
        learn=planes.learn_features,
        adds={"cloud": "网络服务的扩展没有读到"},
    ),
    Row(
        name="sharing",
        ask=_ask("/rbac-policies", "rbac_policies"),
        learn=_learn_sharing,
        adds=dict.fromkeys(("network", "security_group"), "共享策略没有读到"),
    ),
    Row(
        name="trunk",
        kind="trunk",
        ask=_ask("/trunks", "trunks"),
        sight="network",
        learn=_learn_trunks,
        map=lambda page, _, view: trunk.trunks([page], view.place),
    ),
    Row(
        name="qos_policy",
        kind="qos_policy",
        ask=_ask("/qos/policies", "policies"),
        sight="network",
        map=lambda page, _, view: trunk.qos_policies([page], view.place),
    ),
    Row(
        name="network",
        kind="network",
        ask=_ask("/networks", "networks"),
        sight="network",
        learn=_learn_networks,
        after=("project",),
        map=lambda page, _, view: network.networks(
            [page], view.place, _shares(view, "network"), levels.declared(view)
        ),
    ),
    Row(
        name="floating_ip",
        kind="floating_ip",
        ask=_ask("/floatingips", "floatingips"),
        sight="network",
        learn=_learn_floating,
        map=lambda page, _, view: network.floating_ips([page], view.place),
    ),
    Row(
        name="address_usage",
        # its rows have no id to page by
        ask=Ask(service="network", path="/network-ip-availabilities", key="network_ip_availabilities"),
        learn=_learn_usage,
        adds={"subnet": "地址用量没有读到"},
    ),
    Row(
        name="subnet",
        kind="subnet",
        ask=_ask("/subnets", "subnets"),
        sight="network",
        learn=_learn_subnets,
        after=("hypervisor_name",),
        map=lambda page, _, view: network.subnets(
            [page],
            view.place,
            view.known.address_amounts,
            lambda of, prefix: planes.within(view, of, prefix),
        ),
    ),
    Row(
        name="port",
        kind="port",
        ask=_ask("/ports", "ports"),
        sight="network",
        learn=_learn_ports,
        map=lambda page, _, view: network.ports([page], view.known.prefix_lengths, view.place, _trunks(view)),
    ),
    Row(
        name="router",
        kind="router",
        ask=_ask("/routers", "routers"),
        sight="network",
        map=lambda page, _, view: network.routers([page], view.place),
    ),
    Row(
        name="network.agent",
        kind="platform_service",
        ask=Ask(service="network", path="/agents", key="agents"),
        sight="network",
        after=("hypervisor_name",),
        map=lambda page, _, view: platform.agents([page], view.place, planes.nodes(view)),
    ),
    Row(
        name="security_group",
        kind="security_group",
        ask=_ask("/security-groups", "security_groups"),
        sight="network",
        learn=planes.learn_filtering,
        after=("server",),  # all servers must be known for ports to be held against them
        map=lambda page, _, view: network.security_groups(
            [page], _groups_in_use(view), view.place, _shares(view, "security_group")
        ),
    ),
)

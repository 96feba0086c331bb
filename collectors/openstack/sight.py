"""Proving what a credential sees.

OpenStack answers many a list with fewer rows, or none, and no error, where the credential may not see
them. So an answer of 200 proves nothing. What does prove it, service by service:

* keystone refuses (403) whoever may not list; only a domain-scoped token gets a silent part.
* nova refuses ``all_tenants`` without the permission, but hides private flavors from all but admins.
* cinder drops ``all_tenants`` silently unless its context is an admin's: asked is an admin-only call.
* neutron scopes every list to the token's project unless its context is an admin's; reading the quota of
  another project asks for exactly that property of the context.
* glance likewise; its tasks call is for admins only.

Then the services are held against each other: a disk that a server carries must be among the volumes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from collectors.contract import DeadlineError, Run
from collectors.openstack.client import TITLES, Client, Facts, Response, ServiceError, ServiceName
from inventory.coverage import Status
from inventory.evidence import Evidence

KINDS_OF: dict[ServiceName, tuple[str, ...]] = {
    "identity": ("project", "user", "application_credential"),
    "compute": ("flavor", "hypervisor", "server"),
    "volume": ("volume",),
    "network": ("network", "subnet", "port", "security_group", "floating_ip", "router"),
    "image": ("image",),
}
NOBODY = "0" * 32  # a project that cannot exist
REMEDY = "给采集凭据 admin 角色（建议用 admin 的应用凭据，只作读取），或在该服务的策略里让该角色看见所有项目"


class Proof(msgspec.Struct, kw_only=True, frozen=True):
    """Whether one kind is seen whole. Where not, why, and the status that its collection gets at best."""

    everything: bool
    reason: str = ""
    remedy: str = ""
    status: Status = Status.DENIED
    evidence: tuple[Evidence, ...] = ()


class Asked(msgspec.Struct, kw_only=True, frozen=True):
    """How one proving call ended: its HTTP status, or the error."""

    status: int = 0
    body: bytes = b""
    error: ServiceError | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.status == 200


def prove(
    client: Client, run: Run, facts: Facts, service: ServiceName, admin_roles: list[str]
) -> dict[str, Proof]:
    """A proof for each kind of one service, from a few small calls."""
    absent = missing(facts, service)
    if absent is not None:
        return dict.fromkeys(KINDS_OF[service], absent)
    admin = facts.project_id is not None and not set(admin_roles).isdisjoint(facts.roles)

    def ask(path: str, params: Mapping[str, str] | None = None) -> Asked:
        return _ask(client, run, service, path, params or {})

    return _PROVERS[service](ask, facts, admin)


def missing(facts: Facts, service: ServiceName) -> Proof | None:
    """Why a service that the catalogue does not offer is not read; None where it does."""
    if facts.has(service):
        return None
    if facts.project_id is None:
        # an endpoint with a project id in it is left out of a catalogue without a project
        return Proof(
            everything=False,
            reason=f"令牌不属于任何项目，目录里看不到{TITLES[service]}，不能断定它不存在",
            remedy="换用项目范围的凭据：" + REMEDY,
        )
    where = f"区域 {facts.region} " if facts.region else ""
    return Proof(everything=False, reason=f"{where}的目录里没有{TITLES[service]}", status=Status.UNSUPPORTED)


def _ask(client: Client, run: Run, service: ServiceName, path: str, params: Mapping[str, str]) -> Asked:
    try:
        response: Response = client.get(service, path, params)
    except ServiceError as error:
        return Asked(error=error)
    except DeadlineError as error:
        return Asked(error=ServiceError(error.reason, error.remedy))
    origin = f"GET {service} {path}"
    evidence = run.evidence(response.body, origin=f"{origin} → {response.status}")
    return Asked(status=response.status, body=response.body, evidence=(evidence,))


Ask = Callable[..., Asked]


def _told(asked: Asked, everything: bool, reason: str) -> Proof:
    """A proof out of one answer; where the service did not answer at all, that is the reason."""
    if asked.error is not None:
        return Proof(
            everything=False, reason=asked.error.reason, remedy=asked.error.remedy, status=asked.error.status
        )
    if everything:
        return Proof(everything=True, evidence=asked.evidence)
    return Proof(everything=False, reason=reason, remedy=REMEDY, evidence=asked.evidence)


def only_part(facts: Facts) -> str:
    """What a token without sight of everything sees, in words."""
    if facts.project_id is None:
        return "系统范围的令牌不属于任何项目，该服务只答复空列表而不报错"
    return f"凭据（角色 {'、'.join(facts.roles) or '无'}）只看见项目 {facts.project_name} 自己的"


def _identity(ask: Ask, facts: Facts, admin: bool) -> dict[str, Proof]:
    whole = facts.system or admin
    projects = ask("/projects", {"name": NOBODY})
    users = ask("/users", {"name": NOBODY})
    kept = "域范围的令牌只看见本域" if projects.allowed or users.allowed else only_part(facts)
    account = _told(users, users.allowed and whole, kept)
    return {
        "project": _told(projects, projects.allowed and whole, kept),
        "user": account,
        "application_credential": account,
    }


def _compute(ask: Ask, facts: Facts, admin: bool) -> dict[str, Proof]:
    servers = ask("/servers", {"all_tenants": "1", "limit": "1"})
    hypervisors = ask("/os-hypervisors")
    return {
        "flavor": _told(hypervisors, hypervisors.allowed and admin, "私有规格只给管理员看"),
        "hypervisor": _told(hypervisors, hypervisors.allowed, "计算节点只给管理员看"),
        "server": _told(servers, servers.allowed, only_part(facts)),
    }


def _volume(ask: Ask, facts: Facts, admin: bool) -> dict[str, Proof]:
    services = ask("/os-services")
    return {"volume": _told(services, services.allowed and admin, only_part(facts))}


def _network(ask: Ask, facts: Facts, admin: bool) -> dict[str, Proof]:
    quota = ask(f"/quotas/{NOBODY}/details")
    if quota.status in (404, 405):  # extension quota_details is not loaded
        agents = ask("/agents")
        proof = _told(agents, _count(agents, "agents") > 0 and admin, only_part(facts))
    else:
        proof = _told(quota, quota.allowed, only_part(facts))
    return dict.fromkeys(KINDS_OF["network"], proof)


def _image(ask: Ask, facts: Facts, admin: bool) -> dict[str, Proof]:
    tasks = ask("/tasks", {"limit": "1"})
    return {"image": _told(tasks, tasks.allowed and admin, "别的项目的私有镜像看不见")}


_PROVERS: dict[ServiceName, Callable[[Ask, Facts, bool], dict[str, Proof]]] = {
    "identity": _identity,
    "compute": _compute,
    "volume": _volume,
    "network": _network,
    "image": _image,
}


def _count(asked: Asked, key: str) -> int:
    if not asked.allowed:
        return 0
    try:
        rows = msgspec.json.decode(asked.body, type=dict[str, list[msgspec.Raw]]).get(key, [])
    except msgspec.DecodeError:
        return 0
    return len(rows)


def doubt_volumes(proof: Proof, seen: set[str], attached: set[str]) -> Proof:
    """Disks that servers carry must be among the volumes seen."""
    lost = len(attached - seen)
    if not (proof.everything and lost):
        return proof
    return Proof(
        everything=False,
        reason=f"云主机上挂着 {lost} 块不在列表里的云硬盘",
        remedy=REMEDY,
        status=Status.PARTIAL if seen else Status.DENIED,
    )


def doubt_ports(proof: Proof, ports: int, servers_with_addresses: int) -> Proof:
    """A server with an address has a port."""
    if not proof.everything or ports >= servers_with_addresses:
        return proof
    return Proof(
        everything=False,
        reason=f"{servers_with_addresses} 台云主机有地址，却只看见 {ports} 个端口",
        remedy=REMEDY,
        status=Status.PARTIAL if ports else Status.DENIED,
    )


def settle(
    proof: Proof, count: int, error: ServiceError | None, problems: list[str], unit: str
) -> tuple[Status, str, str]:
    """Status, reason and remedy of one kind: complete only where the list came to its end, every row
    could be read, and the credential was shown to see everything."""
    if error is not None:
        if error.status is Status.DENIED:
            return Status.DENIED, _with_count(error.reason, count, unit), error.remedy or REMEDY
        return Status.PARTIAL if count else error.status, error.reason, error.remedy
    if not proof.everything:
        status = Status.PARTIAL if proof.status is Status.FAILED and count else proof.status
        return status, _with_count(proof.reason, count, unit), proof.remedy
    if problems:
        shown = "；".join(problems[:3])
        return Status.PARTIAL, f"{len(problems)} 行看不懂：{shown}", "把这一行的内容告诉开发者"
    return Status.COMPLETE, "", ""


def _with_count(reason: str, count: int, unit: str) -> str:
    seen = f"看见 {count} 个{unit}，不等于只有这些" if count else f"没有看见{unit}，不等于没有"
    return f"{reason}；{seen}"


def wrong_region(facts: Facts) -> list[str]:
    """Regions to choose from where the catalogue has several and none was chosen: the SDK would take one
    and the others would silently be missing. [] where all is well."""
    regions = sorted({e.region for s in facts.catalogue for e in s.endpoints if s.type != "identity"} - {""})
    return regions if len(regions) > 1 and facts.region not in regions else []

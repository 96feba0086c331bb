"""Proving what a credential sees.

OpenStack answers many a list with fewer rows, or none, and no error, where the credential may not see
them. So an answer of 200 proves nothing. What does prove it, service by service:

* keystone refuses (403) whoever may not list; only a domain-scoped token gets a silent part.
* nova refuses ``all_tenants`` without the permission, but hides private flavors from all but admins.
* cinder drops ``all_tenants`` silently unless its context is an admin's: asked is an admin-only call.
* neutron scopes every list to the token's project unless its context is an admin's; reading the quota of
  another project asks for exactly that property of the context.
* glance likewise; its tasks call is for admins only.
* octavia narrows to the token's project, but refuses to filter by another one.
* designate refuses ``all_projects``.
* manila narrows as cinder does: its list of services is for admins only.
* barbican lists the token's project and nothing else, whoever asks: never whole.
* swift refuses another project's account.

Then the services are held against each other (``doubt``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec

from collectors.contract import DeadlineError, Run
from collectors.openstack.client import TITLES, Client, Facts, Response, ServiceError, ServiceName
from inventory.coverage import Status
from inventory.decoding import from_json
from inventory.evidence import Evidence

NOBODY = "0" * 32  # a project that cannot exist
BALANCER_REMEDY = "给采集凭据 load-balancer_global_observer 角色，或 admin 角色"
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


class Sight(msgspec.Struct, kw_only=True, frozen=True):
    """What proves that lists are answered whole: a call that is allowed (200) only to those who see
    everything, and the rank that the token must have besides.

    ``rank`` "admin": a project-scoped token with a role of ``admin_roles``; "whole": that, or system scope;
    "nobody": a service without any list of everything.
    """

    service: ServiceName
    path: str
    params: dict[str, str] = {}
    microversion: str = ""
    rank: Literal["", "admin", "whole", "nobody"] = ""
    older: tuple[str, str] = ("", "")  # where the path is not there: a list that others get empty, its key
    reason: Callable[[Facts], str]  # in words, where it is refused (中文)
    remedy: str = REMEDY


def prove(
    client: Client,
    run: Run,
    facts: Facts,
    service: ServiceName,
    admin_roles: list[str],
    names: Iterable[str] | None = None,
) -> dict[str, Proof]:
    """A proof for each of these sights of one service (None = for all of it), by a few small calls."""
    wanted = {
        name: sight
        for name, sight in SIGHTS.items()
        if sight.service == service and (names is None or name in names)
    }
    absent = missing(facts, service)
    if absent is not None:
        return dict.fromkeys(wanted, absent)
    admin = facts.project_id is not None and not set(admin_roles).isdisjoint(facts.roles)
    ranks = {"": True, "admin": admin, "whole": admin or facts.system, "nobody": False}
    asked: dict[tuple[str, tuple[tuple[str, str], ...]], Asked] = {}

    def ask(path: str, params: Mapping[str, str], microversion: str) -> Asked:
        key = (path, tuple(sorted(params.items())))
        if key not in asked:
            asked[key] = _ask(client, run, service, path, params, microversion)
        return asked[key]

    proofs = {}
    for name, sight in wanted.items():
        answer = ask(sight.path, sight.params, sight.microversion)
        allowed = answer.allowed and ranks[sight.rank]
        if answer.status in (404, 405) and sight.older[0]:
            answer = ask(sight.older[0], {}, "")
            allowed = admin and _count(answer, sight.older[1]) > 0
        proofs[name] = _told(answer, allowed, sight.reason(facts), sight.remedy)
    return proofs


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


def _ask(
    client: Client, run: Run, service: ServiceName, path: str, params: Mapping[str, str], microversion: str
) -> Asked:
    try:
        response: Response = client.get(service, path, params, microversion)
    except ServiceError as error:
        return Asked(error=error)
    except DeadlineError as error:
        return Asked(error=ServiceError(error.reason, error.remedy))
    origin = f"GET {service} {path}"
    evidence = run.evidence(response.body, origin=f"{origin} → {response.status}")
    return Asked(status=response.status, body=response.body, evidence=(evidence,))


def _told(asked: Asked, everything: bool, reason: str, remedy: str) -> Proof:
    """A proof out of one answer; where the service did not answer at all, that is the reason."""
    if asked.error is not None:
        return Proof(
            everything=False, reason=asked.error.reason, remedy=asked.error.remedy, status=asked.error.status
        )
    if everything:
        return Proof(everything=True, evidence=asked.evidence)
    return Proof(everything=False, reason=reason, remedy=remedy, evidence=asked.evidence)


def only_part(facts: Facts) -> str:
    """What a token without sight of everything sees, in words."""
    if facts.project_id is None:
        return "系统范围的令牌不属于任何项目，该服务只答复空列表而不报错"
    return f"凭据（角色 {'、'.join(facts.roles) or '无'}）只看见项目 {facts.project_name} 自己的"


def _part(text: str) -> Callable[[Facts], str]:
    return lambda _: text


def _part_of_secrets(facts: Facts) -> str:
    if facts.project_id is None:
        return only_part(facts)
    return f"密钥服务没有列出全部项目的接口，只列出项目 {facts.project_name} 自己的"


def _part_of_identity(facts: Facts) -> str:
    if facts.system or facts.project_id is not None:
        return only_part(facts)
    return "域范围的令牌只看见本域"


SIGHTS: dict[str, Sight] = {
    "projects": Sight(
        service="identity",
        path="/projects",
        params={"name": NOBODY},
        rank="whole",
        reason=_part_of_identity,
    ),
    "users": Sight(
        service="identity", path="/users", params={"name": NOBODY}, rank="whole", reason=_part_of_identity
    ),
    "servers": Sight(
        service="compute", path="/servers", params={"all_tenants": "1", "limit": "1"}, reason=only_part
    ),
    "hypervisors": Sight(service="compute", path="/os-hypervisors", reason=_part("计算节点只给管理员看")),
    "flavors": Sight(
        service="compute", path="/os-hypervisors", rank="admin", reason=_part("私有规格只给管理员看")
    ),
    "compute": Sight(service="compute", path="/os-hypervisors", rank="admin", reason=only_part),
    "volumes": Sight(service="volume", path="/os-services", rank="admin", reason=only_part),
    "network": Sight(
        service="network",
        path=f"/quotas/{NOBODY}/details",
        older=("/agents", "agents"),  # where the extension quota_details is not loaded
        reason=only_part,
    ),
    "images": Sight(
        service="image",
        path="/tasks",
        params={"limit": "1"},
        rank="admin",
        reason=_part("别的项目的私有镜像看不见"),
    ),
    "balancers": Sight(
        service="load-balancer",
        path="/lbaas/loadbalancers",
        params={"project_id": NOBODY, "limit": "1"},
        reason=only_part,
        remedy=BALANCER_REMEDY,
    ),
    "zones": Sight(
        service="dns", path="/zones", params={"all_projects": "true", "limit": "1"}, reason=only_part
    ),
    "shares": Sight(service="share", path="/services", microversion="2.45", rank="admin", reason=only_part),
    "secrets": Sight(
        service="key-manager",
        path="/secrets",
        params={"limit": "1"},
        rank="nobody",
        reason=_part_of_secrets,
        remedy="barbican 只能按项目列出：每个要看密钥的项目各配一个来源",
    ),
}
"""By name, as ``Row.sight`` says it."""


def _count(asked: Asked, key: str) -> int:
    if not asked.allowed:
        return 0
    try:
        rows = from_json(asked.body, dict[str, list[msgspec.Raw]]).get(key, [])
    except msgspec.DecodeError:
        return 0
    return len(rows)


def settle(
    proof: Proof, count: int, error: ServiceError | None, problems: int, shown: list[str], unit: str
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
        return Status.PARTIAL, f"{problems} 行看不懂：{'；'.join(shown)}", "把这一行的内容告诉开发者"
    return Status.COMPLETE, "", ""


def _with_count(reason: str, count: int, unit: str) -> str:
    seen = f"看见 {count} 个{unit}，不等于只有这些" if count else f"没有看见{unit}，不等于没有"
    return f"{reason}；{seen}"


def wrong_region(facts: Facts) -> list[str]:
    """Regions to choose from where the catalogue has several and none was chosen: the SDK would take one
    and the others would silently be missing. [] where all is well."""
    regions = sorted({e.region for s in facts.catalogue for e in s.endpoints if s.type != "identity"} - {""})
    return regions if len(regions) > 1 and facts.region not in regions else []

"""Identity API v3 answers → who may do what: roles, role assignments, application credentials, trusts.

Keystone keeps no date of making for application credentials, and what a role allows is in the services'
policy files: those fields stay unknown.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.listing import Ask, Mapped, Place, mapped, row_ids, rows
from collectors.openstack.row import Row, View, users_first
from inventory.decoding import from_json
from inventory.kinds.identity import AccessRule, ApplicationCredential, Role, RoleAssignment, Trust
from inventory.unknown import UNKNOWN, Maybe

_BUILTIN = ("admin", "manager", "member", "reader", "service")  # what keystone's bootstrap makes
_MOST_TRUSTS = 500  # the orchestration service makes one a stack; their roles cost a call each


class _Named(msgspec.Struct):
    id: str
    name: str = ""


class _Scope(msgspec.Struct):
    project: _Named | None = None
    domain: _Named | None = None
    system: dict[str, Any] | None = None
    inherited: str = msgspec.field(name="OS-INHERIT:inherited_to", default="")


class _Links(msgspec.Struct):
    assignment: str = ""


class _Assignment(msgspec.Struct):
    role: _Named
    user: _Named | None = None
    group: _Named | None = None
    scope: _Scope = msgspec.field(default_factory=_Scope)
    links: _Links = msgspec.field(default_factory=_Links)


class _Role(msgspec.Struct):
    id: str
    name: str
    domain_id: str | None = None


class _Inference(msgspec.Struct):
    prior_role: _Named
    implies: list[_Named]


class _AccessRule(msgspec.Struct):
    service: str
    method: str
    path: str


class _Credential(msgspec.Struct):
    id: str
    name: str
    project_id: str | None = None
    unrestricted: bool | UnsetType | None = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    roles: list[_Named] | UnsetType = UNSET
    access_rules: list[_AccessRule] | UnsetType | None = UNSET


class _Trust(msgspec.Struct):
    id: str
    trustor: str = msgspec.field(name="trustor_user_id")
    trustee: str = msgspec.field(name="trustee_user_id")
    project: str | None = msgspec.field(name="project_id", default=None)
    impersonation: bool | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    remaining_uses: int | UnsetType | None = UNSET
    redelegations: int | UnsetType = msgspec.field(name="redelegation_count", default=UNSET)
    roles: list[_Named] | UnsetType = UNSET


def roles(
    pages: list[bytes], implied: dict[str, list[str]] | None, domains: dict[str, str], place: Place
) -> Mapped:
    """Roles; ``implied`` (role name → names) None where it could not be read."""

    def make(row: _Role) -> Role:
        return place.make(
            Role,
            row,
            relations=place.relations(("in_domain", "identity_domain", row.domain_id)),
            namespace=None,
            domain=domains.get(row.domain_id, row.domain_id) if row.domain_id else None,
            builtin=row.domain_id is None and row.name in _BUILTIN,
            implies=UNKNOWN if implied is None else sorted(implied.get(row.name, ())),
        )

    return mapped(pages, "roles", _Role, make, place.clean)


def implied_roles(page: bytes) -> dict[str, list[str]]:
    """Role name → names of the roles that it brings with it at once."""
    found, _ = rows([page], "role_inferences", _Inference)
    return {one.prior_role.name: [role.name for role in one.implies] for one in found}


def role_assignments(pages: list[bytes], place: Place) -> Mapped:
    """Role assignments as they were made: no group, inheritance or implied role resolved. Keystone leaves
    the name of a principal empty that is not there any more."""

    def make(row: _Assignment) -> RoleAssignment:
        principal = row.user or row.group
        path = urlsplit(row.links.assignment).path
        if principal is None or not path:
            raise ValueError("没有主体或链接")
        scope_type, scope = _scope(row.scope)
        domain_or_project = scope.id if scope else None
        return RoleAssignment(
            source=place.source,
            native_id=path.partition("/v3/")[2] or path.lstrip("/"),
            name=f"{principal.name or principal.id}：{row.role.name or row.role.id}",
            labels=place.labels,
            relations=place.relations(
                ("granted_to", "user" if row.user else "user_group", principal.id),
                ("grants", "role", row.role.id),
                ("in_project", "project", domain_or_project if scope_type == "project" else None),
                ("in_domain", "identity_domain", domain_or_project if scope_type == "domain" else None),
            ),
            principal_type="user" if row.user else "group",
            principal=principal.name or principal.id,
            principal_exists=bool(principal.name),
            role=row.role.name or row.role.id,
            scope_type=scope_type,
            scope_name=(scope.name or scope.id) if scope else None,
            inherited=bool(row.scope.inherited),
        )

    return mapped(pages, "role_assignments", _Assignment, make, place.clean)


def _scope(scope: _Scope) -> tuple[Any, _Named | None]:
    if scope.project is not None:
        return "project", scope.project
    if scope.domain is not None:
        return "domain", scope.domain
    if scope.system is not None:
        return "system", None
    raise ValueError("没有范围")


def application_credentials(pages: list[bytes], user_id: str, place: Place) -> Mapped:
    """Application credentials of one user; the API never tells their secrets."""

    def make(row: _Credential) -> ApplicationCredential:
        rules = row.access_rules
        return place.make(
            ApplicationCredential,
            row,
            relations=place.relations(
                ("in_project", "project", row.project_id), ("granted_to", "user", user_id)
            ),
            roles=_names(row.roles),
            project=row.project_id,
            unrestricted=UNKNOWN if isinstance(row.unrestricted, UnsetType) else bool(row.unrestricted),
            # keystone leaves the key out where no rule was set
            access_rules=None
            if not rules
            else [AccessRule(service=r.service, method=r.method, path=r.path) for r in rules],
        )

    return mapped(pages, "application_credentials", _Credential, make, place.clean)


def trusts(pages: list[bytes], place: Place) -> Mapped:
    """Trusts; a list of them does not tell their roles, the answer about one does."""

    def make(row: _Trust) -> Trust:
        return place.make(
            Trust,
            row,
            name=row.id,
            relations=place.relations(
                ("in_project", "project", row.project), ("granted_to", "user", row.trustee)
            ),
            roles=_names(row.roles),
        )

    return mapped(pages, "trusts", _Trust, make, place.clean)


def _names(roles: list[_Named] | UnsetType) -> Maybe[list[str]]:
    return UNKNOWN if isinstance(roles, UnsetType) else sorted(r.name or r.id for r in roles)


def _learn_implied(page: bytes, _: str, view: View) -> None:
    view.known.implied_roles |= implied_roles(page)


def _roles(page: bytes, _: str, view: View) -> Mapped:
    implied = view.known.implied_roles if view.came("implied_role") else None
    return roles([page], implied, view.known.domains, view.place)


def _learn_system(page: bytes, _: str, view: View) -> None:
    roles = view.known.roles
    for one in rows([page], "role_assignments", _Assignment)[0]:
        if one.scope.system is None:
            continue
        for principal, held in ((one.user, roles.users_on_system), (one.group, roles.groups_on_system)):
            if principal is not None:
                held.setdefault(principal.id, set()).add(one.role.name or one.role.id)


def _learn_trusts(page: bytes, _: str, view: View) -> None:
    view.known.trusts |= row_ids([page], "trusts")


def _many_trusts(page: bytes, _: str, view: View) -> Mapped:
    return trusts([page], view.place) if len(view.known.trusts) > _MOST_TRUSTS else Mapped()


def _one_trust(page: bytes, _: str, view: View) -> Mapped:
    return trusts([b'{"trusts":[' + from_json(page, dict[str, msgspec.Raw])["trust"] + b"]}"], view.place)


def _ask(path: str, key: str, **params: str) -> Ask:
    return Ask(service="identity", path=path, key=key, params=params)


_NOT_DELEGATED = "keystone 不让应用凭据读信任委托：用口令登录的管理员账户，或 system 范围的 reader"

BEFORE_USERS: tuple[Row, ...] = (
    Row(name="implied_role", ask=_ask("/role_inferences", "role_inferences"), learn=_learn_implied),
    Row(
        name="role",
        kind="role",
        ask=_ask("/roles", "roles", domain_id="{}"),
        each=lambda view: ["", *sorted(view.known.domains)],  # those of all domains, then each one's own
        along="identity_domain",
        map=_roles,
    ),
    Row(
        name="role_assignment",
        kind="role_assignment",
        ask=_ask("/role_assignments", "role_assignments", include_names="true"),
        sight="users",
        learn=_learn_system,
        map=lambda page, _, view: role_assignments([page], view.place),
        adds={"user": "系统范围的角色没有读到"},
    ),
)
ROWS: tuple[Row, ...] = (
    Row(
        name="trust",
        kind="trust",
        ask=_ask("/OS-TRUST/trusts", "trusts"),
        remedy=_NOT_DELEGATED,
        learn=_learn_trusts,
        map=_many_trusts,
    ),
    Row(
        name="trust.one",
        kind="trust",
        ask=_ask("/OS-TRUST/trusts/{}", ""),
        each=lambda view: sorted(view.known.trusts) if len(view.known.trusts) <= _MOST_TRUSTS else [],
        map=_one_trust,
    ),
    Row(
        name="application_credential",
        kind="application_credential",
        # there is no list of all; a user deleted meanwhile has none
        ask=_ask("/users/{}/application_credentials", "application_credentials"),
        each=users_first,
        along="user",
        sight="users",
        map=lambda page, user, view: application_credentials([page], user, view.place),
    ),
)

"""Identity API v3 answers → projects, users, application credentials, and the cloud itself."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.client import Facts
from collectors.openstack.known import Roles
from collectors.openstack.listing import Ask, Mapped, Place, mapped, moment, rows, seen
from collectors.openstack.row import Row, View
from inventory.kinds.cloud import Cloud, Endpoint, Project
from inventory.kinds.identity import ApplicationCredential, IdentityDomain, User
from inventory.resource import Relation
from inventory.unknown import UNKNOWN, Maybe

_LEVEL = re.compile(
    r"(?:djbh|dengbao|等保|等级保护|mlps)[-_:= ]*(?:level|级别|等级)?[-_:= ]*([1-5])", re.IGNORECASE
)
_SERVICE_PROJECTS = ("service", "services")


class _Domain(msgspec.Struct):
    id: str
    name: str
    enabled: bool | UnsetType = UNSET
    description: str | None = None


class _Project(msgspec.Struct):
    id: str
    name: str
    domain_id: str | None = None
    description: str | None = None
    enabled: bool | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    is_domain: bool = False


class _Options(msgspec.Struct):
    multi_factor_auth_enabled: bool | None = None
    multi_factor_auth_rules: list[list[str]] | None = None
    ignore_password_expiry: bool | None = None
    ignore_lockout_failure_attempts: bool | None = None
    ignore_user_inactivity: bool | None = None


class _User(msgspec.Struct):
    id: str
    name: str
    domain_id: str | None = None
    enabled: bool | UnsetType = UNSET
    default_project_id: str | None = None
    password_expires_at: datetime | UnsetType | None = UNSET
    options: _Options | UnsetType = UNSET


class _Named(msgspec.Struct):
    id: str
    name: str = ""


class _Scope(msgspec.Struct):
    project: _Named | None = None


class _Assignment(msgspec.Struct):
    role: _Named
    user: _Named | None = None
    scope: _Scope = msgspec.field(default_factory=_Scope)


class _Credential(msgspec.Struct):
    id: str
    name: str
    project_id: str | None = None
    unrestricted: bool | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    roles: list[_Named] | UnsetType = UNSET


def cloud(facts: Facts, place: Place) -> Cloud:
    """The platform as the catalogue of the token shows it; native id "cloud", there is one a source."""
    endpoints = [
        Endpoint(
            service=entry.type,
            interface=e.interface,
            region=e.region,
            url=e.url,
            encrypted=e.url.lower().startswith("https:"),
        )
        for entry in facts.catalogue
        for e in entry.endpoints
    ]
    return Cloud(
        source=place.source,
        native_id="cloud",
        name=place.source,
        labels=place.labels,
        software="openstack",
        services=sorted({entry.type for entry in facts.catalogue}),
        endpoints=endpoints,
    )


def domain_names(pages: list[bytes]) -> dict[str, str]:
    """Domain id → name."""
    return {d.id: d.name for d in rows(pages, "domains", _Domain)[0]}


def domains(pages: list[bytes], place: Place) -> Mapped:
    """Identity domains."""

    def make(row: _Domain) -> IdentityDomain:
        return place.make(IdentityDomain, row, description=place.clean(row.description or ""))

    return mapped(pages, "domains", _Domain, make, place.clean)


def projects(pages: list[bytes], domains: dict[str, str], place: Place) -> Mapped:
    """Projects; a tag such as ``djbh-level-3`` declares the 等保 level of what lies in it."""

    def make(row: _Project) -> Project:
        tags = row.tags
        return Project(
            source=place.source,
            native_id=row.id,
            name=row.name,
            labels=place.labels,
            relations=[],
            enabled=seen(row.enabled),
            description=place.clean(row.description or ""),
            domain=domains.get(row.domain_id, row.domain_id) if row.domain_id else None,
            tags=seen(tags),
            level=UNKNOWN if isinstance(tags, UnsetType) else _level(tags),
        )

    return mapped(pages, "projects", _Project, make, place.clean)


def _level(tags: list[str]) -> int | None:
    levels = [int(found[1]) for tag in tags if (found := _LEVEL.search(tag))]
    return max(levels) if levels else None


def assigned_roles(pages: list[bytes], roles: Roles) -> list[str]:
    """Add who holds which roles, out of GET /role_assignments?effective&include_names, to ``roles``;
    returns what could not be read."""
    assignments, problems = rows(pages, "role_assignments", _Assignment)
    for one in assignments:
        if one.user is None:
            continue  # a group's own row; its members have rows of their own
        roles.names.setdefault(one.user.id, set()).add(one.role.name or one.role.id)
        project = one.scope.project
        if project is not None:
            roles.projects.setdefault(one.user.id, set()).add(project.id)
            if project.name in _SERVICE_PROJECTS:
                roles.services.add(one.user.id)
    return problems


def users(
    pages: list[bytes], domains: dict[str, str], roles: Roles | None, admin_roles: list[str], place: Place
) -> Mapped:
    """Accounts; ``roles`` None where the assignments could not be read. E-mail addresses are left out:
    they are personal and no rule needs them."""

    def make(row: _User) -> User:
        options = row.options
        held = sorted(roles.names.get(row.id, ())) if roles is not None else UNKNOWN
        user = User(
            source=place.source,
            native_id=row.id,
            name=row.name,
            labels=place.labels,
            relations=place.relations(
                *(("in_project", "project", p) for p in (roles.projects.get(row.id, ()) if roles else ()))
            ),
            enabled=seen(row.enabled),
            domain=domains.get(row.domain_id, row.domain_id) if row.domain_id else None,
            password_expires_at=_time(row.password_expires_at),
            roles=held,
            administrator=UNKNOWN
            if roles is None
            else not roles.names.get(row.id, set()).isdisjoint(admin_roles),
            service_account=row.id in roles.services if roles is not None else UNKNOWN,
        )
        if not isinstance(options, UnsetType):
            user.mfa_enabled = bool(options.multi_factor_auth_enabled)
            user.mfa_rules = options.multi_factor_auth_rules or []
            user.ignores_password_expiry = bool(options.ignore_password_expiry)
            user.ignores_lockout = bool(options.ignore_lockout_failure_attempts)
            user.ignores_inactivity = bool(options.ignore_user_inactivity)
        return user

    return mapped(pages, "users", _User, make, place.clean)


def application_credentials(pages: list[bytes], user_id: str, place: Place) -> Mapped:
    """Application credentials of one user; the API never tells their secrets."""

    def make(row: _Credential) -> ApplicationCredential:
        relations = place.relations(("in_project", "project", row.project_id))
        return ApplicationCredential(
            source=place.source,
            native_id=row.id,
            name=row.name,
            labels=place.labels,
            relations=sorted([*relations, Relation("granted_to", place.uid("user", user_id))]),
            unrestricted=seen(row.unrestricted),
            expires_at=_time(row.expires_at),
            roles=UNKNOWN if isinstance(row.roles, UnsetType) else sorted(r.name or r.id for r in row.roles),
        )

    return mapped(pages, "application_credentials", _Credential, make, place.clean)


def _time(value: datetime | UnsetType | None) -> Maybe[datetime | None]:
    return UNKNOWN if isinstance(value, UnsetType) else moment(value)


def _learn_domains(page: bytes, _: str, view: View) -> None:
    view.known.domains |= domain_names([page])


def _effective_roles(page: bytes, _: str, view: View) -> Mapped:
    problems = assigned_roles([page], view.known.roles)
    return Mapped(problems=[f"角色分配 {view.place.clean(text)}" for text in problems])


def _users(page: bytes, _: str, view: View) -> Mapped:
    roles = view.known.roles if view.came("effective_role") else None
    return users([page], view.known.domains, roles, view.admin_roles, view.place)


def _ask(path: str, key: str, **params: str) -> Ask:
    return Ask(service="identity", path=path, key=key, params=params)


ROWS: tuple[Row, ...] = (
    Row(
        name="domain",
        kind="identity_domain",
        ask=_ask("/domains", "domains"),
        sight="projects",
        learn=_learn_domains,
        map=lambda page, _, view: domains([page], view.place),
    ),
    Row(
        name="project",
        kind="project",
        ask=_ask("/projects", "projects"),
        sight="projects",
        instead=_ask("/auth/projects", "projects"),
        map=lambda page, _, view: projects([page], view.known.domains, view.place),
    ),
    Row(
        name="effective_role",
        ask=_ask("/role_assignments", "role_assignments", effective="true", include_names="true"),
        map=_effective_roles,
        helps={"user": "角色分配没有读到"},
    ),
    Row(
        name="user",
        kind="user",
        # without a domain, keystone with a directory per domain lists one domain only and does not say so
        ask=_ask("/users", "users", domain_id="{}"),
        each=lambda view: sorted(view.known.domains) or [""],
        along="identity_domain",
        sight="users",
        map=_users,
    ),
    Row(
        name="application_credential",
        kind="application_credential",
        # there is no list of all; a user deleted meanwhile has none
        ask=_ask("/users/{}/application_credentials", "application_credentials"),
        each=lambda view: sorted(view.known.ids.get("user", ())),
        along="user",
        sight="users",
        map=lambda page, user, view: application_credentials([page], user, view.place),
    ),
)

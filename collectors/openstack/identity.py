"""Identity API v3 answers → the cloud itself, domains, projects, users, groups, identity providers.

Of a user, keystone tells when the password ends and not when it was set, nor when the account was last
used: those fields stay unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from collectors.openstack.client import Facts
from collectors.openstack.known import Roles
from collectors.openstack.levels import level_of
from collectors.openstack.listing import Ask, Mapped, Place, mapped, raw_rows, row_ids, rows, seen
from collectors.openstack.row import Row, View
from inventory.decoding import from_json
from inventory.kinds.cloud import Cloud, Endpoint, Project
from inventory.kinds.identity import IdentityDomain, IdentityProvider, User, UserGroup
from inventory.resource import Resource
from inventory.unknown import UNKNOWN, Maybe

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
    ignore_change_password_upon_first_use: bool | None = None
    lock_password: bool | None = None


class _User(msgspec.Struct):
    id: str
    name: str
    domain_id: str | None = None
    enabled: bool | UnsetType = UNSET
    password_expires_at: datetime | UnsetType | None = UNSET
    options: _Options | UnsetType = UNSET


class _Group(msgspec.Struct):
    id: str
    name: str
    domain_id: str | None = None
    description: str | None = None


class _Provider(msgspec.Struct):
    id: str
    enabled: bool | UnsetType = UNSET
    description: str | None = None
    domain_id: str | None = None
    remote_ids: list[str] | UnsetType = UNSET


class _Named(msgspec.Struct):
    id: str
    name: str = ""


class _Scope(msgspec.Struct):
    project: _Named | None = None


class _Effective(msgspec.Struct):
    role: _Named
    user: _Named | None = None
    scope: _Scope = msgspec.field(default_factory=_Scope)


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
        certificate_verified=UNKNOWN if facts.verified is None else facts.verified,
    )


def domains(pages: list[bytes], place: Place) -> Mapped:
    """Identity domains."""

    def make(row: _Domain) -> IdentityDomain:
        return place.make(IdentityDomain, row, description=place.clean(row.description or ""))

    return mapped(pages, "domains", _Domain, make, place.clean)


def domain_names(pages: list[bytes]) -> dict[str, str]:
    """Domain id → name."""
    return {d.id: d.name for d in rows(pages, "domains", _Domain)[0]}


def _domain(id_: str | None, names: dict[str, str]) -> str | None:
    return names.get(id_, id_) if id_ else None


def projects(pages: list[bytes], domains: dict[str, str], place: Place) -> Mapped:
    """Projects; a tag such as ``djbh-level-3`` declares the 等保 level of what lies in it."""

    def make(row: _Project) -> Project:
        tags = row.tags
        return place.make(
            Project,
            row,
            relations=place.relations(("in_domain", "identity_domain", row.domain_id)),
            description=place.clean(row.description or ""),
            domain=_domain(row.domain_id, domains),
            level=UNKNOWN if isinstance(tags, UnsetType) else level_of(tags),
        )

    return mapped(pages, "projects", _Project, make, place.clean)


def held_roles(pages: list[bytes], roles: Roles) -> list[str]:
    """Add who holds which roles, out of GET /role_assignments?effective&include_names, to ``roles``;
    returns what could not be read."""
    assignments, problems = rows(pages, "role_assignments", _Effective)
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


def with_system(roles: Roles, groups_of: dict[str, list[str]], implied: dict[str, list[str]]) -> None:
    """Add the roles on the system to those that users hold, through groups and with what they imply."""
    for user in {*roles.users_on_system, *groups_of}:
        held = set(roles.users_on_system.get(user, ()))
        for group in groups_of.get(user, ()):
            held |= roles.groups_on_system.get(group, set())
        todo = list(held)
        while todo:
            further = set(implied.get(todo.pop(), ())) - held
            held |= further
            todo += further
        if held:
            roles.names.setdefault(user, set()).update(held)


def users(
    pages: list[bytes],
    domains: dict[str, str],
    roles: Roles | None,
    admin_roles: list[str],
    place: Place,
    groups: dict[str, list[str]] | None = None,
    federated: set[str] | None = None,
    *,
    all_roles: bool = True,
) -> Mapped:
    """Accounts; ``roles``, ``groups`` (user → ids of groups) and ``federated`` None where they could not
    be read; ``all_roles`` False where ``roles`` lacks some. E-mail addresses are left out: they are
    personal and no rule needs them."""

    def make(row: _User) -> User:
        held = set(roles.names.get(row.id, ())) if roles is not None else set()
        administrator = not held.isdisjoint(admin_roles)
        told = roles is not None and all_roles
        user = place.make(
            User,
            row,
            relations=place.relations(
                ("in_domain", "identity_domain", row.domain_id),
                *(("in_project", "project", p) for p in (roles.projects.get(row.id, ()) if roles else ())),
                *(("member_of", "user_group", g) for g in (groups or {}).get(row.id, ())),
            ),
            domain=_domain(row.domain_id, domains),
            roles=sorted(held) if told else UNKNOWN,
            administrator=administrator if told or administrator else UNKNOWN,
            service_account=row.id in roles.services if roles is not None else UNKNOWN,
            federated=row.id in federated if federated is not None else UNKNOWN,
        )
        if not isinstance(row.options, UnsetType):
            _set_options(user, row.options)
        return user

    return mapped(pages, "users", _User, make, place.clean)


def _set_options(user: User, options: _Options) -> None:
    user.mfa_enabled = bool(options.multi_factor_auth_enabled)
    user.mfa_rules = options.multi_factor_auth_rules or []
    user.ignores_password_expiry = bool(options.ignore_password_expiry)
    user.ignores_lockout = bool(options.ignore_lockout_failure_attempts)
    user.ignores_inactivity = bool(options.ignore_user_inactivity)
    user.ignores_first_use_change = bool(options.ignore_change_password_upon_first_use)
    user.password_locked = bool(options.lock_password)


def user_group(group: bytes, members: set[str], domains: dict[str, str], place: Place) -> UserGroup:
    """One group of a list, with the ids of its members. Raises msgspec.ValidationError where it is none."""
    row = from_json(group, _Group)
    return place.make(
        UserGroup,
        row,
        relations=place.relations(("in_domain", "identity_domain", row.domain_id)),
        description=place.clean(row.description or ""),
        domain=_domain(row.domain_id, domains),
        members=sorted(members),
    )


def identity_provider(
    provider: bytes, protocols: set[str], domains: dict[str, str], place: Place
) -> IdentityProvider:
    """One identity provider of a list, with the ids of its protocols. Raises msgspec.ValidationError."""
    row = from_json(provider, _Provider)
    remote: Maybe[list[str]] = seen(row.remote_ids)
    return place.make(
        IdentityProvider,
        row,
        name=row.id,
        relations=place.relations(("in_domain", "identity_domain", row.domain_id)),
        description=place.clean(row.description or ""),
        domain=_domain(row.domain_id, domains),
        protocols=sorted(protocols),
        remote_ids=sorted(remote) if isinstance(remote, list) else remote,
    )


def _learn_domains(page: bytes, _: str, view: View) -> None:
    view.known.domains |= domain_names([page])


def _projects(page: bytes, _: str, view: View) -> Mapped:
    found = projects([page], view.known.domains, view.place)
    for one in found.resources:
        if isinstance(one, Project) and isinstance(one.level, int):
            view.known.levels[one.native_id] = one.level
    return found


def _learn_effective(page: bytes, _: str, view: View) -> Mapped:
    problems = held_roles([page], view.known.roles)
    return Mapped(problems=[f"角色分配 {view.place.clean(text)}" for text in problems])


def _learn_groups(page: bytes, _: str, view: View) -> None:
    view.known.groups |= raw_rows(page, "groups")


def _group(page: bytes, group: str, view: View) -> Mapped:
    members = row_ids([page], "users")
    for user in members:
        view.known.groups_of.setdefault(user, []).append(group)
    return _one(group, lambda: user_group(view.known.groups[group], members, view.known.domains, view.place))


def _learn_providers(page: bytes, _: str, view: View) -> None:
    view.known.providers |= raw_rows(page, "identity_providers")


def _provider(page: bytes, provider: str, view: View) -> Mapped:
    protocols = row_ids([page], "protocols")
    known = view.known
    return _one(
        provider, lambda: identity_provider(known.providers[provider], protocols, known.domains, view.place)
    )


def _one(id_: str, make: Callable[[], Resource]) -> Mapped:
    try:
        return Mapped(resources=[make()])
    except msgspec.ValidationError as error:
        return Mapped(problems=[f"{id_}：{error}"])


def _learn_federated(page: bytes, _: str, view: View) -> None:
    view.known.federated |= row_ids([page], "users")


def _users(page: bytes, _: str, view: View) -> Mapped:
    known = view.known
    groups = known.groups_of if view.came("group", "user_group") else None
    with_system(known.roles, groups or {}, known.implied_roles)
    found = users(
        [page],
        known.domains,
        known.roles if view.came("effective_role") else None,
        view.admin_roles,
        view.place,
        groups,
        known.federated if view.came("provider", "federated_user") else None,
        all_roles=view.came("role_assignment", "implied_role")
        and (groups is not None or not known.roles.groups_on_system),
    )
    for one in found.resources:
        if isinstance(one, User) and isinstance(one.name, str) and isinstance(one.enabled, bool):
            known.users[one.native_id] = one.name, one.enabled
    return found


def _ask(path: str, key: str, **params: str) -> Ask:
    return Ask(service="identity", path=path, key=key, params=params)


def _domains(view: View) -> list[str]:
    """Without a domain, keystone with a directory per domain lists one domain only and does not say so."""
    return sorted(view.known.domains) or [""]


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
        map=_projects,
        adds=dict.fromkeys(("network", "hypervisor"), "项目的定级标签没有读到"),
    ),
    Row(
        name="effective_role",
        ask=_ask("/role_assignments", "role_assignments", effective="true", include_names="true"),
        map=_learn_effective,
        helps={"user": "角色分配没有读到"},
    ),
    Row(
        name="provider",
        kind="identity_provider",
        ask=_ask("/OS-FEDERATION/identity_providers", "identity_providers"),
        sight="users",
        learn=_learn_providers,
    ),
    Row(
        name="identity_provider",
        kind="identity_provider",
        ask=_ask("/OS-FEDERATION/identity_providers/{}/protocols", "protocols"),
        each=lambda view: sorted(view.known.providers),
        sight="users",
        map=_provider,
    ),
    Row(
        name="federated_user",
        ask=_ask("/users", "users", idp_id="{}"),
        each=lambda view: sorted(view.known.providers),
        learn=_learn_federated,
    ),
    Row(
        name="group",
        kind="user_group",
        ask=_ask("/groups", "groups", domain_id="{}"),
        each=_domains,
        along="identity_domain",
        sight="users",
        learn=_learn_groups,
    ),
    Row(
        name="user_group",
        kind="user_group",
        ask=_ask("/groups/{}/users", "users"),
        each=lambda view: sorted(view.known.groups),
        sight="users",
        map=_group,
    ),
)
USERS: tuple[Row, ...] = (
    Row(
        name="user",
        kind="user",
        ask=_ask("/users", "users", domain_id="{}"),
        each=_domains,
        along="identity_domain",
        sight="users",
        map=_users,
    ),
)

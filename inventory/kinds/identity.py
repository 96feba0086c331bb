"""Kinds of who may do what on a platform, whichever it is."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from inventory.resource import Nested, Resource
from inventory.unknown import UNKNOWN, Maybe

PrincipalType = Literal["user", "group", "service_account"]


class IdentityDomain(Resource):
    """A realm of accounts (keystone domain)."""

    KIND: ClassVar[str] = "identity_domain"
    TITLE: ClassVar[str] = "身份域"

    enabled: Maybe[bool] = UNKNOWN
    description: Maybe[str] = UNKNOWN


class User(Resource):
    """An account of the cloud platform (not of a host: that is ``account``)."""

    KIND: ClassVar[str] = "user"
    TITLE: ClassVar[str] = "云平台账户"

    enabled: Maybe[bool] = UNKNOWN
    domain: Maybe[str | None] = UNKNOWN
    mfa_enabled: Maybe[bool] = UNKNOWN
    mfa_rules: Maybe[list[list[str]]] = UNKNOWN  # each an "all of" list of methods
    password_expires_at: Maybe[datetime | None] = UNKNOWN
    ignores_password_expiry: Maybe[bool] = UNKNOWN
    ignores_lockout: Maybe[bool] = UNKNOWN
    ignores_inactivity: Maybe[bool] = UNKNOWN
    service_account: Maybe[bool] = UNKNOWN  # holds a role in the project of service accounts
    roles: Maybe[list[str]] = UNKNOWN  # names of roles held anywhere, sorted, no duplicates
    administrator: Maybe[bool] = UNKNOWN  # holds role admin anywhere
    password_changed_at: Maybe[datetime | None] = UNKNOWN
    ignores_first_use_change: Maybe[bool] = UNKNOWN  # need not change the first password
    password_locked: Maybe[bool] = UNKNOWN  # may not change the password itself
    federated: Maybe[bool] = UNKNOWN  # comes from an identity provider
    last_active_at: Maybe[datetime | None] = UNKNOWN  # day of last use, where the platform keeps it


class UserGroup(Resource):
    KIND: ClassVar[str] = "user_group"
    TITLE: ClassVar[str] = "用户组"

    domain: Maybe[str | None] = UNKNOWN
    description: Maybe[str] = UNKNOWN
    members: Maybe[list[str]] = UNKNOWN  # native ids of users, sorted


class Permission(Nested):
    """What a role allows. ``["*"]`` = any; ``names`` [] = any name. ``urls`` are non-resource paths."""

    verbs: Maybe[list[str]] = UNKNOWN
    api_groups: Maybe[list[str]] = UNKNOWN
    resources: Maybe[list[str]] = UNKNOWN
    names: Maybe[list[str]] = UNKNOWN
    urls: Maybe[list[str]] = UNKNOWN


class Role(Resource):
    """A set of permissions. Where the platform keeps them in files (OpenStack), they stay UNKNOWN."""

    KIND: ClassVar[str] = "role"
    TITLE: ClassVar[str] = "角色"

    namespace: Maybe[str | None] = UNKNOWN  # None = valid everywhere
    domain: Maybe[str | None] = UNKNOWN
    builtin: Maybe[bool] = UNKNOWN  # comes with the platform
    aggregated: Maybe[bool] = UNKNOWN  # its permissions are gathered from other roles by label
    implies: Maybe[list[str]] = UNKNOWN  # names of roles it brings with it
    permissions: Maybe[list[Permission]] = UNKNOWN


class RoleAssignment(Resource):
    """One role held by one principal in one scope."""

    KIND: ClassVar[str] = "role_assignment"
    TITLE: ClassVar[str] = "角色分配"

    principal_type: Maybe[PrincipalType] = UNKNOWN
    principal: Maybe[str] = UNKNOWN  # name; service accounts as namespace/name
    principal_exists: Maybe[bool] = UNKNOWN  # UNKNOWN where principals live outside the platform
    role: Maybe[str] = UNKNOWN
    role_exists: Maybe[bool] = UNKNOWN  # False: whoever may make that role decides what this grants
    scope_type: Maybe[Literal["system", "domain", "project", "cluster", "namespace"]] = UNKNOWN
    scope_name: Maybe[str | None] = UNKNOWN  # None = the whole system or cluster
    inherited: Maybe[bool] = UNKNOWN  # to the projects below


class Power(Nested):
    """One far-reaching thing that a principal can do, where, and by which bindings it came to it."""

    power: Maybe[
        Literal[
            "everything",
            "read_secrets",
            "write_secrets",
            "escalate",
            "bind_roles",
            "impersonate",
            "exec",
            "create_pods",
            "create_tokens",
            "node_proxy",
            "write_nodes",
            "write_webhooks",
            "write_volumes",
            "approve_certificates",
            "wildcard_verbs",
            "wildcard_resources",
        ]
    ] = UNKNOWN
    scope: Maybe[str | None] = UNKNOWN  # namespace; None = the whole cluster
    via: Maybe[list[str]] = UNKNOWN  # bindings, "binding → role"
    direct: Maybe[bool] = UNKNOWN  # some binding names the subject itself, and not only a group it is in


class Principal(Resource):
    """Everything one subject may do, resolved through all its bindings and groups; native id = type/name.

    What a user gets through groups that an identity provider or a certificate puts it in stands at the
    group, since the platform does not know who is in it."""

    KIND: ClassVar[str] = "principal"
    TITLE: ClassVar[str] = "授权主体"

    principal_type: Maybe[PrincipalType] = UNKNOWN
    namespace: Maybe[str | None] = UNKNOWN  # of a service account
    builtin: Maybe[bool] = UNKNOWN  # system: names and the platform's own accounts
    everybody: Maybe[bool] = UNKNOWN  # a group that anybody is in: system:authenticated, …unauthenticated
    anonymous: Maybe[bool] = UNKNOWN  # needs no credential at all
    roles: Maybe[list[str]] = UNKNOWN  # "role" or "role@namespace", sorted
    powers: Maybe[list[Power]] = UNKNOWN
    permissions: Maybe[int] = UNKNOWN  # number of distinct permissions in force, counted in each scope
    used_by: Maybe[list[str]] = UNKNOWN  # workloads that run as it (service accounts)


class AccessRule(Nested):
    service: Maybe[str] = UNKNOWN
    method: Maybe[str] = UNKNOWN
    path: Maybe[str] = UNKNOWN


class ApplicationCredential(Resource):
    KIND: ClassVar[str] = "application_credential"
    TITLE: ClassVar[str] = "应用凭据"

    unrestricted: Maybe[bool] = UNKNOWN
    expires_at: Maybe[datetime | None] = UNKNOWN
    roles: Maybe[list[str]] = UNKNOWN
    created_at: Maybe[datetime | None] = UNKNOWN
    access_rules: Maybe[list[AccessRule] | None] = UNKNOWN  # None = none set: every call is allowed
    project: Maybe[str | None] = UNKNOWN  # native id


class Trust(Resource):
    """A delegation from one user to another."""

    KIND: ClassVar[str] = "trust"
    TITLE: ClassVar[str] = "信任委托"

    trustor: Maybe[str] = UNKNOWN  # native ids of users
    trustee: Maybe[str] = UNKNOWN
    project: Maybe[str | None] = UNKNOWN
    roles: Maybe[list[str]] = UNKNOWN
    impersonation: Maybe[bool] = UNKNOWN
    expires_at: Maybe[datetime | None] = UNKNOWN
    remaining_uses: Maybe[int | None] = UNKNOWN  # None = without limit
    redelegations: Maybe[int] = UNKNOWN


class IdentityProvider(Resource):
    """A federated source of accounts."""

    KIND: ClassVar[str] = "identity_provider"
    TITLE: ClassVar[str] = "联邦身份源"

    enabled: Maybe[bool] = UNKNOWN
    domain: Maybe[str | None] = UNKNOWN
    protocols: Maybe[list[str]] = UNKNOWN  # saml2, openid, mapped …
    remote_ids: Maybe[list[str]] = UNKNOWN
    description: Maybe[str] = UNKNOWN


class Secret(Resource):
    """What is known of a secret without its value: never the value, never its hash."""

    KIND: ClassVar[str] = "secret"
    TITLE: ClassVar[str] = "密钥与口令条目"

    namespace: Maybe[str | None] = UNKNOWN
    secret_type: Maybe[str] = UNKNOWN  # symmetric, private, certificate …; kubernetes.io/tls …
    algorithm: Maybe[str | None] = UNKNOWN
    bit_length: Maybe[int | None] = UNKNOWN
    mode: Maybe[str | None] = UNKNOWN  # cbc, gcm …
    status: Maybe[str] = UNKNOWN
    entries: Maybe[int] = UNKNOWN  # number of keys it holds
    immutable: Maybe[bool] = UNKNOWN
    used: Maybe[bool] = UNKNOWN  # something that was seen refers to it
    created_at: Maybe[datetime] = UNKNOWN
    expires_at: Maybe[datetime | None] = UNKNOWN


FAMILY: tuple[type[Resource], ...] = (
    IdentityDomain, User, UserGroup, Role, RoleAssignment, Principal, ApplicationCredential, Trust,
    IdentityProvider, Secret,
)  # fmt: skip

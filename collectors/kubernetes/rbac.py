"""Roles and bindings of rbac.authorization.k8s.io → roles, role assignments, principals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from collectors.kubernetes.objects import Meta
from collectors.kubernetes.permissions import (
    ANONYMOUS,
    AUTHENTICATED,
    UNAUTHENTICATED,
    Binding,
    Graph,
    RoleKey,
    Subject,
    user_subject,
)
from collectors.kubernetes.powers import MASTERS, RoleRule
from collectors.kubernetes.survey import Place
from inventory.kinds.identity import Permission, Power, Principal, Role, RoleAssignment
from inventory.unknown import UNKNOWN

_BUILTIN_LABEL = "kubernetes.io/bootstrapping"
_PLATFORM = ("system:", "kubeadm:")  # names of what Kubernetes itself and kubeadm make
_ALWAYS: tuple[Subject, ...] = (
    ("user", ANONYMOUS),
    ("group", UNAUTHENTICATED),
    ("group", AUTHENTICATED),
    ("group", MASTERS),
)
_HARMLESS_PATHS = frozenset(
    "/api /api/* /apis /apis/* /openapi /openapi/* /healthz /healthz/* /livez /livez/* /readyz /readyz/* "
    "/version /version/ /swagger* /swaggerapi /swaggerapi/* /swagger.json "
    "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks".split()
)
"""Discovery and health: what system:discovery and system:public-info-viewer give, and the public keys of
service account tokens."""


class _RuleRow(msgspec.Struct, rename="camel"):
    verbs: list[str] | None = None
    api_groups: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None
    non_resource_urls: list[str] | None = msgspec.field(name="nonResourceURLs", default=None)


class RoleRow(msgspec.Struct, rename="camel"):
    """A Role, or a ClusterRole where it has no namespace. The server answers ``rules: null`` for an
    aggregated one that gathers nothing."""

    metadata: Meta
    rules: list[_RuleRow] | None = None
    aggregation_rule: dict[str, msgspec.Raw] | None = None

    @property
    def key(self) -> RoleKey:
        return self.metadata.namespace or None, self.metadata.name


class _Reference(msgspec.Struct):
    kind: str
    name: str


class _SubjectRow(msgspec.Struct):
    kind: str
    name: str
    namespace: str | None = None


class BindingRow(msgspec.Struct, rename="camel"):
    """A RoleBinding, or a ClusterRoleBinding where it has no namespace."""

    metadata: Meta
    role_ref: _Reference
    subjects: list[_SubjectRow] | None = None


def rules(row: RoleRow) -> tuple[RoleRule, ...]:
    """The rules of a role, in one spelling."""
    return tuple(
        RoleRule(
            verbs=_tuple(rule.verbs),
            groups=_tuple(rule.api_groups),
            resources=_tuple(rule.resources),
            names=_tuple(rule.resource_names),
            urls=_tuple(rule.non_resource_urls),
        )
        for rule in row.rules or ()
    )


def _tuple(words: list[str] | None) -> tuple[str, ...]:
    if words is None:
        return ()
    return tuple(sorted(set(words))) if len(words) > 1 else tuple(words)


def role_id(key: RoleKey) -> str:
    """Native id of a role: namespace/name, ClusterRole/name (no namespace has a capital letter)."""
    return f"{key[0] or 'ClusterRole'}/{key[1]}"


def role(row: RoleRow, place: Place) -> Role:
    """One role with its permissions; aggregated ones as the server has filled them."""
    namespace = row.metadata.namespace or None
    labels = row.metadata.labels or {}
    return Role(
        source=place.source,
        native_id=role_id(row.key),
        name=row.metadata.name,
        labels=place.labels,
        relations=place.relations(("in_namespace", "namespace", namespace)),
        namespace=namespace,
        domain=None,
        builtin=_BUILTIN_LABEL in labels or row.metadata.name.startswith("system:"),
        aggregated=row.aggregation_rule is not None,
        implies=[],
        permissions=[
            Permission(
                verbs=list(rule.verbs),
                api_groups=list(rule.groups),
                resources=list(rule.resources),
                names=list(rule.names),
                urls=list(rule.urls),
            )
            for rule in rules(row)
        ],
    )


def binding(row: BindingRow) -> Binding:
    """A binding with its subjects in one spelling. Raises ValueError for a subject of no known kind."""
    namespace = row.metadata.namespace or None
    within = namespace if row.role_ref.kind == "Role" else None
    subjects = (_subject(s, namespace) for s in row.subjects or ())
    return Binding(
        name=row.metadata.name,
        namespace=namespace,
        role=(within, row.role_ref.name),
        subjects=tuple(dict.fromkeys(subjects)),
    )


def _subject(row: _SubjectRow, namespace: str | None) -> Subject:
    if row.kind == "User":
        return user_subject(row.name)
    if row.kind == "Group":
        return "group", row.name
    if row.kind == "ServiceAccount":
        return "service_account", f"{row.namespace or namespace or ''}/{row.name}"
    raise ValueError(f"不认识的主体类型 {row.kind[:64]}")


def graph(roles: Iterable[RoleRow], bindings: Iterable[Binding]) -> Graph:
    """The effective permissions that roles and bindings amount to."""
    return Graph({row.key: rules(row) for row in roles}, bindings)


def assignments(
    bindings: Iterable[Binding],
    roles: set[RoleKey] | None,
    accounts: set[str] | None,
    place: Place,
) -> list[RoleAssignment]:
    """One assignment for each subject of each binding. ``roles`` and ``accounts`` (namespace/name) are
    all there are, None where they were not seen whole."""
    return [_assignment(one, subject, roles, accounts, place) for one in bindings for subject in one.subjects]


def _assignment(
    one: Binding, subject: Subject, roles: set[RoleKey] | None, accounts: set[str] | None, place: Place
) -> RoleAssignment:
    type_, name = subject
    exists = name in accounts if type_ == "service_account" and accounts is not None else UNKNOWN
    return RoleAssignment(
        source=place.source,
        native_id=f"{one.namespace or 'ClusterRoleBinding'}/{one.name}/{type_}/{name}",
        name=one.name,
        labels=place.labels,
        relations=place.relations(
            ("grants", "role", role_id(one.role)),
            ("granted_to", "principal", f"{type_}/{name}"),
            ("in_namespace", "namespace", one.namespace),
        ),
        principal_type=type_,
        principal=name,
        principal_exists=exists,
        role=one.role[1],
        role_exists=UNKNOWN if roles is None else one.role in roles,
        scope_type="cluster" if one.namespace is None else "namespace",
        scope_name=one.namespace,
        inherited=False,
    )


def principals(
    held: Graph, accounts: Iterable[str], used_by: Mapping[str, Sequence[str]] | None, place: Place
) -> list[Principal]:
    """Every subject of a binding, every service account (namespace/name), and the groups and users that
    are always there. ``used_by``: service account → workloads; None where workloads were not seen whole."""
    subjects: set[Subject] = {*held.subjects(), *_ALWAYS, *(("service_account", name) for name in accounts)}
    return [_principal(subject, held, used_by, place) for subject in sorted(subjects)]


def _principal(
    subject: Subject, graph: Graph, used_by: Mapping[str, Sequence[str]] | None, place: Place
) -> Principal:
    type_, name = subject
    namespace = name.partition("/")[0] if type_ == "service_account" else None
    held = graph.held(subject)
    result = Principal(
        source=place.source,
        native_id=f"{type_}/{name}",
        name=name,
        labels=place.labels,
        relations=place.relations(
            ("in_namespace", "namespace", namespace),
        ),
        principal_type=type_,
        namespace=namespace,
        builtin=_builtin(subject, graph),
        everybody=type_ == "group" and name in (AUTHENTICATED, UNAUTHENTICATED),
        anonymous=subject in (("user", ANONYMOUS), ("group", UNAUTHENTICATED)),
        roles=held.roles,
        powers=[
            Power(power=power, scope=scope, via=via, direct=direct)  # type: ignore[arg-type]
            for (power, scope), (via, direct) in sorted(
                held.powers.items(), key=lambda item: (item[0][0], item[0][1] or "")
            )
        ],
        permissions=held.rules,
    )
    if type_ == "service_account":
        result.used_by = UNKNOWN if used_by is None else sorted(used_by.get(name, ()))
    else:
        result.used_by = []
    return result


def _builtin(subject: Subject, graph: Graph) -> bool:
    """Whether the platform itself brought the subject. An account in kube-system is the platform's own
    where nothing but the platform's own bindings names it."""
    type_, name = subject
    if type_ != "service_account":
        return name.startswith(_PLATFORM)
    bindings = graph.bindings_of(subject)
    return name.startswith("kube-system/") and all(b.name.startswith(_PLATFORM) for b in bindings)


def anonymous_permissions(graph: Graph) -> bool:
    """Whether somebody without any credential may do more than discovery and health checks, and more than
    reading kubeadm's own cluster-info."""
    return any(
        not _harmless(scope, rule)
        for subject in (("user", ANONYMOUS), ("group", UNAUTHENTICATED))
        for scope, rule in graph.rules_of(subject)
    )


def _harmless(scope: str | None, rule: RoleRule) -> bool:
    if not rule.resources:
        return scope is not None or _HARMLESS_PATHS.issuperset(rule.urls)
    return (
        scope == "kube-public"
        and rule.verbs == ("get",)
        and rule.groups == ("",)
        and rule.resources == ("configmaps",)
        and rule.names == ("cluster-info",)
    )

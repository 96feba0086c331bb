"""Who may do what: roles, bindings, service accounts, secrets' metadata, admission, the control plane."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from collectors.kubernetes.accounts import ACCOUNTS, SECRETS, AccountRow, SecretRow, account, secret
from collectors.kubernetes.admission import (
    PodSecurityPolicyRow,
    PolicyBindingRow,
    PolicyRow,
    WebhookRow,
    judges_pods,
    pod_security_policy,
    policy,
    webhooks,
)
from collectors.kubernetes.client import ReadError
from collectors.kubernetes.control_plane import NOT_VISIBLE, NOT_VISIBLE_REMEDY, components
from collectors.kubernetes.distributions import distributions
from collectors.kubernetes.estate import Seen
from collectors.kubernetes.listing import METADATA_ONLY, Ask, Listing, Reader
from collectors.kubernetes.objects import Meta
from collectors.kubernetes.permissions import Binding, Graph
from collectors.kubernetes.powers import RBAC
from collectors.kubernetes.rbac import (
    BindingRow,
    RoleRow,
    anonymous_permissions,
    assignments,
    binding,
    graph,
    principals,
    role,
)
from collectors.kubernetes.survey import Survey
from inventory.coverage import Batch, Status
from inventory.kinds.cluster import AdmissionPolicy, AdmissionWebhook, ControlPlaneComponent
from inventory.kinds.identity import Principal, Secret
from inventory.unknown import UNKNOWN, Unknown

KINDS: tuple[str, ...] = (
    "role",
    "role_assignment",
    "principal",
    "service_account",
    "secret",
    "admission_webhook",
    "admission_policy",
    "certificate",
    "control_plane_component",
)
"""Kinds that ``collect`` reports; each gets exactly one collection."""

_RBAC_VERSIONS = ("v1", "v1beta1")
ROLES = Ask(resource="roles", group=RBAC, versions=_RBAC_VERSIONS)
CLUSTER_ROLES = Ask(resource="clusterroles", group=RBAC, versions=_RBAC_VERSIONS, namespaced=False)
ROLE_BINDINGS = Ask(resource="rolebindings", group=RBAC, versions=_RBAC_VERSIONS)
CLUSTER_ROLE_BINDINGS = Ask(
    resource="clusterrolebindings", group=RBAC, versions=_RBAC_VERSIONS, namespaced=False
)


def _admission(resource: str, *versions: str) -> Ask:
    return Ask(resource=resource, group="admissionregistration.k8s.io", versions=versions, namespaced=False)


VALIDATING = _admission("validatingwebhookconfigurations", "v1", "v1beta1")
MUTATING = _admission("mutatingwebhookconfigurations", "v1", "v1beta1")
POLICIES = (
    (
        "ValidatingAdmissionPolicy",
        _admission("validatingadmissionpolicies", "v1", "v1beta1", "v1alpha1"),
        _admission("validatingadmissionpolicybindings", "v1", "v1beta1", "v1alpha1"),
    ),
    (
        "MutatingAdmissionPolicy",
        _admission("mutatingadmissionpolicies", "v1", "v1beta1", "v1alpha1"),
        _admission("mutatingadmissionpolicybindings", "v1", "v1beta1", "v1alpha1"),
    ),
)
POD_SECURITY_POLICIES = Ask(
    resource="podsecuritypolicies", group="policy", versions=("v1beta1",), namespaced=False
)
DEFINITIONS = Ask(
    resource="customresourcedefinitions",
    group="apiextensions.k8s.io",
    versions=("v1", "v1beta1"),
    namespaced=False,
    accept=METADATA_ONLY,  # schemas are megabytes
)
ASKS: tuple[Ask, ...] = (
    ROLES,
    CLUSTER_ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLE_BINDINGS,
    SECRETS,
    VALIDATING,
    MUTATING,
    *(ask for _, policies, bindings in POLICIES for ask in (policies, bindings)),
    POD_SECURITY_POLICIES,
    DEFINITIONS,
)
"""Lists that they rest on; ``probe`` tries each."""

_ENFORCE = "pod-security.kubernetes.io/enforce"
_POD_SECURITY_SINCE = (1, 23)  # on unless switched off; before that the labels mean nothing


class _Named(msgspec.Struct):
    metadata: Meta


def collect(reader: Reader, survey: Survey, seen: Seen) -> Iterator[Batch]:
    """Read them. What belongs to the cluster itself goes into ``seen.cluster``: fields of that kind."""
    account_rows = seen.accounts
    account_list = seen.account_listing or Listing(ask=ACCOUNTS, error=ReadError("没有读到服务账户"))
    for row in account_rows:
        names = [one.name for one in row.image_pull_secrets or () if one.name]
        seen.secrets_used.update(f"{row.meta.namespace}/{name}" for name in names)
    secret_batch = _secrets(reader, survey, seen, account_list)
    yield secret_batch
    types = _types(secret_batch)
    accounts = [account(row, types, survey.place) for row in account_rows]
    yield survey.batch("service_account", accounts, [account_list])
    rights = _Rights()
    yield from _rights(reader, survey, seen, account_rows, account_list, rights)
    servers = _control_plane(survey, seen)
    yield servers
    yield from _admission_of(reader, survey, seen, rights, servers)
    _marks(reader, survey, seen)


def _secrets(reader: Reader, survey: Survey, seen: Seen, accounts: Listing) -> Batch:
    """Secrets, namespace after namespace. Where the whole is refused no namespace is asked: the right to
    list secrets is one that is better not had."""
    found: list[Secret] = []
    refused = reader.refused(SECRETS)
    total = Listing(ask=SECRETS, error=_refused(refused) if refused is not None else None)
    also: list[str] = []
    spaces = seen.namespace_listing
    for namespace in sorted(row.meta.name for row in seen.namespaces if refused is None):
        rows, listing = reader.inside(SECRETS, namespace, SecretRow)
        total.path = "/api/v1/namespaces/*/secrets"
        total.pages += listing.pages
        total.odd += listing.odd
        total.problems += listing.problems
        total.evidence += listing.evidence
        for row in rows:
            try:
                found.append(
                    secret(
                        row, namespace, seen.secrets_used, seen.users_seen and accounts.whole, survey.place
                    )
                )
            except ValueError as error:
                also.append(str(error))
        if listing.error is not None:
            total.error = _refused(listing.error)
            break
    if total.error is None and (spaces is None or not spaces.whole):
        total.error = (spaces.error if spaces else None) or ReadError("命名空间的列表没有读全")
    return survey.batch("secret", found, [total], also)


def _refused(error: ReadError) -> ReadError:
    """Why secrets stay unseen, and what that leaves open."""
    if error.status is not Status.DENIED:
        return error
    return ReadError(
        f"{error.reason}；密钥条目的数量和类型、长期令牌、没有引用的密钥因此不可知",
        SECRETS.advice,
        Status.DENIED,
    )


def _types(secrets: Batch) -> dict[tuple[str, str], str] | None:
    if secrets.collections[0].status is not Status.COMPLETE:
        return None
    return {
        (one.namespace, one.name): one.secret_type
        for one in secrets.resources
        if isinstance(one, Secret)
        and isinstance(one.namespace, str)
        and isinstance(one.name, str)
        and isinstance(one.secret_type, str)
    }


class _Rights(msgspec.Struct):
    """The graph of permissions, and whether it holds everything."""

    graph: Graph = msgspec.field(default_factory=lambda: Graph({}, []))
    whole: bool = False


def _rights(
    reader: Reader,
    survey: Survey,
    seen: Seen,
    accounts: list[AccountRow],
    account_list: Listing,
    rights: _Rights,
) -> Iterator[Batch]:
    place = survey.place
    roles, role_list = reader.all(ROLES, RoleRow)
    cluster_roles, cluster_role_list = reader.all(CLUSTER_ROLES, RoleRow)
    role_lists = [role_list, cluster_role_list]
    roles += cluster_roles
    yield survey.batch("role", [role(row, place) for row in roles], role_lists)

    rows, binding_list = reader.all(ROLE_BINDINGS, BindingRow)
    cluster_rows, cluster_binding_list = reader.all(CLUSTER_ROLE_BINDINGS, BindingRow)
    binding_lists = [binding_list, cluster_binding_list]
    bindings: list[Binding] = []
    odd: list[str] = []
    for row in [*rows, *cluster_rows]:
        try:
            bindings.append(binding(row))
        except ValueError as error:
            odd.append(f"{row.metadata.key}：{error}")
    names = {row.key for row in accounts}
    known_roles = {row.key for row in roles} if all(one.whole for one in role_lists) else None
    known_accounts = names if account_list.whole else None
    found = assignments(bindings, known_roles, known_accounts, place)
    yield survey.batch("role_assignment", found, binding_lists, odd)

    rights.graph = graph(roles, bindings)
    rights.whole = known_roles is not None and all(one.whole for one in binding_lists) and not odd
    subjects = principals(rights.graph, names, seen.account_users if seen.workloads_seen else None, place)
    if not rights.whole:
        subjects = _certain(subjects) if bindings else []
    yield survey.batch("principal", subjects, [*role_lists, *binding_lists, account_list], odd)
    if anonymous_permissions(rights.graph):
        seen.cluster["anonymous_permissions"] = True
    elif rights.whole:
        seen.cluster["anonymous_permissions"] = False


def _certain(subjects: list[Principal]) -> list[Principal]:
    """Where the graph has holes, what was found holds and what was not found is unknown."""
    for one in subjects:
        if isinstance(one.powers, list) and not one.powers:
            one.powers = UNKNOWN
        one.permissions = UNKNOWN
        one.roles = UNKNOWN
    return subjects


def _control_plane(survey: Survey, seen: Seen) -> Batch:
    found = components(seen.mirror_pods, survey.place)
    listing = seen.pod_listing or Listing(ask=Ask(resource="pods"), error=ReadError("没有读到容器组"))
    if listing.whole and not found:
        hidden = ReadError(NOT_VISIBLE, NOT_VISIBLE_REMEDY, Status.UNSUPPORTED)
        listing = Listing(ask=listing.ask, path=listing.path, error=hidden)
    return survey.batch("control_plane_component", found, [listing])


def _admission_of(
    reader: Reader, survey: Survey, seen: Seen, rights: _Rights, servers: Batch
) -> Iterator[Batch]:
    system = next((row.meta.labels or {} for row in seen.namespaces if row.meta.name == "kube-system"), None)
    validating, validating_list = reader.all(VALIDATING, WebhookRow)
    mutating, mutating_list = reader.all(MUTATING, WebhookRow)
    hooks: list[AdmissionWebhook] = []
    for row in validating:
        hooks += webhooks(row, "validating", system, survey.place)
    for row in mutating:
        hooks += webhooks(row, "mutating", system, survey.place)
    hook_batch = survey.batch("admission_webhook", hooks, [validating_list, mutating_list])
    yield hook_batch
    yield _authorities(survey, validating, mutating, [validating_list, mutating_list])

    policies: list[AdmissionPolicy] = []
    lists: list[Listing] = []
    for kind, ask, binding_ask in POLICIES:
        rows, listing = reader.all(ask, PolicyRow)
        bindings, binding_list = reader.all(binding_ask, PolicyBindingRow)
        whole = bindings if binding_list.whole else None
        policies += [policy(one, kind, whole, survey.place) for one in rows]
        lists += [listing, binding_list]
    old, old_list = reader.all(POD_SECURITY_POLICIES, PodSecurityPolicyRow)
    known = rights.graph if rights.whole else None
    policies += [pod_security_policy(one, known, survey.place) for one in old]
    policy_batch = survey.batch("admission_policy", policies, [*lists, old_list])
    yield policy_batch

    judged = judges_pods(
        policies if _settled(policy_batch) else None,
        hooks if _settled(hook_batch) else None,
        _enforced(survey, seen),
        [one for one in servers.resources if isinstance(one, ControlPlaneComponent)] or None,
    )
    if not isinstance(judged, Unknown):
        seen.cluster["pod_security_admission"] = judged


def _authorities(
    survey: Survey, validating: list[WebhookRow], mutating: list[WebhookRow], lists: list[Listing]
) -> Batch:
    from collectors.kubernetes.authorities import webhook_authorities

    first, odd = webhook_authorities(validating, "validating", survey.place)
    second, also = webhook_authorities(mutating, "mutating", survey.place)
    return survey.batch("certificate", [*first, *second], lists, [*odd, *also])


def _settled(batch: Batch) -> bool:
    """Whether all there is was seen; a cluster that has no such thing has none of it."""
    return batch.collections[0].status in (Status.COMPLETE, Status.UNSUPPORTED)


def _enforced(survey: Survey, seen: Seen) -> list[dict[str, str]] | None:
    """What each namespace's label enforces, where the server minds such labels."""
    version = re.match(r"v?(\d+)\.(\d+)", survey.served.version)
    if version is None or seen.namespace_listing is None or not seen.namespace_listing.whole:
        return None
    if (int(version[1]), int(version[2])) < _POD_SECURITY_SINCE:
        return []
    labels = [row.meta.labels or {} for row in seen.namespaces]
    return [{"enforce": one[_ENFORCE]} for one in labels if _ENFORCE in one]


def _marks(reader: Reader, survey: Survey, seen: Seen) -> None:
    """Fields of the cluster that names alone tell."""
    definitions, listing = reader.all(DEFINITIONS, _Named)
    if listing.whole or listing.absent:
        seen.cluster["custom_kinds"] = sorted(row.metadata.name for row in definitions)
    if not survey.served.denied:
        seen.cluster["distributions"] = distributions(
            survey.served.version, survey.served.groups, seen.node_labels
        )

"""What stands between a request and the cluster: webhooks, the API server's own policies, pod security."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from collectors.kubernetes.objects import Meta, Selector
from collectors.kubernetes.permissions import Graph
from collectors.kubernetes.powers import Request
from collectors.kubernetes.survey import Place
from inventory.kinds.cluster import AdmissionPolicy, AdmissionWebhook, ControlPlaneComponent
from inventory.unknown import UNKNOWN, Maybe, Unknown

WebhookType = Literal["validating", "mutating"]
_ENFORCE = "enforce"


class _Operations(msgspec.Struct, rename="camel"):
    api_groups: list[str] | None = None
    operations: list[str] | None = None
    resources: list[str] | None = None


class _Service(msgspec.Struct):
    namespace: str
    name: str


class _Client(msgspec.Struct, rename="camel"):
    url: str | None = None
    service: _Service | None = None
    ca_bundle: str | None = None


class _Webhook(msgspec.Struct, rename="camel"):
    name: str
    client_config: _Client = msgspec.field(default_factory=_Client)
    failure_policy: Literal["Fail", "Ignore"] | None = None
    namespace_selector: Selector | None = None
    rules: list[_Operations] | None = None
    timeout_seconds: int | None = None


class WebhookRow(msgspec.Struct):
    """A ValidatingWebhookConfiguration or MutatingWebhookConfiguration."""

    metadata: Meta
    webhooks: list[_Webhook] | None = None


class _Constraints(msgspec.Struct, rename="camel"):
    resource_rules: list[_Operations] | None = None


class _PolicySpec(msgspec.Struct, rename="camel"):
    failure_policy: str | None = None
    match_constraints: _Constraints | None = None


class PolicyRow(msgspec.Struct):
    """A ValidatingAdmissionPolicy or MutatingAdmissionPolicy."""

    metadata: Meta
    spec: _PolicySpec = msgspec.field(default_factory=_PolicySpec)


class _BindingSpec(msgspec.Struct, rename="camel"):
    policy_name: str = ""
    validation_actions: list[str] | None = None


class PolicyBindingRow(msgspec.Struct):
    """A ValidatingAdmissionPolicyBinding or MutatingAdmissionPolicyBinding."""

    metadata: Meta
    spec: _BindingSpec = msgspec.field(default_factory=_BindingSpec)


class _PodSecurityPolicySpec(msgspec.Struct):
    privileged: bool | None = None


class PodSecurityPolicyRow(msgspec.Struct):
    """A PodSecurityPolicy (gone since 1.25)."""

    metadata: Meta
    spec: _PodSecurityPolicySpec = msgspec.field(default_factory=_PodSecurityPolicySpec)


def webhooks(
    row: WebhookRow, type_: WebhookType, system_labels: Mapping[str, str] | None, place: Place
) -> list[AdmissionWebhook]:
    """The webhooks of one configuration. ``system_labels``: those of namespace kube-system, None where
    it was not seen."""
    return [_webhook(row.metadata.name, one, type_, system_labels, place) for one in row.webhooks or ()]


def _webhook(
    configuration: str,
    row: _Webhook,
    type_: WebhookType,
    system_labels: Mapping[str, str] | None,
    place: Place,
) -> AdmissionWebhook:
    client = row.client_config
    service = f"{client.service.namespace}/{client.service.name}" if client.service else None
    selector = row.namespace_selector or Selector()
    excludes: Maybe[bool] = UNKNOWN
    if system_labels is not None:
        excludes = not selector.takes(dict(system_labels))
    elif not selector.text():
        excludes = False
    return AdmissionWebhook(
        source=place.source,
        native_id=f"{type_}/{configuration}/{row.name}",
        name=row.name,
        labels=place.labels,
        relations=place.relations(("routes_to", "cluster_service", service)),
        type=type_,
        configuration=configuration,
        failure_policy=row.failure_policy,
        url=_host(client.url) if client.url is not None else None,
        service=service,
        has_ca=bool(client.ca_bundle),
        operations=_operations(row.rules),
        resources=_resources(row.rules),
        timeout_seconds=row.timeout_seconds,
        namespace_selector=selector.text(),
        excludes_system=excludes,
    )


def _host(url: str) -> str:
    """Host and port of a URL. The rest may be what authorizes the caller: credentials, a path that nobody
    else is to know, a query."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _operations(rules: Iterable[_Operations] | None) -> list[str]:
    return sorted({operation for rule in rules or () for operation in rule.operations or ()})


def _resources(rules: Iterable[_Operations] | None) -> list[str]:
    return sorted(
        {
            f"{group or 'core'}/{resource}"
            for rule in rules or ()
            for group in rule.api_groups or ()
            for resource in rule.resources or ()
        }
    )


def policy(
    row: PolicyRow, kind: str, bindings: Iterable[PolicyBindingRow] | None, place: Place
) -> AdmissionPolicy:
    """A policy that the API server judges by. ``bindings`` None where they were not seen whole."""
    bound: Maybe[bool] = UNKNOWN
    denies: Maybe[bool] = UNKNOWN
    if bindings is not None:
        mine = [one.spec for one in bindings if one.spec.policy_name == row.metadata.name]
        bound = bool(mine)
        # before validationActions there was nothing but refusal (v1alpha1 of 1.26)
        denies = kind == "ValidatingAdmissionPolicy" and any(
            "Deny" in (spec.validation_actions or ("Deny",)) for spec in mine
        )
    constraints = row.spec.match_constraints or _Constraints()
    return AdmissionPolicy(
        source=place.source,
        native_id=f"{kind}/{row.metadata.name}",
        name=row.metadata.name,
        labels=place.labels,
        type=kind,
        failure_policy=row.spec.failure_policy,
        bound=bound,
        denies=denies,
        allows_privileged=None,
        resources=_resources(constraints.resource_rules),
    )


def pod_security_policy(row: PodSecurityPolicyRow, graph: Graph | None, place: Place) -> AdmissionPolicy:
    """A PodSecurityPolicy; in force for whoever may ``use`` it. ``graph`` None where roles or bindings
    were not seen whole. Whether the server asks such policies at all, only its flags tell."""
    bound: Maybe[bool] = UNKNOWN
    if graph is not None:
        bound = any(
            graph.granted(
                Request(verb="use", group=group, resource="podsecuritypolicies", name=row.metadata.name)
            )
            for group in ("policy", "extensions")
        )
    return AdmissionPolicy(
        source=place.source,
        native_id=f"PodSecurityPolicy/{row.metadata.name}",
        name=row.metadata.name,
        labels=place.labels,
        type="PodSecurityPolicy",
        failure_policy="Fail",
        bound=bound,
        denies=bound,
        allows_privileged=bool(row.spec.privileged),
        resources=["core/pods"],
    )


def judges_pods(
    policies: Iterable[AdmissionPolicy] | None,
    hooks: Iterable[AdmissionWebhook] | None,
    pod_security: Iterable[Mapping[str, str]] | None,
    servers: Collection[ControlPlaneComponent] | None,
) -> Maybe[bool]:
    """Whether some admission judges pods. Each argument None where it was not seen whole.

    One thing that does is proof. That nothing does takes all four, since a file that only the API server
    reads may set a level of pod security for the whole cluster.
    """
    plugin = UNKNOWN if servers is None else _asks_pod_security_policies(servers)
    answers: list[Maybe[bool]] = [
        *([_policy_judges(one, plugin) for one in policies] if policies is not None else [UNKNOWN]),
        any(_hook_judges(one) for one in hooks) if hooks is not None else UNKNOWN,
        any(labels.get(_ENFORCE) not in (None, "privileged") for labels in pod_security)
        if pod_security is not None
        else UNKNOWN,
        _configured(servers) if servers is not None else UNKNOWN,
    ]
    if any(answer is True for answer in answers):
        return True
    return UNKNOWN if any(isinstance(answer, Unknown) for answer in answers) else False


def _pods_among(resources: Maybe[list[str]]) -> bool:
    if isinstance(resources, Unknown):
        return False
    return not {"core/pods", "core/*", "*/pods", "*/*", "core/*/*"}.isdisjoint(resources)


def _policy_judges(one: AdmissionPolicy, plugin: Maybe[bool]) -> Maybe[bool]:
    if one.type == "MutatingAdmissionPolicy" or not _pods_among(one.resources) or one.denies is False:
        return False
    return plugin if one.type == "PodSecurityPolicy" and one.denies is True else one.denies


def _asks_pod_security_policies(servers: Iterable[ControlPlaneComponent]) -> Maybe[bool]:
    """Whether the API servers were started with the plug-in that judges by PodSecurityPolicies."""
    given = [
        one.flags.get("enable-admission-plugins", "").split(",")
        for one in servers
        if one.component == "kube-apiserver" and not isinstance(one.flags, Unknown)
    ]
    return all("PodSecurityPolicy" in plugins for plugins in given) if given else UNKNOWN


def _hook_judges(one: AdmissionWebhook) -> bool:
    operations = [] if isinstance(one.operations, Unknown) else one.operations
    return (
        one.type == "validating" and not {"CREATE", "*"}.isdisjoint(operations) and _pods_among(one.resources)
    )


def _configured(servers: Iterable[ControlPlaneComponent]) -> Maybe[bool]:
    """What the flags of the API servers say: a configuration file may judge, no such file does not."""
    flags = [
        one.flags
        for one in servers
        if one.component == "kube-apiserver" and not isinstance(one.flags, Unknown)
    ]
    if not flags or any("admission-control-config-file" in one for one in flags):
        return UNKNOWN
    return False

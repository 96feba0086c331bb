"""Webhooks and policies, and whether anything judges pods."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

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
from collectors.kubernetes.permissions import Binding, Graph
from collectors.kubernetes.powers import RoleRule
from collectors.kubernetes.survey import Place
from inventory.kinds.cluster import AdmissionPolicy, AdmissionWebhook, ControlPlaneComponent
from inventory.unknown import UNKNOWN

PLACE = Place(source="k", labels={}, clean=lambda data: data)
SYSTEM = {"kubernetes.io/metadata.name": "kube-system"}


def webhook(labels: dict[str, str] | None = SYSTEM, **fields: Any) -> AdmissionWebhook:
    row = {"metadata": {"name": "c"}, "webhooks": [{"name": "w", "clientConfig": {}, **fields}]}
    (found,) = webhooks(msgspec.convert(row, WebhookRow), "validating", labels, PLACE)
    return found


def test_a_webhook_of_the_cluster() -> None:
    found = webhook(
        clientConfig={"service": {"namespace": "kyverno", "name": "svc"}, "caBundle": "LS0t"},
        failurePolicy="Ignore",
        timeoutSeconds=10,
        rules=[
            {"apiGroups": ["", "apps"], "operations": ["UPDATE", "CREATE"], "resources": ["pods", "*"]},
            {"apiGroups": ["*"], "operations": ["*"], "resources": ["*/*"]},
        ],
        namespaceSelector={"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["b", "a"]}]},
    )
    assert found.native_id == "validating/c/w"
    assert (found.url, found.service, found.has_ca) == (None, "kyverno/svc", True)
    assert found.operations == ["*", "CREATE", "UPDATE"]
    assert found.resources == ["*/*/*", "apps/*", "apps/pods", "core/*", "core/pods"]
    assert found.namespace_selector == "team notin (a,b)"
    assert found.excludes_system is False


def test_of_a_url_only_host_and_port_are_kept() -> None:
    found = webhook(clientConfig={"url": "https://user:pw@policy.example:8443/secret-path?token=x"})
    assert found.url == "policy.example:8443"
    assert webhook(clientConfig={"url": "https://[broken"}).url == ""


@pytest.mark.parametrize(
    ("expressions", "labels", "excludes"),
    [
        ([("kubernetes.io/metadata.name", "NotIn", ["kube-system"])], SYSTEM, True),
        ([("kubernetes.io/metadata.name", "In", ["dept"])], SYSTEM, True),
        ([("kubernetes.io/metadata.name", "In", ["kube-system"])], SYSTEM, False),
        ([("control-plane", "DoesNotExist", None)], SYSTEM, False),
        ([("control-plane", "DoesNotExist", None)], {"control-plane": "x"}, True),
        ([("team", "Exists", None)], SYSTEM, True),
        ([], SYSTEM, False),
        ([], None, False),
        ([("team", "Exists", None)], None, UNKNOWN),
    ],
)
def test_whether_kube_system_is_left_out(
    expressions: list[tuple[str, str, list[str] | None]], labels: dict[str, str] | None, excludes: Any
) -> None:
    selector = {"matchExpressions": [{"key": k, "operator": o, "values": v} for k, o, v in expressions]}
    assert webhook(labels, namespaceSelector=selector).excludes_system is excludes


def test_a_configuration_without_webhooks() -> None:
    row = msgspec.json.decode(b'{"metadata":{"name":"c"},"webhooks":null}', type=WebhookRow)
    assert webhooks(row, "mutating", SYSTEM, PLACE) == []


def bindings(*pairs: tuple[str, list[str] | None]) -> list[PolicyBindingRow]:
    return msgspec.convert(
        [
            {"metadata": {"name": f"b{i}"}, "spec": {"policyName": name, "validationActions": actions}}
            for i, (name, actions) in enumerate(pairs)
        ],
        list[PolicyBindingRow],
    )


PODS = {"resourceRules": [{"apiGroups": [""], "operations": ["CREATE"], "resources": ["pods"]}]}


def made(rows: list[PolicyBindingRow] | None, kind: str = "ValidatingAdmissionPolicy") -> AdmissionPolicy:
    row = {"metadata": {"name": "p"}, "spec": {"failurePolicy": "Fail", "matchConstraints": PODS}}
    return policy(msgspec.convert(row, PolicyRow), kind, rows, PLACE)


def test_a_policy_is_in_force_where_it_is_bound() -> None:
    assert (made([]).bound, made([]).denies) == (False, False)
    told = made(bindings(("p", ["Audit", "Warn"]), ("other", ["Deny"])))
    assert (told.bound, told.denies) == (True, False)
    assert made(bindings(("p", ["Audit"]), ("p", ["Deny"]))).denies is True
    assert (made(None).bound, made(None).denies) == (UNKNOWN, UNKNOWN)
    assert made(bindings(("p", None)), "MutatingAdmissionPolicy").denies is False
    assert made([]).resources == ["core/pods"]


def psp(graph: Graph | None, **spec: Any) -> AdmissionPolicy:
    row = msgspec.convert({"metadata": {"name": "p"}, "spec": spec}, PodSecurityPolicyRow)
    return pod_security_policy(row, graph, PLACE)


def test_a_pod_security_policy_is_in_force_where_somebody_may_use_it() -> None:
    use = RoleRule(verbs=("use",), groups=("policy",), resources=("podsecuritypolicies",), names=("p",))
    everybody = (("group", "system:authenticated"),)
    graph = Graph({(None, "r"): [use]}, [Binding("b", "dept", (None, "r"), everybody)])  # type: ignore[arg-type]
    assert psp(graph).bound is True
    assert psp(Graph({(None, "r"): [use]}, [])).bound is False
    assert psp(None).bound is UNKNOWN
    assert psp(graph, privileged=True).allows_privileged is True
    assert psp(graph).allows_privileged is False


def server(**flags: str) -> ControlPlaneComponent:
    given = {name.replace("_", "-"): value for name, value in flags.items()}
    return ControlPlaneComponent(source="k", native_id="s", component="kube-apiserver", flags=given)


HOOK = webhook(rules=[{"apiGroups": ["*"], "operations": ["*"], "resources": ["*"]}])
MUTATING = AdmissionWebhook(source="k", native_id="m", type="mutating", operations=["*"], resources=["*/*"])
DENYING = made(bindings(("p", ["Deny"])))
PSP = AdmissionPolicy(
    source="k", native_id="p", type="PodSecurityPolicy", denies=True, resources=["core/pods"]
)


@pytest.mark.parametrize(
    ("policies", "hooks", "labels", "servers", "expected"),
    [
        ([], [], [], [server()], False),
        ([DENYING], None, None, None, True),
        (None, [HOOK], None, None, True),
        (None, None, [{"enforce": "baseline"}], None, True),
        ([], [], [{"enforce": "privileged"}], [server()], False),
        ([], [MUTATING], [], [server()], False),
        ([made([])], [], [], [server()], False),
        # what was not seen may judge
        (None, [], [], [server()], UNKNOWN),
        ([], None, [], [server()], UNKNOWN),
        ([], [], None, [server()], UNKNOWN),
        ([], [], [], None, UNKNOWN),
        ([made(None)], [], [], [server()], UNKNOWN),
        ([], [], [], [server(admission_control_config_file="/etc/admission.yaml")], UNKNOWN),
        # PodSecurityPolicies are asked only where the plug-in is on
        ([PSP], [], [], [server(enable_admission_plugins="NodeRestriction,PodSecurityPolicy")], True),
        ([PSP], [], [], [server(enable_admission_plugins="NodeRestriction")], False),
        ([PSP], [], [], None, UNKNOWN),
    ],
)
def test_whether_anything_judges_pods(
    policies: Any, hooks: Any, labels: Any, servers: Any, expected: Any
) -> None:
    assert judges_pods(policies, hooks, labels, servers) is expected

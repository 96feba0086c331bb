"""Rows of roles and bindings, as the API has them and as it should not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collectors.kubernetes.permissions import Graph
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
from collectors.kubernetes.survey import Place
from inventory.kinds.identity import Principal
from inventory.unknown import UNKNOWN

PLACE = Place(source="k", labels={"level": "市"}, clean=lambda data: data)


def role_row(name: str, *rules: dict[str, Any], namespace: str = "", **more: Any) -> RoleRow:
    meta = {"name": name, "namespace": namespace, **more.pop("metadata", {})}
    return msgspec.convert({"metadata": meta, "rules": list(rules), **more}, RoleRow)


def binding_row(name: str, role_: str, *subjects: str, namespace: str = "") -> BindingRow:
    kind, _, role_name = role_.partition("/")
    rows = []
    for subject in subjects:
        type_, _, who = subject.partition(":")
        rows.append({"kind": type_, "name": who.rpartition("/")[2]})
        if type_ == "ServiceAccount" and "/" in who:
            rows[-1]["namespace"] = who.partition("/")[0]
    return msgspec.convert(
        {
            "metadata": {"name": name, "namespace": namespace},
            "roleRef": {"kind": kind, "name": role_name},
            "subjects": rows,
        },
        BindingRow,
    )


def rule(verbs: str, resources: str, groups: str = "", **more: Any) -> dict[str, Any]:
    return {"verbs": verbs.split(), "resources": resources.split(), "apiGroups": [groups], **more}


def by_id(found: list[Principal]) -> dict[str, Principal]:
    return {one.native_id: one for one in found}


def test_rules_that_are_null_or_have_null_lists() -> None:
    row = msgspec.json.decode(b'{"metadata":{"name":"r"},"rules":null}', type=RoleRow)
    assert role(row, PLACE).permissions == []
    row = msgspec.json.decode(
        b'{"metadata":{"name":"r","labels":null},"rules":[{"verbs":["get"],"apiGroups":null,'
        b'"nonResourceURLs":["/healthz"]}],"aggregationRule":{"clusterRoleSelectors":[]}}',
        type=RoleRow,
    )
    found = role(row, PLACE)
    assert found.aggregated is True
    assert found.native_id == "ClusterRole/r"
    assert found.namespace is None
    (permission,) = found.permissions  # type: ignore[misc]
    assert (permission.verbs, permission.resources, permission.urls) == (["get"], [], ["/healthz"])


def test_a_role_of_a_namespace() -> None:
    found = role(role_row("r", rule("list get list", "pods"), namespace="dept"), PLACE)
    assert (found.native_id, found.namespace, found.builtin) == ("dept/r", "dept", False)
    assert found.permissions[0].verbs == ["get", "list"]  # type: ignore[index]
    assert [r.target for r in found.relations] == ["k/namespace/dept"]


def test_the_order_of_words_in_a_rule_is_no_change() -> None:
    one = role(role_row("r", rule("get list", "pods secrets")), PLACE)
    other = role(role_row("r", rule("list get", "secrets pods pods")), PLACE)
    assert one == other


def test_bindings_without_subjects_or_with_odd_ones() -> None:
    row = msgspec.json.decode(
        b'{"metadata":{"name":"b"},"roleRef":{"kind":"ClusterRole","name":"r"},"subjects":null}',
        type=BindingRow,
    )
    assert binding(row).subjects == ()
    with pytest.raises(ValueError, match="不认识的主体类型 Robot"):
        binding(binding_row("b", "ClusterRole/r", "Robot:x"))


def test_an_account_without_a_namespace_is_of_the_bindings() -> None:
    one = binding(binding_row("b", "Role/r", "ServiceAccount:robot", namespace="dept"))
    assert one.subjects == (("service_account", "dept/robot"),)
    assert one.role == ("dept", "r")
    assert binding(binding_row("b", "ClusterRole/r", namespace="dept")).role == (None, "r")


def test_assignments_tell_what_is_missing() -> None:
    bindings = [
        binding(binding_row("here", "Role/r", "ServiceAccount:a/x", "User:li", namespace="a")),
        binding(binding_row("gone", "ClusterRole/never", "ServiceAccount:a/deleted")),
    ]
    found = assignments(bindings, {("a", "r")}, {"a/x"}, PLACE)
    account, user, gone = found
    assert (account.principal_exists, account.role_exists, account.scope_type) == (True, True, "namespace")
    assert user.principal_exists is UNKNOWN  # users live outside the cluster
    assert (gone.principal_exists, gone.role_exists, gone.scope_type) == (False, False, "cluster")
    assert [one.native_id for one in found] == [
        "a/here/service_account/a/x",
        "a/here/user/li",
        "ClusterRoleBinding/gone/service_account/a/deleted",
    ]
    unseen = assignments(bindings, None, None, PLACE)
    assert all(one.role_exists is UNKNOWN and one.principal_exists is UNKNOWN for one in unseen)


def test_principals() -> None:
    rights = graph(
        [role_row("cluster-admin", rule("*", "*", "*"))],
        [
            binding(binding_row("ops", "ClusterRole/cluster-admin", "User:li", "ServiceAccount:a/x")),
            binding(binding_row("all", "ClusterRole/cluster-admin", "Group:system:serviceaccounts:b")),
            binding(binding_row("system:x", "ClusterRole/cluster-admin", "ServiceAccount:kube-system/gc")),
            binding(binding_row("mine", "ClusterRole/cluster-admin", "ServiceAccount:kube-system/helm")),
        ],
    )
    found = by_id(principals(rights, ["a/x", "b/y", "c/z"], {"a/x": ["a/Deployment/w"]}, PLACE))
    assert set(found) == {
        "user/li", "user/system:anonymous", "group/system:unauthenticated", "group/system:authenticated",
        "group/system:masters", "group/system:serviceaccounts:b", "service_account/a/x",
        "service_account/b/y", "service_account/c/z", "service_account/kube-system/gc",
        "service_account/kube-system/helm",
    }  # fmt: skip
    everything = {
        name: (power.direct, power.via)
        for name, one in found.items()
        for power in one.powers  # type: ignore[union-attr]
        if power.power == "everything"
    }
    assert everything["user/li"] == (True, ["ops → cluster-admin"])
    assert everything["service_account/b/y"] == (
        False,
        ["all → cluster-admin（经组 system:serviceaccounts:b）"],
    )
    assert "service_account/c/z" not in everything
    assert everything["group/system:masters"][0] is True
    assert found["service_account/a/x"].used_by == ["a/Deployment/w"]
    assert found["service_account/c/z"].used_by == []
    assert found["group/system:authenticated"].everybody is True
    assert found["user/system:anonymous"].anonymous is True
    # an account of kube-system that somebody bound is not the platform's own
    assert found["service_account/kube-system/gc"].builtin is True
    assert found["service_account/kube-system/helm"].builtin is False
    unseen = by_id(principals(rights, ["a/x"], None, PLACE))
    assert unseen["service_account/a/x"].used_by is UNKNOWN


def anonymous(
    *rules: dict[str, Any], namespace: str = "", who: str = "Group:system:unauthenticated"
) -> Graph:
    kind = "Role" if namespace else "ClusterRole"
    return graph(
        [role_row("r", *rules, namespace=namespace)],
        [binding(binding_row("b", f"{kind}/r", who, namespace=namespace))],
    )


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (Graph({}, []), False),
        (anonymous({"verbs": ["get"], "nonResourceURLs": ["/healthz", "/version/", "/livez"]}), False),
        (anonymous({"verbs": ["get"], "nonResourceURLs": ["/metrics"]}), True),
        (anonymous({"verbs": ["get"], "nonResourceURLs": ["*"]}), True),
        (anonymous(rule("get", "pods")), True),
        (anonymous(rule("get", "pods"), who="User:system:anonymous"), True),
        (anonymous(rule("get", "pods"), who="Group:system:authenticated"), False),
        # kubeadm's own
        (
            anonymous(rule("get", "configmaps", resourceNames=["cluster-info"]), namespace="kube-public"),
            False,
        ),
        (anonymous(rule("get", "configmaps"), namespace="kube-public"), True),
        (anonymous(rule("get", "configmaps", resourceNames=["cluster-info"]), namespace="dept"), True),
    ],
)
def test_anonymous_permissions(held: Graph, expected: bool) -> None:
    assert anonymous_permissions(held) is expected

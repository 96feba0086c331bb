"""Effective permissions, held against a resolver that asks every binding about every request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.kubernetes.permissions import (
    Binding,
    Graph,
    RoleKey,
    Subject,
    groups_of,
    user_subject,
)
from collectors.kubernetes.powers import RBAC, WAYS, Request, RoleRule, allows, powers_of

ADMIN = RoleRule(verbs=("*",), groups=("*",), resources=("*",))
READ_SECRETS = RoleRule(verbs=("get", "list"), groups=("",), resources=("secrets",))


def resource(verb: str, plural: str, group: str = "", **more: str | None) -> Request:
    return Request(verb=verb, group=group, resource=plural, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "request_", "expected"),
    [
        (ADMIN, resource("delete", "anything/at-all", "example.org"), True),
        (READ_SECRETS, resource("list", "secrets"), True),
        (READ_SECRETS, resource("delete", "secrets"), False),
        (READ_SECRETS, resource("list", "secrets", "example.org"), False),
        (READ_SECRETS, resource("list", "secrets/status"), False),
        # a subresource is named by itself, or for all resources by */; "pods/*" is no wildcard
        (RoleRule(verbs=("get",), groups=("",), resources=("pods",)), resource("get", "pods/exec"), False),
        (RoleRule(verbs=("get",), groups=("",), resources=("pods/*",)), resource("get", "pods/exec"), False),
        (RoleRule(verbs=("get",), groups=("",), resources=("*/exec",)), resource("get", "pods/exec"), True),
        (RoleRule(verbs=("get",), groups=("",), resources=("*/exec",)), resource("get", "pods"), False),
        (RoleRule(verbs=("get",), groups=("",), resources=("*",)), resource("get", "pods/exec"), True),
        # a name limits what has a name; lists and creations have none
        (
            RoleRule(verbs=("*",), groups=("",), resources=("secrets",), names=("one",)),
            resource("get", "secrets", name="one"),
            True,
        ),
        (
            RoleRule(verbs=("*",), groups=("",), resources=("secrets",), names=("one",)),
            resource("list", "secrets"),
            False,
        ),
        # paths: a star at the end only
        (RoleRule(verbs=("get",), urls=("/healthz/*",)), Request(verb="get", url="/healthz/etcd"), True),
        (RoleRule(verbs=("get",), urls=("/healthz/*",)), Request(verb="get", url="/healthz"), False),
        (RoleRule(verbs=("get",), urls=("/healthz",)), Request(verb="get", url="/healthz/etcd"), False),
        (RoleRule(verbs=("*",), urls=("*",)), Request(verb="post", url="/metrics"), True),
        (ADMIN, Request(verb="get", url="/metrics"), False),
        (RoleRule(verbs=("*",), urls=("*",)), resource("get", "pods"), False),
    ],
)
def test_one_rule(rule: RoleRule, request_: Request, expected: bool) -> None:
    assert allows(rule, request_) is expected


def bound(
    subject: Subject, *rules: RoleRule, namespace: str | None = None, cluster_role: bool = True
) -> Graph:
    key: RoleKey = (None if cluster_role else namespace, "r")
    return Graph({key: rules}, [Binding("b", namespace, key, (subject,))])


def test_a_role_binding_grants_in_its_namespace_only() -> None:
    graph = bound(("user", "li"), READ_SECRETS, namespace="dept")
    assert graph.allows(("user", "li"), (), resource("list", "secrets", namespace="dept"))
    assert not graph.allows(("user", "li"), (), resource("list", "secrets", namespace="other"))
    assert not graph.allows(("user", "li"), (), resource("list", "secrets"))
    assert graph.held(("user", "li")).powers == {("read_secrets", "dept"): (["dept/b → r"], True)}
    assert graph.held(("user", "li")).roles == ["r@dept"]


def test_what_has_no_namespace_is_not_given_by_a_role_binding() -> None:
    rules = [
        RoleRule(verbs=("*",), groups=("*",), resources=("nodes/proxy", "nodes", "persistentvolumes")),
        RoleRule(verbs=("get",), urls=("*",)),
    ]
    inside = bound(("user", "li"), *rules, namespace="dept")
    assert {power for power, _ in inside.held(("user", "li")).powers} == {"wildcard_verbs"}
    assert not inside.allows(("user", "li"), (), Request(verb="get", url="/metrics"))
    whole = bound(("user", "li"), *rules)
    assert {power for power, _ in whole.held(("user", "li")).powers} == {
        "wildcard_verbs",
        "node_proxy",
        "write_nodes",
        "write_volumes",
    }


def test_groups_that_everybody_is_in() -> None:
    graph = bound(("group", "system:serviceaccounts:dept"), READ_SECRETS)
    held = graph.held(("service_account", "dept/default"))
    assert held.powers == {
        ("read_secrets", None): (["b → r（经组 system:serviceaccounts:dept）"], False),
    }
    assert graph.held(("service_account", "other/default")).powers == {}
    assert graph.held(("user", "li")).powers == {}
    everybody = bound(("group", "system:authenticated"), READ_SECRETS)
    for subject in (("user", "li"), ("service_account", "a/b"), ("group", "system:serviceaccounts:a")):
        assert ("read_secrets", None) in everybody.held(subject).powers, subject  # type: ignore[arg-type]
    assert everybody.held(("user", "system:anonymous")).powers == {}
    nobody = bound(("group", "system:unauthenticated"), READ_SECRETS)
    assert ("read_secrets", None) in nobody.held(("user", "system:anonymous")).powers
    assert nobody.held(("user", "li")).powers == {}


def test_masters_need_no_binding() -> None:
    graph = Graph({}, [])
    assert ("everything", None) in graph.held(("group", "system:masters")).powers
    assert graph.allows(("user", "li"), ["system:masters"], resource("delete", "nodes"))


def test_a_missing_role_gives_nothing() -> None:
    graph = Graph({}, [Binding("b", None, (None, "gone"), (("user", "li"),))])
    held = graph.held(("user", "li"))
    assert held.roles == ["gone"]
    assert (held.powers, held.rules) == ({}, 0)


def test_a_cluster_role_and_a_role_of_one_name_are_two() -> None:
    roles: dict[RoleKey, list[RoleRule]] = {(None, "r"): [ADMIN], ("dept", "r"): [READ_SECRETS]}
    graph = Graph(roles, [Binding("b", "dept", ("dept", "r"), (("user", "li"),))])
    assert set(graph.held(("user", "li")).powers) == {("read_secrets", "dept")}


def test_rules_are_counted_once_in_each_scope() -> None:
    roles: dict[RoleKey, list[RoleRule]] = {(None, "a"): [ADMIN, READ_SECRETS], (None, "b"): [READ_SECRETS]}
    li: tuple[Subject, ...] = (("user", "li"),)
    bindings = [
        Binding("1", None, (None, "a"), li),
        Binding("2", None, (None, "b"), li),
        Binding("3", "dept", (None, "b"), li),
    ]
    assert Graph(roles, bindings).held(("user", "li")).rules == 3


def test_a_service_account_may_be_written_as_a_user() -> None:
    assert user_subject("system:serviceaccount:dept:robot") == ("service_account", "dept/robot")
    assert user_subject("system:serviceaccount:dept") == ("user", "system:serviceaccount:dept")
    assert user_subject("system:kube-scheduler") == ("user", "system:kube-scheduler")


@pytest.mark.parametrize(
    ("rule", "powers"),
    [
        (
            RoleRule(verbs=("escalate",), groups=(RBAC,), resources=("clusterroles",), names=("one",)),
            {"escalate"},
        ),
        (RoleRule(verbs=("bind",), groups=(RBAC,), resources=("clusterroles",), names=("view",)), set()),
        (
            RoleRule(
                verbs=("bind",), groups=(RBAC,), resources=("clusterroles",), names=("cluster-admin", "view")
            ),
            {"bind_roles"},
        ),
        (RoleRule(verbs=("impersonate",), groups=("",), resources=("groups",), names=("devs",)), set()),
        (
            RoleRule(verbs=("impersonate",), groups=("",), resources=("groups",), names=("system:masters",)),
            {"impersonate"},
        ),
        (RoleRule(verbs=("get",), groups=("",), resources=("secrets",), names=("one",)), set()),
        (RoleRule(verbs=("create",), groups=("",), resources=("*/token",)), {"create_tokens"}),
        (
            RoleRule(verbs=("*",), groups=("*",), resources=("*",), names=("one",)),
            {"wildcard_verbs", "wildcard_resources", "escalate"},
        ),
        (RoleRule(verbs=("*",), urls=("*",)), set()),
    ],
)
def test_powers_of_odd_rules(rule: RoleRule, powers: set[str]) -> None:
    assert powers_of(rule, whole_cluster=True) == powers


def test_every_power_has_a_reason_and_a_way() -> None:
    assert len({way.power for way in WAYS}) == len(WAYS) == 13
    assert all(len(way.why) > 10 and way.clauses for way in WAYS)


# The oracle: every binding is asked about every request, and a power is a request that is allowed.

NAMESPACES = ("a", "b")
SUBJECTS: tuple[Subject, ...] = (
    ("user", "li"),
    ("user", "system:anonymous"),
    ("service_account", "a/default"),
    ("group", "system:authenticated"),
    ("group", "system:serviceaccounts"),
    ("group", "system:serviceaccounts:a"),
    ("group", "system:unauthenticated"),
    ("group", "devs"),
)
_AMOUNTS: dict[str, list[tuple[str, str, str]]] = {
    "read_secrets": [(v, "", "secrets") for v in ("get", "list", "watch")],
    "write_secrets": [(v, "", "secrets") for v in ("create", "update", "patch")],
    "exec": [
        *product(("create", "get"), ("",), ("pods/exec", "pods/attach")),
        *product(("update", "patch"), ("",), ("pods/ephemeralcontainers",)),
    ],
    "create_tokens": [("create", "", "serviceaccounts/token")],
    "create_pods": [
        ("create", "", "pods"),
        *product(("create", "update", "patch"), ("",), ("replicationcontrollers",)),
        *product(
            ("create", "update", "patch"),
            ("apps",),
            ("deployments", "daemonsets", "statefulsets", "replicasets"),
        ),
        *product(("create", "update", "patch"), ("batch",), ("jobs", "cronjobs")),
    ],
}
_CLUSTER: dict[str, list[tuple[str, str, str]]] = {
    "node_proxy": [(v, "", "nodes/proxy") for v in ("get", "create", "update", "patch", "delete")],
    "write_nodes": [(v, "", "nodes") for v in ("create", "update", "patch", "delete")],
    "write_volumes": [("create", "", "persistentvolumes")],
    "approve_certificates": [
        (v, "certificates.k8s.io", "certificatesigningrequests/approval") for v in ("update", "patch")
    ],
}

words = st.lists(
    st.sampled_from(["get", "list", "create", "update", "patch", "*"]), min_size=1, max_size=2, unique=True
)
rules = st.builds(
    RoleRule,
    verbs=words.map(tuple),
    groups=st.lists(
        st.sampled_from(["", "apps", "batch", "certificates.k8s.io", "*"]), min_size=1, max_size=2
    ).map(tuple),
    resources=st.lists(
        st.sampled_from(
            "secrets pods pods/exec */exec */proxy pods/* nodes nodes/proxy * deployments jobs "
            "serviceaccounts/token */token persistentvolumes certificatesigningrequests/approval".split()
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    names=st.one_of(st.just(()), st.just(("one",))),
)
role_keys = st.sampled_from([(None, "r"), (None, "s"), ("a", "r"), ("b", "t")])
scopes = st.sampled_from([None, *NAMESPACES])
bindings_of = st.lists(
    st.builds(
        Binding,
        st.just("b"),
        scopes,
        role_keys,
        st.lists(st.sampled_from(SUBJECTS), max_size=3).map(tuple),
    ).filter(lambda b: b.role[0] in (None, b.namespace)),
    max_size=6,
)


def asked(
    roles: Mapping[RoleKey, Sequence[RoleRule]],
    bindings: Iterable[Binding],
    who: set[Subject],
    scope: str | None,
    wanted: tuple[str, str, str],
) -> bool:
    """Whether a request is granted, by the words of the manual."""
    verb, group, target = wanted
    star_subresource = "*/" + target.split("/")[1] if "/" in target else None
    for binding in bindings:
        if not who & set(binding.subjects) or binding.namespace not in (None, scope):
            continue
        for rule in roles.get(binding.role, ()):
            if (
                {verb, "*"} & set(rule.verbs)
                and {group, "*"} & set(rule.groups)
                and {target, "*", star_subresource} & set(rule.resources)
                and not rule.names
            ):
                return True
    return False


@settings(max_examples=300)
@given(
    st.dictionaries(role_keys, st.lists(rules, max_size=3), max_size=4),
    bindings_of,
    st.sampled_from(SUBJECTS),
)
def test_powers_are_what_asking_about_every_request_shows(
    roles: dict[RoleKey, list[RoleRule]], bindings: list[Binding], subject: Subject
) -> None:
    graph = Graph(roles, bindings)
    who: set[Subject] = {subject, *(("group", name) for name in groups_of(subject))}
    held = graph.held(subject)
    for scope in (None, *NAMESPACES):
        for power, requests in {**_AMOUNTS, **_CLUSTER}.items():
            if scope is not None and power in _CLUSTER:
                continue
            granted = any(asked(roles, bindings, who, scope, wanted) for wanted in requests)
            # what holds in the whole cluster is told once, at the cluster
            told = (power, scope) in held.powers or (power, None) in held.powers
            assert told == granted, (power, scope)
            for verb, group, name in requests:
                request = Request(verb=verb, group=group, resource=name, namespace=scope)
                assert graph.allows(subject, (), request) == asked(
                    roles, bindings, who, scope, (verb, group, name)
                )
    assert not {(power, scope) for power, scope in held.powers if power in _CLUSTER and scope is not None}

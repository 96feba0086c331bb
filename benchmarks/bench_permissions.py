"""Who may do what in a large cluster: roles and bindings resolved to the permissions of every subject.

    python -m benchmarks.bench_permissions [--bindings 5000] [--roles 500] [--rounds 5]

Process CPU time, best of, from decoded rows to principals with their powers. 500 roles of 1 to 40 rules, of
the shapes that real clusters hold; 5 000 bindings of 1 to 4 subjects in 200 namespaces; 2 000 service
accounts. Doubling either must not more than double the time: cost is linear. Target: below 1 s.
"""

from __future__ import annotations

import argparse
import random
import time

import msgspec

from collectors.kubernetes.rbac import BindingRow, RoleRow, binding, graph, principals
from collectors.kubernetes.survey import Place

VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "*"]
TARGETS = [
    ("", "pods configmaps services endpoints secrets pods/log pods/exec events nodes".split()),
    ("apps", "deployments replicasets statefulsets daemonsets deployments/scale".split()),
    ("batch", ["jobs", "cronjobs"]),
    ("networking.k8s.io", ["ingresses", "networkpolicies"]),
    ("apps.kruise.io", ["clonesets", "*"]),
]


def roles(count: int, draw: random.Random) -> list[RoleRow]:
    """Cluster roles with rules as charts bring them."""

    def rule(index: int) -> dict[str, list[str]]:
        group, resources = draw.choice(TARGETS)
        names = [f"leader-{index}"] if draw.random() < 0.1 else []
        return {
            "verbs": draw.sample(VERBS, draw.randint(1, 5)),
            "apiGroups": [group],
            "resources": draw.sample(resources, draw.randint(1, len(resources))),
            "resourceNames": names,
        }

    return [_role(f"role-{i}", [rule(i) for _ in range(draw.randint(1, 40))]) for i in range(count)]


def _role(name: str, rules: list[dict[str, list[str]]]) -> RoleRow:
    return msgspec.convert({"metadata": {"name": name}, "rules": rules}, RoleRow)


def bindings(count: int, roles: int, draw: random.Random) -> list[BindingRow]:
    """Bindings, most of them in a namespace, most of them of one account."""

    def subject() -> dict[str, str]:
        kind = draw.choice(("ServiceAccount", "ServiceAccount", "User", "Group"))
        one = {"kind": kind, "name": f"{kind.lower()}-{draw.randrange(500)}"}
        return {**one, "namespace": f"ns-{draw.randrange(200)}"} if kind == "ServiceAccount" else one

    rows = [
        {
            "metadata": {"name": f"binding-{i}"}
            | ({"namespace": f"ns-{draw.randrange(200)}"} if draw.random() < 0.8 else {}),
            "roleRef": {"kind": "ClusterRole", "name": f"role-{draw.randrange(roles)}"},
            "subjects": [subject() for _ in range(draw.choice((1, 1, 1, 2, 4)))],
        }
        for i in range(count)
    ]
    everybody = {
        "metadata": {"name": "system:basic-user"},
        "roleRef": {"kind": "ClusterRole", "name": "role-0"},
        "subjects": [{"kind": "Group", "name": "system:authenticated"}],
    }
    return msgspec.convert([*rows, everybody], list[BindingRow])


def resolve(role_rows: list[RoleRow], binding_rows: list[BindingRow], accounts: list[str]) -> int:
    """Everything from rows to principals; how many powers they hold."""
    place = Place(source="bench", labels={}, clean=lambda data: data)
    held = graph(role_rows, [binding(row) for row in binding_rows])
    found = principals(held, accounts, {}, place)
    return sum(len(one.powers) for one in found if isinstance(one.powers, list))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bindings", type=int, default=5000)
    parser.add_argument("--roles", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    accounts = [f"ns-{i % 200}/serviceaccount-{i}" for i in range(2000)]
    print("| roles | rules | bindings | powers found | CPU s |\n|---|---|---|---|---|")
    for role_count, binding_count in (
        (given.roles, given.bindings),
        (given.roles * 2, given.bindings),
        (given.roles, given.bindings * 2),
    ):
        draw = random.Random(7)
        role_rows = roles(role_count, draw)
        binding_rows = bindings(binding_count, role_count, draw)
        best, powers = float("inf"), 0
        for _ in range(given.rounds):
            started = time.process_time()
            powers = resolve(role_rows, binding_rows, accounts)
            best = min(best, time.process_time() - started)
        rules = sum(len(row.rules or ()) for row in role_rows)
        print(f"| {role_count} | {rules} | {binding_count} | {powers} | {best:.2f} |")


if __name__ == "__main__":
    main()

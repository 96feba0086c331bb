"""Who may do what in a cluster: roles and bindings resolved to the permissions of every subject.

Follows the API server's RBAC authorizer (kubernetes.io "Using RBAC Authorization"; its evaluation of one
rule is ``powers.allows``). What RBAC does not decide is not here: the Node authorizer (group system:nodes), a
webhook or ABAC authorizer, and the groups that an identity provider or a certificate puts a user in. What
comes through a group stands at the group.

Cost: each distinct rule is judged once; then one step for each subject of each binding, and one for each
group of each subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from collectors.kubernetes.powers import MASTERS, NONE, Request, RoleRule, allows, judged
from inventory.kinds.identity import PrincipalType

AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS = "system:anonymous"
SERVICE_ACCOUNTS = "system:serviceaccounts"
_ACCOUNT_USER = "system:serviceaccount:"

Subject = tuple[PrincipalType, str]  # service accounts as namespace/name
RoleKey = tuple[str | None, str]  # namespace (None = a ClusterRole), name


class Binding(msgspec.Struct, frozen=True):
    """``namespace`` None = a ClusterRoleBinding."""

    name: str
    namespace: str | None
    role: RoleKey
    subjects: tuple[Subject, ...]

    @property
    def text(self) -> str:
        """binding → role, as shown to people."""
        where = f"{self.namespace}/" if self.namespace is not None else ""
        return f"{where}{self.name} → {self.role[1]}"


class Held(msgspec.Struct, kw_only=True):
    """What one subject holds. ``powers``: (power, namespace or None) → the bindings that give it, and
    whether one of them names the subject itself. ``rules``: number of distinct rules in force, counted
    in each scope."""

    roles: list[str] = msgspec.field(default_factory=list)
    powers: dict[tuple[str, str | None], tuple[list[str], bool]] = msgspec.field(default_factory=dict)
    rules: int = 0


class _Summary(msgspec.Struct, frozen=True):
    """One role judged once: its rules by number, and its powers in the cluster and in a namespace."""

    rules: frozenset[int]
    everywhere: frozenset[str]
    inside: frozenset[str]

    def in_scope(self, namespace: str | None) -> frozenset[str]:
        """Its powers where it is bound in a namespace, or in the whole cluster (None)."""
        return self.everywhere if namespace is None else self.inside


def _take(
    roles: set[str], rules: dict[str | None, frozenset[int]], binding: Binding, summary: _Summary
) -> None:
    scope = binding.namespace
    roles.add(binding.role[1] if scope is None else f"{binding.role[1]}@{scope}")
    before = rules.get(scope)
    rules[scope] = summary.rules if before is None else before | summary.rules


_NOTHING = _Summary(frozenset(), frozenset(), frozenset())
_NO_GRANTS: tuple[tuple[Binding, _Summary], ...] = ()


def groups_of(subject: Subject) -> tuple[str, ...]:
    """The groups that a subject is in without being put there."""
    type_, name = subject
    if type_ == "service_account":
        return (SERVICE_ACCOUNTS, f"{SERVICE_ACCOUNTS}:{name.partition('/')[0]}", AUTHENTICATED)
    if type_ == "user":
        return (UNAUTHENTICATED,) if name == ANONYMOUS else (AUTHENTICATED,)
    if name.startswith(f"{SERVICE_ACCOUNTS}:"):
        return (SERVICE_ACCOUNTS, AUTHENTICATED)
    return (AUTHENTICATED,) if name == SERVICE_ACCOUNTS else ()


def user_subject(name: str) -> Subject:
    """The subject behind a user name: a service account may be written as the user that it is."""
    namespace, colon, account = name.removeprefix(_ACCOUNT_USER).partition(":")
    if name.startswith(_ACCOUNT_USER) and colon and namespace and account:
        return "service_account", f"{namespace}/{account}"
    return "user", name


class Graph:
    """Roles and bindings, by subject. ``roles`` holds every role that was seen; a binding to another one
    grants nothing until somebody makes that role."""

    def __init__(self, roles: Mapping[RoleKey, Sequence[RoleRule]], bindings: Iterable[Binding]) -> None:
        self._roles = roles
        self._numbers: dict[RoleRule, int] = {}
        self._judged: list[tuple[frozenset[str], frozenset[str]]] = []
        self._summaries: dict[RoleKey, _Summary] = {}
        self._grants: dict[Subject, list[tuple[Binding, _Summary]]] = {}
        for binding in bindings:
            summary = self._summary(binding.role)
            for subject in dict.fromkeys(binding.subjects):
                self._grants.setdefault(subject, []).append((binding, summary))

    def subjects(self) -> set[Subject]:
        """Every subject that some binding names."""
        return set(self._grants)

    def _summary(self, role: RoleKey) -> _Summary:
        known = self._summaries.get(role)
        if known is None:
            rules = self._roles.get(role)
            known = self._summaries[role] = _NOTHING if rules is None else self._summed(rules)
        return known

    def _summed(self, rules: Sequence[RoleRule]) -> _Summary:
        numbers = frozenset(self._number(rule) for rule in rules)
        return _Summary(
            numbers,
            NONE.union(*(self._judged[number][0] for number in numbers)),
            NONE.union(*(self._judged[number][1] for number in numbers)),
        )

    def _number(self, rule: RoleRule) -> int:
        number = self._numbers.get(rule)
        if number is None:
            number = self._numbers[rule] = len(self._judged)
            self._judged.append(judged(rule))
        return number

    def held(self, subject: Subject) -> Held:
        """Everything that a subject holds by itself and through the groups it is in of itself."""
        roles: set[str] = set()
        via: dict[tuple[str, str | None], list[str]] = {}
        rules: dict[str | None, frozenset[int]] = {}
        for binding, summary in self._grants.get(subject, _NO_GRANTS):
            _take(roles, rules, binding, summary)
            text = binding.text
            for power in summary.in_scope(binding.namespace):
                via.setdefault((power, binding.namespace), []).append(text)
        direct = set(via)
        for group in groups_of(subject):
            for binding, summary in self._grants.get(("group", group), _NO_GRANTS):
                _take(roles, rules, binding, summary)
                text = f"{binding.text}（经组 {group}）"
                for power in summary.in_scope(binding.namespace):
                    via.setdefault((power, binding.namespace), []).append(text)
        if subject == ("group", MASTERS):
            via.setdefault(("everything", None), []).append(f"组 {MASTERS}：不经授权检查")
            direct.add(("everything", None))
        return Held(
            roles=sorted(roles),
            powers={
                key: (sorted(texts) if len(texts) > 1 else texts, key in direct) for key, texts in via.items()
            },
            rules=sum(map(len, rules.values())),
        )

    def allows(self, subject: Subject, groups: Iterable[str], request: Request) -> bool:
        """Whether a subject, being also in these groups, may do something."""
        among = {*groups, *groups_of(subject)}
        if MASTERS in among or subject == ("group", MASTERS):
            return True
        for source in [subject, *(("group", name) for name in sorted(among))]:
            for binding, _ in self._grants.get(source, _NO_GRANTS):
                if binding.namespace is not None and binding.namespace != request.namespace:
                    continue
                if binding.namespace is not None and request.url:
                    continue
                if any(allows(rule, request) for rule in self._roles.get(binding.role, ())):
                    return True
        return False

    def bindings_of(self, subject: Subject) -> list[Binding]:
        """The bindings that name this very subject."""
        return [binding for binding, _ in self._grants.get(subject, _NO_GRANTS)]

    def granted(self, request: Request) -> bool:
        """Whether some binding grants it to anybody, in the namespace of the request or in any (None)."""
        return any(
            allows(rule, request)
            for grants in self._grants.values()
            for binding, _ in grants
            if request.namespace is None or binding.namespace in (None, request.namespace)
            for rule in self._roles.get(binding.role, ())
        )

    def rules_of(self, subject: Subject) -> list[tuple[str | None, RoleRule]]:
        """The rules that bindings of this very subject put into force, each with its scope."""
        return [
            (binding.namespace, rule)
            for binding, _ in self._grants.get(subject, _NO_GRANTS)
            for rule in self._roles.get(binding.role, ())
        ]

"""Who may do what in a cluster: roles and bindings resolved to the permissions of every subject.

Follows the API server's RBAC authorizer (kubernetes.io "Using RBAC Authorization"; its evaluation of one
rule is in ``allows``). What RBAC does not decide is not here: the Node authorizer (group system:nodes), a
webhook or ABAC authorizer, and the groups that an identity provider or a certificate puts a user in. What
comes through a group stands at the group.

Cost: each distinct rule is judged once; then one step for each subject of each binding, and one for each
group of each subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from inventory.kinds.identity import PrincipalType

ALL = "*"
MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS = "system:anonymous"
SERVICE_ACCOUNTS = "system:serviceaccounts"
_ACCOUNT_USER = "system:serviceaccount:"
RBAC = "rbac.authorization.k8s.io"

Subject = tuple[PrincipalType, str]  # service accounts as namespace/name
RoleKey = tuple[str | None, str]  # namespace (None = a ClusterRole), name


class RoleRule(msgspec.Struct, frozen=True):
    """One rule of a role, its lists sorted and without duplicates, so that equal rules are one."""

    verbs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


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


class Request(msgspec.Struct, frozen=True):
    """What is asked of the API server. ``resource`` may hold a subresource ("pods/exec"); ``namespace``
    None = a cluster-wide resource, or all namespaces; ``url`` makes it a non-resource request."""

    verb: str
    group: str = ""
    resource: str = ""
    name: str = ""
    namespace: str | None = None
    url: str = ""


class _Clause(msgspec.Struct, frozen=True):
    """Verbs on resources of one API group that give a power. ``named`` tells whether a rule that is
    limited to names gives it too (None = never)."""

    verbs: frozenset[str]
    group: str
    spellings: frozenset[str]  # of the resources: by name, by */subresource, by *
    cluster_only: bool = False  # on resources that have no namespace, so a RoleBinding gives nothing
    named: Callable[[tuple[str, ...]], bool] | None = None


class Way(msgspec.Struct, frozen=True):
    """One power, why it matters, and every request that amounts to it."""

    power: str
    why: str
    clauses: tuple[_Clause, ...]


def _clause(
    verbs: str,
    resources: str,
    group: str = "",
    cluster_only: bool = False,
    named: Callable[[tuple[str, ...]], bool] | None = None,
) -> _Clause:
    spellings = {spelling for resource in resources.split() for spelling in _spellings(resource)}
    return _Clause(frozenset(verbs.split()), group, frozenset(spellings), cluster_only, named)


def _spellings(resource: str) -> tuple[str, ...]:
    """The ways in which a rule may name a resource."""
    _, slash, subresource = resource.partition("/")
    return (ALL, resource, f"*/{subresource}") if slash and subresource else (ALL, resource)


def _any_name(names: tuple[str, ...]) -> bool:
    return bool(names)


def _masters(names: tuple[str, ...]) -> bool:
    return MASTERS in names


def _administrators(names: tuple[str, ...]) -> bool:
    return "cluster-admin" in names


WAYS: tuple[Way, ...] = (
    Way(
        "read_secrets",
        "读出范围内全部口令、证书私钥和长期令牌；list 和 watch 的答复同样带着值",
        (_clause("get list watch", "secrets"),),
    ),
    Way(
        "write_secrets",
        "新建一个服务账户令牌类型的条目就得到该账户的令牌；改写证书和口令能冒充服务",
        (_clause("create update patch", "secrets"),),
    ),
    Way(
        "escalate",
        "改写角色时可以写入自己没有的权限，等于给自己任意权限",
        (
            _clause("escalate", "roles", RBAC, named=_any_name),
            _clause("escalate", "clusterroles", RBAC, cluster_only=True, named=_any_name),
        ),
    ),
    Way(
        "bind_roles",
        "可以把自己没有的角色绑给自己",
        (_clause("bind", "roles clusterroles", RBAC, named=_administrators),),
    ),
    Way(
        "impersonate",
        "以别人的身份发请求，连同别人的全部权限，审计日志里也容易看错人",
        (
            _clause("impersonate", "users", cluster_only=True),
            _clause("impersonate", "groups", cluster_only=True, named=_masters),
            _clause("impersonate", "serviceaccounts"),
        ),
    ),
    Way(
        "exec",
        "进入容器执行命令：得到容器里的密钥、令牌和网络位置；旧版本里 get 也能打开会话",
        (
            _clause("create get", "pods/exec pods/attach"),
            _clause("update patch", "pods/ephemeralcontainers"),
        ),
    ),
    Way(
        "create_pods",
        "新建容器组能挂载本命名空间任何密钥，能以任何服务账户运行；没有准入限制时还能挂宿主机目录，"
        "成为节点的 root",
        (
            _clause("create", "pods"),
            _clause("create update patch", "replicationcontrollers"),
            _clause("create update patch", "deployments daemonsets statefulsets replicasets", "apps"),
            _clause("create update patch", "jobs cronjobs", "batch"),
        ),
    ),
    Way(
        "create_tokens",
        "给范围内任何服务账户签发令牌，得到它的全部权限",
        (_clause("create", "serviceaccounts/token"),),
    ),
    Way(
        "node_proxy",
        "经 API 直达节点上的 kubelet：在该节点任何容器里执行命令，绕过准入控制和审计",
        (_clause("get create update patch delete", "nodes/proxy", cluster_only=True),),
    ),
    Way(
        "write_nodes",
        "改节点的标签和污点，把敏感负载引到受控的节点，或使节点停用",
        (_clause("create update patch delete", "nodes", cluster_only=True),),
    ),
    Way(
        "write_webhooks",
        "读到并改写进入集群的每个对象（包括密钥），或撤掉准入检查",
        (
            _clause(
                "create update patch delete",
                "validatingwebhookconfigurations mutatingwebhookconfigurations",
                "admissionregistration.k8s.io",
                cluster_only=True,
            ),
        ),
    ),
    Way(
        "write_volumes",
        "新建指向宿主机目录的持久卷，读写节点上的任何文件",
        (_clause("create", "persistentvolumes", cluster_only=True),),
    ),
    Way(
        "approve_certificates",
        "批准证书申请，从而签出任何用户或节点身份的客户端证书",
        (
            _clause(
                "update patch",
                "certificatesigningrequests/approval",
                "certificates.k8s.io",
                cluster_only=True,
            ),
        ),
    ),
)
"""The powers that are told by requests. ``everything``, ``wildcard_verbs`` and ``wildcard_resources`` are
told by the rule's own stars: a star also gives what later versions and new extensions will bring."""


def allows(rule: RoleRule, request: Request) -> bool:
    """Whether one rule grants one request, as ``RuleAllows`` of the API server has it.

    ``*/scale`` stands for that subresource of every resource; ``pods/*`` stands for nothing but itself.
    A list, a watch or a create has no name, so a rule limited to names does not grant it.
    """
    if ALL not in rule.verbs and request.verb not in rule.verbs:
        return False
    if request.url:
        return any(
            url in (ALL, request.url) or (url.endswith(ALL) and request.url.startswith(url.rstrip(ALL)))
            for url in rule.urls
        )
    return (
        (ALL in rule.groups or request.group in rule.groups)
        and any(spelling in rule.resources for spelling in _spellings(request.resource))
        and (not rule.names or request.name in rule.names)
    )


def powers_of(rule: RoleRule, whole_cluster: bool) -> frozenset[str]:
    """The powers that one rule gives where it is bound cluster-wide, or in one namespace."""
    return _judge(rule)[0 if whole_cluster else 1]


_INTERESTING = frozenset({ALL}).union(*(clause.spellings for way in WAYS for clause in way.clauses))


def _judge(rule: RoleRule) -> tuple[frozenset[str], frozenset[str]]:
    """The powers of a rule in the whole cluster, and in a namespace."""
    if not rule.resources:
        return _NONE, _NONE
    everywhere: set[str] = set()
    inside: set[str] = set()
    if not _INTERESTING.isdisjoint(rule.resources):
        for way in WAYS:
            for clause in way.clauses:
                if _gives(rule, clause):
                    everywhere.add(way.power)
                    if not clause.cluster_only:
                        inside.add(way.power)
    stars = set()
    if ALL in rule.verbs:
        stars.add("wildcard_verbs")
    if ALL in rule.resources:
        stars.add("wildcard_resources")
    if len(stars) == 2 and ALL in rule.groups and not rule.names:
        stars.add("everything")
    return frozenset(everywhere | stars), frozenset(inside | stars)


_NONE: frozenset[str] = frozenset()


def _gives(rule: RoleRule, clause: _Clause) -> bool:
    return (
        not clause.spellings.isdisjoint(rule.resources)
        and (ALL in rule.verbs or not clause.verbs.isdisjoint(rule.verbs))
        and (ALL in rule.groups or clause.group in rule.groups)
        and (not rule.names or (clause.named is not None and clause.named(rule.names)))
    )


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
            _NONE.union(*(self._judged[number][0] for number in numbers)),
            _NONE.union(*(self._judged[number][1] for number in numbers)),
        )

    def _number(self, rule: RoleRule) -> int:
        number = self._numbers.get(rule)
        if number is None:
            number = self._numbers[rule] = len(self._judged)
            self._judged.append(_judge(rule))
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

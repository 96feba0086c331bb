"""What one rule of a role gives: a request it allows, and the powers that are worth naming.

Follows the API server's RBAC authorizer (kubernetes.io "Using RBAC Authorization").
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

ALL = "*"
MASTERS = "system:masters"
RBAC = "rbac.authorization.k8s.io"


class RoleRule(msgspec.Struct, frozen=True):
    """One rule of a role, its lists sorted and without duplicates, so that equal rules are one."""

    verbs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


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
    return judged(rule)[0 if whole_cluster else 1]


_INTERESTING = frozenset({ALL}).union(*(clause.spellings for way in WAYS for clause in way.clauses))


def judged(rule: RoleRule) -> tuple[frozenset[str], frozenset[str]]:
    """The powers of a rule in the whole cluster, and in a namespace."""
    if not rule.resources:
        return NONE, NONE
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


NONE: frozenset[str] = frozenset()


def _gives(rule: RoleRule, clause: _Clause) -> bool:
    return (
        not clause.spellings.isdisjoint(rule.resources)
        and (ALL in rule.verbs or not clause.verbs.isdisjoint(rule.verbs))
        and (ALL in rule.groups or clause.group in rule.groups)
        and (not rule.names or (clause.named is not None and clause.named(rule.names)))
    )

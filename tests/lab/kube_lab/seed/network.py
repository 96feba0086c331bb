"""Services, ingresses and network policies: one case a namespace, in turn."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from kube_lab.seed.plan import PLANTED, Plan
from kube_lab.seed.things import Json, Thing, thing

NETWORKING = "networking.k8s.io/v1"
EVERYTHING: Json = {}
WORLD_IPV4: Json = {"ipBlock": {"cidr": "0.0.0.0/0"}}
WORLD_IPV6: Json = {"ipBlock": {"cidr": "::/0"}}
OFFICE_IPV4: Json = {"ipBlock": {"cidr": "10.40.0.0/16"}}
NEIGHBOURS: Json = {"podSelector": {}}

# one namespace each, in turn: its policies as (name, spec)
POLICIES: list[list[tuple[str, Json]]] = [
    [
        ("default-deny", {"podSelector": EVERYTHING, "policyTypes": ["Ingress", "Egress"]}),
        ("neighbours", {"podSelector": EVERYTHING, "ingress": [{"from": [NEIGHBOURS]}]}),
    ],
    [],
    [("default-deny-ingress", {"podSelector": EVERYTHING, "policyTypes": ["Ingress"]})],
    [
        ("default-deny", {"podSelector": EVERYTHING, "policyTypes": ["Ingress", "Egress"]}),
        ("world-ipv4", {"podSelector": EVERYTHING, "ingress": [{"from": [WORLD_IPV4]}]}),
    ],
    [
        ("default-deny", {"podSelector": EVERYTHING, "policyTypes": ["Ingress", "Egress"]}),
        ("world-ipv6", {"podSelector": EVERYTHING, "ingress": [{"from": [WORLD_IPV6]}]}),
        ("ipv6-wider", {"podSelector": EVERYTHING, "ingress": [{"from": [OFFICE_IPV4, WORLD_IPV6]}]}),
    ],
    [("default-deny-egress", {"podSelector": EVERYTHING, "policyTypes": ["Egress"]})],
    [("only-web", {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]})],
    [("allow-all", {"podSelector": EVERYTHING, "ingress": [{}], "policyTypes": ["Ingress"]})],
    [
        (
            "both-worlds-but-inside",
            {
                "podSelector": EVERYTHING,
                "policyTypes": ["Ingress"],
                "ingress": [
                    {
                        "from": [
                            {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}},
                            {"ipBlock": {"cidr": "::/0", "except": ["fd00::/8"]}},
                        ],
                        "ports": [{"protocol": "TCP", "port": 443}],
                    }
                ],
            },
        )
    ],
]

# in turn: (name, spec, status)
SERVICES: list[tuple[str, Json, Json | None]] = [
    ("web", {"type": "ClusterIP", "ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]}, None),
    ("web-ipv6", {"type": "ClusterIP", "ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv6"]}, None),
    ("web-dual", {"type": "ClusterIP", "ipFamilyPolicy": "RequireDualStack"}, None),
    ("web-node", {"type": "NodePort", "ipFamilyPolicy": "PreferDualStack"}, None),
    (
        "web-balanced",
        {"type": "LoadBalancer", "ipFamilyPolicy": "PreferDualStack"},
        {"loadBalancer": {"ingress": [{"ip": "203.0.113.20"}, {"ip": "2001:db8:99::20"}]}},
    ),
    (
        "web-limited",
        {
            "type": "LoadBalancer",
            "ipFamilyPolicy": "SingleStack",
            "ipFamilies": ["IPv4"],
            "loadBalancerSourceRanges": ["10.40.0.0/16"],
        },
        {"loadBalancer": {"ingress": [{"ip": "203.0.113.21"}]}},
    ),
    ("web-headless", {"type": "ClusterIP", "clusterIP": "None", "ipFamilyPolicy": "SingleStack"}, None),
    ("web-external-ip", {"type": "ClusterIP", "externalIPs": ["203.0.113.80"]}, None),
    ("old-portal", {"type": "ExternalName", "externalName": "portal.gov.example"}, None),
]


def network(plan: Plan) -> Iterator[Thing]:
    """A turn of each list for each namespace."""
    for number, namespace in enumerate(plan.namespaces):
        for name, spec in POLICIES[number % len(POLICIES)]:
            yield thing(NETWORKING, "networkpolicies", "NetworkPolicy", name, namespace, spec=spec)
        for turn in (number, number + 3):
            yield service(namespace, *SERVICES[turn % len(SERVICES)])
        yield ingress(namespace, number)


def service(namespace: str, name: str, spec: Json, status: Json | None) -> Thing:
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    body = spec if spec["type"] == "ExternalName" else {"selector": {"app": "web"}, "ports": ports, **spec}
    return thing("v1", "services", "Service", name, namespace, status=status, spec=body)


def ingress(namespace: str, number: int) -> Thing:
    """With TLS, without, for one of two hosts only, with a snippet, or a back end alone."""
    backend = {"service": {"name": "web", "port": {"number": 80}}}

    def rule(host: str) -> Json:
        return {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}

    host, second = f"{namespace}.gov.example", f"{namespace}-api.gov.example"
    tls = [{"hosts": [host], "secretName": "web-tls"}]
    annotations: dict[str, str] = {}
    spec: Json = {"ingressClassName": "nginx", "rules": [rule(host)]}
    case = number % 5
    if case in (0, 2, 3):
        spec["tls"] = tls
    if case == 2:
        spec["rules"].append(rule(second))
    if case == 3:
        annotations["nginx.ingress.kubernetes.io/server-snippet"] = "location /x { return 200; }"
        annotations["nginx.ingress.kubernetes.io/ssl-redirect"] = "false"
    if case == 4:
        spec = {"defaultBackend": backend}
    return thing(NETWORKING, "ingresses", "Ingress", "web", namespace, annotations=annotations, spec=spec)


def ingress_classes(plan: Plan) -> Iterator[Thing]:
    """Cluster-wide pieces of the network."""
    yield thing(
        *(NETWORKING, "ingressclasses", "IngressClass", "nginx"), spec={"controller": "k8s.io/ingress-nginx"}
    )
    # an aggregated API whose server is away: its group is listed, its discovery answers 503
    yield thing(
        *("apiregistration.k8s.io/v1", "apiservices", "APIService", "v1beta1.metrics.k8s.io"),
        spec={
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": "metrics-server", "namespace": "kube-system"},
        },
    )
    yield from webhooks(plan)


def webhooks(plan: Plan) -> Iterator[Thing]:
    """Admission webhooks, one that fails open; none is ever called: the lab's server has them off."""
    api = "admissionregistration.k8s.io/v1"
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}]
    usual = {"rules": rules, "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 5}
    inside = {"service": {"name": "policy", "namespace": "kube-system", "path": "/validate"}}
    outside = {"url": f"https://policy.gov.example/{PLANTED['webhook_url']}"}
    yield thing(
        *(api, "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "image-policy"),
        webhooks=[
            {**usual, "name": "strict.policy.gov.example", "clientConfig": inside, "failurePolicy": "Fail"},
            {**usual, "name": "open.policy.gov.example", "clientConfig": outside, "failurePolicy": "Ignore"},
        ],
    )
    authority = base64.b64encode((plan.pki / "ca.crt").read_bytes()).decode()
    yield thing(
        *(api, "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "with-authority"),
        webhooks=[
            {
                **usual,
                "name": "checked.policy.gov.example",
                "clientConfig": {**inside, "caBundle": authority},
                "failurePolicy": "Fail",
            }
        ],
    )
    yield thing(
        *(api, "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "sidecar-injector"),
        webhooks=[
            {**usual, "name": "inject.mesh.gov.example", "clientConfig": inside, "failurePolicy": "Ignore"}
        ],
    )
    if not plan.old:
        for name in ("no-latest", "no-latest-denied", "bound-to-nothing"):
            yield thing(
                *(api, "validatingadmissionpolicies", "ValidatingAdmissionPolicy", name),
                spec={
                    "failurePolicy": "Fail",
                    "matchConstraints": {"resourceRules": rules},
                    "validations": [
                        {"expression": "object.spec.containers.all(c, !c.image.endsWith(':latest'))"}
                    ],
                },
            )
        for name, action in (("no-latest", "Audit"), ("no-latest-denied", "Deny")):
            yield thing(
                *(api, "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", name),
                spec={"policyName": name, "validationActions": [action]},
            )

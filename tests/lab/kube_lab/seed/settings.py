"""Secrets and config maps: their values are planted words that must not leave a collector."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from kube_lab.seed.plan import PLANTED, Plan
from kube_lab.seed.things import Thing, thing


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def settings(plan: Plan) -> Iterator[Thing]:
    """In each namespace a TLS, an opaque and a registry secret; one of each rarer type."""
    for number, namespace in enumerate(plan.namespaces):
        # one in four runs out within the month
        certificate = "web-short" if number % 4 == 1 else "web-long"
        key = f"-----BEGIN EC PRIVATE KEY-----\n{PLANTED['secret_value']}\n-----END EC PRIVATE KEY-----\n"
        chain = (plan.pki / f"{certificate}.crt").read_text(encoding="ascii")
        yield secret(namespace, "web-tls", "kubernetes.io/tls", {"tls.crt": chain, "tls.key": key})
        yield database(namespace)
        registry = {"auths": {"registry.gov.example": {"auth": encoded(f"ci:{PLANTED['secret_value']}")}}}
        file = {".dockerconfigjson": json.dumps(registry)}
        yield secret(namespace, "registry", "kubernetes.io/dockerconfigjson", file)
        yield thing(
            *("v1", "configmaps", "ConfigMap", "settings", namespace),
            data={"LOG_LEVEL": "info", "jdbc": f"jdbc:kingbase8://db/app?password={PLANTED['configmap']}"},
        )
        if plan.old:
            kind = "kubernetes.io/service-account-token"
            owner = {"kubernetes.io/service-account.name": "default"}
            yield secret(namespace, "default-token-lab00", kind, {"token": PLANTED["secret_value"]}, owner)
    first = plan.namespaces[0]
    login = {"username": "admin", "password": PLANTED["secret_value"]}
    yield secret(first, "login", "kubernetes.io/basic-auth", login)
    yield secret(first, "deploy-key", "kubernetes.io/ssh-auth", {"ssh-privatekey": PLANTED["secret_value"]})
    yield secret(first, "release.v1", "helm.sh/release.v1", {"release": PLANTED["secret_value"]})
    bootstrap = {"token-id": "lab001", "token-secret": PLANTED["secret_value"][-16:]}
    yield secret("kube-system", "bootstrap-token-lab001", "bootstrap.kubernetes.io/token", bootstrap)


def database(namespace: str) -> Thing:
    """As `kubectl apply` leaves it: the annotation repeats the data."""
    data = {"password": encoded(PLANTED["secret_last_applied"])}
    applied = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "database", "namespace": namespace},
        "data": data,
    }
    return thing(
        *("v1", "secrets", "Secret", "database", namespace),
        annotations={"kubectl.kubernetes.io/last-applied-configuration": json.dumps(applied)},
        type="Opaque",
        data=data,
    )


def secret(
    namespace: str, name: str, kind: str, data: dict[str, str], annotations: dict[str, str] | None = None
) -> Thing:
    return thing(
        *("v1", "secrets", "Secret", name, namespace),
        annotations=annotations,
        type=kind,
        data={key: encoded(value) for key, value in data.items()},
    )

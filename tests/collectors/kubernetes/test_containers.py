"""Templates, quantities, selectors: the small pieces."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.kubernetes.containers import container, image_parts, requests, volumes
from collectors.kubernetes.limits import QuotaRow, quota
from collectors.kubernetes.network_policies import PolicyRow
from collectors.kubernetes.objects import Owner, Selector, looks_secret
from collectors.kubernetes.pods import type_of
from collectors.kubernetes.quantities import mebibytes, quantity
from collectors.kubernetes.replay import prune
from collectors.kubernetes.services import IngressRow, ingress
from collectors.kubernetes.survey import Place
from collectors.kubernetes.templates import PodSpec
from collectors.redact import Redactor
from inventory.origin import os_image_origin

PLACE = Place(source="c", labels={}, clean=Redactor().data)


def spec(**fields: Any) -> PodSpec:
    written = msgspec.json.encode({"containers": [{"name": "app"}], **fields})
    return msgspec.json.decode(written, type=PodSpec)


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("nginx", ("docker.io", None, None)),
        ("library/nginx:1.27", ("docker.io", "1.27", None)),
        ("registry.gov.example/app/web:v1", ("registry.gov.example", "v1", None)),
        ("registry:5000/web", ("registry:5000", None, None)),
        ("registry:5000/web:latest", ("registry:5000", "latest", None)),
        ("localhost/web", ("localhost", None, None)),
        ("a.cn/web@sha256:ab", ("a.cn", None, "sha256:ab")),
        ("a.cn/web:v1@sha256:ab", ("a.cn", "v1", "sha256:ab")),
        ("", ("docker.io", None, None)),
    ],
)
def test_image_names(image: str, parts: tuple[str, str | None, str | None]) -> None:
    assert image_parts(image) == parts


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("250m", 0.25), ("2", 2.0), (2, 2.0), ("1.5", 1.5), ("1e3", 1000.0), ("1E3", 1000.0), ("12E", 12e18),
        ("1Ki", 1024.0), ("512Mi", 512 * 2.0**20), ("1G", 1e9), ("100n", 1e-7), ("100u", 1e-4), (".5", 0.5), ("-1", -1.0),
    ],
)  # fmt: skip
def test_quantities(text: str | float, value: float) -> None:
    assert quantity(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "m", "1mm", "1 Gi", "0x10", "1KI", "nan", "inf", "1e9999", "１"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="不是数量"):
        quantity(text)


@given(st.text(max_size=40))
def test_any_text_is_a_quantity_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(quantity(text), float)


def test_mebibytes() -> None:
    assert mebibytes("1Gi") == 1024


def test_what_the_scheduler_counts() -> None:
    def asks(cpu: str, **more: Any) -> dict[str, Any]:
        return {"name": cpu, "resources": {"requests": {"cpu": cpu}}, **more}

    assert requests(spec(containers=[asks("100m"), asks("200m")])) == {"cpu": pytest.approx(0.3)}
    # an init container runs alone and counts only where it is more
    assert requests(spec(containers=[asks("100m")], initContainers=[asks("2"), asks("1")])) == {"cpu": 2.0}
    # a side-car goes on running
    car = asks("500m", restartPolicy="Always")
    assert requests(spec(containers=[asks("1")], initContainers=[car])) == {"cpu": 1.5}
    assert requests(spec(containers=[asks("1")], initContainers=[car, asks("3")])) == {"cpu": 3.5}
    whole = spec(containers=[asks("1")], resources={"requests": {"cpu": "5"}}, overhead={"cpu": "250m"})
    assert requests(whole) == {"cpu": 5.25}
    limited = spec(containers=[{"name": "a", "resources": {"limits": {"memory": "1Mi"}}}])
    assert requests(limited) == {"memory": 2.0**20}


def test_a_container_s_own_settings_go_before_the_pod_s() -> None:
    pod = spec(
        securityContext={
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        containers=[
            {"name": "a", "securityContext": {"runAsNonRoot": False, "runAsUser": 0}},
            {"name": "b"},
        ],
    )
    a, b = (container(c, pod.security, [], str, init=False) for c in pod.containers)
    assert (a.run_as_non_root, a.run_as_user, a.seccomp) == (False, 0, "RuntimeDefault")
    assert (b.run_as_non_root, b.run_as_user) == (True, 1000)
    assert b.allow_privilege_escalation is None
    assert b.privileged is False


def test_volumes_and_who_may_write() -> None:
    pod = spec(
        containers=[
            {"name": "a", "volumeMounts": [{"name": "run", "mountPath": "/r", "readOnly": True}]},
            {"name": "b", "volumeMounts": [{"name": "run", "mountPath": "/r"}]},
        ],
        volumes=[
            {"name": "run", "hostPath": {"path": "/var/run/docker.sock"}},
            {"name": "tls", "secret": {"secretName": "web-tls"}},
            {
                "name": "all",
                "projected": {"sources": [{"secret": {"name": "more"}}, {"configMap": {"name": "m"}}]},
            },
            {"name": "data", "persistentVolumeClaim": {"claimName": "data-0", "readOnly": True}},
            {"name": "kube-api-access-x7k2p", "projected": {"sources": []}},
            {"name": "bare"},
        ],
    )
    found = volumes(pod)
    rows = {m.name: (m.type, m.source, m.read_only) for m in found.mounts}
    assert rows == {
        "run": ("host_path", "/var/run/docker.sock", False),
        "tls": ("secret", "web-tls", False),
        "all": ("projected", None, False),
        "data": ("claim", "data-0", True),
        "bare": ("empty_dir", None, False),
    }
    assert found.secrets == {"web-tls", "more"}
    assert found.claims == {"data-0"}


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DB_PASSWORD", "x", True),
        ("DB_PASSWORD", "", False),
        ("API_KEY", "k", True),
        ("MYSQL_PWD", "k", True),
        ("PWD_PATH", "/x", False),
        ("TOKEN_FILE", "/run/token", False),
        ("SECRET_NAME", "web", False),
        ("TOKEN_EXPIRES_SECONDS", "3600", False),
        ("USE_TOKEN", "true", False),
        ("LOG_LEVEL", "info", False),
        ("DATABASE", "postgres://u:hunter2@db/x", True),
        ("DATABASE", "postgres://db/x", False),
        ("JWT", "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT4", True),
        ("ANYTHING", "******", True),
    ],
)
def test_variables_that_look_like_secrets(name: str, value: str, secret: bool) -> None:
    assert looks_secret(name, value, Redactor().text) is secret


def test_selectors() -> None:
    text = '{"matchLabels":{"b":"2","a":"1"},"matchExpressions":[{"key":"t","operator":"In","values":["y","x"]},{"key":"q","operator":"DoesNotExist"}]}'
    selector = msgspec.json.decode(text, type=Selector)
    assert selector.text() == "!q,a=1,b=2,t in (x,y)"
    assert selector.takes({"a": "1", "b": "2", "t": "x"})
    assert not selector.takes({"a": "1", "b": "2", "t": "x", "q": ""})
    assert not selector.takes({"a": "1", "b": "2"})
    assert Selector().takes({})
    assert Selector().text() == ""


def policy(**fields: Any) -> PolicyRow:
    return msgspec.convert({"metadata": {"name": "p"}, "spec": {"podSelector": {}, **fields}}, PolicyRow)


@pytest.mark.parametrize(
    ("fields", "ingress_", "egress_"),
    [
        ({}, True, False),
        ({"policyTypes": ["Ingress", "Egress"]}, True, True),
        ({"egress": [{"to": []}]}, True, False),
        ({"policyTypes": ["Egress"]}, False, True),
        ({"ingress": [{}]}, False, False),
        ({"ingress": [{"ports": [{"port": 80}]}]}, True, False),
        ({"ingress": [{"from": [{"podSelector": {}}]}]}, True, False),
        ({"podSelector": {"matchLabels": {"a": "b"}}}, False, False),
        ({"ingress": None, "policyTypes": None}, True, False),
    ],
)
def test_default_deny(fields: dict[str, Any], ingress_: bool, egress_: bool) -> None:
    row = policy(**fields)
    assert row.denies_by_default("ingress") is ingress_
    assert row.denies_by_default("egress") is egress_


def test_ingress_hosts_and_old_back_ends() -> None:
    row = msgspec.convert(
        {
            "metadata": {
                "name": "i",
                "namespace": "n",
                "annotations": {"kubernetes.io/ingress.class": "nginx"},
            },
            "spec": {
                "backend": {"serviceName": "old", "servicePort": 80},
                "rules": [{"host": "a.gov.cn"}, {"host": "b.gov.cn"}, {"host": "x.y.gov.cn"}],
                "tls": [{"hosts": ["*.gov.cn"], "secretName": "wild"}],
            },
        },
        IngressRow,
    )
    made = ingress(row, PLACE)
    assert [(h.host, h.tls, h.secret) for h in made.hosts] == [  # type: ignore[union-attr]
        (None, False, None),
        ("a.gov.cn", True, "wild"),
        ("b.gov.cn", True, "wild"),
        ("x.y.gov.cn", False, None),
    ]
    assert made.services == ["old"]
    assert made.class_name == "nginx"


def test_quota_units() -> None:
    hard = {"requests.cpu": "1500m", "limits.memory": "1Gi", "pods": "10", "count/secrets": "5", "secrets": "7",
            "gold.storageclass.storage.k8s.io/requests.storage": "2Gi",
            "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "3", "requests.nvidia.com/gpu": 4}  # fmt: skip
    row = msgspec.convert({"metadata": {"name": "q", "namespace": "n"}, "spec": {"hard": hard}}, QuotaRow)
    assert quota(row, PLACE).limits == {
        "count/secrets": 5,
        "gold.storageclass.storage.k8s.io/persistentvolumeclaims": 3,
        "gold.storageclass.storage.k8s.io/requests.storage": 2048,
        "limits.memory": 1024,
        "pods": 10,
        "requests.cpu": 1500,
        "requests.nvidia.com/gpu": 4,
        "secrets": 7,
    }


def test_owners_that_borrow_a_name_keep_their_group() -> None:
    assert type_of(Owner(kind="StatefulSet", name="x", api_version="apps/v1")) == "StatefulSet"
    kruise = Owner(kind="StatefulSet", name="x", api_version="apps.kruise.io/v1beta1")
    assert type_of(kruise) == "StatefulSet.apps.kruise.io"
    assert type_of(Owner(kind="CloneSet", name="x", api_version="apps.kruise.io/v1alpha1")) == "CloneSet"


def test_a_recording_drops_what_may_hold_secrets_under_harmless_names() -> None:
    kept = prune(
        {
            "metadata": {
                "managedFields": [1],
                "annotations": {
                    "kubectl.kubernetes.io/last-applied-configuration": "{}",
                    "storageclass.kubernetes.io/is-default-class": "true",
                    "nginx.ingress.kubernetes.io/server-snippet": "x",
                    "team/note": "hunter2",
                },
            },
            "containers": [
                {
                    "name": "app",
                    "args": ["--x"],
                    "command": ["run", "hunter2"],
                    "env": [{"name": "A", "value": "b"}, {"name": "PASSWORD", "value": "hunter2"}],
                },
                {"name": "etcd", "command": ["etcd", "--auto-tls=true", "loose"]},
            ],
            "parameters": {"type": "ssd", "userKey": "hunter2"},
        },
        Redactor(),
    )
    assert "hunter2" not in repr(kept)
    assert kept["metadata"] == {
        "annotations": {
            "storageclass.kubernetes.io/is-default-class": "true",
            "nginx.ingress.kubernetes.io/server-snippet": "",
            "team/note": "",
        }
    }
    assert kept["containers"][0]["env"][1] == {"name": "PASSWORD", "value": "******"}
    assert kept["containers"][1]["command"] == ["etcd", "--auto-tls=true"]
    assert kept["parameters"]["type"] == "ssd"


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("Kylin Linux Advanced Server V10 (Lance)", "domestic"),
        ("银河麒麟高级服务器操作系统 V10", "domestic"),
        ("统信服务器操作系统V20", "domestic"),
        ("UnionTech OS Server 20", "domestic"),
        ("openEuler 22.03 (LTS-SP3)", "domestic"),
        ("Alibaba Cloud Linux 3", "domestic"),
        ("Anolis OS 8.8", "domestic"),
        ("CentOS Linux 7 (Core)", "foreign"),
        ("Red Hat Enterprise Linux 9.4", "foreign"),
        ("Ubuntu 24.04.1 LTS", "foreign"),
        ("Container-Optimized OS from Google", "foreign"),
        ("Wind River Linux", "unidentified"),
        ("", "unidentified"),
    ],
)
def test_origin_of_an_operating_system_by_its_shown_name(name: str, origin: str) -> None:
    assert os_image_origin(name) == origin

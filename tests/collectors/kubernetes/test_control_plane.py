"""Command lines of the control plane."""

from __future__ import annotations

import msgspec
import pytest

from collectors.kubernetes.control_plane import components, flags
from collectors.kubernetes.survey import Place
from collectors.kubernetes.templates import Pod
from collectors.redact import MASK, Redactor

PLACE = Place(source="k", labels={}, clean=Redactor().data)


def pod(command: list[str] | None, args: list[str] | None = None, namespace: str = "kube-system") -> Pod:
    container = {
        "name": "c",
        "image": "registry.example/kube-apiserver:v1.30.1",
        "command": command,
        "args": args,
    }
    return msgspec.convert(
        {
            "metadata": {"name": "kube-apiserver-m0", "namespace": namespace},
            "spec": {"nodeName": "m0", "containers": [container]},
        },
        Pod,
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--a=b", {"a": "b"}),
        ("--a b --c", {"a": "b", "c": ""}),
        ("--a= --b", {"a": "", "b": ""}),
        ("--a --b=1", {"a": "", "b": "1"}),
        ("--a=b=c", {"a": "b=c"}),
        # the last counts, unless the flag is a list
        ("--audit-log-path=x --audit-log-path=y", {"audit-log-path": "y"}),
        ("--feature-gates=A=true --feature-gates=B=false", {"feature-gates": "A=true,B=false"}),
        ("--authorization-mode Node --authorization-mode RBAC", {"authorization-mode": "Node,RBAC"}),
        ("-v 2 word --a=b 1>> /var/log/x --c=d", {"a": "b"}),
        ("", {}),
    ],
)
def test_flags(line: str, expected: dict[str, str]) -> None:
    assert flags(line.split()) == expected


@pytest.mark.parametrize(
    "command",
    [
        ["kube-apiserver", "--profiling=false"],
        ["/usr/local/bin/kube-apiserver", "--profiling=false"],
        ["/bin/sh", "-c", "exec kube-apiserver --profiling=false 1>>/var/log/a.log 2>&1"],
        ["/hyperkube", "kube-apiserver", "--profiling=false"],
        ["/go-runner", "--redirect-stderr=true"],
    ],
)
def test_ways_to_start_it(command: list[str]) -> None:
    found = components([pod(command)], PLACE)
    if command[0] == "/go-runner":
        assert found == []  # what it starts comes after its own flags and is not guessed at
        return
    (one,) = found
    assert (one.component, one.node, one.flags) == ("kube-apiserver", "m0", {"profiling": "false"})


def test_arguments_come_after_the_command() -> None:
    (one,) = components([pod(["etcd"], ["--client-cert-auth", "--data-dir=/var/lib/etcd"])], PLACE)
    assert one.component == "etcd"
    assert one.flags == {"client-cert-auth": "", "data-dir": "/var/lib/etcd"}


def test_secrets_in_flags_are_masked() -> None:
    line = "kube-apiserver --bootstrap-token=abcdef.0123456789abcdef --etcd-servers=https://u:pw-x@e:2379 --tls-private-key-file=/k"
    (one,) = components([pod(line.split())], PLACE)
    assert one.flags == {
        "bootstrap-token": MASK,
        "etcd-servers": f"https://{MASK}@e:2379",
        "tls-private-key-file": "/k",
    }


def test_pods_that_are_something_else() -> None:
    assert components([pod(["coredns", "--conf=/etc/coredns"]), pod(None), pod([])], PLACE) == []
    assert components([pod(["kube-apiserver", "--profiling"], namespace="tenant")], PLACE) == []
    assert components([pod(["/bin/sh", "-c", "echo 'unbalanced"])], PLACE) == []

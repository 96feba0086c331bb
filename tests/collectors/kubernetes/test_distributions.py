"""Marks of distributions."""

from __future__ import annotations

import pytest

from collectors.kubernetes.distributions import distributions


@pytest.mark.parametrize(
    ("version", "groups", "labels", "expected"),
    [
        ("v1.30.1", ["apps", "batch"], ["kubernetes.io/arch"], []),
        ("v1.30.1", ["iam.kubesphere.io/v1alpha2", "apps.kruise.io"], [], ["KubeSphere", "OpenKruise"]),
        ("v1.27.4", ["cluster.karmada.io"], [], ["Karmada"]),
        ("v1.30.1+k3s1", [], [], ["k3s"]),
        ("v1.30.1+rke2r1", ["management.cattle.io"], [], ["RKE2", "Rancher"]),
        ("v1.28.9-aliyun.1", [], [], ["阿里云 ACK"]),
        ("v1.28.9", [], ["alibabacloud.com/nodepool-id"], ["阿里云 ACK"]),
        ("v1.26.1-tke.5", [], [], ["腾讯云 TKE"]),
        ("v1.23.8-r0-23.3.30", [], [], ["华为云 CCE"]),
        ("v1.27.3", ["config.openshift.io"], ["node.openshift.io/os_id"], ["OpenShift"]),
        # a name that only ends alike is another one
        ("v1.30.1", ["notkruise.io", "kubesphere.io.example"], ["x-alibabacloud.com/y"], []),
        ("", [], ["no-slash"], []),
    ],
)
def test_marks(version: str, groups: list[str], labels: list[str], expected: list[str]) -> None:
    assert distributions(version, groups, labels) == expected

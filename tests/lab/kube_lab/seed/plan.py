"""How large the cluster is and who lives in it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from kube_lab.servers import Server

DEPARTMENTS = {
    "finance": "财政局",
    "health": "卫生健康委员会",
    "hrss": "人力资源和社会保障局",
    "public-security": "公安局",
    "education": "教育局",
    "civil-affairs": "民政局",
    "big-data": "大数据管理局",
    "natural-resources": "自然资源局",
    "market": "市场监督管理局",
    "emergency": "应急管理局",
    "transport": "交通运输局",
    "water": '=HYPERLINK("http://x.example","水务局")<script>alert(1)</script>',  # hostile, as any text may be
}
LEVELS = ("province", "city", "county")

PLANTED = {
    "secret_value": "zg-planted-secret-value-7f3a91",
    "secret_last_applied": "zg-planted-last-applied-1c8e20",
    "environment": "zg-planted-environment-91bc47",
    "argument": "zg-planted-argument-0d52fe",
    "annotation": "zg-planted-annotation-55d0aa",
    "configmap": "zg-planted-configmap-3e77b1",
    "custom_object": "zg-planted-custom-object-a90c64",
    "storage_parameter": "zg-planted-storage-parameter-b7710d",
    "webhook_url": "zg-planted-webhook-url-66f1c3",
}
"""Secrets that a collector meets and must not carry away, by where they are."""


@dataclass(frozen=True)
class Plan:
    """`pods` counts all of the cluster, the system's included."""

    pods: int
    seed: int
    minor: int
    pki: Path
    namespaces: list[str] = field(default_factory=list)
    nodes: int = 0
    chance: random.Random = field(default_factory=random.Random)

    @property
    def old(self) -> bool:
        return self.minor < 25

    def department(self, namespace: str) -> str:
        return namespace if namespace in DEPARTMENTS else namespace.rpartition("-")[0]


def plan(server: Server, pods: int, seed: int) -> Plan:
    """A department has one namespace, or several where the cluster is large."""
    if pods < 100:
        raise SystemExit("a seed has at least 100 pods: fewer would not show every case")
    rounds = max(1, min(5, pods // 300))
    namespaces = [d if n == 0 else f"{d}-{n + 1}" for n in range(rounds) for d in DEPARTMENTS]
    nodes = max(12, min(400, pods // 25))
    return Plan(pods, seed, server.minor, server.pki, namespaces, nodes, random.Random(seed))

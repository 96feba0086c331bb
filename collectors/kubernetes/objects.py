"""Shapes that all objects of the API share. Only fields that are used are decoded.

What Kubernetes may leave out has a default. Go writes an empty list or map as null in places, so such a
field takes null where emptiness has no meaning of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from collectors.redact import MASK

MANAGER_NOISE = ("kubectl.kubernetes.io/last-applied-configuration",)
"""Annotations that repeat an object with all its values: never kept."""
CONTROL_PLANE = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "etcd",
    "cloud-controller-manager",
)
"""Containers whose command line is read: their flags are the cluster's settings."""


class Owner(msgspec.Struct, kw_only=True, gc=False):
    """One owner reference."""

    kind: str
    name: str
    api_version: str = msgspec.field(default="", name="apiVersion")
    controller: bool | None = None


class Meta(msgspec.Struct, kw_only=True, gc=False):
    """Metadata without annotations: those are read where one is looked for."""

    name: str
    namespace: str = ""
    labels: dict[str, str] | None = None
    created_at: datetime | None = msgspec.field(default=None, name="creationTimestamp")
    owners: list[Owner] | None = msgspec.field(default=None, name="ownerReferences")

    @property
    def key(self) -> str:
        """namespace/name, or the name of what lies in no namespace."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Annotated(Meta, kw_only=True, gc=False):
    """Metadata with annotations. They hold users' text: keep no value of them that is not cleaned."""

    annotations: dict[str, str] | None = None


class Selector(msgspec.Struct, kw_only=True, gc=False):
    """A label selector. An empty one takes everything."""

    labels: dict[str, str] | None = msgspec.field(default=None, name="matchLabels")
    expressions: list[Expression] | None = msgspec.field(default=None, name="matchExpressions")

    def text(self) -> str:
        """As kubectl writes it, sorted: "app=web,tier in (a,b)"; "" = everything."""
        parts = [f"{key}={value}" for key, value in (self.labels or {}).items()]
        return ",".join(sorted(parts + [e.text() for e in self.expressions or []]))

    def takes(self, labels: dict[str, str]) -> bool:
        """Whether it takes something with these labels."""
        return all(labels.get(k) == v for k, v in (self.labels or {}).items()) and all(
            e.takes(labels) for e in self.expressions or []
        )


class Expression(msgspec.Struct, kw_only=True, gc=False):
    """One line of a selector's expressions."""

    key: str
    operator: str
    values: list[str] | None = None

    def text(self) -> str:
        """As kubectl writes it."""
        values = ",".join(sorted(self.values or []))
        return {
            "Exists": self.key,
            "DoesNotExist": f"!{self.key}",
            "In": f"{self.key} in ({values})",
            "NotIn": f"{self.key} notin ({values})",
        }.get(self.operator, f"{self.key} {self.operator} ({values})")

    def takes(self, labels: dict[str, str]) -> bool:
        """Whether it takes something with these labels."""
        values = self.values or []
        return {
            "Exists": self.key in labels,
            "DoesNotExist": self.key not in labels,
            "In": labels.get(self.key) in values,
            "NotIn": labels.get(self.key) not in values,
        }.get(self.operator, False)


def looks_secret(name: str, value: str, clean: Callable[[str], str]) -> bool:
    """Whether the literal of an environment variable looks like a secret: by its name, or by a shape that
    ``clean`` masks. In a recording a mask stands where one did."""
    if not value or value.casefold() in ("true", "false"):
        return False
    if _SECRET_WORDS.search(name) and not _ABOUT_SECRETS.search(name):
        return True
    return MASK in value or clean(value) != value


def masked_parameters(parameters: Mapping[str, str]) -> dict[str, str]:
    """Parameters of a storage driver, those masked whose name says that they hold a key: some drivers take
    it that way."""
    return {k: MASK if v and _SECRET_PARAMETER.search(k) else v for k, v in parameters.items()}


_SECRET_PARAMETER = re.compile(r"(key|secret|password|passphrase|token|credential)s?$", re.IGNORECASE)
_SECRET_WORDS = re.compile(
    r"pass(word|wd|phrase)|(^|_)(pass|pwd)($|_)|secret|token|credential"
    r"|(api|access|private|auth|encryption)_?key",
    re.IGNORECASE,
)
_ABOUT_SECRETS = re.compile(
    r"(file|path|dir|name|namespace|url|uri|endpoint|ttl|expir\w*|seconds|minutes|hours|days|enabled|length|type"
    r"|policy|audience|issuer|id)s?$",
    re.IGNORECASE,
)

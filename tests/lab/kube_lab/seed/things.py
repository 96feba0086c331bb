"""An object of the seed, before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
BORN = "2026-01-01T00:00:00Z"
"""Every time of the seed: the same seed gives the same objects."""


@dataclass(frozen=True)
class Thing:
    """`body` is what is created, `status` is written after it, `owner` is (kind, name) in the namespace.

    An owner's uid is the server's choice; it is filled in when the thing is written.
    """

    api: str
    resource: str
    body: Json
    status: Json | None = None
    owner: tuple[str, str] | None = None

    @property
    def kind(self) -> str:
        return str(self.body["kind"])

    @property
    def name(self) -> str:
        return str(self.body["metadata"]["name"])

    @property
    def namespace(self) -> str:
        return str(self.body["metadata"].get("namespace", ""))

    @property
    def everywhere(self) -> str:
        """The path that lists all namespaces."""
        root = "/api/" if "/" not in self.api else "/apis/"
        return f"{root}{self.api}/{self.resource}"

    @property
    def path(self) -> str:
        """The path to create at."""
        if not self.namespace:
            return self.everywhere
        root, _, resource = self.everywhere.rpartition("/")
        return f"{root}/namespaces/{self.namespace}/{resource}"


def thing(
    api: str,
    resource: str,
    kind: str,
    name: str,
    namespace: str = "",
    *,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    status: Json | None = None,
    owner: tuple[str, str] | None = None,
    **body: Any,
) -> Thing:
    """Spell an object with its usual metadata; `body` is the rest (spec, data, rules …)."""
    metadata: Json = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = labels
    if annotations:
        metadata["annotations"] = annotations
    return Thing(
        api, resource, {"apiVersion": api, "kind": kind, "metadata": metadata, **body}, status, owner
    )

"""What a cluster is made of, read in the order in which one thing needs another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from collectors.contract import Access, Run
from collectors.kubernetes.client import Client
from collectors.kubernetes.discovery import Served
from collectors.kubernetes.listing import Ask, Listing, Reader
from collectors.kubernetes.objects import Annotated, Meta
from collectors.kubernetes.survey import Survey
from collectors.kubernetes.templates import Pod
from inventory.coverage import Batch

KINDS: tuple[str, ...] = ()


class NamespaceRow(msgspec.Struct, kw_only=True):
    meta: Meta = msgspec.field(name="metadata")


class Seen(msgspec.Struct, kw_only=True):
    """What one part of the reading leaves for the others."""

    namespaces: list[NamespaceRow] = msgspec.field(default_factory=list)
    namespace_listing: Listing | None = None
    mirror_pods: list[Pod] = msgspec.field(default_factory=list)  # of kube-system
    pod_listing: Listing | None = None
    secrets_used: set[str] = msgspec.field(default_factory=set)  # namespace/name, by workloads and ingresses
    users_seen: bool = False  # all that could use a secret was seen
    account_users: dict[str, list[str]] = msgspec.field(default_factory=dict)  # service account → workloads
    node_labels: set[str] = msgspec.field(default_factory=set)  # keys of all nodes' labels
    cluster: dict[str, Any] = msgspec.field(default_factory=dict)  # further fields of the ``cluster`` kind


def collect(reader: Reader, survey: Survey, seen: Seen) -> Iterator[Batch]:
    """Read it; what others need is left in ``seen``."""
    yield from ()


def cluster(survey: Survey, seen: Seen) -> Batch:
    """The cluster itself; last, since other parts tell of it."""
    raise NotImplementedError


def probe(client: Client, run: Run, served: Served) -> Iterator[Access]:
    """Whether each list is allowed, asked for one row each."""
    yield from ()

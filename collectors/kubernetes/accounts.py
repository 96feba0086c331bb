"""Service accounts; and secrets as far as they can be told without their values.

Secrets are asked for as a Table without objects: the server answers name, type, number of entries and age,
and neither values nor annotations (``kubectl apply`` leaves a copy of the values in one). A Table of one
namespace does not say which, so each namespace is asked by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from collectors.kubernetes.listing import TABLE, Ask
from collectors.kubernetes.objects import Meta
from collectors.kubernetes.survey import Place
from inventory.kinds.cluster import ServiceAccount
from inventory.kinds.identity import Secret
from inventory.unknown import UNKNOWN, Unknown

NamedIn = tuple[str, str]  # namespace, name

ACCOUNTS = Ask(resource="serviceaccounts")
SECRETS = Ask(
    resource="secrets",
    accept=TABLE,
    rows="rows",
    params=(("includeObject", "None"),),
    advice="可以不给：能列出密钥就能读出密钥的值。要清点条目，给采集账户 secrets 的 list；采集只要表格",
)
"""Nothing but a table is accepted: a server that makes none must refuse (406) and not send the objects."""
TOKEN_TYPE = "kubernetes.io/service-account-token"  # noqa: S105 a type, not a token


class _Named(msgspec.Struct):
    name: str | None = None


class AccountRow(msgspec.Struct, rename="camel"):
    """A ServiceAccount."""

    meta: Meta = msgspec.field(name="metadata")
    automount: bool | None = msgspec.field(default=None, name="automountServiceAccountToken")
    secrets: list[_Named] | None = None
    image_pull_secrets: list[_Named] | None = None

    @property
    def key(self) -> str:
        """namespace/name."""
        return self.meta.key


def account(row: AccountRow, types: Mapping[NamedIn, str] | None, place: Place) -> ServiceAccount:
    """One service account. ``types``: secret → its type; None where secrets were not seen whole, and then
    the number of tokens stays unknown unless the account lists no secret at all."""
    meta = row.meta
    listed = [one.name for one in row.secrets or () if one.name]
    tokens: int | Unknown = 0
    if listed:
        tokens = (
            UNKNOWN
            if types is None
            else sum(types.get((meta.namespace, name)) == TOKEN_TYPE for name in listed)
        )
    return ServiceAccount(
        source=place.source,
        native_id=row.key,
        name=meta.name,
        labels=place.labels,
        relations=place.relations(("in_namespace", "namespace", meta.namespace)),
        namespace=meta.namespace,
        automount_token=row.automount,
        default=meta.name == "default",
        token_secrets=tokens,
        image_pull_secrets=sorted(one.name for one in row.image_pull_secrets or () if one.name),
        created_at=UNKNOWN if meta.created_at is None else meta.created_at,
    )


class SecretRow(msgspec.Struct):
    """One row of a Table of secrets: name, type, number of entries, age (columns as they have been since
    1.10). An object is not decoded, should a server send it all the same."""

    cells: list[str | int | float | bool | None]


def secret(row: SecretRow, namespace: str, used: set[str], users_seen: bool, place: Place) -> Secret:
    """One secret of a namespace. ``used``: those that something refers to, as namespace/name;
    ``users_seen``: whether all that could was seen. Raises ValueError for a row that is not as it
    should be."""
    name, type_, entries = (*row.cells, None, None, None)[:3]
    if not (isinstance(name, str) and isinstance(type_, str) and type(entries) is int):
        raise ValueError(f"{namespace}：有一行密钥条目缺名称、类型或条目数")
    return Secret(
        source=place.source,
        native_id=f"{namespace}/{name}",
        name=name,
        labels=place.labels,
        relations=place.relations(("in_namespace", "namespace", namespace)),
        namespace=namespace,
        secret_type=type_,
        entries=entries,
        used=True if f"{namespace}/{name}" in used else False if users_seen else UNKNOWN,
    )

"""Service accounts, and secrets out of tables."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collectors.kubernetes.accounts import SECRETS, TOKEN_TYPE, AccountRow, SecretRow, account, secret
from collectors.kubernetes.survey import Place
from inventory.unknown import UNKNOWN

PLACE = Place(source="k", labels={}, clean=lambda data: data)


def row(name: str = "default", **fields: Any) -> AccountRow:
    return msgspec.convert({"metadata": {"name": name, "namespace": "dept"}, **fields}, AccountRow)


def test_an_account() -> None:
    found = account(row(imagePullSecrets=[{"name": "b"}, {"name": "a"}, {}]), {}, PLACE)
    assert (found.native_id, found.namespace, found.default) == ("dept/default", "dept", True)
    assert found.automount_token is None
    assert found.image_pull_secrets == ["a", "b"]
    assert account(row("app", automountServiceAccountToken=False), {}, PLACE).automount_token is False
    assert account(row("app", imagePullSecrets=None, secrets=None), None, PLACE).image_pull_secrets == []


def test_tokens_are_told_by_the_types_of_the_listed_secrets() -> None:
    listed = row(secrets=[{"name": "t"}, {"name": "dockercfg"}, {"name": "gone"}])
    types = {("dept", "t"): TOKEN_TYPE, ("dept", "dockercfg"): "kubernetes.io/dockercfg"}
    assert account(listed, types, PLACE).token_secrets == 1
    assert account(listed, None, PLACE).token_secrets is UNKNOWN
    assert account(row(secrets=[]), None, PLACE).token_secrets == 0


def test_secrets_are_asked_for_without_objects() -> None:
    """The values cannot be in an answer to this: there is no media type to fall back on."""
    assert SECRETS.accept == "application/json;as=Table;g=meta.k8s.io;v=v1"
    assert dict(SECRETS.params) == {"includeObject": "None"}


def test_a_row_of_the_table() -> None:
    cells = msgspec.json.decode(
        b'{"cells":["web-tls","kubernetes.io/tls",2,"5d"],"object":{"data":{"tls.key":"xyz"}}}',
        type=SecretRow,
    )
    found = secret(cells, "dept", {"dept/web-tls"}, users_seen=False, place=PLACE)
    assert (found.native_id, found.secret_type, found.entries) == ("dept/web-tls", "kubernetes.io/tls", 2)
    assert found.used is True
    assert "xyz" not in repr(found)
    assert secret(cells, "other", {"dept/web-tls"}, users_seen=False, place=PLACE).used is UNKNOWN
    assert secret(cells, "other", {"dept/web-tls"}, users_seen=True, place=PLACE).used is False


@pytest.mark.parametrize(
    "cells", [[], ["x"], ["x", "Opaque"], ["x", 1, 1], ["x", "Opaque", "2"], [None, "Opaque", 1]]
)
def test_an_odd_row_is_told(cells: list[Any]) -> None:
    with pytest.raises(ValueError, match="dept"):
        secret(SecretRow(cells=cells), "dept", set(), users_seen=True, place=PLACE)

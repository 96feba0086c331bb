"""Identity in full, on the recording of a cloud that has groups, federation, trusts and odd grants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.openstack import grants, identity
from collectors.openstack.client import Facts
from collectors.openstack.known import Roles
from collectors.openstack.listing import Place
from inventory.coverage import Batch, Status
from inventory.kinds.identity import (
    AccessRule,
    ApplicationCredential,
    IdentityDomain,
    IdentityProvider,
    Role,
    RoleAssignment,
    Trust,
    User,
    UserGroup,
)
from inventory.resource import Resource
from inventory.unknown import Unknown, or_none

Lines = list[dict[str, Any]]
Replay = Callable[..., dict[str, Batch]]
PLACE = Place(source="zw", labels={}, clean=lambda value: value)


def rows(batches: dict[str, Batch], kind: type[Resource]) -> dict[str, Any]:
    return {str(r.name): r for r in batches[kind.KIND].resources}


@pytest.fixture
def estate(replay: Replay, recordings: dict[str, Path]) -> dict[str, Batch]:
    return replay(recordings["estate"])


def test_domains_and_groups_with_their_members(estate: dict[str, Batch]) -> None:
    domains, groups, users = (rows(estate, kind) for kind in (IdentityDomain, UserGroup, User))
    assert (domains["jgq"].enabled, domains["ywzx"].description) == (False, "运维中心")
    assert groups["kongzu"].members == []
    for group in groups.values():
        carried = {u.native_id for u in users.values() if group.uid in u.related("member_of")}
        assert carried == set(group.members)
    assert len(groups["yunwei"].members) == 4
    assert groups["yunwei"].related("in_domain") == [domains["ywzx"].uid]


def test_options_of_users_that_weaken_them(estate: dict[str, Batch]) -> None:
    users = rows(estate, User)
    assert [n for n, u in users.items() if u.password_locked] == ["ywzx-locked-password"]
    assert [n for n, u in users.items() if u.ignores_first_use_change] == ["ywzx-first-use"]
    assert {u.federated for u in users.values()} == {False}
    assert {repr(u.password_changed_at) for u in users.values()} == {"UNKNOWN"}  # keystone does not tell


def test_identity_providers_and_their_protocols(estate: dict[str, Batch]) -> None:
    providers = rows(estate, IdentityProvider)
    told = {n: (p.enabled, p.protocols, p.remote_ids, p.description) for n, p in providers.items()}
    assert told == {
        "gov-ca": (True, ["saml2"], ["https://sso.zw.example/idp"], "省统一身份认证"),
        "old-ldap": (False, [], [], "旧目录"),
    }


def test_roles_and_what_they_bring_with_them(estate: dict[str, Batch]) -> None:
    roles = rows(estate, Role)
    assert {n: r.implies for n, r in roles.items() if r.implies} == {
        "admin": ["member"], "member": ["reader"], "auditor": ["reader"],
    }  # fmt: skip
    assert (roles["ywzx-duty"].domain, roles["ywzx-duty"].builtin) == ("ywzx", False)
    assert roles["admin"].builtin is True
    assert repr(roles["admin"].permissions) == "UNKNOWN"  # they are in policy files


def test_role_assignments_as_they_were_made(estate: dict[str, Batch]) -> None:
    found = [r for r in estate["role_assignment"].resources if isinstance(r, RoleAssignment)]
    assert Counter((a.principal_type, a.scope_type, a.inherited) for a in found) == {
        ("user", "project", False): 62, ("user", "system", False): 3, ("group", "project", False): 2,
        ("user", "project", True): 1, ("user", "domain", False): 1, ("group", "domain", False): 1,
        ("group", "domain", True): 1, ("group", "system", False): 1,
    }  # fmt: skip
    system = {(a.principal, a.role) for a in found if a.scope_type == "system"}
    assert system == {
        ("anquan", "reader"), ("ywzx-mfa", "admin"), ("zhengguan-auditor", "reader"), ("admin", "admin"),
    }  # fmt: skip
    assert {a.scope_name for a in found if a.scope_type == "system"} == {None}
    assert {a.principal_exists for a in found} == {True}
    uids = {r.uid for batch in estate.values() for r in batch.resources}
    assert {edge.target for a in found for edge in a.relations} <= uids


@pytest.mark.parametrize(("name", "exists"), [("", False), ("somebody", True)])
def test_a_grant_to_somebody_who_is_gone(name: str, exists: bool) -> None:
    """Keystone's assignment manager leaves the name empty then."""
    row = {
        "role": {"id": "r", "name": "admin"}, "user": {"id": "u", "name": name}, "scope": {"project": {"id": "p"}},
        "links": {"assignment": "http://x/identity/v3/projects/p/users/u/roles/r"},
    }  # fmt: skip
    page = msgspec.json.encode({"role_assignments": [row]})
    (found,) = grants.role_assignments([page], PLACE).resources
    assert isinstance(found, RoleAssignment)
    assert (found.native_id, found.scope_name) == ("projects/p/users/u/roles/r", "p")
    assert (found.principal, found.principal_exists) == (name or "u", exists)


def test_roles_on_the_system_count_though_keystone_leaves_them_out(
    estate: dict[str, Batch], edited: Callable[..., Path], replay: Replay
) -> None:
    """The list of effective assignments has none of the system's."""
    users = rows(estate, User)
    assert users["ywzx-mfa"].administrator is True
    assert users["ywzx-mfa"].roles == ["admin", "member", "reader"]
    assert users["zhengguan-auditor"].administrator is False
    assert users["sjj-ytzw-ops"].administrator is False

    def refuse(lines: Lines) -> None:
        for line in lines[2:]:
            if line["path"] == "/role_assignments" and "effective" not in line["params"]:
                line["status"] = 403

    batches = replay(edited(refuse, "estate"))
    blind = rows(batches, User)
    assert blind["admin"].administrator is True  # seen in a project as well
    assert repr(blind["ywzx-mfa"].administrator) == repr(blind["sjj-ytzw-ops"].administrator) == "UNKNOWN"
    assert "系统范围的角色没有读到" in batches["user"].collections[0].reason


def test_roles_on_the_system_come_through_groups_and_imply_others() -> None:
    roles = Roles(groups_on_system={"g": {"admin"}}, users_on_system={"u2": {"reader"}})
    identity.with_system(roles, {"u1": ["g"], "u2": ["h"]}, {"admin": ["member"], "member": ["reader"]})
    assert roles.names == {"u1": {"admin", "member", "reader"}, "u2": {"reader"}}


def test_trusts_with_their_roles(estate: dict[str, Batch]) -> None:
    trusts = sorted(
        (r for r in estate["trust"].resources if isinstance(r, Trust)), key=lambda t: str(t.impersonation)
    )
    assert [(t.impersonation, t.expires_at, t.remaining_uses, t.roles) for t in trusts] == [
        (False, datetime(2027, 3, 31, tzinfo=UTC), 3, ["member"]),
        (True, None, None, ["member"]),
    ]


def test_application_credentials_and_what_they_may_call(estate: dict[str, Batch]) -> None:
    credentials = estate["application_credential"].resources
    limited = [c for c in credentials if isinstance(c, ApplicationCredential) and c.access_rules]
    assert [(c.name, c.access_rules, c.unrestricted) for c in limited] == [
        (
            "read-servers",
            [
                AccessRule(service="compute", method="GET", path="/v2.1/servers"),
                AccessRule(service="volumev3", method="GET", path="/v3/**"),
            ],
            False,
        )
    ]
    assert {c.access_rules for c in credentials if c not in limited} == {None}  # type: ignore[attr-defined]


KINDS = (
    "identity_domain", "user_group", "role", "role_assignment", "trust", "identity_provider", "user",
    "application_credential",
)  # fmt: skip


def test_who_sees_identity_and_who_does_not(replay: Replay, recordings: dict[str, Path]) -> None:
    system, project = replay(recordings["estate-system-reader"]), replay(recordings["estate-project-reader"])
    for kind in KINDS:
        assert system[kind].collections[0].status is Status.COMPLETE, kind
        one = project[kind].collections[0]
        assert (one.status, one.count) == (Status.DENIED, 0), kind
        assert one.remedy


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/groups", "user_group", "denied"),
        ("/OS-FEDERATION/identity_providers", "identity_provider", "denied"),
        ("/OS-TRUST/trusts", "trust", "denied"),
        ("/roles", "role", "denied"),
    ],
)
def test_a_list_that_is_refused_is_denied(
    *, path: str, kind: str, status: str, edited: Callable[..., Path], replay: Replay
) -> None:
    def refuse(lines: Lines) -> None:
        for line in lines[2:]:
            if line["path"] == path:
                line["status"] = 403

    batches = replay(edited(refuse, "estate"))
    assert (batches[kind].collections[0].status.value, batches[kind].collections[0].count) == (status, 0)
    user: Any = batches["user"].resources[0]
    assert batches["user"].collections[0].status is Status.COMPLETE
    if kind == "identity_provider":
        assert repr(user.federated) == "UNKNOWN"


def test_an_application_credential_is_told_that_trusts_want_a_password(
    edited: Callable[..., Path], replay: Replay
) -> None:
    def refuse(lines: Lines) -> None:
        next(line for line in lines[2:] if line["path"] == "/OS-TRUST/trusts")["status"] = 403

    assert "用口令登录" in replay(edited(refuse, "estate"))["trust"].collections[0].remedy


@pytest.mark.parametrize("verified", [True, False, None])
def test_whether_the_certificate_was_checked_is_known_unless_the_recording_is_older(
    verified: bool | None,
) -> None:
    cloud = identity.cloud(Facts(verified=verified), PLACE)
    assert or_none(cloud.certificate_verified) is verified
    assert isinstance(cloud.certificate_verified, Unknown) is (verified is None)

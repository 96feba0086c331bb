"""Identity beyond accounts of projects: domains, groups, delegations, federation, secrets."""

from __future__ import annotations

from typing import Any

from oslab.core import Api, sec, sql

OLD_PASSWORD = "2023-02-01 08:00:00"
USERS = [  # name, options, enabled, groups
    (
        "ywzx-mfa",
        {
            "multi_factor_auth_enabled": True,
            "multi_factor_auth_rules": [["password", "totp"], ["password", "application_credential"]],
        },
        True,
        ["yunwei"],
    ),
    ("ywzx-first-use", {"ignore_change_password_upon_first_use": True}, True, ["yunwei"]),
    ("ywzx-lockout", {"ignore_lockout_failure_attempts": True}, True, ["yunwei", "anquan"]),
    ("ywzx-inactive", {"ignore_user_inactivity": True}, True, []),
    ("ywzx-locked-password", {"lock_password": True}, True, ["anquan"]),
    ("ywzx-old-password", {"ignore_password_expiry": True}, True, []),
    ("ywzx-left", {}, False, ["yunwei"]),
    ("ywzx-mfa-alone", {"multi_factor_auth_enabled": True}, True, []),
    ("ywzx-password-ended", {}, True, []),
]
GROUPS = [("yunwei", "运维组"), ("anquan", "安全组"), ("kongzu", "没有成员的组")]


def domains(adm: Api) -> dict[str, Any]:
    """``ywzx`` holds the people below; ``jgq`` was closed."""
    out = {
        name: adm.ensure("keystone", "domain", {"name": name, "description": text})
        for name, text in (("ywzx", "运维中心"), ("jgq", "机构改革前的单位，已停用"))
    }
    closed = out["jgq"]["id"]
    body = {"name": "jgq-old", "domain_id": closed, "description": "停用单位的项目", "enabled": False}
    adm.ensure("keystone", "project", body)
    adm.call("PATCH", "keystone", "/domains/" + closed, {"domain": {"enabled": False}})
    return out


def people(adm: Api, domain: str) -> tuple[dict[str, str], dict[str, str]]:
    """Users with every option and groups with members: ids by name."""
    groups = {
        name: adm.ensure(
            "keystone",
            "group",
            {"name": name, "description": text, "domain_id": domain},
            flt={"domain_id": domain},
        )["id"]
        for name, text in GROUPS
    }
    users = {}
    for name, options, enabled, member_of in USERS:
        users[name] = adm.ensure(
            "keystone",
            "user",
            {
                "name": name,
                "domain_id": domain,
                "password": sec("people"),
                "options": options,
                "enabled": enabled,
            },
        )["id"]
        for group in member_of:
            adm.put("keystone", f"/groups/{groups[group]}/users/{users[name]}")
    sql(
        f"UPDATE password p JOIN local_user l ON l.id=p.local_user_id SET p.created_at='{OLD_PASSWORD}', "
        f"p.created_at_int=UNIX_TIMESTAMP('{OLD_PASSWORD}')*1000000 WHERE l.name='ywzx-old-password';"
        "UPDATE user u JOIN local_user l ON l.user_id=u.id SET u.last_active_at='2024-05-06' "
        "WHERE l.name='ywzx-inactive' AND (u.last_active_at IS NULL OR u.last_active_at > '2024-05-06');",
        "keystone",
    )
    return users, groups


def roles(adm: Api, domain: str, users: dict[str, str], groups: dict[str, str], project: str) -> None:
    """Roles in every scope: system, domain, inherited, project; by user and by group; implied; of a domain."""
    have = {r["name"]: r["id"] for r in adm.get("keystone", "/roles")["roles"]}
    if "auditor" not in have:
        have["auditor"] = adm.post("keystone", "/roles", {"role": {"name": "auditor"}})["role"]["id"]
    adm.put("keystone", f"/roles/{have['auditor']}/implies/{have['reader']}", ok409=True)
    if not adm.get("keystone", "/roles?domain_id=" + domain)["roles"]:
        adm.post("keystone", "/roles", {"role": {"name": "ywzx-duty", "domain_id": domain}})
    for path in (
        f"/system/users/{users['ywzx-mfa']}/roles/{have['admin']}",
        f"/system/groups/{groups['anquan']}/roles/{have['reader']}",
        f"/domains/{domain}/users/{users['ywzx-lockout']}/roles/{have['admin']}",
        f"/domains/{domain}/groups/{groups['yunwei']}/roles/{have['member']}",
        f"/projects/{project}/groups/{groups['anquan']}/roles/{have['auditor']}",
        f"/projects/{project}/groups/{groups['kongzu']}/roles/{have['member']}",
        f"/OS-INHERIT/domains/{domain}/groups/{groups['yunwei']}/roles/{have['reader']}/inherited_to_projects",
        f"/OS-INHERIT/projects/{project}/users/{users['ywzx-first-use']}/roles/{have['member']}"
        "/inherited_to_projects",
    ):
        adm.put("keystone", path, ok409=True)


def credentials(ops: Api, user: str) -> None:
    """Application credentials: with access rules, past its end, without end; and keys for the EC2 API."""
    path = f"/users/{user}/application_credentials"
    have = {c["name"] for c in ops.get("keystone", path)["application_credentials"]}
    rules = [
        {"service": "compute", "method": "GET", "path": "/v2.1/servers"},
        {"service": "volumev3", "method": "GET", "path": "/v3/**"},
    ]
    for name, more in (
        ("read-servers", {"access_rules": rules, "expires_at": "2027-06-30T00:00:00.000000"}),
        ("forgotten", {"roles": [{"name": "member"}]}),
        ("ended", {"expires_at": "2027-01-01T00:00:00.000000"}),
    ):
        if name not in have:
            ops.post("keystone", path, {"application_credential": {"name": name, **more}})
    sql("UPDATE application_credential SET expires_at=1672531200000000 WHERE name='ended';", "keystone")
    ec2 = f"/users/{user}/credentials/OS-EC2"
    if not ops.get("keystone", ec2)["credentials"]:
        ops.post("keystone", ec2, {"tenant_id": ops.project_id})


def trusts(ops: Api, trustor: str, trustee: str) -> None:
    """One trust without end or limit that lets the trustee act as the trustor; one for a few uses."""
    have = ops.get("keystone", f"/OS-TRUST/trusts?trustor_user_id={trustor}")["trusts"]
    if have:
        return
    base = {
        "trustor_user_id": trustor,
        "trustee_user_id": trustee,
        "project_id": ops.project_id,
        "roles": [{"name": "member"}],
    }
    ops.post("keystone", "/OS-TRUST/trusts", {"trust": {**base, "impersonation": True}})
    few = {"impersonation": False, "expires_at": "2027-03-31T00:00:00.000000Z", "remaining_uses": 3}
    ops.post("keystone", "/OS-TRUST/trusts", {"trust": {**base, **few}})


def federation(adm: Api) -> None:
    """An identity provider of SAML with its mapping, and one that is off and has no protocol."""
    providers = {
        p["id"] for p in adm.get("keystone", "/OS-FEDERATION/identity_providers")["identity_providers"]
    }
    for name, body in (
        (
            "gov-ca",
            {
                "enabled": True,
                "description": "省统一身份认证",
                "remote_ids": ["https://sso.zw.example/idp"],
            },
        ),
        ("old-ldap", {"enabled": False, "description": "旧目录"}),
    ):
        if name not in providers:
            adm.put("keystone", "/OS-FEDERATION/identity_providers/" + name, {"identity_provider": body})
    rule = {
        "local": [{"user": {"name": "{0}"}, "group": {"name": "yunwei", "domain": {"name": "ywzx"}}}],
        "remote": [{"type": "REMOTE_USER"}],
    }
    if not adm.get("keystone", "/OS-FEDERATION/mappings")["mappings"]:
        adm.put("keystone", "/OS-FEDERATION/mappings/gov-ca", {"mapping": {"rules": [rule]}})
    path = "/OS-FEDERATION/identity_providers/gov-ca/protocols"
    if not adm.get("keystone", path)["protocols"]:
        adm.put("keystone", path + "/saml2", {"protocol": {"mapping_id": "gov-ca"}})


SECRETS = [  # name, type, algorithm, bits, mode, expiration
    ("app-aes", "symmetric", "aes", 256, "cbc", "2027-09-30T00:00:00"),
    ("app-sm4", "symmetric", "sm4", 128, "gcm", None),
    ("site-public", "public", "rsa", 2048, None, None),
    ("site-private", "private", "rsa", 1024, None, "2027-09-30T00:00:00"),
    ("site-cert", "certificate", None, None, None, "2027-02-28T00:00:00"),
    ("db-passphrase", "passphrase", None, None, None, None),
    ("blob", "opaque", None, None, None, None),
    ("ended", "opaque", None, None, None, "2027-01-01T00:00:00"),
]


def secrets(owner: Api) -> None:
    """A secret of each type in the owner's project. Every payload is a planted password.

    One is past its end: Barbican leaves that out of its lists, so whether it is there the database tells.
    """
    mine = "SELECT s.name FROM secrets s JOIN projects p ON p.id=s.project_id WHERE p.external_id="
    have = sql(f"{mine}'{owner.project_id}';", "barbican", capture=True).splitlines()
    for name, kind, algorithm, bits, mode, end in SECRETS:
        if name in have:
            continue
        body = {
            "name": name,
            "secret_type": kind,
            "algorithm": algorithm,
            "bit_length": bits,
            "mode": mode,
            "expiration": end,
            "payload": sec("planted"),
            "payload_content_type": "text/plain",
        }
        owner.post("barbican", "/secrets", {k: v for k, v in body.items() if v is not None})
    sql("UPDATE secrets SET expiration='2025-01-01 00:00:00' WHERE name='ended';", "barbican")


def seed(adm: Api, apis: dict[str, Api], project: str, dom: str) -> None:
    """``project`` is the name of the project that most of it is about, ``dom`` its domain's name."""
    ywzx = domains(adm)["ywzx"]["id"]
    users, groups = people(adm, ywzx)
    ops = apis[project]
    roles(adm, ywzx, users, groups, ops.project_id)
    accounts = {u["name"]: u["id"] for u in adm.get("keystone", "/users")["users"]}
    me = accounts[project + "-ops"]
    credentials(ops, me)
    trusts(ops, me, users["ywzx-lockout"])
    federation(adm)
    secrets(ops)
    secrets(adm)

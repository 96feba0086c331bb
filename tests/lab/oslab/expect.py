"""expected.json: what the lab holds, counted in the services' own databases, so that no API policy and no paging
can hide a row from the count.

``kinds``
    resource kind of the inventory → number of rows in region ``zw-region-1``, seen with every right there is.
    What an API needs to show all of them:

    - ``flavor``, ``volume_type``: private ones too (``is_public=None``)
    - ``image``: hidden and community ones too (``os_hidden=true`` and ``visibility=community`` are lists of their own)
    - ``server``: also those in error that reached no compute node (cell 0)
    - ``key_pair``: one list per user; ``server_group``: ``all_projects=true``
    - ``secret``, ``object_container``, ``dns_zone``, ``share``: other projects' too. Barbican lists one project
      only, Swift one account only (role ResellerAdmin reads any), Designate wants ``X-Auth-All-Projects: true``,
      Manila ``all_tenants=1``, Cinder ``all_tenants=1``
    - ``instance_action``, ``action_trail``: of servers that changed in the last 30 days, those that are gone too
    - ``secret``: those past their end not (Barbican lists them nowhere; ``secrets_expired`` counts them)
    - ``role``: global ones and those of domains (``?domain_id=``)
    - ``role_assignment``: as ``GET /role_assignments`` lists them, inherited and system ones in, implied ones not
    - ``platform_service``: services of nova, cinder, manila, designate, agents of neutron (``numbers`` has each)
    - ``storage_pool``: back ends of cinder
    - ``quota``: three for each project (compute, volume, network)

``numbers``
    finer counts, each named for what it counts.
``projects``
    project name → kind → rows that the project owns, without kinds of which it owns none.
``names``
    the things that a test looks at one by one: kind → name → facts.
``reader_project``, ``reader_sees``
    the project of cloud ``lab-project-reader``, and kind → what its APIs show it without an error: the project's
    own rows and those that others share with it.
``second_region``
    what region ``zw-region-2`` (cloud ``lab-second-region``) offers: the same core services, none of the others.
"""

from __future__ import annotations

import json
import os
from typing import Any

from oslab.core import LAB, REGION, REGION_2, sql, write
from oslab.seed_storage import containers

PROJECTS = "keystone.project WHERE is_domain=0"
LIVE_SERVERS = (
    "(SELECT uuid, project_id, vm_state, locked, config_drive, key_name, user_data FROM nova_cell1.instances "
    "WHERE deleted=0 UNION ALL SELECT uuid, project_id, vm_state, locked, config_drive, key_name, user_data "
    "FROM nova_cell0.instances WHERE deleted=0)"
)
OPEN_TO = (
    "SELECT COUNT(DISTINCT security_group_id) FROM neutron.securitygrouprules WHERE direction='ingress' "
    "AND remote_group_id IS NULL AND remote_address_group_id IS NULL AND ethertype='IPv{0}' "
    "AND (remote_ip_prefix IS NULL OR remote_ip_prefix IN ('0.0.0.0/0', '::/0')) "
)
TO_PORT = (
    "AND (protocol IS NULL OR protocol IN ('tcp', '6')) AND (port_range_min IS NULL OR port_range_min <= {0}) "
    "AND (port_range_max IS NULL OR port_range_max >= {0})"
)
MFA = "(SELECT user_id FROM keystone.user_option WHERE option_id='MFAE' AND option_value='true')"

NOT_ENDED = "(expiration IS NULL OR expiration > UTC_TIMESTAMP())"

LATELY = ">= UTC_DATE() - INTERVAL 30 DAY"
ACTIONS = (
    "SELECT a.id FROM {0}.instance_actions a JOIN {0}.instances i ON i.uuid=a.instance_uuid "
    f"WHERE i.updated_at {LATELY} AND a.updated_at {LATELY}"
)

KINDS = {  # kind: what follows SELECT COUNT(*) FROM
    "identity_domain": "keystone.project WHERE is_domain=1 AND id<>'<<keystone.domain.root>>'",
    "project": PROJECTS,
    "user": "keystone.user",
    "user_group": "keystone.group",
    "role": "keystone.role",
    "application_credential": "keystone.application_credential",
    "trust": "keystone.trust WHERE deleted_at IS NULL",
    "identity_provider": "keystone.identity_provider",
    "secret": "barbican.secrets WHERE deleted=0 AND " + NOT_ENDED,
    "flavor": "nova_api.flavors",
    "hypervisor": "nova_cell1.compute_nodes WHERE deleted=0",
    "aggregate": "nova_api.aggregates",
    "instance_action": f"({ACTIONS.format('nova_cell1')} UNION ALL {ACTIONS.format('nova_cell0')}) a",
    "action_trail": f"(SELECT uuid FROM nova_cell1.instances WHERE updated_at {LATELY} UNION ALL "
    f"SELECT uuid FROM nova_cell0.instances WHERE updated_at {LATELY}) i",
    "server": LIVE_SERVERS + " s",
    "server_group": "nova_api.instance_groups",
    "key_pair": "nova_api.key_pairs",
    "volume": "cinder.volumes WHERE deleted=0",
    "volume_type": "cinder.volume_types WHERE deleted=0",
    "volume_snapshot": "cinder.snapshots WHERE deleted=0",
    "volume_backup": "cinder.backups WHERE deleted=0",
    "storage_pool": "cinder.services WHERE deleted=0 AND topic='cinder-volume'",
    "share": "manila.shares WHERE deleted='False'",
    "image": "glance.images WHERE deleted=0",
    "network": "neutron.networks",
    "subnet": "neutron.subnets",
    "port": "neutron.ports",
    "security_group": "neutron.securitygroups",
    "floating_ip": "neutron.floatingips",
    "router": "neutron.routers",
    "trunk": "neutron.trunks",
    "qos_policy": "neutron.qos_policies",
    "load_balancer": "octavia.load_balancer WHERE provisioning_status<>'DELETED'",
    "dns_zone": "designate.zones WHERE deleted='0'",
}
NOVA_SERVICES = (
    "nova_cell1.services WHERE deleted=0 AND `binary` NOT IN ('nova-osapi_compute', 'nova-metadata')"
)
OPTION = "keystone.user_option WHERE option_id='{0}' AND option_value='true'"
EXPIRED = "expires_at IS NOT NULL AND expires_at < UNIX_TIMESTAMP() * 1000000"
NUMBERS = {
    "users_enabled": "keystone.user WHERE enabled=1",
    "users_without_mfa": "keystone.user WHERE id NOT IN " + MFA,
    "users_ignoring_password_expiry": OPTION.format("1001"),
    "users_ignoring_first_use_change": OPTION.format("1000"),
    "users_ignoring_lockout": OPTION.format("1002"),
    "users_password_locked": OPTION.format("1003"),
    "users_ignoring_inactivity": OPTION.format("1004"),
    "groups_without_members": "keystone.group WHERE id NOT IN (SELECT group_id FROM keystone.user_group_membership)",
    "group_memberships": "keystone.user_group_membership",
    "roles_implied": "keystone.implied_role",
    "roles_of_domains": "keystone.role WHERE domain_id<>'<<null>>'",
    "assignments_system": "keystone.system_assignment",
    "assignments_inherited": "keystone.assignment WHERE inherited=1",
    "assignments_domain": "keystone.assignment WHERE type LIKE '%Domain'",
    "assignments_group": "keystone.assignment WHERE type LIKE 'Group%'",
    "assignments_system_group": "keystone.system_assignment WHERE type LIKE 'Group%'",
    "credentials_unrestricted": "keystone.application_credential WHERE unrestricted=1",
    "credentials_without_expiry": "keystone.application_credential WHERE expires_at IS NULL",
    "credentials_expired": "keystone.application_credential WHERE " + EXPIRED,
    "credentials_with_access_rules": "keystone.application_credential WHERE internal_id IN "
    "(SELECT application_credential_id FROM keystone.application_credential_access_rule)",
    "credentials_ec2": "keystone.credential WHERE type='ec2'",
    "trusts_impersonating": "keystone.trust WHERE deleted_at IS NULL AND impersonation=1",
    "trusts_without_expiry": "keystone.trust WHERE deleted_at IS NULL AND expires_at_int IS NULL",
    "trusts_unlimited": "keystone.trust WHERE deleted_at IS NULL AND remaining_uses IS NULL",
    "federation_protocols": "keystone.federation_protocol",
    "federation_mappings": "keystone.mapping",
    "endpoints": f"keystone.endpoint WHERE region_id='{REGION}'",
    "endpoints_https": f"keystone.endpoint WHERE region_id='{REGION}' AND url LIKE 'https:%'",
    "secrets_expired": "barbican.secrets WHERE deleted=0 AND expiration < UTC_TIMESTAMP()",
    "secrets_with_expiry": "barbican.secrets WHERE deleted=0 AND expiration > UTC_TIMESTAMP()",
    "servers_locked": LIVE_SERVERS + " s WHERE locked=1",
    "servers_error": LIVE_SERVERS + " s WHERE vm_state='error'",
    "servers_without_cell": "nova_cell0.instances WHERE deleted=0",
    "servers_config_drive": LIVE_SERVERS + " s WHERE config_drive IN ('True', '1')",
    "servers_with_key": LIVE_SERVERS + " s WHERE key_name IS NOT NULL",
    "servers_with_user_data": LIVE_SERVERS + " s WHERE user_data IS NOT NULL",
    "servers_shelved": LIVE_SERVERS + " s WHERE vm_state LIKE 'shelved%'",
    "server_group_members": "nova_api.instance_group_member",
    "flavors_private": "nova_api.flavors WHERE is_public=0",
    "compute_services_disabled": NOVA_SERVICES + " AND disabled=1",
    "services_nova": NOVA_SERVICES,
    "services_cinder": "cinder.services WHERE deleted=0",
    "services_neutron": "neutron.agents",
    "services_manila": "manila.services WHERE deleted=0",
    "services_designate": "designate.service_statuses",
    "agents_dead": "neutron.agents WHERE heartbeat_timestamp < UTC_TIMESTAMP() - INTERVAL 75 SECOND",
    "volumes_unencrypted": "cinder.volumes WHERE deleted=0 AND encryption_key_id IS NULL",
    "volumes_multiattach": "cinder.volumes WHERE deleted=0 AND multiattach=1",
    "volumes_error": "cinder.volumes WHERE deleted=0 AND status='error'",
    "volumes_bootable": "cinder.volumes WHERE deleted=0 AND bootable=1",
    "volume_types_encrypted": "cinder.encryption WHERE deleted=0",
    "volume_types_private": "cinder.volume_types WHERE deleted=0 AND is_public=0",
    "volume_types_with_qos": "cinder.volume_types WHERE deleted=0 AND qos_specs_id IS NOT NULL",
    "backups_incremental": "cinder.backups WHERE deleted=0 AND parent_id IS NOT NULL",
    "backups_failed": "cinder.backups WHERE deleted=0 AND status='error'",
    "backups_encrypted": "cinder.backups WHERE deleted=0 AND encryption_key_id IS NOT NULL",
    "snapshots_error": "cinder.snapshots WHERE deleted=0 AND status='error'",
    "images_unprotected": "glance.images WHERE deleted=0 AND protected=0",
    "images_hidden": "glance.images WHERE deleted=0 AND os_hidden=1",
    "images_community": "glance.images WHERE deleted=0 AND visibility='community'",
    "images_shared": "glance.images WHERE deleted=0 AND visibility='shared'",
    "images_signed": "glance.image_properties WHERE deleted=0 AND name='img_signature'",
    "images_deactivated": "glance.images WHERE deleted=0 AND status='deactivated'",
    "image_members": "glance.image_members WHERE deleted=0",
    "security_group_rules": "neutron.securitygrouprules",
    "security_groups_stateless": "neutron.securitygroups WHERE stateful=0",
    "networks_without_port_security": "neutron.networksecuritybindings WHERE port_security_enabled=0",
    "networks_shared_by_rbac": "neutron.networkrbacs WHERE action='access_as_shared'",
    "security_groups_shared": "neutron.securitygrouprbacs WHERE action='access_as_shared'",
    "security_groups_shared_with_all": "neutron.securitygrouprbacs WHERE action='access_as_shared' "
    "AND target_project='*'",
    "qos_policies_shared": "neutron.qospolicyrbacs WHERE action='access_as_shared'",
    "qos_rules": "(SELECT id FROM neutron.qos_bandwidth_limit_rules UNION ALL SELECT id FROM "
    "neutron.qos_dscp_marking_rules UNION ALL SELECT id FROM neutron.qos_minimum_bandwidth_rules) r",
    "ports_without_security": "neutron.portsecuritybindings WHERE port_security_enabled=0",
    "subports": "neutron.subports",
    "subnets_slaac": "neutron.subnets WHERE ipv6_address_mode='slaac'",
    "subnets_stateful": "neutron.subnets WHERE ipv6_address_mode='dhcpv6-stateful'",
    "subnets_stateless": "neutron.subnets WHERE ipv6_address_mode='dhcpv6-stateless'",
    "subnet_pools": "neutron.subnetpools",
    "address_groups": "neutron.address_groups",
    "routers_ha": "neutron.router_extra_attributes WHERE ha=1",
    "routers_distributed": "neutron.router_extra_attributes WHERE distributed=1",
    "floating_ips_idle": "neutron.floatingips WHERE fixed_port_id IS NULL",
    "listeners": "octavia.listener",
    "listeners_ended_tls": "octavia.listener WHERE protocol='TERMINATED_HTTPS'",
    "listeners_old_tls": "octavia.listener WHERE FIND_IN_SET('TLSv1', tls_versions) OR FIND_IN_SET('TLSv1.1', tls_versions)",
    "listeners_limited": "octavia.listener WHERE id IN (SELECT listener_id FROM octavia.listener_cidr)",
    "balancer_pools": "octavia.pool",
    "recordsets": "designate.recordsets r JOIN designate.zones z ON z.id=r.zone_id WHERE z.deleted='0'",
    "recordsets_aaaa": "designate.recordsets r JOIN designate.zones z ON z.id=r.zone_id WHERE z.deleted='0' "
    "AND r.type='AAAA'",
    "share_access_rules": "manila.share_access_map WHERE deleted='False'",
    "shares_public": "manila.shares WHERE deleted='False' AND is_public=1",
    "resource_providers": "placement.resource_providers",
    "placement_inventories": "placement.inventories",
    "placement_allocations": "placement.allocations",
}
DISTINCT = {
    "groups_open_ssh_ipv4": OPEN_TO.format(4) + TO_PORT.format(22),
    "groups_open_ssh_ipv6": OPEN_TO.format(6) + TO_PORT.format(22),
    "groups_open_rdp_ipv4": OPEN_TO.format(4) + TO_PORT.format(3389),
    "groups_open_everything_ipv4": OPEN_TO.format(4) + "AND protocol IS NULL",
    "groups_open_everything_ipv6": OPEN_TO.format(6) + "AND protocol IS NULL",
    "volumes_attached": "SELECT COUNT(DISTINCT volume_id) FROM cinder.volume_attachment "
    "WHERE deleted=0 AND attach_status='attached'",
    "ports_with_ipv6": "SELECT COUNT(DISTINCT port_id) FROM neutron.ipallocations WHERE ip_address LIKE '%:%'",
    "ports_with_address_pairs": "SELECT COUNT(DISTINCT port_id) FROM neutron.allowedaddresspairs",
    "servers_with_tags": "SELECT COUNT(DISTINCT resource_id) FROM nova_cell1.tags",
    "users_mfa_rules": "SELECT COUNT(DISTINCT user_id) FROM keystone.user_option WHERE option_id='MFAR'",
    "vcpu_allocated": "SELECT COALESCE(SUM(used), 0) FROM placement.allocations WHERE resource_class_id=0",
    "memory_mib_allocated": "SELECT COALESCE(SUM(used), 0) FROM placement.allocations WHERE resource_class_id=1",
    "vcpu_total": "SELECT COALESCE(SUM(total), 0) FROM placement.inventories WHERE resource_class_id=0",
}
OWNED = {  # kind: table and column of the owner, condition
    "server": (LIVE_SERVERS, "project_id", "1"),
    "volume": ("cinder.volumes", "project_id", "t.deleted=0"),
    "volume_snapshot": ("cinder.snapshots", "project_id", "t.deleted=0"),
    "volume_backup": ("cinder.backups", "project_id", "t.deleted=0"),
    "port": ("neutron.ports", "project_id", "1"),
    "security_group": ("neutron.securitygroups", "project_id", "1"),
    "floating_ip": ("neutron.floatingips", "project_id", "1"),
    "network": ("neutron.networks", "project_id", "1"),
    "load_balancer": ("octavia.load_balancer", "project_id", "1"),
    "dns_zone": ("designate.zones", "tenant_id", "t.deleted='0'"),
    "share": ("manila.shares", "project_id", "t.deleted='False'"),
    "server_group": ("nova_api.instance_groups", "project_id", "1"),
}


def count(statement: str) -> int:
    return int(sql(statement + ";", capture=True).strip() or 0)


def counted(tables: dict[str, str]) -> dict[str, int]:
    """One round trip for many counts: label → SELECT that gives one number."""
    text = " UNION ALL ".join(f"SELECT '{label}', ({select})" for label, select in tables.items())
    return {
        label: int(n)
        for label, n in (line.split("\t") for line in sql(text + ";", capture=True).splitlines())
    }


def owners() -> dict[str, dict[str, int]]:
    """Project name → kind → rows it owns."""
    out: dict[str, dict[str, int]] = {
        name: {} for name in sql(f"SELECT name FROM {PROJECTS};", capture=True).splitlines()
    }
    for kind, (table, column, where) in OWNED.items():
        rows = sql(
            f"SELECT p.name, COUNT(*) FROM {table} t JOIN keystone.project p ON p.id=t.{column} "
            f"WHERE {where} GROUP BY p.name;",
            capture=True,
        )
        for line in rows.splitlines():
            name, n = line.split("\t")
            out[name][kind] = int(n)
    secrets = sql(
        "SELECT p.name, COUNT(*) FROM barbican.secrets s JOIN barbican.projects b ON b.id=s.project_id "
        f"JOIN keystone.project p ON p.id=b.external_id WHERE s.deleted=0 AND {NOT_ENDED} GROUP BY p.name;",
        capture=True,
    )
    for line in secrets.splitlines():
        name, n = line.split("\t")
        out[name]["secret"] = int(n)
    return out


def reader_sees(own: dict[str, int], reader_project: str) -> dict[str, int]:
    """What a reader of one project is shown: its own, and security groups shared with it."""
    shared = count(
        "SELECT COUNT(*) FROM neutron.securitygrouprbacs r JOIN keystone.project p ON r.target_project IN (p.id, '*') "
        f"WHERE r.action='access_as_shared' AND p.name='{reader_project}'"
    )
    seen = {kind: own.get(kind, 0) for kind in ("server", "volume", "port", "security_group", "floating_ip")}
    return {**seen, "security_group": seen["security_group"] + shared}


def names() -> dict[str, dict[str, dict[str, Any]]]:
    """Facts of the things that stand for a trait."""

    def rows(select: str) -> list[list[str]]:
        return [line.split("\t") for line in sql(select + ";", capture=True).splitlines()]

    return {
        "volume_type": {
            name: {"cipher": cipher, "key_bits": int(bits), "encryption_location": location}
            for name, cipher, bits, location in rows(
                "SELECT t.name, e.cipher, e.key_size, e.control_location FROM cinder.encryption e "
                "JOIN cinder.volume_types t ON t.id=e.volume_type_id WHERE e.deleted=0"
            )
        },
        "listener": {
            name: {"protocol": protocol, "tls_versions": [] if tls == "NULL" else tls.split(",")}
            for name, protocol, tls in rows(
                "SELECT CONCAT(b.name, '/', l.name), l.protocol, l.tls_versions FROM octavia.listener l "
                "JOIN octavia.load_balancer b ON b.id=l.load_balancer_id"
            )
        },
        "provider": {
            name: {"class": kind, "total": int(total), "reserved": int(reserved), "ratio": float(ratio)}
            for name, kind, total, reserved, ratio in rows(
                "SELECT CONCAT(p.name, '/', c.name), c.name, i.total, i.reserved, i.allocation_ratio "
                "FROM placement.inventories i JOIN placement.resource_providers p ON p.id=i.resource_provider_id "
                "JOIN placement.resource_classes c ON c.id=i.resource_class_id"
            )
        },
        "server": {
            name: {"vm_state": state}
            for name, state in rows(
                "SELECT display_name, vm_state FROM nova_cell1.instances WHERE deleted=0 AND display_name LIKE 'x-%' "
                "UNION SELECT display_name, vm_state FROM nova_cell0.instances WHERE deleted=0"
            )
        },
    }


def expect(reader_project: str) -> None:
    """Count, and write expected.json into the lab's folder."""
    select = "SELECT COUNT(*) FROM "
    kinds = counted({kind: select + table for kind, table in KINDS.items()})
    numbers = counted({**{name: select + table for name, table in NUMBERS.items()}, **DISTINCT})
    projects = owners()
    kinds["cloud"] = 1
    kinds["quota"] = 3 * kinds["project"]
    kinds["role_assignment"] = count(select + "keystone.assignment") + numbers["assignments_system"]
    kinds["platform_service"] = sum(n for name, n in numbers.items() if name.startswith("services_"))
    kinds["object_container"] = containers()
    write(
        os.path.join(LAB, "expected.json"),
        json.dumps(
            {
                "kinds": kinds,
                "numbers": numbers,
                "projects": projects,
                "names": names(),
                "reader_project": reader_project,
                "reader_sees": reader_sees(projects[reader_project], reader_project),
                "second_region": {
                    "region": REGION_2,
                    "services": count(f"SELECT COUNT(*) FROM keystone.endpoint WHERE region_id='{REGION_2}'"),
                },
            },
            indent=1,
            sort_keys=True,
            ensure_ascii=False,
        )
        + "\n",
    )

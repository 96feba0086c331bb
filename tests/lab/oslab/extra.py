"""The services beside the core of the lab: volume backups, load balancers, DNS, shares, objects.

Genuine services with drivers that hold no data: Octavia's provider, Manila's share driver and the attaching
half of cinder-backup are stand-ins; APIs, databases, policies and RPC are not. What no worker is there to finish
(load balancers, zones) the seed sets to its end state in the database.
"""

from __future__ import annotations

import os

from oslab.core import (
    DATA,
    ETC,
    IP,
    PORT,
    PY,
    REGION,
    auth_block,
    daemon,
    db_url,
    sec,
    sh,
    sql,
    start,
    uwsgi,
    write,
)

PACKAGES = """
python3-octavia octavia-common python3-designate designate-common python3-manila manila-common python3-swift
""".split()
DATABASES = ["octavia", "designate", "manila"]
CATALOGUE = [
    ("octavia", "load-balancer", ""),
    ("designate", "dns", ""),
    ("manila", "sharev2", "/v2"),
    ("swift", "object-store", "/v1/AUTH_%(project_id)s"),
]
ROLES = ["ResellerAdmin"]  # Swift: may read the account of every project
POOL = "794ccc2c-d751-44fe-b57f-8894c9f5c842"  # Designate's default pool

BACKUP_PY = '''
"""cinder-backup's manager, which reads a file of the lab in place of the volume."""
import os
from cinder.backup import manager

BLANK = os.path.join(os.environ['LAB_DIR'], 'data', 'blank-volume')
# asks the machine for its iSCSI and NVMe names with tools that the lab does not install
manager.volume_utils.brick_get_connector_properties = lambda *a, **kw: {'host': 'zw-ctl-01'}


class LabBackupManager(manager.BackupManager):
    def _attach_device(self, ctxt, backup_device, properties, is_snapshot=False, force=False):
        return {'device': {'path': BLANK}, 'conn': {'data': {}}}

    def _detach_device(self, ctxt, attach_info, device, properties,
                       is_snapshot=False, force=False, ignore_errors=False):
        pass
'''

OCTAVIA_PY = '''
"""An Octavia provider that accepts everything and does nothing; Octavia makes the port of the address."""
from octavia.api.drivers.noop_driver import driver


class LabProvider(driver.NoopProviderDriver):
    def create_vip_port(self, *args, **kwargs):
        raise NotImplementedError()
'''

MANILA_PY = '''
"""A Manila driver that stores nothing."""
from manila.share import driver


class LabShareDriver(driver.ShareDriver):
    def __init__(self, *args, **kwargs):
        super().__init__(False, *args, **kwargs)

    def check_for_setup_error(self): pass
    def delete_share(self, context, share, share_server=None): pass
    def ensure_share(self, context, share, share_server=None): return self.create_share(context, share)
    def update_access(self, context, share, access_rules, add_rules, delete_rules, share_server=None): pass
    def create_snapshot(self, context, snapshot, share_server=None): return {}
    def delete_snapshot(self, context, snapshot, share_server=None): pass

    def create_share(self, context, share, share_server=None):
        return [{'path': '198.18.0.9:/export/' + share['id'], 'is_admin_only': False, 'metadata': {}}]

    def _update_share_stats(self, data=None):
        super()._update_share_stats({
            'share_backend_name': self.configuration.safe_get('share_backend_name'),
            'vendor_name': 'lab', 'driver_version': '1.0', 'storage_protocol': 'NFS_CIFS',
            'total_capacity_gb': 100000, 'free_capacity_gb': 80000, 'reserved_percentage': 5,
            'snapshot_support': True, 'create_share_from_snapshot_support': False})
'''

SWIFT_PY = '''
"""Swift's proxy, account, container and object servers, forked from one process that has imported them."""
import ctypes, os, sys
import eventlet.hubs
from swift.common import utils
ETC = os.path.join(os.environ['LAB_DIR'], 'etc', 'swift')
utils.SWIFT_CONF_FILE = os.path.join(ETC, 'swift.conf')     # Swift takes no other place from its settings
import swift.account.server, swift.container.server, swift.obj.server, swift.proxy.server  # noqa
from swift.common import wsgi
utils.validate_configuration()
wsgi.clean_up_daemon_hygiene = lambda: None                 # the lab keeps its processes in one session
for name in ('account', 'container', 'object'):
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(1, 9)                       # PR_SET_PDEATHSIG: not to outlive the first
        break
else:
    name = 'proxy'
sys.exit(wsgi.run_wsgi(os.path.join(ETC, name + '-server.conf'), name + '-server'))
'''


def configure(common: str) -> None:
    """Write the settings. ``common`` holds queue and state settings, with one place for a name."""
    for name, text in (
        ("labbackup", BACKUP_PY),
        ("laboctavia", OCTAVIA_PY),
        ("labmanila", MANILA_PY),
        ("lab_swift", SWIFT_PY),
    ):
        write(os.path.join(PY, name + ".py"), text)
    info = os.path.join(PY, "laboctavia-1.0.dist-info")
    write(os.path.join(info, "METADATA"), "Metadata-Version: 2.1\nName: laboctavia\nVersion: 1.0\n")
    write(os.path.join(info, "RECORD"), "")
    write(os.path.join(info, "entry_points.txt"), "[octavia.api.drivers]\nlab = laboctavia:LabProvider\n")
    write(os.path.join(DATA, "blank-volume"), "0" * 4096)
    os.makedirs(os.path.join(DATA, "backups"), exist_ok=True)
    configure_octavia(common)
    configure_designate(common)
    configure_manila(common)
    configure_swift()


def settings(name: str, text: str) -> None:
    write(os.path.join(ETC, name), text, 0o600)


def configure_octavia(common: str) -> None:
    database = f"\n[database]\nconnection = {db_url('octavia')}\nmax_pool_size = 5\n"
    settings(
        "octavia.conf",
        common % "octavia"
        + f"""
[api_settings]
bind_host = {IP}
bind_port = {PORT["octavia"]}
auth_strategy = keystone
enabled_provider_drivers = lab:The lab's provider
default_provider_driver = lab
allow_tls_terminated_listeners = true
healthcheck_enabled = true
[oslo_messaging]
topic = octavia_prov
[controller_worker]
network_driver = allowed_address_pairs_driver
[certificates]
cert_manager = local_cert_manager
[neutron]
region_name = {REGION}
"""
        + auth_block("octavia", "keystone_authtoken")
        + auth_block("octavia", "service_auth")
        + database,
    )


def configure_designate(common: str) -> None:
    settings(
        "designate/designate.conf",
        common % "designate"
        + f"""
[service:api]
listen = {IP}:{PORT["designate"]}
auth_strategy = keystone
api_base_uri = http://{IP}:{PORT["designate"]}/
enable_host_header = true
enable_api_v2 = true
enabled_extensions_v2 = quotas, reports
[service:central]
workers = 1
threads = 20
managed_resource_email = hostmaster@example.gov
default_pool_id = {POOL}
[storage:sqlalchemy]
connection = {db_url("designate")}
"""
        + auth_block("designate", "keystone_authtoken"),
    )
    with open("/usr/share/designate-common/api-paste.ini", encoding="utf-8") as paste:
        settings("designate/api-paste.ini", paste.read())


def configure_manila(common: str) -> None:
    settings(
        "manila.conf",
        common % "manila"
        + f"""
[DEFAULT]
host = zw-ctl-01
my_ip = {IP}
osapi_share_listen = {IP}
osapi_share_listen_port = {PORT["manila"]}
osapi_share_workers = 1
api_paste_config = /usr/share/manila-common/api-paste.ini
rootwrap_config = /usr/share/manila-common/rootwrap.conf
auth_strategy = keystone
enabled_share_backends = nas-a
enabled_share_protocols = NFS,CIFS
storage_availability_zone = az-a
report_interval = 15
service_down_time = 75
[nas-a]
share_driver = labmanila.LabShareDriver
share_backend_name = nas-a
driver_handles_share_servers = false
[coordination]
backend_url = file://{DATA}/manila
[database]
connection = {db_url("manila")}
max_pool_size = 10
"""
        + auth_block("manila", "keystone_authtoken"),
    )


def configure_swift() -> None:
    settings(
        "swift/swift.conf",
        f"""
[swift-hash]
swift_hash_path_suffix = {sec("swift")}
[storage-policy:0]
name = nearline
default = yes
[storage-policy:1]
name = archive
""",
    )
    base = f"""
[DEFAULT]
bind_ip = {IP}
bind_port = %d
workers = 0
user = root
swift_dir = {ETC}/swift
devices = {DATA}/swift
mount_check = false
disable_fallocate = true
log_level = WARNING
"""
    for name in ("account", "container", "object"):
        settings(
            f"swift/{name}-server.conf",
            base % PORT["swift-" + name]
            + f"""
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
allow_versions = true
""",
        )
    settings(
        "swift/proxy-server.conf",
        base % PORT["swift"]
        + f"""
[pipeline:main]
pipeline = catch_errors cache bulk authtoken keystoneauth copy versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = {IP}:{PORT["memcached"]}
[filter:bulk]
use = egg:swift#bulk
[filter:copy]
use = egg:swift#copy
[filter:symlink]
use = egg:swift#symlink
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
reseller_admin_role = ResellerAdmin
system_reader_roles = reader
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
delay_auth_decision = true
"""
        + auth_block("swift", "filter:authtoken").split("\n", 2)[2],
    )


def build_rings() -> None:
    """One device on one machine, every ring with one replica."""
    os.makedirs(os.path.join(DATA, "swift", "d1"), exist_ok=True)
    tool = [
        "/usr/bin/python3",
        "-c",
        "import sys; sys.argv[0] = 'ring'; from swift.cli.ringbuilder import main; sys.exit(main())",
    ]
    for ring, server in (
        ("account", "account"),
        ("container", "container"),
        ("object", "object"),
        ("object-1", "object"),
    ):
        path = os.path.join(ETC, "swift", ring)
        if os.path.exists(path + ".ring.gz"):
            continue
        sh([*tool, path + ".builder", "create", "4", "1", "1"], "swift-rings.log")
        sh(
            [*tool, path + ".builder", "add", f"r1z1-{IP}:{PORT['swift-' + server]}/d1", "1"],
            "swift-rings.log",
        )
        sh([*tool, path + ".builder", "rebalance"], "swift-rings.log")


def octavia_tables() -> None:
    sh(["octavia-db-manage", "--config-file", f"{ETC}/octavia.conf", "upgrade", "head"], "dbsync-octavia.log")


def designate_tables() -> None:
    command = ["designate-manage", "--config-file", f"{ETC}/designate/designate.conf", "database", "sync"]
    sh(command, "dbsync-designate.log")


def manila_tables() -> None:
    sh(["manila-manage", "--config-file", f"{ETC}/manila.conf", "db", "sync"], "dbsync-manila.log")


TABLES = (octavia_tables, designate_tables, manila_tables, build_rings)  # for databases that exist


def create_pool() -> None:
    """The name servers that every zone of Designate lists."""
    sql(
        "INSERT IGNORE INTO pool_ns_records (id, created_at, version, pool_id, hostname, priority) VALUES "
        f"('{'0' * 31}1', NOW(), 1, '{POOL.replace('-', '')}', 'ns1.zw.example.', 1), "
        f"('{'0' * 31}2', NOW(), 1, '{POOL.replace('-', '')}', 'ns2.zw.example.', 2);",
        "designate",
    )


def manila_daemon(name: str) -> bool:
    return daemon("manila-" + name, "manila.cmd." + name, "manila.conf")


SERVICES = {
    "cinder-backup": lambda: daemon("cinder-backup", "cinder.cmd.backup", "cinder.conf"),
    "octavia-api": lambda: uwsgi(
        "octavia-api",
        "/usr/bin/octavia-wsgi",
        PORT["octavia"],
        1,
        2,
        pyargv=f"--config-file {ETC}/octavia.conf",
    ),
    "designate-central": lambda: daemon(
        "designate-central", "designate.cmd.central", "designate/designate.conf"
    ),
    "designate-api": lambda: uwsgi("designate-api", "/usr/bin/designate-api-wsgi", PORT["designate"], 1, 2),
    "manila-api": lambda: uwsgi(
        "manila-api",
        "/usr/bin/manila-wsgi",
        PORT["manila"],
        1,
        2,
        pyargv=f"--config-file {ETC}/manila.conf",
    ),
    "manila-scheduler": lambda: manila_daemon("scheduler"),
    "manila-share": lambda: manila_daemon("share"),
    "swift": lambda: start("swift", ["/usr/bin/python3", os.path.join(PY, "lab_swift.py")]),
}
LISTENS = {"octavia-api": "octavia", "designate-api": "designate", "manila-api": "manila", "swift": "swift"}

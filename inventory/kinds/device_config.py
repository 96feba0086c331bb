"""The kind of what a network or security device is configured to do, whoever made it.

Every nested struct may carry ``lines``: the numbers (from 1) of the lines of the masked configuration it was
read from, so that a finding shows where. Absent lines are no evidence of a default: what the configuration
does not say is a value only where the maker's default is known for that software, else UNKNOWN.
No password, key, community or hash ever enters this kind.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from inventory.kinds.address import Family
from inventory.resource import Nested, Resource
from inventory.unknown import UNKNOWN, Maybe

PasswordStorage = Literal["plain", "reversible", "weak_hash", "hash", "none"]
"""How a password stands in the configuration. reversible: anybody can compute it back (type 7, VRP simple
cipher, $9$); weak_hash: MD5 or unsalted; none: there is no password, and none is asked."""


class TelnetServer(Nested):
    """Whether the device answers telnet; UNKNOWN where neither the text nor the default tells."""

    ipv4: Maybe[bool] = UNKNOWN
    ipv6: Maybe[bool] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class SshService(Nested):
    """The SSH server. Algorithms are those configured, or offered where the session saw them; where neither
    was seen they are the software's own choice, and UNKNOWN."""

    ipv4: Maybe[bool] = UNKNOWN
    ipv6: Maybe[bool] = UNKNOWN
    version1: Maybe[bool] = UNKNOWN  # clients of version 1 are accepted
    algorithms_configured: Maybe[bool] = UNKNOWN  # the ciphers are pinned
    ciphers: Maybe[list[str]] = UNKNOWN  # as the device writes them, lower case
    macs: Maybe[list[str]] = UNKNOWN
    key_exchanges: Maybe[list[str]] = UNKNOWN
    authentication_retries: Maybe[int | None] = UNKNOWN  # None = not configured
    root_login: Maybe[bool] = UNKNOWN  # the superuser may log in (Junos)
    lines: Maybe[list[int]] = UNKNOWN


class WebService(Nested):
    """Web management."""

    http: Maybe[bool] = UNKNOWN
    https: Maybe[bool] = UNKNOWN
    acl_ipv4: Maybe[str | None] = UNKNOWN
    acl_ipv6: Maybe[str | None] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class TerminalLine(Nested):
    """A line that people log in on. ``acl_…`` None = any address of the family may connect; for a device that
    restricts by service and not by line, the restriction of its remote services."""

    name: Maybe[str] = UNKNOWN  # "vty 0 4", "con 0"
    line_type: Maybe[Literal["vty", "console", "aux", "other"]] = UNKNOWN
    transports: Maybe[list[Literal["ssh", "telnet", "other"]]] = UNKNOWN  # sorted; [] = none may connect
    remote: Maybe[bool] = UNKNOWN  # people reach it over the network
    acl_ipv4: Maybe[str | None] = UNKNOWN
    acl_ipv6: Maybe[str | None] = UNKNOWN
    authentication: Maybe[Literal["aaa", "local", "password", "none"]] = UNKNOWN  # aaa: names an account
    password_storage: Maybe[PasswordStorage] = UNKNOWN  # of the line's own password, where it has one
    idle_seconds: Maybe[int | None] = UNKNOWN  # None = never logged out
    administrator: Maybe[bool] = UNKNOWN  # the line itself gives the highest level
    lines: Maybe[list[int]] = UNKNOWN


class Aaa(Nested):
    """Central authentication. Methods of a login in the order they are tried."""

    login_methods: Maybe[list[Literal["radius", "tacacs", "local", "password", "ldap", "none", "other"]]] = (
        UNKNOWN
    )
    radius_servers: Maybe[list[str]] = UNKNOWN
    tacacs_servers: Maybe[list[str]] = UNKNOWN
    command_accounting: Maybe[bool] = UNKNOWN  # commands are reported to a server
    lines: Maybe[list[int]] = UNKNOWN


class LocalUser(Nested):
    """An account in the configuration."""

    name: Maybe[str] = UNKNOWN
    enabled: Maybe[bool] = UNKNOWN
    administrator: Maybe[bool] = UNKNOWN  # may change everything
    privilege: Maybe[str | None] = UNKNOWN  # level, role or class as the device writes it
    services: Maybe[list[str]] = UNKNOWN  # ssh, telnet, ftp, http, terminal …; as the device writes them
    password_storage: Maybe[PasswordStorage] = UNKNOWN
    password_in_clear: Maybe[bool] = UNKNOWN  # readable as it stands; so is none at all
    password_guessable: Maybe[bool] = UNKNOWN  # empty, the name itself, or a well-known default
    lines: Maybe[list[int]] = UNKNOWN


class PasswordRules(Nested):
    """What the device demands of passwords. None = it demands nothing."""

    min_length: Maybe[int | None] = UNKNOWN
    min_classes: Maybe[int | None] = UNKNOWN  # of lower case, upper case, digits, others
    max_days: Maybe[int | None] = UNKNOWN
    history: Maybe[int | None] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class LoginLockout(Nested):
    """``attempts`` None = no lock-out; ``minutes`` None with attempts set = until somebody unlocks."""

    attempts: Maybe[int | None] = UNKNOWN
    minutes: Maybe[int | None] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class PrivilegedPassword(Nested):
    """The password to the highest level (enable, super, root). ``password_storage`` "none" = not set."""

    password_storage: Maybe[PasswordStorage] = UNKNOWN
    password_guessable: Maybe[bool] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class LoginBanner(Nested):
    """A notice before or after login; its text is not kept."""

    configured: Maybe[bool] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class FileServices(Nested):
    """Servers that hand out files."""

    ftp: Maybe[bool] = UNKNOWN
    ftp_ipv4: Maybe[bool] = UNKNOWN
    ftp_ipv6: Maybe[bool] = UNKNOWN
    tftp: Maybe[bool] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class SpareServices(Nested):
    """Services that a device rarely needs."""

    small_servers: Maybe[bool] = UNKNOWN  # echo, discard, chargen, daytime
    finger: Maybe[bool] = UNKNOWN
    bootp_server: Maybe[bool] = UNKNOWN
    config_from_network: Maybe[bool] = UNKNOWN  # service config, Smart Install, zero-touch provisioning
    source_routing_ipv4: Maybe[bool] = UNKNOWN
    source_routing_ipv6: Maybe[bool] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class SnmpCommunity(Nested):
    """A community without its name."""

    default_name: Maybe[bool] = UNKNOWN  # public, private and the like; told in memory
    password_storage: Maybe[PasswordStorage] = UNKNOWN
    writable: Maybe[bool] = UNKNOWN
    acl_ipv4: Maybe[str | None] = UNKNOWN
    acl_ipv6: Maybe[str | None] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class SnmpUser(Nested):
    """A user, or a group of users, of version 3. Algorithms in the words of ``device``: SHA256, AES128 …"""

    name: Maybe[str] = UNKNOWN
    level: Maybe[Literal["noAuthNoPriv", "authNoPriv", "authPriv"]] = UNKNOWN
    authentication: Maybe[str | None] = UNKNOWN
    privacy: Maybe[str | None] = UNKNOWN
    acl_ipv4: Maybe[str | None] = UNKNOWN
    acl_ipv6: Maybe[str | None] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class SnmpAgent(Nested):
    """The SNMP agent."""

    enabled: Maybe[bool] = UNKNOWN
    version1: Maybe[bool] = UNKNOWN
    version2c: Maybe[bool] = UNKNOWN
    version3: Maybe[bool] = UNKNOWN
    communities: Maybe[list[SnmpCommunity]] = UNKNOWN
    users: Maybe[list[SnmpUser]] = UNKNOWN
    plaintext_traps: Maybe[bool] = UNKNOWN  # traps or informs go out by version 1 or 2c
    lines: Maybe[list[int]] = UNKNOWN


class LogServer(Nested):
    """A collector that messages are sent to."""

    address: Maybe[str] = UNKNOWN
    family: Maybe[Family | None] = UNKNOWN  # None = given by name
    encrypted: Maybe[bool] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class DeviceLogging(Nested):
    """System messages. ``level``: 0 emergency … 7 debugging (RFC 5424) of what is sent out, the highest."""

    enabled: Maybe[bool] = UNKNOWN
    servers: Maybe[list[LogServer]] = UNKNOWN
    level: Maybe[int] = UNKNOWN
    source: Maybe[str | None] = UNKNOWN  # interface or address that messages come from; None = not fixed
    timestamps: Maybe[bool] = UNKNOWN
    commands: Maybe[bool] = UNKNOWN  # commands that people enter are logged
    lines: Maybe[list[int]] = UNKNOWN


class NtpServer(Nested):
    """A time source."""

    address: Maybe[str] = UNKNOWN
    family: Maybe[Family | None] = UNKNOWN
    authenticated: Maybe[bool] = UNKNOWN  # by a key, and the device checks it
    lines: Maybe[list[int]] = UNKNOWN


class NtpClient(Nested):
    servers: Maybe[list[NtpServer]] = UNKNOWN
    authentication: Maybe[bool] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class RoutingSession(Nested):
    """Where a routing protocol talks to neighbours: an OSPF or IS-IS interface or area, a BGP peer or group,
    a RIP interface. ``authentication``: digest is keyed (MD5, SHA, IPsec, TCP-AO), password is readable."""

    protocol: Maybe[Literal["ospf", "ospfv3", "bgp", "isis", "rip", "ripng"]] = UNKNOWN
    family: Maybe[Family] = UNKNOWN  # of the packets it speaks in; of IS-IS ipv4
    name: Maybe[str] = UNKNOWN  # interface, area or peer
    authentication: Maybe[Literal["none", "password", "digest"]] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class ConfigInterface(Nested):
    """A port or a routed interface as configured. What is only for routed or for switched ports is UNKNOWN
    elsewhere. ``used``: it has an address, a VLAN, a description, or a part in a bundle."""

    name: Maybe[str] = UNKNOWN
    physical: Maybe[bool] = UNKNOWN
    shutdown: Maybe[bool] = UNKNOWN
    used: Maybe[bool] = UNKNOWN
    mode: Maybe[Literal["routed", "access", "trunk", "other"]] = UNKNOWN
    ipv4: Maybe[bool] = UNKNOWN  # has an address of the family
    ipv6: Maybe[bool] = UNKNOWN
    acl_in_ipv4: Maybe[str | None] = UNKNOWN
    acl_in_ipv6: Maybe[str | None] = UNKNOWN
    urpf_ipv4: Maybe[bool] = UNKNOWN
    urpf_ipv6: Maybe[bool] = UNKNOWN
    redirects_ipv4: Maybe[bool] = UNKNOWN  # sends ICMP redirects
    redirects_ipv6: Maybe[bool] = UNKNOWN
    proxy_arp: Maybe[bool] = UNKNOWN
    storm_control: Maybe[bool] = UNKNOWN
    access_control: Maybe[bool] = UNKNOWN  # 802.1X, MAC authentication or port security
    ra_guard: Maybe[bool] = UNKNOWN
    dhcpv6_guard: Maybe[bool] = UNKNOWN
    discovery: Maybe[bool] = UNKNOWN  # sends LLDP or CDP
    lines: Maybe[list[int]] = UNKNOWN


class LanProtection(Nested):
    """Protection of the access layer, switched on for the device or for some VLAN or port."""

    dhcp_snooping_ipv4: Maybe[bool] = UNKNOWN
    dhcp_snooping_ipv6: Maybe[bool] = UNKNOWN
    neighbour_inspection_ipv4: Maybe[bool] = UNKNOWN  # of ARP
    neighbour_inspection_ipv6: Maybe[bool] = UNKNOWN  # ND snooping, ND inspection, SAVI
    ra_guard: Maybe[bool] = UNKNOWN
    dot1x: Maybe[bool] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class SecurityPolicy(Nested):
    """A rule between zones of a firewall. ``any_…``: not limited. Lists hold words as the device writes them;
    [] = not limited. What is inspected is told by the profiles bound to the rule: UNKNOWN where the
    platform's way of writing them is not read."""

    name: Maybe[str] = UNKNOWN
    family: Maybe[Family | None] = UNKNOWN  # None = both
    permits: Maybe[bool] = UNKNOWN
    enabled: Maybe[bool] = UNKNOWN
    any_source: Maybe[bool] = UNKNOWN
    any_destination: Maybe[bool] = UNKNOWN
    any_service: Maybe[bool] = UNKNOWN
    logged: Maybe[bool] = UNKNOWN
    any_application: Maybe[bool] = UNKNOWN  # not limited by what the traffic is found to be
    source_zones: Maybe[list[str]] = UNKNOWN
    destination_zones: Maybe[list[str]] = UNKNOWN
    sources: Maybe[list[str]] = UNKNOWN
    destinations: Maybe[list[str]] = UNKNOWN
    services: Maybe[list[str]] = UNKNOWN
    outside: Maybe[bool] = UNKNOWN  # a network that is not trusted is on one of its sides; by the zones
    opens_management: Maybe[bool] = UNKNOWN  # from such a network to the device itself, by ssh, web, SNMP …
    files: Maybe[bool] = UNKNOWN  # may carry web, mail or files: not limited to services that never do
    mail: Maybe[bool] = UNKNOWN  # names a mail service; UNKNOWN where the services do not tell
    antivirus: Maybe[bool] = UNKNOWN
    intrusion_prevention: Maybe[bool] = UNKNOWN
    content_control: Maybe[bool] = UNKNOWN  # of applications, addresses (URL), files or data
    mail_filter: Maybe[bool] = UNKNOWN
    narrowed: Maybe[bool] = UNKNOWN  # by something beside these: a time, a VPN …
    alert_only: Maybe[bool] = UNKNOWN  # antivirus or intrusion prevention reports and lets through
    lines: Maybe[list[int]] = UNKNOWN


class AccessEntry(Nested):
    """A line of an access list. Of addresses None = any, else a prefix; of a protocol None = any, else its
    name; of ports None = no bound. UNKNOWN: a group of objects, a wildcard that is no prefix, a port by a
    name that is not known."""

    permits: Maybe[bool] = UNKNOWN
    protocol: Maybe[str | None] = UNKNOWN
    source: Maybe[str | None] = UNKNOWN
    destination: Maybe[str | None] = UNKNOWN
    source_port_min: Maybe[int | None] = UNKNOWN
    source_port_max: Maybe[int | None] = UNKNOWN
    destination_port_min: Maybe[int | None] = UNKNOWN
    destination_port_max: Maybe[int | None] = UNKNOWN
    narrowed: Maybe[bool] = UNKNOWN  # by something else: a time, a flag of TCP, a VPN, fragments …
    lines: Maybe[list[int]] = UNKNOWN


class AccessList(Nested):
    """An access list that filters what interfaces receive, its entries in the order they are tried."""

    name: Maybe[str] = UNKNOWN
    family: Maybe[Family] = UNKNOWN
    default_permits: Maybe[bool] = UNKNOWN  # what no entry names passes
    entries: Maybe[list[AccessEntry]] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class SignatureLibrary(Nested):
    """A library of signatures that inspection rests on. ``released``: when the maker issued what is loaded,
    in UTC where the device names no time zone."""

    library: Maybe[Literal["antivirus", "intrusion_prevention"]] = UNKNOWN
    used: Maybe[bool] = UNKNOWN  # some enabled rule inspects by it
    version: Maybe[str] = UNKNOWN
    released: Maybe[datetime] = UNKNOWN
    automatic: Maybe[bool] = UNKNOWN  # the device fetches new ones by itself
    lines: Maybe[list[int]] = UNKNOWN


class OutsideAccess(Nested):
    """Ways from outside to the device itself. ``global_address``: of one of its interfaces; ``people``: some
    may log in over a VPN; ``interface_services``: an interface in an untrusted zone answers management."""

    global_address: Maybe[bool] = UNKNOWN
    people: Maybe[bool] = UNKNOWN
    interface_services: Maybe[bool] = UNKNOWN
    lines: Maybe[list[int]] = UNKNOWN


class DeviceConfig(Resource):
    """The running configuration of a device, one per device; native id = that of its ``device``, to which a
    relation ``part_of`` leads."""

    KIND: ClassVar[str] = "device_config"
    TITLE: ClassVar[str] = "设备配置"

    platform: Maybe[str] = UNKNOWN  # huawei_vrp, cisco_ios …
    version: Maybe[str | None] = UNKNOWN  # of the software
    hostname: Maybe[str] = UNKNOWN
    complete: Maybe[bool] = UNKNOWN  # the text came to its end
    line_count: Maybe[int] = UNKNOWN
    telnet: Maybe[TelnetServer] = UNKNOWN
    ssh: Maybe[SshService] = UNKNOWN
    web: Maybe[WebService] = UNKNOWN
    terminals: Maybe[list[TerminalLine]] = UNKNOWN
    aaa: Maybe[Aaa] = UNKNOWN
    users: Maybe[list[LocalUser]] = UNKNOWN
    password_rules: Maybe[PasswordRules] = UNKNOWN
    lockout: Maybe[LoginLockout] = UNKNOWN
    privileged: Maybe[PrivilegedPassword] = UNKNOWN
    banner: Maybe[LoginBanner] = UNKNOWN
    files: Maybe[FileServices] = UNKNOWN
    spare: Maybe[SpareServices] = UNKNOWN
    snmp: Maybe[SnmpAgent] = UNKNOWN
    logging: Maybe[DeviceLogging] = UNKNOWN
    ntp: Maybe[NtpClient] = UNKNOWN
    routing: Maybe[list[RoutingSession]] = UNKNOWN
    interfaces: Maybe[list[ConfigInterface]] = UNKNOWN
    lan: Maybe[LanProtection] = UNKNOWN
    control_plane_protection: Maybe[bool] = UNKNOWN  # rate limits or filters on traffic to the device itself
    policies: Maybe[list[SecurityPolicy]] = UNKNOWN  # of a firewall
    policy_default_permits: Maybe[bool] = UNKNOWN  # what no policy names passes
    policy_stateful: Maybe[bool] = UNKNOWN  # replies pass by their session, packets without one do not
    outside: Maybe[OutsideAccess] = UNKNOWN
    signatures: Maybe[list[SignatureLibrary]] = UNKNOWN  # of a firewall
    access_lists: Maybe[list[AccessList]] = UNKNOWN  # bound to what interfaces receive
    saved: Maybe[bool] = UNKNOWN  # it is the one that the device would start with
    configuration_backup: Maybe[bool] = UNKNOWN  # the device itself archives its configuration
    boot_verified: Maybe[bool] = UNKNOWN  # images are checked by signature when the device starts


FAMILY: tuple[type[Resource], ...] = (DeviceConfig,)

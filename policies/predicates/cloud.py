"""What a cloud's own facts say about its planes, the grades of what it carries, and stray secrets."""

from __future__ import annotations

import re
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from inventory.kinds.cloud import Cloud, PlatformService, Project
from inventory.kinds.compute import Server
from policies.predicates.contract import Predicate, UndecidedError, seen

GRADE_LABEL = "grade"
"""Label of a source that tells the grade of the platform: S3A3, or the highest of the two as a digit."""

_SECRET = re.compile(
    r"pass(?:word|wd|phrase)|admin_?pass|(?:^|[_.-])pwd$|secret$|token$|(?:secret|private|api|access)[_.-]?key",
    re.IGNORECASE,
)
_GRADE = re.compile(r"(?:S([1-5])A([1-5])(?:G[1-5])?|([1-5]))", re.IGNORECASE)


def project_above_platform(project: Project, now: datetime) -> bool:
    """Whether a project declares a higher 等保 level than the platform has, as its source's label says."""
    level = seen(project.level)
    if level is None:
        return False
    text = project.labels.get(GRADE_LABEL, "")
    found = _GRADE.fullmatch(text.strip())
    if found is None:
        raise UndecidedError(f"来源没有标签 {GRADE_LABEL}（如 S3A3），不知道平台的等级")
    return level > max(int(digit) for digit in found.groups() if digit)


def planes_share_address(cloud: Cloud, now: datetime) -> bool:
    """Whether a service is offered to the platform itself (interfaces internal and admin) at the host under
    which customers reach it (public), in the same region."""
    public: set[tuple[str, str, str]] = set()
    own: set[tuple[str, str, str]] = set()
    for endpoint in seen(cloud.endpoints):
        host = urlsplit(seen(endpoint.url)).hostname or ""
        side = public if seen(endpoint.interface) == "public" else own
        side.add((seen(endpoint.service), seen(endpoint.region), host))
    if not own:
        raise UndecidedError("目录里只有对外接口，看不出平台内部走哪里")
    return bool(public & own)


def customers_cannot_filter(cloud: Cloud, now: datetime) -> bool:
    """Whether customers have no way to set who may reach them: the network service has no security groups.
    That there are some in projects of customers shows that they may; that there are none shows nothing."""
    if "security-group" not in seen(cloud.network_features):
        return True
    if not seen(cloud.customers_filter):
        raise UndecidedError("没有客户项目自己建过安全组，看不出客户能不能建")
    return False


def tunnels_on_management(agent: PlatformService, now: datetime) -> bool:
    """Whether a node carries customers' overlays at the address that it is managed at. Traffic that leaves
    without a tunnel has no address to compare."""
    tunnel, management = seen(agent.tunnel_address), seen(agent.management_address)
    if tunnel is None or management is None:
        if seen(agent.physical_networks):
            raise UndecidedError("客户流量不走隧道，直接走物理网络，看不出与管理流量是不是同一块网卡")
        return False
    return ip_address(tunnel) == ip_address(management)


def secret_in_metadata(server: Server, now: datetime) -> bool:
    """Whether an entry of the metadata is named as secrets are. Values are not looked at."""
    return any(_SECRET.search(name) for name in seen(server.metadata))


PREDICATES = (
    Predicate(
        name="project_above_platform",
        kinds=(Project,),
        reads=("level", "labels"),
        call=project_above_platform,
        purpose="项目声明的等级高于云平台的等级（来源标签 grade）",
    ),
    Predicate(
        name="planes_share_address",
        kinds=(Cloud,),
        reads=(
            "endpoints",
            "endpoints[].service",
            "endpoints[].interface",
            "endpoints[].region",
            "endpoints[].url",
        ),
        call=planes_share_address,
        purpose="平台内部的接口与对外的接口是同一个地址",
    ),
    Predicate(
        name="customers_cannot_filter",
        kinds=(Cloud,),
        reads=("network_features", "customers_filter"),
        call=customers_cannot_filter,
        purpose="网络服务没有安全组，客户不能自己设访问控制",
    ),
    Predicate(
        name="tunnels_on_management",
        kinds=(PlatformService,),
        reads=("tunnel_address", "management_address", "physical_networks"),
        call=tunnels_on_management,
        purpose="隧道地址就是管理地址",
    ),
    Predicate(
        name="secret_in_metadata",
        kinds=(Server,),
        reads=("metadata",),
        call=secret_in_metadata,
        purpose="元数据里有名字像口令或密钥的项",
    ),
)

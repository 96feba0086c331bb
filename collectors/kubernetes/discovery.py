"""What an API server serves: its version, and which groups, versions and resources there are."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from collectors.contract import SourceError
from collectors.kubernetes.client import Client, ReadError, Response
from inventory.coverage import Status
from inventory.decoding import from_json

T = TypeVar("T")


class Version(msgspec.Struct, kw_only=True):
    """The answer of GET /version, as far as it is used."""

    git_version: str = msgspec.field(default="", name="gitVersion")
    platform: str = ""


class Served(msgspec.Struct, kw_only=True):
    """What was found. ``groups`` maps a group ("" = core) to its versions, the server's favourite first.
    ``resources`` maps "group/version" to its resources' names for the groups that were asked; a group
    whose own server did not answer is in ``silent`` with the reason."""

    version: str = ""
    groups: dict[str, list[str]] = msgspec.field(default_factory=dict)
    resources: dict[str, set[str]] = msgspec.field(default_factory=dict)
    silent: dict[str, str] = msgspec.field(default_factory=dict)
    denied: bool = False  # discovery itself is refused: versions are tried one by one
    documents: list[tuple[str, bytes]] = msgspec.field(default_factory=list)

    def group_versions(self) -> list[str]:
        """All as the API writes them: "v1", "apps/v1" …, sorted."""
        return sorted(f"{g}/{v}".lstrip("/") for g, versions in self.groups.items() for v in versions)


class _GroupVersion(msgspec.Struct):
    version: str = ""


class _Group(msgspec.Struct, kw_only=True):
    name: str = ""
    versions: list[_GroupVersion] = []
    preferred: _GroupVersion = msgspec.field(default_factory=_GroupVersion, name="preferredVersion")


class _Groups(msgspec.Struct, kw_only=True):
    groups: list[_Group] | None


class _Core(msgspec.Struct, kw_only=True):
    versions: list[str]


class _Resource(msgspec.Struct):
    name: str = ""


class _Resources(msgspec.Struct, kw_only=True):
    resources: list[_Resource] | None = None


def discover(client: Client) -> Served:
    """Ask for the version and the groups. Raises SourceError where nobody gets in, or where the address
    is no Kubernetes."""
    served = Served()
    try:
        version = client.get("/version", {})
        if version.status == 401:
            raise SourceError("API 服务器不认这个凭据：令牌或证书无效、过期", "换发令牌或证书", Status.DENIED)
        if version.status not in (200, 403):
            raise SourceError(f"GET /version 答复 HTTP {version.status}，该地址不像 Kubernetes", _ADDRESS)
        if version.status == 200:
            served.version = _decoded(version, Version, "/version").git_version
        _groups(client, served)
    except ReadError as error:
        raise SourceError(error.reason, error.remedy, error.status) from error
    return served


def _groups(client: Client, served: Served) -> None:
    core, named = client.get("/api", {}), client.get("/apis", {})
    if 403 in (core.status, named.status):
        served.denied = True
        return
    if core.status != 200 or named.status != 200:
        raise SourceError(f"GET /apis 答复 HTTP {named.status}，该地址不像 Kubernetes", _ADDRESS)
    served.documents = [("GET /api", core.body), ("GET /apis", named.body)]
    served.groups[""] = _decoded(core, _Core, "/api").versions
    for group in _decoded(named, _Groups, "/apis").groups or []:
        versions = [v.version for v in group.versions]
        served.groups[group.name] = sorted(versions, key=lambda v: v != group.preferred.version)


def resources_of(client: Client, served: Served, group: str, version: str) -> set[str] | None:
    """Names of the resources of one version of one group, remembered; None where the server does not
    tell. Raises ReadError where it did not answer."""
    key = f"{group}/{version}"
    if key not in served.resources:
        path = root(group, version)
        try:
            response = client.get(path, {})
        except ReadError as error:
            served.silent[key] = error.reason
            raise
        if response.status == 404:
            served.resources[key] = set()
        elif response.status != 200:
            return None
        else:
            found = _decoded(response, _Resources, path).resources or []
            served.resources[key] = {r.name for r in found}
    return served.resources[key]


def root(group: str, version: str) -> str:
    """Path under which a version of a group lies."""
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


_ADDRESS = "检查 server 的地址和端口（要 kube-apiserver 的，不是控制台的）"


def _decoded(response: Response, kind: type[T], path: str) -> T:
    try:
        return from_json(response.body, kind)
    except msgspec.DecodeError as error:
        raise SourceError(f"GET {path} 的答复不像 Kubernetes", _ADDRESS) from error

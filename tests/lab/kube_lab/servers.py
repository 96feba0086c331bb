"""The two servers of the lab: where each lives, what it speaks, what it is called."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
INSTANCE = os.environ.get("KUBE_LAB_INSTANCE", "")
"""A second lab beside the first, say for 5 000 pods: same binaries, own data and ports."""
PORTS = int(os.environ.get("KUBE_LAB_PORTS") or (24460 if INSTANCE else 24440))
"""First of the twenty ports an instance may take."""
USERS = {
    "admin": "system:masters",
    "auditor": "lab:auditors",
    "reader": "lab:readers",
    "namespace-reader": "lab:finance-readers",
    "denied": "lab:strangers",
}
"""Whose certificates and tokens there are, and the group each carries; the seed binds roles to the groups."""
REFUSED = ("wrong-token", "expired-token", "untrusted")
"""Kubeconfigs that must fail: two with 401, one because another CA is said to have signed the server."""


@dataclass(frozen=True)
class Server:
    """One flavour: `name` is "old" or "new", `version` what GET /version must answer."""

    name: str
    version: str
    port: int

    @property
    def minor(self) -> int:
        return int(self.version.split(".")[1])

    @property
    def cache(self) -> Path:
        """Where the binaries stay."""
        return CACHE / f"kube-lab-{self.name}"

    @property
    def home(self) -> Path:
        """Where data, keys, logs and kubeconfigs are."""
        return self.cache / INSTANCE if INSTANCE else self.cache

    @property
    def binary(self) -> Path:
        return self.cache / "bin" / "kube-apiserver"

    @property
    def etcd(self) -> Path:
        return Path("/usr/bin/etcd") if self.name == "old" else self.cache / "bin" / "etcd"

    @property
    def pki(self) -> Path:
        return self.home / "pki"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def etcd_port(self) -> int:
        return self.port + 1

    @property
    def peer_port(self) -> int:
        return self.port + 2

    def kubeconfig(self, who: str) -> Path:
        return self.home / f"{who}.kubeconfig"


OLD = Server("old", "v1.20.2", PORTS + 3)
NEW = Server("new", "v1.36.3", PORTS + 13)
SERVERS = {server.name: server for server in (OLD, NEW)}


def say(server: Server, *words: object) -> None:
    """Progress, on standard error."""
    print(f"[kube-lab {server.name}]", *words, file=sys.stderr, flush=True)

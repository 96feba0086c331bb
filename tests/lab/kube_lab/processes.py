"""etcd and kube-apiserver as processes: started, frozen, stopped by the ids this lab wrote down."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from kube_lab import keys
from kube_lab.api import Api
from kube_lab.servers import Server, say

PARTS = ("etcd", "apiserver")
# What a controller manager or a kubelet would answer for is not there, and the seed holds what users wrote:
# nothing may fill in, refuse or call out.
ADMISSION_OFF = """
    ServiceAccount ResourceQuota LimitRanger TaintNodesByCondition
    MutatingAdmissionWebhook ValidatingAdmissionWebhook
""".split()


def stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except OSError:
        return None


def alive(server: Server, part: str) -> int | None:
    """The process's id if it is the one we started, not a later one of the same number."""
    try:
        pid, start = (int(w) for w in (server.run / f"{part}.pid").read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return None
    fields = stat(pid)
    return pid if fields and fields[0] != "Z" and int(fields[19]) == start else None


def spawn(server: Server, part: str, command: list[str], memory_mib: int) -> subprocess.Popen[bytes]:
    server.run.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, GOMEMLIMIT=f"{memory_mib}MiB", GOGC="75")
    with (server.run / f"{part}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=server.run,
            env=environment,
            start_new_session=True,
        )
    fields = stat(process.pid)
    (server.run / f"{part}.pid").write_text(f"{process.pid} {fields[19] if fields else 0}", encoding="ascii")
    return process


def stop(server: Server, part: str) -> None:
    pid = alive(server, part)
    if pid:
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)  # a frozen one must wake to end
        deadline = time.monotonic() + 20
        while alive(server, part):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
        say(server, "stopped", part, pid)
    (server.run / f"{part}.pid").unlink(missing_ok=True)


def ready(server: Server, timeout_seconds: float = 5) -> bool:
    try:
        return Api(server, timeout_seconds).once("GET", "/readyz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def up(server: Server) -> None:
    """Running and ready, started where it is not."""
    started = time.monotonic()
    if not (server.binary.exists() and server.etcd.exists()):
        raise SystemExit(f"{server.binary} or {server.etcd} is missing: kube-lab build")
    if all(alive(server, part) for part in PARTS):
        for part in PARTS:
            thaw(server, part)
        if ready(server, 30):
            keys.kubeconfigs(server)
            say(server, "is up")
            return
    down(server)
    for port in (server.port, server.etcd_port, server.peer_port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise SystemExit(f"port {port}: {error} (KUBE_LAB_PORTS chooses others)") from error
    keys.make(server)
    keys.kubeconfigs(server)
    processes = {
        "etcd": spawn(server, "etcd", etcd_command(server), memory_mib=300),
        "apiserver": spawn(server, "apiserver", apiserver_command(server), memory_mib=800),
    }
    deadline = started + 240
    while not ready(server):
        for part, process in processes.items():
            if process.poll() is not None:
                words = (server.run / f"{part}.log").read_text(encoding="utf-8")[-3000:]
                raise SystemExit(f"{part} ended with {process.returncode}:\n{words}")
        if time.monotonic() > deadline:
            raise SystemExit(f"not ready in 240 s: see {server.run}")
        time.sleep(0.2)
    say(server, f"up in {time.monotonic() - started:.1f} s: {server.kubeconfig('admin')}")


def etcd_command(server: Server) -> list[str]:
    pki = server.pki
    client, peer = f"https://127.0.0.1:{server.etcd_port}", f"https://127.0.0.1:{server.peer_port}"
    options = {
        "name": "lab",
        "data-dir": server.home / "etcd-data",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"lab={peer}",
        "cert-file": pki / "etcd.crt",
        "key-file": pki / "etcd.key",
        "client-cert-auth": "true",
        "trusted-ca-file": pki / "ca.crt",
        "peer-cert-file": pki / "etcd.crt",
        "peer-key-file": pki / "etcd.key",
        "peer-client-cert-auth": "true",
        "peer-trusted-ca-file": pki / "ca.crt",
        "log-level": "warn",
        "logger": "zap",
    }
    if server.name == "new":
        options["unsafe-no-fsync"] = "true"  # the lab's data need not outlive a power cut
    return [str(server.etcd), *(f"--{name}={value}" for name, value in options.items())]


def apiserver_command(server: Server) -> list[str]:
    pki = server.pki
    off = ADMISSION_OFF + (["PodSecurity", "ValidatingAdmissionPolicy"] if server.name == "new" else [])
    options = {
        "etcd-servers": f"https://127.0.0.1:{server.etcd_port}",
        "etcd-cafile": pki / "ca.crt",
        "etcd-certfile": pki / "etcd-client.crt",
        "etcd-keyfile": pki / "etcd-client.key",
        "bind-address": "127.0.0.1",
        "secure-port": server.port,
        "advertise-address": "192.0.2.10",
        "endpoint-reconciler-type": "none",
        "tls-cert-file": pki / "apiserver.crt",
        "tls-private-key-file": pki / "apiserver.key",
        "client-ca-file": pki / "ca.crt",
        "token-auth-file": pki / "tokens.csv",
        "anonymous-auth": "false",
        "authorization-mode": "Node,RBAC",
        "service-cluster-ip-range": "10.96.0.0/16,fd00:10:96::/112",
        "service-account-issuer": keys.ISSUER,
        "service-account-key-file": pki / "sa.key",
        "service-account-signing-key-file": pki / "sa.key",
        "allow-privileged": "true",
        "disable-admission-plugins": ",".join(off),
        "enable-admission-plugins": "NodeRestriction",
        "audit-policy-file": audit_policy(server),
        "audit-log-path": server.run / "audit.log",
        "audit-log-maxsize": 50,
        "audit-log-maxbackup": 1,
        "profiling": "false",
        "v": 1,
    }
    if server.name == "old":
        options |= {"insecure-port": 0, "feature-gates": "IPv6DualStack=true"}
    return [str(server.binary), *(f"--{name}={value}" for name, value in options.items())]


def audit_policy(server: Server) -> Path:
    """Everybody but the administrators is written down: the proof that a collector only read."""
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "None", "userGroups": ["system:masters"]}, {"level": "Metadata"}],
    }
    path = server.home / "audit-policy.json"
    path.write_text(json.dumps(policy), encoding="ascii")
    return path


def down(server: Server) -> None:
    """Stop both; what they hold stays."""
    for part in reversed(PARTS):
        stop(server, part)


def forget(server: Server) -> None:
    """down, and without data; keys and kubeconfigs stay valid."""
    down(server)
    shutil.rmtree(server.home / "etcd-data", ignore_errors=True)
    for name in ("expected.json", "seeded.json"):
        (server.home / name).unlink(missing_ok=True)


def wipe(server: Server) -> None:
    """forget, and without keys, kubeconfigs and logs."""
    forget(server)
    for folder in (server.run, server.pki):
        shutil.rmtree(folder, ignore_errors=True)
    for file in server.home.glob("*.kubeconfig"):
        file.unlink()


def freeze(server: Server, part: str) -> None:
    """Let it hang: connections are accepted, nothing is answered."""
    send(server, part, signal.SIGSTOP)


def thaw(server: Server, part: str) -> None:
    send(server, part, signal.SIGCONT)


def send(server: Server, part: str, number: signal.Signals) -> None:
    pid = alive(server, part)
    if not pid:
        raise SystemExit(f"{part} of the {server.name} server is not running")
    os.kill(pid, number)


def status(server: Server) -> bool:
    """Print what runs; whether all of it answers."""
    for part in PARTS:
        pid = alive(server, part)
        fields = stat(pid) if pid else None
        if pid and fields:
            memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") // 2**20
            state = "frozen" if fields[0] == "T" else "runs"
            print(f"{server.name}: {part} {state}, pid {pid}, {memory} MiB resident")
        else:
            print(f"{server.name}: {part} is down")
    answers = ready(server, 6)
    print(f"{server.name}: {'ready' if answers else 'not ready'} at https://127.0.0.1:{server.port}")
    return answers

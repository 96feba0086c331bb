"""SSH and IPsec endpoints: CPU of both probers, beside ssh-audit on the same servers.

    python -m benchmarks.bench_endpoints [--endpoints 20]

One sshd (Debian's, its defaults, RSA and Ed25519 keys) and one charon (IKEv1 and IKEv2) answer on as many
addresses of 127.0.0.0/8. IPsec endpoints are asked one after the other: to one charon all are one peer, of
which it takes five half-open exchanges. CPU is that of the tool's processes, children and start-up included;
the servers' is not counted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

OURS = """\
import json, sys
from collectors.contract import Run, Source, collector
kind, options, *targets = sys.argv[1:]
module = collector(kind)
made = module.Options(targets=targets, timeout_seconds=30, endpoint_seconds=300, **json.loads(options))
source = Source(name="bench", type=kind, options=made, deadline_seconds=600)
batches = list(module.collect(source, Run(source)))
assert sum(len(b.resources) for b in batches) == len(targets), batches[0].collections
"""
ALONE = '{"questions_per_second": 0, "concurrency": 1}'
CHARON = """\
charon-systemd {{
  port = {port}
  port_nat_t = {nat}
  load = random nonce openssl md5 sha1 sha2 hmac gmp aes kdf vici socket-default kernel-netlink
  install_routes = no
  plugins {{ vici {{ socket = unix://{folder}/vici }} }}
}}
"""
CONNECTION = """\
connections { gateway { local_addrs = %any
  proposals = aes256-sha256-modp2048,aes128-sha1-modp1024
  local { auth = psk }
  remote { auth = psk } } }
"""


@contextmanager
def sshd(folder: Path) -> Iterator[int]:
    """Debian's sshd for each connection; its port."""
    for kind in ("rsa", "ed25519"):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(folder / kind)], check=True)
    config = folder / "sshd_config"
    config.write_text(f"HostKey {folder}/rsa\nHostKey {folder}/ed25519\n")
    Path("/run/sshd").mkdir(exist_ok=True)
    listener = socket.create_server(("0.0.0.0", 0), backlog=512)

    def one(connection: socket.socket) -> None:
        with connection:
            command = ["/usr/sbin/sshd", "-i", "-f", str(config)]
            subprocess.run(
                command, stdin=connection, stdout=connection, stderr=subprocess.DEVNULL, check=False
            )

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@contextmanager
def charon(folder: Path) -> Iterator[int]:
    """strongSwan; its port."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second,
    ):
        first.bind(("0.0.0.0", 0))
        second.bind(("0.0.0.0", 0))
        port, nat = first.getsockname()[1], second.getsockname()[1]
    (folder / "strongswan.conf").write_text(CHARON.format(port=port, nat=nat, folder=folder))
    (folder / "swanctl.conf").write_text(CONNECTION)
    environment = {**os.environ, "STRONGSWAN_CONF": str(folder / "strongswan.conf")}
    server = subprocess.Popen(["/usr/sbin/charon-systemd"], env=environment, stderr=subprocess.DEVNULL)
    load = [
        "/usr/sbin/swanctl",
        "--load-all",
        "--uri",
        f"unix://{folder}/vici",
        "--file",
        str(folder / "swanctl.conf"),
    ]
    try:
        ends = time.monotonic() + 30
        while subprocess.run(load, capture_output=True, check=False).returncode:
            assert time.monotonic() < ends, "charon does not start"
            time.sleep(0.2)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def measure(command: list[str], *, fine: tuple[int, ...] = (0,)) -> tuple[float, float]:
    """CPU and wall seconds of a program and its children."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in fine, (command[:4], process.returncode)
    return usage.ru_utime + usage.ru_stime, time.monotonic() - began


def ours(kind: str, options: str, targets: list[str]) -> tuple[float, float]:
    """Our collector over all targets, in a process of its own."""
    return measure([sys.executable, "-c", OURS, kind, options, *targets])


def ssh_audit(targets: list[str]) -> tuple[float, float]:
    """ssh-audit over all targets in one process, as it does itself with -T."""
    with TemporaryDirectory() as name:
        listed = Path(name) / "targets"
        listed.write_text("\n".join(targets) + "\n")
        program = [sys.executable, "-m", "ssh_audit", "--json", "--skip-rate-test", "-T", str(listed)]
        return measure(program, fine=(0, 2, 3))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoints", type=int, default=20)
    count = parser.parse_args().endpoints
    missing = [
        name for name in ("sshd", "charon-systemd", "swanctl") if not shutil.which(name, path="/usr/sbin")
    ]
    assert not missing, f"missing {missing}: apt-get install openssh-server charon-systemd strongswan-swanctl"
    rows = []
    with TemporaryDirectory() as name, sshd(Path(name)) as port:
        targets = [f"127.0.1.{n}:{port}" for n in range(1, count + 1)]
        rows.append(("ssh: offer, host keys, primes", *ours("ssh", "{}", targets)))
        rows.append(("ssh: offer alone (`host_keys: false`)", *ours("ssh", '{"host_keys": false}', targets)))
        rows.append(("ssh-audit, all in one process", *ssh_audit(targets)))
    with TemporaryDirectory() as name, charon(Path(name)) as port:
        targets = [f"127.0.1.{n}:{port}" for n in range(1, count + 1)]
        rows.append(("ike: IKEv1, IKEv2, aggressive mode", *ours("ike", ALONE, targets)))
    empty, _ = measure([sys.executable, "-c", "import collectors.ssh.survey, collectors.ike.survey"])
    print(f"{count} endpoints, load average {os.getloadavg()[0]:.1f}. The servers' own CPU is not counted.\n")
    print("| tool | CPU ms / endpoint | endpoints / CPU s | wall s |\n|---|---|---|---|")
    for title, cpu, wall in rows:
        print(f"| {title} | {cpu / count * 1000:.1f} | {count / cpu:.1f} | {wall:.1f} |")
    print(f"\nStart-up of ours is {empty * 1000:.0f} ms of it, once.")


if __name__ == "__main__":
    main()

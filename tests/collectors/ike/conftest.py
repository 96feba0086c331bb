"""strongSwan as the tests start it, and responders of a few lines."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from collectors.contract import Run, Source, collector
from inventory.coverage import Batch

CONFIG = """\
charon-systemd {{
  port = {port}
  port_nat_t = {nat}
  load = random nonce openssl md5 sha1 sha2 hmac gmp aes kdf vici socket-default kernel-netlink
  i_dont_care_about_security_and_use_aggressive_mode_psk = yes
  install_routes = no
  plugins {{ vici {{ socket = unix://{folder}/vici }} }}
}}
"""
CONNECTIONS = {
    "127.0.0.1": ("1", "no", "des-md5-modp768,3des-sha1-modp1024,aes128-sha1-modp1024"),
    "127.0.0.2": ("1", "yes", "3des-sha1-modp1024"),
    "127.0.0.3": ("2", "no", "3des-md5-modp1024"),
    "::1": ("2", "no", "aes256-sha384-ecp384,aes256gcm16-prfsha384-ecp384-modp3072"),
}
"""Address → version, aggressive mode, proposals."""


def _connection(number: int, address: str) -> str:
    version, aggressive, proposals = CONNECTIONS[address]
    return (
        f"c{number} {{ version = {version}\n local_addrs = {address}\n aggressive = {aggressive}\n"
        f" proposals = {proposals}\n local {{ auth = psk }}\n remote {{ auth = psk }}\n children {{ c {{ }} }} }}\n"
    )


def _free_port() -> int:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as taken:
        taken.bind(("::", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def strongswan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One charon for all configurations, an address of loopback each; its port."""
    for name in ("charon-systemd", "swanctl"):
        assert shutil.which(name, path="/usr/sbin:/sbin"), (
            f"missing {name}: apt-get install charon-systemd strongswan-swanctl"
        )
    folder = tmp_path_factory.mktemp("ike")
    (folder / "swanctl.conf").write_text(
        "connections {\n" + "".join(_connection(n, a) for n, a in enumerate(CONNECTIONS)) + "}\n"
        'secrets { ike-a { secret = "only for tests" } }\n'
    )
    for _ in range(5):  # a port that was free a moment ago may be taken
        port = _free_port()
        (folder / "strongswan.conf").write_text(CONFIG.format(port=port, nat=_free_port(), folder=folder))
        with (folder / "log").open("wb") as log:
            charon = subprocess.Popen(
                ["/usr/sbin/charon-systemd"], stdout=log, stderr=log,
                env={**os.environ, "STRONGSWAN_CONF": str(folder / "strongswan.conf")},
            )  # fmt: skip
        try:
            if _loaded(charon, folder):
                yield port
                return
        finally:
            charon.send_signal(signal.SIGTERM)
            charon.wait(60)
    raise AssertionError((folder / "log").read_text())


def _loaded(charon: subprocess.Popen[bytes], folder: Path) -> bool:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and charon.poll() is None:
        done = subprocess.run(
            ["/usr/sbin/swanctl", "--load-all", "--uri", f"unix://{folder}/vici", "--file", str(folder / "swanctl.conf")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def responder() -> Iterator[Callable[..., int]]:
    """Answer each datagram with what a function makes of it (None = nothing); the port."""
    with ExitStack() as stack:

        def start(answer: Callable[[bytes], bytes | None]) -> int:
            listener = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            listener.bind(("127.0.0.1", 0))

            def work() -> None:
                with suppress(OSError):
                    while True:
                        packet, whence = listener.recvfrom(65535)
                        told = answer(packet.removeprefix(bytes(4)))
                        if told is not None:
                            listener.sendto(bytes(4) + told, whence)

            threading.Thread(target=work, daemon=True).start()
            port: int = listener.getsockname()[1]
            return port

        yield start


def _collect(*targets: str, **options: Any) -> Batch:
    fields = {"questions_per_second": 0.0, **options}
    found = Source(name="s", type="ike", options=collector("ike").Options(targets=list(targets), **fields))
    whole = Batch()
    for batch in collector("ike").collect(found, Run(found)):
        whole.resources += batch.resources
        whole.collections += batch.collections
        whole.evidence += batch.evidence
    return whole


@pytest.fixture(scope="session")
def collect() -> Callable[..., Batch]:
    """Collect from these targets, as fast as they answer."""
    return _collect

"""Ways to a device's terminal: what they have in common, and the one through paramiko.

A line carries bytes and knows nothing of prompts. Host keys are checked against known_hosts and never learned
by themselves; no agent and no key of the user's home is tried.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from collectors import known_hosts
from collectors.cli.options import Options
from collectors.contract import IMPORTING, RetryableError, Run, SourceError
from inventory.coverage import Status

if TYPE_CHECKING:
    import paramiko

WIDTH, HEIGHT = 511, 1000  # wide enough that nothing is wrapped


class LineClosedError(Exception):
    """The peer closed the line."""


class Line(Protocol):
    """A terminal of a device."""

    def send(self, content: bytes) -> None:
        """Send bytes. Raises LineClosedError."""
        ...

    def receive(self, timeout: float) -> bytes:
        """What has come, waiting up to ``timeout`` seconds for something; b"" where nothing did. Raises
        LineClosedError."""
        ...

    def close(self) -> None:
        """Hang up. May be called by another thread, to end what the line is waiting for."""
        ...


class Secrets(msgspec.Struct, kw_only=True):
    """A login with its secrets; the run's redactor knows them."""

    user: str
    password: str = ""
    key_file: str = ""
    passphrase: str = ""
    enable: str = ""


class Place(msgspec.Struct, kw_only=True):
    """Where a device is: as it was written, and resolved."""

    target: str
    host: str
    port: int
    address: str


def secrets_of(options: Options, run: Run) -> list[Secrets]:
    """All logins with their secrets. Raises SecretError."""

    def secret(reference: str) -> str:
        return run.secret(reference) if reference else ""

    return [
        Secrets(
            user=login.user,
            password=secret(login.password_ref),
            key_file=str(Path(login.key_file).expanduser()) if login.key_file else "",
            passphrase=secret(login.key_passphrase_ref),
            enable=secret(login.enable_ref),
        )
        for login in options.logins
    ]


def wrong_login(user: str) -> SourceError:
    """The device refused a login."""
    return SourceError(
        f"设备拒绝了登录（用户 {user}）",
        "检查用户名、口令或密钥，以及该用户的服务类型是否含 ssh、是否被锁定",
        Status.DENIED,
    )


def wrong_host_key(
    judgement: known_hosts.Judgement, place: Place, shown: str, options: Options
) -> SourceError:
    """The error for a host key that is not "known"; ``shown``: its type and fingerprint."""
    name = known_hosts.host_name(place.host, place.port)
    file = options.known_hosts or known_hosts.DEFAULT
    scan = f"ssh-keyscan -p {place.port} {place.host} >> {file}"
    check = "在设备上核对指纹（华为、华三：display ssh server、display ecc local-key-pair public）"
    reason, remedy = {
        "changed": (
            f"主机密钥和 known_hosts 里的不同：{name} 出示的是 {shown}；设备可能换过，也可能有人冒充",
            f"{check}，确认后先 ssh-keygen -R '{name}' -f {file}，再 {scan}",
        ),
        "revoked": (f"主机密钥已被吊销（@revoked）：{name} 出示的是 {shown}", "查清设备为何还在用这把密钥"),
    }.get(
        judgement,
        (f"不认识的主机密钥：{name} 出示的是 {shown}，known_hosts 里没有", f"{check}，一致再加入：{scan}"),
    )
    return SourceError(reason, remedy, Status.DENIED)


class ParamikoLine:
    """See ``Line``: a shell through paramiko."""

    def __init__(self, client: paramiko.SSHClient, channel: paramiko.Channel) -> None:
        self._client, self._channel = client, channel

    def send(self, content: bytes) -> None:
        try:
            self._channel.sendall(content)
        except (OSError, EOFError) as error:
            raise LineClosedError from error

    def receive(self, timeout: float) -> bytes:
        self._channel.settimeout(timeout)
        try:
            content: bytes = self._channel.recv(65536)
        except TimeoutError:
            return b""
        except (OSError, EOFError) as error:
            raise LineClosedError from error
        if not content:
            raise LineClosedError
        return content

    def close(self) -> None:
        self._client.close()


def open_paramiko(place: Place, login: Secrets, options: Options, timeout: float, opened: Any) -> Line:
    """Log in by paramiko; ``opened`` is called with the client at once, so that a watch can close it. Raises
    SourceError, RetryableError where the connection failed, and IncompatibleError."""
    with IMPORTING:
        import paramiko
        from paramiko.ssh_exception import IncompatiblePeer, NoValidConnectionsError
    # what it logs at its debug level may hold what devices say
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    client = paramiko.SSHClient()
    opened(client.close)
    entries = [] if options.insecure else known_hosts.read_known_hosts(options.known_hosts)
    client.set_missing_host_key_policy(_policy(place, entries, options))
    try:
        client.connect(
            place.host,
            place.port,
            username=login.user,
            password=login.password or None,
            pkey=_key(login),
            timeout=timeout,
            banner_timeout=timeout,
            auth_timeout=timeout,
            channel_timeout=timeout,
            allow_agent=False,
            look_for_keys=False,
            transport_factory=_asking_for(known_hosts.key_types(entries, place.host, place.port)),
            sock=socket.create_connection((place.address, place.port), timeout=timeout),
        )
        channel = client.invoke_shell(term="vt100", width=WIDTH, height=HEIGHT)
    except SourceError:
        client.close()
        raise
    except IncompatiblePeer:
        client.close()
        raise IncompatibleError from None
    except paramiko.AuthenticationException:
        client.close()
        raise wrong_login(login.user) from None
    except (NoValidConnectionsError, OSError, EOFError, paramiko.SSHException) as error:
        client.close()
        raise RetryableError(f"SSH 连接中断：{error.__class__.__name__}") from None
    return ParamikoLine(client, channel)


class IncompatibleError(Exception):
    """Client and server have no algorithm in common."""


def _policy(place: Place, entries: Sequence[known_hosts.Entry], options: Options) -> Any:
    """The client is given no host keys of its own, so it asks this for every key."""

    class Policy:
        def missing_host_key(self, client: object, hostname: str, key: Any) -> None:
            judgement = known_hosts.judge(entries, place.host, place.port, key.asbytes())
            if judgement != "known" and not options.insecure:
                shown = f"{key.get_name()} {known_hosts.fingerprint(key.asbytes())}"
                raise wrong_host_key(judgement, place, shown, options)

    return Policy()


def _asking_for(types: Sequence[str]) -> Any:
    """A server shows one key, of the first type asked for that it has: ask for those it is known by."""
    import paramiko

    def make(sock: Any, **more: Any) -> paramiko.Transport:
        transport = paramiko.Transport(sock, **more)
        settings = transport.get_security_options()
        names = [
            n for one in types for n in (("rsa-sha2-512", "rsa-sha2-256") if one == "ssh-rsa" else (one,))
        ]
        first = [name for name in names if name in settings.key_types]
        settings.key_types = [*first, *(name for name in settings.key_types if name not in first)]
        return transport

    return make


def _key(login: Secrets) -> paramiko.PKey | None:
    if not login.key_file:
        return None
    import paramiko

    try:
        return paramiko.PKey.from_path(login.key_file, login.passphrase or None)
    except (OSError, ValueError, TypeError, paramiko.SSHException) as error:
        raise SourceError(
            f"私钥 {Path(login.key_file).name} 读不出：{error.__class__.__name__}",
            "检查 key_file 和 key_passphrase_ref",
        ) from None

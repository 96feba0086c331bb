"""SSH to one host: log in, run the script, take what it prints. Nothing else is sent, and nothing is parsed.

Host keys are verified before anything secret is sent. Whatever the peer does, each step has an end: the
steps of the log-in by ``timeout_seconds``, the whole host by its deadline, the output by its size.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from collectors import known_hosts
from collectors.contract import IMPORTING, Run, SourceError
from collectors.known_hosts import Entry
from collectors.linux.options import Options, split_target
from inventory.coverage import Status

if TYPE_CHECKING:
    import paramiko

MAX_BYTES = 96 << 20  # of one run; a host with 100 000 listening sockets stays far below
_PIECE = 1 << 16
_POLL_SECONDS = 0.5
_SHOWN = 160  # characters of what a peer says that are shown


class Login(msgspec.Struct, kw_only=True):
    """Holds secrets: never printed, never stored."""

    user: str
    password: str = ""
    key: object = None
    agent: bool = False

    def __repr__(self) -> str:
        return "<Login>"


def login_of(options: Options, run: Run) -> Login:
    """The login with its secrets, which the run's redactor knows from then on. Raises SourceError."""
    password = run.secret(options.password_ref) if options.password_ref else ""
    passphrase = run.secret(options.key_passphrase_ref) if options.key_passphrase_ref else ""
    key = _key(options.key_file, passphrase) if options.key_file else None
    return Login(user=options.user, password=password, key=key, agent=options.agent)


def _library() -> None:
    """Import paramiko; its own log lines may hold what a peer says, and we tell errors ourselves."""
    with IMPORTING:
        import paramiko  # noqa: F401
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)


def _key(path: str, passphrase: str) -> object:
    _library()
    import paramiko

    try:
        return paramiko.PKey.from_path(path, passphrase.encode() or None)  # type: ignore[arg-type]
    except OSError as error:
        raise SourceError(f"私钥 {path} 读不出：{error.strerror}", "检查 key_file 的路径和权限") from error
    except (ValueError, TypeError, paramiko.SSHException) as error:
        if not passphrase and isinstance(error, TypeError | paramiko.PasswordRequiredException):
            raise SourceError(f"私钥 {path} 有口令保护", "把口令写成引用：key_passphrase_ref") from error
        raise SourceError(
            f"私钥 {path} 用不了：格式不认识，或口令不对", "检查 key_file 和 key_passphrase_ref"
        ) from error


@contextmanager
def session(
    target: str, options: Options, login: Login, entries: Sequence[Entry], run: Run
) -> Iterator[paramiko.Transport]:
    """A host that we are logged in to. Raises SourceError."""
    _library()
    opened: list[paramiko.Transport] = []
    try:
        via = None
        if options.jump:
            via = _logged_in(options.jump, options, login, entries, run, None)
            opened.append(via)
        transport = _logged_in(target, options, login, entries, run, via)
        opened.append(transport)
        yield transport
    finally:
        for transport in reversed(opened):
            transport.close()


def _logged_in(
    target: str,
    options: Options,
    login: Login,
    entries: Sequence[Entry],
    run: Run,
    via: paramiko.Transport | None,
) -> paramiko.Transport:
    import paramiko

    host, port = split_target(target)
    seconds = run.timeout(options.timeout_seconds)
    try:
        way = _connected(host, port, seconds, via)
    except OSError as error:
        raise SourceError(
            f"连不上 {target}：{_said(error)}", "检查地址、端口、路由和防火墙，主机是否开机"
        ) from error
    except paramiko.SSHException as error:
        raise SourceError(
            f"跳板机 {options.jump} 不能转到 {target}：{error}", "检查跳板机的 AllowTcpForwarding 和网络"
        ) from error
    transport = paramiko.Transport(way)
    try:
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = seconds
        _ask_for_known(transport, known_hosts.key_types(entries, host, port))
        _handshake(transport, target, seconds)
        if not options.insecure:
            _verify(transport.get_remote_server_key(), (host, port), entries, options.known_hosts)
        _authenticate(transport, target, login)
    except BaseException:
        transport.close()
        raise
    return transport


def _verify(key: paramiko.PKey, where: tuple[str, int], entries: Sequence[Entry], path: str) -> None:
    judgement = known_hosts.judge(entries, *where, key.asbytes())
    if judgement != "known":
        raise known_hosts.refusal(judgement, *where, key.get_name(), key.asbytes(), path)


def _connected(
    host: str, port: int, seconds: float, via: paramiko.Transport | None
) -> socket.socket | paramiko.Channel:
    if via is None:
        return socket.create_connection((host, port), timeout=seconds)
    return via.open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=seconds)


def _said(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "域名解析不出"
    return "超时" if isinstance(error, TimeoutError) else (error.strerror or error.__class__.__name__)


def _ask_for_known(transport: paramiko.Transport, types: Sequence[str]) -> None:
    """A server shows one key, of the first type asked for that it has: ask for those we know it by."""
    options = transport.get_security_options()
    wanted = [
        name
        for known in types
        for name in (("rsa-sha2-512", "rsa-sha2-256") if known == "ssh-rsa" else (known,))
    ]
    first = [name for name in wanted if name in options.key_types]
    options.key_types = [*first, *(name for name in options.key_types if name not in first)]


def _handshake(transport: paramiko.Transport, target: str, seconds: float) -> None:
    import paramiko

    try:
        transport.start_client(timeout=seconds)
        transport.get_remote_server_key()
    except paramiko.SSHException as error:
        text = str(error)
        if not transport.remote_version:
            raise SourceError(
                f"{target} 没有说 SSH：端口后面不是 SSH 服务，或没有应答", "检查端口"
            ) from error
        if "ncompatible" in text:
            raise SourceError(
                f"与 {target} 没有共同的算法：{text[:_SHOWN]}", "升级该主机的 SSH 服务，或放开较新的算法"
            ) from error
        raise SourceError(
            f"与 {target} 的 SSH 握手没有完成：{text[:_SHOWN]}", "检查该主机的 SSH 服务"
        ) from error
    except (OSError, EOFError) as error:
        if not transport.remote_version:
            raise SourceError(f"{target} 没有说 SSH：不是 SSH 服务，或没有应答", "检查端口") from error
        raise SourceError(f"{target} 在握手时断开", "检查该主机的 SSH 服务和 MaxStartups") from error


def _authenticate(transport: paramiko.Transport, target: str, login: Login) -> None:
    """Key, agent, password: the first that is taken."""
    import paramiko

    refused: list[str] = []
    for name, attempt in _attempts(transport, login):
        try:
            attempt()
        except paramiko.AuthenticationException as error:
            allowed = getattr(error, "allowed_types", None)
            refused.append(f"{name}（对方只接受 {'、'.join(allowed)}）" if allowed else name)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise SourceError(
                f"{target} 在登录时断开", "检查该主机的 SSH 服务、登录次数限制和黑名单"
            ) from error
        if transport.is_authenticated():
            return
    raise SourceError(
        f"{target} 拒绝了账户 {login.user} 的登录：{'、'.join(refused) or '代理里没有密钥'}",
        "检查账户、口令或公钥（authorized_keys），该主机的 AllowUsers 和账户是否锁定",
        Status.DENIED,
    )


def _attempts(transport: paramiko.Transport, login: Login) -> Iterator[tuple[str, Callable[[], object]]]:
    import paramiko

    if isinstance(login.key, paramiko.PKey):
        key = login.key
        yield "密钥", lambda: transport.auth_publickey(login.user, key)
    if login.agent:
        agent = paramiko.Agent()
        try:
            for held in agent.get_keys():
                yield "代理的密钥", lambda held=held: transport.auth_publickey(login.user, held)  # type: ignore[misc]
        finally:
            agent.close()
    if login.password:
        yield "口令", lambda: transport.auth_password(login.user, login.password)


class Printed(msgspec.Struct):
    """What a run of the script printed. ``cut``: why the rest was not waited for; "" = it ended by itself."""

    output: bytes
    error: bytes
    cut: str = ""


def run_script(
    transport: paramiko.Transport, script: bytes, started: Callable[[bytes], bool], options: Options, run: Run
) -> Printed:
    """Feed ``sh -s`` and take what it prints. ``started`` tells from the output whether the script runs: a
    peer where it does not within ``timeout_seconds`` is no shell. Raises SourceError."""
    import paramiko

    try:
        channel = transport.open_session(timeout=run.timeout(options.timeout_seconds))
        channel.settimeout(_POLL_SECONDS)
        channel.exec_command("sh -s")
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise no_shell("对方不接受执行命令") from error
    with channel:
        try:
            channel.settimeout(run.timeout(options.timeout_seconds))
            channel.sendall(script)
            channel.shutdown_write()
        except (OSError, EOFError):
            pass  # it hung up on us: what it said is taken all the same
        channel.settimeout(_POLL_SECONDS)
        return _taken(channel, started, options, run)


def _taken(
    channel: paramiko.Channel, started: Callable[[bytes], bool], options: Options, run: Run
) -> Printed:
    pieces: list[bytes] = []
    total, runs = 0, False
    patience = time.monotonic() + options.timeout_seconds
    while True:
        run.remaining()
        try:
            piece = channel.recv(_PIECE)
        except TimeoutError:
            piece = None
        except (OSError, EOFError):
            break
        if piece == b"":
            break
        if piece:
            pieces.append(piece)
            total += len(piece)
        runs = runs or (bool(piece) and started(b"".join(pieces[-64:])))
        if total > MAX_BYTES:
            return Printed(b"".join(pieces), b"", f"输出超过 {MAX_BYTES >> 20} MiB，不再读取")
        if not runs and time.monotonic() > patience:
            return Printed(b"".join(pieces), _stderr(channel), f"{options.timeout_seconds:g} 秒内没有开始")
    return Printed(b"".join(pieces), _stderr(channel))


def _stderr(channel: paramiko.Channel) -> bytes:
    return channel.recv_stderr(_PIECE) if channel.recv_stderr_ready() else b""


def no_shell(why: str, said: str = "") -> SourceError:
    """The error where we are logged in, and what answers runs no script of ours."""
    words = " ".join("".join(c if c.isprintable() else " " for c in said).split())[:_SHOWN]
    return SourceError(
        f"登录成功，但脚本没有运行：{why}" + (f"；对方说：{words}" if words else ""),
        "只能读有 POSIX sh 的 Linux：网络设备改用其他来源类型（snmp）；"
        "受限账户、登录后要选菜单或要改口令的账户先改好",
    )

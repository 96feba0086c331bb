"""Finding the login a device answers to: several are tried in order, and the one that worked comes first
the next time."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import msgspec

from collectors.contract import Run, SourceError
from collectors.snmp import tables
from collectors.snmp.engines import (
    AgentError,
    AuthenticationError,
    Credentials,
    Engine,
    EngineName,
    NoAnswerError,
    Oid,
    Value,
    Version,
    open_engine,
)
from collectors.snmp.options import Login
from collectors.snmp.walker import Limits, Walker
from inventory.coverage import Status

DEFAULT_COMMUNITIES = ("public", "private")

_SILENT_REMEDY = "检查设备是否开机、地址和端口、团体字或加密口令、设备上的 SNMP 访问控制列表"
_DENIED_REMEDY = "检查 SNMPv3 用户名、认证口令和算法、安全级别，以及设备上的视图"

_worked: dict[tuple[str, str], Credentials] = {}  # (source, target) → what it answered to last
_worked_lock = threading.Lock()


class Session(msgspec.Struct, kw_only=True):
    """A device that answers: the login that worked, the open engine, a walker on it, its system group."""

    credentials: Credentials
    engine: Engine
    walker: Walker
    scalars: dict[Oid, Value]


def credentials_of(logins: Sequence[Login], run: Run) -> list[Credentials]:
    """Logins with their secrets, which the run's redactor knows from then on. Raises SecretError."""

    def secret(reference: str) -> str:
        return run.secret(reference) if reference else ""

    return [
        Credentials(
            version=login.version,
            community=secret(login.community_ref),
            user=login.user,
            authentication=login.authentication,
            authentication_key=secret(login.authentication_ref),
            privacy=login.privacy,
            privacy_key=secret(login.privacy_ref),
        )
        for login in logins
    ]


async def log_in(
    target: str,
    where: tuple[str, int],
    logins: Sequence[Credentials],
    engine: EngineName,
    run: Run,
    limits: Limits,
) -> Session:
    """Try logins in order until the device answers, all within its one deadline. Raises SourceError
    naming how each one ended, DeadlineError where time ran out, what the engine raises where there is
    but one login."""
    ends = None
    failures: list[tuple[Credentials, Exception]] = []
    for credentials in _in_order(run.source.name, target, logins):
        opened = open_engine(*where, credentials, engine)
        walker = Walker(opened, run, limits, ends=ends)
        ends = walker.ends
        try:
            scalars = await walker.get(tables.SCALARS)
        except (NoAnswerError, AuthenticationError, AgentError) as error:
            opened.close()
            if len(logins) == 1:
                raise
            failures.append((credentials, error))
            continue
        except BaseException:
            opened.close()
            raise
        with _worked_lock:
            _worked[run.source.name, target] = credentials
        return Session(credentials=credentials, engine=opened, walker=walker, scalars=scalars)
    raise _nothing_worked(failures)


def _in_order(source: str, target: str, logins: Sequence[Credentials]) -> list[Credentials]:
    with _worked_lock:
        known = _worked.get((source, target))
    return sorted(logins, key=lambda login: login != known)


def _nothing_worked(failures: Sequence[tuple[Credentials, Exception]]) -> SourceError:
    tried = "；".join(
        f"{login.version}{f' {login.user}' if login.user else ''}：{error}" for login, error in failures
    )
    if any(isinstance(error, AuthenticationError) for _, error in failures):
        return SourceError(f"{len(failures)} 组凭据都不行（{tried}）", _DENIED_REMEDY, Status.DENIED)
    return SourceError(f"没有应答，试了 {len(failures)} 组凭据（{tried}）", _SILENT_REMEDY)


async def answers_to_default(
    where: tuple[str, int], session: Session, engine: EngineName, run: Run, limits: Limits
) -> bool | None:
    """Whether the device answers, v2c or v1, to a community from the list of defaults: one GET of
    sysObjectID each. None where it had stopped answering to our own login too. Raises DeadlineError."""
    patience = msgspec.structs.replace(limits, attempts=min(limits.attempts, 2))
    versions: tuple[Version, ...] = ("v2c", "v1")
    for version in versions:
        for community in DEFAULT_COMMUNITIES:
            guess = Credentials(version=version, community=community)
            opened = open_engine(*where, guess, engine)
            try:
                await Walker(opened, run, patience, ends=session.walker.ends).get((tables.SYS_OBJECT_ID,))
            except (NoAnswerError, AuthenticationError, AgentError):
                continue
            else:
                return True
            finally:
                opened.close()
    try:
        await session.walker.get((tables.SYS_OBJECT_ID,))
    except (NoAnswerError, AuthenticationError, AgentError):
        return None
    return False


def explained(error: BaseException) -> SourceError | None:
    """What an engine's exception means to the user; None for one that is not an engine's."""
    if isinstance(error, NoAnswerError):
        return SourceError(str(error), _SILENT_REMEDY)
    if isinstance(error, AuthenticationError):
        return SourceError(f"设备拒绝了我们：{error}", _DENIED_REMEDY, Status.DENIED)
    if isinstance(error, AgentError):
        return SourceError(str(error), "换 engine: pysnmp 再试；仍不行则是设备代理的缺陷")
    return None

"""Discovery: which addresses answer SNMP with the configured logins, or show an SSH banner.

Only addresses inside the prefixes that the user gave are touched, at the rate that the user set, and nothing
is asked but the system group (SNMP) and what the server says by itself (SSH). IPv6 prefixes are not swept: a
/64 holds 2^64 addresses, which no rate gets through; there, neighbours that devices told of are asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

import msgspec

from collectors.contract import Progress
from collectors.discovery.probes import SnmpLogin, SnmpSeen, snmp_at, ssh_at
from collectors.discovery.scope import Address, Scope

_MOST_WORKERS = 64
_AHEAD = 4  # addresses that wait for a worker, for each worker


class Settings(msgspec.Struct, kw_only=True):
    """``rate``: probes a second, where a probe is one login tried at one address, or one connection to the
    SSH port. ``retries``: how often more an SNMP login is tried where nothing comes back."""

    rate: float = 50.0
    timeout_seconds: float = 1.5
    retries: int = 1
    snmp_port: int = 161
    ssh_port: int = 22
    ssh: bool = True


class Found(msgspec.Struct, kw_only=True):
    """An address that answered. ``snmp``: what its agent told; ``refused``: it speaks SNMP and takes none of
    our logins; ``ssh``: the identification string of its SSH server, "" = none was seen."""

    address: str
    snmp: SnmpSeen | None = None
    refused: bool = False
    ssh: str = ""


class Pace:
    """Lets ``rate`` callers a second through, evenly, however many threads call."""

    def __init__(
        self,
        rate: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 1.0 / rate
        self._monotonic, self._sleep = monotonic, sleep
        self._next = monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is the caller's turn."""
        with self._lock:
            now = self._monotonic()
            turn = max(now, self._next)
            self._next = turn + self._gap
        if turn > now:
            self._sleep(turn - now)


def discover(
    scope: Scope,
    addresses: Sequence[Address],
    logins: Sequence[SnmpLogin],
    settings: Settings,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Iterator[Found]:
    """Probe addresses, and yield those that answer, as they do. Raises ValueError, before anything is sent,
    for an address outside the scope."""
    for address in addresses:
        scope.check(address)
    pace = Pace(settings.rate)
    workers = min(_MOST_WORKERS, max(2, int(settings.rate * settings.timeout_seconds) + 1))
    waiting = iter(addresses)
    done, total = 0, len(addresses)
    with ThreadPoolExecutor(workers, thread_name_prefix="discover") as pool:
        pending: set[Future[Found | None]] = set()
        try:
            while True:
                for address in islice(waiting, workers * _AHEAD - len(pending)):
                    pending.add(pool.submit(_probe, scope, address, logins, settings, pace))
                if not pending:
                    return
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    done += 1
                    progress(Progress(source="discover", what="探测", done=done, total=total))
                    if (found := future.result()) is not None:
                        yield found
        finally:
            for future in pending:
                future.cancel()


def _probe(
    scope: Scope, address: Address, logins: Sequence[SnmpLogin], settings: Settings, pace: Pace
) -> Found | None:
    found = Found(address=str(address))
    for login in logins:
        for _ in range(1 + settings.retries):
            scope.check(address)
            pace.wait()
            answer = snmp_at(str(address), settings.snmp_port, login, settings.timeout_seconds)
            if answer != "silent":
                break
        if isinstance(answer, SnmpSeen):
            found.snmp = answer
            break
        found.refused |= answer == "refused"
        if answer == "closed":
            break  # no agent there, whatever the login
    if settings.ssh:
        scope.check(address)
        pace.wait()
        found.ssh = ssh_at(str(address), settings.ssh_port, settings.timeout_seconds)
    return found if found.snmp or found.refused or found.ssh else None

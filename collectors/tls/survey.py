"""All targets of a source side by side, each within its deadline, every one accounted for."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from collectors.contract import Access, DeadlineError, Run, Source, SourceError
from collectors.pace import Pace
from collectors.targets import source_error
from collectors.tls import recording
from collectors.tls.certificates import fields_of, fingerprint
from collectors.tls.codes import suite_name
from collectors.tls.flight import Answer
from collectors.tls.hello import Hello
from collectors.tls.mapping import CHAIN_HIDDEN, SM_HIDDEN, WHY, Whole, chains_of, resources
from collectors.tls.peer import LivePeer, Peer, Recorder, ReplayPeer
from collectors.tls.questions import Seen, observe
from collectors.tls.starttls import NoTlsError
from collectors.tls.targets import Asked
from collectors.tls.trust import pem
from collectors.tls.wire import Connection, Place
from inventory.coverage import Batch, Status

if TYPE_CHECKING:
    from collectors.tls import Options

_Result = tuple[Asked, list[Whole] | SourceError, datetime]
Told = dict[str, dict[str, list[Any]]]


def survey(source: Source, options: Options, run: Run, keep: Told | None = None) -> Iterator[Batch]:
    """A batch per target. ``keep`` takes, for a recording, what each was asked and told."""
    targets = options.asked()
    replayed = recording.read(Path(options.recording)) if options.recording else None
    live = _live(options, run)

    def peer_of(target: Asked) -> Peer:
        if replayed is not None:
            return ReplayPeer(replayed.get(target.scope, {}))
        if keep is None:
            return live
        recorder = Recorder(live)
        keep[target.scope] = recorder.told
        return recorder

    started = run.now()
    waiting = {target.scope: target for target in targets}
    for done, (target, found, began) in enumerate(_side_by_side(targets, options, run, peer_of), start=1):
        del waiting[target.scope]
        run.progress("探测端点", done, len(targets))
        yield _batch(target, found, began, source, run)
    for target in waiting.values():
        yield _batch(target, DeadlineError(run.source.deadline_seconds), started, source, run)


def _live(options: Options, run: Run) -> LivePeer:
    return LivePeer(
        seconds=options.timeout_seconds,
        pace=Pace(options.connections_per_second),
        ca_file=options.ca_file,
        clean=run.redactor.text,
    )


def _side_by_side(
    targets: list[Asked], options: Options, run: Run, peer_of: Callable[[Asked], Peer]
) -> Iterator[_Result]:
    """Results as they come; the rest is given up at the run's deadline."""
    loop = asyncio.new_event_loop()
    results: asyncio.Queue[_Result] = asyncio.Queue()
    left = iter(targets)

    async def work() -> None:
        for target in left:
            began = run.now()
            (found,) = await asyncio.gather(_target(target, options, peer_of(target)), return_exceptions=True)
            if isinstance(found, BaseException):
                found = source_error(found)
            await results.put((target, found, began))

    async def next_result() -> _Result:
        async with asyncio.timeout(run.remaining()):
            return await results.get()

    try:
        workers = [loop.create_task(work()) for _ in range(min(options.concurrency, len(targets)))]
        for _ in targets:
            try:
                yield loop.run_until_complete(next_result())
            except (TimeoutError, DeadlineError):
                break
        for worker in workers:
            worker.cancel()
        loop.run_until_complete(asyncio.gather(*workers, return_exceptions=True))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def _target(target: Asked, options: Options, peer: Peer) -> list[Whole]:
    """Each address of a target in turn. Raises SourceError where it has none."""
    addresses = await peer.addresses(target.host, target.port, list(options.families))
    return [await _endpoint(Place(a, target.port, target.starttls), target, options, peer) for a in addresses]


class _Asker:
    def __init__(self, peer: Peer, place: Place) -> None:
        self.peer, self.place = peer, place

    async def ask(self, hello: Hello) -> Answer:
        return await self.peer.ask(self.place, hello)


async def _endpoint(place: Place, target: Asked, options: Options, peer: Peer) -> Whole:
    """Everything about one address, or as much as its time allows."""
    seen = Seen()
    one = Whole(
        address=place.address,
        port=place.port,
        server_name=target.server_name,
        starttls=target.starttls,
        seen=seen,
    )
    try:
        async with asyncio.timeout(options.endpoint_seconds):
            await observe(_Asker(peer, place), seen, target.server_name)
            modern = set(seen.versions["TLS 1.3"].suites) - {0x00C6, 0x00C7}
            one.asked_http = options.http
            older = any(seen.offers(v) for v in ("TLS 1.2", "TLS 1.1", "TLS 1.0"))
            if modern or (options.http and older):
                one.talk = await peer.talk(place, target.server_name, _host(target) if options.http else "")
            one.chains = chains_of(seen, one.talk)
            for shown in one.chains:
                if shown.whole:
                    shown.trust = await peer.verify(shown.chain, sm2=_speaks_sm2(shown.chain))
    except TimeoutError:
        seen.why["late"] = None
        one.chains = one.chains or chains_of(seen, one.talk)
    except NoTlsError as error:
        seen.why["no_tls"] = None
        one.offered_no_tls = error.offered is False
    return one


def _host(target: Asked) -> str:
    host = target.server_name or (f"[{target.host}]" if ":" in target.host else target.host)
    return host if target.port == 443 else f"{host}:{target.port}"


def _speaks_sm2(chain: list[bytes]) -> bool:
    return any(fields_of(der).get("signature_algorithm") == "SM2-SM3" for der in chain)


def _batch(
    target: Asked, found: list[Whole] | SourceError, began: datetime, source: Source, run: Run
) -> Batch:
    if isinstance(found, SourceError):
        return _nothing(target, began, run, found.reason, found.remedy)
    told = [one for one in found if not one.empty]
    if not told:
        reasons = [WHY[why] for one in found for why in one.seen.why or ["hung_up"]]
        reason, remedy = reasons[0]
        return _nothing(target, began, run, reason, remedy)
    batch = Batch()
    rows: dict[str, list[Any]] = {"endpoint": [], "certificate": []}
    for one in told:
        endpoint, certificates = resources(one, source=source.name, scope=target.scope, labels=source.labels)
        rows["endpoint"].append(endpoint)
        rows["certificate"] += certificates
    evidence = run.evidence(
        msgspec.json.encode([_shown(one) for one in found]), origin=f"ClientHello {target.scope}", mapped=True
    )
    batch.evidence.append(evidence)
    batch.resources = [*rows["endpoint"], *rows["certificate"]]
    for kind, whole in (("endpoint", _endpoint_whole), ("certificate", _certificates_whole)):
        gaps = [gap for one in found if (gap := whole(one)) is not None]
        batch.collections.append(
            run.collection(
                kind,
                Status.PARTIAL if gaps else Status.COMPLETE,
                began,
                scope=target.scope,
                count=len(rows[kind]),
                reason="；".join(dict.fromkeys(reason for reason, _ in gaps)),
                remedy="；".join(dict.fromkeys(remedy for _, remedy in gaps)),
                evidence=[evidence.id],
            )
        )
    return batch


def _nothing(target: Asked, began: datetime, run: Run, reason: str, remedy: str) -> Batch:
    return Batch(
        collections=[
            run.collection(kind, Status.FAILED, began, scope=target.scope, reason=reason, remedy=remedy)
            for kind in ("endpoint", "certificate")
        ]
    )


def _endpoint_whole(one: Whole) -> tuple[str, str] | None:
    """Why an endpoint was not seen whole, and what helps; None where it was."""
    if one.tls is False or all(v.whole for v in one.seen.versions.values()):
        return None
    whys = [WHY[why] for why in one.seen.why if why != "not_tls"] or [WHY["hung_up"]]
    where = one.native_id
    return f"{where}：{'，'.join(reason for reason, _ in whys)}", whys[0][1]


def _certificates_whole(one: Whole) -> tuple[str, str] | None:
    if one.certificates_whole:
        return None
    if one.seen.only_sm:
        return SM_HIDDEN
    return _endpoint_whole(one) or CHAIN_HIDDEN


def _shown(one: Whole) -> dict[str, Any]:
    """What the answers said, for a person to read; certificates as they came."""
    seen = one.seen
    return {
        "endpoint": one.native_id,
        "versions": {
            version: {"offered": state.offered, "suites": [suite_name(code) for code in state.suites]}
            for version, state in seen.versions.items()
        },
        "not_tls": seen.said.decode("latin-1") if seen.not_tls else None,
        "ended": list(seen.why),
        "chains": [[fingerprint(der) for der in shown.chain] for shown in one.chains],
        "certificates": {fingerprint(der): pem(der) for shown in one.chains for der in shown.chain},
    }


def reach(options: Options, run: Run) -> Iterator[Access]:
    """Connect once to each address of each target."""
    if shutil.which("openssl") is None:
        yield Access(
            subject="openssl 命令",
            ok=False,
            detail="没有找到，证书链是否可信将为未知",
            remedy="安装 openssl",
        )
    replayed = recording.read(Path(options.recording)) if options.recording else None
    for target in options.asked():
        if replayed is not None:
            yield Access(subject=target.scope, ok=target.scope in replayed, detail="录制")
            continue
        run.remaining()
        yield asyncio.run(_reach(target, options, _live(options, run)))


async def _reach(target: Asked, options: Options, peer: LivePeer) -> Access:
    try:
        addresses = await peer.addresses(target.host, target.port, list(options.families))
    except SourceError as error:
        return Access(subject=target.scope, ok=False, detail=error.reason, remedy=error.remedy)
    failed = []
    for address in addresses:
        connection = Connection(Place(address, target.port))
        try:
            async with asyncio.timeout(options.timeout_seconds):
                await connection.open()
        except OSError:
            failed.append(address)
        finally:
            connection.close()
    if failed:
        reason, remedy = WHY["unreachable"]
        return Access(subject=target.scope, ok=False, detail=f"{reason}：{'、'.join(failed)}", remedy=remedy)
    return Access(subject=target.scope, ok=True, detail=f"{len(addresses)} 个地址能连接")

"""All targets of a source side by side, each within its deadline, every one accounted for."""

from __future__ import annotations

import socket
from collections.abc import Iterator, MutableMapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from collectors.contract import Access, DeadlineError, Run, Source, SourceError
from collectors.endpoints import Asked, addresses, asked, batch_of, read_told
from collectors.ike.channel import Channel, RefusedError, Replay
from collectors.ike.mapping import WHY, Answered, Target, endpoint
from collectors.ike.questions import Asker, Seen, observe, probing
from inventory.coverage import Batch
from inventory.kinds.crypto import IkeEndpoint

if TYPE_CHECKING:
    from collectors.ike import Options

FORMAT = "zhengguan-ike-recording/1"


def survey(source: Source, options: Options, run: Run, told: MutableMapping[str, Target]) -> Iterator[Batch]:
    """A batch per target; ``told`` takes what each answered, for a recording."""
    replayed = read_told(options.recording, FORMAT, Target)
    targets = options.asked(replayed or ())

    def work(target: Asked) -> Target:
        if replayed is None:
            return _ask(target, options, run)
        if target.scope not in replayed:
            raise SourceError("录制里没有这个端点", "重新录制")
        return replayed[target.scope]

    ports = {one.scope: one.port for one in targets}
    pending = {one.scope: partial(work, one) for one in targets}
    for scope, result, began in asked(pending, options.concurrency, run, "探测 IPsec 端点"):
        heard = (
            Target(reason=result.reason, remedy=result.remedy) if isinstance(result, SourceError) else result
        )
        told[scope] = heard
        yield _batch(scope, ports[scope], heard, began, source, run)


def _ask(target: Asked, options: Options, run: Run) -> Target:
    """Each address of a target in turn. Raises SourceError where it has none."""
    found = addresses(target.host, target.port, options.families, socket.SOCK_DGRAM)
    return Target(answers=[_address(address, target, options, run) for address in found])


def _address(address: str, target: Asked, options: Options, run: Run) -> Answered:
    part = run.within(options.endpoint_seconds)
    one = Answered(address=address)
    try:
        channel = _channel(address, target, options, part)
    except OSError:
        one.ended = "unreachable"
        return one
    try:
        one.ended = _observe(channel, Seen())
    finally:
        channel.close()
    one.told = channel.told
    return one


def _channel(address: str, target: Asked, options: Options, run: Run) -> Channel:
    return Channel(
        address,
        target.port,
        marker=target.port != 500,
        timeout_seconds=options.timeout_seconds,
        attempts=options.attempts,
        per_second=options.questions_per_second,
        ends=run.timeout,
    )


def _observe(asker: Asker, seen: Seen) -> str:
    """Ask all; what ended it early: a key of ``WHY``, or ""."""
    try:
        observe(asker, seen)
    except RefusedError:
        return "refused"
    except DeadlineError:
        return "late"
    except OSError:
        return "unreachable"
    return ""


def _batch(scope: str, port: int, told: Target, began: datetime, source: Source, run: Run) -> Batch:
    """The resources of one target, and how much of it was seen."""
    rows: list[IkeEndpoint] = []
    whys: list[str] = []
    for one in told.answers:
        seen = Seen()
        _observe(Replay(one.told), seen)
        made, why = endpoint(
            seen, one.ended, one.address, port, source=source.name, scope=scope, labels=source.labels
        )
        rows += [made] if made is not None else []
        whys += why
    gaps = [WHY[why] for why in dict.fromkeys(whys)] or ([(told.reason, told.remedy)] if told.reason else [])
    return batch_of(run, "ike_endpoint", scope, began, rows, gaps, "IKE")


def reach(options: Options, run: Run) -> Iterator[Access]:
    """One question to each address of each target."""
    replayed = read_told(options.recording, FORMAT, Target)
    for target in options.asked(replayed or ()):
        if replayed is not None:
            yield Access(subject=target.scope, ok=target.scope in replayed, detail="录制")
            continue
        run.remaining()
        yield _reach(target, options, run)


def _reach(target: Asked, options: Options, run: Run) -> Access:
    try:
        found = addresses(target.host, target.port, options.families, socket.SOCK_DGRAM)
    except SourceError as error:
        return Access(subject=target.scope, ok=False, detail=error.reason, remedy=error.remedy)
    for address in found:
        channel = _channel(address, target, options, run)
        try:
            answered = any(channel.ask(key, packet) is not None for key, packet in probing())
            why = "" if answered else "silent"
        except RefusedError:
            why = "refused"
        except OSError:
            why = "unreachable"
        finally:
            channel.close()
        if why:
            reason, remedy = WHY[why]
            # silence is no proof of absence: it cannot be told
            ok = None if why == "silent" else False
            return Access(subject=target.scope, ok=ok, detail=f"{address}：{reason}", remedy=remedy)
    return Access(subject=target.scope, ok=True, detail=f"{len(found)} 个地址应答 IKE")

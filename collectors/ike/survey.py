"""All targets of a source side by side, each within its deadline, every one accounted for."""

from __future__ import annotations

import socket
from collections.abc import Iterator, MutableMapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from collectors.contract import Access, DeadlineError, Run, Source, SourceError
from collectors.endpoints import addresses, read_told, side_by_side
from collectors.ike.channel import Channel, RefusedError, Replay
from collectors.ike.mapping import WHY, Answered, Target, endpoint
from collectors.ike.questions import Asker, Seen, observe, probing
from inventory.coverage import Batch, Status

if TYPE_CHECKING:
    from collectors.ike import Asked, Options

FORMAT = "zhengguan-ike-recording/1"


def survey(source: Source, options: Options, run: Run, told: MutableMapping[str, Target]) -> Iterator[Batch]:
    """A batch per target; ``told`` takes what each answered, for a recording."""
    replayed = read_told(options.recording, FORMAT, Target)
    targets = options.asked(replayed or ())

    def work(asked: Asked) -> Target:
        if replayed is None:
            return _ask(asked, options, run)
        if asked.scope not in replayed:
            raise SourceError("录制里没有这个端点", "重新录制")
        return replayed[asked.scope]

    found = side_by_side(targets, work, run, options.concurrency)
    for done, (asked, result, began) in enumerate(found, start=1):
        heard = (
            Target(reason=result.reason, remedy=result.remedy) if isinstance(result, SourceError) else result
        )
        told[asked.scope] = heard
        run.progress("探测 IPsec 端点", done, len(targets))
        yield _batch(asked, heard, began, source, run)


def _ask(asked: Asked, options: Options, run: Run) -> Target:
    """Each address of a target in turn. Raises SourceError where it has none."""
    found = addresses(asked.host, asked.port, options.families, socket.SOCK_DGRAM)
    return Target(answers=[_address(address, asked, options, run) for address in found])


def _address(address: str, asked: Asked, options: Options, run: Run) -> Answered:
    part = run.within(options.endpoint_seconds)
    one = Answered(address=address)
    try:
        channel = _channel(address, asked, options, part)
    except OSError:
        one.ended = "unreachable"
        return one
    try:
        one.ended = _observe(channel, Seen())
    finally:
        channel.close()
    one.told = channel.told
    return one


def _channel(address: str, asked: Asked, options: Options, run: Run) -> Channel:
    return Channel(
        address,
        asked.port,
        marker=asked.port != 500,
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


def _batch(asked: Asked, told: Target, began: datetime, source: Source, run: Run) -> Batch:
    """The resources of one target, and how much of it was seen."""
    batch = Batch()
    gaps: list[str] = []
    for one in told.answers:
        seen = Seen()
        _observe(Replay(one.told), seen)
        made, why = endpoint(
            seen, one.ended, one.address, asked.port,
            source=source.name, scope=asked.scope, labels=source.labels,
        )  # fmt: skip
        if made is not None:
            batch.resources.append(made)
        gaps += why
    reasons = [WHY[why] for why in dict.fromkeys(gaps)] or (
        [(told.reason, told.remedy)] if told.reason else []
    )
    status = Status.FAILED if not batch.resources else Status.PARTIAL if reasons else Status.COMPLETE
    evidence = []
    if batch.resources:
        shown = run.evidence(msgspec.json.encode(batch.resources), origin=f"IKE {asked.scope}", mapped=True)
        batch.evidence.append(shown)
        evidence = [shown.id]
    batch.collections.append(
        run.collection(
            "ike_endpoint",
            status,
            began,
            scope=asked.scope,
            count=len(batch.resources),
            reason="；".join(reason for reason, _ in reasons),
            remedy="；".join(remedy for _, remedy in reasons),
            evidence=evidence,
        )
    )
    return batch


def reach(options: Options, run: Run) -> Iterator[Access]:
    """One question to each address of each target."""
    replayed = read_told(options.recording, FORMAT, Target)
    for asked in options.asked(replayed or ()):
        if replayed is not None:
            yield Access(subject=asked.scope, ok=asked.scope in replayed, detail="录制")
            continue
        run.remaining()
        yield _reach(asked, options, run)


def _reach(asked: Asked, options: Options, run: Run) -> Access:
    try:
        found = addresses(asked.host, asked.port, options.families, socket.SOCK_DGRAM)
    except SourceError as error:
        return Access(subject=asked.scope, ok=False, detail=error.reason, remedy=error.remedy)
    for address in found:
        channel = _channel(address, asked, options, run)
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
            return Access(subject=asked.scope, ok=ok, detail=f"{address}：{reason}", remedy=remedy)
    return Access(subject=asked.scope, ok=True, detail=f"{len(found)} 个地址应答 IKE")

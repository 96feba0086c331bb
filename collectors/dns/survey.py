"""All names of a source side by side, each within its time, every one accounted for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import dns.name
import msgspec

from collectors.contract import Access, DeadlineError, Run, Source, SourceError
from collectors.dns import recording, roots
from collectors.dns.authority import authority_of
from collectors.dns.lookups import HTTPS, first_settled, mail_of, resolved
from collectors.dns.mapping import WHY, Seen, domain, gaps, shown
from collectors.dns.messages import Question, name_of
from collectors.dns.peer import LivePeer, Peer, ReplayPeer, Told
from collectors.dns.targets import (
    address_of_server,
    ascii_name,
    names_in,
    names_of,
    server_of,
    system_resolvers,
)
from collectors.dns.trust import Validator, anchors_of
from collectors.dns.walk import SOA, Checker, Walker, family_of, reachable
from collectors.pace import Pace
from collectors.targets import source_error
from inventory.coverage import Batch, Status

if TYPE_CHECKING:
    from collectors.dns import Options

_Result = tuple[str, Seen | SourceError, datetime]


class Plan(NamedTuple):
    """What a source is asked: names, resolvers, and the tops of the walk with their servers."""

    names: list[str]
    resolvers: list[str]
    tops: dict[dns.name.Name, list[str]]
    anchors: list[str]


def plan_of(options: Options) -> Plan:
    """Names, with those of the file, and servers of the families to ask over. Raises SourceError."""
    names = names_of(options.names)
    if options.names_file:
        names = list(dict.fromkeys([*names, *names_in(Path(options.names_file))]))
    written = [server_of(text) for text in options.resolvers] or system_resolvers()
    resolvers = [one for one in dict.fromkeys(written) if _wanted(one, options)]
    if not resolvers:
        raise SourceError("解析服务器里没有 families 要的地址", "改 families，或用 resolvers 写出来")
    root = [server_of(text) for text in options.root_servers] or list(roots.ADDRESSES)
    tops = {dns.name.root: root} | {
        name_of(ascii_name(zone)): [server_of(text) for text in servers]
        for zone, servers in options.servers.items()
    }
    anchors = options.trust_anchors or ([] if options.root_servers else list(roots.ANCHORS))
    chosen = {zone: [one for one in servers if _wanted(one, options)] for zone, servers in tops.items()}
    return Plan(names, resolvers, chosen, anchors)


def _wanted(server: str, options: Options) -> bool:
    return family_of(address_of_server(server)[0]) in options.families


def survey(source: Source, options: Options, run: Run, keep: Told | None = None) -> Iterator[Batch]:
    """A batch per name. ``keep`` takes, for a recording, what was told."""
    options = recording.asked_with(options)
    plan = plan_of(options)
    started = run.now()
    waiting = dict.fromkeys(plan.names)
    peer = _peer(options, run, keep)
    for done, (name, found, began) in enumerate(_side_by_side(plan, options, run, peer), start=1):
        del waiting[name]
        run.progress("查询域名", done, len(plan.names))
        yield _batch(name, found, began, source, run)
    for name in waiting:
        yield _batch(name, DeadlineError(run.source.deadline_seconds), started, source, run)


def _peer(options: Options, run: Run, keep: Told | None = None) -> Peer:
    if options.recording:
        return ReplayPeer(recording.read(Path(options.recording)))
    return LivePeer(
        now=run.now().timestamp(),
        seconds=options.timeout_seconds,
        retries=options.retries,
        pace=Pace(options.queries_per_second),
        keep=keep,
    )


def _side_by_side(plan: Plan, options: Options, run: Run, peer: Peer) -> Iterator[_Result]:
    """Results as they come; the rest is given up at the run's deadline."""
    loop = asyncio.new_event_loop()
    results: asyncio.Queue[_Result] = asyncio.Queue()
    left = iter(plan.names)

    async def work(seek: Callable[[str], Awaitable[Seen]]) -> None:
        for name in left:
            began = run.now()
            (found,) = await asyncio.gather(seek(name), return_exceptions=True)
            if isinstance(found, BaseException):
                found = source_error(found)
            await results.put((name, found, began))

    async def next_result() -> _Result:
        async with asyncio.timeout(run.remaining()):
            return await results.get()

    async def prepare() -> Callable[[str], Awaitable[Seen]]:
        async with asyncio.timeout(run.remaining()):
            return await _seeker(plan, options, peer)

    try:
        seek = loop.run_until_complete(prepare())
        # held: a loop alone lets go of tasks that nobody else holds
        workers = [loop.create_task(work(seek)) for _ in range(min(options.concurrency, len(plan.names)))]
        for _ in plan.names:
            yield loop.run_until_complete(next_result())
        loop.run_until_complete(asyncio.gather(*workers))
    except (TimeoutError, DeadlineError):
        return
    finally:
        loop.run_until_complete(_end())
        loop.close()


async def _end() -> None:
    """End what still runs: workers at a deadline, and walks that nobody waits for any more."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _seeker(plan: Plan, options: Options, peer: Peer) -> Callable[[str], Awaitable[Seen]]:
    """What looks at one name. The servers of the top are tried first: over a family over which none of them
    answers, another server's silence says nothing about it."""
    works: dict[str, bool] = {}
    if options.authoritative:
        for family in options.families:
            tops = plan.tops.items()
            tried = [
                await reachable(peer, [one for one in servers if family_of(one) == family], zone)
                for zone, servers in tops
            ]
            works[family] = any(tried)
    first = "ipv6" if works.get("ipv6") and not works.get("ipv4") else "ipv4"
    walker = Walker(peer, plan.tops, first)
    checker = Checker(peer, options.families)
    validator = Validator(walker.ask, anchors_of(plan.anchors), peer.now)

    async def seek(text: str) -> Seen:
        name = name_of(text)
        seen = Seen(name=text, works=works)
        try:
            async with asyncio.timeout(options.name_seconds):
                for server in plan.resolvers:
                    seen.resolved.append(await resolved(peer, server, name, options.lookups))
                able = [one.resolver for one in seen.resolved if one.answered]
                if able:  # one that cannot tell the addresses of a name is not asked for the rest
                    seen.https = await first_settled(peer, able, name, HTTPS)
                if able and options.mail:
                    seen.mail = await mail_of(peer, able, name, smtp=options.smtp)
                if options.authoritative:
                    seen.authority = await authority_of(walker, checker, validator, name)
        except TimeoutError:
            seen.late = True
        return seen

    return seek


def _batch(name: str, found: Seen | SourceError, began: datetime, source: Source, run: Run) -> Batch:
    if isinstance(found, SourceError):
        return _nothing(name, began, run, [(found.reason, found.remedy)])
    missed = gaps(found)
    if found.empty:
        return _nothing(name, began, run, missed or [WHY["silent"]])
    evidence = run.evidence(msgspec.json.encode(shown(found)), origin=f"DNS {name}", mapped=True)
    reasons, remedies = _joined(missed)
    collection = run.collection(
        "domain",
        Status.PARTIAL if missed else Status.COMPLETE,
        began,
        scope=name,
        count=1,
        reason=reasons,
        remedy=remedies,
        evidence=[evidence.id],
    )
    made = domain(found, source=source.name, labels=source.labels)
    return Batch(resources=[made], collections=[collection], evidence=[evidence])


def _nothing(name: str, began: datetime, run: Run, why: list[tuple[str, str]]) -> Batch:
    reasons, remedies = _joined(why)
    failed = run.collection("domain", Status.FAILED, began, scope=name, reason=reasons, remedy=remedies)
    return Batch(collections=[failed])


def _joined(why: list[tuple[str, str]]) -> tuple[str, str]:
    reasons = dict.fromkeys(reason for reason, _ in why)
    remedies = dict.fromkeys(remedy for _, remedy in why if remedy)
    return "；".join(reasons), "；".join(remedies)


def reach(options: Options, run: Run) -> Iterator[Access]:
    """Each resolver asked for the root's name servers, and the top of the walk over each family."""
    options = recording.asked_with(options)
    plan = plan_of(options)
    yield Access(subject=f"{len(plan.names)} 个域名", ok=True, detail="名字都认得")
    peer = _peer(options, run)
    if options.recording:
        yield Access(subject="录制", ok=True, detail=Path(options.recording).name)
        return
    for server in plan.resolvers:
        run.remaining()
        yield asyncio.run(_resolver_answers(peer, server))
    for family in options.families if options.authoritative else []:
        for zone, servers in plan.tops.items():
            run.remaining()
            mine = [one for one in servers if family_of(one) == family]
            subject = f"{zone.to_text()} 的权威服务器（{'IPv4' if family == 'ipv4' else 'IPv6'}）"
            if asyncio.run(reachable(peer, mine, zone)):
                yield Access(subject=subject, ok=True, detail="应答")
            else:
                remedy = "放行采集机到各权威服务器的 53 端口；只用解析服务器的，写 authoritative: false"
                yield Access(
                    subject=subject, ok=False, detail="没有一台应答，授权和 DNSSEC 将为未知", remedy=remedy
                )


async def _resolver_answers(peer: Peer, server: str) -> Access:
    address, _ = address_of_server(server)
    reply = await peer.ask(server, Question(dns.name.root, SOA, recurse=True))
    if reply.settled is not None:
        return Access(subject=f"解析服务器 {address}", ok=True, detail=f"应答，{reply.ms:.0f} 毫秒")
    reason, remedy = WHY[reply.problem or "silent"]
    return Access(subject=f"解析服务器 {address}", ok=False, detail=reason, remedy=remedy)

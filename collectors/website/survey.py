"""All sites of a source side by side, each within its deadline, every one accounted for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from collectors.contract import Access, DeadlineError, Run, Source, SourceError
from collectors.website import recording
from collectors.website.crawl import AGENT, FAMILIES, Budget, Crawl
from collectors.website.mapping import gaps, links_left, website
from collectors.website.peer import LivePeer, Peer, Recorder, ReplayPeer
from collectors.website.trip import Traveller
from collectors.website.urls import Url, site_of
from collectors.website.visits import Wanted, Whole, look_at
from collectors.website.wire import Limits
from inventory.coverage import Batch, Status

if TYPE_CHECKING:
    from collectors.website import Options

log = logging.getLogger("zhengguan.collectors.website")
_Result = tuple[str, Whole | SourceError, datetime]
Told = dict[str, dict[str, list[Any]]]
PeerOf = Callable[[str], Peer]


def survey(source: Source, options: Options, run: Run, keep: Told | None = None) -> Iterator[Batch]:
    """A batch per site. ``keep`` takes, for a recording, what each was asked and told."""
    sites = options.asked_for()
    peer_of = _peers(options, run, keep)
    waiting, started = dict.fromkeys(sites), run.now()
    for done, (site, found, began) in enumerate(_side_by_side(sites, options, run, peer_of), start=1):
        del waiting[site]
        run.progress("访问网站", done, len(sites))
        yield _batch(site, found, began, source, options, run)
    for site in waiting:
        yield _batch(site, DeadlineError(run.source.deadline_seconds), started, source, options, run)


def _live(options: Options) -> LivePeer:
    limits = Limits(
        connect_seconds=options.timeout_seconds,
        page_seconds=options.page_seconds,
        page_bytes=options.page_kib * 1024,
    )
    contact = f"; {options.contact}" if options.contact else ""
    return LivePeer(
        limits=limits,
        agent=f"{AGENT} (IPv6 readiness self-check{contact})",
        delay_seconds=options.delay_seconds,
        ca_file=options.ca_file,
        resolvers=options.resolvers,
        fixed=options.addresses,
    )


def _peers(options: Options, run: Run, keep: Told | None) -> PeerOf:
    if options.recording:
        replayed = recording.read(Path(options.recording))
        return lambda site: ReplayPeer(replayed.get(site, {}), run.redactor.text)
    live = _live(options)

    def peer_of(site: str) -> Peer:
        if keep is None:
            return live
        recorder = Recorder(live, run.redactor.text)
        keep[site] = recorder.told
        return recorder

    return peer_of


def _side_by_side(sites: list[str], options: Options, run: Run, peer_of: PeerOf) -> Iterator[_Result]:
    """Results as they come; the rest is given up at the run's deadline."""
    loop = asyncio.new_event_loop()
    results: asyncio.Queue[_Result] = asyncio.Queue()
    left = iter(sites)
    named = options.named_hosts()

    async def work() -> None:
        for site in left:
            began = run.now()
            (found,) = await asyncio.gather(_one(site, options, run, named, peer_of), return_exceptions=True)
            await results.put((site, found if isinstance(found, Whole) else _source_error(found), began))

    async def next_result() -> _Result:
        async with asyncio.timeout(run.remaining()):
            return await results.get()

    workers: list[asyncio.Task[None]] = []
    try:
        workers += [loop.create_task(work()) for _ in range(min(options.concurrency, len(sites)))]
        for _ in sites:
            try:
                yield loop.run_until_complete(next_result())
            except (TimeoutError, DeadlineError):
                break
    finally:
        tasks = {*asyncio.all_tasks(loop), *workers}
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _source_error(error: BaseException) -> SourceError:
    """What ended a site, for the user. One of ours says so at once and takes no other site with it."""
    if isinstance(error, (SourceError, ImportError)):
        if isinstance(error, ImportError):
            return SourceError(f"缺少组件 {error.name or error}", "安装：pip install 'zhengguan[website]'")
        return error
    log.debug("site", exc_info=error)
    return SourceError(
        f"采集器内部错误：{error.__class__.__name__}: {error}", "用 --debug 重试并把日志交给开发者"
    )


async def _one(site: str, options: Options, run: Run, named: frozenset[str], peer_of: PeerOf) -> Whole:
    budget = Budget(
        pages=options.pages,
        links=options.links,
        external_hosts=options.external_hosts,
        bytes_left=options.site_mib * 1024 * 1024,
    )
    traveller = Traveller(peer=peer_of(site), named=named, private=options.private, spent=budget.spend)
    url = site_of(site)
    crawl = Crawl(
        home=url,
        budget=budget,
        traveller=traveller,
        clean=run.redactor.text,
        robots=options.robots,
        external=options.external,
    )
    one = Whole(url=url, crawl=crawl)
    wanted = Wanted(tries=options.tries, ports=tuple(sorted(set(options.ports))), tls=options.tls)
    await look_at(one, traveller, wanted, options.site_seconds)
    return one


def _batch(
    site: str, found: Whole | SourceError, began: datetime, source: Source, options: Options, run: Run
) -> Batch:
    scope = run.redactor.text(site)
    if isinstance(found, Whole) and not found.answered:
        found = _unanswered(found)
    if isinstance(found, SourceError):
        failed = run.collection(
            "website", Status.FAILED, began, scope=scope, reason=found.reason, remedy=found.remedy
        )
        return Batch(collections=[failed])
    row = website(found, source=source.name, labels=source.labels, clean=run.redactor.text)
    evidence = run.evidence(
        msgspec.json.encode(row),
        origin=f"GET {site}",
        mapped=True,
    )
    missing, cut = gaps(found, options.tls), links_left(found)
    one = run.collection(
        "website",
        Status.PARTIAL if missing else Status.COMPLETE,
        began,
        scope=scope,
        count=1,
        reason="；".join(reason for reason, _ in [*missing, *cut]),
        remedy="；".join(dict.fromkeys(remedy for _, remedy in [*missing, *cut])),
        evidence=[evidence.id],
    )
    return Batch(resources=[row], collections=[one], evidence=[evidence])


def _unanswered(found: Whole) -> SourceError:
    """A site that answers over neither family is down, or cannot be reached from here: nothing to compare."""
    told = [
        f"{'IPv4' if family == 'ipv4' else 'IPv6'}：{side.trip.words if side.trip else '没有问到'}"
        for family, side in found.sides.items()
    ]
    return SourceError(
        f"两个协议族都没有得到应答（{'；'.join(told)}）", "检查网址、网络，以及该网站是否在运行"
    )


def reach(options: Options, run: Run) -> Iterator[Access]:
    """Connect once to each site over each family."""
    replayed = recording.read(Path(options.recording)) if options.recording else None
    for site in options.asked_for():
        if replayed is not None:
            yield Access(subject=site, ok=site in replayed, detail="录制")
            continue
        run.remaining()
        yield asyncio.run(_reach(site_of(site), options))


async def _reach(url: Url, options: Options) -> Access:
    traveller = Traveller(peer=_live(options), named=options.named_hosts(), private=options.private)
    told, ways = [], 0
    for family in FAMILIES:
        problem, detail, addresses = await traveller.way(url.host, family)
        if not problem:
            problem, detail = await traveller.peer.reach(addresses[0], url.port)
        ways += not problem
        shown = "IPv4" if family == "ipv4" else "IPv6"
        told.append(f"{shown} 可连接" if not problem else f"{shown}：{_said(problem, family, detail)}")
    remedy = (
        "" if ways == len(FAMILIES) else "检查网址、DNS 和采集机的 IPv6；网站本来没有 IPv6 的，不影响采集"
    )
    return Access(subject=str(url), ok=ways > 0, detail="；".join(told), remedy=remedy)


def _said(problem: Any, family: str, detail: str) -> str:
    from collectors.website.problems import words

    return words(problem, family, detail)

"""The loop, wired: configuration → snapshot → outcomes → assessments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final, cast, get_args

from collectors.contract import REGISTRY, Progress, Source, utc_now
from collectors.run import How, collect_all, reading
from inventory.answers import Answer
from inventory.coverage import Batch, Status
from inventory.daily import day_of
from inventory.garbage import without_collector
from inventory.resource import Resource
from inventory.snapshot import Snapshot, SnapshotInfo
from inventory.store import Store, StoreError, open_store
from inventory.systems import System
from policies.assess import assess
from policies.assess_crypto import assess_crypto
from policies.assessment import Assessment, Edition, PolicyException
from policies.crypto import CryptoEdition
from policies.evaluate import evaluate
from policies.exceptions import ExceptionsError, load_exceptions, with_exceptions
from policies.ipv6.readiness import Readiness, readiness
from policies.outcome import Outcome, Rule
from policies.rules import RulesError, load_rules
from policies.spelling import suggestion
from policies.standards import Standard, StandardError, available, load_standard
from zhengguan import __version__
from zhengguan.config import DEFAULT_FILE, Config, load_config, yaml_error
from zhengguan.errors import UserError
from zhengguan.seen import Seen

PROGRAM = f"zhengguan {__version__}"
STANDARD_TITLE: Final = {"dengbao": "等保", "miping": "密评", "ipv6": "IPv6", "extranet": "政务外网"}
"""The program's own standards, as people call them."""
_EDITIONS: Final = {"dengbao": get_args(Edition), "miping": get_args(CryptoEdition)}


def configured(path: str) -> Config:
    """The configuration a command was given, or the one in the current folder."""
    return load_config(Path(path or DEFAULT_FILE))


def opened(config: Config, *, create: bool = False) -> Store:
    """The configured store. UserError where it cannot be opened."""
    try:
        return open_store(config.store, create=create)
    except StoreError as error:
        raise UserError(error.reason, remedy=error.remedy) from error


def latest(store: Store, at: int | datetime | None = None) -> Snapshot:
    """A snapshot of the store. UserError where there is none."""
    try:
        return store.snapshot(at)
    except StoreError as error:
        raise UserError(error.reason, remedy=error.remedy or "先运行 zhengguan collect") from error


def answers_of(store: Store) -> list[Answer]:
    """People's answers, oldest first. UserError where the store cannot be read."""
    try:
        return store.answers()
    except StoreError as error:
        raise UserError(error.reason, remedy=error.remedy) from error


def chosen(config: Config, names: Sequence[str]) -> list[Source]:
    """The named sources, or all."""
    known = {source.name: source for source in config.sources}
    for name in names:
        if name not in known:
            raise UserError(
                f"没有名为 {name!r} 的来源", where=str(config.path), remedy=f"有：{'、'.join(known)}"
            )
    if not config.sources:
        raise UserError("还没有登记任何来源", where=str(config.path), remedy="在 sources 下加一个")
    return [known[name] for name in names] if names else config.sources


class Collected:
    """What came of a run: the snapshot, and per source how many kinds ended how."""

    def __init__(self) -> None:
        self.info: SnapshotInfo | None = None
        self.batches: dict[str, list[Batch]] = {}

    def unread(self) -> list[str]:
        """Sources of which something failed, in order."""
        return [
            name
            for name, batches in self.batches.items()
            if any(c.status is Status.FAILED for batch in batches for c in batch.collections)
        ]


def collect_into(
    store: Store,
    sources: Sequence[Source],
    *,
    concurrency: int,
    progress: Callable[[Progress], None],
    now: Callable[[], datetime] = utc_now,
    note: str = "",
    how: How = reading,
) -> Collected:
    """Read sources into one new snapshot, those that map onto the others after them. Keeps of each batch
    only its coverage, and what it has that a source to be read last may ask for."""
    collected = Collected()
    collected.batches = {source.name: [] for source in sources}
    last = [source for source in sources if REGISTRY[source.type].last]
    first = [source for source in sources if not REGISTRY[source.type].last]
    seen = Seen(store, first, now)
    try:
        with store.writer(now(), note=note) as writer:
            for group in (first, last):
                for source, batch in collect_all(
                    group,
                    concurrency=concurrency,
                    progress=progress,
                    now=now,
                    how=how,
                    things=seen.things,
                    past=seen.past,
                ):
                    writer.add(batch)
                    collected.batches[source.name].append(Batch(collections=batch.collections))
                    if last:
                        seen.take(batch, writer.replaces)
        collected.info = writer.info
    except StoreError as error:
        raise UserError(error.reason, remedy=error.remedy) from error
    return collected


def rules_of(config: Config) -> list[Rule]:
    """Built-in rules and the user's own. UserError for the first that is refused."""
    try:
        return load_rules(config.rule_folders(), examples=False)
    except RulesError as error:
        raise refused(error) from error


def title_of(assessment: Assessment) -> str:
    """The standard of an assessment, as people call it; a user's own by its title."""
    return STANDARD_TITLE.get(assessment.standard, assessment.standard_title)


def standard_of(name: str, folders: Sequence[Path]) -> Standard:
    """A standard by name, the program's own or of the user's folders. UserError."""
    try:
        names = available(folders)
        if name not in names:
            raise UserError(
                f"没有标准 {name!r}",
                remedy=suggestion(name, names) or "zhengguan check --help 与 docs/standards.md",
            )
        return load_standard(name, folders)
    except StandardError as error:
        at = error.error
        if at is None:
            raise UserError(str(error), remedy="改 policies.standards 目录里的文件") from error
        where = f"{at.path}:{at.line}:{at.column}" if at.line else str(at.path)
        raise UserError(at.message, where=where, remedy=at.hint) from error


def exceptions_of(config: Config) -> list[PolicyException]:
    """The accepted deviations. UserError for the first that is refused."""
    try:
        return load_exceptions(config.exception_files())
    except ExceptionsError as error:
        raise refused(error, "zhengguan except lint") from error


def refused(error: RulesError | ExceptionsError, where: str = "zhengguan rules test") -> UserError:
    """The first of the errors, and how many more there are; ``where`` tells them all."""
    first = error.errors[0]
    more = f"（还有 {len(error.errors) - 1} 处，见 {where}）" if len(error.errors) > 1 else ""
    told = yaml_error(first)
    return UserError(told.what + more, where=told.where, remedy=told.remedy)


@without_collector()
def assess_all(
    config: Config,
    snapshot: Snapshot,
    *,
    systems: Sequence[System],
    standard: str = "",
    edition: str = "",
    now: datetime | None = None,
    answers: Sequence[Answer] = (),
    ranked: bool = False,
    assume: Sequence[str] = (),
) -> list[Assessment]:
    """Assess systems, in the order given, against one standard or ("") those that each of them names.

    ``edition`` "" = the system's or the configured one; it holds for the standards that have it.
    ``answers`` are people's (``answers_of``): rules are judged at the time of the snapshot, and answers must
    still hold today. ``ranked``: tell what to fix first; ``assume``: rules to tell the score without whose
    failures. UserError where no standard has such an edition, there is no such rule, or a parameter is set
    that the method does not take.
    """
    named = [standard] if standard else [name for system in systems for name in system.standards]
    if edition and not any(edition in _EDITIONS.get(name, ()) for name in named):
        have = "、".join(dict.fromkeys(e for name in named for e in _EDITIONS.get(name, ())))
        titles = "、".join(STANDARD_TITLE.get(name, name) for name in dict.fromkeys(named))
        raise UserError(
            f"{titles}没有 {edition} 版的方法",
            remedy=f"可用：{have}" if have else "没有公布的计分方法，不写 --edition",
        )
    rules = rules_of(config)
    standards = {name: standard_of(name, config.standard_folders()) for name in dict.fromkeys(named)}
    known = {rule.id for rule in rules}
    for id_ in assume:
        if id_ not in known:
            raise UserError(
                f"没有规则 {id_}", remedy=suggestion(id_, known) or "用 zhengguan rules list 查编号"
            )
    moment = now or snapshot.info.taken_at
    today = day_of(now or max(utc_now(), snapshot.info.taken_at))
    result = []
    for system in systems:
        members = system.members(snapshot)
        outcomes = evaluate(rules, snapshot, members=members, now=moment)
        for name in [standard] if standard else dict.fromkeys(system.standards):
            try:
                result.append(
                    _assessed(
                        config,
                        standards[name],
                        edition if edition in _EDITIONS.get(name, ()) else "",
                        system,
                        outcomes,
                        snapshot,
                        members,
                        answers,
                        today,
                        ranked=ranked,
                        assume=assume,
                    )
                )
            except StandardError as error:
                raise UserError(str(error), remedy="改规则里的 controls，或标准里的编号") from error
            except ValueError as error:
                raise UserError(str(error), where=str(config.path), remedy="改 policies 下的参数") from error
    return with_exceptions(
        result,
        exceptions_of(config),
        snapshot,
        folders=config.standard_folders(),
        rules=known,
        systems={system.name for system in config.systems},
        today=today,
        warn_days=config.policies.answers.warn_days,
    )


def _assessed(
    config: Config,
    standard: Standard,
    edition: str,
    system: System,
    outcomes: Sequence[Outcome],
    snapshot: Snapshot,
    members: Sequence[Resource],
    answers: Sequence[Answer],
    today: date,
    *,
    ranked: bool,
    assume: Sequence[str],
) -> Assessment:
    if standard.name == "miping":
        return assess_crypto(
            system,
            standard,
            outcomes,
            snapshot,
            edition=cast(CryptoEdition, edition) or system.miping_edition or config.policies.miping.edition,
            parameters=config.policies.miping.parameters,
            members=members,
            program=PROGRAM,
            answers=answers,
            today=today,
            warn_days=config.policies.answers.warn_days,
            ranked=ranked,
            assume=assume,
        )
    return assess(
        system,
        standard,
        outcomes,
        snapshot,
        edition=cast(Edition, edition) or config.policies.edition,
        parameters=config.policies.parameters,
        members=members,
        program=PROGRAM,
        answers=answers,
        today=today,
        warn_days=config.policies.answers.warn_days,
        targets=config.targets(),
        plan=config.policies.ipv6.plan,
        ranked=ranked,
        assume=assume,
    )


def readiness_of(
    config: Config, snapshot: Snapshot, *, system: str = "", year: int = 0, earlier: Iterable[Snapshot] = ()
) -> Readiness:
    """How ready for IPv6 everything is, or one system; ``year`` whose targets hold (0 = the snapshot's).
    UserError for a target that no indicator has."""
    try:
        return readiness(
            standard_of("ipv6", config.standard_folders()).indicators,
            snapshot,
            config.systems,
            year=year or day_of(snapshot.info.taken_at).year,
            targets=config.targets(),
            plan=config.policies.ipv6.plan,
            source_labels={source.name: source.labels for source in config.sources},
            only=config.system(system) if system else None,
            earlier=earlier,
        )
    except ValueError as error:
        raise UserError(str(error), where=str(config.path), remedy="改 policies.targets") from error


def earlier_of(store: Store, snapshot: Snapshot, most: int = 4) -> Iterator[Snapshot]:
    """Snapshots before one, oldest first: of the days before its own, the last of each, at most so many."""
    days: dict[date, int] = {}
    for info in store.snapshots():
        day = day_of(info.taken_at)
        if info.id < snapshot.info.id and day < day_of(snapshot.info.taken_at):
            days[day] = info.id
    for day in sorted(days)[-most:]:
        yield store.snapshot(days[day])


def systems_of(config: Config, name: str) -> list[System]:
    """One named system, or all. UserError where none is configured."""
    if name:
        return [config.system(name)]
    if not config.systems:
        raise UserError(
            "还没有登记任何系统（定级对象）", where=str(config.path), remedy="在 systems 下加一个"
        )
    return config.systems

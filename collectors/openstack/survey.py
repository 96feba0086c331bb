"""How complete each kind is: what came of its rows of the table, held against the proof of sight. Pure,
save for the clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from collectors.contract import Run
from collectors.openstack import identity, planes
from collectors.openstack.client import ServiceError
from collectors.openstack.doubt import DOUBTS
from collectors.openstack.listing import Mapped
from collectors.openstack.reading import UNFINISHED, End, Part
from collectors.openstack.row import Row, View
from collectors.openstack.sight import Proof, missing, settle
from inventory.coverage import Batch, Collection, Status
from inventory.evidence import Evidence
from inventory.kinds import KINDS as ALL_KINDS

_SHOWN = 3  # problems told in words
_UNPROVEN = Proof(everything=False, reason=UNFINISHED.reason, remedy=UNFINISHED.remedy, status=Status.FAILED)
_WHOLE = Proof(everything=True)


class _Tally(msgspec.Struct, kw_only=True):
    """What has come of one kind."""

    count: int = 0
    problems: int = 0
    shown: list[str] = msgspec.field(default_factory=list)
    evidence: dict[str, None] = msgspec.field(default_factory=dict)  # ids, in the order they came


class Survey:
    """Takes what a reader hands over and makes batches of it; at the end, a collection for each kind."""

    def __init__(self, run: Run, view: View, rows: Sequence[Row]) -> None:
        self._run = run
        self._view = view
        self._rows = rows
        self._started_at: datetime = run.now()
        self._tallies: dict[str, _Tally] = {}
        self._ended: dict[str, ServiceError | None] = {}
        self._statuses: dict[str, Collection] = {}

    def cloud(self) -> Batch:
        """The platform itself, once all is read: the catalogue is whole for whoever holds a project."""
        facts = self._view.facts
        evidence = self._run.evidence(msgspec.json.encode(facts), origin="POST identity /auth/tokens")
        proof = Proof(everything=True, evidence=(evidence,))
        if facts.project_id is None:
            proof = Proof(
                everything=False,
                reason="令牌不属于任何项目，目录里会少服务",
                remedy="换用项目范围的凭据",
                evidence=(evidence,),
            )
        platform = identity.cloud(facts, self._view.place)
        found = Mapped(resources=[planes.with_policies(platform, self._view)])
        self._count("cloud", found, evidence)
        closing = self._closing("cloud", proof, None, [])
        return Batch(resources=found.resources, collections=closing.collections, evidence=closing.evidence)

    def take(self, event: Part | End) -> Batch | None:
        """What one event brings; None where that is nothing to hand over."""
        if isinstance(event, End):
            self._ended[event.row.name] = event.error
            return None
        for kind in [event.row.kind] if event.row.kind else {**event.row.helps, **event.row.adds}:
            self._count(kind, event.found, event.evidence)
        return Batch(resources=event.found.resources, evidence=[event.evidence])

    def closings(self) -> Iterator[Batch]:
        """A collection for each kind of the table."""
        for kind in dict.fromkeys(row.kind for row in self._rows if row.kind):
            rows = [row for row in self._rows if row.kind == kind]
            # where one kind comes from several services, those that are not there take nothing away
            present = [row for row in rows if self._absent(row) is not Status.UNSUPPORTED] or rows
            proof = _worst([self._proof(row) for row in present])
            doubt = DOUBTS.get(kind)
            if doubt is not None and proof.everything:
                proof = doubt(proof, self._view.known)
            error = None
            for row in present:
                if self._absent(row) is None:
                    error = _worse(error, self._ended.get(row.name, UNFINISHED))
            lacking = [
                (f"{words}：{failure.reason}", kind in row.helps)
                for row in self._rows
                for words in [row.helps.get(kind) or row.adds.get(kind)]
                for failure in [self._ended.get(row.name, UNFINISHED)]
                if words
                and failure is not None
                and failure.status is not Status.UNSUPPORTED  # not there, so nothing is missing of it
                and self._absent(row) is None
            ]
            yield self._closing(kind, proof, error, lacking)

    def _absent(self, row: Row) -> Status | None:
        absent = missing(self._view.facts, row.ask.service)
        return absent.status if absent is not None else None

    def _proof(self, row: Row) -> Proof:
        absent = missing(self._view.facts, row.ask.service)
        if absent is not None:
            return absent
        proof = self._view.proofs.get(row.sight, _UNPROVEN) if row.sight else _WHOLE
        if proof.everything and row.along:
            return _inherited(self._statuses[row.along])
        return proof

    def _count(self, kind: str, found: Mapped, evidence: Evidence) -> None:
        tally = self._tallies.setdefault(kind, _Tally())
        tally.count += len(found.resources)
        tally.problems += len(found.problems)
        tally.shown += found.problems[: _SHOWN - len(tally.shown)]
        tally.evidence[evidence.id] = None

    def _closing(
        self, kind: str, proof: Proof, error: ServiceError | None, lacking: list[tuple[str, bool]]
    ) -> Batch:
        """``lacking``: in words, and whether rows may be wrong or missing for it."""
        tally = self._tallies.get(kind, _Tally())
        problems = [words for words, grave in lacking if grave]
        status, reason, remedy = settle(
            proof,
            tally.count,
            error,
            tally.problems + len(problems),
            [*problems, *tally.shown][:_SHOWN],
            ALL_KINDS[kind].TITLE,
        )
        if status is Status.COMPLETE and lacking:
            reason = "；".join(dict.fromkeys(words for words, _ in lacking))
        tally.evidence |= dict.fromkeys(e.id for e in proof.evidence)
        collection = self._run.collection(
            kind,
            status,
            self._started_at,
            count=tally.count,
            reason=reason,
            remedy=remedy,
            evidence=list(tally.evidence),
        )
        self._statuses[kind] = collection
        return Batch(collections=[collection], evidence=list(proof.evidence))


def _inherited(above: Collection) -> Proof:
    """The sight of what was read one by one along another kind: no better than of that kind."""
    if above.status is Status.COMPLETE:
        return _WHOLE
    return Proof(
        everything=False,
        reason=f"{ALL_KINDS[above.kind].TITLE}没有看全，沿着它读的也就不全",
        remedy=above.remedy,
        status=above.status,
    )


def _worst(proofs: list[Proof]) -> Proof:
    """The proof of a kind that comes from several lists: the first that does not hold, with the evidence
    of all."""
    evidence = tuple({e.id: e for proof in proofs for e in proof.evidence}.values())
    worst = next((proof for proof in proofs if not proof.everything), proofs[0])
    return msgspec.structs.replace(worst, evidence=evidence)


def _worse(one: ServiceError | None, other: ServiceError | None) -> ServiceError | None:
    """The error to show for a kind read from several lists: a denial first, since it asks for an act."""
    if one is None or other is None:
        return one or other
    return other if other.status is Status.DENIED and one.status is not Status.DENIED else one

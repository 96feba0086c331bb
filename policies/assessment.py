"""An assessment: one system against one standard. Pure data; ``policies.assess`` makes it, for 密评
``policies.assess_crypto``."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from inventory.answers import Answer
from inventory.coverage import Collection
from inventory.selectors import Selector
from inventory.systems import PlatformReport, ServiceModel, System
from policies.crypto import CryptoScore
from policies.verdict import Bounds, Effort, Finding, Severity, Unseen, Verdict

Automation = Literal["technical-auto", "technical-evidence", "manual"]
Trust = Literal["", "read", "memory", "default"]
TRUST_WORD: dict[Trust, str] = {
    "read": "见于公开来源",
    "memory": "凭记忆，未核实",
    "default": "产品缺省，不是规定",
}
"""What an item rests on, where its catalogue says so item by item."""
Edition = Literal["2019", "2021", "2025"]

CATEGORIES: tuple[str, ...] = (
    "物理机房", "网络设备", "安全设备", "服务器", "终端设备", "其他系统或设备",
    "系统管理软件/平台", "业务应用系统/平台", "数据资源", "安全相关人员", "安全管理文档", "密码产品",
)  # fmt: skip
"""The twelve asset categories of the 2025 report, in its order."""


class Control(msgspec.Struct, kw_only=True, frozen=True):
    """One requirement of a standard. ``id`` is standard/clause.letter ("dengbao/8.1.3.2.a"). ``unit_id``
    (GB/T 28448) is shown only where ``unit_verified``. ``summary`` is our wording, not the standard's.
    ``code`` ("NET-01", "" where a standard has none) is the same at every level: "miping/NET-01" means the
    requirement at each of them. ``levels`` ask for it besides its own ``level`` (0 = it has none).
    ``verified``: what it rests on; ``needs``: what a machine would have to read to decide it; ``changed``:
    why a baseline asks more than its base does (中文)."""

    id: str
    level: int
    levels: tuple[int, ...] = ()
    part: Literal["general", "cloud"]
    cite: str
    class_name: str
    control_point: str
    sag: Literal["S", "A", "G"]
    summary: str
    summary_en: str
    automation: Automation
    objects: tuple[str, ...]
    hint: str = ""
    unit_id: str = ""
    unit_verified: bool = False
    high_risk: tuple[str, ...] = ()
    code: str = ""
    verified: Trust = ""
    needs: str = ""
    changed: str = ""

    def asked_at(self, level: int) -> bool:
        """Whether a level asks for it."""
        return level == self.level or level in self.levels


class Asset(msgspec.Struct, kw_only=True, frozen=True):
    """An object of assessment (测评对象): a device, a host, a cloud platform. ``resources`` counts what was
    seen of it; ``types`` are the catalogue's object types it answers for."""

    uid: str
    name: str
    category: str
    importance: str
    types: tuple[str, ...]
    address: str = ""
    vendor: str = ""
    model: str = ""
    version: str = ""
    origin: str = ""  # domestic, foreign, unidentified, "" = not seen
    resources: int = 1


class ObjectVerdict(msgspec.Struct, kw_only=True, frozen=True):
    """One control on one asset: the machine's part. ``checks`` tells rule id → verdict for each rule that
    spoke; ``reason`` says in one line why it is what it is (中文). ``bounds`` are told where they
    are not those of the verdict itself (``policies.bounds.bounds_of`` gives them in any case). ``origin``
    "person": the machine left it open, and a person's answer closed it."""

    asset: str
    verdict: Verdict
    reason: str
    checks: dict[str, Verdict]
    findings: tuple[str, ...] = ()
    bounds: Bounds | None = None
    origin: Literal["auto", "person"] = "auto"


Who = Literal["provider", "customer", "both"]


class Duty(msgspec.Struct, kw_only=True, frozen=True):
    """Who answers for a requirement of a system on a cloud: its provider, its customer, or both. ``origin``:
    the program's default, the configuration's ``responsibilities`` ("here"), or that the configuration counts
    it among what the platform's report covers. ``verified``: what a default rests on; ``provider`` and
    ``customer`` tell what is whose (中文)."""

    who: Who
    origin: Literal["default", "here", "report"]
    verified: Trust = ""
    provider: str = ""
    customer: str = ""


class Split(msgspec.Struct, kw_only=True, frozen=True):
    """How requirements were split between provider and customer. ``assumed``: the configuration names no
    service model. ``claimed``: controls that the default gives to the customer and the configuration to the
    platform's report; ``unmatched``: words of the configuration that name nothing here."""

    model: ServiceModel
    assumed: bool
    claimed: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()


class ControlVerdict(msgspec.Struct, kw_only=True):
    """One control over all assets of the system. ``origin``: 自动, 人工确认, 继承 (from the cloud platform's
    report) or 未核查. ``uncovered`` names what the control also speaks to and nobody inventoried: object
    types that do not occur (中文), and sources that could not be read to the end; ``answered`` is what a
    person said of those. ``bounds`` as in ``ObjectVerdict``. ``inherited``: the least and the most that the
    platform's report lets it, and each part of it, be (``policies.inheritance.within``). ``duty``: who
    answers for it, None where nobody split it."""

    control: Control
    verdict: Verdict
    origin: Literal["auto", "person", "inherited", "none"]
    reason: str
    objects: list[ObjectVerdict] = msgspec.field(default_factory=list)
    uncovered: tuple[str, ...] = ()
    bounds: Bounds | None = None
    answered: Verdict | None = None
    inherited: Bounds | None = None
    duty: Duty | None = None


AnswerEffect = Literal["counted", "contradicted", "unused", "expired"]


class AnswerUse(msgspec.Struct, kw_only=True, frozen=True):
    """What became of a person's answer. "contradicted": the machine saw otherwise, wholly or in part, and its
    part stands; "unused": nothing here asks for it; ``why`` says it in one line (中文). ``days_left`` is
    negative once it has expired; ``expiring`` warns before."""

    answer: Answer
    effect: AnswerEffect
    why: str = ""
    days_left: int = 0
    expiring: bool = False


class PolicyException(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """An accepted deviation (例外): findings of ``rule``, or of rules that speak to ``control``, or both, on
    what a selector of ``scope`` takes, in ``systems`` (empty = all), through the day ``expires``."""

    id: str
    rule: str = ""
    control: str = ""
    systems: tuple[str, ...] = ()
    scope: list[Selector]
    reason: str
    owner: str
    approver: str
    expires: date


ExceptionState = Literal["matched", "unused", "expired", "unknown"]


class ExceptionUse(msgspec.Struct, kw_only=True, frozen=True):
    """What became of an exception in one assessment. ``findings`` are ids of those it matches (also where it
    has expired, and they count again); "unknown": its rule, control or system is not there."""

    exception: PolicyException
    state: ExceptionState
    findings: tuple[str, ...] = ()
    why: str = ""
    days_left: int = 0
    expiring: bool = False


class HighRisk(msgspec.Struct, kw_only=True, frozen=True):
    """A case of the high-risk guideline. "triggered": a finding meets its condition, or a person says so (a
    mitigation may still be confirmed); "mitigated": a person confirmed that; "undetermined": nothing that was
    seen decides it. ``warning``: at this level it is open whether the case is a high risk at all.
    ``confirmed``: what a person said, who and until when (中文), "" where nobody did."""

    case: str
    title: str
    state: Literal["triggered", "mitigated", "undetermined", "clear"]
    condition: str
    mitigation: str
    mitigable: bool
    major_trigger: str
    controls: tuple[str, ...]
    findings: tuple[str, ...] = ()
    warning: bool = False
    confirmed: str = ""


class Score(msgspec.Struct, kw_only=True, frozen=True):
    """``low``: every unknown fails; ``high``: every unknown passes. ``unit`` "%" (2025: 符合率) or "分".
    ``coverage`` = decided / applicable, 0–1. Conclusions as 自查初判 for each bound; ``parameters`` are the
    method's open points with the value used; ``notes`` what is not verified about it."""

    edition: Edition
    low: Decimal
    high: Decimal
    unit: Literal["%", "分"]
    coverage: Decimal
    conclusion_low: str
    conclusion_high: str
    parameters: dict[str, str]
    notes: tuple[str, ...]


class Inheritance(msgspec.Struct, kw_only=True, frozen=True):
    """What became of a platform's report: controls ``taken`` over, ``kept`` as the tenant's own stand, left
    because the platform was assessed at a lower level for them (``weaker``), or because the responsibilities
    give them to the customer (``own``); words of the setting that name
    nothing here (``unmatched``). ``why`` says why nothing is inherited (中文)."""

    report: PlatformReport
    state: Literal["in_force", "expired", "lower_grade"]
    why: str
    days_left: int
    expiring: bool
    taken: tuple[str, ...]
    kept: tuple[str, ...]
    weaker: tuple[str, ...]
    unmatched: tuple[str, ...]
    own: tuple[str, ...] = ()


class IndicatorValue(msgspec.Struct, kw_only=True, frozen=True):
    """A share over the inventory, 0–1, rounded half up to four places. ``low``: what was not seen does not
    meet it; ``high``: it does; both None where there is nothing to count, or nothing computes it. ``met``,
    ``short`` and ``open`` count what was seen to meet it, not to, and what may be either. ``target``: the
    least (the most, where ``better`` is "less") from ``target_year`` on (0 = any year), None where none is
    set; ``set_here``: the user's own. ``verdict`` and ``bounds`` compare the exact share with it; ``reason``
    says in one line why (中文)."""

    id: str
    title: str
    item: str
    kind: str
    low: Decimal | None
    high: Decimal | None
    met: int
    short: int
    open: int
    better: Literal["more", "less"]
    target: Decimal | None
    target_year: int
    set_here: bool
    verified: Trust
    verdict: Verdict
    bounds: Bounds
    reason: str


class Unscored(msgspec.Struct, kw_only=True, frozen=True):
    """What stands in place of a score where a standard publishes none: shares of its applicable items, 0–1.
    ``met_low`` are 符合, ``met_high`` may still be; ``coverage`` are decided. There is no conclusion."""

    met_low: Decimal
    met_high: Decimal
    coverage: Decimal
    notes: tuple[str, ...] = ()
    parameters: dict[str, str] = {}
    edition: Literal[""] = ""
    low: None = None
    high: None = None
    unit: Literal[""] = ""
    conclusion_low: Literal[""] = ""
    conclusion_high: Literal[""] = ""


AnyScore: TypeAlias = Score | CryptoScore | Unscored


class Priority(msgspec.Struct, kw_only=True, frozen=True):
    """A rule that failed, in the order of what to fix first. ``findings`` counts them, ``controls`` are those
    it fails, ``cases`` the high risks it meets. ``gain_low``, ``gain_high``: what mending it alone, wherever
    it fails, adds to the ends of the range; None = not reckoned."""

    rule: str
    title: str
    fix: str
    severity: Severity
    effort: Effort
    findings: int
    controls: tuple[str, ...]
    cases: tuple[str, ...]
    gain_low: Decimal | None
    gain_high: Decimal | None


class Assumed(msgspec.Struct, kw_only=True, frozen=True):
    """What-if: the score were these rules mended wherever they fail (``findings`` so many). Nothing else of
    an assessment knows of it."""

    rules: tuple[str, ...]
    findings: int
    score: AnyScore


class Assessment(msgspec.Struct, kw_only=True):
    """``controls`` in the standard's order. ``findings`` by severity, then rule, then uid. ``score`` is a
    ``CryptoScore`` for 密评, ``Unscored`` where a standard publishes no method, else a ``Score``.
    ``answers`` are those people gave for this system and standard and nobody took back, as recorded;
    ``exceptions`` concern this system: they mark findings and change no verdict. ``priorities`` and
    ``assumed`` are made where they are asked for."""

    system: System
    standard: str  # "dengbao"
    standard_title: str
    taken_at: datetime
    snapshot: int
    program: str
    score: AnyScore
    controls: list[ControlVerdict]
    high_risks: list[HighRisk]
    assets: list[Asset]
    findings: list[Finding]
    unseen: list[Unseen]
    collections: list[Collection]
    stale: dict[str, datetime]
    answers: list[AnswerUse] = msgspec.field(default_factory=list)
    exceptions: list[ExceptionUse] = msgspec.field(default_factory=list)
    indicators: list[IndicatorValue] = msgspec.field(default_factory=list)
    inheritance: Inheritance | None = None
    split: Split | None = None
    priorities: list[Priority] = msgspec.field(default_factory=list)
    assumed: Assumed | None = None

    def count(self, verdict: Verdict) -> int:
        """Controls with this verdict."""
        return sum(1 for c in self.controls if c.verdict is verdict)

"""Responsibilities (责任划分): who answers for each requirement of a system that runs on a cloud. Pure.

The file ``<standard>-responsibilities.yaml`` says it by service model, for a chapter, a control point or
single items (the nearest wins). It is a default of this program, and each row says what it rests on; what a
system's configuration says stands before it. A responsibility is no verdict: it tells whom to ask, and of
which items a platform's own report may speak.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from inventory.systems import ServiceModel, System
from policies.assessment import Control, ControlVerdict, Duty, Split, Trust, Who
from policies.verdict import Verdict
from policies.yaml_text import YamlText

WHO_WORD: Final[dict[Who, str]] = {"provider": "云服务商", "customer": "云服务客户", "both": "双方"}
MODEL_WORD: Final[dict[ServiceModel, str]] = {"iaas": "IaaS", "paas": "PaaS", "saas": "SaaS"}
UNSET: Final[ServiceModel] = "iaas"
"""Service model of a tenant that names none; the report says that it was assumed."""


class Share(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Who answers for a chapter (``class_name``), a control point of it (``point``) or ``items`` (clauses of
    any level; they mean the same requirement at every level), by service model. ``part`` "" = both parts.
    ``provider`` and ``customer`` tell what is whose (中文)."""

    class_name: str = msgspec.field(name="class", default="")
    point: str = ""
    part: Literal["", "general", "cloud"] = ""
    items: tuple[str, ...] = ()
    iaas: Who
    paas: Who
    saas: Who
    verified: Trust = "default"
    provider: str = ""
    customer: str = ""


class SharesFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    title: str
    notes: tuple[str, ...] = ()
    shares: tuple[Share, ...]


def shares_of(
    text: YamlText,
    file: SharesFile,
    standard: str,
    controls: Mapping[str, Control],
    same: Mapping[str, tuple[str, ...]],
) -> dict[str, Share]:
    """Control of ``standard`` → its share. Raises YamlError with the place: a row that names nothing, or what
    another row has named, and a requirement that no row is about."""
    rows: dict[tuple[str, ...], Share] = {}
    for index, share in enumerate(file.shares):
        for key, place in _keys(text, standard, share, index, controls, same):
            if key in rows:
                raise text.error(f"{' '.join(filter(None, key))} 出现两次", place, "删掉一处")
            rows[key] = share
    found: dict[str, Share] = {}
    for control in controls.values():
        near = next((place for place in _places(control) if place in rows), None)
        if near is None:
            raise text.error(f"没有说 {control.id} 由谁负责", ("shares",), "加上它的安全类或控制点")
        found[control.id] = rows[near]
    return found


def _places(control: Control) -> Iterator[tuple[str, ...]]:
    """The keys that a row about a control may have, the nearest first."""
    yield (control.id,)
    for part in (control.part, ""):
        yield (part, control.class_name, control.control_point)
    for part in (control.part, ""):
        yield (part, control.class_name, "")


def _keys(
    text: YamlText,
    standard: str,
    share: Share,
    index: int,
    controls: Mapping[str, Control],
    same: Mapping[str, tuple[str, ...]],
) -> Iterator[tuple[tuple[str, ...], tuple[str | int, ...]]]:
    """The keys of one row, each with its place in the file."""
    at = ("shares", index)
    if bool(share.items) == bool(share.class_name):
        raise text.error("写 class（可加 point）或 items，只写一种", at)
    for place, item in enumerate(share.items):
        id_ = f"{standard}/{item}"
        if id_ not in same:
            raise text.error(f"没有要求项 {item}", (*at, "items", place))
        yield from (((one,), (*at, "items", place)) for one in same[id_])
    if share.class_name:
        key = (share.part, share.class_name, share.point)
        if not any(key in (*_places(c),) for c in controls.values()):
            raise text.error(f"没有 {share.class_name} {share.point}".rstrip(), at, "与标准里的名称一致")
        yield key, at


def names(word: str, control: str, standard: str) -> bool:
    """Whether a clause names a control: itself, or one it is part of ("8.1.1" names 8.1.1.3.a)."""
    clause = word.removeprefix(f"{standard}/")
    own = control.partition("/")[2]
    return own == clause or own.startswith(f"{clause}.")


def with_duties(
    controls: Sequence[ControlVerdict], system: System, shares: Mapping[str, Share], standards: Iterable[str]
) -> tuple[list[ControlVerdict], Split | None]:
    """The controls, each with who answers for it, and how they were split; none where the system is no tenant
    of a cloud, or the standard (``standards``: it, and those it starts from) does not say."""
    if system.cloud != "tenant" or not shares:
        return list(controls), None
    model = system.service_model or UNSET
    prefixes = tuple(standards)
    duties = {c.control.id: _duty(c.control, system, shares, model, prefixes) for c in controls}
    made = [_told(c, duties[c.control.id], system) for c in controls]
    claimed = tuple(
        id_
        for id_, duty in duties.items()
        if duty and duty.origin == "report" and getattr(shares[id_], model) == "customer"
    )
    return made, Split(
        model=model,
        assumed=system.service_model is None,
        claimed=claimed,
        unmatched=tuple(
            word
            for _, words in system.responsibilities.lists()
            for word in words
            if not any(names(word, id_, standard) for id_ in duties for standard in prefixes)
        ),
    )


def _duty(
    control: Control,
    system: System,
    shares: Mapping[str, Share],
    model: ServiceModel,
    standards: Sequence[str],
) -> Duty | None:
    """What the configuration says (of clauses the longest), then whose the tenant's setting of the platform's
    report calls it, then the default."""
    share = shares.get(control.id)
    if share is None:
        return None
    said = [
        (len(word), who)
        for who, words in system.responsibilities.lists()
        for word in words
        if any(names(word, control.id, standard) for standard in standards)
    ]
    if said:
        return Duty(who=max(said)[1], origin="here")
    if system.platform and any(
        names(word, control.id, standard) for word in system.platform.named() for standard in standards
    ):
        return Duty(who="provider", origin="report")
    return Duty(
        who=getattr(share, model),
        origin="default",
        verified=share.verified,
        provider=share.provider,
        customer=share.customer,
    )


def _told(control: ControlVerdict, duty: Duty | None, system: System) -> ControlVerdict:
    """A control with its duty, and where it is open for want of the platform's word, with a reason that says
    where that comes from."""
    reason = control.reason
    if duty and duty.who != "customer" and control.verdict is Verdict.UNKNOWN:
        whose = "属云服务商职责" if duty.who == "provider" else "云服务商的部分"
        named = f" {system.platform_report}" if system.platform_report else ""
        reason = f"{reason}；{whose}，凭平台的测评报告{named} 确认".replace("报告 确", "报告确")
    return msgspec.structs.replace(control, duty=duty, reason=reason)


def split_line(split: Split, controls: Iterable[ControlVerdict]) -> str:
    """How the requirements are split, in one line (中文)."""
    counted: dict[Who, list[ControlVerdict]] = {who: [] for who in WHO_WORD}
    for c in controls:
        if c.duty and c.verdict is not Verdict.NOT_APPLICABLE:
            counted[c.duty.who].append(c)
    model = MODEL_WORD[split.model] + ("，配置没有写服务模式，按此" if split.assumed else "")
    parts = [f"{WHO_WORD[who]} {len(rows)} 项" for who, rows in counted.items()]
    open_ = sum(1 for c in counted["provider"] if c.verdict is Verdict.UNKNOWN)
    parts += [f"云服务商的有 {open_} 项未确认"] if open_ else []
    parts += [f"{len(split.claimed)} 项按缺省属云服务客户，而配置归平台"] if split.claimed else []
    parts += [f"{'、'.join(split.unmatched)} 不对应任何要求项"] if split.unmatched else []
    return f"责任划分（{model}）：{'，'.join(parts)}"


def whom(duty: Duty | None) -> str:
    """Who is to answer (中文); "" where requirements are not split."""
    return WHO_WORD[duty.who] if duty else ""


def duty_text(duty: Duty | None) -> str:
    """Who answers for what (中文); "" where requirements are not split."""
    if duty is None:
        return ""
    own = [f"{WHO_WORD['provider']}：{duty.provider}"] if duty.provider else []
    own += [f"{WHO_WORD['customer']}：{duty.customer}"] if duty.customer else []
    return f"由{WHO_WORD[duty.who]}负责" + (f"（{'；'.join(own)}）" if own else "")

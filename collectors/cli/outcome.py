"""How far a device was read, told as collections, with what it displayed as evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from collectors.cli.displays import interfaces
from collectors.cli.platforms import Purpose
from collectors.cli.reading import Answer, Reading
from collectors.contract import Run
from inventory.coverage import Batch, Collection, Status
from inventory.evidence import Evidence
from inventory.kinds.device_config import DeviceConfig
from inventory.kinds.network import Device, Interface
from inventory.resource import Resource

KINDS = (Device.KIND, Interface.KIND, DeviceConfig.KIND)
_COUNTED: tuple[Purpose, ...] = ("arp", "nd", "routes_ipv4", "routes_ipv6")
_OF_DEVICE: tuple[Purpose, ...] = ("version", "serial", "neighbours", "time", "standby", *_COUNTED)
_OF_INTERFACES: tuple[Purpose, ...] = ("interfaces", "ipv4", "ipv6")
_OF_CONFIG: tuple[Purpose, ...] = (
    "configuration", "signatures_antivirus", "signatures_ips", "signatures_update",
)  # fmt: skip
_VOLATILE = re.compile(
    r"(?i)\b(?:up|update) ?time\b|\btime to live\b|\bexpired?\b"
    r"|\bsystem start|current time|holdtime|time remaining|\bhold\b"
)
_DATED = re.compile(
    r"(?im)^(!Time: |## Last commit: |! Last configuration change at |! NVRAM config last).*$"
)


def batch(
    run: Run,
    reading: Reading,
    started: datetime,
    device: Device,
    found: list[Interface],
    config: DeviceConfig | None,
) -> Batch:
    """All of a device that let us talk to it."""
    of_device = _evidence_of(run, reading, _OF_DEVICE)
    if reading.offer is not None:
        of_device.append(_offer_evidence(run, reading))
    of_interfaces = _evidence_of(run, reading, _OF_INTERFACES)
    of_config = _evidence_of(run, reading, (*_OF_CONFIG, "saved"))
    resources: list[Resource] = [device, *found]
    if config is not None:
        resources.append(config)
    collections = [
        _device_collection(run, reading, started, of_device),
        _collection(run, reading, started, Interface.KIND, _OF_INTERFACES, len(found), of_interfaces),
        _collection(run, reading, started, DeviceConfig.KIND, _OF_CONFIG, int(config is not None), of_config),
    ]
    evidence = {e.id: e for e in (*of_device, *of_interfaces, *of_config)}
    return Batch(resources=resources, collections=collections, evidence=list(evidence.values()))


def _device_collection(run: Run, reading: Reading, started: datetime, evidence: list[Evidence]) -> Collection:
    """The device itself: what a platform does not have is no gap, what broke off or was denied is."""
    short = [
        a for a in _answers(reading, _OF_DEVICE) if a.status not in (Status.COMPLETE, Status.UNSUPPORTED)
    ]
    status, reason, remedy = Status.COMPLETE, "", ""
    if reading.failure is not None:
        status, reason, remedy = Status.PARTIAL, reading.failure.reason, reading.failure.remedy
    elif short:
        status, reason, remedy = Status.PARTIAL, _reasons(short), short[0].remedy
    elif not reading.text("version"):
        answer = reading.answer("version")
        status, remedy = Status.PARTIAL, "给采集账号执行该命令的只读权限"
        reason = answer.reason if answer else "没有读到版本信息"
    return run.collection(
        Device.KIND,
        status,
        started,
        scope=reading.target,
        count=1,
        reason=reason,
        remedy=remedy,
        evidence=[e.id for e in evidence],
    )


def _collection(
    run: Run,
    reading: Reading,
    started: datetime,
    kind: str,
    purposes: Sequence[Purpose],
    count: int,
    evidence: list[Evidence],
) -> Collection:
    """A kind that rests on the first of some commands; the others only add to its rows."""
    answers = _answers(reading, purposes)
    if reading.failure is not None:
        status, reason, remedy = reading.failure.status, reading.failure.reason, reading.failure.remedy
    elif not answers or answers[0].purpose != purposes[0]:
        status, reason, remedy = Status.UNSUPPORTED, "这个平台没有相应的命令", ""
    else:
        first = answers[0]
        status, reason, remedy = first.status, first.reason, first.remedy
        more = [a for a in answers[1:] if a.status not in (Status.COMPLETE, Status.UNSUPPORTED)]
        if status is Status.COMPLETE and more:
            status, reason, remedy = Status.PARTIAL, _reasons(more), more[0].remedy
        if status is Status.COMPLETE and not count:
            status, reason = Status.FAILED, f"{first.command} 的输出认不出"
            remedy = "检查 platform 写得对不对；对的话请把（脱敏后的）录制交给开发者"
        if status is Status.PARTIAL and not count:
            status = Status.FAILED
    return run.collection(
        kind,
        status,
        started,
        scope=reading.target,
        count=count,
        reason=reason,
        remedy=remedy,
        evidence=[e.id for e in evidence],
    )


def _answers(reading: Reading, purposes: Sequence[Purpose]) -> list[Answer]:
    return [answer for purpose in purposes if (answer := reading.answer(purpose)) is not None]


def _reasons(answers: Sequence[Answer]) -> str:
    """Each reason once, with the commands it holds for."""
    by_reason: dict[str, list[str]] = {}
    for answer in answers:
        by_reason.setdefault(answer.reason, []).append(answer.command)
    return "；".join(f"{'、'.join(commands)}：{reason}" for reason, commands in by_reason.items())


def _evidence_of(run: Run, reading: Reading, purposes: Sequence[Purpose]) -> list[Evidence]:
    return [
        _evidence(run, reading, answer.command, kept)
        for answer in _answers(reading, purposes)
        if (kept := _kept(answer))
    ]


def _kept(answer: Answer) -> str:
    """What of an answer is evidence: the configuration line by line, of the rest what does not change in
    every run. Tables that are only counted are not kept."""
    if not answer.text or answer.purpose in _COUNTED:
        return ""
    if answer.purpose == "configuration":
        return _DATED.sub(r"\g<1>(not kept)", answer.text)
    if answer.purpose in _OF_INTERFACES and answer.status in (Status.COMPLETE, Status.PARTIAL):
        return "\n".join(line for seen in interfaces(answer.text) for line in seen.lines)
    if answer.purpose in (*_OF_CONFIG, "saved"):
        return answer.text
    lines = answer.text.split("\n")
    if answer.purpose == "time":
        return "\n".join(line for line in lines if "lock" in line and "sync" in line.lower())
    return "\n".join(line for line in lines if not _VOLATILE.search(line))


def _offer_evidence(run: Run, reading: Reading) -> Evidence:
    offer = reading.offer
    assert offer is not None
    lines = [offer.version]
    for name in ("key_exchanges", "host_keys", "ciphers", "macs"):
        lines.append(f"{name}: {','.join(getattr(offer, name))}")
    return _evidence(run, reading, "SSH_MSG_KEXINIT", "\n".join(lines))


def _evidence(run: Run, reading: Reading, command: str, text: str) -> Evidence:
    """Masked text as evidence. ``mapped``: what masks assignments in free text may join lines, and lines are
    what facts point to; ``collectors.cli.masking`` has masked those already."""
    return run.evidence(
        text.encode("utf-8", "replace"),
        origin=f"{reading.target} {command}",
        media_type="text/plain",
        mapped=True,
    )

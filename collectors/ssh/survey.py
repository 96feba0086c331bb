"""All targets of a source side by side, each within its deadline, every one accounted for."""

from __future__ import annotations

import socket
from collections.abc import Iterator, MutableMapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from collectors.contract import Access, Run, Source, SourceError
from collectors.endpoints import Asked, addresses, asked, batch_of, read_told
from collectors.ssh.audit import audit, installed
from collectors.ssh.kexinit import NoSshError, hear
from collectors.ssh.mapping import WHY, Answered, Told, endpoint
from inventory.coverage import Batch
from inventory.kinds.crypto import SshEndpoint

if TYPE_CHECKING:
    from collectors.ssh import Options

FORMAT = "zhengguan-ssh-recording/1"


def survey(source: Source, options: Options, run: Run, told: MutableMapping[str, Told]) -> Iterator[Batch]:
    """A batch per target; ``told`` takes what each said, for a recording."""
    replayed = read_told(options.recording, FORMAT, Told)
    targets = options.asked(replayed or ())

    def work(target: Asked) -> Told:
        if replayed is None:
            return _ask(target, options, run)
        if target.scope not in replayed:
            raise SourceError("录制里没有这个端点", "重新录制")
        return replayed[target.scope]

    ports = {one.scope: one.port for one in targets}
    pending = {one.scope: partial(work, one) for one in targets}
    for scope, result, began in asked(pending, options.concurrency, run, "探测 SSH 端点"):
        heard = (
            Told(reason=result.reason, remedy=result.remedy) if isinstance(result, SourceError) else result
        )
        told[scope] = heard
        yield _batch(scope, ports[scope], heard, began, source, run)


def _ask(target: Asked, options: Options, run: Run) -> Told:
    """Each address of a target in turn. Raises SourceError where it has none."""
    found = addresses(target.host, target.port, options.families, socket.SOCK_STREAM)
    return Told(answers=[_address(address, target.port, options, run) for address in found])


def _address(address: str, port: int, options: Options, run: Run) -> Answered:
    one = Answered(address=address)
    try:
        one.heard = hear((address, port), run.timeout(options.timeout_seconds))
    except NoSshError as error:
        one.other = error.other
        one.why = [] if error.other else ["broken"]
        return one
    except ConnectionRefusedError:
        one.why = ["refused"]
        return one
    except TimeoutError:
        one.why = ["silent"]
        return one
    except OSError:
        one.why = ["unreachable"]
        return one
    if not one.heard.payload:
        return one  # version 1 alone: there is nothing to ask that any library still speaks
    if not options.host_keys:
        one.why = ["not_asked"]
        return one
    seconds = run.timeout(options.endpoint_seconds)
    report = audit(address, port, timeout_seconds=options.timeout_seconds, seconds=seconds)
    if isinstance(report, str):
        one.why = [report]
    else:
        one.report = report
    return one


def _batch(scope: str, port: int, told: Told, began: datetime, source: Source, run: Run) -> Batch:
    """The resources of one target, and how much of it was seen."""
    rows: list[SshEndpoint] = []
    whys: list[str] = []
    for one in told.answers:
        made, why = endpoint(one, port=port, source=source.name, scope=scope, labels=source.labels)
        rows += [made] if made is not None else []
        whys += why
    gaps = [WHY[why] for why in dict.fromkeys(whys)] or ([(told.reason, told.remedy)] if told.reason else [])
    return batch_of(run, "ssh_endpoint", scope, began, rows, gaps, "SSH_MSG_KEXINIT")


def reach(options: Options, run: Run) -> Iterator[Access]:
    """Hear each address of each target once."""
    if options.host_keys and not installed():
        reason, remedy = WHY["no_audit"]
        yield Access(subject="ssh-audit", ok=False, detail=reason, remedy=remedy)
    replayed = read_told(options.recording, FORMAT, Told)
    for target in options.asked(replayed or ()):
        if replayed is not None:
            yield Access(subject=target.scope, ok=target.scope in replayed, detail="录制")
            continue
        run.remaining()
        yield _reach(target, msgspec.structs.replace(options, host_keys=False), run)


def _reach(target: Asked, options: Options, run: Run) -> Access:
    try:
        told = _ask(target, options, run)
    except SourceError as error:
        return Access(subject=target.scope, ok=False, detail=error.reason, remedy=error.remedy)
    for one in told.answers:
        if one.heard is None:
            reason, remedy = WHY[one.why[0]] if one.why else ("应答的不是 SSH", "检查该端口上是什么服务")
            return Access(subject=target.scope, ok=False, detail=f"{one.address}：{reason}", remedy=remedy)
    return Access(subject=target.scope, ok=True, detail=f"{len(told.answers)} 个地址应答 SSH")

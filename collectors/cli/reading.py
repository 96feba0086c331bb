"""Reading one device: what is asked, in which order, and what came of each command.

The raw configuration lives in here only, long enough to be turned into facts. What leaves is masked.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from collectors.cli import facts, signatures, startup
from collectors.cli.identity import facts_of
from collectors.cli.lines import IncompatibleError, Place, Secrets
from collectors.cli.logins import open_session
from collectors.cli.masking import masked
from collectors.cli.options import Options, Target, split_address
from collectors.cli.platforms import Command, Platform, Purpose, refusal_of
from collectors.cli.sessions import CutShortError, Session, decoded
from collectors.contract import Run, SourceError
from collectors.recordings import Failure
from collectors.ssh.kexinit import NoSshError, Offer, read_offer
from inventory.coverage import Status
from inventory.kinds.device_config import DeviceConfig

_RIGHTS = "给采集账号能看全部配置的只读权限（zhengguan doctor 列出各平台的做法）"
_HIDDEN = re.compile(r"ACCESS-DENIED|/\* OMITTED \*/")
_LATER = "稍后再试；多次如此则调大 command_seconds、device_seconds、output_mib"
_NO_ALGORITHM = (
    "升级设备软件或打开它的新算法；暂时不行，就在来源上写 client: openssh，并把要用的旧算法逐个写进 legacy"
)


class Answer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What came of one command: masked text, and how far it came."""

    purpose: Purpose
    command: str
    text: str = ""
    status: Status = Status.COMPLETE
    reason: str = ""
    remedy: str = ""


class Reading(msgspec.Struct, kw_only=True, omit_defaults=True):
    """All that was read of one device; it holds no secret. ``config``: the facts of its configuration, as
    a ``DeviceConfig`` without place."""

    target: str
    address: str = ""
    platform: str = ""
    prompt: str = ""
    offer: Offer | None = None
    host_key_verified: bool | None = None
    incompatible: bool = False
    answers: list[Answer] = msgspec.field(default_factory=list)
    config: DeviceConfig | None = None
    failure: Failure | None = None
    neighbour_targets: dict[str, str] = msgspec.field(default_factory=dict)  # host → target of the source

    def answer(self, purpose: Purpose) -> Answer | None:
        """What came of the command for a purpose; None where the platform has none, or nobody got to it."""
        return next((a for a in self.answers if a.purpose == purpose), None)

    def text(self, purpose: Purpose) -> str:
        """The text of a whole answer, "" where there is none."""
        found = self.answer(purpose)
        return found.text if found and found.status is Status.COMPLETE else ""


def place_of(target: str, address: str) -> Place:
    """Where a target is; ``address``: its host resolved."""
    host, port = split_address(target)
    return Place(target=target, host=host, port=port, address=address)


def read(target: Target, place: Place, logins: list[Secrets], options: Options, run: Run) -> Reading:
    """Read a device. Raises SourceError where it cannot be read at all, unless something was learned that
    is worth a row: then the reading has a ``failure``."""
    offer = offer_of(place, options, run)
    reading = Reading(
        target=target.address, address=place.address, offer=offer, host_key_verified=not options.insecure
    )
    try:
        session = open_session(place, logins, options, run, target.platform)
    except IncompatibleError:
        reading.incompatible = True
        reading.failure = Failure(
            reason=f"和设备没有共同的 SSH 算法。设备提供：{offer.told()}", remedy=_NO_ALGORITHM
        )
        return reading
    except CutShortError as error:
        raise SourceError(f"登录后{error.reason}", "检查设备的会话数上限和访问控制列表，稍后再试") from None
    try:
        reading.platform, reading.prompt = session.platform.name, decoded(session.prompt)
        ask_all(session, reading)
    finally:
        session.close()
    return reading


def offer_of(place: Place, options: Options, run: Run) -> Offer:
    """What the SSH server offers. Raises SourceError where none answers."""
    last = ""
    for _ in range(options.retries + 1):
        try:
            return read_offer((place.address, place.port), run.timeout(options.connect_seconds))
        except NoSshError as error:
            raise SourceError(f"{error}", "检查地址和端口：那里要有 SSH 服务") from None
        except TimeoutError:
            last = f"{options.connect_seconds:g} 秒内没有应答"
        except OSError as error:
            last = f"连不上：{error.strerror or error.__class__.__name__}"
    raise SourceError(last, "检查设备是否开机、地址和端口、SSH 服务是否打开、沿途和设备上的访问控制列表")


def ask_all(session: Session, reading: Reading) -> None:
    """Send the platform's commands one after the other, and put what came of them into the reading."""
    lost = configuration = ""
    for command in session.platform.commands:
        if command.where and not re.search(command.where, configuration):
            continue
        if lost:
            reading.answers.append(_not_asked(command, lost))
            continue
        answer, raw = Answer(purpose=command.purpose, command=command.text), ""
        try:
            raw = decoded(session.ask(command.text))
        except CutShortError as error:
            raw = decoded(error.partial)
            answer.status, answer.reason, answer.remedy = Status.PARTIAL, error.reason, _LATER
            lost = error.reason if error.lost else ""
        else:
            _judge_refusal(answer, raw, session)
        if command.purpose == "configuration":
            configuration = raw
            judge_configuration(answer, raw, session.platform, reading)
            reading.config = config_facts(session.platform, answer, raw, reading)
        answer.text = masked(raw)
        if command.purpose == "saved":
            answer.text = _judge_saved(session.platform, answer, configuration, raw, reading)
        reading.answers.append(answer)
    complete_config(reading)


def _judge_saved(platform: Platform, answer: Answer, running: str, saved: str, reading: Reading) -> str:
    """Set whether the running configuration is the saved one; what is kept of the saved one: the lines in
    which it differs, masked."""
    whole = reading.answer("configuration")
    if answer.status is not Status.COMPLETE or whole is None or whole.status is not Status.COMPLETE:
        return ""
    same, told = startup.compared(platform, running, saved)
    if reading.config is not None:
        reading.config.saved = same
    return told


def complete_config(reading: Reading) -> None:
    """Put what other commands tell of the configuration into its facts."""
    if reading.config is not None:
        told = {name: reading.text(name) for name in signatures.PURPOSES}
        reading.config = signatures.completed(reading.config, told)
        if reading.platform in startup.SAVED_BY_COMMIT and reading.config.complete is True:
            reading.config.saved = True


def _not_asked(command: Command, why: str) -> Answer:
    return Answer(
        purpose=command.purpose,
        command=command.text,
        status=Status.FAILED,
        reason=f"没有再问：{why}",
        remedy=_LATER,
    )


def _judge_refusal(answer: Answer, raw: str, session: Session) -> None:
    """A refused command is denied or unsupported. Some systems hide what an account may not do behind
    "unrecognized": of the configuration, which every device has, that is a denial."""
    refusal = refusal_of(raw)
    if refusal is None:
        return
    said = masked(" ".join(raw.split()))[:120]
    if refusal == "denied" or answer.purpose == "configuration":
        answer.status, answer.remedy = Status.DENIED, _RIGHTS
        answer.reason = f"设备不让账号 {session.user} 执行 {answer.command}：{said}"
    else:
        answer.status, answer.reason = Status.UNSUPPORTED, f"设备不认 {answer.command}：{said}"


def judge_configuration(answer: Answer, raw: str, platform: Platform, reading: Reading) -> None:
    """A configuration without its end, or seen by an account that may not see all of it, is not whole."""
    if answer.status is not Status.COMPLETE:
        return
    lines = [line.strip() for line in raw.splitlines() if line.strip()]
    if not lines:
        answer.status, answer.reason, answer.remedy = Status.DENIED, "设备没有给出配置", _RIGHTS
    elif platform.ending and not re.fullmatch(platform.ending, lines[-1]):
        answer.status, answer.reason = Status.PARTIAL, f"配置没有读到结尾（最后一行应是 {platform.ending}）"
        answer.remedy = _LATER
    elif platform.family == "junos" and _HIDDEN.search(raw):
        answer.status, answer.remedy = Status.PARTIAL, _RIGHTS
        answer.reason = "账号看不到配置的一部分（ACCESS-DENIED、OMITTED）"
    elif platform.full_level:
        level = re.search(r"(?i)privilege level is (\d+)", reading.text("privilege"))
        if level is None:
            answer.status, answer.remedy = Status.PARTIAL, _RIGHTS
            answer.reason = "看不出账号的权限级别，不能断定配置显示完整"
        elif level[1] != platform.full_level:
            answer.status, answer.remedy = Status.PARTIAL, _RIGHTS
            answer.reason = f"账号的权限级别是 {level[1]}，低于 {platform.full_level} 时设备只显示一部分配置"


def config_facts(platform: Platform, answer: Answer, raw: str, reading: Reading) -> DeviceConfig | None:
    """What the unmasked text of a configuration tells; None where there is none."""
    if answer.status not in (Status.COMPLETE, Status.PARTIAL) or not raw.strip():
        return None
    version = facts_of(platform, reading.text("version"), "").get("version", "")
    told = {"version": version}
    if reading.offer is not None and reading.offer.key_exchanges:
        told["ssh_ciphers"] = ",".join(reading.offer.ciphers)
        told["ssh_macs"] = ",".join(reading.offer.macs)
        told["ssh_key_exchanges"] = ",".join(reading.offer.key_exchanges)
    if answer.status is Status.PARTIAL:
        told["partial"] = "yes"
    name = {"frr_linux": "frr"}.get(platform.name, platform.name)
    fields: dict[str, Any] = facts.read(name, raw, told)
    return DeviceConfig(source="", native_id="", **fields)

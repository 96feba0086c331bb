"""The Linux machine this program runs on: host, accounts, listeners, interfaces, routes.

``reader`` does the I/O and nothing else; every other module turns bytes into fields. ``collect_from``
takes any reader, so that a recording (or another way to the machine) gives the same resources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import msgspec

from collectors.contract import Access, Run, Source, SourceError
from collectors.contract import Options as BaseOptions
from collectors.host.accounts import read_accounts
from collectors.host.alerts import read_alert_channels
from collectors.host.certificates import read_certificates
from collectors.host.evidence import chapter_evidence, table_evidence
from collectors.host.hardening import (
    file_integrity,
    intrusion_detection,
    malware_blocking,
    read_core_dumps,
    read_file_modes,
    read_graphical,
    read_history_size,
    read_signature_age,
    read_tools,
    read_trusted_boot,
)
from collectors.host.network import interfaces, ipv6_enabled
from collectors.host.notebook import Notebook, decode
from collectors.host.packages import read_updates
from collectors.host.policy import read_lockout, read_password_policy, read_session_timeout, read_umask
from collectors.host.processes import Processes, hidden, read_processes
from collectors.host.protection import (
    firewall,
    firewall_families,
    malware_protection,
    mandatory_access_control,
)
from collectors.host.reader import LocalReader, Reader, Refusal
from collectors.host.recording import RecordingReader, load
from collectors.host.routes import read_routes
from collectors.host.services import read_audit, read_time_sync
from collectors.host.sockets import read_listeners
from collectors.host.software import read_outdated_units, read_software
from collectors.host.ssh_sources import read_any_source
from collectors.host.sshd import read_ssh_server
from collectors.host.syslog import read_logging
from collectors.host.system import host_id, system_facts
from inventory.coverage import Batch, Status
from inventory.kinds import KINDS as KIND_TYPES
from inventory.kinds.host import Host
from inventory.resource import Resource

KINDS = ("host", "account", "listener", "interface", "route", "certificate")

PERMISSIONS = """\
普通用户即可运行；只读，不改任何文件，不联网。以 root 运行才能看到：
  /etc/shadow            账户口令状态、算法、有效期（口令散列本身从不保存）
  /etc/sudoers(.d)       谁有 sudo 权限
  sshd -T                SSH 服务的生效配置（普通用户只能读 sshd_config 文件）
  auditctl、/etc/audit   审计规则，是否锁定
  nft、iptables-save     防火墙规则
  /proc/*/fd             监听端口属于哪个程序
  dnf/yum 的缓存         待装更新
  服务配置里写的证书     证书文件（只取其中的证书块，私钥不读出）
没有这些权限时，相应字段记为“未知”，不影响其余内容；也可以只给个别文件授权（setfacl -m u:用户:r）。"""

_REMEDY_ROOT = "以 root 运行，或给运行账户授予这些文件的只读权限（zhengguan doctor 列出各项）"
_REMEDY_UNREADABLE = "检查这些文件和命令：超过 4 MiB、不是普通文件或命令超时的一律不读"
_REMEDY_CERTIFICATES = "检查这些证书文件和写它们的服务配置"
_SHOWN = 6  # refused paths named in a reason


class Options(BaseOptions):
    """``sshd_config``: path of the SSH server's configuration where it is not the usual one.
    ``recording``: of an earlier run, to be read instead of this machine."""

    PATHS: ClassVar[tuple[str, ...]] = ("recording",)

    sshd_config: str = ""
    recording: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sshd_config and not self.sshd_config.startswith("/"):
            raise ValueError("sshd_config 要写绝对路径")


class Reach(msgspec.Struct, kw_only=True):
    """How a machine is reached that is not this one. ``scope`` names it within its source, and is its id;
    ``host_key_verified`` as in ``Host``; ``remedies`` says for each kind what would show more (中文)."""

    scope: str
    host_key_verified: bool | None = None
    remedies: dict[str, str] = msgspec.field(default_factory=dict)


def collect(source: Source, run: Run) -> Iterator[Batch]:
    """Read this machine, or a recording. Raises SourceError where it is no Linux with /proc."""
    yield from collect_from(_reader(source, run), source, run)


def record(source: Source, run: Run, path: Path, note: str = "") -> list[Batch]:
    """Collect, and write a redacted recording that replays to the same."""
    reader = RecordingReader(_reader(source, run), run)
    batches = list(collect_from(reader, source, run))
    reader.write(path, note)
    return batches


def _reader(source: Source, run: Run) -> Reader:
    recording = source.options.recording if isinstance(source.options, Options) else ""
    return load(Path(recording)) if recording else LocalReader(run.timeout)


def collect_from(reader: Reader, source: Source, run: Run, reach: Reach | None = None) -> Iterator[Batch]:
    """Read a machine through a reader: one batch per kind, in the order of KINDS. ``reach`` is given where
    the machine is another one."""
    notebook = Notebook(reader)
    if not notebook.exists("/proc/sys/kernel"):
        raise SourceError("读不到 /proc：不是 Linux，或 /proc 没有挂载", "只能读 Linux，并且要挂载 /proc")
    options = source.options if isinstance(source.options, Options) else Options()
    machine = _Machine(notebook, source, run, options, reach)
    steps: tuple[tuple[str, Callable[[], Batch]], ...] = (
        ("主机", machine.host),
        ("账户", machine.accounts),
        ("监听端口", machine.listeners),
        ("网络接口", machine.interfaces),
        ("路由", machine.routes),
        ("证书文件", machine.certificates),
    )
    for done, (title, step) in enumerate(steps):
        run.remaining()
        if reach is None:  # of many machines read at once, who reads them tells
            run.progress(title, done, len(steps))
        yield step()


class _Machine:
    """One machine in one run: what the kinds share (its id, its processes) and the coverage of each."""

    def __init__(
        self, notebook: Notebook, source: Source, run: Run, options: Options, reach: Reach | None
    ) -> None:
        self.notebook, self.source, self.run, self.options = notebook, source, run, options
        self.reach = reach
        hostname = notebook.reader.read_file("/proc/sys/kernel/hostname")
        self.name = decode(hostname).strip()[:255] if isinstance(hostname, bytes) else "localhost"
        # A target names itself: machines cloned from one image often share their machine id.
        self.id = reach.scope if reach else host_id(notebook.reader.read_file("/etc/machine-id"), self.name)
        self._processes: Processes | None = None

    def processes(self) -> Processes:
        if self._processes is None:
            self._processes = read_processes(self.notebook)
        return self._processes

    def host(self) -> Batch:
        started, book = self.run.now(), self.notebook
        book.open_chapter()
        processes = self.processes()
        row = Host(
            source=self.source.name,
            native_id=self.id,
            name=self.name,
            labels=dict(self.source.labels),
            **system_facts(book),
            ssh=(ssh := read_ssh_server(book, processes, self.options.sshd_config)),
            password_policy=read_password_policy(book),
            lockout=read_lockout(book),
            session_timeout_seconds=read_session_timeout(book),
            umask=read_umask(book),
            time_sync=read_time_sync(book, processes),
            audit=read_audit(book, processes),
            logging=(log := read_logging(book, processes)),
            updates=read_updates(book, started),
            software=read_software(book),
            outdated_units=read_outdated_units(book),
            mandatory_access_control=mandatory_access_control(book),
            malware_protection=(agents := malware_protection(processes)),
            firewall=(packet_filter := firewall(book, processes)),
            firewall_families=firewall_families(book, packet_filter),
            ipv6_enabled=(ipv6 := ipv6_enabled(book)),
            trusted_boot=read_trusted_boot(book),
            file_modes=read_file_modes(book),
            malware_signatures_age_days=read_signature_age(book, agents, started),
            malware_blocking=malware_blocking(processes, agents),
            intrusion_detection=(watchers := intrusion_detection(processes)),
            alert_channels=read_alert_channels(book, processes, watchers, log.remote),
            file_integrity=file_integrity(book, processes),
            core_dumps_exposed=read_core_dumps(book),
            history_size=read_history_size(book),
            graphical=read_graphical(book, processes),
            development_tools=read_tools(book),
            host_key_verified=self.reach.host_key_verified if self.reach else None,
        )
        if ssh.installed is not False:
            ssh.any_source = read_any_source(book, ssh, packet_filter, ipv6)
        return self._batch("host", [row], Status.COMPLETE, started)

    def accounts(self) -> Batch:
        started, book = self.run.now(), self.notebook
        book.open_chapter()
        rows, gaps = read_accounts(book, self.id, self.source.name, self.source.labels, self.processes())
        if isinstance(rows, Refusal):
            return self._batch("account", [], _status(rows), started, ["/etc/passwd 读不到"])
        status = Status.PARTIAL if gaps else Status.COMPLETE
        return self._batch("account", rows, status, started, gaps)

    def listeners(self) -> Batch:
        started, book = self.run.now(), self.notebook
        book.open_chapter()
        rows, refused = read_listeners(book, self.processes(), self.id, self.source.name, self.source.labels)
        return self._refusable("listener", rows, refused, "/proc/net 的端口表读不全", started)

    def interfaces(self) -> Batch:
        started, book = self.run.now(), self.notebook
        book.open_chapter()
        place = (self.id, self.source.name, self.source.labels)
        rows = interfaces(book, read_routes(book, *place)[0], *place)
        refused = None if rows else Refusal.UNREADABLE
        return self._refusable("interface", rows, refused, "ip 命令和 /sys/class/net 都读不到接口", started)

    def routes(self) -> Batch:
        started, book = self.run.now(), self.notebook
        book.open_chapter()
        rows, refused = read_routes(book, self.id, self.source.name, self.source.labels)
        return self._refusable("route", rows, refused, "路由表读不全", started)

    def certificates(self) -> Batch:
        started, book = self.run.now(), self.notebook
        book.open_chapter()
        try:
            rows, whole = read_certificates(book, self.id, self.source.name, self.source.labels)
        except ModuleNotFoundError:
            batch = self._batch("certificate", [], Status.FAILED, started, ["没有装附加项 tls，证书解析不了"])
            return _remedied(batch, "pip install 'zhengguan[tls]'")
        batch = self._batch("certificate", rows, Status.COMPLETE if whole else Status.PARTIAL, started)
        return batch if whole or batch.collections[0].remedy else _remedied(batch, _REMEDY_CERTIFICATES)

    def _refusable(
        self, kind: str, rows: Sequence[Resource], refused: Refusal | None, reason: str, started: datetime
    ) -> Batch:
        if refused is None:
            return self._batch(kind, rows, Status.COMPLETE, started)
        status = Status.PARTIAL if rows else _status(refused)
        return self._batch(kind, rows, status, started, [reason])

    def _batch(
        self,
        kind: str,
        rows: Sequence[Resource],
        status: Status,
        started: datetime,
        reasons: Sequence[str] = (),
    ) -> Batch:
        """Rows with their coverage. A complete collection still says which fields are hidden and why."""
        book = self.notebook
        scope = self.reach.scope if self.reach else ""
        evidence = chapter_evidence(book, self.run, scope)
        if kind in ("account", "listener") or not evidence:
            evidence += table_evidence(rows, self.run, f"{scope} {KIND_TYPES[kind].TITLE}清单".strip())
        parts = [*reasons, *book.notes]
        parts += [f"无权读取：{_some(book.denied)}"] if book.denied else []
        parts += [f"读不出：{_some(book.unreadable)}"] if book.unreadable else []
        remedy = _REMEDY_UNREADABLE if book.unreadable else ""
        if not book.root:
            remedy = self.reach.remedies.get(kind, remedy) if self.reach else _REMEDY_ROOT
        for row in rows:
            row.scope = scope
        collection = self.run.collection(
            kind,
            status,
            started,
            scope=scope,
            count=len(rows),
            reason="；".join(parts),
            remedy=remedy if parts else "",
            evidence=[e.id for e in evidence],
        )
        return Batch(resources=list(rows), collections=[collection], evidence=evidence)


def _remedied(batch: Batch, remedy: str) -> Batch:
    batch.collections = [msgspec.structs.replace(one, remedy=remedy) for one in batch.collections]
    return batch


def _status(refused: Refusal) -> Status:
    return Status.DENIED if refused is Refusal.DENIED else Status.FAILED


def _some(paths: dict[str, None]) -> str:
    shown = "、".join(list(paths)[:_SHOWN])
    return shown if len(paths) <= _SHOWN else f"{shown} 等 {len(paths)} 处"


def probe(source: Source, run: Run) -> Iterator[Access]:
    """What this user may read, and what each missing permission hides."""
    reader = _reader(source, run)
    notebook = Notebook(reader)
    if not notebook.exists("/proc/sys/kernel"):
        raise SourceError("读不到 /proc：不是 Linux，或 /proc 没有挂载", "在 Linux 上运行，并挂载 /proc")
    root = reader.user_id == 0
    yield Access(
        subject="运行身份",
        ok=True,
        detail="root：全部内容可读" if root else f"普通用户（uid {reader.user_id}）：部分字段将为未知",
    )
    for path, what in (
        ("/etc/passwd", "账户清单"),
        ("/etc/shadow", "口令状态、算法和有效期"),
        ("/etc/sudoers", "sudo 权限"),
        ("/etc/ssh/sshd_config", "SSH 服务配置"),
        ("/etc/audit/audit.rules", "审计规则"),
    ):
        yield _access(f"{what}（{path}）", reader.read_file(path), f"{what}将为未知")
    for subject, what in (
        ("nft、iptables-save", "防火墙规则"),
        ("sshd -T", "SSH 生效配置"),
        ("/proc/*/fd", "端口所属程序"),
    ):
        yield Access(
            subject=f"{what}（{subject}）",
            ok=root,
            detail="" if root else f"{what}只有 root 可读，将为未知或不全",
            remedy="" if root else _REMEDY_ROOT,
        )
    if hidden(reader.read_file("/proc/mounts"), reader.user_id):
        yield Access(
            subject="进程列表",
            ok=False,
            detail="/proc 以 hidepid 挂载，服务状态将为未知",
            remedy=_REMEDY_ROOT,
        )


def _access(subject: str, answer: bytes | Refusal, hides: str) -> Access:
    if isinstance(answer, bytes):
        return Access(subject=subject, ok=True)
    if answer is Refusal.NOT_FOUND:
        return Access(subject=subject, ok=None, detail="本机没有这个文件")
    return Access(subject=subject, ok=False, detail=f"读不到：{hides}", remedy=_REMEDY_ROOT)

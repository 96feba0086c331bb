"""Serving: a scheduler that collects, and HTTP that only hands out what is ready.

A scrape never waits for a collection: pages are rendered once after each snapshot and then written as
they are. Binds to loopback unless told otherwise, and then wants TLS and a login.
"""

from __future__ import annotations

import base64
import gzip
import hmac
import ipaddress
import logging
import sys
import threading
import time
from datetime import datetime, timedelta
from functools import partial

import jinja2
import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector
from prometheus_client.exposition import generate_latest as text_of
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_of
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collectors.contract import Run, Source, SourceError, utc_now
from exporters.capacity import capacity_families
from exporters.exposition import Page, negotiate, wants_gzip
from exporters.families import ProgramFacts, families
from inventory.kinds import KINDS
from inventory.snapshot import Snapshot
from inventory.store import Store
from inventory.usage import Estate, usage_of
from policies.assessment import Assessment
from policies.verdict import SEVERITY_TITLE, Verdict
from zhengguan import __version__
from zhengguan.commands.check import as_json, grouped, score_line, share_of
from zhengguan.commands.report import (
    CAPACITY_FORMATS,
    FORMATS,
    render,
    render_capacity,
    render_ipv6,
    since_last,
)
from zhengguan.config import Config
from zhengguan.errors import UserError
from zhengguan.loop import (
    answers_of,
    assess_all,
    collect_into,
    earlier_of,
    readiness_of,
    rules_of,
    title_of,
)

log = logging.getLogger("zhengguan.serve")

_MEDIA = {
    "html": "text/html; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"x-frame-options", b"DENY"),
)
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class Ready(msgspec.Struct, kw_only=True):
    """Everything a request can be answered from; replaced whole after each snapshot."""

    snapshot: Snapshot
    assessments: list[Assessment]
    page: Page
    estate: Estate


class Program:
    """The running program: configuration, store, and what is ready to be served."""

    def __init__(self, config: Config, store: Store) -> None:
        self.config = config
        self.store = store
        self.ready: Ready | None = None
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.runs = Counter(
            "zhengguan_runs",
            "Collection runs of the scheduler by how they ended.",
            ["ended"],
            registry=self.registry,
        )
        self.run_seconds = Gauge(
            "zhengguan_run_duration_seconds", "Wall time of the last collection run.", registry=self.registry
        )

    def refresh(self) -> None:
        """Render everything anew from the store's latest snapshot, if it holds one."""
        if not self.store.snapshots():
            return
        snapshot = self.store.snapshot()
        assessments = assess_all(
            self.config, snapshot, systems=self.config.systems, answers=answers_of(self.store)
        )
        facts = ProgramFacts(
            version=__version__, source_labels={s.name: s.labels for s in self.config.sources}
        )
        estate = usage_of(snapshot)
        page = Page([*families(snapshot, assessments, facts), *capacity_families(estate)])
        self.ready = Ready(snapshot=snapshot, assessments=assessments, page=page, estate=estate)

    def collect(self) -> None:
        """One run over all sources. What fails is in the snapshot's coverage, or in the log."""
        began = time.monotonic()
        try:
            collected = collect_into(
                self.store,
                self.config.sources,
                concurrency=self.config.collect.concurrency,
                progress=lambda _: None,
            )
            self.refresh()
        except UserError as error:
            log.error("采集没有完成：%s", error.line())  # noqa: TRY400 - a line, not a trace
            self.runs.labels("failed").inc()
            return
        finally:
            self.run_seconds.set(time.monotonic() - began)
        unread = collected.unread()
        self.runs.labels("partial" if unread else "complete").inc()
        log.info(
            "快照 %s 已存%s",
            collected.info and collected.info.id,
            f"，没读全：{'、'.join(unread)}" if unread else "",
        )

    def next_run(self, now: datetime) -> datetime:
        """When to collect next: an interval after the last snapshot, at once where there is none."""
        taken = self.ready.snapshot.info.taken_at if self.ready else None
        return max(now, taken + timedelta(seconds=self.config.serve.interval_seconds)) if taken else now

    def schedule(self, stop: threading.Event) -> None:
        """Collect whenever it is time, until stopped."""
        due = self.next_run(utc_now())
        while not stop.wait(max(0.0, (due - utc_now()).total_seconds())):
            self.collect()
            due = utc_now() + timedelta(seconds=self.config.serve.interval_seconds)


def application(program: Program, login: tuple[str, str] | None, hosts: set[str] | None) -> Starlette:
    """The ASGI application. ``login`` is (user, password) or None; ``hosts`` restricts the Host header
    (against DNS rebinding where there is no login), None allows any."""
    routes = [
        Route("/", partial(_start, program)),
        Route("/metrics", partial(_metrics, program)),
        Route("/healthz", partial(_health, program)),
        Route("/api/assessments", partial(_assessments, program)),
        Route("/reports/miping/{system}.{form}", partial(_report, program, "miping")),
        Route("/reports/{system}.{form}", partial(_report, program, "dengbao")),
        Route("/capacity.{form}", partial(_capacity, program)),
        Route("/ipv6.{form}", partial(_ipv6, program)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(_Guard, login=login, hosts=hosts)])


class _Guard:
    """Host check, Basic login (RFC 7617), and headers that every answer carries."""

    def __init__(self, app: ASGIApp, login: tuple[str, str] | None, hosts: set[str] | None) -> None:
        self.app = app
        self.hosts = hosts
        self.expected = base64.b64encode(":".join(login).encode()) if login else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        refusal = self._refusal(headers)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        await (refusal or self.app)(scope, receive, guarded)

    def _refusal(self, headers: dict[bytes, bytes]) -> Response | None:
        host = headers.get(b"host", b"").decode("latin-1").rsplit(":", 1)[0] or "localhost"
        if self.hosts is not None and host not in self.hosts:
            return PlainTextResponse("unknown host\n", status_code=421)
        if self.expected is not None:
            scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
            if scheme.lower() != b"basic" or not hmac.compare_digest(given.strip(), self.expected):
                challenge = {"WWW-Authenticate": 'Basic realm="zhengguan", charset="UTF-8"'}
                return PlainTextResponse("login required\n", status_code=401, headers=challenge)
        return None


async def _metrics(program: Program, request: Request) -> Response:
    accept = request.headers.get("accept", "")
    encoding = request.headers.get("accept-encoding", "")
    form = negotiate(accept)
    render_own = openmetrics_of if form == "openmetrics" else text_of
    own: bytes = render_own(program.registry)
    own = own.removesuffix(b"# EOF\n")
    page = program.ready.page if program.ready else Page([])
    answer = page.answer(accept, encoding)
    chunks = [gzip.compress(own, 1, mtime=0) if wants_gzip(encoding) else own, *answer.chunks]
    return Response(b"".join(chunks), headers=answer.headers)


async def _health(program: Program, request: Request) -> Response:
    if program.ready is None:
        return PlainTextResponse("no snapshot yet\n", status_code=503)
    return PlainTextResponse("ok\n")


async def _assessments(program: Program, request: Request) -> Response:
    ready = program.ready
    data = [as_json(a) for a in ready.assessments] if ready else []
    return Response(
        msgspec.json.encode(msgspec.to_builtins(data, str_keys=True)), media_type="application/json"
    )


async def _report(program: Program, standard: str, request: Request) -> Response:
    system, form = request.path_params["system"], request.path_params["form"]
    assessments = program.ready.assessments if program.ready else []
    found = [a for a in assessments if (a.system.name, a.standard) == (system, standard)]
    if not found or form not in FORMATS:
        return JSONResponse({"error": "no such report"}, status_code=404)
    body = await run_in_threadpool(_rendered, program, found[0], form)
    headers = {"Content-Type": _MEDIA[form]}
    if form == "docx":
        name = system if standard == "dengbao" else f"{system}-{standard}"
        headers["Content-Disposition"] = f'attachment; filename="{name}.docx"'
    return Response(body, headers=headers)


async def _capacity(program: Program, request: Request) -> Response:
    form, ready = request.path_params["form"], program.ready
    if ready is None or form not in CAPACITY_FORMATS:
        return JSONResponse({"error": "no such report"}, status_code=404)
    headers = {"Content-Type": _MEDIA[form]}
    if form != "html":
        headers["Content-Disposition"] = f'attachment; filename="capacity.{form}"'
    return Response(await run_in_threadpool(render_capacity, form, ready.estate), headers=headers)


async def _ipv6(program: Program, request: Request) -> Response:
    form, ready = request.path_params["form"], program.ready
    if ready is None or form not in CAPACITY_FORMATS:
        return JSONResponse({"error": "no such report"}, status_code=404)
    headers = {"Content-Type": _MEDIA[form]}
    if form != "html":
        headers["Content-Disposition"] = f'attachment; filename="ipv6.{form}"'
    return Response(await run_in_threadpool(_readiness, program, ready.snapshot, form), headers=headers)


def _readiness(program: Program, snapshot: Snapshot, form: str) -> bytes:
    earlier = earlier_of(program.store, snapshot)
    return render_ipv6(form, readiness_of(program.config, snapshot, earlier=earlier))


def _rendered(program: Program, assessment: Assessment, form: str) -> bytes:
    ready = program.ready
    changes = since_last(program.store, ready.snapshot) if ready else []
    return render(form, assessment, changes, rules_of(program.config))


_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("zhengguan"), autoescape=True, undefined=jinja2.StrictUndefined
)


async def _start(program: Program, request: Request) -> Response:
    ready = program.ready
    html = _TEMPLATES.get_template("start.html.j2").render(
        version=__version__,
        snapshot=ready.snapshot if ready else None,
        kinds=[(KINDS[k].TITLE, len(ready.snapshot.of_kind(k))) for k in ready.snapshot.kinds()]
        if ready
        else [],
        systems=[_system_card(a) for a in ready.assessments] if ready else [],
        coverage=[c for c in ready.snapshot.collections if c.status.value != "complete"] if ready else [],
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": _PAGE_POLICY})


_REPORTS = {"dengbao": "/reports/", "miping": "/reports/miping/"}


def _system_card(assessment: Assessment) -> dict[str, object]:
    return {
        "system": assessment.system,
        "grade": str(assessment.system.graded),
        "standard": title_of(assessment),
        "report": _REPORTS[assessment.standard] + assessment.system.name
        if assessment.standard in _REPORTS
        else "",
        "indicators": [(i.title, share_of(i), i.verdict.label) for i in assessment.indicators if i.kind],
        "score": score_line(assessment),
        "counts": [(v.label, assessment.count(v)) for v in Verdict if assessment.count(v)],
        "high": [h.title for h in assessment.high_risks if h.state == "triggered"],
        "problems": [
            (SEVERITY_TITLE[g[0].severity], g[0].message, len(g)) for g in grouped(assessment.findings)[:8]
        ],
    }


class Address(msgspec.Struct, frozen=True):
    host: str
    port: int

    @property
    def loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def url(self, *, tls: bool) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if tls else 'http'}://{host}:{self.port}/"


def parse_listen(text: str) -> Address:
    """From "127.0.0.1:9870" or "[::1]:9870". Raises UserError."""
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not separator or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UserError(f"监听地址 {text!r} 看不懂", remedy="写成 127.0.0.1:9870 或 [::1]:9870")
    return Address(host, int(port))


def run(config: Config, store: Store, listen: str, *, collect: bool = True) -> None:
    """Serve until stopped. ``collect`` False serves the store as it is."""
    import uvicorn

    address = parse_listen(listen or config.serve.listen)
    login, tls = _protection(config, address)
    hosts = {"localhost", "127.0.0.1", "[::1]", address.host} if address.loopback and not login else None
    program = Program(config, store)
    program.refresh()
    stop = threading.Event()
    scheduler = threading.Thread(target=program.schedule, args=(stop,), name="scheduler", daemon=True)
    server = uvicorn.Server(
        uvicorn.Config(
            application(program, login, hosts),
            host=address.host,
            port=address.port,
            log_level="warning",
            server_header=False,
            ssl_certfile=tls[0] if tls else None,
            ssl_keyfile=tls[1] if tls else None,
        )
    )
    log.info("在 %s 提供服务", address.url(tls=bool(tls)))
    sys.stdout.flush()  # what was said before must be read while we serve, by a pipe too
    if collect:
        scheduler.start()
    try:
        server.run()
    except KeyboardInterrupt:  # uvicorn has shut down in order and hands the signal on
        log.info("已停止")
    except SystemExit as error:  # uvicorn's way to say that it could not bind
        raise UserError(
            f"不能监听 {listen or config.serve.listen}", remedy="端口可能被占用；换 --listen"
        ) from error
    finally:
        stop.set()


def _protection(config: Config, address: Address) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    """Login and TLS files; UserError where an address beyond loopback lacks one of them."""
    serve = config.serve
    tls = None
    if serve.tls_certificate and serve.tls_key:
        tls = (str(config.folder / serve.tls_certificate), str(config.folder / serve.tls_key))
    login = None
    if serve.user and serve.password_ref:
        try:
            login = (serve.user, Run(Source(name="serve", type="")).secret(serve.password_ref))
        except SourceError as error:
            raise UserError(error.reason, where=str(config.path), remedy=error.remedy) from error
    if not address.loopback and not (tls and login):
        raise UserError(
            f"{address.host} 不是本机地址，须同时配置 TLS 和登录",
            where=str(config.path),
            remedy="填写 serve 下的 tls_certificate、tls_key、user、password_ref，或改用 127.0.0.1",
        )
    return login, tls

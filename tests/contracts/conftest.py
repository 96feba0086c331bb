"""One estate per source type for the contract suite of collectors.

A registered type without an estate here fails the suite: a new collector comes with its estate.
"""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from dns import flags, message, rcode, rrset

from collectors.contract import REGISTRY, Source, collector

ROOT = Path(__file__).parents[2]
PLANTED = "Planted-in-the-source-7f3a"
LABELS = {"level": "市", "zone": "公用网络区"}


@dataclass
class Estate:
    """Sources of one type to try a collector on."""

    whole: Source
    """Read with everything the collector asks for."""
    narrow: Source | None = None
    """The same thing seen with a credential that may not see all of it; None where there is no such."""
    silent: Source | None = None
    """Something that takes connections and never answers; None where the source is no peer."""
    environ: dict[str, str] = field(default_factory=dict)
    planted: list[str] = field(default_factory=list)
    """Secrets that the source holds or the collector uses; none may come out again."""


def openstack(tmp_path: Path, stack: ExitStack) -> Estate:
    """Recordings of the lab, with secrets put back where users and clouds leave them."""
    day = ROOT / "tests" / "data" / "openstack" / "day2.jsonl.gz"
    lines = [json.loads(line) for line in gzip.decompress(day.read_bytes()).splitlines()]
    for line in lines[2:]:
        for rows in line["body"].values():
            for row in rows if isinstance(rows, list) else []:
                _plant(row)
    path = tmp_path / "planted.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))
    peer = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    reader = ROOT / "tests" / "data" / "openstack" / "project-reader.jsonl.gz"
    password = {"username": "u", "password_ref": "env:CLOUD_PASSWORD", "project": "p"}
    url = f"http://127.0.0.1:{peer.getsockname()[1]}/v3"
    return Estate(
        whole=_source("openstack", recording=str(path)),
        narrow=_source("openstack", recording=str(reader)),
        silent=_source("openstack", auth_url=url, **password),
        environ={"CLOUD_PASSWORD": f"{PLANTED}-password"},
        planted=[PLANTED, "UGxhbnRlZC1pbi10aGUtc291cmNl"],
    )


def _plant(row: dict[str, Any]) -> None:
    row["adminPass"] = f"{PLANTED}-adminPass"
    row["OS-EXT-SRV-ATTR:user_data"] = "UGxhbnRlZC1pbi10aGUtc291cmNl"  # base64, as nova answers it
    row["description"] = f"临时 password={PLANTED}-description"
    for name in ("metadata", "properties"):
        if isinstance(row.get(name), dict):
            row[name] |= {"root_password": f"{PLANTED}-metadata", "note": f"secret: {PLANTED}-note"}


def kubernetes(tmp_path: Path, stack: ExitStack) -> Estate:
    """Recordings of the lab, with secrets put where users leave them in a cluster."""
    folder = ROOT / "tests" / "data" / "kubernetes"
    lines = [
        json.loads(line)
        for line in gzip.decompress((folder / "new-admin.jsonl.gz").read_bytes()).splitlines()
    ]
    for line in lines[2:]:
        for item in (line.get("body") or {}).get("items") or []:
            _plant_object(item)
    path = tmp_path / "planted.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in lines).encode()))
    peer = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return Estate(
        whole=_source("kubernetes", recording=str(path)),
        narrow=_source(
            "kubernetes", recording=str(folder / "new-namespace-reader.jsonl.gz"), namespaces=["finance"]
        ),
        silent=_source(
            "kubernetes", server=f"https://127.0.0.1:{peer.getsockname()[1]}", token_ref="env:CLUSTER_TOKEN"
        ),
        environ={"CLUSTER_TOKEN": f"{PLANTED}-token"},
        planted=[PLANTED],
    )


def _plant_object(item: dict[str, Any]) -> None:
    meta = item["metadata"]
    (meta.get("labels") or {}).pop("level", None)  # an object's own label goes before the source's
    meta.setdefault("annotations", {})["kubectl.kubernetes.io/last-applied-configuration"] = f"{PLANTED}-copy"
    meta["annotations"]["note"] = f"{PLANTED}-note"
    meta["managedFields"] = [{"manager": f"{PLANTED}-manager"}]
    if isinstance(item.get("parameters"), dict):
        item["parameters"]["userKey"] = f"{PLANTED}-parameter"
    spec = item.get("spec") or {}
    spec = (spec.get("jobTemplate") or {}).get("spec") or spec
    for container in ((spec.get("template") or {}).get("spec") or spec).get("containers") or []:
        container.setdefault("env", []).append({"name": "DB_PASSWORD", "value": f"{PLANTED}-variable"})
        container["env"].append({"name": "HARMLESS", "value": f"{PLANTED}-harmless"})
        container["args"] = [f"--password={PLANTED}-argument", f"{PLANTED}-bare"]


def snmp(tmp_path: Path, stack: ExitStack) -> Estate:
    """A recorded switch; one that never answers; a community that is a secret."""
    folder = tmp_path / "snmprec"
    folder.mkdir()
    for name in ("huawei-s5720", "maipu-sm4200-16gef8ge-ac"):
        shutil.copy(ROOT / "tests" / "lab" / "snmprec" / f"{name}.snmprec", folder)
    peer = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    peer.bind(("127.0.0.1", 0))
    return Estate(
        whole=_source("snmp", recording=str(folder)),
        silent=_source("snmp", targets=[f"127.0.0.1:{peer.getsockname()[1]}"], community_ref="env:COMMUNITY"),
        environ={"COMMUNITY": f"{PLANTED}-community"},
        planted=[PLANTED],
    )


def linux(tmp_path: Path, stack: ExitStack) -> Estate:
    """Two recorded hosts, one with secrets where administrators leave them; a peer that never answers."""
    lines = []
    for target, name in (("10.0.0.1", "openeuler-22.03"), ("10.0.0.2:2222", "kylin-v10-user")):
        machine = json.loads((ROOT / "tests" / "data" / "host" / f"{name}.json").read_text(encoding="utf-8"))
        machine["files"]["/etc/rsyslog.conf"] = (
            f'action(type="omfwd" target="h" password="{PLANTED}-rsyslog")\n'
        )
        machine["files"]["/proc/77/comm"] = "backup\n"
        machine["files"]["/proc/77/cmdline"] = f"backup\0--key\0{PLANTED}-argument\0"
        lines.append({"target": target, "host_key_verified": True, "machine": machine})
    failed = {"target": "10.0.0.3", "failure": {"reason": "连不上"}}
    header = {"format": "zhengguan-linux-recording/1", "source": "contract-linux"}
    path = tmp_path / "hosts.gz"
    path.write_bytes(gzip.compress("\n".join(json.dumps(line) for line in (header, *lines, failed)).encode()))
    peer = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return Estate(
        whole=_source("linux", recording=str(path)),
        silent=_source(
            "linux",
            targets=[f"127.0.0.1:{peer.getsockname()[1]}"],
            user="zhengguan",
            password_ref="env:HOST_PASSWORD",
            timeout_seconds=1.0,
        ),
        environ={"HOST_PASSWORD": f"{PLANTED}-password"},
        planted=[PLANTED],
    )


def local(tmp_path: Path, stack: ExitStack) -> Estate:
    """The machine the tests run on; its password hashes are its secrets, where they can be read."""
    try:
        shadow = Path("/etc/shadow").read_text(encoding="utf-8").splitlines()
    except OSError:
        shadow = []
    hashes = [line.split(":")[1] for line in shadow if line.count(":") > 1]
    return Estate(whole=_source("local"), planted=[h for h in hashes if len(h) > 12])


def prometheus(tmp_path: Path, stack: ExitStack) -> Estate:
    """A peer that answers every query with two servers, one of them of nobody's; a token that it repeats."""
    secret = f"{PLANTED}-token"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ids = ("0f6b6310-cf50-443a-8499-a383b9bbc51c", "not-an-id")
            rows = [{"metric": {"uuid": id_, "note": secret}, "value": [1, "0.25"]} for id_ in ids]
            data = {"status": "success", "data": {"resultType": "vector", "result": rows}}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(data).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stack.callback(server.server_close)
    stack.callback(thread.join)
    stack.callback(server.shutdown)
    peer = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    options = {"bearer_ref": "env:PROMETHEUS_TOKEN", "of": ["cloud"], "presets": ["libvirt"]}
    return Estate(
        whole=_source("prometheus", url=f"http://127.0.0.1:{server.server_port}", **options),
        silent=_source("prometheus", url=f"http://127.0.0.1:{peer.getsockname()[1]}", **options),
        environ={"PROMETHEUS_TOKEN": secret},
        planted=[PLANTED],
    )


def logs(tmp_path: Path, stack: ExitStack) -> Estate:
    """A platform with one record of one host, that repeats the password it was asked with; one that never
    answers, and one that refuses."""
    secret = f"{PLANTED}-password"
    moment = {"value": 1.78e12, "note": secret}
    bucket = {"key": "web-1", "doc_count": 1, "latest": moment}
    search = {
        "timed_out": False,
        "_shards": {"total": 1, "failed": 0},
        "hits": {"total": {"value": 1}},
        "aggregations": {
            "past": {"doc_count": 1, "oldest": moment, "newest": moment},
            "half_year": {"doc_count": 0, "days": {"buckets": []}},
            "hosts_0": {"doc_count": 1, "sources": {"sum_other_doc_count": 0, "buckets": [bucket]}},
        },
    }
    root = {"version": {"number": "2.19.1", "distribution": "opensearch"}, "tagline": secret}
    answers = {"/": root, "/_cat": [{"index": "logs-1", "status": "open", "note": secret}]}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.removeprefix("/denied")
            denied = path != self.path
            answer = answers["/"] if path == "/" else answers["/_cat"] if "_cat" in path else search
            self.send_response(403 if denied else 200)
            self.end_headers()
            self.wfile.write(json.dumps({"error": "no"} if denied else answer).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stack.callback(server.server_close)
    stack.callback(thread.join)
    stack.callback(server.shutdown)
    peer = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    options = {"username": "reader", "password_ref": "env:LOGS_PASSWORD"}
    base = f"http://127.0.0.1:{server.server_port}"
    return Estate(
        whole=_source("logs", url=base, **options),
        narrow=_source("logs", url=f"{base}/denied", **options),
        silent=_source("logs", url=f"http://127.0.0.1:{peer.getsockname()[1]}", **options),
        environ={"LOGS_PASSWORD": secret},
        planted=[PLANTED],
    )


def ike(tmp_path: Path, stack: ExitStack) -> Estate:
    """A responder that refuses every proposal in words, of both versions; one that never answers."""
    quiet, peer = (stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2))
    for one in (quiet, peer):
        one.bind(("127.0.0.1", 0))

    def refuse(packet: bytes) -> bytes:
        second = packet[17] == 0x20
        body = (
            struct.pack(">BBHBBH", 0, 0, 8, 0, 0, 14)
            if second
            else struct.pack(">BBHIBBH", 0, 0, 12, 1, 1, 0, 14)
        )
        kind, exchange = (41, 34) if second else (11, 5)
        head = (packet[:8], b"responde", kind, packet[17], exchange, 0x20 if second else 0, 0, 28 + len(body))
        return struct.pack(">8s8sBBBBII", *head) + body

    def answer() -> None:
        with suppress(OSError):
            while True:
                packet, whence = peer.recvfrom(65535)
                peer.sendto(bytes(4) + refuse(packet[4:]), whence)

    threading.Thread(target=answer, daemon=True).start()
    return Estate(
        whole=_source(
            "ike", targets=[f"127.0.0.1:{peer.getsockname()[1]}"], questions_per_second=0, timeout_seconds=30
        ),
        silent=_source("ike", targets=[f"127.0.0.1:{quiet.getsockname()[1]}"], timeout_seconds=1.0),
    )


def ssh(tmp_path: Path, stack: ExitStack) -> Estate:
    """paramiko's server, which shows a host key; one that never answers."""
    import paramiko

    key = paramiko.ECDSAKey.generate()
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(key)
            transport.get_security_options().kex = ("curve25519-sha256@libssh.org",)
            transport.start_server(event=threading.Event(), server=paramiko.ServerInterface())

    stack.callback(server.shutdown, socket.SHUT_RDWR)
    threading.Thread(target=accept, daemon=True).start()
    peer = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return Estate(
        whole=_source("ssh", targets=[f"127.0.0.1:{server.getsockname()[1]}"]),
        silent=_source("ssh", targets=[f"127.0.0.1:{peer.getsockname()[1]}"], timeout_seconds=1.0),
    )


def tls(tmp_path: Path, stack: ExitStack) -> Estate:
    """A web server over TLS whose headers hold secrets; one that never answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
            self.send_header("Set-Cookie", f"session={PLANTED}-cookie")
            self.send_header("Referrer-Policy", f"token={PLANTED}-header")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # hellos that go no further

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    peer = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return Estate(
        whole=_source("tls", targets=[f"127.0.0.1:{server.server_port}"], http=True),
        silent=_source("tls", targets=[f"127.0.0.1:{peer.getsockname()[1]}"], timeout_seconds=1.0),
        planted=[PLANTED],
    )


def certificates(tmp_path: Path, stack: ExitStack) -> Estate:
    """A file with a certificate and its key, beside a key store; a secret between the blocks."""
    file = tmp_path / "server.pem"
    secrets = [line for line in file.read_text().splitlines()[1:] if not line.startswith("-----")][:2]
    file.write_bytes(f"password: {PLANTED}\n".encode() + file.read_bytes())
    (tmp_path / "store.p12").write_bytes(b"\x30\x82\x01\x00\x02\x01\x03" + PLANTED.encode())
    return Estate(
        whole=_source("certificates", paths=[str(file), str(tmp_path / "store.p12")]),
        planted=[PLANTED, *secrets],
    )


def register(tmp_path: Path, stack: ExitStack) -> Estate:
    """A folder of sheets with what must not be read: columns of persons, their numbers in a column that is, a
    password in a cell. One sheet has a row that cannot be read."""
    sheets = yaml.safe_load((ROOT / "tests" / "data" / "register" / "good.yaml").read_text(encoding="utf-8"))
    sheets["变更单"].append({"编号": "C-02", "变更对象": "无日期"})
    sheets["接入授权"][0]["对象"] = f"前置机 13912345678 11010519491231002X password={PLANTED}"
    for title, rows in sheets.items():
        headings = list(dict.fromkeys(heading for row in rows for heading in row))
        lines = [",".join([*headings, "姓名", "联系电话"])]
        lines += [",".join([*(str(row.get(h, "")) for h in headings), "李四丰", PLANTED]) for row in rows]
        (tmp_path / f"{title}.csv").write_text("\n".join(lines), encoding="gb18030")
    return Estate(
        whole=_source("register", path=str(tmp_path)),
        planted=[PLANTED, "13912345678", "11010519491231002X", "李四丰"],
    )


def cli(tmp_path: Path, stack: ExitStack) -> Estate:
    """A switch's outputs with secrets where configurations hold them; one whose configuration is denied."""
    folder = ROOT / "tests" / "data" / "cli" / "vrp"
    commands = {
        "version": "display version",
        "configuration": "display current-configuration",
        "interfaces": "display interface",
        "ipv6": "display ipv6 interface",
        "neighbours": "display lldp neighbor",
    }
    answers = [
        {
            "purpose": purpose,
            "command": command,
            "text": (folder / f"{command.replace(' ', '_')}.txt").read_text(encoding="utf-8"),
        }
        for purpose, command in commands.items()
    ]
    answers[1]["text"] = answers[1]["text"].replace("Planted", PLANTED).replace("to-city", f"key {PLANTED}")
    device = {"target": "core", "platform": "huawei_vrp", "prompt": "<CORE-SW1>", "host_key_verified": True}
    denied = {"status": "denied", "reason": f"password {PLANTED}", "remedy": "给权限", "text": ""}
    header = {"format": "zhengguan-cli-recording/1", "source": "contract-cli"}
    for name, second in (("whole", {}), ("narrow", denied)):
        lines = [header, {**device, "answers": [answers[0], answers[1] | second, *answers[2:]]}]
        content = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
        (tmp_path / name).write_bytes(gzip.compress(content.encode()))
    peer = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    login = {"user": "u", "password_ref": "env:DEVICE_PASSWORD"}
    return Estate(
        whole=_source("cli", recording=str(tmp_path / "whole")),
        narrow=_source("cli", recording=str(tmp_path / "narrow")),
        silent=_source("cli", targets=[f"127.0.0.1:{peer.getsockname()[1]}"], **login),
        environ={"DEVICE_PASSWORD": f"{PLANTED}-password"},
        planted=[PLANTED],
    )


def website(tmp_path: Path, stack: ExitStack) -> Estate:
    """A site on one address whose pages and headers hold secrets; one that never answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (
                f'<a href="http://u:{PLANTED}@other.gov.cn/">x</a><a href="/x?token={PLANTED}">y</a>'.encode()
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Set-Cookie", f"session={PLANTED}-cookie")
            self.send_header("Referrer-Policy", f"token={PLANTED}-header")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stack.callback(server.server_close)
    stack.callback(thread.join)
    stack.callback(server.shutdown)
    peer = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    quick: dict[str, Any] = {"tries": 2, "delay_seconds": 0.0, "ports": [server.server_port]}
    own = {"www.contract.gov.cn": ["127.0.0.1"], "other.gov.cn": ["127.0.0.1"]}
    return Estate(
        whole=_source(
            "website", sites=[f"http://www.contract.gov.cn:{server.server_port}/"], addresses=own, **quick
        ),
        silent=_source("website", sites=[f"http://127.0.0.1:{peer.getsockname()[1]}/"], **quick),
        planted=[PLANTED],
    )


def dns(tmp_path: Path, stack: ExitStack) -> Estate:
    """A server that is the resolver, and the root of a small DNS as well; one that never answers."""
    server = stack.enter_context(_bound())
    here = f"127.0.0.1:{server.getsockname()[1]}"
    threading.Thread(target=_serve_names, args=(server,), daemon=True).start()
    silent = stack.enter_context(_bound())
    quiet = f"127.0.0.1:{silent.getsockname()[1]}"
    names = ["www.example.gov.cn", "alias.example.gov.cn", "absent.example.gov.cn", "错.example.gov.cn"]
    return Estate(
        whole=_source("dns", names=names, resolvers=[here], root_servers=[here], lookups=1),
        silent=_source(
            "dns", names=names, resolvers=[quiet], root_servers=[quiet], timeout_seconds=0.5, retries=0
        ),
        planted=[PLANTED],
    )


def _bound() -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind(("127.0.0.1", 0))
    return bound


ZONE = {
    ("www.example.gov.cn.", "A"): "192.0.2.10",
    ("www.example.gov.cn.", "AAAA"): "2400:3200::10",
    ("www.example.gov.cn.", "TXT"): f"password={PLANTED}",
    ("alias.example.gov.cn.", "CNAME"): "www.example.gov.cn.",
}


def _serve_names(server: socket.socket) -> None:
    """Answer questions about ZONE until the socket is closed, with a text beside each that nobody asked for."""
    while True:
        try:
            wire, peer = server.recvfrom(4096)
        except OSError:
            return
        question = message.from_wire(wire)
        answer = message.make_response(question)
        answer.flags |= flags.AA
        name, kind = str(question.question[0].name), question.question[0].rdtype.name
        if not any(owner == name for owner, _ in ZONE) and name.count(".") > 3:
            answer.set_rcode(rcode.NXDOMAIN)
        for one in (kind, "CNAME"):
            if (name, one) in ZONE:
                answer.answer.append(rrset.from_text(name, 300, "IN", one, ZONE[name, one]))
        if name.startswith("alias.") and kind in ("A", "AAAA"):
            target = "www.example.gov.cn."
            answer.answer.append(rrset.from_text(target, 300, "IN", kind, ZONE[target, kind]))
        answer.additional.append(rrset.from_text("note.", 300, "IN", "TXT", f'"token={PLANTED}"'))
        server.sendto(answer.to_wire(), peer)


ESTATES: dict[str, Callable[[Path, ExitStack], Estate]] = {
    "certificates": certificates,
    "cli": cli,
    "dns": dns,
    "ike": ike,
    "kubernetes": kubernetes,
    "linux": linux,
    "local": local,
    "logs": logs,
    "openstack": openstack,
    "prometheus": prometheus,
    "register": register,
    "snmp": snmp,
    "ssh": ssh,
    "tls": tls,
    "website": website,
}


def _source(source_type: str, **options: Any) -> Source:
    return Source(
        name=f"contract-{source_type}",
        type=source_type,
        labels=dict(LABELS),
        options=collector(source_type).Options(**options),
        deadline_seconds=120,
    )


@pytest.fixture(scope="module", params=sorted(REGISTRY))
def source_type(request: pytest.FixtureRequest) -> str:
    """Every registered type in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def estate(
    source_type: str, tmp_path_factory: pytest.TempPathFactory, self_signed: bytes
) -> Iterator[Estate]:
    """The estate of the type."""
    assert source_type in ESTATES, f"source type {source_type} has no estate in tests/contracts/conftest.py"
    folder = tmp_path_factory.mktemp(source_type)
    (folder / "server.pem").write_bytes(self_signed)
    with ExitStack() as stack:
        yield ESTATES[source_type](folder, stack)

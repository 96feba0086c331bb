"""Sites of a real nginx in a network namespace of its own, IPv6 broken in another way on each; seen from a
second namespace. Each is told apart by its facts and its words, and by the rules that fire."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inventory.coverage import Batch, Status
from inventory.kinds.web import Visit, Website
from inventory.snapshot import Snapshot
from inventory.unknown import UNKNOWN
from policies.evaluate import evaluate
from policies.rules import BUILTIN, load_rule

pytestmark = pytest.mark.lab
ROOT = Path(__file__).parents[3]
NAMES = ("good", "noaddress", "closed", "dropped", "mtu", "other", "back", "certificate", "links", "wider")
"""The sites; the number of each is the last part of its addresses. What is wrong with it over IPv6 is its name."""
TIMED = {
    *("site-connect-slower-over-ipv6", "site-first-byte-slower-over-ipv6", "site-page-slower-over-ipv6"),
    *("site-download-slower-over-ipv6", "site-delayed-by-ipv6"),
}
"""Rules of which a busy machine decides."""
MTU = NAMES.index("mtu") + 10
PROGRAM = """\
import json, sys
import msgspec
from collectors import website
from collectors.contract import Run, Source
options = msgspec.convert(json.loads(sys.argv[1]), website.Options)
source = Source(name="sites", type="website", options=options, deadline_seconds=240)
batches = list(website.collect(source, Run(source)))
rows = [r for b in batches for r in b.resources]
print(msgspec.json.encode([rows, [c for b in batches for c in b.collections]]).decode())
"""
NGINX = """\
daemon off; user root; worker_processes 1; pid {folder}/pid; error_log {folder}/log;
events {{ worker_connections 256; }}
http {{
  access_log off; default_type text/html; charset utf-8;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  add_header X-Frame-Options DENY;
{servers}
}}
"""


def address(number: int, family: str) -> str:
    if family == "ipv4":
        return f"10.99.0.{number}"
    return f"fd00:5{'b' if number == MTU else 'a'}::{number}"


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


class Lab:
    """Two namespaces, and the sites in one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server, self.client = f"zgs{os.getpid()}", f"zgc{os.getpid()}"

    def ip(self, where: str, *words: str) -> None:
        run("ip", "-n", where, *words)

    def build(self, stack: ExitStack) -> None:
        for name in (self.server, self.client):
            run("ip", "netns", "add", name)
            stack.callback(run, "ip", "netns", "del", name)
            self.ip(name, "link", "set", "lo", "up")
        for link in ("a", "b"):
            self.ip(self.server, "link", "add", f"s{link}", "type", "veth", "peer", "name", f"c{link}",
                    "netns", self.client)  # fmt: skip
            self.ip(self.client, "-6", "addr", "add", f"fd00:5{link}::1/64", "dev", f"c{link}", "nodad")
            for where, device in ((self.server, f"s{link}"), (self.client, f"c{link}")):
                self.ip(where, "link", "set", device, "up")
        self.ip(self.client, "addr", "add", "10.99.0.1/24", "dev", "ca")
        for number, name in enumerate(NAMES, start=10):
            self.ip(self.server, "addr", "add", f"{address(number, 'ipv4')}/24", "dev", "sa")
            if name != "noaddress":
                device = "sb" if number == MTU else "sa"
                self.ip(
                    self.server, "-6", "addr", "add", f"{address(number, 'ipv6')}/64", "dev", device, "nodad"
                )
        # answers of this address leave nothing behind: no reset, no ICMP
        dropped = address(NAMES.index("dropped") + 10, "ipv6")
        self.ip(self.server, "-6", "rule", "add", "from", dropped, "blackhole")
        # what is longer than 1280 octets vanishes on the way, and nobody is told (large segments are cut up first,
        # since a veth lets them through whole)
        self.ip(self.server, "link", "set", "sb", "gso_max_segs", "1")
        self.ip(self.client, "link", "set", "cb", "mtu", "1280")
        self.ip(
            self.client,
            "-6",
            "route",
            "replace",
            "fd00:5b::/64",
            "dev",
            "cb",
            "metric",
            "1",
            "advmss",
            "1440",
        )

    def certificate(self, name: str, *names: str) -> None:
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", f"{self.folder}/{name}.key", "-out", f"{self.folder}/{name}.pem", "-days", "30",
            "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={','.join(f'DNS:{n}' for n in names)}")  # fmt: skip

    def configuration(self) -> str:
        body = "<h1>" + "政务服务 " * 2000 + "</h1>本网站支持IPv6"
        self.folder.chmod(0o755)
        for name in (*NAMES, "default"):
            root = self.folder / name
            root.mkdir()
            inner = (
                '<a href="http://inner.links.gov.cn/">栏目</a>'
                if name == "links"
                else '<a href="/second">栏目</a>'
            )
            (root / "index.html").write_text(
                "<p>Welcome to nginx!</p>" if name == "default" else f"{body}{inner}"
            )
            (root / "second").write_text("<p>二级</p>")
        self.certificate("site", "certificate.gov.cn")
        self.certificate("default", "localhost")
        servers = []
        for number, name in enumerate(NAMES, start=10):
            for family in ("ipv4", "ipv6"):
                if family == "ipv6" and name in ("noaddress", "closed"):
                    continue
                shown = address(number, family)
                shown = f"[{shown}]" if family == "ipv6" else shown
                root = "default" if (name, family) == ("other", "ipv6") else name
                listen, more = f"{shown}:80", ""
                if name == "certificate":
                    held = "site" if family == "ipv4" else "default"
                    listen = f"{shown}:443 ssl"
                    more = f"ssl_certificate {held}.pem; ssl_certificate_key {held}.key;"
                if (name, family) == ("back", "ipv6"):
                    more = "return 302 http://old.back.gov.cn/;"
                if (name, family) == ("wider", "ipv6"):
                    more = f"listen {shown}:8080; add_header X-Content-Type-Options nosniff;"
                servers.append(f"server {{ listen {listen}; root {self.folder}/{root}; {more} }}")
        return NGINX.format(folder=self.folder, servers="\n".join(servers))

    def serve(self, stack: ExitStack) -> None:
        nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert nginx, "apt-get install nginx-light"
        configuration = self.folder / "nginx.conf"
        configuration.write_text(self.configuration())
        command = [
            "ip",
            "netns",
            "exec",
            self.server,
            nginx,
            "-c",
            str(configuration),
            "-p",
            str(self.folder),
        ]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)
        ends = time.monotonic() + 60
        while not (self.folder / "pid").exists():
            assert process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < ends, "nginx did not start"
            time.sleep(0.05)

    def collect(self, names: tuple[str, ...]) -> tuple[dict[str, Website], dict[str, Any]]:
        """Rows and collections by the site's name, as the program sees them in the client's namespace."""
        fixed = {
            f"{name}.gov.cn": [address(n, f) for f in ("ipv4", "ipv6") if (name, f) != ("noaddress", "ipv6")]
            for n, name in enumerate(NAMES, start=10)
        }
        fixed["old.back.gov.cn"] = fixed["back.gov.cn"][:1]
        fixed["inner.links.gov.cn"] = fixed["links.gov.cn"][:1]
        sites = [f"http{'s' if name == 'certificate' else ''}://{name}.gov.cn/" for name in names]
        options = {
            "sites": sites, "addresses": fixed, "tries": 2, "delay_seconds": 0, "ports": [80, 443, 8080],
            "timeout_seconds": 5, "page_seconds": 8, "ca_file": str(self.folder / "site.pem"), "site_seconds": 120,
        }  # fmt: skip
        command = [
            "ip",
            "netns",
            "exec",
            self.client,
            sys.executable,
            "-c",
            PROGRAM,
            msgspec.json.encode(options).decode(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        rows, collections = msgspec.json.decode(done.stdout)
        told = [msgspec.convert(row, Website) for row in rows]
        held = {str(c["scope"]).split("//")[1].split(".")[0]: c for c in collections}
        return {str(row.host).split(".")[0]: row for row in told}, held


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    assert shutil.which("ip"), "apt-get install iproute2"
    with ExitStack() as stack:
        made = Lab(tmp_path_factory.mktemp("sites"))
        made.build(stack)
        made.serve(stack)
        yield made


@pytest.fixture(scope="module")
def seen(lab: Lab) -> tuple[dict[str, Website], dict[str, Any]]:
    return lab.collect(NAMES)


@pytest.fixture(scope="module")
def fired(seen: tuple[dict[str, Website], dict[str, Any]]) -> dict[str, set[str]]:
    """Site → rules that found something."""
    rules = [load_rule(path) for path in sorted((BUILTIN / "website").glob("*.yaml"))]
    now = datetime.now(UTC)
    snapshot = Snapshot.of_batches([Batch(resources=list(seen[0].values()))], now)
    found: dict[str, set[str]] = {name: set() for name in seen[0]}
    for outcome in evaluate(rules, snapshot, now=now):
        for finding in outcome.findings:
            if outcome.rule.id not in TIMED:
                found[str(finding.uid).split("//")[1].split(".")[0]].add(outcome.rule.id)
    return found


@pytest.fixture
def six(seen: tuple[dict[str, Website], dict[str, Any]]) -> Callable[[str], Visit]:
    def of(name: str) -> Visit:
        visits = seen[0][name].visits
        assert isinstance(visits, list)
        assert visits[0].ok is True  # IPv4 is in order everywhere
        return visits[1]

    return of


@pytest.mark.parametrize(
    ("name", "ok", "problem"),
    [
        ("good", True, None),
        ("noaddress", False, "域名没有 IPv6 地址"),
        ("closed", False, "连接被拒绝：端口没有监听，或被防火墙拒绝"),
        ("dropped", False, "连接超时：报文有去无回，被丢弃"),
        ("mtu", False, "小报文能通、大报文不通：路径 MTU 黑洞"),
        ("other", True, None),
        ("back", False, "跳转到 old.back.gov.cn 之后：该主机没有 IPv6 地址"),
        ("certificate", True, None),
        ("links", True, None),
        ("wider", True, None),
    ],
)
def test_each_is_told_in_its_own_words(
    six: Callable[[str], Visit], name: str, ok: bool, problem: str | None
) -> None:
    assert (six(name).ok, six(name).problem) == (ok, problem)


def test_facts_that_no_word_tells(
    seen: tuple[dict[str, Website], dict[str, Any]], six: Callable[[str], Visit]
) -> None:
    sites = seen[0]
    assert six("noaddress").address is None
    assert six("closed").address == address(12, "ipv6")
    assert sites["other"].similarity < 0.5 <= sites["good"].similarity == 1.0
    assert six("certificate").certificate_problem
    assert sites["certificate"].visits[0].certificate_problem is None
    assert [(str(link.url), link.ipv6) for link in sites["links"].links] == [
        ("http://inner.links.gov.cn/", False)
    ]
    assert [link.ipv6 for link in sites["good"].links] == [True]
    assert six("wider").open_ports == [80, 8080]
    assert isinstance(sites["dropped"].delay_ms, float)  # the browser comes in over IPv4, in the end
    assert sites["mtu"].quality[1].loss == 0.0  # connections come about
    assert {c["status"] for c in seen[1].values()} == {"complete"}


def test_the_rules_tell_each_from_the_others(fired: dict[str, set[str]]) -> None:
    unreachable = "site-unreachable-over-ipv6"
    wrongly = {unreachable, "site-claims-ipv6-wrongly", "site-ipv6-visits-fail"}
    level2 = "site-level2-links-without-ipv6"
    assert fired["good"] == set()
    assert fired["noaddress"] >= {unreachable, level2}
    assert fired["closed"] >= {*wrongly, level2}
    assert fired["dropped"] >= {*wrongly, level2}
    assert fired["mtu"] >= wrongly
    assert fired["back"] >= {unreachable}
    assert fired["other"] == {"site-content-differs-over-ipv6"}
    assert fired["certificate"] == {"site-tls-differs-over-ipv6"}
    assert fired["links"] == {level2}
    assert fired["wider"] == {"site-ports-wider-over-ipv6", "site-headers-missing-over-ipv6"}


def test_a_machine_without_ipv6_blames_no_site(lab: Lab) -> None:
    """Last: it takes IPv6 from the client."""
    for device in ("ca", "cb"):
        lab.ip(lab.client, "-6", "addr", "flush", "dev", device)
    sites, collections = lab.collect(("good", "noaddress"))
    visit = sites["good"].visits[1]
    assert (visit.ok is UNKNOWN, visit.problem) == (True, "采集机没有 IPv6，没有访问")
    assert collections["good"]["status"] == Status.PARTIAL.value
    assert collections["good"]["reason"].startswith("采集机没有 IPv6")
    assert sites["noaddress"].visits[1].ok is False  # that the name has no address is seen all the same

"""Each built-in rule fires on a seeded bad case and is silent on a seeded good one, through the real collectors.

`ESTATES` are what is collected: the labs, servers started for this, recordings. All are read by the program's own
loop into one store, and all rules run over it once. What cannot be shown so stands in docs/rules-shown.md with the
reason, and the list must be exact: a rule missing there and one that need not be there both fail.

To show a new rule, seed its cases where the others of its kind are (docs/development.md, "Rules shown"); until
somebody does, it needs its line in the list.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from collectors.cli import facts, signatures, startup
from collectors.cli import recording as recordings
from collectors.cli.platforms import PLATFORMS, Purpose
from collectors.cli.reading import Answer, Reading
from collectors.contract import Run, Source, collector, utc_now
from collectors.recordings import Header
from collectors.register.layout import SHEETS
from collectors.things import Thing
from inventory.coverage import Batch
from inventory.decoding import from_json
from inventory.kinds.device_config import DeviceConfig
from inventory.kinds.web import Website
from inventory.snapshot import Snapshot
from inventory.store import open_store
from inventory.unknown import Maybe
from policies.evaluate import evaluate
from policies.outcome import Outcome
from policies.rules import load_rules
from zhengguan.loop import collect_into

TESTS = Path(__file__).parents[1]
LAB = TESTS / "lab"
DEMO = TESTS.parent / "zhengguan" / "data" / "demo"
LIST = TESTS.parent / "docs" / "rules-shown.md"
RECORDED = datetime(2026, 11, 23, 2, tzinfo=UTC)  # composed hosts date their accounts by this day
UNREGISTERED = {"grade": "S3A3"}
LABELS = {
    **UNREGISTERED,
    "zone": "互联网区",
    "department": "市大数据局",
    "level": "市",
    "location": "政务云机房",
    "importance": "关键",
}
SECRETS = {"COMMUNITY": "public", "AUTH": "authentication-secret", "PRIV": "privacy-secret"}


@dataclass
class Place:
    """What an estate may use: a folder of its own, the Kubernetes labs, and a stack for what it starts."""

    folder: Path
    kubes: list[Any]
    stack: ExitStack = field(default_factory=ExitStack)

    def started(self, *command: str) -> list[str]:
        """Start a helper of tests/lab that ends with the estate; the lines it prints until READY, and that."""
        process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
        self.stack.callback(process.wait, 20)
        self.stack.callback(process.terminate)
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            if line.startswith("READY"):
                return lines
        raise AssertionError(command)


def source(name: str, kind: str, labels: dict[str, str] = LABELS, **options: Any) -> Source:
    """A source as the configuration would make it."""
    return Source(
        name=name, type=kind, labels=labels, options=msgspec.convert(options, collector(kind).Options)
    )


def demo(place: Place) -> Iterator[Source]:
    """Both days of the demo's cloud, its cluster and its devices."""
    for day in ("day1", "day2"):
        yield source(f"demo-{day}", "openstack", recording=str(DEMO / "openstack" / f"{day}.jsonl.gz"))
    yield source("demo-cluster", "kubernetes", recording=str(DEMO / "kubernetes" / "cluster.jsonl.gz"))
    yield source("demo-net", "snmp", recording=str(DEMO / "snmp"))


def hosts(place: Place) -> Iterator[Source]:
    """The machines of tests/data/host, as recordings that the collector replays; and one of them again with a
    packet filter for IPv4 alone."""
    texts = {p.stem: p.read_text(encoding="utf-8") for p in (TESTS / "data" / "host").glob("*.json")}
    texts["one-family"] = texts["composed-strong"].replace(r"\"family\": \"inet\"", r"\"family\": \"ip\"")
    for name, text in sorted(texts.items()):
        header = {"format": "zhengguan-local-recording/1", "source": name}
        machine = json.dumps(json.loads(text))  # on one line
        recording = place.folder / f"{name}.jsonl.gz"
        recording.write_bytes(gzip.compress(f"{json.dumps(header)}\n{machine}\n".encode()))
        labels = UNREGISTERED if "weak" in name else LABELS
        yield source(f"host-{name}", "local", labels, recording=str(recording))


def registers(place: Place) -> Iterator[Source]:
    """Registers of an office: in order, not in order, and without rows."""
    held = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((TESTS / "data" / "register").glob("*.yaml"))
    }
    for name, sheets in {**held, "empty": {}}.items():
        folder = place.folder / f"register-{name}"
        folder.mkdir()
        for sheet in SHEETS:
            headings = ["编号", *(column.heading for column in sheet.columns)]
            with (folder / f"{sheet.title}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, headings)
                writer.writeheader()
                writer.writerows(sheets.get(sheet.title, ()))
        yield source(f"register-{name}", "register", path=str(folder))


def devices(place: Place) -> Iterator[Source]:
    """Recordings of real devices, more than the demo has."""
    yield source("devices", "snmp", recording=str(LAB / "snmprec"))


def tunnels(place: Place) -> Iterator[Source]:
    """Recordings of sshd and strongSwan, good and bad."""
    yield source("sshd", "ssh", recording=str(TESTS / "data" / "ssh" / "sshd.jsonl.gz"))
    yield source("strongswan", "ike", recording=str(TESTS / "data" / "ike" / "strongswan.jsonl.gz"))


def changed_devices(place: Place) -> Iterator[Source]:
    """Recordings of real devices with single answers changed: states that only a broken device has."""
    changes = yaml.safe_load((TESTS / "data" / "snmp" / "changed.yaml").read_text(encoding="utf-8"))
    folder = place.folder / "changed"
    folder.mkdir()
    for name, change in changes.items():
        wanted = {oid: f"{oid}|{answer}" for oid, answer in change["answers"].items()}
        text = (LAB / "snmprec" / f"{change['recording']}.snmprec").read_bytes().decode("latin1")
        lines = [wanted.pop(line.partition("|")[0], line) for line in text.splitlines()]
        lines = sorted((line for line in [*lines, *wanted.values()] if "|" in line), key=_oid)
        (folder / f"{name}.snmprec").write_bytes("\n".join(lines).encode("latin1"))
    yield source("changed-net", "snmp", UNREGISTERED, recording=str(folder))


def _oid(line: str) -> list[int]:
    return [int(part) for part in line.partition("|")[0].split(".")]


def rewritten(recording: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> str:
    """A recording with its lines changed, all but the header; where it is."""
    header, *lines = gzip.decompress(recording.read_bytes()).splitlines()
    told = [json.loads(line) for line in lines]
    for line in told:
        change(line)
    target.write_bytes(
        gzip.compress(b"\n".join([header, *(json.dumps(line).encode() for line in told)]) + b"\n")
    )
    return str(target)


def changed_cloud(place: Place) -> Iterator[Source]:
    """The demo's cloud as no lab on loopback is: a catalogue of https addresses, the platform's own apart from the
    customers', a default volume type that encrypts; a server's snapshot that is public; without a key
    manager; and a security group that lets IPv6 out anywhere."""

    ids: dict[str, str] = {}

    def change(line: dict[str, Any]) -> None:
        if "catalogue" in line:
            line["verified"] = True
            line["catalogue"] = [entry for entry in line["catalogue"] if entry["type"] != "key-manager"]
            for end in (end for entry in line["catalogue"] for end in entry["endpoints"]):
                host = (
                    "cloud.example.gov.cn"
                    if end["interface"] == "public"
                    else "cloud.internal.example.gov.cn"
                )
                end["url"] = f"https://{host}/{end['url'].partition('//')[2].partition('/')[2]}"
        for one in line["body"].get("images", ()) if line.get("path", "").startswith("/images") else ():
            if one.get("image_type") == "snapshot":
                one["visibility"] = "public"
        if line.get("path") == "/security-groups":  # one that bounds where IPv4 goes, and not IPv6
            group = line["body"]["security_groups"][0]
            common = {"direction": "egress", "protocol": "tcp", "port_range_min": 443, "port_range_max": 443}
            group["security_group_rules"] = [
                {
                    "id": family,
                    "ethertype": family,
                    "remote_ip_prefix": prefix,
                    "remote_group_id": None,
                    **common,
                }
                for family, prefix in (("IPv4", "10.0.0.0/8"), ("IPv6", "::/0"))
            ]
        if line.get("path") == "/types":
            ids.update((one["name"], one["id"]) for one in line["body"]["volume_types"])
        if line.get("path") == "/types/default":
            line["body"]["volume_type"]["id"] = ids["ssd-luks-aes"]

    changed = rewritten(DEMO / "openstack" / "day2.jsonl.gz", place.folder / "cloud.jsonl.gz", change)
    yield source("changed-cloud", "openstack", UNREGISTERED, recording=changed)


def unfiltered_cloud(place: Place) -> Iterator[Source]:
    """What was done to servers of late, as recorded; and that cloud without security groups."""
    recording = TESTS / "data" / "openstack" / "lately-admin.jsonl.gz"
    yield source("lately", "openstack", recording=str(recording))

    def change(line: dict[str, Any]) -> None:
        if line.get("path") == "/extensions":
            loaded = line["body"]["extensions"]
            line["body"]["extensions"] = [one for one in loaded if one["alias"] != "security-group"]

    changed = rewritten(recording, place.folder / "unfiltered.jsonl.gz", change)
    yield source("unfiltered-cloud", "openstack", recording=changed)


def closed_cloud(place: Place) -> Iterator[Source]:
    """The demo's cloud without networks, and with no interface for customers."""

    def change(line: dict[str, Any]) -> None:
        if "catalogue" in line:
            line["interface"] = "internal"
            line["catalogue"] = [entry for entry in line["catalogue"] if entry["type"] != "network"]
            for entry in line["catalogue"]:
                entry["endpoints"] = [end for end in entry["endpoints"] if end["interface"] != "public"]

    changed = rewritten(DEMO / "openstack" / "day2.jsonl.gz", place.folder / "closed.jsonl.gz", change)
    yield source("closed-cloud", "openstack", recording=changed)


def changed_cluster(place: Place) -> Iterator[Source]:
    """The new lab's recording as a cluster that nobody enters without a name, of a version with patches, with one
    control plane node, without IPv6, and in which no admission looks at pods."""

    def change(line: dict[str, Any]) -> None:
        path, body = line.get("path", ""), line.get("body")
        if path.endswith("bindings") and "admission" not in path:
            left = ("metrics-for-all", "anonymous-reads")
            body["items"] = [one for one in body["items"] if one["metadata"]["name"] not in left]
        elif path == "/version":
            body["gitVersion"] = "v1.35.2"
        elif "/admissionregistration.k8s.io/v1/" in path:
            body["items"] = []
        elif path.endswith("/networkpolicies"):
            outside = [{"ipBlock": {"cidr": "::/0"}}]
            bounded = ({"cidr": "10.0.0.0/8"}, {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]})
            for one, block in zip(body["items"][:2], bounded, strict=True):
                one["spec"] |= {"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": block}, *outside]}]}
        elif path == "/api/v1/nodes":
            for one in body["items"][1:]:
                labels = one["metadata"]["labels"]
                one["metadata"]["labels"] = {k: v for k, v in labels.items() if "node-role" not in k}
        elif path == "/api/v1/services":
            for one in body["items"]:
                held = one["spec"].get("clusterIPs", [])
                one["spec"]["clusterIPs"] = [a for a in held if ":" not in a] or ["None"]
                one["spec"]["ipFamilies"] = ["IPv4"]
        elif path == "/api/v1/namespaces":
            for one in body["items"]:
                labels = one["metadata"].get("labels", {})
                one["metadata"]["labels"] = {k: v for k, v in labels.items() if "pod-security" not in k}

    recording = TESTS / "data" / "kubernetes" / "new-admin.jsonl.gz"
    yield source(
        "changed-cluster",
        "kubernetes",
        UNREGISTERED,
        recording=rewritten(recording, place.folder / "c.jsonl.gz", change),
    )


def configurations(place: Place) -> Iterator[Batch]:
    """The composed configurations of network devices in tests/data/cli, through the parser, with what their
    devices display of libraries of signatures."""
    for path in sorted((TESTS / "data" / "cli").glob("*.cfg")):
        fields = facts.read(path.stem.rpartition("-")[0], path.read_text(encoding="utf-8"), {})
        config = DeviceConfig(source="cli", native_id=path.stem, name=path.stem, **fields)
        shown = {name: path.with_suffix(f".{name}.txt") for name in signatures.PURPOSES}
        told = {name: one.read_text(encoding="utf-8") for name, one in shown.items() if one.exists()}
        config = signatures.completed(config, told)
        config.saved = _started_with(path)
        yield Batch(resources=[config])


def _started_with(path: Path) -> Maybe[bool]:
    """Whether a composed configuration is the saved one, where the same stands there for a good one, and one
    with a line less for a bad one."""
    platform, _, quality = path.stem.rpartition("-")
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    saved = {"good": text, "bad": "".join([*lines[:5], *lines[6:]])}.get(quality, "")
    return startup.compared(PLATFORMS[platform], text, saved)[0]


def pairs(place: Place) -> Iterator[Source]:
    """Composed switches with two lines put together: both up, and one down."""
    shown = TESTS / "data" / "cli" / "vrp"
    ports = "".join(f"interface GigabitEthernet0/0/{n}\n eth-trunk 1\n#\n" for n in (1, 2))
    told = {
        name: (shown / f"display_{name}.txt").read_text(encoding="utf-8") for name in ("version", "interface")
    }
    readings = []
    for name, state in (("both", "UP"), ("one", "DOWN")):
        interface = told["interface"].replace("Administratively DOWN", state)
        texts: tuple[tuple[Purpose, str, str], ...] = (
            ("version", "display version", told["version"]),
            ("configuration", "display current-configuration", f"sysname {name}\n#\n{ports}return\n"),
            ("interfaces", "display interface", interface),
        )
        answers = [Answer(purpose=p, command=c, text=text) for p, c, text in texts]
        readings.append(Reading(target=name, platform="huawei_vrp", answers=answers))
    path = place.folder / "pairs.jsonl.gz"
    recordings.write(path, Header(format=recordings.FORMAT, source="pairs"), readings, str)
    yield source("pairs", "cli", recording=str(path))


def shells(place: Place) -> Iterator[Batch]:
    """A recording of sshd with a command line behind it: current algorithms, old ones too, old ones alone (that one
    cannot be logged in to, and its other kinds have failed); and one whose version was changed to 1.99."""
    own = source("shells", "cli", recording=str(TESTS / "data" / "cli" / "sshd.jsonl.gz"))
    yield from collector("cli").collect(own, Run(own))


def loads(place: Place) -> Iterator[Batch]:
    """A month of devices in a real Prometheus, recorded; what other sources had seen of them stands beside it."""
    data = TESTS / "data" / "prometheus"
    things = from_json((data / "month-things.json").read_bytes(), list[Thing])
    asked = {"presets": [], "load": {"everything": True, "series_at_once": 4, "step_minutes": 15}}
    options = {"recording": str(data / "month.jsonl.gz"), **asked}
    wanted = source("loads", "prometheus", **options)
    yield from collector("prometheus").collect(wanted, Run(wanted, things=lambda: things))


def copies(place: Place) -> Iterator[Batch]:
    """A real Ceph in three states, asked of a real Prometheus, recorded."""
    states = [
        {"cloud": "gov", "labels": {"job": state}, "everything": True}
        for state in ("healthy", "thin", "degraded")
    ]
    recording = TESTS / "data" / "prometheus" / "ceph" / "asked.jsonl.gz"
    options = {"recording": str(recording), "presets": [], "load": {"days": 0}, "ceph": states}
    wanted = source("copies", "prometheus", **options)
    cloud = Thing("gov/cloud/gov", "gov", "cloud", "gov", ("gov",))
    yield from collector("prometheus").collect(wanted, Run(wanted, things=lambda: [cloud]))


def watched(place: Place) -> Iterator[Batch]:
    """A real Prometheus that watches all of a cloud, and one that does not, recorded."""
    data = TESTS / "data" / "prometheus"
    things = from_json((data / "watched-things.json").read_bytes(), list[Thing])
    clouds = [{"cloud": "gov", "everything": ["hypervisor", "server", "virtual_device"]}]
    for name in ("whole", "holes"):
        recording = str(data / f"watched-{name}.jsonl.gz")
        options = {"recording": recording, "presets": [], "load": {"days": 0}, "clouds": clouds}
        wanted = source(f"watched-{name}", "prometheus", **options)
        yield from collector("prometheus").collect(wanted, Run(wanted, things=lambda: things))


def kept_logs(place: Place) -> Iterator[Batch]:
    """A real OpenSearch that keeps half a year of a small estate, and what is left of it otherwise, recorded."""
    data = TESTS / "data" / "logs"
    things = [Thing(*row) for row in from_json((data / "things.json").read_bytes(), list[list[Any]])]
    for name in ("whole", "young", "holes"):
        options = {"recording": str(data / f"{name}.jsonl.gz"), "indices": [f"{name}-*"]}
        wanted = source(f"logs-{name}", "logs", everything=["host", "device", "hypervisor"], **options)
        yield from collector("logs").collect(wanted, Run(wanted, things=lambda: things))


def this_machine(place: Place) -> Iterator[Source]:
    """Where the tests run."""
    yield source("here", "local")


def clouds(place: Place) -> Iterator[Source]:
    """The OpenStack lab as its administrator sees it, and its second region, which lacks most services; the
    platform of that one has a lower grade than its projects."""
    config = str(Path(os.environ["LAB_DIR"]) / "clouds.yaml")
    for name, grade in (("lab-admin", "S3A3"), ("lab-second-region", "S2A2")):
        labels = {**LABELS, "grade": grade}
        yield source(name, "openstack", labels, cloud=name, config_file=config, timeout_seconds=120)


def clusters(place: Place) -> Iterator[Source]:
    """The old and the new Kubernetes lab, the old one without looking at its certificate."""
    for kube in place.kubes:
        config = str(kube.folder / "admin.kubeconfig")
        yield source(f"kube-{kube.name}", "kubernetes", kubeconfig=config, insecure=kube.name == "old")


def agents(place: Place) -> Iterator[Source]:
    """One agent, logged in to by v1, v2c, and v3 well and badly; and one that takes no usual community."""
    v3 = {"version": "v3", "authentication_ref": "env:AUTH"}
    logins = [
        {"version": "v1", "community_ref": "env:COMMUNITY"},
        {**v3, "user": "good", "authentication": "SHA256", "privacy": "AES128", "privacy_ref": "env:PRIV"},
        {**v3, "user": "weak", "authentication": "MD5", "privacy": "DES", "privacy_ref": "env:PRIV"},
        {**v3, "user": "open", "authentication": "SHA256"},
    ]
    users = [
        *("--v3", "good:SHA256:authentication-secret:AES128:privacy-secret"),
        *("--v3", "weak:MD5:authentication-secret:DES:privacy-secret"),
        *("--v3", "open:SHA256:authentication-secret"),
    ]
    recording = LAB / "snmprec" / "venus-vsos-v0600r0705b20180507.snmprec"
    for word in ("public", "not-a-usual-one"):
        address = f"127.77.{200 + len(word)}.1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((address, 0))
            port = free.getsockname()[1]
        farm = ["--rec", str(recording), "--count", "1", "--base", address, "--port", str(port)]
        place.started(str(LAB / "snmp-farm"), *farm, "--community", word, "--seconds", "900", *users)
        for number, login in enumerate(logins if word == "public" else logins[1:2]):
            patience = {"timeout_seconds": 0.5, "retries": 1, "try_defaults": True}
            yield source(f"agent-{word}-{number}", "snmp", targets=[f"{address}:{port}"], **login, **patience)


def tls_servers(place: Place) -> Iterator[Source]:
    """The servers of tests/lab/tls-servers; two are asked by a name that is theirs and one that is not."""
    folder = place.folder / "tls"
    folder.mkdir()
    ports = dict(line.split() for line in place.started(str(LAB / "tls-servers"), str(folder))[:-1])
    targets: list[Any] = [f"127.0.0.1:{port}" for port in ports.values()]
    for name in ("localhost", "other.example.gov.cn"):
        targets.append({"address": f"127.0.0.1:{ports['rsa']}", "server_name": name})
    trusted = folder / "trusted.crt"
    trusted.write_bytes((folder / "ca.crt").read_bytes() + (folder / "sm2ca.crt").read_bytes())
    yield source("tls", "tls", targets=targets, http=True, ca_file=str(trusted))


SECURE = ("secure", "twofold")  # sites with TLS


def websites(place: Place) -> Iterator[Batch]:
    """The sites of tests/lab/site-servers, and one of them once more as if IPv6 were slow: times are put in, since
    those of a busy machine are anything."""
    folder = place.folder / "sites"
    folder.mkdir()
    ports = dict(line.split() for line in place.started(str(LAB / "site-servers"), str(folder))[:-1])
    extra = int(ports.pop("extra"))
    fixed = {f"www.{name}.gov.cn": ["127.0.0.1", "::1"] for name in ports}
    fixed |= {name: ["127.0.0.1"] for name in ("cdn.example.com", "two.holes.gov.cn", "three.holes.gov.cn")}
    patience = {"timeout_seconds": 30.0, "page_seconds": 60.0, "delay_seconds": 0.0, "addresses": fixed}
    batches: list[Batch] = []
    for asked, more in (([name for name in ports if name != "wider"], []), (["wider"], [extra])):
        sites = [f"http{'s' if name in SECURE else ''}://www.{name}.gov.cn:{ports[name]}/" for name in asked]
        read = source(
            "sites", "website", sites=sites, ports=[int(ports[name]) for name in asked] + more, **patience
        )
        batches += collector("website").collect(read, Run(read))
    for batch in batches:
        assert batch.resources, batch.collections
        rows = [timed(row, 1.0) for row in batch.resources if isinstance(row, Website)]
        slow = [timed(row, 90.0) for row in rows if row.host == "www.right.gov.cn"]
        yield Batch(resources=[*rows], collections=batch.collections)
        yield Batch(resources=[msgspec.structs.replace(row, native_id="slow") for row in slow])


def timed(site: Website, worse: float) -> Website:
    """A site with times that stand still: those of IPv6 are ``worse`` times those of IPv4."""
    assert isinstance(site.quality, list)
    figures = {"connect_ms": 5.0, "first_byte_ms": 20.0, "page_ms": 30.0}
    told = []
    for one in site.quality:
        times = worse if one.family == "ipv6" else 1.0
        changed: dict[str, Any] = {name: value * times for name, value in figures.items()}
        changed |= {"bytes_per_second": 90_000.0 / times, "loss": 0.0 if times == 1.0 else 0.1}
        told.append(msgspec.structs.replace(one, **changed) if one.succeeded else one)
    return msgspec.structs.replace(site, quality=told, delay_ms=3.0 * worse)


def domain_names(place: Place) -> Iterator[Source]:
    """The names of tests/lab/dns-servers, recorded inside its network: over both families, and by resolvers of
    IPv4 alone. Times are set, since those of a lab are chance: AAAA slower by a quarter, and by half."""
    recorded = place.folder / "recorded-names.jsonl.gz"
    place.started(str(LAB / "dns-servers"), str(place.folder / "dns"), "--record", str(recorded))
    slower = {"www.single.test": 50.0, "www.halflame.test": 60.0}

    def change(line: dict[str, Any]) -> None:
        _, name, kind, _ = (line.get("question") or "///").split("/")
        for answer in line.get("answers", []):
            answer[2] = slower.get(name.rstrip("."), 40.0) if kind == "AAAA" else 40.0

    path = rewritten(recorded, place.folder / "names.jsonl.gz", change)
    yield source("names", "dns", recording=path)
    yield source("names-by-ipv4", "dns", recording=path, families=["ipv4"])


def ssh_hosts(place: Place) -> Iterator[Source]:
    """A host of tests/lab/ssh-host, its key looked at and not."""
    folder = place.folder / "ssh"
    folder.mkdir()
    (folder / "password").write_text("Zg-Planted-51e0-Password\n", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command: list[str | Path] = [LAB / "ssh-host", folder, str(port)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    place.stack.callback(process.wait, 20)
    place.stack.callback(process.terminate)
    said = []
    for line in process.stderr or ():
        said.append(line)
        if line.startswith("Server listening"):
            break
    else:
        raise AssertionError(said)
    login = {"targets": [f"127.0.0.1:{port}"], "user": "zg-user", "key_file": str(folder / "key")}
    yield source("ssh-known", "linux", **login, known_hosts=str(folder / "known_hosts"))
    yield source("ssh-any", "linux", **login, insecure=True)


Estate = Callable[[Place], Iterable[Source | Batch]]  # sources to read, or what another reader made
ESTATES: dict[str, list[Estate]] = {  # when it was seen → what is read
    "recorded": [
        *(demo, hosts, devices, configurations, shells, pairs, tunnels, registers, loads, copies, watched),
        kept_logs,
        *(changed_devices, changed_cloud, closed_cloud, unfiltered_cloud, changed_cluster),
    ],
    "live": [this_machine, clouds, clusters, agents, tls_servers, ssh_hosts, websites, domain_names],
}
NOW: dict[str, Callable[[], datetime]] = {"recorded": lambda: RECORDED, "live": utc_now}


def judged(when: str, place: Place) -> list[Outcome]:
    """All rules over the estates of one time, read into a store as the program does it."""
    now = NOW[when]
    store = open_store(str(place.folder / "zhengguan.db"), create=True)
    with place.stack, pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        found = [one for estate in ESTATES[when] for one in estate(place)]
        sources = [one for one in found if isinstance(one, Source)]
        collected = collect_into(store, sources, concurrency=8, progress=lambda _: None, now=now)
    assert collected.unread() == []
    snapshot = store.snapshot()
    outcomes = evaluate(load_rules(examples=False), snapshot, now=snapshot.info.taken_at)
    batches = [one for one in found if isinstance(one, Batch)]
    return outcomes + evaluate(load_rules(examples=False), Snapshot.of_batches(batches, now()), now=now())


BAD, GOOD = "bad", "good"


@pytest.fixture(scope="module")
def shown(
    expected: dict[str, Any], both_kubes: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, set[str]]:
    """Rule → which of its cases, bad and good, were seen somewhere."""
    found: dict[str, set[str]] = {}
    for when in ESTATES:
        place = Place(tmp_path_factory.mktemp(when), both_kubes)
        for outcome in judged(when, place):
            passed = len(
                {*range(len(outcome.resources))} - {*outcome.failed, *outcome.unknown, *outcome.excluded}
            )
            cases = found.setdefault(outcome.rule.id, set())
            cases |= {BAD} if outcome.failed else set()
            cases |= {GOOD} if passed else set()
    return found


def listed() -> dict[str, set[str]]:
    """Rule → the cases that the page says cannot be shown. Rows: | `rule` | bad, good | reason |."""
    found: dict[str, set[str]] = {}
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if row := re.fullmatch(r"\| `([a-z0-9-]+)` \| (bad|good|bad, good) \| (\S.{15,}) \|", line):
            assert row[1] not in found, f"{row[1]} is listed twice"
            found[row[1]] = set(row[2].split(", "))
        else:
            assert not line.startswith("| `"), f"not a row of the list: {line}"
    return found


def problems(shown: dict[str, set[str]], listed: dict[str, set[str]]) -> list[str]:
    """Where what was seen and the list differ, with what to do about it."""
    told = [
        f"{rule}: listed, but there is no such rule; take out its row"
        for rule in listed.keys() - shown.keys()
    ]
    for rule, cases in shown.items():
        missing = {BAD, GOOD} - cases
        if more := missing - listed.get(rule, set()):
            case = ", ".join(sorted(missing))
            told.append(
                f"{rule}: nobody showed its {' and its '.join(sorted(more))} case; seed it, or list it: | `{rule}` | {case} | why |"
            )
        if less := listed.get(rule, set()) - missing:
            told.append(
                f"{rule}: its {' and its '.join(sorted(less))} case is shown now; take that out of its row"
            )
    return sorted(told)


@pytest.mark.lab
def test_every_rule_is_shown_or_listed_with_the_reason(shown: dict[str, set[str]]) -> None:
    assert len(shown) == len(load_rules(examples=False))
    found = problems(shown, listed())
    assert not found, f"seed in tests/lab or tests/data, or edit {LIST.name}:\n" + "\n".join(found)


def test_the_list_must_be_exact() -> None:
    seen = {"a": {BAD, GOOD}, "b": {GOOD}, "c": set()}
    assert problems(seen, {"b": {BAD}, "c": {BAD, GOOD}}) == []
    assert [p.partition(":")[0] for p in problems(seen, {"a": {GOOD}, "gone": {BAD}})] == [
        "a",
        "b",
        "c",
        "gone",
    ]
    assert len(problems(seen, {"b": {BAD, GOOD}, "c": {BAD}})) == 2

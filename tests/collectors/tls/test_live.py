"""Real servers, and what nmap and sslscan say of the same ones in the same run.

openssl s_server, nginx, sshd (Debian), and BabaSSL 8.3.2 out of tongsuopy's wheel for TLCP and RFC 8998.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from collectors.contract import Run, Source, collector
from collectors.recordings import replaying
from collectors.tls.targets import Target
from inventory.coverage import Batch, Status
from inventory.kinds.crypto import Certificate, Endpoint
from inventory.resource import plain
from inventory.unknown import Unknown

pytestmark = pytest.mark.lab

LAB = Path(__file__).parents[2] / "lab"
S_SERVERS = ("rsa", "ecdsa", "both", "expired", "weak", "dh1024", "modern")
PATIENT = {"timeout_seconds": 30.0, "endpoint_seconds": 300.0}  # the machine may be busy


class Lab:
    """Ports of the running servers by name, and the folder of their certificates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports: dict[str, int] = {}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    one = Lab(tmp_path_factory.mktemp("tls"))
    names = [*S_SERVERS, "tlcp", "rfc8998", "mixed", "nginx", "sshd"]
    command = [sys.executable, str(LAB / "tls-servers"), str(one.folder), *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            for line in iter(process.stdout.readline, "READY\n"):
                name, port = line.split()
                one.ports[name] = int(port)
            yield one
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def batches(lab: Lab) -> dict[str, Batch]:
    """Everything, collected in one run."""
    scopes = {f"127.0.0.1:{port}": name for name, port in lab.ports.items()}
    module = collector("tls")
    ca = lab.folder / "trusted.crt"
    ca.write_bytes((lab.folder / "ca.crt").read_bytes() + (lab.folder / "sm2ca.crt").read_bytes())
    options = module.Options(targets=list(scopes), http=True, ca_file=str(ca), **PATIENT)
    source = Source(name="lab", type="tls", options=options, deadline_seconds=600)
    return {scopes[b.collections[0].scope]: b for b in module.collect(source, Run(source, environ={}))}


def endpoint(batch: Batch) -> Endpoint:
    (one,) = [r for r in batch.resources if isinstance(r, Endpoint)]
    return one


def certificates(batch: Batch) -> list[Certificate]:
    return [r for r in batch.resources if isinstance(r, Certificate)]


def suites(batch: Batch) -> dict[str, set[str]]:
    return {v.version: set(v.suites) for v in endpoint(batch).versions if v.offered is True}


@pytest.fixture(scope="module")
def nmap(lab: Lab) -> dict[str, dict[str, tuple[set[str], str]]]:
    """Server → version → names of suites, and whose order decides, as nmap says."""
    names = {port: name for name, port in lab.ports.items()}
    done = subprocess.run(
        ["nmap", "-Pn", "-n", "-sT", "-p", ",".join(map(str, names)), "--script", "ssl-enum-ciphers",
         "-oX", "-", "127.0.0.1"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told: dict[str, dict[str, tuple[set[str], str]]] = {}
    for port in ElementTree.fromstring(done.stdout).iter("port"):
        versions = told.setdefault(names[int(port.attrib["portid"])], {})
        for table in port.findall("script/table"):
            found = {e.text or "" for e in table.findall("table[@key='ciphers']/table/elem[@key='name']")}
            order = table.findtext("elem[@key='cipher preference']") or ""
            versions[table.attrib["key"]] = {name.replace("_AKE_WITH_", "_") for name in found}, order
    return told


OLD = {
    "TLSv1.0": "TLS 1.0",
    "TLSv1.1": "TLS 1.1",
    "TLSv1.2": "TLS 1.2",
    "TLSv1.3": "TLS 1.3",
    "SSLv3": "SSL 3.0",
}


@pytest.mark.parametrize("name", [*S_SERVERS, "nginx", "rfc8998", "mixed"])
def test_versions_and_suites_equal_those_that_nmap_names(
    name: str, batches: dict[str, Batch], nmap: dict[str, Any]
) -> None:
    ours = {v: s for v, s in suites(batches[name]).items() if v != "TLCP 1.1"}
    assert {OLD[version]: found for version, (found, _) in nmap[name].items()} == ours
    for version, (found, order) in nmap[name].items():
        (seen,) = [v for v in endpoint(batches[name]).versions if v.version == OLD[version]]
        if len(found) > 1 and order in ("server", "client") and name not in ("rfc8998", "mixed"):
            assert seen.preference == order, version


@pytest.mark.parametrize("name", ["rsa", "ecdsa", "both", "expired", "modern", "nginx"])
def test_groups_and_codes_equal_those_that_sslscan_names(
    name: str, lab: Lab, batches: dict[str, Batch]
) -> None:
    done = subprocess.run(
        ["sslscan", "--xml=-", "--no-colour", f"127.0.0.1:{lab.ports[name]}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = ElementTree.fromstring(done.stdout)
    groups = {g.attrib["name"].split()[0] for g in told.iter("group")}
    assert groups <= {g.name for g in endpoint(batches[name]).groups}
    ours = {v: len(s) for v, s in suites(batches[name]).items()}
    theirs: dict[str, int] = {}
    for one in told.iter("cipher"):
        version = OLD[one.attrib["sslversion"]]
        theirs[version] = theirs.get(version, 0) + 1
    assert theirs == ours
    strength = {pk.attrib["bits"] for pk in told.iter("pk") if pk.attrib["type"] == "RSA"}
    assert strength <= {str(c.key_bits) for c in certificates(batches[name])}


def test_everything_was_seen_to_the_end(batches: dict[str, Batch]) -> None:
    status = {(name, c.kind): c.status for name, batch in batches.items() for c in batch.collections}
    assert {key for key, value in status.items() if value is not Status.COMPLETE} == {
        ("rfc8998", "certificate")
    }


def test_certificates_and_keys(batches: dict[str, Batch]) -> None:
    def leaves(name: str) -> set[tuple[Any, ...]]:
        return {(c.key_type, c.key_bits) for c in certificates(batches[name]) if c.position == 0}

    assert leaves("rsa") == {("RSA", 2048)}
    assert leaves("both") == {("RSA", 2048), ("EC", 256)}
    assert leaves("weak") == leaves("dh1024") == {("RSA", 1024)}
    assert leaves("modern") == {("EC", 256)}
    (expired,) = [c for c in certificates(batches["expired"]) if c.position == 0]
    assert expired.not_after < expired.not_before or expired.not_after.timestamp() < time.time()


def test_trust(batches: dict[str, Batch]) -> None:
    def trust(name: str) -> list[tuple[Any, ...]]:
        return [(p.use, p.trusted, p.problem, p.name_matches) for p in endpoint(batches[name]).certificates]

    assert trust("rsa") == [("tls", False, "self-signed certificate", True)]
    assert trust("expired") == [("tls", True, None, False)]  # its date is told apart
    assert trust("tlcp") == [("tlcp_sign", True, None, False), ("tlcp_encrypt", True, None, False)]


def test_small_groups(batches: dict[str, Batch]) -> None:
    assert {(g.family, g.bits) for g in endpoint(batches["dh1024"]).groups} == {("dh", 1024)}
    assert min(g.bits for g in endpoint(batches["weak"]).groups if g.family == "dh") == 1024
    assert {g.name for g in endpoint(batches["modern"]).groups} == {"secp384r1", "x25519"}
    weak = suites(batches["weak"])["TLS 1.0"]
    assert any("NULL" in s for s in weak)
    assert any("anon" in s for s in weak)


def test_nginx_its_order_and_its_headers_on_both_families(
    lab: Lab, batches: dict[str, Batch], collect: Any
) -> None:
    one = endpoint(batches["nginx"])
    assert next(v.suites for v in one.versions if v.version == "TLS 1.2") == [
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    ]
    (six,) = collect(f"[::1]:{lab.ports['nginx']}", http=True)
    for http in (one.http, endpoint(six).http):
        assert (http.status, http.hsts_seconds, http.frame_options) == (200, 63072000, "SAMEORIGIN")
        assert http.content_security_policy is None
    assert [c.fingerprint for c in certificates(six)] == [
        c.fingerprint for c in certificates(batches["nginx"])
    ]


def test_tlcp(batches: dict[str, Batch]) -> None:
    assert suites(batches["tlcp"]) == {
        "TLCP 1.1": {"ECDHE_SM4_CBC_SM3", "ECC_SM4_CBC_SM3", "ECDHE_SM4_GCM_SM3", "ECC_SM4_GCM_SM3"}
    }
    sign, encrypt = certificates(batches["tlcp"])[:2]
    assert sign.key_usage == ["digitalSignature", "nonRepudiation"]
    assert encrypt.key_usage == ["keyEncipherment", "dataEncipherment", "keyAgreement"]
    assert {(c.key_type, c.signature_algorithm) for c in (sign, encrypt)} == {("SM2", "SM2-SM3")}
    one = endpoint(batches["tlcp"])
    assert [p.use for p in one.certificates] == ["tlcp_sign", "tlcp_encrypt"]
    assert {g.name for g in one.groups} == {"curveSM2"}


def test_rfc8998_and_a_certificate_that_nobody_here_can_see(batches: dict[str, Batch]) -> None:
    batch = batches["rfc8998"]
    assert suites(batch) == {"TLS 1.3": {"TLS_SM4_GCM_SM3", "TLS_SM4_CCM_SM3"}}
    assert isinstance(endpoint(batch).certificates, Unknown)
    (told,) = [c for c in batch.collections if c.kind == "certificate"]
    assert told.status is Status.PARTIAL
    assert "RFC 8998" in told.reason
    assert told.remedy


def test_both_worlds_on_one_port(batches: dict[str, Batch]) -> None:
    seen = suites(batches["mixed"])
    assert {"TLS_SM4_GCM_SM3", "TLS_SM4_CCM_SM3", "TLS_AES_128_GCM_SHA256"} <= seen["TLS 1.3"]
    assert {"ECC_SM4_CBC_SM3", "ECDHE_SM4_GCM_SM3", "RSA_SM4_GCM_SM3"} <= seen["TLCP 1.1"]
    assert {"TLS 1.0", "TLS 1.1", "TLS 1.2"} <= set(seen)
    assert {p.use for p in endpoint(batches["mixed"]).certificates} == {"tls", "tlcp_sign", "tlcp_encrypt"}


@pytest.mark.parametrize("name", [*S_SERVERS, "nginx", "rfc8998", "sshd"])
def test_no_tlcp_where_there_is_none(name: str, batches: dict[str, Batch]) -> None:
    (tlcp,) = [v for v in endpoint(batches[name]).versions if v.version == "TLCP 1.1"]
    assert (tlcp.offered, tlcp.suites) == (False, [])


def test_sshd_speaks_no_tls(batches: dict[str, Batch]) -> None:
    assert endpoint(batches["sshd"]).tls is False
    assert certificates(batches["sshd"]) == []


def test_a_recording_of_all_replays_to_the_same(lab: Lab, tmp_path: Path) -> None:
    module = collector("tls")
    targets: list[Any] = [f"127.0.0.1:{port}" for port in lab.ports.values()]
    targets.append(Target(address=f"127.0.0.1:{lab.ports['tlcp']}", server_name="www.example.gov.cn"))
    options = module.Options(targets=targets, **PATIENT)
    source = Source(name="lab", type="tls", options=options, deadline_seconds=600)
    live = module.record(source, Run(source, environ={}), tmp_path / "all.jsonl.gz")
    again = replaying(tmp_path / "all.jsonl.gz")
    replayed = list(module.collect(again, Run(again, environ={})))

    def content(told: list[Batch]) -> dict[str, Any]:
        return {r.uid: plain(r) for b in told for r in b.resources}

    assert content(replayed) == content(live)
    assert len(content(live)) > 20


def test_the_name_that_is_asked_for_is_compared(lab: Lab, collect: Callable[..., list[Batch]]) -> None:
    target = Target(address=f"127.0.0.1:{lab.ports['tlcp']}", server_name="www.example.gov.cn")
    (batch,) = collect(target)
    assert [p.name_matches for p in endpoint(batch).certificates] == [True, True]
    assert re.fullmatch(r"127\.0\.0\.1:\d+/www\.example\.gov\.cn", endpoint(batch).native_id)

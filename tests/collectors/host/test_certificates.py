"""Certificates that the services of a machine name: which files, and that nothing but certificates is read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from collectors.contract import Run, Source
from collectors.host import Options, collect_from
from collectors.host.certificates import named_in
from collectors.host.reader import (
    CERTIFICATE_BLOCKS,
    CERTIFICATE_LINES,
    LocalReader,
    Output,
    allowed,
)
from collectors.host.recording import RecordedReader
from inventory.coverage import Batch, Status

GREP = f"grep -RHsE {CERTIFICATE_LINES} "
SED = f"sed -n {CERTIFICATE_BLOCKS} "


@pytest.fixture(scope="module")
def pair(pem_of: Callable[..., bytes]) -> tuple[str, str]:
    """A certificate and its key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    both = pem_of("www.example.gov.cn", key=key, names=["www.example.gov.cn"]).decode()
    begins = both.index("-----BEGIN CERTIFICATE")
    return both[begins:], both[:begins]


def test_only_certificate_blocks_come_out_of_a_file(pair: tuple[str, str], tmp_path: Path) -> None:
    certificate, key = pair
    file = tmp_path / "both.pem"
    for content, wanted in (
        (key + certificate + key, certificate),
        (certificate + key + certificate, certificate * 2),
        (certificate[: certificate.index("-----END")] + key, certificate[: certificate.index("-----END")]),
        (key, ""),
    ):
        file.write_text(content)
        answer = LocalReader().run(("sed", "-n", CERTIFICATE_BLOCKS, str(file)))
        assert answer == Output(0, wanted.encode())


def test_only_lines_that_name_one_come_out_of_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "site.conf").write_text(
        "server {\n  ssl_certificate a.pem;\n\tssl_certificate_key a.key;\n  auth secret;\n"
        "SSLCertificateFile /b.pem\nbind :443 ssl crt /c.pem\nsmtpd_tls_cert_file=/d.pem\n"
    )
    done = subprocess.run(
        ["grep", "-RHsE", CERTIFICATE_LINES, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert [line.partition(":")[2].split()[0] for line in done.stdout.splitlines()] == [
        "ssl_certificate", "SSLCertificateFile", "bind", "smtpd_tls_cert_file=/d.pem",
    ]  # fmt: skip


def test_paths_as_services_write_them() -> None:
    lines = """\
/etc/nginx/conf.d/a.conf:    ssl_certificate certs/a.pem;
/etc/nginx/conf.d/a.conf:    ssl_certificate "/srv/b.pem";
/etc/nginx/conf.d/a.conf:    ssl_certificate $ssl_server_name.crt;
/etc/nginx/conf.d/a.conf:    ssl_certificate data:$x;
/etc/nginx/conf.d/a.conf:    ssl_certificate /dev/zero;
/etc/nginx/conf.d/a.conf:    ssl_certificate /srv/$(reboot).pem;
/etc/nginx/conf.d/a.conf.bak:    ssl_certificate /srv/old.pem;
/etc/nginx/snippets/snakeoil.conf:ssl_certificate /etc/ssl/certs/ssl-cert-snakeoil.pem;
/etc/nginx/sites-available/b:    ssl_certificate /srv/old.pem;
/etc/apache2/sites-enabled/c:  SSLCertificateFile   /srv/c.pem
/etc/haproxy/haproxy.cfg:  bind *:443 ssl crt /srv/d.pem crt /srv/e
/etc/postfix/main.cf:smtpd_tls_cert_file = /srv/f.pem
/etc/postfix/main.cf:smtpd_tls_cert_file=/srv/g.pem
"""
    named, passed_over = named_in(lines)
    assert list(named) == [
        "/etc/nginx/certs/a.pem", "/srv/b.pem", "/srv/c.pem", "/srv/d.pem", "/srv/e", "/srv/f.pem", "/srv/g.pem",
    ]  # fmt: skip
    assert list(passed_over) == ["/etc/nginx/conf.d/a.conf"]


@pytest.mark.parametrize(
    "argv",
    [
        ("sed", "-n", "p", "/etc/shadow"),
        ("sed", "-n", CERTIFICATE_BLOCKS, "-i"),
        ("sed", "-n", CERTIFICATE_BLOCKS, "/a", "/b"),
        ("grep", "-RHsE", CERTIFICATE_LINES, "/root"),
        ("grep", "-RHsE", ".", "/etc/nginx"),
    ],
)
def test_no_other_command_of_the_sort_is_run(argv: tuple[str, ...]) -> None:
    assert not allowed(argv)


def batch(**recorded: Any) -> Batch:
    """The batch of certificates of a machine as recorded."""
    record = {"unlisted": "not_found", "files": {"/proc/sys/kernel/hostname": "web1\n"}, **recorded}
    source = Source(name="m", type="local", labels={"level": "市"}, options=Options())
    batches = collect_from(RecordedReader(json.dumps(record).encode()), source, Run(source))
    (found,) = [one for one in batches if one.collections[0].kind == "certificate"]
    return found


Commands = dict[str, Any]


@pytest.fixture
def nginx() -> Callable[..., dict[str, Any]]:
    def recorded(answer: Any, folder: list[str] | None = None) -> dict[str, Any]:
        commands: Commands = {
            f"{GREP}/etc/nginx": [0, "/etc/nginx/nginx.conf: ssl_certificate ssl/a.pem;\n"],
            f"{SED}/etc/nginx/ssl/a.pem": answer,
        }
        return {
            "commands": commands,
            "modified": {"/etc/nginx": 1.0},
            "dirs": {"/etc/kubernetes/pki": folder} if folder is not None else {},
        }

    return recorded


def test_a_certificate_of_a_host(nginx: Any, pair: tuple[str, str]) -> None:
    found = batch(**nginx([0, pair[0]]))
    (one,) = found.resources
    host = one.relations[0].target
    assert host.startswith("m/host/")
    assert one.native_id == f"{host.removeprefix('m/host/')}/etc/nginx/ssl/a.pem/{one.fingerprint[:16]}"
    assert (one.location, one.position, one.name) == ("/etc/nginx/ssl/a.pem", 0, "www.example.gov.cn")
    assert one.labels == {"level": "市"}
    assert found.collections[0].status is Status.COMPLETE
    assert any(pair[0].split()[2] in e.content.decode() for e in found.evidence)


def test_a_machine_without_any_has_none(nginx: Any) -> None:
    found = batch()
    assert (found.resources, found.collections[0].status) == ([], Status.COMPLETE)


@pytest.mark.parametrize(
    "answer", [[2, ""], {"refused": "unreadable"}, [0, "-----BEGIN CERTIFICATE-----\nMII"]]
)
def test_a_file_that_is_not_read_is_said(answer: Any, nginx: Any) -> None:
    found = batch(**nginx(answer))
    assert found.resources == []
    (one,) = found.collections
    assert one.status is Status.PARTIAL
    assert "/etc/nginx/ssl/a.pem" in one.reason
    assert one.remedy


def test_kubernetes_own_certificates_and_a_folder_that_is_shut(nginx: Any, pair: tuple[str, str]) -> None:
    recorded = nginx([0, ""], ["apiserver.crt", "apiserver.key", "ca-bundle.crt", "etcd"])
    recorded["commands"][f"{SED}/etc/kubernetes/pki/apiserver.crt"] = [0, pair[0]]
    found = batch(**recorded)
    assert [one.location for one in found.resources] == ["/etc/kubernetes/pki/apiserver.crt"]
    recorded["dirs"]["/etc/kubernetes/pki/etcd"] = {"refused": "denied"}
    found = batch(**recorded)
    assert found.collections[0].status is Status.PARTIAL
    assert "/etc/kubernetes/pki/etcd" in found.collections[0].reason


def test_without_the_library_it_is_said_what_to_install(
    nginx: Any, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "asn1crypto"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asn1crypto", None)
    (one,) = batch(**nginx([0, pair[0]])).collections
    assert one.status is Status.FAILED
    assert "zhengguan[tls]" in one.remedy


def test_what_is_named_and_not_read_is_not_passed_over(nginx: Any, pair: tuple[str, str]) -> None:
    der = batch(**nginx([0, ""])).collections[0]
    assert (der.status, "没有 PEM 格式" in der.reason) == (Status.PARTIAL, True)
    recorded = nginx([0, pair[0]])
    recorded["commands"][f"{GREP}/etc/nginx"][1] += "/etc/nginx/b.conf: ssl_certificate $name.pem;\n"
    variable = batch(**recorded)
    assert (variable.collections[0].status, len(variable.resources)) == (Status.PARTIAL, 1)
    assert "/etc/nginx/b.conf" in variable.collections[0].reason

"""Files as people keep them: every form, keys beside certificates, folders with all sorts of things in them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.certificates import Options, collect
from collectors.certificates.forms import DamagedError, form_of, from_der, from_pem, from_pkcs7
from collectors.contract import Run, Source
from inventory.coverage import Batch, Status

PKCS8, OLD = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL


def told(*paths: Path, **options: Any) -> list[Batch]:
    source = Source(
        name="files", type="certificates", options=Options(paths=[str(p) for p in paths], **options)
    )
    return list(collect(source, Run(source, environ={})))


def rows(batches: list[Batch]) -> list[Any]:
    return [row for batch in batches for row in batch.resources]


def pem(made: Any) -> bytes:
    return bytes(made[0].public_bytes(Encoding.PEM))


def der(made: Any) -> bytes:
    return bytes(made[0].public_bytes(Encoding.DER))


def private(made: Any, form: PrivateFormat = PKCS8, encoding: Encoding = Encoding.PEM) -> bytes:
    return bytes(made[1].private_bytes(encoding, form, NoEncryption()))


@pytest.fixture(scope="module")
def chain(make: Any) -> dict[str, Any]:
    root = make("根", ca=True)
    middle = make("中间", ca=True, by=root)
    return {"root": root, "middle": middle, "leaf": make("a", by=middle, names=("a.example.gov.cn",))}


def test_a_chain_in_a_file_in_its_order_and_where_it_is(chain: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "anything"
    file.write_bytes(b"".join(pem(chain[name]) for name in ("leaf", "middle", "root", "leaf")))
    (batch,) = told(file)
    assert [(row.name, row.position, row.location) for row in batch.resources] == [
        ("a.example.gov.cn", 0, str(file)),
        ("CN=中间", 1, str(file)),
        ("CN=根", None, str(file)),  # it serves to verify others
    ]
    assert batch.resources[0].native_id == f"{file}/{batch.resources[0].fingerprint[:16]}"
    assert [c.status for c in batch.collections] == [Status.COMPLETE]


def test_a_self_signed_one_of_a_service_keeps_its_place(make: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.pem"
    file.write_bytes(pem(make("a", ca=True, names=("a.example",))))  # as openssl req -x509 makes them
    assert [row.position for row in rows(told(file))] == [0]


@pytest.mark.parametrize("form", ["pem", "crlf", "text before", "der", "p7b pem", "p7b der"])
def test_every_form_tells_the_same(form: str, chain: dict[str, Any], tmp_path: Path) -> None:
    leaf = chain["leaf"]
    bundle = [leaf[0], chain["middle"][0]]
    content = {
        "pem": pem(leaf) + pem(chain["middle"]),
        "crlf": (pem(leaf) + pem(chain["middle"])).replace(b"\n", b"\r\n"),
        "text before": b"Bag Attributes\n    friendlyName: \xc4\xe3\xba\xc3\n"
        + pem(leaf)
        + pem(chain["middle"]),
        "der": der(leaf),
        "p7b pem": pkcs7.serialize_certificates(bundle, Encoding.PEM),
        "p7b der": pkcs7.serialize_certificates(bundle, Encoding.DER),
    }[form]
    file = tmp_path / "x.cer"
    file.write_bytes(content)
    (batch,) = told(file)
    assert {row.fingerprint for row in batch.resources} >= {leaf[0].fingerprint(_SHA256).hex()}
    assert len(batch.resources) == (1 if form == "der" else 2)
    assert batch.collections[0].status is Status.COMPLETE


@pytest.mark.parametrize("form", [PKCS8, OLD])
def test_a_key_beside_its_certificate_comes_nowhere(
    form: PrivateFormat, chain: dict[str, Any], tmp_path: Path
) -> None:
    key = private(chain["leaf"], form)
    file = tmp_path / "haproxy.pem"
    file.write_bytes(key + pem(chain["leaf"]) + key)
    (batch,) = told(file)
    assert len(batch.resources) == 1
    assert batch.collections[0].status is Status.COMPLETE
    said = repr(batch).encode()
    for line in key.splitlines()[1:-1]:
        assert line not in said


def test_a_key_is_no_certificate_and_no_gap(chain: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "a.pem").write_bytes(private(chain["leaf"]))
    (folder / "b.der").write_bytes(private(chain["leaf"], PKCS8, Encoding.DER))
    (folder / "c.der").write_bytes(private(chain["leaf"], OLD, Encoding.DER))
    encrypted = chain["leaf"][1].private_bytes(Encoding.DER, PKCS8, BestAvailableEncryption(b"x"))
    (folder / "d.der").write_bytes(encrypted)
    (folder / "e.key").write_bytes(pem(chain["leaf"]))  # what is called a key is not even opened
    (batch,) = told(folder)
    assert batch.resources == []
    assert batch.collections[0].status is Status.COMPLETE


def test_what_needs_a_password_is_unread_and_said_to_be(chain: dict[str, Any], tmp_path: Path) -> None:
    store = pkcs12.serialize_key_and_certificates(
        b"a", chain["leaf"][1], chain["leaf"][0], None, BestAvailableEncryption(b"x")
    )
    (tmp_path / "a.p12").write_bytes(store)
    (tmp_path / "b.jks").write_bytes(b"\xfe\xed\xfe\xed\0\0\0\2" + bytes(64))
    (tmp_path / "c.pem").write_bytes(pem(chain["leaf"]))
    (batch,) = told(tmp_path)
    assert len(batch.resources) == 1
    (one,) = batch.collections
    assert one.status is Status.PARTIAL
    assert "PKCS#12" in one.reason
    assert "JKS" in one.reason
    assert "PEM" in one.remedy
    (again,) = told(tmp_path, exclude=["*.p12", "*/b.jks"])
    assert again.collections[0].status is Status.COMPLETE


def test_a_folder_with_all_sorts_of_things(chain: dict[str, Any], tmp_path: Path) -> None:
    top = tmp_path / "ssl"
    (top / "live" / "site").mkdir(parents=True)
    (top / "live" / "site" / "cert.pem").write_bytes(pem(chain["leaf"]))
    (top / "link.pem").symlink_to(top / "live" / "site" / "cert.pem")  # once is enough
    (top / "nowhere.pem").symlink_to(top / "gone")
    (top / "circle").symlink_to(top)
    (top / "readme.txt").write_text("no certificate")
    (top / "empty.pem").write_bytes(b"")
    os.mkfifo(top / "pipe.pem")
    (batch,) = told(top)
    assert [row.location for row in batch.resources] == [str(top / "link.pem")]
    assert batch.collections[0].status is Status.COMPLETE


def test_limits_are_said(chain: dict[str, Any], tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (deep / "x.pem").write_bytes(pem(chain["leaf"]))
    (tmp_path / "a" / "large.pem").write_bytes(bytes(3000) + pem(chain["leaf"]))
    (batch,) = told(tmp_path / "a", depth=1, file_mib=2000 / (1 << 20))
    assert batch.resources == []
    assert batch.collections[0].status is Status.PARTIAL
    assert "太深" in batch.collections[0].reason
    assert "太大" in batch.collections[0].reason
    for number in range(4):
        (tmp_path / f"{number}.pem").write_bytes(pem(chain["leaf"]))
    (batch,) = told(tmp_path, files=2)
    assert len(batch.resources) == 2
    assert "太多" in batch.collections[0].reason


@pytest.mark.parametrize(
    "content",
    [
        b"-----BEGIN CERTIFICATE-----\nMIIB\n",
        b"-----BEGIN CERTIFICATE-----\nMII*\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n",
        b"-----BEGIN PKCS7-----\nMAMCAQA=\n-----END PKCS7-----\n",
        b"\x30\x82\x05\x00\x30\x82\x04\x00\xa0\x03\x02\x01\x02" + bytes(40),
    ],
)
def test_what_is_damaged_is_said_and_the_rest_is_read(
    content: bytes, chain: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "bad.pem").write_bytes(content)
    (tmp_path / "good.pem").write_bytes(pem(chain["leaf"]))
    (batch,) = told(tmp_path)
    assert len(batch.resources) == 1
    assert batch.collections[0].status is Status.PARTIAL
    assert "bad.pem" in batch.collections[0].reason


def test_a_path_that_is_not_there_failed(tmp_path: Path) -> None:
    (batch,) = told(tmp_path / "gone")
    assert (batch.resources, batch.collections[0].status) == ([], Status.FAILED)
    assert batch.collections[0].remedy


def test_a_named_file_without_a_certificate_is_no_empty_answer(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("hello")
    (batch,) = told(tmp_path / "notes")
    assert batch.collections[0].status is Status.FAILED
    assert "没有证书" in batch.collections[0].reason


def test_what_may_not_be_read_is_denied(chain: dict[str, Any], tmp_path: Path) -> None:
    """Asked of a process without root's powers, whoever runs the tests."""
    folder = tmp_path / "shut"
    folder.mkdir()
    (folder / "a.pem").write_bytes(pem(chain["leaf"]))
    open_file = tmp_path / "open" / "b.pem"
    open_file.parent.mkdir()
    open_file.write_bytes(pem(chain["leaf"]))
    open_file.chmod(0)
    folder.chmod(0)
    program = (
        "import os, sys\n"
        "from collectors.certificates.files import Limits, read\n"
        "import collectors.certificates.forms, asn1crypto.x509, collectors.tls.certificates\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "limits = Limits(file_bytes=10**6, files=10, depth=2)\n"
        "for path in sys.argv[1:]:\n"
        "    told = read(path, limits, lambda: 0)\n"
        "    print(told.shut, [why for _, why in told.gaps], len(told.files))\n"
    )
    mine = [p for p in tmp_path.parents if Path(tempfile.gettempdir()) in p.parents]
    for above in [*mine, tmp_path, open_file.parent]:
        above.chmod(0o755)
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder), str(open_file), str(open_file.parent)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        folder.chmod(0o700)
    assert done.stdout.splitlines() == [
        "True ['无权读取'] 0",
        "True ['无权读取'] 0",
        "False ['无权读取'] 0",
    ]


def test_one_path_inside_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="另一个目录"):
        told(tmp_path, tmp_path / "a")


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_bytes_of_any_sort_raise_nothing_unexpected(data: bytes) -> None:
    form_of(data)
    list(from_pem(data.split(b"\n")))
    list(from_pem([b"-----BEGIN CERTIFICATE-----", *data.split(b"\n"), b"-----END CERTIFICATE-----"]))
    for read in (from_der, from_pkcs7):
        try:
            read(b"\x30\x82" + data)
        except DamagedError:
            continue


def _sha256() -> Any:
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256()


_SHA256 = _sha256()

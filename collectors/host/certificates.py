"""Certificates in files of a machine: those that its services' configurations name, and Kubernetes' own.

Of a configuration only the lines are read that name a certificate (``grep``), of a file only its certificate
blocks (``sed``): a private key in the same file does not leave the command, let alone the machine. What is
read: nginx, Apache, HAProxy and Postfix, and ``PLACES``. The machine's list of trusted authorities is not.
"""

from __future__ import annotations

import re
from posixpath import join, normpath
from typing import Final

from collectors.host.notebook import Notebook, decode
from collectors.host.reader import CERTIFICATE_BLOCKS, CERTIFICATE_LINES, CONFIGURATIONS, Output, Refusal
from inventory.kinds.crypto import Certificate
from inventory.resource import Relation

PLACES: Final = (
    "/etc/kubernetes/pki",
    "/etc/kubernetes/pki/etcd",
    "/etc/pki/nginx",
    "/etc/pki/tls/certs",
    "/etc/nginx/ssl",
    "/etc/ssl",
)
"""Folders whose own files are read, where they are called .crt, .cer or .pem."""

_NAMED: Final = re.compile(
    r"(?i)^\s*(?:(?:ssl_certificate|SSLCertificateFile)\s+|smtpd_tls_cert_file\s*=\s*)(\S+)"
)
_BIND: Final = re.compile(r"\scrt\s+(\S+)")
_INACTIVE: Final = re.compile(
    r"/(sites|conf|mods)-available/|/snippets/snakeoil\.conf$|~$|\.(bak|old|orig|save|rpmsave|rpmnew|dpkg-\w+)$"
)
_AUTHORITIES: Final = re.compile(r"/(ca-bundle|ca-certificates|cert|tls-ca-bundle)[\w.-]*$")
_SUFFIXES: Final = (".crt", ".cer", ".pem")
_MOST_FILES: Final = 200


def named_in(output: str) -> tuple[dict[str, None], dict[str, None]]:
    """Paths of certificates (HAProxy: or folders of them) in lines of configurations as ``grep -H`` prints
    them, and the configurations that name one in a way that is not followed (a variable, a device, inline).
    Relative paths are taken from the configuration's top folder."""
    found: dict[str, None] = {}
    passed_over: dict[str, None] = {}
    for line in output.split("\n"):
        where, colon, text = line.partition(":")
        if not colon or _INACTIVE.search(where):
            continue
        match = _NAMED.match(text)
        names = [match[1]] if match else _BIND.findall(text)
        for name in names:
            path = name.strip("\"';")
            top = "/".join(where.split("/")[:3])
            whole = normpath(join(top, path))
            if path and "$" not in path and not path.startswith("data:") and plain(whole):
                found[whole] = None
            else:
                passed_over[where] = None
    return found, passed_over


def plain(path: str) -> bool:
    """Whether a path is one that a command is given."""
    return bool(re.fullmatch(r"/[\w./@+,=-]{1,300}", path)) and not path.startswith(
        ("/dev/", "/proc/", "/sys/")
    )


def read_certificates(
    book: Notebook, host: str, source: str, labels: dict[str, str]
) -> tuple[list[Certificate], bool]:
    """Certificates of a machine, and whether all that was to be read was. Raises ModuleNotFoundError where
    the library that takes certificates apart is not installed."""
    from collectors.certificates.forms import DamagedError, from_pem
    from collectors.tls.certificates import kept

    promised, whole = _files(book)
    rows: list[Certificate] = []
    for path in list(promised)[:_MOST_FILES]:
        answer = book.command("sed", "-n", CERTIFICATE_BLOCKS, path)
        if isinstance(answer, Refusal) or answer.status:
            if answer is not Refusal.UNREADABLE and book.exists(path) is False:
                book.note(f"配置里写的证书文件不存在：{path}")
            else:
                book.denied[path] = None
            whole = False
            continue
        if promised[path] and b"-----BEGIN" not in answer.stdout:
            book.note(f"{path} 里没有 PEM 格式的证书（DER 格式的不读）")
            whole = False
        ders: list[bytes] = []
        for block in from_pem(answer.stdout.split(b"\n")):
            if isinstance(block, DamagedError):
                book.note(f"{path}：{block}")
                whole = False
            else:
                ders += block
        rows += kept(ders, source=source, scope="", place=f"{host}{path}", location=path)
    if len(promised) > _MOST_FILES:
        book.note(f"证书文件超过 {_MOST_FILES} 个，其余没有读")
        whole = False
    for row in rows:
        row.labels = dict(labels)
        row.relations = [Relation("part_of", f"{source}/host/{host}")]
    return rows, whole


def _files(book: Notebook) -> tuple[dict[str, bool], bool]:
    """Files to read, each with whether it must hold a certificate (a configuration or its suffix says so: a
    .pem may hold anything), and whether all places could be looked through."""
    files: dict[str, bool] = {}
    whole = True
    for place in CONFIGURATIONS:
        if book.exists(place) is False:
            continue
        answer = book.command("grep", "-RHsE", CERTIFICATE_LINES, place)
        if not isinstance(answer, Output) or answer.status > 1:
            book.denied[place] = None
            whole = False
        if isinstance(answer, Output):
            named, passed_over = named_in(decode(answer.stdout))
            for path in named:
                if place == "/etc/haproxy" and isinstance(names := book.reader.list_dir(path), list):
                    files |= _ones(path, names)
                else:
                    files[path] = True
            for where in passed_over:
                book.note(f"{where} 里有证书写成变量或程序不读的路径")
                whole = False
    for folder in PLACES:
        names = book.directory(folder)
        if isinstance(names, list):
            files = _ones(folder, names) | files
        elif names is not Refusal.NOT_FOUND:
            whole = False
    return files, whole


def _ones(folder: str, names: list[str]) -> dict[str, bool]:
    paths = [f"{folder}/{name}" for name in names if _is_one(f"{folder}/{name}")]
    return {path: not path.lower().endswith(".pem") for path in paths}


def _is_one(path: str) -> bool:
    return path.lower().endswith(_SUFFIXES) and plain(path) and not _AUTHORITIES.search(path)

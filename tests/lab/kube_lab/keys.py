"""Keys, certificates, tokens and the kubeconfigs that carry them; made once, kept by `down`."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
from pathlib import Path
from typing import Any

from kube_lab.build import quiet
from kube_lab.servers import USERS, Server

ISSUER = "https://kubernetes.default.svc"
NAMES = (
    "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,"
    "IP:127.0.0.1,IP:0:0:0:0:0:0:0:1,IP:10.96.0.1"
)


def make(server: Server) -> None:
    """All of it, unless it is there."""
    pki = server.pki
    if (pki / "done").exists():
        return
    pki.mkdir(parents=True, exist_ok=True)
    pki.chmod(0o700)
    authority(pki, "ca")
    authority(pki, "other-ca")
    certificate(pki, "apiserver", "/CN=kube-apiserver", "serverAuth")
    certificate(pki, "etcd", "/CN=etcd", "serverAuth,clientAuth")
    certificate(pki, "etcd-client", "/CN=kube-apiserver-etcd", "clientAuth")
    for who, group in USERS.items():
        certificate(pki, who, f"/O={group}/CN=lab-{who}", "clientAuth")
    certificate(pki, "web-long", "/CN=web.gov.example", "serverAuth", days=3650)
    certificate(pki, "web-short", "/CN=web.gov.example", "serverAuth", days=20)
    quiet("openssl", "genrsa", "-out", pki / "sa.key", "2048")
    tokens = {who: secrets.token_hex(24) for who in [*USERS, "wrong-token"]}
    lines = [
        f'{tokens[who]},lab-{who},{number},"{group}"' for number, (who, group) in enumerate(USERS.items())
    ]
    (pki / "tokens.csv").write_text("\n".join(lines) + "\n", encoding="ascii")
    tokens["expired-token"] = expired_token(pki)
    (pki / "tokens.json").write_text(json.dumps(tokens), encoding="ascii")
    for file in pki.iterdir():
        file.chmod(0o600)
    (pki / "done").touch()


def key(pki: Path, name: str) -> None:
    quiet("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", pki / f"{name}.key")


def authority(pki: Path, name: str) -> None:
    key(pki, name)
    quiet(
        *["openssl", "req", "-x509", "-new", "-key", pki / f"{name}.key", "-subj", f"/CN=kube-lab-{name}"],
        *["-days", "3650", "-addext", "basicConstraints=critical,CA:TRUE"],
        *["-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", pki / f"{name}.crt"],
    )


def certificate(pki: Path, name: str, subject: str, usage: str, days: int = 3650) -> None:
    key(pki, name)
    extensions = pki / f"{name}.ext"
    text = f"extendedKeyUsage={usage}\nkeyUsage=critical,digitalSignature\n"
    extensions.write_text(text + (f"subjectAltName={NAMES}\n" if "server" in usage else ""), encoding="ascii")
    request = pki / f"{name}.csr"
    quiet("openssl", "req", "-new", "-key", pki / f"{name}.key", "-subj", subject, "-out", request)
    quiet(
        *["openssl", "x509", "-req", "-in", request, "-CA", pki / "ca.crt", "-CAkey", pki / "ca.key"],
        *["-CAcreateserial", "-days", str(days), "-extfile", extensions, "-out", pki / f"{name}.crt"],
    )


def expired_token(pki: Path) -> str:
    """A service account's token that the server itself would have signed, run out years ago."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    claims = {
        "iss": ISSUER,
        "aud": [ISSUER],
        "sub": "system:serviceaccount:kube-system:collector",
        "iat": 1577836800,
        "nbf": 1577836800,
        "exp": 1577840400,
        "kubernetes.io": {"namespace": "kube-system", "serviceaccount": {"name": "collector", "uid": "0"}},
    }
    text = f"{part(json.dumps({'alg': 'RS256', 'typ': 'JWT'}).encode())}.{part(json.dumps(claims).encode())}"
    command = ["openssl", "dgst", "-sha256", "-sign", str(pki / "sa.key")]
    signed = subprocess.run(command, input=text.encode(), check=True, stdout=subprocess.PIPE).stdout
    return f"{text}.{part(signed)}"


def kubeconfigs(server: Server) -> None:
    """One file a user, with a certificate's context (the current one) and a token's."""
    tokens = json.loads((server.pki / "tokens.json").read_text(encoding="ascii"))

    def data(name: str) -> str:
        return base64.b64encode((server.pki / name).read_bytes()).decode()

    def write(who: str, users: dict[str, dict[str, Any]], authority: str = "ca") -> None:
        cluster = {
            "server": f"https://127.0.0.1:{server.port}",
            "certificate-authority-data": data(f"{authority}.crt"),
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": next(iter(users)),
            "clusters": [{"name": f"lab-{server.name}", "cluster": cluster}],
            "users": [{"name": name, "user": user} for name, user in users.items()],
            "contexts": [
                {"name": name, "context": {"cluster": f"lab-{server.name}", "user": name}} for name in users
            ],
        }
        path = server.kubeconfig(who)
        path.touch(mode=0o600)
        path.write_text(json.dumps(config, indent=1), encoding="ascii")  # JSON is YAML

    def by_certificate(who: str) -> dict[str, str]:
        return {"client-certificate-data": data(f"{who}.crt"), "client-key-data": data(f"{who}.key")}

    for who in USERS:
        write(who, {"cert": by_certificate(who), "token": {"token": tokens[who]}})
    for who in ("wrong-token", "expired-token"):
        write(who, {"token": {"token": tokens[who]}})
    write("untrusted", {"cert": by_certificate("auditor")}, authority="other-ca")

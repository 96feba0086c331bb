"""The seed's own small clients: of the API server and of the etcd behind it."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

from kube_lab.servers import Server


class Api:
    """The API server as its administrator; one kept connection a thread."""

    def __init__(self, server: Server, timeout_seconds: float = 60) -> None:
        self._port, self._timeout = server.port, timeout_seconds
        self._local = threading.local()
        self._tls = context(server, "admin")

    def once(
        self, method: str, path: str, body: object = None, kind: str = "application/json"
    ) -> tuple[int, Any]:
        """One request: status and decoded JSON (or text)."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPSConnection(
                "127.0.0.1", self._port, context=self._tls, timeout=self._timeout
            )
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, {"Content-Type": kind, "User-Agent": "kube-lab/seed"})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self._local.connection = None
            raise
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.status, json.loads(content) if is_json else content.decode(errors="replace")

    def ask(
        self, method: str, path: str, body: object = None, kind: str = "application/json"
    ) -> tuple[int, Any]:
        """The same, again where the connection broke or the server asks to come later."""
        for attempt in range(8):
            try:
                status, answer = self.once(method, path, body, kind)
            except (OSError, http.client.HTTPException):
                if attempt == 7:
                    raise
            else:
                if status not in (429, 503):
                    return status, answer
            time.sleep(0.1 * 2**attempt)
        raise SystemExit(f"{method} {path}: still refused after 8 tries")

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """What a list holds, page by page."""
        going = ""
        while True:
            status, answer = self.ask("GET", f"{path}?limit=500{going}")
            if status != 200:
                raise SystemExit(f"GET {path}: {status} {str(answer)[:300]}")
            yield from answer["items"]
            token = answer["metadata"].get("continue")
            if not token:
                return
            going = f"&continue={token}"


def context(server: Server, who: str) -> ssl.SSLContext:
    tls = ssl.create_default_context(cafile=server.pki / "ca.crt")
    tls.load_cert_chain(server.pki / f"{who}.crt", server.pki / f"{who}.key")
    return tls


class Etcd:
    """The server's etcd through its JSON gateway: what is stored, past the API server's own answers."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", server.etcd_port, context=context(server, "etcd-client"), timeout=60
        )

    def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self._connection.request("POST", path, json.dumps(body))
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"etcd {path}: {answer.status} {content[:300]!r}")
        decoded: dict[str, Any] = json.loads(content)
        return decoded

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        wanted = {"key": encoded(prefix), "range_end": encoded(end), "keys_only": True}
        found = self.ask("/v3/kv/range", wanted).get("kvs", [])
        return [base64.b64decode(kv["key"]).decode() for kv in found]

    def compact(self) -> int:
        """Forget all revisions before the next one, and leave word of it where API servers tell each other.

        A server of 1.34 and later goes on answering from its own memory until it reads that word
        (`compact_rev_key`, written by whichever server compacted).
        """
        revision = int(self._put("/lab/compacted", "yes"))
        self.ask("/v3/kv/compaction", {"revision": str(revision), "physical": True})
        self._put("compact_rev_key", str(revision))
        return revision

    def _put(self, key: str, value: str) -> str:
        answer = self.ask("/v3/kv/put", {"key": encoded(key), "value": encoded(value)})
        revision: str = answer["header"]["revision"]
        return revision


def forget(server: Server, seconds: float = 30) -> int:
    """Compact, and wait until a continue token given out before is answered with 410."""
    api = Api(server)
    _, page = api.ask("GET", "/api/v1/pods?limit=1")
    token = page["metadata"]["continue"]
    revision = Etcd(server).compact()
    end = time.monotonic() + seconds
    while api.ask("GET", f"/api/v1/pods?limit=1&continue={token}")[0] != 410:
        if time.monotonic() > end:
            raise SystemExit(f"the API server still knows a place in a list {seconds:.0f} s after compaction")
        time.sleep(0.1)
    return revision


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()

"""Reading one cloud of N servers: CPU beside openstacksdk's plain lists, calls beside pages, and memory.

    python benchmarks/bench_openstack.py [N]

A child process serves the demo's recording over HTTP on the loopback, its servers, volumes, ports and
security groups multiplied up to N servers, in pages as the services link them. Counted is the CPU time of
the reading process alone, without start-up. The collector does more in it: all kinds, proof of sight,
redaction and evidence; the SDK lists servers, volumes, ports and security groups as objects. Peak memory is
of processes of their own, which hand the batches on and keep nothing.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import subprocess
import sys
import time
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

from collectors import openstack as source_type
from collectors.contract import Run, Source

DEMO = Path(__file__).parents[1] / "zhengguan" / "data" / "demo" / "openstack" / "day1.jsonl.gz"
ROOTS = {"identity": "/identity/v3", "compute": "/compute/v2.1", "volumev3": "/volume/v3/p",
         "network": "/network/v2.0", "image": "/image/v2"}  # fmt: skip
PAGE = 1000
MULTIPLIED = ("servers", "volumes", "ports", "security_groups")
VERSIONS = {"identity": "v3.14", "compute": "v2.1", "volume": "v3.0", "network": "v2.0", "image": "v2.15"}


def multiply(rows: list[dict[str, Any]], total: int) -> list[dict[str, Any]]:
    """``total`` rows with ids and names of their own."""
    return [
        {**rows[i % len(rows)], "id": f"{i:08x}{rows[i % len(rows)]['id'][8:]}", "name": f"row-{i}"}
        for i in range(total)
    ]


def answers(total: int) -> dict[str, tuple[int, dict[str, Any]]]:
    """Path → status and body."""
    lines = [json.loads(line) for line in gzip.decompress(DEMO.read_bytes()).splitlines()]
    found: dict[str, tuple[int, dict[str, Any]]] = {}
    servers = next(len(line["body"]["servers"]) for line in lines[2:] if line["path"] == "/servers/detail")
    for line in lines[2:]:
        body = line.get("body") or {}
        if "name" in line.get("params", {}) or "error" in line:
            continue  # a proving call; here it gets the whole list
        for key in MULTIPLIED:
            if isinstance(body.get(key), list) and len(body[key]) > 1:
                body[key] = multiply(body[key], total * len(body[key]) // servers)
        path = f"/{line['service']}/{line['path'].strip('/')}"
        hidden = line["params"].get("os_hidden") if line.get("params") else None
        found[path + ("?hidden" if hidden else "")] = (line["status"], body)
    return found


def page(body: dict[str, Any], query: dict[str, str], url: str) -> dict[str, Any]:
    """The rows after the marker, as many as asked for, with the link to the next ones."""
    key = next((k for k in MULTIPLIED if isinstance(body.get(k), list)), "")
    limit = int(query.get("limit", 0))
    if not key or not limit:
        return body
    ids = [row["id"] for row in body[key]]
    start = ids.index(query["marker"]) + 1 if query.get("marker") in ids else 0
    rows = body[key][start : start + limit]
    answer: dict[str, Any] = {key: rows}
    if start + limit < len(ids) or (key == "servers" and len(rows) == limit):  # nova links a full page
        href = f"{url}?limit={limit}&marker={rows[-1]['id']}"
        answer[f"{key}_links"] = [{"rel": "next", "href": href}]
    return answer


def serve(total: int, pipe: Connection) -> None:
    """The child: one region, every service under one port."""
    found = answers(total)
    calls: dict[str, int] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(201, json.dumps(token(f"http://127.0.0.1:{self.server.server_port}")).encode())  # type: ignore[attr-defined]

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            parts = url.path.strip("/").split("/")
            service = parts[0]
            rest = (
                parts
                if service == "calls"
                else [p for p in parts[1:] if p not in ("v3", "v2.1", "v2.0", "v2", "p")]
            )
            if not rest:
                base = f"http://127.0.0.1:{self.server.server_port}{url.path}"  # type: ignore[attr-defined]
                version = {"id": VERSIONS[service], "status": "CURRENT", "version": "2.93",
                           "min_version": "2.1", "links": [{"rel": "self", "href": base}]}  # fmt: skip
                self.reply(200, json.dumps({"version": version}).encode())
                return
            query = dict(parse_qsl(url.query))
            path = (
                "/calls"
                if service == "calls"
                else "/" + "/".join([service, *rest]) + ("?hidden" if "os_hidden" in query else "")
            )
            if path == "/calls":
                self.reply(200, json.dumps(calls).encode())
                return
            if query.get("limit") != "1":  # one row is asked for to see the form of a list, or for proof
                calls[path] = calls.get(path, 0) + 1
            status, body = found.get(path, (404, {}))
            self.reply(status, json.dumps(page(body, query, url.path)).encode())

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Subject-Token", "t")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pipe.send(server.server_port)
    server.serve_forever()


def token(url: str) -> dict[str, Any]:
    """A token with a catalogue of the five services."""
    catalogue = [
        {"type": t, "name": t, "id": t, "endpoints": [
            {"id": t, "interface": "public", "region": "r", "region_id": "r", "url": url + root}]}
        for t, root in ROOTS.items()
    ]  # fmt: skip
    domain = {"id": "default", "name": "Default"}
    return {"token": {
        "methods": ["password"], "user": {"id": "u", "name": "admin", "domain": domain},
        "project": {"id": "p", "name": "admin", "domain": domain}, "roles": [{"id": "1", "name": "admin"}],
        "issued_at": "2026-11-22T00:00:00.000000Z", "expires_at": "2096-11-22T00:00:00.000000Z",
        "catalog": catalogue}}  # fmt: skip


def sizes(total: int) -> dict[str, int]:
    """Rows of the lists that grow with the number of servers."""
    return {
        path: len(body[key])
        for path, (_, body) in answers(total).items()
        for key in MULTIPLIED
        if isinstance(body.get(key), list) and len(body[key]) > 1 and path != "/compute/servers"
    }


def cloud(total: int) -> tuple[Any, str]:
    """The serving process, and its address."""
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=serve, args=(total, there), daemon=True)
    child.start()
    return child, f"http://127.0.0.1:{here.recv()}"


def source_of(url: str) -> Source:
    """The cloud as a source."""
    options = source_type.Options(
        auth_url=url + "/identity/v3", username="u", password_ref="env:P", project="admin"
    )
    return Source(name="zw", type="openstack", options=options)


def read(url: str) -> int:
    """Collect once, keeping nothing; the number of resources."""
    source = source_of(url)
    return sum(len(b.resources) for b in source_type.collect(source, Run(source, environ={"P": "secret"})))


def peak_mib(total: int) -> int:
    """Peak memory of a process that collects a cloud of so many servers."""
    child, url = cloud(total)
    program = (
        "import resource, sys; sys.path[:0] = sys.argv[2:]; import bench_openstack as b; b.read(sys.argv[1]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, url, str(here), str(here.parent)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    child.terminate()
    return int(done.stdout)


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    child, url = cloud(total)
    import openstack

    print(f"One cloud of {total} servers over HTTP on the loopback.\n")
    print("| reader | resources | CPU s | wall s |\n|---|---|---|---|")
    for attempt in ("first", "again"):
        cpu, wall = time.process_time(), time.perf_counter()
        rows = read(url)
        mine = time.process_time() - cpu
        print(f"| collector, all kinds, {attempt} | {rows} | {mine:.2f} | {time.perf_counter() - wall:.2f} |")
        if attempt == "first":
            calls = json.loads(urlopen(url + "/calls").read())
    connection = openstack.connect(
        auth_url=url + "/identity/v3", username="u", password="secret", project_name="admin",
        user_domain_name="Default", project_domain_name="Default", region_name="r",
        load_yaml_config=False, load_envvars=False,
    )  # fmt: skip
    cpu, wall = time.process_time(), time.perf_counter()
    rows = len(list(connection.compute.servers(details=True, all_projects=True)))
    servers_cpu = time.process_time() - cpu
    rows += len(list(connection.block_storage.volumes(details=True, all_projects=True)))
    rows += len(list(connection.network.ports())) + len(list(connection.network.security_groups()))
    theirs = time.process_time() - cpu
    wall = time.perf_counter() - wall
    print(f"| openstacksdk: servers, volumes, ports, groups | {rows} | {theirs:.2f} | {wall:.2f} |\n")
    print(
        f"openstacksdk takes {theirs / mine:.1f} times the CPU ({servers_cpu:.2f} s for the servers alone).\n"
    )
    child.terminate()
    print("| list | rows | pages required | calls |\n|---|---|---|---|")
    for path, number in sorted(sizes(total).items()):
        # nova links the next page wherever one is full, the others where there is a next one
        required = number // PAGE + 1 if path == "/compute/servers/detail" else -(-number // PAGE)
        print(f"| {path} | {number} | {required} | {calls[path]} |")
        if calls[path] > required:
            raise SystemExit(f"{path}: {calls[path]} calls for {required} pages")
    print(f"| all of them, with proofs of sight and what is asked one by one | | | {sum(calls.values())} |")
    print("\n| servers | peak MiB |\n|---|---|")
    for number in (100, total, 10 * total):
        print(f"| {number} | {peak_mib(number)} |")


if __name__ == "__main__":
    main()

"""Bring a server to hold the seed, and nothing but it."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

from kube_lab import processes
from kube_lab.api import Api
from kube_lab.seed.everything import everything
from kube_lab.seed.expect import expect
from kube_lab.seed.plan import plan
from kube_lab.seed.things import Json, Thing
from kube_lab.servers import Server, say

THREADS = 12
FIRST = ("namespaces", "customresourcedefinitions")


def seed(server: Server, pods: int, number: int) -> None:
    """Write what is not there yet; where the seed itself differs from what was written, start over."""
    started = time.monotonic()
    if not processes.ready(server):
        raise SystemExit(f"the {server.name} server is not up")
    things = everything(plan(server, pods, number))
    wanted = {f"{t.path}/{t.name}": fingerprint(t) for t in things}
    record = server.home / "seeded.json"
    written: dict[str, str] = json.loads(record.read_text(encoding="ascii")) if record.exists() else {}
    if written != {key: wanted.get(key) for key in written}:
        say(server, "holds another seed: starting over")
        processes.forget(server)
        processes.up(server)
    # written before the first object: an interrupted seed is taken up again, with its statuses
    complete = written == wanted and (server.home / "expected.json").exists()
    if not complete:
        (server.home / "expected.json").unlink(missing_ok=True)
    record.write_text(json.dumps(wanted), encoding="ascii")
    count = Writer(server).write(things, statuses_again=not complete)
    expect(server, pods, number)
    say(server, f"{len(things)} objects, {count} of them new, in {time.monotonic() - started:.1f} s")


def fingerprint(thing: Thing) -> str:
    facts = json.dumps([thing.body, thing.status, thing.owner], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


class Writer:
    """Owners before what they own, otherwise many at a time."""

    def __init__(self, server: Server) -> None:
        self._api = Api(server)
        self._ids: dict[tuple[str, str, str], tuple[str, str]] = {}
        """API and uid by kind, namespace and name."""

    def write(self, things: list[Thing], *, statuses_again: bool) -> int:
        """How many were new."""
        there = self._already(things)
        new = [t for t in things if (t.path, t.name) not in there]
        kept = [t for t in things if (t.path, t.name) in there and t.status and statuses_again]
        first = [t for t in new if t.resource in FIRST]
        rest = [t for t in new if t.resource not in FIRST]
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self._create, first))
            list(pool.map(self._write_status, kept))
            while rest:
                now, rest = split(rest, self._owner_is_there)
                if not now:
                    raise SystemExit(f"nobody is there to own {rest[0].path}/{rest[0].name}")
                list(pool.map(self._create, now))
        self._aggregate_roles()
        return len(new)

    def _already(self, things: list[Thing]) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        kinds = {(t.everywhere, t.kind): t for t in things}
        for (everywhere, kind), sample in kinds.items():
            status, _ = self._api.ask("GET", f"{everywhere}?limit=1")
            if status == 404:  # its definition is of this seed and not there yet
                continue
            for item in self._api.items(everywhere):
                metadata = item["metadata"]
                namespace = metadata.get("namespace", "")
                body = {"metadata": {"name": metadata["name"], "namespace": namespace}}
                found.add((Thing(sample.api, sample.resource, body).path, metadata["name"]))
                self._ids[kind, namespace, metadata["name"]] = (sample.api, metadata["uid"])
        return found

    def _owner_is_there(self, thing: Thing) -> bool:
        return thing.owner is None or (thing.owner[0], thing.namespace, thing.owner[1]) in self._ids

    def _create(self, thing: Thing) -> None:
        body = dict(thing.body)
        if thing.kind == "Node":  # a node's words are taken as they come
            body["status"] = thing.status
        if thing.owner:
            kind, name = thing.owner
            api, uid = self._ids[kind, thing.namespace, name]
            reference: Json = {"apiVersion": api, "kind": kind, "name": name, "uid": uid, "controller": True}
            body["metadata"] = {**body["metadata"], "ownerReferences": [reference]}
        answer = self._until_served("POST", thing.path, body)
        self._ids[thing.kind, thing.namespace, thing.name] = (thing.api, answer["metadata"]["uid"])
        if thing.status and thing.kind != "Node":
            self._write_status(thing)

    def _write_status(self, thing: Thing) -> None:
        custom = ".kubesphere.io/" in thing.api or ".karmada.io/" in thing.api
        path = f"{thing.path}/{thing.name}" + ("" if custom else "/status")
        kind = "application/merge-patch+json"
        status, answer = self._api.ask("PATCH", path, {"status": thing.status}, kind)
        if status != 200:
            raise SystemExit(f"PATCH {path}: {status} {str(answer)[:600]}")

    def _until_served(self, method: str, path: str, body: Json) -> Any:
        """A definition's own path answers 404 for a moment after it is made."""
        deadline = time.monotonic() + 30
        while True:
            status, answer = self._api.ask(method, path, body)
            if status in (200, 201):
                return answer
            if status != 404 or time.monotonic() > deadline:
                raise SystemExit(f"{method} {path} {body['metadata']['name']}: {status} {str(answer)[:600]}")
            time.sleep(0.2)

    def _aggregate_roles(self) -> None:
        """What the controller manager would: aggregated roles hold the rules of those they select."""
        base = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
        roles = list(self._api.items(base))
        before = {role["metadata"]["name"]: role.get("rules") or [] for role in roles}
        made = [role for role in roles if role.get("aggregationRule")]
        going = True
        while going:  # admin takes edit's, which takes view's
            now = [selected_rules(role, roles) for role in made]
            going = now != [role.get("rules") for role in made]
            for role, rules in zip(made, now, strict=True):
                role["rules"] = rules
        for role in made:
            name = role["metadata"]["name"]
            if role["rules"] != before[name]:
                body = {"rules": role["rules"]}
                self._api.ask("PATCH", f"{base}/{name}", body, "application/merge-patch+json")


def split(things: list[Thing], test: Callable[[Thing], bool]) -> tuple[list[Thing], list[Thing]]:
    """Those that pass, those that do not."""
    found: tuple[list[Thing], list[Thing]] = ([], [])
    for thing in things:
        found[not test(thing)].append(thing)
    return found


def selected_rules(role: Json, roles: list[Json]) -> list[Json]:
    """The rules of all roles whose labels the role's aggregation asks for, each once."""
    found: list[Json] = []
    for selector in role["aggregationRule"]["clusterRoleSelectors"]:
        wanted = selector["matchLabels"].items()
        for other in roles:
            if wanted <= (other["metadata"].get("labels") or {}).items():
                found += [r for r in other.get("rules") or [] if r not in found]
    return found

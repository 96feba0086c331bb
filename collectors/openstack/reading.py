"""Reading one cloud: all services side by side, I/O only.

The identity service comes first, since quotas and application credentials are read per project and per
user. The other services are read at once, each in its own thread, so that one that hangs costs nobody
else anything; what it had answered by the deadline is kept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import msgspec

from collectors.contract import DeadlineError, Run
from collectors.openstack import compute, identity
from collectors.openstack.client import TITLES, Client, Facts, ServiceError, ServiceName
from collectors.openstack.listing import PAGE, Ask, Listing, read, refusal
from collectors.openstack.quota import QuotaService, quota_request
from collectors.openstack.sight import Proof, missing, prove
from inventory.coverage import Status

_MARGIN_SECONDS = 2.0  # kept back from the deadline for mapping what has come
UNFINISHED = ServiceError("到时限时还没有读完", "检查该服务的快慢，或调大该来源的 deadline_seconds")
NETWORK_LISTS = {
    "network": "networks",
    "subnet": "subnets",
    "port": "ports",
    "security_group": "security_groups",
    "floating_ip": "floatingips",
    "router": "routers",
}


class Answers(msgspec.Struct, kw_only=True):
    """What one reader has got so far; filled by its thread, taken by the main one at the end.

    ``items`` are the answers that come one per project (quotas) or per user (application credentials);
    ``each`` holds their evidence and what ended them early.
    """

    proofs: dict[str, Proof] = msgspec.field(default_factory=dict)
    lists: dict[str, Listing] = msgspec.field(default_factory=dict)
    items: dict[str, list[bytes]] = msgspec.field(default_factory=dict)
    each: Listing = msgspec.field(default_factory=Listing)
    crash: BaseException | None = None

    def pages(self, name: str) -> list[bytes]:
        """Pages of one list, so far."""
        return list(self.lists[name].pages) if name in self.lists else []


class Reader:
    """One reading of one cloud: its client and run, and what the token says."""

    def __init__(self, client: Client, run: Run, facts: Facts, admin_roles: list[str]) -> None:
        self.client = client
        self.run = run
        self.facts = facts
        self.admin_roles = admin_roles

    def side_by_side(self, tasks: Mapping[str, Callable[[Answers], None]]) -> dict[str, Answers]:
        """Run readers at once; back when all are done or the deadline is near. Re-raises what no reader
        should raise."""
        answers = {name: Answers() for name in tasks}
        # daemon: one that hangs in a read must not hold the program's end
        threads = [
            threading.Thread(
                target=_guarded, args=(task, answers[name]), name=f"openstack-{name}", daemon=True
            )
            for name, task in tasks.items()
        ]
        for thread in threads:
            thread.start()
        left = self.run.remaining()
        end = time.monotonic() + left - min(_MARGIN_SECONDS, left / 4)
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        for one in answers.values():
            if one.crash is not None:
                raise one.crash
        return answers

    def identity(self, answers: Answers) -> None:
        """Domains, projects, users, role assignments."""
        self._prove("identity", answers)
        domains = self._list(answers, "domain", Ask(service="identity", path="/domains", key="domains"))
        project = self._list(answers, "project", Ask(service="identity", path="/projects", key="projects"))
        self._instead(project, Ask(service="identity", path="/auth/projects", key="projects"))
        users = answers.lists["user"] = Listing(error=UNFINISHED)
        failed = None
        # without a domain, keystone with a directory per domain lists one domain only and does not say so
        for domain in sorted(identity.domain_names(domains.pages)) or [""]:
            params = {"domain_id": domain} if domain else {}
            ask = Ask(service="identity", path="/users", key="users", params=params)
            one = read(self.client, self.run, ask)
            users.pages += one.pages
            users.evidence += one.evidence
            failed = failed or one.error
        users.error = failed
        everything = {"effective": "true", "include_names": "true"}
        path = "/role_assignments"
        self._list(
            answers,
            "role",
            Ask(service="identity", path=path, key="role_assignments", params=everything),
        )

    def credentials(self, answers: Answers, users: list[str]) -> None:
        """Application credentials: one call a user, there is no list of all."""
        answers.each.error = UNFINISHED
        for done, user in enumerate(users):
            self.run.progress("应用凭据", done, len(users))
            path = f"/users/{user}/application_credentials"
            one = read(
                self.client, self.run, Ask(service="identity", path=path, key="application_credentials")
            )
            if one.error is not None and one.error.status is not Status.UNSUPPORTED:
                answers.each.error = one.error
                return
            answers.items[user] = one.pages  # none where the user was deleted meanwhile (404)
            answers.each.evidence += one.evidence
        answers.each.error = None

    def compute(self, answers: Answers, projects: list[str]) -> None:
        """Servers, hypervisors with their zones, flavors, quotas."""
        if self._prove("compute", answers):
            return
        version = compute.microversion(self.facts.max_microversion)

        def ask(path: str, key: str, **params: str) -> Ask:
            return Ask(service="compute", path=path, key=key, params=params, microversion=version)

        every = ask("/servers/detail", "servers", all_tenants="1", limit=PAGE)
        servers = self._list(answers, "server", every)
        if self.facts.project_id:
            self._instead(servers, ask("/servers/detail", "servers", limit=PAGE))
        self._list(answers, "hypervisor", ask("/os-hypervisors/detail", "hypervisors", limit=PAGE))
        self._list(answers, "zone", ask("/os-availability-zone/detail", "availabilityZoneInfo"))
        self._list(answers, "flavor", ask("/flavors/detail", "flavors", is_public="None", limit=PAGE))
        self._quotas(answers, "compute", projects)

    def volume(self, answers: Answers, projects: list[str]) -> None:
        """Volumes, quotas."""
        if self._prove("volume", answers):
            return
        params = {"all_tenants": "1", "limit": PAGE}
        ask = Ask(service="volume", path="/volumes/detail", key="volumes", params=params)
        self._list(answers, "volume", ask)
        self._quotas(answers, "volume", projects)

    def network(self, answers: Answers, projects: list[str]) -> None:
        """All lists of neutron, quotas."""
        if self._prove("network", answers):
            return
        for kind, key in NETWORK_LISTS.items():
            path = "/" + key.replace("_", "-")
            ask = Ask(service="network", path=path, key=key, params={"limit": PAGE})
            self._list(answers, kind, ask)
        self._quotas(answers, "network", projects)

    def image(self, answers: Answers) -> None:
        """Images, then the hidden ones: servers can still be made from them, and no other list has them."""
        if self._prove("image", answers):
            return
        params = {"visibility": "all", "limit": PAGE}
        self._list(answers, "image", Ask(service="image", path="/images", key="images", params=params))
        params = {**params, "os_hidden": "true"}
        self._list(answers, "hidden", Ask(service="image", path="/images", key="images", params=params))

    def _prove(self, service: ServiceName, answers: Answers) -> bool:
        """Keep the proofs; True where the service is not there to be read."""
        answers.proofs = prove(self.client, self.run, self.facts, service, self.admin_roles)
        return missing(self.facts, service) is not None

    def _list(self, answers: Answers, name: str, ask: Ask) -> Listing:
        """Read a list into ``answers``; until it is at its end it counts as unfinished."""
        self.run.progress(f"{TITLES[ask.service]}：{ask.key}")
        listing = answers.lists[name] = Listing(error=UNFINISHED)
        return read(self.client, self.run, ask, listing)

    def _instead(self, denied: Listing, ask: Ask) -> None:
        """Where the list of everything is denied, keep the rows of a narrower one; it stays denied."""
        if denied.error is not None and denied.error.status is Status.DENIED:
            narrow = read(self.client, self.run, ask)
            denied.pages += narrow.pages
            denied.evidence += narrow.evidence

    def _quotas(self, answers: Answers, service: QuotaService, projects: list[str]) -> None:
        answers.each.error = UNFINISHED
        try:
            for done, project in enumerate(projects):
                self.run.progress(f"{TITLES[service]}：配额", done, len(projects))
                path, params = quota_request(service, project)
                response = self.client.get(service, path, params)
                if response.status != 200:
                    raise refusal(service, path, response)
                evidence = self.run.evidence(response.body, origin=f"GET {service} {path}")
                answers.items[project] = [response.body]
                answers.each.evidence.append(evidence)
        except ServiceError as error:
            answers.each.error = error
        except DeadlineError as error:
            answers.each.error = ServiceError(error.reason, error.remedy)
        else:
            answers.each.error = None


def _guarded(task: Callable[[Answers], None], answers: Answers) -> None:
    try:
        task(answers)
    except Exception as error:  # noqa: BLE001  a thread's error is raised again by the one who waits
        answers.crash = error

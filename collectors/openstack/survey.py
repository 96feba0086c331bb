"""From answers to batches: mapping, proof of sight, coverage. Pure, save for the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from collectors.contract import Run
from collectors.openstack import compute, identity, image, network, storage
from collectors.openstack.client import Facts, ServiceError, ServiceName
from collectors.openstack.compute import Facing
from collectors.openstack.listing import Listing, Mapped, Place, row_ids
from collectors.openstack.quota import QuotaService, quota
from collectors.openstack.reading import UNFINISHED, Answers
from collectors.openstack.sight import Proof, doubt_ports, doubt_volumes, settle
from inventory.coverage import Batch, Status
from inventory.evidence import Evidence
from inventory.kinds import KINDS as ALL_KINDS

_QUOTA_SERVICES: tuple[QuotaService, ...] = ("compute", "volume", "network")
_UNPROVEN = Proof(everything=False, reason=UNFINISHED.reason, remedy=UNFINISHED.remedy, status=Status.FAILED)


class Survey(msgspec.Struct, kw_only=True):
    """What turning answers into batches needs besides them."""

    run: Run
    facts: Facts
    place: Place
    admin_roles: list[str]
    started_at: datetime

    def batch(
        self, kind: str, found: Mapped, proof: Proof, listing: Listing, also: tuple[str, ...] = ()
    ) -> Batch:
        """Resources of one kind, and the collection that tells how complete they are. ``also`` holds
        further reasons why they are not."""
        count = len(found.resources)
        problems = [*found.problems, *also]
        title = ALL_KINDS[kind].TITLE
        status, reason, remedy = settle(proof, count, listing.error, problems, title)
        evidence: dict[str, Evidence] = {e.id: e for e in (*proof.evidence, *listing.evidence)}
        collection = self.run.collection(
            kind,
            status,
            self.started_at,
            count=count,
            reason=reason,
            remedy=remedy,
            evidence=list(evidence),
        )
        return Batch(resources=found.resources, collections=[collection], evidence=list(evidence.values()))

    def cloud(self) -> Batch:
        """The platform itself: the catalogue is whole for whoever holds a project."""
        evidence = self.run.evidence(msgspec.json.encode(self.facts), origin="POST identity /auth/tokens")
        proof = Proof(everything=True, evidence=(evidence,))
        if self.facts.project_id is None:
            proof = Proof(
                everything=False,
                reason="令牌不属于任何项目，目录里会少服务",
                remedy="换用项目范围的凭据",
                evidence=(evidence,),
            )
        found = Mapped(resources=[identity.cloud(self.facts, self.place)])
        return self.batch("cloud", found, proof, Listing())

    def identity(self, answers: Answers) -> Iterator[Batch]:
        """Projects and users."""
        domains = identity.domain_names(answers.pages("domain"))
        yield self._one("project", answers, identity.projects(answers.pages("project"), domains, self.place))
        roles, odd = identity.assigned_roles(answers.pages("role"))
        role_error = _list(answers, "role").error
        found = identity.users(
            answers.pages("user"), domains, None if role_error else roles, self.admin_roles, self.place
        )
        found.problems += [f"角色分配 {text}" for text in odd]
        proof = answers.proofs.get("user", _UNPROVEN)
        if _list(answers, "domain").error is not None and proof.everything:
            proof = Proof(everything=False, reason="读不到域的列表，别的域的账户可能没有列出")
        also = (f"角色分配没有读到：{role_error.reason}",) if role_error else ()
        yield self.batch("user", found, proof, _list(answers, "user"), also)

    def credentials(self, answers: Answers, people: Batch) -> Batch:
        """Application credentials, as complete as the list of users is at best."""
        found = Mapped()
        for user, pages in answers.items.items():
            one = identity.application_credentials(pages, user, self.place)
            found.resources += one.resources
            found.problems += one.problems
        return self.batch("application_credential", found, _inherited(people), answers.each)

    def compute(self, answers: Answers) -> Iterator[Batch]:
        """Flavors, hypervisors, servers."""
        zone_error = _list(answers, "zone").error
        zones = None if zone_error else compute.zones(answers.pages("zone"))
        flavors = compute.flavors(answers.pages("flavor"), self.place)
        hypervisors = compute.hypervisors(answers.pages("hypervisor"), zones, self.place)
        pages = answers.pages("server")
        servers = compute.servers(pages, _ids(hypervisors), _ids(flavors), self.place)
        down = compute.in_cells_that_are_down(pages)
        also = (f"{down} 台云主机所在的 cell 没有应答，只知道编号",) if down else ()
        yield self._one("flavor", answers, flavors)
        yield self._one("hypervisor", answers, hypervisors)
        yield self._one("server", answers, servers, also=also)

    def volume(self, answers: Answers, facing: Facing) -> Batch:
        """Volumes, held against the disks that servers carry."""
        pages = answers.pages("volume")
        found = storage.volumes(pages, self.place)
        proof = answers.proofs.get("volume", _UNPROVEN)
        proof = doubt_volumes(proof, row_ids(pages, "volumes"), facing.volumes)
        return self._one("volume", answers, found, proof=proof)

    def network(self, answers: Answers, facing: Facing) -> Iterator[Batch]:
        """Networks, subnets, ports, security groups, floating IPs, routers."""
        place = self.place
        port_pages, subnet_pages = answers.pages("port"), answers.pages("subnet")
        ports = network.ports(port_pages, network.prefix_lengths(subnet_pages), place)
        proof = answers.proofs.get("port", _UNPROVEN)
        proof = doubt_ports(proof, len(row_ids(port_pages, "ports")), facing.with_addresses)
        all_ports = proof.everything and _list(answers, "port").error is None and not ports.problems
        in_use = network.groups_in_use(port_pages) if all_ports else None
        groups = network.security_groups(answers.pages("security_group"), in_use, place)
        yield self._one("network", answers, network.networks(answers.pages("network"), place))
        yield self._one("subnet", answers, network.subnets(subnet_pages, place))
        yield self._one("port", answers, ports, proof=proof)
        yield self._one("security_group", answers, groups)
        yield self._one("floating_ip", answers, network.floating_ips(answers.pages("floating_ip"), place))
        yield self._one("router", answers, network.routers(answers.pages("router"), place))

    def image(self, answers: Answers) -> Batch:
        """Images, hidden ones included."""
        hidden = _list(answers, "hidden")
        listing = _list(answers, "image")
        both = Listing(evidence=[*listing.evidence, *hidden.evidence], error=listing.error or hidden.error)
        found = image.images(answers.pages("image") + answers.pages("hidden"), self.place)
        return self.batch("image", found, answers.proofs.get("image", _UNPROVEN), both)

    def quota(self, services: dict[str, Answers], projects: Batch) -> Batch:
        """Quotas of all projects in the three services that have them: one kind, so its worst counts."""
        found, listing = Mapped(), Listing()
        proof = _inherited(projects)
        for service in _QUOTA_SERVICES:
            answers = services[service]
            absent = _absent(answers, service)
            if absent is Status.UNSUPPORTED:
                continue
            if absent is not None and proof.everything:
                proof = answers.proofs.get(service if service != "compute" else "server", _UNPROVEN)
            for project, pages in list(answers.items.items()):
                try:
                    found.resources.append(quota(pages[0], service, project, self.place))
                except (msgspec.DecodeError, StopIteration):
                    found.problems.append(f"项目 {project} 的 {service} 配额看不懂")
            listing.evidence += answers.each.evidence
            listing.error = _worse(listing.error, answers.each.error)
        return self.batch("quota", found, proof, listing)

    def _one(
        self,
        kind: str,
        answers: Answers,
        found: Mapped,
        *,
        proof: Proof | None = None,
        also: tuple[str, ...] = (),
    ) -> Batch:
        proof = proof or answers.proofs.get(kind, _UNPROVEN)
        return self.batch(kind, found, proof, _list(answers, kind), also)


def _list(answers: Answers, name: str) -> Listing:
    """One list; that a service is not there at all, its proof says."""
    return answers.lists.get(name, Listing())


def _absent(answers: Answers, service: ServiceName) -> Status | None:
    """The status of a service that was not read at all; None where some of it was."""
    return next(iter(answers.proofs.values()), _UNPROVEN).status if not answers.lists else None


def _ids(found: Mapped) -> dict[str, str]:
    return {r.name: r.native_id for r in found.resources if isinstance(r.name, str)}


def _inherited(batch: Batch) -> Proof:
    """The sight of what was read one by one along another kind: no better than of that kind."""
    above = batch.collections[0]
    if above.status is Status.COMPLETE:
        return Proof(everything=True)
    return Proof(
        everything=False,
        reason=f"{ALL_KINDS[above.kind].TITLE}没有看全，沿着它读的也就不全",
        remedy=above.remedy,
        status=above.status,
    )


def _worse(one: ServiceError | None, other: ServiceError | None) -> ServiceError | None:
    """The error to show for a kind read from several services: a denial first, since it asks for an act."""
    if one is None or other is None:
        return one or other
    return other if other.status is Status.DENIED and one.status is not Status.DENIED else one

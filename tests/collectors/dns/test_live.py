"""Real servers: BIND as root, top-level domain, name servers and resolver of a network namespace.

Every verdict is that of the zone's configuration (tests/lab/dns-servers), and where BIND validates as well, that
of BIND in the same run.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any, TypeVar

import pytest
from dns import flags, message, query, rcode

from collectors import dns
from collectors.contract import Run, Source
from collectors.recordings import replaying
from inventory.coverage import Batch, Status
from inventory.kinds.web import Domain, NameServer
from inventory.resource import plain
from inventory.unknown import UNKNOWN

pytestmark = pytest.mark.lab

LAB = Path(__file__).parents[2] / "lab" / "dns-servers"
CLONE_NEWNET = 0x40000000
T = TypeVar("T")


def _lab_module() -> Any:
    loader = SourceFileLoader("dns_servers", str(LAB))
    module = module_from_spec(spec_from_loader("dns_servers", loader))  # type: ignore[arg-type]
    loader.exec_module(module)
    return module


SERVERS = _lab_module()


class Lab:
    """The running DNS: whose network it is, and its trust anchor."""

    def __init__(self) -> None:
        self.pid = 0
        self.anchor = ""

    def inside(self, call: Callable[[], T]) -> T:
        """Call something in a thread that is in the network of the lab."""
        held: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                descriptor = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
                assert ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) == 0
                os.close(descriptor)
                held.append(call())
            except BaseException as error:  # noqa: BLE001 - handed to the test
                errors.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return held[0]

    def source(self, **changed: Any) -> Source:
        options = dns.Options(**{**SERVERS.options_of(self.anchor), **changed})
        return Source(name="names", type="dns", options=options, deadline_seconds=240)

    def domains(self, **changed: Any) -> dict[str, Domain]:
        source = self.source(**changed)
        return rows(self.inside(lambda: list(dns.collect(source, Run(source)))))


def rows(batches: list[Batch]) -> dict[str, Domain]:
    return {r.native_id: r for batch in batches for r in batch.resources if isinstance(r, Domain)}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    one = Lab()
    command = [sys.executable, str(LAB), str(tmp_path_factory.mktemp("dns"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            for line in iter(process.stdout.readline, "READY\n"):
                assert line, "dns-servers did not start"
                word, _, rest = line.strip().partition(" ")
                if word == "pid":
                    one.pid = int(rest)
                else:
                    one.anchor = rest
            yield one
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recording") / "dns.jsonl.gz"


@pytest.fixture(scope="module")
def batches(lab: Lab, recording: Path) -> dict[str, Batch]:
    """All names, read in one run, by scope."""
    source = lab.source()
    told = lab.inside(lambda: dns.record(source, Run(source), recording))
    return {batch.collections[0].scope: batch for batch in told}


@pytest.fixture(scope="module")
def found(batches: dict[str, Batch]) -> dict[str, Domain]:
    return rows(list(batches.values()))


def addresses(domain: Domain) -> list[str]:
    return [str(one.address) for one in domain.addresses]


def servers(domain: Domain) -> list[NameServer]:
    """Of the last zone."""
    return list(domain.delegations[-1].servers)


def test_every_name_is_accounted_for(batches: dict[str, Batch], found: dict[str, Domain]) -> None:
    assert set(batches) == set(SERVERS.NAMES)
    assert set(found) == set(SERVERS.NAMES)  # even of the broken ones the delegation was seen
    assert all(len(batch.collections) == 1 for batch in batches.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "www.good.test": ["192.0.2.10", "2400:3200::10"],
        "good.test": [],
        "alias.good.test": ["192.0.2.10", "2400:3200::10"],
        "outside.good.test": ["192.0.2.10", "2400:3200::10"],
        "x.wild.good.test": ["2400:3200::77"],
        "empty.good.test": [],
        "four.unsigned.test": ["192.0.2.20"],
        "unique.unsigned.test": ["fd00::1"],
        "mixed.unsigned.test": ["2400:3200::11", "fe80::1"],
        "gone.unsigned.test": [],
        "loop1.unsigned.test": [],
        "www.bogus.test": ["192.0.2.99", "2400:3200::99"],  # no resolver gives them; the servers do
        "absent.good.test": [],
    }.items(),
)
def test_addresses_are_those_of_the_zone(found: dict[str, Domain], name: str, expected: list[str]) -> None:
    assert addresses(found[name]) == expected


def test_an_answer_that_needs_tcp_is_whole(found: dict[str, Domain]) -> None:
    assert len(addresses(found["many.good.test"])) == 81


ALIASES = {
    "www.good.test": (True, None, None),
    "alias.good.test": (True, "www.good.test", "address"),
    "gone.unsigned.test": (True, "nothing.good.test", "nonexistent"),
    "bare.unsigned.test": (True, "empty.good.test", "no_data"),
    "loop1.unsigned.test": (True, "loop2.unsigned.test", "loop"),
    "absent.good.test": (False, None, None),
    "www.absent-zone.test": (False, None, None),
    "empty.good.test": (True, None, None),
    "www.sixonly.test": (UNKNOWN, UNKNOWN, UNKNOWN),
    "www.lame.test": (UNKNOWN, UNKNOWN, UNKNOWN),
}


@pytest.mark.parametrize(("name", "expected"), ALIASES.items())
def test_existence_and_aliases(found: dict[str, Domain], name: str, expected: tuple[Any, ...]) -> None:
    one = found[name]
    got = (one.exists, one.alias, one.alias_ends)
    assert all(a is b if b is UNKNOWN else a == b for a, b in zip(got, expected, strict=True)), got


STATES = {
    "secure": "www.good.test absent.good.test empty.good.test x.wild.good.test many.good.test alias.good.test "
    "www.nsec.test absent.nsec.test x.wild.nsec.test b.c.nsec.test www.absent-zone.test",
    "insecure": "www.unsigned.test outside.good.test www.sub.nsec.test www.single.test www.lame.test "
    "gone.unsigned.test loop1.unsigned.test",
    "bogus": "www.bogus.test www.expired.test www.nokeys.test www.orphan.nsec.test",
}


@pytest.mark.parametrize(("name", "state"), [(n, s) for s, names in STATES.items() for n in names.split()])
def test_dnssec_is_as_the_zone_was_signed_and_as_bind_says(
    lab: Lab, found: dict[str, Domain], name: str, state: str
) -> None:
    assert found[name].dnssec == state
    if name in ("www.lame.test", "loop1.unsigned.test"):
        return  # no resolver can say anything of these
    asked = message.make_query(name, "AAAA", want_dnssec=True)
    told = lab.inside(lambda: query.udp_with_fallback(asked, SERVERS.RESOLVER[0], timeout=60)[0])
    assert (told.rcode() == rcode.SERVFAIL) == (state == "bogus")
    assert bool(told.flags & flags.AD) == (state == "secure")


def test_why_a_zone_is_bogus_is_said(found: dict[str, Domain]) -> None:
    assert found["www.bogus.test"].dnssec_problem == "www.bogus.test 的 A 的签名不对"
    assert found["www.expired.test"].dnssec_problem == "expired.test 的 DNSKEY 的签名已过期"
    assert found["www.nokeys.test"].dnssec_problem == "nokeys.test 应当签名，却没有 DNSKEY"
    assert found["www.good.test"].dnssec_problem is None


SERVED: dict[str, list[tuple[Any, ...]]] = {
    "www.good.test": [
        ("ns1.good.test", 2, True, True, False),
        ("ns2.good.test", 2, True, True, False),
    ],
    "www.lame.test": [("ns1.good.test", 2, False, False, True), ("ns2.good.test", 2, False, False, True)],
    "www.halflame.test": [("ns1.good.test", 2, True, True, False), ("ns2.good.test", 2, False, False, True)],
    "www.oldstack.test": [
        ("ns1.oldstack.test", 1, True, False, False),
        ("ns3.oldstack.test", 1, True, False, False),
    ],
    "www.single.test": [("ns1.good.test", 2, True, True, False)],
    "www.deadsix.test": [
        ("ns1.deadsix.test", 2, True, False, False),
        ("ns2.deadsix.test", 1, False, False, UNKNOWN),
    ],
    "www.noglue.test": [("ns1.noglue.test", 0, False, False, UNKNOWN)],
    "www.looping1.test": [("ns.looping2.test", 0, False, False, UNKNOWN)],
    "www.sixonly.test": [("ns1.sixonly.test", 1, False, False, UNKNOWN)],
}


@pytest.mark.parametrize(("name", "expected"), SERVED.items())
def test_servers_of_the_zone(found: dict[str, Domain], name: str, expected: list[tuple[Any, ...]]) -> None:
    got = [(s.name, len(s.addresses), s.answers_ipv4, s.answers_ipv6, s.lame) for s in servers(found[name])]
    assert repr(got) == repr(expected)


def test_every_cut_on_the_way_is_seen(found: dict[str, Domain]) -> None:
    zones = [one.zone for one in found["www.sub.nsec.test"].delegations]
    assert zones == ["test", "nsec.test", "sub.nsec.test"]
    assert found["www.sub.nsec.test"].zone == "sub.nsec.test"
    assert found["www.absent-zone.test"].zone == "test"


def test_mail_hosts(found: dict[str, Domain]) -> None:
    first, second = found["good.test"].mail
    assert (first.name, first.preference, first.reverse_ipv6, first.greets_ipv6) == (
        "mx1.good.test", 10, ["mx1.good.test"], True,
    )  # fmt: skip
    assert (second.name, second.reverse_ipv6, second.greets_ipv6) == ("mx2.good.test", [], False)
    (blind,) = found["blindmail.unsigned.test"].mail
    assert (blind.reverse_ipv6, blind.greets_ipv6) == ([], False)  # no PTR, and nobody listens
    assert found["nullmail.unsigned.test"].mail == []
    assert found["www.bogus.test"].mail is UNKNOWN


def test_hints_of_https_records(found: dict[str, Domain]) -> None:
    assert [a.address for a in found["www.good.test"].https_hints] == ["192.0.2.10", "2400:3200::10"]
    assert found["www.unsigned.test"].https_hints == []


def test_both_resolvers_are_asked_and_their_failures_are_unknown(
    batches: dict[str, Batch], found: dict[str, Domain]
) -> None:
    assert [(r.family, r.answered, r.gives_ipv6) for r in found["www.good.test"].resolvers] == [
        ("ipv4", True, True), ("ipv6", True, True),
    ]  # fmt: skip
    assert [r.gives_ipv6 for r in found["four.unsigned.test"].resolvers] == [False, False]
    assert [(r.answered, r.gives_ipv6) for r in found["www.bogus.test"].resolvers] == [(UNKNOWN, UNKNOWN)] * 2
    (told,) = batches["www.bogus.test"].collections
    assert told.status is Status.PARTIAL
    assert "解析服务器 127.53.0.53：应答 SERVFAIL" in told.reason
    assert told.remedy
    assert batches["www.good.test"].collections[0].status is Status.COMPLETE


def test_a_wrong_anchor_makes_everything_bogus_and_none_leaves_it_unknown(lab: Lab) -> None:
    wrong = lab.anchor[:-4] + ("0000" if not lab.anchor.endswith("0000") else "1111")
    assert lab.domains(names=["www.good.test"], trust_anchors=[wrong])["www.good.test"].dnssec == "bogus"
    without = lab.domains(names=["www.good.test"], trust_anchors=[])["www.good.test"]
    assert without.dnssec is UNKNOWN
    assert without.zone == "good.test"


def test_over_one_family_the_other_is_not_judged(lab: Lab) -> None:
    one = lab.domains(names=["www.good.test"], families=["ipv4"])["www.good.test"]
    assert [(s.answers_ipv4, s.answers_ipv6) for s in servers(one)] == [(True, UNKNOWN)] * 2
    assert addresses(one) == ["192.0.2.10", "2400:3200::10"]


def test_no_way_to_the_root_over_ipv6_leaves_ipv6_unknown_where_nobody_answers(lab: Lab) -> None:
    source = lab.source(names=["www.deadsix.test"], root_servers=[SERVERS.ROOT[0]])
    (batch,) = lab.inside(lambda: list(dns.collect(source, Run(source))))
    (one,) = rows([batch]).values()
    assert [s.answers_ipv6 for s in servers(one)] == [UNKNOWN, UNKNOWN]
    assert "采集机以 IPv6 到不了上级的服务器" in batch.collections[0].reason


def test_servers_of_ones_own_stand_in_for_a_delegation(lab: Lab) -> None:
    one = lab.domains(names=["www.lame.test", "www.good.test"], servers={"good.test": [SERVERS.TWO[0]]})
    assert one["www.good.test"].zone == "good.test"
    assert one["www.good.test"].delegations == []


def test_a_recording_replays_to_the_same(batches: dict[str, Batch], recording: Path) -> None:
    again = replaying(recording)
    replayed = {b.collections[0].scope: b for b in dns.collect(again, Run(again))}
    for name, batch in batches.items():
        (one,), (other,) = (rows([b]).values() for b in (replayed[name], batch))
        different = {f: (plain(one).get(f), v) for f, v in plain(other).items() if plain(one).get(f) != v}
        assert different == {}, name
        assert replayed[name].collections[0].reason == batch.collections[0].reason


def test_doctor_names_each_server(lab: Lab) -> None:
    source = lab.source(resolvers=[SERVERS.RESOLVER[0], SERVERS.DEAD])
    lines = {a.subject: a for a in lab.inside(lambda: list(dns.probe(source, Run(source))))}
    assert lines["解析服务器 127.53.0.53"].ok is True
    assert lines["解析服务器 fd53::dead"].ok is False
    assert lines["解析服务器 fd53::dead"].remedy
    assert lines[". 的权威服务器（IPv6）"].ok is True

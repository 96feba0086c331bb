"""Broken agents among healthy ones: the healthy are whole, the broken say why they are not."""

from __future__ import annotations

import time

import pytest

from inventory.coverage import Status

DEVICE_SECONDS = {"gufo": 10.0, "pysnmp": 24.0}  # pysnmp needs its time on a busy machine
GRACE_SECONDS = 4.0


@pytest.fixture(scope="module")
def hosts(farm):
    hosts = farm("--fault", "loop=0.1,drop=0.1,toobig=0.1,silent=0.1,slow=0.1", "--seed", "1335")
    assert {h.fault for h in hosts} == {"-", "loop", "drop", "toobig", "silent", "slow"}
    return hosts


@pytest.fixture(scope="module", params=["gufo", "pysnmp"])
def found(request, hosts, collect):
    began = time.monotonic()
    outcomes = collect(
        targets=[h.target for h in hosts if request.param == "gufo" or _cheap(h, hosts)],
        community_ref="env:COMMUNITY",
        engine=request.param,
        timeout_seconds=0.8 if request.param == "gufo" else 1.5,
        device_seconds=DEVICE_SECONDS[request.param],
        table_seconds=0.75 * DEVICE_SECONDS[request.param],
        concurrency=20,
    )
    assert time.monotonic() - began < DEVICE_SECONDS[request.param] + GRACE_SECONDS
    return outcomes


def _cheap(host, hosts):
    """One host of each fault: pysnmp is too slow for twenty within a short deadline on a busy machine."""
    return next(h for h in hosts if h.fault == host.fault) == host


def of(hosts, found, fault):
    chosen = [h for h in hosts if h.fault == fault and h.target in found]
    assert chosen
    return [(h, found[h.target]) for h in chosen]


def test_healthy_devices_are_whole(hosts, found, recordings):
    for host, outcome in of(hosts, found, "-"):
        recorded = recordings[host.recording]
        assert outcome.device.vendor == recorded.vendor
        assert outcome.collections["device"].status is Status.COMPLETE
        assert len(outcome.interfaces) == recorded.interfaces
        expected = Status.COMPLETE if recorded.interfaces else Status.UNSUPPORTED
        assert outcome.collections["interface"].status is expected, host


def test_an_agent_that_goes_back_is_stopped(hosts, found, recordings):
    for host, outcome in of(hosts, found, "loop"):
        statuses = [c.status for c in outcome.collections.values()]
        reasons = "".join(c.reason for c in outcome.collections.values())
        if recordings[host.recording].interfaces > 20:  # long enough for its loop to show
            assert Status.PARTIAL in statuses
            assert "不递增" in reasons
        assert len(outcome.interfaces) <= recordings[host.recording].interfaces


def test_too_big_is_read_in_smaller_pages(hosts, found, recordings):
    for host, outcome in of(hosts, found, "toobig"):
        assert len(outcome.interfaces) == recordings[host.recording].interfaces
        assert outcome.collections["device"].status is Status.COMPLETE
        assert not outcome.collections["interface"].reason or not recordings[host.recording].interfaces


def test_silence_is_a_failure_and_never_an_empty_list(hosts, found):
    for _, outcome in of(hosts, found, "silent"):
        assert outcome.batch.resources == []
        assert {c.status for c in outcome.collections.values()} == {Status.FAILED}
        assert {c.reason for c in outcome.collections.values()} == {"没有应答"}
        assert all("团体字" in c.remedy for c in outcome.collections.values())


@pytest.mark.parametrize("fault", ["drop", "slow"])
def test_what_is_short_says_so(hosts, found, recordings, fault):
    for host, outcome in of(hosts, found, fault):
        for kind, collection in outcome.collections.items():
            if collection.status in (Status.COMPLETE, Status.UNSUPPORTED):
                if kind == "interface":
                    assert len(outcome.interfaces) == recordings[host.recording].interfaces
            else:
                assert collection.status in (Status.PARTIAL, Status.FAILED)
                assert collection.reason
                assert collection.remedy

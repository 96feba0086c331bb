"""Entries of access lists, and policies of firewalls, that an earlier one leaves nothing to decide."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from ipaddress import ip_network
from typing import NamedTuple

from inventory.kinds.device_config import AccessEntry, DeviceConfig, SecurityPolicy
from inventory.unknown import Unknown, UnknownValueError
from policies.functions import ANY_PORT_MAX
from policies.predicates.contract import Predicate, UndecidedError, seen

MOST = 1000  # policies that are compared each with each


class _Range(NamedTuple):
    low: int
    high: int

    def holds(self, other: _Range) -> bool:
        return self.low <= other.low and other.high <= self.high


class _Reach(NamedTuple):
    """What an entry may match; a side is None where it was not seen. ``whole``: it matches all of that."""

    protocol: str | None
    any_protocol: bool
    sides: tuple[_Range | None, ...]
    whole: bool


def acl_entry_shadowed(config: DeviceConfig, now: datetime) -> bool:
    """Whether an entry of a list that filters an interface is never reached: an earlier one matches all that
    it does, whatever it does with it."""
    unseen = False
    for access in seen(config.access_lists):
        if isinstance(access.entries, Unknown):
            unseen = True
            continue
        earlier: list[_Reach] = []
        for entry in access.entries:
            reach = _reach(entry)
            if reach is None:
                unseen = True
                continue
            if any(_covers(one, reach) for one in earlier):
                return True
            unseen = unseen or None in reach.sides
            earlier.append(reach)
    if unseen:
        raise UnknownValueError("an entry was not seen whole")
    return False


def _reach(entry: AccessEntry) -> _Reach | None:
    if isinstance(entry.protocol, Unknown) or isinstance(entry.narrowed, Unknown):
        return None
    return _Reach(
        entry.protocol,
        entry.protocol is None,
        (
            _addresses(entry.source),
            _addresses(entry.destination),
            _ports(entry.source_port_min, entry.source_port_max),
            _ports(entry.destination_port_min, entry.destination_port_max),
        ),
        not entry.narrowed,
    )


def _covers(one: _Reach, other: _Reach) -> bool:
    if not one.whole or not (one.any_protocol or one.protocol == other.protocol):
        return False
    return all(
        a is not None and b is not None and a.holds(b) for a, b in zip(one.sides, other.sides, strict=True)
    )


def _addresses(prefix: str | Unknown | None) -> _Range | None:
    if isinstance(prefix, Unknown):
        return None
    return _Range(0, 1 << 128) if prefix is None else _of_prefix(prefix)


@lru_cache(maxsize=4096)
def _of_prefix(prefix: str) -> _Range:
    network = ip_network(prefix, strict=False)
    return _Range(int(network.network_address), int(network.broadcast_address))


def _ports(low: int | Unknown | None, high: int | Unknown | None) -> _Range | None:
    if isinstance(low, Unknown) or isinstance(high, Unknown):
        return None
    return _Range(0 if low is None else low, ANY_PORT_MAX if high is None else high)


def policy_shadowed(config: DeviceConfig, now: datetime) -> bool:
    """Whether an enabled policy is never reached: an earlier one names all of its zones, addresses and
    services, by the same words, or does not limit them. What names stand for is not looked into."""
    policies = seen(config.policies)
    if len(policies) > MOST:
        raise UndecidedError(f"策略多于 {MOST} 条，没有逐条比较")
    earlier: list[tuple[str | None, tuple[frozenset[str], ...]]] = []
    for policy in policies:
        if not seen(policy.enabled):
            continue
        family, words = seen(policy.family), _words(policy)
        for other, named in earlier:
            if other in (None, family) and all(
                not a or (b and b <= a) for a, b in zip(named, words, strict=True)
            ):
                return True
        if not seen(policy.narrowed):
            earlier.append((family, words))
    return False


def _words(policy: SecurityPolicy) -> tuple[frozenset[str], ...]:
    lists = (
        policy.source_zones, policy.destination_zones, policy.sources, policy.destinations, policy.services,
    )  # fmt: skip
    return tuple(frozenset(seen(words)) for words in lists)


_ENTRY = "permits protocol source destination source_port_min source_port_max destination_port_min".split()
_POLICY = "enabled family narrowed source_zones destination_zones sources destinations services".split()
PREDICATES = (
    Predicate(
        name="acl_entry_shadowed",
        kinds=(DeviceConfig,),
        reads=(
            "access_lists",
            "access_lists[].entries",
            *(f"access_lists[].entries[].{field}" for field in (*_ENTRY, "destination_port_max", "narrowed")),
        ),
        call=acl_entry_shadowed,
        purpose="访问列表里有一条被前面的一条完全盖住，永远轮不到",
    ),
    Predicate(
        name="policy_shadowed",
        kinds=(DeviceConfig,),
        reads=(
            "policies",
            *(f"policies[].{field}" for field in _POLICY),
        ),
        call=policy_shadowed,
        purpose="防火墙有一条策略被前面的一条完全盖住，永远轮不到",
    ),
)

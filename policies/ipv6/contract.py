"""Measures: what an indicator counts where an expression over one resource cannot tell it.

A measure looks at the resources of some kinds together (which sockets of a host belong together, which prefix
lies in which) and tells of each thing it counts whether it meets what is asked. As everywhere, a thing that
was not seen enough is neither. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from inventory.resource import Resource
from policies.ipv6.plan import PlannedPrefix

Counted = Literal["y", "m"]
Met = Literal["y", "m", "n"]


class Judged(NamedTuple):
    """One counted thing: ``uid`` of the resource it is part of, ``key`` of itself. ``counted``: surely (y) or
    maybe (m); ``met``: yes, maybe, no. ``detail`` (中文) tells which part of the resource it is."""

    uid: str
    key: str
    counted: Counted
    met: Met
    detail: str = ""


class View(msgspec.Struct, kw_only=True, frozen=True):
    """What a measure may look at: the resources in question by kind, and the plan of addresses that the user
    gave."""

    by_kind: Mapping[str, Sequence[Resource]]
    plan: Sequence[PlannedPrefix] = ()


class Measure(msgspec.Struct, kw_only=True, frozen=True):
    """``kinds`` are those it looks at: where one of them was not collected whole, things may be hidden.
    ``wants`` tells what the user has not given (中文), "" where nothing is missing."""

    name: str
    kinds: tuple[str, ...]
    call: Callable[[View], list[Judged]]
    purpose: str
    wants: Callable[[View], str] = lambda _: ""

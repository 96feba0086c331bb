"""Who may do what: roles, bindings, service accounts, secrets' metadata, admission, the control plane."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.kubernetes.estate import Seen
from collectors.kubernetes.listing import Ask, Reader
from collectors.kubernetes.survey import Survey
from inventory.coverage import Batch

KINDS: tuple[str, ...] = ()
"""Kinds that ``collect`` reports; each gets exactly one collection."""
ASKS: tuple[Ask, ...] = ()
"""Lists that they rest on; ``probe`` tries each."""


def collect(reader: Reader, survey: Survey, seen: Seen) -> Iterator[Batch]:
    """Read them. What belongs to the cluster itself goes into ``seen.cluster``: fields of that kind."""
    yield from ()

"""The escape hatch: named Python predicates for what an expression cannot say.

A predicate takes the resource and ``now`` and tells whether the rule is violated. It reads fields as an
expression does: touching an unseen one raises ``UnknownValueError``, and the verdict is unknown. It has no
side effects and asks nothing of the outside world.
"""

from __future__ import annotations

from policies.predicates import (
    access_lists,
    addresses,
    amounts,
    cloud,
    copies,
    crypto,
    end_of_life,
    families,
    kubernetes,
    load,
    logs,
    names,
    redundancy,
    remote,
    sites,
    watched,
)
from policies.predicates.contract import Predicate

PREDICATES: dict[str, Predicate] = {
    predicate.name: predicate
    for module in (
        *(access_lists, addresses, amounts, cloud, copies, crypto, end_of_life, families, kubernetes),
        *(load, logs, names, redundancy, remote, sites, watched),
    )
    for predicate in module.PREDICATES
}
"""Name → predicate. A new module is one word more."""

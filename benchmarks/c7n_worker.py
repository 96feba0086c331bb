"""Cloud Custodian's filters on the resources of a file; run by bench_rules with its own interpreter.

Usage: python c7n_worker.py FILE. Prints JSON: evaluations per CPU-second and matches for both rules.
"""

import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

from c7n.filters.core import And, FilterRegistry, ValueFilter


def attribute(key, value, **more):
    return {"type": "value", "key": key, "value": value, **more}


SIMPLE = [
    attribute("status", "ACTIVE"),
    attribute("vcpus", 63, op="gt"),
    attribute("locked", False),
]
NESTED = [
    {
        "type": "list-item",
        "key": "rules",
        "attrs": [
            attribute("direction", "ingress"),
            {"or": [attribute("protocol", "tcp"), attribute("protocol", "absent")]},
            attribute("remote", ["0.0.0.0/0", "::/0"], op="in"),
            attribute("port_min", 22, op="lte"),
            attribute("port_max", 22, op="gte"),
        ],
    }
]


def main():
    with Path(sys.argv[1]).open() as file:
        estate = json.load(file)
    registry = FilterRegistry("filters")
    registry.value_filter_class = ValueFilter
    tracer = SimpleNamespace(subsegment=lambda *_: nullcontext())
    context = SimpleNamespace(tracer=tracer, session_factory=None, options=None)
    manager = SimpleNamespace(
        ctx=context, data={}, type="bench", get_model=lambda: SimpleNamespace(id="name")
    )
    answer = {}
    for name, filters, rows in (("simple", SIMPLE, estate["servers"]), ("nested", NESTED, estate["groups"])):
        rule = And({"and": filters}, registry, manager)
        started = time.process_time()
        matched = rule.process(rows)
        answer[name] = {"rate": len(rows) / (time.process_time() - started), "matched": len(matched)}
    print(json.dumps(answer))


main()

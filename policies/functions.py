"""The functions a rule's expression may call, with the shapes they take and give.

Each is pure and total over its shapes; nonsense (a prefix that is none) raises ValueError, which the
evaluation turns into unknown with that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

import msgspec

from inventory.unknown import Unknown, UnknownValueError
from policies.shapes import BOOL, INT, STR, Shape, plain

DATABASE_PORTS = (
    1433, 1521, 2881, 2883, 3306, 5236, 5432, 5433, 6379, 8086, 9042, 9200, 11211, 27017, 50000, 54321,
)  # fmt: skip
"""SQL Server, Oracle, OceanBase, MySQL, 达梦, PostgreSQL, Redis, InfluxDB, Cassandra, Elasticsearch,
memcached, MongoDB, DB2, 人大金仓: default ports, as their manuals and IANA have them."""

ANY_PORT_MAX = 65535


def _seen(value: Any) -> Any:
    if isinstance(value, Unknown):
        raise UnknownValueError("the value was not seen")
    return value


def covers(low: int | None, high: int | None, ports: int | Collection[int]) -> bool:
    """Whether the port range low–high holds the port, or one of the ports. None = no bound."""
    bottom, top = _bounds(low, high)
    if isinstance(ports, int):
        return bottom <= ports <= top
    return any(bottom <= port <= top for port in ports)


def width(low: int | None, high: int | None) -> int:
    """Number of ports in the range low–high. None = no bound."""
    bottom, top = _bounds(low, high)
    return top - bottom + 1


def _bounds(low: int | None, high: int | None) -> tuple[int, int]:
    bottom, top = _seen(low), _seen(high)
    return (0 if bottom is None else bottom, ANY_PORT_MAX if top is None else top)


def is_any_address(prefix: str | None) -> bool:
    """Whether a prefix stands for the whole internet of its family: none, length 0, or so short that two
    rules make up the whole (0.0.0.0/1; ::/1, 2000::/3, which is all of global unicast, RFC 4291)."""
    seen = _seen(prefix)
    return seen is None or is_wide(seen)


@lru_cache(maxsize=65536)
def is_wide(prefix: str) -> bool:
    """Whether a prefix is so short that two of them make up all addresses of its family."""
    network = ip_network(prefix, strict=False)
    return network.prefixlen <= (1 if network.version == 4 else 3)


def is_global(address: str) -> bool:
    """Whether an address is reachable on the public internet (IANA special-purpose registries)."""
    return _is_global(_seen(address))


@lru_cache(maxsize=65536)
def _is_global(address: str) -> bool:
    return ip_address(address.split("%", 1)[0]).is_global


def is_ipv6(address: str) -> bool:
    """Whether an address, with or without port or prefix length, is an IPv6 one. Raises ValueError for a
    name: which addresses it has is not told here."""
    text = _seen(address).strip()
    bare = text[1:].partition("]")[0] if text.startswith("[") else text.partition("/")[0]
    if bare.count(":") == 1:  # IPv4 with a port
        bare = bare.partition(":")[0]
    return ip_address(bare.split("%", 1)[0]).version == 6


def is_eui64(address: str) -> bool:
    """Whether the interface identifier was made from a network card's address: ff:fe in its middle (modified
    EUI-64, RFC 4291 appendix A)."""
    parsed = ip_address(_seen(address).split("%", 1)[0])
    return parsed.version == 6 and parsed.packed[11:13] == b"\xff\xfe"


def days_until(moment: datetime | date, now: datetime) -> int:
    """Whole days from now until then; negative once it is past."""
    seen = _seen(moment)
    return (_aware(seen) - now).days if isinstance(seen, datetime) else (seen - now.date()).days


def days_since(moment: datetime | date, now: datetime) -> int:
    """Whole days from then until now; negative while it is to come."""
    seen = _seen(moment)
    return (now - _aware(seen)).days if isinstance(seen, datetime) else (now.date() - seen).days


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def lower(text: str) -> str:
    """The text in lower case."""
    return str.lower(_seen(text))


def matches(text: str, *patterns: str) -> bool:
    """Whether the text matches one of the shell patterns (``*`` and ``?``), case-sensitively."""
    seen = _seen(text)
    return any(fnmatchcase(seen, pattern) for pattern in patterns)


def get(table: dict[str, Any], key: str) -> Any:
    """The entry of a dict, None where it has none."""
    return _seen(table).get(key)


def values(table: dict[str, Any]) -> list[Any]:
    """The values of a dict, to go over."""
    return list(_seen(table).values())


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """How an expression calls one function. ``rest`` allows more arguments of the last shape;
    ``constant`` are the positions that must be constants; ``clock`` adds ``now`` at the end. ``result``
    may depend on the first argument's item ("item", "items"). ``inline`` is the same in source, for the
    generated loops, where the constant arguments are single values."""

    call: Callable[..., Any]
    usage: str
    takes: tuple[Shape, ...]
    gives: Shape | str
    rest: bool = False
    constant: tuple[int, ...] = ()
    clock: bool = False
    inline: str = ""


_PORT = plain("int", "none")
_MOMENT = plain("datetime", "date")
_DICT = plain("dict")

FUNCTIONS: dict[str, Function] = {
    "covers": Function(
        call=covers, usage="covers(r.port_min, r.port_max, 22)", gives=BOOL,
        takes=(_PORT, _PORT, plain("int", "list")), constant=(2,),
        inline="(({0} is None or {0} <= {2}) and ({1} is None or {1} >= {2}))",
    ),
    "width": Function(call=width, usage="width(r.port_min, r.port_max)", takes=(_PORT, _PORT), gives=INT),
    "is_any_address": Function(
        call=is_any_address, usage="is_any_address(r.remote)", takes=(plain("str", "none"),), gives=BOOL,
        inline="({0} is None or is_wide({0}))",
    ),
    "is_global": Function(call=is_global, usage="is_global(it.address)", takes=(STR,), gives=BOOL),
    "is_ipv6": Function(call=is_ipv6, usage="is_ipv6(s)", takes=(STR,), gives=BOOL),
    "is_eui64": Function(call=is_eui64, usage="is_eui64(a.address)", takes=(STR,), gives=BOOL),
    "days_until": Function(
        call=days_until, usage="days_until(it.expires_at)", takes=(_MOMENT,), gives=INT, clock=True
    ),
    "days_since": Function(
        call=days_since, usage="days_since(it.password_changed)", takes=(_MOMENT,), gives=INT, clock=True
    ),
    "lower": Function(call=lower, usage="lower(it.name)", takes=(STR,), gives=STR),
    "matches": Function(
        call=matches, usage='matches(it.name, "web-*")', takes=(STR, STR), gives=BOOL, rest=True,
        constant=(1,),
    ),
    "get": Function(
        call=get, usage='get(it.labels, "zone")', takes=(_DICT, STR), gives="item", constant=(1,)
    ),
    "values": Function(call=values, usage="values(it.limits)", takes=(_DICT,), gives="items"),
    "len": Function(
        call=lambda value: len(_seen(value)), usage="len(it.rules)", takes=(plain("list", "dict", "str"),),
        gives=INT,
    ),
}  # fmt: skip

CONSTANTS: dict[str, tuple[int, ...]] = {"DATABASE_PORTS": DATABASE_PORTS}

"""Resources and other values as the store keeps them: bytes that are equal when the meaning is.

Device text is hostile: NUL, lone surrogates, megabytes where a name belongs. Nothing of it may break a
commit or a later read, so what no database can hold is escaped, and a field that does not fit its own
type is stored as not seen.
"""

from __future__ import annotations

import copy
import hashlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from inventory.decoding import convert, from_json
from inventory.kinds import KINDS
from inventory.resource import Relation, Resource
from inventory.unknown import UNKNOWN, Unknown

log = logging.getLogger("zhengguan.store")

LONGEST_KEY = 400
"""Characters of a uid or scope: PostgreSQL indexes no more than 2.7 kB, and one may take four bytes.
Longer ones are cut and end in a digest."""

HASH_BYTES = 16

ABSENT: dict[str, Any] = {"scope": "", "labels": {}, "relations": []}
"""What an absent key of a stored resource means; of every other key: not seen."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Keys of a dict are sorted, fields of a struct stay in the order of their declaration: to sort them too
# takes half as long again. To reorder the fields of a kind costs each store one version of its rows.
_encoder = msgspec.json.Encoder(order="deterministic")


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """``body`` leaves out the volatile fields, ``volatile`` holds them (None where none was seen)."""

    uid: str
    source: str
    scope: str
    hash: bytes
    body: bytes
    volatile: bytes | None
    relations: list[Relation]


def text(value: str) -> str:
    """The text with NUL and lone surrogates written as escapes. Idempotent."""
    return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def key(uid: str) -> str:
    """The uid (or scope) as the store holds it: clean and of bounded length. Idempotent."""
    uid = text(uid)
    if len(uid) <= LONGEST_KEY:
        return uid
    digest = hashlib.sha256(uid.encode()).hexdigest()
    return f"{uid[: LONGEST_KEY - len(digest) - 1]}~{digest}"


def encode(resource: Resource) -> Encoded:
    """Canonical form: labels and relations have no order, and volatile fields stay out of the hash.

    The resource's relations are left sorted and without duplicates.
    """
    uid = resource.uid
    scope = resource.scope
    if len(uid) > LONGEST_KEY or len(scope) > LONGEST_KEY or "\0" in uid or "\0" in scope:
        resource, uid = _renamed(resource)
    try:
        return _encode(resource, uid)
    except (TypeError, ValueError, RecursionError):
        return _encode(*_renamed(_fitted(resource)))


def fingerprinter() -> Callable[[Resource], bytes | None]:
    """A function that gives the hash that ``encode`` would, which is all that an unchanged resource
    needs; None where it takes more to tell (text that no database holds, fields of a wrong type).

    Its relations are left sorted. One writer's own: it encodes into one buffer, again and again,
    because a new one for every resource costs as much as the encoding.
    """
    buffer = bytearray()
    encode_into, blake2b = _encoder.encode_into, hashlib.blake2b

    def fingerprint(resource: Resource) -> bytes | None:
        if resource.VOLATILE:
            resource = _lasting(resource)
        relations = resource.relations
        try:
            if len(relations) > 1:
                relations.sort()  # duplicates make another hash, and so come to ``encode``
            encode_into(resource, buffer)
        except (TypeError, ValueError, RecursionError, AttributeError):
            return None
        return blake2b(buffer, digest_size=HASH_BYTES).digest()

    return fingerprint


def volatile_form(resource: Resource) -> bytes | None:
    """The ``volatile`` of ``encode``. Raises TypeError or ValueError for what ``encode`` must mend."""
    seen = {}
    for name in resource.VOLATILE:
        value = getattr(resource, name)
        if value is not UNKNOWN:
            seen[name] = value
    return _encoder.encode(seen) if seen else None


def checked(resource: Resource, encoded: Encoded) -> Encoded:
    """Make sure that a form about to be stored can be read again; fields that could not are dropped."""
    if any(key(r.target) != r.target for r in encoded.relations):
        return _encode(*_renamed(resource))
    try:
        from_json(_overlaid(encoded.body, encoded.volatile), type(resource))
    except (msgspec.MsgspecError, RecursionError):
        return _encode(*_renamed(_fitted(resource)))
    return encoded


def decode(kind: type[Resource], body: bytes, volatile: bytes | None = None) -> Resource:
    """The resource of a stored form, with its volatile values laid over it.

    A field that no longer fits (stored by another release) comes back as not seen.
    """
    body = _overlaid(body, volatile)
    try:
        resource = from_json(body, kind)
    except msgspec.ValidationError:
        return _lenient(kind, from_json(body))
    return resource


def to_json(value: msgspec.Struct) -> bytes:
    """JSON of anything else that the store keeps, hostile text escaped."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_clean(msgspec.to_builtins(value)))


def microseconds(moment: datetime) -> int:
    """Since 1970, UTC. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {moment}")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(value: int) -> datetime:
    """The UTC time of a number of microseconds."""
    return _EPOCH + timedelta(microseconds=value)


def _encode(resource: Resource, uid: str) -> Encoded:
    _order(resource)
    volatile = None
    if resource.VOLATILE:
        volatile = volatile_form(resource)
        resource = _lasting(resource)
    body = _encoder.encode(resource)
    return Encoded(uid, resource.source, resource.scope, _digest(body), body, volatile, resource.relations)


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=HASH_BYTES).digest()


def _lasting(resource: Resource) -> Resource:
    """The resource without its volatile values."""
    lasting = copy.copy(resource)
    for name in resource.VOLATILE:
        setattr(lasting, name, UNKNOWN)
    return lasting


def _order(resource: Resource) -> None:
    """Sort relations in place, because they have no order, and a copy of every resource would be dear."""
    relations = resource.relations
    if len(relations) > 1 and not _ascending(relations):
        resource.relations = sorted(set(relations))


def _ascending(relations: list[Relation]) -> bool:
    previous = relations[0]
    for relation in relations[1:]:
        if not previous < relation:
            return False
        previous = relation
    return True


def _overlaid(body: bytes, volatile: bytes | None) -> bytes:
    """One JSON object of two; each has at least one key, and no key is in both."""
    return body[:-1] + b"," + volatile[1:] if volatile else body


def _renamed(resource: Resource) -> tuple[Resource, str]:
    """The resource under a uid that the store can hold; source and kind are its start, and stay whole."""
    source = text(resource.source)
    prefix = f"{source}/{resource.KIND}/"
    uid = key(prefix + text(resource.native_id))
    relations = [Relation(r.type, key(r.target)) for r in resource.relations]
    changed = msgspec.structs.replace(
        resource,
        source=source,
        native_id=uid.removeprefix(prefix),
        scope=key(resource.scope),
        relations=relations,
    )
    return changed, uid


def _fitted(resource: Resource) -> Resource:
    """The resource with every text escaped and every field of a wrong type left out."""
    data: dict[str, Any] = {}
    for name in resource.__struct_fields__:
        value = getattr(resource, name)
        if isinstance(value, Unknown):
            continue
        try:
            data[name] = _clean(msgspec.to_builtins(value))
        except (TypeError, ValueError, RecursionError):
            log.warning("%s: field %s cannot be stored, kept as unknown", type(resource).__name__, name)
    return _lenient(type(resource), data)


def _lenient(kind: type[Resource], data: dict[str, Any]) -> Resource:
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    fitting: dict[str, Any] = {}
    for name, value in data.items():
        if name not in fields:
            continue
        try:
            fitting[name] = convert(value, fields[name])
        except msgspec.ValidationError as error:
            log.warning("%s: field %s does not fit, taken as unknown: %s", kind.__name__, name, error)
    return kind(**{"native_id": "", "source": ""} | fitting)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {_clean(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value


def kind_named(name: str) -> type[Resource] | None:
    """The type of a stored kind; None where this release knows it no more."""
    return KINDS.get(name)

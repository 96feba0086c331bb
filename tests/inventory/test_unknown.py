"""UNKNOWN: nothing may be concluded from a value that nobody saw."""

from __future__ import annotations

import copy
import math
import operator
import pickle
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from inventory.kinds.compute import Server
from inventory.kinds.host import Host, SshServer
from inventory.unknown import UNKNOWN, Unknown, UnknownValueError, known, or_none

OTHERS: list[Any] = [
    0,
    1,
    -1,
    True,
    1.5,
    "",
    "text",
    b"x",
    None,
    [],
    [1],
    (),
    {},
    {"a": 1},
    {1},
    UNKNOWN,
    object(),
]

BINARY = (
    "lt le eq ne gt ge add and_ floordiv lshift mod mul matmul or_ pow rshift sub truediv xor "
    "iadd iand ifloordiv ilshift imod imul imatmul ior ipow irshift isub itruediv ixor concat iconcat"
).split()
UNARY = "not_ truth abs index inv invert neg pos".split()


def test_the_list_of_operators_is_all_that_python_has() -> None:
    about_items = set("contains countOf delitem getitem indexOf setitem length_hint".split())
    about_identity = set("is_ is_not is_none is_not_none attrgetter itemgetter methodcaller call".split())
    public = {name for name in operator.__all__ if not name.startswith("_")}
    assert public - about_items - about_identity == set(BINARY) | set(UNARY)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("other", OTHERS, ids=lambda o: "object" if type(o) is object else repr(o))
def test_every_operator_refuses_on_either_side(name: str, other: Any) -> None:
    operation = getattr(operator, name)
    either = (UnknownValueError, TypeError)
    with pytest.raises(either if name.endswith("concat") else UnknownValueError):
        operation(UNKNOWN, other)
    if name in ("mod", "imod") and isinstance(other, (str, bytes)):
        return  # formats text: see below
    # The left side is asked first, and a container refuses in its own way what it cannot take.
    with pytest.raises(either if name.endswith("concat") or is_container(other) else UnknownValueError):
        operation(copy.copy(other), UNKNOWN)


def is_container(value: Any) -> bool:
    return isinstance(value, (str, bytes, list, tuple, dict, set))


@pytest.mark.parametrize("name", "lt le eq ne gt ge".split())
@pytest.mark.parametrize("other", OTHERS, ids=lambda o: "object" if type(o) is object else repr(o))
def test_comparison_from_the_other_side_refuses_too(name: str, other: Any) -> None:
    with pytest.raises(UnknownValueError):
        getattr(operator, name)(other, UNKNOWN)


@pytest.mark.parametrize("name", UNARY)
def test_every_unary_operator_refuses(name: str) -> None:
    with pytest.raises(UnknownValueError):
        getattr(operator, name)(UNKNOWN)


@pytest.mark.parametrize(
    "conversion",
    [
        bool, int, float, complex, len, hash, iter, list, tuple, set, frozenset, dict, sorted, sum, min, max,
        any, all, enumerate, reversed, round, math.trunc, math.floor, math.ceil, math.sqrt, bin, hex, range,
        divmod,
    ],
)  # fmt: skip
def test_every_conversion_refuses(conversion: Callable[..., Any]) -> None:
    with pytest.raises(UnknownValueError):
        conversion(UNKNOWN, 1) if conversion is divmod else conversion(UNKNOWN)


def test_items_and_attributes_refuse() -> None:
    with pytest.raises(UnknownValueError):
        UNKNOWN[0]  # type: ignore[index]
    with pytest.raises(UnknownValueError):
        UNKNOWN["key"] = 1  # type: ignore[index]
    with pytest.raises(UnknownValueError):
        del UNKNOWN["key"]  # type: ignore[attr-defined]
    with pytest.raises(UnknownValueError):
        UNKNOWN.lower()
    with pytest.raises(UnknownValueError):
        UNKNOWN()  # type: ignore[operator]


@pytest.mark.parametrize("value", [1, "a", None])
def test_membership_refuses_in_every_direction(value: Any) -> None:
    with pytest.raises(UnknownValueError):
        value in UNKNOWN  # type: ignore[operator]  # noqa: B015
    for container in ([value], (value,), [value, value]):
        with pytest.raises(UnknownValueError):
            UNKNOWN in container  # noqa: B015
    for hashed in ({value}, {value: 1}, frozenset([value])):
        with pytest.raises(UnknownValueError):
            UNKNOWN in hashed  # noqa: B015


def test_membership_of_a_list_with_an_unknown_refuses() -> None:
    with pytest.raises(UnknownValueError):
        1 in [2, UNKNOWN]  # noqa: B015
    with pytest.raises(UnknownValueError):
        [2, UNKNOWN].index(1)
    with pytest.raises(UnknownValueError):
        sorted([2, UNKNOWN])


def test_it_is_no_key_and_no_member_of_a_set() -> None:
    with pytest.raises(UnknownValueError):
        {UNKNOWN: 1}  # noqa: B018
    with pytest.raises(UnknownValueError):
        {UNKNOWN}  # noqa: B018


def test_control_flow_refuses() -> None:
    with pytest.raises(UnknownValueError):
        print("on" if UNKNOWN else "off")
    with pytest.raises(UnknownValueError):
        UNKNOWN and 1  # noqa: B018
    with pytest.raises(UnknownValueError):
        for _ in UNKNOWN:  # type: ignore[attr-defined]
            pass
    with pytest.raises(UnknownValueError):
        match_of(UNKNOWN)


def match_of(value: Any) -> str:
    match value:
        case "ACTIVE":
            return "on"
        case _:
            return "else"


def test_identity_is_the_one_question_allowed() -> None:
    assert UNKNOWN is Unknown()
    assert isinstance(UNKNOWN, Unknown)
    assert not known(UNKNOWN)
    assert known(None)
    assert known([])
    assert or_none(UNKNOWN) is None
    assert or_none(0) == 0


def test_shown_to_people_it_says_so() -> None:
    assert str(UNKNOWN) == "未知"
    assert f"{UNKNOWN}" == "未知"
    assert "%s" % UNKNOWN == "未知"  # noqa: UP031
    assert repr(UNKNOWN) == "UNKNOWN"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_copies_are_the_same_object(protocol: int) -> None:
    assert pickle.loads(pickle.dumps(UNKNOWN, protocol)) is UNKNOWN
    assert copy.copy(UNKNOWN) is UNKNOWN
    assert copy.deepcopy([UNKNOWN])[0] is UNKNOWN
    server = pickle.loads(pickle.dumps(Server(source="a", native_id="1", vcpus=2), protocol))
    assert server.memory_mib is UNKNOWN
    assert server.vcpus == 2


def test_in_json_it_is_an_absent_key_and_comes_back() -> None:
    host = Host(source="a", native_id="1", virtualization=None, ssh=SshServer(ports=[]))
    text = msgspec.json.encode(host)
    assert b"kernel" not in text
    assert b"UNKNOWN" not in text
    back = msgspec.json.decode(text, type=Host)
    assert back.kernel is UNKNOWN
    assert back.virtualization is None
    assert isinstance(back.ssh, SshServer)
    assert back.ssh.ports == []
    assert back.ssh.running is UNKNOWN
    assert msgspec.json.encode(back) == text


def test_where_it_has_no_place_json_refuses() -> None:
    with pytest.raises((TypeError, UnknownValueError)):
        msgspec.json.encode([UNKNOWN])

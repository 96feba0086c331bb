"""A method of scoring: an edition with the values in force for its open points; rounding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Generic, TypeVar

import msgspec

from policies.standards import EditionMethod, Parameter, Standard

EditionT = TypeVar("EditionT", bound=str)
Span = tuple[Decimal, Decimal]
"""A figure in the worst and in the best case."""


class Method(msgspec.Struct, Generic[EditionT], kw_only=True, frozen=True):
    """An edition with the values in force for its open points."""

    edition: EditionT
    about: EditionMethod
    parameters: Mapping[str, Parameter]

    def __getitem__(self, name: str) -> str:
        return self.parameters[name].value

    def number(self, name: str) -> Decimal:
        return Decimal(self.parameters[name].value)

    def places(self, name: str) -> int:
        return int(self.number(name))

    def notes(self, used: Iterable[str]) -> tuple[str, ...]:
        """What is not verified among the parameters a score used."""
        named = ((name, self.parameters[name]) for name in dict.fromkeys(used))
        return tuple(f"{name} = {p.value}：{p.note}（未核实）" for name, p in named if not p.verified)


def method(
    standard: Standard, edition: EditionT, values: Mapping[str, str] | None = None
) -> Method[EditionT]:
    """The method of an edition, with the user's values in place of the defaults.

    Raises ValueError for an edition or a parameter that there is not, or a value it does not allow.
    """
    about = standard.editions.get(edition)
    if about is None:
        raise ValueError(f"没有 {edition} 版的计算方法；可用：{'、'.join(standard.editions)}")
    parameters = {**standard.shared, **about.parameters}
    for name, value in (values or {}).items():
        if name not in parameters:
            raise ValueError(f"{edition} 版没有参数 {name}；可用：{'、'.join(parameters)}")
        parameters[name] = msgspec.structs.replace(
            parameters[name], value=_checked(parameters[name], name, value)
        )
    return Method(edition=edition, about=about, parameters=parameters)


def rounded(value: Decimal, places: int) -> Decimal:
    """Half up (四舍五入)."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _checked(parameter: Parameter, name: str, value: str) -> str:
    if parameter.choices:
        if value not in parameter.choices:
            raise ValueError(f"参数 {name} 可取 {'、'.join(parameter.choices)}，而不是 {value}")
        return value
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"参数 {name} 应为数字，而不是 {value}") from None
    if not number.is_finite() or number < 0 or (parameter.most and number > Decimal(parameter.most)):
        raise ValueError(f"参数 {name} 超出范围：{value}")
    if name.endswith("_places") and (number != number.to_integral_value() or number > 8):
        raise ValueError(f"参数 {name} 应为 0–8 的整数，而不是 {value}")
    return value

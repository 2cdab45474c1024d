"""Frozen dataclasses made of what a person wrote in TOML: kinds and limits, checked once.

A field's kind is its annotation, its limits stand beside its default (`limited`); the same check
serves a file, the command line and the constructor. Not pydantic or attrs: two dozen kinds of table
need less than either costs at start (pydantic: 0.1 s of a report's 1 s).
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, field, fields, replace
from typing import Any, NamedTuple, TypeVar

from imu.errors import CallError

Made = TypeVar("Made")
Table = Mapping[str, object]

SET_KEY = {"set_name": "set"}  # `set` is a Python name; it is the key in files


class Limits(NamedTuple):
    """What a value may be: low to high (low itself excluded where ``above``), or one of some."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    choices: Collection[str] = ()
    or_zero: bool = False

    def hold(self, value: object) -> bool:
        """Tell whether a value is allowed."""
        if self.choices:
            return value in self.choices
        number = float(typing.cast("float", value))
        if self.or_zero and number == 0:
            return True
        over_low = number > self.low if self.above else number >= self.low
        return over_low and number <= self.high

    def __str__(self) -> str:
        """Say it in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        zero = "0, or " if self.or_zero else ""
        if self.high == math.inf:
            return zero + (f"above {self.low:g}" if self.above else f"{self.low:g} or more")
        return f"{zero}{self.low:g} to {self.high:g}"


NOT_NEGATIVE = Limits(low=0.0)
POSITIVE = Limits(low=0.0, above=True)


def limited(default: Any, limits: Limits = NOT_NEGATIVE) -> Any:
    """Declare a dataclass field with limits."""
    return field(default=default, metadata={"limits": limits})


def check_limits(value: Any) -> None:
    """Check every number of a dataclass to be finite and every field to be within its limits.

    Raises
    ------
    CallError
        The field, its value, and what is expected.
    """
    for spec in fields(value):
        found = getattr(value, spec.name)
        number = isinstance(found, int | float) and not isinstance(found, bool)
        if number and not math.isfinite(found):
            raise CallError(f"{spec.name} is {found!r}, expected a finite number.")
        limits = spec.metadata.get("limits")
        if limits is not None and found is not None and not limits.hold(found):
            raise CallError(f"{_key(spec)} is {found!r}, expected {limits}.")


def made(kind: type[Made], table: Table, where: str) -> Made:
    """Make a dataclass of a parsed table.

    Raises
    ------
    CallError
        A name that is no field, a field without default that is missing, a value of the wrong kind
        or out of its limits.
    """
    specs = fields(kind)  # type: ignore[arg-type]
    values = _values(kind, table, where)
    for spec in specs:
        required = spec.default is MISSING and spec.default_factory is MISSING
        if required and spec.name not in values:
            raise CallError(f"{where}: {_key(spec)} is missing. It has no default.")
    return _built(lambda: kind(**values), where)


def changed(old: Made, table: Table, where: str) -> Made:
    """Replace some values of a dataclass by those of a parsed table.

    Raises
    ------
    CallError
        As `made`.
    """
    values = _values(type(old), table, where)
    return _built(lambda: replace(old, **values), where)  # type: ignore[type-var]


def refuse_unknown(table: Table, known: Collection[str], where: str) -> None:
    """Refuse a table with a name that means nothing.

    Raises
    ------
    CallError
        The first such name, and those that are known.
    """
    unknown = sorted(set(table) - set(known))
    if unknown:
        names = ", ".join(dict.fromkeys(known))
        raise CallError(f"{where}: unknown setting {unknown[0]!r}. Known: {names}.")


def converted(value: object, kind: Any, where: str) -> Any:
    """Give a parsed value the kind that an annotation asks for.

    Raises
    ------
    CallError
        It is of another kind.
    """
    options = typing.get_args(kind)
    if type(None) in options:  # TOML knows no null: what is there is of the other kind
        kind = next(option for option in options if option is not type(None))
    check = _CHECKS.get(kind)
    if typing.get_origin(kind) is Mapping:
        if not isinstance(value, Mapping):
            raise CallError(f"{where} is {value!r}. Give a table of names and numbers.")
        return {
            str(name): converted(one, options[1], f"{where}.{name}") for name, one in value.items()
        }
    if check is None:
        return _sequence(value, kind, where)
    right, words = check
    if not right(value):
        raise CallError(f"{where} is {value!r}. Give {words}.")
    return kind(value)


def _values(kind: type[Any], table: Table, where: str) -> dict[str, Any]:
    keys = {_key(spec): spec.name for spec in fields(kind)}
    refuse_unknown(table, keys, where)
    hints = typing.get_type_hints(kind)
    return {
        keys[key]: converted(value, hints[keys[key]], f"{where}: {key}")
        for key, value in table.items()
    }


def _built(build: Callable[[], Made], where: str) -> Made:
    try:
        return build()
    except CallError as error:
        raise CallError(f"{where}: {error}") from None


def _key(spec: Field[Any]) -> str:
    return SET_KEY.get(spec.name, spec.name)


def _sequence(value: object, kind: Any, where: str) -> tuple[Any, ...]:
    """Read a list as the tuple that the annotation asks for."""
    parts = typing.get_args(kind)
    any_length = len(parts) == 2 and parts[1] is Ellipsis
    if not isinstance(value, list) or not (any_length or len(value) == len(parts)):
        raise CallError(f"{where} is {value!r}. Give {_sequence_words(parts)}.")
    kinds = parts[:1] * len(value) if any_length else parts
    return tuple(converted(entry, part, where) for entry, part in zip(value, kinds, strict=True))


def _sequence_words(parts: tuple[Any, ...]) -> str:
    if parts[1] is not Ellipsis:
        return f"a list of {len(parts)} numbers"
    inner = typing.get_args(parts[0])
    return f"a list of lists of {len(inner)} numbers" if inner else "a list"


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _TOO_LARGE  # TOML's integers have no end, a float's do


_TOO_LARGE = 1e300


def _is_whole(value: object) -> bool:
    return _is_number(value) and float(typing.cast("float", value)).is_integer()


_CHECKS: dict[Any, tuple[Callable[[object], bool], str]] = {
    bool: (lambda value: isinstance(value, bool), "true or false"),
    int: (_is_whole, "a whole number"),
    float: (_is_number, "a number"),
    str: (lambda value: isinstance(value, str), "quoted text"),
}

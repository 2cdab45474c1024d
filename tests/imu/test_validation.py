"""Frozen dataclasses made of foreign tables: right kinds come through, wrong ones in one line."""

from __future__ import annotations

from dataclasses import MISSING, dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.errors import CallError
from imu.validation import POSITIVE, Limits, changed, check_limits, limited, made


@dataclass(frozen=True, slots=True)
class Example:
    set_name: str
    size: float = limited(1.0, POSITIVE)
    count: int = limited(2, Limits(1, 5))
    rate: float = limited(0.0, Limits(10, 20, or_zero=True))
    kind: str = limited("a", Limits(choices=("a", "b")))
    on: bool = False
    score: float | None = None
    turn: tuple[float, float] = (0.0, 0.0)
    gaps: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        check_limits(self)


@dataclass(frozen=True, slots=True)
class Bare:
    kind: str = limited(MISSING, Limits(choices=("a",)))


def test_every_kind_comes_through():
    table = {
        "set": "left", "size": 3, "count": 4.0, "rate": 12, "kind": "b", "on": True,
        "score": 7, "turn": [1, 2.5], "gaps": [[1, 2], [3, 4]],
    }  # fmt: skip
    found = made(Example, table, "x.toml")
    assert found == Example(
        "left", 3.0, 4, 12.0, "b", True, 7.0, (1.0, 2.5), ((1.0, 2.0), (3.0, 4.0))
    )
    assert isinstance(found.size, float)
    assert isinstance(found.count, int)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"set": 3}, "set is 3. Give quoted text"),
        ({"size": 0}, "size is 0.0, expected above 0"),
        ({"size": True}, "size is True. Give a number"),
        ({"size": float("inf")}, "size is inf. Give a number"),
        ({"size": float("nan")}, "Give a number"),
        ({"size": 10**400}, "Give a number"),
        ({"count": 2.5}, "count is 2.5. Give a whole number"),
        ({"count": 6}, "count is 6, expected 1 to 5"),
        ({"rate": 5}, "rate is 5.0, expected 0, or 10 to 20"),
        ({"kind": "c"}, "kind is 'c', expected one of a, b"),
        ({"on": 1}, "on is 1. Give true or false"),
        ({"turn": [1]}, "a list of 2 numbers"),
        ({"gaps": [1, 2]}, "a list of 2 numbers"),
        ({"gaps": 1}, "a list of lists of 2 numbers"),
        ({"set_name": "left"}, "unknown setting 'set_name'"),
    ],
)
def test_wrong_values_are_refused_with_their_place(table, told):
    with pytest.raises(CallError) as caught:
        changed(Example("left"), table, "x.toml: [part]")
    assert str(caught.value).startswith("x.toml: [part]")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("kind", "key"), [(Example, "set"), (Bare, "kind")])
def test_what_has_no_default_must_be_there(kind, key):
    with pytest.raises(CallError, match=f"{key} is missing"):
        made(kind, {}, "x.toml")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(("set", "size", "count", "turn", "gaps", "on", "?")), ANYTHING)
)
def test_any_table_gives_a_sound_value_or_one_error(table):
    try:
        found = made(Example, {"set": "left", **table}, "x")
    except CallError:
        return
    assert found.size > 0
    assert found.count in range(1, 6)

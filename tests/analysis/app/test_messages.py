"""What a page may send: anything else is refused in one sentence."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.app.messages import KINDS, read_message, read_start
from imu.errors import CallError

START = {"type": "start", "person": "P01", "session": "a", "side": "left"}


def test_a_start_has_usual_values():
    start = read_start(START)
    assert (start.mode, start.planned_reps, start.target_deg, start.lift) == (
        "measure",
        8,
        None,
        False,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"side": "up"},
        {"side": None},
        {"person": 3},
        {"person": "x" * 500},
        {"mode": "hard"},
        {"planned_reps": 0},
        {"planned_reps": "8"},
        {"planned_reps": True},
        {"target_deg": 500},
        {"target_deg": [1]},
        {"pace": 3},
        {"pace": {"in_s": -1}},
    ],
)
def test_wrong_values_are_refused(wrong):
    with pytest.raises(CallError):
        read_start({**START, **wrong})


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "{", '{"type": "x"}', '{"type": ["stop"]}', "[" * 10**5]
)
def test_what_is_no_message_is_refused(text):
    with pytest.raises(CallError):
        read_message(text)


def test_numbers_that_are_none_are_refused():
    with pytest.raises(CallError):
        read_message('{"type": "ack", "seq": NaN}')


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(["person", "session", "side", "mode", "planned_reps", "target_deg", "pace"])


@given(st.sampled_from(KINDS), st.dictionaries(KEYS, JSON))
def test_any_message_is_read_or_refused(kind, more):
    message = read_message(json.dumps({**more, "type": kind}))
    assert message["type"] == kind
    try:
        start = read_start(message)
    except CallError:
        return
    assert start.side in ("left", "right", "lean")
    assert 1 <= start.planned_reps <= 100


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        message = read_message(text)
    except CallError:
        return
    assert message["type"] in KINDS

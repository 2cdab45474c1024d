"""Where a person rests differs from repetition to repetition; what is a return, and what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.repetitions.detection import Phases, find_repetitions
from tests.analysis.motions import course, lasting

RESTS_DEG = st.lists(st.floats(-4.0, 4.0), min_size=3, max_size=6)
TURN_S = 2.0


def found(moves: list[tuple[float, float]]) -> list[Phases]:
    return find_repetitions(np.deg2rad(course(lasting(moves), moves)), 0)


def wandering(rests_deg: list[float], range_deg: float, twitch_deg: float = 0.0):
    """Turns of one size from rests that lie here and there."""
    moves, at = [(3.0, 0.0)], 0.0
    for rest in rests_deg:
        moves += [(TURN_S, at + range_deg), (1.0, at + range_deg), (TURN_S, rest), (1.2, rest)]
        if twitch_deg:
            moves += [(0.3, rest + twitch_deg), (0.3, rest), (1.2, rest)]
        at = rest
    return moves


@given(RESTS_DEG)
def test_turns_of_ten_degrees_are_found_from_rests_that_wander_by_four(rests_deg):
    assert len(found(wandering(rests_deg, 10.0))) == len(rests_deg)


@given(RESTS_DEG)
def test_twitches_in_the_rests_change_nothing(rests_deg):
    plain = found(wandering(rests_deg, 10.0))
    twitching = found(wandering(rests_deg, 10.0, twitch_deg=3.0))
    assert len(twitching) == len(plain)


@pytest.mark.parametrize("back_deg", [2.0, 5.0, 8.0])
def test_a_bounce_is_no_rest(back_deg):
    """A reversal at the end range that stays nowhere, however deep short of half-way."""
    rep = [(2.0, 24.0), (0.25, 24.0 - back_deg), (0.25, 24.0), (1.0, 24.0), (2.0, 0.0), (1.5, 0.0)]
    assert len(found([(3.0, 0.0), *rep, *rep])) == 2


@pytest.mark.parametrize("stop_deg", [5.0, 6.5])
def test_a_stop_half_way_in_is_no_rest(stop_deg):
    """Slow turns with short pauses: the repetition begins at the neutral, not at the stop."""
    rep = [(2.5, stop_deg), (0.6, stop_deg), (2.5, 13.0), (1.0, 13.0), (5.0, 0.0), (0.4, 0.0)]
    moves = [(3.0, 0.0), *rep, *rep]
    one, other = found(moves)
    assert one.start_s == pytest.approx(3.0, abs=0.4)
    assert other.start_s == pytest.approx(3.0 + 12.0, abs=0.6)


def test_a_twitch_after_an_overshoot_is_no_repetition():
    """3 degrees of twitch above the rest are 5.5 above the overshoot."""
    rep = [(0.7, 26.0), (1.0, 26.0), (0.7, 0.0), (0.8, -2.5), (0.8, 0.0), (1.4, 0.0)]
    twitch = [(0.3, 3.0), (0.3, 0.0), (1.4, 0.0)]
    assert len(found([(3.0, 0.0), *rep, *twitch, *rep, *twitch])) == 2

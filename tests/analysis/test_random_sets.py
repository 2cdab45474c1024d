"""A few of the sets that the benchmark draws at random; the benchmark itself asks many."""

from __future__ import annotations

import pytest

from tests.benchmarks.cover import QUANTITIES, Outcome
from tests.benchmarks.random_sets import draw, simulate_and_score

SEEDS = (1, 9, 28)
FAR = 3.0  # half-widths of a 95 % interval: beyond it no figure may lie in so few sets


@pytest.fixture(scope="module", params=SEEDS)
def outcomes(request: pytest.FixtureRequest) -> list[Outcome]:
    return simulate_and_score(draw(request.param, reps=3))


def test_every_repetition_is_found_and_none_invented(outcomes):
    assert not any(one.miscounted for one in outcomes)


def test_no_figure_lies_far_outside_its_interval(outcomes):
    for one in outcomes:
        for column in QUANTITIES.values():
            errors, halves = one.columns(column)
            assert len(errors) == 3
            assert (abs(errors) < FAR * halves).all()


def test_the_same_seed_draws_the_same_session():
    assert draw(5) == draw(5)
    assert draw(5) != draw(6)
    lifted = draw(5, lift=True)
    assert lifted.sensors == draw(5).sensors
    assert lifted.drill.lifts in (1, 2)

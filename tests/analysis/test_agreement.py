"""Agreement against published worked examples, another program, known cohorts and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.agreement import (
    MDC_FACTOR,
    ONE_WAY,
    TWO_WAY,
    agreement,
    intraclass_correlation,
    mean_squares,
    one_way,
)
from tests.benchmarks.cohorts import Cohort, coverage

# Shrout & Fleiss (1979), Psychol Bull 86:420, table 2: six targets, four judges.
JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
# Bland & Altman (1986), Lancet 327:307: peak flow by two meters [l/min], first readings.
LARGE = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
MINI = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)


def test_the_worked_example_of_shrout_and_fleiss_comes_out():
    squares = mean_squares(list(JUDGES))
    assert squares.between == pytest.approx(11.24, abs=0.005)
    assert squares.within == pytest.approx(6.26, abs=0.005)
    assert squares.sessions == pytest.approx(32.49, abs=0.005)
    assert squares.residual == pytest.approx(1.02, abs=0.005)
    icc, _, form = intraclass_correlation(squares)
    assert (round(icc, 2), form) == (0.29, TWO_WAY)
    assert round(one_way(squares)[0], 2) == 0.17


def test_the_worked_example_of_bland_and_altman_comes_out():
    found = agreement([[np.array(pair, float) for pair in zip(MINI, LARGE, strict=True)]])
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    low, high = found.limits_of_agreement
    assert (high - low) / 2 / 1.96 == pytest.approx(38.8, abs=0.05)


@pytest.mark.filterwarnings("ignore")  # its own calls into pandas
def test_another_program_finds_the_same():
    """Pingouin is not among the tests' requirements, since it takes 387 MB."""
    pingouin = pytest.importorskip("pingouin")
    import pandas as pd

    rng = np.random.default_rng(3)
    table = 30 + 5 * rng.normal(size=(12, 1)) + 2 * rng.normal(size=(12, 3)) + np.array([0, 1, 3])
    rows = [(i, j, table[i, j]) for i in range(12) for j in range(3)]
    told = pingouin.intraclass_corr(pd.DataFrame(rows, columns=["t", "r", "s"]), "t", "r", "s")
    told = told.assign(Type=told["Type"].replace({"ICC1": "ICC(1,1)", "ICC2": "ICC(A,1)"}))
    theirs = told.set_index("Type")
    column = next(name for name in told.columns if name.startswith("CI95"))
    squares = mean_squares(list(table))
    for name, (icc, ci95) in {
        "ICC(1,1)": one_way(squares),
        "ICC(A,1)": intraclass_correlation(squares)[:2],
    }.items():
        assert icc == pytest.approx(theirs.loc[name, "ICC"], abs=1e-6)
        assert ci95 == pytest.approx(theirs.loc[name, column], abs=0.0051)


@pytest.mark.parametrize(
    "cohort", [Cohort(10), Cohort(20, extra=True), Cohort(12, 3, shift_deg=0.0)]
)
def test_intervals_hold_the_truth_as_often_as_they_say(cohort):
    """Of 400 cohorts 95 %; three standard errors of that are 3.3 %."""
    held = coverage(cohort, 400)
    assert held["icc"].percent == pytest.approx(95, abs=3.3)
    assert held["sem"].percent == pytest.approx(95, abs=3.3)
    assert held["bias"].percent == pytest.approx(95, abs=3.3)
    assert held["limit"].percent == pytest.approx(95, abs=5)  # an approximation of its own


def test_two_alike_sides_of_the_same_people_are_not_twice_as_many_people():
    held = coverage(Cohort(15, sides=2, alike=1.0), 300)
    assert held["sem"].percent == pytest.approx(95, abs=4)
    assert held["icc"].percent == pytest.approx(95, abs=4)


def drawn(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [30 + 5 * rng.normal() + 2 * rng.normal(size=rng.integers(2, 4)) for _ in range(8)]


@given(st.integers(0, 10_000), st.floats(-100, 100), st.floats(0.1, 10))
def test_units_and_zero_points_change_nothing_but_the_unit(seed, shift, scale):
    table = drawn(seed)
    one, other = agreement([table]), agreement([[shift + scale * each for each in table]])
    assert other.icc == pytest.approx(one.icc, abs=1e-6)
    assert other.sem == pytest.approx(scale * one.sem)
    assert other.bias == pytest.approx(scale * one.bias, abs=1e-6)
    assert other.mdc95 == pytest.approx(MDC_FACTOR * other.sem)


@given(st.integers(0, 10_000))
def test_the_order_of_people_and_those_measured_once_change_nothing(seed):
    table = drawn(seed)
    other = agreement([[*reversed(table), np.array([99.0])]])
    one = agreement([table])
    assert other.icc == pytest.approx(one.icc)
    assert other.sem_ci95 == pytest.approx(one.sem_ci95)
    assert other.limits_of_agreement == pytest.approx(one.limits_of_agreement)


def test_the_form_follows_from_whether_everybody_was_measured_equally_often():
    even = [one[:2] for one in drawn(1)]
    assert agreement([even]).icc_form == TWO_WAY
    assert agreement([[*even, np.array([30.0, 31.0, 29.0])]]).icc_form == ONE_WAY


def test_one_person_has_an_error_and_no_correlation():
    found = agreement([[np.array([30.0, 32.0, 31.0])]])
    assert found.sem == pytest.approx(1.0)
    assert (found.icc, found.icc_ci95, found.limits_of_agreement) == (None, None, None)


def test_nobody_measured_twice_has_nothing():
    assert agreement([[np.array([30.0])], []]) is None


@pytest.mark.parametrize(
    "table", [[np.full(2, 30.0)] * 4, [np.full(2, float(i)) for i in range(4)]]
)
def test_measurements_that_never_differ_make_no_division_by_zero(table):
    found = agreement([table])
    assert found.sem == 0.0
    assert found.icc in (None, 1.0)

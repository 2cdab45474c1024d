"""A stated budget under every condition: one set each; the benchmark averages over many.

A single set may be three times as far off as is allowed on average (`tests.benchmarks.accuracy`):
0.2 degrees of range, 0.1 of the pelvis, 0.06 s. What lies beyond and why stands beside it.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.simulated import simulated
from tests.benchmarks.scoring import LIMITS, PEAKS, Score, score_set
from tests.conditions import CONDITIONS

SIDES = ("left", "right")
RANGE_DEG, IR_DEG = 0.6, 0.6
DRIFT_DEG, RESIDUAL_DEG, ROTATION_DEG = 0.3, 0.3, 0.3
LEVEL_DEG = 0.3
# A sensor 3 degrees off flat may turn the pelvis axes by as much: tilt and obliquity mix by 5 %.
LEVEL_COMPENSATING_DEG = 0.3 + 6.5 * np.sin(np.deg2rad(3.0))
PHASES_S, PHASES_SLOW_S = 0.18, 0.3
PEAK_SHARE = 0.06


@pytest.fixture(scope="module", params=list(CONDITIONS))
def scored(request: pytest.FixtureRequest) -> tuple[str, Score]:
    condition: str = request.param
    seed = 20 + list(CONDITIONS).index(condition)  # not those of the benchmark
    case = simulated(condition, SIDES[seed % 2], seed)
    return condition, score_set(case.recording, case.truth)


def mean_error(score: Score, *names: str) -> float:
    return float(np.mean([abs(error) for name in names for error in score.errors(name)]))


def test_every_repetition_is_found_and_none_is_invented(scored: tuple[str, Score]) -> None:
    _, score = scored
    assert score.refusal == ""
    assert score.missed == ()
    assert score.invented == ()


def test_verdicts_are_the_truths(scored: tuple[str, Score]) -> None:
    _, score = scored
    assert [p.found.verdict for p in score.pairs] == [p.true.verdict for p in score.pairs]


def test_range_and_angle(scored: tuple[str, Score]) -> None:
    _, score = scored
    assert mean_error(score, "rom_deg") < RANGE_DEG
    assert score.ir_rmse_deg < IR_DEG


def test_pelvis(scored: tuple[str, Score]) -> None:
    condition, score = scored
    level = LEVEL_COMPENSATING_DEG if condition == "compensating" else LEVEL_DEG
    assert mean_error(score, "pelvis_drift_deg") < DRIFT_DEG
    assert mean_error(score, "pelvis_residual_deg") < RESIDUAL_DEG
    assert mean_error(score, "pelvis_rotation_deg") < ROTATION_DEG
    assert mean_error(score, "pelvis_tilt_deg") < level
    assert mean_error(score, "pelvis_obliquity_deg") < level


def test_times_and_speeds(scored: tuple[str, Score]) -> None:
    condition, score = scored
    assert mean_error(score, *LIMITS) < (PHASES_SLOW_S if condition == "slow10" else PHASES_S)
    assert mean_error(score, "hold_s") < 0.3
    shares = [abs(p.error(name)) / getattr(p.true, name) for p in score.counted for name in PEAKS]
    assert float(np.mean(shares)) < PEAK_SHARE


def test_the_truth_mostly_lies_within_the_stated_intervals(scored: tuple[str, Score]) -> None:
    """Errors of one set are alike, so a single set may miss more often than one time in twenty."""
    _, score = scored
    for name in ("rom_deg", "pelvis_drift_deg"):
        inside = [pair.within(name) for pair in score.counted]
        assert None not in inside
        assert np.mean([bool(one) for one in inside]) >= 0.7, name

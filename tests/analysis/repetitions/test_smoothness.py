from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.repetitions.smoothness import spectral_arc_length

RATE_HZ = 100.0


def bell(duration_s: float, rate_hz: float = RATE_HZ) -> np.ndarray:
    """Speed of a minimum-jerk movement."""
    x = np.arange(0, duration_s, 1 / rate_hz) / duration_s
    return 30 * x**2 * (1 - x) ** 2


@pytest.mark.parametrize("duration_s", [0.8, 2.0, 5.0])
def test_one_minimum_jerk_movement_is_about_minus_1_4(duration_s):
    """Balasubramanian et al. (2015), J NeuroEng Rehabil 12:112, give -1.41 for it."""
    assert spectral_arc_length(bell(duration_s), RATE_HZ) == pytest.approx(-1.41, abs=0.03)


@given(st.floats(1e-3, 1e3))
def test_how_large_the_movement_is_does_not_matter(scale):
    assert spectral_arc_length(scale * bell(2.0), RATE_HZ) == pytest.approx(
        spectral_arc_length(bell(2.0), RATE_HZ), abs=1e-9
    )


@given(st.floats(0.8, 8.0))
def test_how_long_it_takes_does_not_matter(duration_s):
    assert spectral_arc_length(bell(duration_s), RATE_HZ) == pytest.approx(
        spectral_arc_length(bell(2.0), RATE_HZ), abs=0.02
    )


@pytest.mark.parametrize("rate_hz", [50.0, 200.0, 1000.0])
def test_how_often_it_is_sampled_does_not_matter(rate_hz):
    assert spectral_arc_length(bell(2.0, rate_hz), rate_hz) == pytest.approx(
        spectral_arc_length(bell(2.0), RATE_HZ), abs=0.02
    )


def test_more_movements_within_one_are_less_smooth():
    """Submovements one after the other: the published property of the measure."""
    whole = [
        spectral_arc_length(np.concatenate([bell(2.0 / n)] * n), RATE_HZ) for n in (1, 2, 3, 4)
    ]
    assert whole == sorted(whole, reverse=True)
    assert whole[1] < whole[0] - 0.3


def test_a_pause_between_two_halves_is_less_smooth_the_longer_it_is():
    values = [
        spectral_arc_length(
            np.concatenate([bell(1.0), np.zeros(int(pause_s * RATE_HZ)), bell(1.0)]), RATE_HZ
        )
        for pause_s in (0.0, 0.3, 0.6)
    ]
    assert values == sorted(values, reverse=True)


def test_by_hand_for_a_triangle_of_a_spectrum():
    """The arc of a spectrum is walked by hand: same steps, written out."""
    speed = bell(1.0)
    points = 2 ** (int(np.ceil(np.log2(len(speed)))) + 4)
    table = [
        (
            k * RATE_HZ / points,
            abs(np.sum(speed * np.exp(-2j * np.pi * k * np.arange(len(speed)) / points))),
        )
        for k in range(points // 2 + 1)
        if k * RATE_HZ / points <= 10.0
    ]
    largest = max(a for _, a in table)
    loud = [k for k, (_, a) in enumerate(table) if a / largest >= 0.05]
    kept = table[loud[0] : loud[-1] + 1]
    band = kept[-1][0] - kept[0][0]
    arc = sum(
        float(np.hypot((g - f) / band, (b - a) / largest)) for (f, a), (g, b) in pairwise(kept)
    )
    assert spectral_arc_length(speed, RATE_HZ) == pytest.approx(-arc, abs=1e-9)


def test_no_movement_at_all_does_not_fail():
    assert spectral_arc_length(np.zeros(50), RATE_HZ) == 0.0

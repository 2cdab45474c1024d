"""Samples on the live grid: what a sensor turned, at any rate, with losses and late packets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.live.grid import ArrivalClock, Feed
from analysis.live.turning import IDENTITY, from_turn, inverse, product
from analysis.motion.grid import GRID_HZ
from imu.frames import Sample


def fed(times_s: np.ndarray, rate_at, delay_s=0.01, clock=None) -> tuple[list, Feed]:
    clock = clock or ArrivalClock()
    feed, rows = Feed(clock, float(times_s[0]) + delay_s), []
    for time_s in times_s.tolist():
        anew = clock.take(time_s, time_s + delay_s)
        if anew is not None:
            sample = Sample(time_s, (0.0, 0.0, 9.81), rate_at(time_s))
            rows += feed.take(sample, time_s + delay_s, anew)
    return rows, feed


@pytest.mark.parametrize("rate_hz", [25.0, 60.0, 118.7, 400.0])
def test_a_turn_is_the_integral_of_the_rate_at_any_sampling(rate_hz):
    times_s = np.arange(0.0, 2.0, 1.0 / rate_hz)
    rows, _ = fed(times_s, lambda t: (math.sin(3.0 * t), 0.0, 0.0))
    turned = sum(row.turn_rad[0] for row in rows)
    last_s = (len(rows) - 1) / GRID_HZ
    assert turned == pytest.approx((1.0 - math.cos(3.0 * last_s)) / 3.0, abs=1e-3)


def test_turns_about_changing_axes_add_up_in_their_order():
    times_s = np.arange(0.0, 1.0, 1.0 / 400.0)
    rows, _ = fed(times_s, lambda t: (2.0 * math.cos(30.0 * t), 2.0 * math.sin(30.0 * t), 0.0))
    quat, fine = IDENTITY, IDENTITY
    for row in rows:
        quat = product(quat, from_turn(row.turn_rad))
    for t in np.arange(0.0, (len(rows) - 1) / GRID_HZ, 1e-4) + 5e-5:
        turn = (2e-4 * math.cos(30.0 * t), 2e-4 * math.sin(30.0 * t), 0.0)
        fine = product(fine, from_turn(turn))
    assert abs(product(inverse(quat), fine)[0]) > math.cos(0.5 * math.radians(0.1))


def test_a_gap_is_bridged_and_told():
    times_s = np.delete(np.arange(0.0, 3.0, 0.01), slice(100, 130))
    rows, _ = fed(times_s, lambda _: (0.5, 0.0, 0.0))
    missing = [row for row in rows if not row.measured]
    assert 14 <= len(missing) <= 16
    assert not any(row.lost for row in rows)
    assert sum(row.turn_rad[0] for row in rows) == pytest.approx(0.5 * (len(rows) - 1) / GRID_HZ)
    gone = np.delete(np.arange(0.0, 3.0, 0.01), slice(100, 180))
    assert any(row.lost for row in fed(gone, lambda _: (0.5, 0.0, 0.0))[0])


def test_a_late_packet_moves_nothing():
    clock = ArrivalClock()
    for time_s in np.arange(0.0, 1.0, 0.01):
        clock.take(float(time_s), float(time_s) + 5.0)
    assert clock.take(1.0, 6.4) is False
    assert clock.host_s(1.0) == pytest.approx(6.0)


def test_repeated_samples_are_refused_and_a_clock_that_begins_anew_is_followed():
    clock = ArrivalClock()
    assert clock.take(100.0, 5.0) is False
    assert clock.take(100.0, 5.1) is None
    assert clock.take(99.9, 5.1) is None
    assert clock.take(0.0, 8.0) is True
    assert clock.host_s(0.0) == pytest.approx(8.0)

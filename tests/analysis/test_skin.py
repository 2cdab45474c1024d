"""The skin share, from courses whose share is known."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.skin import skin_share

TIME_S = np.arange(0, 60, 0.02)
SHANK = 30.0 * np.clip(np.sin(2 * np.pi * TIME_S / 6), 0, None) ** 2
SPANS = [slice(int(6 * k * 50), int((6 * k + 3) * 50)) for k in range(10)]


@pytest.mark.parametrize("share", [0.5, 0.8, 1.0])
@pytest.mark.parametrize("lag", [0, 5, 10])
def test_share_and_lag_are_found(share, lag):
    thigh = share * np.roll(SHANK, lag)
    found = skin_share(thigh, SHANK, SPANS, 0.01)
    assert found is not None
    assert found.share == pytest.approx(share, abs=0.005)
    assert found.lag_s == pytest.approx(lag * 0.02, abs=0.03)
    assert found.low < share < found.high
    assert found.n == len(SPANS)


def test_turns_that_differ_widen_the_interval():
    rng = np.random.default_rng(1)
    steady = skin_share(0.7 * SHANK, SHANK, SPANS, 0.0)
    thigh = SHANK.copy()
    for span in SPANS:
        thigh[span] *= 0.7 + 0.05 * rng.standard_normal()
    found = skin_share(thigh, SHANK, SPANS, 0.0)
    assert steady is not None
    assert found is not None
    assert found.sd > steady.sd + 0.01
    assert found.low < 0.7 < found.high


def test_an_open_axis_widens_the_interval():
    found = skin_share(0.7 * SHANK, SHANK, SPANS, 0.05)
    assert found is not None
    assert found.sd == pytest.approx(0.7 * 0.05, rel=0.1)


def test_nothing_in_common_gives_nothing():
    assert skin_share(np.full_like(SHANK, np.nan), SHANK, SPANS, 0.0) is None
    assert skin_share(SHANK, 0.01 * SHANK, SPANS, 0.0) is None

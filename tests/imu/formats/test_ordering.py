"""Rows disturbed on purpose come back in the order they were taken, and are counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.errors import RecordingError
from imu.formats.ordering import OrderedRows, order_rows
from imu.samples import StreamFaults

SEEDS = st.integers(0, 2**32 - 1)
COUNT, RATE_HZ = 600, 60.0
TIME_S = 3.0 + np.arange(COUNT) / RATE_HZ
VALUES = np.random.default_rng(5).normal(size=(COUNT, 6))
ARRIVAL_S = 500.0 + TIME_S + 0.01 * np.random.default_rng(6).random(COUNT)


def ordered(time_s: np.ndarray, rows: np.ndarray, arrivals: bool = False) -> OrderedRows:
    arrival_s = ARRIVAL_S[rows] if arrivals else None
    return order_rows(time_s, VALUES[rows], arrival_s, lambda row: f"row {row}")


@pytest.mark.parametrize("arrivals", [False, True])
def test_sound_rows_stay_as_they_are(arrivals):
    result = ordered(TIME_S, np.arange(COUNT), arrivals)
    np.testing.assert_array_equal(result.index, np.arange(COUNT))
    np.testing.assert_array_equal(result.time_s, TIME_S)
    assert result.faults == StreamFaults()


@given(seed=SEEDS, arrivals=st.booleans(), burst=st.integers(1, 150))
def test_samples_delivered_twice_are_left_out_and_counted(seed, arrivals, burst):
    rng = np.random.default_rng(seed)
    first = int(rng.integers(0, COUNT - burst))
    again = int(rng.integers(first + burst, COUNT + 1))
    rows = np.insert(np.arange(COUNT), again, np.arange(first, first + burst))
    arrival_s = (
        np.insert(ARRIVAL_S, again, np.full(burst, ARRIVAL_S[again - 1])) if arrivals else None
    )
    result = order_rows(TIME_S[rows], VALUES[rows], arrival_s, str)
    np.testing.assert_array_equal(result.time_s, TIME_S)
    np.testing.assert_array_equal(VALUES[rows][result.index], VALUES)
    assert result.faults == StreamFaults(duplicates=burst)


@given(seed=SEEDS, arrivals=st.booleans(), packet=st.integers(1, 4), by=st.integers(1, 200))
def test_overtaken_packets_are_put_in_their_place_and_counted(seed, arrivals, packet, by):
    at = int(np.random.default_rng(seed).integers(1, COUNT - packet - by))
    rows = np.arange(COUNT)
    late = np.concatenate(
        [np.delete(rows, np.s_[at : at + packet])[: at + by], rows[at : at + packet]]
    )
    rows = np.concatenate([late, rows[at + packet + by :]])
    arrival_s = np.maximum.accumulate(ARRIVAL_S[rows]) if arrivals else None
    result = order_rows(TIME_S[rows], VALUES[rows], arrival_s, str)
    np.testing.assert_array_equal(result.time_s, TIME_S)
    np.testing.assert_array_equal(rows[result.index], np.arange(COUNT))
    assert result.faults == StreamFaults(steps_back=1)


@given(
    at=st.integers(60, COUNT - 60),
    origin_s=st.floats(0, 1e6),
    lost=st.integers(0, 30),
)
def test_a_restarted_clock_goes_on_by_its_arrivals(at, origin_s, lost):
    rows = np.delete(np.arange(COUNT), np.s_[at : at + lost])
    time_s = TIME_S[rows].copy()
    time_s[at:] += origin_s - time_s[at]
    shift_s = time_s[at] - TIME_S[rows][at]
    if abs(shift_s) < 2.0:  # a clock wrong by less may as well be a late packet
        return
    result = ordered(time_s, rows, arrivals=True)
    assert result.faults.restarts == 1
    assert result.faults.duplicates == 0
    np.testing.assert_array_equal(result.index, np.arange(len(rows)))
    # to the spread of the smallest of sixty delays of up to 10 ms
    np.testing.assert_allclose(result.time_s, TIME_S[rows], atol=3e-3)


def test_a_clock_restarted_onto_times_it_had_before_loses_no_sample():
    time_s = np.concatenate([TIME_S[:300], TIME_S[:300]])
    result = ordered(time_s, np.arange(COUNT), arrivals=True)
    assert result.faults == StreamFaults(steps_back=1, restarts=1)
    np.testing.assert_allclose(result.time_s, TIME_S, atol=3e-3)


def test_three_restarts_are_placed_one_after_the_other():
    time_s = np.concatenate([TIME_S[:150], TIME_S[:150] - 2, TIME_S[:150], 900 + TIME_S[:150]])
    result = ordered(time_s, np.arange(COUNT), arrivals=True)
    assert result.faults == StreamFaults(steps_back=2, restarts=3)
    np.testing.assert_allclose(result.time_s, TIME_S, atol=3e-3)


def test_a_clock_that_stood_still_during_a_dropout_is_placed_by_its_arrivals():
    time_s = TIME_S.copy()
    time_s[300:] -= 3.0 - 1 / RATE_HZ
    rows = np.delete(np.arange(COUNT), np.s_[300:480])
    time_s = np.concatenate([TIME_S[:300], TIME_S[300:420]])  # counted on as if nothing was lost
    result = ordered(time_s, rows, arrivals=True)
    assert result.faults.restarts == 1
    np.testing.assert_allclose(result.time_s, TIME_S[rows], atol=3e-3)


def test_a_late_burst_is_no_restart():
    arrival_s = ARRIVAL_S.copy()
    arrival_s[200:320] = ARRIVAL_S[320]  # two seconds held up, then all at once
    result = order_rows(TIME_S, VALUES, arrival_s, str)
    assert result.faults == StreamFaults()
    np.testing.assert_array_equal(result.time_s, TIME_S)


def test_a_link_silent_for_many_seconds_is_no_restart():
    time_s = np.arange(3000) / RATE_HZ
    arrival_s = 80.0 + time_s
    arrival_s[500:1700] = arrival_s[1700]  # twenty seconds
    values = np.random.default_rng(1).normal(size=(3000, 6))
    result = order_rows(time_s, values, arrival_s, str)
    assert result.faults == StreamFaults()
    np.testing.assert_array_equal(result.time_s, time_s)


def test_a_restart_with_arrivals_that_are_none_is_refused():
    time_s = np.concatenate([TIME_S[:400], TIME_S[:200] - 10])
    with pytest.raises(RecordingError, match=r"^row 0: arrival_s advances 0 s in 1 s of time_s"):
        order_rows(time_s, VALUES, 0 * TIME_S, lambda row: f"row {row}")


@pytest.mark.parametrize("origin_s", [0.0, -50.0])
def test_a_restart_without_arrivals_is_refused_at_its_row(origin_s):
    time_s = np.concatenate([TIME_S[:300], origin_s + TIME_S[:300]])
    with pytest.raises(RecordingError, match=r"^row 300: .*clock started anew.*arrival_s"):
        ordered(time_s, np.arange(COUNT))


def test_a_jump_of_hours_without_arrivals_is_refused_at_its_row():
    time_s = np.where(np.arange(COUNT) < 300, TIME_S, TIME_S + 4000)
    with pytest.raises(RecordingError, match=r"^row 300: time_s steps by 4000"):
        ordered(time_s, np.arange(COUNT))


@pytest.mark.parametrize("arrivals", [False, True])
def test_shuffled_rows_are_refused(arrivals):
    rows = np.random.default_rng(0).permutation(COUNT)
    with pytest.raises(RecordingError, match=r"^row \d+: time_s"):
        ordered(TIME_S[rows], rows, arrivals)


def test_packets_stamped_as_a_whole_are_refused():
    with pytest.raises(RecordingError, match=r"^row 1: time_s repeats .* 300 rows"):
        ordered(TIME_S[np.arange(COUNT) // 2 * 2], np.arange(COUNT))


def test_a_few_contradicting_times_are_left_out_and_counted():
    time_s = TIME_S.copy()
    time_s[[100, 200]] = time_s[[99, 199]]
    result = ordered(time_s, np.arange(COUNT))
    assert result.faults == StreamFaults(duplicates=2)
    np.testing.assert_array_equal(result.index, np.delete(np.arange(COUNT), [100, 200]))


@given(
    times=st.lists(st.floats(0, 20) | st.integers(0, 20).map(float), min_size=1, max_size=60),
    arrivals=st.booleans(),
)
def test_any_rows_are_ordered_or_refused(times, arrivals):
    time_s = np.array(times)
    values = np.zeros((len(times), 6))
    arrival_s = np.arange(len(times)) / RATE_HZ if arrivals else None
    try:
        result = order_rows(time_s, values, arrival_s, str)
    except RecordingError:
        return
    assert (np.diff(result.time_s) > 0).all()
    assert len(result.index) + result.faults.duplicates == len(times)
    assert len(set(result.index.tolist())) == len(result.index)

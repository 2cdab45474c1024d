"""The clock fit against simulated links; rates and gaps against what was taken out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from imu.clock import RATE_ONE_WITHIN_S, align, fit_clock, gaps_of, rate_of
from imu.errors import RecordingError
from imu.recording import Recording
from imu.samples import Stream
from imu.simulator import simulate_set
from imu.simulator.presets import PRESETS

SEEDS = st.integers(0, 2**32 - 1)


def link(
    rng: np.random.Generator, span_s: float, rate_hz: float, packet: int, ppm: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True instants, device times and arrivals over a radio link with 30 ms connection events.

    Retransmissions, 2 % of the packets lost, and every 10 s a quarter of a second in which
    nothing gets through.
    """
    count = int(span_s * rate_hz) // packet * packet
    true_s = np.arange(count) / rate_hz + rng.uniform(0, 1 / rate_hz)
    device_s = true_s * (1 + ppm * 1e-6) + rng.uniform(-100, 100)
    ready_s = true_s[packet - 1 :: packet] + 0.003
    phase_s = rng.uniform(0, 0.03)
    sent_s = np.ceil((ready_s - phase_s) / 0.03) * 0.03 + phase_s
    sent_s += 0.03 * (rng.random(len(sent_s)) < 0.05) * rng.geometric(0.6, len(sent_s))
    arrival_s = sent_s + 0.002 + rng.exponential(0.0005, len(sent_s))
    for begin_s in rng.uniform(0, span_s, max(1, int(span_s / 10))):
        silent = (arrival_s > begin_s) & (arrival_s < begin_s + 0.25)
        arrival_s[silent] = begin_s + 0.25
    arrival_s = np.maximum.accumulate(arrival_s)
    kept = rng.random(len(arrival_s)) > 0.02
    rows = np.repeat(kept, packet)
    return true_s[rows], device_s[rows], np.repeat(arrival_s[kept], packet)


def stream(
    time_s: np.ndarray, arrival_s: np.ndarray | None = None, segment: str = "thigh"
) -> Stream:
    still = np.tile([0.0, 0.0, 9.81], (len(time_s), 1))
    return Stream(segment, np.asarray(time_s, float), still, 0 * still, arrival_s)


def recording(pelvis: Stream, thigh: Stream) -> Recording:
    return Recording("left", "left", "left.csv", {"pelvis": pelvis, "thigh": thigh})


@pytest.mark.parametrize(
    ("rate_hz", "packet", "budget_ms"),
    # 2 samples at 100 Hz leave every 20 ms: with events every 30 ms only three phases occur, and
    # the smallest of three delays is anything from 0 to 10 ms, for each sensor on its own.
    [(52, 1, 2.0), (60, 1, 3.5), (120, 4, 3.5), (100, 2, 10.0)],
)
@pytest.mark.parametrize("span_s", [5, 40, 600])
def test_two_sensors_agree_within_milliseconds_over_a_radio_link(
    rate_hz, packet, budget_ms, span_s
):
    worst_ms = []
    for seed in range(20 if span_s < 600 else 4):
        rng = np.random.default_rng(seed)
        grid_s = np.linspace(0.5, span_s - 0.5, 50)
        error_s = []
        for ppm in rng.uniform(-200, 200, 2):
            true_s, device_s, arrival_s = link(rng, span_s, rate_hz, packet, ppm)
            mapped_s = fit_clock(device_s, arrival_s).to_host(device_s)
            error_s.append(np.interp(grid_s, true_s, mapped_s - true_s))
        worst_ms.append(1e3 * np.abs(error_s[0] - error_s[1]).max())
    assert max(worst_ms) < budget_ms


@given(
    seed=SEEDS, ppm=st.floats(-5e4, 5e4), offset_s=st.floats(-1e6, 1e6), span_s=st.floats(10, 3600)
)
def test_a_line_below_late_arrivals_is_found_exactly(seed, ppm, offset_s, span_s):
    rng = np.random.default_rng(seed)
    device_s = np.sort(rng.uniform(0, span_s, 200))
    device_s[[0, -1]] = 0, span_s
    arrival_s = offset_s + device_s / (1 + ppm * 1e-6)
    late = rng.random(200) < 0.5
    late[[0, -1]] = False  # a punctual packet on either side of the middle fixes the line
    fit = fit_clock(device_s, arrival_s + late * rng.exponential(0.25, 200))
    np.testing.assert_allclose(fit.to_host(device_s), arrival_s, atol=1e-7)
    assert abs(fit.skew_ppm - ppm) < 0.1


@given(seed=SEEDS, count=st.integers(1, 60), span_s=st.floats(0.1, 60))
def test_no_delay_is_negative_and_the_sum_of_delays_is_the_smallest_possible(seed, count, span_s):
    rng = np.random.default_rng(seed)
    device_s = np.sort(rng.uniform(0, span_s, count))
    arrival_s = 50 + device_s * rng.uniform(0.999, 1.001) + rng.exponential(0.1, count)
    fit = fit_clock(device_s, arrival_s)
    delay_s = arrival_s - fit.to_host(device_s)
    assert delay_s.min() > -1e-9

    # minimise mean(arrival - offset - rate * device) + penalty * |rate - 1| over lines below
    x, y = device_s - device_s.mean(), arrival_s - arrival_s.mean()
    above = np.column_stack([np.ones(count), x, -x])
    best = linprog(
        [-1, RATE_ONE_WITHIN_S, RATE_ONE_WITHIN_S],
        above,
        y - x,
        bounds=[(None, None), (0, None), (0, None)],
    )
    assert best.success
    assert delay_s.mean() + RATE_ONE_WITHIN_S * abs(fit.rate - 1) < best.fun + 1e-7


@given(seed=SEEDS, device_s=st.floats(-1e5, 1e5), host_s=st.floats(-1e5, 1e5))
def test_the_fit_does_not_depend_on_the_clocks_origins(seed, device_s, host_s):
    _, time_s, arrival_s = link(np.random.default_rng(seed), 20, 60, 1, 50)
    plain = fit_clock(time_s, arrival_s)
    moved = fit_clock(time_s + device_s, arrival_s + host_s)
    np.testing.assert_allclose(
        moved.to_host(time_s + device_s), plain.to_host(time_s) + host_s, atol=1e-6
    )


def test_a_take_of_a_second_keeps_the_rate_one():
    rng = np.random.default_rng(0)
    time_s = np.arange(0, 1.5, 0.01)
    assert fit_clock(time_s, 7 + time_s + rng.exponential(0.1, len(time_s))).rate == 1.0


@settings(max_examples=200)
@given(
    seed=SEEDS,
    rate_hz=st.floats(10, 1000),
    lost=st.floats(0, 0.6),
    packet=st.integers(1, 3),
    jitter=st.floats(0, 0.05),
)
def test_the_rate_is_found_under_losses_and_jitter(seed, rate_hz, lost, packet, jitter):
    rng = np.random.default_rng(seed)
    kept = np.repeat(rng.random(400) >= lost, packet)
    kept[:packet] = kept[-packet:] = True
    number = np.flatnonzero(kept)
    time_s = (number + jitter * rng.uniform(-1, 1, len(number))) / rate_hz
    assert rate_of(time_s) == pytest.approx(rate_hz, rel=3e-3)


def test_more_than_half_of_the_samples_lost_do_not_halve_the_rate():
    rng = np.random.default_rng(3)
    time_s = np.sort(rng.choice(3000, 1100, replace=False)) / 60.0
    assert np.median(np.diff(time_s)) > 1.9 / 60
    assert rate_of(time_s) == pytest.approx(60.0)


def test_the_rate_survives_stamps_in_whole_milliseconds():
    assert rate_of(np.round(np.arange(2000) / 60.0, 3)) == pytest.approx(60.0, rel=1e-3)


def test_gaps_count_what_was_taken_out():
    time_s = np.delete(np.arange(1000) / 50.0, [*range(100, 110), 500])
    gaps = gaps_of(time_s, 50.0)
    assert gaps.lost == 11
    assert gaps.longest_s == pytest.approx(11 / 50)
    assert gaps.count == 1


@given(seed=SEEDS, shift_s=st.floats(-1000, 1000))
def test_a_sensors_clock_origin_does_not_matter_where_arrivals_are_given(seed, shift_s):
    rng = np.random.default_rng(seed)
    _, pelvis_s, pelvis_arrival_s = link(rng, 10, 60, 1, 100)
    _, thigh_s, thigh_arrival_s = link(rng, 10, 50, 1, -100)
    thigh = stream(thigh_s, thigh_arrival_s)
    plain = align(recording(stream(pelvis_s, pelvis_arrival_s), thigh))
    moved = align(recording(stream(pelvis_s + shift_s, pelvis_arrival_s), thigh))
    for segment in ("pelvis", "thigh"):
        np.testing.assert_allclose(
            moved.streams[segment].time_s, plain.streams[segment].time_s, atol=1e-7
        )
    assert min(s.time_s[0] for s in plain.streams.values()) == 0.0


def test_times_of_one_clock_keep_their_distances():
    aligned = align(recording(stream(5 + np.arange(200) / 50), stream(5.5 + np.arange(200) / 50)))
    assert aligned.streams["pelvis"].time_s[0] == 0.0
    assert aligned.streams["thigh"].time_s[0] == 0.5
    assert set(aligned.fits.values()) == {None}


AT_50_HZ = np.arange(500) / 50.0


@pytest.mark.parametrize(
    ("pelvis", "thigh", "message"),
    [
        ((AT_50_HZ, AT_50_HZ), (AT_50_HZ, None), "arrival_s is given for pelvis only"),
        ((AT_50_HZ, None), (AT_50_HZ + 1000, None), "not measuring at the same time"),
        ((AT_50_HZ, None), (np.arange(150) / 15, None), "rate is 15 Hz"),
        ((AT_50_HZ * 1e3, None), (AT_50_HZ * 1e3, None), "milliseconds, divide it by 1000"),
        ((AT_50_HZ * 1e6, None), (AT_50_HZ * 1e6, None), "microseconds"),
        ((AT_50_HZ, 0 * AT_50_HZ), (AT_50_HZ, AT_50_HZ), "advances 0 s in 1 s"),
        ((AT_50_HZ, AT_50_HZ * 1.2), (AT_50_HZ, AT_50_HZ), "advances 1.2 s in 1 s"),
        ((AT_50_HZ[:2], None), (AT_50_HZ, None), "2 samples"),
        ((AT_50_HZ[:0], None), (AT_50_HZ, None), "0 samples"),
    ],
)
def test_what_cannot_be_aligned_is_refused(pelvis, thigh, message):
    with pytest.raises(RecordingError, match=message) as refusal:
        align(recording(stream(*pelvis, "pelvis"), stream(*thigh)))
    assert str(refusal.value).startswith("left.csv")


def test_the_simulators_two_sensors_agree_with_their_true_instants():
    preset = PRESETS["two_clocks_loss"]
    for seed in range(3):
        taken, truth = simulate_set(preset.drill, preset.sensors, "left", seed)
        aligned = align(taken)
        grid_s = np.linspace(1, truth.true_s["thigh"][-1] - 1, 60)
        pelvis_s, thigh_s = (
            np.interp(grid_s, truth.true_s[name], aligned.streams[name].time_s - truth.true_s[name])
            for name in ("pelvis", "thigh")
        )
        assert 1e3 * np.abs(pelvis_s - thigh_s).max() < 4.0

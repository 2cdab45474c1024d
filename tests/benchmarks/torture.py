"""Sets harder or odder than the conditions: ``python -m tests.benchmarks.torture``.

Every trial is a drill and sensors with a name, simulated over some seeds, left and right in turn.
What is missed, invented, judged otherwise than the truth, or far off is listed with the call that
repeats it. ``--random N`` draws settings at random instead. Exit status 1 where anything is listed.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing import Pool

import numpy as np

from imu.recording import Recording
from imu.simulator import DrillSettings, SensorSettings, Truth, simulate_set
from imu.simulator.presets import PRESETS, Preset
from tests.benchmarks.scoring import LIMITS, PEAKS, Pair, Score, score_set

CONSUMER = PRESETS["consumer60"]
POOR = PRESETS["poor"].sensors
RADIO = PRESETS["two_clocks_loss"].sensors

# Three times what is allowed on average: see `tests.benchmarks.accuracy`.
FAR_OFF = {
    "rom_deg": 0.6,
    "pelvis_drift_deg": 0.3,
    "pelvis_residual_deg": 0.3,
    "pelvis_tilt_deg": 0.3,
    "pelvis_obliquity_deg": 0.3,
    "pelvis_rotation_deg": 0.3,
    "hold_s": 0.3,
    **dict.fromkeys(LIMITS, 0.18),
}
FAR_OFF_IR_DEG = 0.6
FAR_OFF_PEAK = 0.06
SLOW_FROM_S = 8.0
FAR_OFF_SLOW_S = 0.9
MIN_BROKEN_OFF_DEG = 5.0  # a turn broken off before that is a twitch


def drill(**changes: object) -> Preset:
    return replace(CONSUMER, drill=replace(CONSUMER.drill, **changes))  # type: ignore[arg-type]


def sensors(**changes: object) -> Preset:
    return replace(CONSUMER, sensors=replace(CONSUMER.sensors, **changes))  # type: ignore[arg-type]


def both(of_drill: dict[str, object], of_sensors: SensorSettings | dict[str, object]) -> Preset:
    worn = of_sensors
    if isinstance(worn, dict):
        worn = replace(CONSUMER.sensors, **worn)  # type: ignore[arg-type]
    return Preset(drill(**of_drill).drill, worn)


BRISK = {"inward_s": 0.4, "hold_s": 0.0, "return_s": 0.4}
SLOW20 = {"inward_s": 9.0, "hold_s": 2.0, "return_s": 9.0}
MOVING_PELVIS = {"pelvis_tilt_deg": 6.5, "pelvis_obliquity_deg": 6.5, "pelvis_rotation_deg": 6.5}

TRIALS: dict[str, Preset] = {
    "plain": CONSUMER,
    "range6": drill(range_deg=6.0, return_error_deg=0.2),
    "range6_slow": drill(range_deg=6.0, return_error_deg=0.2, inward_s=4.5, return_s=4.5),
    "range10": drill(range_deg=10.0),
    "range60": drill(range_deg=60.0),
    "range60_fast": drill(range_deg=60.0, **BRISK),
    "uneven": drill(variation=0.25),
    "uneven_small": drill(variation=0.3, range_deg=12.0),
    "reps1": drill(reps=1),
    "reps1_fast": drill(reps=1, **BRISK),
    "reps1_slow": drill(reps=1, **SLOW20),
    "reps2": drill(reps=2),
    "reps200": drill(reps=200),
    "slow20": drill(reps=4, **SLOW20),
    "slow20_range10": drill(reps=4, range_deg=10.0, **SLOW20),
    "slow20_sway": drill(reps=4, sway_deg=1.5, sway_m=0.01, **SLOW20),
    "one_second": drill(pause_s=0.3, inward_s=0.5, hold_s=0.0, return_s=0.5),
    "one_second_no_pause": drill(pause_s=0.0, inward_s=0.5, hold_s=0.0, return_s=0.5),
    "no_pause": drill(pause_s=0.0),
    "no_pause_no_hold": drill(pause_s=0.0, hold_s=0.0),
    "no_hold": drill(hold_s=0.0),
    "short_pause": drill(pause_s=0.15),
    "long_hold": drill(hold_s=8.0, reps=4),
    "long_pause": drill(pause_s=8.0, reps=4),
    "bounce4_range10": drill(range_deg=10.0, bounces=2, bounce_deg=4.0),
    "bounce6": drill(bounces=3, bounce_deg=6.0),
    "bounce10": drill(bounces=2, bounce_deg=10.0, bounce_s=0.4),
    "bounce_no_hold": drill(bounces=2, hold_s=0.0),
    "two_stage_long": drill(stage_stop_s=1.5),
    "two_stage_short": drill(stage_stop_s=0.2),
    "two_stage_range10": drill(stage_stop_s=0.6, range_deg=10.0),
    "overshoot_at_once": drill(overshoot_deg=8.0, overshoot_pause_s=0.0),
    "overshoot15_at_once": drill(overshoot_deg=15.0, overshoot_pause_s=0.0),
    "overshoot15": drill(overshoot_deg=15.0),
    "overshoot_range10": drill(overshoot_deg=8.0, range_deg=10.0),
    "overshoot_range10_at_once": drill(overshoot_deg=8.0, range_deg=10.0, overshoot_pause_s=0.0),
    "overshoot_no_pause": drill(overshoot_deg=8.0, pause_s=0.0),
    "twitch4": drill(twitch_deg=4.0),
    "twitch3_range8": drill(twitch_deg=2.5, range_deg=8.0, return_error_deg=0.2),
    "twitch5_range40": drill(twitch_deg=5.0, range_deg=40.0),
    "neutral_drift8": drill(neutral_drift_deg=8.0),
    "neutral_drift-8": drill(neutral_drift_deg=-8.0),
    "neutral_drift8_range12": drill(neutral_drift_deg=8.0, range_deg=12.0),
    "return_error2": drill(return_error_deg=2.0),
    "return_error4": drill(return_error_deg=4.0),
    **{f"broken_off{share}": drill(broken_off=share) for share in (0.1, 0.2, 0.35, 0.5, 0.65, 0.8)},
    **{f"broken_off_one{share}": drill(broken_off=share, reps=1) for share in (0.3, 0.5, 0.8)},
    "fidget_longer": drill(fidget_before_s=15.0, fidget_after_s=20.0),
    "fidget_reps3": drill(fidget_before_s=8.0, fidget_after_s=10.0, reps=3),
    "fidget_range10": drill(fidget_before_s=8.0, fidget_after_s=10.0, range_deg=10.0),
    "fidget_fast": drill(fidget_before_s=8.0, fidget_after_s=10.0, **BRISK),
    "fidget_short_still": drill(fidget_before_s=8.0, fidget_after_s=8.0, still_after_s=0.5),
    "fidget_moving_pelvis": drill(fidget_before_s=8.0, fidget_after_s=10.0, **MOVING_PELVIS),
    "fidget_still2": drill(fidget_before_s=8.0, fidget_after_s=8.0, still_before_s=2.0),
    "still2": drill(still_before_s=2.0, still_after_s=0.0),
    "still2_poor": both({"still_before_s": 2.0, "still_after_s": 0.0}, POOR),
    "still10": drill(still_before_s=10.0),
    "end_at_once": drill(still_after_s=0.0),
    "bias5": sensors(gyr_bias_deg_s=5.0),
    "bias5_reps60": both({"reps": 60}, {"gyr_bias_deg_s": 5.0}),
    "bias10_poor": Preset(CONSUMER.drill, replace(POOR, gyr_bias_deg_s=10.0)),
    "rate25": sensors(rate_hz=25.0),
    "rate25_fast": both(BRISK, {"rate_hz": 25.0}),
    "rate25_bounces": both({"bounces": 2}, {"rate_hz": 25.0}),
    "rate30_loss5": sensors(rate_hz=30.0, loss=0.05),
    "rate200": sensors(rate_hz=200.0),
    "rate400": sensors(rate_hz=400.0),
    "rates25_200": sensors(rate_hz=25.0, thigh_rate_hz=200.0),
    "loss5": sensors(loss=0.05),
    "loss20": sensors(loss=0.2),
    "radio_loss5": Preset(CONSUMER.drill, replace(RADIO, loss=0.05)),
    "radio_bursts": Preset(
        CONSUMER.drill, replace(RADIO, late_bursts_per_min=30.0, late_burst_s=1.0)
    ),
    "radio_skew500": Preset(
        CONSUMER.drill, replace(RADIO, pelvis_clock_ppm=500.0, thigh_clock_ppm=-500.0)
    ),
    "duplicates": sensors(duplicates=0.1),
    "sway3": drill(sway_deg=3.0, sway_m=0.02),
    "sway_slow10": drill(sway_deg=1.5, sway_m=0.01, inward_s=4.5, return_s=4.5),
    "sway_range8": drill(sway_deg=1.5, sway_m=0.01, range_deg=8.0),
    "sway_poor": both({"sway_deg": 1.5, "sway_m": 0.01}, POOR),
    "breathing1": drill(breathing_deg=1.0),
    "wander1": drill(wander_deg=1.0),
    "off_level-15": drill(off_level_deg=-15.0),
    "off_level25": drill(off_level_deg=25.0),
    "off_level-15_moving": drill(off_level_deg=-15.0, **MOVING_PELVIS),
    "pelvis_late": drill(pelvis_late=0.5, **MOVING_PELVIS),
    "pelvis_lag": drill(pelvis_lag_s=0.5, **MOVING_PELVIS),
    "pelvis_10": drill(pelvis_tilt_deg=10.0, pelvis_obliquity_deg=10.0, pelvis_rotation_deg=10.0),
    "pelvis_growing": drill(pelvis_from_rep=4, pelvis_growth=0.3, pelvis_tilt_deg=5.0),
    "pelvis_rotation12": drill(pelvis_rotation_deg=12.0),
    "pelvis_hike12": drill(pelvis_obliquity_deg=12.0),
    "off_axis": drill(hip_flexion_deg=6.0, hip_adduction_deg=8.0),
    "off_axis12": drill(hip_flexion_deg=12.0, hip_adduction_deg=12.0),
    "off_axis_range10": drill(hip_flexion_deg=4.0, hip_adduction_deg=4.0, range_deg=10.0),
    "off_axis_none": drill(hip_flexion_deg=0.0, hip_adduction_deg=0.0),
    "no_pelvis": drill(pelvis_tilt_deg=0, pelvis_obliquity_deg=0, pelvis_rotation_deg=0),
    "pelvis_residual2": drill(pelvis_residual_deg=2.0),
    "off_flat8": sensors(pelvis_off_flat_deg=8.0),
    "sacrum25": sensors(sacrum_tilt_deg=25.0),
    "misaligned": sensors(misalignment_deg=0.5, acc_bias_mg=10.0),
    "bias_walk": sensors(gyr_bias_walk_deg_s_rts=0.005),
    "poor_slow10": both({"inward_s": 4.5, "return_s": 4.5}, POOR),
    "poor_range8": both({"range_deg": 8.0}, POOR),
    "poor_reps60": both({"reps": 60}, POOR),
    "gap_short_each": sensors(pelvis_gaps=((6.0, 0.4), (13.0, 0.45)), thigh_gaps=((9.5, 0.4),)),
    "gap_in_stillness": sensors(pelvis_gaps=((1.0, 0.8),)),
    "gap_at_start": sensors(thigh_gaps=((0.0, 1.0),)),
    "gap_0.8_thigh": CONSUMER,
    "gap_0.8_pelvis": CONSUMER,
    "gap_3_both": CONSUMER,
    "gap_0.6_fast": drill(inward_s=0.8, hold_s=0.0, return_s=0.8),
}
GAPS = {
    "gap_0.8_thigh": ("thigh_gaps", 0.8),
    "gap_0.8_pelvis": ("pelvis_gaps", 0.8),
    "gap_3_both": ("thigh_gaps", 3.0),
    "gap_0.6_fast": ("thigh_gaps", 0.6),
}


def simulate(name: str, side: str, seed: int) -> tuple[Recording, Truth]:
    """Simulate one set of a trial; of those with a gap, the gap lies in a repetition."""
    preset = random_preset(seed) if name == "random" else TRIALS[name]
    recording, truth = simulate_set(preset.drill, preset.sensors, side, seed)
    if name not in GAPS:
        return recording, truth
    field, length_s = GAPS[name]
    hit = truth.reps[seed % len(truth.reps)]
    middle_s = truth.first_s + 0.5 * (hit.start_s + hit.end_s)
    gaps = ((middle_s - 0.5 * length_s, length_s),)
    worn = replace(preset.sensors, **{field: gaps})  # type: ignore[arg-type]
    return simulate_set(preset.drill, worn, side, seed)


def random_preset(seed: int) -> Preset:
    """Draw a drill and sensors, the kind a person might meet."""
    rng = np.random.default_rng([seed, 77])

    def sometimes(share: float, low: float, high: float) -> float:
        value = float(rng.uniform(low, high))
        return value if rng.random() < share else 0.0

    range_deg = float(np.exp(rng.uniform(np.log(6), np.log(60))))
    inward_s = float(np.exp(rng.uniform(np.log(0.5), np.log(6))))
    moving = DrillSettings(
        mixed_signs=True,
        reps=int(rng.integers(1, 16)),
        range_deg=range_deg,
        inward_s=inward_s,
        hold_s=sometimes(0.8, 0.3, 3.0),
        return_s=inward_s * float(rng.uniform(0.6, 1.6)),
        pause_s=float(rng.uniform(0.3, 2.5)),
        variation=float(rng.uniform(0.02, 0.12)),
        return_error_deg=float(min(rng.uniform(0.1, 1.5), 0.05 * range_deg)),
        stage_stop_s=sometimes(0.15, 0.3, 1.0),
        bounces=int(rng.integers(1, 4)) if rng.random() < 0.15 else 0,
        bounce_deg=float(min(rng.uniform(2, 6), 0.3 * range_deg)),
        overshoot_deg=min(sometimes(0.15, 3.0, 12.0), 0.8 * range_deg),
        overshoot_pause_s=sometimes(0.6, 0.2, 0.6),
        twitch_deg=min(sometimes(0.15, 1.0, 4.0), 0.35 * range_deg),
        fidget_before_s=sometimes(0.3, 2.0, 12.0),
        fidget_after_s=sometimes(0.3, 2.0, 12.0),
        still_before_s=float(rng.uniform(2.0, 5.0)),
        still_after_s=float(rng.uniform(0.5, 3.0)),
        neutral_drift_deg=sometimes(0.2, -6.0, 6.0) * range_deg / 60,
        broken_off=sometimes(0.1, 0.2, 0.9),
        off_level_deg=float(rng.uniform(-15, 15)),
        pelvis_tilt_deg=float(rng.uniform(0, 7)),
        pelvis_obliquity_deg=float(rng.uniform(0, 7)),
        pelvis_rotation_deg=float(rng.uniform(0, 7)),
        hip_flexion_deg=float(rng.uniform(0, 0.12)) * range_deg,
        hip_adduction_deg=float(rng.uniform(0, 0.12)) * range_deg,
        pelvis_lag_s=sometimes(0.2, 0.0, 0.4),
        pelvis_late=sometimes(0.2, 0.1, 0.6),
        sway_deg=sometimes(0.2, 0.3, 1.5),
        sway_m=sometimes(0.2, 0.002, 0.01),
    )
    worn = SensorSettings(
        rate_hz=float(rng.choice([25, 30, 50, 60, 100, 120, 200])),
        gyr_noise_deg_s_rthz=float(rng.uniform(0.005, 0.03)),
        gyr_bias_deg_s=float(rng.uniform(0, 5)),
        acc_noise_mg=float(rng.uniform(1, 20)),
        gyr_scale_sd=float(rng.uniform(0, 0.005)),
        acc_scale_sd=float(rng.uniform(0, 0.005)),
        loss=sometimes(0.3, 0.0, 0.05),
        pelvis_off_flat_deg=float(rng.uniform(0, 5)),
        sacrum_tilt_deg=float(rng.uniform(-5, 20)),
    )
    return Preset(moving, worn)


def complaints(score: Score) -> Iterator[str]:
    """What is wrong with a set's result, worst first."""
    if score.refusal:
        yield f"REFUSED {score.refusal}"
    for rep in score.missed:
        small = "broken_off" in rep.flags and not rep.rom_deg >= MIN_BROKEN_OFF_DEG
        if not small and not score.refusal:
            yield f"MISSED rep {rep.rep} at {rep.start_s:.1f}-{rep.end_s:.1f} s ({rep.flags})"
    for one in score.invented:
        rom = "-" if one.rom_deg is None else f"{one.rom_deg:.1f} deg"
        yield f"INVENTED {one.start_s:.1f}-{one.end_s:.1f} s, {rom}, {';'.join(one.flags)}"
    for pair in score.pairs:
        yield from _judged_otherwise(pair)
    if score.ir_rmse_deg > FAR_OFF_IR_DEG:
        yield f"IR rmse {score.ir_rmse_deg:.2f}"
    for pair in score.counted:
        yield from _far_off(pair)


def _judged_otherwise(pair: Pair) -> Iterator[str]:
    found, true = pair.found, pair.true
    void = {"broken_off", "gap"}
    if void & set(found.flags) != void & set(true.flags.split(";")):
        yield f"VOID rep {true.rep}: {';'.join(found.flags)}, truth {true.flags or '-'}"
    elif found.verdict != true.verdict:
        yield f"VERDICT rep {true.rep}: {found.verdict} {';'.join(found.flags)}, truth {true.flags}"
    elif set(found.flags) != set(filter(None, true.flags.split(";"))):
        yield f"flags rep {true.rep}: {';'.join(found.flags)}, truth {true.flags or '-'}"


def _far_off(pair: Pair) -> Iterator[str]:
    slow = pair.true.end_s - pair.true.start_s > SLOW_FROM_S
    for name, limit in FAR_OFF.items():
        allowed = FAR_OFF_SLOW_S if slow and name.endswith("_s") else limit
        error = pair.error(name)
        placed = name.startswith("pelvis") and pair.within(name)  # how flat it lies is not known
        if not abs(error) <= allowed and not placed and not _other_extreme(pair, name, allowed):
            half = getattr(pair.found, name.replace("_deg", "_uncertainty_deg"), None)
            stated = f" (stated +-{half:.2f})" if half is not None and "_deg" in name else ""
            value = getattr(pair.true, name)
            yield f"off rep {pair.true.rep} {name} {error:+.2f} of {value:.2f}{stated}"
    for name in PEAKS:
        share = pair.error(name) / getattr(pair.true, name)
        if not abs(share) <= FAR_OFF_PEAK:
            yield f"off rep {pair.true.rep} {name} {100 * share:+.0f} %"


def _other_extreme(pair: Pair, name: str, allowed: float) -> bool:
    """Whether a signed extreme is the other one of two about as large."""
    if name not in ("pelvis_tilt_deg", "pelvis_obliquity_deg", "pelvis_rotation_deg"):
        return False
    found, true = getattr(pair.found, name) or 0.0, getattr(pair.true, name)
    return found * true < 0 and abs(abs(found) - abs(true)) <= allowed


def run(task: tuple[str, str, int]) -> tuple[tuple[str, str, int], list[str]]:
    """One set; an error that is no refusal is told as such."""
    try:
        return task, list(complaints(score_set(*simulate(*task))))
    except Exception:  # the harness must name every failure, whatever it is
        return task, ["TRACEBACK " + traceback.format_exc().splitlines()[-1]]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], metavar="TEXT", help="trials named so")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="N random ones instead")
    parser.add_argument(
        "--seeds", type=int, default=2, help="a trial, left and right in turn (default 2)"
    )
    parser.add_argument("--first", type=int, default=100, help="first seed (default 100)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--all", action="store_true", help="list flags that differ, too")
    options = parser.parse_args(arguments)
    names = [n for n in TRIALS if not options.only or any(text in n for text in options.only)]
    seeds = range(options.first, options.first + (options.random or options.seeds))
    names = ["random"] if options.random else names
    sides = ("left", "right")
    tasks = [(name, sides[seed % 2], seed) for name in names for seed in seeds]
    bad = 0
    with Pool(options.jobs) as pool:
        for (name, side, seed), found in pool.imap(run, tasks):
            listed = [text for text in found if options.all or not text.startswith("flags")]
            bad += bool(listed)
            if listed:
                print(f"{name} {side} seed {seed}:", flush=True)
                print("\n".join(f"    {text}" for text in listed[:8]), flush=True)
                if len(listed) > 8:
                    print(f"    ... {len(listed) - 8} more", flush=True)
    print(f"{bad} of {len(tasks)} sets with something amiss")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

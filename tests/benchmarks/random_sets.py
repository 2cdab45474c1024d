"""Sets drawn at random, all factors at once: ``python -m tests.benchmarks.random_sets``.

Fixed conditions tell what one difficulty costs; bands made with them hold on them. Here every
session of two sides draws everything anew from wide ranges, so that what is stated is asked of any
set: errors, how often the stated 95 % intervals hold the truth, over all sets and over every
quarter of them by every factor, how wide they are, the worst sets with what was drawn for them, and
the sets with a repetition missed or invented. Exit status 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing import Pool

import numpy as np

from imu.recording import Event, Recording
from imu.simulator.sessions import SessionSettings, simulate_session
from imu.simulator.settings import DrillSettings, SensorSettings
from tests.benchmarks.cover import Outcome, goals_missed, tables
from tests.benchmarks.scoring import score_set

SIDES = ("left", "right")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn for one session of two sides."""

    seed: int
    drill: DrillSettings
    sensors: SensorSettings


def draw(seed: int, reps: int = 0, lift: bool = False) -> Drawn:
    """Draw a session.

    Parameters
    ----------
    seed : int
        The same seed draws the same session.
    reps : int
        Repetitions a side; 0 draws 5 to 12.
    lift : bool
        The knee is lifted once or twice before the set; all else is drawn as without.
    """
    rng = np.random.default_rng([seed, 8])
    drill, sensors = _drill(rng, reps), _sensors(rng)
    return Drawn(seed, _lifted(drill, rng) if lift else drill, sensors)


def _lifted(drill: DrillSettings, rng: np.random.Generator) -> DrillSettings:
    """Lift the knee first, now straight up and now less so."""
    return replace(
        drill,
        lifts=int(rng.integers(1, 3)),
        lift_deg=float(rng.uniform(5.0, 20.0)),
        lift_ir_deg=float(rng.uniform(-1.5, 1.5)),
        lift_adduction_deg=float(rng.uniform(-1.5, 1.5)),
        lift_tilt_deg=float(rng.uniform(-3.0, 0.0)),
        still_after_lift_s=float(rng.uniform(2.0, 4.0)),
    )


def _drill(rng: np.random.Generator, reps: int) -> DrillSettings:
    drawn = int(rng.integers(5, 13))
    inward_s = _log_uniform(rng, 0.6, 6.0)
    return DrillSettings(
        reps=reps or drawn,
        range_deg=float(rng.uniform(9.0, 50.0)),
        inward_s=inward_s,
        return_s=float(np.clip(inward_s * rng.uniform(0.7, 1.4), 0.6, 6.0)),
        hold_s=float(rng.uniform(0.0, 2.0)),
        pause_s=float(rng.uniform(0.6, 2.0)),
        variation=float(rng.uniform(0.03, 0.10)),
        return_error_deg=float(rng.uniform(0.2, 1.0)),
        stage_stop_s=_sometimes(rng, 0.1, 0.3, 0.6),
        bounces=int(rng.random() < 0.1) * int(rng.integers(1, 3)),
        overshoot_deg=_sometimes(rng, 0.2, 2.0, 8.0),
        twitch_deg=_sometimes(rng, 0.2, 1.5, 3.5),
        fidget_before_s=_sometimes(rng, 0.25, 2.0, 6.0),
        fidget_after_s=_sometimes(rng, 0.25, 2.0, 6.0),
        still_before_s=float(rng.uniform(2.2, 5.0)),
        still_after_s=float(rng.uniform(1.0, 4.0)),
        neutral_drift_deg=_sometimes(rng, 0.3, -3.0, 3.0),
        off_level_deg=float(rng.uniform(-15.0, 15.0)),
        pelvis_tilt_deg=float(rng.uniform(0.0, 7.0)),
        pelvis_obliquity_deg=float(rng.uniform(0.0, 7.0)),
        pelvis_rotation_deg=float(rng.uniform(0.0, 7.0)),
        hip_flexion_deg=float(rng.uniform(0.0, 7.0)),
        hip_adduction_deg=float(rng.uniform(0.0, 7.0)),
        mixed_signs=True,
        pelvis_lag_s=_sometimes(rng, 0.3, 0.0, 0.2),
        pelvis_residual_deg=float(rng.uniform(0.1, 0.8)),
        breathing_deg=float(rng.uniform(0.05, 0.4)),
        wander_deg=float(rng.uniform(0.0, 0.3)),
        sway_deg=float(rng.uniform(0.0, 1.2)),
        sway_m=float(rng.uniform(0.0, 0.01)),
    )


def _sensors(rng: np.random.Generator) -> SensorSettings:
    ppm = rng.normal(0.0, 60.0, 2) * (rng.random() < 0.5)
    return SensorSettings(
        rate_hz=float(rng.uniform(40.0, 120.0)),
        thigh_rate_hz=_sometimes(rng, 0.2, 40.0, 120.0),
        gyr_noise_deg_s_rthz=_log_uniform(rng, 0.004, 0.03),
        gyr_bias_deg_s=_log_uniform(rng, 0.1, 2.5),
        gyr_bias_walk_deg_s_rts=_log_uniform(rng, 0.0001, 0.0015),
        acc_noise_mg=_log_uniform(rng, 2.0, 30.0),
        acc_bias_mg=float(rng.uniform(0.0, 30.0)),
        gyr_scale_sd=float(rng.uniform(0.0, 0.012)),
        acc_scale_sd=float(rng.uniform(0.0, 0.012)),
        arrivals=bool(ppm.any()),
        pelvis_clock_ppm=float(ppm[0]),
        thigh_clock_ppm=float(ppm[1]),
        late_bursts_per_min=_sometimes(rng, 0.5, 0.0, 10.0),
        loss=_sometimes(rng, 0.5, 0.0, 0.05),
        pelvis_off_flat_deg=float(rng.uniform(0.0, 5.0)),
        sacrum_tilt_deg=float(rng.uniform(-5.0, 20.0)),
    )


def _sometimes(rng: np.random.Generator, share: float, low: float, high: float) -> float:
    """Draw uniformly in a share of the sessions, 0 in the others."""
    value, present = float(rng.uniform(low, high)), rng.random() < share
    return value if present else 0.0


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def factors(drawn: Drawn) -> dict[str, float]:
    """What the sets are ordered by for the cover of their quarters."""
    drill, sensors = drawn.drill, drawn.sensors
    in_step = float(np.hypot(drill.hip_flexion_deg, drill.hip_adduction_deg))
    pelvis = (drill.pelvis_tilt_deg, drill.pelvis_obliquity_deg, drill.pelvis_rotation_deg)
    return {
        "range": drill.range_deg,
        "in step": in_step,
        "in step/range": in_step / drill.range_deg,
        "pelvis": float(np.linalg.norm(pelvis)),
        "turn s": drill.inward_s,
        "sway": drill.sway_deg,
        "off level": drill.off_level_deg,
        "off flat": sensors.pelvis_off_flat_deg,
        "rate Hz": sensors.rate_hz,
        "gyr noise": sensors.gyr_noise_deg_s_rthz,
        "gyr bias": sensors.gyr_bias_deg_s,
        "acc bias": sensors.acc_bias_mg,
        "gyr scale": sensors.gyr_scale_sd,
        "acc scale": sensors.acc_scale_sd,
    }


def simulate_and_score(drawn: Drawn) -> list[Outcome]:
    """Both sides of one session, analysed as the product does."""
    sets = dict.fromkeys(SIDES, drawn.drill)
    simulated = simulate_session("random", SessionSettings(sets, drawn.sensors, drawn.seed))

    def events_of(recording: Recording) -> tuple[Event, ...]:
        return tuple(one for one in simulated.session.events if one.set_name == recording.name)

    return [
        Outcome(
            f"seed {drawn.seed} {recording.side}",
            factors(drawn),
            score_set(recording, simulated.truths[recording.name], events=events_of(recording)),
        )
        for recording in simulated.session.recordings
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", type=int, default=60, help="sessions of two sides (default 60)")
    parser.add_argument("--seed", type=int, default=0, help="first seed (default 0)")
    parser.add_argument("--reps", type=int, default=0, help="a side (default: 5 to 12 at random)")
    parser.add_argument("--lift", action="store_true", help="a lift of the knee before every set")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    options = parser.parse_args(arguments)
    drawn = [draw(options.seed + k, options.reps, options.lift) for k in range(options.sets)]
    with Pool(options.workers) as pool:
        outcomes = [one for two in pool.map(simulate_and_score, drawn, 1) for one in two]
    print("\n".join(tables(outcomes)))
    missed = goals_missed(outcomes)
    print("\n".join(["", *missed] if missed else ["", "all goals met"]))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

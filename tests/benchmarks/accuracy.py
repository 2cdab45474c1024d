"""Accuracy over simulated sessions, a row a condition: ``python -m tests.benchmarks.accuracy``.

Both sides of every session are simulated with the same sensors and movements of their own, and
analysed as `hiprot report` does. The mean over the conditions is held against the limits, each
single condition against three times them. Exit status 1 where one is exceeded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import Pool
from statistics import fmean

import numpy as np

from imu.simulator.sessions import SessionSettings, simulate_session
from tests.benchmarks.scoring import LIMITS, PEAKS, Pair, Score, score_set
from tests.conditions import CONDITIONS

SIDES = ("left", "right")
SINGLE = 3.0  # times the limit, for a single condition
LIMITS_OF_SLOW_S = 0.3  # phases of repetitions of 10 s
SLOW = "slow10"
COVERAGE_PERCENT = (90.0, 99.0)
MIN_COVERAGE_PERCENT = 100.0 - SINGLE * (100.0 - COVERAGE_PERCENT[0])


@dataclass(frozen=True, slots=True)
class Session:
    """Both sides of one seed."""

    left: Score
    right: Score

    @property
    def scores(self) -> tuple[Score, Score]:
        return self.left, self.right


@dataclass(frozen=True, slots=True)
class Figure:
    """A column of the table: how it is had from a condition's sessions, and its limit."""

    name: str
    of: Callable[[Sequence[Session]], float]
    limit: float = np.inf
    decimals: int = 3


def pairs_of(sessions: Sequence[Session]) -> list[Pair]:
    return [pair for session in sessions for score in session.scores for pair in score.counted]


def errors_of(sessions: Sequence[Session], *names: str) -> np.ndarray:
    every = [score.errors(name) for s in sessions for score in s.scores for name in names]
    return np.concatenate(every) if every else np.empty(0)


def mean_absolute(*names: str) -> Callable[[Sequence[Session]], float]:
    return lambda sessions: float(np.abs(errors_of(sessions, *names)).mean())


def relative_percent(*names: str) -> Callable[[Sequence[Session]], float]:
    def figure(sessions: Sequence[Session]) -> float:
        shares = [
            abs(pair.error(name)) / getattr(pair.true, name)
            for pair in pairs_of(sessions)
            for name in names
        ]
        return 100.0 * float(np.nanmean(shares))

    return figure


def coverage_percent(name: str) -> Callable[[Sequence[Session]], float]:
    def figure(sessions: Sequence[Session]) -> float:
        inside = [pair.within(name) for pair in pairs_of(sessions)]
        stated = [one for one in inside if one is not None]
        return 100.0 * fmean(stated) if stated else np.nan

    return figure


def count(what: str) -> Callable[[Sequence[Session]], float]:
    return lambda sessions: float(sum(len(getattr(x, what)) for s in sessions for x in s.scores))


def side_difference(sessions: Sequence[Session]) -> float:
    """Error of right minus left in the mean range, mean of its magnitude over the sessions."""
    errors = [mean_range_error(s.right) - mean_range_error(s.left) for s in sessions]
    return float(np.abs(errors).mean())


def mean_range_error(score: Score) -> float:
    """Signed; NaN where nothing was found."""
    errors = score.errors("rom_deg")
    return fmean(errors) if errors else np.nan


def same_verdict_percent(sessions: Sequence[Session]) -> float:
    pairs = [pair for s in sessions for score in s.scores for pair in score.pairs]
    return 100.0 * fmean([pair.found.verdict == pair.true.verdict for pair in pairs] or [np.nan])


FIGURES = (
    Figure("missed", count("missed"), 0, 0),
    Figure("invented", count("invented"), 0, 0),
    Figure("ir rmse", lambda ss: fmean(x.ir_rmse_deg for s in ss for x in s.scores), 0.2),
    Figure("range", mean_absolute("rom_deg"), 0.2),
    Figure("signed", lambda ss: float(errors_of(ss, "rom_deg").mean())),
    Figure("drift", mean_absolute("pelvis_drift_deg"), 0.1),
    Figure("tilt", mean_absolute("pelvis_tilt_deg"), 0.1),
    Figure("obliq", mean_absolute("pelvis_obliquity_deg"), 0.1),
    Figure("rotat", mean_absolute("pelvis_rotation_deg"), 0.1),
    Figure("resid", mean_absolute("pelvis_residual_deg"), 0.1),
    Figure("limits s", mean_absolute(*LIMITS), 0.06),
    Figure("hold s", mean_absolute("hold_s"), 0.1),
    Figure("peak %", relative_percent(*PEAKS), 2.0, 2),
    Figure("sides", side_difference, 0.2),
    Figure("cov rom", coverage_percent("rom_deg"), decimals=1),
    Figure("cov drift", coverage_percent("pelvis_drift_deg"), decimals=1),
    Figure("verdict %", same_verdict_percent, decimals=1),
    Figure("flexion", mean_absolute("hip_flexion_deg")),
    Figure("adduct", mean_absolute("hip_adduction_deg")),
    Figure("sparc", mean_absolute("sparc_inward", "sparc_return")),
)


def simulate_and_score(task: tuple[str, int]) -> Session:
    """Both sides of one session under a condition."""
    condition, seed = task
    preset = CONDITIONS[condition]
    sets = dict.fromkeys(SIDES, preset.drill)
    simulated = simulate_session(condition, SessionSettings(sets, preset.sensors, seed))
    scores = {
        recording.side: score_set(recording, simulated.truths[recording.name])
        for recording in simulated.session.recordings
    }
    return Session(**scores)


def amiss(condition: str, seed: int, session: Session) -> list[str]:
    """Every set refused, repetition missed or invented, by name."""
    found = []
    for side, score in zip(SIDES, session.scores, strict=True):
        where = f"{condition}, seed {seed}, {side}"
        spans = [("missed", rep) for rep in score.missed]
        spans += [("invented", rep) for rep in score.invented]
        found += [f"{where}: {what} {r.start_s:.1f} to {r.end_s:.1f} s" for what, r in spans]
        found += [f"{where}: refused: {score.refusal}"] if score.refusal else []
    return found


def exceeded(condition: str, values: dict[str, float]) -> list[str]:
    """What a condition has beyond its limits."""
    found = []
    for figure in FIGURES:
        limit = LIMITS_OF_SLOW_S if is_slow_limit(figure, condition) else SINGLE * figure.limit
        if not values[figure.name] <= limit and np.isfinite(figure.limit):
            found.append(f"{condition}: {figure.name} {values[figure.name]:.3g}, limit {limit:g}")
        if figure.name.startswith("cov") and not values[figure.name] >= MIN_COVERAGE_PERCENT:
            found.append(
                f"{condition}: {figure.name} {values[figure.name]:.3g} %, "
                f"at least {MIN_COVERAGE_PERCENT:g}"
            )
    return found


def exceeded_in_mean(means: dict[str, float]) -> list[str]:
    """What the mean over the conditions has beyond its limits."""
    found = []
    for figure in FIGURES:
        if not means[figure.name] <= figure.limit:
            found.append(f"mean: {figure.name} {means[figure.name]:.3g}, limit {figure.limit:g}")
        low, high = COVERAGE_PERCENT
        if figure.name.startswith("cov") and not low <= means[figure.name] <= high:
            found.append(f"mean: {figure.name} {means[figure.name]:.3g} %, {low:g} to {high:g}")
    return found


def is_slow_limit(figure: Figure, condition: str) -> bool:
    return figure.name == "limits s" and condition == SLOW


def mean_row(rows: dict[str, dict[str, float]]) -> dict[str, float]:
    """Mean over the conditions; the limits of the slow repetitions stand apart."""
    return {
        figure.name: fmean(
            values[figure.name]
            for condition, values in rows.items()
            if len(rows) == 1 or not is_slow_limit(figure, condition)
        )
        for figure in FIGURES
    }


def line(name: str, values: dict[str, float]) -> str:
    cells = [f"{values[f.name]:>{max(6, len(f.name))}.{f.decimals}f}" for f in FIGURES]
    return " ".join([f"{name:16s}", *cells])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="sessions a condition (default 10)")
    parser.add_argument("--first", type=int, default=0, help="first seed (default 0)")
    parser.add_argument("--conditions", nargs="*", default=list(CONDITIONS), metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.seeds)
    print(" ".join(["condition       ", *(f"{f.name:>6s}" for f in FIGURES)]))
    rows, failures = {}, []
    with Pool(options.jobs) as pool:
        for condition in options.conditions:
            sessions = pool.map(simulate_and_score, [(condition, seed) for seed in seeds])
            for seed, session in zip(seeds, sessions, strict=True):
                failures += amiss(condition, seed, session)
            rows[condition] = {figure.name: figure.of(sessions) for figure in FIGURES}
            failures += exceeded(condition, rows[condition])
            print(line(condition, rows[condition]), flush=True)
    means = mean_row(rows)
    print(line("mean", means))
    print(line("limit", {f.name: f.limit for f in FIGURES}).replace("inf", "  -"))
    failures += exceeded_in_mean(means)
    print("\n".join(["", *failures] if failures else ["", "all within the limits"]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

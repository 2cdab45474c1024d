"""The live side against the offline analysis: ``python -m tests.benchmarks.live``.

Every set is played as if it came from sensors, with the analyses that a caller would run beside it.
A row a condition of the accuracy benchmark, then sets drawn at random, all factors at once:

- ``ir``: root mean square of the angle shown against the offline one, from the end of the first
  repetition to a second after the last [deg]; mean over the sets, and the worst.
- ``count``: sets whose count shown with the last sample is not the report's; ``ahead``: in which
  the count shown was once ahead of the person; ``late``: how long after a repetition's end it was
  counted [s].
- ``phase``: share of instants with the phase that the report has there, those within 0.15 s of a
  change apart [%].
- ``hold``: largest step of the angle from one instant to the next in a hold of the report's [deg].
- ``µs``: what a sample costs, the analyses apart.

Then every set that misses a goal, by name. Exit status 1 where one does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import Pool

import numpy as np

from analysis.repetitions.measures import Repetition
from imu.recording import Event, Recording
from imu.simulator import Truth
from imu.simulator.sessions import SessionSettings, simulate_session
from tests.analysis.live.following import Followed, follow
from tests.benchmarks.random_sets import draw
from tests.conditions import CONDITIONS, simulate

RANDOM, LIFTED = "random", "random+lift"
NEAR_S = 0.15  # of a change any of both phases is right
MAX_IR_DEG, MIN_PHASE, MAX_STEP_DEG = 1.0, 95.0, 1.0
AROUND_S = 1.0
SIDES = ("left", "right")


@dataclass(frozen=True, slots=True)
class Score:
    """One set: the figures of the table."""

    name: str
    ir_deg: float
    wrong_count: int
    ahead: int
    late_s: float
    phase_percent: float
    step_deg: float
    cost_us: float

    def misses(self) -> list[str]:
        """Goals that it misses, in words."""
        found = []
        if not self.ir_deg < MAX_IR_DEG:
            found.append(f"ir {self.ir_deg:.2f} deg")
        if self.wrong_count:
            found.append(f"count off by {self.wrong_count}")
        if self.ahead:
            found.append(f"count ahead by {self.ahead}")
        if not self.phase_percent >= MIN_PHASE:
            found.append(f"phase {self.phase_percent:.1f} %")
        if not self.step_deg <= MAX_STEP_DEG:
            found.append(f"step {self.step_deg:.2f} deg in a hold")
        return found


def score(name: str, followed: Followed, truth: Truth) -> Score:
    """Hold what was shown against the analysis of the whole set, the count against the truth."""
    if followed.final is None:
        return Score(f"{name}, refused", *[np.nan] * 7)
    found = followed.final.found
    time_s, reps = followed.column("time_s"), followed.column("reps")
    shown, offline = followed.column("ir_deg"), found.angles
    counted = [rep for rep in found.reps if rep.counts]
    after = (time_s > found.reps[0].end_s) & (time_s < found.reps[-1].end_s + AROUND_S)
    error = shown - np.interp(time_s, offline.time_s, offline.ir_deg)
    true_ends_s = np.array([rep.end_s for rep in truth.reps if np.isfinite(rep.end_s)])
    over = np.searchsorted(true_ends_s, time_s + NEAR_S)
    return Score(
        name=name,
        ir_deg=float(np.sqrt((error[after] ** 2).mean())),
        wrong_count=int(reps[-1]) - len(counted),
        ahead=int(max((reps - over).max(), 0)),
        late_s=float(np.mean(list(_late(time_s, reps, counted)))),
        phase_percent=phase_percent(followed, found.reps, lift_of(truth)),
        step_deg=step_in_holds(time_s, shown, found.reps),
        cost_us=1e6 * followed.seconds / followed.samples,
    )


def _late(time_s: np.ndarray, reps: np.ndarray, counted: Sequence[Repetition]) -> Iterator[float]:
    for number, rep in enumerate(counted, start=1):
        seen = np.flatnonzero(reps >= number)
        yield float(time_s[seen[0]] if len(seen) else time_s[-1]) - rep.end_s


def lift_of(truth: Truth) -> tuple[float, float]:
    """Span of the guided lift, on the set's common time; empty without one."""
    flexion = truth.angles.columns["flexion_deg"]
    before = truth.angles.time_s < truth.reps[0].start_s
    lifting = np.flatnonzero(before & (np.abs(flexion) > 1.0))
    if truth.plan is None or not len(lifting):
        return np.inf, np.inf
    return float(truth.angles.time_s[lifting[0]]), float(truth.angles.time_s[lifting[-1]])


def changes(reps: Sequence[Repetition]) -> list[tuple[float, str]]:
    """When which phase begins, by the report."""
    found = [(-np.inf, "still")]
    for rep in reps:
        times = (rep.start_s, rep.hold_start_s, rep.hold_end_s, rep.end_s)
        names = ("inward", "hold", "return", "still")
        found += [(at, name) for at, name in zip(times, names, strict=True) if at is not None]
    return found


def phase_percent(
    followed: Followed, reps: Sequence[Repetition], lift: tuple[float, float]
) -> float:
    """Share of instants with the report's phase, those near a change apart."""
    time_s = followed.column("time_s")
    found = changes(reps)
    times = np.array([at for at, _ in found])
    names = [name for _, name in found]
    expected = [names[k] for k in np.searchsorted(times, time_s, "right") - 1]
    apart = np.abs(time_s[:, None] - times[None, 1:]).min(axis=1) > NEAR_S
    apart &= (time_s < lift[0] - 0.5) | (time_s > lift[1] + 0.5)
    right = np.array([m.phase == one for m, one in zip(followed.motions, expected, strict=True)])
    return 100.0 * float(right[apart].mean())


def step_in_holds(time_s: np.ndarray, shown: np.ndarray, reps: Sequence[Repetition]) -> float:
    """Largest step between neighbours within holds."""
    steps = np.abs(np.diff(shown))
    inside = np.zeros(len(steps), dtype=bool)
    for rep in reps[1:]:
        if rep.hold_start_s is not None and rep.hold_end_s is not None:
            inside |= (time_s[:-1] > rep.hold_start_s) & (time_s[1:] < rep.hold_end_s)
    return float(steps[inside].max(initial=0.0))


def play(task: tuple[str, int, int]) -> Score:
    """One set: of a condition, or drawn at random, with so many repetitions (0: as drawn)."""
    condition, seed, reps = task
    side = SIDES[seed % 2]
    name = f"{condition}, seed {seed}, {side}"
    if condition in CONDITIONS:
        case = simulate(condition, side, seed)
        return score(name, follow(case.recording), case.truth)
    drawn = draw(seed, reps, lift=condition == LIFTED)
    settings = SessionSettings({side: drawn.drill}, drawn.sensors, drawn.seed)
    simulated = simulate_session("random", settings)
    recording: Recording = simulated.session.recordings[0]
    events: tuple[Event, ...] = simulated.session.events
    return score(name, follow(recording, events), simulated.truths[recording.name])


def line(condition: str, scores: Sequence[Score]) -> str:
    """A row of the table."""
    values = {
        name: np.array([getattr(one, name) for one in scores]) for name in Score.__slots__[1:]
    }
    missed = sum(bool(one.misses()) for one in scores)
    return (
        f"{condition:16s} {len(scores):4d} {np.nanmean(values['ir_deg']):6.2f} "
        f"{np.nanmax(values['ir_deg']):6.2f} {np.count_nonzero(values['wrong_count']):5d} "
        f"{np.count_nonzero(values['ahead'] > 0):5d} {np.nanmean(values['late_s']):5.2f} "
        f"{np.nanmean(values['phase_percent']):6.1f} {np.nanmin(values['phase_percent']):6.1f} "
        f"{np.nanmax(values['step_deg']):5.2f} {np.nanmean(values['cost_us']):5.0f} {missed:6d}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2, help="sets a condition (default 2)")
    parser.add_argument("--random", type=int, default=20, help="sets drawn at random (default 20)")
    parser.add_argument("--reps", type=int, default=0, help="of a random set (default: as drawn)")
    parser.add_argument("--first", type=int, default=0, help="first seed (default 0)")
    parser.add_argument("--conditions", nargs="*", default=list(CONDITIONS), metavar="NAME")
    parser.add_argument("--every", action="store_true", help="print misses as they are found")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    options = parser.parse_args(arguments)
    counts = dict.fromkeys(options.conditions, options.seeds)
    counts |= {RANDOM: options.random, LIFTED: options.random // 2}
    print("condition        sets     ir  worst count ahead  late  phase  worst  hold    µs missed")
    scores: list[Score] = []
    with Pool(options.jobs) as pool:
        for condition, count in counts.items():
            tasks = [(condition, options.first + k, options.reps) for k in range(count)]
            new = []
            for one in pool.imap(play, tasks):
                new.append(one)
                if options.every and one.misses():
                    print(f"  {one.name}: {', '.join(one.misses())}", flush=True)
            scores += new
            if new:
                print(line(condition, new), flush=True)
    if scores:
        print(line("all", scores))
    misses = [f"{one.name}: {', '.join(one.misses())}" for one in scores if one.misses()]
    print("\n".join(["", *misses] if misses else ["", "all goals met"]))
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())

"""How often the intervals of agreement hold the truth: ``python -m tests.benchmarks.cohorts``.

Cohorts are drawn with a known variance between people, within them and between their sides. Nothing
here knows the method it tests.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.agreement import Agreement, agreement
from analysis.reliability import Reliability, reliability_of
from analysis.visits import Visit
from tests.benchmarks.courses import START, Person, draw_side, simulated_course

GOAL_PERCENT = (93.0, 97.0)


@dataclass(frozen=True)
class Cohort:
    """Many people measured again; standard deviations in degrees.

    ``shift_deg`` is the standard deviation of what moves all second, third, ... measurements;
    ``extra`` gives every other person one measurement more; ``alike`` is the correlation of the
    two sides of one person, in the people as in their days.
    """

    people: int = 20
    measurements: int = 2
    between_deg: float = 6.0
    within_deg: float = 2.0
    shift_deg: float = 0.0
    extra: bool = False
    sides: int = 1
    alike: float = 0.7

    @property
    def icc(self) -> float:
        """The truth: variance between people, as a share of all."""
        error = self.within_deg**2 + self.shift_deg**2
        return self.between_deg**2 / (self.between_deg**2 + error)

    @property
    def sem_deg(self) -> float:
        """The truth: what moves a measurement of one person."""
        return math.hypot(self.within_deg, self.shift_deg)


def draw(rng: np.random.Generator, cohort: Cohort) -> tuple[list[list[np.ndarray]], float]:
    """A table a side, and how much the second measurements were shifted against the first."""
    most = cohort.measurements + 1
    counts = [cohort.measurements + (cohort.extra and i % 2) for i in range(cohort.people)]
    alike = cohort.alike if cohort.sides > 1 else 0.0

    def of_sides(*shape: int) -> np.ndarray:
        own, shared = rng.normal(size=(*shape, cohort.sides)), rng.normal(size=(*shape, 1))
        return math.sqrt(1.0 - alike) * own + math.sqrt(alike) * shared

    people = cohort.between_deg * of_sides(cohort.people)
    days = cohort.within_deg * of_sides(cohort.people, most)
    shift = cohort.shift_deg * rng.normal(size=most)
    tables = [
        [32.0 + people[i, s] + days[i, :k, s] + shift[:k] for i, k in enumerate(counts)]
        for s in range(cohort.sides)
    ]
    return tables, float(shift[1] - shift[0])


@dataclass
class Held:
    """How often an interval held the truth, and how wide it was."""

    inside: int = 0
    below: int = 0
    width: float = 0.0
    n: int = 0

    def add(self, interval: Sequence[float] | None, truth: float) -> None:
        if interval is None:
            return
        self.n += 1
        self.inside += interval[0] <= truth <= interval[1]
        self.below += interval[1] < truth
        self.width += interval[1] - interval[0]

    @property
    def percent(self) -> float:
        return 100.0 * self.inside / max(1, self.n)


def coverage(cohort: Cohort, samples: int = 1000, seed: int = 0) -> dict[str, Held]:
    """Draw cohorts and hold their intervals against the truth."""
    rng = np.random.default_rng(seed)
    held = {name: Held() for name in ("icc", "sem", "bias", "limit")}
    for _ in range(samples):
        tables, shift = draw(rng, cohort)
        found = agreement(tables)
        assert found is not None
        _add(held, found, cohort, shift)
    return held


def _add(held: dict[str, Held], found: Agreement, cohort: Cohort, shift: float) -> None:
    held["icc"].add(found.icc_ci95, cohort.icc)
    held["sem"].add(found.sem_ci95, cohort.sem_deg)
    held["bias"].add(found.bias_ci95, shift)
    if found.limits_of_agreement is not None and found.limits_ci95 is not None:
        upper = found.limits_of_agreement[1]
        truth = shift + 1.96 * math.sqrt(2.0) * cohort.within_deg
        held["limit"].add((upper - found.limits_ci95, upper + found.limits_ci95), truth)


def draw_people(
    rng: np.random.Generator, people: int, sessions: int, person: Person, between_deg: float = 6.0
) -> dict[str, list[Visit]]:
    """Visits of many people, at the level of repetition values."""
    found: dict[str, list[Visit]] = {}
    for i in range(people):
        rom = person.rom_deg + between_deg * rng.normal()
        gains = {side: rom - person.rom_deg + 2.0 * rng.normal() for side in ("left", "right")}
        found[f"P{i:03d}"] = [
            Visit(
                f"visit-{j + 1}",
                f"P{i:03d}",
                START.replace(day=j + 1),
                None,
                {side: draw_side(rng, person, gain) for side, gain in gains.items()},
            )
            for j in range(sessions)
        ]
    return found


def study(people: int, sessions: int, person: Person, seed: int = 0) -> Reliability:
    """One reliability study, from repetition values to the figures of every measure."""
    return reliability_of(draw_people(np.random.default_rng(seed), people, sessions, person))


COHORTS = {
    "5 people, 2 sessions": Cohort(5),
    "10 people, 2 sessions": Cohort(10),
    "20 people, 2 sessions": Cohort(20),
    "20 people, 3 sessions": Cohort(20, 3),
    "20 people, 2 or 3 sessions": Cohort(20, extra=True),
    "20 people, 2 sessions, error 4°": Cohort(20, within_deg=4.0),
    "50 people, 2 sessions": Cohort(50),
    "20 people, 2 sessions, both sides, alike 0.7": Cohort(20, sides=2),
    "20 people, 2 sessions, both sides, alike 0.0": Cohort(20, sides=2, alike=0.0),
    "20 people, 3 sessions, sessions shift by SD 1°": Cohort(20, 3, shift_deg=1.0),
}


def simulated_people(
    rng: np.random.Generator, people: int, person: Person, between_deg: float = 6.0
) -> dict[str, list[Visit]]:
    """People measured twice through the sensors: simulated, put on anew, analysed."""
    found = {}
    for i in range(people):
        own = replace(person, rom_deg=person.rom_deg + between_deg * rng.normal())
        found[f"P{i:03d}"] = simulated_course(rng, own, 0.0, 2)
    return found


def _tables(samples: int, simulated: int) -> Iterator[str]:
    yield f"95 % intervals hold the truth in %, mean width behind it; {samples} cohorts a row,"
    yield "SD between people 6°, within them 2° where nothing else is said"
    yield " " * 48 + "".join(f"{name:>18}" for name in ("icc", "sem", "bias", "limit"))
    for title, cohort in COHORTS.items():
        held = coverage(cohort, samples)
        cells = (f"{one.percent:9.1f} {one.width / max(1, one.n):7.2f} " for one in held.values())
        yield f"{title:48}" + "".join(cells)
    yield "\nStudies from repetition values: strap SD 1.4°, day-to-day SD 1.4°, 8 repetitions"
    for people in (10, 20, 50):
        both = study(people, 2, Person(strap_deg=1.4, day_deg=1.4)).measures[0].both
        assert both is not None
        low, high = both.mdc95_ci95
        told = f"SEM {both.sem:.2f}°, MDC95 {both.mdc95:.2f}° ({low:.2f} to {high:.2f})"
        yield f"{people} people: {told}"
    if simulated:
        person = Person(day_deg=2.0)
        both = (
            reliability_of(simulated_people(np.random.default_rng(5), simulated, person))
            .measures[0]
            .both
        )
        assert both is not None
        low, high = both.sem_ci95
        told = f"SEM {both.sem:.2f}° ({low:.2f} to {high:.2f}), ICC {both.icc:.2f}"
        yield f"{simulated} people through the sensors, days of SD 2°: {told}"


def main() -> None:
    """Print the tables; the number of cohorts may be given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", nargs="?", type=int, default=2000, help="cohorts a row")
    parser.add_argument("--simulated", type=int, default=0, help="people through the sensors")
    call = parser.parse_args()
    for line in _tables(call.samples, call.simulated):
        print(line, flush=True)


if __name__ == "__main__":
    main()

"""Which verdicts courses of six sessions get: ``python -m tests.benchmarks.courses``.

Most courses are made at the level of repetition values: a true course, a day's own difference and a
strap that sits otherwise each time, and a first-order process with lag-1 correlation 0.3 within a
set. Some are made through the sensors: sessions are simulated, analysed and held against each
other. Nothing here knows the method it tests.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from analysis.pipeline import analyse
from analysis.settings import Settings
from analysis.trend import Trend, trend_of
from analysis.visits import SideVisit, Visit, visit_of
from imu.simulator.presets import PRESETS
from imu.simulator.sessions import SessionSettings, simulate_session
from tests.benchmarks.verdicts import correlated

VERDICTS = ("improved", "worse", "no_detectable_change", "inconclusive")
GAINS_DEG = (0.0, 3.0, 6.0, 10.0)
SESSIONS = 6
START = datetime(2026, 1, 5, 9, 30)  # noqa: DTZ001  the clock on the wall
GOAL_PERCENT = 5.0  # no change called improved or worse


@dataclass(frozen=True)
class Person:
    """How a person varies; standard deviations."""

    rom_deg: float = 30.0
    strap_deg: float = 0.0  # put on anew, a side
    day_deg: float = 2.0  # from day to day, a side
    rom_sd_deg: float = 1.5  # from repetition to repetition
    n: int = 8


def draw_side(rng: np.random.Generator, person: Person, gain_deg: float) -> SideVisit:
    """One side of one session; every measure but the range varies by the day, too."""
    n = person.n
    day = person.strap_deg * rng.normal() + person.day_deg * rng.normal()
    rom = person.rom_deg + gain_deg + day + person.rom_sd_deg * correlated(rng, n)
    slow = np.exp(0.05 * rng.normal())  # the day's tempo
    inward = 1.8 * slow * np.exp(0.08 * correlated(rng, n))
    back = 1.9 * slow * np.exp(0.08 * correlated(rng, n))
    drift = np.abs(2.5 + 0.4 * rng.normal() + 0.6 * correlated(rng, n))
    peaks = 1.875 * (1.0 + 0.04 * rng.normal(size=(2, n)))
    sparc = -1.42 + 0.01 * rng.normal(size=(2, 1)) + 0.02 * rng.normal(size=(2, n))
    values = {
        "rom_deg": rom,
        "peak_ir_deg": rom,
        "rom_sd_deg": rom,
        "inward_s": inward,
        "return_s": back,
        "hold_s": 0.9 * np.exp(0.05 * rng.normal() + 0.12 * correlated(rng, n)),
        "duration_sd_s": inward + back + 0.9,
        "pelvis_drift_deg": drift,
        "return_error_deg": np.abs(0.3 * rng.normal() + rng.normal(0.2, 0.8, n)),
        "mean_inward_speed_deg_s": rom / inward,
        "mean_return_speed_deg_s": rom / back,
        "peak_inward_speed_deg_s": peaks[0] * rom / inward,
        "peak_return_speed_deg_s": peaks[1] * rom / back,
        "peak_inward_share_percent_s": 100.0 * peaks[0] / inward,
        "peak_return_share_percent_s": 100.0 * peaks[1] / back,
        "sparc_inward": sparc[0],
        "sparc_return": sparc[1],
    }
    clean = int(rng.binomial(n, 0.85))
    instrument = {"rom_deg": 0.5, "peak_ir_deg": 0.5, "pelvis_drift_deg": 0.4}
    return SideVisit("good", True, values, instrument, clean, n)


def draw_course(
    rng: np.random.Generator, person: Person, gain_deg: float, sessions: int = SESSIONS
) -> list[Visit]:
    """Weekly sessions whose true range grows evenly by ``gain_deg`` from first to last."""
    return [
        Visit(
            f"visit-{i + 1}",
            "P01",
            START + timedelta(weeks=i),
            None,
            {
                side: draw_side(rng, person, gain_deg * i / max(1, sessions - 1))
                for side in ("left", "right")
            },
        )
        for i in range(sessions)
    ]


def simulated_course(
    rng: np.random.Generator, person: Person, gain_deg: float, sessions: int = SESSIONS
) -> list[Visit]:
    """The same through the sensors: put on anew each time, the day's range drawn."""
    preset = PRESETS["consumer60"]
    visits = []
    for i in range(sessions):
        drills = {
            side: replace(
                preset.drill,
                reps=person.n,
                range_deg=person.rom_deg
                + gain_deg * i / max(1, sessions - 1)
                + np.hypot(person.strap_deg, person.day_deg) * rng.normal(),
            )
            for side in ("left", "right")
        }
        settings = SessionSettings(drills, preset.sensors, seed=int(rng.integers(2**31)))
        made = simulate_session(f"visit-{i + 1}", settings).session
        visit = visit_of(analyse(made, Settings()))
        visits.append(replace(visit, started=START + timedelta(weeks=i)))
    return visits


@dataclass
class Tally:
    """Verdicts of many courses: of the last session, of all, and of courses as a whole."""

    last: Counter[str]
    every: Counter[str]
    previous: Counter[str]
    courses: int = 0
    touched: int = 0  # courses with any improved or worse, of either side

    @classmethod
    def empty(cls) -> Tally:
        return cls(Counter(), Counter(), Counter())

    def add(self, trend: Trend, measure: str) -> None:
        told = set()
        for side in ("left", "right"):
            points = trend.measures[measure][side]
            first = [one.change_first.verdict for one in points if one.change_first]
            self.last[first[-1]] += 1
            self.every.update(first)
            self.previous.update(one.change_previous.verdict for one in points[2:])
            told |= set(first)
        self.courses += 1
        self.touched += bool(told & {"improved", "worse"})


Draw = Callable[[np.random.Generator, Person, float], list[Visit]]


def tally(
    draw: Draw,
    courses: int,
    person: Person,
    gain_deg: float,
    measure: str = "rom_deg",
    settings: Settings | None = None,
    seed: int = 0,
) -> Tally:
    """Draw courses and count their verdicts."""
    rng = np.random.default_rng(seed)
    found = Tally.empty()
    for _ in range(courses):
        visits = draw(rng, person, gain_deg)
        found.add(trend_of(visits, settings or Settings(), names=(measure,)), measure)
    return found


def called(counts: Counter[str]) -> float:
    """Share called improved or worse, in per cent."""
    return 100.0 * (counts["improved"] + counts["worse"]) / max(1, counts.total())


def _row(head: str, counts: Counter[str]) -> str:
    total = max(1, counts.total())
    return f"{head:44}" + "".join(f"{100 * counts[one] / total:21.1f}" for one in VERDICTS)


def _table(draw: Draw, courses: int, person: Person, settings: Settings) -> Iterator[str]:
    yield " " * 44 + "".join(f"{one:>21}" for one in VERDICTS)
    for gain in GAINS_DEG:
        found = tally(draw, courses, person, gain, settings=settings)
        yield _row(f"+{gain:g}°: last session against first", found.last)
        yield _row("     every session against first", found.every)
        yield _row("     every session against the one before", found.previous)
        touched = 100.0 * found.touched / found.courses
        yield f"     courses with any improved or worse, either side: {touched:.1f} %"


def _tables(courses: int, simulated: int) -> Iterator[str]:
    cases: Sequence[tuple[float, float, float]] = (
        (0.0, 2.0, 5.4), (1.4, 1.4, 5.4), (1.9, 2.0, 5.4), (1.9, 2.0, 7.6),
    )  # fmt: skip
    for strap, day, mdc in cases:
        yield f"\nRange, strap SD {strap}°, day-to-day SD {day}°, limit {mdc}°, verdicts in %"
        person = Person(strap_deg=strap, day_deg=day)
        yield from _table(draw_course, courses, person, Settings(mdc_range_deg=mdc))
    yield "\nMeasures without a true change: called improved, worse or changed, in %"
    rng = np.random.default_rng(1)
    found: dict[str, Counter[str]] = {}
    for _ in range(courses):
        trend = trend_of(draw_course(rng, Person(), 0.0, 2), Settings())
        for name, sides in trend.measures.items():
            for side in sides:
                points = sides[side]
                verdict = points[-1].change_first.verdict
                found.setdefault(f"{name}, {side}", Counter())[verdict] += 1
    for name, counts in found.items():
        wrong = 100.0 * (1 - (counts["no_detectable_change"] + counts["inconclusive"]) / courses)
        yield f"{name:44}{wrong:8.1f}"
    if simulated:
        yield f"\n{simulated} courses through the sensors, day-to-day SD 2° (strap by the sensors)"
        yield from _table(simulated_course, simulated, Person(), Settings())


def main() -> None:
    """Print the tables; the numbers of courses may be given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("courses", nargs="?", type=int, default=500, help="drawn courses a cell")
    parser.add_argument("--simulated", type=int, default=0, help="courses through the sensors")
    call = parser.parse_args()
    for line in _tables(call.courses, call.simulated):
        print(line, flush=True)


if __name__ == "__main__":
    main()

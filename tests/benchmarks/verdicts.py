"""How often which verdict, how often intervals hold: ``python -m tests.benchmarks.verdicts``.

Pairs of sets are made at the level of repetition values, not through sensors: a first-order process
with lag-1 correlation 0.3 within a set, and a strap that sits otherwise on each side (Krause et al.
2015: standard error of a measurement 1.9°; 3° as the unfavourable case). Nothing here knows the
method it tests.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from analysis.comparison import Comparison, compare
from analysis.contradictions import without_contradictions
from analysis.findings import find_findings
from analysis.intervals import difference_interval
from analysis.repetitions.measures import Repetition
from analysis.settings import Settings
from analysis.words import group_sentence
from imu.recording import SessionInfo
from tests.analysis.examples import Turn, make_set

RANGES_DEG = (0.0, 2.0, 4.0, 5.4, 7.0, 9.0, 12.0)
TEMPOS = (1.0, 1.1, 1.25, 1.5, 2.0)
HIKES = (0.0, 0.25, 0.5, 0.75, 1.0)
VERDICTS = ("matched", "inconclusive", "different")
DEFAULTS = Settings()
LIMIT_DEG = 5.0  # of the pelvis, beyond which a repetition is compensated


@dataclass(frozen=True)
class Side:
    """What one side truly does, and how it varies from repetition to repetition."""

    rom_deg: float = 32.0
    rom_sd_deg: float = 1.5
    strap_deg: float = 1.9
    turn_s: float = 1.8
    turn_spread: float = 0.08
    drift_deg: float = 2.5
    drift_sd_deg: float = 0.6
    hike_deg: float = 6.5
    hike_share: float = 0.0
    n: int = 8


def correlated(rng: np.random.Generator, n: int, rho: float = 0.3) -> np.ndarray:
    """A stationary first-order process of unit variance, shape (n,)."""
    values = rng.normal(size=n)
    for i in range(1, n):
        values[i] = rho * values[i - 1] + np.sqrt(1.0 - rho**2) * values[i]
    return values


def draw_side(rng: np.random.Generator, name: str, side: Side):
    """Draw one set of that side."""
    n = side.n
    strap = side.strap_deg * rng.normal()
    rom = side.rom_deg + strap + side.rom_sd_deg * correlated(rng, n)
    inward = side.turn_s * np.exp(side.turn_spread * correlated(rng, n))
    back = 1.06 * side.turn_s * np.exp(side.turn_spread * correlated(rng, n))
    hold = 0.9 * np.exp(0.12 * correlated(rng, n))
    hikes = rng.random(n) < side.hike_share
    hike = hikes * (side.hike_deg + 0.8 * rng.normal(size=n))
    drift = np.abs(side.drift_deg + side.drift_sd_deg * correlated(rng, n))
    back_at = rng.normal(0.2, 0.8, n)
    peaks = 1.875 * (1.0 + 0.04 * rng.normal(size=(2, n)))
    sparc = rng.normal(-1.42, 0.02, (2, n))
    reps = []
    for i in range(n):
        far = hike[i] > LIMIT_DEG
        reps.append(
            replace(
                _template(name, i), rom_deg=rom[i], peak_ir_deg=rom[i], inward_s=inward[i],
                return_s=back[i], hold_s=hold[i], return_error_deg=back_at[i],
                mean_inward_speed_deg_s=rom[i] / inward[i],
                mean_return_speed_deg_s=rom[i] / back[i],
                peak_inward_speed_deg_s=peaks[0, i] * rom[i] / inward[i],
                peak_return_speed_deg_s=peaks[1, i] * rom[i] / back[i],
                sparc_inward=sparc[0, i], sparc_return=sparc[1, i],
                pelvis_drift_deg=float(np.hypot(drift[i], hike[i])),
                pelvis_obliquity_deg=hike[i], verdict="compensated" if far else "clean",
                flags=("pelvis_obliquity",) if far else (),
                end_s=6.0 * i + inward[i] + hold[i] + back[i],
            )
        )  # fmt: skip
    return replace(TEMPLATES[name], reps=tuple(reps))


def judge(rng: np.random.Generator, left: Side, right: Side, settings: Settings = DEFAULTS):
    """Draw a pair and judge it as the report does."""
    sets = (draw_side(rng, "left", left), draw_side(rng, "right", right))
    comparisons = compare(sets, settings)
    findings = find_findings(sets, comparisons, (), SessionInfo(), settings)
    return without_contradictions(comparisons, findings, sets), findings


def verdicts(
    pairs: int,
    sides: tuple[Side, Side],
    names: tuple[str, ...],
    settings: Settings = DEFAULTS,
    seed: int = 0,
) -> dict[str, Counter[str]]:
    """Count the verdicts of measures and groups over many pairs."""
    rng = np.random.default_rng(seed)
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    for _ in range(pairs):
        found = judge(rng, *sides, settings)[0]
        for name in names:
            counts[name][_told(found, name)] += 1
    return counts


def _told(found: tuple[Comparison, ...], name: str) -> str:
    rows = [one for one in found if one.group == name]
    return group_sentence(rows)[0] if rows else named(found, name).verdict


def named(found: tuple[Comparison, ...], name: str) -> Comparison:
    """One measure's comparison."""
    return next(one for one in found if one.measure == name)


def coverage(
    n: int, rho: float, trend_sd: float, *, spread: bool = False, samples: int = 4000, seed: int = 1
) -> float:
    """Share of intervals that hold the true difference, 0.

    ``trend_sd``: how far each side drifts from first to last repetition, in its own SD and of
    random sign, about its true mean.
    """
    rng = np.random.default_rng(seed)
    drift = trend_sd * np.linspace(-0.5, 0.5, n)
    hits = 0
    for _ in range(samples):
        left, right = (correlated(rng, n, rho) + rng.choice((-1.0, 1.0)) * drift for _ in range(2))
        low, high = difference_interval(left, right, spread=spread)
        hits += low <= 0.0 <= high
    return hits / samples


def _template(side: str, i: int) -> Repetition:
    return replace(
        TEMPLATES[side].reps[0], rep=i + 1, start_s=6.0 * i, rom_uncertainty_deg=0.5,
        pelvis_drift_uncertainty_deg=0.4,
    )  # fmt: skip


TEMPLATES = {side: make_set(side, [Turn()]) for side in ("left", "right")}


def _row(head: str, counts: Counter[str]) -> str:
    total = counts.total()
    cells = (f"{100.0 * counts[one] / total:13.1f}" for one in VERDICTS)
    return f"{head:34}" + "".join(cells)


def _tables(pairs: int) -> Iterator[str]:
    for strap, mdc in ((1.9, 5.4), (3.0, 5.4), (3.0, 8.3)):
        for n in (8, 5) if strap == 1.9 else (8,):
            yield f"\nRange, strap SD {strap}° a side, limit {mdc}°, n = {n}, verdicts in %"
            yield " " * 34 + "".join(f"{one:>13}" for one in VERDICTS)
            for true in RANGES_DEG:
                sides = (Side(32.0 - true, strap_deg=strap, n=n), Side(strap_deg=strap, n=n))
                counts = verdicts(pairs, sides, ("rom_deg",), Settings(mdc_range_deg=mdc))
                yield _row(f"true difference {true:4.1f}°", counts["rom_deg"])
    yield "\nSpeed (the group)"
    for tempo in TEMPOS:
        counts = verdicts(pairs, (Side(), Side(turn_s=1.8 * tempo)), ("speed",))
        yield _row(f"  right slower x {tempo}", counts["speed"])
    for less in (6.0, 12.0):
        counts = verdicts(pairs, (Side(32.0 - less), Side()), ("speed",))
        yield _row(f"  one tempo, range {less:.0f}° less", counts["speed"])
    names = ("clean_share", "pelvis_drift_deg", "control")
    both = Side(hike_share=0.3)
    cases = {f"  in {share:.2f}": (Side(hike_share=share), Side()) for share in HIKES}
    found = {
        head: verdicts(pairs, sides, names)
        for head, sides in {**cases, "  in 0.30 on both sides": (both, both)}.items()
    }
    for name in names:
        yield f"\n{name}: left hikes by 6.5° in a share of repetitions, right in none"
        for head, counts in found.items():
            yield _row(head, counts[name])


def _coverages() -> Iterator[str]:
    for spread in (False, True):
        yield f"\n95 % interval of {'spreads' if spread else 'means'} holds the truth in %"
        cases = ((0.0, 0.0), (0.15, 0.0), (0.3, 0.0), (0.5, 0.0), (0.0, 2.0), (0.3, 2.0))
        yield "n    " + "".join(f"{f'rho {r} trend {t:.0f}':>18}" for r, t in cases)
        for n in (3, 5, 8, 10, 16):
            found = (100 * coverage(n, rho, trend, spread=spread) for rho, trend in cases)
            yield f"{n:<5}" + "".join(f"{one:18.1f}" for one in found)


def main() -> None:
    """Print the tables; the number of pairs may be given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="?", type=int, default=1000, help="simulated pairs a cell")
    call = parser.parse_args()
    for table in (_tables(call.pairs), _coverages()):
        for line in table:
            print(line, flush=True)


if __name__ == "__main__":
    main()

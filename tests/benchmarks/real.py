"""Real recordings made by others: ``python -m tests.benchmarks.real [FOLDER]``.

- BROAD (Laidig et al. 2021), every trial that is there: inclination of one sensor against the
  optical reference, within the movement, beside `offlineVQF` with its defaults on the same
  samples, each at the delay at which it agrees best (the reference was put on the sensor's clock
  to within a sample only). The path is the product's: the bias of the stillness at the start,
  `resample` onto the grid, `level`; from the grid the gyroscope carries the orientation to the
  samples, as the reference is given there. No further round, as there is no second sensor.
- Yurtman & Barshan (2014): exercises akin to the drill, as a one-sided session: what the pipeline
  finds against the labelled executions. They are not the drill; the figures are as they are.
- A person walking about (qmt): must be refused or graded poor, never a traceback.

The folder is not part of the project; where it is absent the benchmark is skipped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.integrate import cumulative_trapezoid
from scipy.spatial.transform import Rotation

from analysis.motion.grid import GRID_HZ, resample
from analysis.motion.orientation import level
from analysis.motion.plausibility import judge_axes
from analysis.sets import SetAnalysis, analyse_set
from analysis.settings import Settings
from imu.errors import RecordingError
from imu.recording import Recording
from imu.samples import Array, Stream
from imu.units import ACC_COLUMNS, GYR_COLUMNS

FOLDER = Path(__file__).parents[3] / "shared" / "real"
EXERCISES = ("yurtman_s1_e8", "yurtman_s1_e1")
UNLABELLED = ("yurtman_s3_e8",)
WALKING = "qmt_fullbody"
KINDS = {1: "correct", 2: "fast", 3: "low amplitude"}
QUAT = ["thigh_quat_w", "thigh_quat_x", "thigh_quat_y", "thigh_quat_z"]
DELAYS_S = [0.0005 * step for step in range(-10, 31)]
MAX_RATIO = 1.05  # of a single trial's error to offlineVQF's; on average it must be below 1
STILL_S = 2.0  # of the stillness at a recording's start, for the bias


def read_streams(folder: Path, case: str) -> dict[str, Stream]:
    """All sensors of a case, times from its first sample."""
    table = pd.read_csv(folder / f"{case}_imu.csv")
    first_s = table["time_s"].min()
    return {
        str(name): Stream(
            str(name),
            rows["time_s"].to_numpy() - first_s,
            rows[list(ACC_COLUMNS)].to_numpy(),
            rows[list(GYR_COLUMNS)].to_numpy(),
        )
        for name, rows in table.groupby("sensor")
    }


def inclination_rmse_deg(
    time_s: Array, vertical: Array, true_s: Array, true_vertical: Array, delay_s: float
) -> float:
    """Angle between both ideas of the vertical in sensor axes, root mean square [deg].

    The estimate is read at the reference's instants, later by a delay.
    """
    columns = [np.interp(true_s + delay_s, time_s, vertical[:, k]) for k in range(3)]
    own = np.column_stack(columns)
    sine = np.linalg.norm(np.cross(own, true_vertical), axis=1)
    angle = np.arctan2(sine, np.sum(own * true_vertical, axis=1))
    return float(np.rad2deg(np.sqrt((angle**2).mean())))


def start_bias(stream: Stream) -> Array:
    """Mean rate of the quietest stretch in the first ten seconds [rad/s]."""
    within = stream.time_s <= 10.0
    time_s, rate = stream.time_s[within], stream.gyr_rads[within]
    begins = np.arange(0.0, time_s[-1] - STILL_S, 0.25)
    spans = [(time_s >= t) & (time_s < t + STILL_S) for t in begins]
    quietest = min(spans, key=lambda span: float(rate[span].std(axis=0).sum()))
    return np.asarray(rate[quietest].mean(axis=0))


def levelled(stream: Stream) -> tuple[Array, Array]:
    """The vertical by the product's path: the samples' instants [s], unit vectors, sensor axes."""
    bias = start_bias(stream)
    first, last = np.ceil(stream.time_s[0] * GRID_HZ), np.floor(stream.time_s[-1] * GRID_HZ)
    grid_s = np.arange(first, last + 1) / GRID_HZ
    even = resample(stream, grid_s)
    turn = even.turn_rad - bias / GRID_HZ
    turn[0] = 0.0
    quat = level(replace(even, turn_rad=turn)).quat
    near = np.clip(np.rint(stream.time_s * GRID_HZ - first), 0, len(grid_s) - 1).astype(int)
    angle = cumulative_trapezoid(stream.gyr_rads - bias, stream.time_s, axis=0, initial=0.0)
    at_grid = np.column_stack([np.interp(grid_s, stream.time_s, one) for one in angle.T])
    to_earth = Rotation.from_quat(quat[near], scalar_first=True)
    carried = to_earth * Rotation.from_rotvec(angle - at_grid[near])
    return stream.time_s, np.asarray(carried.inv().apply([0.0, 0.0, 1.0]))


def offline_vqf(stream: Stream) -> tuple[Array, Array]:
    """The vertical by the yardstick, with its defaults, on the samples as they are."""
    from vqf import offlineVQF

    step_s = float(np.diff(stream.time_s).mean())
    gyr, acc = np.ascontiguousarray(stream.gyr_rads), np.ascontiguousarray(stream.acc_ms2)
    return stream.time_s, _vertical(offlineVQF(gyr, acc, None, step_s)["quat6D"])


def _vertical(quat: Array) -> Array:
    """Vertical in sensor axes (n, 3) of orientations sensor to earth (n, 4)."""
    to_earth = Rotation.from_quat(quat, scalar_first=True)
    return np.asarray(to_earth.inv().apply([0.0, 0.0, 1.0]))


def inclination_errors_deg(folder: Path, case: str) -> tuple[float, float]:
    """Inclination RMSE of a BROAD trial, ours and offlineVQF's, each at its best delay [deg]."""
    stream = read_streams(folder, case)["thigh"]
    table = pd.read_csv(folder / f"{case}_ref.csv")
    true_s = (table["time_s"] - table["time_s"][0]).to_numpy()
    quat = table[QUAT].to_numpy()
    use = (table["movement"].to_numpy() == 1) & np.isfinite(quat).all(axis=1)
    true = true_s[use], _vertical(quat[use])
    own, other = (
        min(inclination_rmse_deg(*course, *true, delay_s) for delay_s in DELAYS_S)
        for course in (levelled(stream), offline_vqf(stream))
    )
    return own, other


def show_broad(folder: Path) -> bool:
    """The table of all trials; True where none is worse than `MAX_RATIO` and the mean no worse."""
    cases = sorted(path.name.removesuffix("_imu.csv") for path in folder.glob("broad*_imu.csv"))
    if not cases:
        return True
    print(f"{'inclination RMSE [deg]':32s} {'ours':>6s} {'VQF':>6s} {'ratio':>6s}")
    errors = np.array([inclination_errors_deg(folder, case) for case in cases])
    for name, (own, other) in zip([*cases, "mean"], [*errors, errors.mean(axis=0)], strict=True):
        print(f"{name:32s} {own:6.3f} {other:6.3f} {own / other:6.3f}")
    none_worse = bool((errors[:, 0] <= MAX_RATIO * errors[:, 1]).all())
    return none_worse and bool(errors[:, 0].mean() <= errors[:, 1].mean())


def show_axes(folder: Path) -> bool:
    """Whether any sensor of any recording is accused; True where none is."""
    accused = False
    for path in sorted(folder.glob("*_imu.csv")):
        for name, stream in read_streams(folder, path.name.removesuffix("_imu.csv")).items():
            axes = judge_axes(stream)
            accused |= axes.wrong
            if axes.wrong or axes.odd:
                word = "ACCUSED" if axes.wrong else "odd"
                print(f"{path.name}, {name}: {word} (gain {axes.agreement.gain:.2f})")
    return not accused


def analysed(folder: Path, case: str, side: str = "right") -> SetAnalysis | RecordingError:
    """A case as one set, or why it is refused."""
    streams = read_streams(folder, case)
    try:
        return analyse_set(Recording(side, side, f"{side}.csv", streams), Settings())
    except RecordingError as error:
        return error


def show_exercise(folder: Path, case: str) -> None:
    """What was found, against the labelled executions."""
    labels = pd.read_csv(folder / f"{case}_reps.csv")
    result = analysed(folder, case)
    print(f"{case}: {len(labels)} labelled executions")
    if isinstance(result, RecordingError):
        print(f"    refused: {result}")
        return
    reps = result.reps
    hits = np.array([[overlap_s(rep, row) for rep in reps] for row in labels.itertuples()])
    found = hits.max(axis=1, initial=0.0) > 0.0
    own = hits.argmax(axis=1) if len(reps) else np.zeros(len(labels), dtype=int)
    for kind, name in KINDS.items():
        of_kind = (labels["execution_type"] == kind).to_numpy()
        print(f"    {name}: {int(found[of_kind].sum())} of {int(of_kind.sum())} found")
    extra = len(reps) - len(set(own[found].tolist()))
    print(f"    {len(reps)} repetitions in all, {extra} besides one an execution")
    ranges = [rep.rom_deg for rep in reps if rep.rom_deg is not None]
    if ranges:
        print(f"    range {np.median(ranges):.1f} deg (median)")
    print(f"    grade {result.quality.grade}: {'; '.join(result.quality.reasons)}")


def show_unlabelled(folder: Path, case: str) -> None:
    """What was found, where nothing is known of the executions but their number, 30."""
    result = analysed(folder, case)
    if isinstance(result, RecordingError):
        print(f"{case}: refused: {result}")
        return
    print(f"{case}: {len(result.reps)} repetitions in all, of 30 executions")
    print(f"    grade {result.quality.grade}: {'; '.join(result.quality.reasons)}")


def overlap_s(rep: object, row: object) -> float:
    """Time shared by a repetition and a labelled execution, 0 where less than half of either."""
    begin_s, end_s = rep.start_s, rep.end_s  # type: ignore[attr-defined]
    shared = min(end_s, row.end_s) - max(begin_s, row.start_s)  # type: ignore[attr-defined]
    whole = min(end_s - begin_s, row.end_s - row.start_s)  # type: ignore[attr-defined]
    return shared if shared >= 0.5 * whole else 0.0


def show_walking(folder: Path) -> bool:
    """A walking person: True where it is refused or graded poor, on either side."""
    good = True
    for side in ("left", "right"):
        result = analysed(folder, WALKING, side)
        if isinstance(result, RecordingError):
            print(f"{WALKING}, {side}: refused: {result}")
            continue
        quality = result.quality
        good &= quality.grade == "poor"
        print(f"{WALKING}, {side}: {len(result.reps)} repetitions, grade {quality.grade}")
        print("\n".join(f"    {reason}" for reason in quality.reasons))
    return good


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args(arguments).folder
    if not folder.is_dir():
        print(f"skipped: there is no {folder}; give the folder of the real recordings")
        return 0
    failed = False
    failed |= not show_broad(folder)
    failed |= not show_axes(folder)
    for case in EXERCISES:
        show_exercise(folder, case)
    for case in UNLABELLED:
        show_unlabelled(folder, case)
    failed |= not show_walking(folder)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

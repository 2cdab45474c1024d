"""Time and memory, as ratios in one run: ``python -m tests.benchmarks.speed [--profile]``.

- ``hiprot report`` on a two-sided session of 60 s a side, against a Python process that only
  imports the same modules of the same libraries.
- The analysis of one hour of two sensors at 100 Hz, from the file to the figures, against
  `pandas.read_csv` and `offlineVQF` of both sensors on the same file.
- Time for 1, 10 and 60 minutes: cost a minute must not grow.
- Peak memory of that hour.

Every command runs in a process of its own, in turn with what it is compared with; the fastest of
the runs counts. Exit status 1 where a limit is exceeded.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from imu.recording import Recording
from imu.simulator.drill import plan_set
from imu.simulator.files import set_text
from imu.simulator.motion import Motion
from imu.simulator.presets import PRESETS
from imu.simulator.sensors import sample
from imu.simulator.simulated_set import wear

REPORT_LIMIT = 1.6  # times the imports
HOUR_LIMIT = 2.0  # times reading and filtering
GROWTH_LIMIT = 1.3  # times the cost a minute of the shorter recording
MEMORY_LIMIT_MB = 1000.0
REP_S = 6.8  # mean duration of a repetition with its pause, of the set simulated
LIBRARIES = ("numpy", "scipy", "pandas", "matplotlib", "jinja2", "click", "rich")

REPORT = """
import sys
sys.argv = ['hiprot', 'report', {folder!r}, '-o', {out!r}]
import analysis.commands
analysis.commands.main()
"""
LOADED = """
import sys
sys.argv = ['hiprot', 'report', {folder!r}, '-o', {out!r}]
import analysis.commands
try:
    analysis.commands.main()
except SystemExit:
    pass
loaded = [name for name, module in list(sys.modules.items()) if module is not None]
names = [name for name in loaded if name.split('.')[0] in {libraries!r}]
open({listing!r}, 'w').write('\\n'.join(names))
"""
IMPORTS = """
import importlib
for name in open({listing!r}).read().split():
    importlib.import_module(name)
"""
ANALYSE_IMPORTS = """
from pathlib import Path
from analysis.pipeline import analyse
from analysis.settings import Settings
from imu.storage.session import read_session
"""
ANALYSE = """
analysis = analyse(read_session(Path({folder!r})), Settings())
print(len(analysis.sets[0].reps))
"""
YARDSTICK_IMPORTS = """
import numpy as np
import pandas as pd
from vqf import offlineVQF
"""
YARDSTICK = """
table = pd.read_csv({file!r})
for name, rows in table.groupby('sensor', sort=False):
    gyr = np.ascontiguousarray(rows[['gyr_x', 'gyr_y', 'gyr_z']].to_numpy())
    acc = np.ascontiguousarray(rows[['acc_x', 'acc_y', 'acc_z']].to_numpy())
    offlineVQF(gyr, acc, None, 0.01)
"""
TIMED = """
import time
{imports}
begin = time.perf_counter()
{code}
print('seconds', time.perf_counter() - begin)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: seconds from its start to its end, seconds it told itself, peak memory."""

    wall_s: float
    told_s: float
    peak_mb: float


def run(code: str) -> Run:
    """Run code in a Python process of its own.

    Raises
    ------
    RuntimeError
        It failed; with what it said.
    """
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as told:
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdout=told, stderr=told, env=environment
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.perf_counter() - begin
        told.seek(0)
        text = told.read().decode()
    if child.returncode != 0:
        raise RuntimeError(text)
    seconds = [line.split()[1] for line in text.splitlines() if line.startswith("seconds ")]
    return Run(wall_s, float(seconds[-1]) if seconds else np.nan, usage.ru_maxrss / 1024)


def best(codes: Sequence[str], times: int) -> list[Run]:
    """Run some codes in turn, several times; the fastest run of each."""
    runs = [[run(code) for code in codes] for _ in range(times)]
    return [min(column, key=lambda one: one.wall_s) for column in zip(*runs, strict=True)]


def write_set(folder: Path, minutes: float, side: str, seed: int = 1) -> None:
    """Simulate one set of a duration and write its file."""
    preset = PRESETS["consumer60"]
    reps = max(1, round((minutes * 60 - 5) / REP_S))
    drill = replace(preset.drill, reps=reps)
    sensors = replace(preset.sensors, rate_hz=100.0)
    plan = plan_set(drill, np.random.default_rng([seed, 1]))
    motion = Motion(side, 0.3, 90.0, plan.tracks)
    end_s = min(plan.end_s, minutes * 60)
    streams = {
        segment: sample(motion, segment, worn, sensors, end_s).stream
        for segment, worn in wear(sensors, motion.sign, seed).items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{side}.csv").write_text(set_text(Recording(side, side, f"{side}.csv", streams)))


def show_report(root: Path, times: int) -> bool:
    """The whole command against the imports alone; True where within the limit."""
    folder, listing = root / "session", root / "modules.txt"
    for seed, side in enumerate(("left", "right")):
        write_set(folder, 1.0, side, seed)
    names = {"folder": str(folder), "out": str(root / "out"), "listing": str(listing)}
    run(LOADED.format(**names, libraries=LIBRARIES))
    report, imports = best([REPORT.format(**names), IMPORTS.format(**names)], times)
    ratio = report.wall_s / imports.wall_s
    print(
        f"report of 2 x 60 s: {report.wall_s:.2f} s, imports alone {imports.wall_s:.2f} s: "
        f"ratio {ratio:.2f} (limit {REPORT_LIMIT}); {report.peak_mb:.0f} MB"
    )
    return ratio <= REPORT_LIMIT


def show_hour(root: Path, times: int) -> bool:
    """Time and memory for an hour, and growth; True where all is within the limits."""
    minutes = (1, 10, 60)
    for length in minutes:
        write_set(root / str(length), length, "right")
    hour = root / "60"
    yardstick = TIMED.format(
        imports=YARDSTICK_IMPORTS, code=YARDSTICK.format(file=str(hour / "right.csv"))
    )
    own, other = best([analysis_of(hour), yardstick], times)
    ratio = own.told_s / other.told_s
    print(
        f"one hour analysed: {own.told_s:.2f} s, read_csv and offlineVQF {other.told_s:.2f} s: "
        f"ratio {ratio:.2f} (limit {HOUR_LIMIT}); whole processes, with their imports: "
        f"{own.wall_s:.2f} s and {other.wall_s:.2f} s"
    )
    print(f"peak memory of the hour: {own.peak_mb:.0f} MB (limit {MEMORY_LIMIT_MB:.0f})")
    good = ratio <= HOUR_LIMIT and own.peak_mb <= MEMORY_LIMIT_MB
    whole = run(REPORT.format(folder=str(hour), out=str(root / "hour")))
    print(f"report of the hour, all files: {whole.wall_s:.2f} s, {whole.peak_mb:.0f} MB")
    good &= whole.peak_mb <= MEMORY_LIMIT_MB
    return show_growth(root, minutes, times) and good


def analysis_of(folder: Path) -> str:
    """Code that reads and analyses a session and tells how long that took."""
    return TIMED.format(imports=ANALYSE_IMPORTS, code=ANALYSE.format(folder=str(folder)))


def show_growth(root: Path, minutes: Sequence[int], times: int) -> bool:
    """Time over length, without the imports; True where the cost a minute does not grow."""
    runs = best([analysis_of(root / str(length)) for length in minutes], times)
    per_minute = [one.told_s / length for one, length in zip(runs, minutes, strict=True)]
    for length, one, each in zip(minutes, runs, per_minute, strict=True):
        print(f"{length} min: {one.told_s:.3f} s, {1e3 * each:.1f} ms a minute")
    return per_minute[-1] <= GROWTH_LIMIT * per_minute[-2]


def profile(root: Path) -> None:
    """Where the time of an hour goes."""
    write_set(root / "60", 60, "right")
    code = ANALYSE_IMPORTS + ANALYSE.format(folder=str(root / "60"))
    run_it = f"import cProfile, pstats\np = cProfile.Profile()\np.run({code!r})\n"
    show = "pstats.Stats(p).sort_stats('tottime').print_stats(25)"
    subprocess.run([sys.executable, "-c", run_it + show], check=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=5, help="runs of each (default 5)")
    parser.add_argument("--profile", action="store_true", help="where the time goes, instead")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if options.profile:
            profile(root)
            return 0
        good = show_report(root, options.times)
        good &= show_hour(root, options.times)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

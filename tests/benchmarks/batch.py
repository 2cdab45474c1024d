"""What a session of a batch costs: ``python -m tests.benchmarks.batch [--sessions N]``.

- A warm worker against the analysis itself, without pages: everything from the name of a session to
  its record on the disk, over reading and analysing alone.
- What a page adds.
- Two workers against one, on copies of a session.
- With ``--sessions``: so many simulated sessions by `hiprot batch`, with its peak memory after a
  tenth and after all of them.

Sessions are of 2 x 60 s at 60 Hz. The first two are in turn within one process, by processor time,
and the median counts, so that a busy machine moves both alike; exit status 1 beyond a limit.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from analysis.batch.records import Order
from analysis.batch.sessions import do_session, warm_up
from analysis.pipeline import analyse
from analysis.settings import Settings
from imu.simulator.files import session_files
from imu.simulator.presets import PRESETS
from imu.simulator.sessions import SessionSettings, simulate_session
from imu.storage.files import write_files
from imu.storage.session import read_session

OVERHEAD_LIMIT = 1.3  # times reading and analysing
PAGE_LIMIT_S = 0.4
SPEED_UP_LIMIT = 1.7  # of two workers over one
PROGRAM = "from analysis.commands import main\nif __name__ == '__main__': main()\n"


def write_session(folder: Path, seed: int, reps: int = 8) -> None:
    """Simulate a session of about a minute a side and write its files."""
    preset = PRESETS["consumer60"]
    drill = replace(preset.drill, reps=reps)
    settings = SessionSettings({"left": drill, "right": drill}, preset.sensors, seed=seed)
    files = session_files(simulate_session(folder.name, settings), 10)
    write_files(
        {folder / name: text for name, text in files.items() if not name.startswith("truth")}
    )


def processor_s(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def show_session(root: Path, times: int) -> bool:
    """One session by a warm worker, with and without its page; True where within the limits."""
    study = root / "study"
    write_session(study / "S1", 1)
    warm_up()
    plain = Order(str(study), root / "plain", asdict(Settings()), html=False)
    paged = replace(plain, out=root / "paged", html=True)

    def anew(order: Order) -> None:
        order.record("S1").unlink(missing_ok=True)
        if do_session(order, "S1").exit != 0:
            raise RuntimeError("the session failed")

    works = (
        lambda: analyse(read_session(study / "S1"), Settings()),
        lambda: anew(plain),
        lambda: anew(paged),
        lambda: do_session(paged, "S1"),  # done already
    )
    runs = [[processor_s(work) for work in works] for _ in range(times + 1)][1:]
    alone, batch, page, kept = (statistics.median(column) for column in zip(*runs, strict=True))
    ratio = statistics.median(run[1] / run[0] for run in runs)
    added = statistics.median(run[2] - run[1] for run in runs)
    print(
        f"one session of {times} runs: read and analysed {alone:.3f} s, by a warm worker "
        f"{batch:.3f} s: ratio {ratio:.2f} (limit {OVERHEAD_LIMIT}); with its page {page:.3f} s, "
        f"{added:.3f} s more (limit {PAGE_LIMIT_S}); found done already in {kept:.4f} s"
    )
    return ratio <= OVERHEAD_LIMIT and added <= PAGE_LIMIT_S


def run_batch(study: Path, out: Path, workers: int) -> float:
    """Call `hiprot batch`; return its wall time."""
    program = out.parent / "program.py"
    program.write_text(PROGRAM)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    call = [str(study), "-o", str(out), "--no-html", "--workers", str(workers)]
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, str(program), "batch", *call],
        env=environment, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - begin


def show_workers(root: Path, copies: int) -> bool:
    """Two workers against one; the fixed cost of a call is taken off both."""
    study, few = root / "copies", root / "few"
    write_session(few / "S0", 1)
    for i in range(copies):
        shutil.copytree(few / "S0", study / f"S{i}")
    fixed = {n: run_batch(few, root / f"few{n}", n) for n in (1, 2)}
    whole = {n: run_batch(study, root / f"out{n}", n) for n in (1, 2)}
    one, two = (whole[n] - fixed[n] for n in (1, 2))
    print(
        f"{copies} sessions: {whole[1]:.1f} s by one worker, {whole[2]:.1f} s by two; without "
        f"starting up {one:.1f} s and {two:.1f} s: {one / two:.2f} times (limit {SPEED_UP_LIMIT}); "
        f"load of the machine {os.getloadavg()[0]:.1f}"
    )
    return one / two >= SPEED_UP_LIMIT


def show_many(root: Path, count: int) -> None:
    """So many simulated sessions, and the memory of the program itself and of its workers."""
    study, made = root / "many", 0
    for stage in (max(1, count // 10), count):
        for i in range(made, stage):
            write_session(study / f"P{i // 5:04}" / f"S{i % 5}", i, reps=5)
        made = stage
        wall_s = run_batch(study, root / f"many-{stage}", 2)
        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        size = sum(path.stat().st_size for path in study.rglob("*.csv")) / stage / 1e6
        print(
            f"{stage} sessions of {size:.1f} MB: {wall_s:.0f} s, {wall_s / stage:.3f} s each by "
            f"two workers; the largest process so far {peak_mb:.0f} MB",
            flush=True,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=9, help="runs of each (default 9)")
    parser.add_argument("--copies", type=int, default=24, help="sessions for two workers")
    parser.add_argument("--sessions", type=int, default=0, help="simulated sessions, besides")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        good = show_session(root, options.times)
        good &= show_workers(root, options.copies)
        if options.sessions:
            show_many(root, options.sessions)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

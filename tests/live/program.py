"""``hiprot record`` as a process in a virtual world, and what its sensors sent by their files."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.live.world import Row, read_rows

ROOT = Path(__file__).parents[2]
PELVIS, THIGH = "D4:22:CD:00:00:01", "D4:22:CD:00:00:02"
ROLES = ("--pelvis", PELVIS, "--thigh", THIGH)
QUICK = {"still_s": 0.0, "countdown_s": 0.0, "find_s": 15.0}
PATIENCE_S = 40.0  # of the tests, on a busy machine

# The program with other times than the usual ones, and a limit to the size of its files.
RUN = """
import functools, sys
from imu.collector import plans
plan, most_bytes = {plan!r}, {most_bytes!r}
plans.RecordPlan = functools.partial(plans.RecordPlan, **plan)
if most_bytes is not None:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
{before}
from tests.radio.program import run
run()
"""


class Program:
    """A call that runs; what it says on standard error is read as it comes."""

    running: ClassVar[list[Program]] = []

    def __init__(
        self,
        world: Path,
        *call: object,
        plan: dict | None = None,
        most_bytes: int | None = None,
        before: str = "",
    ) -> None:
        plan = {**QUICK, **(plan or {})}
        code = RUN.format(plan=plan, most_bytes=most_bytes, before=before)
        command = [sys.executable, "-c", code, str(world), "--", *map(str, call)]
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)
        self.lines: list[str] = []
        self.out = b""
        self._readers = [threading.Thread(target=one) for one in (self._read_err, self._read_out)]
        for reader in self._readers:
            reader.start()
        self.running.append(self)

    def _read_err(self) -> None:
        for line in self.process.stderr:
            self.lines.append(line.decode().rstrip("\n"))

    def _read_out(self) -> None:
        self.out = self.process.stdout.read()

    @property
    def err(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, text: str) -> None:
        """Wait until it says something."""
        give_up_s = time.monotonic() + PATIENCE_S
        while not any(text in line for line in self.lines):
            assert time.monotonic() < give_up_s, self.err
            assert self.process.poll() is None, self.err
            time.sleep(0.02)

    def type(self, line: bytes) -> None:
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for its end; the status. Its input stays open until then."""
        try:
            status = self.process.wait(PATIENCE_S)
        finally:
            self.close()
        assert "Traceback" not in self.err, self.err
        return status

    def close(self) -> None:
        """Be gone, however a test ended."""
        self.running.remove(self)
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def complaints(self) -> list[str]:
        """Lines that say what went wrong."""
        return [line for line in self.lines if line.startswith("hiprot:")]


def make_world(folder: Path, *sensors: dict, lead_s: float = 0.0) -> Path:
    """Describe a world; two DOTs by default. The truth is beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    described = []
    for one in sensors or ({}, {}):
        number = len(described) + 1
        address = f"D4:22:CD:00:00:{number:02X}"
        usual = {"family": "movella-dot", "address": address, "truth": f"truth-{number}.csv"}
        described.append({**usual, **one})
    path = folder / "world.json"
    path.write_text(json.dumps({"lead_s": lead_s, "sensors": described}))
    return path


@dataclass(frozen=True)
class Sent:
    """A sample a DOT sent: its time in whole microseconds, and its values."""

    micros: int
    six: tuple[float, ...]


def read_sent(path: Path) -> list[Sent]:
    """What was sent, by a truth file that may end in the middle of a line."""
    text = path.read_text()
    whole = text[: text.rfind("\n") + 1].splitlines()
    return [
        Sent(round(float(row["time_s"]) * 1e6), tuple(float(row[name]) for name in SIX))
        for row in csv.DictReader(whole)
        if row["fate"] == "sent"
    ]


SIX = ("acc_x", "acc_y", "acc_z", "gyr_x", "gyr_y", "gyr_z")


def check_set(path: Path, world: Path, segments: Sequence[str] = ("pelvis", "thigh")) -> float:
    """Hold a set of DOTs against their truth; gives by how much its end lacks at most [s]."""
    rows = read_rows(path)
    lacking_s = 0.0
    for number, segment in enumerate(segments, 1):
        own = [row for row in rows if row.sensor == segment]
        sent = read_sent(world.parent / f"truth-{number}.csv")
        lacking_s = max(lacking_s, check_sensor(own, sent))
    return lacking_s


def check_sensor(rows: Sequence[Row], sent: Sequence[Sent]) -> float:
    """Every sample from the first row to the last is there, once, in order, as it was."""
    times = [round(row.time_s * 1e6) for row in rows]
    expected = [one for one in sent if times[0] <= one.micros <= times[-1]]
    assert times == [one.micros for one in expected]
    for row, one in zip(rows, expected, strict=True):
        found = (*row.acc_ms2, *row.gyr_rads)
        assert max(abs(a - b) for a, b in zip(found, one.six, strict=True)) < 2e-6
    return (sent[-1].micros - times[-1]) * 1e-6

"""One simulated set, with both sensors shaken together before, and the ranges it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from analysis.sets import analyse_sets
from analysis.settings import Settings
from imu.recording import Recording
from imu.samples import Array, Stream
from imu.simulator import simulate_set
from imu.simulator.presets import PRESETS
from tests.imu.importers.writers import Files

SHAKE_S = 6.0


@cache
def simulated(side: str = "left", shaken: bool = False, seed: int = 3) -> Mapping[str, Stream]:
    """Pelvis and thigh of a set of three repetitions, from one clock."""
    drill = replace(
        PRESETS["clean"].drill,
        reps=3,
        inward_s=1.3,
        hold_s=0.7,
        return_s=1.3,
        pause_s=0.8,
        still_before_s=3.0,
        still_after_s=1.5,
    )
    sensors = replace(PRESETS["clean"].sensors, rate_hz=80.0)
    recording, _ = simulate_set(drill, sensors, side, seed)
    streams = {name: replace(one, mag_ut=None) for name, one in recording.streams.items()}
    return {name: with_shake(one) for name, one in streams.items()} if shaken else streams


def with_shake(one: Stream) -> Stream:
    """Put a shake, alike for all sensors but in each one's own directions, before a set."""
    step_s = float(np.median(np.diff(one.time_s)))
    time_s = one.time_s[0] - step_s * np.arange(round(SHAKE_S / step_s), 0, -1)
    together_s = np.floor(one.time_s[0])  # the same for both, unlike their first samples
    at = (time_s - together_s + SHAKE_S).clip(0.0, SHAKE_S)
    rate = 5.0 * np.sin(2 * np.pi * (1.1 + 0.25 * at) * at) * np.sin(np.pi * at / SHAKE_S) ** 2
    axis = np.abs(one.acc_ms2[0]) + np.array([0.5, 1.0, 2.0])
    gyr = rate[:, None] * axis / np.linalg.norm(axis)
    acc = np.tile(one.acc_ms2[:20].mean(axis=0), (len(at), 1))
    return replace(
        one,
        time_s=np.concatenate([time_s, one.time_s]) + SHAKE_S,
        acc_ms2=np.concatenate([acc, one.acc_ms2]),
        gyr_rads=np.concatenate([gyr, one.gyr_rads]),
    )


def ranges(recording: Recording) -> Array:
    """The range of every repetition [deg]."""
    (one,) = analyse_sets([recording], Settings(), None, ())
    return np.array([rep.rom_deg for rep in one.reps], dtype=float)


@cache
def true_ranges(side: str = "left", shaken: bool = False) -> tuple[float, ...]:
    return tuple(ranges(Recording(side, side, "simulated", simulated(side, shaken))))


def write(folder: Path, files: Files) -> list[Path]:
    """Write files; what was written at the top, files or folders."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return sorted({folder / name.split("/")[0] for name in files})

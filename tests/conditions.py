"""The conditions the accuracy of the analysis is measured under, each over sides and seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from imu.recording import Recording
from imu.simulator import Truth, simulate_set
from imu.simulator.presets import PRESETS, Preset

CONDITIONS: dict[str, Preset] = dict(PRESETS)
SEEDS = tuple(range(10))


@dataclass(frozen=True, slots=True)
class Case:
    """One simulated set under a named condition."""

    condition: str
    side: str
    seed: int
    recording: Recording
    truth: Truth


def simulate(condition: str, side: str, seed: int) -> Case:
    preset = CONDITIONS[condition]
    recording, truth = simulate_set(preset.drill, preset.sensors, side, seed)
    return Case(condition, side, seed, recording, truth)


def cases(condition: str, seeds: tuple[int, ...] = SEEDS) -> Iterator[Case]:
    """Sets of one condition, left and right in turn, one a seed."""
    for seed in seeds:
        yield simulate(condition, ("left", "right")[seed % 2], seed)

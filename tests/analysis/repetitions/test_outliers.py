"""What is left out at a set's ends, and what is kept: movements built one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from analysis.motion.angles import HipAngles
from analysis.motion.grid import GRID_HZ
from analysis.repetitions.detection import Phases
from analysis.repetitions.outliers import without_outliers

TURN_S, HOLD_S = 1.6, 0.6


@dataclass(frozen=True)
class Move:
    """One candidate: how far it turns, how the leg swings, how the pelvis turns with it."""

    rest_s: float = 1.0  # before it
    ir_deg: float = 30.0
    slower: float = 1.0
    flexion_deg: float = 0.0
    pelvis_deg: float = 2.0


def kept(*moves: Move) -> list[int]:
    """Numbers of the candidates that stay, from 0."""
    angles, phases = made(moves)
    found = without_outliers(angles, phases)
    return [phases.index(one) for one in found]


def made(moves: tuple[Move, ...]) -> tuple[HipAngles, list[Phases]]:
    parts, phases, now_s = [np.zeros((int(3 * GRID_HZ), 3))], [], 3.0
    for one in moves:
        turn_s = TURN_S * one.slower
        ramp = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, round(turn_s * GRID_HZ)))
        shape = np.concatenate([ramp, np.ones(round(HOLD_S * GRID_HZ)), ramp[::-1]])
        rest = round(one.rest_s * GRID_HZ)
        parts.append(np.zeros((rest, 3)))
        parts.append(np.outer(shape, [one.ir_deg, one.flexion_deg, one.pelvis_deg]))
        start_s = now_s + rest / GRID_HZ
        end_s = start_s + len(shape) / GRID_HZ
        phases.append(
            Phases(start_s, start_s + turn_s, start_s + turn_s + HOLD_S, end_s, 0.6, 0.6, False)
        )
        now_s = end_s
    table = np.concatenate([*parts, np.zeros((int(3 * GRID_HZ), 3))])
    ir, flexion, rotation = table.T
    none = np.zeros(len(table))
    quat = Rotation.from_euler("y", rotation[:, None], degrees=True).as_quat(scalar_first=True)
    time_s = np.arange(len(table)) / GRID_HZ
    measured = np.ones(len(table), dtype=bool)
    return HipAngles(time_s, ir, flexion, none, none, none, rotation, quat, measured, quat), phases


SET = (Move(),) * 5


def test_a_set_of_like_turns_is_kept_whole():
    assert kept(*SET) == [0, 1, 2, 3, 4]


# A person who stands up or lifts the leg moves in flexion as much as in rotation (half of the
# squared turning and more); a compensating one swings the leg by some 40 % of the turn at most.
@pytest.mark.parametrize(("flexion_deg", "stays"), [(12.0, True), (40.0, False)])
def test_a_movement_in_another_plane_is_no_repetition_but_compensation_is(flexion_deg, stays):
    last = Move(flexion_deg=flexion_deg)
    assert kept(*SET, last) == [0, 1, 2, 3, 4] + [5] * stays


# The pelvis of a person who turns round on the bench or stands up goes by 30 degrees and more; one
# that gives way in a forced turn, by ten.
@pytest.mark.parametrize(("pelvis_deg", "stays"), [(11.0, True), (35.0, False)])
def test_turning_round_on_the_bench_is_no_repetition_but_a_hike_is(pelvis_deg, stays):
    assert kept(*SET, Move(pelvis_deg=pelvis_deg)) == [0, 1, 2, 3, 4] + [5] * stays


# A short, small last turn: after the set's own rest it is a tired repetition and is judged; after
# a rest of many seconds it is somebody who moves about when the set is over. Two things that are
# unlike the set are enough for that; one may be chance.
SMALL = {"ir_deg": 12.0, "slower": 0.5}


@pytest.mark.parametrize(("rest_s", "stays"), [(1.0, True), (1.25, True), (5.0, False)])
def test_a_movement_unlike_the_set_is_left_out_after_a_long_rest_only(rest_s, stays):
    assert kept(*SET, Move(rest_s=rest_s, **SMALL)) == [0, 1, 2, 3, 4] + [5] * stays


def test_one_thing_unlike_the_set_is_not_enough():
    assert kept(*SET, Move(rest_s=5.0, ir_deg=12.0)) == [0, 1, 2, 3, 4, 5]


# What lies between repetitions belongs to the set: a person who shifts on the bench in the middle
# has not done two sets, and the turns before it are not thrown away.
def test_shifting_in_the_middle_of_a_set_costs_no_repetition():
    shift = Move(flexion_deg=40.0, pelvis_deg=30.0)
    assert kept(Move(), Move(), shift, Move(), Move()) == [0, 1, 2, 3, 4]


def test_one_turn_like_the_set_before_much_fidgeting_is_not_the_set():
    shift = Move(flexion_deg=40.0, pelvis_deg=30.0)
    assert kept(Move(), shift, shift, *SET) == [3, 4, 5, 6, 7]

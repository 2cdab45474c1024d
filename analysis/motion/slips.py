"""A strap that slips in mid-set: seen at the rests, and taken out.

Between repetitions a person comes back to about the same place. A strap that has slipped has moved
the sensor on the body for good: no later rest looks like any earlier one. (A posture changed for
good looks the same, and has the same consequence: what was before and what is after are not on one
footing.) The turn of the sensor from the last rest before to the first rest after is then its turn
on the body, and what follows is expressed in the axes it had before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.spatial.transform import Rotation

from analysis.motion.grid import GRID_HZ, EvenSet
from analysis.motion.orientation import heading_against, mean_orientation, turn_heading
from analysis.motion.quaternions import conjugate, multiply, rotate
from imu.units import RAD_PER_DEG

Array = NDArray[np.float64]
Spans = NDArray[np.int64]

# Of the sensor on the body; what is smaller is lost among the places people come back to.
MIN_SLIP_RAD: Mapping[str, float] = {
    "pelvis": 4.0 * RAD_PER_DEG,
    "thigh": 6.0 * RAD_PER_DEG,
    "shank": 6.0 * RAD_PER_DEG,
}
SPREAD_FACTOR = 2.0  # times how far rests lie apart that no slip parts
NEIGHBOURS = 8  # still moments looked at on either side
MIN_RESTS = 2  # on either side: one alone may be a pause on the way
TURN_SHARE = 0.5  # of the set's typical turn: less is no turn from rest to end range
ALONG_SHARE = 0.8  # of a turn, about the femur's axis
MAX_SLIPS = 4
APART = (0.08, 0.3)  # of the time from first to last, poses whose headings are compared
MIN_SLIDE_RESTS = 4
SURE_SLIDE = 5.0  # standard errors
PAUSE_S = 0.2
SLOW_SHARE = 0.15  # of the set's fast turning
SLOW_RADS = 1.5 * RAD_PER_DEG


@dataclass(frozen=True, slots=True, eq=False)
class Slip:
    """One sensor moved on the body.

    Attributes
    ----------
    segment : str
        ``pelvis``, ``thigh`` or ``shank``.
    span : tuple of int
        Half-open span of grid instants in which it happened.
    turn : ndarray, shape (4,)
        Sensor axes after to sensor axes before.
    at_rest : bool
        It happened in a rest, between two repetitions; otherwise within one.
    """

    segment: str
    span: tuple[int, int]
    turn: Array
    at_rest: bool

    @property
    def size_deg(self) -> float:
        """How far it turned."""
        return float(np.rad2deg(2.0 * np.arccos(np.clip(abs(self.turn[0]), 0.0, 1.0))))


def pauses(pelvis_turn_rad: Array, thigh_turn_rad: Array) -> Spans:
    """Spans in which both sensors turn slowly for the set: rests, and holds at the end range.

    Parameters
    ----------
    pelvis_turn_rad, thigh_turn_rad : ndarray, shape (m, 3)
        Turn from each instant's predecessor, without bias.

    Returns
    -------
    ndarray of int, shape (k, 2)
        Half-open spans of grid instants.
    """
    size = int(PAUSE_S * GRID_HZ)
    speeds = [
        np.linalg.norm(uniform_filter1d(turn, size, axis=0, mode="nearest"), axis=1) * GRID_HZ
        for turn in (pelvis_turn_rad, thigh_turn_rad)
    ]
    fast = float(np.percentile(speeds[1], 90))
    slow = np.maximum(*speeds) < max(SLOW_SHARE * fast, SLOW_RADS)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], slow.astype(int), [0]]))).reshape(-1, 2)
    spans: Spans = edges[np.diff(edges, axis=1)[:, 0] >= size]
    return spans


def find_slips(
    quats: Mapping[str, Array], lost: Mapping[str, NDArray[np.bool_]], still: Spans
) -> list[Slip]:
    """Find the largest slip of either sensor.

    Parameters
    ----------
    quats : Mapping of str to ndarray, shape (m, 4)
        Orientations of ``pelvis`` and of ``thigh`` or ``shank``, each sensor to a frame with Z up.
    lost : Mapping of str to ndarray of bool, shape (m,)
        Where the orientation was lost in a gap: nothing can be told across it.
    still : ndarray of int, shape (k, 2)
        Half-open spans of stillness, short ones too.

    Returns
    -------
    list of Slip
        None or one: once it is taken out, a further one is easier to see.
    """
    if len(still) < 2 * MIN_RESTS:
        return []
    poses = {
        name: _without_drift(
            np.array([mean_orientation(quat[begin:end]) for begin, end in still]), still
        )
        for name, quat in quats.items()
    }
    sense = _turns(next(one for name, one in poses.items() if name != "pelvis"))
    found = [
        (size / MIN_SLIP_RAD[name], slip)
        for name in poses
        for size, slip in _candidates(name, poses[name], sense, still, lost[name])
    ]
    return [max(found, key=lambda one: one[0])[1]] if found else []


def _without_drift(poses: Array, still: Spans) -> Array:
    """Poses (k, 4) with the steady drift of their heading taken out.

    A gyroscope's bias read off a swaying person leaves some tenths of a degree a second. The drift
    is the median slope between poses (Theil-Sen); few pairs lie on both sides of a step.
    """
    heading = heading_against(poses, poses[0])
    middle = still.mean(axis=1)
    first, second = np.triu_indices(len(poses), 1)
    apart = middle[second] - middle[first]
    whole = middle[-1] - middle[0]
    used = (apart > APART[0] * whole) & (apart < APART[1] * whole)
    if not used.any():
        return poses
    slope = float(np.median((heading[second] - heading[first])[used] / apart[used]))
    return turn_heading(poses, slope * (middle - middle[0]))


def slide_rad(quat: Array, rests: Spans) -> float:
    """How far a sensor tipped from the first rest to the last, steadily [rad]; 0 where it did not.

    Parameters
    ----------
    quat : ndarray, shape (m, 4)
        Sensor to a frame with Z up.
    rests : ndarray of int, shape (k, 2)
        Half-open spans in which the person rests at neutral.
    """
    if len(rests) < MIN_SLIDE_RESTS:
        return 0.0
    upward = np.array([0.0, 0.0, 1.0])
    up = np.array([rotate(conjugate(quat[a:b]), upward).mean(axis=0) for a, b in rests])
    at = rests.mean(axis=1)
    at = (at - at.mean()) / np.ptp(at)
    slope = at @ (up - up.mean(axis=0)) / (at @ at)
    left = up - up.mean(axis=0) - at[:, None] * slope
    sd = float(np.sqrt((left**2).sum() / (len(at) - 2) / 2.0 / (at @ at)))
    size = float(np.linalg.norm(slope))
    return size if size > SURE_SLIDE * sd else 0.0


def without_slip(even: EvenSet, slip: Slip) -> EvenSet:
    """Express a set in the axes that the sensor had before it slipped.

    Within a rest the body is taken to have been still meanwhile; within a repetition what happened
    meanwhile is marked as not measured.
    """
    stream = even.pelvis if slip.segment == "pelvis" else even.thigh
    begin, end = slip.span
    turn, acc = stream.turn_rad.copy(), stream.acc_ms2.copy()
    turn[end:], acc[end:] = rotate(slip.turn, turn[end:]), rotate(slip.turn, acc[end:])
    share = (np.arange(begin, end) - begin + 1.0)[:, None] / (end - begin + 1.0)
    acc[begin:end] = acc[begin - 1] * (1.0 - share) + acc[min(end, len(acc) - 1)] * share
    turn[begin:end] = 0.5 * (turn[begin - 1] + turn[min(end, len(acc) - 1)])
    changed = replace(stream, turn_rad=turn, acc_ms2=acc)
    if not slip.at_rest:
        measured, lost = stream.measured.copy(), stream.lost.copy()
        measured[begin:end], lost[begin:end] = False, True
        gap_s = even.time_s[[begin, end - 1]]
        gaps_s = np.vstack([stream.gaps_s, gap_s])
        changed = replace(changed, measured=measured, lost=lost, gaps_s=gaps_s)
    if slip.segment == "pelvis":
        return replace(even, pelvis=changed)
    return replace(even, thigh=changed)


def _turns(poses: Array) -> NDArray[np.int64]:
    """Which way the thigh turned from each still moment to the next: 1 in, -1 back, 0 neither.

    Shape (k - 1,). The turns are about one axis of the room, whatever a sensor on the thigh does.
    """
    moves = Rotation.from_quat(
        multiply(poses[1:], conjugate(poses[:-1])), scalar_first=True
    ).as_rotvec()
    size = np.linalg.norm(moves, axis=1)
    clipped = moves * np.minimum(1.0, np.median(size) / np.maximum(size, 1e-9))[:, None]
    axis = np.linalg.svd(clipped, full_matrices=False)[2][0]
    along = moves @ axis
    large = np.abs(along) > TURN_SHARE * np.percentile(np.abs(along), 60)
    large &= np.abs(along) > ALONG_SHARE * size
    first = along[np.argmax(large)]
    return np.where(large, np.sign(along * first), 0.0).astype(np.int64)


def _candidates(
    name: str, poses: Array, sense: NDArray[np.int64], still: Spans, lost: NDArray[np.bool_]
) -> list[tuple[float, Slip]]:
    """Every place at which later rests lie apart from earlier ones, and how far."""
    at = np.flatnonzero((np.append(0, sense) <= 0) & (np.append(sense, 0) >= 0))
    found: list[tuple[float, Slip]] = []
    for cut in range(MIN_RESTS, len(at) - MIN_RESTS + 1):
        earlier, later = at[max(cut - NEIGHBOURS, 0) : cut], at[cut : cut + NEIGHBOURS]
        before, after = int(earlier[-1]), int(later[0])
        if not (_repeats(sense[earlier[0] : before]) and _repeats(sense[after : later[-1]])):
            continue
        if lost[still[earlier[0]][0] : still[later[-1]][1]].any():
            continue
        apart = float(_distances(poses[earlier], poses[later]).min())
        spread = max(_spread(poses[earlier]), _spread(poses[later]))
        if apart < max(MIN_SLIP_RAD[name], SPREAD_FACTOR * spread):
            continue
        span = int(still[before][1]), int(still[after][0])
        turn = multiply(conjugate(poses[before]), poses[after])
        found.append((apart, Slip(name, span, turn, after == before + 1)))
    return found


def _repeats(sense: NDArray[np.int64]) -> bool:
    """Whether there is a turn in and a turn back among some moves."""
    return bool((sense > 0).any() and (sense < 0).any())


def _distances(a: Array, b: Array) -> Array:
    """Angles between all orientations of two lists [rad], shape (len(a), len(b))."""
    angles: Array = 2.0 * np.arccos(np.clip(np.abs(a @ b.T), 0.0, 1.0))
    return angles


def _spread(poses: Array) -> float:
    """How far apart neighbours of a list lie, on average [rad]."""
    return float(_distances(poses[1:], poses[:-1]).diagonal().mean()) if len(poses) > 1 else 0.0

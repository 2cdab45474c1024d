"""What a set proves of itself: which way it turned, which leg it was, which sensor sat where.

Nothing here changes a figure. A label that the movement contradicts makes a recording poor and is
said in words; what was only assumed is told as assumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.coarse import first_is_outward
from analysis.estimation import SWAPPED_RATIO, Estimate
from analysis.motion.calibration import BACKWARD
from analysis.motion.grid import GRID_HZ
from analysis.reasons import Reason

Array = NDArray[np.float64]

STILL_S = 2.0  # before the first turn, asked for: what follows is then the turn inward
NEARLY_STILL_S = 1.7  # the same, seen through the filters
END_S = 0.8  # a pause at a set's end that tells where a person rests
FAR_SHARE = 0.6  # of the range: nearer to the end range than to the neutral
CERTAIN_RATIO = 1.8  # of the turns of pelvis and thigh sensor
SLID_DEG = 5.0  # over a set; some degrees of sinking are a finding, not a fault
LAG_S, AGREED_S = 0.1, 0.15  # of sound sets none is better by 0.02 at another lag
ALIKE, BETTER = (0.75, 0.45), (0.08, 0.25)  # sure, and likely: both halves say it, or one is sound
END_RATIO = 0.5  # of the stillness after and before a set: less is a set stopped in a hold
TURNED_AXIS_DEG = 20.0  # of the pelvis sensor against the way it should be worn: worth a word


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is proven of a set.

    Attributes
    ----------
    direction : str
        ``proven``: lift and first turn agree. ``assumed``: the first movement after stillness.
        ``doubtful``: it cannot be told.
    reasons : tuple of Reason
        What speaks against the labels.
    """

    direction: str
    reasons: tuple[Reason, ...]


def gather(estimate: Estimate, side: str, lift_asked: bool, backward: Array | None) -> Evidence:
    """Hold a set's labels against its movement.

    Parameters
    ----------
    estimate : Estimate
        Of the set.
    side : str
        As it is labelled.
    lift_asked : bool
        Whether there is a ``lift`` marker.
    backward : ndarray, shape (3,), or None
        Pelvis sensor axis that points backward, by the lean.
    """
    reversed_pelvis = backward is not None and float(backward @ BACKWARD) < 0.0
    reasons = [*_swapped(estimate), *_moved(estimate), *_slid(estimate), *_out_of_step(estimate)]
    if estimate.lift is None:
        direction = "assumed" if _begins_at_rest(estimate) else "doubtful"
        reasons += _without_lift(direction, lift_asked)
        reasons += _pelvis_reasons(backward)
        return Evidence(direction, tuple(reasons))
    outward = first_is_outward(estimate.angles, estimate.neutral)
    agreement = -float(estimate.lift.to_knee @ estimate.axis)
    if agreement > 0.0 and not outward:
        direction = "proven"
        reasons += _pelvis_reasons(backward)
    elif reversed_pelvis:
        direction = "doubtful"
        reasons.append(_acc_sign())
    else:
        direction = "doubtful"
        reasons.append(_other_side(side))
        reasons += _pelvis_reasons(backward)
    return Evidence(direction, tuple(reasons))


def _swapped(estimate: Estimate) -> Iterator[Reason]:
    """Sensors exchanged: a pelvis cannot turn further than the thigh that it carries."""
    pelvis_deg, thigh_deg = estimate.turned_deg
    if pelvis_deg > SWAPPED_RATIO * thigh_deg:
        certain = pelvis_deg > CERTAIN_RATIO * thigh_deg
        text = (
            f"the pelvis sensor turned by {pelvis_deg:.0f}° and the {estimate.leg} sensor by "
            f"{thigh_deg:.0f}°: they {'are' if certain else 'may be'} exchanged; "
            "hiprot correct --swap-sensors mends it"
        )
        yield Reason("poor" if certain else "fair", "sensors_swapped", text)


def _moved(estimate: Estimate) -> Iterator[Reason]:
    """What moved on the body: taken out, and said."""
    time_s = estimate.angles.time_s
    for slip in estimate.slips:
        what = "between two repetitions" if slip.at_rest else "within a repetition, left out"
        text = (
            f"{slip.segment}: moved on the body by {slip.size_deg:.0f}° at "
            f"{time_s[slip.span[0]] - time_s[0]:.0f} s, {what} (strap or posture); the figures "
            "before and after are each against their own rest"
        )
        yield Reason("fair", f"{slip.segment}_moved", text)


def _slid(estimate: Estimate) -> Iterator[Reason]:
    """What tipped steadily over the set: a strap that slides, or a person who sinks."""
    for segment, slid_deg in zip(("pelvis", estimate.leg), estimate.slid_deg, strict=True):
        if slid_deg > SLID_DEG:
            text = (
                f"{segment}: tipped steadily by {slid_deg:.0f}° over the set (strap or posture); "
                "each repetition holds its share of it"
            )
            yield Reason("fair", f"{segment}_moved", text)


def _out_of_step(estimate: Estimate) -> Iterator[Reason]:
    """Sensors whose times do not go together, as movements common to both show."""
    steps = estimate.steps
    common = max((step.alike_now for step in steps), default=0.0) > ALIKE[1]
    agreed = len(steps) == 2 and abs(steps[0].lag_s - steps[1].lag_s) < AGREED_S
    for half, step in zip(("first", "second"), steps, strict=False):
        sure = step.alike > ALIKE[0] and step.alike - step.alike_now > BETTER[0]
        likely = step.alike > ALIKE[1] and step.alike - step.alike_now > BETTER[1]
        if abs(step.lag_s) > LAG_S and (sure or (likely and (common or agreed))):
            late = "late" if step.lag_s > 0.0 else "early"
            size = f"are {abs(step.lag_s):.1f} s {late} against" if sure else "do not go with"
            text = (
                f"the {estimate.leg} sensor's times {size} the pelvis' in the {half} half of the "
                "set; record with arrival_s, or on one clock"
            )
            yield Reason("poor", "out_of_step", text)
            return


def _begins_at_rest(estimate: Estimate) -> bool:
    """Whether the first movement is inward, as far as the rests before and after the set tell."""
    if first_is_outward(estimate.angles, estimate.neutral):
        return False
    before_s = _still_before_s(estimate)
    end_share, end_s = _end_rest(estimate)
    ends_far = end_s >= END_S and end_share > FAR_SHARE
    if ends_far and end_s >= END_RATIO * before_s:
        return False
    ends_near = end_s >= END_S and end_share < 1.0 - FAR_SHARE
    return before_s >= NEARLY_STILL_S or (ends_near and not ends_far)


def _still_before_s(estimate: Estimate) -> float:
    """Length of the stillness that the first turn ends."""
    first = estimate.phases[0].start_s
    before = [
        min(b / GRID_HZ, first) - a / GRID_HZ for a, b in estimate.still if a / GRID_HZ < first
    ]
    return float(max(before, default=0.0))


def _end_rest(estimate: Estimate) -> tuple[float, float]:
    """Where the last stillness lies, as a share of the range, and how long it lasts [s]."""
    last = estimate.phases[-1]
    behind = [(a, b) for a, b in estimate.still if b / GRID_HZ > last.hold_start_s]
    if not behind:
        return 0.0, 0.0
    begin, end = behind[-1]
    ir_deg = estimate.angles.ir_deg
    tops = [ir_deg[p.span()].max() for p in estimate.phases]
    bases = [ir_deg[p.span().start] for p in estimate.phases]
    base, top = float(np.median(bases)), float(np.median(tops))
    share = (float(ir_deg[begin:end].mean()) - base) / max(top - base, 1e-9)
    return share, float(end - begin) / GRID_HZ


def _without_lift(direction: str, lift_asked: bool) -> Iterator[Reason]:
    """What there is to say where no lift proves the direction."""
    if lift_asked:
        text = "the lift was asked for, but none is seen: lift the knee straight up by a hand"
        yield Reason("good" if direction == "assumed" else "fair", "lift_unseen", text)
    if direction == "doubtful":
        text = (
            "it cannot be told whether the first movement was this leg's turn inward: sit still "
            "for 3 s before it and after the last, and record again, or with the lift"
        )
        yield Reason("poor", "direction_doubtful", text)


def _other_side(side: str) -> Reason:
    """The lift contradicts the label or the first turn."""
    other = "left" if side == "right" else "right"
    text = (
        f"lift and first turn say that this was the {other} leg, or that the first turn went "
        f"outward; hiprot correct --side {other}, or record again"
    )
    return Reason("poor", "side_doubtful", text)


def _acc_sign() -> Reason:
    """Both the lean and the lift are upside down."""
    text = (
        "lean and lift both say the opposite of how the sensors are worn: the accelerometers have "
        "the other sign; multiply acc_x, acc_y and acc_z of all sensors by -1"
    )
    return Reason("poor", "acc_sign", text)


def _pelvis_reasons(backward: Array | None) -> Iterator[Reason]:
    """How the pelvis sensor was worn, by the lean; it is used as it was."""
    if backward is None:
        return
    off_deg = float(np.rad2deg(np.arccos(np.clip(backward @ BACKWARD, -1.0, 1.0))))
    if off_deg > 90.0:
        text = "the lean says that the pelvis sensor's +z points forward; used as it was worn"
        yield Reason("good", "pelvis_backward", text)
    elif off_deg > TURNED_AXIS_DEG:
        text = (
            f"the lean says that the pelvis sensor is turned by {off_deg:.0f}°; used as it was worn"
        )
        yield Reason("good", "pelvis_turned", text)

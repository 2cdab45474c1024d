"""What the drill asks of the person, what the sensors show when it goes otherwise, what to say.

Exhaling is asked as well, but no sensor sees it, so nothing is said of it; the knee is seen where
both thigh and shank carry one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One row of the table of findings.

    Attributes
    ----------
    rank : int
        Smaller comes first.
    asked : str
        What the drill asks of the person.
    seen : str
        What the sensors show, to be read after "Left:".
    advice : str
        One sentence in the spirit of the drill.
    """

    rank: int
    asked: str
    seen: str
    advice: str


_FEMUR = "turn the femur in its socket instead of swinging the whole leg"
_STILL = "no leaning, twisting or shifting of weight"
_TALL = "sit tall, ribs over the pelvis, both hip bones facing forward"
_KNEE = "the knee stays soft and bent"
_SAME = "the same controlled arc for the planned repetitions"
_MATCH = "match range, speed and control of both sides"

KINDS = {
    "pain": FindingKind(
        0, "no pain", "pain", "Sharp pain in the groin, the knee or the front of the hip: stop."
    ),
    "pinch": FindingKind(1, "no pinch", "a pinch", "Make the movement smaller."),
    "cramp": FindingKind(2, "no cramp", "a cramp", "Make the movement smaller."),
    "data_poor": FindingKind(
        10,
        "sit still for 2 s, both sensors firmly strapped",
        "the recording is poor",
        "Read its figures with care, and record it again.",
    ),
    "side_difference_range": FindingKind(
        20,
        _MATCH,
        "it turns less than the other side",
        "Work both sides in the arc that each can control, and measure again.",
    ),
    "pelvis_hikes": FindingKind(31, _STILL, "the pelvis hikes", "Make the movement smaller."),
    "pelvis_tilts_forward": FindingKind(
        32, _STILL, "the low back arches", "Reset the setup: ribs over the pelvis."
    ),
    "pelvis_tilts_back": FindingKind(
        33, _STILL, "the pelvis rolls back", "Sit tall and make the movement smaller."
    ),
    "pelvis_rotates": FindingKind(
        34, _STILL, "the pelvis turns along", "Keep both hip bones facing forward."
    ),
    "pelvis_drops": FindingKind(
        35, _STILL, "the pelvis drops on this side", "Keep the weight even on both sit bones."
    ),
    "leg_swings": FindingKind(
        36, _FEMUR, "the whole leg swings", "Turn the thigh in its socket, the knee stays put."
    ),
    "knee_turns": FindingKind(
        38, _KNEE, "the shin turns in the knee", "Shorten the range, keep the shin relaxed."
    ),
    "knee_straightens": FindingKind(
        39, _KNEE, "the knee straightens", "Let the shin hang, the knee soft and bent."
    ),
    "tilt_grows": FindingKind(
        37,
        _TALL,
        "the low back arches more and more",
        "Reset the setup: sit tall, ribs over the pelvis.",
    ),
    "thrown": FindingKind(
        40, "turn slowly, not thrown", "the leg is thrown", "Take about two seconds each way."
    ),
    "bounce": FindingKind(
        41, "move through the full arc, no bouncing", "it bounces at the end", "Arrive and stay."
    ),
    "dropped_return": FindingKind(
        42,
        "guide the leg back to neutral",
        "the leg drops back faster than it turned in",
        "Guide it back as slowly as it went.",
    ),
    "no_hold": FindingKind(
        43, "pause at the end of the turn", "there is no pause at the end", "Pause for a moment."
    ),
    "two_stage": FindingKind(
        44,
        "move through the full arc in one go",
        "the turn comes in two stages",
        "Turn in one smooth movement.",
    ),
    "return_error": FindingKind(
        45,
        "guide the leg back to neutral",
        "the leg does not come back to where it started",
        "Come back to the same start before the next turn.",
    ),
    "overshoot": FindingKind(
        46,
        "guide the leg back to neutral",
        "the leg swings outward past the start",
        "End the way back at the start.",
    ),
    "posture_shifts": FindingKind(
        50, _TALL, "the repetitions start from another posture", "Reset the setup in between."
    ),
    "range_fades": FindingKind(
        51, _SAME, "the range fades", "Stop the set while the arc is still the same."
    ),
    "uneven_range": FindingKind(
        52, _SAME, "the range is uneven", "Choose an arc that can be repeated."
    ),
    "uneven_duration": FindingKind(
        53, _SAME, "the tempo is uneven", "Count along: the same time for every turn."
    ),
    "side_difference_control": FindingKind(
        60,
        _MATCH,
        "less controlled than the other side",
        "Turn this side only as far as it stays controlled.",
    ),
    "side_difference_speed": FindingKind(
        61, _MATCH, "quicker than the other side", "Use one tempo on both sides."
    ),
    "fewer_reps": FindingKind(
        62, _SAME, "fewer repetitions than planned", "Rather fewer and clean than forced."
    ),
    "broken_off": FindingKind(
        63, _SAME, "a turn is broken off", "Begin the next one only when settled."
    ),
}

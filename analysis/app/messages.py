"""What a page may send over the socket: text in, checked values out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imu.errors import CallError
from imu.units import MODES, SIDES

KINDS = ("ack", "scan", "roles", "start", "skip_setup", "stop", "mark", "next_side", "compensate")
MARKS = ("pain", "cramp", "pinch", "note")
SPOKEN = ("none", "pelvis", "fast", "swing", "short")
MAX_TEXT = 400
MAX_REPS = 100
MAX_SCORE = 10.0


@dataclass(frozen=True, slots=True)
class Start:
    """A set, or the lean, that is to begin.

    Attributes
    ----------
    person, session : str
        Names of their folders.
    side : str
        ``left``, ``right`` or ``lean``.
    mode : str
        How it is coached: ``measure``, ``train`` or ``fade``.
    planned_reps : int
        After so many the other side is due.
    target_deg : float or None
        The range aimed at.
    lift : bool
        Whether the lift of the knee is asked for first.
    pace : Mapping of str to float or None
        Seconds of a repetition: ``in_s``, ``hold_s``, ``back_s``.
    """

    person: str
    session: str
    side: str
    mode: str = "measure"
    planned_reps: int = 8
    target_deg: float | None = None
    lift: bool = False
    pace: Mapping[str, float] | None = None


def read_message(text: str) -> dict[str, Any]:
    """Read a message and check its kind.

    Raises
    ------
    CallError
        It is malformed, or of no kind known.

    Examples
    --------
    >>> read_message('{"type": "stop"}')
    {'type': 'stop'}
    """
    try:
        message = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise CallError("this message is no JSON.") from None
    if not isinstance(message, dict):
        raise CallError("this message is no JSON object.")
    if message.get("type") not in KINDS:
        raise CallError(f"this message is of no kind known. Known: {', '.join(KINDS)}.")
    return message


def read_start(message: Mapping[str, Any]) -> Start:
    """Check what is to begin.

    Raises
    ------
    CallError
        A value is missing or out of its limits.
    """
    reps = number(message, "planned_reps", 1, MAX_REPS, 8.0)
    return Start(
        person=text_of(message, "person"),
        session=text_of(message, "session"),
        side=choice(message, "side", (*SIDES, "lean")),
        mode=choice(message, "mode", MODES, "measure"),
        planned_reps=int(reps or 8),
        target_deg=number(message, "target_deg", 1, 90),
        lift=message.get("lift") is True,
        pace=_pace(message.get("pace")),
    )


def _pace(value: object) -> dict[str, float] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise CallError("pace: seconds of a repetition are expected.")
    found = {name: number(value, name, 0, 30, 1.0) for name in ("in_s", "hold_s", "back_s")}
    return {name: float(one or 0.0) for name, one in found.items()}


def text_of(message: Mapping[str, Any], key: str, default: str | None = None) -> str:
    """Take a text.

    Raises
    ------
    CallError
        It is missing, no text, or too long.
    """
    value = message.get(key, default)
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise CallError(f"{key}: a text of at most {MAX_TEXT} characters is expected.")
    return value


def choice(
    message: Mapping[str, Any], key: str, known: tuple[str, ...], default: str | None = None
) -> str:
    """Take one of several words.

    Raises
    ------
    CallError
        It is none of them.
    """
    value = message.get(key, default)
    if value not in known:
        raise CallError(f"{key}: one of {', '.join(known)} is expected.")
    return str(value)


def number(
    message: Mapping[str, Any],
    key: str,
    least: float,
    most: float,
    default: float | None = None,
) -> float | None:
    """Take a number; ``default`` where it is missing or null.

    Raises
    ------
    CallError
        It is no number within the limits.
    """
    value = message.get(key)
    if value is None:
        return default
    wrong = isinstance(value, bool) or not isinstance(value, int | float)
    if wrong or not math.isfinite(value) or not least <= value <= most:
        raise CallError(f"{key}: a number from {least:g} to {most:g} is expected.")
    return float(value)


def _no_number(name: str) -> float:
    raise ValueError(name)

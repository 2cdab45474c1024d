"""One session as its page shows it, and what is put right in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.app.library import Library
from analysis.app.messages import choice, text_of
from analysis.correcting import Asked, put_right, take_back
from analysis.pipeline import Analysis
from analysis.repetitions.measures import Repetition
from analysis.report.document import rep_row
from analysis.sets import MEASURE, SetAnalysis
from analysis.words import number as figure
from imu.errors import HiprotError
from imu.storage.session import read_calibration, read_session
from imu.units import SIDES

OTHER = {"left": "right", "right": "left"}


def session_state(library: Library, person: str, session: str) -> dict[str, Any]:
    """Lay out a session: what is done, what the sets came to.

    Raises
    ------
    CallError
        There is none.
    RecordingError, MachineError
        ``session.json`` cannot be read.
    """
    folder = library.session_folder(person, session)
    info = library.info(folder)
    state: dict[str, Any] = {
        "person": person,
        "session": session,
        "started": info.started,
        "context": info.context,
        "lean": False,
        "remembered": {segment: one.address for segment, one in info.sensors.items()},
        "sets": [],
        "headline": None,
        "notes": [],
        "targets": dict.fromkeys(SIDES),
        "next_mode": dict.fromkeys(SIDES, MEASURE),
        "broken": None,
    }
    try:
        state["lean"] = read_calibration(folder) is not None
        if library.recorded(folder) is not None:
            state |= _analysed(library.analysis(folder))
    except HiprotError as error:
        state["broken"] = str(error)
    return state


def _analysed(found: Analysis) -> dict[str, Any]:
    sides = found.summary.sides
    ranges = {side: _range(found, side) for side in SIDES}
    done = {one.side for one in found.sets}
    return {
        "sets": [_set(found, one) for one in found.sets],
        "headline": found.summary.headline.sentence if len(sides) > 1 else None,
        "notes": notes(found),
        "targets": {side: ranges[OTHER[side]] for side in SIDES},
        "next_mode": {side: "train" if side in done else MEASURE for side in SIDES},
    }


def _range(found: Analysis, side: str) -> float | None:
    """Return the mean range of a side's counted repetitions."""
    reps = [rep for one in found.sets if one.side == side for rep in one.reps if rep.counts]
    ranges = [rep.rom_deg for rep in reps if rep.rom_deg is not None]
    return sum(ranges) / len(ranges) if ranges else None


def _set(found: Analysis, one: SetAnalysis) -> dict[str, Any]:
    correction = found.info.corrections.get(one.name)
    return {
        "name": one.name,
        "side": one.side,
        "mode": found.info.modes.get(one.name, MEASURE),
        "grade": one.quality.grade,
        "reasons": list(one.quality.reasons),
        "reps": [_rep(rep) for rep in one.reps],
        "correction": correction.why if correction else None,
        "broken": None,
    }


def _rep(rep: Repetition) -> dict[str, Any]:
    row = rep_row(rep)
    flags = [one for one in str(row.get("flags") or "").split(";") if one]
    return {
        "rep": rep.rep,
        "rom_deg": rep.rom_deg,
        "verdict": rep.verdict,
        "flags": flags,
        "counts": rep.counts,
        "excluded": "excluded" in flags,
        "words": [one.replace("_", " ") for one in flags],
    }


def notes(found: Analysis) -> list[str]:
    """Lay out the result as six plain lines for a health record."""
    summary = found.summary
    lines = [f"Seated hip internal rotation, {found.name}, two inertial sensors (hiprot)."]
    for side in SIDES:
        one = summary.sides.get(side)
        mean = figure(_range(found, side), "°")
        said = "not measured" if one is None else f"{mean}, {_counts(found, side)}"
        lines.append(f"{side.capitalize()}: {said}.")
    lines.append(summary.headline.sentence)
    pain = [one for one in found.markers if one.kind in ("pain", "pinch", "cramp")]
    told = ", ".join(
        f"{one.side} {one.kind}{'' if one.score is None else f' {one.score:g}/10'}" for one in pain
    )
    lines.append(f"Symptoms: {told or 'none marked'}.")
    grades = ", ".join(f"{one.name} {one.quality.grade}" for one in found.sets)
    lines.append(f"Data quality: {grades}.")
    return lines


def _counts(found: Analysis, side: str) -> str:
    reps = [rep for one in found.sets if one.side == side for rep in one.reps if rep.counts]
    clean = sum(rep.verdict == "clean" for rep in reps)
    return f"{len(reps)} repetitions, {clean} clean"


def put_session_right(
    library: Library, body: Mapping[str, Any], rep: int | None, person: str, session: str
) -> None:
    """Correct a set as ``hiprot correct`` does.

    Raises
    ------
    CallError
        It cannot be corrected so.
    RecordingError, MachineError
        A file cannot be used or written.
    """
    folder = library.session_folder(person, session)
    side = choice(body, "side", SIDES) if body.get("side") else None
    asked = Asked(text_of(body, "set"), side, body.get("swap_sensors") is True, rep)
    recorded = read_session(folder)
    if body.get("undo") is True:
        take_back(folder, recorded, asked)
    else:
        put_right(folder, recorded, asked, text_of(body, "why", ""))

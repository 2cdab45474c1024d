"""What was mislabelled is put right, in ``session.json`` and ``events.csv`` alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from analysis.repetitions.measures import Repetition
from analysis.sets import analyse_sets
from analysis.settings import Settings
from imu.errors import CallError
from imu.formats.eventfile import format_events, with_event, without_events
from imu.formats.sessionfile import with_correction
from imu.recording import Correction, Event, Session
from imu.storage.files import read_present, write_files
from imu.storage.session import EVENTS_FILE, INFO_FILE


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be put right of one set.

    Attributes
    ----------
    set_name : str
        ``left``, ``right-2``, ``calibration``.
    side : str or None
        The leg that it really was.
    swap_sensors : bool
        Pelvis and thigh sensor were exchanged.
    rep : int or None
        The repetition that shall not count.
    """

    set_name: str
    side: str | None = None
    swap_sensors: bool = False
    rep: int | None = None

    @property
    def nothing(self) -> bool:
        """Whether nothing is named."""
        return self.side is None and not self.swap_sensors and self.rep is None


def put_right(folder: Path, recorded: Session, asked: Asked, why: str) -> None:
    """Write a correction.

    Raises
    ------
    CallError
        There is no such set or repetition, nothing is asked for, or no reason is given.
    RecordingError, MachineError
        A file cannot be used or written.
    """
    _refuse_wrong(recorded, asked)
    if asked.nothing:
        raise CallError("nothing is corrected. Give --side, --swap-sensors or --exclude.")
    if not why.strip():
        raise CallError("--why is missing. Say in a few words what was wrong, for later readers.")
    _correct(folder, recorded, asked, why)


def take_back(folder: Path, recorded: Session, asked: Asked) -> None:
    """Take back what is named, or with nothing named all that was corrected of the set.

    Raises
    ------
    CallError
        There is no such set, or nothing of that was corrected.
    RecordingError, MachineError
        A file cannot be used or written.
    """
    _refuse_wrong(recorded, asked)
    _undo(folder, recorded, asked)


def _refuse_wrong(recorded: Session, asked: Asked) -> None:
    """Refuse a set that is not there, and what a lean does not have."""
    sets = [one.name for one in recorded.recordings]
    names = sets if recorded.calibration is None else [*sets, recorded.calibration.name]
    if asked.set_name not in names:
        raise CallError(f"there is no set {asked.set_name!r}. Sets here: {', '.join(names)}.")
    if asked.set_name not in sets and (asked.side is not None or asked.rep is not None):
        raise CallError("a lean has no side and no repetitions. Give --swap-sensors only.")


def _correct(session: Path, recorded: Session, asked: Asked, why: str) -> None:
    """Write a correction, together with what was corrected before."""
    set_name, side, swap_sensors = asked.set_name, asked.side, asked.swap_sensors

    before = recorded.info.corrections.get(set_name, Correction())
    after = Correction(side or before.side, swap_sensors or before.swap_sensors, why)
    if after.side == set_name.split("-")[0]:
        after = replace(after, side=None)
    files: dict[Path, str | bytes] = {}
    if side is not None or swap_sensors:
        files |= _info_with(session, set_name, after if _says(after) else None)
    if asked.rep is not None:
        files |= _events_with(session, _exclusion(recorded, set_name, asked.rep, why))
    write_files(files)


def _says(correction: Correction) -> bool:
    return correction.side is not None or correction.swap_sensors


def _undo(session: Path, recorded: Session, asked: Asked) -> None:
    """Take back what is named, or all of it."""
    set_name, side, swap, rep = (
        asked.set_name,
        asked.side is not None,
        asked.swap_sensors,
        asked.rep,
    )

    whole = asked.nothing
    before = recorded.info.corrections.get(set_name)
    files: dict[Path, str | bytes] = {}
    if before is not None and (side or swap or whole):
        left = Correction(
            side=None if side or whole else before.side,
            swap_sensors=before.swap_sensors and not (swap or whole),
            why=before.why,
        )
        files |= _info_with(session, set_name, left if _says(left) else None)
    if rep is not None or whole:
        files |= _events_without(session, recorded, set_name, rep)
    if not files:
        raise CallError(f"{set_name}: nothing of that was corrected. See session.json.")
    write_files(files)


def _info_with(
    session: Path, set_name: str, correction: Correction | None
) -> dict[Path, str | bytes]:
    """Lay out ``session.json`` with a set's correction, or without it."""
    path = session / INFO_FILE
    return {path: with_correction(read_present(path), set_name, correction)}


def _exclusion(recorded: Session, set_name: str, rep: int, why: str) -> Event:
    """Make the marker that excludes a repetition, as the report counts them: in its middle."""
    found = {one.rep: one for one in _repetitions(recorded, set_name)}
    if rep not in found:
        there = f"It has {len(found)}." if found else "It has none."
        raise CallError(f"{set_name}: there is no repetition {rep}. {there}")
    middle_s = round(0.5 * (found[rep].start_s + found[rep].end_s), 3)
    return Event(set_name, middle_s, "exclude", None, why)


def _repetitions(recorded: Session, set_name: str) -> tuple[Repetition, ...]:

    chosen = [one for one in recorded.recordings if one.name == set_name]
    (found,) = analyse_sets(chosen, Settings(), recorded.calibration, recorded.events)
    return found.reps


def _events_with(session: Path, event: Event) -> dict[Path, str | bytes]:
    """Lay out ``events.csv`` with one marker more."""
    path = _events_path(session)
    present = read_present(path)
    return {path: format_events([event]) if present is None else with_event(present, event)}


def _events_without(
    session: Path, recorded: Session, set_name: str, rep: int | None
) -> dict[Path, str | bytes]:
    """Lay out ``events.csv`` without the exclusions of a set, or of one of its repetitions."""
    own = [one for one in recorded.events if (one.set_name, one.kind) == (set_name, "exclude")]
    if rep is not None and own:
        within = [one for one in _repetitions(recorded, set_name) if one.rep == rep]
        own = [one for one in own if any(r.start_s <= one.time_s <= r.end_s for r in within)]
    path = _events_path(session)
    present = read_present(path)
    if not own or present is None:
        return {}
    return {path: without_events(present, lambda event: event in own)}


def _events_path(session: Path) -> Path:
    """Where the markers stand; a packed file is not written to."""
    if (session / f"{EVENTS_FILE}.gz").exists():
        raise CallError(f"{EVENTS_FILE}.gz: it is packed. Unpack it first (gunzip).")
    return session / EVENTS_FILE

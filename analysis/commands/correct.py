"""``hiprot correct``: put right what was mislabelled, without touching a sample."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imu.errors import CallError

if TYPE_CHECKING:
    from analysis.repetitions.measures import Repetition
    from imu.recording import Correction, Event, Session

SCHEMA = "hiprot.correct/1"


@click.command(short_help="put right what was mislabelled")
@click.argument("session", type=click.Path(path_type=Path))
@click.argument("set_name", metavar="SET")
@click.option("--side", type=click.Choice(["left", "right"]), help="The leg that it really was.")
@click.option("--swap-sensors", is_flag=True, help="Pelvis and thigh sensor were exchanged.")
@click.option("--exclude", "rep", metavar="REP", type=int, help="Repetition REP shall not count.")
@click.option("--why", metavar="TEXT", help="The reason; kept with the correction.")
@click.option("--undo", is_flag=True, help="Take back what was corrected.")
@click.option("--json", "as_json", is_flag=True, help="Print what holds now, as JSON.")
def correct(  # noqa: PLR0913, PLR0917  the options of a command
    session: Path,
    set_name: str,
    side: str | None,
    swap_sensors: bool,
    rep: int | None,
    why: str | None,
    undo: bool,
    as_json: bool,
) -> None:
    """Say of SET (left, right-2, …) in the folder SESSION what it really was.

    Written to session.json and events.csv alone; no sample is changed, and every command applies
    it. With --undo, what is named is taken back: the side, the sensors, a repetition, or, with
    nothing named, all of it.
    """
    from imu.storage.session import read_session

    recorded = read_session(session)
    _refuse_wrong_call(recorded, set_name, (side is not None, swap_sensors, rep is not None), undo)
    if not undo and not (why or "").strip():
        raise CallError("--why is missing. Say in a few words what was wrong, for later readers.")
    if undo:
        _undo(session, recorded, set_name, side is not None, swap_sensors, rep)
    else:
        _correct(session, recorded, set_name, side, swap_sensors, rep, why or "")
    _show(read_session(session), set_name, as_json)


def _refuse_wrong_call(
    recorded: Session, set_name: str, named: tuple[bool, bool, bool], undo: bool
) -> None:
    """Refuse a set that is not there, and a call that says nothing."""
    names = [one.name for one in recorded.recordings]
    if recorded.calibration is not None:
        names.append(recorded.calibration.name)
    if set_name not in names:
        raise CallError(f"there is no set {set_name!r}. Sets here: {', '.join(names)}.")
    is_lean = set_name not in {one.name for one in recorded.recordings}
    if is_lean and (named[0] or named[2]):
        raise CallError("a lean has no side and no repetitions. Give --swap-sensors only.")
    if not undo and not any(named):
        raise CallError("nothing is corrected. Give --side, --swap-sensors or --exclude.")


def _correct(
    session: Path,
    recorded: Session,
    set_name: str,
    side: str | None,
    swap_sensors: bool,
    rep: int | None,
    why: str,
) -> None:
    """Write a correction, together with what was corrected before."""
    from imu.recording import Correction

    before = recorded.info.corrections.get(set_name, Correction())
    after = Correction(side or before.side, swap_sensors or before.swap_sensors, why)
    if after.side == set_name.split("-")[0]:
        after = replace(after, side=None)
    files: dict[Path, str | bytes] = {}
    if side is not None or swap_sensors:
        files |= _info_with(session, set_name, after if _says(after) else None)
    if rep is not None:
        files |= _events_with(session, _exclusion(recorded, set_name, rep, why))
    _write(files)


def _says(correction: Correction) -> bool:
    return correction.side is not None or correction.swap_sensors


def _undo(
    session: Path, recorded: Session, set_name: str, side: bool, swap: bool, rep: int | None
) -> None:
    """Take back what is named, or all of it."""
    from imu.recording import Correction

    whole = not (side or swap or rep is not None)
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
    _write(files)


def _write(files: dict[Path, str | bytes]) -> None:
    from imu.storage.files import write_files

    write_files(files)


def _info_with(
    session: Path, set_name: str, correction: Correction | None
) -> dict[Path, str | bytes]:
    """Lay out ``session.json`` with a set's correction, or without it."""
    from imu.formats.sessionfile import with_correction
    from imu.storage.files import read_present
    from imu.storage.session import INFO_FILE

    path = session / INFO_FILE
    return {path: with_correction(read_present(path), set_name, correction)}


def _exclusion(recorded: Session, set_name: str, rep: int, why: str) -> Event:
    """Make the marker that excludes a repetition, as the report counts them: in its middle."""
    from imu.recording import Event

    found = {one.rep: one for one in _repetitions(recorded, set_name)}
    if rep not in found:
        there = f"It has {len(found)}." if found else "It has none."
        raise CallError(f"{set_name}: there is no repetition {rep}. {there}")
    middle_s = round(0.5 * (found[rep].start_s + found[rep].end_s), 3)
    return Event(set_name, middle_s, "exclude", None, why)


def _repetitions(recorded: Session, set_name: str) -> tuple[Repetition, ...]:
    from analysis.sets import analyse_sets
    from analysis.settings import Settings

    chosen = [one for one in recorded.recordings if one.name == set_name]
    (found,) = analyse_sets(chosen, Settings(), recorded.calibration, recorded.events)
    return found.reps


def _events_with(session: Path, event: Event) -> dict[Path, str | bytes]:
    """Lay out ``events.csv`` with one marker more."""
    from imu.formats.eventfile import format_events, with_event
    from imu.storage.files import read_present

    path = _events_path(session)
    present = read_present(path)
    return {path: format_events([event]) if present is None else with_event(present, event)}


def _events_without(
    session: Path, recorded: Session, set_name: str, rep: int | None
) -> dict[Path, str | bytes]:
    """Lay out ``events.csv`` without the exclusions of a set, or of one of its repetitions."""
    from imu.formats.eventfile import without_events
    from imu.storage.files import read_present

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
    from imu.storage.session import EVENTS_FILE

    if (session / f"{EVENTS_FILE}.gz").exists():
        raise CallError(f"{EVENTS_FILE}.gz: it is packed. Unpack it first (gunzip).")
    return session / EVENTS_FILE


def _show(recorded: Session, set_name: str, as_json: bool) -> None:
    """Say what holds now."""
    correction = recorded.info.corrections.get(set_name)
    excluded = [one for one in recorded.events if (one.set_name, one.kind) == (set_name, "exclude")]
    if as_json:
        document = {
            "schema": SCHEMA,
            "set": set_name,
            "side": correction.side if correction else None,
            "swap_sensors": bool(correction and correction.swap_sensors),
            "why": correction.why if correction else "",
            "excluded": [{"time_s": one.time_s, "why": one.text} for one in excluded],
        }
        click.echo(json.dumps(document, indent=2, allow_nan=False))
        return
    said = []
    if correction and correction.side:
        said.append(f"it was the {correction.side} leg")
    if correction and correction.swap_sensors:
        said.append("pelvis and thigh sensor are exchanged")
    said += [f"what happened at {one.time_s:.1f} s does not count" for one in excluded]
    click.echo(f"{set_name}: {'; '.join(said) if said else 'as recorded, nothing is corrected'}.")

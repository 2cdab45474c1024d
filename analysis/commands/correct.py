"""``hiprot correct``: put right what was mislabelled, without touching a sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from imu.recording import Session

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
    from analysis.correcting import Asked, put_right, take_back
    from imu.storage.session import read_session

    recorded = read_session(session)
    asked = Asked(set_name, side, swap_sensors, rep)
    if undo:
        take_back(session, recorded, asked)
    else:
        put_right(session, recorded, asked, why or "")
    _show(read_session(session), set_name, as_json)


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

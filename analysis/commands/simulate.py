"""``hiprot simulate``: write a made-up session together with its truth."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click

from imu.errors import CallError

PRESET_HELP = "A named condition, such as clean, consumer60, compensating or poor."


@click.command(short_help="write a made-up session together with its truth")
@click.argument("session", type=click.Path(path_type=Path))
@click.option("--seed", type=int, help="Of everything random (default 0).")
@click.option("--reps", type=int, help="Repetitions of every set (default 8).")
@click.option("--left-range", type=float, metavar="DEG", help="Range of the left hip.")
@click.option("--right-range", type=float, metavar="DEG", help="Range of the right hip.")
@click.option("--preset", metavar="NAME", help=PRESET_HELP)
@click.option("--rate", type=float, metavar="HZ", help="Samples a second (default 100).")
@click.option(
    "--settings",
    "settings_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML with tables drill, left, right, sensors, info, events and faults.",
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="One setting, as in TOML: drill.hold_s=0, sensors.loss=0.05. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written, as JSON.")
def simulate(session: Path, settings_path: Path | None, as_json: bool, **options: Any) -> None:
    """Write a made-up session into the new folder SESSION, together with its truth.

    truth.csv and truth_angles.csv hold what an analysis should find, in the columns of reps.csv
    and angles.csv.
    """
    from analysis.commands.terminal import read_toml
    from imu.simulator.files import session_files
    from imu.simulator.sessions import simulate_session
    from imu.simulator.tables import session_settings
    from imu.storage.files import write_files

    if session.exists() and not (session.is_dir() and not any(session.iterdir())):
        raise CallError(f"{session}: exists already. Choose a new folder or delete it first.")
    source = str(settings_path) if settings_path else "hiprot simulate"
    table = read_toml(settings_path) if settings_path else {}
    for key, value in _changes(options):
        _put(table, key, value)
    truth_rate_hz = table.get("truth_rate_hz", 100)
    if isinstance(truth_rate_hz, bool) or not isinstance(truth_rate_hz, int | float):
        raise CallError(f"{source}: truth_rate_hz is {truth_rate_hz!r}. Give a number.")
    simulated = simulate_session(session.resolve().name, session_settings(table, source))
    files = session_files(simulated, float(truth_rate_hz))
    write_files({session / name: text for name, text in files.items()})
    _report(
        session, files, {name: len(one.reps) for name, one in simulated.truths.items()}, as_json
    )


def _changes(options: dict[str, Any]) -> list[tuple[str, object]]:
    """Translate the options into settings; ``--set`` comes last and wins."""
    keys = {
        "preset": "preset",
        "seed": "seed",
        "reps": "drill.reps",
        "left_range": "left.range_deg",
        "right_range": "right.range_deg",
        "rate": "sensors.rate_hz",
    }
    found = [(key, options[name]) for name, key in keys.items() if options[name] is not None]
    for text in options["changes"]:
        key, equals, value = text.partition("=")
        if not equals:
            raise CallError(f"--set {text}: expected KEY=VALUE, such as drill.hold_s=0.")
        try:
            found.append((key.strip(), tomllib.loads(f"value = {value}")["value"]))
        except tomllib.TOMLDecodeError:
            raise CallError(f"--set {text}: {value!r} is no TOML value; quote text.") from None
    return found


def _put(table: dict[str, Any], key: str, value: object) -> None:
    """Set ``a.b`` in a parsed TOML table."""
    *parents, last = key.split(".")
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise CallError(f"--set {key}: {parent} is no table.")
    table[last] = value


def _report(session: Path, files: dict[str, str], reps: dict[str, int], as_json: bool) -> None:
    import json

    if as_json:
        written = {"session": str(session), "files": sorted(files), "reps": reps}
        click.echo(json.dumps(written, indent=2))
    counts = ", ".join(f"{name} {count}" for name, count in reps.items())
    click.echo(f"{session}: wrote {len(files)} files; repetitions: {counts}", err=True)

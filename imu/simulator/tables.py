"""Parsed TOML -> the settings of a session, on top of a preset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from imu.errors import CallError
from imu.recording import SensorInfo, SessionInfo
from imu.simulator.faults import Fault
from imu.simulator.presets import PRESETS, Preset
from imu.simulator.sessions import Marker, SessionSettings
from imu.simulator.settings import DrillSettings, SensorSettings
from imu.validation import Made, Table, changed, converted, made, refuse_unknown

NO_PRESET = Preset(DrillSettings(), SensorSettings())
KEYS = ("preset", "seed", "sets", "calibration", "truth_rate_hz")
TABLES = ("drill", "sensors", "info", "events", "faults")
INFO = ("subject", "started", "planned_reps", "sensors", "notes", "context")


def session_settings(table: Table, source: str) -> SessionSettings:
    """Make a session's settings of a parsed TOML file.

    Parameters
    ----------
    table : Mapping
        ``preset``, ``seed``, ``sets`` (names; left and right by default), ``calibration``; tables
        ``drill`` (all sets), ``left`` and ``right`` (one side), ``left-2`` … (one set),
        ``sensors``, ``info`` (as ``session.json``), and lists of tables ``events`` and ``faults``.
    source : str
        The file's name, for messages.

    Raises
    ------
    CallError
        A name that is not known, or a value of the wrong kind.
    """
    names = _set_names(table, source)
    refuse_unknown(table, (*KEYS, *TABLES, "left", "right", *names), source)
    preset = _preset(table, source)
    base = changed(preset.drill, _table(table, "drill", source), f"{source}: [drill]")
    sets = {}
    for name in names:
        drill = base
        for part in dict.fromkeys((name.split("-")[0], name)):
            drill = changed(drill, _table(table, part, source), f"{source}: [{part}]")
        sets[name] = drill
    sensors = changed(preset.sensors, _table(table, "sensors", source), f"{source}: [sensors]")
    return SessionSettings(
        sets,
        sensors,
        seed=converted(table.get("seed", 0), int, f"{source}: seed"),
        info=_info(_table(table, "info", source), sets, sensors, f"{source}: [info]"),
        markers=_listed(table, "events", Marker, source),
        calibration=converted(table.get("calibration", False), bool, f"{source}: calibration"),
        faults=_listed(table, "faults", Fault, source),
    )


def _set_names(table: Table, source: str) -> list[str]:
    names = table.get("sets", ["left", "right"])
    if not isinstance(names, list) or not names or not all(isinstance(one, str) for one in names):
        raise CallError(f'{source}: sets is {names!r}. Give a list such as ["left", "right"].')
    return names


def _preset(table: Table, source: str) -> Preset:
    name = table.get("preset")
    if name is None:
        return NO_PRESET
    if not isinstance(name, str) or name not in PRESETS:
        raise CallError(f"{source}: unknown preset {name!r}. Known: {', '.join(PRESETS)}.")
    return PRESETS[name]


def _info(
    table: Table, sets: Mapping[str, DrillSettings], sensors: SensorSettings, where: str
) -> SessionInfo:
    """Take what is given, add the planned repetitions and the sensors' rates."""
    refuse_unknown(table, INFO, where)
    _refuse_values(table, where)
    given = _table(table, "sensors", where)
    rates = {"pelvis": sensors.rate_hz, "thigh": sensors.thigh_rate_hz or sensors.rate_hz}
    if sensors.shank:
        rates["shank"] = sensors.rate_hz
    known = tuple(field.name for field in fields(SensorInfo))
    infos = {}
    for segment, rate_hz in rates.items():
        entries = _table(given, segment, where)
        refuse_unknown(entries, known, f"{where} {segment}")
        _refuse_values(entries, f"{where} {segment}")
        infos[segment] = SensorInfo(**{"model": "simulated", "rate_hz": rate_hz, **entries})  # type: ignore[arg-type]
    planned = max(drill.reps for drill in sets.values())
    info = SessionInfo(**{"planned_reps": planned, **table})  # type: ignore[arg-type]
    return replace(info, sensors=infos)


def _refuse_values(table: Table, where: str) -> None:
    """Refuse what JSON would not hold; TOML's unquoted dates are such."""
    for name, value in table.items():
        if not isinstance(value, str | int | float | Mapping):
            raise CallError(f"{where}: {name} is {value!r}. Give a number or quoted text.")


def _listed(table: Table, key: str, kind: type[Made], source: str) -> tuple[Made, ...]:
    """Read a list of tables, such as ``[[events]]``."""
    rows, where = table.get(key, []), f"{source}: [[{key}]]"
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CallError(f"{where} is {rows!r}. Give tables with set and kind.")
    return tuple(made(kind, row, where) for row in rows)


def _table(table: Table, name: str, source: str) -> Table:
    value = table.get(name, {})
    if not isinstance(value, Mapping):
        raise CallError(f"{source}: {name} is {value!r}. Give a table, [{name}].")
    return value

"""Parsed TOML -> the settings of a session, on top of a preset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from imu.errors import CallError
from imu.recording import SensorInfo, SessionInfo
from imu.simulator.faults import Fault
from imu.simulator.presets import PRESETS, Preset
from imu.simulator.sessions import Marker, SessionSettings
from imu.simulator.settings import DrillSettings, SensorSettings, changed

Table = Mapping[str, object]

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
    _refuse_unknown(table, (*KEYS, *TABLES, "left", "right", *names), source)
    preset = _preset(table, source)
    base = changed(preset.drill, _table(table, "drill", source), f"{source}: [drill]")
    sets = {}
    for name in names:
        drill = base
        for part in dict.fromkeys((name.split("-")[0], name)):
            drill = changed(drill, _table(table, part, source), f"{source}: [{part}]")
        sets[name] = drill
    sensors = changed(preset.sensors, _table(table, "sensors", source), f"{source}: [sensors]")
    seed, calibration = table.get("seed", 0), table.get("calibration", False)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise CallError(f"{source}: seed is {seed!r}. Give a whole number.")
    if not isinstance(calibration, bool):
        raise CallError(f"{source}: calibration is {calibration!r}. Give true or false.")
    return SessionSettings(
        sets,
        sensors,
        seed=seed,
        info=_info(_table(table, "info", source), sets, sensors, f"{source}: [info]"),
        markers=_markers(table.get("events", []), f"{source}: [[events]]"),
        calibration=calibration,
        faults=_faults(table.get("faults", []), f"{source}: [[faults]]"),
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
    _refuse_unknown(table, INFO, where)
    _refuse_values(table, where)
    given = _table(table, "sensors", where)
    rates = {"pelvis": sensors.rate_hz, "thigh": sensors.thigh_rate_hz or sensors.rate_hz}
    if sensors.shank:
        rates["shank"] = sensors.rate_hz
    known = tuple(field.name for field in fields(SensorInfo))
    infos = {}
    for segment, rate_hz in rates.items():
        entries = _table(given, segment, where)
        _refuse_unknown(entries, known, f"{where} {segment}")
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


def _markers(rows: object, where: str) -> tuple[Marker, ...]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CallError(f"{where} is {rows!r}. Give tables with set, kind, and rep or time_s.")
    markers = []
    for row in rows:
        _refuse_unknown(row, ("set", "kind", "score", "text", "time_s", "rep"), where)
        if "set" not in row or "kind" not in row:
            raise CallError(f"{where}: an event needs a set and a kind.")
        entries = {"set_name" if key == "set" else key: value for key, value in row.items()}
        markers.append(Marker(**entries))
    return tuple(markers)


def _faults(rows: object, where: str) -> tuple[Fault, ...]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CallError(f"{where} is {rows!r}. Give tables with set and kind.")
    known = tuple("set" if f.name == "set_name" else f.name for f in fields(Fault))
    faults = []
    for row in rows:
        _refuse_unknown(row, known, where)
        if "set" not in row or "kind" not in row:
            raise CallError(f"{where}: a fault needs a set and a kind.")
        for name, value in row.items():
            _refuse_wrong_kind(name, value, where)
        entries = {"set_name" if key == "set" else key: value for key, value in row.items()}
        if "turn_deg" in entries:
            entries["turn_deg"] = tuple(float(angle) for angle in entries["turn_deg"])
        faults.append(Fault(**entries))
    return tuple(faults)


def _refuse_wrong_kind(name: str, value: object, where: str) -> None:
    """Refuse a fault's entry of the wrong kind."""
    kinds: dict[str, tuple[type, ...]] = {
        **dict.fromkeys(("set", "kind", "segment"), (str,)),
        **dict.fromkeys(("at_s", "lasts_s"), (int, float)),
        "times": (int,),
    }
    right = isinstance(value, kinds.get(name, (list,))) and not isinstance(value, bool)
    if name == "turn_deg" and isinstance(value, list):
        right = len(value) == 3 and all(isinstance(angle, int | float) for angle in value)
    if not right:
        raise CallError(f"{where}: {name} is {value!r}, which it cannot be.")


def _table(table: Table, name: str, source: str) -> Table:
    value = table.get(name, {})
    if not isinstance(value, Mapping):
        raise CallError(f"{source}: {name} is {value!r}. Give a table, [{name}].")
    return value


def _refuse_unknown(table: Table, known: tuple[str, ...], source: str) -> None:
    unknown = sorted(set(table) - set(known))
    if unknown:
        names = ", ".join(dict.fromkeys(known))
        raise CallError(f"{source}: unknown setting {unknown[0]!r}. Known: {names}.")

"""Any plain table, by a mapping in TOML that says what its columns are.

Nothing is guessed when a table is read: a unit that the mapping does not name is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imu.errors import CallError, RecordingError
from imu.formats.csvfile import shown
from imu.importers.text import Table, decode, read_table, require
from imu.importers.times import Lines, make_pair, make_signal, parse_clock, unwrap
from imu.importers.values import Recordings, Track, only_file, stem
from imu.samples import Array
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

NAME = "table"
ACC_UNITS = {"m/s2": 1.0, "g": STANDARD_GRAVITY_MS2, "mg": STANDARD_GRAVITY_MS2 / 1e3}
GYR_UNITS = {"rad/s": 1.0, "deg/s": RAD_PER_DEG, "mdeg/s": RAD_PER_DEG / 1e3}
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
CLOCK_UNIT, SAMPLES_UNIT = "clock", "samples"
KEYS = {"separator", "decimal", "header_line", "sensor_column", "phone", "time", "sensor"}
TIME_KEYS = {"column", "unit", "rate_hz", "wraps_at", "shared"}
SENSOR_KEYS = {"name", "acc", "acc_unit", "acc_sign", "gyr", "gyr_unit", "gyr_sign"} | {
    "time",
    "acc_time",
    "gyr_time",
}
SEPARATORS = (",", ";", "\t")
CORRECT = "Correct the mapping; --describe drafts one."


@dataclass(frozen=True, slots=True)
class SensorColumns:
    """One sensor's columns: three each, the factor to SI and sign of each, those of times."""

    name: str
    acc: tuple[str, ...]
    gyr: tuple[str, ...]
    factors: tuple[float, ...]
    acc_time: str
    gyr_time: str


@dataclass(frozen=True, slots=True)
class TableMapping:
    """A mapping, checked.

    Attributes
    ----------
    separator, decimal : str
        Between cells, in numbers.
    header_line : int
        The line of the header, from 1.
    sensor_column : str
        The column that says whose row it is; empty where every sensor has columns of its own.
    time_unit : str
        One of `TIME_UNITS`, ``clock`` or ``samples``.
    rate_hz, wraps_at : float
        Of ``samples``; where the counter begins anew; 0 where it does not.
    sensors : tuple of SensorColumns
        At least one.
    phone : bool
        Whether phones measured.
    shared : bool
        Whether the times of several files are of one clock.
    """

    separator: str
    decimal: str
    header_line: int
    sensor_column: str
    time_unit: str
    rate_hz: float
    wraps_at: float
    sensors: tuple[SensorColumns, ...]
    phone: bool = False
    shared: bool = False


def parse_mapping(table: Mapping[str, object], source: str) -> TableMapping:
    """Check a mapping, parsed from TOML.

    Raises
    ------
    CallError
        A key is unknown or missing, a unit is not one of ours.
    """
    _known(table, KEYS, source)
    time = _table(table, "time", source)
    _known(time, TIME_KEYS, f"{source}, time")
    unit = _one_of(time, "unit", (*TIME_UNITS, CLOCK_UNIT, SAMPLES_UNIT), f"{source}, time")
    sensors = table.get("sensor")
    if not isinstance(sensors, list) or not sensors:
        raise CallError(f"{source}: there is no [[sensor]]. Draft a mapping with --describe.")
    shared = time.get("column", "")
    rate_hz = _positive(time, "rate_hz", f"{source}, time")
    if unit == SAMPLES_UNIT and not rate_hz:
        raise CallError(f"{source}, time: rate_hz is missing. Say how many samples a second.")
    header = table.get("header_line", 1)
    if not isinstance(header, int) or isinstance(header, bool) or not 1 <= header <= 1000:
        raise CallError(f"{source}: header_line is {header!r}. Give a line number from 1 on.")
    return TableMapping(
        _one_of(table, "separator", SEPARATORS, source, ","),
        _one_of(table, "decimal", (".", ","), source, "."),
        header,
        str(table.get("sensor_column", "")),
        unit,
        rate_hz,
        _positive(time, "wraps_at", f"{source}, time"),
        tuple(_sensor(one, str(shared), source) for one in sensors),
        table.get("phone") is True,
        time.get("shared") is True,
    )


def _sensor(table: object, shared_time: str, source: str) -> SensorColumns:
    if not isinstance(table, dict):
        raise CallError(f"{source}: sensor is no table. Write [[sensor]].")
    name = table.get("name")
    if not isinstance(name, str) or not name:
        raise CallError(f'{source}: a sensor has no name. Write name = "pelvis".')
    where = f"{source}, sensor {name}"
    _known(table, SENSOR_KEYS, where)
    acc_factor = ACC_UNITS[_one_of(table, "acc_unit", tuple(ACC_UNITS), where)]
    gyr_factor = GYR_UNITS[_one_of(table, "gyr_unit", tuple(GYR_UNITS), where)]
    factors = [acc_factor * sign for sign in _signs(table, "acc_sign", where)]
    factors += [gyr_factor * sign for sign in _signs(table, "gyr_sign", where)]
    times = [
        str(table.get(key, table.get("time", shared_time))) for key in ("acc_time", "gyr_time")
    ]
    acc, gyr = (_columns(table, key, where) for key in ("acc", "gyr"))
    return SensorColumns(name, acc, gyr, tuple(factors), times[0], times[1])


def _known(table: Mapping[str, object], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        known_names = ", ".join(sorted(known))
        raise CallError(f"{where}: unknown key {unknown[0]!a}. Known: {known_names}.")


def _table(table: Mapping[str, object], key: str, source: str) -> Mapping[str, object]:
    value = table.get(key)
    if not isinstance(value, dict):
        raise CallError(f"{source}: there is no [{key}]. Draft a mapping with --describe.")
    return value


def _one_of(
    table: Mapping[str, object], key: str, known: Sequence[str], where: str, default: str = ""
) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or value not in known:
        names = ", ".join(json.dumps(one) for one in known)
        raise CallError(f"{where}: {key} is {value!a}. Write one of {names}.")
    return value


def _positive(table: Mapping[str, object], key: str, where: str) -> float:
    value = table.get(key, 0)
    sound = isinstance(value, int | float) and not isinstance(value, bool)
    if not sound or not 0 <= float(str(value)) <= 1e19:
        raise CallError(f"{where}: {key} is {value!a}. Give a positive number.")
    return float(str(value))


def _columns(table: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
    value = table.get(key)
    if not isinstance(value, list) or len(value) != 3 or not all(isinstance(x, str) for x in value):
        raise CallError(f"{where}: {key} is not three names of columns, x, y and z. Correct it.")
    return tuple(value)


def _signs(table: Mapping[str, object], key: str, where: str) -> list[float]:
    value = table.get(key, 1)
    signs: list[Any] = value if isinstance(value, list) else [value] * 3
    if len(signs) != 3 or any(sign not in (1, -1) or isinstance(sign, bool) for sign in signs):
        raise CallError(f"{where}: {key} is not 1, -1 or three of these. Correct it.")
    return [float(sign) for sign in signs]


def parse_mapped(
    files: Mapping[str, bytes], mapping: TableMapping, spread: bool = False
) -> Recordings:
    """Parse a table by its mapping.

    Raises
    ------
    RecordingError
        A column of the mapping is not there, a cell is no number, ...
    """
    name, data = only_file(files)
    text = decode(data, name)
    if text.count("\n") < mapping.header_line:
        what = f"fewer lines than header_line, {mapping.header_line}"
        raise RecordingError(name, what, "Correct the mapping.")
    table = read_table(text, name, mapping.header_line - 1, mapping.separator, mapping.decimal)
    tracks = tuple(_track(table, mapping, sensor, spread) for sensor in mapping.sensors)
    return Recordings(NAME, tracks, mapping.phone)


def _track(table: Table, mapping: TableMapping, sensor: SensorColumns, spread: bool) -> Track:
    named = [mapping.sensor_column] if mapping.sensor_column else []
    times = [one for one in (sensor.acc_time, sensor.gyr_time) if one]
    if not times and mapping.time_unit != SAMPLES_UNIT:
        raise RecordingError(table.source, f"{sensor.name} has no column of times", CORRECT)
    require(table, [*sensor.acc, *sensor.gyr, *times, *named], CORRECT)
    rows = _rows(table, mapping, sensor)
    source = f"{table.source}, {sensor.name}"
    factors = np.array(sensor.factors)
    if sensor.acc_time == sensor.gyr_time:
        values, lines = table.numbers([*sensor.acc, *sensor.gyr])
        time_s = _times(table, mapping, sensor.gyr_time, rows, lines[rows])
        acc, gyr, told = make_pair(time_s, values[rows] * factors, lines[rows], source, spread)
    else:
        values, lines = table.numbers(sensor.acc)
        time_s = _times(table, mapping, sensor.acc_time, rows, lines[rows])
        acc, told = make_signal(time_s, values[rows] * factors[:3], lines[rows], source, spread)
        values, lines = table.numbers(sensor.gyr)
        time_s = _times(table, mapping, sensor.gyr_time, rows, lines[rows])
        gyr, more = make_signal(time_s, values[rows] * factors[3:], lines[rows], source, spread)
        told += more
    label = stem(table.source) if len(mapping.sensors) == 1 else sensor.name
    clock = NAME if mapping.shared else f"{NAME} {table.source}"
    return Track(label, acc, gyr, clock, remarks=(*table.remarks(), *told))


def _rows(table: Table, mapping: TableMapping, sensor: SensorColumns) -> NDArray[np.bool_]:
    """Tell which rows are a sensor's."""
    if not mapping.sensor_column:
        return np.ones(len(table.texts(table.names[0])), dtype=bool)
    rows = np.array([one == sensor.name for one in table.texts(mapping.sensor_column)])
    if not rows.any():
        where = f"{table.source}, column {mapping.sensor_column}"
        raise RecordingError(where, f"no row of {shown(sensor.name)}", CORRECT)
    return rows


def _times(
    table: Table, mapping: TableMapping, column: str, rows: NDArray[np.bool_], lines: Lines
) -> Array:
    """Read a column of times, of the sensor's rows; without one count samples."""
    if mapping.time_unit == CLOCK_UNIT:
        texts = [one for one, own in zip(table.texts(column), rows, strict=True) if own]
        return parse_clock(texts, table.source, lines)
    if not column:
        even: Array = np.arange(len(lines)) / mapping.rate_hz
        return even
    counter = table.numbers([column])[0][rows, 0]
    if mapping.wraps_at:
        counter = unwrap(counter, mapping.wraps_at)
    samples = mapping.time_unit == SAMPLES_UNIT
    scaled: Array = counter * (1.0 / mapping.rate_hz if samples else TIME_UNITS[mapping.time_unit])
    return scaled

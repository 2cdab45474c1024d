"""Any plain table, by a mapping in TOML that says what its columns are.

`draft` writes a first mapping of a file: what it cannot know it asks for in a comment. Nothing is
guessed when a table is read: a unit that the mapping does not name is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imu.errors import CallError, RecordingError
from imu.formats.csvfile import NUMBER, shown
from imu.importers.text import Table, decode, read_table, require, separators_of
from imu.importers.times import Lines, make_pair, parse_clock, unwrap
from imu.importers.values import Recordings, Track, only_file
from imu.samples import Array
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

NAME = "table"
ACC_UNITS = {"m/s2": 1.0, "g": STANDARD_GRAVITY_MS2, "mg": STANDARD_GRAVITY_MS2 / 1e3}
GYR_UNITS = {"rad/s": 1.0, "deg/s": RAD_PER_DEG, "mdeg/s": RAD_PER_DEG / 1e3}
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
CLOCK_UNIT, SAMPLES_UNIT = "clock", "samples"
KEYS = {"separator", "decimal", "header_line", "sensor_column", "phone", "time", "sensor"}
TIME_KEYS = {"column", "unit", "rate_hz", "wraps_at"}
SENSOR_KEYS = {"name", "acc", "acc_unit", "acc_sign", "gyr", "gyr_unit", "gyr_sign", "time"}
SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class SensorColumns:
    """One sensor's columns: three each, the factor to SI and sign of each."""

    name: str
    acc: tuple[str, ...]
    gyr: tuple[str, ...]
    factors: tuple[float, ...]
    time: str


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
    time = str(table.get("time", shared_time))
    return SensorColumns(
        name, _columns(table, "acc", where), _columns(table, "gyr", where), tuple(factors), time
    )


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
    columns = [*sensor.acc, *sensor.gyr]
    timed = mapping.time_unit != SAMPLES_UNIT or bool(sensor.time)
    wanted = [*columns, *([sensor.time] if timed else [])]
    named = [mapping.sensor_column] if mapping.sensor_column else []
    require(table, [*wanted, *named], "Correct the mapping; --describe drafts one.")
    values, lines = table.numbers(columns)
    rows = np.ones(len(values), dtype=bool)
    if mapping.sensor_column:
        rows = np.array([one == sensor.name for one in table.texts(mapping.sensor_column)])
        if not rows.any():
            where = f"{table.source}, column {mapping.sensor_column}"
            raise RecordingError(where, f"no row of {shown(sensor.name)}", "Correct the mapping.")
    values, lines = values[rows] * np.array(sensor.factors), lines[rows]
    time_s = _times(table, mapping, sensor, rows, lines)
    source = f"{table.source}, {sensor.name}"
    acc, gyr, told = make_pair(time_s, values, lines, source, spread)
    return Track(sensor.name, acc, gyr, f"table {table.source}", remarks=(*table.remarks(), *told))


def _times(
    table: Table, mapping: TableMapping, sensor: SensorColumns, rows: Array, lines: Lines
) -> Array:
    if mapping.time_unit == CLOCK_UNIT:
        texts = [one for one, own in zip(table.texts(sensor.time), rows, strict=True) if own]
        return parse_clock(texts, table.source, lines)
    if mapping.time_unit == SAMPLES_UNIT and not sensor.time:
        even: Array = np.arange(len(lines)) / mapping.rate_hz
        return even
    counter = table.numbers([sensor.time])[0][rows, 0]
    if mapping.wraps_at:
        counter = unwrap(counter, mapping.wraps_at)
    samples = mapping.time_unit == SAMPLES_UNIT
    factor = 1.0 / mapping.rate_hz if samples else TIME_UNITS[mapping.time_unit]
    scaled: Array = counter * factor
    return scaled


def draft(data: bytes, source: str) -> str:
    """Draft a mapping of a file.

    Parameters
    ----------
    data : bytes
        The file.
    source : str
        Its name.

    Returns
    -------
    str
        TOML; every line that rests on a guess says so.
    """
    text = decode(data[: 2**20], source)
    at = _header_line(text)
    rest = text.split("\n", at)[-1]
    separator, decimal = separators_of(rest)
    first, _, _ = rest.partition("\n")
    names = [one.strip(' "') for one in first.split(separator)]
    lines = [
        f"# A mapping of {json.dumps(source)} for hiprot import --format table --map THIS.",
        "# Units and signs decide the result: check every line against the maker's manual.",
        f"# Columns: {json.dumps(names, ensure_ascii=False)}",
        f"separator = {json.dumps(separator)}",
        f"decimal = {json.dumps(decimal)}",
        f"header_line = {at + 1}",
        *_draft_time(names),
    ]
    triples = _triples(names)
    acc = [one for one in triples if one[0] == "acc"] or [("acc", ("?", "?", "?"), "?")]
    gyr = [one for one in triples if one[0] == "gyr"] or [("gyr", ("?", "?", "?"), "?")]
    for number in range(max(len(acc), len(gyr))):
        segment = ("pelvis", "thigh", "shank")[min(number, 2)]
        lines += ["", "[[sensor]]", f"name = {json.dumps(segment)}  # a guess"]
        for kind, found in (("acc", acc), ("gyr", gyr)):
            _, columns, unit = found[min(number, len(found) - 1)]
            lines.append(f"{kind} = {json.dumps(list(columns), ensure_ascii=False)}")
            lines.append(f"{kind}_unit = {json.dumps(unit)}  # {_units_known(kind)}")
            lines.append(f"{kind}_sign = [1, 1, 1]")
    return "\n".join(lines) + "\n"


def _units_known(kind: str) -> str:
    return "one of " + ", ".join(ACC_UNITS if kind == "acc" else GYR_UNITS)


def _header_line(text: str) -> int:
    """Find the line before the first rows of numbers."""
    lines = text.split("\n")[:200]
    for number in range(1, len(lines)):
        cells = [one.strip(' "').replace(",", ".") for one in re.split(r"[;\t]", lines[number])]
        if len(cells) == 1:
            cells = [one.strip(' "') for one in lines[number].split(",")]
        if len(cells) > 3 and sum(bool(NUMBER.fullmatch(one)) for one in cells) > len(cells) / 2:
            return number - 1
    return 0


def _draft_time(names: Sequence[str]) -> list[str]:
    column = next((one for one in names if re.search(r"time|epoch|zeit", one, re.I)), "?")
    unit = next(
        (
            unit
            for unit, words in (("ms", r"\bms\b|milli|epoch"), ("us", r"\bus\b|µs|micro|fine"),
                                ("ns", r"\bns\b|nano"))
            if re.search(words, column, re.I)
        ),
        "s",
    )  # fmt: skip
    known = ", ".join((*TIME_UNITS, CLOCK_UNIT, SAMPLES_UNIT))
    return [
        "", "[time]", f"column = {json.dumps(column, ensure_ascii=False)}",
        f"unit = {json.dumps(unit)}  # a guess; one of {known} (then rate_hz, too)",
    ]  # fmt: skip


def _triples(names: Sequence[str]) -> list[tuple[str, tuple[str, str, str], str]]:
    """Find columns that differ in x, y, z alone, and tell acceleration from rate by their words."""
    found = []
    for name in names:
        for match in re.finditer(r"x", name, re.I):
            same = "X" if match[0] == "X" else "x"
            axes = ["XYZ", "xyz"][same == "x"]
            triple = tuple(name[: match.start()] + axis + name[match.end() :] for axis in axes)
            if set(triple) <= set(names):
                kind, unit = _kind(name)
                if kind:
                    found.append((kind, (triple[0], triple[1], triple[2]), unit))
                break
    return found


def _kind(name: str) -> tuple[str, str]:
    """Tell a column's quantity and unit by its words; the unit is ``?`` where it does not say."""
    low = name.lower()
    if re.search(r"free|linear|grav|mag|quat|euler", low):
        return "", ""
    if re.search(r"gyr|angular|rad/s|deg/s|°/s|dps|\bw_?x", low):
        unit = "rad/s" if "rad" in low else "deg/s" if re.search(r"deg|°|dps", low) else "?"
        return "gyr", unit
    if re.search(r"acc|\(g\)|m/s|\[g\]|mg\b", low):
        unit = "mg" if re.search(r"\bmg\b", low) else "g" if re.search(r"[(\[]g[)\]]", low) else ""
        return "acc", unit or ("m/s2" if "m/s" in low else "?")
    return "", ""

"""Sensor Logger (Android, iOS): a folder or zip a recording, a CSV a sensor, or one JSON.

Checked against real files of an iPhone (app 1.10, older signs) and an Android phone (1.28): rates,
axes and signs; the JSON form and ``standardisation`` are from the maker's description.

``time`` is UTC in ns, too long for a float: it is read as a whole number. Android gives
``TotalAcceleration``, gravity in it and up positive. iOS gives ``Accelerometer`` (without gravity)
and ``Gravity`` apart, and both point the other way unless ``Metadata.csv`` says standardised.
Files of a watch differ in unit and sign by version and are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from imu.errors import RecordingError
from imu.formats.csvfile import place
from imu.formats.sessionfile import strict_json
from imu.importers.joining import at_times
from imu.importers.text import Table, decode, read_table
from imu.importers.times import make_signal
from imu.importers.values import (
    UNIX,
    Importer,
    Recordings,
    Signal,
    Track,
    by_folder,
    stem,
)
from imu.recording import SensorInfo

NAME = "sensor-logger"
WANTED = ("Accelerometer", "TotalAcceleration", "Gravity", "Gyroscope")
WATCH = ("WatchAccelerometer", "WatchGyroscope", "WristMotion", "WatchMotion")
AGAIN = "Switch on gyroscope and accelerometer (Android: total acceleration), and record again."


def sniff(name: str, head: bytes) -> bool:
    """Whether it is one of the app's files."""
    text = head[:2000].decode("utf-8", "replace").lstrip("\ufeff \n\r\t")
    if text.startswith("time,seconds_elapsed,"):
        return True
    if name.lower().endswith("metadata.csv"):
        return text.startswith("version,device name,") or "recording epoch time" in text
    return text.startswith("[") and '"sensor"' in text and '"seconds_elapsed"' in text


def group(name: str) -> str:
    """One folder is one recording; a JSON file is one by itself."""
    return name if name.lower().endswith(".json") else by_folder(name)


def parse(files: Mapping[str, bytes], spread: bool = False) -> Recordings:
    """Parse one phone's recording; see the module."""
    tables, metadata = _tables(files)
    where = next(iter(files)).rpartition("/")[0] or next(iter(files))
    if "Gyroscope" not in tables and any(name in tables for name in WATCH):
        what = "only files of a watch, whose unit and sign differ by version"
        raise RecordingError(where, what, "Record with the phone's own sensors.")
    if "Gyroscope" not in tables:
        raise RecordingError(where, "there is no Gyroscope", AGAIN)
    told: list[str] = []
    signals: dict[str, Signal] = {}
    unused = ("Accelerometer", "Gravity") if "TotalAcceleration" in tables else ()
    for name in WANTED:
        if name in tables and name not in unused:
            signals[name], left_out = _signal(tables[name], spread)
            told += [f"{name}: {one}" for one in (*left_out, *tables[name].remarks())]
    acc, sign_told = _specific_force(signals, metadata, where)
    started = datetime.fromtimestamp(float(signals["Gyroscope"].time_s[0]), UTC)
    info = SensorInfo(metadata.get("device name") or "phone")
    label = stem(where)
    remarks = (*told, *sign_told)
    track = Track(
        label,
        acc,
        signals["Gyroscope"],
        UNIX,
        started.isoformat("T", "milliseconds"),
        info,
        remarks,
    )
    return Recordings(NAME, (track,), phone=True)


def _tables(files: Mapping[str, bytes]) -> tuple[dict[str, Table], dict[str, str]]:
    """Read all tables by their sensor's name, and what is said of the phone."""
    tables: dict[str, Table] = {}
    metadata: dict[str, str] = {}
    for name, data in files.items():
        if name.lower().endswith(".json"):
            return _json_tables(decode(data, name), name)
        text = decode(data, name)
        sensor = stem(name)
        if sensor == "Metadata":
            metadata = _metadata(text)
        elif sensor in (*WANTED, *WATCH) and text.strip().count("\n"):
            tables[sensor] = read_table(text, name, 0)
    return tables, metadata


def _metadata(text: str) -> dict[str, str]:
    """Read the one row of ``Metadata.csv``, whose columns differ by version."""
    head, _, rest = text.lstrip("\n").partition("\n")
    cells = rest.partition("\n")[0].split(",")
    return dict(zip([name.strip() for name in head.split(",")], cells, strict=False))


def _json_tables(text: str, source: str) -> tuple[dict[str, Table], dict[str, str]]:
    """Lay the one JSON array out as the tables that it stands for."""
    try:
        rows = strict_json(text)
    except (ValueError, RecursionError) as error:
        what = f"not JSON: {str(error)[:100]}"
        raise RecordingError(source, what, "Export it again, as CSV.") from None
    lines: dict[str, list[str]] = {}
    metadata: dict[str, str] = {}
    for row in rows if isinstance(rows, list) else []:
        sensor = str(row.get("sensor")) if isinstance(row, dict) else ""
        if sensor == "Metadata":
            metadata = {key: str(value) for key, value in row.items()}
        elif sensor in (*WANTED, *WATCH):
            cells = [_cell(row.get(key, "")) for key in ("time", "z", "y", "x")]
            lines.setdefault(sensor, []).append(",".join(cells))
    tables = {
        sensor: read_table("time,z,y,x\n" + "\n".join(rows_) + "\n", f"{source}, {sensor}", 0)
        for sensor, rows_ in lines.items()
    }
    return tables, metadata


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace(",", ".").replace("\n", " ") or "nan"


def _signal(table: Table, spread: bool) -> tuple[Signal, list[str]]:
    """Take one sensor's three axes, whose columns stand in the order z, y, x."""
    columns = [_axis(table, axis) for axis in "xyz"]
    values, lines = table.numbers(columns)
    time_s = _seconds(table)
    if len(time_s) != len(values):
        raise RecordingError(table.source, "rows of unlike length", "Export it again.")
    return make_signal(time_s, values, lines, table.source, spread)


def _axis(table: Table, axis: str) -> str:
    """Find an axis' column: ``x``, in older files ``ACCELEROMETER X (m/s²)``."""
    for name in table.names:
        if name == axis or f" {axis.upper()} (" in name:
            return name
    where = place(table.source, table.first_line - 1)
    raise RecordingError(where, f"there is no column {axis}", "Export it again, as CSV.")


def _seconds(table: Table) -> np.ndarray:
    """Read ``time``, ns since 1970, exactly, and give seconds."""
    found = table.whole_numbers("time") if "time" in table.names else np.zeros(0, np.int64)
    if found is None:
        texts = table.texts("time")
        found = np.array([_whole(text, row, table) for row, text in enumerate(texts)], np.int64)
    whole: NDArray[np.int64] = found
    if not len(whole) or whole.min() < 10**17:
        where = place(table.source, table.first_line, "time")
        raise RecordingError(where, "time is not UTC in nanoseconds", "Export it again, as CSV.")
    seconds, rest = np.divmod(whole, 10**9)
    return seconds + rest / 1e9


def _whole(text: str, row: int, table: Table) -> int:
    """Read one time that is no plain whole number, or refuse it."""
    plain = text.strip('"')
    if plain.isascii() and plain.isdecimal() and len(plain) < 19:
        return int(plain)
    where = place(table.source, table.first_line + row, "time")
    raise RecordingError(where, f"{plain[:40]!a} is no time in ns", "Correct or delete the line.")


def _specific_force(
    signals: Mapping[str, Signal], metadata: Mapping[str, str], where: str
) -> tuple[Signal, list[str]]:
    """Put gravity in where it is apart, and turn up what points down."""
    platform = metadata.get("platform", "").lower()
    standard = metadata.get("standardisation", "").lower() == "true"
    sign = -1.0 if platform == "ios" and not standard else 1.0
    told = ["acceleration and gravity turned over, as this version of iOS' app needs"]
    told = told if sign < 0 else []
    if "TotalAcceleration" in signals:
        total = signals["TotalAcceleration"]
        return Signal(total.time_s, sign * total.values), told
    if not {"Accelerometer", "Gravity"} <= signals.keys():
        raise RecordingError(where, "there is no acceleration with gravity in it", AGAIN)
    if platform not in ("ios", "android"):
        what = "no Metadata.csv says which phone it was, so which way is up"
        raise RecordingError(where, what, "Put Metadata.csv of the recording beside the others.")
    linear = signals["Accelerometer"]
    gravity, left_out = at_times(signals["Gravity"], linear.time_s)
    kept = np.isfinite(gravity).all(axis=1)
    if left_out:
        told.append(f"{left_out} samples without gravity left out")
    force = sign * (linear.values[kept] + gravity[kept])
    return Signal(linear.time_s[kept], force), told


IMPORTER = Importer(NAME, sniff, parse, "real files of an iPhone and an Android phone", group)
IMPORTERS = (IMPORTER,)

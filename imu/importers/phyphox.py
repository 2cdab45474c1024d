"""phyphox (Android, iOS): a zip or folder with a CSV a sensor, or one sheet a sensor in ``.xls``.

Checked against a real recording of an iPhone (1.1.16, semicolons and points); the other four kinds
of separator, Android's headers and the Excel form are from the app's source.

The file's or sheet's name decides, not its header: ``Gravity`` has the header of ``Accelerometer``.
Up is positive on both systems. ``meta/time.csv`` maps the experiment's time, which stands still in
a pause, to the time of day; without it the clock is the phone's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from imu.errors import RecordingError
from imu.formats.csvfile import place
from imu.importers.excel import MARK as EXCEL
from imu.importers.excel import read_sheets
from imu.importers.joining import at_times
from imu.importers.text import Table, decode, read_table, separators_of
from imu.importers.times import make_signal
from imu.importers.values import UNIX, Importer, Recordings, Signal, Track, by_folder, stem
from imu.recording import SensorInfo
from imu.samples import Array

NAME = "phyphox"
SHEETS = ("Accelerometer", "Gyroscope", "Linear Accelerometer", "Linear Acceleration", "Gravity")
AGAIN = "Record acceleration (with g) and gyroscope together in one experiment of phyphox."


def sniff(name: str, head: bytes) -> bool:
    """Whether it is a CSV of the app's, or an old Excel file."""
    if head.startswith(EXCEL):
        return name.lower().endswith(".xls")
    text = head[:500].decode("utf-8", "replace").lstrip("\ufeff")
    if name.replace("\\", "/").endswith(("meta/time.csv", "meta/device.csv")):
        return text.startswith(('"event"', '"property"', "event", "property"))
    return text.startswith(('"Time (s)"', "Time (s)"))


def group(name: str) -> str:
    """One folder is one recording; an Excel file is one by itself."""
    return name if name.lower().endswith(".xls") else by_folder(name)


def parse(files: Mapping[str, bytes], spread: bool = False) -> Recordings:
    """Parse one phone's recording; see the module."""
    tables, model = _tables(files)
    where = next(iter(files)).rpartition("/")[0] or next(iter(files))
    told: list[str] = []
    signals: dict[str, Signal] = {}
    for name in SHEETS:
        if name in tables:
            signals[name], remarks = _signal(tables[name], spread)
            told += [f"{name}: {one}" for one in (*remarks, *tables[name].remarks())]
    if "Gyroscope" not in signals:
        raise RecordingError(where, "there is no Gyroscope", AGAIN)
    acc = _specific_force(signals, where, told)
    gyr = signals["Gyroscope"]
    clock, started = "", None
    if "time" in tables:
        starts = _starts(tables["time"])
        acc, gyr = (Signal(_day_s(one.time_s, starts), one.values) for one in (acc, gyr))
        clock = UNIX
        started = datetime.fromtimestamp(float(gyr.time_s[0]), UTC).isoformat("T", "milliseconds")
    track = Track(stem(where), acc, gyr, clock, started, SensorInfo(model), tuple(told))
    return Recordings(NAME, (track,), phone=True)


def _tables(files: Mapping[str, bytes]) -> tuple[dict[str, Table], str]:
    """Read every table by its file's or sheet's name, and the phone's model."""
    tables: dict[str, Table] = {}
    model = "phone"
    for name, data in files.items():
        if data.startswith(EXCEL):
            sheets = read_sheets(data, name)
        else:
            sheets = {stem(name): decode(data, name)}
        for sheet, text in sheets.items():
            key = "time" if sheet == "Metadata Time" else sheet
            source = f"{name}, {sheet}" if len(sheets) > 1 else name
            if sheet in ("device", "Metadata Device"):
                model = _model(text) or model
            elif key in (*SHEETS, "time") and text.strip().count("\n"):
                tables[key] = read_table(text, source, 0, *separators_of(text[:8192]))
    return tables, model


def _model(text: str) -> str:
    """Find the phone's model among the lines of ``meta/device.csv``; empty where it is not."""
    found = re.search(r'^"?deviceModel"?[;,\t]"?([^"\n;\t]*)', text, re.MULTILINE)
    return found[1].strip() if found else ""


def _signal(table: Table, spread: bool) -> tuple[Signal, list[str]]:
    """Take time and three axes, the first four columns."""
    if len(table.names) < 4:
        where = place(table.source, table.first_line - 1)
        raise RecordingError(where, f"{len(table.names)} columns, not time and x, y, z", AGAIN)
    values, lines = table.numbers(table.names[:4])
    return make_signal(values[:, 0], values[:, 1:], lines, table.source, spread)


def _specific_force(signals: Mapping[str, Signal], where: str, told: list[str]) -> Signal:
    """Take acceleration with gravity, or put it together."""
    if "Accelerometer" in signals:
        return signals["Accelerometer"]
    linear = signals.get("Linear Accelerometer") or signals.get("Linear Acceleration")
    if linear is None or "Gravity" not in signals:
        raise RecordingError(where, "there is no acceleration with gravity in it", AGAIN)
    gravity, left_out = at_times(signals["Gravity"], linear.time_s)
    kept = np.isfinite(gravity).all(axis=1)
    told.append(f"acceleration and gravity added; {left_out} samples without gravity left out")
    return Signal(linear.time_s[kept], linear.values[kept] + gravity[kept])


def _starts(table: Table) -> Array:
    """Experiment time and time of day of every start, shape (k, 2)."""
    events = [one.strip('"').upper() for one in table.texts(table.names[0])]
    values, _ = table.numbers(table.names[1:3])
    starts = values[[event == "START" for event in events]]
    if not len(starts) or not np.isfinite(starts).all() or starts[0, 1] < 1e8:
        remedy = "Leave meta/time.csv out; the clock is then the phone's own."
        raise RecordingError(table.source, "no start with its time of day", remedy)
    return starts[np.argsort(starts[:, 0], kind="stable")]


def _day_s(time_s: Array, starts: Array) -> Array:
    """Turn times of the experiment into times of day; a pause shows as a gap."""
    which = (np.searchsorted(starts[:, 0], time_s, "right") - 1).clip(0)
    day: Array = starts[which, 1] + (time_s - starts[which, 0])
    return np.maximum.accumulate(day)


IMPORTER = Importer(NAME, sniff, parse, "a real recording of an iPhone (CSV)", group)
IMPORTERS = (IMPORTER,)

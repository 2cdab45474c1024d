"""WitMotion: what the PC program, the phone app and the maker's example programs write.

From descriptions and code that reads such files; no real file was at hand. Commas or tabs, a mark
before the text, a cell too many, a code page that garbles the degree sign; the rows of several
sensors interleaved, told by ``Device name``. Acceleration in g, rate in deg/s unless the header
says rad/s.

``Chip Time`` is the sensor's own clock, set by nobody; ``Time`` is when the computer received the
row, which packets share. With both, the second becomes ``arrival_s`` and sensors meet on the
computer's clock; with one alone that is the clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from imu.errors import RecordingError
from imu.formats.csvfile import place
from imu.importers.text import Table, decode, read_table, separators_of
from imu.importers.times import Lines, make_signal, parse_clock
from imu.importers.values import Importer, Recordings, Signal, Track, only_file, stem
from imu.recording import SensorInfo
from imu.samples import Array
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

NAME = "witmotion"
ACC = r"^(acceleration|acc|a) ?_?{axis} ?\(g\)$"
GYR = r"^(angular ?velocity|angvel|gyro|as|w) ?_?{axis} ?\((?P<unit>[^)]*)/s\)$"
HOST = r"^(record)? ?time ?(\(s?\))?$"
CHIP = r"^chip ?time ?(\(s?\))?$"
DEVICE = r"^(device ?(name|id)?|equipment|address)$"
AGAIN = "Record with acceleration and angular velocity switched on."
MIN_FRESH = 0.9  # of chip times that differ from the one before


def sniff(name: str, head: bytes) -> bool:
    """Whether its first lines hold a header of WitMotion's."""
    del name
    return _header_line(_plain(head)) is not None


def _plain(head: bytes) -> str:
    try:
        return decode(head, "")[:8192]
    except RecordingError:
        return ""


def _header_line(text: str) -> int | None:
    for number, line in enumerate(text.split("\n")[:5]):
        names = re.split(r"[,;\t]", line)
        if _find(names, ACC.format(axis="x")) and _find(names, GYR.format(axis="x")):
            return number
    return None


def _find(names: list[str] | tuple[str, ...], pattern: str) -> str:
    """Find the column whose name matches; empty where none does."""
    plain = re.compile(pattern, re.IGNORECASE)
    return next((name for name in names if plain.match(name.strip().strip('"'))), "")


def parse(files: Mapping[str, bytes], spread: bool = False) -> Recordings:
    """Parse one file, of one sensor or several; see the module."""
    name, data = only_file(files)
    text = decode(data, name)
    at = _header_line(text[:8192])
    if at is None:
        raise RecordingError(name, "no header with acceleration and angular velocity", AGAIN)
    rest = text.split("\n", at)[-1]
    table = read_table(text, name, at, *separators_of(rest[:8192]))
    values, lines = _values(table)
    times = {
        kind: parse_clock(table.texts(column), name, lines)
        for kind, pattern in (("host", HOST), ("chip", CHIP))
        if (column := _find(table.names, pattern))
    }
    if not times:
        raise RecordingError(place(name, at + 1), "there is no column of times", AGAIN)
    device = _find(table.names, DEVICE)
    labels = np.array(table.texts(device) if device else [stem(name)] * len(values))
    tracks = tuple(
        _track(label or stem(name), labels == label, values, times, lines, table, spread)
        for label in dict.fromkeys(labels.tolist())
    )
    return Recordings(NAME, tracks)


def _values(table: Table) -> tuple[Array, Lines]:
    """Read acceleration and rate, shape (n, 6), SI."""
    columns, factors = [], []
    for pattern in (ACC, GYR):
        for axis in "xyz":
            column = _find(table.names, pattern.format(axis=axis))
            if not column:
                where = place(table.source, table.first_line - 1)
                raise RecordingError(where, f"a column of axis {axis} is missing", AGAIN)
            columns.append(column)
            unit = re.match(GYR.format(axis=axis), column, re.IGNORECASE)
            rad = unit is not None and "rad" in unit["unit"]
            factors.append(STANDARD_GRAVITY_MS2 if unit is None else 1.0 if rad else RAD_PER_DEG)
    values, lines = table.numbers(columns)
    return values * factors, lines


def _track(
    label: str, rows: Array, values: Array, times: Mapping[str, Array], lines: Lines,
    table: Table, spread: bool,
) -> Track:  # fmt: skip
    """Make one sensor's track of its rows."""
    own = {kind: time_s[rows] for kind, time_s in times.items()}
    told = list(table.remarks())
    if "chip" in own and "host" in own:
        fresh = np.mean(np.diff(own["chip"]) != 0) if rows.sum() > 1 else 0.0
        if fresh < MIN_FRESH:
            told.append("chip time stands still; the computer's time is used")
            own.pop("chip")
    kind = "chip" if "chip" in own else "host"
    columns = [values[rows], own["host"][:, None]] if len(own) == 2 else [values[rows]]
    both, remarks = make_signal(
        own[kind], np.column_stack(columns), lines[rows], f"{table.source}, {label}", spread
    )
    arrival_s = both.values[:, 6] if len(own) == 2 else None
    clock = f"host of {table.source}" if "host" in own else ""
    match = re.search(r"([0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5})", label)
    info = SensorInfo("WitMotion", match[1].upper() if match else None)
    acc, gyr = (Signal(both.time_s, both.values[:, at : at + 3]) for at in (0, 3))
    return Track(label, acc, gyr, clock, None, info, (*told, *remarks), arrival_s)


IMPORTER = Importer(NAME, sniff, parse, "descriptions and code that reads them only")
IMPORTERS = (IMPORTER,)

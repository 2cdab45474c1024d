"""Shimmer Consensys: calibrated CSV, one sensor or several in a file.

From quoted real lines and code that reads such files. A hint for spreadsheets, the columns
``<name>_Accel_WR_X_CAL``, their units, then rows that end in a separator. Of two accelerometers the
low-noise one (``LN``) is taken where it is, else the wide-range one. ``Unix`` times are ms since
1970, which the base station sets alike in all its sensors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from imu.errors import RecordingError
from imu.formats.csvfile import place, shown
from imu.importers.text import Table, decode, read_table, separators_of
from imu.importers.times import Lines, make_pair, parse_clock
from imu.importers.values import Importer, Recordings, Track, only_file
from imu.recording import SensorInfo
from imu.samples import Array
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

NAME = "shimmer"
COLUMN = re.compile(r"^(.*)_Gyro_X_CAL$")
UNITS = {
    "m/(s^2)": 1.0, "m/(sec^2)": 1.0, "m/s^2": 1.0, "g": STANDARD_GRAVITY_MS2,
    "deg/s": RAD_PER_DEG, "deg/sec": RAD_PER_DEG, "rad/s": 1.0,
}  # fmt: skip
TIMES = ("TimestampSync_Unix_CAL", "Timestamp_Unix_CAL", "TimestampSync_FormattedUnix_CAL",
         "Timestamp_FormattedUnix_CAL", "TimestampSync_CAL", "Timestamp_CAL")  # fmt: skip
AGAIN = "Export calibrated data (CAL) with acceleration, gyroscope and Unix time from Consensys."


def sniff(name: str, head: bytes) -> bool:
    """Whether columns are named as Consensys names them."""
    del name
    return b"_Gyro_X_CAL" in head[:16384] or b"_Gyro_X_RAW" in head[:16384]


def parse(files: Mapping[str, bytes], spread: bool = False) -> Recordings:
    """Parse one file; see the module."""
    name, data = only_file(files)
    text = decode(data, name)
    lines = text[:65536].split("\n")
    at = next((row for row, line in enumerate(lines[:5]) if "_Gyro_X_" in line), None)
    if at is None or at + 1 >= len(lines) or "_Gyro_X_CAL" not in lines[at]:
        raise RecordingError(name, "no columns of calibrated angular rate", AGAIN)
    separator, decimal = separators_of("\n".join([lines[at], *lines[at + 2 : at + 20]]))
    units = [cell.strip(' "') for cell in lines[at + 1].split(separator)]
    body = text.split("\n", at + 2)[-1]
    # the units' line leaves, an empty one keeps the lines' numbers
    table = read_table("\n" * (at + 1) + lines[at] + "\n" + body, name, at + 1, separator, decimal)
    unit_of = dict(zip(table.names, units, strict=False))
    prefixes = [match[1] for column in table.names if (match := COLUMN.match(column))]
    tracks = tuple(_track(table, prefix, unit_of, spread) for prefix in prefixes)
    return Recordings(NAME, tracks)


def _track(table: Table, prefix: str, unit_of: Mapping[str, str], spread: bool) -> Track:
    """Make the track of one sensor's columns."""
    for kind in ("LN", "WR"):
        acc = [f"{prefix}_Accel_{kind}_{axis}_CAL" for axis in "XYZ"]
        if set(acc) <= set(table.names):
            break
    else:
        where = place(table.source, table.first_line - 1)
        raise RecordingError(where, f"{shown(prefix)} has no calibrated acceleration", AGAIN)
    columns = [*acc, *(f"{prefix}_Gyro_{axis}_CAL" for axis in "XYZ")]
    factors = []
    for column in columns:
        unit = unit_of.get(column, "")
        if column not in table.names or unit not in UNITS:
            where = place(table.source, table.first_line - 2, column)
            raise RecordingError(where, f"the unit is {shown(unit)}", AGAIN)
        factors.append(UNITS[unit])
    values, lines = table.numbers(columns)
    time_s, clock = _times(table, prefix, lines)
    both = make_pair(time_s, values * np.array(factors), lines, table.source, spread)
    label = prefix.removeprefix("S_")
    remarks = (*table.remarks(), f"accelerometer {kind}", *both[2])
    return Track(label, both[0], both[1], clock, None, SensorInfo("Shimmer"), remarks)


def _times(table: Table, prefix: str, lines: Lines) -> tuple[Array, str]:
    """Read the best clock there is: of the station, else the sensor's own."""
    for own in (f"{prefix}_", ""):
        for name in TIMES:
            column = f"{own}{name}"
            if column not in table.names:
                continue
            if "Formatted" in name:
                return parse_clock(table.texts(column), table.source, lines), NAME
            clock = NAME if "Unix" in name else ""
            return table.numbers([column])[0][:, 0] / 1e3, clock
    where = place(table.source, table.first_line - 1)
    raise RecordingError(where, f"{shown(prefix)} has no time", AGAIN)


IMPORTER = Importer(NAME, sniff, parse, "quoted real lines")
IMPORTERS = (IMPORTER,)

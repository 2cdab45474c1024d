"""Movella (Xsens) DOT: the phone app's log and what the Data Exporter makes of recordings.

Both begin with lines of settings (``DeviceTag:,zdt``), then one table of the columns that were
chosen. Checked against five real files (app log of firmware 2.0.0 with quaternion and free
acceleration, exporter of firmware 1.6.0 with acceleration and angular rate, both of 2021); the
column sets with ``dq``/``dv`` and the logger's ``, `` between cells are from the maker's code.

``Acc`` in m/s², ``Gyr`` in deg/s. ``SampleTimeFine`` counts µs in 32 bits. The exporter's first
record (counter 0) has zeros for acceleration and rate and is left out. ``Synced`` sensors share
one clock; where the file does not say, times that overlap are taken to be of one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from imu.clock import rate_of
from imu.errors import RecordingError
from imu.formats.csvfile import BLANKS, place
from imu.importers.derived import from_increments, from_orientation, unit_quaternions
from imu.importers.text import Table, decode, find_header, read_table, require
from imu.importers.times import Lines, make_pair, make_signal, unwrap
from imu.importers.values import Importer, Recordings, Signal, Track, only_file, stem
from imu.recording import SensorInfo
from imu.samples import Array
from imu.units import RAD_PER_DEG

HEADER = "PacketCounter"
WRAP_US, COUNTER_WRAP = 2.0**32, 2.0**16
TAG = re.compile(r"\A[\s\ufeff]*(sep=.*\n)?[\s\S]{0,2000}?^DeviceTag:", re.MULTILINE)
ADDRESS = re.compile(r"_([0-9A-Fa-f]{12})_\d{8}_\d{6}")
STARTED = re.compile(r"(\d{4})-(\d\d)-(\d\d)[_ ](\d\d):(\d\d):(\d\d)[_.]?(\d{0,3})")
ACC = ("Acc_X", "Acc_Y", "Acc_Z")
GYR = ("Gyr_X", "Gyr_Y", "Gyr_Z")
QUAT = ("Quat_W", "Quat_X", "Quat_Y", "Quat_Z")
FREE = ("FreeAcc_X", "FreeAcc_Y", "FreeAcc_Z")
DQ = ("dq_W", "dq_X", "dq_Y", "dq_Z")
DV = ("dv[1]", "dv[2]", "dv[3]")
ANY = "Choose acceleration and angular velocity (or delta_q, delta_v) in the app, and export again."


def sniff_app(name: str, head: bytes) -> bool:
    """Whether it is an app log: it tells the output rate or the synchronisation."""
    del name
    return _is_dot(head) and (b"OutputRate:" in head or b"SyncStatus:" in head)


def sniff_export(name: str, head: bytes) -> bool:
    """Whether it is an export of a recording on the sensor."""
    return _is_dot(head) and not sniff_app(name, head)


def _is_dot(head: bytes) -> bool:
    text = head.replace(b"\0", b"").decode("utf-8", "replace")
    return HEADER in text and "SampleTimeFine" in text and TAG.search(text) is not None


def parse_app(files: Mapping[str, bytes], spread: bool = False) -> Recordings:
    """Parse one sensor's app log; see the module."""
    return Recordings("movella-dot-app", (_track(*only_file(files), spread),))


def parse_export(files: Mapping[str, bytes], spread: bool = False) -> Recordings:
    """Parse one sensor's export; see the module."""
    return Recordings("movella-dot-export", (_track(*only_file(files), spread),))


def _track(name: str, data: bytes, spread: bool) -> Track:
    text = decode(data, name)
    at = find_header(text, HEADER, name, "the DOT app")
    table = read_table(text, name, at)
    said = _settings(text, at)
    acc, gyr, told, counted = _signals(table, said, spread)
    match = ADDRESS.search(stem(name))
    address = None if match is None else ":".join(re.findall("..", match[1].upper()))
    info = SensorInfo("Movella DOT", address, said.get("firmwareversion"))
    own = counted or said.get("syncstatus", "").lower().startswith("un")
    clock = "" if own else "movella-dot"
    if clock and "syncstatus" not in said:
        told.append("the file does not say whether the sensors were synchronised")
    label = said.get("devicetag") or stem(name)
    return Track(label, acc, gyr, clock, _started(said), info, (*table.remarks(), *told))


def _settings(text: str, lines: int) -> dict[str, str]:
    """Read the lines ``Key:,value`` above the table."""
    said = {}
    for line in text.split("\n", lines)[:lines]:
        key, colon, value = line.partition(":")
        if colon:
            said[key.strip(BLANKS).lower().replace(" ", "")] = value.strip(f"{BLANKS},")
    return said


def _started(said: Mapping[str, str]) -> str | None:
    """Read ``StartTime``, in the phone's local time of unstated meaning: zone left out."""
    match = STARTED.search(said.get("starttime", ""))
    if match is None:
        return None
    year, month, day, hour, minute, second, _ = match.groups()
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}"


def _signals(
    table: Table, said: Mapping[str, str], spread: bool
) -> tuple[Signal, Signal, list[str], bool]:
    """Take the columns there are, the sensor's own before the filter's; are times counted."""
    require(table, [HEADER, "SampleTimeFine"], ANY)
    for columns, make in (
        ((*ACC, *GYR), _measured),
        ((*DQ, *DV), _increments),
        ((*QUAT, *FREE), _orientations),
    ):
        if set(columns) <= set(table.names):
            values, lines = table.numbers([HEADER, "SampleTimeFine", *columns])
            time_s, remarks = _times(values[:, 0], values[:, 1], table, said)
            acc, gyr, told = make(time_s, values[:, 2:], lines, table.source, spread)
            return acc, gyr, told + remarks, bool(remarks)
    where = place(table.source, table.first_line - 1)
    what = "neither Acc and Gyr, nor dq and dv, nor Quat and FreeAcc"
    raise RecordingError(where, what, ANY)


def _times(
    counter: Array, fine_us: Array, table: Table, said: Mapping[str, str]
) -> tuple[Array, list[str]]:
    """Give the rows' times by the fine time, else by counter and output rate, and say so."""
    if np.isfinite(fine_us).any():
        return unwrap(fine_us, WRAP_US) / 1e6, []
    rate = re.match(r"(\d+(?:\.\d+)?) ?Hz", said.get("outputrate", ""))
    if rate is None or not float(rate[1]):
        where = place(table.source, table.first_line, "SampleTimeFine")
        raise RecordingError(where, "SampleTimeFine is empty, and there is no OutputRate", ANY)
    told = ["SampleTimeFine is empty; times by packet counter and output rate"]
    return unwrap(counter, COUNTER_WRAP) / float(rate[1]), told


def _measured(
    time_s: Array, values: Array, lines: Lines, source: str, spread: bool
) -> tuple[Signal, Signal, list[str]]:
    values = np.column_stack([values[:, :3], values[:, 3:] * RAD_PER_DEG])
    time_s, values, lines, told = _without_first(time_s, values, lines)
    acc, gyr, more = make_pair(time_s, values, lines, source, spread)
    return acc, gyr, told + more


def _without_first(
    time_s: Array, values: Array, lines: Lines
) -> tuple[Array, Array, Lines, list[str]]:
    """Leave out the exporter's first record, which holds zeros."""
    if len(values) > 1 and not values[0].any():
        return time_s[1:], values[1:], lines[1:], ["the first record, zeros, left out"]
    return time_s, values, lines, []


def _increments(
    time_s: Array, values: Array, lines: Lines, source: str, spread: bool
) -> tuple[Signal, Signal, list[str]]:
    empty = ~values.any(axis=1) | (np.abs(values[:, 1:]).max(axis=1) == 0)
    kept = np.flatnonzero(~empty | (np.arange(len(empty)) > 0))
    both, told = make_signal(time_s[kept], values[kept], lines[kept], source, spread)
    acc, gyr = from_increments(both.values[:, :4], both.values[:, 4:], rate_of(both.time_s), source)
    told.append("acceleration and angular rate are the means of dv and dq")
    return Signal(both.time_s, acc), Signal(both.time_s, gyr), told


def _orientations(
    time_s: Array, values: Array, lines: Lines, source: str, spread: bool
) -> tuple[Signal, Signal, list[str]]:
    both, told = make_signal(time_s, values, lines, source, spread)
    turn = unit_quaternions(both.values[:, :4], source)
    acc, gyr = from_orientation(both.time_s, turn, both.values[:, 4:])
    told.append("acceleration and angular rate derived from quaternion and free acceleration")
    return acc, gyr, told


APP = Importer(
    "movella-dot-app", sniff_app, parse_app, "three real files (quaternion, free acceleration)"
)
EXPORT = Importer(
    "movella-dot-export", sniff_export, parse_export, "one real file (acceleration, angular rate)"
)
IMPORTERS = (APP, EXPORT)

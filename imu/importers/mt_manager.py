"""Xsens MT Manager: text of an MTw, Awinda or MTi, one file a sensor.

From descriptions, quoted lines and code that reads such files; no whole real file was at hand.
Lines of settings begin with ``//``; tabs (or commas) between cells. Acceleration in m/s² and,
unlike a DOT's, angular rate in **rad/s**. ``SampleTimeFine``, in ticks of 0.1 ms, is often empty;
then the packet counter, which wraps at 65536, and the update rate give the time, and without a rate
it is refused. The counter is the station's, so all sensors of a recording are on one clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from imu.clock import rate_of
from imu.errors import RecordingError
from imu.formats.csvfile import place
from imu.importers.derived import from_increments, from_orientation, unit_quaternions
from imu.importers.text import Table, decode, find_header, read_table, separators_of
from imu.importers.times import Lines, make_pair, make_signal, unwrap
from imu.importers.values import Importer, Recordings, Signal, Track, only_file, stem
from imu.recording import SensorInfo
from imu.samples import Array

NAME = "mt-manager"
HEADER = "PacketCounter"
RATE = re.compile(r"^//\s*Update Rate:\s*([0-9.]+)\s*Hz", re.MULTILINE | re.IGNORECASE)
FIRMWARE = re.compile(r"^//\s*Firmware Version:\s*([\w.]+)", re.MULTILINE | re.IGNORECASE)
COUNTER_WRAP, FINE_WRAP = 2.0**16, 2.0**32
TICKS_S = 1e-4
MAX_RADS = 60.0  # 3400 deg/s: beyond every MTw
ACC = ("Acc_X", "Acc_Y", "Acc_Z")
GYR = ("Gyr_X", "Gyr_Y", "Gyr_Z")
OWN = (*ACC, *GYR)
STEPS = ("OriInc_q0", "OriInc_q1", "OriInc_q2", "OriInc_q3", "VelInc_X", "VelInc_Y", "VelInc_Z")
FILTERED = ("Quat_q0", "Quat_q1", "Quat_q2", "Quat_q3", "FreeAcc_X", "FreeAcc_Y", "FreeAcc_Z")
ANY = "Export acceleration and angular velocity (or their increments) from MT Manager."


def sniff(name: str, head: bytes) -> bool:
    """Whether lines of ``//`` stand before the header."""
    del name
    text = head[:8192].decode("latin-1").lstrip("\xef\xbb\xbf \r\n")
    return text.startswith("//") and HEADER in text


def parse(files: Mapping[str, bytes], spread: bool = False) -> Recordings:
    """Parse one sensor's file; see the module."""
    name, data = only_file(files)
    text = decode(data, name)
    at = find_header(text, HEADER, name, "MT Manager")
    head, rest = text[:8192], text.split("\n", at)[-1]
    table = read_table(text, name, at, *separators_of(rest[:8192]))
    rate = RATE.search(head)
    firmware = FIRMWARE.search(head)
    acc, gyr, told = _signals(table, float(rate[1]) if rate else None, spread)
    device = re.search(r"_([0-9A-Fa-f]{8})$", stem(name))
    info = SensorInfo("Xsens MT", device[1] if device else None, firmware[1] if firmware else None)
    remarks = (*table.remarks(), *told)
    return Recordings(NAME, (Track(stem(name), acc, gyr, NAME, None, info, remarks),))


def _signals(table: Table, rate_hz: float | None, spread: bool) -> tuple[Signal, Signal, list[str]]:
    """Take the columns there are, the sensor's own before the filter's."""
    fine = ["SampleTimeFine"] if "SampleTimeFine" in table.names else []
    for columns, make in ((OWN, _measured), (STEPS, _increments), (FILTERED, _orientations)):
        if set(columns) <= set(table.names):
            values, lines = table.numbers([*columns, HEADER, *fine])
            own, clocks = values[:, : len(columns)], values[:, len(columns) :]
            time_s, told = _times(clocks, table, rate_hz)
            acc, gyr, more = make(time_s, own, lines, table.source, spread)
            return acc, gyr, told + more
    where = place(table.source, table.first_line - 1)
    raise RecordingError(where, "neither Acc and Gyr, nor increments, nor Quat and FreeAcc", ANY)


def _times(clocks: Array, table: Table, rate_hz: float | None) -> tuple[Array, list[str]]:
    """Give the rows' times by the fine time, the second column, else by counter and rate."""
    if clocks.shape[1] > 1 and np.isfinite(clocks[:, 1]).all():
        return unwrap(clocks[:, 1], FINE_WRAP) * TICKS_S, []
    if rate_hz is None or not 1.0 <= rate_hz <= 4000.0:
        where = place(table.source, table.first_line - 1)
        what = "neither SampleTimeFine nor an update rate tells the time of a row"
        raise RecordingError(where, what, "Export with SampleTimeFine, or with the header lines.")
    time_s: Array = unwrap(clocks[:, 0], COUNTER_WRAP) / rate_hz
    return time_s, [f"times by packet counter at {rate_hz:g} Hz"]


def _measured(
    time_s: Array, values: Array, lines: Lines, source: str, spread: bool
) -> tuple[Signal, Signal, list[str]]:
    if np.nanmax(np.abs(values[:, 3:]), initial=0.0) > MAX_RADS:
        what = f"an angular rate beyond {MAX_RADS:.0f} rad/s"
        remedy = "If Gyr is in deg/s it is no file of MT Manager; give a mapping (--format table)."
        raise RecordingError(source, what, remedy)
    return make_pair(time_s, values, lines, source, spread)


def _increments(
    time_s: Array, values: Array, lines: Lines, source: str, spread: bool
) -> tuple[Signal, Signal, list[str]]:
    both, told = make_signal(time_s, values, lines, source, spread)
    rate_hz = rate_of(both.time_s)
    acc, gyr = from_increments(both.values[:, :4], both.values[:, 4:], rate_hz, source)
    told.append("acceleration and angular rate are the means of the increments")
    return Signal(both.time_s, acc), Signal(both.time_s, gyr), told


def _orientations(
    time_s: Array, values: Array, lines: Lines, source: str, spread: bool
) -> tuple[Signal, Signal, list[str]]:
    both, told = make_signal(time_s, values, lines, source, spread)
    turn = unit_quaternions(both.values[:, :4], source)
    acc, gyr = from_orientation(both.time_s, turn, both.values[:, 4:])
    told.append("acceleration and angular rate derived from quaternion and free acceleration")
    return acc, gyr, told


IMPORTER = Importer(NAME, sniff, parse, "descriptions and quoted lines only")
IMPORTERS = (IMPORTER,)

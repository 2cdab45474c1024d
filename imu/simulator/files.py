"""A simulated session -> the texts of the contract's files.

Sets are written here and not by the reader's own counterpart, so that the two can disagree.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields

import numpy as np

from imu.errors import CallError
from imu.formats.eventfile import format_events
from imu.formats.sessionfile import format_info
from imu.recording import Recording
from imu.samples import Array, Stream
from imu.simulator.sessions import SimulatedSession
from imu.simulator.simulated_set import Truth
from imu.simulator.truth import ANGLE_COLUMNS, TrueRep
from imu.units import ARRIVAL_COLUMN, MAG_COLUMNS, SET_COLUMNS

_ROW = "%s,%.6f,%.5f,%.5f,%.5f,%.6f,%.6f,%.6f"


def session_files(simulated: SimulatedSession, truth_rate_hz: float) -> dict[str, str]:
    """Write out a session: file name to text.

    Parameters
    ----------
    simulated : SimulatedSession
        The session and its truth.
    truth_rate_hz : float
        Grid of ``truth_angles.csv``; divides 1000.
    """
    session, truths = simulated.session, simulated.truths
    files = {recording.source: set_text(recording) for recording in session.recordings}
    files["session.json"] = format_info(session.info)
    if session.events:
        files["events.csv"] = format_events(session.events)
    if session.calibration is not None:
        files["calibration.csv"] = set_text(session.calibration)
    in_order = [truths[recording.name] for recording in session.recordings]
    leg = any("shank" in recording.streams for recording in session.recordings)
    files["truth.csv"] = reps_text((row for truth in in_order for row in truth.reps), leg)
    files["truth_angles.csv"] = angles_text(session.recordings, truths, truth_rate_hz)
    return files


def set_text(recording: Recording) -> str:
    """Rows of one set in the order the samples arrived: time to 1 µs, acceleration to 5 decimals.

    Where a stream counts duplicates, so many of its rows stand twice.
    """
    streams = list(recording.streams.values())
    header = [*SET_COLUMNS]
    header += MAG_COLUMNS if streams[0].mag_ut is not None else ()
    header += [ARRIVAL_COLUMN] if streams[0].arrival_s is not None else []
    rows: list[tuple[float, int, int, str]] = []
    for order, stream in enumerate(streams):
        came = stream.time_s if stream.arrival_s is None else stream.arrival_s
        rows += zip(came, [order] * len(came), range(len(came)), _rows(stream), strict=True)
    rows.sort()
    return "".join(f"{line}\n" for line in (",".join(header), *(row[3] for row in rows)))


def _rows(stream: Stream) -> list[str]:
    parts: list[Array] = [stream.time_s[:, None], stream.acc_ms2, stream.gyr_rads]
    form = _ROW
    if stream.mag_ut is not None:
        parts.append(stream.mag_ut)
        form += ",%.2f,%.2f,%.2f"
    if stream.arrival_s is not None:
        parts.append(stream.arrival_s[:, None])
        form += ",%.6f"
    rows = [form % (stream.segment, *row) for row in np.hstack(parts).tolist()]
    twice = np.linspace(0, len(rows) - 1, stream.faults.duplicates).astype(int)
    for index in set(twice.tolist()):
        rows[index] = f"{rows[index]}\n{rows[index]}"
    return rows


def reps_text(rows: Iterable[TrueRep], leg: bool) -> str:
    """Write ``truth.csv``: the columns of ``reps.csv``, to 0.1 ms and 0.0001 degrees.

    With ``leg`` also what sensors on thigh and shank turn, and the knee.
    """
    names = [field.name for field in fields(TrueRep)]
    names = names if leg else names[: names.index("flags") + 1]
    lines = [",".join(names)]
    lines += [",".join(_cell(getattr(row, name)) for name in names) for row in rows]
    return "".join(f"{line}\n" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4f}"
    return str(value)


def angles_text(
    recordings: Iterable[Recording], truths: Mapping[str, Truth], rate_hz: float
) -> str:
    """Write ``truth_angles.csv``: the columns of ``angles.csv`` on a grid of ``rate_hz``."""
    every = round(1000 / rate_hz) if rate_hz > 0 else 0
    if every < 1 or not math.isclose(every * rate_hz, 1000):
        raise CallError(f"truth_rate_hz is {rate_hz:g}. Give a divisor of 1000, such as 100.")
    lines = [",".join(("side", "set", "time_s", *ANGLE_COLUMNS, "rep"))]
    for recording in recordings:
        truth = truths[recording.name]
        time_s = truth.angles.time_s[::every]
        rep = np.zeros(len(time_s), dtype=int)
        for row in truth.reps:
            rep[(time_s >= row.start_s) & (time_s <= row.end_s)] = row.rep
        columns = [truth.angles.columns[name][::every].tolist() for name in ANGLE_COLUMNS]
        form = f"{recording.side},{recording.name},%.3f" + ",%.4f" * len(columns) + ",%d"
        cells = zip(time_s.tolist(), *columns, rep.tolist(), strict=True)
        lines += [form % row for row in cells]
    return "".join(f"{line}\n" for line in lines)

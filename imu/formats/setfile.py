"""A set's CSV text <-> `Recording`: values only, no files."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from imu.clock import MAX_SPAN_S
from imu.errors import RecordingError
from imu.formats import csvfile
from imu.formats.csvfile import Columns, Table, place
from imu.formats.fixedpoint import format_rows
from imu.formats.ordering import order_rows
from imu.frames import Batch
from imu.recording import Recording
from imu.samples import Array, Stream
from imu.units import ACC_COLUMNS, ARRIVAL_COLUMN, GYR_COLUMNS, MAG_COLUMNS, SEGMENTS, SET_COLUMNS

CALIBRATION = "calibration"
DECIMALS = 6  # µs and µrad/s: below any sensor's resolution

# A set as it is recorded: arrival_s last, so that a last line broken off shows (see parse_set);
# decimals finer than a sensor's 32-bit floats are, from 1 m/s² and 0.13 rad/s on.
SET_HEADER = ",".join((*SET_COLUMNS, ARRIVAL_COLUMN))
ROW = ",".join(["%s", "%.6f", *["%.7f"] * 3, *["%.8f"] * 3, "%.6f"]) + "\n"
ACC_DECIMALS, GYR_DECIMALS = (7, 7, 7), (8, 8, 8)

# Beyond these no unit makes sense: 1000 g in mm/s², a clock in ms since 1970.
LIMITS = (
    dict.fromkeys(ACC_COLUMNS, 1e4)
    | dict.fromkeys(GYR_COLUMNS, 1e4)
    | {"time_s": 1e11, ARRIVAL_COLUMN: 1e11}
)


def parse_set(data: bytes, name: str, source: str, cut: bool = False) -> Recording:
    """Parse the bytes of one set's file.

    Parameters
    ----------
    data : bytes
        The file's content, unpacked.
    name : str
        The file's stem: ``left``, ``right-2`` or ``calibration``.
    source : str
        The file's name, for messages.
    cut : bool
        Whether the content is known to be incomplete (a packed file broken off).

    Returns
    -------
    Recording
        A last line without its newline is kept where it is complete, and else dropped and
        counted: with fields missing, or with fewer decimals in the last cell than all lines
        before it (a cut number is a number, too; where decimals vary it cannot be told from a
        whole one). Columns unknown to us are left alone.

    Raises
    ------
    RecordingError
        Anything that is not a set, with file, line and column.
    """
    header, body, rest = csvfile.split_lines(data, source)
    names = csvfile.parse_header(header, source)
    columns = _columns(names, source)
    if not cut and _complete(rest, body, names, columns):
        body, rest = body + rest + b"\n", b""
    cut_rows = int(cut or bool(rest.strip()))
    if not body:
        raise RecordingError(source, "a header, but no samples", "Record the set again.")
    table = csvfile.parse_fast(body, names, columns)
    if table is None:
        table = csvfile.parse_exactly(body.decode("utf-8"), names, columns, source)
    _refuse_beyond(table, source)
    present = [segment for at, segment in enumerate(SEGMENTS) if (table.labels == at).any()]
    _refuse_missing(present, source)
    streams = {segment: _stream(table, segment, source) for segment in present}
    known = (*SET_COLUMNS, *MAG_COLUMNS, ARRIVAL_COLUMN)
    unknown = tuple(column for column in names if column not in known)
    side = "" if name == CALIBRATION else name.split("-")[0]
    return Recording(name, side, source, streams, cut_rows, unknown)


def _columns(names: tuple[str, ...], source: str) -> Columns:
    """Tell which of the contract's columns a header has."""
    mag = any(name in MAG_COLUMNS for name in names)
    required = (*SET_COLUMNS, *MAG_COLUMNS) if mag else SET_COLUMNS
    csvfile.require_columns(names, required, (*MAG_COLUMNS, ARRIVAL_COLUMN), source)
    arrival = (ARRIVAL_COLUMN,) if ARRIVAL_COLUMN in names else ()
    numbers = (*SET_COLUMNS[1:], *arrival)
    return Columns("sensor", SEGMENTS, numbers, MAG_COLUMNS if mag else ())


def _complete(rest: bytes, body: bytes, names: tuple[str, ...], columns: Columns) -> bool:
    """Whether a last line without its newline is a whole row."""
    try:
        csvfile.parse_exactly(rest.decode("utf-8"), names, columns, "")
    except (RecordingError, UnicodeDecodeError):
        return False
    if not rest or names[-1] not in columns.numbers or not body:
        return bool(rest)
    usual = {_decimals(line) for line in body.rsplit(b"\n", 21)[1:-1]}
    return len(usual) != 1 or _decimals(rest) >= max(usual)


def _decimals(line: bytes) -> int:
    """Count the decimals of a line's last cell."""
    found = re.search(rb"\.(\d*)[^,]*$", line.rpartition(b",")[2])
    return len(found[1]) if found else 0


def _refuse_beyond(table: Table, source: str) -> None:
    """Refuse numbers that no sensor and no unit can mean."""
    for column, limit in LIMITS.items():
        values = table.numbers.get(column)
        if values is None or np.abs(values).max(initial=0.0) <= limit:
            continue
        row = int((np.abs(values) > limit).argmax())
        remedy = "Acceleration is in m/s², angular rate in rad/s, time in s; correct the line."
        what = f"{values[row]:.6g} is beyond ±{limit:.0e}"
        raise RecordingError(place(source, int(table.lines[row]), column), what, remedy)


def _refuse_missing(present: list[str], source: str) -> None:
    """Refuse a set without the pelvis sensor, or without one on the leg."""
    for needed in (("pelvis",), ("thigh", "shank")):
        if not set(needed) & set(present):
            what = (
                f"there are no samples of the {' or '.join(needed)} sensor, only "
                f"{' and '.join(present)}"
            )
            raise RecordingError(source, what, "Record the set again with both sensors.")


def _stream(table: Table, segment: str, source: str) -> Stream:
    """Take one sensor's rows out of a table, in the order they were taken."""
    rows = np.flatnonzero(table.labels == SEGMENTS.index(segment))
    lines = table.lines[rows]

    def where(row: int) -> str:
        return place(source, int(lines[row]), "time_s")

    def block(columns: tuple[str, ...]) -> Array:
        return np.column_stack([table.numbers[column][rows] for column in columns])

    values = block((*ACC_COLUMNS, *GYR_COLUMNS))
    arrival_s = table.numbers[ARRIVAL_COLUMN][rows] if ARRIVAL_COLUMN in table.numbers else None
    ordered = order_rows(table.numbers["time_s"][rows], values, arrival_s, where)
    span_s = float(ordered.time_s[-1] - ordered.time_s[0])
    if span_s > MAX_SPAN_S:
        what = f"{segment}: time_s runs over {span_s / 3600:.3g} h"
        remedy = "A set is minutes long; time_s is in seconds."
        raise RecordingError(source, what, remedy)
    index = ordered.index
    return Stream(
        segment,
        ordered.time_s,
        values[index, :3],
        values[index, 3:],
        None if arrival_s is None else arrival_s[index],
        block(MAG_COLUMNS)[index] if MAG_COLUMNS[0] in table.numbers else None,
        ordered.faults,
    )


def format_set(recording: Recording, *, exactly: bool = False) -> str:
    """Write a set as the contract's CSV, rows in the order they arrived.

    Parameters
    ----------
    recording : Recording
        The set.
    exactly : bool
        Write each number with as many decimals as it takes to read it back equal.

    Returns
    -------
    str
        Numbers to six decimals unless ``exactly``. `parse_set` of it gives the recording again,
        but for the cut row and the faults, which the rows no longer show.
    """
    streams = recording.streams
    with_arrival = all(stream.arrival_s is not None for stream in streams.values())
    frames = [_frame(stream, with_arrival) for stream in streams.values()]
    order = [ARRIVAL_COLUMN, "time_s"] if with_arrival else ["time_s"]
    table = pd.concat(frames).sort_values(order, kind="stable")
    form = None if exactly else f"%.{DECIMALS}f"
    text: str = table.to_csv(index=False, float_format=form, lineterminator="\n")
    return text


def format_streams(streams: Mapping[str, Stream]) -> str:
    """Write a set's rows as they are recorded: times to the µs, values finer than any sensor's.

    Parameters
    ----------
    streams : Mapping of str to Stream
        By segment, on one clock, or all with arrivals.

    Returns
    -------
    str
        With its header; ``arrival_s`` where all streams have it.
    """
    arrivals = all(stream.arrival_s is not None for stream in streams.values())
    tables = []
    for one in streams.values():
        arrived = [one.arrival_s] if arrivals and one.arrival_s is not None else []
        tables.append(np.column_stack([one.time_s, one.acc_ms2, one.gyr_rads, *arrived]))
    codes = np.repeat(np.arange(len(tables)), [len(one) for one in tables])
    table = np.concatenate(tables)
    order = np.argsort(table[:, -1 if arrivals else 0], kind="stable")
    columns = [*SET_COLUMNS, *([ARRIVAL_COLUMN] if arrivals else [])]
    decimals = [DECIMALS, *ACC_DECIMALS, *GYR_DECIMALS, *([DECIMALS] if arrivals else [])]
    body = format_rows(list(streams), codes[order], table[order], decimals)
    return ",".join(columns) + "\n" + body


def format_batch(batch: Batch) -> str:
    r"""Write the rows of one batch, below `SET_HEADER`.

    Returns
    -------
    str
        Whole lines; empty where the batch is.

    Examples
    --------
    >>> from imu.frames import Sample
    >>> format_batch(Batch("thigh", 7.5, (Sample(1.25, (0.0, 9.81, -0.5), (0.0, 0.0, 0.125)),)))
    'thigh,1.250000,0.0000000,9.8100000,-0.5000000,0.00000000,0.00000000,0.12500000,7.500000\n'
    """
    segment, arrival_s, samples = batch
    return "".join([ROW % (segment, s.time_s, *s.acc_ms2, *s.gyr_rads, arrival_s) for s in samples])


def format_batch_exactly(batch: Batch, with_arrival: bool) -> str:
    r"""Write the rows of one batch so that `parse_set` gives them back to the last bit.

    Parameters
    ----------
    batch : Batch
        Its values are finite.
    with_arrival : bool
        Whether ``arrival_s`` is the last column (`SET_HEADER`); else there is none.

    Examples
    --------
    >>> from imu.frames import Sample
    >>> sample = Sample(1.25, (0.1 + 0.2, 9.81, 1e-7), (0.0, 0.0, 0.125))
    >>> format_batch_exactly(Batch("thigh", 7.5, (sample,)), with_arrival=False)
    'thigh,1.250000,0.30000000000000004,9.810000,0.0000001,0.000000,0.000000,0.125000\n'
    """
    arrival = [_exact(batch.arrival_s)] if with_arrival else []
    lines = []
    for time_s, acc, gyr in batch.samples:
        numbers = [_exact(value) for value in (time_s, *acc, *gyr)]
        lines.append(",".join([batch.segment, *numbers, *arrival]) + "\n")
    return "".join(lines)


def _exact(value: float) -> str:
    """Write a number with six decimals, or as many more as it takes to read it back equal."""
    text = f"{value:.{DECIMALS}f}"
    if float(text) == value:
        return text
    return np.format_float_positional(value, unique=True, min_digits=DECIMALS)


def _frame(stream: Stream, with_arrival: bool) -> pd.DataFrame:
    """Lay one stream out in the contract's columns."""
    columns: Mapping[str, object] = (
        {"sensor": stream.segment, "time_s": stream.time_s}
        | dict(zip(ACC_COLUMNS, stream.acc_ms2.T, strict=True))
        | dict(zip(GYR_COLUMNS, stream.gyr_rads.T, strict=True))
        | (
            dict(zip(MAG_COLUMNS, stream.mag_ut.T, strict=True))
            if stream.mag_ut is not None
            else {}
        )
        | ({ARRIVAL_COLUMN: stream.arrival_s} if with_arrival else {})
    )
    return pd.DataFrame(columns)

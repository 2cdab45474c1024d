"""Times of a file -> strictly increasing times of its samples.

A clock counted in 32 bits wraps; a program that stamps on arrival gives a whole packet one time;
an application writes the date for people. Nothing is mended on the way: rows out of order are put
in order as in a set (`imu.formats.ordering`), what is left out is counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imu.errors import RecordingError
from imu.formats.csvfile import place, shown
from imu.formats.ordering import order_rows
from imu.importers.values import Signal
from imu.samples import Array

Lines = NDArray[np.int64]
MAX_SHARED = 0.05


def unwrap(counter: Array, modulus: float) -> Array:
    """Undo the wraps of a counter.

    Parameters
    ----------
    counter : ndarray, shape (n,)
        From 0 to below the modulus, in order.
    modulus : float
        Where it begins anew.

    Examples
    --------
    >>> unwrap(np.array([4294967290.0, 4.0]), 2**32).tolist()
    [4294967290.0, 4294967300.0]
    """
    steps = np.diff(counter)
    wraps = np.cumsum((steps < -modulus / 2).astype(float) - (steps > modulus / 2).astype(float))
    unwrapped: Array = counter + modulus * np.concatenate([[0.0], wraps])
    return unwrapped


def spread_shared(time_s: Array) -> tuple[Array, int]:
    """Give the samples of a packet, which share one time, times of their own.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        Not decreasing; a packet's time is that of its last sample.

    Returns
    -------
    time_s : ndarray, shape (n,)
        Evenly between one packet's time and the next.
    spread : int
        Samples whose time was changed.

    Examples
    --------
    >>> spread_shared(np.array([0.1, 0.2, 0.2, 0.3, 0.3]))[0].round(3).tolist()
    [0.1, 0.15, 0.2, 0.25, 0.3]
    """
    stamps, first, counts = np.unique(time_s, return_index=True, return_counts=True)
    if len(stamps) < 2 or (np.diff(time_s) < 0).any():
        return time_s, 0
    sample_s = (stamps[-1] - stamps[0]) / (len(time_s) - counts[0])
    before = np.concatenate([[stamps[0] - sample_s * counts[0]], stamps[:-1]])
    position = np.arange(len(time_s)) - np.repeat(first, counts) + 1
    share = position / np.repeat(counts, counts)
    even = np.repeat(before, counts) + share * np.repeat(stamps - before, counts)
    return even, int((np.repeat(counts, counts) > 1).sum() - (counts > 1).sum())


def make_signal(
    time_s: Array, values: Array, lines: Lines, source: str, spread: bool = False
) -> tuple[Signal, list[str]]:
    """Make a signal of rows.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        In the order of the rows; NaN where a cell is empty.
    values : ndarray, shape (n, k)
        SI; NaN where a cell is empty.
    lines : ndarray, shape (n,)
        Lines of the rows, for messages.
    source : str
        The file.
    spread : bool
        Whether times that several rows share are spread evenly.

    Returns
    -------
    Signal, list of str
        And what was left out or changed, in words.

    Raises
    ------
    RecordingError
        No whole row; rows that share their time; see `order_rows`.
    """
    whole = np.isfinite(values).all(axis=1) & np.isfinite(time_s)
    told = [f"{int((~whole).sum())} rows with empty cells left out"] if not whole.all() else []
    time_s, values, lines = time_s[whole], values[whole], lines[whole]
    if len(time_s) < 2:
        what = f"{len(time_s)} rows with all their numbers"
        raise RecordingError(source, what, "Export or record it again.")
    if spread:
        time_s, count = spread_shared(time_s)
        told += [f"{count} samples that shared a time spread evenly"] if count else []
    else:
        _refuse_shared(time_s, values, lines, source)
    ordered = order_rows(time_s, values, None, lambda row: place(source, int(lines[row])))
    if ordered.faults.duplicates:
        told.append(f"{ordered.faults.duplicates} rows given twice left out")
    if ordered.faults.steps_back:
        told.append(f"{ordered.faults.steps_back} times out of order, put in order")
    return Signal(ordered.time_s, values[ordered.index]), told


def make_pair(
    time_s: Array, values: Array, lines: Lines, source: str, spread: bool = False
) -> tuple[Signal, Signal, list[str]]:
    """Make both signals of rows that hold both; see `make_signal`.

    Parameters
    ----------
    values : ndarray, shape (n, 6)
        Specific force, then angular rate, SI.
    """
    both, told = make_signal(time_s, values, lines, source, spread)
    return Signal(both.time_s, both.values[:, :3]), Signal(both.time_s, both.values[:, 3:]), told


def _refuse_shared(time_s: Array, values: Array, lines: Lines, source: str) -> None:
    """Refuse packets that share one time, and say how they can be read."""
    same = (np.diff(time_s) == 0) & (np.diff(values, axis=0) != 0).any(axis=1)
    if same.sum() > MAX_SHARED * len(time_s):
        what = f"{same.sum()} of {len(time_s)} rows share their time with the row before"
        remedy = "If packets were stamped when they came, --spread spreads their samples evenly."
        raise RecordingError(place(source, int(lines[1:][same][0])), what, remedy)


CLOCK = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:([.,:])(\d{1,9}))?\D*$")
DAY_S = 86400.0


def parse_clock(texts: Sequence[str], source: str, lines: Lines) -> Array:
    """Read times of day written for people, with or without a date before them.

    Parameters
    ----------
    texts : sequence of str
        One a row, in order: ``2024-1-5 10:02:03.250``, ``10:2:3:250``.
    source : str
        The file, for messages.
    lines : ndarray, shape (n,)
        The line of each row.

    Returns
    -------
    ndarray, shape (n,)
        Seconds since the first row's midnight; midnights are counted. The date, whose order of day
        and month differs by country, is passed over.

    Raises
    ------
    RecordingError
        A text that is no such time; names its line.

    Examples
    --------
    >>> parse_clock(["5/1/2024 23:59:59.5", "6/1/2024 0:0:0:5"], "a.txt", np.arange(2)).tolist()
    [86399.5, 86400.005]
    """
    found = _even_clock(texts)
    if found is not None:
        return unwrap(found, DAY_S)
    found = np.empty(len(texts))
    for row, text in enumerate(texts):
        match = CLOCK.search(text)
        if match is None or int(match[1]) > 23 or max(int(match[2]), int(match[3])) > 59:
            where = place(source, int(lines[row]))
            remedy = "Give times in seconds, by a mapping (--format table --map FILE)."
            raise RecordingError(where, f"{shown(text)} is no time that we read", remedy)
        hour, minute, second, mark, rest = match.groups()
        # behind a colon stands a whole number of ms, behind a point or comma a fraction
        part = 0.0 if rest is None else int(rest) / (1e3 if mark == ":" else 10.0 ** len(rest))
        found[row] = 3600 * int(hour) + 60 * int(minute) + int(second) + part
    return unwrap(found, DAY_S)


def _even_clock(texts: Sequence[str]) -> Array | None:
    """Read times that all have their digits in the same places; None where they do not."""
    match = CLOCK.search(texts[0]) if texts else None
    lengths = {len(text) for text in texts}
    if match is None or len(lengths) != 1 or not "".join(texts).isascii():
        return None
    signs = np.array(texts, dtype=np.bytes_).view(np.uint8).reshape(len(texts), -1)
    tail = signs[:, match.start() :]
    digit = (tail >= ord("0")) & (tail <= ord("9"))
    same = (digit == digit[0]).all() and (tail[:, ~digit[0]] == tail[0, ~digit[0]]).all()
    if not same or tail.shape[1] != len(texts[0]) - match.start():
        return None
    parts = []
    for group in (1, 2, 3, 5):
        begin, end = match.span(group)
        scale = 10.0 ** np.arange(end - begin - 1, -1, -1) if begin >= 0 else np.zeros(0)
        columns = signs[:, begin:end] if begin >= 0 else signs[:, :0]
        parts.append((columns - float(ord("0"))) @ scale)
    hour, minute, second, rest = parts
    if hour.max() > 23 or max(minute.max(), second.max()) > 59:
        return None
    unit = 1e-3 if match[4] == ":" else 10.0 ** -len(match[5] or "")
    seconds: Array = 3600 * hour + 60 * minute + second + rest * unit
    return seconds

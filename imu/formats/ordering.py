"""Rows of one sensor as they arrived -> samples in the order they were taken.

Three things happen on the way from a sensor: a packet is delivered twice, a packet is overtaken
by later ones, and the sensor reboots and its clock starts anew. The first is left out, the second
put in its place, the third placed by its arrivals; all are counted. What cannot be told apart or
placed is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from imu.clock import MAX_RATE_ERROR, fit_clock, fit_plausible_clock
from imu.errors import RecordingError
from imu.samples import Array, StreamFaults

Index = NDArray[np.int64]

LATE_S = 5.0  # a packet overtaken for longer is no packet, but another clock
FEW_ROWS = 3  # that fall back and go on: a packet, whatever was there already
MAX_ODD_SHARE = 0.05  # late or contradictory rows; more means the rows or times are wrong
CLOCK_STEP_S = 1.0  # time_s may outrun arrival_s by a late packet, not by more
MAX_JUMP_S = 3600.0
NEARBY_ROWS = 500  # some seconds: longer than packets are held up
MAX_RESTARTS = 20
MAX_OVERLAP_S = 0.5
LIKELY_STEP_S = (0.00024, 0.5)  # 4 kHz to 2 Hz


@dataclass(frozen=True, slots=True, eq=False)
class OrderedRows:
    """Which rows to use, in which order, at which times.

    Attributes
    ----------
    index : ndarray of int, shape (m,)
        The rows.
    time_s : ndarray, shape (m,)
        Their times, strictly increasing, on the clock of the first row.
    faults : StreamFaults
        What was counted.
    """

    index: Index
    time_s: Array
    faults: StreamFaults


def order_rows(
    time_s: Array, values: Array, arrival_s: Array | None, where: Callable[[int], str]
) -> OrderedRows:
    """Bring one sensor's rows into the order they were taken in.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        By the sensor's clock, in order of arrival; finite.
    values : ndarray, shape (n, k)
        What was measured: tells a repeated sample from another one at the same time.
    arrival_s : ndarray, shape (n,), or None
        By the host's clock.
    where : callable
        The place in the file of a row, for messages.

    Raises
    ------
    RecordingError
        The clock restarts and there is no ``arrival_s``; it jumps forward by more than an hour;
        more than 5 % of the rows are out of order or contradict each other.
    """
    _refuse_units(time_s, where)
    if _sound(time_s, arrival_s):
        return OrderedRows(np.arange(len(time_s)), time_s, StreamFaults())
    rows = np.flatnonzero(~_repeated(time_s, values))
    repeats = len(time_s) - len(rows)
    kept_s = time_s[rows]
    arrived_s = None if arrival_s is None else arrival_s[rows]
    breaks, late = _clock_breaks(kept_s, arrived_s)
    if late.sum() > MAX_ODD_SHARE * len(time_s):
        raise RecordingError(
            where(int(rows[late.argmax()])),
            f"time_s falls back, and does so in {late.sum()} of {len(time_s)} rows",
            "Rows stand in the order they were taken; sort each sensor's rows by time_s.",
        )
    restarts = 0
    if breaks:
        kept_s, restarts = _placed(kept_s, arrived_s, breaks, lambda row: where(int(rows[row])))
    order = np.argsort(kept_s, kind="stable")
    fresh = np.diff(kept_s[order], prepend=-np.inf) > 0
    contradicting = order[~fresh]
    if len(contradicting) > MAX_ODD_SHARE * len(time_s):
        raise RecordingError(
            where(int(rows[contradicting.min()])),
            f"time_s repeats with other values, and does so in {len(contradicting)} rows",
            "Give every sample its own time; a packet's samples share only arrival_s.",
        )
    faults = StreamFaults(
        duplicates=repeats + len(contradicting),
        steps_back=int((np.diff(time_s[rows]) < 0).sum()),
        restarts=restarts,
    )
    return OrderedRows(rows[order[fresh]], kept_s[order[fresh]], faults)


def _refuse_units(time_s: Array, where: Callable[[int], str]) -> None:
    """Refuse times that cannot be seconds: no sensor takes a sample in so many of them."""
    if len(time_s) < FEW_ROWS:
        return
    step = float(np.median(np.abs(np.diff(time_s))))
    for factor, unit in ((1e9, "nanoseconds"), (1e6, "microseconds"), (1e3, "milliseconds")):
        if LIKELY_STEP_S[0] <= step / factor <= LIKELY_STEP_S[1] and step > LIKELY_STEP_S[1]:
            what = f"time_s advances by {step:.6g} from row to row: these are {unit}"
            remedy = f"Divide time_s by {factor:,.0f}.".replace(",", " ")
            raise RecordingError(where(1), what, remedy)


def _sound(time_s: Array, arrival_s: Array | None) -> bool:
    """Whether time goes on from row to row, without a jump."""
    steps = np.diff(time_s)
    if len(steps) == 0:
        return True
    if arrival_s is None:
        return bool(steps.min() > 0 and steps.max() <= MAX_JUMP_S)
    outrun = np.abs(steps - np.diff(arrival_s))
    return bool(steps.min() > 0 and outrun.max() <= CLOCK_STEP_S)


def _repeated(time_s: Array, values: Array) -> NDArray[np.bool_]:
    """Rows that equal an earlier one in time and in all values."""
    order = np.argsort(time_s, kind="stable")
    same = np.diff(time_s[order]) == 0
    same &= (values[order][1:] == values[order][:-1]).all(axis=1)
    repeated = np.zeros(len(time_s), dtype=bool)
    repeated[order[1:][same]] = True
    return repeated


def _clock_breaks(time_s: Array, arrival_s: Array | None) -> tuple[list[int], NDArray[np.bool_]]:
    """Rows with which the clock starts anew, and rows that were overtaken."""
    jumps = _jumps(time_s, arrival_s)
    late = np.zeros(len(time_s), dtype=bool)
    breaks: list[int] = []
    ends = [*jumps, len(time_s)]
    start = 0
    for end in ends:
        while start < end and len(breaks) <= MAX_RESTARTS:
            if start > 0:
                breaks.append(start)
            start += _piece_length(time_s[start:end], late[start:end])
    return breaks, late


def _jumps(time_s: Array, arrival_s: Array | None) -> list[int]:
    """Rows at which the clock leaves the host's, or jumps by hours where there is none."""
    if arrival_s is None:
        return [int(row) + 1 for row in np.flatnonzero(np.diff(time_s) > MAX_JUMP_S)]
    delay_s = arrival_s - time_s
    rows = np.flatnonzero(np.abs(np.diff(delay_s)) > CLOCK_STEP_S) + 1
    # punctual packets lie on both sides of a late one, at the same delay; not so of a clock's step
    return [
        int(row)
        for row in rows
        if abs(
            delay_s[row : row + NEARBY_ROWS].min() - delay_s[max(0, row - NEARBY_ROWS) : row].min()
        )
        > CLOCK_STEP_S
    ]


def _piece_length(time_s: Array, late: NDArray[np.bool_]) -> int:
    """Rows until the clock restarts; marks the overtaken ones among them."""
    highest_s = np.maximum.accumulate(time_s)
    behind = np.concatenate([[False], time_s[1:] <= highest_s[:-1]])
    fresh_s = time_s[~behind]
    edges = np.flatnonzero(np.diff(behind.astype(np.int8), append=0))
    for first, last in zip(edges[::2] + 1, edges[1::2] + 1, strict=True):
        run_s = time_s[first:last]
        lowest_s = run_s.min()
        passed = np.searchsorted(fresh_s, run_s.max(), "right") - np.searchsorted(fresh_s, lowest_s)
        short = last - first <= FEW_ROWS or passed <= (last - first) / 2
        if not short or highest_s[first] - lowest_s > LATE_S:
            return int(first)
        late[first:last] = run_s < highest_s[first]
    return len(time_s)


def _placed(
    time_s: Array, arrival_s: Array | None, breaks: list[int], where: Callable[[int], str]
) -> tuple[Array, int]:
    """Put every later piece on the first one's clock by its earliest arrival; count the steps.

    One crystal has one rate: that of the longest piece.
    """
    step_s = time_s[breaks[0]] - time_s[breaks[0] - 1]
    what = f"time_s steps by {step_s:.6g} s: the sensor's clock started anew"
    if arrival_s is None:
        remedy = "Delete the row if it alone is wrong; else record again, with arrival_s."
        raise RecordingError(where(breaks[0]), what, remedy)
    if len(breaks) > MAX_RESTARTS:
        raise RecordingError(
            where(breaks[0]), f"{what}, and did so over {MAX_RESTARTS} times", "Record again."
        )
    pieces = np.split(np.arange(len(time_s)), breaks)
    longest = max(pieces, key=len)
    rate = _rate(time_s, arrival_s, pieces, where(int(longest[0])))
    interval_s = float(np.median(np.diff(time_s[longest]))) if len(longest) > 1 else 0.01
    placed = time_s.copy()
    origin_s = (arrival_s - rate * time_s)[pieces[0]].min()
    shift_s, restarts = 0.0, 0
    for before, piece in pairwise(pieces):
        own_s = float((arrival_s - rate * time_s)[piece].min() - origin_s) / rate
        if abs(own_s - shift_s) < 0.5 * CLOCK_STEP_S:  # held up for long, yet the same clock
            placed[piece] += shift_s
            continue
        overlap_s = float(placed[before].max() + interval_s - (time_s[piece].min() + own_s))
        if overlap_s > MAX_OVERLAP_S:
            remedy = "Its arrival_s do not tell where it belongs; record the set again."
            raise RecordingError(where(int(piece[0])), what, remedy)
        shift_s, restarts = own_s + max(0.0, overlap_s), restarts + 1
        placed[piece] += shift_s
    return placed, restarts


def _rate(time_s: Array, arrival_s: Array, pieces: list[Index], where: str) -> float:
    """Rate of the one crystal: of the longest piece that tells one.

    A backlog that came all at once, after the computer slept, tells none.
    """
    for piece in sorted(pieces, key=len, reverse=True):
        fit = fit_clock(time_s[piece], arrival_s[piece])
        if abs(fit.rate - 1.0) <= MAX_RATE_ERROR:
            return fit.rate
    longest = max(pieces, key=len)
    return fit_plausible_clock(time_s[longest], arrival_s[longest], where).rate

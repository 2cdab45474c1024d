"""Are the rows what a sensor measured: repeated values, another sensor's rows, copies, long pauses.

A real sensor at rest is noisy: of twenty real sensors looked at none gave the same six values three
times in a row. What repeats was not measured, whatever the rows say, and is left out like a gap.
What belongs to another sensor is never mixed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError
from analysis.reasons import Reason
from imu.recording import Recording
from imu.samples import Stream

Mask = NDArray[np.bool_]

MIN_REPEATS = 4  # rows in one piece that all repeat earlier ones, before they are no chance
WITHIN_ROWS = 64  # a repeated packet's rows come again after so many at most
POOR_FROZEN_S = 1.0
NOISE_FREE_MS2 = 1e-4  # sixth differences of a made-up course: repeats are its own
SILENT_S = 8.0  # of one gyroscope value: some sensors write 0 at rest, none for that long
SILENT_TURN_RAD = np.deg2rad(2.5)  # seen by gravity meanwhile
MIN_NOISE_RADS = np.deg2rad(0.0025)  # of 22 real sensors the quietest has 0.08
SIXTH_DEVIATION = 0.6745 * np.sqrt(924.0)  # median of sixth differences of noise of deviation 1
HELD_SHARE = 0.6  # of rows that repeat their predecessor: the true rate is lower
SHARED_SHARE = 0.5  # of rows under two names: one stream, written twice
JUMP_MS2 = 4.0  # from one row to the next, and back with the one after: two sensors' rows
BACK_MS2 = 1.5
CHANCE_JUMPS = 2  # a hard swing makes one, in 20 real takes of minutes
MIXED_SHARE = 0.02  # more of them cannot be taken apart
COPIED_ROWS = 50  # in common between two sets
COPIED_SHARE = 0.3  # the same, coarsely written
PAUSE_S = 10.0  # without samples: what is before and behind are two sets


@dataclass(frozen=True, slots=True, eq=False)
class Cleaned:
    """A recording without the rows that were not measured.

    Attributes
    ----------
    recording : Recording
        To be analysed.
    reasons : tuple of Reason
        What was left out, and why.
    """

    recording: Recording
    reasons: tuple[Reason, ...]


def cleaned(recording: Recording) -> Cleaned:
    """Leave out what was not measured.

    Raises
    ------
    AnalysisError
        Both sensors hold the same samples, or the rows of two sensors are mixed.
    """
    _refuse_one_stream(recording)
    recording, reasons = _without_shared(recording)
    streams = dict(recording.streams)
    for name in streams:
        streams[name], found = _cleaned_stream(streams[name], recording.source)
        reasons += found
    parted, found = _longest_piece(replace(recording, streams=streams))
    return Cleaned(parted, (*reasons, *found))


def _cleaned_stream(stream: Stream, source: str) -> tuple[Stream, list[Reason]]:
    """Leave out one stream's rows of another sensor, and those that repeat earlier ones."""
    reasons: list[Reason] = []
    jumping = _jumping(stream)
    if jumping.sum() > max(MIXED_SHARE * len(jumping), MIN_REPEATS):
        raise AnalysisError(
            f"{source}, {stream.segment}",
            f"in {int(jumping.sum())} rows acc jumps and back: two sensors' rows under one name",
            "Give every sensor its own name in the column sensor.",
        )
    if jumping.any():
        text = f"{stream.segment}: {int(jumping.sum())} rows that jump and back are left out"
        reasons.append(Reason("fair", "jumps", text))
        stream = _kept(stream, ~jumping)
    stream, held = _without_held(stream)
    repeated = _repeated(stream) | _silent(stream)
    if repeated.any() and not repeated[1:].all():
        spans = list(_spans(repeated))
        reasons.append(_frozen(stream, spans))
        stream = _kept(stream, ~repeated)
    _refuse_silent(stream, source)
    return stream, [*held, *reasons]


def _refuse_silent(stream: Stream, source: str) -> None:
    """Refuse a gyroscope that has no noise beside an accelerometer that has."""
    if len(stream.time_s) < 20 or _noise_free(stream):
        return
    deviation = float(np.median(np.abs(np.diff(stream.gyr_rads, 6, axis=0)))) / SIXTH_DEVIATION
    if deviation < MIN_NOISE_RADS:
        raise AnalysisError(
            f"{source}, {stream.segment}",
            f"gyr has a noise of {np.rad2deg(deviation):.1g} deg/s, less than any gyroscope",
            "It is switched off, or was converted to rad/s twice; look at how it was exported.",
        )


def _frozen(stream: Stream, spans: Sequence[tuple[int, int]]) -> Reason:
    """Say from when to when a sensor repeated itself."""
    time_s = stream.time_s
    step_s = float(np.median(np.diff(time_s)))
    lasted_s = [float(time_s[b - 1] - time_s[a]) + step_s for a, b in spans]
    begin, end = spans[int(np.argmax(lasted_s))]
    more = f" and in {len(spans) - 1} more places" if len(spans) > 1 else ""
    text = (
        f"{stream.segment}: repeats one value from {time_s[begin] - time_s[0]:.1f} to "
        f"{time_s[end - 1] - time_s[0]:.1f} s{more}; nothing was measured there"
    )
    return Reason("poor" if sum(lasted_s) > POOR_FROZEN_S else "fair", "frozen", text)


def _kept(stream: Stream, mask: Mask) -> Stream:
    """Only the rows chosen."""
    return replace(
        stream,
        time_s=stream.time_s[mask],
        acc_ms2=stream.acc_ms2[mask],
        gyr_rads=stream.gyr_rads[mask],
        arrival_s=None if stream.arrival_s is None else stream.arrival_s[mask],
        mag_ut=None if stream.mag_ut is None else stream.mag_ut[mask],
    )


def _spans(mask: Mask) -> Iterator[tuple[int, int]]:
    """Half-open spans in which a mask holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    for begin, end in edges.reshape(-1, 2):
        yield int(begin), int(end)


def _keys(stream: Stream) -> NDArray[np.void]:
    """Six values of each row as one comparable key, shape (n,)."""
    rows = np.ascontiguousarray(np.hstack([stream.acc_ms2, stream.gyr_rads]) + 0.0)
    keys: NDArray[np.void] = rows.view(np.dtype((np.void, rows.dtype.itemsize * 6))).ravel()
    return keys


def _noise_free(stream: Stream) -> bool:
    """Whether a stream is a made-up course without any noise."""
    if len(stream.time_s) < 20:
        return True
    return float(np.median(np.abs(np.diff(stream.acc_ms2, 6, axis=0)))) < NOISE_FREE_MS2


def _repeated(stream: Stream) -> Mask:
    """Rows in long pieces that all equal one of the rows shortly before."""
    none = np.zeros(len(stream.time_s), dtype=bool)
    _, inverse, counts = np.unique(_keys(stream), return_inverse=True, return_counts=True)
    if counts.max() <= MIN_REPEATS:
        return none
    order = np.argsort(inverse, kind="stable")
    before = np.full(len(order), -WITHIN_ROWS - 1)
    same = np.diff(inverse[order]) == 0
    before[order[1:][same]] = order[:-1][same]
    again = np.arange(len(order)) - before <= WITHIN_ROWS
    for begin, end in _spans(again):
        none[begin:end] = end - begin >= MIN_REPEATS
    return none & (not _noise_free(_kept(stream, ~none)) if none.any() else none)


def _silent(stream: Stream) -> Mask:
    """Rows in which the gyroscope gives one value though it cannot have rested so."""
    silent = np.zeros(len(stream.time_s), dtype=bool)
    still = np.concatenate([[False], (np.diff(stream.gyr_rads, axis=0) == 0.0).all(axis=1)])
    if not still.any() or _noise_free(stream):
        return silent
    for begin, end in _spans(still):
        lasted_s = float(stream.time_s[end - 1] - stream.time_s[begin - 1])
        if lasted_s > SILENT_S or (end - begin > WITHIN_ROWS / 2 and _tipped(stream, begin, end)):
            silent[begin:end] = True
    return silent


def _tipped(stream: Stream, begin: int, end: int) -> bool:
    """Whether gravity moved in the sensor's axes within a span."""
    acc = stream.acc_ms2[begin:end]
    size = max(len(acc) // 8, 1)
    means = np.add.reduceat(acc, np.arange(0, len(acc) - size + 1, size), axis=0)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return bool(np.arccos(np.clip((means @ means[0]).min(), -1.0, 1.0)) > SILENT_TURN_RAD)


def _without_held(stream: Stream) -> tuple[Stream, list[Reason]]:
    """Keep the first row of each where every value is written several times."""
    if len(stream.time_s) < 3 or _noise_free(stream):
        return stream, []
    keys = _keys(stream)
    held = np.concatenate([[False], keys[1:] == keys[:-1]])
    spans = [end - begin for begin, end in _spans(held)]
    every = held.mean() > HELD_SHARE or (held.mean() > 0.4 and np.median(spans) == 1)
    if not every or max(spans) > 4 * np.median(spans) + 4:
        return stream, []
    times = round(1.0 / max(1.0 - float(held.mean()), 1e-9))
    kept = _kept(stream, ~held)
    rate_hz = (len(kept.time_s) - 1) / float(kept.time_s[-1] - kept.time_s[0])
    text = (
        f"{stream.segment}: every value stands in {times} rows, so the true rate is "
        f"{rate_hz:.0f} Hz; set a higher rate"
    )
    return kept, [Reason("fair", "low_rate", text)]


def _jumping(stream: Stream) -> Mask:
    """Rows that jump away from the one before and are left again by the one after."""
    acc = stream.acc_ms2
    jumping = np.zeros(len(acc), dtype=bool)
    if len(acc) < 5:
        return jumping
    away = np.linalg.norm(np.diff(acc, axis=0), axis=1) > JUMP_MS2
    back = np.linalg.norm(acc[2:] - acc[:-2], axis=1) < BACK_MS2
    level = np.abs(np.linalg.norm(acc, axis=1) - 9.81) < BACK_MS2  # a knock is not at 1 g
    jumping[1:-1] = away[:-1] & away[1:] & back & level[1:-1] & level[:-2] & level[2:]
    return jumping if jumping.sum() > CHANCE_JUMPS else np.zeros_like(jumping)


def _refuse_one_stream(recording: Recording) -> None:
    """Refuse two names for one stream."""
    names = sorted(recording.streams)
    for at, name in enumerate(names):
        for other in names[at + 1 :]:
            one, two = _keys(recording.streams[name]), _keys(recording.streams[other])
            shared = np.isin(one, two).mean() if len(one) <= len(two) else np.isin(two, one).mean()
            if shared > SHARED_SHARE:
                raise AnalysisError(
                    f"{recording.source}, {name} and {other}",
                    "both hold the same samples",
                    "One sensor was written under both names; record again with two sensors.",
                )


def _without_shared(recording: Recording) -> tuple[Recording, list[Reason]]:
    """Leave out rows that stand under two names: whose they are cannot be told."""
    streams = dict(recording.streams)
    reasons = []
    for name in ("thigh", "shank"):
        if name not in streams or "pelvis" not in streams or _noise_free(streams[name]):
            continue
        one, two = _keys(streams["pelvis"]), _keys(streams[name])
        both = np.isin(one, two)
        if both.sum() < MIN_REPEATS:
            continue
        streams["pelvis"], streams[name] = (
            _kept(streams["pelvis"], ~both),
            _kept(streams[name], ~np.isin(two, one)),
        )
        text = f"{int(both.sum())} rows stand under pelvis and {name} alike; they are left out"
        reasons.append(Reason("poor", "shared_rows", text))
    return replace(recording, streams=streams), reasons


def _longest_piece(recording: Recording) -> tuple[Recording, list[Reason]]:
    """Keep the longest part without a long pause: across one nothing is known of the person."""
    reasons: list[Reason] = []
    streams = dict(recording.streams)
    for name, stream in streams.items():
        if len(stream.time_s) < 2:
            continue
        cuts = np.flatnonzero(np.diff(stream.time_s) > PAUSE_S) + 1
        if len(cuts) == 0:
            continue
        pieces = np.split(np.arange(len(stream.time_s)), cuts)
        longest = max(pieces, key=lambda piece: stream.time_s[piece[-1]] - stream.time_s[piece[0]])
        pause_s = float(np.diff(stream.time_s).max())
        mask = np.zeros(len(stream.time_s), dtype=bool)
        mask[longest] = True
        streams[name] = _kept(stream, mask)
        text = (
            f"{name}: no samples for {pause_s:.0f} s; only the longest part without such a pause "
            "is analysed, record what follows a pause as a set of its own"
        )
        reasons.append(Reason("poor", "gap", text))
    return replace(recording, streams=streams), reasons


def copies(recordings: Sequence[Recording]) -> dict[str, str]:
    """Find sets that hold another set's samples.

    Parameters
    ----------
    recordings : sequence of Recording
        The sets of one session.

    Returns
    -------
    dict of str to str
        By the copy's name the name of the set it shares samples with.
    """
    found: dict[str, str] = {}
    for at, one in enumerate(recordings):
        for other in recordings[:at]:
            if _same(one, other):
                found[one.name] = other.name
                break
    return found


def _same(one: Recording, other: Recording) -> bool:
    """Whether two sets share samples, whatever names and times stand beside them."""
    leg = "thigh" if "thigh" in one.streams and "thigh" in other.streams else "shank"
    first, second = (one.streams.get(leg), other.streams.get(leg))
    if first is None or second is None or _noise_free(first) or _noise_free(second):
        return False
    if int(np.isin(_keys(first), _keys(second)).sum()) >= COPIED_ROWS:
        return True
    coarse = [
        replace(stream, acc_ms2=stream.acc_ms2.round(2), gyr_rads=stream.gyr_rads.round(3))
        for stream in (first, second)
    ]
    moving = np.linalg.norm(coarse[0].gyr_rads, axis=1) > 0.1
    if moving.sum() < COPIED_ROWS:
        return False
    return bool(np.isin(_keys(coarse[0])[moving], _keys(coarse[1])).mean() > COPIED_SHARE)

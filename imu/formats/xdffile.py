"""Recordings of the Lab Streaming Layer (XDF) -> `Recording`: one stream a sensor.

A stream is taken where its metadata say on which segment the sensor sits (``setup/segment``, as
``hiprot`` writes it) or its name ends in it, and its channels are labelled as the columns of a set
or as their short forms are (``acc_x`` or ``ax``) with their units. Without a channel ``time_s`` the
stamps by LSL's clock are the times of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from imu.errors import RecordingError
from imu.formats.ordering import order_rows
from imu.recording import Recording
from imu.samples import Array, Stream
from imu.units import (
    ACC_COLUMNS,
    ARRIVAL_COLUMN,
    GYR_COLUMNS,
    RAD_PER_DEG,
    SEGMENTS,
    STANDARD_GRAVITY_MS2,
)

UNITS = {
    "acc": {"m/s^2": 1.0, "m/s2": 1.0, "g": STANDARD_GRAVITY_MS2},
    "gyr": {"rad/s": 1.0, "deg/s": RAD_PER_DEG},
}
REMEDY = "Name the streams' segment, and label the channels acc_x ... gyr_z with their units."


def recording_of(streams: Sequence[Mapping[str, Any]], name: str, source: str) -> Recording:
    """Take a set out of the streams of an XDF file.

    Parameters
    ----------
    streams : sequence of Mapping
        As ``pyxdf.load_xdf(path)[0]`` gives them.
    name : str
        The set's: ``left``, ``right-2``.
    source : str
        The file's name, for messages.

    Raises
    ------
    RecordingError
        No sensor on the pelvis or the thigh, channels or units that are missing or unknown.
    """
    found: dict[str, Stream] = {}
    for one in streams:
        segment = _segment(one)
        if segment is None:
            continue
        if segment in found:
            what = f"two streams of the {segment} sensor"
            raise RecordingError(source, what, "Record one set in a file.")
        found[segment] = _stream(one, segment, source)
    for segment in ("pelvis", "thigh"):
        if segment not in found:
            raise RecordingError(source, f"there is no stream of the {segment} sensor", REMEDY)
    ordered = {segment: found[segment] for segment in SEGMENTS if segment in found}
    return Recording(name, name.split("-")[0], source, ordered)


def _segment(stream: Mapping[str, Any]) -> str | None:
    """Tell the segment of a stream; None where it is none of ours."""
    info = stream["info"]
    told = _first(_first(info.get("desc"), "setup"), "segment")
    last_word = str(_first(info, "name") or "").split()[-1:]
    return next((one for one in (told, *last_word) if one in SEGMENTS), None)


def _first(node: Any, key: str | None = None) -> Any:
    """Read a node, as pyxdf nests them: a list of one, or None."""
    while isinstance(node, list):
        node = node[0] if node else None
    if key is None or not isinstance(node, Mapping):
        return node if key is None else None
    return _first(node.get(key))


def _channels(stream: Mapping[str, Any], where: str) -> tuple[list[str], list[str], Array]:
    """Labels and units of a stream's channels, and its samples (n, channels)."""
    told = _first(_first(stream["info"].get("desc"), "channels")) or {}
    listed = [one for one in told.get("channel", []) if isinstance(one, Mapping)]
    labels = [str(_first(one, "label")).lower() for one in listed]
    try:
        series = np.asarray(stream["time_series"], dtype=float)
    except ValueError:
        raise RecordingError(where, "its samples are no numbers", REMEDY) from None
    if series.ndim != 2 or series.shape[1] != len(labels) or len(series) == 0:
        what = f"{len(labels)} channels are described, the samples are of shape {series.shape}"
        raise RecordingError(where, what, REMEDY)
    return labels, [str(_first(one, "unit")) for one in listed], series


def _stream(stream: Mapping[str, Any], segment: str, source: str) -> Stream:
    where = f"{source}, stream {segment}"
    labels, units, series = _channels(stream, where)

    def column(label: str, kind: str | None = None) -> Array:
        short = label.replace("acc_", "a").replace("gyr_", "g")
        at = next((at for at, one in enumerate(labels) if one in (label, short)), None)
        if at is None:
            raise RecordingError(where, f"there is no channel {label}", REMEDY)
        unit = units[at]
        if kind is not None and unit not in UNITS[kind]:
            what = f"{label} is in {unit}, expected {' or '.join(UNITS[kind])}"
            raise RecordingError(where, what, REMEDY)
        return series[:, at] * (UNITS[kind][unit] if kind else 1.0)

    values = np.column_stack(
        [column(one, "acc") for one in ACC_COLUMNS] + [column(one, "gyr") for one in GYR_COLUMNS]
    )
    own = "time_s" in labels and ARRIVAL_COLUMN in labels
    time_s = column("time_s") if own else np.asarray(stream["time_stamps"], dtype=float)
    arrival_s = column(ARRIVAL_COLUMN) if own else None
    if not (np.isfinite(values).all() and np.isfinite(time_s).all()):
        raise RecordingError(where, "not all samples are numbers", "Remove what is missing.")
    ordered = order_rows(time_s, values, arrival_s, lambda row: f"{where}, sample {row + 1}")
    index = ordered.index
    return Stream(
        segment,
        ordered.time_s,
        values[index, :3],
        values[index, 3:],
        None if arrival_s is None else arrival_s[index],
        None,
        ordered.faults,
    )

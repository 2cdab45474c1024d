"""The files of a Motion-BIDS dataset -> `Session`: values only, no files.

Read are inertial sensors whose channels say by ``tracked_point`` which segment they sit on
(``pelvis``, ``thigh``, ``shank``), one or several in a file, in recordings whose ``acq`` label is
``left`` or ``right``. Times come from the MISC channel ``..._clock`` where there is one, or else
from the LATENCY.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import numpy as np

from imu.errors import RecordingError
from imu.formats.ordering import order_rows
from imu.recording import Event, Recording, SensorInfo, Session, SessionInfo
from imu.samples import Array, Stream
from imu.units import EVENT_KINDS, RAD_PER_DEG, SEGMENTS, SIDES, STANDARD_GRAVITY_MS2

Channels = Sequence[tuple[dict[str, str], Array]]  # each with its column of values

TASK = "hipinternalrotation"
LEAN_TASK = "trunklean"
WHOLE_SET = "set"  # the event that is the recording itself
NOT_KNOWN = "n/a"
EXPORT_AGAIN = "Export it again."
MOTION_FILE = re.compile(
    r"(?:.*/)?(?P<scope>sub-(?P<sub>[A-Za-z0-9]+)(?:_ses-(?P<ses>[A-Za-z0-9]+))?)_"
    r"task-(?P<task>[A-Za-z0-9]+)_tracksys-[A-Za-z0-9]+(?:_acq-(?P<acq>[A-Za-z0-9]+))?"
    r"(?:_run-(?P<run>\d{1,4}))?_motion\.tsv"
)
FACTORS = {
    "m/s^2": 1.0,
    "g": STANDARD_GRAVITY_MS2,
    "rad/s": 1.0,
    "deg/s": RAD_PER_DEG,
    "uT": 1.0,
    "µT": 1.0,
    "s": 1.0,
}
UNITS = {
    "ACCEL": ("m/s^2", "g"),
    "GYRO": ("rad/s", "deg/s"),
    "MAGN": ("uT", "µT"),
    "LATENCY": ("s",),
    "MISC": ("s",),
}


def parse_dataset(files: Mapping[str, bytes]) -> Session:
    """Read one person's session.

    Parameters
    ----------
    files : Mapping of str to bytes
        Contents by path below the dataset's folder, with ``/``; others are left alone.

    Returns
    -------
    Session
        Sets by side, numbered by run. What the export wrote, sample for sample.

    Raises
    ------
    RecordingError
        No recording in it, several sessions, a channel or unit that is missing or unknown.
    """
    matches = [match for match in map(MOTION_FILE.fullmatch, sorted(files)) if match]
    scopes = {match["scope"] for match in matches}
    if not scopes:
        raise RecordingError(
            "Motion-BIDS", "there is no *_motion.tsv", "Give the dataset's folder."
        )
    if len(scopes) > 1:
        what = f"there are {len(scopes)} sessions, of {min(scopes)} and others"
        raise RecordingError("Motion-BIDS", what, "Give the folder of one: sub-01/ses-01.")
    found: dict[str, dict[str, Stream]] = {}
    events: dict[Event, None] = {}  # every sensor of a set tells them
    sensors: dict[str, SensorInfo] = {}
    for match in matches:
        name, stem = _set_name(match), match[0].removesuffix("motion.tsv")
        streams = _read_file(files, stem)
        if found.setdefault(name, {}).keys() & streams.keys():
            what = f"a second sensor on {' and '.join(streams)}"
            raise RecordingError(match[0].rpartition("/")[2], what, "Remove one of the files.")
        found[name].update(streams)
        sensors |= dict.fromkeys(streams, _sensor(files, f"{stem}motion.json"))
        events |= dict.fromkeys(_events(files, stem, name))
    recordings = {name: _recording(name, streams) for name, streams in found.items()}
    calibration = recordings.pop("calibration", None)
    subject, visit = matches[0]["sub"], matches[0]["ses"]
    code = None if subject == "unknown" else subject
    info = SessionInfo(code, _started(files), sensors=sensors)
    ordered = tuple(sorted(recordings.values(), key=_position))
    return Session(visit or subject, info, ordered, tuple(events), calibration)


def _set_name(match: re.Match[str]) -> str:
    """Name a set by its side and run."""
    if match["task"] == LEAN_TASK:
        return "calibration"
    if match["acq"] not in SIDES:
        what = f"acq is {match['acq'] or 'missing'}, expected left or right"
        raise RecordingError(match[0], what, "Name the files by the hip that turned.")
    run = int(match["run"] or 1)
    return match["acq"] if run == 1 else f"{match['acq']}-{run}"


def _started(files: Mapping[str, bytes]) -> str | None:
    """When the first sensor's first sample was taken; None where it is not told."""
    tables = (_table(files, path) for path in files if path.endswith("_scans.tsv"))
    times = [row.get("acq_time", NOT_KNOWN) for rows in tables for row in rows]
    known = []
    for text in times:
        with suppress(ValueError):  # n/a
            known.append(datetime.fromisoformat(text).isoformat())
    return min(known, default=None)


def _position(one: Recording) -> tuple[int, int]:
    """Left before right, then by number."""
    return SIDES.index(one.side), int(one.name.partition("-")[2] or 1)


def _recording(name: str, streams: Mapping[str, Stream]) -> Recording:
    for segment in ("pelvis", "thigh"):
        if segment not in streams:
            what = f"there are no samples of the {segment} sensor, only {' and '.join(streams)}"
            remedy = "Its channels need the tracked_point pelvis, thigh or shank."
            raise RecordingError(f"Motion-BIDS, set {name}", what, remedy)
    ordered = {segment: streams[segment] for segment in SEGMENTS if segment in streams}
    side = "" if name == "calibration" else name.split("-")[0]
    return Recording(name, side, f"{name} of Motion-BIDS", ordered)


def _read_file(files: Mapping[str, bytes], stem: str) -> dict[str, Stream]:
    """Read one tracking system's sensors, by segment."""
    source = f"{stem}motion.tsv".rpartition("/")[2]
    channels = _table(files, f"{stem}channels.tsv")
    values = _numbers(files[f"{stem}motion.tsv"], source)
    if values.shape[1] != len(channels):
        what = f"{values.shape[1]} columns, but channels.tsv tells of {len(channels)}"
        raise RecordingError(source, what, EXPORT_AGAIN)
    points = [point for point in SEGMENTS if any(c.get("tracked_point") == point for c in channels)]
    return {
        point: _stream(
            point,
            [(one, column) for one, column in zip(channels, values.T, strict=True)
             if one.get("tracked_point") == point],
            source,
        )
        for point in points
    }  # fmt: skip


def _stream(point: str, channels: Channels, source: str) -> Stream:
    """Put one sensor's channels together."""
    acc, gyr, mag = (_block(kind, channels, source) for kind in ("ACCEL", "GYRO", "MAGN"))
    time_s = _time("MISC", "_clock", channels, source)
    time_s = _time("LATENCY", "", channels, source) if time_s is None else time_s
    if acc is None or gyr is None or time_s is None:
        what = f"{point}: ACCEL and GYRO of x, y and z and a LATENCY are needed"
        raise RecordingError(source, what, "Export these channels, too.")
    values = np.hstack([acc, gyr])
    arrival_s = _time("MISC", "_arrival", channels, source)
    used = [time_s[:, None], values, *([] if arrival_s is None else [arrival_s[:, None]])]
    if not np.isfinite(np.hstack(used)).all():
        row = int(np.argmin(np.isfinite(np.hstack(used)).all(axis=1))) + 1
        raise RecordingError(
            f"{source}, line {row}", "a sample is missing (n/a)", "Remove the line."
        )
    ordered = order_rows(time_s, values, arrival_s, lambda row: f"{source}, line {row + 1}")
    index = ordered.index
    return Stream(
        point,
        ordered.time_s,
        acc[index],
        gyr[index],
        None if arrival_s is None else arrival_s[index],
        None if mag is None else mag[index],
        ordered.faults,
    )


def _block(kind: str, channels: Channels, source: str) -> Array | None:
    """Columns x, y and z of one type of channel (n, 3); None where one of them is missing."""
    axes = {
        one["component"]: _in_si(one, values, source)
        for one, values in channels
        if one["type"] == kind
    }
    return np.column_stack([axes[axis] for axis in "xyz"]) if {*"xyz"} <= axes.keys() else None


def _time(kind: str, ending: str, channels: Channels, source: str) -> Array | None:
    """Return the first channel of a type whose name ends so; None where there is none."""
    fitting = (
        _in_si(one, values, source)
        for one, values in channels
        if one["type"] == kind and one["name"].endswith(ending)
    )
    return next(fitting, None)


def _in_si(channel: Mapping[str, str], values: Array, source: str) -> Array:
    unit = channel.get("units", NOT_KNOWN)
    allowed = UNITS[channel["type"]]
    if unit not in allowed:
        what = f"channel {channel['name']} is in {unit}, expected {' or '.join(allowed)}"
        raise RecordingError(source, what, "Correct channels.tsv.")
    return values if FACTORS[unit] == 1.0 else values * FACTORS[unit]


def _numbers(data: bytes, source: str) -> Array:
    """Read ``motion.tsv``: numbers and n/a alone, no head; every number to its last bit."""
    lines = _text(data, source).splitlines()
    rows = [line.replace(NOT_KNOWN, "nan").split("\t") for line in lines]
    for at, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            what = f"{len(row)} cells, {len(rows[0])} in the first line"
            raise RecordingError(f"{source}, line {at}", what, EXPORT_AGAIN)
    try:
        return np.array(rows, dtype=float).reshape(len(rows), -1)
    except ValueError as error:
        what = " ".join(str(error).split())[:100]
        raise RecordingError(source, f"not a table of numbers: {what}", EXPORT_AGAIN) from None


def _table(files: Mapping[str, bytes], path: str) -> list[dict[str, str]]:
    """Read a table with a head; empty where there is none."""
    lines = _text(files.get(path, b""), path).splitlines()
    head = lines[0].split("\t") if lines else []
    rows = [dict(zip(head, line.split("\t"), strict=False)) for line in lines[1:] if line]
    for at, row in enumerate(rows, start=2):
        missing = {"name", "type", "component"} - row.keys()
        if path.endswith("channels.tsv") and missing:
            where = f"{path.rpartition('/')[2]}, line {at}"
            raise RecordingError(where, f"no {', '.join(sorted(missing))}", "Add the columns.")
    return rows


def _text(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        remedy = "BIDS is UTF-8 throughout; convert it."
        raise RecordingError(path.rpartition("/")[2], "this is not UTF-8", remedy) from None


def _events(files: Mapping[str, bytes], stem: str, name: str) -> Iterator[Event]:
    """Markers of one set; kinds that are not ours are passed over."""
    path = f"{stem}events.tsv"
    for row in _table(files, path):
        kind, value = row.get("trial_type", ""), row.get("value", NOT_KNOWN)
        if kind not in EVENT_KINDS:
            continue
        try:
            score = None if value == NOT_KNOWN else float(value)
            onset_s = float(row["onset"])
        except (KeyError, ValueError):
            what = f"{kind}: onset or value is no number"
            raise RecordingError(path.rpartition("/")[2], what, "Correct the row.") from None
        text = row.get("text", NOT_KNOWN)
        yield Event(name, onset_s, kind, score, "" if text == NOT_KNOWN else text)


def _sensor(files: Mapping[str, bytes], path: str) -> SensorInfo:
    """What the sidecar says of the sensor."""
    try:
        told: Any = json.loads(_text(files.get(path, b"{}"), path))
    except (ValueError, RecursionError):
        raise RecordingError(path.rpartition("/")[2], "not JSON", "Correct it.") from None
    if not isinstance(told, dict):
        raise RecordingError(path.rpartition("/")[2], "this is no object", "Correct it.")
    rate_hz = told.get("SamplingFrequency")
    keys = ("ManufacturersModelName", "DeviceSerialNumber", "SoftwareVersions")
    model, address, firmware = (
        None if told.get(key) in (None, NOT_KNOWN) else str(told[key]) for key in keys
    )
    return SensorInfo(
        model, address, firmware, rate_hz if isinstance(rate_hz, float | int) else None
    )

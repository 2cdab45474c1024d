"""The raw streams as a Motion-BIDS dataset (Brain Imaging Data Structure, motion, version 1.9 on).

Every sensor runs on its own clock, so each is a tracking system of its own with its own sampling
frequency. Its samples are written as they were recorded, unrounded: acceleration, angular rate,
the sensor's own clock (MISC), the computer's clock where it was recorded (MISC), and the LATENCY,
which is the time on the set's common clock, 0 at the set's first sample of any sensor.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.settings import Settings
from imu.clock import align
from imu.formats.bidsfile import LEAN_TASK, NOT_KNOWN, TASK, WHOLE_SET
from imu.recording import Event, Recording, SensorInfo, Session
from imu.samples import Stream

Array = NDArray[np.float64]

BIDS_VERSION = "1.10.0"
HED_VERSION = "8.3.0"  # recommended key, though no event carries such a tag
TYPES = (  # all are counted in motion.json, those that are not there as 0
    *("ACCEL", "ANGACCEL", "GYRO", "JNTANG", "LATENCY", "MAGN", "MISC", "ORNT", "POS", "VEL"),
)
PLACES = {"pelvis": "sacrum", "thigh": "thigh", "shank": "above the ankle"}
CHANNEL_COLUMNS = (
    *("name", "component", "type", "tracked_point", "units"),
    *("placement", "reference_frame", "sampling_frequency"),
)
EVENT_COLUMNS = ("onset", "duration", "trial_type", "value", "text")
WHAT = {
    TASK: "Seated hip internal rotation: the thigh is turned inward, held and guided back, after a "
    "still moment. The first movement is inward.",
    LEAN_TASK: "Seated: after a still moment the trunk leans forward and back three times.",
}
README = """# Seated hip internal rotation

Inertial sensors on the sacrum and the thigh (and shank), as recorded: no sample was resampled,
filtered or left out. Each sensor is a tracking system on its own clock. The LATENCY channel places
its samples on the set's common clock, on which the onsets in events.tsv are told, too.
`acq-left` and `acq-right` say which hip turned. Written by hiprot.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one set's files lie.

    Attributes
    ----------
    folder, stem : str
        ``sub-P01/ses-1/`` and the entities common to its sessions' files: ``sub-P01_ses-1``.
    task, acq : str
        Labels; ``acq`` is the side, empty for the trunk lean.
    run : int
        From 1, by side.
    """

    folder: str
    stem: str
    task: str
    acq: str
    run: int

    def path(self, segment: str, ending: str) -> str:
        """Name one file of one sensor, below the session's folder."""
        acq = f"_acq-{self.acq}" if self.acq else ""
        system = f"tracksys-imu{segment.capitalize()}"
        return f"motion/{self.stem}_task-{self.task}_{system}{acq}_run-{self.run}_{ending}"


def export(session: Session, settings: Settings) -> dict[str, str | bytes]:
    """Make the dataset: one person, one session.

    Parameters
    ----------
    session : Session
        As read from its folder.
    settings : Settings
        Not used: raw data know no limits.

    Returns
    -------
    dict of str to str
        Contents by path. `imu.formats.bidsfile.parse_dataset` gives the same samples again.
    """
    del settings
    subject, visit = label(session.info.subject), label(session.name)
    folder, stem = f"sub-{subject}/ses-{visit}/", f"sub-{subject}_ses-{visit}"
    contents: dict[str, str | bytes] = dict(_head(session, subject))
    scans = []
    starts_s = _starts_s(session)
    for recording in (*session.recordings, *filter(None, [session.calibration])):
        place = _place(session, recording, folder, stem)
        events = [event for event in session.events if event.set_name == recording.name]
        aligned = align(recording).streams
        for segment, stream in recording.streams.items():
            sensor = session.info.sensors.get(segment, SensorInfo())
            files = _files(place, stream, aligned[segment].time_s, sensor, events)
            contents |= {f"{folder}{path}": text for path, text in files.items()}
            began_s = starts_s.get(recording.name)
            after_s = None if began_s is None else began_s + float(aligned[segment].time_s[0])
            when = _acquired(session.info.started, after_s)
            scans.append((place.path(segment, "motion.tsv"), when))
    contents[f"{folder}{stem}_scans.tsv"] = _tsv(("filename", "acq_time"), scans)
    return contents


def label(text: str | None) -> str:
    """Make a label of letters and digits alone, as BIDS wants it.

    >>> label("P-01 b"), label(None)
    ('P01b', 'unknown')
    """
    return re.sub(r"[^A-Za-z0-9]", "", text or "") or "unknown"


def _place(session: Session, recording: Recording, folder: str, stem: str) -> Place:
    """Place one set; sets of a side are numbered as they come."""
    if not recording.side:
        return Place(folder, stem, LEAN_TASK, "", 1)
    same = [one.name for one in session.recordings if one.side == recording.side]
    return Place(folder, stem, TASK, recording.side, same.index(recording.name) + 1)


def _starts_s(session: Session) -> dict[str, float]:
    """When each set began after the first, by the computer's clock; where it is known."""
    everything = [*session.recordings, *filter(None, [session.calibration])]
    if len(everything) == 1:
        return {everything[0].name: 0.0}
    arrivals = {
        one.name: min(
            np.inf if stream.arrival_s is None else float(stream.arrival_s.min())
            for stream in one.streams.values()
        )
        for one in everything
    }
    if not np.isfinite(list(arrivals.values())).all():
        return {}
    first = min(arrivals.values())
    return {name: arrival - first for name, arrival in arrivals.items()}


def _acquired(started: str | None, after_s: float | None) -> str:
    """Say when a sensor's first sample was taken; in UTC where the session tells its zone."""
    if started is None or after_s is None:
        return NOT_KNOWN
    when = datetime.fromisoformat(started) + timedelta(seconds=after_s)
    if when.tzinfo is None:
        return when.isoformat(timespec="microseconds")
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _head(session: Session, subject: str) -> Iterator[tuple[str, str]]:
    """Files of the dataset as a whole."""
    yield "README.md", README
    yield (
        "dataset_description.json",
        _json(
            {
                "Name": f"Seated hip internal rotation, {label(session.name)}",
                "BIDSVersion": BIDS_VERSION,
                "DatasetType": "raw",
                "License": NOT_KNOWN,
                "Authors": [NOT_KNOWN, NOT_KNOWN],  # with one alone readers warn
                "HEDVersion": HED_VERSION,
                "SourceDatasets": [],
                "GeneratedBy": [{"Name": "hiprot", "Version": version("hip-rotation")}],
            }
        ),
    )
    yield "participants.tsv", _tsv(("participant_id",), [(f"sub-{subject}",)])
    meaning = "Code of the person, letters and digits of it"
    yield "participants.json", _json({"participant_id": {"Description": meaning}})


def _files(
    place: Place,
    stream: Stream,
    latency_s: Array,
    sensor: SensorInfo,
    events: Sequence[Event],
) -> dict[str, str]:
    """Make the files of one sensor in one set."""
    channels = list(_channels(place, stream, latency_s))
    rate_hz = _rate_hz(stream)
    rows = [(*head, f"{rate_hz:.6f}") for head, _ in channels]
    table = np.column_stack([values for _, values in channels]).tolist()
    samples = "".join("\t".join(map(repr, row)) + "\n" for row in table)
    kinds = [head[2] for head, _ in channels]
    made = {
        "motion.tsv": samples.replace("nan", NOT_KNOWN),
        "motion.json": _json(_sidecar(place, stream, sensor, kinds, rate_hz)),
        "channels.tsv": _tsv(CHANNEL_COLUMNS, rows),
        "channels.json": _json(CHANNELS_TOLD),
        "events.tsv": _tsv(EVENT_COLUMNS, _events(latency_s, events)),
        "events.json": _json(EVENTS_TOLD),
    }
    return {place.path(stream.segment, ending): text for ending, text in made.items()}


def _events(latency_s: Array, events: Sequence[Event]) -> list[tuple[object, ...]]:
    """Lay out the set itself and its markers, in the order of time."""
    whole = (float(latency_s[0]), float(latency_s[-1] - latency_s[0]), WHOLE_SET, None, None)
    told = [(event.time_s, 0.0, event.kind, event.score, event.text) for event in events]
    return sorted([whole, *told], key=itemgetter(0))


def _channels(
    place: Place, stream: Stream, latency_s: Array
) -> Iterator[tuple[tuple[str, ...], Array]]:
    """Every channel's row of ``channels.tsv`` without the rate, and its samples."""
    point = stream.segment
    side = f"{place.acq} " if place.acq and point != "pelvis" else ""
    where = f"{side}{PLACES[point]}"
    blocks = [("ACCEL", "m/s^2", stream.acc_ms2), ("GYRO", "rad/s", stream.gyr_rads)]
    if stream.mag_ut is not None:
        blocks.append(("MAGN", "uT", stream.mag_ut))
    for kind, unit, values in blocks:
        for column, axis in enumerate("xyz"):
            name = f"{point}_{kind}_{axis}"
            yield (name, axis, kind, point, unit, where, "sensor"), values[:, column]
    times = [("LATENCY", "latency", latency_s), ("MISC", "clock", stream.time_s)]
    if stream.arrival_s is not None:
        times.append(("MISC", "arrival", stream.arrival_s))
    for kind, what, values in times:
        yield (f"{point}_{what}", NOT_KNOWN, kind, point, "s", where, NOT_KNOWN), values


def _rate_hz(stream: Stream) -> float:
    """Samples a second by the sensor's own clock, losses included."""
    span_s = float(stream.time_s[-1] - stream.time_s[0])
    return (len(stream.time_s) - 1) / span_s if span_s > 0 else 0.0


def _sidecar(
    place: Place, stream: Stream, sensor: SensorInfo, kinds: Sequence[str], rate_hz: float
) -> dict[str, Any]:
    """What ``motion.json`` says of one sensor."""
    counts = {f"{kind}ChannelCount": kinds.count(kind) for kind in TYPES}
    known = {
        "DeviceSerialNumber": sensor.address,
        "ManufacturersModelName": sensor.model,
        "SoftwareVersions": sensor.firmware,
    }
    return {
        "TaskName": place.task,
        "TaskDescription": WHAT[place.task],
        "Instructions": WHAT[place.task],
        "SamplingFrequency": rate_hz if sensor.rate_hz is None else sensor.rate_hz,
        "SamplingFrequencyEffective": rate_hz,
        "Manufacturer": NOT_KNOWN,
        **{key: value or NOT_KNOWN for key, value in known.items()},
        "InstitutionName": NOT_KNOWN,
        "InstitutionAddress": NOT_KNOWN,
        "InstitutionalDepartmentName": NOT_KNOWN,
        "TrackingSystemName": f"imu{stream.segment.capitalize()}",
        "RecordingType": "continuous",
        "RecordingDuration": float(stream.time_s[-1] - stream.time_s[0]),
        "MotionChannelCount": len(kinds),
        "TrackedPointsCount": 1,
        "MissingValues": NOT_KNOWN,
        "SubjectArtefactDescription": NOT_KNOWN,
        **counts,
    }


CHANNELS_TOLD: Mapping[str, Any] = {
    "reference_frame": {
        "Description": "The sensor's own axes; acceleration is specific force, +9.81 upwards",
        "Levels": {
            "sensor": {
                "RotationRule": "right-hand",
                "RotationOrder": NOT_KNOWN,
                "SpatialAxes": NOT_KNOWN,
                "Description": "Axes as the maker defines them; the sensor may sit in any way.",
            }
        },
    },
}
EVENTS_TOLD: Mapping[str, Any] = {
    "onset": {
        "Description": "On the set's common clock, that of the LATENCY channel",
        "Units": "s",
    },
    "trial_type": {"Description": "set: the recording itself; otherwise what was marked"},
    "value": {"Description": "Score from 0 to 10, where one was given"},
    "text": {"Description": "Free words"},
    "StimulusPresentation": {"SoftwareName": "hiprot"},
}


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _tsv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["\t".join(columns), *("\t".join(map(_cell, row)) for row in rows)]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    """Write one cell; text keeps to its own."""
    if value is None or value == "":
        return NOT_KNOWN
    return repr(value) if isinstance(value, float) else " ".join(str(value).split())

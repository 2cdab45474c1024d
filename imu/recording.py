"""A recorded set, and the session that holds the sets of both sides: values, no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from imu.samples import Stream


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One set: what its sensors measured.

    Attributes
    ----------
    name : str
        The file's stem: ``left``, ``right-2``; ``calibration`` for the trunk lean.
    side : str
        ``left`` or ``right``; empty for the calibration.
    source : str
        The file's name, for messages.
    streams : Mapping of str to Stream
        By segment.
    cut_rows : int
        1 where the file ended in the middle of a line, which was dropped; otherwise 0.
    unknown_columns : tuple of str
        Columns that are not the contract's, left alone.
    """

    name: str
    side: str
    source: str
    streams: Mapping[str, Stream]
    cut_rows: int = 0
    unknown_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One row of ``events.csv``.

    Attributes
    ----------
    set_name : str
        The set the marker belongs to (``left``, ``right-2``).
    time_s : float
        On the set's common time, 0 at its first sample.
    kind : str
        One of `imu.units.EVENT_KINDS`.
    score : float or None
        0 to 10, where one was given.
    text : str
        Free text, untrusted.
    """

    set_name: str
    time_s: float
    kind: str
    score: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class SensorInfo:
    """What ``session.json`` says of one sensor; every entry is optional."""

    model: str | None = None
    address: str | None = None
    firmware: str | None = None
    rate_hz: float | None = None
    battery_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What was mislabelled in one set; samples are never rewritten, every reader applies it.

    Attributes
    ----------
    side : str or None
        The leg that it really was; None where the label is right.
    swap_sensors : bool
        Whether pelvis and thigh sensor were exchanged.
    why : str
        As the person who corrected it put it.
    """

    side: str | None = None
    swap_sensors: bool = False
    why: str = ""

    def apply(self, recording: Recording) -> Recording:
        """Give the recording as it should have been labelled."""
        streams = dict(recording.streams)
        if self.swap_sensors and {"pelvis", "thigh"} <= streams.keys():
            streams["pelvis"] = replace(recording.streams["thigh"], segment="pelvis")
            streams["thigh"] = replace(recording.streams["pelvis"], segment="thigh")
        return replace(recording, side=self.side or recording.side, streams=streams)


@dataclass(frozen=True, slots=True)
class Source:
    """Where imported sets came from; written by ``hiprot import``.

    Attributes
    ----------
    format : str or None
        The importer's name; of several formats joined by ``, ``.
    files : tuple of str
        Names of the files, in the order they were imported.
    sha256 : str or None
        Of one file its own, hex; of several that of their hashes, see ``hashes``, each on a line
        ``HASH  NAME`` as ``sha256sum`` prints it.
    device : str or None
        ``phone`` where a phone measured: what a range must differ by is larger then.
    hashes : Mapping of str to str
        Of every file, by name.
    """

    format: str | None = None
    files: tuple[str, ...] = ()
    sha256: str | None = None
    device: str | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """Who, when and with what; every entry is optional.

    Attributes
    ----------
    context : str or None
        A word for comparing within a day, such as ``before`` and ``after``.
    modes : Mapping of str to str
        How each set was coached, by its name: one of `imu.units.MODES`; absent: ``measure``.
    corrections : Mapping of str to Correction
        By set; ``calibration`` for the lean.
    source : Source or None
        Where imported sets came from.
    """

    subject: str | None = None
    started: str | None = None
    planned_reps: int | None = None
    sensors: Mapping[str, SensorInfo] = field(default_factory=dict)
    notes: str | None = None
    context: str | None = None
    modes: Mapping[str, str] = field(default_factory=dict)
    corrections: Mapping[str, Correction] = field(default_factory=dict)
    source: Source | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """One visit of one person: the sets, the markers and their provenance.

    Attributes
    ----------
    name : str
        The folder's name.
    info : SessionInfo
        From ``session.json``; empty where there is none.
    recordings : tuple of Recording
        The sets, left before right, then in the order of their numbers.
    events : tuple of Event
        From ``events.csv``, in file order.
    calibration : Recording or None
        The trunk lean, where it was recorded.
    sha256 : str
        Over the names and bytes of all files read, hex.
    """

    name: str
    info: SessionInfo
    recordings: tuple[Recording, ...]
    events: tuple[Event, ...] = ()
    calibration: Recording | None = None
    sha256: str = ""

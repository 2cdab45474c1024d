"""What an importer takes and gives: files of one recording in, one track a sensor out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from imu.errors import RecordingError
from imu.recording import SensorInfo
from imu.samples import Array

UNIX = "unix"  # a clock set to the time of day, as phones have it


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One quantity of one sensor.

    Attributes
    ----------
    time_s : ndarray, shape (n,)
        By the track's clock, strictly increasing.
    values : ndarray, shape (n, 3)
        SI, sensor axes: specific force [m/s²] (+9.81 upwards at rest) or angular rate [rad/s].
    """

    time_s: Array
    values: Array


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What one sensor measured, as its file tells it.

    Attributes
    ----------
    label : str
        The sensor, as the file or its name calls it.
    acc, gyr : Signal
        Specific force and angular rate; their times may differ.
    clock : str
        Tracks of equal name are on one clock; `UNIX` for the time of day; empty for a clock of
        the sensor's own.
    started : str or None
        ISO 8601, where the file says when it began.
    info : SensorInfo
        What the file says of the sensor.
    remarks : tuple of str
        What was counted or assumed while reading, in words.
    arrival_s : ndarray, shape (n,), or None
        When the host received each sample of ``gyr``, whose times are then those of ``acc``, too.
    """

    label: str
    acc: Signal
    gyr: Signal
    clock: str = ""
    started: str | None = None
    info: SensorInfo = field(default_factory=SensorInfo)
    remarks: tuple[str, ...] = ()
    arrival_s: Array | None = None


@dataclass(frozen=True, slots=True)
class Recordings:
    """The tracks of one recording.

    Attributes
    ----------
    format : str
        The importer's name.
    tracks : tuple of Track
        At least one.
    phone : bool
        Whether a phone measured: its error is larger than a sensor's.
    """

    format: str
    tracks: tuple[Track, ...]
    phone: bool = False


Sniff = Callable[[str, bytes], bool]
Parse = Callable[[Mapping[str, bytes], bool], Recordings]


def alone(name: str) -> str:
    """Group of a file that is a recording by itself: its own name."""
    return name


def by_folder(name: str) -> str:
    """Group of a file that belongs with those beside it: its folder, ``meta`` counted in.

    Examples
    --------
    >>> by_folder("sacrum.zip/Gyroscope.csv"), by_folder("sacrum.zip/meta/time.csv")
    ('sacrum.zip', 'sacrum.zip')
    """
    folder = name.rpartition("/")[0]
    return folder.removesuffix("/meta")


@dataclass(frozen=True, slots=True)
class Importer:
    """One format. A third party offers its own by the entry point group ``hiprot.importers``.

    Attributes
    ----------
    name : str
        As `hiprot import --format` takes it.
    sniff : callable
        Whether a file is of this format, by its name and its first 64 KiB.
    parse : callable
        The files of one recording, by name, into `Recordings`; pure. The second argument says
        whether times that a whole packet shares are spread evenly. Whatever is wrong is a
        `RecordingError` that names file, line and column.
    checked : str
        What the layout was checked against: a real file, or a description only.
    group : callable
        From a file's name the key that files of one recording share.
    """

    name: str
    sniff: Sniff
    parse: Parse
    checked: str
    group: Callable[[str], str] = alone


def only_file(files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Take the one file of a recording that has no more.

    Raises
    ------
    RecordingError
        There are several.
    """
    if len(files) != 1:
        what = f"{len(files)} files where one is a recording"
        raise RecordingError(next(iter(files), "import"), what, "Import them one by one.")
    return next(iter(files.items()))


def stem(name: str) -> str:
    """Name a recording by its file: without folders and the ending.

    Examples
    --------
    >>> stem("visit/sacrum.csv"), stem("sacrum.zip")
    ('sacrum', 'sacrum')
    """
    last = name.rpartition("/")[2]
    return last.rpartition(".")[0] or last

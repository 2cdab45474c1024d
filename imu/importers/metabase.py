"""MetaBase (MbientLab): two files a sensor, acceleration and angular rate, each on its own times.

Checked against 191 public files of a barbell study: 71 pairs are read, a copy of a file and a half
without its other are refused. Older headers are from code that reads them. Never merged by row: the
gyroscope may start 0.4 s before the acceleration, and at another rate. ``epoch`` is UTC in ms by
the phone that recorded, one for all its sensors, at nominal steps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from imu.errors import RecordingError
from imu.importers.text import decode, read_table, require
from imu.importers.times import make_signal
from imu.importers.values import Importer, Recordings, Signal, Track, stem
from imu.recording import SensorInfo
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

NAME = "metabase"
QUANTITY = re.compile(r"[_ -]*(accelerometer|gyroscope|acc|gyro?)(?![a-z])[^/]*$", re.IGNORECASE)
ADDRESS = re.compile(r"_([0-9A-Fa-f]{12})(?=_|$)")
UNITS = {"g": STANDARD_GRAVITY_MS2, "deg/s": RAD_PER_DEG}
AGAIN = "Export acceleration (g) and gyroscope (deg/s) from MetaBase again."


def sniff(name: str, head: bytes) -> bool:
    """Whether it begins with one of the app's headers."""
    del name
    return head.removeprefix(b"\xef\xbb\xbf").startswith((b"epoch (ms),", b"epoc (ms),"))


def group(name: str) -> str:
    """A file's name up to its quantity: session, device, start and address.

    Examples
    --------
    >>> group("a_MetaWear_2019-01-11T16.26.04.954_C42732BE255C_Gyroscope_25.000Hz_1.4.4.csv")
    'a_MetaWear_2019-01-11T16.26.04.954_C42732BE255C'
    """
    return QUANTITY.sub("", name.rpartition(".csv")[0] or name)


def parse(files: Mapping[str, bytes], spread: bool = False) -> Recordings:
    """Parse one sensor's two files; see the module."""
    found: dict[str, Signal] = {}
    told: list[str] = []
    where = group(next(iter(files)))
    for name, data in files.items():
        unit, signal, remarks = _signal(decode(data, name), name, spread)
        if unit in found:
            what = f"a second file in {unit} of one recording"
            raise RecordingError(name, what, "If it is a copy, leave it out.")
        found[unit] = signal
        told += [f"{unit}: {one}" for one in remarks]
    for unit, quantity in (("g", "acceleration"), ("deg/s", "angular rate")):
        if unit not in found:
            what = f"there is no file of {quantity} with the same name"
            raise RecordingError(where, what, "Give both files of each sensor.")
    match = ADDRESS.search(where)
    address = None if match is None else ":".join(re.findall("..", match[1].upper()))
    began = datetime.fromtimestamp(float(found["deg/s"].time_s[0]), UTC)
    info = SensorInfo("MetaMotion", address)
    track = Track(
        stem(where + ".csv"), found["g"], found["deg/s"], "metabase",
        began.isoformat("T", "milliseconds"), info, tuple(told),
    )  # fmt: skip
    return Recordings(NAME, (track,))


def _signal(text: str, source: str, spread: bool) -> tuple[str, Signal, list[str]]:
    table = read_table(text, source, 0)
    unit = next((one for one in UNITS if f"x-axis ({one})" in table.names), "")
    columns = [f"{axis}-axis ({unit or 'g'})" for axis in "xyz"]
    require(table, columns, AGAIN)
    values, lines = table.numbers([table.names[0], *columns])
    signal, told = make_signal(
        values[:, 0] / 1e3, values[:, 1:] * UNITS[unit], lines, source, spread
    )
    if not 1e8 < signal.time_s[0] < 1e10:
        raise RecordingError(source, "epoch is not in ms since 1970", AGAIN)
    return unit, signal, [*table.remarks(), *told]


IMPORTER = Importer(
    NAME, sniff, parse, "191 real files: 71 pairs read, copies and lone halves refused", group
)
IMPORTERS = (IMPORTER,)

"""APDM Opal: HDF5, all sensors in one file on one clock; needs ``h5py``, an extra.

From code that reads such files; no real file was at hand. Two layouts: ``/Sensors/<id>`` with
``Accelerometer``, ``Gyroscope`` and ``Time``, its label in the attribute ``Label 0`` of
``Configuration``; older, ``/<id>/Calibrated`` with ``Accelerometers`` and ``Gyroscopes``. m/s²,
rad/s, µs since 1970.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from imu.errors import CallError, RecordingError
from imu.importers.times import make_pair
from imu.importers.values import Importer, Recordings, Track, only_file
from imu.recording import SensorInfo
from imu.samples import Array

NAME = "apdm"
MARK = b"\x89HDF\r\n\x1a\n"
MAX_ROWS = 20_000_000
AGAIN = "Export it again from Motion Studio or Mobility Lab."


def sniff(name: str, head: bytes) -> bool:
    """Whether it is an HDF5 file."""
    del name
    return head.startswith(MARK)


def parse(files: Mapping[str, bytes], spread: bool = False) -> Recordings:
    """Parse one file; see the module."""
    name, data = only_file(files)
    try:
        h5py: Any = importlib.import_module("h5py")  # loaded for such files only
    except ImportError:
        remedy = "Install it (pip install h5py)."
        raise CallError(f"{name}: HDF5 files need h5py. {remedy}") from None
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            tracks = tuple(_tracks(file, name, spread))
    except (OSError, KeyError, ValueError, RuntimeError, TypeError, AttributeError) as error:
        what = f"it cannot be read as HDF5 ({type(error).__name__}: {str(error)[:80]})"
        raise RecordingError(name, what, AGAIN) from None
    if not tracks:
        raise RecordingError(name, "no sensor with acceleration and angular rate", AGAIN)
    return Recordings(NAME, tracks)


def _tracks(file: Any, source: str, spread: bool) -> list[Track]:
    """Make a track of every sensor, in either layout."""
    if "Sensors" in file:
        found = {key: file["Sensors"][key] for key in file["Sensors"]}
        names = ("Accelerometer", "Gyroscope")
        label = {
            key: _label(one.get("Configuration"), "Label 0", key) for key, one in found.items()
        }
        data = {key: (one, one["Time"]) for key, one in found.items() if "Time" in one}
    else:
        found = {key: file[key] for key in file if "Calibrated" in _keys(file[key])}
        names = ("Accelerometers", "Gyroscopes")
        label = {key: _label(one, "MonitorLabel", key) for key, one in found.items()}
        data = {
            key: (one["Calibrated"], one["Time"]) for key, one in found.items() if "Time" in one
        }
    return [
        _track(group, time, names, label[key], f"{source}, {label[key]}", spread)
        for key, (group, time) in data.items()
        if set(names) <= set(_keys(group))
    ]


def _keys(node: Any) -> list[str]:
    return list(node.keys()) if hasattr(node, "keys") else []


def _label(node: Any, attribute: str, key: str) -> str:
    """Read a sensor's label, padded with zero bytes; its key where there is none."""
    value = None if node is None else node.attrs.get(attribute)
    if isinstance(value, np.ndarray):
        value = value.tobytes() if value.dtype.kind == "S" else "".join(map(str, value.tolist()))
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = str(value or "").replace("\0", "").strip()
    return text or key


def _track(
    group: Any, time: Any, names: tuple[str, str], label: str, source: str, spread: bool
) -> Track:
    """Read one sensor; its size is known before anything is read."""
    rows = time.shape[0]
    for one in (time, *(group[name] for name in names)):
        if len(one.shape) > 2 or one.shape[0] != rows or rows > MAX_ROWS:
            what = f"a data set of shape {one.shape} beside {rows} times"
            raise RecordingError(source, what, AGAIN)
        if one is not time and one.shape[1:] != (3,):
            raise RecordingError(source, f"a data set of shape {one.shape}", AGAIN)
    if rows * 56 > MAX_ROWS * 8:
        raise RecordingError(source, f"{rows} samples", "A set is minutes long; export a part.")
    stamps = np.asarray(time[()], dtype=np.int64).reshape(-1)
    seconds, rest = np.divmod(stamps, 10**6)
    values: Array = np.column_stack([np.asarray(group[name][()], np.float64) for name in names])
    lines = np.arange(1, rows + 1)
    acc, gyr, told = make_pair(seconds + rest / 1e6, values, lines, source, spread)
    return Track(label, acc, gyr, NAME, None, SensorInfo("APDM Opal"), tuple(told))


IMPORTER = Importer(NAME, sniff, parse, "code that reads them only")
IMPORTERS = (IMPORTER,)

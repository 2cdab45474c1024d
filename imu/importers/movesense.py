"""Movesense: CSV of the Showcase apps and of ``json2csv``, JSON of the data logger.

Headers and nesting from the apps' code and derived programs; no real file was at hand. m/s² and
deg/s; times in ms since the sensor was switched on, so every sensor is on a clock of its own. In
JSON a packet's time is that of its first sample; the others follow evenly up to the next packet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import numpy as np

from imu.errors import RecordingError
from imu.formats.csvfile import place
from imu.formats.sessionfile import strict_json
from imu.importers.text import decode, read_table
from imu.importers.times import make_signal
from imu.importers.values import Importer, Recordings, Signal, Track, stem
from imu.recording import SensorInfo
from imu.samples import Array
from imu.units import RAD_PER_DEG

NAME = "movesense"
HEADER = re.compile(r"timestamp(_ms| \(ms\))?,x(: ?\([^)]*\))?,y", re.IGNORECASE)
QUANTITY = re.compile(
    r"[_ -]*(linear)?(acceleration|accelerometer|acc|gyroscope|gyro|angularvelocity)"
    r"(?![a-z])[_ -]*(stream)?", re.IGNORECASE,
)  # fmt: skip
FACTORS = {"acc": 1.0, "gyr": RAD_PER_DEG}
MAX_DEPTH = 12
AGAIN = "Record acceleration and gyroscope (IMU6), and export both."


def sniff(name: str, head: bytes) -> bool:
    """Whether it begins with one of the apps' headers, or holds the logger's arrays."""
    del name
    text = head.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    if text.startswith(("{", "[")):
        return '"Timestamp"' in text and ('"ArrayAcc"' in text or '"ArrayGyro"' in text)
    return HEADER.match(text) is not None


def group(name: str) -> str:
    """A file's name without its quantity; a JSON file may hold all.

    Examples
    --------
    >>> (
    ...     group("20260101_175030000001_Acc_stream.csv"),
    ...     group("20260101_175030000001_Gyro_stream.csv"),
    ... )
    ('20260101_175030000001.csv', '20260101_175030000001.csv')
    """
    folder, slash, last = name.rpartition("/")
    return folder + slash + QUANTITY.sub("", last)


def parse(files: Mapping[str, bytes], spread: bool = False) -> Recordings:
    """Parse one sensor's files; see the module."""
    where = group(next(iter(files)))
    found: dict[str, Signal] = {}
    told: list[str] = []
    for name, data in files.items():
        text = decode(data, name)
        parts = _json(text, name) if text.lstrip()[:1] in "{[" else _csv(text, name, spread)
        for quantity, signal, remarks in parts:
            if quantity in found:
                raise RecordingError(name, f"a second file of {quantity} of one sensor", AGAIN)
            found[quantity] = signal
            told += [f"{quantity}: {one}" for one in remarks]
    for quantity, words in (("acc", "acceleration"), ("gyr", "gyroscope")):
        if quantity not in found:
            raise RecordingError(where, f"there is no {words}", AGAIN)
    match = re.search(r"(?<!\d)(\d{12})(?!\d)", where)
    info = SensorInfo("Movesense" + (f" {match[1]}" if match else ""))
    track = Track(stem(where), found["acc"], found["gyr"], "", None, info, tuple(told))
    return Recordings(NAME, (track,))


def _csv(text: str, source: str, spread: bool) -> list[tuple[str, Signal, list[str]]]:
    """Read one quantity; its unit in the header or its name says which."""
    table = read_table(text, source, 0)
    head = ",".join(table.names).lower()
    if "m/s^2" in head or "m/s2" in head:
        quantity = "acc"
    elif "degree" in head or "deg/s" in head or "dps" in head:
        quantity = "gyr"
    else:
        quantity = _by_name(source)
    values, lines = table.numbers(table.names[:4])
    signal, told = make_signal(
        values[:, 0] / 1e3, values[:, 1:] * FACTORS[quantity], lines, source, spread
    )
    return [(quantity, signal, [*table.remarks(), *told])]


def _by_name(source: str) -> str:
    """Tell the quantity by the file's name, where the header does not."""
    match = QUANTITY.search(source.rpartition("/")[2])
    if match is None:
        what = "neither the header nor the name says whether it is acceleration or gyroscope"
        raise RecordingError(place(source, 1), what, "Put Acc or Gyro into the file's name.")
    return "acc" if match[2].lower().startswith("acc") else "gyr"


def _json(text: str, source: str) -> list[tuple[str, Signal, list[str]]]:
    """Read all packets of a document, or of one document a line."""
    packets: dict[str, list[tuple[float, Array]]] = {"acc": [], "gyr": []}
    for document in _documents(text, source):
        for node in _nodes(document, 0):
            stamp = node.get("Timestamp")
            for quantity, key in (("acc", "ArrayAcc"), ("gyr", "ArrayGyro")):
                if key in node:
                    packets[quantity].append((_number(stamp, source), _array(node[key], source)))
    if not any(packets.values()):
        raise RecordingError(source, "no packet with ArrayAcc or ArrayGyro", AGAIN)
    return [
        (quantity, *_signal(list_, FACTORS[quantity], f"{source}, {quantity}"))
        for quantity, list_ in packets.items()
        if list_
    ]


def _documents(text: str, source: str) -> Iterator[object]:
    """Parse the whole as JSON, or every line."""
    try:
        yield strict_json(text)
    except (ValueError, RecursionError):
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip():
                continue
            try:
                yield strict_json(line)
            except (ValueError, RecursionError) as error:
                what = f"not JSON: {str(error)[:100]}"
                raise RecordingError(place(source, number), what, "Export it again.") from None


def _nodes(value: object, depth: int) -> Iterator[dict[str, object]]:
    """Yield all objects that have a time, however nested."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        if "Timestamp" in value:
            yield value
        for one in value.values():
            yield from _nodes(one, depth + 1)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for one in value:
            yield from _nodes(one, depth + 1)


def _number(value: object, source: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
        return float(value)
    what = f"{json.dumps(value)[:40]} is no number"
    raise RecordingError(source, what, "Export it again.")


def _array(value: object, source: str) -> Array:
    """Read a packet's samples, shape (n, 3)."""
    rows = value if isinstance(value, list) else [value]
    found = [
        [_number(row.get(axis) if isinstance(row, dict) else None, source) for axis in "xyz"]
        for row in rows
    ]
    return np.array(found, dtype=np.float64).reshape(-1, 3)


def _signal(
    packets: list[tuple[float, Array]], factor: float, source: str
) -> tuple[Signal, list[str]]:
    """Lay the samples of each packet evenly between its time and the next packet's."""
    stamps = np.array([stamp for stamp, _ in packets]) / 1e3
    counts = np.array([len(rows) for _, rows in packets])
    steps = np.diff(stamps) / np.maximum(counts[:-1], 1)
    usual = float(np.median(steps)) if len(steps) else 0.01
    lost = np.append(np.abs(steps - usual) > 0.5 * usual, True)
    step = np.where(lost, usual, np.append(steps, usual))
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    position = np.arange(counts.sum()) - np.repeat(first, counts)
    time_s = np.repeat(stamps, counts) + position * np.repeat(step, counts)
    values = np.concatenate([rows for _, rows in packets]) * factor
    return make_signal(time_s, values, np.arange(1, len(values) + 1), source)


IMPORTER = Importer(NAME, sniff, parse, "the apps' code only", group)
IMPORTERS = (IMPORTER,)

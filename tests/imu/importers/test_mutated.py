"""Damaged files of every format: one line of refusal, or the right numbers; never much memory.

`HYPOTHESIS_PROFILE=thorough` tries a thousand of each, at random, instead of the same twelve.
"""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.commands import failure
from analysis.commands.importing import group_files
from imu.errors import RecordingError
from imu.importers.archives import unzip
from imu.importers.registry import load_importers
from imu.importers.values import UNIX, Track
from imu.samples import Stream
from imu.storage.foreign import Foreign
from tests.imu.importers.writers import EACH, START, TOGETHER, Files

IMPORTERS, _ = load_importers([])
DERIVED = ("dot app quaternion", "dot export increments", "movesense json")
BINARY = ("apdm", "apdm old", "phyphox excel")
TEXT = [case for case in (*EACH, *TOGETHER) if case not in BINARY]
JUNK = (
    "",
    "abc",
    "NaN",
    "inf",
    "-Infinity",
    "1e999",
    "TRUE",
    "0x10",
    "1_0",
    "\uff19",
    "--1",
    "9" * 400,
)
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
TRIES = settings(
    max_examples=1000 if THOROUGH else 12,
    derandomize=not THOROUGH,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@cache
def streams() -> Mapping[str, Stream]:
    """Three seconds in which no two samples are alike."""
    time_s = np.arange(0.0, 3.0, 0.02)
    found = {}
    for number, name in enumerate(("pelvis", "thigh")):
        phase = time_s[:, None] * [1.0, 1.3, 1.7] + number
        acc = np.array([0.3, 0.2, 9.7]) + 0.1 * np.sin(phase)
        found[name] = Stream(name, time_s, acc, 0.5 * np.cos(phase))
    return found


@cache
def original(case: str) -> Files:
    if case in TOGETHER:
        files = TOGETHER[case][1](dict(streams()))
    else:
        files = {}
        for name, one in streams().items():
            files |= EACH[case][1](name, one)
    unpacked: Files = {}
    for name, data in files.items():
        unpacked |= unzip(data, name) if name.endswith(".zip") else {name: data}
    return unpacked


def read(files: Files) -> dict[str, Track]:
    """Read files as the command does, by their content."""
    whole = Foreign(Path("given"), files, {}, whole=False)
    tracks = [
        track
        for importer, _, group in group_files([whole], IMPORTERS, None)
        for track in importer.parse(group, False).tracks
    ]
    return {track.label: track for track in tracks}


@cache
def expected(case: str) -> dict[str, Track]:
    return read(original(case))


def is_one_line(error: RecordingError) -> bool:
    line, _ = failure(error)
    return bool(error.what and error.remedy) and len(line) < 1000


def outcome(files: Files) -> dict[str, Track] | None:
    """Tracks, or None after a refusal of one line that says what and what to do."""
    try:
        found = read(files)
    except RecordingError as error:
        return None if is_one_line(error) else pytest.fail(f"no good refusal: {error!r}")
    for track in found.values():
        for signal in (track.acc, track.gyr):
            assert np.isfinite(signal.values).all()
            assert (np.diff(signal.time_s) > 0).all()
    return found


def assert_right(case: str, found: dict[str, Track]) -> None:
    """Every sample is one of the original's, at its time."""
    for label, track in found.items():  # a sensor whose tag was lost is called by its file
        originals = [one for one in expected(case).values() if one.label == label]
        assert any(is_part(track, one) for one in originals or expected(case).values())


def is_part(track: Track, whole: Track) -> bool:
    lost = whole.clock == UNIX != track.clock  # without its file of starts a phone's own clock
    for one, true in ((track.acc, whole.acc), (track.gyr, whole.gyr)):
        time_s = one.time_s + (START if lost else 0.0)
        at = np.searchsorted(true.time_s, time_s - 1e-6).clip(0, len(true.time_s) - 1)
        same = np.allclose(true.time_s[at], time_s, rtol=0, atol=2e-6)
        if not same or not np.allclose(one.values, true.values[at], rtol=0, atol=1e-9):
            return False
    return True


@pytest.mark.parametrize("case", [*TEXT, *BINARY])
def test_unchanged_files_are_read(case):
    assert len(expected(case)) == 2


def cell(data: st.DataObject, text: str) -> str:
    lines = text.split("\n")
    number = data.draw(st.integers(0, len(lines) - 1))
    separator = max(";\t,", key=lines[number].count)
    cells = lines[number].split(separator)
    cells[data.draw(st.integers(0, len(cells) - 1))] = data.draw(st.sampled_from(JUNK))
    lines[number] = separator.join(cells)
    return "\n".join(lines)


def line(data: st.DataObject, text: str) -> str:
    lines = text.split("\n")
    number = data.draw(st.integers(0, max(0, len(lines) - 2)))
    other = data.draw(st.integers(0, max(0, len(lines) - 2)))
    match data.draw(st.sampled_from(("out", "twice", "swap", "header", "empty"))):
        case "out":
            del lines[number]
        case "twice":
            lines.insert(number, lines[number])
        case "swap":
            lines[number], lines[other] = lines[other], lines[number]
        case "header":
            lines.insert(number, lines[0])
        case _:
            lines.insert(number, "")
    return "\n".join(lines)


def separator(data: st.DataObject, text: str) -> str:
    old, new = data.draw(st.permutations([",", ";", "\t"]))[:2]
    return text.replace(old, new)


def mutated(data: st.DataObject, content: bytes) -> bytes:
    """Change one file in a way after which right numbers can still be told from wrong ones."""
    kind = data.draw(st.sampled_from(("cut", "cell", "line", "separator", "encoding", "ends")))
    text = content.decode("utf-8")
    if kind == "cut":
        return content[: data.draw(st.integers(0, len(content)))]
    if kind == "encoding":
        code = data.draw(st.sampled_from(("utf-16", "utf-8-sig", "utf-16-le", "cp1252")))
        return text.lstrip("\ufeff").encode(code, "replace")
    if kind == "ends":
        return text.replace("\n", data.draw(st.sampled_from(("\r\n", "\r")))).encode()
    return {"cell": cell, "line": line, "separator": separator}[kind](data, text).encode("utf-8")


@pytest.mark.parametrize("case", TEXT)
@TRIES
@given(data=st.data())
def test_a_damaged_file_is_refused_in_one_line_or_read_rightly(case, data):
    files = dict(original(case))
    name = data.draw(st.sampled_from(sorted(files)))
    files[name] = mutated(data, files[name])
    found = outcome(files)
    if found is not None and case not in DERIVED:
        assert_right(case, found)


@pytest.mark.parametrize("case", TEXT)
@TRIES
@given(data=st.data())
def test_any_bytes_in_between_end_in_one_line_or_in_finite_samples(case, data):
    files = dict(original(case))
    name = data.draw(st.sampled_from(sorted(files)))
    at = data.draw(st.integers(0, len(files[name])))
    length = data.draw(st.integers(0, 40))
    extra = data.draw(st.binary(max_size=40))
    files[name] = files[name][:at] + extra + files[name][at + length :]
    outcome(files)


@pytest.mark.parametrize("case", BINARY)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_binary_files_that_are_cut_are_refused(case, share):
    files = dict(original(case))
    name = sorted(files)[0]
    files[name] = files[name][: int(share * len(files[name]))]
    found = outcome(files)
    assert found is None or share in (0.0, 0.999)  # nothing left of it; its last bytes unused


def bomb(claimed: int | None = None) -> bytes:
    """A zip of a table of zeros; what it claims to hold may be a lie."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Gyroscope.csv", b"0" * 20_000_000)
    data = memory.getvalue()
    if claimed is None:
        return data
    at = data.index(b"PK\x01\x02") + 24
    return data[:at] + struct.pack("<I", claimed) + data[at + 4 :]


@pytest.mark.parametrize(
    ("data", "told"), [(bomb(), "MiB"), (bomb(2_000_000_000), "MiB"), (bomb(1000), "damaged")]
)
def test_a_zip_bomb_is_refused_before_it_goes_off(data, told):
    tracemalloc.start()
    try:
        with pytest.raises(RecordingError, match=told):
            unzip(data, "a.zip", limit=10_000_000)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_set_of_data_that_claims_two_gigabytes_is_refused_before_it_is_read():
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        group = file.create_group("Sensors/1")
        rows = 80_000_000
        chunks = {"chunks": True, "compression": "gzip"}
        group.create_dataset("Accelerometer", (rows, 3), "f8", **chunks)
        group.create_dataset("Gyroscope", (rows, 3), "f8", **chunks)
        group.create_dataset("Time", (rows,), "u8", **chunks)
    data = memory.getvalue()
    assert len(data) < 100_000
    tracemalloc.start()
    try:
        assert outcome({"opal.h5": data}) is None
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()

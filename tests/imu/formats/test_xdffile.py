"""XDF as other programs record it: written here by the format's description, read by pyxdf."""

from __future__ import annotations

import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from imu.errors import RecordingError
from imu.formats.xdffile import recording_of
from imu.recording import Recording
from imu.samples import Stream
from imu.storage.session import read_session
from imu.units import ACC_COLUMNS, GYR_COLUMNS

BLUETOOTH = Path(__file__).parents[3] / "recordings" / "bluetooth"
LABELS = (*ACC_COLUMNS, *GYR_COLUMNS, "time_s", "arrival_s")
CHANNEL = "<channel><label>{}</label><unit>{}</unit></channel>"
HEADER = (
    "<info><name>hiprot visit left {0}</name><type>IMU</type><channel_count>{1}</channel_count>"
    "<nominal_srate>60</nominal_srate><channel_format>double64</channel_format>"
    "<desc><channels>{2}</channels><setup><segment>{0}</segment></setup></desc></info>"
)


def stamps_s(stream: Stream) -> np.ndarray:
    """Times of a stream by LSL's clock, as a recorder has them."""
    assert stream.arrival_s is not None
    return stream.arrival_s[0] + stream.time_s - stream.time_s[0]


def chunk(tag: int, content: bytes) -> bytes:
    return struct.pack("<BIH", 4, len(content) + 2, tag) + content


def xdf(recording: Recording, units: dict[str, str], own_clock: bool) -> bytes:
    """Write a set as XDF 1.0: header, and per stream its header and one chunk of samples."""
    parts = [b"XDF:", chunk(1, b"<info><version>1.0</version></info>")]
    labels = LABELS if own_clock else LABELS[:6]
    channels = "".join(CHANNEL.format(one, units.get(one[:3], "s")) for one in labels)
    for number, (segment, stream) in enumerate(recording.streams.items(), start=1):
        arrival_s = stream.arrival_s
        assert arrival_s is not None
        table = np.column_stack([stream.acc_ms2, stream.gyr_rads, stream.time_s, arrival_s])
        head = HEADER.format(segment, len(labels), channels)
        parts.append(chunk(2, struct.pack("<I", number) + head.encode()))
        rows = [
            struct.pack("<Bd", 8, stamp) + row[: len(labels)].astype("<f8").tobytes()
            for stamp, row in zip(stamps_s(stream), table, strict=True)
        ]
        parts.append(chunk(3, struct.pack("<IBI", number, 4, len(rows)) + b"".join(rows)))
    return b"".join(parts)


SI = {"acc": "m/s^2", "gyr": "rad/s"}


def read(data: bytes, folder: Path) -> Recording:
    from pyxdf import load_xdf

    path = folder / "set.xdf"
    path.write_bytes(data)
    streams, _ = load_xdf(str(path), dejitter_timestamps=False, verbose=False)
    return recording_of(streams, "left", path.name)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return read_session(BLUETOOTH).recordings[0]


needs_pyxdf = pytest.mark.skipif(find_spec("pyxdf") is None, reason="pyxdf is not installed")


@needs_pyxdf
def test_our_own_streams_give_the_same_samples(recording, tmp_path):
    again = read(xdf(recording, SI, own_clock=True), tmp_path)
    assert (again.name, again.side) == ("left", "left")
    for segment, stream in recording.streams.items():
        for name in ("time_s", "acc_ms2", "gyr_rads", "arrival_s"):
            np.testing.assert_array_equal(
                getattr(again.streams[segment], name), getattr(stream, name)
            )


@needs_pyxdf
def test_others_streams_are_timed_by_their_stamps_and_turned_into_si(recording, tmp_path):
    again = read(xdf(recording, {"acc": "g", "gyr": "deg/s"}, own_clock=False), tmp_path)
    stream = again.streams["thigh"]
    assert stream.arrival_s is None
    ours = recording.streams["thigh"]
    np.testing.assert_array_equal(stream.time_s, stamps_s(ours))
    assert stream.acc_ms2[0] == pytest.approx(ours.acc_ms2[0] * 9.80665)
    assert stream.gyr_rads[0] == pytest.approx(np.deg2rad(ours.gyr_rads[0]))


def made(segment: str, labels: tuple[str, ...] = LABELS[:6], unit: str = "") -> dict[str, object]:
    channels = [{"label": [one], "unit": [unit or SI[one[:3]]]} for one in labels]
    desc = {"channels": [{"channel": channels}], "setup": [{"segment": [segment]}]}
    return {
        "info": {"name": ["x"], "desc": [desc]},
        "time_series": np.ones((5, len(labels))),
        "time_stamps": np.arange(5) / 50.0,
    }


@pytest.mark.parametrize(
    ("streams", "told"),
    [
        ([], "no stream of the pelvis sensor"),
        ([made("pelvis")], "no stream of the thigh sensor"),
        ([made("pelvis"), made("pelvis")], "two streams of the pelvis"),
        ([made("pelvis", unit="furlong")], "acc_x is in furlong, expected m/s\\^2"),
        ([made("pelvis", LABELS[:5])], "no channel gyr_z"),
        ([made("pelvis") | {"time_series": [["a"]]}], "samples"),
        ([made("pelvis") | {"time_series": np.full((5, 6), np.nan)}], "not all samples"),
        ([{"info": {"name": None, "desc": [None]}}], "no stream of the pelvis"),
    ],
)
def test_what_cannot_be_a_set_is_refused(streams, told):
    with pytest.raises(RecordingError, match=told):
        recording_of(streams, "left", "set.xdf")

"""Recordings as they come out when something goes wrong: pure, from a sound one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from imu.recording import Recording
from imu.samples import Stream


def with_stream(recording: Recording, stream: Stream) -> Recording:
    return replace(recording, streams={**recording.streams, stream.segment: stream})


def kept(stream: Stream, mask: np.ndarray) -> Stream:
    """Only the samples chosen."""
    parts = {"time_s": stream.time_s, "acc_ms2": stream.acc_ms2, "gyr_rads": stream.gyr_rads}
    if stream.arrival_s is not None:
        parts["arrival_s"] = stream.arrival_s
    return replace(stream, **{name: values[mask] for name, values in parts.items()})


def slipped(
    recording: Recording, segment: str, at_s: float, turn_rad: np.ndarray, lasts_s: float = 0.35
) -> Recording:
    """A sensor that turns on the body, by a rotation vector in its own axes."""
    stream = recording.streams[segment]
    done = np.clip((stream.time_s - stream.time_s[0] - at_s) / lasts_s, 0.0, 1.0)
    done = done * done * (3.0 - 2.0 * done)
    back = Rotation.from_rotvec(done[:, None] * turn_rad).inv()
    rate = np.gradient(done, stream.time_s)[:, None] * turn_rad
    acc, gyr = back.apply(stream.acc_ms2), back.apply(stream.gyr_rads) + rate
    return with_stream(recording, replace(stream, acc_ms2=acc, gyr_rads=gyr))


def exchanged(recording: Recording) -> Recording:
    """Pelvis and thigh sensor under each other's name."""
    pelvis, thigh = recording.streams["pelvis"], recording.streams["thigh"]
    streams = {
        "pelvis": replace(thigh, segment="pelvis"),
        "thigh": replace(pelvis, segment="thigh"),
    }
    return replace(recording, streams=streams)


def other_side(recording: Recording) -> Recording:
    """Labelled as the other leg."""
    return replace(recording, side="left" if recording.side == "right" else "right")


def begun_late(recording: Recording, at_s: float) -> Recording:
    """The first samples are lost."""
    first_s = min(stream.time_s[0] for stream in recording.streams.values())
    streams = {
        name: kept(stream, stream.time_s >= first_s + at_s)
        for name, stream in recording.streams.items()
    }
    return replace(recording, streams=streams)


def acc_negated(recording: Recording) -> Recording:
    """Accelerometers of the other sign, as iPhones write them."""
    streams = {
        name: replace(stream, acc_ms2=-stream.acc_ms2) for name, stream in recording.streams.items()
    }
    return replace(recording, streams=streams)

"""Recordings as they come out when something goes wrong: pure, from a sound one.

What the body did stays what it was, so a set's truth stays true.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from imu.recording import Recording
from imu.samples import Array, Stream
from imu.units import RAD_PER_DEG
from imu.validation import POSITIVE, Limits, check_limits, limited


def with_stream(recording: Recording, stream: Stream) -> Recording:
    """Put another stream in a segment's place."""
    return replace(recording, streams={**recording.streams, stream.segment: stream})


def kept(stream: Stream, mask: NDArray[np.bool_]) -> Stream:
    """Only the samples chosen."""
    return replace(
        stream,
        time_s=stream.time_s[mask],
        acc_ms2=stream.acc_ms2[mask],
        gyr_rads=stream.gyr_rads[mask],
        arrival_s=None if stream.arrival_s is None else stream.arrival_s[mask],
        mag_ut=None if stream.mag_ut is None else stream.mag_ut[mask],
    )


def slipped(
    recording: Recording, segment: str, at_s: float, turn_rad: Array, lasts_s: float = 0.35
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


def rows_chosen(recording: Recording, segment: str, at: NDArray[np.int64]) -> Recording:
    """Values of other rows of the same sensor in each row's place; the times stay."""
    stream = recording.streams[segment]
    changed = replace(stream, acc_ms2=stream.acc_ms2[at], gyr_rads=stream.gyr_rads[at])
    return with_stream(recording, changed)


def dead_link(recording: Recording, segment: str, at_s: float, packet: int = 1) -> Recording:
    """From a moment on the last packet comes again and again."""
    time_s = recording.streams[segment].time_s
    count = len(time_s)
    first = max(int(np.searchsorted(time_s, time_s[0] + at_s)), packet)
    index = np.arange(count)
    again = first - packet + (index - first) % packet
    return rows_chosen(recording, segment, np.where(index < first, index, again))


def held(recording: Recording, segment: str, at_s: float, lasts_s: float) -> Recording:
    """One value, held for a while."""
    time_s = recording.streams[segment].time_s - recording.streams[segment].time_s[0]
    index = np.arange(len(time_s))
    inside = (time_s >= at_s) & (time_s < at_s + lasts_s)
    return rows_chosen(recording, segment, np.where(inside, np.argmax(inside), index))


def written_times(recording: Recording, times: int) -> Recording:
    """Every value written in so many rows."""
    for segment in ("pelvis", "thigh"):
        index = np.arange(len(recording.streams[segment].time_s))
        recording = rows_chosen(recording, segment, index // times * times)
    return recording


def dead_gyroscope(recording: Recording, segment: str, from_s: float, to_s: float) -> Recording:
    """A gyroscope that reads exactly 0 for a while."""
    stream = recording.streams[segment]
    time_s = stream.time_s - stream.time_s[0]
    dead = (time_s >= from_s) & (time_s < to_s)
    gyr = np.where(dead[:, None], 0.0, stream.gyr_rads)
    return with_stream(recording, replace(stream, gyr_rads=gyr))


def mixed(recording: Recording, every: int, from_s: float = 0.0, to_s: float = 1e9) -> Recording:
    """Every so many rows the pelvis' values stand under the thigh's name."""
    pelvis, thigh = recording.streams["pelvis"], recording.streams["thigh"]
    time_s = thigh.time_s - thigh.time_s[0]
    nearest = np.clip(np.searchsorted(pelvis.time_s, thigh.time_s), 0, len(pelvis.time_s) - 1)
    wrong = (np.arange(len(time_s)) % every == 0) & (time_s >= from_s) & (time_s < to_s)
    acc = np.where(wrong[:, None], pelvis.acc_ms2[nearest] + 1e-6, thigh.acc_ms2)
    gyr = np.where(wrong[:, None], pelvis.gyr_rads[nearest] + 1e-6, thigh.gyr_rads)
    return with_stream(recording, replace(thigh, acc_ms2=acc, gyr_rads=gyr))


def paused(recording: Recording, at_s: float, lasts_s: float) -> Recording:
    """Nothing is sent for a while, by both sensors; what follows is stamped later."""
    first_s = min(stream.time_s[0] for stream in recording.streams.values())
    streams = {
        name: replace(
            stream,
            time_s=stream.time_s + lasts_s * (stream.time_s >= first_s + at_s),
            arrival_s=None
            if stream.arrival_s is None
            else stream.arrival_s + lasts_s * (stream.time_s >= first_s + at_s),
        )
        for name, stream in recording.streams.items()
    }
    return replace(recording, streams=streams)


KINDS: dict[str, Callable[[Recording, Fault], Recording]] = {
    "slip": lambda r, f: slipped(
        r, f.segment, f.at_s, np.array(f.turn_deg) * RAD_PER_DEG, f.lasts_s
    ),
    "exchanged": lambda r, _: exchanged(r),
    "begun_late": lambda r, f: begun_late(r, f.at_s),
    "acc_negated": lambda r, _: acc_negated(r),
    "dead_link": lambda r, f: dead_link(r, f.segment, f.at_s, f.times),
    "held": lambda r, f: held(r, f.segment, f.at_s, f.lasts_s),
    "written_times": lambda r, f: written_times(r, f.times),
    "dead_gyroscope": lambda r, f: dead_gyroscope(r, f.segment, f.at_s, f.at_s + f.lasts_s),
    "mixed": lambda r, f: mixed(r, max(f.times, 2), f.at_s, f.at_s + f.lasts_s),
    "paused": lambda r, f: paused(r, f.at_s, f.lasts_s),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong with one set.

    Attributes
    ----------
    set_name : str
        The set.
    kind : str
        One of `KINDS`.
    segment : str
        The sensor it happens to; some kinds happen to both.
    at_s, lasts_s : float
        When, from the set's first sample, and for how long.
    turn_deg : tuple of float
        How a strap slips: a rotation vector in the sensor's axes.
    times : int
        Rows a value is written in; rows of a packet that is repeated.
    """

    set_name: str
    kind: str = limited(MISSING, Limits(choices=KINDS))
    segment: str = limited("thigh", Limits(choices=("pelvis", "thigh")))
    at_s: float = 0.0
    lasts_s: float = limited(0.3, POSITIVE)
    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    times: int = limited(1, Limits(1))

    def __post_init__(self) -> None:
        check_limits(self)

    def apply(self, recording: Recording) -> Recording:
        """Give the recording as it comes out."""
        return KINDS[self.kind](recording, self)

"""Motion -> what sensors worn there read, and how their samples reach the host.

Noise densities follow the usual discretisation: a sample's standard deviation is the density times
the root of the sampling rate. A specific force is the true acceleration of the sensor's own place
minus gravity; both it and the angular rate are central differences of the exact pose over 0.1 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from imu.errors import CallError
from imu.samples import Array, Stream, StreamFaults
from imu.simulator.motion import Motion
from imu.simulator.settings import SensorSettings
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

Gaps = tuple[tuple[float, float], ...]
Mask = NDArray[np.bool_]

HALF_STEP_S = 1e-4
MG = STANDARD_GRAVITY_MS2 / 1000

# columns: a sensor's x, y, z in pelvis axes: x right, y up, z backward
_FLAT_ON_SACRUM = Rotation.from_matrix([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])


@dataclass(frozen=True, slots=True, eq=False)
class Mounting:
    """How a sensor is worn: sensor axes to segment axes, and its place on the segment [m]."""

    rotation: Rotation
    place_m: Array


@dataclass(frozen=True, slots=True, eq=False)
class Faults:
    """What is wrong with one sensor's readings: ``scale`` and ``bias`` as 3x3 and 3."""

    gyr_bias_rads: Array
    acc_bias_ms2: Array
    gyr_scale: Array
    acc_scale: Array


@dataclass(frozen=True, slots=True)
class Clock:
    """A sensor's clock against true time: reading = offset + (1 + ppm 1e-6) time."""

    offset_s: float
    ppm: float

    def reading(self, time_s: Array) -> Array:
        """Return what the clock shows at true instants."""
        return self.offset_s + (1 + self.ppm * 1e-6) * time_s


@dataclass(frozen=True, slots=True, eq=False)
class Worn:
    """One sensor in use.

    Attributes
    ----------
    mounting, faults, clock
        How it is worn, what is wrong with it, its clock.
    host_s : float
        The host's monotonic clock at true time 0.
    rng : Generator
        For its noise and its losses.
    """

    mounting: Mounting
    faults: Faults
    clock: Clock
    host_s: float
    rng: np.random.Generator


def mount_pelvis(settings: SensorSettings, rng: np.random.Generator) -> Mounting:
    """Flat on the sacrum, +z backward, turned about z at random, then off flat."""
    slope = Rotation.from_euler("z", -settings.sacrum_tilt_deg, degrees=True)
    turned = Rotation.from_euler("z", rng.uniform(0, 2 * np.pi))
    direction = rng.uniform(0, 2 * np.pi)
    off_flat = settings.pelvis_off_flat_deg * RAD_PER_DEG
    tipped = Rotation.from_rotvec(off_flat * np.array([np.cos(direction), np.sin(direction), 0.0]))
    place = np.array([-settings.pelvis_behind_m, 0.03, 0.0])
    return Mounting(slope * _FLAT_ON_SACRUM * turned * tipped, place)


def mount_thigh(settings: SensorSettings, sign: float, rng: np.random.Generator) -> Mounting:
    """Strapped on in any orientation, out from the femur's axis."""
    place = np.array([0.0, -settings.thigh_distal_m, sign * settings.thigh_lateral_m])
    return Mounting(Rotation.from_quat(rng.standard_normal(4)), place)


def mount_shank(settings: SensorSettings, rng: np.random.Generator) -> Mounting:
    """On the front of the shank in any orientation."""
    place = np.array([0.05, -settings.shank_distal_m, 0.0])
    return Mounting(Rotation.from_quat(rng.standard_normal(4)), place)


def draw_faults(settings: SensorSettings, rng: np.random.Generator) -> Faults:
    """Draw one sensor's errors."""

    def direction() -> Array:
        vector = rng.standard_normal(3)
        return np.asarray(vector / np.linalg.norm(vector))

    skew = Rotation.from_rotvec(settings.misalignment_deg * RAD_PER_DEG * rng.standard_normal(3))
    gyr_scale = np.diag(1 + settings.gyr_scale_sd * rng.standard_normal(3))
    return Faults(
        gyr_bias_rads=settings.gyr_bias_deg_s * RAD_PER_DEG * direction(),
        acc_bias_ms2=settings.acc_bias_mg * MG * direction(),
        gyr_scale=gyr_scale @ skew.as_matrix(),
        acc_scale=np.diag(1 + settings.acc_scale_sd * rng.standard_normal(3)),
    )


def ideal_readings(
    motion: Motion, segment: str, mounting: Mounting, time_s: Array
) -> tuple[Array, Array]:
    """Noise-free specific force [m/s²] and angular rate [rad/s] in sensor axes, each (n, 3)."""
    before, now, after = (
        _sensor_pose(motion, segment, mounting, time_s + shift)
        for shift in (-HALF_STEP_S, 0.0, HALF_STEP_S)
    )
    acceleration = (before[1] - 2 * now[1] + after[1]) / HALF_STEP_S**2
    acceleration[:, 2] += STANDARD_GRAVITY_MS2
    rate = (before[0].inv() * after[0]).as_rotvec() / (2 * HALF_STEP_S)
    return np.asarray(now[0].inv().apply(acceleration)), np.asarray(rate)


def _sensor_pose(
    motion: Motion, segment: str, mounting: Mounting, time_s: Array
) -> tuple[Rotation, Array]:
    orientation, origin = motion.sensor_poses(time_s)[segment]
    place = origin + orientation.apply(mounting.place_m)
    return orientation * mounting.rotation, np.asarray(place)


def degrade(
    ideal: tuple[Array, Array],
    rate_hz: float,
    faults: Faults,
    settings: SensorSettings,
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """Add scale, bias, noise, saturation and quantisation to ideal readings."""
    acc, gyr = ideal
    shape = acc.shape
    walk_step = settings.gyr_bias_walk_deg_s_rts * RAD_PER_DEG / np.sqrt(rate_hz)
    walk = np.cumsum(walk_step * rng.standard_normal(shape), axis=0)
    gyr_noise = settings.gyr_noise_deg_s_rthz * RAD_PER_DEG * np.sqrt(rate_hz)
    gyr = gyr @ faults.gyr_scale.T + faults.gyr_bias_rads + walk
    gyr = gyr + gyr_noise * rng.standard_normal(shape)
    acc = acc @ faults.acc_scale.T + faults.acc_bias_ms2
    acc = acc + settings.acc_noise_mg * MG * rng.standard_normal(shape)
    full_gyr = settings.gyr_full_scale_deg_s * RAD_PER_DEG
    full_acc = settings.acc_full_scale_g * STANDARD_GRAVITY_MS2
    return _digitise(acc, full_acc, settings.bits), _digitise(gyr, full_gyr, settings.bits)


def _digitise(value: Array, full_scale: float, bits: int) -> Array:
    """Saturate at full scale and round to the steps of a converter with so many bits."""
    value = np.clip(value, -full_scale, full_scale)
    if bits == 0:
        return np.asarray(value)
    step = full_scale / 2 ** (bits - 1)
    return np.asarray(np.round(value / step) * step + 0.0)  # no -0


def received(time_s: Array, settings: SensorSettings, gaps: Gaps, rng: np.random.Generator) -> Mask:
    """Which samples are not lost, at random or in a gap."""
    kept = rng.random(len(time_s)) >= settings.loss
    for start_s, duration_s in gaps:
        kept &= (time_s < start_s) | (time_s >= start_s + duration_s)
    return kept


def arrivals(time_s: Array, settings: SensorSettings, rng: np.random.Generator) -> Array:
    """When samples reach the host: in packets, each a little late, at times held up.

    A packet leaves at every connection event with all samples taken since the last one. While
    the link is held up nothing leaves; everything then goes with the first event after it.
    """
    interval = settings.connection_interval_s
    if interval == 0:
        return time_s + settings.latency_s
    first_event = rng.uniform(-interval, 0)
    end_s = float(time_s[-1]) + 2 * interval + settings.late_burst_s
    events = np.arange(first_event, end_s, interval)
    held_up = rng.random(len(events)) < settings.late_bursts_per_min * interval / 60
    width = int(np.ceil(settings.late_burst_s / interval))
    for event in np.flatnonzero(held_up):
        held_up[event : event + width] = True
    held_up[-2:] = False
    free = events[~held_up]
    at_host = free + settings.latency_s + rng.exponential(0.002, len(free))
    at_host = np.maximum.accumulate(at_host)
    return np.asarray(at_host[np.searchsorted(free, time_s)])


def useless_field(n: int, rng: np.random.Generator) -> Array:
    """Make up a magnetic field [µT] that says nothing: indoor steel, wandering."""
    return np.asarray(rng.normal(0, 30, 3) + np.cumsum(rng.normal(0, 0.5, (n, 3)), axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """One sensor's samples as recorded, and the true instants they were taken at."""

    stream: Stream
    true_s: Array


def sample(
    motion: Motion, segment: str, worn: Worn, settings: SensorSettings, end_s: float
) -> Sampled:
    """Record one sensor from 0 to ``end_s``."""
    rng = worn.rng
    rate_hz = settings.rate_hz
    if segment == "thigh" and settings.thigh_rate_hz > 0:
        rate_hz = settings.thigh_rate_hz
    interval_s = 1 / rate_hz / (1 + worn.clock.ppm * 1e-6)
    true_s = np.arange(rng.uniform(0, interval_s), end_s, interval_s)
    ideal = ideal_readings(motion, segment, worn.mounting, true_s)
    acc, gyr = degrade(ideal, rate_hz, worn.faults, settings, rng)
    gaps = {"pelvis": settings.pelvis_gaps, "thigh": settings.thigh_gaps}.get(segment, ())
    arrival = worn.host_s + arrivals(true_s, settings, rng) if settings.arrivals else None
    field = useless_field(len(true_s), rng) if settings.magnetometer else None
    kept = received(true_s, settings, gaps, rng)
    if not kept.any():
        raise CallError(f"{segment}: every sample is lost. Make the gaps or the loss smaller.")
    stream = Stream(
        segment,
        worn.clock.reading(true_s)[kept],
        acc[kept],
        gyr[kept],
        None if arrival is None else arrival[kept],
        None if field is None else field[kept],
        StreamFaults(duplicates=round(settings.duplicates * int(kept.sum()))),
    )
    return Sampled(stream, true_s[kept])

"""How far the angles may be off, from what was seen in the set.

Standard deviations from the stillness (noise and what is left of the bias), from the scatter of
gravity, from the straightness of the off-axis movement (axis), from the disagreement of both
kinds of sensor over the range (scale) and from how flat a sensor lies on a sacrum. They are the
instrument's alone: soft tissue moves against the bone by 4 to 6 degrees besides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.motion.heading import WALK_RADS2
from analysis.motion.orientation import BIN_S, GRAVITY_CUTOFF_HZ
from imu.units import RAD_PER_DEG

COVERAGE = 1.96  # standard deviations in the half-width of a 95 % interval
RANGE_COVERAGE = 1.8  # the same for a range: its largest errors are bounded (placement, axis)
CARRIED_S = 1.0 / (2.0 * np.pi * GRAVITY_CUTOFF_HZ)  # so long the gyroscope carries inclination
GRAVITY_SHARE = 1.745 * GRAVITY_CUTOFF_HZ * BIN_S  # of a bin's variance that the smoother lets by
HELD_SHARE = 0.4  # of a drift that gravity holds from both sides
DRIFTED_S = 30.0  # a bias walks on for so long between what is known of it
MIXED_SHARE = 0.7  # of the pelvis' turn is in the plane that a turned sensor mixes into IR
PLACEMENT_SD_RAD = 2.2 * RAD_PER_DEG  # turn of the pelvis sensor against the sacrum's plane
LEANED_SD_RAD = 1.0 * RAD_PER_DEG  # the same after a trunk lean
LEVEL_SD = 0.012  # of the vertical, per axis: 12 mg of bias; data sheets say up to 20 to 40
PELVIS_SCALE_SD = 0.006  # of a pelvis angle: data sheets say 0.4 to 1 %


@dataclass(frozen=True, slots=True)
class SensorError:
    """Standard deviations of one sensor's orientation.

    Attributes
    ----------
    noise_rads : float
        Noise density of the rate, per root hertz.
    bias_sd_rads : float
        What is left of the bias, per axis.
    scatter_rad : float
        Direction of the specific force in single bins off gravity, per axis.
    """

    noise_rads: float
    bias_sd_rads: float
    scatter_rad: float

    def inclination_rad(self, duration_s: float) -> float:
        """Change of inclination over a duration [rad]; gravity holds it from both sides."""
        carried = min(duration_s, CARRIED_S)
        gravity = 2.0 * GRAVITY_SHARE * self.scatter_rad**2 * (carried / CARRIED_S) ** 2
        walk = HELD_SHARE * self.noise_rads**2 * carried
        return float(np.sqrt(gravity + walk + (HELD_SHARE * self.bias_sd_rads * carried) ** 2))

    def heading_rad(self, duration_s: float) -> float:
        """Turn about the vertical over a duration [rad].

        The rests hold the heading over a set; over one turn next to nothing, since a person comes
        back to a heading less well than a gyroscope keeps it meanwhile.
        """
        walk = self.noise_rads**2 * duration_s
        rate = self.bias_sd_rads**2 + WALK_RADS2**2 * DRIFTED_S
        return float(np.sqrt(walk + rate * duration_s**2))


@dataclass(frozen=True, slots=True)
class AngleError:
    """What limits the angles of one set.

    Attributes
    ----------
    pelvis, thigh : SensorError
        Both sensors.
    axis_share_sd : float
        Relative error of a range from what is not known of the femur's axis.
    scale_sd : float
        Relative error of an angle turned through.
    placement_sd_rad : float
        Turn of the pelvis sensor about the vertical against the pelvis.
    """

    pelvis: SensorError
    thigh: SensorError
    axis_share_sd: float
    scale_sd: float
    placement_sd_rad: float

    def range_deg(self, rom_deg: float, duration_s: float, pelvis_turn_deg: float) -> float:
        """Half-width of the 95 % interval of a range.

        Parameters
        ----------
        rom_deg : float
            The range.
        duration_s : float
            From the start to the largest IR.
        pelvis_turn_deg : float
            How far the pelvis turned; it is seen through its sensor's placement.
        """
        sensors = np.hypot(
            self.thigh.inclination_rad(duration_s), self.pelvis.inclination_rad(duration_s)
        )
        axis = self.axis_share_sd * np.deg2rad(rom_deg)
        scale = self.scale_sd * np.deg2rad(rom_deg)
        mixed = float(np.hypot(self.placement_sd_rad, LEVEL_SD))
        placement = MIXED_SHARE * mixed * np.deg2rad(pelvis_turn_deg)
        total = np.sqrt(sensors**2 + axis**2 + scale**2 + placement**2)
        return float(RANGE_COVERAGE * np.rad2deg(total))

    def tilt_deg(self, duration_s: float, planes_deg: tuple[float, float, float]) -> float:
        """Half-width of the 95 % interval of a tilt or of an obliquity.

        Parameters
        ----------
        duration_s : float
            From the start to the extreme.
        planes_deg : tuple of float
            The plane itself, the other one that tips, and the rotation: a sensor turned about the
            vertical mixes the second in, a vertical that is off the third.
        """
        itself, other, rotation = np.deg2rad(planes_deg)
        parts = [
            self.pelvis.inclination_rad(duration_s),
            PELVIS_SCALE_SD * itself,
            self.placement_sd_rad * other,
            LEVEL_SD * rotation,
        ]
        return float(COVERAGE * np.rad2deg(np.linalg.norm(parts)))

    def rotation_deg(self, duration_s: float, planes_deg: tuple[float, float, float]) -> float:
        """Half-width of the 95 % interval of a pelvis rotation, given it and the two that tip."""
        itself, tilt, obliquity = np.deg2rad(planes_deg)
        parts = [
            self.pelvis.heading_rad(duration_s),
            PELVIS_SCALE_SD * itself,
            LEVEL_SD * float(np.hypot(tilt, obliquity)),
        ]
        return float(COVERAGE * np.rad2deg(np.linalg.norm(parts)))

    def drift_deg(self, duration_s: float, planes_deg: tuple[float, float, float]) -> float:
        """Half-width of the 95 % interval of the pelvis drift, given its three planes."""
        planes = np.abs(planes_deg)
        share = planes**2 / max(float((planes**2).sum()), 1e-12)
        inclination = self.pelvis.inclination_rad(duration_s)
        heading = self.pelvis.heading_rad(duration_s)
        scale = PELVIS_SCALE_SD * np.deg2rad(np.linalg.norm(planes))
        variance = share @ np.array([inclination, inclination, heading]) ** 2 + scale**2
        return float(COVERAGE * np.rad2deg(np.sqrt(variance)))

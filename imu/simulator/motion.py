"""Tracks -> true pose of pelvis and thigh at any instant, and what lies between them.

World: right-handed, Z up. Segment axes are the ISB's: X anterior, Y up (femur: from knee to hip),
Z right. With s = +1 on the right and -1 on the left, all rotations intrinsic::

    pelvis = heading * Rz(-tilt) Rx(-s obliquity) Ry(s rotation)
    femur  = pelvis * Rz(flexion) Rx(s adduction) Ry(s IR)
    shank  = femur * Ry(s give) Rz(-knee flexion) Ry(s twist)

A bent knee gives about the femur's axis (the joint opens on one side) and twists about the shank's.
Sensors sit on skin, which follows the bone's turn in part; the poses are the bones'.

Signs of the pelvis: a positive turn about Z (right) lifts the front, so anterior tilt is negative;
a positive turn about X (anterior) lowers the right side, so a rising right hip is negative; a
positive turn about Y (up) brings the right side forward. The order, vertical axis first, is that of
Baker (2001), Gait Posture 13:1. Hip: joint coordinate system of Wu et al. (2002), J Biomech 35:543.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from imu.samples import Array
from imu.simulator.trajectory import CHANNELS, Track
from imu.units import RAD_PER_DEG

HALF_HIP_DISTANCE_M = 0.085
FEMUR_M = 0.42

# pelvis axes to world at heading 0: X forward = world x, Y up = world z, Z right = world -y
_LEVEL = Rotation.from_matrix([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """The true movement of one set.

    Attributes
    ----------
    side : str
        ``left`` or ``right``.
    heading_rad : float
        Where the person faces, about the vertical.
    neutral_flexion_deg : float
        Hip flexion at neutral.
    tracks : Mapping of str to Track
        By channel; angles in degrees, ``forward_m`` and ``right_m`` in metres.
    neutral_knee_deg : float
        Knee flexion at neutral.
    skin : Mapping of str to callable
        By segment: by how much a sensor there turns about the femur's axis against its bone [deg].
    """

    side: str
    heading_rad: float
    neutral_flexion_deg: float
    tracks: Mapping[str, Track]
    neutral_knee_deg: float = 90.0
    skin: Mapping[str, Callable[[Array], Array]] = field(default_factory=dict)

    @property
    def sign(self) -> float:
        """+1 on the right side, -1 on the left."""
        return 1.0 if self.side == "right" else -1.0

    def poses(self, time_s: Array) -> dict[str, tuple[Rotation, Array]]:
        """Pelvis and femur: orientation (segment axes to world) and origin [m].

        The pelvis' origin is the middle between the hips, the femur's the working hip, the shank's
        the knee.
        """
        value = {name: self.tracks[name].at(time_s) for name in CHANNELS}
        heading = Rotation.from_euler("z", self.heading_rad) * _LEVEL
        pelvis = heading * self._pelvis(value)
        femur = pelvis * self._hip(value)
        sway = np.column_stack([value["forward_m"], np.zeros(len(time_s)), value["right_m"]])
        middle = heading.apply(sway)
        hip = middle + pelvis.apply([0.0, 0.0, self.sign * HALF_HIP_DISTANCE_M])
        knee = hip + femur.apply([0.0, -FEMUR_M, 0.0])
        shank = femur * self._knee(value)
        return {"pelvis": (pelvis, middle), "thigh": (femur, hip), "shank": (shank, knee)}

    def sensor_poses(self, time_s: Array) -> dict[str, tuple[Rotation, Array]]:
        """Poses of what sensors are strapped to: as the bones, less what the skin hides."""
        poses = self.poses(time_s)
        femur = poses["thigh"][0]
        for segment, slip in self.skin.items():
            turn = np.outer(slip(time_s) * RAD_PER_DEG * self.sign, [0.0, 1.0, 0.0])
            about = Rotation.from_rotvec(femur.apply(turn))
            poses[segment] = (about * poses[segment][0], poses[segment][1])
        return poses

    def _pelvis(self, value: Mapping[str, Array]) -> Rotation:
        turns = [-value["tilt"], -self.sign * value["obliquity"], self.sign * value["rotation"]]
        return Rotation.from_euler("ZXY", np.column_stack(turns) * RAD_PER_DEG)

    def _hip(self, value: Mapping[str, Array]) -> Rotation:
        flexion = self.neutral_flexion_deg + value["flexion"]
        turns = [flexion, self.sign * value["adduction"], self.sign * value["ir"]]
        return Rotation.from_euler("ZXY", np.column_stack(turns) * RAD_PER_DEG)

    def _knee(self, value: Mapping[str, Array]) -> Rotation:
        bend = self.neutral_knee_deg + value["knee"]
        give, twist = self.sign * value["give"], self.sign * value["twist"]
        return Rotation.from_euler("YZY", np.column_stack([give, -bend, twist]) * RAD_PER_DEG)

"""Run by OpenSim's own interpreter: a small model, its IMUs placed, inverse kinematics.

    python opensim_ik.py FOLDER SET

FOLDER holds SET_orientations.sto and SET_calibration.sto; SET_ik.mot is written beside them. The
model is a pelvis and a femur, joined as in OpenSim's own leg models: rotations about Z, X, Y.
"""

from __future__ import annotations

import sys
from pathlib import Path

import opensim as osim

END_S = 15.0  # the still moment and two repetitions


def joint(name: str, parent: osim.Body, child: osim.Body, rotations: list[str]) -> osim.Joint:
    transform = osim.SpatialTransform()
    for at, (coordinate, axis) in enumerate(zip(rotations, ("z", "x", "y"), strict=True)):
        one = transform.updTransformAxis(at)
        one.setCoordinateNames(osim.ArrayStr(coordinate, 1))
        one.setAxis(osim.Vec3(*(float(axis == letter) for letter in "xyz")))
        turn = osim.LinearFunction(1.0, 0.0)
        turn.thisown = False  # the axis keeps it
        one.setFunction(turn)
    for at, letter in enumerate("xyz", start=3):
        one = transform.updTransformAxis(at)
        one.setAxis(osim.Vec3(*(float(letter == other) for other in "xyz")))
        none = osim.Constant(0.0)
        none.thisown = False
        one.setFunction(none)
    return osim.CustomJoint(name, parent, child, transform)


def model(side: str) -> osim.Model:
    leg = osim.Model()
    leg.setName("leg")
    pelvis, femur = (
        osim.Body(name, 10.0, osim.Vec3(0), osim.Inertia(0.1))
        for name in ("pelvis", f"femur_{side}")
    )
    for body in (pelvis, femur):
        leg.addBody(body)
    turns = ["pelvis_tilt", "pelvis_list", "pelvis_rotation"]
    leg.addJoint(joint("ground_pelvis", leg.getGround(), pelvis, turns))
    turns = [f"{name}_{side}" for name in ("hip_flexion", "hip_adduction", "hip_rotation")]
    leg.addJoint(joint(f"hip_{side}", pelvis, femur, turns))
    leg.finalizeConnections()
    return leg


def main(folder: Path, name: str) -> None:
    osim.Logger.setLevelString("error")
    placer = osim.IMUPlacer()
    leg = model(name[0])
    leg.printToXML(str(folder / "model.osim"))
    placer.set_model_file(str(folder / "model.osim"))
    placer.set_orientation_file_for_calibration(str(folder / f"{name}_calibration.sto"))
    placer.set_base_imu_label("")
    placer.run()
    placer.getCalibratedModel().printToXML(str(folder / "placed.osim"))
    tool = osim.IMUInverseKinematicsTool()
    tool.set_model_file(str(folder / "placed.osim"))
    tool.setEndTime(END_S)
    tool.set_orientations_file(str(folder / f"{name}_orientations.sto"))
    tool.set_results_directory(str(folder))
    tool.set_output_motion_file(f"{name}_ik.mot")
    tool.run(False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

"""Orientations of pelvis and femur as OpenSense reads them (OpenSim 4, ``.sto``).

What is written are the *segments'* orientations, not the sensors': in a frame with X forward, Y up
and Z to the right, as OpenSim's ground has it, so that no further turn is needed
(``sensor_to_opensim_rotations`` stays 0 0 0). In the calibration pose, an OpenSim model's default
of standing straight, all segments' axes are those of the ground: one row without any turn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError
from analysis.motion.grid import GRID_HZ
from analysis.pipeline import Analysis, analyse
from analysis.sets import SetAnalysis
from analysis.settings import Settings
from imu.recording import Session

Array = NDArray[np.float64]

CALIBRATION_FILE = "{name}_calibration.sto"
ORIENTATION_FILE = "{name}_orientations.sto"
STRAIGHT = np.array([[[1.0, 0.0, 0.0, 0.0]] * 2])
UNIT_WITHIN = 1e-6


def export(session: Session, settings: Settings) -> dict[str, str | bytes]:
    """Make the orientations and the calibration pose of every set.

    Parameters
    ----------
    session : Session
        As read from its folder.
    settings : Settings
        Limits of verdicts and flags; they change no angle.

    Returns
    -------
    dict of str to str
        ``left_orientations.sto``: every measured instant of the grid; ``left_calibration.sto``:
        one row, for OpenSim's ``IMUPlacer``. Labels ``pelvis_imu`` and ``femur_l_imu`` or
        ``femur_r_imu``.

    Raises
    ------
    RecordingError
        The recording cannot support the answer.
    """
    return orientation_files(analyse(session, settings))


def orientation_files(analysis: Analysis) -> dict[str, str | bytes]:
    """Make the files of a session analysed; see `export`."""
    contents: dict[str, str | bytes] = {}
    for one in analysis.sets:
        labels = ("pelvis_imu", f"femur_{one.side[0]}_imu")
        time_s, quats = _measured(one)
        contents[ORIENTATION_FILE.format(name=one.name)] = sto(time_s, quats, labels)
        contents[CALIBRATION_FILE.format(name=one.name)] = sto(np.zeros(1), STRAIGHT, labels)
    return contents


def _measured(one: SetAnalysis) -> tuple[Array, Array]:
    """Times (k,) and orientations (k, 2, 4) of a set where both sensors measured."""
    femur = one.angles.femur_quat
    if femur is None:
        raise ValueError(f"{one.name}: angles without orientations")
    quats = np.stack([one.angles.pelvis_quat, femur], axis=1)
    return one.angles.time_s[one.angles.measured], quats[one.angles.measured]


def sto(time_s: Array, quats: Array, labels: Sequence[str]) -> str:
    """Write orientations as OpenSim's storage file.

    Parameters
    ----------
    time_s : ndarray, shape (k,)
        Increasing.
    quats : ndarray, shape (k, n, 4)
        Unit quaternions (w, x, y, z), segment to ground.
    labels : sequence of str
        Names of the n columns: the model's frames.

    Raises
    ------
    AnalysisError
        An orientation that is none: OpenSim would take it without a word.
    """
    beyond = np.abs(np.linalg.norm(quats, axis=-1) - 1.0)
    if not np.all(beyond < UNIT_WITHIN):  # NaN is not, either
        remedy = "Please report it, with the recording."
        raise AnalysisError("orientations", "not all are unit quaternions", remedy)
    head = [f"DataRate={GRID_HZ:.6f}", "DataType=Quaternion", "version=3", "OpenSimVersion=4.6"]
    lines = [*head, "endheader", "\t".join(("time", *labels))]
    form = "%.6f" + "\t%.9f,%.9f,%.9f,%.9f" * len(labels)
    rows = np.column_stack([time_s, quats.reshape(len(time_s), -1)])
    lines += [form % tuple(row) for row in rows.tolist()]
    return "\n".join(lines) + "\n"

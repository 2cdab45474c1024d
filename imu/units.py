"""Exact factors to SI and the column names of the contract's files."""

from __future__ import annotations

import math

RAD_PER_DEG = math.pi / 180.0
DEG_PER_RAD = 180.0 / math.pi
STANDARD_GRAVITY_MS2 = 9.80665  # CGPM 1901, exact

SIDES = ("left", "right")
SEGMENTS = ("pelvis", "thigh", "shank")

ACC_COLUMNS = ("acc_x", "acc_y", "acc_z")
GYR_COLUMNS = ("gyr_x", "gyr_y", "gyr_z")
MAG_COLUMNS = ("mag_x", "mag_y", "mag_z")
SET_COLUMNS = ("sensor", "time_s", *ACC_COLUMNS, *GYR_COLUMNS)
ARRIVAL_COLUMN = "arrival_s"

EVENT_COLUMNS = ("set", "time_s", "kind", "score", "text")
MODES = ("measure", "train", "fade")
EVENT_KINDS = ("pain", "pinch", "cramp", "note", "dropout", "reconnect", "lift", "exclude")

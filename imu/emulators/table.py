"""All emulated sensors, by the name of their codec."""

from __future__ import annotations

import importlib

from imu.emulators.peripheral import Emulator
from imu.errors import CallError

FAMILIES = {
    "movella-dot": ("movella_dot", "MovellaDot"),
    "movesense": ("movesense", "Movesense"),
    "witmotion": ("witmotion", "WitMotion"),
    "metamotion": ("metamotion", "MetaMotion"),
    "thingy52": ("thingy52", "Thingy52"),
    "polar-verity": ("polar", "VeritySense"),
}


def make_emulator(family: str, address: str) -> Emulator:
    """Make an emulated sensor, switched on.

    Raises
    ------
    CallError
        There is none of the family.
    """
    if family not in FAMILIES:
        raise CallError(f"{family}: cannot be simulated. Known: {', '.join(FAMILIES)}.")
    module, name = FAMILIES[family]
    emulator: Emulator = getattr(importlib.import_module(f"imu.emulators.{module}"), name)(address)
    return emulator

"""What the emulated sensors do, and what is to be recorded of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PELVIS, THIGH, SHANK = "D4:22:CD:00:00:01", "D4:22:CD:00:00:02", "D4:22:CD:00:00:03"


@dataclass(frozen=True)
class Scenario:
    """A world of sensors and a call.

    Attributes
    ----------
    sensors : list of dict
        As in the rig's worlds; ``sensor`` names the column of the simulated set each one plays.
    options : str
        Of `hiprot record`, besides the folder and the side; empty where only `hiprot scan` is run.
    status : int
        How the recording is to end.
    drill : bool
        Whether the whole drill is recorded, so that the report must find its truth.
    killed_s : float
        After so long a first recording is killed; 0 where there is none.
    """

    sensors: list[dict[str, Any]]
    options: str
    status: int = 0
    drill: bool = False
    killed_s: float = 0.0


def pair(profile: str, seconds: float, **more: Any) -> Scenario:
    """Two sensors of a family with addresses of their own."""
    addresses = {"pelvis": "C0:DE:00:00:00:01", "thigh": "C0:DE:00:00:00:02"}
    sensors = [
        {"profile": profile, "sensor": segment, "address": address, **more}
        for segment, address in addresses.items()
    ]
    roles = " ".join(f"--{segment} {address}" for segment, address in addresses.items())
    return Scenario(sensors, f"{roles} --seconds {seconds:g}")


def dot(segment: str, address: str, *script: list[Any], **faults: Any) -> dict[str, Any]:
    return {
        "profile": "movella-dot",
        "sensor": segment,
        "address": f"{address}/P",
        "faults": {"ppm": 40.0, **faults},
        "script": list(script),
    }


ROLES = f"--pelvis {PELVIS} --thigh {THIGH}"

SCENARIOS = {
    "drill": Scenario(
        [dot("pelvis", PELVIS), dot("thigh", THIGH, ppm=-30.0)],
        f"{ROLES} --seconds 52",
        drill=True,
    ),
    "scan": Scenario(
        [
            dot("pelvis", PELVIS, battery=14.0),
            *(
                {"profile": profile, "sensor": "thigh"}
                for profile in ("movesense", "witmotion", "thingy52", "metamotion", "plain")
            ),
        ],
        "",
    ),
    "moved": Scenario([dot("pelvis", PELVIS), dot("thigh", THIGH)], "--seconds 12"),
    "three": Scenario(
        [dot("pelvis", PELVIS), dot("thigh", THIGH), dot("shank", SHANK)],
        f"{ROLES} --shank {SHANK} --seconds 15",
    ),
    "drop": Scenario(
        [
            dot("pelvis", PELVIS, [12, "drop", 3], [24, "leave", 2]),
            dot("thigh", THIGH, [16, "drop", 4]),
        ],
        f"{ROLES} --seconds 32",
    ),
    "hold": Scenario(
        [
            dot("pelvis", PELVIS, [9, "hold", 1], [15, "hold", 0.4]),
            dot("thigh", THIGH, [12, "hold", 1.4], max_backlog=200),
        ],
        f"{ROLES} --seconds 18",
    ),
    "stall": Scenario(
        [dot("pelvis", PELVIS, [10, "stall", 1]), dot("thigh", THIGH, [14, "stall", 4])],
        f"{ROLES} --seconds 24",
    ),
    "dirt": Scenario(
        [
            dot("pelvis", PELVIS, [9, "bad", "garbage"], [11, "bad", "empty"], [13, "bad", "loss"]),
            dot("thigh", THIGH, truncate=0.01, garbage=0.01, loss=0.01, jitter=0.003),
        ],
        f"{ROLES} --seconds 20",
    ),
    "refuse": Scenario(
        [
            dot("pelvis", PELVIS, refuse="establish", refuse_first=2),
            dot("thigh", THIGH, refuse="terminate", refuse_first=1),
        ],
        f"{ROLES} --seconds 12",
    ),
    "gone": Scenario(
        [dot("pelvis", PELVIS), dot("thigh", THIGH, [14, "off"])],
        f"{ROLES} --seconds 200",
        status=1,
    ),
    "killed": Scenario(
        [dot("pelvis", PELVIS), dot("thigh", THIGH)], f"{ROLES} --seconds 8", killed_s=25.0
    ),
    "sync": Scenario(
        [dot("pelvis", PELVIS), dot("thigh", THIGH, ppm=-60.0)], f"{ROLES} --sync --seconds 12"
    ),
    "swinging": Scenario(
        [
            {**dot("pelvis", PELVIS), "csv": None},
            {**dot("thigh", THIGH, ppm=-30.0, battery=14.0), "csv": None},
        ],
        f"{ROLES} --seconds 10",
    ),
    "mixed": Scenario(
        [
            {"profile": "movesense", "sensor": "pelvis", "address": "C0:DE:00:00:00:01"},
            {"profile": "witmotion", "sensor": "thigh", "address": "C0:DE:00:00:00:02"},
            {"profile": "thingy52", "sensor": "shank", "address": "C0:DE:00:00:00:03"},
        ],
        "--pelvis C0:DE:00:00:00:01 --thigh C0:DE:00:00:00:02 --shank C0:DE:00:00:00:03"
        " --seconds 12",
    ),
    "movesense": pair("movesense", 15, faults={"ppm": 25.0}),
    "witmotion": pair("witmotion", 15, frames=4, split=True),
    "thingy52": pair("thingy52", 15, faults={"early_notify": True}),
    "metamotion": pair("metamotion", 15),
    "metamotion270": pair("metamotion", 15, chip=270),
}

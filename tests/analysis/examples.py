"""Hand-made analyses: sets whose every figure is chosen, for the tests of comparison to report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from analysis.comparison import compare
from analysis.contradictions import without_contradictions
from analysis.findings import find_findings, place_markers
from analysis.motion.angles import HipAngles
from analysis.pipeline import Analysis
from analysis.quality import SetQuality
from analysis.repetitions.measures import Repetition
from analysis.sensor_quality import SensorQuality
from analysis.sets import SetAnalysis
from analysis.settings import Settings
from analysis.summary import summarise
from imu.recording import Event, SensorInfo, SessionInfo

GRID_HZ = 100.0
REST_S = 1.0


@dataclass(frozen=True)
class Turn:
    """What one repetition does; angles in degrees, times in seconds."""

    rom_deg: float = 32.0
    inward_s: float = 2.0
    hold_s: float = 0.8
    return_s: float = 2.2
    tilt_deg: float = 0.8
    obliquity_deg: float = 0.6
    rotation_deg: float = -0.7
    start_tilt_deg: float = 0.0
    return_error_deg: float = 0.2
    flags: tuple[str, ...] = ()
    verdict: str = "clean"


def make_turns(n: int = 8, seed: int = 0, spread: float = 0.03, **chosen: object) -> list[Turn]:
    """Alike repetitions that vary a little, as a person's do."""
    rng = np.random.default_rng(seed)
    turn = Turn(**chosen)  # type: ignore[arg-type]
    return [
        replace(
            turn,
            rom_deg=turn.rom_deg * (1 + spread * rng.normal()),
            inward_s=turn.inward_s * (1 + spread * rng.normal()),
            return_s=turn.return_s * (1 + spread * rng.normal()),
            hold_s=turn.hold_s * (1 + spread * rng.normal()),
            return_error_deg=turn.return_error_deg + spread * 10 * rng.normal(),
        )
        for _ in range(n)
    ]


def make_set(
    side: str, turns: Sequence[Turn], name: str = "", quality: SetQuality | None = None
) -> SetAnalysis:
    """Lay the turns one after the other on an even grid, and measure what was put in."""
    name = name or side
    pieces = [np.zeros((int(2 * GRID_HZ), 4))]
    reps: list[Repetition] = []
    labels = [np.zeros(int(2 * GRID_HZ), dtype=np.int64)]
    clock = 2.0
    for i, turn in enumerate(turns, start=1):
        reps.append(_repetition(side, name, i, clock, turn))
        moved = _movement(turn)
        rest = np.zeros((int(REST_S * GRID_HZ), 4))
        rest[:, 1] = turn.start_tilt_deg
        pieces += [moved, rest]
        labels += [np.full(len(moved), i), np.zeros(len(rest), dtype=np.int64)]
        clock += (len(moved) + len(rest)) / GRID_HZ
    table = np.concatenate(pieces)
    numbers = np.concatenate(labels)
    return SetAnalysis(name, side, _angles(table), numbers, tuple(reps), quality or make_quality())


def make_quality(grade: str = "good", *reasons: str) -> SetQuality:
    sensor = SensorQuality(
        "pelvis", 6000, 60.0, 0.4, 0.05, 0, 0, 0, 12.0, 0, 2.0, 2.0, 0.4
    )  # fmt: skip
    sensors = {"pelvis": sensor, "thigh": replace(sensor, segment="thigh")}
    codes = ("losses",) if reasons else ()
    return SetQuality(
        grade, reasons, codes, "assumed", "assumed", sensors, 0, 97.0, 4.0, 3.0, 0.4, 0.3, 0.3, 0.9
    )


def make_analysis(
    sets: Sequence[SetAnalysis], events: Sequence[Event] = (), **info: object
) -> Analysis:
    """Put the sets through comparison and findings, as the pipeline does."""
    settings = Settings()
    told = {
        "subject": "P01",
        "started": "2026-11-22T09:30:00+01:00",
        "planned_reps": 8,
        "sensors": {"pelvis": SensorInfo("DOT", "AA:BB", "2.1", 60.0, 80.0)},
        **info,
    }
    session = SessionInfo(**told)  # type: ignore[arg-type]
    comparisons = compare(sets, settings)
    markers = place_markers(events, sets)
    findings = find_findings(sets, comparisons, markers, session, settings)
    comparisons = without_contradictions(comparisons, findings, sets)
    summary = summarise(sets, comparisons, findings, session.planned_reps)
    return Analysis(
        "2026-11-22-P01", session, "ab" * 32, tuple(sets), comparisons, findings, markers, settings,
        summary,
    )  # fmt: skip


def make_pair(left: Sequence[Turn], right: Sequence[Turn], **more: object) -> Analysis:
    return make_analysis([make_set("left", left), make_set("right", right)], **more)  # type: ignore[arg-type]


def _ramp(n: int) -> np.ndarray:
    """Minimum-jerk rise from 0 to 1."""
    u = np.linspace(0, 1, n)
    return np.asarray(u**3 * (10 - 15 * u + 6 * u**2))


def _movement(turn: Turn) -> np.ndarray:
    """IR, tilt, obliquity, rotation over one repetition."""
    n = [int(s * GRID_HZ) for s in (turn.inward_s, turn.hold_s, turn.return_s)]
    shape = np.concatenate([_ramp(n[0]), np.ones(n[1]), 1 - _ramp(n[2])])
    back = turn.return_error_deg * np.linspace(0, 1, len(shape))
    columns = [turn.rom_deg * shape + back, turn.start_tilt_deg + turn.tilt_deg * shape,
               turn.obliquity_deg * shape, turn.rotation_deg * shape]  # fmt: skip
    return np.column_stack(columns)


def _angles(table: np.ndarray) -> HipAngles:
    n = len(table)
    quat = np.tile([1.0, 0.0, 0.0, 0.0], (n, 1))
    ir, tilt, obliquity, rotation = table.T
    return HipAngles(
        np.arange(n) / GRID_HZ, ir, 0.05 * ir, -0.03 * ir, tilt, obliquity, rotation, quat,
        np.ones(n, dtype=bool), quat,
    )  # fmt: skip


def _repetition(side: str, name: str, number: int, start_s: float, turn: Turn) -> Repetition:
    hold_start_s = start_s + turn.inward_s
    hold_end_s = hold_start_s + turn.hold_s
    drift = float(np.linalg.norm([turn.tilt_deg, turn.obliquity_deg, turn.rotation_deg]))
    return Repetition(
        side, name, number, start_s, hold_end_s + turn.return_s, hold_start_s, hold_end_s,
        turn.rom_deg, turn.rom_deg, turn.return_error_deg,
        turn.inward_s, turn.hold_s, turn.return_s,
        turn.rom_deg / turn.inward_s, 1.875 * turn.rom_deg / turn.inward_s,
        turn.rom_deg / turn.return_s, 1.875 * turn.rom_deg / turn.return_s,
        -1.45 - 0.01 * turn.inward_s, -1.47 - 0.01 * turn.return_s,
        drift, turn.tilt_deg, turn.obliquity_deg, turn.rotation_deg, 0.1,
        0.05 * turn.rom_deg, -0.03 * turn.rom_deg, turn.verdict, turn.flags,
        0.6, 0.4, 0.3, 0.3, 0.5,
    )  # fmt: skip


def hiking(from_rep: int, n: int = 8, rom_deg: float = 31.0) -> list[Turn]:
    """A set whose pelvis hikes from one repetition on."""
    turns = make_turns(n, seed=3, rom_deg=rom_deg)
    hike = {"flags": ("pelvis_obliquity",), "verdict": "compensated"}
    return [
        replace(turn, obliquity_deg=6.5 + 0.2 * i, **hike) if i >= from_rep else turn
        for i, turn in enumerate(turns, start=1)
    ]


@cache
def named_examples() -> dict[str, Analysis]:
    """The pages worth looking at."""
    alike = make_turns(seed=1, rom_deg=33.0)
    pain = [
        Event("left", 4.6, "pinch", 3.0, "front of the hip"),
        Event("right", 9.5, "pain", 6.0, "<b>sharp</b>"),
        Event("right", 1.0, "note", None, "shoes on"),
        Event("right", 12.0, "dropout", None, "thigh"),
    ]
    poor = make_quality("poor", "thigh: 31 % of the samples are missing", "no stillness at the end")
    return {
        "matched": make_pair(alike, make_turns(seed=2, rom_deg=33.5)),
        "different": make_pair(hiking(4, rom_deg=22.4), make_turns(seed=2, rom_deg=34.1)),
        "inconclusive": make_pair(
            make_turns(seed=5, rom_deg=28.0, spread=0.1), make_turns(seed=6, rom_deg=33.0)
        ),
        "one_sided": make_analysis([make_set("right", alike)]),
        "one_rep": make_pair(make_turns(1), make_turns(1, seed=1)),
        "no_rep": make_pair([], make_turns(2)),
        "markers": make_pair(alike, hiking(4), events=pain),
        "poor": make_analysis(
            [make_set("left", alike, quality=poor), make_set("right", hiking(2))]
        ),
        "script": make_pair(
            alike, make_turns(seed=2), subject="<script>alert(1)</script>", notes="<img src=x>"
        ),
        "long": make_pair(make_turns(200, seed=1), make_turns(200, seed=2)),
        "two_sets": make_analysis(
            [
                make_set("left", alike),
                make_set("left", hiking(5), name="left-2"),
                make_set("right", make_turns(seed=9)),
            ]
        ),
    }

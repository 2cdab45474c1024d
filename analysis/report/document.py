"""Analysis -> ``report.json``, schema ``hiprot.report/1`` of the contract."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import jinja2
import matplotlib as mpl
import numpy as np
import pandas as pd
import scipy

from analysis.comparison import (
    INDEX_FORMULA,
    Comparison,
)
from analysis.findings import Finding
from analysis.pipeline import Analysis
from analysis.repetitions.measures import Repetition
from analysis.sets import SetAnalysis
from analysis.words import DISCLAIMER

SCHEMA = "hiprot.report/1"
DECIMALS = 6
QUALITY = ("grade", "reasons", "codes", "direction", "pelvis_axes", "skin_share")  # of a side
SENSOR_EVENTS = ("dropout", "reconnect", "lift")  # not felt by the person


def report_document(analysis: Analysis) -> dict[str, Any]:
    """Arrange an analysis as the contract's document, of plain values alone.

    Numbers are rounded to 1e-6; what could not be had is None, never NaN.
    """
    document = {
        "schema": SCHEMA,
        "software": software(),
        "session": _session(analysis),
        "sides": {side: _side(analysis, side) for side in analysis.summary.sides},
        "symmetry": _symmetry(analysis.comparisons),
        "findings": [_finding(one) for one in analysis.findings],
        "settings": asdict(analysis.settings),
        "method": _method(),
    }
    return {key: plain(value) for key, value in document.items()}


def report_json(document: Mapping[str, Any]) -> str:
    """Write the document as JSON text, ending in a line feed."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def software() -> dict[str, Any]:
    """Name the program and the versions of all that could move a figure."""
    libraries = {module.__name__: module.__version__ for module in (np, scipy, pd, mpl, jinja2)}
    return {
        "name": "hiprot",
        "version": version("hip-rotation"),
        "python": platform.python_version(),
        "libraries": libraries,
    }


def rep_row(rep: Repetition) -> dict[str, Any]:
    """Return one repetition under the contract's names, in their order, as plain values.

    Flags are joined by ``;``, in the table and in the document alike.
    """
    row: dict[str, Any] = plain(asdict(rep))
    return {**row, "flags": ";".join(rep.flags)}


def plain(value: Any) -> Any:
    """Make a value fit for JSON: numpy scalars and tuples unwrapped, floats rounded, NaN None."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return round(value, DECIMALS) + 0.0 if math.isfinite(value) else None
    return value


def _session(analysis: Analysis) -> dict[str, Any]:
    info = analysis.info
    markers = [asdict(one) for one in analysis.markers]
    return {
        "name": analysis.name,
        "subject": info.subject,
        "started": info.started,
        "planned_reps": info.planned_reps,
        "sensors": {name: asdict(sensor) for name, sensor in info.sensors.items()},
        "notes": info.notes,
        "source": None if info.source is None else asdict(info.source),
        "sha256": analysis.sha256,
        "sets": [{"name": one.name, "side": one.side} for one in analysis.sets],
        "markers": [one for one in markers if one["kind"] not in SENSOR_EVENTS],
        "events": [one for one in markers if one["kind"] in SENSOR_EVENTS],
    }


def _side(analysis: Analysis, side: str) -> dict[str, Any]:
    sets = [one for one in analysis.sets if one.side == side]
    reps = [rep for one in sets for rep in one.reps]
    summary = asdict(analysis.summary.sides[side])
    quality = {name: summary.pop(name) for name in QUALITY}
    return {
        "reps": [rep_row(rep) for rep in reps],
        "summary": summary,
        "quality": {**quality, "sets": {one.name: _set_quality(one) for one in sets}},
    }


def _set_quality(one: SetAnalysis) -> dict[str, Any]:
    quality = asdict(one.quality)
    measured = one.angles.measured
    quality["not_measured_percent"] = 100.0 * float(1 - measured.mean()) if measured.size else None
    return quality


def _symmetry(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    groups: dict[str, Any] = {}
    for one in comparisons:
        row = asdict(one)
        if one.left_clean is None:
            del row["left_clean"], row["right_clean"]
        groups.setdefault(row.pop("group"), {})[row.pop("measure")] = row
    return groups


def _finding(finding: Finding) -> dict[str, Any]:
    row = asdict(finding)
    row["set"] = row.pop("set_name")
    return row


def _method() -> dict[str, Any]:
    return {
        "difference": "right minus left, of the means over the counted repetitions",
        "interval": (
            "95 %, the serial-correlation t of Tang & Landes (2020) over the repetitions of each "
            "side (for spreads with the jackknife's standard error; sets of a side pooled), "
            "widened by the sensors' systematic error; for clean repetitions Fisher's exact "
            "test instead"
        ),
        "index": INDEX_FORMULA,
        "limits": DISCLAIMER,
    }

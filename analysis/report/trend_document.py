"""Trend -> ``trend.json``, schema ``hiprot.trend/1`` of the contract, and ``trend.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from analysis.changes import CLEAN, Change
from analysis.norms import NORMS
from analysis.report.document import plain, software
from analysis.trend import Point, Trend
from analysis.trend_words import day_line, headlines, mode_lines
from analysis.visits import BY_NAME, Visit

SCHEMA = "hiprot.trend/1"
KINDS = ("first", "previous", "context")
CHANGE_COLUMNS = ("against", "difference", "low", "high", "threshold", "verdict")
CSV_COLUMNS = (
    *("session", "started", "context", "side", "grade", "used", "measure", "unit"),
    *("n", "mean", "sd", "uncertainty"),
    *(f"{kind}_{column}" for kind in KINDS for column in CHANGE_COLUMNS),
)


def trend_document(trend: Trend, refused: Mapping[str, str]) -> dict[str, Any]:
    """Arrange a trend as the contract's document, of plain values alone.

    Parameters
    ----------
    trend : Trend
        What is written.
    refused : Mapping of str to str
        Sessions that could not be analysed, and why.
    """
    document = {
        "schema": SCHEMA,
        "software": software(),
        "subject": trend.subject,
        "sessions": [_session(one) for one in trend.visits],
        "ordered_by": "started" if trend.by_time else "name",
        "refused": [{"session": name, "why": why} for name, why in refused.items()],
        "headline": [asdict(one) for one in headlines(trend)],
        "day": day_line(trend),
        "modes": list(mode_lines(trend)),
        "target_deg": trend.target_deg,
        "measures": {
            name: {key: [_point(one) for one in points] for key, points in series.items()}
            for name, series in trend.measures.items()
        },
        "norms": [asdict(one) for one in NORMS],
        "settings": asdict(trend.settings),
    }
    return {key: plain(value) for key, value in document.items()}


def _session(visit: Visit) -> dict[str, Any]:
    return {
        "name": visit.name,
        "started": None if visit.started is None else visit.started.isoformat(),
        "context": visit.context,
        "grade": visit.grade,
        "grades": {side: one.grade for side, one in visit.sides.items()},
        "modes": {side: list(one.modes) for side, one in visit.sides.items() if one.modes},
        "marks": [asdict(one) for one in visit.marks],
    }


def _point(point: Point) -> dict[str, Any]:
    row = asdict(point)
    row["used"] = row.pop("usable")
    return row


def trend_csv(trend: Trend) -> str:
    """Write one row a session, side and measure; what could not be had is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    visits = {one.name: one for one in trend.visits}
    for measure, series in trend.measures.items():
        unit = "" if measure == CLEAN else BY_NAME[measure].unit
        for side, points in series.items():
            for point in points:
                head = _head(visits[point.session], side)
                writer.writerow({**head, "measure": measure, "unit": unit, **_cells(point)})
    return text.getvalue()


def _head(visit: Visit, side: str) -> dict[str, Any]:
    one = visit.sides.get(side)
    return {
        "session": visit.name,
        "started": "" if visit.started is None else visit.started.isoformat(),
        "context": visit.context or "",
        "side": side,
        "grade": visit.grade if one is None else one.grade,
    }


def _cells(point: Point) -> dict[str, Any]:
    row = {
        "used": int(point.usable),
        "n": point.n,
        **{name: plain(getattr(point, name)) for name in ("mean", "sd", "uncertainty")},
    }
    for kind in KINDS:
        change: Change | None = getattr(point, f"change_{kind}")
        if change is not None:
            values = _change_cells(change)
            row |= {f"{kind}_{name}": plain(value) for name, value in values.items()}
    return row


def _change_cells(change: Change) -> dict[str, Any]:
    ends: Sequence[float | None] = change.ci95 or (None, None)
    return dict(
        zip(
            CHANGE_COLUMNS,
            (change.against, change.difference, *ends, change.threshold, change.verdict),
            strict=True,
        )
    )

"""Reliability -> ``reliability.json`` of the contract, and ``limits.toml`` for ``--config``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from analysis.agreement import Agreement
from analysis.reliability import ENOUGH_PEOPLE, RANGE, MeasureReliability, Reliability
from analysis.report.document import plain, software
from analysis.visits import BY_NAME

SCHEMA = "hiprot.reliability/1"
SIGNIFICANT = 3  # digits of a limit


def reliability_document(found: Reliability, refused: Mapping[str, str]) -> dict[str, Any]:
    """Arrange it as the contract's document, of plain values alone."""
    document = {
        "schema": SCHEMA,
        "software": software(),
        "people": found.people,
        "sessions": found.sessions,
        "repeated": found.repeated,
        "enough": found.enough,
        "said": said(found),
        "context": found.context,
        "left_out": dict(found.left_out),
        "refused": [{"session": name, "why": why} for name, why in refused.items()],
        "measures": {one.measure: _measure(one) for one in found.measures},
    }
    return {key: plain(value) for key, value in document.items()}


def said(found: Reliability) -> str:
    """Say in a sentence or two how far these figures carry."""
    of_range = next(one.both for one in found.measures if one.measure == RANGE)
    if of_range is None:
        return (
            "Nobody was measured in two sessions or more, so that nothing can be said of putting "
            "the sensors on anew. Measure at least ten people twice, on different days."
        )
    unit = BY_NAME[RANGE].unit
    low, high = of_range.mdc95_ci95
    figure = (
        f"Measured anew, the range of one hip differs by less than {of_range.mdc95:.1f}{unit} in "
        f"19 of 20 cases (95 % interval {low:.1f} to {high:.1f}{unit}; {found.repeated} people)."
    )
    if found.enough:
        return figure
    return f"{figure} Fewer than {ENOUGH_PEOPLE} people are not enough to rely on it."


def _measure(one: MeasureReliability) -> dict[str, Any]:
    return {
        "unit": BY_NAME[one.measure].unit,
        **_agreement(one.both),
        "sides": {name: _agreement(each) for name, each in one.sides.items()},
        "within_session": {"of": one.within_unit, **_agreement(one.within)},
    }


def _agreement(one: Agreement | None) -> dict[str, Any]:
    """Write one agreement under the contract's names; null where there is none."""
    row = dict.fromkeys(Agreement.__dataclass_fields__) if one is None else asdict(one)
    return {"subjects": row.pop("subjects"), "sessions": row.pop("measurements"), **row}


def limits_toml(found: Reliability) -> str:
    """Write the smallest detectable changes as settings.

    Measures that cannot be judged, or never differ, have no line.
    """
    lines = ["# Smallest detectable changes of one's own set-up, by hiprot reliability."]
    lines += [f"# {said(found)}"]
    source = f"{found.repeated} people measured anew"
    lines.append(f'mdc_source = "{source}{"" if found.enough else ", too few to rely on"}"')
    changes = {
        one.measure: one.both.mdc95
        for one in found.measures
        if one.both is not None and one.both.mdc95 > 0 and BY_NAME[one.measure].judged
    }
    if not changes:
        return "\n".join(lines[:2]) + "\n"
    if RANGE in changes:
        lines.append(f"mdc_range_deg = {_rounded(changes.pop(RANGE))}")
    lines += ["", "[mdc]", *(f"{name} = {_rounded(value)}" for name, value in changes.items())]
    return "\n".join(lines) + "\n"


def _rounded(value: float) -> str:
    """Write a limit with three digits, as TOML reads it."""
    return repr(float(f"{value:.{SIGNIFICANT}g}"))

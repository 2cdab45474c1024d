"""Reliability -> ``reliability.html``: one page, offline, without script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from analysis import words
from analysis.agreement import Agreement
from analysis.reliability import RANGE, MeasureReliability, Reliability
from analysis.report.html import MAX_LETTERS, page_environment
from analysis.report.reliability_document import said
from analysis.report.svg import (
    BAND,
    COLOURS,
    INK,
    add_axes,
    inline_svg,
    new_figure,
    svg_style,
)
from analysis.trend import ASYMMETRY
from analysis.visits import BY_NAME
from imu.units import SIDES

MAX_REFUSED = 50
MAX_DOTS = 2000  # people a side
GROUPS = (
    ("both", "Between sessions, both sides"),
    ("right", "Between sessions, right"),
    ("left", "Between sessions, left"),
    (ASYMMETRY, "Between sessions, right minus left"),
    ("within", "Within a session, both sides"),
)


def reliability_html(
    found: Reliability, document: Mapping[str, Any], refused: Mapping[str, str]
) -> str:
    """Write the page.

    Parameters
    ----------
    found : Reliability
        What is shown.
    document : Mapping
        For versions.
    refused : Mapping of str to str
        Sessions that could not be analysed, and why.
    """
    with svg_style():
        figures = [
            Markup(_differences(found, side)) for side in reversed(SIDES) if len(found.pairs[side])
        ]
    unit = {one.within_unit for one in found.measures}.pop()
    return (
        page_environment()
        .get_template("reliability.html")
        .render(
            found=found,
            document=document,
            said=said(found),
            figures=figures,
            groups=_groups(found),
            within_unit=unit,
            forms=_forms(found),
            refused=dict(list(refused.items())[:MAX_REFUSED]),
            words=words,
            most_letters=MAX_LETTERS,
        )
    )


def _groups(found: Reliability) -> list[dict[str, Any]]:
    """Lay the measures out: a table for every kind of repeating."""
    groups = []
    for key, title in GROUPS:
        rows = [_row(one, _of(one, key)) for one in found.measures]
        rows = [row for row in rows if row is not None]
        if rows:
            groups.append({"title": title, "rows": rows, "key": key})
    return groups


def _of(one: MeasureReliability, key: str) -> Agreement | None:
    if key in ("both", "within"):
        chosen: Agreement | None = getattr(one, key)
        return chosen
    return one.sides[key]


def _row(one: MeasureReliability, agreed: Agreement | None) -> dict[str, Any] | None:
    if agreed is None:
        return None
    measure = BY_NAME[one.measure]
    return {"label": measure.label, "unit": measure.unit, "agreed": agreed}


def _forms(found: Reliability) -> Sequence[str]:
    forms = [agreed.icc_form for one in found.measures for key, _ in GROUPS
             for agreed in [_of(one, key)] if agreed is not None]  # fmt: skip
    return list(dict.fromkeys(forms))


def _differences(found: Reliability, side: str) -> str:
    """Draw second minus first against their mean, with bias and limits of agreement."""
    pairs = found.pairs[side][:MAX_DOTS]
    agreed = next(one for one in found.measures if one.measure == RANGE).sides[side]
    figure = new_figure(3.6, 2.1)
    axes = add_axes(figure, (0.14, 0.2, 0.83, 0.72), "mean of first and second, °",
                    "second minus first, °")  # fmt: skip
    x, y = pairs.mean(axis=1), pairs[:, 1] - pairs[:, 0]
    told = f"{len(y)} people, from {words.number(float(y.min()), '°')} to "
    told += f"{words.number(float(y.max()), '°')}"
    if agreed is not None and agreed.limits_of_agreement is not None:
        low, high = agreed.limits_of_agreement
        axes.axhspan(low, high, color=BAND, lw=0)
        told += f"; limits of agreement {words.interval((low, high), '°')}"
    if agreed is not None:
        axes.axhline(agreed.bias, color=INK, lw=1.0)
        told += f"; bias {words.number(agreed.bias, '°', signed=True)}"
    axes.axhline(0.0, color=INK, lw=0.5, ls=":")
    axes.plot(x, y, "o" if side == "right" else "s", ms=4, color=COLOURS[side], ls="none")
    axes.text(0.02, 0.97, words.LETTERS[side], color=COLOURS[side], weight="bold", size=11,
              va="top", transform=axes.transAxes)  # fmt: skip
    reach = 1.25 * max(float(np.abs(y).max()), *(abs(end) for end in axes.get_ylim()))
    axes.set_ylim(-reach, reach)
    return inline_svg(figure, f"r-{side}", f"Range, {side}: second against first", f"{told}.")

"""Analysis -> ``report.html``: one page, offline, without script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis import words
from analysis.advice import KINDS
from analysis.comparison import Comparison
from analysis.findings import Finding, in_front
from analysis.pipeline import Analysis
from analysis.report.figures import Panel, draw_panels

# The page stays below 1 MB whatever comes in; everything is in reps.csv and report.json.
MOST_ROWS = 800  # repetitions of all sets
MOST_MARKERS = 200
MOST_FINDINGS = 100
MOST_LETTERS = 500  # of one text from outside


def report_html(analysis: Analysis, document: Mapping[str, Any]) -> str:
    """Write the page.

    Parameters
    ----------
    analysis : Analysis
        What is shown.
    document : Mapping
        Of `analysis.report.document.report_document`, for versions, summaries and quality.

    Returns
    -------
    str
        HTML, self-contained. Text from outside (subject, notes, markers) stays text.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=words.number, interval=words.interval, flag_words=words.flag_words, state=_state
    )
    front, others = split_findings(analysis)
    return environment.get_template("page.html").render(
        analysis=analysis,
        document=document,
        headline=words.headline(analysis.comparisons, document["sides"]),
        cautions=_cautions(document),
        groups=_groups(analysis.comparisons),
        front=front,
        others=others[:MOST_FINDINGS],
        panels=_panels(draw_panels(analysis)),
        started=_readable_time(analysis.info.started),
        words=words,
        notes={source: "abcdef"[i] for i, source in enumerate(words.sources(analysis.comparisons))},
        most_rows=max(1, MOST_ROWS // max(1, len(analysis.sets))),
        most_markers=MOST_MARKERS,
        most_letters=MOST_LETTERS,
    )


def split_findings(analysis: Analysis) -> tuple[list[str], list[str]]:
    """Return the texts put in front, at most three, and all others."""
    chosen = in_front(analysis.findings)
    shown = {id(one) for group in chosen for one in group}
    front = [_joined(group) for group in chosen]
    return front, [one.text for one in analysis.findings if id(one) not in shown]


def _joined(group: Sequence[Finding]) -> str:
    """Say what both sides share once: the advice, after the last of them."""
    advice = KINDS[group[0].code].advice
    return " ".join([*(one.text.removesuffix(advice).strip() for one in group), advice])


def _state(code: str) -> Markup:
    """Mark a state by icon and word; the icon is not read aloud."""
    word, icon = words.VERDICTS[code]
    form = '<span class="state {}"><span class="icon" aria-hidden="true">{}</span> {}</span>'
    return Markup(form).format(code, icon, word)


def _panels(panels: Mapping[str, Panel]) -> dict[str, dict[str, object]]:
    # The SVG is made here, its words escaped in `inline_svg`: safe to insert as it is.
    return {
        name: {"svg": Markup(panel.svg), "caption": panel.caption} for name, panel in panels.items()
    }


def _groups(comparisons: Sequence[Comparison]) -> list[dict[str, object]]:
    groups: dict[str, list[Comparison]] = {}
    for one in comparisons:
        groups.setdefault(one.group, []).append(one)
    return [
        {"name": words.GROUPS[code], "rows": rows, "verdict": verdict, "told": told}
        for code, rows in groups.items()
        for verdict, told in [words.group_sentence(rows)]
    ]


def _cautions(document: Mapping[str, Any]) -> list[str]:
    """Say it at the top where the recording does not carry the figures."""
    told = []
    for side, found in document["sides"].items():
        if found["quality"]["grade"] == "poor":
            reasons = "; ".join(found["quality"]["reasons"])
            told.append(f"The recording of the {side} side is poor: {reasons}".rstrip(".") + ".")
    return told


def _readable_time(started: str | None) -> str:
    try:
        return datetime.fromisoformat(started or "").strftime("%-d %B %Y, %H:%M")
    except ValueError:
        return started or ""

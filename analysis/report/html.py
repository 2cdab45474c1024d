"""Analysis -> ``report.html``: one page, offline, without script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis import words
from analysis.comparison import Comparison
from analysis.pipeline import Analysis
from analysis.report.figures import Panel, draw_panels

# The page stays below 1 MB whatever comes in; everything is in reps.csv and report.json.
MAX_ROWS = 800  # repetitions of all sets
MAX_MARKERS = 200
MAX_FINDINGS = 100
MAX_LETTERS = 500  # of one text from outside


def report_html(analysis: Analysis, document: Mapping[str, Any]) -> str:
    """Write the page.

    Parameters
    ----------
    analysis : Analysis
        What is shown.
    document : Mapping
        Of `analysis.report.document.report_document`, for versions, method and limits.

    Returns
    -------
    str
        HTML, self-contained. Text from outside (subject, notes, markers) stays text.
    """
    return (
        page_environment()
        .get_template("page.html")
        .render(
            **_head(analysis),
            document=document,
            front=analysis.summary.front,
            others=analysis.summary.others[:MAX_FINDINGS],
            panels=_panels(draw_panels(analysis)),
            started=_readable_time(analysis.info.started),
            words=words,
            notes={
                source: "abcdefghij"[i]
                for i, source in enumerate(words.sources(analysis.comparisons))
            },
            most_rows=max(1, MAX_ROWS // max(1, len(analysis.sets))),
            most_markers=MAX_MARKERS,
            most_letters=MAX_LETTERS,
        )
    )


@cache
def page_environment() -> Environment:
    """Make what pages are written with, once a process; text from outside stays text."""
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
    return environment


def head_html(analysis: Analysis) -> str:
    """Write the head of the page alone, for notebooks: the verdict and what it stands on.

    Returns
    -------
    str
        A piece of HTML without a style of its own.
    """
    template = page_environment().get_template("page.html")
    head = template.blocks["head"](template.new_context(_head(analysis)))
    return f"<div>{''.join(head)}</div>"


def _head(analysis: Analysis) -> dict[str, object]:
    """What the head of the page shows."""
    return {
        "analysis": analysis,
        "headline": analysis.summary.headline,
        "cautions": analysis.summary.cautions,
        "groups": _groups(analysis.comparisons),
    }


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


def _readable_time(started: str | None) -> str:
    try:
        when = datetime.fromisoformat(started or "")
    except ValueError:
        return started or ""
    return f"{when.day} {when:%B %Y, %H:%M}"  # "%-d" is refused on Windows

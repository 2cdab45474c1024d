"""Analysis -> what the terminal shows: the verdict, the comparison as a table, what to work on."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis import words
from analysis.compared import MEASURES, Measure
from analysis.comparison import Comparison
from analysis.pipeline import Analysis
from analysis.summary import MeasureSummary, Summary

COLUMNS = {  # and how wide the terminal must be for it
    "Right": 0,
    "Left": 0,
    "R − L": 0,  # noqa: RUF001
    "95 % interval": 76,
    "Threshold": 98,
    "LSI %": 98,
    "Verdict": 0,
}
STYLES = {"matched": "green", "different": "yellow", "inconclusive": "dim", "poor": "red"}


def print_report(analysis: Analysis, console: Console) -> None:
    """Print the report's essence.

    Parameters
    ----------
    analysis : Analysis
        What is shown.
    console : Console
        Without a terminal it writes plain text, as wide as COLUMNS says.
    """
    summary = analysis.summary
    verdict, sentence = summary.headline.verdict, summary.headline.sentence
    console.print(Text.assemble(_state(verdict) if verdict else "", " " * bool(verdict), sentence))
    console.print(Text(summary.clean))
    console.print(Text(summary.tissue, "dim"))
    console.print(Text(summary.footing, "dim"))
    if summary.modes:
        console.print(Text(summary.modes, "dim"))
    for side, found in summary.sides.items():
        if found.grade == "poor":
            reasons = "; ".join(found.reasons)
            console.print(
                Text.assemble(_state("poor"), f" recording of the {side} side: {reasons}")
            )
    table = _comparison(analysis, console.width) if analysis.comparisons else _means(summary)
    console.print(table)
    for i, text in enumerate(summary.front, start=1):
        console.print(Text(f"{i}. {text}"))
    if summary.others:
        console.print(Text(f"{len(summary.others)} more in the report.", "dim"))


def _state(code: str) -> Text:
    word, icon = words.VERDICTS[code]
    return Text(f"{icon} {word}", STYLES.get(code, ""))


def _comparison(analysis: Analysis, width: int) -> Table:
    columns = [name for name, least in COLUMNS.items() if width >= least]
    table = _table("Measure", *columns)
    group = ""
    for one in analysis.comparisons:
        if one.group != group:
            group = one.group
            table.add_row(Text(words.GROUPS[group], "bold"))
        cells = _cells(one)
        table.add_row(_label(one), *(cells[name] for name in columns))
    return table


def _table(first: str, *columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column(first, overflow="fold")
    for name in columns:
        table.add_column(name, justify="left" if name == "Verdict" else "right", no_wrap=True)
    return table


def _label(one: Comparison | Measure) -> Text:
    return Text(f"{one.label}, {one.unit}" if one.unit else one.label)


def _cells(one: Comparison) -> dict[str, Text]:
    unit = one.unit
    figures = (
        words.figure(one, "right"),
        words.figure(one, "left"),
        words.difference(one),
        words.interval(one.ci95, unit, bare=True),
        words.number(one.threshold, unit, bare=True),
        words.number(one.index_percent, "%", bare=True),
    )
    cells = [*map(Text, figures), _state(one.verdict) if one.judged else Text("not judged", "dim")]
    return dict(zip(COLUMNS, cells, strict=True))


def _means(summary: Summary) -> Table:
    """Mean ± SD of every measure, for a single side."""
    table = _table("Measure", *(side.capitalize() for side in summary.sides))
    for measure in MEASURES:
        if not measure.spread:
            rows = [found.measures[measure.name] for found in summary.sides.values()]
            table.add_row(_label(measure), *(_mean_sd(row, measure.unit) for row in rows))
    return table


def _mean_sd(one: MeasureSummary, unit: str) -> Text:
    mean, spread = (words.number(value, unit, bare=True) for value in (one.mean, one.sd))
    return Text(mean if one.sd is None else f"{mean} ± {spread}")

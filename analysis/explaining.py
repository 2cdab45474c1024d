"""Entries of the reference: the rows of its tables, found by the codes in their first cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# The files of the reference, in the order a person meets what they tell: what to record with and
# into, what the report says, what that rests on.
TOPICS = (
    "wearing",
    "sensors",
    "formats",
    "importing",
    "verdicts",
    "flags",
    "cues",
    "findings",
    "quality",
    "columns",
    "limits",
    "accuracy",
    "codes",
)


@dataclass(frozen=True)
class Entry:
    """One row of a table of the reference.

    Attributes
    ----------
    topic : str
        Name of the file.
    heading : str
        The heading the table stands under.
    codes : tuple of str
        What the first cell names.
    columns : dict
        Cells by the table's head.
    """

    topic: str
    heading: str
    codes: tuple[str, ...]
    columns: dict[str, str]


def entries(topic: str, text: str) -> Iterator[Entry]:
    r"""Read the rows of all tables of one file.

    Parameters
    ----------
    topic : str
        Name of the file.
    text : str
        Its Markdown.

    Yields
    ------
    Entry
        One row, in the order of the text.

    Examples
    --------
    >>> [one.columns for one in entries("a", "| flag | why |\n| `x` | y |")]
    [{'flag': 'x', 'why': 'y'}]
    """
    heading, head = "", list[str]()
    for line in text.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if not line.startswith("|"):
            head = []
            continue
        raw = [cell.strip() for cell in line.strip("|").split("|")]
        cells = [cell.replace("`", "").replace("**", "") for cell in raw]
        if not head:
            head = cells
        elif not set(cells[0]) <= {"-"}:
            named = tuple(re.findall(r"`([^`]+)`", raw[0])) or (cells[0],)
            yield Entry(topic, heading, named, dict(zip(head, cells, strict=True)))

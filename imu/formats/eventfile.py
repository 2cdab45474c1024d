"""``events.csv`` <-> values, without files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Sequence

from imu.errors import RecordingError
from imu.formats import csvfile
from imu.formats.csvfile import place, shown
from imu.recording import Event
from imu.units import EVENT_COLUMNS, EVENT_KINDS

MAX_SCORE = 10.0


def with_event(data: bytes, event: Event, source: str = "events.csv") -> str:
    """Add one marker to an ``events.csv``, in its own columns; all that is there stays.

    Raises
    ------
    RecordingError
        Its header is none, or its text is not UTF-8.
    """
    names = csvfile.parse_header(csvfile.split_lines(data, source)[0], source)
    csvfile.require_columns(names, EVENT_COLUMNS, (), source)
    text = data.decode("utf-8-sig")
    return text + ("" if text.endswith("\n") else "\n") + format_event(event, names)


def without_events(data: bytes, doomed: Callable[[Event], bool], source: str = "events.csv") -> str:
    """Take markers out of an ``events.csv``; all others stay, cell by cell.

    Parameters
    ----------
    data : bytes
        The file's content.
    doomed : callable
        Which are taken out.
    source : str
        The file's name, for messages.

    Raises
    ------
    RecordingError
        It cannot be read, see `parse_events`.
    """
    header, body, rest = csvfile.split_lines(data, source)
    names = csvfile.parse_header(header, source)
    csvfile.require_columns(names, EVENT_COLUMNS, (), source)
    rows = [cells for _, cells in csvfile.read_rows((body + rest).decode(), len(names), source, 2)]
    at = [names.index(column) for column in EVENT_COLUMNS]
    sets = {cells[at[0]] for cells in rows}
    events = parse_events(data, sets, source)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(row for row, event in zip(rows, events, strict=True) if not doomed(event))
    return file.getvalue()


def parse_events(
    data: bytes, set_names: Collection[str], source: str = "events.csv"
) -> tuple[Event, ...]:
    """Parse ``events.csv``.

    Parameters
    ----------
    data : bytes
        The file's content.
    set_names : collection of str
        The sets there are.
    source : str
        The file's name, for messages.

    Raises
    ------
    RecordingError
        With line and column: no kind, a score out of 0 to 10, a set without a file, a last line
        cut in the middle. Markers say where it hurt, so none is dropped; kinds unknown to us are
        kept as they are.
    """
    header, body, rest = csvfile.split_lines(data, source)
    names = csvfile.parse_header(header, source)
    csvfile.require_columns(names, EVENT_COLUMNS, (), source)
    at = [names.index(column) for column in EVENT_COLUMNS]
    text = (body + rest).decode("utf-8", errors="strict") if _is_text(rest) else ""
    if not _is_text(rest):
        raise RecordingError(source, "the last line is broken off", "Complete or delete it.")
    return tuple(
        _event([cells[index] for index in at], set_names, _namer(source, line))
        for line, cells in csvfile.read_rows(text, len(names), source, 2)
    )


def _is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _namer(source: str, line: int) -> Callable[[str], str]:
    """Name the places of one line by column."""
    return lambda column: place(source, line, column)


def _event(cells: Sequence[str], set_names: Collection[str], where: Callable[[str], str]) -> Event:
    """Make one marker of its cells, in the order of the contract's columns."""
    set_name, time, kind, score, text = cells
    if set_name not in set_names:
        known = f"Sets here: {', '.join(sorted(set_names))}."
        raise RecordingError(where("set"), f"there is no set {shown(set_name)}", known)
    time_s = csvfile.read_number(time, where("time_s"))
    meant = kind.strip().lower()  # "Pain" would be passed over by whoever looks for pain
    if not kind or len(kind) > csvfile.SHOWN_CHARACTERS or (meant in EVENT_KINDS and meant != kind):
        remedy = f"Known: {', '.join(EVENT_KINDS)}."
        raise RecordingError(where("kind"), f"{shown(kind)} is no kind of marker", remedy)
    points = csvfile.read_number(score, where("score")) if score else None
    if points is not None and not 0.0 <= points <= MAX_SCORE:
        what = f"{shown(score)} is not from 0 to {MAX_SCORE:g}"
        raise RecordingError(where("score"), what, "Correct it or leave the cell empty.")
    return Event(set_name, time_s, kind, points, text)


def format_events(events: Sequence[Event]) -> str:
    """Write ``events.csv``. `parse_events` reads it back; blanks around texts are lost."""
    return ",".join(EVENT_COLUMNS) + "\n" + "".join(format_event(event) for event in events)


def format_event(event: Event, columns: Sequence[str] = EVENT_COLUMNS) -> str:
    r"""Write one row of ``events.csv``, below a header with these columns.

    Examples
    --------
    >>> format_event(Event("left", 12.5, "pain", 3.0, "deep, in front"))
    'left,12.500000,pain,3,"deep, in front"\n'
    """
    score = "" if event.score is None else f"{event.score:g}"
    cells = (event.set_name, f"{event.time_s:.6f}", event.kind, score, event.text)
    known = dict(zip(EVENT_COLUMNS, cells, strict=True))
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerow([known.get(name, "") for name in columns])
    return file.getvalue()

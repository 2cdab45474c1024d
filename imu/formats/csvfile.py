"""CSV bytes -> columns, strictly: what is not exactly a number in its place is refused.

pandas reads a million lines a second, but it also reads ``TRUE`` as 1, ``infinity``, rows that are
too short, and counts lines wrongly where some are empty. So a file is read by pandas only where
its shape is beyond doubt (every line has its commas, no quotes), and by `csv` and one regular
expression otherwise: slower, exact, and able to name line and column. Both give the same numbers.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imu.errors import RecordingError
from imu.samples import Array

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
BLANKS = " \t"
# Before 3.1 pandas was by default off in the last bit of some numbers of 16 digits and more.
PANDAS = tuple(int(part) for part in pd.__version__.split(".")[:2])
TO_THE_LAST_BIT: Mapping[str, Any] = {"float_precision": "round_trip"} if PANDAS < (3, 1) else {}
SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns a file has, and how each is read.

    Attributes
    ----------
    label : str
        The text column.
    labels : tuple of str
        What may stand in it.
    numbers : tuple of str
        Columns of finite numbers.
    gappy : tuple of str
        Columns of numbers whose cells may be empty; NaN there.
    """

    label: str
    labels: tuple[str, ...]
    numbers: tuple[str, ...]
    gappy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A file's rows as columns.

    Attributes
    ----------
    labels : ndarray of int, shape (n,)
        Position of each row's text in `Columns.labels`.
    numbers : Mapping of str to ndarray, shape (n,)
        By column.
    lines : ndarray of int, shape (n,)
        The line each row ends on, from 1.
    """

    labels: NDArray[np.int64]
    numbers: Mapping[str, Array]
    lines: NDArray[np.int64]


def place(source: str, line: int, column: str = "") -> str:
    """Name a place in a file, for messages."""
    return f"{source}, line {line}" + (f", column {column}" if column else "")


def shown(cell: str) -> str:
    """Quote a cell for a one-line message, shortened."""
    text = ascii(cell[:SHOWN_CHARACTERS])
    return text if len(cell) <= SHOWN_CHARACTERS else f"{text}..."


NO_SEPARATORS = bytes(set(range(256)) - set(b",\n"))


def split_lines(data: bytes, source: str) -> tuple[bytes, bytes, bytes]:
    r"""Check that bytes are plain UTF-8 text, and split them.

    Returns
    -------
    header, body, rest : bytes
        The first line; the lines that end in a newline; what follows the last newline. Lines end
        in ``\n``, whatever they ended in before; empty lines at the end are gone.

    Raises
    ------
    RecordingError
        Empty, not UTF-8, or with zero bytes (a file the machine did not finish writing).

    Examples
    --------
    >>> split_lines(b"a,b\r\n1,2\r\n3,", "left.csv")
    (b'a,b', b'1,2\n', b'3,')
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RecordingError(source, "the text is UTF-16", "Save it as UTF-8.")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data or data.isspace():
        raise RecordingError(source, "the file is empty", "Record again, or remove the file.")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    zero = data.find(b"\0")
    if zero >= 0:
        line = data.count(b"\n", 0, zero) + 1
        remedy = "The file is damaged from here on; cut it before this line or record again."
        raise RecordingError(place(source, line), "a zero byte", remedy)
    last = data.rfind(b"\n") + 1  # slices, not partitions: a copy of an hour takes its time
    end = last
    while data[end - 2 : end] == b"\n\n":
        end -= 1
    _refuse_not_utf8(data if last == 0 else data[:end], source)
    if last == 0:
        return data, b"", b""
    first = data.index(b"\n")
    return data[:first], data[first + 1 : end], data[last:]


def _refuse_not_utf8(data: bytes, source: str) -> None:
    """Refuse what is not UTF-8."""
    if data.isascii():
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise RecordingError(place(source, line), what, "Save the file as UTF-8.") from None


def parse_header(header: bytes, source: str) -> tuple[str, ...]:
    """Split the first line into column names.

    Raises
    ------
    RecordingError
        Separated by something else than commas, or a name twice.
    """
    text = header.decode("utf-8")
    if text.strip(BLANKS).lower().startswith("sep="):
        what = f"{shown(text)} is a hint for spreadsheets, not a row of column names"
        raise RecordingError(place(source, 1), what, "Delete this line.")
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if text.count(mark) >= 2 and "," not in text:
            remedy = "Save it with commas between columns and points in numbers."
            raise RecordingError(place(source, 1), f"columns are separated by {name}", remedy)
    cells = next(csv.reader([text]), [])
    names = tuple(cell.strip(BLANKS) for cell in cells)
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise RecordingError(
            place(source, 1, shown(twice[0])), "the name stands twice", "Keep one."
        )
    return names


def require_columns(
    names: Sequence[str], required: Sequence[str], optional: Collection[str], source: str
) -> None:
    """Refuse a header without a required column, or with a known one misspelt.

    Raises
    ------
    RecordingError
        Names the column, and the near miss where there is one.
    """
    unknown = [name for name in names if name and name not in required and name not in optional]
    for wanted in (*required, *optional):
        if wanted in names:
            continue
        near = _near_miss(wanted, unknown, 0.6 if wanted in required else 0.85)
        if near:
            what = f"there is no column {wanted}, but {shown(near)}"
            raise RecordingError(place(source, 1), what, f"Rename it to {wanted}.")
        if wanted in required:
            found = ", ".join(name for name in names if name)[:200]
            remedy = f"Columns needed: {','.join(required)}; found: {ascii(found)[1:-1]}."
            raise RecordingError(place(source, 1), f"there is no column {wanted}", remedy)


def _near_miss(wanted: str, unknown: Sequence[str], cutoff: float) -> str:
    """Find the unknown name that most likely was meant, or an empty text."""
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(unknown)}
    wanted = wanted.replace("_", "")
    near = [wanted] if wanted in plain else get_close_matches(wanted, plain, 1, cutoff)
    return plain[near[0]] if near else ""


def read_rows(
    text: str, fields: int, source: str, first_line: int
) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and stripped cells of every row, exactly.

    Raises
    ------
    RecordingError
        A row with more or fewer cells than the header, an empty line, a broken quotation.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            where = place(source, first_line - 1 + reader.line_num)
            raise RecordingError(where, str(error), "Mend the quotation marks.") from None
        if row is None:
            return
        line = first_line - 1 + reader.line_num
        if len(row) != fields:
            remedy = "Delete or complete the line."
            if len(row) > fields:
                remedy = "Write numbers with points, not commas, and one sample a line."
            what = f"{len(row)} fields, the header has {fields}" if row else "the line is empty"
            raise RecordingError(place(source, line), what, remedy)
        yield line, [cell.strip(BLANKS) for cell in row]


def read_number(cell: str, where: str) -> float:
    """Read one finite number.

    Raises
    ------
    RecordingError
        Empty, not a decimal number, or too large for one.
    """
    if not NUMBER.fullmatch(cell):
        found = f"{shown(cell)} is not a finite number" if cell else "the cell is empty"
        raise RecordingError(where, found, "Write a decimal number, or delete the line.")
    number = float(cell)
    if not math.isfinite(number):
        raise RecordingError(where, f"{shown(cell)} is too large", "Correct it or delete the line.")
    return number


def parse_exactly(
    text: str, names: Sequence[str], columns: Columns, source: str, first_line: int = 2
) -> Table:
    """Parse rows cell by cell; the first fault is refused with its place.

    Parameters
    ----------
    text : str
        The rows, without the header.
    names : sequence of str
        All columns, in file order.
    columns : Columns
        Those to read; others are passed over.
    source : str
        The file, for messages.
    first_line : int
        The line the rows begin on.
    """
    wanted = {name: names.index(name) for name in columns.numbers}
    gappy = {name: names.index(name) for name in columns.gappy}
    label_at = names.index(columns.label)
    values: dict[str, list[float]] = {name: [] for name in (*wanted, *gappy)}
    labels: list[int] = []
    lines: list[int] = []
    for line, cells in read_rows(text, len(names), source, first_line):
        label = cells[label_at]
        if label not in columns.labels:
            near = get_close_matches(label.lower(), columns.labels, 1)
            known = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(columns.labels)}."
            where = place(source, line, columns.label)
            raise RecordingError(where, f"{shown(label)} is unknown", known)
        labels.append(columns.labels.index(label))
        lines.append(line)
        for name, at in wanted.items():
            values[name].append(read_number(cells[at], place(source, line, name)))
        for name, at in gappy.items():
            empty = cells[at] == "" or cells[at].lower() == "nan"
            number = math.nan if empty else read_number(cells[at], place(source, line, name))
            values[name].append(number)
    numbers = {name: np.array(column, dtype=np.float64) for name, column in values.items()}
    return Table(np.array(labels, dtype=np.int64), numbers, np.array(lines, dtype=np.int64))


def parse_fast(body: bytes, names: Sequence[str], columns: Columns) -> Table | None:
    """Parse rows with pandas; None where only `parse_exactly` can tell what they are.

    Parameters
    ----------
    body : bytes
        The rows, each with its newline, without the header.
    names, columns
        As for `parse_exactly`.
    """
    first = body[: body.index(b"\n")].decode("utf-8")
    try:
        parse_exactly(first, names, columns, "")  # a column of TRUE would pass as numbers
        frame = _read_frame(body, names, columns)
    except (RecordingError, ValueError):
        return None
    labels = frame[columns.label].cat
    numbers = {name: frame[name].to_numpy() for name in (*columns.numbers, *columns.gappy)}
    found = [str(label) for label in labels.categories]
    sound = set(found) <= set(columns.labels)
    sound = sound and all(np.isfinite(numbers[name]).all() for name in columns.numbers)
    if not sound or any(np.isinf(numbers[name]).any() for name in columns.gappy):
        return None
    codes = np.array([columns.labels.index(label) for label in found], dtype=np.int64)
    lines = np.arange(2, 2 + len(frame))
    return Table(codes[labels.codes.to_numpy()], numbers, lines)


def _read_frame(body: bytes, names: Sequence[str], columns: Columns) -> pd.DataFrame:
    """Read the wanted columns with pandas; ValueError where it must not be tried or fails."""
    if b'"' in body or not _even_rows(body, len(names)):
        raise ValueError("rows are uneven or quoted")
    numeric = [*columns.numbers, *columns.gappy]
    frame: pd.DataFrame = pd.read_csv(
        io.BytesIO(body),
        header=None,
        names=list(names),
        usecols=[columns.label, *numeric],
        dtype={columns.label: "category"} | dict.fromkeys(numeric, "float64"),
        index_col=False,
        keep_default_na=False,
        na_values={name: [""] for name in columns.gappy},
        na_filter=bool(columns.gappy),
        quoting=csv.QUOTE_NONE,
        engine="c",
        **TO_THE_LAST_BIT,
    )
    return frame


def _even_rows(body: bytes, fields: int) -> bool:
    """Whether every line has exactly the header's number of fields."""
    separators = body.translate(None, NO_SEPARATORS)
    line = b"," * (fields - 1) + b"\n"
    return separators == line * (len(separators) // fields)

"""Bytes of a foreign table -> columns of numbers: encodings, separators, decimal marks.

Other programs' tables differ in everything but their cells: a byte order mark or UTF-16, lines of
settings before the header, semicolons with decimal commas, a separator too many at a row's end,
the header once more where logging began anew. What is known of a format is told to `read_table`;
then the cells are held to the same rules as a set's own (`imu.formats.csvfile`): pandas where the
shape is beyond doubt, cell by cell where not, and every refusal names line and column.
"""

from __future__ import annotations

import codecs
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imu.errors import RecordingError
from imu.formats.csvfile import (
    BLANKS,
    TO_THE_LAST_BIT,
    place,
    read_number,
    read_rows,
    shown,
)
from imu.samples import Array

MISSING = ("", "nan", "null", "none", "-")
NOT_SEPARATORS = bytes(set(range(256)) - set(b",\n"))
USUAL_LINES = 20


def decode(data: bytes, source: str) -> str:
    r"""Turn bytes into text with ``\n`` at line ends.

    Returns
    -------
    str
        UTF-8 with or without its mark, UTF-16 with its mark; anything else byte by byte as Latin-1,
        which leaves numbers right and at worst a unit's degree sign wrong.

    Raises
    ------
    RecordingError
        Empty, or no text: zero bytes.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    if not text.strip():
        raise RecordingError(source, "the file is empty", "Export it again.")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        remedy = "This is no text, or a file not written to its end; export it again."
        raise RecordingError(place(source, line), "a zero byte", remedy)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows below a header, cells separated by commas, decimals by points.

    Attributes
    ----------
    source : str
        The file, for messages.
    names : tuple of str
        The header's cells, stripped.
    body : str
        The rows, each with its newline.
    first_line : int
        The line of the first row.
    repeated : int
        Headers that stood again among the rows, and were left out.
    cut : int
        1 where the last line was broken off, and left out.
    """

    source: str
    names: tuple[str, ...]
    body: str
    first_line: int
    repeated: int = 0
    cut: int = 0

    def numbers(self, columns: Sequence[str]) -> tuple[Array, NDArray[np.int64]]:
        """Read columns of numbers.

        Returns
        -------
        values : ndarray, shape (n, k)
            NaN where a cell is empty or says so.
        lines : ndarray, shape (n,)
            The line of each row.

        Raises
        ------
        RecordingError
            A row too short or too long, a cell that is no number.
        """
        at = [self.names.index(column) for column in columns]
        values = self._fast(at)
        if values is None:
            return self._exactly(at)
        return values, np.arange(self.first_line, self.first_line + len(values))

    def whole_numbers(self, column: str) -> NDArray[np.int64] | None:
        """Read a column of whole numbers too long for a float; None where one is none."""
        data = self.body.encode("utf-8")
        if b'"' in data or not _even(data, len(self.names)):
            return None
        at = self.names.index(column)
        try:
            frame = pd.read_csv(
                io.BytesIO(data), header=None, usecols=[at], dtype=np.int64, index_col=False,
                na_filter=False, engine="c",
            )  # fmt: skip
        except (ValueError, OverflowError):
            return None
        return frame[at].to_numpy()

    def texts(self, column: str) -> list[str]:
        """Read a column of texts, stripped."""
        at = self.names.index(column)
        if '"' not in self.body:
            return [row.split(",", at + 1)[at].strip(BLANKS) for row in self.body.split("\n")[:-1]]
        rows = read_rows(self.body, len(self.names), self.source, self.first_line)
        return [cells[at] for _, cells in rows]

    def remarks(self) -> tuple[str, ...]:
        """Say what was left out."""
        told = []
        if self.repeated:
            told.append(f"{self.repeated} repeated headers left out")
        if self.cut:
            told.append("the last line was broken off and is left out")
        return tuple(told)

    def _fast(self, at: Sequence[int]) -> Array | None:
        data = self.body.encode("utf-8")
        if b'"' in data or not _even(data, len(self.names)):
            return None
        try:
            frame = pd.read_csv(
                io.BytesIO(data),
                header=None,
                usecols=sorted(set(at)),
                dtype=np.float64,
                index_col=False,
                skipinitialspace=True,
                keep_default_na=False,
                na_values=["", "NaN", "nan"],
                engine="c",
                **TO_THE_LAST_BIT,
            )
        except (ValueError, OverflowError):
            return None
        values = np.column_stack([frame[one].to_numpy() for one in at])
        first = self.body.partition("\n")[0].split(",")
        odd = any(first[one].strip(BLANKS).lower() in ("true", "false") for one in at)
        return None if odd or np.isinf(values).any() else values

    def _exactly(self, at: Sequence[int]) -> tuple[Array, NDArray[np.int64]]:
        values: list[list[float]] = []
        lines: list[int] = []
        for line, cells in read_rows(self.body, len(self.names), self.source, self.first_line):
            row = []
            for one in at:
                where = place(self.source, line, self.names[one])
                missing = cells[one].lower() in MISSING
                row.append(math.nan if missing else read_number(cells[one], where))
            values.append(row)
            lines.append(line)
        return np.array(values, dtype=np.float64).reshape(-1, len(at)), np.array(lines)


def _even(data: bytes, fields: int) -> bool:
    """Whether every line has exactly so many fields."""
    separators = data.translate(None, NOT_SEPARATORS)
    line = b"," * (fields - 1) + b"\n"
    return separators == line * (len(separators) // len(line))


def read_table(
    text: str, source: str, header_line: int, separator: str = ",", decimal: str = "."
) -> Table:
    """Take the table out of a text.

    Parameters
    ----------
    text : str
        The whole file, see `decode`.
    source : str
        The file's name, for messages.
    header_line : int
        The line of the header, from 0.
    separator, decimal : str
        Between cells, and in numbers.

    Raises
    ------
    RecordingError
        There are no rows.
    """
    start = 0
    for _ in range(header_line):
        start = text.index("\n", start) + 1
    head, _, body = text[start:].partition("\n")
    if separator != ",":
        body = (body.replace(",", ".") if decimal == "," else body).replace(separator, ",")
    names = [cell.strip(f'{BLANKS}"') for cell in head.split(separator)]
    while names and not names[-1]:
        names.pop()
    line = head if separator == "," else head.replace(separator, ",")
    body, repeated = _without_repeats(body, line)
    body, cut = _whole_lines(_without_trailing(body, len(names)), len(names))
    if not body:
        raise RecordingError(source, "a header, but no samples", "Export or record it again.")
    return Table(source, tuple(names), body, header_line + 2, repeated, cut)


def _without_repeats(body: str, header: str) -> tuple[str, int]:
    """Take out lines that equal the header, and count them."""
    pattern = re.compile(rf"^{re.escape(header.rstrip())}[ \t,]*(\n|\Z)", re.MULTILINE)
    return pattern.subn("", body) if header.strip() and header.strip() in body else (body, 0)


def _without_trailing(body: str, fields: int) -> str:
    """Take off the separators that rows have at their end beyond the header's cells."""
    first = body.partition("\n")[0]
    cells = first.split(",")
    extra = len(cells) - fields
    if extra <= 0 or any(cell.strip() for cell in cells[fields:]):
        return body
    end = first[len(",".join(cells[:fields])) :]
    return body.replace(f"{end}\n", "\n")


def _whole_lines(body: str, fields: int) -> tuple[str, int]:
    """Drop empty lines at the end and a last line that was broken off."""
    body = body if body.endswith("\n") else body.rstrip(BLANKS)
    if body.endswith("\n") or not body:
        body = body.rstrip("\n \t")
        return (body + "\n" if body else ""), 0
    before, _, last = body.rpartition("\n")
    usual = [_decimals(line) for line in before.rsplit("\n", USUAL_LINES)[-USUAL_LINES:] if line]
    whole = last.count(",") == fields - 1 and _decimals(last) >= min(usual, default=0)
    if whole:
        return body + "\n", 0
    return (before + "\n" if before else ""), 1


def _decimals(line: str) -> int:
    """Length of a line's last cell behind its point."""
    return len(line.rpartition(",")[2].partition(".")[2])


def find_header(text: str, mark: str, source: str, format_name: str) -> int:
    """Find the line that begins with a mark, within the first hundred.

    Raises
    ------
    RecordingError
        There is none.
    """
    for number, line in enumerate(text[:65536].split("\n")[:100]):
        if line.lstrip(f'{BLANKS}"').startswith(mark):
            return number
    what = f"there is no header that begins with {mark}"
    raise RecordingError(source, what, f"Is it a file of {format_name}? Export it again.")


def require(table: Table, columns: Sequence[str], remedy: str) -> None:
    """Refuse a table without a column.

    Raises
    ------
    RecordingError
        Names the column and what is there.
    """
    for column in columns:
        if column not in table.names:
            found = shown(", ".join(table.names))
            what = f"there is no column {shown(column)}; found {found}"
            raise RecordingError(place(table.source, table.first_line - 1), what, remedy)


def separators_of(header: str) -> tuple[str, str]:
    """Tell separator and decimal mark by a header and what follows it: the commonest of three.

    Examples
    --------
    >>> separators_of('"Time (s)";"X (m/s^2)"')
    (';', '.')
    """
    first, _, rest = header.partition("\n")
    separator = max(";\t,", key=first.count)
    rows = rest[:4096]
    decimal = "," if separator != "," and re.search(r"\d,\d", rows) else "."
    return separator, decimal

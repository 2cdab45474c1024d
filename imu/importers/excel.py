"""Old Excel files (``.xls``) -> a text table a sheet; needs ``xlrd``, an extra."""

from __future__ import annotations

import importlib
from typing import Any

from imu.errors import CallError, RecordingError

MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_CELLS = 20_000_000  # a sheet has 65 536 rows


def read_sheets(data: bytes, source: str) -> dict[str, str]:
    """Lay every sheet out as text, cells between semicolons.

    Raises
    ------
    CallError
        ``xlrd`` is not installed.
    RecordingError
        It is no workbook, or one too large.
    """
    try:
        xlrd: Any = importlib.import_module("xlrd")  # loaded for such files only
    except ImportError:
        remedy = "Install it (pip install xlrd), or export CSV from the app."
        raise CallError(f"{source}: Excel files need xlrd. {remedy}") from None
    try:
        book = xlrd.open_workbook(file_contents=data, on_demand=True, logfile=_Nowhere())
        sheets = {name: book.sheet_by_name(name) for name in book.sheet_names()}
    except Exception as error:  # whatever the reader makes of damaged bytes
        what = f"it cannot be read as an Excel file ({type(error).__name__})"
        raise RecordingError(source, what, "Export it again, as CSV.") from None
    if sum(sheet.nrows * sheet.ncols for sheet in sheets.values()) > MAX_CELLS:
        raise RecordingError(source, "too many cells", "Export it as CSV.")
    return {
        name: "".join(
            ";".join(_text(cell) for cell in sheet.row_values(row)) + "\n"
            for row in range(sheet.nrows)
        )
        for name, sheet in sheets.items()
    }


def _text(cell: object) -> str:
    text = repr(cell) if isinstance(cell, float) else str(cell)
    return " ".join(text.replace(";", ",").split())


class _Nowhere:
    """Where the reader's own remarks go."""

    def write(self, text: str) -> None:
        """Take a remark."""
        del text

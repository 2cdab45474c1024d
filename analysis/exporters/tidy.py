"""Repetitions and angles as plain tables, with a data package descriptor that explains them.

The descriptor is a Data Package (specs.frictionlessdata.io, version 1): plain JSON with every
column's name, type, unit and meaning. The meanings are those of the reference.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from analysis.explaining import entries
from analysis.pipeline import Analysis, analyse
from analysis.report.document import rep_row, software
from analysis.report.tables import ANGLE_COLUMNS, CSV_DECIMALS, REP_COLUMNS
from analysis.settings import Settings
from imu.recording import Session
from imu.units import SIDES

WHO = ("subject", "session")
TYPES = {"rep": "integer"} | dict.fromkeys(
    (*WHO, "side", "set", "verdict", "flags", "rom_source"), "string"
)  # all others are numbers
ENUMS = {"side": list(SIDES), "verdict": ["clean", "compensated", "not_counted"]}
UNITS = (("_deg_s", "deg/s"), ("_deg", "deg"), ("_s", "s"))
TEXT_OF_WHO = {
    "subject": "the person's code, from session.json; empty where there is none",
    "session": "name of the session's folder",
}
KEYS = {"reps": ("set", "rep"), "angles": ("set", "time_s")}


def export(session: Session, settings: Settings) -> dict[str, str | bytes]:
    """Make ``reps.csv``, ``angles.csv``, ``datapackage.json``; with fastparquet, Parquet as well.

    Parameters
    ----------
    session : Session
        As read from its folder.
    settings : Settings
        Limits of verdicts and flags.

    Raises
    ------
    RecordingError
        The recording cannot support the answer.
    """
    return tidy_files(analyse(session, settings))


def tidy_files(analysis: Analysis) -> dict[str, str | bytes]:
    """Make the files of a session analysed; see `export`."""
    tables = {"reps": _reps(analysis), "angles": _angles(analysis)}
    contents: dict[str, str | bytes] = {
        f"{name}.csv": table.to_csv(index=False, lineterminator="\n")
        for name, table in tables.items()
    }
    if find_spec("fastparquet"):
        contents |= {f"{name}.parquet": parquet(table) for name, table in tables.items()}
    contents["datapackage.json"] = _descriptor(analysis, tables)
    return contents


def _reps(analysis: Analysis) -> pd.DataFrame:
    rows = [rep_row(rep) for one in analysis.sets for rep in one.reps]
    numbers = [name for name in REP_COLUMNS if name not in TYPES]
    table = pd.DataFrame(rows, columns=list(REP_COLUMNS)).astype(dict.fromkeys(numbers, float))
    return _told_who(analysis, table)


def _angles(analysis: Analysis) -> pd.DataFrame:
    """Lay out every instant of all sets; NaN where not measured."""
    tables = []
    for one in analysis.sets:
        angles = np.column_stack([getattr(one.angles, name) for name in ANGLE_COLUMNS])
        rounded = np.round(angles, CSV_DECIMALS) + 0.0  # no negative zero
        table = pd.DataFrame(rounded, columns=list(ANGLE_COLUMNS))
        table.insert(0, "side", one.side)
        table.insert(1, "set", one.name)
        table["rep"] = one.rep_numbers
        tables.append(table)
    return _told_who(analysis, pd.concat(tables, ignore_index=True))


def _told_who(analysis: Analysis, table: pd.DataFrame) -> pd.DataFrame:
    """Put the person's code and the session in front, so that tables of many can be stacked."""
    table.insert(0, "subject", analysis.info.subject or "")
    table.insert(1, "session", analysis.name)
    return table


def parquet(table: pd.DataFrame) -> bytes:
    """Write a table as Parquet; text as UTF-8.

    Parameters
    ----------
    table : pandas.DataFrame
        Numbers and text.
    """
    from fastparquet import write

    content = _KeptBuffer()
    write("table.parquet", table, open_with=lambda *_: content, write_index=False)
    return content.getvalue()


class _KeptBuffer(io.BytesIO):
    """Bytes that outlive the writer, which closes what it wrote into."""

    def close(self) -> None:
        self.flush()


def _descriptor(analysis: Analysis, tables: Mapping[str, pd.DataFrame]) -> str:
    resources = [_resource(name, list(table.columns)) for name, table in tables.items()]
    document = {
        "profile": "tabular-data-package",
        "name": re.sub(r"[^a-z0-9]+", "-", f"hiprot-{analysis.name}".lower()).strip("-"),
        "title": "Seated hip internal rotation",
        "description": "Angles are 0 at the still moment before a set's first repetition; internal "
        "rotation is positive inward, on both sides. Not a medical device.",
        "sources": [{"title": f"session {analysis.name}, SHA-256 {analysis.sha256}"}],
        "software": software(),
        "resources": resources,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _resource(name: str, columns: list[str]) -> dict[str, Any]:
    told = TEXT_OF_WHO | dict(_meanings(f"{name}.csv"))
    return {
        "name": name,
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {
            "fields": [_field(column, told[column]) for column in columns],
            "missingValues": [""],
            "primaryKey": list(KEYS[name]),
        },
    }


def _field(column: str, meaning: str) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": column,
        "type": TYPES.get(column, "number"),
        "description": meaning,
    }
    unit = next((unit for ending, unit in UNITS if column.endswith(ending)), None)
    if unit and field["type"] == "number":
        field["unit"] = unit
    if column in ENUMS:
        field["constraints"] = {"enum": ENUMS[column]}
    return field


def _meanings(file: str) -> Iterator[tuple[str, str]]:
    """Read what the reference says of each column of a file."""
    folder = files("analysis").joinpath("reference")
    for topic in ("formats", "columns"):
        text = folder.joinpath(f"{topic}.md").read_text(encoding="utf-8")
        for entry in entries(topic, text):
            if f"column of {file}" in entry.columns:
                yield from ((code, entry.columns["meaning"]) for code in entry.codes)

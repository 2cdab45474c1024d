"""The tables once more as Parquet, where fastparquet is installed: typed, small, read by column."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import get_args, get_type_hints

import pandas as pd

from analysis.batch.sessions import session_columns

BLOCK_ROWS = 20_000  # of the CSV at a time
TEXTS = frozenset(
    {"subject", "session", "side", "started", "context", "grade", "codes", "direction",
     "pelvis_axes", "range_verdict"}
)  # fmt: skip
COUNTS = frozenset({"sets", "reps", "counted", "clean", "compensated", "not_counted"})


def repetition_types() -> dict[str, str]:
    """Return the type of each column of ``repetitions.csv``: ``string``, ``int64``, ``double``."""
    from analysis.repetitions.measures import Repetition

    hints = get_type_hints(Repetition)
    found = {"subject": "string", "session": "string"}
    for field in fields(Repetition):
        kinds = (hints[field.name], *get_args(hints[field.name]))
        found[field.name] = "string" if str in kinds else "int64" if int in kinds else "double"
    return found


def session_types() -> dict[str, str]:
    """Return the type of each column of ``sessions.csv``."""
    return {
        name: "string" if name in TEXTS else "int64" if name in COUNTS else "double"
        for name in session_columns()
    }


def write_parquet(table: Path, types: dict[str, str]) -> bool:
    """Write a CSV table as Parquet beside it, block by block; whole or not at all.

    Parameters
    ----------
    table : Path
        The CSV file.
    types : dict of str to str
        Of its columns.

    Returns
    -------
    bool
        Whether fastparquet is there. Where not, an older file of the name is removed: it would tell
        of other sessions.
    """
    target = table.with_suffix(".parquet")
    if find_spec("fastparquet") is None:
        target.unlink(missing_ok=True)
        return False
    from fastparquet import write

    waiting = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        for number, block in enumerate(_blocks(table, types)):
            write(str(waiting), block, append=number > 0, write_index=False, **_told(types))
        waiting.replace(target)
    finally:
        waiting.unlink(missing_ok=True)
    return True


def _blocks(table: Path, types: dict[str, str]) -> Iterator[pd.DataFrame]:
    """Read the table in blocks of rows; one without rows gives one block of none."""
    kinds = {name: _PANDAS[kind] for name, kind in types.items()}
    with pd.read_csv(
        table, dtype=kinds, chunksize=BLOCK_ROWS, keep_default_na=False, na_values=[""]
    ) as blocks:
        yield from blocks


def _told(types: dict[str, str]) -> dict[str, object]:
    """What fastparquet shall not guess: every text is UTF-8, every column may have empty cells."""
    texts = {name: "utf8" for name, kind in types.items() if kind == "string"}
    return {"object_encoding": texts, "has_nulls": True}


_PANDAS = {"string": "object", "int64": "Int64", "double": "float64"}

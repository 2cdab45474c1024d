"""The tables once more as Parquet, where pyarrow is installed: typed, small, read by column."""

from __future__ import annotations

import secrets
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import get_args, get_type_hints

from analysis.batch.sessions import session_columns

BLOCK_BYTES = 2**22  # of the CSV at a time
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
        Whether pyarrow is there. Where not, an older file of the name is removed: it would tell
        of other sessions.
    """
    target = table.with_suffix(".parquet")
    if find_spec("pyarrow") is None:
        target.unlink(missing_ok=True)
        return False
    import pyarrow as pa
    from pyarrow import csv
    from pyarrow.parquet import ParquetWriter

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in types.items()])
    read = csv.ReadOptions(block_size=BLOCK_BYTES)
    parse = csv.ParseOptions(newlines_in_values=True)
    convert = csv.ConvertOptions(column_types=schema, strings_can_be_null=True, null_values=[""])
    waiting = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        with (
            csv.open_csv(table, read, parse, convert) as rows,
            ParquetWriter(waiting, schema) as written,
        ):
            for block in rows:
                written.write_batch(block)
        waiting.replace(target)
    finally:
        waiting.unlink(missing_ok=True)
    return True

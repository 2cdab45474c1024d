"""Records and reports -> the tables of all sessions, row by row, and the page."""

from __future__ import annotations

import csv
import json
from dataclasses import fields
from typing import TextIO

from analysis.batch.cohort import Cohort, cohort_document
from analysis.batch.page import batch_html
from analysis.batch.places import Place
from analysis.batch.records import Order, Record, is_whole, read_record, readable
from analysis.batch.sessions import session_columns
from imu.storage.files import growing_files, make_folder, remove_leftovers

REPETITIONS, SESSIONS, FAILURES = "repetitions.csv", "sessions.csv", "failures.csv"
DOCUMENT, PAGE = "batch.json", "batch.html"
FRONT = ("subject", "session")
NOT_DONE = "it has not been analysed yet. Run the part it belongs to, or the batch without --part."
OUTDATED = "it was analysed by another version or under other limits. Run the batch again."
GONE = "its report was removed or is damaged. Run the batch again."


def collate(order: Order, place: Place) -> Cohort:
    """Write the tables and the page of all sessions, from what has been done.

    Parameters
    ----------
    order : Order
        What was to be done.
    place : Place
        Where the sessions lie; their order is the rows' order.

    Returns
    -------
    Cohort
        All sessions together; one that has not been done is a failure.

    Raises
    ------
    MachineError
        The disk is full, ...; what was there before still is.
    """
    make_folder(order.out, [])
    remove_leftovers(order.out)
    cohort = Cohort()
    names = (REPETITIONS, SESSIONS, FAILURES, DOCUMENT, PAGE)
    with growing_files([order.out / name for name in names]) as files:
        _write_tables(order, place, cohort, *files[:3])
        document = cohort_document(cohort, order)
        files[3].write(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        files[4].write(batch_html(cohort, order))
    return cohort


def _write_tables(
    order: Order, place: Place, cohort: Cohort, reps: TextIO, sessions: TextIO, failures: TextIO
) -> None:
    header = rep_columns()
    rep_rows = csv.writer(reps, lineterminator="\n")
    rep_rows.writerow([*FRONT, *header])
    side_rows = csv.DictWriter(sessions, session_columns(), lineterminator="\n")
    side_rows.writeheader()
    failed = csv.writer(failures, lineterminator="\n")
    failed.writerow(["session", "exit", "message"])
    for name in place.names():
        record = _found(order, name)
        rows = _rep_rows(order, name, header) if record.exit == 0 else []
        if rows is None:
            record, rows = _undone(order, GONE), []
        cohort.add(name, record)
        if record.exit:
            failed.writerow([readable(name), record.exit, record.message])
            continue
        subject = next((row["subject"] for row in record.rows), None)
        rep_rows.writerows([subject, readable(name), *row] for row in rows)
        side_rows.writerows({**row, "session": readable(name)} for row in record.rows)


def rep_columns() -> list[str]:
    """Return the columns of ``reps.csv``."""
    from analysis.repetitions.measures import Repetition

    return [field.name for field in fields(Repetition)]


def _found(order: Order, name: str) -> Record:
    """Read what came of a session; something to run again is a failure."""
    record = read_record(order, name)
    if record is None:
        return _undone(order, NOT_DONE)
    if record.footing != order.footing:
        return _undone(order, OUTDATED)
    return record if is_whole(order, name, record) else _undone(order, GONE)


def _undone(order: Order, message: str) -> Record:
    return Record("", order.footing, False, 1, message)


def _rep_rows(order: Order, name: str, header: list[str]) -> list[list[str]] | None:
    """Read the rows of a session's ``reps.csv``; None where it is not as we wrote it."""
    try:
        with (order.report(name) / "reps.csv").open(encoding="utf-8", newline="") as file:
            found, *rows = csv.reader(file)
    except (OSError, ValueError, csv.Error):
        return None
    whole = found == header and all(len(row) == len(header) for row in rows)
    return rows if whole else None

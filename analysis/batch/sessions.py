"""One session -> its report's files and its record, whatever is wrong with it."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import threading
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from analysis.batch.places import open_place
from analysis.batch.records import (
    Cell,
    Order,
    Record,
    forget,
    is_whole,
    read_record,
    readable,
    write_record,
    write_report,
)
from imu.errors import HiprotError, MachineError, RecordingError
from imu.storage.session import fingerprint, read_session

if TYPE_CHECKING:
    from analysis.pipeline import Analysis

RANGE = "rom_deg"
INFO_COLUMNS = ("started", "context")
STATISTICS = ("mean", "sd")
SIDE_COLUMNS = (
    "grade", "codes", "direction", "pelvis_axes", "sets", "reps", "counted", "clean", "compensated",
    "not_counted",
)  # fmt: skip
RANGE_COLUMNS = (
    "range_difference_deg", "range_difference_low_deg", "range_difference_high_deg",
    "range_verdict",
)  # fmt: skip

_drawing = threading.Lock()  # matplotlib's settings are of the whole process


class Outcome(NamedTuple):
    """What came of a session: exit status and line as of `hiprot report`; whether it was new."""

    exit: int
    message: str = ""
    kept: bool = False


def do_session(order: Order, name: str) -> Outcome:
    """Analyse one session and write its report and record, unless they are there already.

    Parameters
    ----------
    order : Order
        What to do.
    name : str
        The session's, below the root.

    Returns
    -------
    Outcome
        A failure of the session is one, too.

    Raises
    ------
    HiprotError
        Not even the record could be written: the disk is full, a permission is missing.
    """
    try:
        _refuse_other_version(order)
        with open_place(order.root, order.out).opened(name) as folder:
            return _do(order, name, folder)
    except Exception as error:
        return fail(order, name, told(error))


def fail(order: Order, name: str, outcome: Outcome, content: str = "") -> Outcome:
    """Put a failure in the place of a session's report.

    Parameters
    ----------
    order, name
        As in `do_session`.
    outcome : Outcome
        The failure.
    content : str
        The fingerprint of what was read, where the same content can only fail again.

    Raises
    ------
    MachineError
        The record cannot be written.
    """
    forget(order, name)
    write_record(order, name, Record(content, order.footing, False, outcome.exit, outcome.message))
    return outcome


def told(error: BaseException) -> Outcome:
    r"""Say in one line what went wrong, with the exit status that `hiprot report` would have.

    >>> told(RecordingError("left.csv", "no\nsamples", "Record it."))
    Outcome(exit=3, message='left.csv: no samples. Record it.', kept=False)
    """
    match error:
        case HiprotError():
            return Outcome(error.exit_status, _one_line(str(error)))
        case MemoryError():
            return Outcome(1, "the memory is full. Use fewer workers, or split the session.")
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            what = error.strerror or str(error) or type(error).__name__
            return Outcome(1, _one_line(f"{where}{what}. Check the disk and the network."))
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    what = f"internal error, {type(error).__name__}: {error}{place}"
    return Outcome(1, _one_line(f"{what}. This is a defect of hiprot; please report it."))


def warm_up() -> None:
    """Import what every session needs, once a process; keep libraries' remarks to themselves."""
    if not os.environ.get("HIPROT_DEBUG"):
        warnings.simplefilter("ignore")
    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)  # of a home it cannot write to
    importlib.import_module("analysis.report.files")
    gc.collect()
    gc.freeze()  # the collector would walk the libraries over and over: 10 % of a session


def _refuse_other_version(order: Order) -> None:
    own = Order(order.root, order.out, order.settings).version
    if own != order.version:
        what = f"this worker has hiprot {own}, the batch {order.version}"
        raise MachineError(f"{what}. Install the same version on all workers.")


def _do(order: Order, name: str, folder: Path) -> Outcome:
    content = fingerprint(folder)
    record = read_record(order, name)
    if record and record.serves(order, content) and is_whole(order, name, record):
        return Outcome(record.exit, record.message, kept=True)
    try:
        files, rows = _analysed(order, folder)
    except RecordingError as error:
        steady = fingerprint(folder) == content
        message = told(error).message.replace(str(folder), readable(name))
        return fail(order, name, Outcome(3, message), content if steady else "")
    if fingerprint(folder) != content:
        what = "it changed while it was read, so it is being recorded or copied"
        raise RecordingError(readable(name), what, "Call again when that is done.")
    write_report(order, name, files, Record(content, order.footing, order.html, rows=rows))
    return Outcome(0)


def _analysed(order: Order, folder: Path) -> tuple[dict[str, str], tuple[Mapping[str, Cell], ...]]:
    from analysis.pipeline import analyse
    from analysis.report.files import report_files
    from analysis.settings import Settings

    analysis = analyse(read_session(folder), Settings(**order.settings))
    with _drawing:
        return report_files(analysis, order.html), tuple(side_rows(analysis))


def session_columns() -> tuple[str, ...]:
    """Return the columns of ``sessions.csv``."""
    from analysis.compared import MEASURES

    measures = (f"{one.name}_{what}" for one in MEASURES if not one.spread for what in STATISTICS)
    return ("subject", "session", "side", *INFO_COLUMNS, *SIDE_COLUMNS, *measures, *RANGE_COLUMNS)


def side_rows(analysis: Analysis) -> list[Mapping[str, Cell]]:
    """Make the session's rows of ``sessions.csv``, one a side; all but the session's name."""
    from analysis.report.document import plain

    info, rows = analysis.info, []
    for side, one in analysis.summary.sides.items():
        row: dict[str, object] = {"subject": info.subject, "side": side}
        row |= {"started": info.started, "context": info.context}
        row |= {name: getattr(one, name) for name in SIDE_COLUMNS}
        row["codes"] = ";".join(one.codes)  # in its place: the key is there
        for name, measure in one.measures.items():
            row |= {f"{name}_{what}": getattr(measure, what) for what in STATISTICS}
        row |= _range_cells(analysis)
        rows.append(plain(row))
    return rows


def _range_cells(analysis: Analysis) -> dict[str, object]:
    """Give right minus left in range, the same in both rows; nothing where there is one side."""
    found = next((one for one in analysis.comparisons if one.measure == RANGE), None)
    if found is None:
        return dict.fromkeys(RANGE_COLUMNS)
    low, high = found.ci95 or (None, None)
    return dict(zip(RANGE_COLUMNS, (found.difference, low, high, found.verdict), strict=True))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return "".join(one if one.isprintable() else "?" for one in line)

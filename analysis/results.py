"""The analysis for notebooks: a session or its folder in, data frames and a picture of it out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import cached_property
from os import PathLike
from pathlib import Path

import pandas as pd

from analysis import pipeline
from analysis.comparison import Comparison
from analysis.repetitions.measures import Repetition
from analysis.report.document import rep_row
from analysis.report.html import head_html
from analysis.report.tables import ANGLE_COLUMNS, REP_COLUMNS
from analysis.settings import Settings
from analysis.summary import Summary
from imu.recording import Session
from imu.storage.session import read_session

NUMBERS = tuple(field.name for field in fields(Repetition) if "float" in str(field.type))
COMPARISON_COLUMNS = tuple(field.name for field in fields(Comparison))


@dataclass(frozen=True)
class Results:
    """A session analysed, as tables. In a notebook it shows the head of the report.

    Attributes
    ----------
    analysis : analysis.pipeline.Analysis
        Everything found, as values: the sets with their quality, findings, markers, settings.
    reps : pandas.DataFrame
        One row a repetition; columns and units as in ``reps.csv``. Every call gives the same
        table: copy it before changing it.
    angles : pandas.DataFrame
        Every angle [degrees] on an even grid, 50 instants a second; columns as in ``angles.csv``:
        internal rotation is positive inward on both sides, all is 0 at the set's neutral, NaN where
        not measured.
    comparison : pandas.DataFrame
        One row a measure; columns as in `analysis.comparison.Comparison`, differences right minus
        left. Empty for a one-sided session.
    summary : analysis.summary.Summary
        Counts, means and grades by side, the headline, what to work on.
    """

    analysis: pipeline.Analysis

    @cached_property
    def reps(self) -> pd.DataFrame:
        """One row a repetition, as in ``reps.csv``."""
        rows = [rep_row(rep) for one in self.analysis.sets for rep in one.reps]
        table = pd.DataFrame(rows, columns=list(REP_COLUMNS))
        return table.astype(dict.fromkeys(NUMBERS, float))  # a column of None is one of NaN

    @cached_property
    def angles(self) -> pd.DataFrame:
        """Every instant of all sets, as in ``angles.csv``."""
        tables = [
            pd.DataFrame(
                {"side": one.side, "set": one.name}
                | {name: getattr(one.angles, name) for name in ANGLE_COLUMNS}
                | {"rep": one.rep_numbers}
            )
            for one in self.analysis.sets
        ]
        return pd.concat(tables, ignore_index=True)

    @cached_property
    def comparison(self) -> pd.DataFrame:
        """One row a measure compared between the sides."""
        rows = [asdict(one) for one in self.analysis.comparisons]
        return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))

    @property
    def summary(self) -> Summary:
        """Counts, means, grades, the headline, what to work on."""
        return self.analysis.summary

    def __repr__(self) -> str:
        return f"<Results of {self.analysis.name!r}: {self.summary.headline.sentence}>"

    def _repr_html_(self) -> str:
        """Return the head of the report, as notebooks ask for it."""
        return head_html(self.analysis)


def analyse(session: Session | PathLike[str] | str, settings: Settings | None = None) -> Results:
    """Analyse a session: ``import analysis; analysis.analyse("recordings/matched")``.

    Parameters
    ----------
    session : Session, path or str
        A session, or its folder.
    settings : analysis.settings.Settings, optional
        Limits of verdicts and flags; the usual ones without.

    Returns
    -------
    Results
        With the data frames ``reps``, ``angles`` and ``comparison``, and a ``summary``.

    Raises
    ------
    imu.errors.CallError
        There is no such folder.
    imu.errors.RecordingError
        The recording cannot support the answer; says where and why.
    imu.errors.MachineError
        A file cannot be read.

    Examples
    --------
    >>> from imu.simulator.presets import PRESETS
    >>> from imu.simulator import simulate_set
    >>> from imu.recording import Session, SessionInfo
    >>> preset = PRESETS["clean"]
    >>> sets = [
    ...     simulate_set(preset.drill, preset.sensors, side, 1)[0] for side in ("left", "right")
    ... ]
    >>> results = analyse(Session("made-up", SessionInfo(), tuple(sets)))
    >>> results.reps.groupby("side")["rom_deg"].count().to_dict()
    {'left': 8, 'right': 8}
    >>> results.comparison.set_index("measure").loc["rom_deg", "verdict"]
    'matched'
    >>> sorted(results.summary.sides)
    ['left', 'right']
    """
    given = session if isinstance(session, Session) else read_session(Path(session))
    return Results(pipeline.analyse(given, settings or Settings()))

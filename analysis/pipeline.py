"""Session -> Analysis: the stages in order, without I/O."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.angles import HipAngles
from analysis.comparison import Comparison
from analysis.findings import Finding, PlacedMarker
from analysis.measures import Repetition
from analysis.quality import SetQuality
from analysis.settings import Settings
from imu.recording import SessionInfo


@dataclass(frozen=True, slots=True, eq=False)
class SetAnalysis:
    """One set analysed.

    Attributes
    ----------
    name, side : str
        The file's stem and its side.
    angles : HipAngles
        On an even grid of m instants.
    rep_numbers : ndarray of int, shape (m,)
        The repetition each instant belongs to, 0 outside.
    reps : tuple of Repetition
        All repetitions, counted or not.
    quality : SetQuality
        Of the recording and the calibration.
    """

    name: str
    side: str
    angles: HipAngles
    rep_numbers: NDArray[np.int64]
    reps: tuple[Repetition, ...]
    quality: SetQuality


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """A session analysed: all that the report shows.

    Attributes
    ----------
    name : str
        The session folder's name.
    info : SessionInfo
        From ``session.json``.
    sha256 : str
        Of the input files.
    sets : tuple of SetAnalysis
        Left before right.
    comparisons : tuple of Comparison
        In report order; empty for a one-sided session.
    findings : tuple of Finding
        Most important first.
    markers : tuple of PlacedMarker
        In file order.
    settings : Settings
        The limits used.
    """

    name: str
    info: SessionInfo
    sha256: str
    sets: tuple[SetAnalysis, ...]
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]
    markers: tuple[PlacedMarker, ...]
    settings: Settings

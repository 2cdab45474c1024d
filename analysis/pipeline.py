"""Session -> Analysis: every set, then the comparison and what to tell, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.comparison import Comparison, compare
from analysis.contradictions import without_contradictions
from analysis.findings import Finding, PlacedMarker, find_findings, place_markers
from analysis.sets import SetAnalysis, analyse_sets, in_measure
from analysis.settings import Settings
from analysis.skin import SkinShare
from analysis.summary import Summary, summarise
from imu.recording import Session, SessionInfo


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
    summary : Summary
        Counts, means, headline, what to put in front.
    """

    name: str
    info: SessionInfo
    sha256: str
    sets: tuple[SetAnalysis, ...]
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]
    markers: tuple[PlacedMarker, ...]
    settings: Settings
    summary: Summary


def analyse(
    session: Session, settings: Settings, skin: Mapping[str, SkinShare] | None = None
) -> Analysis:
    """Analyse a session.

    Parameters
    ----------
    session : Session
        As read from its folder.
    settings : Settings
        Limits of verdicts and flags.
    skin : Mapping of str to SkinShare, optional
        By side, what the thigh sensor saw of the shank's turn in an earlier session of the same
        person; sets with a thigh sensor alone are made up for it.

    Raises
    ------
    RecordingError
        The recording cannot support the answer; says where and why.
    """
    sets = analyse_sets(session.recordings, settings, session.calibration, session.events, skin)
    source = session.info.source
    compared = in_measure(sets, session.info.modes)
    comparisons = compare(compared, settings, (source.device or "") if source else "")
    markers = place_markers(session.events, sets)
    findings = find_findings(sets, comparisons, markers, session.info, settings)
    of_compared = [one for one in findings if one.set_name in {"", *(s.name for s in compared)}]
    comparisons = without_contradictions(comparisons, of_compared, compared)
    return Analysis(
        name=session.name,
        info=session.info,
        sha256=session.sha256,
        sets=sets,
        comparisons=comparisons,
        findings=findings,
        markers=markers,
        settings=settings,
        summary=summarise(
            sets, comparisons, findings, session.info.planned_reps, session.info.modes
        ),
    )

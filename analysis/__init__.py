"""From two aligned sensor streams to the symmetry report.

The order of the modules is the path of the data; each imports only from those above it:

``errors``, ``reasons``, ``settings``, ``explaining``
    What is refused, what is only held against a recording; the limits of verdicts and flags; the
    reference's tables, looked up.
``motion``
    Samples -> angles: grid, stillness, orientation, heading, segment axes, their errors.
``repetitions``
    Angles -> rows: repetitions, their phases and measures.
``coarse``, ``refining``, ``estimation``
    Streams -> angles, repetitions and errors of a set: the stages so far, in their order.
``integrity``, ``sensor_quality``, ``evidence``, ``skin``, ``quality``
    Is the recording fit for analysis; what skin hides of the turn.
``legs``
    Thigh and shank sensor, each followed for itself, and what they say together.
``sets``
    Recordings -> all of that for the sets of a session.
``intervals``
    Repetitions, which are not independent -> interval of a difference, exact test of shares.
``compared``
    What is compared, and what the repetitions of a side come to in it.
``comparison``
    Left against right: difference, index, interval, verdict.
``advice``, ``words``
    What the drill asks and what to say; codes and figures in words.
``findings``
    What to tell the person, most important first.
``contradictions``
    No ``matched`` beside a fault of one side.
``summary``
    Counts, means, grades, the headline and what to put in front, as values.
``pipeline``
    Session -> analysis, without I/O.
``visits``, ``norms``, ``changes``, ``trend``, ``trend_words``
    Analyses of one person -> what is held against other sessions, the changes, their first lines;
    what other people's hips turn.
``agreement``, ``reliability``
    Repeated measurements of many people -> the error of one's own set-up.
``report``
    The analysis as a page, tables and terminal text.
``live``
    The set followed while it is recorded: angle, phase, count, cues.
``correcting``
    What was mislabelled is put right in a session's folder.
``exporters``
    A session in other people's formats.
``results``
    A session or its folder -> data frames, for notebooks: what `analysis.analyse` gives.
``batch``
    Many sessions: reports, tables and a page of all of them.
``app``
    The session guided in the browser: people, sensors, coaching, report.
``commands``
    The command line.

Segment axes follow the ISB (Wu et al. 2002, J Biomech 35:543): X anterior, Y up (femur: from
knee to hip), Z right. Hip angles are the joint coordinate system's; internal rotation is positive
when the femur turns inward, on both sides. Arrays are in SI units and radians; what people read
is in degrees, and its name says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.results import Results as Results
    from analysis.results import analyse as analyse

__all__ = ["Results", "analyse"]


def __getattr__(name: str) -> Any:
    """Load the analysis when it is first asked for: ``import analysis`` alone costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from analysis import results

    return getattr(results, name)

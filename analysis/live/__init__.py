"""A set followed while it is recorded: what the person is shown, and what they are told.

``turning``
    Single orientations as plain numbers.
``grid``
    Samples as they come -> rows on the live grid.
``pose``
    Rows -> orientations and angles, forward only.
``settling``
    The beginning: stillness, neutral, a first axis.
``lifting``, ``phases``
    Angle so far -> the phase the person is in.
``cues``
    What to tell the person, one thing at a time.
``gathering``
    Batches -> the set so far, to be analysed.
``adopted``
    The report's own analysis of a set so far, to carry on from.
``motion``
    What is shown at one instant: the message.
``tracker``
    All of that together: batches in, messages out.

A caller pushes every batch as it comes and hands on what it gets. Where `Tracker.analysis_due` says
so it copies what has arrived, runs `reanalyse` beside its loop and gives the result to
`Tracker.adopt`; where that refuses, there is too little yet, and all goes on. When the set has
ended, `reanalyse` with ``ended=True`` is what counts: its table is the report's.
"""

"""From two aligned sensor streams to the symmetry report.

The order of the modules is the path of the data; each imports only from those above it:

``errors``, ``reasons``, ``settings``, ``explaining``
    What is refused, what is only held against a recording; the limits of verdicts and flags; the
    reference's tables, looked up.
``motion``
    Samples -> angles: grid, stillness, orientation, heading, segment axes, their errors.
``repetitions``
    Angles -> rows: repetitions, their phases and measures.
``coarse``, ``estimation``
    Streams -> angles, repetitions and errors of a set: the stages so far, in their order.
``integrity``, ``sensor_quality``, ``evidence``, ``quality``
    Is the recording fit for analysis.
``sets``
    Recordings -> all of that for the sets of a session.
``intervals``
    Repetitions, which are not independent -> interval of a difference, exact test of shares.
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
``report``
    The analysis as a page, tables and terminal text.
``batch``
    Many sessions: reports, tables and a page of all of them.
``commands``
    The command line.

Segment axes follow the ISB (Wu et al. 2002, J Biomech 35:543): X anterior, Y up (femur: from
knee to hip), Z right. Hip angles are the joint coordinate system's; internal rotation is positive
when the femur turns inward, on both sides. Arrays are in SI units and radians; what people read
is in degrees, and its name says so.
"""

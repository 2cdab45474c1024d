"""From two aligned sensor streams to the symmetry report.

The order of the modules is the path of the data; each imports only from those above it:

``errors``, ``settings``, ``explaining``
    What is refused; the limits of verdicts and flags; the reference's tables, looked up.
``quaternions``
    The few operations on orientations that are needed.
``plausibility``, ``streams``
    Are units, signs and axes what they claim; both sensors on one even time grid, gaps known.
``stillness``
    When neither sensor moves.
``orientation``
    Streams -> sensor orientations without a magnetometer.
``heading``, ``calibration``
    The drift about the vertical, held; sensor axes -> segment axes, from stillness and movement.
``lean``
    The pelvis' axes from a trunk lean.
``angles``
    Segment orientations -> hip and pelvis angles, signs per side.
``axis``, ``scale``
    The femur's axis told apart from movement in step with the turn; both kinds of sensor agreed.
``repetitions``, ``fidgeting``
    IR angle -> repetitions with their phases; what before and after the set is none.
``uncertainty``
    How far the angles may be off.
``estimation``
    Streams -> angles, repetitions and errors of a set: the stages so far, in their order.
``smoothness``, ``measures``
    Repetition -> row: range, speed, hold, smoothness, pelvis drift, verdict.
``quality``
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
``commands``
    The command line.

Segment axes follow the ISB (Wu et al. 2002, J Biomech 35:543): X anterior, Y up (femur: from
knee to hip), Z right. Hip angles are the joint coordinate system's; internal rotation is positive
when the femur turns inward, on both sides. Arrays are in SI units and radians; what people read
is in degrees, and its name says so.
"""

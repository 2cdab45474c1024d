"""From two aligned sensor streams to the symmetry report.

The order of the modules is the path of the data; each imports only from those above it:

``streams``
    Recording -> both sensors on one even time grid; gaps known.
``orientation``
    Streams -> sensor orientations without a magnetometer.
``calibration``
    Sensor axes -> segment axes, from stillness and the movement itself.
``angles``
    Segment orientations -> hip and pelvis angles, signs per side.
``repetitions``
    IR angle -> repetitions with their phases.
``measures``
    Repetition -> row: range, speed, hold, smoothness, pelvis drift, verdict.
``quality``
    Is the recording fit for analysis.
``comparison``, ``findings``
    Left against right; what to tell the person.
``pipeline``
    All stages in order, without I/O.
``report``
    The analysis as a page, tables and terminal text.
``commands``
    The command line.

Segment axes follow the ISB (Wu et al. 2002, J Biomech 35:543): X anterior, Y up (femur: from
knee to hip), Z right. Hip angles are the joint coordinate system's; internal rotation is positive
when the femur turns inward, on both sides. Arrays are in SI units and radians; what people read
is in degrees, and its name says so.
"""

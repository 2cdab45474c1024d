"""Samples -> angles: what the two sensors say of pelvis and thigh, and how far it may be off.

``quaternions``
    The few operations on orientations that are needed.
``readings``, ``plausibility``, ``grid``
    Are units, signs and axes what they claim; both sensors on one even time grid, gaps known.
``stillness``
    When neither sensor moves.
``orientation``
    Streams -> sensor orientations without a magnetometer.
``heading``, ``calibration``, ``common``
    The drift about the vertical, held; sensor axes -> segment axes, from stillness and movement;
    the heading between the sensors from movements that both made as one body.
``lean``, ``lift``
    The pelvis' axes from a trunk lean; which end of the thigh is the knee, from a lift.
``slips``, ``step``
    A strap that slipped in mid-set, taken out; whether the sensors' times go together.
``angles``
    Segment orientations -> hip and pelvis angles, signs per side.
``axis``, ``scale``
    The femur's axis told apart from movement in step with the turn; both kinds of sensor agreed.
``knee``, ``below``
    What lies between thigh and shank; the femur's axis in the shank, told by the thigh.
``uncertainty``
    How far the angles may be off.
"""

"""A virtual radio in one process: emulated sensors, the air between, and a backend for bleak.

``air``
    bumble's link and controllers, with what they lack.
``sensor``
    An emulator on the air, its clock, its faults, and the truth of every sample.
``backend``
    bleak's scanner and client over bumble, as strict as BlueZ.
``world``
    Sensors around one adapter.
``plain``
    A small sensor of nobody's, with its codec: what a third party's plug-in looks like.
``program``
    The command line in such a world, as a process that can be killed.
"""

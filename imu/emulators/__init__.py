"""The other end of each codec: what a sensor of the family answers and sends; no radio, no clock.

``peripheral``
    `Emulator`, what all have in common.
``movella_dot``, ``movesense``, ``witmotion``, ``metamotion``, ``thingy52``, ``polar``
    The families.
``table``
    All of them, by the name of their codec.

``hiprot record --simulate`` and the tests' virtual radio put the same emulators behind two kinds of
link.
"""

"""Sensors and recordings: from what a device sent to samples in SI units on one clock.

The order of the modules, each importing only from those above it:

``units``, ``errors``
    Factors to SI, column names; the error tree.
``samples``, ``recording``
    One sensor's `Stream`; a `Recording` (one set) and a `Session`.
``frames``, ``dialogues``
    What crosses the radio, and what it is turned into; conversations with a sensor.
``clock``, ``ordering``
    Every sensor's clock mapped onto the host's; rows put into the order they were taken.
``csvfile``, ``setfile``, ``sessionfile``
    Text <-> values, strictly: any CSV table, a set, ``session.json`` and ``events.csv``.
``simulator``
    A seated person with two sensors, and the truth.
``storage``
    A `Session` read from and written to a folder; the first module that opens files.
``codecs``
    Bytes <-> samples, one file a family of sensors.
``emulators``, ``framefile``
    The other end of each codec; kept frames, as text, into samples again.
``journal``
    Files that only grow and survive a kill: a set, its markers, frames, what was refused.
``transports``
    Where frames or samples come from: Bluetooth, emulated sensors, a recording.
``collector``
    Transport, codec and journal together: sensors in range become a recording.

Conventions: time in s, acceleration in m/s² (specific force), angular rate in rad/s, sensor axes
right-handed. ``analysis`` imports ``imu``, never the reverse.
"""

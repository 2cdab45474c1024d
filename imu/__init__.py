"""Sensors and recordings: from what a device sent to samples in SI units on one clock.

The order of the modules, each importing only from those above it:

``units``, ``errors``
    Factors to SI, column names; the error tree.
``samples``, ``recording``
    One sensor's `Stream`; a `Recording` (one set) and a `Session`.
``clock``, ``ordering``
    Every sensor's clock mapped onto the host's; rows put into the order they were taken.
``csvfile``, ``setfile``, ``sessionfile``
    Text <-> values, strictly: any CSV table, a set, ``session.json`` and ``events.csv``.
``simulator``
    A seated person with two sensors, and the truth.
``storage``
    A `Session` read from and written to a folder; the only module that opens files.

Conventions: time in s, acceleration in m/s² (specific force), angular rate in rad/s, sensor axes
right-handed. ``analysis`` imports ``imu``, never the reverse.
"""

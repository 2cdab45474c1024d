"""Sensors and recordings: from what a device sent to samples in SI units on one clock.

The order of the modules, each importing only from those above it:

``units``, ``errors``, ``plugins``
    Factors to SI, column names; the error tree; third parties' parts.
``validation``
    What a person wrote in TOML, made a frozen dataclass: kinds and limits.
``samples``, ``recording``
    One sensor's `Stream`; a `Recording` (one set) and a `Session`.
``frames``
    What crosses the radio, and what it is turned into.
``clock``
    Every sensor's clock mapped onto the host's.
``codecs``
    Bytes <-> samples, one file a family of sensors.
``decoding``
    One sensor's decoder, from its first link to the recording's end.
``formats``
    Text <-> values: sets, ``session.json``, ``events.csv``, kept frames.
``importers``
    Other people's files -> tracks of sensors -> sets.
``simulator``
    A seated person with two sensors, and the truth.
``emulators``, ``storage``
    The other end of each codec; the only place that touches the disk.
``transports``
    Where frames or samples come from: Bluetooth, emulated sensors, a recording.
``collector``
    Transport, codec and journal together: sensors in range become a recording.

Conventions: time in s, acceleration in m/s² (specific force), angular rate in rad/s, sensor axes
right-handed. ``analysis`` imports ``imu``, never the reverse.
"""

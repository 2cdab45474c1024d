"""Bytes <-> samples, one file a family of sensors; no radio, no files, no clock.

``dialogue``
    What is to be written, read and awaited, step by step, without a radio.
``protocol``
    What a family says of itself: `Codec`, `Decoder` and the values they exchange.
``clocks``
    Counters unwrapped, duplicates told.
``counting``
    Times for sensors without a clock: samples counted under their arrivals.
``merging``
    Acceleration and angular rate that come apart, put together.
``movella_dot``, ``movesense``, ``witmotion``, ``metamotion``, ``thingy52``, ``polar``
    The families. None knows another.
``table``
    All families, those of plug-ins included; which one a device belongs to.

A family is added by one file that offers a `Codec` and one line in ``table``; or, by somebody
else, as an entry point of the group ``hiprot.codecs`` whose object is a `Codec`.

Units change here and nowhere else: a `Sample` is in SI units, specific force, sensor axes. What
cannot be decoded becomes a `FrameError` that keeps the bytes; nothing is guessed.
"""

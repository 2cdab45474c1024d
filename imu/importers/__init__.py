"""Other people's files -> tracks of sensors, in SI units, on the clocks that they tell.

``values``
    An `Importer`; what it gives.
``archives``, ``excel``, ``text``, ``times``, ``derived``, ``joining``
    Packed files; cells and headers; clocks; what a filter left; one row a sample.
``sensor_logger``, ``phyphox``
    Phones. One file a format, here and below; they know nothing of each other.
``movella``, ``metabase``, ``witmotion``, ``movesense``, ``mt_manager``, ``shimmer``, ``apdm``
    Sensors.
``mapped``, ``drafting``
    Any plain table, by a mapping; a first draft of one.
``registry``
    All formats, those of plug-ins included; which of them a file is of.
``roles``, ``alignment``, ``splitting``, ``assembly``
    Which track is which segment; one clock for all; sets out of one long recording; all of it.

A format gives what was measured, not more: nothing is resampled but acceleration that was sampled
apart from the angular rate (`imu.importers.joining`), and everything left out is counted in words.
"""

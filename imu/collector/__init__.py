"""Sensors in range become a recording that loses nothing: transport, codec and journal together.

``observer``
    What a person is told meanwhile, as values.
``activity``
    Who is still, who moves; pure.
``tasks``
    Tasks ended for certain.
``discovery``
    Devices looked for, by one scan for all who wait.
``exchange``
    A codec's dialogue carried out on a link.
``choosing``
    Which sensors, and which of them is worn where.
``sensor``
    One sensor's life: found, set up, streaming, lost, silent, back again.
``synchronising``
    Sensors that can put themselves on one common clock.
``settling``
    The time before a set: frames are kept, samples only looked at.
``writing``
    Frames -> samples -> rows on the disk, in the order they came.
``plans``
    What to record, and what became of it.
``recorder``
    A whole set from the first scan to the last row.

Notifications are stamped and queued where they come in, and nothing else. Ten times a second the
queue is emptied: decoded, written, handed on. So a slow disk or display delays, and never drops.
The rows are a pure function of the frames from the set's start on, every sensor with a fresh
decoder: kept frames give the same rows again (`imu.formats.framefile`).
"""

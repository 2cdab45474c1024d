"""Edges to the world: where frames or samples come from.

``hostclock``, ``links``
    The clock of stamps and waits; what a radio offers: scanning, and links that read, write and
    notify.
``diagnosis``
    What is wrong with the machine's Bluetooth and what to do, in one line.
``stale_links``
    Links that a killed program left behind in BlueZ, and who may end them.
``ble``
    The machine's Bluetooth, through bleak; the only module that knows it.
``simulated``
    Emulated sensors worn by the simulator's person, in real time.
``replay``
    A recorded set, at the pace it was recorded or faster.
``lsl``
    Samples offered to others by the Lab Streaming Layer; the only module that knows it.
"""

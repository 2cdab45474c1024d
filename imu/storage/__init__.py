"""The only place that touches the disk.

``files``
    Files read with their hash, and written whole or not at all.
``foreign``
    Other programs' files, folders and archives, with their hashes.
``session``
    A `Session` read from and written to a folder.
``datasets``
    A `Session` read from a Motion-BIDS dataset's folder.
``journal``
    Files that only grow and survive a kill: a set, its markers, frames, what was refused.
"""

"""The analysis as files and text.

The order of the modules, each importing only from those above it:

``document``
    Analysis -> ``report.json``.
``tables``
    Analysis -> ``reps.csv``, ``angles.csv``.
``figures``
    Analysis -> SVG.
``html``
    Analysis -> ``report.html``.
``text``
    Analysis -> what the terminal shows.
``files``
    All four files written, whole or not at all; the only module here that touches a disk.
"""

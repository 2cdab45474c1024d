"""The analysis as files and text.

The order of the modules, each importing only from those above it:

``document``
    Analysis -> ``report.json``.
``tables``
    Analysis -> ``reps.csv``, ``angles.csv``.
``axes``
    Matplotlib's axes with ticks drawn in one go: the same look in half the time.
``curves``, ``svg``
    Repetitions on one scale of 0 to 100 %; matplotlib's drawing as SVG that sits in a page.
``figures``
    Analysis -> SVG.
``html``
    Analysis -> ``report.html``.
``text``
    Analysis -> what the terminal shows.
``files``
    All four files as text by name; nothing here touches a disk.
"""

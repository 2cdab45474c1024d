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
``trend_document``, ``trend_figures``, ``trend_page``
    Trend -> ``trend.json`` and ``trend.csv``, its charts, ``trend.html``.
``reliability_document``, ``reliability_page``
    Reliability -> ``reliability.json`` and ``limits.toml``, ``reliability.html``.
``files``
    All files as text by name; nothing here touches a disk.
"""

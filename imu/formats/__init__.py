"""Text <-> values, strictly and purely; who wrote what is wrong is told with line and column.

``csvfile``
    Any CSV table, as columns of numbers.
``fixedpoint``
    Columns of numbers, as lines of text.
``ordering``
    Rows put into the order they were taken.
``setfile``, ``sessionfile``, ``eventfile``
    A set; ``session.json``; ``events.csv``.
``bidsfile``
    A Motion-BIDS dataset's files into a session.
``xdffile``
    What pyxdf read of an XDF recording into a set.
``framefile``
    Kept frames, as text, into samples again.
"""

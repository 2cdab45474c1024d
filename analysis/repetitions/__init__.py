"""Angles -> rows: repetitions with their phases, told from other movements, and measured.

``detection``, ``smoothness``
    IR angle -> repetitions with their phases; how even a phase's speed is.
``outliers``, ``leftover``
    What before and after the set is no repetition; turning that no repetition explains.
``measures``
    Repetition -> row: range, speed, hold, smoothness, pelvis drift, verdict.
"""

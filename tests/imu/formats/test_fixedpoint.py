"""Numbers written column by column read back as they were, as `%` would have written them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from imu.formats import fixedpoint
from imu.formats.fixedpoint import format_rows

DECIMALS = (6, 7, 0)


@given(
    table=npst.arrays(
        np.float64, st.tuples(st.integers(1, 9), st.just(3)), elements=st.floats(-1e9, 1e9)
    ),
    chunk=st.integers(1, 4),
)
def test_numbers_read_back_within_half_of_the_last_decimal(table, chunk):
    codes = np.arange(len(table)) % 2
    usual, fixedpoint.CHUNK = fixedpoint.CHUNK, chunk
    try:
        text = format_rows(["thigh", "pelvis"], codes, table, DECIMALS)
    finally:
        fixedpoint.CHUNK = usual
    lines = [line.split(",") for line in text.splitlines()]
    assert [line[0] for line in lines] == [["thigh", "pelvis"][code] for code in codes]
    found = np.array([line[1:] for line in lines], dtype=float)
    half = 0.5 * 10.0 ** -np.array(DECIMALS)
    assert (np.abs(found - table) <= half * 1.01 + 1e-15 * np.abs(table)).all()


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=9))
def test_exact_decimals_are_written_as_percent_does(values):
    table = np.array(values, dtype=float)[:, None] / 4.0
    text = format_rows(["a"], np.zeros(len(values), dtype=np.int64), table, [3])
    expected = "".join(f"a,{abs(v) if v == 0 else v:.3f}\n" for v in table[:, 0])
    assert text == expected

"""Columns of numbers -> lines of text with fixed decimals.

Digits are computed for whole columns, at the widest place any number needs, and the places that a
number does not need are left out at the end. Refused: ``%`` of each row, which takes twice as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from imu.samples import Array

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
CHUNK = 65536  # rows at a time; bounds the memory
ZERO, MINUS, POINT, COMMA, NEWLINE = b"0-.,\n"


def format_rows(
    labels: Sequence[str], codes: NDArray[np.int64], table: Array, decimals: Sequence[int]
) -> str:
    r"""Write rows of a label and numbers.

    Parameters
    ----------
    labels : sequence of str
        ASCII.
    codes : ndarray of int, shape (n,)
        Which label begins each row.
    table : ndarray, shape (n, k)
        Finite; below 9e18 once its decimals are moved before the point.
    decimals : sequence of int
        Of each column.

    Examples
    --------
    >>> format_rows(["a", "bc"], np.array([0, 1]), np.array([[-1.25, 10.0], [0.0, 0.5]]), [2, 1])
    'a,-1.25,10.0\nbc,0.00,0.5\n'
    """
    width = max(len(label) for label in labels)
    heads = np.frombuffer(b"".join(label.encode().ljust(width) for label in labels), np.uint8)
    heads = heads.reshape(len(labels), width)
    parts = []
    for start in range(0, len(codes), CHUNK):
        rows = slice(start, start + CHUNK)
        head = heads[codes[rows]]
        blocks = [(head, head != ord(" "))]
        for column, places in enumerate(decimals):
            blocks += _cells(table[rows, column], places)
        end = np.full((len(head), 1), NEWLINE, np.uint8)
        text = np.concatenate([block for block, _ in blocks] + [end], axis=1)
        kept = np.concatenate([mask for _, mask in blocks] + [end == NEWLINE], axis=1)
        parts.append(text[kept].tobytes().decode("ascii"))
    return "".join(parts)


def _cells(values: Array, places: int) -> Iterator[tuple[Bytes, Mask]]:
    """Lay out one column: a comma, a sign, the whole part, a point, the decimals."""
    scaled = np.rint(np.abs(values) * 10.0**places).astype(np.int64)
    negative = (values < 0) & (scaled > 0)
    whole, part = np.divmod(scaled, 10**places)
    mark = np.empty((len(values), 2), np.uint8)
    mark[:] = COMMA, MINUS
    yield mark, np.column_stack([np.ones(len(values), dtype=bool), negative])
    length = len(str(int(whole.max(initial=0))))
    first_needed = np.array([10**place for place in range(length - 1, 0, -1)] + [0])
    yield _digits(whole, length), whole[:, None] >= first_needed
    point = np.full((len(values), 1), POINT, np.uint8)
    yield (
        np.concatenate([point, _digits(part, places)], axis=1),
        np.ones((len(values), places + 1), dtype=bool),
    )


def _digits(numbers: NDArray[np.int64], length: int) -> Bytes:
    """Digits of whole numbers, zeros before them."""
    found = np.empty((len(numbers), length), np.uint8)
    for place in range(length - 1, -1, -1):
        numbers, digit = np.divmod(numbers, 10)
        found[:, place] = digit + ZERO
    return found

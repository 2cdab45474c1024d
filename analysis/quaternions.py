"""Unit quaternions in bulk: arrays (..., 4) in the order w, x, y, z.

scipy's `Rotation` serves everywhere else; the running product of hundreds of thousands of small
rotations is what it lacks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def multiply(a: Array, b: Array) -> Array:
    """Hamilton product a b, broadcast over the leading axes."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def conjugate(q: Array) -> Array:
    """Inverse of unit quaternions."""
    inverse: Array = q * np.array([1.0, -1.0, -1.0, -1.0])
    return inverse


def rotate(q: Array, v: Array) -> Array:
    """Vectors (..., 3) turned by unit quaternions (..., 4).

    >>> import numpy as np
    >>> quarter_about_z = np.array([np.sqrt(0.5), 0, 0, np.sqrt(0.5)])
    >>> rotate(quarter_about_z, np.array([1.0, 0.0, 0.0])).round(12).tolist()
    [0.0, 1.0, 0.0]
    """
    w, u = q[..., :1], q[..., 1:]
    t = 2.0 * np.cross(u, v)
    turned: Array = v + w * t + np.cross(u, t)
    return turned


def from_rotvec(rotvec: Array) -> Array:
    """Unit quaternions of rotation vectors (..., 3) [rad]."""
    angle = np.linalg.norm(rotvec, axis=-1, keepdims=True)
    return np.concatenate([np.cos(0.5 * angle), 0.5 * np.sinc(0.5 * angle / np.pi) * rotvec], -1)


def between(a: Array, b: Array) -> Array:
    """Smallest rotation that takes unit vectors a (..., 3) to b (..., 3).

    Opposite vectors give a half turn about some perpendicular axis.
    """
    w = 1.0 + np.sum(a * b, axis=-1, keepdims=True)
    q = np.concatenate([w, np.cross(a, b)], axis=-1)
    opposite = w[..., 0] < 1e-12
    if np.any(opposite):
        smallest = np.eye(3)[np.argmin(np.abs(a), axis=-1)]
        q[opposite, 0] = 0.0
        q[opposite, 1:] = np.cross(a, smallest)[opposite]
    unit: Array = q / np.linalg.norm(q, axis=-1, keepdims=True)
    return unit


def running_product(steps: Array) -> Array:
    """Products s0, s0 s1, s0 s1 s2, … of n unit quaternions (n, 4).

    Two passes over blocks of about sqrt(n), vectorised across the blocks: O(n) work.
    """
    n = len(steps)
    width = max(int(np.sqrt(n)), 1)
    blocks = -(-n // width)
    padded = np.zeros((blocks * width, 4))
    padded[:, 0] = 1.0
    padded[:n] = steps
    table = padded.reshape(blocks, width, 4)
    for k in range(1, width):
        table[:, k] = multiply(table[:, k - 1], table[:, k])
    offset = np.array([1.0, 0.0, 0.0, 0.0])
    offsets = np.empty((blocks, 4))
    for block in range(blocks):
        offsets[block] = offset
        offset = multiply(offset, table[block, -1])
    product = multiply(offsets[:, None, :], table).reshape(-1, 4)[:n]
    unit: Array = product / np.linalg.norm(product, axis=-1, keepdims=True)
    return unit

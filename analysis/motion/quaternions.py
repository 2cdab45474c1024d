"""Unit quaternions in bulk: arrays (..., 4) in the order w, x, y, z.

scipy's `Rotation` serves everywhere else. What stands here is what measuring showed to be worth
it: for 180 000 orientations (an hour on the grid) a product takes 3 ms against 76 ms by way of
`Rotation`, turning vectors 2.5 against 6 ms, the inverse 0.7 against 4 ms (scipy 1.17, one core);
and `Rotation` has neither a running product nor the smallest rotation between many pairs of
vectors. Rotation vectors become quaternions by scipy: our own were no faster.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]


def multiply(a: Array, b: Array) -> Array:
    """Hamilton product a b, broadcast over the leading axes."""
    aw, ax, ay, az = a[..., 0], a[..., 1], a[..., 2], a[..., 3]
    bw, bx, by, bz = b[..., 0], b[..., 1], b[..., 2], b[..., 3]
    product = np.empty(np.broadcast_shapes(a.shape, b.shape))
    product[..., 0] = aw * bw - ax * bx - ay * by - az * bz
    product[..., 1] = aw * bx + ax * bw + ay * bz - az * by
    product[..., 2] = aw * by - ax * bz + ay * bw + az * bx
    product[..., 3] = aw * bz + ax * by - ay * bx + az * bw
    return product


def conjugate(q: Array) -> Array:
    """Inverse of unit quaternions."""
    inverse: Array = q * np.array([1.0, -1.0, -1.0, -1.0])
    return inverse


def rotate(q: Array, v: Array) -> Array:
    """Vectors (..., 3) turned by unit quaternions (..., 4).

    >>> import numpy as np
    >>> quarter_about_z = np.array([np.sqrt(0.5), 0, 0, np.sqrt(0.5)])
    >>> (rotate(quarter_about_z, np.array([1.0, 0.0, 0.0])).round(12) + 0.0).tolist()
    [0.0, 1.0, 0.0]
    """
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    vx, vy, vz = v[..., 0], v[..., 1], v[..., 2]
    tx = 2.0 * (y * vz - z * vy)
    ty = 2.0 * (z * vx - x * vz)
    tz = 2.0 * (x * vy - y * vx)
    turned = np.empty((*np.broadcast_shapes(q.shape[:-1], v.shape[:-1]), 3))
    turned[..., 0] = vx + w * tx + y * tz - z * ty
    turned[..., 1] = vy + w * ty + z * tx - x * tz
    turned[..., 2] = vz + w * tz + x * ty - y * tx
    return turned


def cross(a: Array, b: Array) -> Array:
    """Cross products of vectors (..., 3); 3 times as fast as `numpy.cross` on rows."""
    product = np.empty(np.broadcast_shapes(a.shape, b.shape))
    product[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    product[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    product[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def from_rotvec(rotvec: Array) -> Array:
    """Unit quaternions of rotation vectors (3,) or (n, 3) [rad]."""
    quat: Array = Rotation.from_rotvec(rotvec).as_quat(scalar_first=True)
    return quat


def between(a: Array, b: Array) -> Array:
    """Smallest rotation that takes unit vectors a (..., 3) to b (..., 3).

    Opposite vectors give a half turn about some perpendicular axis.
    """
    q = np.empty((*np.broadcast_shapes(a.shape, b.shape)[:-1], 4))
    q[..., 0] = 1.0 + np.einsum("...i,...i->...", a, b)
    q[..., 1] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    q[..., 2] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    q[..., 3] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    opposite = q[..., 0] < 1e-12
    if np.any(opposite):
        smallest = np.eye(3)[np.argmin(np.abs(a), axis=-1)]
        q[opposite, 0] = 0.0
        q[opposite, 1:] = np.cross(a, smallest)[opposite]
    unit: Array = q / _length(q)[..., None]
    return unit


def running_product(steps: Array) -> Array:
    """Products s0, s0 s1, s0 s1 s2, … of n unit quaternions (n, 4).

    Blocks of about the cube root of n, vectorised across the blocks, and the same again for what
    the blocks amount to: O(n) work.
    """
    n = len(steps)
    width = max(round(n ** (1.0 / 3.0)), 2)
    blocks = -(-n // width)
    padded = np.zeros((blocks * width, 4))
    padded[:, 0] = 1.0
    padded[:n] = steps
    table = padded.reshape(blocks, width, 4)
    for k in range(1, width):
        table[:, k] = multiply(table[:, k - 1], table[:, k])
    if blocks > 1:
        before = running_product(table[:-1, -1])
        table[1:] = multiply(before[:, None, :], table[1:])
    product = table.reshape(-1, 4)[:n]
    unit: Array = product / _length(product)[:, None]
    return unit


def _length(v: Array) -> Array:
    """Euclidean length along the last axis; an order faster than `numpy.linalg.norm` on rows."""
    length: Array = np.sqrt(np.einsum("...i,...i->...", v, v))
    return length

"""Single orientations as plain numbers: a step of the tracker costs microseconds.

Quaternions are tuples (w, x, y, z), vectors tuples (x, y, z). For so few numbers arrays cost more
than the arithmetic; `analysis.motion.quaternions` has the same in bulk.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

Quat = tuple[float, float, float, float]
Vector = tuple[float, float, float]

IDENTITY: Quat = (1.0, 0.0, 0.0, 0.0)


def quat_of(values: Iterable[float]) -> Quat:
    """Take four numbers for a quaternion."""
    w, x, y, z = (float(value) for value in values)
    return w, x, y, z


def vector_of(values: Iterable[float]) -> Vector:
    """Take three numbers for a vector."""
    x, y, z = (float(value) for value in values)
    return x, y, z


def product(a: Quat, b: Quat) -> Quat:
    """Hamilton product a b.

    >>> product((0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))
    (0.0, 0.0, 0.0, 1.0)
    """
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def inverse(q: Quat) -> Quat:
    """Inverse of a unit quaternion."""
    return q[0], -q[1], -q[2], -q[3]


def turned(q: Quat, v: Vector) -> Vector:
    """Vector turned by a unit quaternion."""
    w, x, y, z = q
    tx = 2.0 * (y * v[2] - z * v[1])
    ty = 2.0 * (z * v[0] - x * v[2])
    tz = 2.0 * (x * v[1] - y * v[0])
    return (
        v[0] + w * tx + y * tz - z * ty,
        v[1] + w * ty + z * tx - x * tz,
        v[2] + w * tz + x * ty - y * tx,
    )


def from_turn(v: Vector) -> Quat:
    """Unit quaternion of a rotation vector [rad]."""
    size = math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])
    share = 0.5 - size * size / 48.0 if size < 1e-4 else math.sin(0.5 * size) / size
    return math.cos(0.5 * size), share * v[0], share * v[1], share * v[2]


def unit(q: Quat) -> Quat:
    """Quaternion of length 1."""
    length = math.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    return q[0] / length, q[1] / length, q[2] / length, q[3] / length


def cross(a: Vector, b: Vector) -> Vector:
    """Cross product."""
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )

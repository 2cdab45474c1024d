from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from analysis.motion.quaternions import (
    between,
    conjugate,
    from_rotvec,
    multiply,
    rotate,
    running_product,
)
from tests.analysis.motions import rotations

TIGHT = 1e-12  # of rounding in a dozen products
vectors = arrays(float, 3, elements=st.floats(-10, 10))


def quat(rotation: Rotation) -> np.ndarray:
    return rotation.as_quat(scalar_first=True)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two quaternions are the same rotation; q and -q are."""
    return bool(np.all(np.abs(np.abs(np.sum(a * b, axis=-1)) - 1.0) < TIGHT))


@given(rotations, rotations)
def test_products_are_those_of_scipy(a, b):
    assert same(multiply(quat(a), quat(b)), quat(a * b))


@given(rotations, vectors)
def test_vectors_turn_as_with_scipy_and_keep_their_length(a, v):
    turned = rotate(quat(a), v)
    np.testing.assert_allclose(turned, a.apply(v), atol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(turned), np.linalg.norm(v), atol=1e-10)


@given(rotations)
def test_the_conjugate_undoes(a):
    assert same(multiply(quat(a), conjugate(quat(a))), np.array([1.0, 0.0, 0.0, 0.0]))


def test_no_turn_and_tiny_turns_are_exact():
    np.testing.assert_array_equal(from_rotvec(np.zeros(3)), [1.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(from_rotvec(np.array([1e-9, 0, 0]))[1], 5e-10, rtol=1e-12)


@given(rotations, rotations)
def test_between_takes_one_direction_to_the_other_the_short_way(a, b):
    u, v = a.apply([0.0, 0.0, 1.0]), b.apply([0.0, 0.0, 1.0])
    q = between(u, v)
    np.testing.assert_allclose(rotate(q, u), v, atol=1e-7)
    angle = 2 * np.arctan2(np.linalg.norm(q[1:]), q[0])
    np.testing.assert_allclose(angle, np.arccos(np.clip(u @ v, -1, 1)), atol=1e-7)


@pytest.mark.parametrize("axis", np.vstack([np.eye(3), -np.eye(3)]).tolist())
def test_between_opposite_directions_is_a_half_turn(axis):
    u = np.array([axis])
    np.testing.assert_allclose(rotate(between(u, -u), u), -u, atol=1e-12)


@given(st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_the_running_product_is_the_loop(count, seed):
    steps = Rotation.from_rotvec(np.random.default_rng(seed).normal(0, 0.5, (count, 3)))
    product, loop = Rotation.identity(), []
    for step in steps:
        product = product * step
        loop.append(quat(product))
    assert same(running_product(quat(steps)), np.array(loop))


def test_a_long_running_product_of_one_step_is_that_many_steps():
    count, step = 100_000, np.array([0.0, 0.0, 1e-3])
    product = running_product(np.broadcast_to(from_rotvec(step), (count, 4)))
    np.testing.assert_allclose(np.linalg.norm(product, axis=1), 1.0, atol=TIGHT)
    # rounding of 1e5 products, each 1e-16, adds up to far below a millionth of a degree
    expected = quat(Rotation.from_rotvec(count * step))
    assert abs(abs(product[-1] @ expected) - 1.0) < 1e-10

"""Simulated sets as fixtures."""

from __future__ import annotations

import pytest

from tests.analysis.simulated import simulated
from tests.conditions import Case


@pytest.fixture(scope="session")
def left() -> Case:
    """A plain set of the left side by consumer sensors."""
    return simulated("consumer60", "left", 3)


@pytest.fixture(scope="session")
def right() -> Case:
    """A set of the right side in which the pelvis goes along."""
    return simulated("compensating", "right", 4)

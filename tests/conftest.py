"""What all tests share: how foreign input is drawn, what comes first, tracebacks of defects."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

collect_ignore = ["analysis/exporters/opensim_ik.py"]  # a script; needs OpenSim
WAITING = Path(__file__).parent / "live"

settings.register_profile("hiprot", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("hiprot")

# The command line tells a defect of ours to users in one line; to tests it shows the traceback.
os.environ["HIPROT_DEBUG"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests that run in real time last: they mostly wait, and need a core when they do not.

    Behind them those that fill a core, one after the other.
    """

    def late(item: pytest.Item) -> int:
        busy = item.get_closest_marker("xdist_group") is not None
        return (WAITING in item.path.parents) + busy

    items.sort(key=late)

"""No program outlives its test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.program import Program


@pytest.fixture(autouse=True)
def _all_ended() -> Iterator[None]:
    yield
    for one in list(Program.running):
        one.close()

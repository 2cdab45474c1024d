"""One session analysed once for all exporters."""

from __future__ import annotations

import pytest

from analysis.results import Results, analyse
from imu.recording import Session, SessionInfo
from tests.conditions import Case


@pytest.fixture(scope="session")
def session(left: Case, right: Case) -> Session:
    return Session("Visit 1", SessionInfo("P01"), (left.recording, right.recording))


@pytest.fixture(scope="session")
def results(session: Session) -> Results:
    return analyse(session)

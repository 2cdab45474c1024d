"""A small study: people and their sessions."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace

import pytest

from analysis.batch import sessions
from analysis.batch.records import Order
from analysis.settings import Settings
from imu.simulator.files import session_files
from imu.simulator.presets import PRESETS
from imu.simulator.sessions import SessionSettings, simulate_session
from imu.storage.files import write_files
from imu.storage.session import fingerprint
from tests.analysis.batch.study import DAMAGED


@pytest.fixture(scope="session")
def session(tmp_path_factory):
    """One session of both sides, three repetitions each."""
    folder = tmp_path_factory.mktemp("made") / "S1"
    preset = PRESETS["consumer60"]
    drill = replace(preset.drill, reps=3)
    settings = SessionSettings({"left": drill, "right": drill}, preset.sensors, seed=5)
    files = session_files(simulate_session("S1", settings), 100)
    kept = {name: text for name, text in files.items() if not name.startswith("truth")}
    write_files({folder / name: text for name, text in kept.items()})
    return folder


@pytest.fixture
def study(session, tmp_path):
    """Two people: a session of both sides and one of one; a damaged one; things that are none."""
    root = tmp_path / "study"
    shutil.copytree(session, root / "P01" / "S1")
    (root / "P01" / "S2").mkdir()
    shutil.copy(session / "right.csv", root / "P01" / "S2" / "right.csv")
    (root / "P02" / "S1").mkdir(parents=True)
    (root / "P02" / "S1" / "left.csv").write_text(DAMAGED)
    (root / "P02" / "letters").mkdir()
    (root / "P02" / "letters" / "note.txt").write_text("no session")
    return root


@pytest.fixture
def order(study, tmp_path):
    return Order(str(study), tmp_path / "out", asdict(Settings()), html=False)


@pytest.fixture(scope="session")
def known():
    """Analyses by what went into them."""
    return {}


@pytest.fixture
def quick(monkeypatch, known):
    """Analyse the same content once in all tests: what is done with it is of interest."""
    analysed = sessions._analysed

    def found(order, folder):
        read = sessions.read_session  # replaced by some tests
        key = (order.footing, order.html, fingerprint(folder), folder.name, read)
        if key not in known:
            known[key] = analysed(order, folder)
        return known[key]

    monkeypatch.setattr(sessions, "_analysed", found)

"""`hiprot record`: what does not go together is refused before anybody sits down."""

from __future__ import annotations

import asyncio

import pytest
from click.testing import CliRunner

from analysis.commands import hiprot
from analysis.commands.record import _fitness
from analysis.commands.watching import LIFT, guide_lift, lean_words
from analysis.motion.lean import study_lean
from analysis.sets import analyse_set, fitness
from analysis.settings import Settings
from imu.errors import CallError
from imu.formats.setfile import format_set
from imu.simulator import DrillSettings, SensorSettings, simulate_set
from imu.simulator.faults import exchanged
from imu.simulator.sessions import simulate_lean


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--side is missing"),
        (("--lean", "--side", "left"), "--side does not go with --lean"),
        (("--lean", "--reps", "3"), "--reps does not go with --lean"),
        (("--lean", "--lift"), "--lift does not go with --lean"),
        (("--lean", "--keep-frames"), "--keep-frames does not go with --lean"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, options, message):
    call = ["record", str(tmp_path / "s"), "--simulate", *options]
    with pytest.raises(CallError, match=message):
        CliRunner().invoke(hiprot, call, catch_exceptions=False)
    assert not (tmp_path / "s").exists()


def test_a_lean_that_is_there_is_not_recorded_over(tmp_path):
    (tmp_path / "calibration.csv").write_text("mine")
    call = ["record", str(tmp_path), "--simulate", "--lean"]
    with pytest.raises(CallError, match="the lean is recorded already"):
        CliRunner().invoke(hiprot, call, catch_exceptions=False)
    assert (tmp_path / "calibration.csv").read_text() == "mine"


@pytest.mark.parametrize("seed", range(4))
def test_leans_are_counted_as_they_come(seed):
    lean = simulate_lean(DrillSettings(), SensorSettings(rate_hz=60.0), "left", seed)
    found = study_lean(lean)
    assert (found.leans, found.upright_at_end) == (3, True)
    assert found.off_deg < 10.0
    assert lean_words(found) == f"The sensor faces backward, {found.off_deg:.0f}° off."


def test_the_lift_is_asked_for_once_its_marker_stands():
    order: list[str] = []
    tries = iter([False, False, True])

    def mark() -> bool:
        order.append("try")
        return next(tries)

    asyncio.run(guide_lift(mark, order.append, lambda: order.append("told")))
    assert order == ["try", "try", "try", "told", LIFT]


def test_whether_a_set_is_fit_is_one_line_with_the_remedy():
    recording, _ = simulate_set(DrillSettings(reps=3), SensorSettings(rate_hz=60.0), "left", 4)
    assert fitness(analyse_set(recording, Settings())) == "Fit: 3 repetitions, data good."
    said = fitness(analyse_set(exchanged(recording), Settings()))
    assert said.startswith("Poor: 3 repetitions; the pelvis sensor turned by ")
    assert said.endswith("they are exchanged; hiprot correct --swap-sensors mends it.")


def test_a_damaged_older_set_is_not_held_against_the_new_one(tmp_path):
    recording, _ = simulate_set(DrillSettings(reps=3), SensorSettings(rate_hz=60.0), "left", 4)
    (tmp_path / "left.csv").write_text("damaged")
    (tmp_path / "left-2.csv").write_text(format_set(recording))
    assert _fitness(tmp_path, "left-2", None) == "Fit: 3 repetitions, data good."
    assert _fitness(tmp_path, "left", None).startswith("Not fit: left.csv, line 1: ")


def test_a_defect_of_the_analysis_does_not_hide_what_became_of_a_set(tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        raise ValueError("a defect")

    recording, _ = simulate_set(DrillSettings(reps=3), SensorSettings(rate_hz=60.0), "left", 4)
    (tmp_path / "left.csv").write_text(format_set(recording))
    monkeypatch.setattr("analysis.sets.analyse_sets", broken)
    said = _fitness(tmp_path, "left", None)
    assert said == "Whether it is fit cannot be told (ValueError: a defect)."

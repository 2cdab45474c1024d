"""`hiprot correct`: labels put right, samples untouched, and taken back again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analysis.commands import hiprot
from analysis.pipeline import analyse
from analysis.settings import Settings
from imu.errors import CallError
from imu.formats.setfile import format_set
from imu.recording import Session, SessionInfo
from imu.simulator import DrillSettings, SensorSettings, simulate_set
from imu.simulator.faults import exchanged
from imu.storage.session import read_session, write_session

DRILL = DrillSettings(reps=3)
SENSORS = SensorSettings(rate_hz=60.0)


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("visit") / "session"
    recordings = tuple(simulate_set(DRILL, SENSORS, side, 4)[0] for side in ("left", "right"))
    write_session(folder, Session("session", SessionInfo(subject="P1"), recordings))
    return folder


@pytest.fixture
def session(original, tmp_path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "session"))


def run(*call: object) -> Result:
    result = CliRunner().invoke(hiprot, [str(part) for part in call])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def files(session: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in session.iterdir()}


def test_a_side_is_corrected_for_every_reader_and_taken_back(session):
    before = files(session)
    said = run("correct", session, "left", "--side", "right", "--why", "mixed up").output
    assert said == "left: it was the right leg.\n"
    assert [one.side for one in read_session(session).recordings] == ["right", "right"]
    changed = {name for name, data in files(session).items() if before.get(name) != data}
    assert changed == {"session.json"}
    document = json.loads((session / "session.json").read_text())
    assert document["subject"] == "P1"
    assert document["corrections"] == {"left": {"side": "right", "why": "mixed up"}}
    run("correct", session, "left", "--undo")
    assert [one.side for one in read_session(session).recordings] == ["left", "right"]
    assert "corrections" not in json.loads((session / "session.json").read_text())


def test_exchanged_sensors_are_mended(session):
    left, _ = simulate_set(DRILL, SENSORS, "left", 4)
    (session / "left.csv").write_text(format_set(exchanged(left)))
    spoilt = analyse(read_session(session), Settings()).sets[0]
    assert spoilt.quality.codes[0] == "sensors_swapped"
    run("correct", session, "left", "--swap-sensors", "--why", "the straps were exchanged")
    mended = analyse(read_session(session), Settings()).sets[0]
    assert (mended.quality.grade, mended.quality.codes) == ("good", ())
    assert len(mended.reps) == DRILL.reps


def test_corrections_of_one_set_add_up_and_are_taken_back_one_by_one(session):
    run("correct", session, "left", "--side", "right", "--why", "a")
    run("correct", session, "left", "--swap-sensors", "--why", "b")
    correction = read_session(session).info.corrections["left"]
    assert (correction.side, correction.swap_sensors, correction.why) == ("right", True, "b")
    run("correct", session, "left", "--undo", "--swap-sensors")
    correction = read_session(session).info.corrections["left"]
    assert (correction.side, correction.swap_sensors) == ("right", False)


def test_an_excluded_repetition_is_not_counted_until_it_is_taken_back(session):
    before = analyse(read_session(session), Settings()).sets[1]
    run("correct", session, "right", "--exclude", "2", "--why", "the phone rang, twice")
    (event,) = read_session(session).events
    assert (event.kind, event.text) == ("exclude", "the phone rang, twice")
    after = analyse(read_session(session), Settings()).sets[1]
    assert [one.verdict for one in after.reps] == ["clean", "not_counted", "clean"]
    assert after.reps[1].flags[0] == "excluded"
    assert [one.rom_deg for one in after.reps] == [one.rom_deg for one in before.reps]
    run("correct", session, "right", "--undo", "--exclude", "2")
    assert read_session(session).events == ()


def test_other_markers_and_unknown_columns_stay(session):
    rows = 'set,time_s,kind,score,text,by\nright,3,pain,4,"deep, in front",A\nright,4,odd,,,B\n'
    (session / "events.csv").write_text(rows)
    run("correct", session, "right", "--exclude", "1", "--why", "no")
    run("correct", session, "right", "--undo")
    assert (session / "events.csv").read_text() == rows


def test_markers_of_kinds_unknown_to_us_are_kept(session):
    (session / "events.csv").write_text("set,time_s,kind,score,text\nright,3,sneeze,,\n")
    assert [one.kind for one in read_session(session).events] == ["sneeze"]
    assert len(analyse(read_session(session), Settings()).sets) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (("middle", "--side", "left", "--why", "x"), "there is no set 'middle'"),
        (("left", "--side", "right"), "--why is missing"),
        (("left", "--why", "x"), "nothing is corrected"),
        (("left", "--exclude", "9", "--why", "x"), "there is no repetition 9. It has 3."),
        (("left", "--undo"), "nothing of that was corrected"),
    ],
)
def test_a_wrong_call_changes_nothing(session, call, message):
    before = files(session)
    with pytest.raises(CallError, match=message):
        run("correct", session, *call)
    assert files(session) == before

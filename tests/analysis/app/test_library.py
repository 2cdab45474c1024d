"""The folder is the database: nothing beside it, and no way out of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.app.library import Library, checked_name
from analysis.app.sessions import put_session_right, session_state
from analysis.settings import Settings
from imu.errors import CallError, RecordingError

SAMPLE = Path(__file__).parents[3] / "recordings" / "stiff-left"


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "hip", Settings())


@pytest.fixture
def with_sample(library):
    library.add_person("P01")
    shutil.copytree(
        SAMPLE, library.folder / "P01" / "visit", ignore=shutil.ignore_patterns("report")
    )
    return library


def test_people_come_and_go_with_their_folders(library):
    assert library.people() == {"people": [], "broken": []}
    assert library.add_person(" P01 ") == "P01"
    library.add_session("P01", "before")
    (one,) = library.people()["people"]
    assert (one["name"], one["sessions"]) == ("P01", 1)
    assert library.person("P01")["sessions"][0]["context"] == "before"
    shutil.rmtree(library.folder / "P01")
    assert library.people()["people"] == []


def test_two_sessions_of_one_minute_are_two_folders(library):
    library.add_person("P01")
    names = {library.add_session("P01") for _ in range(3)}
    assert len(names) == 3


def test_a_code_is_given_once(library):
    library.add_person("P01")
    with pytest.raises(CallError, match="there already"):
        library.add_person("p01")


@pytest.mark.parametrize(
    "name", ["", "..", ".", ".hidden", "a/b", "a\\b", "CON", "nul.txt", "a.", "x" * 80, "<b>"]
)
def test_names_that_are_paths_or_nothing_are_refused(name):
    with pytest.raises(CallError):
        checked_name(name)


@given(st.text(max_size=70))
def test_a_checked_name_is_one_part_of_a_path(name):
    try:
        checked = checked_name(name)
    except CallError:
        return
    assert Path(checked).name == checked
    assert not set(checked) & set('/\\:*?"<>|\0')


@pytest.mark.parametrize("session", ["..", "../P02", "/etc", "visit/..", "report", ""])
def test_no_path_leads_out(with_sample, session):
    with pytest.raises(CallError, match="there is no session"):
        with_sample.session_folder("P01", session)


def test_a_link_is_no_session(with_sample, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (with_sample.folder / "P01" / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CallError):
        with_sample.session_folder("P01", "link")


def test_what_other_programs_put_there_appears_with_its_report(with_sample):
    (before,) = with_sample.person("P01")["sessions"]
    assert before["sides"] == ["left", "right"]
    assert before["headline"] is None  # it is not analysed yet
    page = with_sample.report(with_sample.folder / "P01" / "visit")
    assert "<!doctype html>" in page.lower()
    (after,) = with_sample.person("P01")["sessions"]
    assert after["headline"].endswith("different")
    assert after["grade"] == "good"


def test_a_broken_session_is_listed_with_its_reason(with_sample):
    (with_sample.folder / "P01" / "visit" / "session.json").write_text("{")
    (one,) = with_sample.people()["broken"]
    assert one["path"] == "P01/visit"
    assert "session.json" in one["why"]


def test_a_session_tells_what_is_done_and_aims_at_the_other_side(with_sample):
    state = session_state(with_sample, "P01", "visit")
    assert [one["name"] for one in state["sets"]] == ["left", "right"]
    means = {
        one["side"]: sum(rep["rom_deg"] for rep in one["reps"]) / len(one["reps"])
        for one in state["sets"]
    }
    assert state["targets"]["left"] == pytest.approx(means["right"], abs=0.5)
    assert len(state["notes"]) == 6


def test_a_correction_is_that_of_the_command_and_can_be_taken_back(with_sample):
    folder = with_sample.folder / "P01" / "visit"
    samples = (folder / "left.csv").read_bytes()
    put_session_right(with_sample, {"set": "left", "why": "talked"}, 2, "P01", "visit")
    left, _ = session_state(with_sample, "P01", "visit")["sets"]
    assert [one["rep"] for one in left["reps"] if one["excluded"]] == [2]
    put_session_right(with_sample, {"set": "left", "undo": True}, None, "P01", "visit")
    left, _ = session_state(with_sample, "P01", "visit")["sets"]
    assert not any(one["excluded"] for one in left["reps"])
    assert (folder / "left.csv").read_bytes() == samples


def test_a_correction_needs_its_reason(with_sample):
    with pytest.raises(CallError, match="why"):
        put_session_right(with_sample, {"set": "left", "why": " "}, 2, "P01", "visit")


def test_a_report_is_drawn_again_when_a_file_has_changed(with_sample):
    folder = with_sample.folder / "P01" / "visit"
    first = with_sample.report(folder)
    assert with_sample.report(folder) == first
    put_session_right(with_sample, {"set": "left", "why": "talked"}, 2, "P01", "visit")
    assert with_sample.report(folder) != first


def test_a_damaged_set_is_refused_by_its_report(with_sample):
    (with_sample.folder / "P01" / "visit" / "left.csv").write_text("nonsense\n")
    with pytest.raises(RecordingError, match=r"left\.csv"):
        with_sample.report(with_sample.folder / "P01" / "visit")
    assert "left.csv" in session_state(with_sample, "P01", "visit")["broken"]

"""Every session below a root is named once, in order, and belongs to one part."""

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.batch.places import Part, open_place
from analysis.batch.sessions import do_session
from imu.errors import CallError
from tests.analysis.batch.study import DAMAGED, contents

NAMES = ["P01/S1", "P01/S2", "P02/S1"]


def names(root, out):
    return list(open_place(str(root), out).names())


def make(folder, file="left.csv"):
    folder.mkdir(parents=True)
    (folder / file).write_text(DAMAGED)


def test_sessions_are_named_by_their_path_in_order(study, tmp_path):
    assert names(study, tmp_path / "out") == NAMES


def test_what_was_meant_as_a_session_is_one(study, tmp_path):
    make(study / "P03", "Left (1).csv")
    make(study / "P04", "session.json")
    make(study / "P05", "right-2.csv.gz")
    assert names(study, tmp_path / "out")[3:] == ["P03", "P04", "P05"]


def test_the_root_may_be_a_session_and_hold_others(tmp_path):
    make(tmp_path / "S")
    make(tmp_path / "S" / "again")
    assert names(tmp_path / "S", tmp_path / "out") == [".", "again"]


def test_what_is_hidden_or_written_by_a_batch_is_passed_over(study):
    make(study / ".trash" / "S9")
    make(study / "out" / "S9")
    assert names(study, study / "out") == NAMES


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_lead_to_each_session_once(study, tmp_path):
    make(tmp_path / "elsewhere" / "S1")
    (tmp_path / "elsewhere" / "back").symlink_to(study)
    (study / "P01" / "loop").symlink_to(study)
    (study / "P01" / "again").symlink_to(study / "P02")
    (study / "P09").symlink_to(tmp_path / "elsewhere")
    assert names(study, tmp_path / "out") == [*NAMES, "P09/S1"]


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="nothing is unreadable for this user"
)
def test_a_folder_that_cannot_be_listed_is_told(study, order):
    (study / "P02").chmod(0)
    try:
        assert names(study, order.out) == [*NAMES[:2], "P02"]
        outcome = do_session(order, "P02")
    finally:
        (study / "P02").chmod(0o700)
    assert outcome.exit == 1
    assert "Permission denied" in outcome.message


@pytest.mark.parametrize("protocol", ["local", "memory"])
def test_an_address_holds_the_same_sessions(study, tmp_path, protocol):
    fsspec = pytest.importorskip("fsspec", reason="an extra")
    files = fsspec.filesystem(protocol)
    root = str(study) if protocol == "local" else f"/{tmp_path.name}"
    if protocol == "memory":
        files.put(str(study), root, recursive=True)
    address = f"file://{root}" if protocol == "local" else f"memory:/{root}"
    place = open_place(address, tmp_path / "out")
    assert list(place.names()) == NAMES
    for name in NAMES:
        with place.opened(name) as folder:
            assert folder.name == "S1" or folder.name == name[-2:]
            copied = contents(folder)
        assert copied == contents(study / name)
        assert not folder.exists()


@pytest.mark.parametrize(
    ("root", "told"),
    [
        ("there/is/none", "no such folder"),
        ("nonsense://bucket", "not understood"),
        ("memory://there/is/none", "no such folder"),
    ],
)
def test_a_wrong_root_is_refused(root, told, tmp_path):
    if "://" in root:
        pytest.importorskip("fsspec", reason="an extra")
    with pytest.raises(CallError, match=told):
        open_place(root, tmp_path)


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/2", "1/0", "-1/2", "1/2/3", "1.0/2"])
def test_a_wrong_part_is_refused(text):
    with pytest.raises(CallError, match="--part"):
        Part.parse(text)


@given(st.lists(st.text()), st.integers(1, 9))
def test_every_session_belongs_to_one_part(found, of):
    parts = [Part.parse(f"{number}/{of}") for number in range(1, of + 1)]
    assert [sum(part.holds(name) for part in parts) for name in found] == [1] * len(found)


def test_parts_are_of_about_one_size():
    part = Part(2, 4)
    held = sum(part.holds(f"P{i:04}/S1") for i in range(4000))
    assert 900 < held < 1100

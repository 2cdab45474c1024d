from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imu.transports.stale_links import DEVICE, LinkNotes, _linked

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="BlueZ is Linux's")

ROOT = Path(__file__).parents[3]
A, B, C = "D4:22:CD:00:00:01", "D4:22:CD:00:00:02", "D4:22:CD:00:00:03"
HOLD = """
import sys, time
from pathlib import Path
from imu.transports.stale_links import LinkNotes
notes = LinkNotes(Path(sys.argv[1]))
for address in sys.argv[2:]:
    notes.add(address)
notes.remove(sys.argv[-1])
print("noted", flush=True)
time.sleep(60)
"""


def holder(folder, *addresses):
    """A program that is linked to all but the last of these addresses."""
    program = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), *addresses],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout.readline() == "noted\n"
    return program


def end(program):
    program.kill()
    program.wait()
    program.stdout.close()


def test_a_killed_programs_links_are_left_and_a_living_ones_are_not(tmp_path):
    folder = tmp_path / "links"
    killed, alive = holder(folder, A, B, "x"), holder(folder, C, "x")
    try:
        assert LinkNotes(folder).take_left() == set()
        end(killed)
        assert LinkNotes(folder).take_left() == {A, B}
        assert LinkNotes(folder).take_left() == set()
    finally:
        end(killed)
        end(alive)
    assert LinkNotes(folder).take_left() == {C}


def test_ones_own_links_are_not_left(tmp_path):
    notes = LinkNotes(tmp_path / "links")
    notes.add(A.lower())
    assert notes.take_left() == set()
    (note,) = (tmp_path / "links").iterdir()
    assert note.read_text() == f"{A}\n"
    notes.remove(A)
    assert note.read_text() == ""


def test_a_folder_of_somebody_else_is_not_used(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "note").write_text(f"{A}\n")
    (tmp_path / "links").symlink_to(tmp_path / "elsewhere")
    notes = LinkNotes(tmp_path / "links")
    notes.add(B)
    assert notes.take_left() == set()
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["note"]


def test_damaged_notes_do_no_harm(tmp_path):
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "links" / "folder").mkdir()
    (tmp_path / "links" / "good").write_text(f"{A}\n")
    assert LinkNotes(tmp_path / "links").take_left() == {A}


def test_only_wanted_devices_that_are_linked_are_chosen():
    class Value:
        def __init__(self, value):
            self.value = value

    def device(address, linked):
        return {DEVICE: {"Address": Value(address), "Connected": Value(linked)}}

    objects = {
        "/hci0": {"org.bluez.Adapter1": {}},
        "/hci0/a": device(A, True),
        "/hci0/b": device(B.lower(), True),
        "/hci0/c": device(C, False),
    }
    assert _linked(objects, {B, C}) == ["/hci0/b"]

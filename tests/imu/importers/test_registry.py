"""Formats are found by content; a third party's is used like ours, a broken one is skipped."""

from __future__ import annotations

import re
import sys
import types
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from imu.errors import RecordingError
from imu.importers.registry import HEAD, find_importer, load_importers
from imu.importers.values import Importer, Recordings, Signal, Track
from tests.imu.importers.test_mutated import TEXT, original
from tests.imu.importers.writers import EACH, TOGETHER


def parse(files, spread):
    del files, spread
    signal = Signal(np.arange(3.0), np.zeros((3, 3)))
    return Recordings("mine", (Track("one", signal, signal),))


def sniff(name, head):
    del name
    return head.startswith(b"MINE")


def fail(name, head):
    raise ZeroDivisionError(name, head)


MINE = Importer("mine", sniff, parse, "my own files")


def plugins(**objects: object) -> list[EntryPoint]:
    sys.modules["some_plugin"] = types.ModuleType("some_plugin")
    for name, value in objects.items():
        setattr(sys.modules["some_plugin"], name, value)
    return [EntryPoint(name, f"some_plugin:{name}", "hiprot.importers") for name in objects]


def test_a_third_partys_format_is_found_by_content():
    importers, complaints = load_importers(plugins(mine=MINE))
    assert complaints == []
    assert find_importer("a.bin", b"MINE 1 2 3", importers) is MINE


def test_broken_formats_are_skipped_and_told():
    points = plugins(nothing=7, twice=Importer("phyphox", MINE.sniff, parse, ""))
    points.append(EntryPoint("gone", "no_such_module:x", "hiprot.importers"))
    importers, complaints = load_importers(points)
    assert importers.keys() == load_importers([])[0].keys()
    assert [complaint.split()[1] for complaint in complaints] == ["nothing", "twice", "gone"]


def test_a_format_whose_sniffing_fails_does_not_keep_others_from_their_files():
    broken = Importer("broken", fail, parse, "")
    importers, _ = load_importers(plugins(broken=broken))
    name, data = next(iter(original("mt-manager").items()))
    found = find_importer(name, data, importers)
    assert found is not None
    assert found.name == "mt-manager"


@pytest.mark.parametrize("case", TEXT)
def test_every_file_is_told_by_its_content_alone(case):
    importers, _ = load_importers([])
    for name, data in original(case).items():
        claims = [one.name for one in importers.values() if one.sniff(name, data[:HEAD])]
        assert claims in ([{**EACH, **TOGETHER}[case][0]], [])
        assert claims or "Annotation" in name


def test_what_two_formats_claim_is_refused():
    importers, _ = load_importers(plugins(mine=MINE, also=Importer("also", MINE.sniff, parse, "")))
    with pytest.raises(RecordingError, match="mine and also"):
        find_importer("a", b"MINE", importers)


def test_the_example_for_third_parties_works():
    text = (Path(__file__).parents[3] / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(# hiprot_acme_files.*?)```", text, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    importers, complaints = load_importers(plugins(acme=names["IMPORTER"]))
    assert complaints == []
    rows = "".join(f"{t / 50},0,0,9.81,0,0,{t}\n" for t in range(5))
    data = f"Acme log\nt,ax,ay,az,wx,wy,wz\n{rows}".encode()
    found = find_importer("a.log", data, importers)
    assert found is not None
    (track,) = found.parse({"a.log": data}, False).tracks
    assert track.gyr.values[:, 2].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]

"""Streams offered by the Lab Streaming Layer are read back, samples and metadata."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from analysis.commands import hiprot
from imu.errors import MachineError
from imu.storage.session import read_session
from imu.transports import lsl
from imu.transports.lsl import CHANNELS, Outlets
from imu.transports.replay import batches

BLUETOOTH = Path(__file__).parents[3] / "recordings" / "bluetooth"
COUNT = 200


@pytest.mark.skipif(find_spec("pylsl") is None, reason="pylsl is not installed")
def test_what_was_offered_is_read_back():
    from pylsl import StreamInlet, resolve_byprop

    session = read_session(BLUETOOTH)
    recording = session.recordings[0]
    outlets = Outlets(session.name, recording.name, recording.side, session.info.sensors)
    name = f"hiprot {session.name} {recording.name} thigh"
    found = resolve_byprop("name", name, timeout=5.0)
    if not found:
        pytest.skip("no multicast on this machine: LSL finds no stream")
    inlet = StreamInlet(found[0])
    inlet.open_stream(timeout=10.0)
    sent = list(batches(recording))[:COUNT]
    for batch in sent:
        outlets.take(batch)
    expected = np.array([row for one in sent if one.segment == "thigh" for row in one.rows()])
    rows, stamps = inlet.pull_chunk(timeout=10.0, max_samples=len(expected))
    table = np.array(rows)
    np.testing.assert_array_equal(table[:, [6, 0, 1, 2, 3, 4, 5, 7]], expected)
    assert len(stamps) == len(expected)
    info = inlet.info()
    assert (info.type(), info.nominal_srate()) == ("IMU", 60.0)
    described = info.desc()
    channel = described.child("channels").child("channel")
    told = []
    for _ in CHANNELS:
        told.append(tuple(channel.child_value(key) for key in ("label", "type", "unit")))
        channel = channel.next_sibling("channel")
    assert told == list(CHANNELS)
    assert described.child("setup").child_value("side") == recording.side
    assert "D4:22" not in info.as_xml()


def test_what_is_not_installed_is_told_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(MachineError, match="hip-rotation\\[lsl\\]"):
        lsl.load()


@pytest.mark.parametrize("call", ["record {} --side left --simulate --lsl", "replay {} --lsl"])
def test_the_commands_refuse_before_anything_is_written(call, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    folder = str(tmp_path / "new") if call.startswith("record") else str(BLUETOOTH)
    with pytest.raises(MachineError, match="pylsl is not installed"):
        CliRunner().invoke(hiprot, call.format(folder).split(), catch_exceptions=False)
    assert not (tmp_path / "new").exists()

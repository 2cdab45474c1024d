"""From tracks to sets: names, clocks, cutting, sources; and what is refused with which remedy."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.commands import hiprot
from analysis.comparison import MDC_SOURCE, PHONE_SOURCE, compare
from analysis.pipeline import analyse
from analysis.settings import Settings
from imu.clock import align
from imu.errors import CallError, HiprotError, RecordingError
from imu.importers.roles import segment_of, side_of
from imu.samples import Stream
from imu.storage.session import read_session
from tests.imu.importers.motion import ranges, simulated, true_ranges, write
from tests.imu.importers.writers import (
    dot_app_rates,
    dot_export,
    movesense_csv,
    numbers,
    rows,
    sensor_logger,
    witmotion,
)


def call(*args: object) -> None:
    hiprot.main([str(arg) for arg in args], prog_name="hiprot", standalone_mode=False)


def later(one: Stream, shift_s: float) -> Stream:
    return replace(one, time_s=one.time_s + shift_s)


def imported_ranges(folder: Path) -> np.ndarray:
    (recording,) = read_session(folder).recordings
    return ranges(recording)


def assert_samples(folder: Path, sets: int = 1) -> None:
    """Every sample of every set is the simulated one, in its place."""
    recordings = read_session(folder).recordings
    assert len(recordings) == sets
    for recording in recordings:
        for name, one in recording.streams.items():
            true = simulated(recording.side)[name]
            assert np.ptp(true.time_s - one.time_s) < 2e-6
            np.testing.assert_allclose(one.acc_ms2, true.acc_ms2, atol=2e-7)
            np.testing.assert_allclose(one.gyr_rads, true.gyr_rads, atol=2e-8)


def refused(kind: type[HiprotError], *args: object) -> str:
    with pytest.raises(kind) as error:
        call("import", *args)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "segment", "side"),
    [
        ("LFemur", "thigh", "left"),
        ("app_realtime_LTibia_2021", "shank", "left"),
        ("Oberschenkel rechts", "thigh", "right"),
        ("right-thigh.csv", "thigh", "right"),
        ("R_shank", "shank", "right"),
        ("Becken", "pelvis", ""),
        ("Lower Back", "pelvis", ""),
        ("alright.csv", "", ""),
        ("left and right thigh", "thigh", ""),
        ("pelvis_thigh.csv", "", ""),
        ("D4CA6EF17860", "", ""),
    ],
)
def test_names_tell_segment_and_side(name, segment, side):
    assert (segment_of(name), side_of(name)) == (segment, side)


def test_places_that_no_name_tells_are_asked_for_and_taken_from_the_call(tmp_path):
    files = dot_app_rates("one", simulated()["pelvis"]) | dot_app_rates("two", simulated()["thigh"])
    one, two = write(tmp_path / "in", files)
    out = tmp_path / "out"
    told = refused(CallError, one, two, "-o", out, "--side", "left")
    assert "--pelvis NAME --thigh NAME" in told
    told = refused(CallError, "--pelvis", one, "--thigh", two, "-o", out)
    assert "--side left" in told
    told = refused(CallError, one, two, "--pelvis", "xyz", "-o", out, "--side", "left")
    assert one.name in told
    assert not out.exists()
    call("import", "--pelvis", one, "--thigh", two.name, two, "-o", out, "--side", "left")
    assert_samples(out)


def test_a_name_that_says_otherwise_than_the_call_is_told(tmp_path, capsys):
    files = dot_app_rates("right pelvis", simulated()["pelvis"])
    files |= dot_app_rates("left pelvis too", simulated()["thigh"])
    one, two = sorted(write(tmp_path / "in", files), reverse=True)
    args = ["--pelvis", one, "--thigh", two, "--side", "left", "-o", tmp_path / "out"]
    call("import", *args)
    told = capsys.readouterr().out
    assert "says right, and left is what was asked for" in told
    assert "says pelvis, and thigh is what was asked for" in told


def test_both_sides_at_once_by_their_names(tmp_path):
    files = {}
    for side in ("left", "right"):
        for name, one in simulated(side).items():
            files |= dot_app_rates(f"{side} {name}", one)
    call("import", *write(tmp_path / "in", files), "-o", tmp_path / "out")
    assert_samples(tmp_path / "out", 2)


def test_two_files_of_one_place_are_refused(tmp_path):
    files = dot_app_rates("pelvis", simulated()["pelvis"])
    for name in ("thigh", "thigh again"):
        files |= dot_app_rates(name, simulated()["thigh"])
    told = refused(CallError, *write(tmp_path, files), "-o", tmp_path / "out", "--side", "left")
    assert "two sensors are the thigh" in told


def own_clocks(shift_s: float, shaken: bool) -> dict[str, bytes]:
    streams = simulated("left", shaken)
    files = movesense_csv("pelvis", streams["pelvis"])
    return files | movesense_csv("thigh", later(streams["thigh"], shift_s))


def test_clocks_of_their_own_are_tied_by_a_common_movement(tmp_path, capsys):
    paths = write(tmp_path / "in", own_clocks(37.124, shaken=True))
    call("import", *paths, "-o", tmp_path / "out", "--side", "left")
    told = capsys.readouterr().out
    shift_s = float(told.partition("clock moved by ")[2].split()[0])
    assert shift_s == pytest.approx(-37.124, abs=0.005)
    assert "correlates by" in told
    assert np.abs(imported_ranges(tmp_path / "out") - true_ranges("left", True)).max() < 0.1


def test_clocks_that_nothing_ties_are_refused(tmp_path):
    paths = write(tmp_path / "in", own_clocks(37.124, shaken=False))
    told = refused(RecordingError, *paths, "-o", tmp_path / "out", "--side", "left")
    assert "nothing ties the clocks" in told
    assert "shake them" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("shaken", [True, False])
def test_phones_are_moved_by_what_both_saw_or_left_as_they_are(tmp_path, capsys, shaken):
    streams = simulated("left", shaken)
    files = sensor_logger("left pelvis", streams["pelvis"])
    files |= sensor_logger("left thigh", later(streams["thigh"], 0.08))
    call("import", *write(tmp_path / "in", files), "-o", tmp_path / "out", "--json")
    (one,) = json.loads(capsys.readouterr().out)["sets"].values()
    assert one["device"] == "phone"
    told = " ".join(one["remarks"])
    if shaken:
        shift_s = float(told.partition("clock moved by ")[2].split()[0])
        assert shift_s == pytest.approx(-0.08, abs=0.005)
    else:
        assert "taken to agree" in told


def joined(first: Stream, second: Stream, pause_s: float) -> Stream:
    """Two sets in one recording; between them the sensor is taken off and turned about."""
    step_s = float(np.median(np.diff(first.time_s)))
    time_s = np.arange(first.time_s[-1] + step_s, first.time_s[-1] + pause_s, step_s)
    at = (time_s - time_s[0]) / pause_s
    rate = 5.0 * np.sin(np.pi * at)[:, None] * np.array([0.5, 0.7, np.sqrt(0.26)])
    force = np.tile(first.acc_ms2[-1], (len(at), 1))
    moved = second.time_s - second.time_s[0] + time_s[-1] + step_s
    return replace(
        first,
        time_s=np.concatenate([first.time_s, time_s, moved]),
        acc_ms2=np.concatenate([first.acc_ms2, force, second.acc_ms2]),
        gyr_rads=np.concatenate([first.gyr_rads, rate, second.gyr_rads]),
    )


def test_sets_are_cut_out_of_one_long_recording(tmp_path, capsys):
    files = {}
    for name in ("pelvis", "thigh"):
        long = joined(simulated("left")[name], simulated("right")[name], 8.0)
        files |= dot_app_rates(name, long)
    paths = write(tmp_path / "in", files)
    out = tmp_path / "out"
    told = refused(CallError, *paths, "--split", "-o", out)
    assert "2 sets are seen" in told
    assert "--side left,right" in told
    call("import", *paths, "--split", "--side", "left,right", "-o", out)
    assert "set 2 of 2" in capsys.readouterr().out
    for recording in read_session(out).recordings:  # whose last stillness is cut short
        assert np.abs(ranges(recording) - true_ranges(recording.side)).max() < 0.2


def test_without_a_set_in_it_nothing_is_cut_out(tmp_path):
    still = {
        name: replace(one, gyr_rads=0 * one.gyr_rads, acc_ms2=0 * one.acc_ms2 + [0, 0, 9.81])
        for name, one in simulated().items()
    }
    files = {}
    for name, one in still.items():
        files |= dot_app_rates(name, one)
    told = refused(
        RecordingError, *write(tmp_path, files), "--split", "--side", "left", "-o", tmp_path / "o"
    )
    assert "no set is seen" in told


def test_packets_of_one_time_are_spread_when_asked_for(tmp_path, capsys):
    data = witmotion(dict(simulated()))["wit.csv"].decode()
    cells = [line.split(",") for line in data.split("\n")]
    path = tmp_path / "wit.csv"
    path.write_text("\n".join(",".join(one[:2] + one[3:]) for one in cells))  # no chip time
    told = refused(RecordingError, path, "--side", "left", "-o", tmp_path / "out")
    assert "--spread" in told
    call("import", path, "--side", "left", "--spread", "-o", tmp_path / "out")
    assert "samples that shared a time spread evenly" in capsys.readouterr().out
    assert np.abs(imported_ranges(tmp_path / "out") - true_ranges()).max() < 0.3


def test_the_source_says_what_came_from_where_and_grows(tmp_path):
    out = tmp_path / "out"
    hashes = {}
    for side in ("left", "right"):
        files = {}
        for name, one in simulated(side).items():
            files |= dot_export(f"{side} {name}", one)
        hashes |= {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        call("import", *write(tmp_path / side, files), "-o", out)
    source = json.loads((out / "session.json").read_text())["source"]
    assert source["format"] == "movella-dot-export"
    assert sorted(source["files"]) == sorted(hashes)
    assert source["hashes"] == hashes
    lines = "".join(f"{source['hashes'][name]}  {name}\n" for name in source["hashes"])
    assert source["sha256"] == hashlib.sha256(lines.encode()).hexdigest()
    assert "device" not in source


def test_of_one_file_the_hash_is_its_own(tmp_path):
    (path,) = write(tmp_path, witmotion(dict(simulated())))
    call("import", path, "--side", "left", "-o", tmp_path / "out")
    source = read_session(tmp_path / "out").info.source
    assert source is not None
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_phones_range_is_held_against_a_phones_change(tmp_path):
    files = {}
    for side in ("left", "right"):
        for name, one in simulated(side).items():
            files |= sensor_logger(f"{side} {name}", one)
    call("import", *write(tmp_path / "in", files), "-o", tmp_path / "out")
    analysis = analyse(read_session(tmp_path / "out"), Settings())
    rom = analysis.comparisons[0]
    assert (rom.measure, rom.threshold, rom.threshold_source) == ("rom_deg", 16.0, PHONE_SOURCE)
    by_sensors = compare(analysis.sets, Settings())[0]
    assert (by_sensors.threshold, by_sensors.threshold_source) == (5.4, MDC_SOURCE)


def test_a_table_is_read_by_the_mapping_that_describe_drafts(tmp_path, capsys):
    streams = simulated()
    heads = ["t (ms)"]
    heads += [f"{name} acc {a} (g)" for name in streams for a in "xyz"]
    heads += [f"{name} gyro {a} (deg/s)" for name in streams for a in "xyz"]
    pelvis, thigh = streams["pelvis"], streams["thigh"]
    n = min(len(pelvis.time_s), len(thigh.time_s))
    force = [one.acc_ms2[:n] / 9.80665 for one in (pelvis, thigh)]
    rate = [np.rad2deg(one.gyr_rads[:n]) for one in (pelvis, thigh)]
    table = numbers(np.column_stack([pelvis.time_s[:n] * 1e3, *force, *rate]))
    text = "Recorded by hand\n" + rows([heads, *table], ";").replace(".", ",")
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-16")
    call("import", "--describe", path)
    mapping = capsys.readouterr().out
    assert 'separator = ";"' in mapping
    assert 'decimal = ","' in mapping
    assert "header_line = 2" in mapping
    assert 'acc_unit = "g"' in mapping
    drafted = tmp_path / "map.toml"
    drafted.write_text(
        mapping.replace('column = "?"', 'column = "t (ms)"').replace('unit = "s"', 'unit = "ms"')
    )
    args = [path, "--side", "left", "-o", tmp_path / "out"]
    assert "--describe" in refused(RecordingError, *args)
    call("import", *args, "--format", "table", "--map", drafted)
    (recording,) = read_session(tmp_path / "out").recordings
    for name, one in recording.streams.items():
        true = streams[name]
        np.testing.assert_allclose(one.acc_ms2, true.acc_ms2[:n], atol=2e-5)
        np.testing.assert_allclose(one.gyr_rads, true.gyr_rads[:n], atol=2e-7)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('unit = "ms"', 'unit = "h"', "unit is 'h'"),
        ('acc_unit = "g"', 'acc_unit = "?"', "acc_unit"),
        ("acc_sign = [1, 1, 1]", "acc_sign = [1, 2, 1]", "acc_sign"),
        ('separator = ";"', 'separater = ";"', "separater"),
        ('"a x"', '"a q"', "there is no column 'a q'"),
    ],
)
def test_a_wrong_mapping_is_refused_with_the_key(tmp_path, old, new, told):
    mapping = (
        'separator = ";"\n[time]\ncolumn = "t"\nunit = "ms"\n[[sensor]]\nname = "pelvis"\n'
        'acc = ["a x", "a y", "a z"]\nacc_unit = "g"\nacc_sign = [1, 1, 1]\n'
        'gyr = ["g x", "g y", "g z"]\ngyr_unit = "deg/s"\n'
    )
    (tmp_path / "map.toml").write_text(mapping.replace(old, new))
    (tmp_path / "a.csv").write_text("t;a x;a y;a z;g x;g y;g z\n0;0;0;1;0;0;0\n")
    args = ["--format", "table", "--map", tmp_path / "map.toml", "-o", tmp_path / "out"]
    assert told in refused(HiprotError, tmp_path / "a.csv", *args)


def test_sets_are_cut_out_on_the_computers_clock_where_sensors_have_their_own(tmp_path):
    streams = {
        name: joined(simulated("left")[name], simulated("right")[name], 8.0)
        for name in ("pelvis", "thigh")
    }
    (path,) = write(tmp_path / "in", witmotion(streams))
    call("import", path, "--split", "--side", "left,right", "-o", tmp_path / "out")
    recordings = read_session(tmp_path / "out").recordings
    assert [one.side for one in recordings] == ["left", "right"]
    for one in recordings:
        times = [align(one).streams[name].time_s for name in ("pelvis", "thigh")]
        assert abs(times[0][0] - times[1][0]) < 0.05
        assert abs(times[0][-1] - times[1][-1]) < 0.05


def test_a_dot_without_fine_times_is_timed_by_its_counter_and_rate(tmp_path):
    streams = simulated("left", shaken=True)
    files = {}
    for name, one in streams.items():
        (file, data), *_ = dot_app_rates(name, one).items()
        lines = [line.split(", ") for line in data.decode().split("\n")]
        text = "\n".join(
            ", ".join([line[0], "", *line[2:]]) if len(line) == 8 and line[0].isdigit()
            else ", ".join(line)
            for line in lines
        )  # fmt: skip
        files[file] = text.replace("60Hz", "80Hz").encode()
    call("import", *write(tmp_path / "in", files), "--side", "left", "-o", tmp_path / "out")
    (recording,) = read_session(tmp_path / "out").recordings
    steps = np.diff(recording.streams["thigh"].time_s)
    np.testing.assert_allclose(steps, 1 / 80, atol=2e-6)
    shift_s = recording.streams["thigh"].time_s[0] - recording.streams["pelvis"].time_s[0]
    true_s = streams["thigh"].time_s[0] - streams["pelvis"].time_s[0]
    assert shift_s == pytest.approx(true_s, abs=0.005)


def test_a_clock_that_starts_anew_is_refused(tmp_path):
    files = {}
    for name, one in simulated().items():
        half = len(one.time_s) // 2
        time_s = np.concatenate([one.time_s[:half], one.time_s[:-half]])
        text = "PacketCounter\tAcc_X\tAcc_Y\tAcc_Z\tGyr_X\tGyr_Y\tGyr_Z\n" + rows(
            [[round(t * 80), *values] for t, values in zip(
                time_s, numbers(np.column_stack([one.acc_ms2, one.gyr_rads])), strict=True)],
            "\t",
        )  # fmt: skip
        files[f"{name}.txt"] = ("// Update Rate: 80.0Hz\n" + text).encode()
    out = tmp_path / "out"
    told = refused(RecordingError, *write(tmp_path / "in", files), "--side", "left", "-o", out)
    assert "started anew" in told
    assert "line" in told


def test_a_table_a_sensor_with_a_time_a_quantity_is_read_by_one_mapping(tmp_path):
    mapping = (
        '[time]\nunit = "s"\nshared = true\n[[sensor]]\nname = "any"\nacc_time = "t a"\n'
        'gyr_time = "t g"\nacc = ["a x", "a y", "a z"]\nacc_unit = "m/s2"\n'
        'gyr = ["g x", "g y", "g z"]\ngyr_unit = "rad/s"\n'
    )
    (tmp_path / "map.toml").write_text(mapping)
    files = {}
    for name, one in simulated().items():
        # acceleration at half the rate, so that its columns end earlier
        acc = numbers(np.column_stack([one.time_s, one.acc_ms2])[::2])
        acc += [["", "", "", ""]] * (len(one.time_s) - len(acc))
        gyr = numbers(np.column_stack([one.time_s, one.gyr_rads]), "%.8f")
        heads = ["t a", "a x", "a y", "a z", "t g", "g x", "g y", "g z"]
        table = rows([heads, *(a + g for a, g in zip(acc, gyr, strict=True))])
        files[f"left {name}.csv"] = table.encode()
    paths = write(tmp_path / "in", files)
    args = ["--format", "table", "--map", tmp_path / "map.toml", "-o", tmp_path / "out"]
    call("import", *paths, *args)
    assert np.abs(imported_ranges(tmp_path / "out") - true_ranges()).max() < 0.1

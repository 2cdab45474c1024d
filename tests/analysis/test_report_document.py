"""``report.json`` and the tables against the contract's words and the analysis' numbers."""

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from analysis.compared import MEASURES
from analysis.report.document import plain, report_document, report_json
from analysis.report.tables import angles_csv, reps_csv
from imu.recording import Event
from tests.analysis.examples import (
    hiking,
    make_analysis,
    make_pair,
    make_quality,
    make_set,
    make_turns,
)
from tests.analysis.examples import named_examples as examples

CONTRACT_REPS = tuple(
    """side set rep start_s end_s hold_start_s hold_end_s rom_deg peak_ir_deg
return_error_deg inward_s hold_s return_s mean_inward_speed_deg_s peak_inward_speed_deg_s
mean_return_speed_deg_s peak_return_speed_deg_s sparc_inward sparc_return pelvis_drift_deg
pelvis_tilt_deg pelvis_obliquity_deg pelvis_rotation_deg pelvis_residual_deg hip_flexion_deg
hip_adduction_deg verdict flags""".split()  # noqa: SIM905 - readable
)
CONTRACT_ANGLES = tuple(
    """side set time_s ir_deg flexion_deg adduction_deg pelvis_tilt_deg
pelvis_obliquity_deg pelvis_rotation_deg rep""".split()  # noqa: SIM905
)
NAMES = sorted(set(examples()) - {"long"})


def parsed(analysis):
    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(report_json(report_document(analysis)), parse_constant=refuse)


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", NAMES)
def test_document_has_the_contracts_shape(name):
    analysis = examples()[name]
    document = parsed(analysis)
    assert document["schema"] == "hiprot.report/1"
    assert set(document["sides"]) == {one.side for one in analysis.sets}
    for side in document["sides"].values():
        assert set(side) == {"reps", "summary", "quality"}
        assert side["quality"]["grade"] in ("good", "fair", "poor")
        for rep in side["reps"]:
            assert tuple(rep)[: len(CONTRACT_REPS)] == CONTRACT_REPS
    for finding in document["findings"]:
        assert {"code", "side", "reps", "text"} <= set(finding)
    assert document["session"]["sha256"] == analysis.sha256


def test_symmetry_is_grouped_and_complete():
    symmetry = parsed(examples()["different"])["symmetry"]
    assert list(symmetry) == ["range", "speed", "control"]
    names = {name for group in symmetry.values() for name in group}
    assert names == {*(m.name for m in MEASURES), "clean_share"}
    for group in symmetry.values():
        for name, one in group.items():
            assert one["difference"] == pytest.approx(one["right"] - one["left"], abs=2e-6)
            assert one["verdict"] in ("matched", "different", "inconclusive")
            assert bool(one["threshold_source"]) == one["judged"]
            if name != "clean_share":
                assert one["ci95"][0] <= one["difference"] <= one["ci95"][1]


def test_clean_shares_stand_under_control():
    one = parsed(examples()["different"])["symmetry"]["control"]["clean_share"]
    counts = {key: one[key] for key in ("left_n", "left_clean", "right_n", "right_clean")}
    assert counts == {"left_n": 8, "left_clean": 3, "right_n": 8, "right_clean": 8}
    assert (one["left"], one["right"], one["verdict"]) == (0.375, 1.0, "different")


def test_what_the_figures_stand_on_is_told_of_side_and_set():
    sure = replace(make_quality(), direction="proven", pelvis_axes="lean")
    sets = [
        make_set("left", make_turns(), quality=sure),
        make_set("left", make_turns(), name="left-2", quality=replace(sure, direction="doubtful")),
        make_set("right", make_turns(), quality=sure),
    ]
    sides = parsed(make_analysis(sets))["sides"]
    assert sides["left"]["quality"]["direction"] == "doubtful"  # the least sure of its sets
    assert sides["right"]["quality"]["direction"] == "proven"
    assert sides["left"]["quality"]["pelvis_axes"] == "lean"
    assert sides["left"]["quality"]["sets"]["left"]["direction"] == "proven"


def test_a_single_side_has_no_symmetry():
    document = parsed(examples()["one_sided"])
    assert document["symmetry"] == {}
    assert list(document["sides"]) == ["right"]


def test_summary_counts_and_averages_the_counted_repetitions():
    broken = replace(make_turns(1)[0], rom_deg=3.0, verdict="not_counted", flags=("gap",))
    summary = parsed(make_pair([*hiking(4), broken], make_turns()))["sides"]["left"]["summary"]
    counts = {key: summary[key] for key in ("reps", "counted", "clean", "compensated")}
    assert counts == {"reps": 9, "counted": 8, "clean": 3, "compensated": 5}
    rom = [turn.rom_deg for turn in hiking(4)]
    assert summary["measures"]["rom_deg"]["mean"] == pytest.approx(np.mean(rom), abs=1e-6)
    assert summary["measures"]["rom_deg"]["sd"] == pytest.approx(np.std(rom, ddof=1), abs=1e-6)


def test_several_sets_of_a_side_give_all_their_repetitions_and_the_worst_grade():
    poor = make_quality("poor", "no stillness")
    sets = [
        make_set("left", make_turns()),
        make_set("left", make_turns(3), name="left-2", quality=poor),
        make_set("right", make_turns()),
    ]
    left = parsed(make_analysis(sets))["sides"]["left"]
    assert [rep["set"] for rep in left["reps"]] == ["left"] * 8 + ["left-2"] * 3
    assert left["quality"]["grade"] == "poor"
    assert left["quality"]["reasons"] == ["left-2: no stillness"]
    assert left["quality"]["sets"]["left"]["grade"] == "good"


def test_what_could_not_be_had_is_null():
    one = make_set("left", make_turns(4))
    lacking = {"sparc_inward": math.nan, "hold_start_s": None, "pelvis_residual_deg": math.inf}
    reps = (replace(one.reps[0], **lacking), *one.reps[1:])
    document = parsed(make_analysis([replace(one, reps=reps)]))
    first = document["sides"]["left"]["reps"][0]
    for name in lacking:
        assert first[name] is None
    assert document["sides"]["left"]["summary"]["measures"]["sparc_inward"]["n"] == 3


def test_plain_unwraps_numpy_and_leaves_text_alone():
    value = {
        "a": (np.float64(1 / 3), np.int64(4), np.bool_(True)),
        "b": [float("nan"), "<x>", -0.0],
    }
    assert plain(value) == {"a": [0.333333, 4, True], "b": [None, "<x>", 0.0]}
    assert math.copysign(1, plain(-0.0)) == 1


def test_markers_and_sensor_events_are_kept_apart():
    events = [Event("left", 3.0, "pain", 6.0, "here"), Event("left", 5.0, "dropout", None, "thigh")]
    session = parsed(make_pair(make_turns(), make_turns(), events=events))["session"]
    assert [one["kind"] for one in session["markers"]] == ["pain"]
    assert [one["kind"] for one in session["events"]] == ["dropout"]
    assert session["markers"][0]["phase"] == "inward"


def test_reps_csv_has_the_contracts_columns_first_and_the_documents_numbers():
    analysis = examples()["two_sets"]
    table = rows(reps_csv(analysis.sets))
    assert tuple(table[0])[: len(CONTRACT_REPS)] == CONTRACT_REPS
    sides = parsed(analysis)["sides"]
    reps = [rep for one in sides.values() for rep in one["reps"]]
    assert len(table) == len(reps)
    for row, rep in zip(table, reps, strict=True):
        for name, value in rep.items():
            if value is None:
                assert row[name] == ""
            else:
                assert type(value)(row[name]) == value


def test_angles_csv_is_the_even_grid():
    analysis = examples()["two_sets"]
    text = angles_csv(analysis.sets)
    table = rows(text)
    assert tuple(table[0]) == CONTRACT_ANGLES
    assert len(table) == sum(len(one.rep_numbers) for one in analysis.sets)
    second = [row for row in table if row["set"] == "left-2"]
    one = analysis.sets[1]
    for name in CONTRACT_ANGLES[2:-1]:
        written = [float(row[name]) for row in second]
        np.testing.assert_allclose(written, getattr(one.angles, name), atol=5.1e-5)
    assert [int(row["rep"]) for row in second] == one.rep_numbers.tolist()
    assert "-0.0000" not in text


def test_an_unmeasured_instant_is_an_empty_cell():
    one = make_set("left", make_turns(1))
    ir = one.angles.ir_deg.copy()
    ir[3] = np.nan
    text = angles_csv([replace(one, angles=replace(one.angles, ir_deg=ir))])
    table = rows(text)
    assert table[3]["ir_deg"] == ""
    assert table[3]["set"] == "left"
    assert "nan" not in text
    assert sum(row["ir_deg"] == "" for row in table) == 1

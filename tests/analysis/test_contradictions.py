"""No ``matched`` beside a fault that the findings tell of one side alone."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.advice import KINDS
from analysis.contradictions import ABOUT
from analysis.words import group_sentence
from tests.analysis.examples import hiking, make_pair, make_turns, named_examples
from tests.benchmarks.verdicts import Side, judge

FLAGS = {
    "pelvis_obliquity": ("pelvis_drift_deg", "control"),
    "no_hold": ("hold_s", "control"),
    "bounce": ("hold_s", "control"),
    "return_error": ("return_error_deg", "control"),
    "overshoot": ("return_error_deg", "control"),
    "two_stage": ("sparc_inward", "control"),
    "fast": ("inward_s", "speed"),
    "dropped": ("return_s", "speed"),
}


def flagged(flag, reps):
    turns = make_turns()
    return [replace(turn, flags=(flag,)) if i in reps else turn for i, turn in enumerate(turns)]


def row(analysis, measure):
    return next(one for one in analysis.comparisons if one.measure == measure)


def group(analysis, name):
    return group_sentence([one for one in analysis.comparisons if one.group == name])


@pytest.mark.parametrize(("flag", "about"), FLAGS.items())
@pytest.mark.parametrize("reps", [{2}, {1, 4, 5}, set(range(8))])
def test_a_fault_of_one_side_is_never_matched(flag, about, reps):
    measure, name = about
    clean = make_pair(make_turns(), make_turns(seed=1))
    assert row(clean, measure).verdict == "matched"
    for turns in ((flagged(flag, reps), make_turns()), (make_turns(), flagged(flag, reps))):
        side = "left" if any(turn.flags for turn in turns[0]) else "right"
        one = row(make_pair(*turns), measure)
        assert one.verdict == "inconclusive"
        assert one.fault.startswith(f"{side}: ")
        verdict, told = group(make_pair(*turns), name)
        assert verdict == "inconclusive"
        assert one.fault in told


def test_a_fault_that_both_sides_share_is_alike():
    turns = hiking(1)
    analysis = make_pair(turns, turns)
    assert row(analysis, "pelvis_drift_deg").verdict == "matched"
    assert row(analysis, "clean_share").verdict == "matched"
    assert group(analysis, "control")[1].endswith("faults included")


def test_a_fault_far_more_often_on_one_side_is_not_matched():
    analysis = make_pair(flagged("no_hold", {0}), flagged("no_hold", set(range(6))))
    assert row(analysis, "hold_s").fault.startswith("right: ")


def test_an_uneven_range_of_one_side_is_not_lost_with_the_undecided_spread():
    uneven = [
        replace(turn, rom_deg=turn.rom_deg + 4.6 * (-1) ** i) for i, turn in enumerate(make_turns())
    ]
    analysis = make_pair(uneven, make_turns(seed=1, spread=0.07))
    assert "uneven_range" in {one.code for one in analysis.findings}
    assert group(analysis, "control")[0] != "matched"


def test_what_is_different_is_told_with_its_side():
    for analysis in named_examples().values():
        for one in analysis.comparisons:
            if one.verdict != "different":
                continue
            codes = {"range": "range", "speed": "speed", "control": "control"}
            told = [f for f in analysis.findings if f.code == f"side_difference_{codes[one.group]}"]
            worse = "left" if (one.difference > 0) != one.less_is_better else "right"
            assert worse in {f.side for f in told}


def test_a_short_pause_is_told_of_the_side_that_has_it():
    analysis = make_pair(make_turns(hold_s=0.6), make_turns(seed=1, hold_s=1.4))
    (told,) = [f for f in analysis.findings if f.code == "side_difference_control"]
    assert told.side == "left"
    assert "it pauses more briefly (by 0.8" in told.text


def test_the_quicker_side_is_told_and_a_smaller_range_at_one_tempo_is_not():
    quick = make_turns(inward_s=1.0, return_s=1.1)
    told = [f.side for f in make_pair(quick, make_turns(seed=1)).findings if "speed" in f.code]
    assert told == ["left"]
    stiff = make_pair(make_turns(rom_deg=20.0), make_turns(seed=1, rom_deg=34.0))
    assert "side_difference_speed" not in {f.code for f in stiff.findings}


def test_every_code_it_knows_exists():
    assert set(ABOUT) <= set(KINDS)


def test_drawn_pairs_never_match_beside_a_fault_of_one_side():
    """Sixty people who hike, in some repetitions, on one side."""
    rng = np.random.default_rng(6)
    for share in (0.15, 0.4, 0.8):
        for _ in range(20):
            found, findings = judge(rng, Side(hike_share=share), Side())
            rows = {one.measure: one.verdict for one in found}
            if any(one.code == "pelvis_hikes" for one in findings):
                assert "matched" not in (rows["clean_share"], rows["pelvis_drift_deg"])


def test_equal_sides_are_not_different_and_twelve_degrees_are_never_matched():
    """Some hundred pairs; a thousand and more cases: tests/benchmarks/verdicts.py."""
    rng = np.random.default_rng(7)
    equal = [judge(rng, Side(), Side())[0] for _ in range(300)]
    for name, most in (("range", 6), ("speed", 3), ("control", 3)):
        rows = [[one for one in found if one.group == name] for found in equal]
        assert sum(group_sentence(one)[0] == "different" for one in rows) <= most
    stiff = [judge(rng, Side(20.0), Side())[0][0].verdict for _ in range(100)]
    assert "matched" not in stiff
    assert stiff.count("different") > 80

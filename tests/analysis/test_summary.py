"""A session summed up: the same figures as counted by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.pipeline import analyse
from analysis.sets import in_measure
from analysis.settings import Settings
from analysis.summary import summarise
from imu.storage.session import read_session
from tests.analysis.examples import named_examples

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", named_examples())
def test_every_repetition_has_one_verdict_and_counted_ones_make_the_means(name):
    analysis = named_examples()[name]
    for side, summary in analysis.summary.sides.items():
        reps = [rep for one in analysis.sets if one.side == side for rep in one.reps]
        assert summary.reps == len(reps)
        assert summary.reps == summary.clean + summary.compensated + summary.not_counted
        assert summary.counted == summary.clean + summary.compensated
        rom = [rep.rom_deg for rep in reps if rep.counts and rep.rom_deg is not None]
        found = summary.measures["rom_deg"]
        assert found.n == len(rom)
        assert found.mean == (pytest.approx(np.mean(rom)) if rom else None)
        assert found.sd == (pytest.approx(np.std(rom, ddof=1)) if len(rom) > 1 else None)


def test_every_finding_is_told_once_in_front_or_behind():
    analysis = named_examples()["different"]
    told = [*analysis.summary.front, *analysis.summary.others]
    for finding in analysis.findings:
        said = finding.text.split(". ")[0]
        assert sum(said in text for text in told) == 1, said
    assert len(analysis.summary.front) <= 3


def test_a_poor_side_is_named_at_the_top():
    analysis = named_examples()["poor"]
    poor = [side for side, one in analysis.summary.sides.items() if one.grade == "poor"]
    assert poor
    for side, caution in zip(poor, analysis.summary.cautions, strict=True):
        assert f"the {side} side is poor" in caution


def test_the_headline_of_one_side_asks_for_the_other():
    analysis = named_examples()["one_sided"]
    headline = summarise(analysis.sets, (), analysis.findings, None).headline
    assert headline.verdict == ""
    assert headline.sentence.endswith("Record the other side too for the comparison.")


def test_sets_that_were_coached_are_not_compared_where_there_are_others():
    session = read_session(ROOT / "recordings" / "matched")
    first = session.recordings[0]
    again = replace(first, name="left-2", source="left-2.csv")
    both = replace(session, recordings=(first, again, session.recordings[1]))
    coached = replace(both, info=replace(session.info, modes={"left": "train"}))
    analysis = analyse(coached, Settings())
    assert analysis.summary.modes == "Not compared, since coached: left (train)."
    assert analysis.summary.sides["left"].sets == 2
    assert {one.name for one in in_measure(analysis.sets, coached.info.modes)} == {
        "left-2",
        "right",
    }
    assert analysis.comparisons[0].left_n == analysis.summary.sides["left"].measures["rom_deg"].n


def test_coached_sets_are_taken_where_there_are_no_others_and_it_is_said():
    sets = named_examples()["matched"].sets
    found = summarise(sets, (), (), None, {"left": "fade", "right": "measure"})
    assert found.modes == "Left: no set without coaching, so that of fade is compared."
    assert in_measure(sets, {"left": "fade"}) == tuple(sets)

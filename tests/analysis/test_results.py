"""Library use: what a notebook gets is what the report holds, and importing costs nothing."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis.report.document import report_document
from analysis.report.html import report_html
from analysis.report.tables import angles_csv, reps_csv
from imu.errors import CallError
from imu.recording import Session, SessionInfo
from imu.storage.session import read_session

ROOT = Path(__file__).parents[2]
MATCHED = ROOT / "recordings" / "matched"


@pytest.fixture(scope="module")
def results() -> analysis.Results:
    return analysis.analyse(MATCHED)


def test_the_tables_are_those_of_the_report(results):
    reps = pd.read_csv(io.StringIO(reps_csv(results.analysis.sets)), keep_default_na=False)
    shown = results.reps
    assert list(shown.columns) == list(reps.columns)
    assert len(shown) == 16
    np.testing.assert_array_equal(shown["rom_deg"], reps["rom_deg"])
    assert shown["flags"].tolist() == reps["flags"].tolist()
    angles = pd.read_csv(io.StringIO(angles_csv(results.analysis.sets)))
    assert list(results.angles.columns) == list(angles.columns)
    np.testing.assert_allclose(results.angles["ir_deg"], angles["ir_deg"], atol=5.1e-5)
    assert results.angles["rep"].tolist() == angles["rep"].tolist()


def test_numbers_are_numbers_and_the_comparison_says_the_verdict(results):
    assert results.reps["rom_deg"].dtype == float
    assert results.comparison.set_index("measure").loc["rom_deg", "verdict"] == "matched"
    assert results.summary is results.analysis.summary


def test_a_session_gives_what_its_folder_gives_and_one_side_has_no_comparison(results):
    session = read_session(MATCHED)
    one = analysis.analyse(Session("left", SessionInfo(), session.recordings[:1]))
    both = results.reps
    left = both[both["side"] == "left"].dropna(axis="columns", how="all")
    pd.testing.assert_frame_equal(one.reps.dropna(axis="columns", how="all"), left)
    assert len(one.comparison) == 0
    assert list(one.comparison.columns) == list(results.comparison.columns)
    assert "left" in one._repr_html_().lower()


def test_a_notebook_shows_the_head_that_the_page_has(results):
    head = results._repr_html_().removeprefix("<div>").removesuffix("</div>")
    sentence = results.summary.headline.sentence
    assert sentence in head
    assert sentence in repr(results)
    assert "<script" not in head
    page = report_html(results.analysis, report_document(results.analysis))
    assert head in page


def test_what_is_not_there_is_refused_as_by_the_command():
    with pytest.raises(CallError, match="no such folder"):
        analysis.analyse("there/is/none")
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = analysis.nothing_like_it


def test_importing_loads_nothing_heavy_until_it_is_used():
    code = (
        "import sys, analysis; heavy = {'numpy', 'scipy', 'pandas', 'matplotlib', 'jinja2'};"
        "print(sorted(heavy & set(sys.modules))); analysis.analyse;"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    before, after = shown.stdout.splitlines()
    assert before == "[]"
    assert "pandas" in after

"""Tidy tables: valid by the descriptor's own reader, equal to the report, the same in Parquet."""

from __future__ import annotations

import io
import json
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from analysis.exporters.tidy import tidy_files
from analysis.report.tables import ANGLE_COLUMNS, REP_COLUMNS
from analysis.results import Results


@pytest.fixture(scope="module")
def contents(results: Results) -> dict[str, str | bytes]:
    return tidy_files(results.analysis)


def table(contents: dict[str, str | bytes], name: str) -> pd.DataFrame:
    text = contents[f"{name}.csv"]
    assert isinstance(text, str)
    return pd.read_csv(io.StringIO(text))


def test_the_tables_hold_what_the_report_holds(contents, results):
    reps, angles = table(contents, "reps"), table(contents, "angles")
    assert list(reps.columns) == ["subject", "session", *REP_COLUMNS]
    assert list(angles.columns) == ["subject", "session", "side", "set", *ANGLE_COLUMNS, "rep"]
    assert set(reps["subject"]) == set(angles["subject"]) == {"P01"}
    np.testing.assert_array_equal(reps["rom_deg"], results.reps["rom_deg"])
    np.testing.assert_allclose(angles["ir_deg"], results.angles["ir_deg"], atol=5.1e-5)


def test_the_descriptor_names_every_column_with_its_meaning_and_unit(contents):
    descriptor = json.loads(contents["datapackage.json"])
    assert descriptor["name"] == "hiprot-visit-1"
    for resource in descriptor["resources"]:
        fields = resource["schema"]["fields"]
        assert [one["name"] for one in fields] == list(table(contents, resource["name"]).columns)
        assert all(len(one["description"]) > 8 for one in fields)
        units = {one["name"]: one.get("unit") for one in fields}
        for name, unit in units.items():
            assert (unit == "deg") == name.endswith("_deg"), name
    assert units["time_s"] == "s"


@pytest.mark.skipif(find_spec("frictionless") is None, reason="frictionless is not installed")
@pytest.mark.filterwarnings("ignore")
def test_the_package_is_valid_and_a_damaged_one_is_not(contents, tmp_path):
    from frictionless import Package

    for name, content in contents.items():
        data = content.encode() if isinstance(content, str) else content
        tmp_path.joinpath(name).write_bytes(data)
    descriptor = tmp_path / "datapackage.json"
    assert Package(str(descriptor)).validate().flatten(["message"]) == []
    reps = tmp_path / "reps.csv"
    reps.write_text(reps.read_text().replace("clean", "cleaner"))
    assert Package(str(descriptor)).validate().flatten(["message"]) != []


@pytest.mark.skipif(find_spec("fastparquet") is None, reason="fastparquet is not installed")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["reps", "angles"])
def test_parquet_holds_the_same(contents, name, tmp_path):
    from fastparquet import ParquetFile

    tmp_path.joinpath("table.parquet").write_bytes(contents[f"{name}.parquet"])
    again = ParquetFile(str(tmp_path / "table.parquet")).to_pandas()
    expected = table(contents, name)
    assert list(again.columns) == list(expected.columns)
    for column in expected.select_dtypes("number"):
        np.testing.assert_array_equal(again[column], expected[column])
    assert again["set"].tolist() == expected["set"].tolist()


def test_without_fastparquet_there_is_no_parquet(results, monkeypatch):
    monkeypatch.setattr("analysis.exporters.tidy.find_spec", lambda _: None)
    assert set(tidy_files(results.analysis)) == {"reps.csv", "angles.csv", "datapackage.json"}

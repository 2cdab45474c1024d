"""The tables hold every session once: its rows, or why there are none."""

import csv
import json
import re
import shutil
import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.batch import tables
from analysis.batch.parquet import repetition_types, session_types, write_parquet
from analysis.batch.places import open_place
from analysis.batch.sessions import do_session, session_columns
from analysis.report.tables import REP_COLUMNS
from imu.errors import MachineError
from tests.analysis.batch.study import collated, do_all, rows

pytestmark = pytest.mark.usefixtures("quick")
FILES = {"repetitions.csv", "sessions.csv", "failures.csv", "batch.json", "batch.html"}
NAMES = ["P01/S1", "P01/S2"]


def describe(order, name, **info):
    (Path(order.root) / name / "session.json").write_text(json.dumps(info))


def test_repetitions_are_those_of_the_reports(order):
    describe(order, "P01/S1", subject='An, "Ö"\n=1+1')
    do_all(order)
    assert set(collated(order)) == FILES
    expected = [
        {"subject": 'An, "Ö"\n=1+1' if name == "P01/S1" else "", "session": name, **row}
        for name in NAMES
        for row in rows(order.report(name) / "reps.csv")
    ]
    assert len(expected) == 9
    assert rows(order.out / "repetitions.csv") == expected
    assert list(expected[0]) == ["subject", "session", *REP_COLUMNS]


def test_sessions_are_a_row_a_side_with_the_reports_figures(order):
    describe(order, "P01/S1", context="before", started="2026-11-22T09:30:00+01:00")
    do_all(order)
    collated(order)
    found = rows(order.out / "sessions.csv")
    assert [(row["session"], row["side"]) for row in found] == [
        ("P01/S1", "left"), ("P01/S1", "right"), ("P01/S2", "right"),
    ]  # fmt: skip
    assert found[0]["context"] == "before"
    for row in found:
        report = json.loads((order.report(row["session"]) / "report.json").read_text())
        side = report["sides"][row["side"]]
        assert float(row["rom_deg_mean"]) == side["summary"]["measures"]["rom_deg"]["mean"]
        assert int(row["counted"]) == side["summary"]["counted"]
        assert row["grade"] == side["quality"]["grade"]
        symmetry = report["symmetry"].get("range", {}).get("rom_deg", {})
        assert row["range_verdict"] == symmetry.get("verdict", "")
        assert row["range_difference_deg"] == str(symmetry.get("difference", ""))


def test_failures_are_told_with_their_exit(order):
    do_all(order)
    collated(order)
    (failure,) = rows(order.out / "failures.csv")
    assert failure["session"] == "P02/S1"
    assert failure["exit"] == "3"
    assert failure["message"].startswith("left.csv, line 1: ")


def test_what_is_not_done_is_a_failure_and_not_forgotten(order):
    do_session(order, "P01/S1")
    cohort = tables.collate(order, open_place(order.root, order.out))
    told = {row["session"]: row["message"] for row in rows(order.out / "failures.csv")}
    assert sorted(told) == ["P01/S2", "P02/S1"]
    assert told["P01/S2"] == tables.NOT_DONE
    assert cohort.exit_status == 1


def outdate(order):
    return replace(order, settings={**order.settings, "min_hold_s": 2.0})


def damage(order):
    path = order.report("P01/S1") / "reps.csv"
    path.write_text(path.read_text().replace(",", ";", 3))
    return order


def remove(order):
    shutil.rmtree(order.report("P01/S1"))
    return order


@pytest.mark.parametrize("change", [outdate, damage, remove])
def test_what_does_not_belong_together_is_not_mixed(order, change):
    do_all(order)
    changed = change(order)
    collated(changed)
    failed = {row["session"]: row["exit"] for row in rows(order.out / "failures.csv")}
    assert failed["P01/S1"] == "1"
    assert "P01/S1" not in {row["session"] for row in rows(order.out / "sessions.csv")}


def test_a_session_that_has_gone_leaves_the_tables(order):
    do_all(order)
    collated(order)
    shutil.rmtree(Path(order.root) / "P01" / "S2")
    collated(order)
    assert {row["session"] for row in rows(order.out / "sessions.csv")} == {"P01/S1"}


def test_a_full_disk_leaves_the_older_tables_whole(order, monkeypatch):
    do_all(order)
    before = collated(order)
    shutil.rmtree(Path(order.root) / "P01" / "S2")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tables, "batch_html", full)
    with pytest.raises(MachineError, match="No space left"):
        collated(order)
    after = {path.name: path.read_bytes() for path in order.out.iterdir() if path.is_file()}
    assert after == before


def test_leftovers_of_a_kill_are_removed(order):
    order.out.mkdir()
    (order.out / ".sessions.csv.0123456789ab.tmp").write_text("half")
    assert set(collated(order)) == FILES


def test_the_document_counts_what_the_tables_hold(order):
    do_all(order)
    document = json.loads(collated(order)["batch.json"])
    assert document["schema"] == "hiprot.batch/1"
    assert (document["sessions"], document["done"], document["failed"]) == (3, 2, {"3": 1})
    grades = Counter((row["side"], row["grade"]) for row in rows(order.out / "sessions.csv"))
    assert grades == {
        (side, grade): n for side, found in document["grades"].items() for grade, n in found.items()
    }


def test_the_reference_tells_the_columns_and_files():
    text = (Path(tables.__file__).parents[1] / "reference" / "formats.md").read_text("utf-8")
    batch = text.partition("## A batch")[2]
    table = batch.partition("column of `sessions.csv`")[2].partition("\n\n")[0]
    told = {name for line in table.splitlines() for name in re.findall(r"`([\w…]+)`", line[:200])}
    columns = {name for name in session_columns() if not name.endswith(("_mean", "_sd"))}
    assert columns <= told
    assert told - columns <= {"…_mean", "…_sd"}
    assert set(re.findall(r"`(\w+\.(?:csv|json|html))`", batch)) >= FILES


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # its files
def test_parquet_holds_the_same(order):
    parquet = pytest.importorskip("fastparquet", reason="an extra")
    describe(order, "P01/S1", subject="An\nÖ", context="007")
    do_all(order)
    collated(order)
    types = {"repetitions.csv": repetition_types(), "sessions.csv": session_types()}
    for name, kinds in types.items():
        path = order.out / name
        assert write_parquet(path, kinds)
        with path.open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == list(kinds)
        found = (
            parquet.ParquetFile(str(path.with_suffix(".parquet"))).to_pandas().to_dict("records")
        )
        assert len(found) == len(rows(path))
        for row, text in zip(found, rows(path), strict=True):
            for column, value in row.items():
                if pd.isna(value):
                    assert text[column] == ""
                else:
                    assert type(value)(text[column]) == value


def test_parquet_of_no_rows_is_a_table(order):
    pytest.importorskip("fastparquet", reason="an extra")
    collated(order)
    assert write_parquet(order.out / "sessions.csv", session_types())


def test_parquet_of_other_sessions_is_removed_where_it_cannot_be_written(order, monkeypatch):
    monkeypatch.setattr("analysis.batch.parquet.find_spec", lambda _: None)
    collated(order)
    (order.out / "sessions.parquet").write_bytes(b"older")
    assert not write_parquet(order.out / "sessions.csv", session_types())
    assert not (order.out / "sessions.parquet").exists()


class Many:
    """A place with so many sessions, of which nothing is on a disk."""

    def __init__(self, count):
        self.count = count

    def names(self):
        return (f"P{i:06}/S1" for i in range(self.count))


def test_memory_does_not_grow_with_the_sessions(order, monkeypatch):
    done = replace(order, root=order.root)
    do_session(done, "P01/S1")
    record = tables.read_record(done, "P01/S1")
    repetitions = tables._rep_rows(done, "P01/S1", tables.rep_columns())[:1]
    failed = replace(record, exit=3, message="left.csv: no samples. Record it.")
    turns = iter(range(10**9))
    monkeypatch.setattr(tables, "_found", lambda *_: failed if next(turns) % 3 == 0 else record)
    monkeypatch.setattr(tables, "_rep_rows", lambda *_: repetitions)

    monkeypatch.setattr(tables, "batch_html", lambda *_: "")  # its size is tested elsewhere

    def peak(count):
        tracemalloc.start()
        try:
            assert tables.collate(order, Many(count)).sessions == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)  # imports, templates
    small, large = peak(1000), peak(3000)
    assert large < small + 50_000  # 2000 names alone would be more

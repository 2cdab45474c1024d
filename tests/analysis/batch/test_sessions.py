"""A session is done once, and again when anything changed that could move a figure."""

import json
import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from analysis.batch import records, sessions
from analysis.batch.records import read_record
from analysis.batch.sessions import Outcome, do_session
from imu.errors import HiprotError, MachineError
from tests.analysis.batch.study import DAMAGED, collated, contents, do_all, rows

pytestmark = pytest.mark.usefixtures("quick")
ONE = "P01/S2"  # one side: the quickest
FILES = {"report.json", "reps.csv", "angles.csv"}


def files_of(order, name):
    return set(contents(order.report(name)))


def test_a_session_is_done_once(order):
    assert do_session(order, ONE) == Outcome(0)
    written = contents(order.out)
    assert files_of(order, ONE) == FILES
    assert do_session(order, ONE) == Outcome(0, kept=True)
    assert contents(order.out) == written


def test_the_report_is_that_of_hiprot_report(order, tmp_path):
    from click.testing import CliRunner

    from analysis.commands import hiprot

    do_session(order, ONE)
    session = Path(order.root) / ONE
    CliRunner().invoke(hiprot, ["report", str(session), "-o", str(tmp_path / "alone")])
    alone = contents(tmp_path / "alone")
    assert contents(order.report(ONE)) == {name: alone[name] for name in FILES}


def more_samples(order):
    path = Path(order.root) / ONE / "right.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-60]))
    return order


def corrected(order):
    correction = {"corrections": {"right": {"side": "left", "why": "mixed up"}}}
    (Path(order.root) / ONE / "session.json").write_text(json.dumps(correction))
    return order


def excluded(order):
    text = "set,time_s,kind,score,text\nright,1,note,,x\n"
    (Path(order.root) / ONE / "events.csv").write_text(text)
    return order


def without_a_file(order):
    (order.report(ONE) / "angles.csv").unlink()
    return order


def with_damaged_record(order):
    order.record(ONE).write_text("{")
    return order


@pytest.mark.parametrize(
    "change",
    [
        more_samples,
        corrected,
        excluded,
        without_a_file,
        with_damaged_record,
        lambda order: replace(order, settings={**order.settings, "min_hold_s": 2.0}),
        lambda order: replace(order, html=True),
    ],
)
def test_a_change_has_it_done_again(order, change):
    do_session(order, ONE)
    changed = change(order)
    assert do_session(changed, ONE) == Outcome(0)
    assert do_session(changed, ONE) == Outcome(0, kept=True)


def test_another_version_does_it_again(order, monkeypatch):
    do_session(order, ONE)
    later = replace(order, version="9.9")
    assert do_session(later, ONE).message.startswith("this worker has hiprot")
    monkeypatch.setattr(records, "version", lambda _: "9.9")
    monkeypatch.setattr(sessions, "Order", lambda *given: records.Order(*given))
    assert do_session(later, ONE) == Outcome(0)


def test_a_failure_takes_the_place_of_an_older_report(order):
    do_session(order, ONE)
    (Path(order.root) / ONE / "right.csv").write_text(DAMAGED)
    outcome = do_session(order, ONE)
    assert outcome.exit == 3
    assert outcome.message.startswith("right.csv, line 1: ")
    assert files_of(order, ONE) == set()
    assert do_session(order, ONE) == outcome._replace(kept=True)


def test_what_the_machine_failed_is_tried_again(order, monkeypatch):
    def full(_):
        raise MachineError("right.csv: cannot read it: Input/output error.")

    with monkeypatch.context() as broken:
        broken.setattr(sessions, "read_session", full)
        assert do_session(order, ONE).exit == 1
        assert do_session(order, ONE).kept is False
    assert do_session(order, ONE) == Outcome(0)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "memory"),
        (ZeroDivisionError("0"), "defect"),
        (OSError(5, "Input/output error", "x"), "x: Input/output error"),
    ],
)
def test_whatever_goes_wrong_is_one_line_of_that_session(order, monkeypatch, error, told):
    def fails(*_):
        raise error

    monkeypatch.setattr(sessions, "_analysed", fails)
    outcome = do_session(order, ONE)
    assert outcome.exit == 1
    assert told in outcome.message
    assert "\n" not in outcome.message


@pytest.mark.parametrize("stage", ["before", "after"])
def test_a_session_that_grows_meanwhile_is_done_when_it_is_still(order, monkeypatch, stage):
    path = Path(order.root) / ONE / "right.csv"
    whole = path.read_text()
    read = sessions.read_session

    def growing(folder):
        if stage == "after":
            found = read(folder)
        path.write_text(whole)
        return found if stage == "after" else read(folder)

    path.write_text(whole[: len(whole) // 2])
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(sessions, "read_session", growing)
        outcome = do_session(order, ONE)
    assert outcome.exit == 3
    assert "being recorded" in outcome.message
    assert do_session(order, ONE) == Outcome(0)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
@pytest.mark.parametrize("name", [b"P01/a\nb;<b>&'\"%2e=1+1 \xe2\x80\xae", b"P01/\xff\xfe,#?"])
def test_hostile_names_stay_names(order, name):
    name = os.fsdecode(name)
    shutil.move(Path(order.root) / ONE, Path(order.root) / name)
    assert do_session(order, name) == Outcome(0)
    assert files_of(order, name) == FILES
    page = collated(order)["batch.html"].decode()
    links = re.findall(r'href="(reports/[^"]*)"', page)
    assert {(order.out / os.fsdecode(unquote_to_bytes(link))).is_file() for link in links} == {True}
    sessions_named = {row["session"] for row in rows(order.out / "sessions.csv")}
    assert os.fsencode(name).decode("utf-8", "replace") in sessions_named


def test_a_disk_that_takes_no_record_ends_the_batch(order):
    order.out.mkdir()
    (order.out / "records").write_text("in the way")
    with pytest.raises(HiprotError, match="records"):
        do_session(order, ONE)


class Killed(BaseException):
    """The end of the process, at this instant."""


def killed_at(monkeypatch, step):
    """End the process at the n-th change of a name on the disk, before it is made."""
    left = [step]

    def counted(change):
        def changed(*args, **kwargs):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return change(*args, **kwargs)

        return changed

    for name in ("replace", "unlink", "mkdir"):
        monkeypatch.setattr(Path, name, counted(getattr(Path, name)))


def test_a_kill_at_any_instant_leaves_nothing_false(order, monkeypatch):
    do_all(order)
    limits = replace(order, settings={**order.settings, "min_hold_s": 2.0})
    undisturbed = replace(limits, out=order.out.with_name("undisturbed"))
    do_all(undisturbed)
    expected = collated(undisturbed)
    ends = 0
    for step in range(40):
        with monkeypatch.context() as world:
            killed_at(world, step)
            try:
                do_session(limits, ONE)
                break
            except Killed:
                ends += 1
        seen = read_record(limits, ONE)
        assert seen is None or not seen.serves(limits, seen.content)
    assert 8 <= ends < 40
    do_all(limits)
    assert collated(limits) == expected
    assert contents(limits.out / "reports") == contents(undisturbed.out / "reports")

"""Worker processes: every session once, whatever happens to a worker."""

import multiprocessing
import os
import signal
import sys
import threading
import time

import pytest

from analysis.batch.processes import run_processes
from analysis.batch.records import read_record
from imu.errors import HiprotError
from tests.analysis.batch.study import collated, contents, do_all, rows

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by signals")
NAMES = ["P01/S1", "P01/S2", "P02/S1"]


def kill_one():
    """Kill the first worker that there is."""
    while not (found := multiprocessing.active_children()):
        time.sleep(0.01)
    pid = found[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_a_killed_worker_costs_its_session_alone(order):
    killer = threading.Thread(target=kill_one)
    killer.start()
    outcomes = dict(run_processes(order, iter(NAMES), 2))
    killer.join()
    assert sorted(outcomes) == NAMES
    (dead,) = (name for name, one in outcomes.items() if one.exit == 1)
    assert "SIGKILL" in outcomes[dead].message
    assert [outcomes[name].exit for name in NAMES if name != dead] == [
        {"P02/S1": 3}.get(name, 0) for name in NAMES if name != dead
    ]
    collated(order)
    assert dead in [row["session"] for row in rows(order.out / "failures.csv")]
    again = dict(run_processes(order, iter([dead]), 1))
    assert again[dead].exit == (3 if dead == "P02/S1" else 0)
    record = read_record(order, dead)
    assert record is not None
    assert record.content
    assert multiprocessing.active_children() == [] or wait_for_end()


def wait_for_end():
    deadline_s = time.monotonic() + 10
    while multiprocessing.active_children() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return multiprocessing.active_children() == []


def test_workers_write_what_one_process_does(order, tmp_path):
    from dataclasses import replace

    alone = replace(order, out=tmp_path / "alone")
    expected = do_all(alone)
    assert dict(run_processes(order, iter(NAMES), 1)) == expected
    assert contents(order.out) == contents(alone.out)
    assert wait_for_end()


def test_a_disk_that_takes_nothing_ends_it_in_one_error(order):
    order.out.mkdir()
    (order.out / "records").write_text("in the way")
    with pytest.raises(HiprotError, match="records"):
        list(run_processes(order, iter(NAMES), 1))
    assert wait_for_end()

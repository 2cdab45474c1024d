"""Worker processes: every session once, whatever happens to a worker."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from analysis.batch import processes
from analysis.batch.processes import run_processes
from analysis.batch.sessions import do_session
from imu.errors import HiprotError, MachineError
from tests.analysis.batch.study import collated, contents, do_all, rows

NAMES = ["P01/S1", "P01/S2", "P02/S1"]


def kill_one():
    """Kill the first worker that there is."""
    while not (found := multiprocessing.active_children()):
        time.sleep(0.01)
    pid = found[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def all_ended():
    deadline_s = time.monotonic() + 30
    while multiprocessing.active_children() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return multiprocessing.active_children() == []


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
def test_a_killed_worker_costs_its_session_alone(order, tmp_path, quick):  # noqa: ARG001
    undisturbed = replace(order, out=tmp_path / "undisturbed")
    expected = do_all(undisturbed)
    killer = threading.Thread(target=kill_one)
    killer.start()
    outcomes = dict(run_processes(order, iter(NAMES), 1))
    killer.join()
    assert list(outcomes) == NAMES
    dead, *others = NAMES
    assert outcomes[dead].exit == 1
    assert "SIGKILL" in outcomes[dead].message
    assert {name: outcomes[name] for name in others} == {name: expected[name] for name in others}
    collated(order)
    assert [row["session"] for row in rows(order.out / "failures.csv")] == [dead, "P02/S1"]
    assert do_session(order, dead) == expected[dead]
    assert collated(order) == collated(undisturbed)
    assert contents(order.out) == contents(undisturbed.out)
    assert all_ended()


def test_an_error_of_the_disk_ends_the_batch():
    ours, theirs = multiprocessing.Pipe()
    theirs.send(MachineError("out: cannot write it: No space left on device."))
    crew = [processes._Worker(SimpleNamespace(), ours, NAMES[0])]
    with pytest.raises(HiprotError, match="No space left"):
        processes._next_done(SimpleNamespace(), crew)
    assert len(crew) == 1  # to be ended with the others


@pytest.mark.parametrize(
    ("code", "told"), [(-9, "SIGKILL"), (-11, "SIGSEGV"), (3, "status 3"), (-200, "signal 200")]
)
@pytest.mark.skipif(sys.platform == "win32", reason="has other signals")
def test_how_a_worker_died_is_told(order, code, told):
    ours, theirs = multiprocessing.Pipe()
    theirs.close()
    process = SimpleNamespace(join=lambda: None, exitcode=code)
    crew = [processes._Worker(process, ours, NAMES[0])]
    done = processes._next_done(order, crew)
    assert (done.worker, done.outcome.exit, crew) == (None, 1, [])
    assert told in done.outcome.message


def test_workers_that_cannot_start_are_not_started_over_and_over(order):
    ours, theirs = multiprocessing.Pipe()
    theirs.close()
    process = SimpleNamespace(join=lambda: None, exitcode=processes.NOT_BEGUN)
    with pytest.raises(MachineError, match="could not start"):
        processes._next_done(order, [processes._Worker(process, ours, NAMES[0])])
